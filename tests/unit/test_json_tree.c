/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/json.h"
#include "parse/json_tree.h"
#include "spimend/error.h"

static void assert_text(struct text got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.at, want, got.len);
}

static void test_members_elements_and_numbers(void **state)
{
	static const char text[] = " {\"a\":\"one\",\"b\":[1,2.5e3,{\"c\":null}],\"d\":true,\"e\":-7,\"f\":false,\"g\":{},\"h\":[]} ";
	struct json_tree tree = { 0 };
	const struct json_node *root, *b;
	uint64_t u;
	int64_t s;

	(void)state;
	assert_int_equal(json_tree_read(&tree, text_of(text), NULL), 0);
	root = json_tree_root(&tree);
	assert_int_equal(root->type, JSON_OBJECT);
	assert_text(json_tree_text(&tree, root, "a"), "one");
	b = json_tree_first(&tree, json_tree_find(&tree, root, "b"));
	assert_int_equal(b->type, JSON_NUMBER);
	assert_text(json_tree_next(&tree, b)->text, "2.5e3");
	b = json_tree_next(&tree, json_tree_next(&tree, b));
	assert_int_equal(json_tree_find(&tree, b, "c")->type, JSON_NULL);
	assert_null(json_tree_next(&tree, b));
	assert_true(json_tree_true(&tree, root, "d"));
	assert_false(json_tree_true(&tree, root, "f"));
	assert_true(json_tree_number(json_tree_find(&tree, root, "e"), &s));
	assert_int_equal(s, -7);
	assert_false(json_tree_unsigned(&tree, root, "e", &u));
	assert_null(json_tree_first(&tree, json_tree_find(&tree, root, "g")));
	assert_null(json_tree_find(&tree, root, "z"));
	assert_null(json_tree_find(&tree, NULL, "z"));
	assert_int_equal(json_tree_text(&tree, root, "e").len, 0);
	json_tree_done(&tree);
}

static void test_escapes(void **state)
{
	struct json_tree tree = { 0 };
	static const char text[] = "{\"a\\n\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fc\\u20ac\\ud83d\\ude00\\u0000.\"}";

	(void)state;
	assert_int_equal(json_tree_read(&tree, text_of(text), NULL), 0);
	assert_text(json_tree_text(&tree, json_tree_root(&tree), "a\n"), "\"\\/\b\f\n\r\t\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd.");
	json_tree_done(&tree);
}

static void test_what_is_no_json(void **state)
{
	static const char *const bad[] = {
		"", " ", "{", "}", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "'x'", "01", "1.", "-", "+1", "1e", "nul", "truex", "\"", "\"\\x\"",
		"\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\n\"", "[1 2]", "1 1", "{\"a\":1 \"b\":2}", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
	};
	struct json_tree tree = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(json_tree_read(&tree, text_of(bad[i]), NULL) < 0);
		assert_null(json_tree_root(&tree));
	}
	json_tree_done(&tree);
}

static void test_limits(void **state)
{
	struct json_tree tree = { 0 };
	struct buffer many = { 0 };
	size_t offset;

	(void)state;
	buffer_add_string(&many, "[0");
	for (int i = 0; i < 2 * JSON_TREE_NODES_MAX; i++)
		buffer_add_string(&many, ",0");
	buffer_add_char(&many, ']');
	assert_int_equal(json_tree_read(&tree, buffer_text(&many), &offset), SPIMEND_E_LIMIT);
	assert_true(offset > JSON_TREE_NODES_MAX);
	buffer_clear(&many);
	buffer_add_repeat(&many, ' ', JSON_TREE_BYTES_MAX + 1);
	assert_int_equal(json_tree_read(&tree, buffer_text(&many), NULL), SPIMEND_E_LIMIT);
	assert_int_equal(json_tree_read(&tree, TEXT("[1, x]"), &offset), SPIMEND_E_SYNTAX);
	assert_int_equal(offset, 4);
	buffer_done(&many);
	json_tree_done(&tree);
}

/* What base/json writes of any bytes comes back, but for what is no UTF-8. */
static void test_what_is_written_comes_back(void **state)
{
	struct json_tree tree = { 0 };
	struct buffer out = { 0 };
	struct json j;
	char bytes[127];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i + 1);
	json_init(&j, &out);
	json_object(&j, NULL);
	json_text(&j, "x", (struct text){ bytes, sizeof(bytes) });
	json_unsigned(&j, "n", UINT64_MAX);
	json_object_end(&j);
	for (int turn = 0; turn < 2; turn++) { /* a tree is used again */
		uint64_t n = 0;

		assert_int_equal(json_tree_read(&tree, buffer_text(&out), NULL), 0);
		assert_int_equal(json_tree_text(&tree, json_tree_root(&tree), "x").len, sizeof(bytes));
		assert_memory_equal(json_tree_text(&tree, json_tree_root(&tree), "x").at, bytes, sizeof(bytes));
		assert_true(json_tree_unsigned(&tree, json_tree_root(&tree), "n", &n));
		assert_true(n == UINT64_MAX);
	}
	buffer_done(&out);
	json_tree_done(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_elements_and_numbers),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_what_is_no_json),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_what_is_written_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
