/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <string.h>

#include "fs/volume/lines.h"
#include "fs/volume/request.h"
#include "launch/bundle/mounts_file.h"

typedef int (*add_function)(struct mount_requests *, const char *, struct error *);

struct accepted {
	const char *text, *line;
};

/* The line that @text becomes; a volume is mounted from "/V". */
static void accepts(add_function add, const struct accepted *cases, size_t n_cases)
{
	for (size_t i = 0; i < n_cases; i++) {
		_cleanup_mount_requests_ struct mount_requests requests = {};
		_cleanup_bundle_mounts_ struct bundle_mounts mounts = {};
		_cleanup_buffer_ struct buffer buffer = {};
		struct error error = {};
		const struct mount_request *request;

		if (add(&requests, cases[i].text, &error) < 0)
			fail_msg("%s", error.message);
		assert_int_equal(requests.n_items, 1);
		request = &requests.items[0];
		if (request->kind == MOUNT_KIND_VOLUME)
			mounts_line_add(&buffer, request, "/V",
					request->source ? request->source : "random");
		else
			mounts_line_add(&buffer, request, request->source, NULL);
		assert_string_equal(buffer.bytes, cases[i].line);
		/* What one side writes the other reads, byte for byte. */
		assert_int_equal(bundle_mounts_parse(&mounts, buffer.bytes, &error), 0);
		assert_int_equal(mounts.n_items, 1);
		assert_string_equal(mounts.items[0].destination, request->destination);
		if (request->subpath)
			assert_string_equal(mounts.items[0].subpath, request->subpath);
	}
}

struct refused {
	const char *text, *words;
};

static void refuses(add_function add, const struct refused *cases, size_t n_cases)
{
	for (size_t i = 0; i < n_cases; i++) {
		_cleanup_mount_requests_ struct mount_requests requests = {};
		struct error error = {};

		if (add(&requests, cases[i].text, &error) != -EINVAL)
			fail_msg("'%s' is taken", cases[i].text);
		assert_true(error.usage);
		if (!strstr(error.message, cases[i].words) ||
		    (*cases[i].text && !strstr(error.message, cases[i].text)))
			fail_msg("'%s': %s", cases[i].text, error.message);
		assert_int_equal(requests.n_items, 0);
	}
}

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void v_takes_what_docker_takes(void **state)
{
	static const struct accepted cases[] = {
		{ "data:/d", "/V /d none rbind,rw,x-lamina.volume=data 0 0\n" },
		{ "data:/d:ro", "/V /d none rbind,ro,x-lamina.volume=data 0 0\n" },
		{ "data:/d:rw,nocopy", "/V /d none rbind,rw,x-lamina.volume=data 0 0\n" },
		{ "data:/d:nocopy,ro,z", "/V /d none rbind,ro,x-lamina.volume=data 0 0\n" },
		{ "d_.-9:/a//b/./../c/", "/V /a/c none rbind,rw,x-lamina.volume=d_.-9 0 0\n" },
		{ "/d", "/V /d none rbind,rw,x-lamina.volume=random,x-lamina.anonymous 0 0\n" },
		{ "/host:/d", "/host /d none rbind,rw 0 0\n" },
		{ "/host/../h:/d:ro,rslave", "/h /d none rbind,rslave,ro 0 0\n" },
		{ "/h:/d:Z,cached", "/h /d none rbind,rw 0 0\n" },
		{ "/a b\tc\\d,#e:/x y",
		  "/a\\040b\\011c\\134d\\054\\043e /x\\040y none rbind,rw 0 0\n" },
		{ "/new\nline:/d", "/new\\012line /d none rbind,rw 0 0\n" },
		{ "/:/host", "/ /host none rbind,rw 0 0\n" },
	};

	accepts(mount_requests_add_volume, cases, N(cases));
}

