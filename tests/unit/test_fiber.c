/* SPDX-License-Identifier: MIT */
/* src/role/fiber.c: a call that rests; and the judge, weighing in slices, comes to what it comes to in one go. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "judge_case.h"
#include "role/fiber.h"

static struct fiber *fiber;
static char trace[64];

static void deeper(int left)
{
	volatile char room[512];

	room[0] = (char)left;
	if (left == 0)
		fiber_rest(fiber);
	else
		deeper(left - 1);
	assert_int_equal(room[0], (char)left);
}

static void rests_twice(void *context)
{
	strcat(trace, context);
	deeper(20);
	strcat(trace, "b");
	fiber_rest(fiber);
	strcat(trace, "c");
}

static void test_a_call_goes_on_where_it_rested(void **state)
{
	(void)state;
	trace[0] = '\0';
	assert_int_equal(fiber_new(rests_twice, (char[]){ "a" }, &fiber), 0);
	assert_string_equal(trace, "");
	assert_true(fiber_run(fiber));
	strcat(trace, "1");
	assert_true(fiber_run(fiber));
	strcat(trace, "2");
	assert_false(fiber_run(fiber));
	assert_string_equal(trace, "a1b2c");
	fiber_free(fiber);
	assert_int_equal(fiber_new(rests_twice, NULL, &fiber), 0);
	fiber_free(fiber); /* it never ran */
	fiber_free(NULL);
}

/* The mapping that holds the address, and the one below it, as /proc/self/maps has them. */
static void look_below(void *context)
{
	char *ret = context, line[256], below[8] = "";
	uintptr_t here = (uintptr_t)__builtin_frame_address(0), from, to, last = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		char rights[8] = "";

		assert_int_equal(sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, rights), 3);
		if (here >= from && here < to) {
			strcpy(ret, last == from ? below : "nothing");
			break;
		}
		strcpy(below, rights);
		last = to;
	}
	fclose(maps);
}

static void test_nothing_may_be_touched_below_its_stack(void **state)
{
	char below[8] = "";

	(void)state;
	assert_int_equal(fiber_new(look_below, below, &fiber), 0);
	assert_false(fiber_run(fiber));
	assert_string_equal(below, "---p");
	fiber_free(fiber);
}

/* Real desyncs, singles, a scan of one source, one SPI of many sources, times that are equal: each gathering has work. */
static struct judge *told(void)
{
	struct judge_settings settings = settings_default();
	struct judge *j = judge_with(&settings, 7);
	uint32_t random = 1;

	for (uint32_t i = 0; i < 12000; i++) {
		struct fact f = fact_stray("10.0.0.1", "10.9.0.1", 0);
		char host[16];
		struct judge_claim c;

		random = random * 1664525u + 1013904223u;
		f.src = address_v4(0x0a000000 + (i % 5 == 0 ? 7 : random >> 12 & 0x3ff));
		f.dst = address_v4(0x0b000000 + (random >> 24 & 15));
		f.spi.value = i % 7 == 0 ? 0x77777777 : 0x10000000 + (random >> 8 & 0xfff);
		snprintf(host, sizeof(host), "rt%u", random >> 24 & 15);
		c = claim_of(&f, host, 10 * (random >> 20 & 0x3ff));
		judge_claim(j, &c);
	}
	return j;
}

static void weigh(void *context)
{
	assert_int_equal(judge_settle(context), 0);
}

static void rest(void *context)
{
	(void)context;
	fiber_rest(fiber);
}

static void test_weighing_in_slices_changes_no_incident(void **state)
{
	struct judge *one = told(), *other = told();
	char a[INCIDENT_ID_MAX], b[INCIDENT_ID_MAX];
	struct incident x, y;
	size_t slices = 1;

	(void)state;
	assert_int_equal(judge_settle(one), 0);
	for (int round = 0; round < 2; round++) { /* also when it was weighed before */
		judge_breathe(other, rest, NULL);
		assert_int_equal(fiber_new(weigh, other, &fiber), 0);
		for (slices = 1; fiber_run(fiber); slices++)
			;
		fiber_free(fiber);
		assert_true(slices > 50);
		assert_true(judge_incidents(one) > 100);
		assert_int_equal(judge_incidents(other), judge_incidents(one));
		for (size_t i = 0; i < judge_incidents(one); i++) {
			judge_incident_id(one, i, a);
			judge_incident_id(other, i, b);
			assert_string_equal(a, b);
			judge_incident(one, i, &x);
			judge_incident(other, i, &y);
			assert_int_equal(x.verdict, y.verdict);
			assert_int_equal(x.rule, y.rule);
			assert_int_equal(x.cause, y.cause);
			assert_int_equal(x.flags, y.flags);
			assert_int_equal(x.messages, y.messages);
			assert_int_equal(x.spis, y.spis);
			assert_int_equal(x.sources, y.sources);
			assert_int_equal(x.evidence_count, y.evidence_count);
			assert_true(i == 0 || !x.has_times || x.first_seen.ns >= judge_glance(one, i - 1).first.ns);
		}
	}
	judge_free(one);
	judge_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call_goes_on_where_it_rested),
		cmocka_unit_test(test_nothing_may_be_touched_below_its_stack),
		cmocka_unit_test(test_weighing_in_slices_changes_no_incident),
	};

	return cmocka_run_group_tests_name("fiber", tests, NULL, NULL);
}
