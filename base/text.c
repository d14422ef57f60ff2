/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int string_list_take(struct string_list *list, char *string)
{
	if (!string)
		return -ENOMEM;
	if (list->n_items + 2 > list->n_allocated) {
		size_t n = list->n_allocated ? 2 * list->n_allocated : 8;
		char **items = reallocarray(list->items, n, sizeof(*items));

		if (!items) {
			free(string);
			return -ENOMEM;
		}
		list->items = items;
		list->n_allocated = n;
	}
	list->items[list->n_items++] = string;
	list->items[list->n_items] = NULL;
	return 0;
}

int string_list_add(struct string_list *list, const char *string)
{
	return string_list_take(list, strdup(string));
}

bool string_list_contains(const struct string_list *list, const char *string)
{
	STRING_LIST_FOR_EACH (list, i) {
		if (!strcmp(list->items[i], string))
			return true;
	}
	return false;
}

void string_list_deinit(struct string_list *list)
{
	STRING_LIST_FOR_EACH (list, i)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){};
}

char *string_format(const char *format, ...)
{
	va_list arguments;
	char *string = NULL;
	int r;

	va_start(arguments, format);
	r = vasprintf(&string, format, arguments);
	va_end(arguments);
	return r < 0 ? NULL : string;
}

const char *string_has_prefix(const char *string, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(string, prefix, n) ? NULL : string + n;
}

/* Reads digits from *@cursor on, and moves it behind them. */
static int digits_read(const char **cursor, uint64_t max, uint64_t *ret_value)
{
	const char *p = *cursor;
	uint64_t value = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	}
	if (value > max)
		return -ERANGE;
	*cursor = p;
	*ret_value = value;
	return 0;
}

int string_to_uint64(const char *string, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;
	int r = digits_read(&string, max, &value);

	if (r < 0)
		return r;
	if (*string)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

/* The digits behind a decimal point, as a numerator over 10^9; more of them don't count. */
static int fraction_read(const char **cursor, uint64_t *ret_billionths)
{
	uint64_t billionths = 0, unit = 100000000;
	const char *p = *cursor;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++, unit /= 10)
		billionths += unit * (uint64_t)(*p - '0');
	*cursor = p;
	*ret_billionths = billionths;
	return 0;
}

int string_to_bytes(const char *string, uint64_t *ret_bytes)
{
	static const char units[] = "bkmgt";
	uint64_t value, billionths = 0;
	int r = digits_read(&string, UINT64_MAX, &value);
	unsigned int shift = 0;
	bool has_fraction;

	if (r < 0)
		return r;
	has_fraction = *string == '.';
	if (has_fraction) {
		string++;
		r = fraction_read(&string, &billionths);
		if (r < 0)
			return r;
	}
	if (*string) {
		char lower = (char)(*string | 0x20);
		const char *unit = strchr(units, lower);

		if (!unit)
			return -EINVAL;
		shift = (unsigned int)(unit - units) * 10;
		string++;
		if (shift && !strcasecmp(string, "ib"))
			string += 2;
		else if (shift && !strcasecmp(string, "b"))
			string++;
		if (*string)
			return -EINVAL;
	}
	if (has_fraction && !shift)
		return -EINVAL;
	if (shift && value > UINT64_MAX >> shift)
		return -ERANGE;
	value <<= shift;
	/* Billionths of 2^40 don't fit: its lowest ten bits are not for a fraction. */
	if (shift == 40)
		value += (billionths << 30) / 1000000000 << 10;
	else
		value += (billionths << shift) / 1000000000;
	*ret_bytes = value;
	return 0;
}