static void v_refuses_what_docker_refuses(void **state)
{
	static const struct refused cases[] = {
		{ "", "[NAME|HOST-PATH:]PATH[:OPTIONS]" },
		{ ":", "[NAME|HOST-PATH:]PATH[:OPTIONS]" },
		{ ":/d", "[NAME|HOST-PATH:]PATH[:OPTIONS]" },
		{ "data:", "[NAME|HOST-PATH:]PATH[:OPTIONS]" },
		{ "data:/d:", "[NAME|HOST-PATH:]PATH[:OPTIONS]" },
		{ "a:/b:ro:c", "[NAME|HOST-PATH:]PATH[:OPTIONS]" },
		{ "data:d", "not an absolute path" },
		{ "relative", "not an absolute path" },
		{ "data:/", "can't be '/'" },
		{ "data:/a/..", "can't be '/'" },
		{ "/", "can't be '/'" },
		{ "/d:ro", "options need a source" },
		{ "data:/d:sideways", "bad option 'sideways'" },
		{ "data:/d:ro,rw", "bad option 'rw'" },
		{ "data:/d:rslave", "bad option 'rslave'" },
		{ "/h:/d:nocopy", "bad option 'nocopy'" },
		{ "/h:/d:rslave,shared", "bad option 'shared'" },
		{ "data:/d:ro,", "bad option ''" },
		{ "x:/d", "is no name for a volume" },
		{ "a/b:/d", "is no name for a volume" },
		{ ".data:/d", "is no name for a volume" },
		{ "da ta:/d", "is no name for a volume" },
		{ "-data:/d", "is no name for a volume" },
		{ "d\xc3\xa4ta:/d", "is no name for a volume" },
	};

	refuses(mount_requests_add_volume, cases, N(cases));
}

static void mount_takes_what_docker_takes(void **state)
{
	static const struct accepted cases[] = {
		{ "source=data,target=/d", "/V /d none rbind,rw,x-lamina.volume=data 0 0\n" },
		{ "type=volume,src=data,dst=/d,readonly",
		  "/V /d none rbind,ro,x-lamina.volume=data 0 0\n" },
		{ "type=volume,dst=/d,ro=false",
		  "/V /d none rbind,rw,x-lamina.volume=random,x-lamina.anonymous 0 0\n" },
		{ "type=volume,src=data,dst=/d,volume-nocopy,volume-subpath=a/../b "
		  "c,volume-label=x=y",
		  "/V /d none rbind,rw,x-lamina.volume=data,x-lamina.subpath=b\\040c 0 0\n" },
		{ "type=volume,src=data,dst=/d,\"volume-subpath=a,b\"\"c\"",
		  "/V /d none rbind,rw,x-lamina.volume=data,x-lamina.subpath=a\\054b\"c 0 0\n" },
		{ "type=volume,src=data,dst=/d,volume-subpath=..a",
		  "/V /d none rbind,rw,x-lamina.volume=data,x-lamina.subpath=..a 0 0\n" },
		{ "type=bind,source=/h,target=/d,bind-propagation=rshared,readonly=true",
		  "/h /d none rbind,rshared,ro 0 0\n" },
		{ "type=bind,src=/h,dst=/d,bind-nonrecursive", "/h /d none bind,rw 0 0\n" },
		{ "type=bind,src=/h,dst=/d,bind-recursive=readonly,readonly,consistency=cached",
		  "/h /d none rbind,rro,ro 0 0\n" },
		{ "\"type=bind\",\"src=/a,b\",dst=/d", "/a\\054b /d none rbind,rw 0 0\n" },
		{ "type=tmpfs,dst=/t", "tmpfs /t tmpfs noexec,nosuid,nodev,rw 0 0\n" },
		{ "type=tmpfs,dst=/t,tmpfs-size=64m,tmpfs-mode=1770,ro",
		  "tmpfs /t tmpfs noexec,nosuid,nodev,size=67108864,mode=1770,ro 0 0\n" },
		{ "type=tmpfs,dst=/t,tmpfs-mode=0700",
		  "tmpfs /t tmpfs noexec,nosuid,nodev,mode=700,rw 0 0\n" },
	};

	accepts(mount_requests_add_mount, cases, N(cases));
}

