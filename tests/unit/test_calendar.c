/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "spimend/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_same(struct civil a, struct civil b)
{
	return a.year == b.year && a.month == b.month && a.day == b.day && a.hour == b.hour && a.minute == b.minute &&
	       a.second == b.second && a.nanosecond == b.nanosecond && a.offset_minutes == b.offset_minutes;
}

static void known_instants(void **state)
{
	/* From Python's datetime. */
	static const struct {
		struct civil civil;
		int64_t seconds;
	} rows[] = {
		{ { 1970, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(0) },
		{ { 1970, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(5097599) },
		{ { 1970, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(5097600) },
		{ { 1970, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(31535999) },
		{ { 1972, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(63072000) },
		{ { 1972, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(68169599) },
		{ { 1972, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(68256000) },
		{ { 1972, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(94694399) },
		{ { 1999, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(915148800) },
		{ { 1999, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(920246399) },
		{ { 1999, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(920246400) },
		{ { 1999, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(946684799) },
		{ { 2000, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(946684800) },
		{ { 2000, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(951782399) },
		{ { 2000, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(951868800) },
		{ { 2000, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(978307199) },
		{ { 2024, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(1704067200) },
		{ { 2024, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(1709164799) },
		{ { 2024, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(1709251200) },
		{ { 2024, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(1735689599) },
		{ { 2026, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(1767225600) },
		{ { 2026, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(1772323199) },
		{ { 2026, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(1772323200) },
		{ { 2026, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(1798761599) },
		{ { 2100, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(4102444800) },
		{ { 2100, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(4107542399) },
		{ { 2100, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(4107542400) },
		{ { 2100, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(4133980799) },
		{ { 2101, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(4133980800) },
		{ { 2101, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(4139078399) },
		{ { 2101, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(4139078400) },
		{ { 2101, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(4165516799) },
		{ { 2200, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(7258118400) },
		{ { 2200, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(7263215999) },
		{ { 2200, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(7263216000) },
		{ { 2200, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(7289654399) },
		{ { 2261, 1, 1, 0, 0, 0, 0, 0 }, INT64_C(9183110400) },
		{ { 2261, 2, 28, 23, 59, 59, 0, 0 }, INT64_C(9188207999) },
		{ { 2261, 3, 1, 0, 0, 0, 0, 0 }, INT64_C(9188208000) },
		{ { 2261, 12, 31, 23, 59, 59, 0, 0 }, INT64_C(9214646399) },
		{ { 1972, 2, 29, 12, 0, 0, 0, 0 }, INT64_C(68212800) },
		{ { 2000, 2, 29, 12, 0, 0, 0, 0 }, INT64_C(951825600) },
		{ { 2024, 2, 29, 12, 0, 0, 0, 0 }, INT64_C(1709208000) },
		{ { 2096, 2, 29, 12, 0, 0, 0, 0 }, INT64_C(3981355200) },
		{ { 2260, 2, 29, 12, 0, 0, 0, 0 }, INT64_C(9156628800) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct instant at;

		assert_int_equal(calendar_to_instant(&rows[i].civil, &at), 0);
		assert_int_equal(at.ns, rows[i].seconds * SECOND_NS);
		assert_true(is_same(calendar_from_instant(at), rows[i].civil));
	}
}

static void every_day_follows_the_last(void **state)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t expected = 0;

	(void)state;
	for (int year = 1970; year <= 2261; year++) {
		bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100);

		for (int month = 1; month <= 12; month++) {
			int last = days[month - 1] + (month == 2 && leap);
			struct civil c = { year, month, 1, 23, 59, 59, 999999999, 0 };
			struct instant at;

			for (c.day = 1; c.day <= last; c.day++) {
				assert_int_equal(calendar_to_instant(&c, &at), 0);
				expected += DAY_NS;
				assert_int_equal(at.ns, expected - 1);
				assert_true(is_same(calendar_from_instant(at), c));
			}
			assert_int_equal(calendar_to_instant(&c, &at), SPIMEND_E_RANGE);
		}
	}
}

static void offsets_and_leap_seconds(void **state)
{
	static const struct {
		struct civil civil;
		const char *printed;
	} rows[] = {
		{ { 2026, 1, 10, 12, 18, 43, 404000000, 60 }, "2026-01-10T11:18:43.404Z" },
		{ { 2026, 1, 1, 0, 0, 0, 0, 330 }, "2025-12-31T18:30:00.000Z" },
		{ { 2025, 12, 31, 20, 0, 0, 0, -300 }, "2026-01-01T01:00:00.000Z" },
		{ { 2016, 12, 31, 23, 59, 60, 0, 0 }, "2016-12-31T23:59:59.000Z" },
		{ { 1970, 1, 1, 0, 0, 0, 0, 1080 }, "1969-12-31T06:00:00.000Z" },
		{ { 2261, 12, 31, 23, 59, 59, 999999999, -1080 }, "2262-01-01T17:59:59.999Z" },
		{ { 2025, 9, 2, 13, 36, 47, 287999999, 0 }, "2025-09-02T13:36:47.287Z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer b = { 0 };
		struct instant at;

		assert_int_equal(calendar_to_instant(&rows[i].civil, &at), 0);
		calendar_print(&b, at);
		assert_true(text_equal(buffer_text(&b), text_of(rows[i].printed)));
		buffer_done(&b);
	}
}

static void refuses_what_cannot_be(void **state)
{
	static const struct civil rows[] = {
		{ 1969, 12, 31, 0, 0, 0, 0, 0 },  { 2262, 1, 1, 0, 0, 0, 0, 0 },     { 2026, 0, 1, 0, 0, 0, 0, 0 },
		{ 2026, 13, 1, 0, 0, 0, 0, 0 },   { 2026, 1, 0, 0, 0, 0, 0, 0 },     { 2026, 1, 32, 0, 0, 0, 0, 0 },
		{ 2026, 2, 29, 0, 0, 0, 0, 0 },   { 2100, 2, 29, 0, 0, 0, 0, 0 },    { 2026, 4, 31, 0, 0, 0, 0, 0 },
		{ 2026, 1, 1, 24, 0, 0, 0, 0 },   { 2026, 1, 1, -1, 0, 0, 0, 0 },    { 2026, 1, 1, 0, 60, 0, 0, 0 },
		{ 2026, 1, 1, 0, -1, 0, 0, 0 },   { 2026, 1, 1, 0, 0, 61, 0, 0 },    { 2026, 1, 1, 0, 0, -1, 0, 0 },
		{ 2026, 1, 1, 0, 0, 0, -1, 0 },   { 2026, 1, 1, 0, 0, 0, SECOND_NS, 0 }, { 2026, 1, 1, 0, 0, 0, 0, 1081 },
		{ 2026, 1, 1, 0, 0, 0, 0, -1081 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct instant at = { 4711 };

		assert_int_equal(calendar_to_instant(&rows[i], &at), SPIMEND_E_RANGE);
		assert_int_equal(at.ns, 4711);
	}
}

static void the_ends_of_64_bits(void **state)
{
	static const struct {
		int64_t ns;
		const char *printed, *short_form;
	} rows[] = {
		{ INT64_MAX, "2262-04-11T23:47:16.854Z", "2262-04-11 23:47:16" },
		{ INT64_MIN, "1677-09-21T00:12:43.145Z", "1677-09-21 00:12:43" },
		{ -1, "1969-12-31T23:59:59.999Z", "1969-12-31 23:59:59" },
		{ 0, "1970-01-01T00:00:00.000Z", "1970-01-01 00:00:00" },
		{ INT64_C(1756820207287000000), "2025-09-02T13:36:47.287Z", "2025-09-02 13:36:47" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer b = { 0 };

		calendar_print(&b, (struct instant){ rows[i].ns });
		assert_true(text_equal(buffer_text(&b), text_of(rows[i].printed)));
		buffer_clear(&b);
		calendar_print_short(&b, (struct instant){ rows[i].ns });
		assert_true(text_equal(buffer_text(&b), text_of(rows[i].short_form)));
		buffer_done(&b);
	}
}

static void durations_for_people(void **state)
{
	static const struct {
		int64_t ns;
		const char *printed;
	} rows[] = {
		{ 0, "0 ms" },
		{ 8 * SECOND_NS / 1000, "8 ms" },
		{ SECOND_NS - 1, "999 ms" },
		{ SECOND_NS, "1 s" },
		{ 60 * SECOND_NS + 752000000, "60.8 s" },
		{ 60 * SECOND_NS + 40000000, "60 s" },
		{ 119 * SECOND_NS, "119 s" },
		{ 120 * SECOND_NS - 1, "120 s" },
		{ 120 * SECOND_NS, "2 min" },
		{ 5 * MINUTE_NS, "5 min" },
		{ 3 * HOUR_NS, "3 h" },
		{ DAY_NS, "1 d" },
		{ 250 * SECOND_NS, "4 min 10 s" },
		{ HOUR_NS - 1, "59 min 59 s" },
		{ 9 * HOUR_NS + 3 * MINUTE_NS + 59 * SECOND_NS, "9 h 3 min" },
		{ 2 * DAY_NS + 4 * HOUR_NS + 59 * MINUTE_NS, "2 d 4 h" },
		{ -250 * SECOND_NS, "-4 min 10 s" },
		{ -1000000, "-1 ms" },
		{ -1, "0 ms" }, /* no negative zero */
		{ INT64_MIN, "-106751 d 23 h" },
		{ INT64_MAX, "106751 d 23 h" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer b = { 0 };

		calendar_print_duration(&b, rows[i].ns);
		if (!text_equal(buffer_text(&b), text_of(rows[i].printed)))
			fail_msg("\"%.*s\" where \"%s\" was expected", TEXT_ARG(buffer_text(&b)), rows[i].printed);
		buffer_done(&b);
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(calendar_month_name(1), "Jan");
	assert_string_equal(calendar_month_name(12), "Dec");
	assert_string_equal(calendar_weekday_name(0), "Thu");
	assert_string_equal(calendar_weekday_name(20786), "Sun"); /* 2026-11-29 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_instants),
		cmocka_unit_test(every_day_follows_the_last),
		cmocka_unit_test(offsets_and_leap_seconds),
		cmocka_unit_test(refuses_what_cannot_be),
		cmocka_unit_test(the_ends_of_64_bits),
		cmocka_unit_test(durations_for_people),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
