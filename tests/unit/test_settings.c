/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "judge_case.h"
#include "spimend/error.h"

static void test_defaults_are_in_range(void **state)
{
	(void)state;
	assert_true(judge_setting_count() > 10);
	for (size_t i = 0; i < judge_setting_count(); i++) {
		struct judge_setting_help h;

		judge_setting_help(i, &h);
		assert_in_range(h.value, h.least, h.most);
		assert_true(strcmp(h.unit, "s") == 0 || strcmp(h.unit, "count") == 0);
		assert_true(strlen(h.help) > 10);
		for (size_t k = 0; k < i; k++) {
			struct judge_setting_help other;

			judge_setting_help(k, &other);
			assert_string_not_equal(h.name, other.name);
		}
	}
}

static void test_set_takes_the_range_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < judge_setting_count(); i++) {
		struct judge_settings s = settings_default(), before = s;
		struct judge_setting_help h;

		judge_setting_help(i, &h);
		assert_int_equal(judge_setting_set(&s, text_of(h.name), h.least - 1), SPIMEND_E_RANGE);
		assert_int_equal(judge_setting_set(&s, text_of(h.name), h.most + 1), SPIMEND_E_RANGE);
		assert_memory_equal(&s, &before, sizeof(s));
		assert_int_equal(judge_setting_set(&s, text_of(h.name), h.least), 0);
		assert_int_equal(judge_setting_set(&s, text_of(h.name), h.most), 0);
		assert_int_not_equal(memcmp(&s, &before, sizeof(s)), 0); /* each row sets something */
		assert_int_equal(judge_setting_set(&s, text_of(h.name), h.value), 0);
		assert_memory_equal(&s, &before, sizeof(s));
	}
}

static void test_unknown_name(void **state)
{
	struct judge_settings s = settings_default();

	(void)state;
	assert_int_equal(judge_setting_set(&s, TEXT("gap"), 50), -ENOENT);
	assert_int_equal(judge_setting_set(&s, TEXT(""), 50), -ENOENT);
}

static void test_groups_and_units(void **state)
{
	struct judge_settings s = settings_default();

	(void)state;
	assert_int_equal(s.gap_ns[DIALECT_IOS], 50 * SECOND_NS);
	assert_int_equal(s.gap_ns[DIALECT_ASA], 5 * SECOND_NS);
	assert_int_equal(s.gap_ns[DIALECT_SCREENOS], 10 * SECOND_NS);
	assert_int_equal(s.gap_ns[DIALECT_LINUX_AUDIT], 7 * SECOND_NS);
	for (int d = 0; d < DIALECT_COUNT; d++)
		assert_true(s.gap_ns[d] > 0);
	assert_int_equal(s.quiet_ns, 300 * SECOND_NS);
	assert_int_equal(s.repeat_window_ns, DAY_NS);
	assert_int_equal(judge_setting_set(&s, TEXT("gap-ios"), 70), 0);
	assert_int_equal(s.gap_ns[DIALECT_IOS], 70 * SECOND_NS);
	assert_int_equal(s.gap_ns[DIALECT_ASA], 5 * SECOND_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_in_range),
		cmocka_unit_test(test_set_takes_the_range_and_no_more),
		cmocka_unit_test(test_unknown_name),
		cmocka_unit_test(test_groups_and_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