static void mount_refuses_what_docker_refuses(void **state)
{
	static const struct refused cases[] = {
		{ "", "unknown key ''" },
		{ "type=bind,src=/h", "a target is missing" },
		{ "type=bind,dst=/d", "needs a source" },
		{ "type=bind,src=h,dst=/d", "not an absolute path" },
		{ "type=bind,src=/h,dst=/d,volume-nocopy", "is not for type=bind" },
		{ "type=volume,src=data,dst=/d,bind-propagation=rslave", "is not for type=volume" },
		{ "type=tmpfs,src=x,dst=/d", "takes no source" },
		{ "type=tmpfs,dst=/d,tmpfs-size=big", "takes a size" },
		{ "type=tmpfs,dst=/d,tmpfs-mode=9", "octal" },
		{ "type=tmpfs,dst=/d,tmpfs-mode=17777", "octal" },
		{ "type=nfs,src=x,dst=/d", "bind, volume or tmpfs" },
		{ "src=data,dst=/d,readonly=perhaps", "true or false" },
		{ "src=data,dst=/d,colour=red", "unknown key 'colour'" },
		{ "src=data,dst=/d,volume-colour=red", "unknown key 'volume-colour'" },
		{ "src=data,dst=/d,volume-subpath=/a", "relative path within" },
		{ "src=data,dst=/d,volume-subpath=../a", "relative path within" },
		{ "src=data,dst=/d,volume-subpath=a/../..", "relative path within" },
		{ "dst=/d,volume-subpath=a", "needs a source" },
		{ "src=data,dst=/d,volume-driver=nfs", "no volume driver" },
		{ "src=data,dst=/d,volume-opt=type=nfs", "not supported" },
		{ "src=../data,dst=/d", "is no name for a volume" },
		{ "type=bind,src=/h,dst=/d,bind-propagation=up", "bad propagation" },
		{ "type=bind,src=/h,dst=/d,bind-recursive=no", "bind-recursive" },
		{ "type=bind,src=/h,dst=/d,bind-recursive=readonly", "needs 'readonly'" },
		{ "\"type=bind", "a quote is out of place" },
		{ "ty\"pe=bind", "a quote is out of place" },
		{ "\"type=bind\"x,dst=/d", "a quote is out of place" },
	};

	refuses(mount_requests_add_mount, cases, N(cases));
}

static void tmpfs_has_dockers_defaults_unless_told_otherwise(void **state)
{
	static const struct accepted cases[] = {
		{ "/run", "tmpfs /run tmpfs noexec,nosuid,nodev,rw 0 0\n" },
		{ "/run:size=64k,mode=1777", "tmpfs /run tmpfs "
					     "noexec,nosuid,nodev,size=64k,mode=1777,rw 0 0\n" },
		{ "/run:exec,dev", "tmpfs /run tmpfs nosuid,exec,dev,rw 0 0\n" },
		{ "/run:ro,suid,nodev", "tmpfs /run tmpfs noexec,suid,nodev,ro 0 0\n" },
	};
	static const struct refused bad[] = {
		{ "/run:colour=red", "bad tmpfs option 'colour=red'" },
		{ "/run:size", "bad tmpfs option 'size'" },
		{ "/run:exec=1", "bad tmpfs option 'exec=1'" },
		{ "/run:=", "bad tmpfs option '='" },
		{ "run", "not an absolute path" },
		{ "/", "can't be '/'" },
	};

	accepts(mount_requests_add_tmpfs, cases, N(cases));
	refuses(mount_requests_add_tmpfs, bad, N(bad));
}

static void one_destination_has_one_mount(void **state)
{
	_cleanup_mount_requests_ struct mount_requests requests = {};
	struct error error = {};

	assert_int_equal(mount_requests_add_volume(&requests, "/a", NULL), 0);
	assert_int_equal(mount_requests_add_volume(&requests, "/b", NULL), 0);
	assert_int_equal(mount_requests_add_volume(&requests, "/b/", NULL), 0);
	assert_int_equal(mount_requests_add_volume(&requests, "data:/a", NULL), 0);
	assert_int_equal(mount_requests_add_tmpfs(&requests, "/c", NULL), 0);
	assert_int_equal(mount_requests_add_image(&requests, "c/", NULL), 0);
	assert_int_equal(mount_requests_add_image(&requests, "d", NULL), 0);
	assert_int_equal(mount_requests_settle(&requests, &error), 0);
	assert_int_equal(requests.n_items, 4);
	assert_string_equal(requests.items[0].destination, "/b");
	assert_string_equal(requests.items[1].destination, "/a");
	assert_string_equal(requests.items[3].destination, "/d");
	assert_int_equal(mount_requests_add_volume(&requests, "/h:/c", NULL), 0);
	assert_int_equal(mount_requests_settle(&requests, &error), -EINVAL);
	assert_string_equal(error.message, "duplicate mount point: /c");
}

