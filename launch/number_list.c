/* SPDX-License-Identifier: MIT */
#include "launch/number_list.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

#define BITS_PER_LONG (sizeof(unsigned long) * CHAR_BIT)

static bool number_take(const char **text, size_t n_bits, size_t *ret_number)
{
	const char *p = *text;
	size_t number = 0;

	while (*p >= '0' && *p <= '9' && number < n_bits)
		number = number * 10 + (size_t)(*p++ - '0');
	if (p == *text || number >= n_bits)
		return false;
	*text = p;
	*ret_number = number;
	return true;
}

int number_list_parse(const char *list, unsigned long *bits, size_t n_bits)
{
	int n_set = 0;

	for (size_t i = 0; bits && i < n_bits / BITS_PER_LONG; i++)
		bits[i] = 0;
	for (;;) {
		size_t first, last;

		if (!number_take(&list, n_bits, &first))
			return -EINVAL;
		last = first;
		if (*list == '-') {
			list++;
			if (!number_take(&list, n_bits, &last) || last < first)
				return -EINVAL;
		}
		for (size_t i = first; i <= last; i++, n_set++) {
			if (bits)
				bits[i / BITS_PER_LONG] |= 1UL << i % BITS_PER_LONG;
		}
		if (!*list)
			return n_set;
		if (*list++ != ',')
			return -EINVAL;
	}
}
