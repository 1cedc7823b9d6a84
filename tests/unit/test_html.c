/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "record/html.h"

static char said[8192];

static const char *html_of(struct text t, size_t max)
{
	struct buffer out = { 0 };

	html_add_cut(&out, t, max);
	assert_int_equal(buffer_error(&out), 0);
	text_copy(buffer_text(&out), said, sizeof(said));
	buffer_done(&out);
	return said;
}

static void test_what_could_be_markup_is_named(void **state)
{
	(void)state;
	assert_string_equal(html_of(TEXT("<script>alert(\"1\" & '2')</script>"), 200),
			    "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
	assert_string_equal(html_of(TEXT("a&lt;b"), 200), "a&amp;lt;b"); /* not taken for escaped already */
	assert_string_equal(html_of(TEXT("]]>--><!--"), 200), "]]&gt;--&gt;&lt;!--");
}

static void test_what_hides_or_turns_text_is_shown(void **state)
{
	(void)state;
	assert_string_equal(html_of(TEXT("a\0b\033[31mc\x7f"), 200), "a\xef\xbf\xbd" "b\xef\xbf\xbd[31mc\xef\xbf\xbd");
	assert_string_equal(html_of(TEXT("one\r\ntwo\tthree"), 200), "one two three");
	assert_string_equal(html_of(TEXT("\xe2\x80\xae" "gnp.exe"), 200), "\xef\xbf\xbdgnp.exe"); /* U+202E */
	assert_string_equal(html_of(TEXT("\xe2\x81\xa6x\xe2\x81\xa9"), 200), "\xef\xbf\xbdx\xef\xbf\xbd"); /* U+2066, U+2069 */
	assert_string_equal(html_of(TEXT("hu\xe2\x80\x8b" "b"), 200), "hu\xef\xbf\xbd" "b"); /* U+200B */
	assert_string_equal(html_of(TEXT("\xc2\x9b" "31m"), 200), "\xef\xbf\xbd" "31m"); /* C1: CSI */
	assert_string_equal(html_of(TEXT("\xf3\xa0\x81\xa1"), 200), "\xef\xbf\xbd"); /* a tag character */
}

static void test_what_is_no_utf8_is_replaced_byte_by_byte(void **state)
{
	(void)state;
	assert_string_equal(html_of(TEXT("\xff\xfe<"), 200), "\xef\xbf\xbd\xef\xbf\xbd&lt;");
	assert_string_equal(html_of(TEXT("\xc0\xbc"), 200), "\xef\xbf\xbd\xef\xbf\xbd"); /* an overlong '<' */
	assert_string_equal(html_of(TEXT("\xed\xa0\x80"), 200), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
	assert_string_equal(html_of(TEXT("\xe2\x82"), 200), "\xef\xbf\xbd\xef\xbf\xbd"); /* cut short */
	assert_string_equal(html_of(TEXT("M\xc3\xbcnchen \xe2\x82\xac \xe6\x9d\xb1 \xf0\x9f\x98\x80"), 200),
			    "M\xc3\xbcnchen \xe2\x82\xac \xe6\x9d\xb1 \xf0\x9f\x98\x80");
}

static void test_long_text_is_cut_and_says_so(void **state)
{
	static char many[100000];

	(void)state;
	memset(many, '<', sizeof(many));
	assert_string_equal(html_of((struct text){ many, sizeof(many) }, 3), "&lt;&lt;&lt;... (99997 bytes more)");
	assert_string_equal(html_of(TEXT("a\xc3\xbc" "b"), 2), "a\xc3\xbc... (1 bytes more)"); /* never within a character */
	assert_string_equal(html_of(TEXT("ab"), 2), "ab");
	assert_string_equal(html_of(TEXT_NONE, 2), "");
}

static void test_commands_in_sentences(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	html_add_sentence(&out, TEXT("type `show <x>` or `y`, and ` alone"));
	text_copy(buffer_text(&out), said, sizeof(said));
	assert_string_equal(said, "type <code>show &lt;x&gt;</code> or <code>y</code>, and ` alone");
	buffer_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_could_be_markup_is_named),
		cmocka_unit_test(test_what_hides_or_turns_text_is_shown),
		cmocka_unit_test(test_what_is_no_utf8_is_replaced_byte_by_byte),
		cmocka_unit_test(test_long_text_is_cut_and_says_so),
		cmocka_unit_test(test_commands_in_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
