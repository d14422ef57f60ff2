/* SPDX-License-Identifier: MIT */
#include "fs/volume/attach.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/trace.h"
#include "fs/bundle.h"
#include "fs/volume/lines.h"
#include "fs/volume/populate.h"
#include "fs/volume/volume.h"

#define IMAGE_CONFIG_MAX_BYTES (16u << 20)

/* One bundle, while volumes are attached to it. */
struct attach {
	struct bundle bundle;
	struct store store; /* opened where a volume is needed */
	struct populate_root root;
	const char *store_path;
	struct buffer lines;
	struct string_list noted; /* volumes that have a reference from this call */
	struct string_list made;  /* those of them that this call made */
};

static void attach_deinit(struct attach *attach)
{
	populate_root_close(&attach->root);
	buffer_deinit(&attach->lines);
	string_list_deinit(&attach->noted);
	string_list_deinit(&attach->made);
	store_close(&attach->store);
	bundle_close(&attach->bundle);
}

/* "STORE/containers/ID" is in STORE, whatever --store says. */
static char *store_path_of(const struct attach *attach)
{
	static const char middle[] = "/containers/";
	const struct bundle *bundle = &attach->bundle;
	size_t n_middle = sizeof(middle) - 1;
	size_t n = (size_t)(bundle->id - bundle->path);

	if (n > n_middle && !strncmp(bundle->id - n_middle, middle, n_middle))
		return strndup(bundle->path, n - n_middle);
	if (attach->store_path && *attach->store_path)
		return strdup(attach->store_path);
	return store_default_path();
}

