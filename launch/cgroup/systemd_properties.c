/* SPDX-License-Identifier: MIT */
/*
 * linux.resources and annotations as properties of a systemd unit (systemd.resource-control(5)),
 * with the conversions that runc's and crun's systemd drivers make.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch/cgroup/limits.h"
#include "launch/cgroup/systemd.h"

#define ANNOTATION "org.systemd.property."

/* CPUs and memory nodes that a mask can name. */
#define MASK_MAX_BITS 8192

struct properties {
	struct string_list *list;
	bool is_v2;
};

static int add(struct properties *properties, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int add(struct properties *properties, const char *format, ...)
{
	char text[512];
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n < 0 || n >= (int)sizeof(text))
		return -ENAMETOOLONG;
	return string_list_add(properties->list, text);
}

/* 0 isn't said, and less than 0 is infinity, which on D-Bus is the largest number. */
static int add_limit(struct properties *properties, const char *name, struct json_value value)
{
	int64_t number;

	if (json_int64(value, &number) < 0 || number == 0)
		return 0;
	return add(properties, "%s=t:%" PRIu64, name, number < 0 ? UINT64_MAX : (uint64_t)number);
}

static int memory_add(struct properties *properties, struct json_value memory)
{
	struct json_value limit = json_get(memory, "limit");
	int64_t limit_number = 0, swap = 0;
	int r;

	if (!properties->is_v2)
		return add_limit(properties, "MemoryLimit", limit);
	r = add_limit(properties, "MemoryMax", limit);
	if (r == 0)
		r = add_limit(properties, "MemoryLow", json_get(memory, "reservation"));
	(void)json_int64(limit, &limit_number);
	(void)json_int64(json_get(memory, "swap"), &swap);
	if (r == 0 && (swap < 0 || (swap == 0 && limit_number < 0)))
		r = add(properties, "MemorySwapMax=t:%" PRIu64, UINT64_MAX);
	/* Without a limit beside it the sum says nothing here: the control files tell. */
	if (r == 0 && swap > 0 && limit_number > 0 && swap >= limit_number)
		r = add(properties, "MemorySwapMax=t:%" PRId64, swap - limit_number);
	return r;
}

/* "0-2,7" as the hexadecimal bytes of a bit mask, least significant first. */
static int mask_add(struct properties *properties, const char *name, struct json_value value)
{
	const char *list = json_string(value);
	uint8_t mask[MASK_MAX_BITS / 8] = {};
	char text[MASK_MAX_BITS / 4 + 1];
	_cleanup_free_ char *property = NULL;
	size_t n_bytes = 0;

	if (!list || !*list)
		return 0;
	for (const char *p = list; *p;) {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;

		if (end != p && *end == '-') {
			p = end + 1;
			last = strtoul(p, &end, 10);
		}
		/* What is wrong the kernel will say. */
		if (end == p || last >= MASK_MAX_BITS || (*end && *end != ','))
			return 0;
		for (; first <= last; first++) {
			mask[first / 8] |= (uint8_t)(1u << first % 8);
			if (first / 8 + 1 > n_bytes)
				n_bytes = first / 8 + 1;
		}
		p = end + (*end == ',');
	}
	for (size_t i = 0; i < n_bytes; i++)
		snprintf(text + i * 2, 3, "%02x", mask[i]);
	property = string_format("%s=ay:%s", name, text);
	return property ? string_list_add(properties->list, property) : -ENOMEM;
}

/* systemd rounds a quota to whole percents of a processor: up, so that nobody gets less. */
static int quota_add(struct properties *properties, int64_t quota, uint64_t period)
{
	uint64_t per_second = UINT64_MAX;

	if (period == 0)
		period = 100000;
	if (quota > 0) {
		per_second = (uint64_t)quota * 1000000 / period;
		per_second = (per_second + 9999) / 10000 * 10000;
	}
	return add(properties, "CPUQuotaPerSecUSec=t:%" PRIu64, per_second);
}

static int cpu_add(struct properties *properties, struct json_value cpu)
{
	int64_t quota = 0, idle = 0;
	uint64_t period = 0, shares = 0;
	int r = 0;

	(void)json_uint64(json_get(cpu, "shares"), &shares);
	(void)json_uint64(json_get(cpu, "period"), &period);
	(void)json_int64(json_get(cpu, "quota"), &quota);
	(void)json_int64(json_get(cpu, "idle"), &idle);
	if (shares > 0 && !properties->is_v2)
		r = add(properties, "CPUShares=t:%" PRIu64, shares);
	/* 0 is systemd's word for idle. */
	else if (properties->is_v2 && (shares > 0 || idle > 0))
		r = add(properties, "CPUWeight=t:%" PRIu64,
			idle > 0 ? 0 : cgroup_shares_to_weight(shares));
	if (r == 0 && period > 0)
		r = add(properties, "CPUQuotaPeriodUSec=t:%" PRIu64, period);
	if (r == 0 && quota != 0)
		r = quota_add(properties, quota, period);
	if (r == 0 && properties->is_v2)
		r = mask_add(properties, "AllowedCPUs", json_get(cpu, "cpus"));
	if (r == 0 && properties->is_v2)
		r = mask_add(properties, "AllowedMemoryNodes", json_get(cpu, "mems"));
	return r;
}

