/* SPDX-License-Identifier: MIT */
/*
 * `linux.intelRdt`: a class of service, its schemata, and whether it is monitored.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "launch/config/sections.h"
#include "launch/config/value.h"

/* It names a directory of resctrl, beside its own. */
static int class_check(const char *name, struct error *error)
{
	static const char *const reserved[] = { ".", "..", "info", "mon_groups", "mon_data" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (!strcmp(reserved[i], name))
			return error_say(error, -EINVAL, "'linux.intelRdt.closID' may not be '%s'",
					 name);
	}
	if (strpbrk(name, "/\n") || strlen(name) > 255)
		return error_say(error, -EINVAL, "'linux.intelRdt.closID': bad name '%s'", name);
	return 0;
}

static int line_add(struct config_rdt *rdt, char *line, const char *field, struct error *error)
{
	size_t n_resource = strcspn(line, ":");

	if (n_resource == 0 || !line[n_resource] || strchr(line, '\n'))
		return error_say(error, -EINVAL, "'%s': '%s' is no line of a schema", field, line);
	rdt->schemata[rdt->n_schemata++] = line;
	return 0;
}

/*
 * "If l3CacheSchema contains lines beginning with MB: and memBwSchema is set, the latter counts":
 * it may be several lines, which are cut in @rdt's own copy.
 */
static int cache_schema_parse(struct config_rdt *rdt, const char *text, bool has_bandwidth,
			      struct error *error)
{
	int r = 0;

	rdt->cache_schema = strdup(text);
	if (!rdt->cache_schema)
		return error_set(error, -ENOMEM, "'linux.intelRdt.l3CacheSchema'");
	for (char *line = rdt->cache_schema, *next; r == 0 && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (*line && !(has_bandwidth && !strncmp(line, "MB:", 3)))
			r = line_add(rdt, line, "linux.intelRdt.l3CacheSchema", error);
	}
	return r;
}

static size_t line_count(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static int schemata_parse(struct config_rdt *rdt, const char *cache, const char *bandwidth,
			  char **lines, struct error *error)
{
	size_t n = 1;
	int r = 0;

	for (char **line = lines; *line; line++)
		n++;
	rdt->schemata = calloc(n + (cache ? line_count(cache) : 0) + 1, sizeof(*rdt->schemata));
	if (!rdt->schemata)
		return error_set(error, -ENOMEM, "'linux.intelRdt'");
	if (cache)
		r = cache_schema_parse(rdt, cache, bandwidth, error);
	if (r == 0 && bandwidth && strncmp(bandwidth, "MB:", 3))
		r = error_say(error, -EINVAL, "'linux.intelRdt.memBwSchema' must begin with 'MB:'");
	if (r == 0 && bandwidth)
		r = line_add(rdt, (char *)bandwidth, "linux.intelRdt.memBwSchema", error);
	for (char **line = lines; r == 0 && *line; line++)
		r = line_add(rdt, *line, "linux.intelRdt.schemata", error);
	return r;
}

static int monitoring_parse(struct config_rdt *rdt, struct json_value value, struct error *error)
{
	/* The first two are what 1.3 has made one of. */
	static const char *const names[][2] = {
		{ "enableCMT", "linux.intelRdt.enableCMT" },
		{ "enableMBM", "linux.intelRdt.enableMBM" },
		{ "enableMonitoring", "linux.intelRdt.enableMonitoring" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool is_set;
		int r = value_bool(json_get(value, names[i][0]), names[i][1], &is_set, error);

		if (r < 0)
			return r;
		rdt->is_monitored |= is_set;
	}
	return 0;
}

int config_rdt_parse(struct config_rdt *rdt, struct json_value value, struct error *error)
{
	_cleanup_free_ char **lines = NULL;
	const char *cache = NULL, *bandwidth = NULL;
	int r = value_check_type(value, "linux.intelRdt", JSON_OBJECT, error);

	if (r < 0 || !value_asks(value))
		return r;
	r = value_name(json_get(value, "closID"), "linux.intelRdt.closID", &rdt->class_id, error);
	if (r == 0 && rdt->class_id)
		r = class_check(rdt->class_id, error);
	if (r == 0)
		r = value_name(json_get(value, "l3CacheSchema"), "linux.intelRdt.l3CacheSchema",
			       &cache, error);
	if (r == 0)
		r = value_name(json_get(value, "memBwSchema"), "linux.intelRdt.memBwSchema",
			       &bandwidth, error);
	if (r == 0)
		r = value_strings(json_get(value, "schemata"), "linux.intelRdt.schemata", &lines,
				  error);
	if (r == 0)
		r = monitoring_parse(rdt, value, error);
	if (r == 0)
		r = schemata_parse(rdt, cache, bandwidth, lines, error);
	rdt->is_asked = rdt->class_id || rdt->n_schemata || rdt->is_monitored;
	return r;
}

void config_rdt_deinit(struct config_rdt *rdt)
{
	free(rdt->schemata);
	free(rdt->cache_schema);
	*rdt = (struct config_rdt){};
}
