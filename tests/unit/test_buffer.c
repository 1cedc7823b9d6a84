/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "base/buffer.h"

static void grows_and_keeps_what_it_has(void **state)
{
	struct buffer b = { 0 };
	size_t expected = 0;

	(void)state;
	assert_int_equal(buffer_text(&b).len, 0);
	for (int i = 0; i < 3000; i++) {
		buffer_add_char(&b, (char)('a' + i % 26));
		buffer_add(&b, TEXT("xyz"));
		buffer_add_string(&b, NULL);
		expected += 4;
	}
	assert_int_equal(b.len, expected);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(b.bytes[i * 4], 'a' + i % 26);
		assert_memory_equal(b.bytes + i * 4 + 1, "xyz", 3);
	}
	assert_int_equal(buffer_error(&b), 0);
	buffer_done(&b);
	assert_int_equal(b.len, 0);
	buffer_add(&b, TEXT("again"));
	assert_true(text_equal(buffer_text(&b), TEXT("again")));
	buffer_done(&b);
	buffer_done(&b);
}

static void clears_without_giving_back(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_add(&b, TEXT("first"));
	buffer_clear(&b);
	assert_int_equal(buffer_text(&b).len, 0);
	buffer_add(&b, TEXT("2"));
	assert_true(text_equal(buffer_text(&b), TEXT("2")));
	buffer_done(&b);
}

static void prints_at_every_fill(void **state)
{
	(void)state;
	/* Around the first room of 256 bytes: the terminator of vsnprintf must fit and must not count. */
	for (size_t fill = 240; fill < 270; fill++) {
		struct buffer b = { 0 };

		buffer_add_repeat(&b, '-', fill);
		buffer_printf(&b, "%s=%d", "answer", 42);
		buffer_add_char(&b, '!');
		assert_int_equal(b.len, fill + 10);
		assert_memory_equal(b.bytes + fill, "answer=42!", 10);
		assert_int_equal(b.bytes[fill - 1], '-');
		buffer_done(&b);
	}
}

static void remembers_that_memory_ran_out(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_add(&b, TEXT("kept"));
	buffer_add_repeat(&b, 'x', SIZE_MAX - 2); /* wraps around when it is added to the length */
	assert_int_equal(buffer_error(&b), -ENOMEM);
	buffer_add(&b, TEXT("not added"));
	assert_true(text_equal(buffer_text(&b), TEXT("kept")));
	buffer_clear(&b);
	assert_int_equal(buffer_error(&b), 0);
	buffer_add_repeat(&b, 'x', SIZE_MAX / 2 + 2); /* no power of two holds it */
	assert_int_equal(buffer_error(&b), -ENOMEM);
	buffer_clear(&b);
	buffer_add(&b, TEXT("usable"));
	assert_true(text_equal(buffer_text(&b), TEXT("usable")));
	buffer_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps_what_it_has),
		cmocka_unit_test(clears_without_giving_back),
		cmocka_unit_test(prints_at_every_fill),
		cmocka_unit_test(remembers_that_memory_ran_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
