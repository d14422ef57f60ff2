/* SPDX-License-Identifier: MIT */
#include "fs/copy/list.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/syscalls.h"

/* As getdents64(2) describes it; no header has it. */
struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short n_bytes;
	unsigned char type;
	char name[];
};

/* All of it, before anything is made: a destination inside must not feed the reading. */
static int bytes_read(int directory_fd, char *scratch, size_t n_scratch, char **ret_bytes,
		      size_t *ret_n_bytes)
{
	_cleanup_free_ char *bytes = NULL;
	size_t n_bytes = 0;

	for (;;) {
		long n = syscall(SYS_getdents64, directory_fd, scratch, n_scratch);
		char *larger;

		if (n < 0)
			return -errno;
		larger = realloc(bytes, n_bytes + (size_t)n + 1);
		if (!larger)
			return -ENOMEM;
		bytes = larger;
		if (n == 0)
			break;
		memcpy(bytes + n_bytes, scratch, (size_t)n);
		n_bytes += (size_t)n;
	}
	*ret_bytes = take_ptr(bytes);
	*ret_n_bytes = n_bytes;
	return 0;
}

static int by_inode(const void *left, const void *right)
{
	const struct copy_name *a = left, *b = right;

	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

static unsigned char type_ask(int directory_fd, const char *name)
{
	struct stat st;

	/* Gone, or not to be seen: opening it as a file says so. */
	if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_REG;
	return (unsigned char)IFTODT(st.st_mode);
}

int copy_list_read(struct copy_list *list, int directory_fd, char *scratch, size_t n_scratch)
{
	struct copy_list read = {};
	size_t n_bytes = 0, n_entries = 0;
	int r = bytes_read(directory_fd, scratch, n_scratch, &read.bytes, &n_bytes);

	if (r < 0)
		return r;
	for (size_t at = 0; at < n_bytes; n_entries++)
		at += ((const struct entry *)(read.bytes + at))->n_bytes;
	read.names = calloc(n_entries + 1, sizeof(*read.names));
	if (!read.names) {
		free(read.bytes);
		return -ENOMEM;
	}
	for (size_t at = 0; at < n_bytes;) {
		const struct entry *entry = (const struct entry *)(read.bytes + at);
		unsigned char type = entry->type;

		at += entry->n_bytes;
		if (!strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
			continue;
		if (type == DT_UNKNOWN)
			type = type_ask(directory_fd, entry->name);
		read.names[read.n_names++] = (struct copy_name){ entry->inode, entry->name, type };
	}
	qsort(read.names, read.n_names, sizeof(*read.names), by_inode);
	*list = read;
	return 0;
}

void copy_list_deinit(struct copy_list *list)
{
	free(list->names);
	free(list->bytes);
	*list = (struct copy_list){};
}
