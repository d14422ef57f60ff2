/* SPDX-License-Identifier: MIT */
#include "launch/explain.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

#define HEAD_BYTES	 256	/* what the kernel reads of a script (BINPRM_BUF_SIZE) */
#define STRING_MAX_BYTES 131072 /* of one argument or variable (MAX_ARG_STRLEN) */
#define MAX_INTERPRETERS 5	/* scripts as scripts' interpreters, then ELOOP (Linux 5.8) */
#define ELF_MAX_HEADERS	 64	/* that are looked at: a message isn't worth more */
#define SHOWN_MAX_BYTES	 160	/* of a path in a message */
#define BYTE_ORDER_MARK	 "\xef\xbb\xbf"

/* The beginning of the file. */
struct look {
	int fd;
	size_t n;
	char head[HEAD_BYTES + 1];
};

static void look_deinit(struct look *look)
{
	cleanup_close(&look->fd);
}

static bool look_at(struct look *look, const char *path)
{
	struct stat st;
	ssize_t n;

	/* It may be a fifo by now, or a terminal. */
	look->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (look->fd < 0 || fstat(look->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	n = pread(look->fd, look->head, HEAD_BYTES, 0);
	if (n < 0)
		return false;
	look->n = (size_t)n;
	look->head[n] = '\0';
	return true;
}

static bool is_elf(const struct look *look)
{
	return look->n >= sizeof(Elf32_Ehdr) && !memcmp(look->head, ELFMAG, SELFMAG);
}

static uint64_t number_at(const struct look *look, const char *bytes, size_t n)
{
	bool big = look->head[EI_DATA] == ELFDATA2MSB;
	uint64_t number = 0;

	for (size_t i = 0; i < n; i++)
		number = number << 8 | (unsigned char)bytes[big ? i : n - 1 - i];
	return number;
}

#define ELF_FIELD(look, bytes, header, field)                                                      \
	((look)->head[EI_CLASS] == ELFCLASS64                                                      \
		 ? number_at(look, (bytes) + offsetof(Elf64_##header, field),                      \
			     sizeof(((Elf64_##header *)0)->field))                                 \
		 : number_at(look, (bytes) + offsetof(Elf32_##header, field),                      \
			     sizeof(((Elf32_##header *)0)->field)))

/* The dynamic loader that an ELF file asks for. */
static bool elf_loader(const struct look *look, char loader[PATH_MAX])
{
	uint64_t at = ELF_FIELD(look, look->head, Ehdr, e_phoff);
	uint64_t step = ELF_FIELD(look, look->head, Ehdr, e_phentsize);
	uint64_t n = ELF_FIELD(look, look->head, Ehdr, e_phnum);
	char header[sizeof(Elf64_Phdr)];

	for (uint64_t i = 0; i < n && i < ELF_MAX_HEADERS; i++) {
		uint64_t size;
		ssize_t got;

		if (pread(look->fd, header, sizeof(header), (off_t)(at + i * step)) !=
		    (ssize_t)sizeof(header))
			return false;
		if (ELF_FIELD(look, header, Phdr, p_type) != PT_INTERP)
			continue;
		size = ELF_FIELD(look, header, Phdr, p_filesz);
		if (size < 2 || size > PATH_MAX)
			return false;
		got = pread(look->fd, loader, (size_t)size,
			    (off_t)ELF_FIELD(look, header, Phdr, p_offset));
		if (got != (ssize_t)size)
			return false;
		loader[size - 1] = '\0';
		return true;
	}
	return false;
}

/* The path behind "#!", with a DOS line's carriage return where there is one. */
static bool script_interpreter(const struct look *look, char interpreter[HEAD_BYTES + 1])
{
	const char *start = look->head + 2;
	size_t n;

	if (look->n < 3 || strncmp(look->head, "#!", 2))
		return false;
	start += strspn(start, " \t");
	n = strcspn(start, " \t\n");
	memcpy(interpreter, start, n);
	interpreter[n] = '\0';
	return n > 0;
}

/* For a terminal: an image's names can be anything. */
static const char *shown(const char *path, char text[SHOWN_MAX_BYTES])
{
	size_t n = strlen(path);

	n = n < SHOWN_MAX_BYTES ? n : SHOWN_MAX_BYTES - 1;
	for (size_t i = 0; i < n; i++)
		text[i] = path[i] < ' ' || path[i] > '~' ? '?' : path[i];
	text[n] = '\0';
	return text;
}

static bool is_missing(const char *path)
{
	return access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static const char *libc_of(const char *loader)
{
	if (strstr(loader, "ld-musl"))
		return "musl's, ";
	if (strstr(loader, "ld-linux") || strstr(loader, "ld64.so") || strstr(loader, "ld.so.1"))
		return "glibc's, ";
	return strstr(loader, "/linker") ? "Android's, " : "";
}

static int missing_reason(const struct look *look, const char *path, struct error *error)
{
	char loader[PATH_MAX], text[SHOWN_MAX_BYTES];
	ssize_t n;

	if (is_elf(look) && elf_loader(look, loader) && is_missing(loader))
		return error_say(error, -ENOENT,
				 "its loader '%s' (%sa dynamic one) isn't in the image",
				 shown(loader, text), libc_of(loader));
	n = is_missing(path) ? readlink(path, loader, sizeof(loader) - 1) : -1;
	if (n > 0) {
		loader[n] = '\0';
		return error_say(error, -ENOENT, "it is a link to '%s', which isn't in the image",
				 shown(loader, text));
	}
	return 0;
}

static const char *machine_name(uint64_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name; /* uname(2)'s */
	} names[] = {
		{ EM_386, "i386" },	   { EM_X86_64, "x86_64" }, { EM_ARM, "arm" },
		{ EM_AARCH64, "aarch64" }, { EM_RISCV, "riscv" },   { EM_PPC, "ppc" },
		{ EM_PPC64, "ppc64" },	   { EM_S390, "s390x" },    { EM_MIPS, "mips" },
		{ EM_SPARCV9, "sparc64" }, { 258, "loongarch64" }, /* EM_LOONGARCH, glibc 2.36 */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].machine == machine)
			return names[i].name;
	}
	return NULL;
}

static int format_reason(const struct look *look, struct error *error)
{
	struct utsname own;

	if (look->n == 0)
		return error_say(error, -ENOEXEC, "it is empty");
	if (is_elf(look)) {
		uint64_t machine = ELF_FIELD(look, look->head, Ehdr, e_machine);
		const char *name = machine_name(machine);

		if (uname(&own) < 0)
			return 0;
		if (!name)
			return error_say(error, -ENOEXEC,
					 "it is for another machine (ELF machine %u), and this one "
					 "is %s",
					 (unsigned int)machine, own.machine);
		/* "ppc64le", "riscv64", "mips64", "armv7l" */
		if (strncmp(name, own.machine, strlen(name)) != 0)
			return error_say(error, -ENOEXEC, "it is for %s, and this machine is %s",
					 name, own.machine);
		return error_say(error, -ENOEXEC, "it is a damaged %s program", name);
	}
	if (!strncmp(look->head, BYTE_ORDER_MARK "#!", 5))
		return error_say(error, -ENOEXEC, "a byte order mark is in front of its #!");
	if (!strncmp(look->head, "#!", 2))
		return error_say(error, -ENOEXEC, "no interpreter is behind its #!");
	if (!strncmp(look->head, "MZ", 2))
		return error_say(error, -ENOEXEC, "it is a Windows program");
	for (size_t i = 0; i < look->n; i++) {
		unsigned char c = (unsigned char)look->head[i];

		if ((c < ' ' && !strchr("\t\n\r\f\033", c)) || c == '\0' || c == 0x7f)
			return error_say(error, -ENOEXEC, "it isn't a program of Linux");
	}
	return error_say(error, -ENOEXEC,
			 "it is a text without a #! line (such as #!/bin/sh at its beginning)");
}

/* The mount point that @path is on, by its own name. */
static void mount_find(const char *path, char mount[PATH_MAX])
{
	if (!realpath(path, mount)) {
		strcpy(mount, "/");
		return;
	}
	while (mount[1] && path_is_mount_root(AT_FDCWD, mount) == 0) {
		char *slash = strrchr(mount, '/');

		slash[slash == mount ? 1 : 0] = '\0';
	}
}

/* The first directory on the way to @path that may not be searched. */
static bool denied_directory(const char *path, char directory[PATH_MAX])
{
	size_t n = 0;

	for (;;) {
		n += strspn(path + n, "/");
		n += strcspn(path + n, "/");
		if (!path[n] || n >= PATH_MAX)
			return false;
		memcpy(directory, path, n);
		directory[n] = '\0';
		if (access(directory, X_OK) < 0)
			return errno == EACCES;
	}
}

static int denied_reason(const struct config_process *process, const char *path,
			 struct error *error)
{
	char place[PATH_MAX], text[SHOWN_MAX_BYTES];
	struct statvfs fs;
	struct stat st;

	if (denied_directory(path, place)) {
		if (stat(place, &st) < 0)
			return 0;
		return error_say(
			error, -EACCES, "user %u may not search '%s' (mode %04o, owner %u:%u)",
			process->uid, shown(place, text), st.st_mode & 07777, st.st_uid, st.st_gid);
	}
	if (stat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return error_say(error, -EACCES, "it is a directory");
	if (!S_ISREG(st.st_mode))
		return error_say(error, -EACCES, "it isn't an ordinary file");
	if (!(st.st_mode & 0111))
		return error_say(error, -EACCES,
				 "nobody may execute it (mode %04o): chmod +x is missing",
				 st.st_mode & 07777);
	if (statvfs(path, &fs) == 0 && fs.f_flag & ST_NOEXEC) {
		mount_find(path, place);
		return error_say(error, -EACCES, "it is on '%s', which is mounted noexec",
				 shown(place, text));
	}
	if (access(path, X_OK) < 0 && errno == EACCES)
		return error_say(error, -EACCES,
				 "user %u may not execute it (mode %04o, owner %u:%u)",
				 process->uid, st.st_mode & 07777, st.st_uid, st.st_gid);
	return 0;
}

static size_t strings_measure(char **strings, const char *field, size_t *n_bytes, char longest[64])
{
	size_t n = 0;

	for (; strings[n]; n++) {
		size_t n_string = strlen(strings[n]) + 1;

		*n_bytes += n_string + sizeof(char *);
		if (n_string > STRING_MAX_BYTES && !*longest)
			snprintf(longest, 64, "process.%s[%zu] has %zu", field, n, n_string - 1);
	}
	return n;
}

static int size_reason(const struct config_process *process, struct error *error)
{
	char longest[64] = "";
	size_t n_bytes = 0;
	size_t n_args = strings_measure(process->args, "args", &n_bytes, longest);
	size_t n_env = strings_measure(process->env, "env", &n_bytes, longest);
	struct rlimit stack;

	if (*longest)
		return error_say(error, -E2BIG, "%s bytes, of %d that one may have", longest,
				 STRING_MAX_BYTES - 1);
	/* A quarter of the stack, and three quarters of 8 MiB at most. */
	if (getrlimit(RLIMIT_STACK, &stack) < 0)
		return 0;
	stack.rlim_cur = stack.rlim_cur / 4 < 6u << 20 ? stack.rlim_cur / 4 : 6u << 20;
	return error_say(error, -E2BIG,
			 "%zu arguments and %zu variables have %zu bytes, and the limit is %llu",
			 n_args, n_env, n_bytes, (unsigned long long)stack.rlim_cur);
}

static int loader_reason(const struct look *look, struct error *error)
{
	char loader[PATH_MAX], text[SHOWN_MAX_BYTES];

	if (!is_elf(look) || !elf_loader(look, loader))
		return 0;
	return error_say(error, -ELIBBAD, "its loader '%s' is damaged, or for another machine",
			 shown(loader, text));
}

/* What is wrong with the file itself; 0: nothing that can be seen. */
static int file_reason(const struct config_process *process, const struct look *look,
		       const char *path, int code, struct error *error)
{
	struct stat st;

	switch (code) {
	case -ENOENT:
		return missing_reason(look, path, error);
	case -EACCES:
		return denied_reason(process, path, error);
	case -ENOEXEC:
		return look->fd >= 0 ? format_reason(look, error) : 0;
	case -E2BIG:
		return size_reason(process, error);
	case -ELIBBAD:
		return loader_reason(look, error);
	case -ETXTBSY:
		return error_say(error, code, "%s open for writing",
				 look->n > 2 && !strncmp(look->head, "#!", 2)
					 ? "it, or its interpreter, is"
					 : "it is");
	case -ENOMEM:
		return error_say(error, code, "is the container's memory limit too low?");
	case -ELOOP:
		return error_say(error, code, "%s",
				 stat(path, &st) < 0 ? "its name is a loop of links"
						     : "its interpreter is a script, and so on");
	default:
		return 0;
	}
}

/* The file's own reason, else that of its interpreter, for a script. */
static int reason_find(const struct config_process *process, const char *path, int code,
		       unsigned int depth, struct error *error)
{
	_cleanup_(look_deinit) struct look look = { .fd = -EBADF };
	char interpreter[HEAD_BYTES + 1], text[SHOWN_MAX_BYTES];
	bool is_script = look_at(&look, path) && script_interpreter(&look, interpreter);
	int r;

	if (is_script && code == -ENOENT && is_missing(interpreter)) {
		if (interpreter[strlen(interpreter) - 1] == '\r')
			return error_say(
				error, code,
				"its first line ends in a carriage return (DOS line ends)");
		return error_say(error, code, "its interpreter '%s' isn't in the image",
				 shown(interpreter, text));
	}
	/* These say nothing about which of the two it is. */
	if (!is_script || code == -E2BIG || code == -ENOMEM || code == -ETXTBSY || code == -ELOOP)
		return file_reason(process, &look, path, code, error);
	r = code == -EACCES ? denied_reason(process, path, error) : 0;
	if (r < 0 || depth >= MAX_INTERPRETERS)
		return r;
	r = reason_find(process, interpreter, code, depth + 1, error);
	return r < 0 ? error_prefix(error, r, "its interpreter '%s'", shown(interpreter, text)) : 0;
}

/* Go's words, which engines look for whatever the runtime is written in. */
static const char *words_of(int code)
{
	static const struct {
		int code;
		const char *words;
	} words[] = {
		{ ENOENT, "no such file or directory" },
		{ EACCES, "permission denied" },
		{ ENOEXEC, "exec format error" },
		{ E2BIG, "argument list too long" },
		{ ETXTBSY, "text file busy" },
		{ ELOOP, "too many levels of symbolic links" },
		{ ENOMEM, "cannot allocate memory" },
		{ EPERM, "operation not permitted" },
		{ ELIBBAD, "accessing a corrupted shared library" },
		{ ENAMETOOLONG, "file name too long" },
		{ EIO, "input/output error" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].code == -code)
			return words[i].words;
	}
	return strerror(-code);
}

int explain_failure(const struct config_process *process, const char *path, int code,
		    struct error *error)
{
	struct error reason;

	error_init(&reason);
	if (code == -EISDIR)
		code = -EACCES;
	if (code == -ENOTDIR)
		code = -ENOENT;
	if (reason_find(process, path, code, 0, &reason) < 0)
		return error_say(error, code, "exec: \"%s\": %s: %s", process->args[0],
				 words_of(code), reason.message);
	return error_say(error, code, "exec: \"%s\": %s", process->args[0], words_of(code));
}
