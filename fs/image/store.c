/* SPDX-License-Identifier: MIT */
#include "fs/image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/fd.h"
#include "fs/image/directory.h"

#define NAMES	 "images/names"
#define RECORDS	 "images/sha256"
#define TARGET	 "../sha256/"
#define N_TARGET (sizeof(TARGET) - 1)

/* What the name's link says: the hex digits of a manifest's digest. */
static int name_read(const struct store *store, const char *escaped, char ret_hex[DIGEST_HEX_BYTES])
{
	char path[sizeof(NAMES) + IMAGE_NAME_ESCAPED_BYTES];
	char target[N_TARGET + DIGEST_HEX_BYTES];
	ssize_t n;

	memcpy(path, NAMES "/", sizeof(NAMES));
	strcpy(path + sizeof(NAMES), escaped);
	n = readlinkat(store->fd, path, target, sizeof(target));
	if (n < 0)
		return -errno;
	if (n != (ssize_t)sizeof(target) - 1)
		return -EUCLEAN;
	target[n] = '\0';
	if (memcmp(target, TARGET, N_TARGET) || !digest_hex_is_valid(target + N_TARGET))
		return -EUCLEAN;
	memcpy(ret_hex, target + N_TARGET, DIGEST_HEX_BYTES);
	return 0;
}

static int record_open(const struct store *store, const char *hex, struct image *ret_image)
{
	char path[sizeof(RECORDS) + DIGEST_HEX_BYTES];
	int fd;

	memcpy(path, RECORDS "/", sizeof(RECORDS));
	memcpy(path + sizeof(RECORDS), hex, DIGEST_HEX_BYTES);
	fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret_image->fd = fd;
	memcpy(ret_image->digest, "sha256:", 7);
	memcpy(ret_image->digest + 7, hex, DIGEST_HEX_BYTES);
	return 0;
}

int image_open_digest(const struct store *store, const char *digest, struct image *ret_image)
{
	return digest_is_valid(digest) ? record_open(store, digest + 7, ret_image) : -EINVAL;
}

void image_close(struct image *image)
{
	cleanup_close(&image->fd);
	image->fd = -EBADF;
}

int image_id(const struct image *image, char ret_id[DIGEST_TEXT_BYTES])
{
	_cleanup_free_ char *text = NULL;
	int r = file_read_at(image->fd, "id", DIGEST_TEXT_BYTES, &text, NULL);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (!digest_is_valid(text))
		return -EUCLEAN;
	memcpy(ret_id, text, DIGEST_TEXT_BYTES);
	return 0;
}

struct prefix_search {
	const char *prefix; /* hex digits */
	char found[DIGEST_HEX_BYTES];
	size_t n_found;
};

static int prefix_visit(const struct store *store, const char *hex, void *argument)
{
	_cleanup_image_ struct image image = IMAGE_EMPTY;
	struct prefix_search *search = argument;
	char id[DIGEST_TEXT_BYTES];
	bool matches;

	if (!digest_hex_is_valid(hex))
		return 0;
	matches = string_has_prefix(hex, search->prefix);
	if (!matches && record_open(store, hex, &image) == 0 && image_id(&image, id) == 0)
		matches = string_has_prefix(id + 7, search->prefix);
	if (matches) {
		search->n_found++;
		memcpy(search->found, hex, DIGEST_HEX_BYTES);
	}
	return 0;
}

static bool is_hex(const char *text)
{
	return *text && !text[strspn(text, "0123456789abcdef")];
}

/* By digest, id, or the beginning of one; -ENOENT where nothing is. */
static int prefix_open(const struct store *store, const char *reference, struct image *ret_image,
		       struct error *error)
{
	const char *hex = string_has_prefix(reference, "sha256:");
	struct prefix_search search = { .prefix = hex ? hex : reference };
	int r;

	if (!is_hex(search.prefix) || strlen(search.prefix) >= DIGEST_HEX_BYTES)
		return -ENOENT;
	if (digest_hex_is_valid(search.prefix)) {
		r = record_open(store, search.prefix, ret_image);
		if (r != -ENOENT)
			return r;
	}
	r = store_directory_visit(store, RECORDS, prefix_visit, &search);
	if (r < 0)
		return r;
	/* Two images may share a config; then its digest doesn't say which. */
	if (search.n_found > 1)
		return error_say(error, -EEXIST, "'%s' begins the digests of %zu images: say more",
				 reference, search.n_found);
	return search.n_found == 1 ? record_open(store, search.found, ret_image) : -ENOENT;
}