/* A reference is a name in the store, so the bundle must be there under its own. */
static int store_enter(struct attach *attach, struct error *error)
{
	const struct bundle *bundle = &attach->bundle;
	_cleanup_free_ char *path = NULL, *name = NULL;
	struct stat named, held;
	int r;

	if (attach->store.path)
		return 0;
	path = store_path_of(attach);
	name = string_format("containers/%s", bundle->id);
	if (!path || !name)
		return error_say(error, -ENOENT,
				 "there is no default for the store: use --store or set HOME");
	r = store_open(&attach->store, path, STORE_USE, error);
	if (r < 0)
		return r;
	if (fstatat(attach->store.fd, name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstat(bundle->fd, &held) < 0 || named.st_dev != held.st_dev ||
	    named.st_ino != held.st_ino)
		return error_say(error, -EINVAL, "the bundle '%s' is not in the store '%s'",
				 bundle->path, path);
	return 0;
}

/* Most images have no volumes, and so spare the parsing. Escaped or not, in any case, as in Go. */
static bool may_have_volumes(const char *text)
{
	for (const char *p = strpbrk(text, "vV\\"); p; p = strpbrk(p + 1, "vV\\")) {
		if (*p == '\\' ? p[1] == 'u' : !strncasecmp(p, "volumes", 7))
			return true;
	}
	return false;
}

static int image_volumes_add(const struct bundle *bundle, struct mount_requests *requests,
			     struct error *error)
{
	static const char name[] = "image-config.json";
	_cleanup_json_ struct json_document document = {};
	_cleanup_free_ char *text = NULL;
	struct json_value config;
	size_t n_bytes;
	int r = file_read_at(bundle->fd, name, IMAGE_CONFIG_MAX_BYTES, &text, &n_bytes);

	if (r == -ENOENT || (r == 0 && !may_have_volumes(text)))
		return 0;
	if (r < 0)
		return error_set(error, r, "cannot read '%s/%s'", bundle->path, name);
	r = json_parse(&document, text, n_bytes, error);
	if (r < 0)
		return error_prefix(error, r, "'%s/%s'", bundle->path, name);
	config = json_get_ignoring_case(json_root(&document), "config");
	JSON_FOR_EACH (volume, json_get_ignoring_case(config, "Volumes")) {
		const char *path = json_key(volume);

		r = mount_requests_add_image(requests, path ? path : "", error);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct mounts_line *line_find(const struct mounts_lines *lines,
					   const char *destination)
{
	for (size_t i = 0; i < lines->n_items; i++) {
		if (!strcmp(lines->items[i].destination, destination))
			return &lines->items[i];
	}
	return NULL;
}

static int source_make(const struct mount_request *request, struct error *error)
{
	_cleanup_free_ char *prefix = strdup(request->source);
	struct stat st;

	if (!prefix)
		return error_set(error, -ENOMEM, "cannot bind '%s'", request->source);
	if (stat(request->source, &st) == 0)
		return 0;
	if (errno != ENOENT || !request->make_source)
		return error_set(error, -errno, "cannot bind '%s'", request->source);
	for (char *slash = strchr(prefix + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(prefix, 0755) < 0 && errno != EEXIST)
			return error_set(error, -errno, "cannot make '%s'", prefix);
		if (!slash)
			break;
		*slash = '/';
	}
	/* A dangling link was in the way. */
	if (stat(request->source, &st) < 0)
		return error_set(error, -errno, "cannot bind '%s'", request->source);
	return 0;
}

static int volume_remember(struct attach *attach, const struct volume *volume, struct error *error)
{
	int r = 0;

	if (!volume->was_noted)
		r = string_list_add(&attach->noted, volume->name);
	if (r == 0 && volume->is_new)
		r = string_list_add(&attach->made, volume->name);
	if (r == 0)
		return 0;
	(void)volume_reference_drop(volume, attach->bundle.id);
	return error_set(error, r, "cannot attach the volume '%s'", volume->name);
}

static int volume_attach(struct attach *attach, const struct mount_request *request,
			 struct error *error)
{
	_cleanup_volume_ struct volume volume = VOLUME_EMPTY;
	_cleanup_free_ char *source = NULL;
	int r = store_enter(attach, error);

	/* Docker looks at this for what the image or -v PATH declares. */
	if (r == 0 && request->is_optional)
		r = populate_check(&attach->root, request->destination, error);
	if (r == 0)
		r = volume_create(&attach->store, request->source, &request->labels,
				  attach->bundle.id, &volume, error);
	if (r == 0)
		r = volume_remember(attach, &volume, error);
	if (r == 0)
		r = volume_populate(&attach->store, &volume, &attach->root, request->destination,
				    request->subpath, request->no_copy, error);
	if (r < 0)
		return r;
	source = string_format("%s/volumes/%s/_data%s%s", attach->store.path, volume.name,
			       request->subpath ? "/" : "",
			       request->subpath ? request->subpath : "");
	if (!source)
		return error_set(error, -ENOMEM, "cannot attach the volume '%s'", volume.name);
	mounts_line_add(&attach->lines, request, source, volume.name);
	/* The lock goes with the volume's name: of two, never is one waited for while the other is
	 * held. */
	return 0;
}

static int request_attach(struct attach *attach, const struct mount_request *request,
			  struct error *error)
{
	int r;

	if (request->kind == MOUNT_KIND_VOLUME)
		return volume_attach(attach, request, error);
	if (request->kind == MOUNT_KIND_BIND) {
		r = source_make(request, error);
		if (r < 0)
			return r;
	}
	mounts_line_add(&attach->lines, request, request->source, NULL);
	return 0;
}

/* What is mounted there already stays; only what nobody asked for by name gives way to it. */
static int requests_attach(struct attach *attach, const struct mount_requests *requests,
			   const struct mounts_lines *earlier, struct error *error)
{
	for (size_t i = 0; i < requests->n_items; i++) {
		const struct mount_request *request = &requests->items[i];
		int r;

		if (line_find(earlier, request->destination)) {
			if (request->is_optional)
				continue;
			return error_say(error, -EEXIST, "duplicate mount point: %s",
					 request->destination);
		}
		r = request_attach(attach, request, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static void attach_undo(struct attach *attach)
{
	STRING_LIST_FOR_EACH (&attach->noted, i) {
		_cleanup_volume_ struct volume volume = VOLUME_EMPTY;

		if (volume_open(&attach->store, attach->noted.items[i], false, &volume, NULL) == 0)
			(void)volume_reference_drop(&volume, attach->bundle.id);
	}
	/* Unless another uses it by now. */
	STRING_LIST_FOR_EACH (&attach->made, i)
		(void)volume_remove(&attach->store, attach->made.items[i], NULL);
}

/* The image's volumes that nothing asked for covers. */
static int image_requests_make(const struct bundle *bundle, const struct mount_requests *asked,
			       struct mount_requests *image, struct error *error)
{
	int r = image_volumes_add(bundle, image, error);

	for (size_t i = 0; r == 0 && i < image->n_items; i++) {
		for (size_t k = 0; k < asked->n_items; k++) {
			if (strcmp(asked->items[k].destination, image->items[i].destination))
				continue;
			mount_request_deinit(&image->items[i]);
			memmove(&image->items[i], &image->items[i + 1],
				(image->n_items - i - 1) * sizeof(image->items[0]));
			image->n_items--;
			i--;
			break;
		}
	}
	return r == 0 ? mount_requests_settle(image, error) : r;
}

static int bundle_enter(struct attach *attach, const char *bundle_path, bool incomplete,
			struct error *error)
{
	int r = bundle_open(&attach->bundle, bundle_path, LOCK_MODE_EXCLUSIVE, error);

	if (r < 0)
		return r;
	attach->root.bundle = &attach->bundle;
	if (incomplete && bundle_is_complete(&attach->bundle))
		return error_say(error, -EBUSY,
				 "the bundle '%s' has its config.json: attach before nslaunch spec",
				 attach->bundle.path);
	return 0;
}

static int earlier_read(struct attach *attach, char **ret_text, struct mounts_lines *lines,
			struct error *error)
{
	int r = file_read_at(attach->bundle.fd, MOUNTS_FILE, MOUNTS_LINES_MAX_BYTES, ret_text,
			     NULL);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		return mounts_lines_parse(lines, *ret_text, error);
	return error_set(error, r, "cannot read '%s/%s'", attach->bundle.path, MOUNTS_FILE);
}

static int mounts_write(struct attach *attach, struct error *error)
{
	int r = buffer_status(&attach->lines);

	if (r == 0)
		r = file_replace_at(attach->bundle.fd, MOUNTS_FILE, attach->lines.bytes,
				    attach->lines.n_bytes, 0600, 0);
	return r < 0 ? error_set(error, r, "cannot write '%s/%s'", attach->bundle.path, MOUNTS_FILE)
		     : 0;
}

int bundle_attach(const char *store_path, const char *bundle_path,
		  const struct mount_requests *requests, struct error *error)
{
	TRACE_PHASE("vol.attach");
	_cleanup_(attach_deinit) struct attach attach = { .bundle = BUNDLE_EMPTY,
							  .store = STORE_EMPTY,
							  .root = POPULATE_ROOT(NULL),
							  .store_path = store_path };
	_cleanup_mount_requests_ struct mount_requests image = {};
	_cleanup_mounts_lines_ struct mounts_lines earlier = {};
	_cleanup_free_ char *text = NULL;
	int r = bundle_enter(&attach, bundle_path, true, error);

	if (r == 0)
		r = image_requests_make(&attach.bundle, requests, &image, error);
	/* The common case: nothing to do. */
	if (r < 0 || requests->n_items + image.n_items == 0)
		return r;
	r = earlier_read(&attach, &text, &earlier, error);
	if (r < 0)
		return r;
	if (text) {
		buffer_add_string(&attach.lines, text);
		if (*text && attach.lines.bytes && attach.lines.bytes[strlen(text) - 1] != '\n')
			buffer_add_char(&attach.lines, '\n');
	}
	r = requests_attach(&attach, requests, &earlier, error);
	if (r == 0)
		r = requests_attach(&attach, &image, &earlier, error);
	if (r == 0 && attach.lines.n_bytes > (text ? strlen(text) : 0))
		r = mounts_write(&attach, error);
	if (r < 0)
		attach_undo(&attach);
	return r;
}

static int line_detach(struct attach *attach, const struct mounts_line *line, unsigned int flags,
		       struct string_list *removed, struct error *error)
{
	_cleanup_volume_ struct volume volume = VOLUME_EMPTY;
	int r = volume_open(&attach->store, line->volume, false, &volume, error);

	/* Gone by now, or never a volume of ours: users edit `mounts`. */
	if (r == -ENOENT || r == -EINVAL)
		return 0;
	if (r == 0) {
		r = volume_reference_drop(&volume, attach->bundle.id);
		if (r < 0)
			return error_set(error, r, "cannot let go of the volume '%s'",
					 line->volume);
	}
	if (r < 0 || !line->is_anonymous || !(flags & BUNDLE_DETACH_RM_ANONYMOUS) ||
	    !volume_is_anonymous(&volume))
		return r;
	volume_close(&volume);
	r = volume_remove(&attach->store, line->volume, error);
	/* --volumes-from and the like: another container has it still. */
	if (r == -EBUSY || r == -ENOENT)
		return 0;
	if (r == 0 && removed)
		r = string_list_add(removed, line->volume);
	return r;
}

int bundle_detach(const char *store_path, const char *bundle_path, unsigned int flags,
		  struct string_list *removed, struct error *error)
{
	TRACE_PHASE("vol.detach");
	_cleanup_(attach_deinit) struct attach attach = { .bundle = BUNDLE_EMPTY,
							  .store = STORE_EMPTY,
							  .root = POPULATE_ROOT(NULL),
							  .store_path = store_path };
	_cleanup_mounts_lines_ struct mounts_lines lines = {};
	_cleanup_free_ char *text = NULL;
	int r = bundle_enter(&attach, bundle_path, false, error);

	if (r == 0)
		r = earlier_read(&attach, &text, &lines, error);
	for (size_t i = 0; r == 0 && i < lines.n_items; i++) {
		if (!lines.items[i].volume)
			continue;
		r = store_enter(&attach, error);
		if (r == 0)
			r = line_detach(&attach, &lines.items[i], flags, removed, error);
	}
	if (r == 0 && unlinkat(attach.bundle.fd, MOUNTS_FILE, 0) < 0 && errno != ENOENT)
		r = error_set(error, -errno, "cannot remove '%s/%s'", attach.bundle.path,
			      MOUNTS_FILE);
	return r;
}