static void an_image_cannot_ask_for_the_root(void **state)
{
	_cleanup_mount_requests_ struct mount_requests requests = {};
	static const char *const paths[] = { "", "/", "..", "/a/../.." };

	for (size_t i = 0; i < N(paths); i++) {
		struct error error = {};

		assert_int_equal(mount_requests_add_image(&requests, paths[i], &error), -EINVAL);
		assert_false(error.usage);
	}
}

static void paths_are_cleaned_as_go_does(void **state)
{
	/* From Go's path.Clean() and its documentation. */
	static const struct accepted cases[] = {
		{ "", "." },
		{ "abc", "abc" },
		{ "abc/def", "abc/def" },
		{ "a/b/c", "a/b/c" },
		{ ".", "." },
		{ "..", ".." },
		{ "../..", "../.." },
		{ "../../abc", "../../abc" },
		{ "/abc", "/abc" },
		{ "/", "/" },
		{ "abc/", "abc" },
		{ "a/b/c/", "a/b/c" },
		{ "./", "." },
		{ "../", ".." },
		{ "../../", "../.." },
		{ "/abc/", "/abc" },
		{ "abc//def//ghi", "abc/def/ghi" },
		{ "//abc", "/abc" },
		{ "///abc", "/abc" },
		{ "//abc//", "/abc" },
		{ "abc/./def", "abc/def" },
		{ "/./abc/def", "/abc/def" },
		{ "abc/.", "abc" },
		{ "abc/def/ghi/../jkl", "abc/def/jkl" },
		{ "abc/def/../ghi/../jkl", "abc/jkl" },
		{ "abc/def/..", "abc" },
		{ "abc/def/../..", "." },
		{ "/abc/def/../..", "/" },
		{ "abc/def/../../..", ".." },
		{ "/abc/def/../../..", "/" },
		{ "abc/def/../../../ghi/jkl/../../../mno", "../../mno" },
		{ "abc/./../def", "def" },
		{ "abc//./../def", "def" },
		{ "abc/../../././../def", "../../def" },
	};

	for (size_t i = 0; i < N(cases); i++) {
		_cleanup_free_ char *clean = path_clean(cases[i].text);

		assert_string_equal(clean, cases[i].line);
	}
}

static void lines_tell_destinations_and_volumes(void **state)
{
	_cleanup_mounts_lines_ struct mounts_lines lines = {};
	struct error error = {};
	static const char text[] = "# a comment\n\n"
				   "/h\\040x /a\\054b none rbind,ro 0 0\n"
				   "\t/V  /d\tnone rbind,x-lamina.volume=data,rw 0 0\n"
				   "/V /e none x-lamina.anonymous,x-lamina.volume=abc";

	assert_int_equal(mounts_lines_parse(&lines, text, &error), 0);
	assert_int_equal(lines.n_items, 3);
	assert_string_equal(lines.items[0].destination, "/a,b");
	assert_null(lines.items[0].volume);
	assert_string_equal(lines.items[1].destination, "/d");
	assert_string_equal(lines.items[1].volume, "data");
	assert_false(lines.items[1].is_anonymous);
	assert_string_equal(lines.items[2].volume, "abc");
	assert_true(lines.items[2].is_anonymous);
	assert_int_equal(mounts_lines_parse(&lines, "fine /a none rw\nbad\n", &error), -EBADMSG);
	assert_string_equal(error.message, "don't understand line 2 of 'mounts'");
	assert_int_equal(mounts_lines_parse(&lines, "a /b\\04 none rw\n", &error), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v_takes_what_docker_takes),
		cmocka_unit_test(v_refuses_what_docker_refuses),
		cmocka_unit_test(mount_takes_what_docker_takes),
		cmocka_unit_test(mount_refuses_what_docker_refuses),
		cmocka_unit_test(tmpfs_has_dockers_defaults_unless_told_otherwise),
		cmocka_unit_test(one_destination_has_one_mount),
		cmocka_unit_test(an_image_cannot_ask_for_the_root),
		cmocka_unit_test(paths_are_cleaned_as_go_does),
		cmocka_unit_test(lines_tell_destinations_and_volumes),
	};

	return cmocka_run_group_tests_name("volume-request", tests, NULL, NULL);
}