/* Edits that turn @a into @b, given up beyond 3: enough to see a slip of the finger. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t n_a = strlen(a), n_b = strlen(b);
	uint16_t row[IMAGE_NAME_BYTES];

	if (n_a > n_b + 3 || n_b > n_a + 3 || n_b >= IMAGE_NAME_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= n_b; j++)
		row[j] = (uint16_t)j;
	for (size_t i = 1; i <= n_a; i++) {
		uint16_t diagonal = row[0];

		row[0] = (uint16_t)i;
		for (size_t j = 1; j <= n_b; j++) {
			uint16_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n_b];
}

struct near_miss {
	const char *name;
	char best[IMAGE_NAME_BYTES];
	size_t distance;
};

static int near_miss_visit(const struct store *store, const char *file_name, void *argument)
{
	struct near_miss *miss = argument;
	char name[IMAGE_NAME_BYTES];
	size_t distance;
	const char *tag;

	if (!image_name_unescape(file_name, name))
		return 0;
	distance = edit_distance(miss->name, name);
	/* The same repository under another tag is a near miss, however long the tags are. */
	tag = strrchr(name, ':');
	if (tag && !strncmp(miss->name, name, (size_t)(tag - name) + 1) && distance > 2)
		distance = 2;
	if (distance < miss->distance) {
		miss->distance = distance;
		strcpy(miss->best, name);
	}
	return 0;
}

static int not_found(const struct store *store, const char *reference, const char *name,
		     struct error *error)
{
	size_t n = name ? strcspn(name, ":") : 0;
	struct near_miss miss = { .name = name, .distance = n < 4 ? 2 : 4 };

	if (name && store_directory_visit(store, NAMES, near_miss_visit, &miss) == 0 &&
	    miss.best[0])
		return error_say(error, -ENOENT, "image '%s' not found (did you mean '%s'?)",
				 reference, miss.best);
	return error_say(error, -ENOENT, "image '%s' not found", reference);
}

int image_open(const struct store *store, const char *reference, struct image *ret_image,
	       struct error *error)
{
	char escaped[IMAGE_NAME_ESCAPED_BYTES], hex[DIGEST_HEX_BYTES];
	struct image_name name = {};
	struct error name_error;
	bool is_name;
	int r = -ENOENT;

	error_init(&name_error);
	is_name = image_name_parse(reference, &name, &name_error) == 0;
	if (is_name && name.digest[0])
		r = image_open_digest(store, name.digest, ret_image);
	else if (is_name && image_name_escape(name.name, escaped) == 0)
		r = name_read(store, escaped, hex);
	if (r == 0 && !name.digest[0])
		r = record_open(store, hex, ret_image);
	if (r == -ENOENT && !(is_name && name.digest[0]))
		r = prefix_open(store, reference, ret_image, error);
	if (r == -ENOENT && !is_name && !string_has_prefix(reference, "sha256:")) {
		if (error)
			*error = name_error;
		return -EINVAL;
	}
	if (r == -ENOENT)
		return not_found(store, reference, is_name ? name.name : NULL, error);
	if (r == -EEXIST)
		return r;
	return r < 0 ? error_set(error, r, "cannot open image '%s'", reference) : 0;
}

