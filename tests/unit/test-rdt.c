/* SPDX-License-Identifier: MIT */
/* On a directory that looks like resctrl; a real one is what few machines have. */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "launch/config/sections.h"
#include "launch/rdt.h"

struct world {
	struct scratch_directory resctrl, state;
	struct json_document document;
	struct config_rdt rdt;
	struct error error;
};

static void world_deinit(struct world *world)
{
	config_rdt_deinit(&world->rdt);
	json_document_deinit(&world->document);
	scratch_directory_remove(&world->resctrl);
	scratch_directory_remove(&world->state);
}

/* A class "there" with some schemata, and the file that says why a write was refused. */
static struct world world_make(const char *json)
{
	struct world world = { .resctrl = scratch_directory_make(),
			       .state = scratch_directory_make() };

	error_init(&world.error);
	assert_int_equal(mkdirat(world.resctrl.fd, "info", 0755), 0);
	assert_int_equal(mkdirat(world.resctrl.fd, "mon_groups", 0755), 0);
	assert_int_equal(mkdirat(world.resctrl.fd, "there", 0755), 0);
	assert_int_equal(mkdirat(world.resctrl.fd, "there/mon_groups", 0755), 0);
	scratch_write(&world.resctrl, "tasks", "");
	scratch_write(&world.resctrl, "there/tasks", "");
	scratch_write(&world.resctrl, "there/schemata",
		      "    L3:0=000ff;1=000f0\n    MB:0= 20;1=70\nL3CODE:0=f\n");
	assert_int_equal(json_parse(&world.document, json, strlen(json), &world.error), 0);
	assert_int_equal(config_rdt_parse(&world.rdt, json_root(&world.document), &world.error), 0);
	assert_true(world.rdt.is_asked);
	return world;
}

static int make(struct world *world)
{
	return rdt_make(world->resctrl.fd, world->state.fd, &world->rdt, "c1", &world->error);
}

static bool exists(const struct world *world, const char *path)
{
	return faccessat(world->resctrl.fd, path, F_OK, 0) == 0;
}

static void schemas_are_joined_and_the_bandwidth_of_the_cache_schema_gives_way(void **state)
{
	_cleanup_(world_deinit) struct world world = world_make(
		"{\"l3CacheSchema\":\"L3:0=7f0\\nMB:0=50\\nL2:0=f\",\"memBwSchema\":\"MB:"
		"0=20\",\"schemata\":[\"L3CODE:0=1\"],\"enableCMT\":true}");

	assert_int_equal(world.rdt.n_schemata, 4);
	assert_string_equal(world.rdt.schemata[0], "L3:0=7f0");
	assert_string_equal(world.rdt.schemata[1], "L2:0=f");
	assert_string_equal(world.rdt.schemata[2], "MB:0=20");
	assert_string_equal(world.rdt.schemata[3], "L3CODE:0=1");
	assert_true(world.rdt.is_monitored);
	assert_null(world.rdt.class_id);
}

static void a_class_by_name_alone_must_be_there(void **state)
{
	_cleanup_(world_deinit) struct world there = world_make("{\"closID\":\"there\"}");
	_cleanup_(world_deinit) struct world missing = world_make("{\"closID\":\"missing\"}");

	assert_int_equal(make(&there), 0);
	assert_int_equal(make(&missing), -ENOENT);
	assert_non_null(strstr(missing.error.message, "there is no class 'missing'"));
	assert_false(exists(&missing, "missing"));
}

