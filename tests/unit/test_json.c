/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_written(struct buffer *b, const char *expected)
{
	assert_int_equal(buffer_error(b), 0);
	if (!text_equal(buffer_text(b), text_of(expected)))
		fail_msg("%.*s\nwhere expected:\n%s", TEXT_ARG(buffer_text(b)), expected);
	buffer_done(b);
}

static void escapes_what_it_must(void **state)
{
	static const struct {
		struct text text;
		const char *expected;
	} rows[] = {
		{ TEXT(""), "\"\"" },
		{ TEXT("plain /text"), "\"plain /text\"" },
		{ TEXT("\"\\"), "\"\\\"\\\\\"" },
		{ TEXT("a\nb\tc\rd"), "\"a\\nb\\tc\\rd\"" },
		{ TEXT("\0\1\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\"" },
		{ TEXT("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"" },
		{ TEXT("\xe2\x82\xac\xf0\x9f\x94\x91"), "\"\xe2\x82\xac\xf0\x9f\x94\x91\"" },
		/* Each byte that fits nowhere becomes U+FFFD. */
		{ TEXT("caf\xe9!"), "\"caf\xef\xbf\xbd!\"" },
		{ TEXT("\x80\xff"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ TEXT("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },                     /* overlong slash */
		{ TEXT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },     /* surrogate */
		{ TEXT("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },                     /* cut */
		{ TEXT("\xe2\x82\""), "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\"" },               /* the quote is not swallowed */
		{ TEXT("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ TEXT("\xc3\xa9\xe9\xc3\xa9"), "\"\xc3\xa9\xef\xbf\xbd\xc3\xa9\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer b = { 0 };
		struct json j;

		json_init(&j, &b);
		json_text(&j, NULL, rows[i].text);
		assert_written(&b, rows[i].expected);
	}
}

static void every_pair_of_bytes_is_valid(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	for (unsigned pair = 0; pair < 65536; pair++) {
		char bytes[2] = { (char)(pair >> 8), (char)pair };
		struct json j;

		buffer_clear(&b);
		json_init(&j, &b);
		json_text(&j, NULL, (struct text){ bytes, 2 });
		if (!text_is_utf8(buffer_text(&b)))
			fail_msg("%04x gave no UTF-8", pair);
		for (size_t i = 1; i + 1 < b.len; i++)
			if ((unsigned char)b.bytes[i] < 0x20 || (b.bytes[i] == '"' && b.bytes[i - 1] != '\\'))
				fail_msg("%04x gave a bare control character or quote", pair);
	}
	buffer_done(&b);
}

static void places_commas(void **state)
{
	struct buffer b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b);
	json_object(&j, NULL);
	json_string(&j, "a", "b");
	json_string(&j, "none", NULL);
	json_array(&j, "list");
	json_unsigned(&j, NULL, UINT64_MAX);
	json_signed(&j, NULL, INT64_MIN);
	json_object(&j, NULL);
	json_object_end(&j);
	json_array(&j, NULL);
	json_array_end(&j);
	json_object(&j, NULL);
	json_bool(&j, "t", true);
	json_bool(&j, "f", false);
	json_object_end(&j);
	json_array_end(&j);
	json_null(&j, "quo\"te");
	json_object_end(&j);
	assert_written(&b, "{\"a\":\"b\",\"none\":null,\"list\":[18446744073709551615,-9223372036854775808,{},[],"
			   "{\"t\":true,\"f\":false}],\"quo\\\"te\":null}");
}

static void nests_as_deep_as_promised(void **state)
{
	struct buffer b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b);
	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		json_array(&j, NULL);
	json_unsigned(&j, NULL, 1);
	json_unsigned(&j, NULL, 2);
	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		json_array_end(&j);
	assert_written(&b, "[[[[[[[[[[[[[[[1,2]]]]]]]]]]]]]]]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_what_it_must),
		cmocka_unit_test(every_pair_of_bytes_is_valid),
		cmocka_unit_test(places_commas),
		cmocka_unit_test(nests_as_deep_as_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
