/* SPDX-License-Identifier: MIT */
#include "fs/copy/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

static size_t slot_of(const struct copy_links *links, dev_t device, ino_t inode)
{
	uint64_t key = ((uint64_t)inode ^ (uint64_t)device << 40) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(key >> 20) & (links->n_slots - 1);

	while (links->slots[i].source_inode &&
	       (links->slots[i].source_inode != inode || links->slots[i].source_device != device))
		i = (i + 1) & (links->n_slots - 1);
	return i;
}

struct copy_link *copy_links_find(struct copy_links *links, const struct stat *source)
{
	struct copy_link *link;

	if (links->n_slots == 0)
		return NULL;
	link = &links->slots[slot_of(links, source->st_dev, source->st_ino)];
	return link->source_inode ? link : NULL;
}

static int links_grow(struct copy_links *links)
{
	struct copy_links larger = { .n_slots = links->n_slots ? 2 * links->n_slots : 64 };

	larger.slots = calloc(larger.n_slots, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < links->n_slots; i++) {
		const struct copy_link *link = &links->slots[i];

		if (link->source_inode)
			larger.slots[slot_of(&larger, link->source_device, link->source_inode)] =
				*link;
	}
	larger.n_used = links->n_used;
	free(links->slots);
	*links = larger;
	return 0;
}

/* Takes @path over, on failure too. Another copy of the same file takes its place. */
int copy_links_add(struct copy_links *links, const struct stat *source,
		   const struct stat *destination, char *path)
{
	struct copy_link *link;

	if (!path || (2 * links->n_used >= links->n_slots && links_grow(links) < 0)) {
		free(path);
		return -ENOMEM;
	}
	link = &links->slots[slot_of(links, source->st_dev, source->st_ino)];
	if (!link->source_inode)
		links->n_used++;
	free(link->path);
	*link = (struct copy_link){
		.source_device = source->st_dev,
		.source_inode = source->st_ino,
		.destination_device = destination->st_dev,
		.destination_inode = destination->st_ino,
		.path = path,
	};
	return 0;
}

/*
 * The file that was copied first, by a walk without links from the root of the copy: a path of any
 * length, piece by piece. -ESTALE: something else is there now.
 */
int copy_links_open(const struct copy_link *link, int root_fd)
{
	_cleanup_close_ int held_fd = -EBADF;
	const char *rest = link->path;
	char piece[PATH_MAX];
	struct stat st;
	int fd = root_fd;

	while (*rest) {
		size_t n = strlen(rest);

		if (n >= sizeof(piece)) {
			for (n = sizeof(piece) - 1; rest[n] != '/'; n--)
				;
		}
		memcpy(piece, rest, n);
		piece[n] = '\0';
		rest += n + strspn(rest + n, "/");
		fd = path_open_beneath(fd, piece, O_PATH | O_NOFOLLOW, 0);
		cleanup_close(&held_fd);
		held_fd = fd;
		if (fd < 0)
			return fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR ? -ESTALE : fd;
	}
	if (held_fd < 0 || fstat(held_fd, &st) < 0 || st.st_dev != link->destination_device ||
	    st.st_ino != link->destination_inode)
		return -ESTALE;
	return take_fd(&held_fd);
}

int copy_links_make(int fd, int directory_fd, const char *name)
{
	char path[40];

	/* By descriptor: CAP_DAC_READ_SEARCH, or since Linux 6.10 the opener's own credentials. */
	if (linkat(fd, "", directory_fd, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, directory_fd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

void copy_links_deinit(struct copy_links *links)
{
	for (size_t i = 0; i < links->n_slots; i++)
		free(links->slots[i].path);
	free(links->slots);
	*links = (struct copy_links){};
}
