/* SPDX-License-Identifier: MIT */
#include "fs/image/archive_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* docker save made links from layer to layer; no chain of them is longer than this. */
#define MAX_LINKS 16

static struct archive_member *member_find(const struct archive_source *archive, const char *name)
{
	/* From the end: of two members of one name the later counts, as for tar(1). */
	for (size_t i = archive->n_members; i > 0; i--) {
		if (!strcmp(archive->members[i - 1].name, name))
			return &archive->members[i - 1];
	}
	return NULL;
}

const char *archive_source_resolve(const struct archive_source *archive, const char *path)
{
	while (!strncmp(path, "./", 2))
		path += 2;
	for (int i = 0; i < MAX_LINKS; i++) {
		const struct archive_member *member = member_find(archive, path);

		if (!member || !member->link)
			return path;
		path = member->link;
	}
	return path;
}

static int archive_document(struct image_source *source, const char *name, char **ret_bytes,
			    size_t *ret_n_bytes, struct error *error)
{
	struct archive_source *archive = (struct archive_source *)source;
	const struct archive_member *member =
		member_find(archive, archive_source_resolve(archive, name));
	char *bytes;

	if (!member || !member->bytes)
		return error_say(error, -ENOENT, "there is no document '%.200s' in the archive",
				 name);
	bytes = malloc(member->n_bytes + 1);
	if (!bytes)
		return error_set(error, -ENOMEM, "cannot read '%.200s'", name);
	memcpy(bytes, member->bytes, member->n_bytes + 1);
	*ret_bytes = bytes;
	*ret_n_bytes = member->n_bytes;
	return 0;
}

void archive_source_init(struct archive_source *archive, const char *repository)
{
	*archive = (struct archive_source){
		.source = { .document = archive_document, .repository = repository },
	};
}

void archive_source_deinit(struct archive_source *archive)
{
	for (size_t i = 0; i < archive->n_members; i++) {
		free(archive->members[i].name);
		free(archive->members[i].link);
		free(archive->members[i].bytes);
	}
	free(archive->members);
	*archive = (struct archive_source){};
}

static int member_add(struct archive_source *archive, const char *name, const char *link,
		      char *bytes, size_t n_bytes, struct error *error)
{
	struct archive_member *member;

	if (archive->n_members >= ARCHIVE_MAX_MEMBERS ||
	    n_bytes > ARCHIVE_DOCUMENTS_MAX_BYTES - archive->n_bytes)
		return error_say(error, -E2BIG, "the archive has too many documents");
	if (archive->n_members == archive->n_allocated) {
		size_t n = archive->n_allocated ? 2 * archive->n_allocated : 64;
		struct archive_member *members =
			reallocarray(archive->members, n, sizeof(*members));

		if (!members)
			return error_set(error, -ENOMEM, "cannot read the archive");
		archive->members = members;
		archive->n_allocated = n;
	}
	member = &archive->members[archive->n_members];
	*member = (struct archive_member){
		.name = strdup(name),
		.link = link ? strdup(link) : NULL,
	};
	archive->n_members++;
	if (!member->name || (link && !member->link))
		return error_set(error, -ENOMEM, "cannot read the archive");
	member->bytes = bytes;
	member->n_bytes = n_bytes;
	archive->n_bytes += n_bytes;
	return 1;
}

int archive_source_add(struct archive_source *archive, const char *name, char *bytes,
		       size_t n_bytes, struct error *error)
{
	int r = member_add(archive, name, NULL, bytes, n_bytes, error);

	if (r > 0)
		return 0;
	free(bytes);
	return r;
}

int archive_source_link(struct archive_source *archive, const char *name, const char *target,
			struct error *error)
{
	int r = member_add(archive, name, target, NULL, 0, error);

	return r < 0 ? r : 0;
}
