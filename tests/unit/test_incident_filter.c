/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "parse/incident_filter.h"
#include "spimend/error.h"

static const struct instant now = { INT64_C(1795345200) * SECOND_NS }; /* 2026-11-22 11:00:00 UTC */
static struct incident_filter f;
static char why[2048];

static int read(const char *words)
{
	struct buffer b = { 0 };
	int r = incident_filter_read(text_of(words), now, true, &f, &b);

	text_copy(buffer_text(&b), why, sizeof(why));
	buffer_done(&b);
	return r;
}

static void test_times_are_ago_or_written(void **state)
{
	static const struct {
		const char *word;
		int64_t ns;
	} cases[] = {
		{ "90s", 90 * SECOND_NS }, { "30m", 30 * MINUTE_NS }, { "2h", 2 * HOUR_NS }, { "7d", 7 * DAY_NS }, { "2W", 14 * DAY_NS },
		{ "now", 0 }, { "2026-11-22", 11 * HOUR_NS }, { "2026-11-22T10:30", 30 * MINUTE_NS }, { "2026-11-22T10:59:59Z", SECOND_NS },
		{ "2026-11-22T11:30:00+01:00", 30 * MINUTE_NS }, { "2026-11-22t10:00:00.5Z", HOUR_NS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char words[64];

		snprintf(words, sizeof(words), "since %s", cases[i].word);
		assert_int_equal(read(words), 0);
		assert_true(f.is_set && f.has_since && !f.has_until);
		assert_int_equal(now.ns - f.since.ns, cases[i].ns);
	}
}

static void test_each_word_narrows(void **state)
{
	(void)state;
	assert_int_equal(read(""), 0);
	assert_false(f.is_set);
	assert_int_equal(read("  peer 192.0.2.7 verdict desync,Other-Fault cause child-missing state gave-up device hub-1 limit 20 by month "), 0);
	assert_int_equal(f.peer.family, 4);
	assert_int_equal(f.verdicts, 1u << VERDICT_DESYNC | 1u << VERDICT_OTHER_FAULT);
	assert_int_equal(f.causes, 1u << CAUSE_CHILD_MISSING);
	assert_int_equal(f.states, 1u << STATE_GAVE_UP);
	assert_string_equal(f.device, "hub-1");
	assert_int_equal(f.limit, 20);
	assert_int_equal(f.by, GROUP_MONTH);
}

static void test_errors_name_the_word(void **state)
{
	static const struct {
		const char *words, *part;
	} cases[] = {
		{ "sinc 2h", "word 'sinc': did you mean since?" },
		{ "since yesterday", "since 'yesterday': how long ago" },
		{ "since 99999999999999999999d", "since '99999999999999999999d'" },
		{ "since 2026-13-01", "since '2026-13-01'" },
		{ "until 2026-11-22T10", "until '2026-11-22T10'" },
		{ "peer hub", "peer 'hub': an IPv4 or IPv6 address" },
		{ "verdict desink", "verdict 'desink': did you mean desync?" },
		{ "verdict nonsense", "there are undecided, transient, desync, noise and other-fault" },
		{ "verdict desync,", "verdict ''" },
		{ "cause child-mising", "did you mean child-missing?" },
		{ "state heald", "did you mean healed?" },
		{ "limit 0", "limit '0': a whole number from 1" },
		{ "limit 100001", "limit '100001'" },
		{ "limit -3", "limit '-3'" },
		{ "by quarterly", "there are peer, cause, month and verdict" },
		{ "since", "'since' needs a value" },
		{ "since 1h until 2h", "nothing lies between" },
		{ "peer \x1b[2J", "peer '.[2J'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f.limit = 77;
		assert_int_equal(read(cases[i].words), SPIMEND_E_SYNTAX);
		if (!strstr(why, cases[i].part))
			fail_msg("no '%s' in '%s'", cases[i].part, why);
		assert_int_equal(f.limit, 77); /* untouched */
	}
}

static void test_groups_belong_to_statistics(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	assert_int_equal(incident_filter_read(TEXT("by month"), now, false, &f, &b), SPIMEND_E_SYNTAX);
	buffer_done(&b);
}

static struct incident_row row_of(int64_t first, int64_t last, enum incident_state state)
{
	return (struct incident_row){ .src = { 4, { 192, 0, 2, 7 } }, .dst = { 4, { 192, 0, 2, 1 } }, .device = "hub", .sender = "spoke1",
				      .verdict = VERDICT_DESYNC, .cause = CAUSE_CHILD_MISSING, .state = state, .has_times = true,
				      .first = { now.ns + first }, .last = { now.ns + last } };
}

static bool takes(const char *words, const struct incident_row *row)
{
	assert_int_equal(read(words), 0);
	return incident_filter_takes(&f, row);
}

static void test_what_went_on_at_that_time_is_taken(void **state)
{
	struct incident_row over = row_of(-5 * HOUR_NS, -3 * HOUR_NS, STATE_CLOSED),
			    open = row_of(-5 * HOUR_NS, -4 * HOUR_NS, STATE_OPEN), timeless = row_of(0, 0, STATE_CLOSED);

	(void)state;
	timeless.has_times = false;
	assert_true(takes("since 4h", &over));
	assert_false(takes("since 2h", &over));
	assert_true(takes("since 2h", &open)); /* it goes on */
	assert_true(takes("until 4h", &over));
	assert_false(takes("until 6h", &over));
	assert_true(takes("since 6h until 4h", &over));
	over.ended.ns = now.ns - HOUR_NS;
	assert_true(takes("since 2h", &over)); /* healed within it */
	assert_false(takes("since 9999d", &timeless));
	assert_true(takes("peer 192.0.2.7", &timeless));
	assert_true(takes("peer 192.0.2.1", &over));
	assert_false(takes("peer 192.0.2.2", &over));
	assert_true(takes("device HUB", &over) && takes("device spoke1", &over));
	assert_false(takes("device spoke", &over));
	assert_true(takes("verdict noise,desync cause unknown,child-missing state closed", &over));
	assert_false(takes("verdict noise", &over) || takes("cause unknown", &over) || takes("state open", &over));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_are_ago_or_written),	  cmocka_unit_test(test_each_word_narrows),
		cmocka_unit_test(test_errors_name_the_word),	  cmocka_unit_test(test_groups_belong_to_statistics),
		cmocka_unit_test(test_what_went_on_at_that_time_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
