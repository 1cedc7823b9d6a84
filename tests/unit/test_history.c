/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "base/memory.h"
#include "record/history.h"

static struct history *history;
static char shown[1 << 18];
static const int64_t start = INT64_C(1795345200); /* a whole minute */

static int set_up(void **state)
{
	(void)state;
	return history_new(&history);
}

static int tear_down(void **state)
{
	(void)state;
	history_free(history);
	return 0;
}

static void add(int64_t second, uint64_t strays, uint64_t tunnels)
{
	struct history_sample s = { .known = 1u << HISTORY_STRAYS | 1u << HISTORY_TUNNELS };

	s.values[HISTORY_STRAYS] = strays;
	s.values[HISTORY_TUNNELS] = tunnels;
	history_add(history, (struct instant){ (start + second) * SECOND_NS + 5 }, &s);
}

static const char *show(int64_t second, bool by_minute)
{
	cleanup(buffer_done) struct buffer out = { 0 };

	history_json(history, (struct instant){ (start + second) * SECOND_NS + 5 }, by_minute, &out);
	assert_int_equal(buffer_error(&out), 0);
	text_copy(buffer_text(&out), shown, sizeof(shown));
	assert_int_equal(strlen(shown), out.len);
	return shown;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%.2000s", part, text);
}

static size_t times(const char *text)
{
	const char *at = strstr(text, "\"t\":[");
	size_t n = at[5] != ']';

	for (; *at != ']'; at++)
		n += *at == ',';
	return n;
}

static void test_counters_become_what_each_second_added(void **state)
{
	(void)state;
	add(0, 100, 7);
	add(1, 103, 7);
	add(1, 109, 9); /* the same second: not another point */
	add(2, 103, 8);
	has(show(2, false), "\"step_s\":1,\"t\":[1795345200,1795345201,1795345202]");
	has(shown, "\"strays\":[null,3,0]");
	has(shown, "\"strangers\":[null,null,null]");
	has(shown, "\"tunnels\":[7,7,8]");
}

static void test_a_gap_and_a_counter_that_began_anew_are_not_known(void **state)
{
	(void)state;
	add(0, 100, 1);
	add(1, 101, 1);
	add(4, 150, 1); /* three seconds were left out */
	add(5, 3, 1);   /* it began anew */
	add(6, 4, 1);
	has(show(6, false), "\"strays\":[null,1,null,null,1]");
}

static void test_it_is_bounded_and_the_oldest_goes(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 5000; i++)
		add(i, (uint64_t)i * 2, 1);
	assert_int_equal(times(show(4999, false)), HISTORY_SECONDS);
	has(shown, "\"strays\":[2,2,"); /* the first one has one before it */
	assert_int_equal(times(show(4999, true)), 84); /* 83 minutes and one begun */
	has(shown, "\"step_s\":60");
	has(shown, "\"strays\":[null,120,120,");
	for (int64_t i = 5000; i < 200000; i += 20)
		add(i, (uint64_t)i, 1);
	assert_int_equal(times(show(199980, true)), HISTORY_MINUTES);
}

static void test_what_is_old_is_not_shown(void **state)
{
	(void)state;
	add(0, 1, 1);
	add(1, 2, 1);
	assert_int_equal(times(show(HISTORY_SECONDS + 2, false)), 0);
	assert_int_equal(times(show(HISTORY_SECONDS + 2, true)), 1);
}

static void test_a_clock_that_is_set_back_begins_anew(void **state)
{
	(void)state;
	add(1000, 5, 1);
	add(1001, 6, 1);
	add(10, 7, 1);
	add(11, 9, 1);
	has(show(11, false), "\"t\":[1795345210,1795345211]");
	has(shown, "\"strays\":[null,2]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counters_become_what_each_second_added, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_gap_and_a_counter_that_began_anew_are_not_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_is_bounded_and_the_oldest_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_old_is_not_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_clock_that_is_set_back_begins_anew, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