static int entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct image_list_entry *)a)->digest,
		      ((const struct image_list_entry *)b)->digest);
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int record_visit(const struct store *store, const char *hex, void *argument)
{
	struct image_list *list = argument;
	struct image_list_entry *entries;

	if (!digest_hex_is_valid(hex))
		return 0;
	entries = reallocarray(list->entries, list->n_entries + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	list->entries = entries;
	entries[list->n_entries] = (struct image_list_entry){};
	memcpy(entries[list->n_entries].digest, "sha256:", 7);
	memcpy(entries[list->n_entries].digest + 7, hex, DIGEST_HEX_BYTES);
	list->n_entries++;
	return 0;
}

static int name_visit(const struct store *store, const char *file_name, void *argument)
{
	struct image_list *list = argument;
	struct image_list_entry key = {}, *entry;
	char name[IMAGE_NAME_BYTES];

	memcpy(key.digest, "sha256:", 7);
	if (!image_name_unescape(file_name, name) || name_read(store, file_name, key.digest + 7))
		return 0;
	entry = list->n_entries
			? bsearch(&key, list->entries, list->n_entries, sizeof(key), entry_compare)
			: NULL;
	return entry ? string_list_add(&entry->names, name) : 0;
}

static void names_sort(struct string_list *names)
{
	if (names->n_items > 1)
		qsort(names->items, names->n_items, sizeof(char *), name_compare);
}

int image_list_read(const struct store *store, struct image_list *ret_list, struct error *error)
{
	_cleanup_image_list_ struct image_list list = {};
	int r = store_directory_visit(store, RECORDS, record_visit, &list);

	if (r == 0 && list.n_entries > 1)
		qsort(list.entries, list.n_entries, sizeof(*list.entries), entry_compare);
	if (r == 0)
		r = store_directory_visit(store, NAMES, name_visit, &list);
	if (r < 0)
		return error_set(error, r, "cannot list the images of '%s'", store->path);
	for (size_t i = 0; i < list.n_entries; i++)
		names_sort(&list.entries[i].names);
	*ret_list = list;
	list = (struct image_list){};
	return 0;
}

void image_list_deinit(struct image_list *list)
{
	for (size_t i = 0; i < list->n_entries; i++)
		string_list_deinit(&list->entries[i].names);
	free(list->entries);
	*list = (struct image_list){};
}

struct names_search {
	const char *hex;
	struct string_list *names;
};

static int names_visit(const struct store *store, const char *file_name, void *argument)
{
	struct names_search *search = argument;
	char hex[DIGEST_HEX_BYTES], name[IMAGE_NAME_BYTES];

	if (!image_name_unescape(file_name, name) || name_read(store, file_name, hex) ||
	    strcmp(hex, search->hex))
		return 0;
	return string_list_add(search->names, name);
}

int image_names(const struct store *store, const char *digest, struct string_list *names)
{
	struct names_search search = { .hex = digest + 7, .names = names };
	int r = store_directory_visit(store, NAMES, names_visit, &search);

	names_sort(names);
	return r;
}

int image_tag(const struct store *store, const char *name, const char *digest, struct error *error)
{
	char escaped[IMAGE_NAME_ESCAPED_BYTES], target[N_TARGET + DIGEST_HEX_BYTES];
	char path[sizeof(NAMES) + IMAGE_NAME_ESCAPED_BYTES], aside[sizeof(NAMES) + 40];
	uint8_t random[16];
	int r = image_name_escape(name, escaped);

	if (r < 0)
		return error_set(error, r, "cannot name an image '%s'", name);
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return error_set(error, -EIO, "cannot name an image '%s'", name);
	memcpy(target, TARGET, N_TARGET);
	memcpy(target + N_TARGET, digest + 7, DIGEST_HEX_BYTES);
	memcpy(path, NAMES "/", sizeof(NAMES));
	strcpy(path + sizeof(NAMES), escaped);
	memcpy(aside, NAMES "/.", sizeof(NAMES) + 1);
	hex_encode(random, sizeof(random), aside + sizeof(NAMES) + 1);
	if (symlinkat(target, store->fd, aside) < 0)
		return error_set(error, -errno, "cannot name an image '%s'", name);
	if (renameat(store->fd, aside, store->fd, path) < 0) {
		r = -errno;
		unlinkat(store->fd, aside, 0);
		return error_set(error, r, "cannot name an image '%s'", name);
	}
	return 0;
}

int image_untag(const struct store *store, const char *name)
{
	char escaped[IMAGE_NAME_ESCAPED_BYTES], path[sizeof(NAMES) + IMAGE_NAME_ESCAPED_BYTES];
	int r = image_name_escape(name, escaped);

	if (r < 0)
		return r;
	memcpy(path, NAMES "/", sizeof(NAMES));
	strcpy(path + sizeof(NAMES), escaped);
	return unlinkat(store->fd, path, 0) < 0 ? -errno : 0;
}
