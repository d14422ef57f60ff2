/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "fs/image/manifest.h"
#include "fs/image/store.h"
#include "fs/layer/chain_id.h"
#include "fs/layer/tree.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define A4B "aaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void chain_ids_are_the_specifications(void **state)
{
	char chain_id[DIGEST_TEXT_BYTES] = "";

	chain_id_next(chain_id, "sha256:" A64);
	assert_string_equal(chain_id, "sha256:" A64);
	chain_id_next(chain_id, "sha256:" B64);
	assert_string_equal(
		chain_id,
		"sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c");
	chain_id_next(chain_id, "sha256:" A64);
	assert_string_equal(
		chain_id,
		"sha256:406364a4bd8d39df8107071d4494fa73814420337124657ec5999b072e5d3352");
}

static void paths_are_cleaned_by_their_text(void **state)
{
	static const struct {
		const char *path, *clean; /* NULL: it leaves */
	} cases[] = {
		{ "a", "a" },
		{ "./a/", "a" },
		{ "/a//b/./c", "a/b/c" },
		{ "", "" },
		{ ".", "" },
		{ "/", "" },
		{ "a/..", "" },
		{ "a/../b", "b" },
		{ "a/b/../../c", "c" },
		{ "a/b/..", "a" },
		{ "...", "..." },
		{ "a/..b", "a/..b" },
		{ "..", NULL },
		{ "/..", NULL },
		{ "a/../..", NULL },
		{ "a/../../b", NULL },
		{ "./../a", NULL },
		{ "a/b/../../../c", NULL },
	};
	char clean[PATH_MAX], longest[PATH_MAX + 10];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = layer_path_clean(cases[i].path, clean);

		assert_int_equal(r, cases[i].clean ? 0 : -EBADMSG);
		if (cases[i].clean)
			assert_string_equal(clean, cases[i].clean);
	}
	memset(longest, 'a', sizeof(longest));
	longest[PATH_MAX - 2] = '\0';
	assert_int_equal(layer_path_clean(longest, clean), 0);
	longest[PATH_MAX - 2] = 'a';
	longest[PATH_MAX] = '\0';
	assert_int_equal(layer_path_clean(longest, clean), -ENAMETOOLONG);
}

static void media_types_mean_what_they_say(void **state)
{
	assert_int_equal(image_media_of("application/vnd.oci.image.layer.v1.tar+zstd"),
			 IMAGE_MEDIA_LAYER);
	assert_int_equal(image_media_of("application/vnd.oci.image.index.v1+json; charset=utf-8"),
			 IMAGE_MEDIA_INDEX);
	assert_int_equal(image_media_of("application/vnd.oci.image.layer.v1.tar+zst"),
			 IMAGE_MEDIA_UNKNOWN);
	assert_int_equal(image_media_of(""), IMAGE_MEDIA_UNKNOWN);
}

static void the_machines_own_platform_is_the_best(void **state)
{
	const char *machine = image_machine_architecture();
	const struct image_platform own = { "linux", machine, "" }, other = { "linux", "vax", "" },
				    windows = { "windows", machine, "" }, unknown = { "", "", "" };

	assert_true(image_platform_rank(&own) > image_platform_rank(&unknown));
	assert_true(image_platform_rank(&unknown) > 0);
	assert_int_equal(image_platform_rank(&other), 0);
	assert_int_equal(image_platform_rank(&windows), 0);
}

static int manifest_parse(const char *text, struct error *error)
{
	_cleanup_image_manifest_ struct image_manifest manifest = {};
	_cleanup_json_ struct json_document document = {};

	assert_int_equal(json_parse(&document, text, strlen(text), NULL), 0);
	error_init(error);
	return image_manifest_parse(&document, &manifest, error);
}

#define CONFIG                                                                                     \
	"\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"size\":1,"       \
	"\"digest\":\"sha256:" A64 "\"}"
#define LAYER(type, digest) "{\"mediaType\":\"" type "\",\"size\":1,\"digest\":\"" digest "\"}"
#define TAR		    "application/vnd.oci.image.layer.v1.tar"

static void manifests_are_taken_or_refused_for_what_they_are(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ "{" CONFIG ",\"layers\":[]}", 0 },
		{ "{" CONFIG ",\"layers\":[" LAYER(TAR, "sha256:" A64) "]}", 0 },
		{ "{" CONFIG "}", -EBADMSG },
		{ "{\"layers\":[]}", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", -EOPNOTSUPP },
		{ "{" CONFIG ",\"layers\":[" LAYER("text/plain", "sha256:" A64) "]}", -EOPNOTSUPP },
		{ "{" CONFIG ",\"layers\":[" LAYER(TAR, "sha256:A") "]}", -EBADMSG },
		{ "{" CONFIG ",\"layers\":[" LAYER(TAR, "md5:" A64) "]}", -EBADMSG },
		{ "{" CONFIG ",\"layers\":[{\"mediaType\":\"" TAR "\",\"digest\":\"sha256:" A64
		  "\"}]}",
		  -EBADMSG },
		{ "{" CONFIG ",\"layers\":[1]}", -EBADMSG },
		{ "{" CONFIG ",\"layers\":{}}", -EBADMSG },
	};
	struct error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(manifest_parse(cases[i].text, &error), cases[i].result);
		assert_int_equal(error.message[0] == '\0', cases[i].result == 0);
	}
}

