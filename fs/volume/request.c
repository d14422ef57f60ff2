/* SPDX-License-Identifier: MIT */
#include "fs/volume/request.h"

#include <string.h>

#include "base/cleanup.h"
#include "fs/volume/internal.h"
#include "fs/volume/request_internal.h"

void mount_request_deinit(struct mount_request *request)
{
	free(request->source);
	free(request->destination);
	free(request->subpath);
	string_list_deinit(&request->options);
	string_list_deinit(&request->labels);
	*request = (struct mount_request){};
}

void mount_requests_deinit(struct mount_requests *requests)
{
	for (size_t i = 0; i < requests->n_items; i++)
		mount_request_deinit(&requests->items[i]);
	free(requests->items);
	*requests = (struct mount_requests){};
}

char *path_clean(const char *path)
{
	size_t n_path = strlen(path);
	bool is_absolute = *path == '/';
	char *clean = malloc(n_path + 2);
	size_t n = 0, n_fixed = is_absolute;

	if (!clean)
		return NULL;
	if (is_absolute)
		clean[n++] = '/';
	for (const char *p = path; *p;) {
		size_t n_word = strcspn(p, "/");
		bool is_up = n_word == 2 && !strncmp(p, "..", 2);

		if (is_up && n > n_fixed) {
			while (n > n_fixed && clean[n - 1] != '/')
				n--;
			if (n > n_fixed)
				n--;
		} else if (n_word && !(n_word == 1 && *p == '.') && !(is_up && is_absolute)) {
			if (n > (size_t)is_absolute)
				clean[n++] = '/';
			memcpy(clean + n, p, n_word);
			n += n_word;
			/* What leads out of a relative path stays. */
			if (is_up)
				n_fixed = n;
		}
		p += n_word;
		p += *p == '/';
	}
	if (n == 0)
		clean[n++] = '.';
	clean[n] = '\0';
	return clean;
}

int request_destination(struct mount_request *request, const char *path, struct error *error)
{
	_cleanup_free_ char *clean = path_clean(path);

	if (!clean)
		return error_set(error, -ENOMEM, "cannot mount on '%s'", path);
	if (*path != '/')
		return error_usage(error, "the destination '%s' is not an absolute path", path);
	if (!strcmp(clean, "/"))
		return error_usage(error, "the destination can't be '/'");
	request->destination = take_ptr(clean);
	return 0;
}

int request_host_path(struct mount_request *request, const char *path, struct error *error)
{
	_cleanup_free_ char *directory = NULL, *whole = NULL;

	if (*path != '/') {
		directory = getcwd(NULL, 0);
		whole = directory ? string_format("%s/%s", directory, path) : NULL;
		if (!whole)
			return error_set(error, directory ? -ENOMEM : -errno,
					 "cannot tell what '%s' is", path);
	}
	request->source = path_clean(whole ? whole : path);
	return request->source ? 0 : error_set(error, -ENOMEM, "cannot mount '%s'", path);
}

int request_add(struct mount_requests *requests, struct mount_request *request, struct error *error)
{
	struct mount_request *items =
		reallocarray(requests->items, requests->n_items + 1, sizeof(*items));

	if (!items) {
		mount_request_deinit(request);
		return error_set(error, -ENOMEM, "cannot take a mount");
	}
	requests->items = items;
	items[requests->n_items++] = *request;
	*request = (struct mount_request){};
	return 0;
}

int mount_requests_add_image(struct mount_requests *requests, const char *path, struct error *error)
{
	_cleanup_(mount_request_deinit) struct mount_request request = { .kind = MOUNT_KIND_VOLUME,
									 .is_optional = true };
	/* runc takes a relative destination as one below the root. */
	_cleanup_free_ char *absolute = string_format("/%s", path);
	int r;

	if (!absolute)
		return error_set(error, -ENOMEM, "cannot take a mount");
	r = request_destination(&request, absolute, error);
	if (r == 0)
		r = request_add(requests, &request, error);
	if (r < 0 && error)
		error->usage = false;
	return r < 0 ? error_prefix(error, r, "the image's volume '%s'", path) : 0;
}

/* Where @requests has another for the destination of the one at @index that must stay. */
static bool is_covered(const struct mount_requests *requests, size_t index)
{
	for (size_t i = 0; i < requests->n_items; i++) {
		const struct mount_request *other = &requests->items[i];

		if (i == index || strcmp(other->destination, requests->items[index].destination))
			continue;
		if (!other->is_optional || i < index)
			return true;
	}
	return false;
}

int mount_requests_settle(struct mount_requests *requests, struct error *error)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < requests->n_items; i++) {
		if (!requests->items[i].is_optional)
			continue;
		if (!is_covered(requests, i))
			continue;
		mount_request_deinit(&requests->items[i]);
		memmove(&requests->items[i], &requests->items[i + 1],
			(requests->n_items - i - 1) * sizeof(requests->items[0]));
		requests->n_items--;
		i--;
	}
	for (; n_kept < requests->n_items; n_kept++) {
		if (is_covered(requests, n_kept))
			return error_usage(error, "duplicate mount point: %s",
					   requests->items[n_kept].destination);
	}
	return 0;
}
