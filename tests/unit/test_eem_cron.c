/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "eem/cron.h"

static int64_t minute(int year, int month, int day, int hour, int min)
{
	struct civil c = { .year = year, .month = month, .day = day, .hour = hour, .minute = min, .offset_minutes = 60 };

	return cron_minute(&c); /* the offset is that of the wall's clock: it does not count */
}

static bool matches(const char *entry, int64_t at)
{
	struct cron cron;
	const char *why = "";

	if (cron_read(text_of(entry), &cron, &why) < 0)
		fail_msg("%s: %s", entry, why);
	return cron_matches(&cron, at);
}

static void test_entries_match_their_minutes(void **state)
{
	(void)state;
	assert_true(matches("* * * * *", minute(2026, 11, 29, 5, 7)));
	assert_true(matches("30 2 * * *", minute(2026, 3, 1, 2, 30)));
	assert_false(matches("30 2 * * *", minute(2026, 3, 1, 2, 31)));
	assert_true(matches("*/5 * * * mon-fri", minute(2026, 11, 27, 13, 55))); /* a Friday */
	assert_false(matches("*/5 * * * mon-fri", minute(2026, 11, 28, 13, 55)));
	assert_true(matches("0 0 * * 7", minute(2026, 11, 29, 0, 0))); /* Sunday is 0 and 7 */
	assert_true(matches("0 0 * * sun", minute(2026, 11, 29, 0, 0)));
	assert_true(matches("0,30 8-10/2 1 jan,Dec *", minute(2026, 12, 1, 10, 30)));
	assert_false(matches("0,30 8-10/2 1 jan,Dec *", minute(2026, 12, 1, 9, 30)));
	/* with both days given either suffices, as in Vixie's cron */
	assert_true(matches("0 0 13 * fri", minute(2026, 11, 27, 0, 0)));
	assert_true(matches("0 0 13 * fri", minute(2026, 11, 13, 0, 0)));
	assert_false(matches("0 0 13 * fri", minute(2026, 11, 12, 0, 0)));
	assert_true(matches("@daily", minute(2028, 2, 29, 0, 0)));
	assert_true(matches("@weekly", minute(2026, 11, 29, 0, 0)));
	assert_false(matches("@reboot", minute(2026, 11, 29, 0, 0)));
}

static void test_wrong_entries_say_why(void **state)
{
	static const char *const bad[] = { "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
					   "* * * * 8", "*/0 * * * *", "5-2 * * * *", "a * * * *", "@never", "1,, * * * *" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cron cron;
		const char *why = NULL;

		assert_true(cron_read(text_of(bad[i]), &cron, &why) < 0);
		assert_non_null(why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_match_their_minutes),
		cmocka_unit_test(test_wrong_entries_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
