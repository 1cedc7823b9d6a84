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
	enum survey_question question;

	assert_false(survey_next(s, now, &device, &question, &due));
	assert_int_equal(due, now + SURVEY_FIRST_NS);
	for (now = due; total < 9; now += SECOND / 10) {
		if (survey_next(s, now, &device, &question, &due)) {
			assert_true(now - last >= SURVEY_GAP_NS);
			last = now;
			assert_int_equal(asked[device]++, 0);
			assert_true(count < SURVEY_AT_ONCE);
			under_way[count++] = device;
			total++;
		}
		if (count == SURVEY_AT_ONCE)
			while (count)
				survey_told(s, under_way[--count], SURVEY_ADDRESSES, true, now);
	}
	while (count)
		survey_told(s, under_way[--count], SURVEY_ADDRESSES, true, now);
	assert_int_equal(asked[3], 0);
	survey_figures(s, SURVEY_ADDRESSES, &known, &all);
	assert_int_equal(known, 9);
	assert_int_equal(all, 9);
	/* A day later again, and not before. */
	assert_false(survey_next(s, now + SURVEY_GAP_NS, &device, &question, &due));
	assert_true(due > now + SURVEY_AGAIN_NS - 60 * SECOND);
	assert_true(survey_next(s, due, &device, &question, &due));
}

static void test_one_that_does_not_answer_waits_longer_each_time(void **state)
{
	int64_t now = 100 * SECOND, due, wait = SURVEY_RETRY_NS;
	enum survey_question question;
	uint32_t device, known, all;
	struct survey *s = NULL;

	(void)state;
	devices->count = 1;
	assert_int_equal(survey_new(devices, now, &s), 0);
	now += SURVEY_FIRST_NS;
	for (int i = 0; i < 12; i++) {
		assert_true(survey_next(s, now, &device, &question, &due));
		assert_false(survey_next(s, now + SURVEY_AGAIN_NS, &device, &question, &due)); /* it is under way */
		survey_told(s, device, SURVEY_ADDRESSES, false, now);
		assert_false(survey_next(s, now + SURVEY_GAP_NS, &device, &question, &due));
		assert_int_equal(due, now + wait);
		now = due;
		wait = 2 * wait > SURVEY_AGAIN_NS ? SURVEY_AGAIN_NS : 2 * wait;
	}
	assert_int_equal(wait, SURVEY_AGAIN_NS);
	survey_figures(s, SURVEY_ADDRESSES, &known, &all);
	assert_int_equal(known, 0);
	assert_true(survey_next(s, now, &device, &question, &due));
	survey_told(s, device, SURVEY_ADDRESSES, true, now);
	survey_told(s, device, SURVEY_ADDRESSES, true, now); /* once is enough */
	survey_figures(s, SURVEY_ADDRESSES, &known, &all);
	assert_int_equal(known, 1);
	survey_free(s);
}

static void test_routers_of_sdwan_are_asked_for_their_site_too(void **state)
{
	int64_t now = 100 * SECOND, due;
	uint32_t asked[10][SURVEY_QUESTIONS] = { 0 }, device, known, all;
	enum survey_question question;
	struct survey *s = NULL;

	(void)state;
	devices->at[2].platform = devices->at[3].platform = devices->at[7].platform = PLATFORM_SDWAN;
	assert_int_equal(survey_new(devices, now, &s), 0);
	for (int i = 0; i < 200; i++, now += SECOND)
		while (survey_next(s, now, &device, &question, &due)) {
			asked[device][question]++;
			survey_told(s, device, question, device != 7, now);
		}
	for (int i = 0; i < 10; i++) {
		assert_int_equal(asked[i][SURVEY_ADDRESSES], i != 3);
		assert_int_equal(asked[i][SURVEY_SITE], i == 2 || i == 7); /* nobody logs in to 3 */
	}
	survey_figures(s, SURVEY_ADDRESSES, &known, &all);
	assert_true(known == 8 && all == 9);
	survey_figures(s, SURVEY_SITE, &known, &all);
	assert_true(known == 1 && all == 2);
	assert_true(survey_next(s, now + SURVEY_RETRY_NS, &device, &question, &due));
	survey_lost(s, now + SURVEY_RETRY_NS);
	survey_told(s, device, question, true, now); /* too late */
	survey_figures(s, question, &known, &all);
	assert_true(known == (question == SURVEY_ADDRESSES ? 8 : 1));
	survey_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_is_asked_once_and_never_many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routers_of_sdwan_are_asked_for_their_site_too, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_does_not_answer_waits_longer_each_time, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
