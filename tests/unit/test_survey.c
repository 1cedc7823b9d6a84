/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "base/memory.h"
#include "fleet/survey.h"

#define SECOND INT64_C(1000000000)

static struct config_devices *devices;

static int setup(void **state)
{
	struct survey *survey = NULL;

	devices = memory_new(1, sizeof(*devices));
	assert_non_null(devices);
	devices->login_count = 1;
	for (devices->count = 0; devices->count < 10; devices->count++)
		devices->at[devices->count].login = devices->count != 3; /* nobody logs in to that one */
	assert_int_equal(survey_new(devices, 100 * SECOND, &survey), 0);
	*state = survey;
	return 0;
}

static int teardown(void **state)
{
	survey_free(*state);
	memory_free(devices);
	return 0;
}

static void test_each_is_asked_once_and_never_many_at_once(void **state)
{
	struct survey *s = *state;
	uint32_t device, asked[10] = { 0 }, under_way[SURVEY_AT_ONCE], count = 0, total = 0, known, all;
	int64_t now = 100 * SECOND, due, last = 0;

	assert_false(survey_next(s, now, &device, &due));
	assert_int_equal(due, now + SURVEY_FIRST_NS);
	for (now = due; total < 9; now += SECOND / 10) {
		if (survey_next(s, now, &device, &due)) {
			assert_true(now - last >= SURVEY_GAP_NS);
			last = now;
			assert_int_equal(asked[device]++, 0);
			assert_true(count < SURVEY_AT_ONCE);
			under_way[count++] = device;
			total++;
		}
		if (count == SURVEY_AT_ONCE)
			while (count)
				survey_told(s, under_way[--count], true, now);
	}
	while (count)
		survey_told(s, under_way[--count], true, now);
	assert_int_equal(asked[3], 0);
	survey_figures(s, &known, &all);
	assert_int_equal(known, 9);
	assert_int_equal(all, 9);
	/* A day later again, and not before. */
	assert_false(survey_next(s, now + SURVEY_GAP_NS, &device, &due));
	assert_true(due > now + SURVEY_AGAIN_NS - 60 * SECOND);
	assert_true(survey_next(s, due, &device, &due));
}

static void test_one_that_does_not_answer_waits_longer_each_time(void **state)
{
	int64_t now = 100 * SECOND, due, wait = SURVEY_RETRY_NS;
	uint32_t device, known, all;
	struct survey *s = NULL;

	(void)state;
	devices->count = 1;
	assert_int_equal(survey_new(devices, now, &s), 0);
	now += SURVEY_FIRST_NS;
	for (int i = 0; i < 12; i++) {
		assert_true(survey_next(s, now, &device, &due));
		assert_false(survey_next(s, now + SURVEY_AGAIN_NS, &device, &due)); /* it is under way */
		survey_told(s, device, false, now);
		assert_false(survey_next(s, now + SURVEY_GAP_NS, &device, &due));
		assert_int_equal(due, now + wait);
		now = due;
		wait = 2 * wait > SURVEY_AGAIN_NS ? SURVEY_AGAIN_NS : 2 * wait;
	}
	assert_int_equal(wait, SURVEY_AGAIN_NS);
	survey_figures(s, &known, &all);
	assert_int_equal(known, 0);
	assert_true(survey_next(s, now, &device, &due));
	survey_told(s, device, true, now);
	survey_told(s, device, true, now); /* once is enough */
	survey_figures(s, &known, &all);
	assert_int_equal(known, 1);
	survey_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_is_asked_once_and_never_many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_does_not_answer_waits_longer_each_time, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
