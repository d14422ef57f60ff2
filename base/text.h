/* SPDX-License-Identifier: MIT */
/*
 * Growing lists of strings, and the few string helpers that the C library lacks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * @items is NULL-terminated once anything was added (an argv), and owns every string.
 * All zero is a valid empty list.
 */
struct string_list {
	char **items;
	size_t n_items;
	size_t n_allocated;
};

#define STRING_LIST_FOR_EACH(list, i) for (size_t i = 0; i < (list)->n_items; i++)

/** string_list_add() - append a copy of @string; 0 or -ENOMEM */
int string_list_add(struct string_list *list, const char *string);

/** string_list_take() - append @string itself; the list owns it, on failure (-ENOMEM) it is freed
 */
int string_list_take(struct string_list *list, char *string);

/** string_list_contains() - is @string in the list? */
bool string_list_contains(const struct string_list *list, const char *string);

void string_list_deinit(struct string_list *list);
#define _cleanup_strings_ _cleanup_(string_list_deinit)

/** string_format() - asprintf() that returns the string (owned by the caller) or NULL */
char *string_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** string_has_prefix() - the rest of @string behind @prefix, or NULL */
const char *string_has_prefix(const char *string, const char *prefix);

/**
 * string_to_uint64() - the whole of @string as an unsigned decimal number
 *
 * Return: 0, -EINVAL (not only digits: no sign, no space, not empty) or -ERANGE (> @max).
 */
int string_to_uint64(const char *string, uint64_t max, uint64_t *ret_value);

/**
 * string_to_bytes() - a size as Docker writes it: digits and optionally b, k, m, g, t (powers of
 * 1024, either case, an extra "b" or "ib" is allowed: 512m, 64kb, 1GiB), and from k on with a
 * fraction: 1.5g, rounded down
 *
 * Return: 0, -EINVAL or -ERANGE.
 */
int string_to_bytes(const char *string, uint64_t *ret_bytes);
