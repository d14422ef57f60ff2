/* SPDX-License-Identifier: MIT */
#include "base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int table_add(struct table *table, const char *cell)
{
	char *copy = strdup(cell ? cell : "");

	for (char *p = copy; p && *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	return string_list_take(&table->cells, copy);
}

static void row_print(FILE *file, const char *const *cells, size_t n_columns, const size_t *widths)
{
	for (size_t i = 0; i < n_columns; i++) {
		bool last = i + 1 == n_columns;

		if (!widths)
			fprintf(file, "%s%c", cells[i], last ? '\n' : '\t');
		else if (last)
			fprintf(file, "%s\n", cells[i]);
		else
			fprintf(file, "%-*s   ", (int)widths[i], cells[i]);
	}
}

int table_print(const struct table *table, FILE *file, bool aligned)
{
	_cleanup_free_ size_t *widths = NULL;
	const char *const *cells = (const char *const *)table->cells.items;

	if (aligned) {
		widths = calloc(table->n_columns, sizeof(*widths));
		if (!widths)
			return -ENOMEM;
		for (size_t i = 0; i < table->n_columns; i++)
			widths[i] = strlen(table->columns[i]);
		STRING_LIST_FOR_EACH (&table->cells, i) {
			size_t n = strlen(cells[i]);

			if (n > widths[i % table->n_columns])
				widths[i % table->n_columns] = n;
		}
		row_print(file, table->columns, table->n_columns, widths);
	}
	for (size_t i = 0; i + table->n_columns <= table->cells.n_items; i += table->n_columns)
		row_print(file, cells + i, table->n_columns, widths);
	return fflush(file) == EOF || ferror(file) ? -EIO : 0;
}

void table_deinit(struct table *table)
{
	string_list_deinit(&table->cells);
}
