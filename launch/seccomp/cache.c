/* SPDX-License-Identifier: MIT */
#include "launch/seccomp/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "launch/seccomp/arch.h"
#include "launch/seccomp/program.h"

#define MAGIC "lamina\2"

/* A file: this, the instructions, the text. */
struct header {
	char magic[8];
	uint64_t compiler; /* seccomp_compiler_id */
	uint32_t arch;	   /* the native one, by enum seccomp_arch_index */
	uint32_t flags;
	uint32_t n_instructions;
	uint32_t n_text;
	uint64_t check; /* of all this and the instructions: what a disk has damaged is none */
};

/* Fast, and no more: what it finds is compared. */
static uint64_t hash(const void *bytes, size_t n_bytes)
{
	uint64_t value = UINT64_C(0x9e3779b97f4a7c15) ^ n_bytes;
	const char *p = bytes;

	for (; n_bytes > 0; p += 8) {
		size_t n = n_bytes < 8 ? n_bytes : 8;
		uint64_t word = 0;

		memcpy(&word, p, n);
		n_bytes -= n;
		value = (value ^ word) * UINT64_C(0xff51afd7ed558ccd);
		value ^= value >> 32;
	}
	return value;
}

static uint64_t check_of(struct header header, const void *instructions)
{
	header.check = 0;
	return hash(&header, sizeof(header)) ^
	       hash(instructions, header.n_instructions * sizeof(struct sock_filter));
}

static void header_make(struct header *header, size_t n_text)
{
	*header = (struct header){ .magic = MAGIC,
				   .compiler = seccomp_compiler_id,
				   .arch = (uint32_t)seccomp_native_arch(),
				   .n_text = (uint32_t)n_text };
}

static bool is_own(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & 022);
}

static int directory_open(const char *state_path)
{
	_cleanup_close_ int fd = -EBADF;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/" SECCOMP_CACHE_DIRECTORY, state_path);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = fd_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return is_own(fd, S_IFDIR) ? take_fd(&fd) : -EPERM;
}

static void name_make(const char *text, size_t n_text, char ret_name[17])
{
	snprintf(ret_name, 17, "%016" PRIx64, hash(text, n_text));
}

static bool is_filter_of(const char *bytes, size_t n_bytes, const char *text, size_t n_text)
{
	struct header header, wanted;
	const struct sock_filter *code;
	size_t n_filter;

	if (n_bytes < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	header_make(&wanted, n_text);
	n_filter = (size_t)header.n_instructions * sizeof(struct sock_filter);
	code = (const struct sock_filter *)(const void *)(bytes + sizeof(header));
	return !memcmp(header.magic, wanted.magic, sizeof(header.magic)) &&
	       header.compiler == wanted.compiler && header.arch == wanted.arch &&
	       header.n_text == n_text && header.n_instructions <= BPF_MAXINSNS &&
	       n_bytes == sizeof(header) + n_filter + n_text &&
	       header.check == check_of(header, code) &&
	       seccomp_program_is_valid(code, header.n_instructions) &&
	       !memcmp(bytes + sizeof(header) + n_filter, text, n_text);
}

bool seccomp_cache_find(const char *state_path, const char *text, size_t n_text,
			struct seccomp_filter *ret_filter)
{
	_cleanup_close_ int directory_fd = directory_open(state_path), fd = -EBADF;
	_cleanup_free_ char *bytes = NULL;
	struct header header;
	size_t n_bytes;
	char name[17];

	if (directory_fd < 0)
		return false;
	name_make(text, n_text, name);
	fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (!is_own(fd, S_IFREG) ||
	    fd_read_all(fd, SECCOMP_CACHE_MAX_BYTES, &bytes, &n_bytes) < 0 ||
	    !is_filter_of(bytes, n_bytes, text, n_text)) {
		(void)unlinkat(directory_fd, name, 0);
		return false;
	}
	memcpy(&header, bytes, sizeof(header));
	*ret_filter = (struct seccomp_filter){
		.program = { .len = (unsigned short)header.n_instructions,
			     .filter = (struct sock_filter *)(void *)(bytes + sizeof(header)) },
		.flags = header.flags,
	};
	/* Freed as a whole. */
	ret_filter->instructions = (struct sock_filter *)(void *)take_ptr(bytes);
	return true;
}

/*
 * How many files there are, and which was made longest ago. What a starter that was killed has left
 * aside is one too; what one is writing now is the newest.
 */
static size_t files_count(DIR *directory, char ret_oldest[NAME_MAX + 1])
{
	const struct dirent *entry;
	struct timespec oldest = {};
	size_t n_files = 0;

	while (directory_entry_next(directory, &entry) > 0) {
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (n_files++ == 0 || st.st_mtim.tv_sec < oldest.tv_sec ||
		    (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec)) {
			oldest = st.st_mtim;
			strcpy(ret_oldest, entry->d_name);
		}
	}
	return n_files;
}

/* One at a time: more than one is too many only where several starters keep at once. */
static void oldest_remove(int directory_fd)
{
	int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	char oldest[NAME_MAX + 1];

	if (!directory) {
		cleanup_close(&fd);
		return;
	}
	while (files_count(directory, oldest) > SECCOMP_CACHE_MAX_FILES &&
	       unlinkat(directory_fd, oldest, 0) == 0)
		rewinddir(directory);
}

void seccomp_cache_keep(const char *state_path, const char *text, size_t n_text,
			const struct seccomp_filter *filter)
{
	size_t n_filter = filter->program.len * sizeof(struct sock_filter);
	size_t n_bytes = sizeof(struct header) + n_filter + n_text;
	_cleanup_close_ int directory_fd = -EBADF;
	_cleanup_free_ char *bytes = NULL;
	char path[PATH_MAX], name[17];
	struct header header;

	if (n_text > SECCOMP_CACHE_MAX_BYTES || n_bytes > SECCOMP_CACHE_MAX_BYTES ||
	    snprintf(path, sizeof(path), "%s/" SECCOMP_CACHE_DIRECTORY, state_path) >=
		    (int)sizeof(path))
		return;
	/* The state directory itself is made with the first container. */
	(void)mkdir(path, 0700);
	directory_fd = directory_open(state_path);
	bytes = directory_fd < 0 ? NULL : malloc(n_bytes);
	if (!bytes)
		return;
	header_make(&header, n_text);
	header.flags = filter->flags;
	header.n_instructions = filter->program.len;
	header.check = check_of(header, filter->program.filter);
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), filter->program.filter, n_filter);
	memcpy(bytes + sizeof(header) + n_filter, text, n_text);
	name_make(text, n_text, name);
	if (file_replace_at(directory_fd, name, bytes, n_bytes, 0600, 0) == 0)
		oldest_remove(directory_fd);
}
