/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/memory.h"
#include "record/statistics.h"

static const struct instant now = { INT64_C(1795345200) * SECOND_NS }; /* 2026-11-22 11:00:00 UTC */
static struct incident_row rows[64];
static const struct incident_row *at[64];
static size_t count;

static int set_up(void **state)
{
	(void)state;
	count = 0;
	for (size_t i = 0; i < 64; i++)
		at[i] = &rows[i];
	return 0;
}

/* An incident with peer .`peer`, `ago` before now, that lost packets for `lost`. */
static struct incident_row *add(uint8_t peer, enum cause cause, int64_t ago, int64_t lost, enum incident_state state)
{
	struct incident_row *r = &rows[count++];

	*r = (struct incident_row){ .src = { 4, { 192, 0, 2, peer } }, .dst = { 4, { 192, 0, 2, 1 } }, .verdict = VERDICT_DESYNC,
				    .cause = cause, .state = state, .has_times = true, .first = { now.ns - ago },
				    .last = { now.ns - ago + lost } };
	snprintf(r->id, sizeof(r->id), "id%zu", count);
	if (state == STATE_HEALED)
		r->ended = r->last;
	return r;
}

static void test_what_was_suffered_and_saved(void **state)
{
	struct statistics s;
	struct incident_row *r;

	(void)state;
	r = add(7, CAUSE_CHILD_MISSING, HOUR_NS, MINUTE_NS, STATE_HEALED); /* repaired, known: 29 min spared */
	r->acted = true;
	r->stale_ends.ns = r->ended.ns + 29 * MINUTE_NS;
	r = add(7, CAUSE_CHILD_MISSING, 2 * HOUR_NS, MINUTE_NS, STATE_HEALED); /* repaired, nothing known */
	r->acted = true;
	r = add(7, CAUSE_CHILD_MISSING, 3 * HOUR_NS, MINUTE_NS, STATE_HEALED); /* by itself: nothing of it is ours */
	r->stale_ends.ns = now.ns;
	r = add(8, CAUSE_UNKNOWN, 4 * HOUR_NS, MINUTE_NS, STATE_HEALED); /* repaired after its end: nothing was spared */
	r->acted = true;
	r->stale_ends.ns = r->first.ns;
	add(8, CAUSE_UNKNOWN, 10 * MINUTE_NS, SECOND_NS, STATE_OPEN);       /* goes on: until now */
	add(8, CAUSE_UNKNOWN, 5 * HOUR_NS, 2 * MINUTE_NS, STATE_GAVE_UP);   /* until the last packet */
	add(8, CAUSE_UNKNOWN, 5 * HOUR_NS, 2 * HOUR_NS, STATE_CLOSED)->verdict = VERDICT_TRANSIENT; /* loses nothing */
	assert_int_equal(statistics_new(at, count, GROUP_PEER, now, &s), 0);
	assert_int_equal(s.total.incidents, 7);
	assert_int_equal(s.total.faults, 6);
	assert_int_equal(s.total.healed, 4);
	assert_int_equal(s.total.repaired, 3);
	assert_int_equal(s.total.going_on, 1);
	assert_int_equal(s.total.suffered_ns, 16 * MINUTE_NS);
	assert_int_equal(s.total.longest_ns, 10 * MINUTE_NS);
	assert_int_equal(s.total.saved_known, 2);
	assert_int_equal(s.total.saved_ns, 29 * MINUTE_NS);
	assert_int_equal(s.count, 2); /* most seconds first */
	assert_int_equal(s.groups[0].src.bytes[3], 8);
	assert_int_equal(s.groups[0].suffered_ns, 13 * MINUTE_NS);
	assert_int_equal(s.groups[1].suffered_ns, 3 * MINUTE_NS);
	assert_int_equal(s.groups[1].saved_ns, 29 * MINUTE_NS);
	assert_int_equal(s.groups[1].saved_known, 1);
	statistics_done(&s);
}

static void test_groups_are_whole(void **state)
{
	static const size_t expected[INCIDENT_GROUPS] = { 0, 3, 2, 3, 2 };
	struct statistics s;

	(void)state;
	add(7, CAUSE_CHILD_MISSING, 0, 0, STATE_CLOSED);
	add(8, CAUSE_UNKNOWN, 30 * DAY_NS, 0, STATE_CLOSED);
	add(9, CAUSE_UNKNOWN, 60 * DAY_NS, 0, STATE_CLOSED)->verdict = VERDICT_NOISE;
	add(9, CAUSE_UNKNOWN, 60 * DAY_NS, 0, STATE_CLOSED);
	for (int by = 0; by < INCIDENT_GROUPS; by++) {
		uint64_t sum = 0;

		assert_int_equal(statistics_new(at, count, (enum incident_group)by, now, &s), 0);
		assert_int_equal(s.count, expected[by]);
		for (size_t i = 0; i < s.count; i++)
			sum += s.groups[i].incidents;
		assert_int_equal(sum, by == GROUP_NONE ? 0 : 4);
		if (by == GROUP_MONTH) { /* in order */
			assert_int_equal(s.groups[0].value, 12 * 2026 + 8);
			assert_int_equal(s.groups[2].value, 12 * 2026 + 10);
		}
		statistics_done(&s);
	}
	assert_int_equal(statistics_new(at, 0, GROUP_PEER, now, &s), 0);
	assert_int_equal(s.total.incidents, 0);
	statistics_done(&s);
}

static size_t recurs(uint32_t times, int64_t within, struct recurrence *ret)
{
	struct recurrence *found;
	size_t n;

	assert_int_equal(recurrences_find(at, count, times, within, 4, &found, &n), 0);
	if (n)
		*ret = found[0];
	memory_free(found);
	return n;
}

static void test_the_same_ends_and_cause_within_the_time_recur(void **state)
{
	struct recurrence r = { .times = 0 };

	(void)state;
	add(7, CAUSE_CHILD_MISSING, 20 * DAY_NS, 0, STATE_HEALED); /* too long ago to belong to them */
	add(7, CAUSE_CHILD_MISSING, 6 * DAY_NS, 0, STATE_HEALED);
	add(7, CAUSE_CHILD_MISSING, DAY_NS, 0, STATE_GAVE_UP);
	add(7, CAUSE_UNKNOWN, DAY_NS, 0, STATE_HEALED);       /* another cause */
	add(8, CAUSE_CHILD_MISSING, DAY_NS, 0, STATE_HEALED); /* another peer */
	add(7, CAUSE_CHILD_MISSING, HOUR_NS, 0, STATE_CLOSED)->verdict = VERDICT_TRANSIENT; /* harmless */
	assert_int_equal(recurs(3, 7 * DAY_NS, &r), 0);
	add(7, CAUSE_CHILD_MISSING, 0, 0, STATE_OPEN);
	assert_int_equal(recurs(3, 7 * DAY_NS, &r), 1);
	assert_int_equal(r.times, 3);
	assert_int_equal(r.src.bytes[3], 7);
	assert_int_equal(r.cause, CAUSE_CHILD_MISSING);
	assert_int_equal(r.last.ns - r.first.ns, 6 * DAY_NS);
	assert_string_equal(r.latest, "id7");
	assert_int_equal(recurs(4, 30 * DAY_NS, &r), 1);
	assert_int_equal(recurs(3, 5 * DAY_NS, &r), 0);
	assert_int_equal(recurs(1, DAY_NS, &r), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_was_suffered_and_saved, set_up),
		cmocka_unit_test_setup(test_groups_are_whole, set_up),
		cmocka_unit_test_setup(test_the_same_ends_and_cause_within_the_time_recur, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
