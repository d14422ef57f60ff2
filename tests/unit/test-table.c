/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <string.h>

#include "base/table.h"

static const char *const columns[] = { "NAME", "SIZE" };

/* What table_print() writes, to be freed. */
static char *printed(const struct table *table, bool aligned)
{
	char *text = NULL;
	size_t n_bytes;
	FILE *file = open_memstream(&text, &n_bytes);

	assert_non_null(file);
	assert_int_equal(table_print(table, file, aligned), 0);
	fclose(file);
	return text;
}

static void people_get_aligned_columns_with_a_header(void **state)
{
	_cleanup_table_ struct table table = { .columns = columns, .n_columns = 2 };
	_cleanup_free_ char *text = NULL;

	table_add(&table, "a");
	table_add(&table, "1");
	table_add(&table, "longer");
	table_add(&table, "22");
	text = printed(&table, true);
	assert_string_equal(text, "NAME     SIZE\n"
				  "a        1\n"
				  "longer   22\n");
}

static void pipes_get_tabs_and_no_header(void **state)
{
	_cleanup_table_ struct table table = { .columns = columns, .n_columns = 2 };
	_cleanup_free_ char *text = NULL;

	table_add(&table, "a b");
	table_add(&table, "1");
	text = printed(&table, false);
	assert_string_equal(text, "a b\t1\n");
}

static void an_empty_table_is_a_header_or_nothing(void **state)
{
	_cleanup_table_ struct table table = { .columns = columns, .n_columns = 2 };
	_cleanup_free_ char *aligned = printed(&table, true), *plain = printed(&table, false);

	assert_string_equal(aligned, "NAME   SIZE\n");
	assert_string_equal(plain, "");
}

static void a_cell_can_neither_break_a_record_nor_command_a_terminal(void **state)
{
	_cleanup_table_ struct table table = { .columns = columns, .n_columns = 2 };
	_cleanup_free_ char *text = NULL;

	table_add(&table, "a\tb\nc\x1b[2J\x7f");
	table_add(&table, NULL);
	text = printed(&table, false);
	assert_string_equal(text, "a?b?c?[2J?\t\n");
}

static void a_row_that_is_not_complete_is_left_out(void **state)
{
	_cleanup_table_ struct table table = { .columns = columns, .n_columns = 2 };
	_cleanup_free_ char *text = NULL;

	table_add(&table, "a");
	table_add(&table, "1");
	table_add(&table, "b");
	text = printed(&table, false);
	assert_string_equal(text, "a\t1\n");
}

static void a_full_disk_is_said(void **state)
{
	_cleanup_table_ struct table table = { .columns = columns, .n_columns = 2 };
	FILE *file = fopen("/dev/full", "we");

	assert_non_null(file);
	table_add(&table, "a");
	table_add(&table, "1");
	assert_int_equal(table_print(&table, file, false), -EIO);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_get_aligned_columns_with_a_header),
		cmocka_unit_test(pipes_get_tabs_and_no_header),
		cmocka_unit_test(an_empty_table_is_a_header_or_nothing),
		cmocka_unit_test(a_cell_can_neither_break_a_record_nor_command_a_terminal),
		cmocka_unit_test(a_row_that_is_not_complete_is_left_out),
		cmocka_unit_test(a_full_disk_is_said),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
