/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "role/told.h"

static struct told_table table;

static int set_up(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	return 0;
}

static uint32_t tell(uint32_t first, uint32_t count, uint32_t mark, bool is_fault)
{
	char id[INCIDENT_ID_MAX];
	uint32_t news = 0;

	for (uint32_t i = first; i < first + count; i++) {
		snprintf(id, sizeof(id), "%06x", i & 0xffffff);
		news += told_is_news(&table, id, mark, is_fault);
	}
	return news;
}

/* As many as may be, each asked about again and again, as packets go on being lost. */
static void each_change_of_many_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(tell(0, 8192, 1, true), 8192);
	for (int i = 0; i < 5; i++)
		assert_int_equal(tell(0, 8192, 1, true), 0);
	assert_int_equal(tell(0, 8192, 2, false), 8192); /* healed */
	assert_int_equal(tell(0, 8192, 2, false), 0);
}

static void what_was_never_a_fault_is_not_told(void **state)
{
	(void)state;
	assert_int_equal(tell(0, 100, 1, false), 0);
	told_put(&table, "000007", 1);
	assert_int_equal(tell(0, 100, 2, false), 1);
}

/* Months: what is asked about stays, what is over makes room. */
static void old_ones_make_room(void **state)
{
	(void)state;
	assert_int_equal(tell(0, 1000, 1, true), 1000);
	for (uint32_t day = 1; day < 200; day++) {
		assert_int_equal(tell(day * 1000, 1000, 1, true), 1000);
		assert_int_equal(tell(0, 1000, 1, true), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_change_of_many_is_told_once, set_up),
		cmocka_unit_test_setup(what_was_never_a_fault_is_not_told, set_up),
		cmocka_unit_test_setup(old_ones_make_room, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
