/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
#include "fs/rootfs/names.h"

static struct store store_make(const struct scratch_directory *scratch)
{
	_cleanup_free_ char *path = scratch_path(scratch, "store");
	struct store store = STORE_EMPTY;
	struct error error;

	error_init(&error);
	if (store_open(&store, path, STORE_USE, &error) < 0)
		fail_msg("%s", error.message);
	return store;
}

/* A bundle as bundle_make() leaves it, last changed @age seconds ago. */
static void bundle_fake(const struct store *store, const char *id, bool is_complete, long age)
{
	char path[512];
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time(NULL) - age } };

	snprintf(path, sizeof(path), "containers/%s", id);
	assert_int_equal(mkdirat(store->fd, path, 0700), 0);
	snprintf(path, sizeof(path), "containers/%s/lock", id);
	close(openat(store->fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	snprintf(path, sizeof(path), "containers/%s/config.json", id);
	if (is_complete)
		close(openat(store->fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	snprintf(path, sizeof(path), "containers/%s", id);
	assert_int_equal(utimensat(store->fd, path, times, 0), 0);
}

static void assert_name(const struct store *store, const char *name, const char *id)
{
	char path[512], target[512] = "", expected[512];

	snprintf(path, sizeof(path), "names/%s", name);
	snprintf(expected, sizeof(expected), "../containers/%s", id);
	assert_true(readlinkat(store->fd, path, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, expected);
}

static void names_and_ids_follow_dockers_rule(void **state)
{
	static const char *const good[] = { "a", "0", "web.1_2-3", "A..-" };
	static const char *const bad[] = { "",	  ".", "..",  ".a", "-a", "a/b", "a b",
					   "a\n", "é", "a:b", "a%", "a+", "\x7f" };
	char longest[CONTAINER_NAME_MAX_BYTES + 2];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(container_name_is_valid(good[i]));
		assert_true(container_id_is_valid(good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(container_name_is_valid(bad[i]));
		assert_false(container_id_is_valid(bad[i]));
	}
	assert_true(container_id_is_valid("_a"));
	assert_false(container_name_is_valid("_a"));
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(container_name_is_valid(longest));
	longest[sizeof(longest) - 2] = '\0';
	assert_true(container_name_is_valid(longest));
}

static void a_name_is_taken_once_and_dropped_by_its_bundle_only(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_store_ struct store store = store_make(&scratch);
	struct error error;

	error_init(&error);
	bundle_fake(&store, "one", true, 100);
	assert_int_equal(name_take(&store, "web", "one", &error), 0);
	assert_name(&store, "web", "one");
	assert_int_equal(name_take(&store, "web", "two", &error), -EEXIST);
	assert_non_null(strstr(error.message, "'web' is taken by container 'one'"));
	name_drop(&store, "web", "two");
	assert_name(&store, "web", "one");
	name_drop(&store, "web", "one");
	assert_int_equal(scratch_count(&scratch, "store/names"), 0);
	name_drop(&store, "web", "one");
	name_drop(&store, "../containers/one", "one");
}

static void a_name_is_free_where_its_bundle_is_missing_or_an_old_leftover(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_store_ struct store store = store_make(&scratch);
	_cleanup_close_ int lock_fd = -EBADF;
	struct error error;

	error_init(&error);
	assert_int_equal(symlinkat("../containers/gone", store.fd, "names/web"), 0);
	bundle_fake(&store, "one", false, 100);
	assert_int_equal(name_take(&store, "web", "one", &error), 0);
	assert_name(&store, "web", "one");

	/* Held by somebody, it keeps its name. */
	lock_fd = openat(store.fd, "containers/one/lock", O_RDWR | O_CLOEXEC);
	assert_int_equal(lock_try(lock_fd, LOCK_MODE_SHARED), 0);
	assert_int_equal(name_take(&store, "web", "two", &error), -EEXIST);
	close(take_fd(&lock_fd));
	assert_int_equal(name_take(&store, "web", "two", &error), 0);
	assert_name(&store, "web", "two");

	/* One that was changed a moment ago is being made. */
	bundle_fake(&store, "two", false, 0);
	assert_int_equal(name_take(&store, "web", "three", &error), -EEXIST);
	assert_non_null(strstr(error.message, "which is being made"));

	/* A link that is none of ours is nobody's. */
	assert_int_equal(symlinkat("/etc", store.fd, "names/odd"), 0);
	assert_int_equal(name_take(&store, "odd", "two", &error), 0);
	assert_name(&store, "odd", "two");
	assert_int_equal(scratch_count(&scratch, "store/names"), 2);
}

static void words_are_names_then_ids_then_beginnings(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_store_ struct store store = store_make(&scratch);
	char id[CONTAINER_ID_MAX_BYTES + 1], path[512];
	struct error error;

	error_init(&error);
	bundle_fake(&store, "abc1", true, 0);
	bundle_fake(&store, "abc2", true, 0);
	bundle_fake(&store, "abc", true, 0);
	assert_int_equal(bundle_find(&store, "abc", id, &error), 0);
	assert_string_equal(id, "abc");
	assert_int_equal(name_take(&store, "abc", "abc1", &error), 0);
	assert_int_equal(bundle_find(&store, "abc", id, &error), 0);
	assert_string_equal(id, "abc1");
	/* A name that leads nowhere is none. */
	assert_int_equal(symlinkat("../containers/gone", store.fd, "names/abc2"), 0);
	assert_int_equal(bundle_find(&store, "abc2", id, &error), 0);
	assert_string_equal(id, "abc2");
	assert_int_equal(bundle_find(&store, "ab", id, &error), -EINVAL);
	assert_string_equal(id, "");
	assert_int_equal(bundle_find(&store, "x", id, &error), -ENOENT);
	assert_int_equal(bundle_find(&store, "..", id, &error), -ENOENT);
	assert_int_equal(bundle_find(&store, "", id, &error), -ENOENT);

	snprintf(path, sizeof(path), "%s/containers/abc2//", store.path);
	assert_int_equal(bundle_find(&store, path, id, &error), 0);
	assert_string_equal(id, "abc2");
	snprintf(path, sizeof(path), "%s/names/abc", store.path);
	assert_int_equal(bundle_find(&store, path, id, &error), 0);
	assert_string_equal(id, "abc1");
	snprintf(path, sizeof(path), "%s/containers/../containers/abc", store.path);
	assert_int_equal(bundle_find(&store, path, id, &error), 0);
	assert_string_equal(id, "abc");
	snprintf(path, sizeof(path), "%s/containers/abc2/..", store.path);
	assert_int_equal(bundle_find(&store, path, id, &error), -EINVAL);
	assert_int_equal(bundle_find(&store, "/", id, &error), -EINVAL);
	snprintf(path, sizeof(path), "%s/containers/none/x", store.path);
	assert_int_equal(bundle_find(&store, path, id, &error), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_ids_follow_dockers_rule),
		cmocka_unit_test(a_name_is_taken_once_and_dropped_by_its_bundle_only),
		cmocka_unit_test(a_name_is_free_where_its_bundle_is_missing_or_an_old_leftover),
		cmocka_unit_test(words_are_names_then_ids_then_beginnings),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
