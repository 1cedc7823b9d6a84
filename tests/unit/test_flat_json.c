/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/buffer.h"
#include "parse/flat_json.h"
#include "spimend/error.h"

static struct flat_json object;

static int read(const char *text)
{
	return flat_json_read(text_of(text), &object);
}

static void test_every_kind_of_value_is_read(void **state)
{
	(void)state;
	assert_int_equal(read(" {\"a\":\"x\", \"b\" : -12 ,\"c\":true,\"d\":false,\"e\":null} \r\n"), 0);
	assert_int_equal(object.count, 5);
	assert_string_equal(flat_json_find(&object, "a")->text, "x");
	assert_int_equal(flat_json_find(&object, "b")->number, -12);
	assert_int_equal(flat_json_find(&object, "c")->type, FLAT_TRUE);
	assert_int_equal(flat_json_find(&object, "d")->type, FLAT_FALSE);
	assert_int_equal(flat_json_find(&object, "e")->type, FLAT_NULL);
	assert_null(flat_json_find(&object, "f"));
	assert_int_equal(read("{}"), 0);
	assert_int_equal(object.count, 0);
}

static void test_escapes_become_utf8(void **state)
{
	(void)state;
	assert_int_equal(read("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00\\u0041\"}"), 0);
	assert_string_equal(object.members[0].text, "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" "A");
}

static void test_what_is_no_flat_object_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "x", "[]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{,}", "{\"a\":1}x", "{\"a\":{}}", "{\"a\":[1]}",
		"{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "{a:1}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\n\"}", "{\"a\":\"", "{\"a\":1.5}",
		"{\"a\":1234567890123456789}", "{\"a\":tru}", "{\"a\":\"\\", "{\"a\":\"\\u12",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read(bad[i]) != SPIMEND_E_SYNTAX)
			fail_msg("accepted: %s", bad[i]);
}

static void test_sizes_are_bounded(void **state)
{
	struct buffer text = { 0 };

	(void)state;
	buffer_add_string(&text, "{\"a\":\"");
	buffer_add_repeat(&text, 'x', FLAT_JSON_TEXT_MAX);
	buffer_add_string(&text, "\"}");
	assert_int_equal(flat_json_read(buffer_text(&text), &object), SPIMEND_E_LIMIT);
	buffer_clear(&text);
	for (int i = 0; i < FLAT_JSON_MEMBERS_MAX + 1; i++)
		buffer_printf(&text, "%s\"m%d\":%d", i ? "," : "{", i, i);
	buffer_add_char(&text, '}');
	assert_int_equal(flat_json_read(buffer_text(&text), &object), SPIMEND_E_LIMIT);
	buffer_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_of_value_is_read),
		cmocka_unit_test(test_escapes_become_utf8),
		cmocka_unit_test(test_what_is_no_flat_object_is_refused),
		cmocka_unit_test(test_sizes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
