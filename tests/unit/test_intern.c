/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/intern.h"

static const struct hash_key key = { 7, 9 };

static void keeps_each_text_once(void **state)
{
	struct intern in;
	char name[32];

	(void)state;
	assert_int_equal(intern_init(&in, &key, 1000), 0);
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 1000; i++) {
			snprintf(name, sizeof(name), "rt%u", i);
			assert_int_equal(intern_get(&in, text_of(name)), i + 1);
		}
	}
	assert_int_equal(in.count, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "rt%u", i);
		assert_int_equal(intern_find(&in, text_of(name)), i + 1);
		assert_true(text_equal(intern_text(&in, i + 1), text_of(name)));
	}
	assert_int_equal(in.refused, 0);
	intern_done(&in);
	intern_done(&in);
}

static void is_bounded(void **state)
{
	struct intern in;

	(void)state;
	assert_int_equal(intern_init(&in, &key, 2), 0);
	assert_int_equal(intern_get(&in, TEXT("a")), 1);
	assert_int_equal(intern_get(&in, TEXT("b")), 2);
	assert_int_equal(intern_get(&in, TEXT("c")), 0);
	assert_int_equal(intern_get(&in, TEXT("c")), 0);
	assert_int_equal(in.refused, 2);
	assert_int_equal(intern_get(&in, TEXT("a")), 1);
	assert_int_equal(intern_find(&in, TEXT("c")), 0);
	intern_done(&in);
	assert_int_equal(intern_init(&in, &key, 0), 0);
	assert_int_equal(intern_get(&in, TEXT("a")), 0);
	intern_done(&in);
}

static void none_and_long_texts(void **state)
{
	char text[INTERN_TEXT_MAX + 2];
	struct intern in;
	uint32_t id;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(intern_init(&in, &key, 8), 0);
	assert_int_equal(intern_get(&in, TEXT("")), 0);
	assert_int_equal(intern_get(&in, TEXT_NONE), 0);
	assert_int_equal(intern_find(&in, TEXT_NONE), 0);
	assert_int_equal(intern_text(&in, 0).len, 0);
	assert_int_equal(intern_text(&in, 1).len, 0);
	assert_int_equal(in.refused, 0);
	id = intern_get(&in, (struct text){ text, sizeof(text) });
	assert_int_equal(id, 1);
	assert_int_equal(intern_text(&in, id).len, INTERN_TEXT_MAX);
	assert_int_equal(intern_get(&in, (struct text){ text, sizeof(text) - 1 }), id);
	assert_int_equal(intern_find(&in, (struct text){ text, sizeof(text) - 1 }), id);
	assert_int_not_equal(intern_get(&in, (struct text){ text, INTERN_TEXT_MAX - 1 }), id);
	/* Bytes, not strings; and case counts. */
	assert_int_not_equal(intern_get(&in, TEXT("a\0b")), intern_get(&in, TEXT("a\0c")));
	assert_int_not_equal(intern_get(&in, TEXT("HUB")), intern_get(&in, TEXT("hub")));
	intern_done(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_each_text_once),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(none_and_long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