static void a_million_layers_are_refused(void **state)
{
	static const char layer[] = LAYER(TAR, "sha256:" A64);
	_cleanup_buffer_ struct buffer text = {};
	struct error error;

	buffer_add_string(&text, "{" CONFIG ",\"layers\":[");
	for (int i = 0; i < 1000000; i++)
		buffer_add_format(&text, "%s%s", i ? "," : "", i ? "1" : layer);
	buffer_add_string(&text, "]}");
	assert_int_equal(buffer_status(&text), 0);
	assert_int_equal(manifest_parse(text.bytes, &error), -E2BIG);
}

static void record_make(const struct store *store, const char *hex, const char *id)
{
	char path[200];

	snprintf(path, sizeof(path), "images/sha256/%s", hex);
	assert_int_equal(mkdirat(store->fd, path, 0700), 0);
	snprintf(path, sizeof(path), "images/sha256/%s/id", hex);
	assert_int_equal(file_write_at(store->fd, path, id, strlen(id), 0600), 0);
}

static void images_are_found_by_name_before_digest_before_prefix(void **state)
{
	static const struct {
		const char *reference, *digest; /* NULL: refused */
		int result;
	} cases[] = {
		{ "one", "sha256:" A64, 0 },
		{ "one:latest", "sha256:" A64, 0 },
		{ "docker.io/library/one", "sha256:" A64, 0 },
		{ "one@sha256:" B64, "sha256:" B64, 0 },
		{ "aaaa", "sha256:" B64, 0 }, /* a name */
		{ "aaaaa", "sha256:" A64, 0 },
		{ "sha256:aaaab", "sha256:" A4B, 0 },
		{ "sha256:aaaa", NULL, -EEXIST },
		{ B64, "sha256:" B64, 0 },
		{ "c", "sha256:" B64, 0 }, /* its config's */
		{ "two", NULL, -ENOENT },
		{ "one:2", NULL, -ENOENT },
		{ "dead", NULL, -ENOENT },
		{ "sha256:dead", NULL, -ENOENT },
		{ "One", NULL, -EINVAL },
		{ "../../etc", NULL, -EINVAL },
	};
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "store");
	_cleanup_store_ struct store store = STORE_EMPTY;

	assert_int_equal(store_open(&store, path, STORE_USE, NULL), 0);
	record_make(&store, A64,
		    "sha256:d"
		    "000000000000000000000000000000000000000000000000000000000000000"
		    "\n");
	record_make(&store, B64,
		    "sha256:c"
		    "000000000000000000000000000000000000000000000000000000000000000"
		    "\n");
	record_make(&store, A4B,
		    "sha256:e"
		    "000000000000000000000000000000000000000000000000000000000000000"
		    "\n");
	assert_int_equal(image_tag(&store, "one:latest", "sha256:" A64, NULL), 0);
	assert_int_equal(image_tag(&store, "aaaa:latest", "sha256:" B64, NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_image_ struct image image = IMAGE_EMPTY;
		struct error error;

		error_init(&error);
		if (image_open(&store, cases[i].reference, &image, &error) != cases[i].result)
			fail_msg("'%s': %s", cases[i].reference, error.message);
		if (cases[i].digest)
			assert_string_equal(image.digest, cases[i].digest);
		else
			assert_true(error.message[0]);
	}
}

static void a_name_moves_and_goes(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *path = scratch_path(&scratch, "store");
	_cleanup_store_ struct store store = STORE_EMPTY;
	_cleanup_image_list_ struct image_list list = {};

	assert_int_equal(store_open(&store, path, STORE_USE, NULL), 0);
	record_make(&store, A64, "");
	record_make(&store, B64, "");
	assert_int_equal(image_tag(&store, "x/y:1", "sha256:" A64, NULL), 0);
	assert_int_equal(image_tag(&store, "x/y:1", "sha256:" B64, NULL), 0);
	assert_int_equal(image_tag(&store, "a:1", "sha256:" B64, NULL), 0);
	assert_int_equal(image_list_read(&store, &list, NULL), 0);
	assert_int_equal(list.n_entries, 2);
	assert_int_equal(list.entries[0].names.n_items, 0);
	assert_int_equal(list.entries[1].names.n_items, 2);
	assert_string_equal(list.entries[1].names.items[0], "a:1");
	assert_string_equal(list.entries[1].names.items[1], "x/y:1");
	assert_int_equal(image_untag(&store, "x/y:1"), 0);
	assert_int_equal(image_untag(&store, "x/y:1"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_ids_are_the_specifications),
		cmocka_unit_test(paths_are_cleaned_by_their_text),
		cmocka_unit_test(media_types_mean_what_they_say),
		cmocka_unit_test(the_machines_own_platform_is_the_best),
		cmocka_unit_test(manifests_are_taken_or_refused_for_what_they_are),
		cmocka_unit_test(a_million_layers_are_refused),
		cmocka_unit_test(images_are_found_by_name_before_digest_before_prefix),
		cmocka_unit_test(a_name_moves_and_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