static int block_io_add(struct properties *properties, struct json_value block_io)
{
	uint64_t weight = 0;

	(void)json_uint64(json_get(block_io, "weight"), &weight);
	if (weight < 10 || weight > 1000)
		return 0;
	if (!properties->is_v2)
		return add(properties, "BlockIOWeight=t:%" PRIu64, weight);
	return add(properties, "IOWeight=t:%" PRIu64, 1 + (weight - 10) * 9999 / 990);
}

/* "max" or a number */
static uint64_t unified_number(const char *text)
{
	return *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
}

static int unified_add(struct properties *properties, const char *name, const char *value,
		       struct json_value json)
{
	static const char *const numbers[][2] = {
		{ "cpu.weight", "CPUWeight" }, { "memory.high", "MemoryHigh" },
		{ "memory.low", "MemoryLow" }, { "memory.max", "MemoryMax" },
		{ "memory.min", "MemoryMin" }, { "memory.swap.max", "MemorySwapMax" },
		{ "pids.max", "TasksMax" },
	};
	const char *period;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!strcmp(name, numbers[i][0]))
			return add(properties, "%s=t:%" PRIu64, numbers[i][1],
				   unified_number(value));
	}
	if (!strcmp(name, "cpuset.cpus"))
		return mask_add(properties, "AllowedCPUs", json);
	if (!strcmp(name, "cpuset.mems"))
		return mask_add(properties, "AllowedMemoryNodes", json);
	if (strcmp(name, "cpu.max") != 0)
		return 0;
	period = strchr(value, ' ');
	return quota_add(properties, *value == 'm' ? -1 : (int64_t)unified_number(value),
			 period ? strtoull(period, NULL, 10) : 0);
}

int systemd_properties(struct json_value resources, bool is_v2, struct string_list *list,
		       struct error *error)
{
	struct properties properties = { .list = list, .is_v2 = is_v2 };
	int r = memory_add(&properties, json_get(resources, "memory"));

	if (r == 0)
		r = cpu_add(&properties, json_get(resources, "cpu"));
	if (r == 0)
		r = add_limit(&properties, "TasksMax",
			      json_get(json_get(resources, "pids"), "limit"));
	if (r == 0)
		r = block_io_add(&properties, json_get(resources, "blockIO"));
	JSON_FOR_EACH (value, json_get(resources, "unified")) {
		const char *text = json_string(value);

		if (r == 0 && text && is_v2)
			r = unified_add(&properties, json_key(value), text, value);
	}
	return r < 0 ? error_set(error, r, "cannot tell systemd of linux.resources") : 0;
}

/* 'text' or "text" without the quotes, into @text; NULL: something else, or with an escape. */
static const char *quoted_parse(const char *value, char *text, size_t n_text)
{
	char quote = *value;
	size_t n = quote == '\'' || quote == '"' ? strcspn(value + 1, (char[]){ quote, 0 }) : 0;

	if (n == 0 || value[1 + n] != quote || n >= n_text || memchr(value + 1, '\\', n) ||
	    memchr(value + 1, ',', n))
		return NULL;
	memcpy(text, value + 1, n);
	text[n] = '\0';
	return value + n + 2;
}

/* GVariant's ['a', 'b'], or a single 'a', as words between commas. */
static bool words_parse(const char *value, char words[256])
{
	bool is_list = *value == '[';
	size_t n = 0;

	value += is_list;
	for (;;) {
		const char *end = quoted_parse(value, words + n, 256 - n);

		if (!end)
			return false;
		n += strlen(words + n);
		value = end + strspn(end, " ");
		if (*value != ',' || !is_list || n + 2 >= 256)
			break;
		words[n++] = ',';
		value += 1 + strspn(value + 1, " ");
	}
	return is_list ? !strcmp(value, "]") : !*value;
}

/* As NAME=TYPE:VALUE; 0, 1 (not allowed, or another type) or -ENOMEM. */
static int annotation_add(const char *name, const char *value, struct string_list *list)
{
	static const char *const allowed[][2] = {
		{ "After", "as" },	    { "Before", "as" },
		{ "CollectMode", "s" },	    { "DefaultDependencies", "b" },
		{ "TimeoutStopUSec", "t" },
	};
	_cleanup_free_ char *property = NULL;
	const char *type = NULL, *end;
	char text[256] = "";

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (!strcmp(name, allowed[i][0]))
			type = allowed[i][1];
	}
	if (!type)
		return 1;
	if (!strcmp(type, "t")) {
		end = string_has_prefix(value, "uint64 ");
		end = end ? end : value;
		if (!*end || end[strspn(end, "0123456789")] || strlen(end) > 20)
			return 1;
		strcpy(text, end);
	} else if (!strcmp(type, "b")) {
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return 1;
		strcpy(text, value);
	} else if (!strcmp(type, "as")) {
		if (!words_parse(value, text))
			return 1;
	} else {
		end = quoted_parse(value, text, sizeof(text));
		if (!end || *end)
			return 1;
	}
	property = string_format("%s=%s:%s", name, type, text);
	return property ? string_list_add(list, property) : -ENOMEM;
}

int systemd_annotations(struct json_value annotations, struct string_list *properties,
			struct string_list *ignored)
{
	JSON_FOR_EACH (element, annotations) {
		const char *name = string_has_prefix(json_key(element), ANNOTATION);
		const char *value = json_string(element);
		int r;

		if (!name || !value)
			continue;
		r = annotation_add(name, value, properties);
		if (r > 0)
			r = string_list_add(ignored, json_key(element));
		if (r < 0)
			return r;
	}
	return 0;
}
