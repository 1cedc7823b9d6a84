/* SPDX-License-Identifier: MIT */
/* Windows at the borders that go wrong. The C library's calendar judges them in test_fleet_random.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include "model/window.h"

#define MONDAY INT64_C(1756684800) /* 2025-09-01 00:00:00 UTC */
#define MON 1
#define SUN 64

static struct instant at(int day, int hour, int minute, int second)
{
	return (struct instant){ (MONDAY + ((day * 24 + hour) * 60 + minute) * 60 + second) * SECOND_NS };
}

static struct windows one(uint16_t days, int from, int to)
{
	return (struct windows){ { { days, (uint16_t)(from * 60), (uint16_t)(to * 60) } }, 1 };
}

static void without_any_it_is_always_open(void **state)
{
	struct windows none = { 0 };

	(void)state;
	assert_true(windows_are_open(&none, at(0, 0, 0, 0)));
	assert_true(windows_are_open(&none, at(6, 23, 59, 59)));
}

static void ends_are_exact(void **state)
{
	struct windows w = one(WINDOW_EVERY_DAY, 1, 4);

	(void)state;
	assert_false(windows_are_open(&w, at(2, 0, 59, 59)));
	assert_true(windows_are_open(&w, at(2, 1, 0, 0)));
	assert_true(windows_are_open(&w, (struct instant){ at(2, 4, 0, 0).ns - 1 }));
	assert_false(windows_are_open(&w, at(2, 4, 0, 0)));
	assert_int_equal(windows_next(&w, at(2, 4, 0, 0)).ns, at(3, 1, 0, 0).ns);
	assert_int_equal(windows_next(&w, at(2, 0, 59, 59)).ns, at(2, 1, 0, 0).ns);
	assert_int_equal(windows_next(&w, at(2, 3, 0, 0)).ns, at(2, 3, 0, 0).ns);
}

static void over_midnight_and_over_the_week(void **state)
{
	struct windows w = one(SUN, 22, 6), all_day = one(MON, 0, 24);

	(void)state;
	assert_false(windows_are_open(&w, at(0, 6, 0, 0)));
	assert_true(windows_are_open(&w, at(6, 22, 0, 0)));
	assert_true(windows_are_open(&w, at(6, 23, 59, 59)));
	assert_true(windows_are_open(&w, at(7, 0, 0, 0))); /* Monday, of Sunday's */
	assert_true(windows_are_open(&w, at(0, 5, 59, 59)));
	assert_false(windows_are_open(&w, at(6, 5, 0, 0))); /* Saturday has none */
	assert_int_equal(windows_next(&w, at(0, 6, 0, 0)).ns, at(6, 22, 0, 0).ns);
	assert_true(windows_are_open(&all_day, at(0, 0, 0, 0)));
	assert_true(windows_are_open(&all_day, at(0, 23, 59, 59)));
	assert_false(windows_are_open(&all_day, at(1, 0, 0, 0)));
	assert_false(windows_are_open(&all_day, at(6, 23, 59, 59)));
	assert_int_equal(windows_next(&all_day, at(1, 0, 0, 0)).ns, at(7, 0, 0, 0).ns);
}

static void windows_that_touch_are_one(void **state)
{
	struct windows w = { { { WINDOW_EVERY_DAY, 22 * 60, 24 * 60 }, { WINDOW_EVERY_DAY, 0, 120 } }, 2 };

	(void)state;
	assert_true(windows_are_open(&w, (struct instant){ at(4, 0, 0, 0).ns - 1 }));
	assert_true(windows_are_open(&w, at(4, 0, 0, 0)));
	assert_int_equal(windows_next(&w, at(4, 2, 0, 0)).ns, at(4, 22, 0, 0).ns);
}

/* UNIX time has no leap seconds: 23:59:60 is 00:00:00 or 23:59:59 again, and midnight stays midnight. */
static void leap_seconds_move_nothing(void **state)
{
	struct windows w = one(WINDOW_EVERY_DAY, 0, 1);
	struct instant midnight = { INT64_C(1483228800) * SECOND_NS }; /* 2017-01-01, behind the latest one */

	(void)state;
	assert_true(windows_are_open(&w, midnight));
	assert_false(windows_are_open(&w, (struct instant){ midnight.ns - 1 }));
	assert_int_equal(windows_next(&w, (struct instant){ midnight.ns - SECOND_NS }).ns, midnight.ns);
}

static void before_1970_and_far_on(void **state)
{
	struct windows w = one(MON, 1, 2);
	struct instant early = { -3 * DAY_NS + HOUR_NS }; /* Monday, 1969-12-29, 01:00 */

	(void)state;
	assert_true(windows_are_open(&w, early));
	assert_false(windows_are_open(&w, (struct instant){ early.ns - 1 }));
	assert_true(windows_are_open(&w, (struct instant){ early.ns + 52 * 250 * 7 * DAY_NS }));
}

static void times_are_said(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	window_print_time(at(1, 1, 5, 0), at(0, 23, 0, 0), &b);
	buffer_add_char(&b, ' ');
	window_print_time(at(6, 22, 0, 0), at(0, 23, 0, 0), &b);
	buffer_add_char(&b, 0);
	assert_string_equal(b.bytes, "01:05 UTC sun 22:00 UTC");
	buffer_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_any_it_is_always_open), cmocka_unit_test(ends_are_exact),
		cmocka_unit_test(over_midnight_and_over_the_week), cmocka_unit_test(windows_that_touch_are_one),
		cmocka_unit_test(leap_seconds_move_nothing), cmocka_unit_test(before_1970_and_far_on), cmocka_unit_test(times_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