static void a_class_that_is_there_must_have_the_schemata(void **state)
{
	static const struct {
		const char *json;
		int r;
	} cases[] = {
		{ "{\"closID\":\"there\",\"l3CacheSchema\":\"L3:0=ff\"}", 0 },
		{ "{\"closID\":\"there\",\"l3CacheSchema\":\"L3:1=F0;0=0FF\"}", 0 },
		{ "{\"closID\":\"there\",\"memBwSchema\":\"MB:1=70\"}", 0 },
		{ "{\"closID\":\"there\",\"schemata\":[\"L3CODE:0=f\"]}", 0 },
		{ "{\"closID\":\"there\",\"l3CacheSchema\":\"L3:0=f\"}", -EEXIST },
		{ "{\"closID\":\"there\",\"l3CacheSchema\":\"L3:0=ff;1=ff\"}", -EEXIST },
		{ "{\"closID\":\"there\",\"l3CacheSchema\":\"L3:2=ff\"}", -EEXIST },
		{ "{\"closID\":\"there\",\"l3CacheSchema\":\"L2:0=ff\"}", -EEXIST },
		{ "{\"closID\":\"there\",\"l3CacheSchema\":\"L3:ff\"}", -EEXIST },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(world_deinit) struct world world = world_make(cases[i].json);

		if (make(&world) != cases[i].r)
			fail_msg("%s: %s", cases[i].json, world.error.message);
		/* Others' class stays. */
		assert_int_equal(rdt_remove_below(world.resctrl.fd, world.state.fd, NULL), 0);
		assert_true(exists(&world, "there/schemata"));
	}
}

static void what_was_made_is_noted_and_removed(void **state)
{
	_cleanup_(world_deinit) struct world world = world_make(
		"{\"closID\":\"there\",\"l3CacheSchema\":\"L3:0=ff\",\"enableMonitoring\":true}");
	_cleanup_(world_deinit) struct world other = world_make("{\"enableMonitoring\":true}");

	assert_int_equal(make(&world), 0);
	assert_true(exists(&world, "there/mon_groups/c1"));
	assert_int_equal(rdt_remove_below(world.resctrl.fd, world.state.fd, &world.error), 0);
	assert_false(exists(&world, "there/mon_groups/c1"));
	assert_true(exists(&world, "there"));
	assert_int_equal(rdt_remove_below(world.resctrl.fd, world.state.fd, &world.error), 0);

	/* Without a schema and a class, it is monitored in the default one. */
	assert_int_equal(make(&other), 0);
	assert_true(exists(&other, "mon_groups/c1"));
	assert_false(exists(&other, "c1"));
}

static void a_class_whose_schemata_are_refused_is_noted_and_the_kernels_words_are_told(void **state)
{
	_cleanup_(world_deinit) struct world world = world_make("{\"l3CacheSchema\":\"L3:0=ff\"}");

	scratch_write(&world.resctrl, "info/last_cmd_status", "Mask out of range\n");
	/* No file `schemata` appears in a directory that is made here. */
	assert_int_equal(make(&world), -ENOENT);
	assert_string_equal(world.error.message,
			    "linux.intelRdt: 'c1/schemata': Mask out of range");
	assert_true(exists(&world, "c1"));
	assert_int_equal(rdt_remove_below(world.resctrl.fd, world.state.fd, &world.error), 0);
	assert_false(exists(&world, "c1"));
}

static void who_joins_writes_itself_into_the_class(void **state)
{
	_cleanup_(world_deinit) struct world world = world_make("{\"closID\":\"there\"}");
	_cleanup_free_ char *text = NULL;
	struct rdt_place earlier;

	assert_int_equal(rdt_join(world.resctrl.fd, &world.rdt, "c1", &earlier, &world.error), 0);
	assert_int_equal(file_read_at(world.resctrl.fd, "there/tasks", 16, &text, NULL), 0);
	assert_string_equal(text, "0");
	free(text);
	text = NULL;
	rdt_leave(world.resctrl.fd, &earlier);
	assert_int_equal(file_read_at(world.resctrl.fd, "tasks", 16, &text, NULL), 0);
	assert_string_equal(text, "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			schemas_are_joined_and_the_bandwidth_of_the_cache_schema_gives_way),
		cmocka_unit_test(a_class_by_name_alone_must_be_there),
		cmocka_unit_test(a_class_that_is_there_must_have_the_schemata),
		cmocka_unit_test(what_was_made_is_noted_and_removed),
		cmocka_unit_test(
			a_class_whose_schemata_are_refused_is_noted_and_the_kernels_words_are_told),
		cmocka_unit_test(who_joins_writes_itself_into_the_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
