/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "spimend/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_text(struct text t, const char *expected)
{
	if (!text_equal(t, text_of(expected)))
		fail_msg("\"%.*s\" where \"%s\" was expected", TEXT_ARG(t), expected);
}

static void slices_stay_inside(void **state)
{
	struct text t = TEXT("abc");

	(void)state;
	assert_text(text_skip(t, 1), "bc");
	assert_int_equal(text_skip(t, 4).len, 0);
	assert_int_equal(text_skip(t, SIZE_MAX).len, 0);
	assert_int_equal(text_skip(TEXT_NONE, 1).len, 0);
	assert_text(text_first(t, 2), "ab");
	assert_text(text_first(t, SIZE_MAX), "abc");
	assert_text(text_between(t.at + 1, t.at + 3), "bc");
	assert_int_equal(text_of(NULL).len, 0);
}

static void characters(void **state)
{
	(void)state;
	for (int c = -128; c < 128; c++) {
		const char *digits = "0123456789abcdefABCDEF";
		const char *at = c ? strchr(digits, c) : NULL;
		int expected = !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;

		assert_int_equal(char_hex((char)c), expected);
		assert_int_equal(char_is_digit((char)c), c >= '0' && c <= '9');
		assert_int_equal(char_is_alpha((char)c), (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
		assert_int_equal(char_is_blank((char)c), c == ' ' || (c >= 9 && c <= 13 && c != 11 && c != 12));
		assert_int_equal(char_lower((char)c), c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
}

static void comparing(void **state)
{
	static const struct {
		struct text a, b;
		bool equal, nocase, starts, starts_nocase, ends;
	} rows[] = {
		{ TEXT(""), TEXT(""), true, true, true, true, true },
		{ TEXT("a"), TEXT(""), false, false, true, true, true },
		{ TEXT(""), TEXT("a"), false, false, false, false, false },
		{ TEXT("abc"), TEXT("abc"), true, true, true, true, true },
		{ TEXT("abc"), TEXT("aBC"), false, true, false, true, false },
		{ TEXT("abc"), TEXT("ab"), false, false, true, true, false },
		{ TEXT("abc"), TEXT("bc"), false, false, false, false, true },
		{ TEXT("abc"), TEXT("AB"), false, false, false, true, false },
		{ TEXT("a\0c"), TEXT("a\0d"), false, false, false, false, false },
		{ TEXT("a\0c"), TEXT("a\0c"), true, true, true, true, true },
		{ TEXT("[@"), TEXT("{`"), false, false, false, false, false }, /* 32 apart and no letters */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(text_equal(rows[i].a, rows[i].b), rows[i].equal);
		assert_int_equal(text_equal_nocase(rows[i].a, rows[i].b), rows[i].nocase);
		assert_int_equal(text_starts(rows[i].a, rows[i].b), rows[i].starts);
		assert_int_equal(text_starts_nocase(rows[i].a, rows[i].b), rows[i].starts_nocase);
		assert_int_equal(text_ends(rows[i].a, rows[i].b), rows[i].ends);
	}
	assert_true(text_equal(TEXT_NONE, TEXT("")));
}

static void finding(void **state)
{
	static const struct {
		const char *text, *needle;
		size_t at, nocase;
	} rows[] = {
		{ "", "", 0, 0 },
		{ "abc", "", 0, 0 },
		{ "abc", "c", 2, 2 },
		{ "abc", "C", TEXT_NOT_FOUND, 2 },
		{ "abc", "abcd", TEXT_NOT_FOUND, TEXT_NOT_FOUND },
		{ "aabaab", "AAB", TEXT_NOT_FOUND, 0 },
		{ "xaabaab", "baab", 3, 3 },
		{ "", "a", TEXT_NOT_FOUND, TEXT_NOT_FOUND },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(text_find(text_of(rows[i].text), text_of(rows[i].needle)), rows[i].at);
		assert_int_equal(text_find_nocase(text_of(rows[i].text), text_of(rows[i].needle)), rows[i].nocase);
		assert_int_equal(text_has(text_of(rows[i].text), text_of(rows[i].needle)), rows[i].at != TEXT_NOT_FOUND);
	}
	assert_int_equal(text_find_char(TEXT("a\0b"), '\0'), 1);
	assert_int_equal(text_find_char(TEXT("ab"), '\0'), TEXT_NOT_FOUND);
	assert_int_equal(text_find_char(TEXT_NONE, 'a'), TEXT_NOT_FOUND);
}

static void taking(void **state)
{
	struct text t = TEXT("Name: value, rest");
	struct text before;

	(void)state;
	assert_false(text_take(&t, TEXT("name")));
	assert_text(t, "Name: value, rest");
	assert_true(text_take_nocase(&t, TEXT("nAmE")));
	assert_false(text_take_char(&t, 'x'));
	assert_true(text_take_char(&t, ':'));
	assert_true(text_take_blanks(&t));
	assert_false(text_take_blanks(&t));
	assert_text(text_take_until(&t, ",;"), "value");
	assert_text(text_take_until(&t, ",;"), "");
	assert_text(t, ", rest");
	before = t;
	assert_false(text_take(&t, TEXT(", rest and more")));
	assert_true(t.at == before.at && t.len == before.len);
	assert_text(text_take_word(&t), ",");
	assert_text(text_take_word(&t), "rest");
	assert_text(text_take_word(&t), "");
	assert_false(text_take_char(&t, 'x'));
	/* A NUL stops nothing. */
	t = TEXT("a\0b,c");
	assert_int_equal(text_take_until(&t, ",").len, 3);
	assert_text(text_trim(TEXT(" \t\r\na b\n ")), "a b");
	assert_text(text_trim(TEXT(" \t ")), "");
}

static void taking_lines(void **state)
{
	struct text t = TEXT("one\r\n\ntwo\rthree\r\r\nlast");
	struct text line;

	(void)state;
	assert_true(text_take_line(&t, &line));
	assert_text(line, "one");
	assert_true(text_take_line(&t, &line));
	assert_text(line, "");
	assert_true(text_take_line(&t, &line));
	assert_text(line, "two\rthree\r");
	assert_true(text_take_line(&t, &line));
	assert_text(line, "last");
	assert_false(text_take_line(&t, &line));
	assert_text(line, "last");
}

static void taking_digits(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		bool taken;
		uint64_t value;
		size_t digits;
		const char *rest;
	} rows[] = {
		{ "12ab", 4, true, 12, 2, "ab" },
		{ "12345", 4, true, 1234, 4, "5" },
		{ "007", 9, true, 7, 3, "" },
		{ "x1", 4, false, 0, 0, "x1" },
		{ "", 4, false, 0, 0, "" },
		{ "1", 0, false, 0, 0, "1" },
		{ "99999999999999999999", 99, true, UINT64_C(9999999999999999999), 19, "9" }, /* never past 64 bits */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text t = text_of(rows[i].text);
		uint64_t value = 0;
		size_t digits = 0;

		assert_int_equal(text_take_digits(&t, rows[i].max, &value, &digits), rows[i].taken);
		assert_int_equal(value, rows[i].value);
		assert_int_equal(digits, rows[i].digits);
		assert_text(t, rows[i].rest);
	}
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int result;
		uint64_t value;
	} decimals[] = {
		{ "0", 0, 0, 0 },
		{ "1", 0, SPIMEND_E_RANGE, 0 },
		{ "255", 255, 0, 255 },
		{ "256", 255, SPIMEND_E_RANGE, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, SPIMEND_E_RANGE, 0 },
		{ "99999999999999999999999", UINT64_MAX, SPIMEND_E_RANGE, 0 },
		{ "000000000000000000000000000001", 1, 0, 1 },
		{ "", 9, SPIMEND_E_SYNTAX, 0 },
		{ "-1", 9, SPIMEND_E_SYNTAX, 0 },
		{ "1 ", 9, SPIMEND_E_SYNTAX, 0 },
		{ "9", 5, SPIMEND_E_RANGE, 0 },
		{ "0x1", 9, SPIMEND_E_SYNTAX, 0 },
	};
	static const struct {
		const char *text;
		int result;
		uint32_t value;
	} hexes[] = {
		{ "0xB761863E", 0, 0xb761863e }, { "0Xff", 0, 0xff },       { "22642f0c", 0, 0x22642f0c },
		{ "0", 0, 0 },                   { "0x", SPIMEND_E_SYNTAX, 0 }, { "", SPIMEND_E_SYNTAX, 0 },
		{ "123456789", SPIMEND_E_RANGE, 0 }, { "0x123456789", SPIMEND_E_RANGE, 0 },
		{ "xyz", SPIMEND_E_SYNTAX, 0 },  { "0x0x1", SPIMEND_E_SYNTAX, 0 }, { "1g", SPIMEND_E_SYNTAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(decimals); i++) {
		uint64_t value = 4711;

		assert_int_equal(text_decimal(text_of(decimals[i].text), decimals[i].max, &value), decimals[i].result);
		assert_int_equal(value, decimals[i].result ? 4711 : decimals[i].value);
	}
	for (size_t i = 0; i < COUNT(hexes); i++) {
		uint32_t value = 4711;

		assert_int_equal(text_hex32(text_of(hexes[i].text), &value), hexes[i].result);
		assert_int_equal(value, hexes[i].result ? 4711 : hexes[i].value);
	}
}

static void copying(void **state)
{
	char to[4] = "zzz";

	(void)state;
	assert_int_equal(text_copy(TEXT("ab"), to, sizeof(to)), 2);
	assert_string_equal(to, "ab");
	assert_int_equal(text_copy(TEXT("abc"), to, sizeof(to)), 3);
	assert_string_equal(to, "abc");
	assert_int_equal(text_copy(TEXT("abcd"), to, sizeof(to)), 3);
	assert_string_equal(to, "abc");
	assert_int_equal(text_copy(TEXT("abcd"), to, 1), 0);
	assert_string_equal(to, "");
	to[0] = 'k';
	assert_int_equal(text_copy(TEXT("x"), to, 0), 0);
	assert_int_equal(to[0], 'k');
	assert_int_equal(text_copy(TEXT_NONE, to, sizeof(to)), 0);
	assert_string_equal(to, "");
}

/* RFC 3629 4: every code point has exactly one form. */
static size_t encode(uint32_t c, size_t width, char *to)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = width - 1; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((width == 1 ? 0 : lead[width]) | c);
	return width;
}

static void utf8_of_every_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x120000; c++) {
		size_t least = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		bool valid = c < 0x110000 && !(c >= 0xd800 && c < 0xe000);

		for (size_t width = least; width <= 4; width++) {
			char bytes[4];
			struct text t = { bytes, encode(c, width, bytes) };

			if (text_is_utf8(t) != (valid && width == least))
				fail_msg("U+%04X in %zu bytes", c, width);
			if (width > 1 && text_is_utf8(text_first(t, width - 1)))
				fail_msg("U+%04X cut", c);
		}
	}
}

static void utf8_of_broken_bytes(void **state)
{
	static const struct {
		struct text text;
		bool valid;
	} rows[] = {
		{ TEXT(""), true },           { TEXT("plain"), true },          { TEXT("a\0b"), true },
		{ TEXT("\x80"), false },      { TEXT("\xc3"), false },          { TEXT("\xc3\xa9"), true },
		{ TEXT("\xc3\xa9x"), true },  { TEXT("\xc3\xa9\xa9"), false },  { TEXT("\xff"), false },
		{ TEXT("\xfe\xff"), false },  { TEXT("x\xe2\x80"), false },     { TEXT("\xe2\x80\x99""d"), true },
		{ TEXT("\xf8\x88\x80\x80\x80"), false }, { TEXT("caf\xe9"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(text_is_utf8(rows[i].text), rows[i].valid);
}

static void resembling(void **state)
{
	static const struct {
		const char *typed, *keyword;
		size_t below, edits; /* SIZE_MAX: it does not */
	} rows[] = {
		{ "hostname", "hostname", SIZE_MAX, 0 },
		{ "HOSTNAME", "hostname", SIZE_MAX, 0 },
		{ "hostnaem", "hostname", SIZE_MAX, 1 }, /* exchanged */
		{ "ohstnaem", "hostname", SIZE_MAX, 2 },
		{ "ostname", "hostname", SIZE_MAX, 1 },  /* left out */
		{ "hosttname", "hostname", SIZE_MAX, 1 },
		{ "hostmane", "hostname", SIZE_MAX, 2 },
		{ "ho", "hostname", SIZE_MAX, SIZE_MAX },
		{ "hostnxyz", "hostname", SIZE_MAX, 3 },  /* a third and one more */
		{ "hostwxyz", "hostname", SIZE_MAX, SIZE_MAX },
		{ "logging", "hostname", SIZE_MAX, SIZE_MAX },
		{ "hostnaem", "hostname", 2, 1 },
		{ "hostnaem", "hostname", 1, SIZE_MAX },
		{ "hostname", "hostname", 1, 0 },
		{ "hostname", "hostname", 0, SIZE_MAX },
		{ "a", "a", SIZE_MAX, 0 },
		{ "b", "a", SIZE_MAX, SIZE_MAX },        /* all of it is another */
		{ "ab", "if", SIZE_MAX, SIZE_MAX },
		{ "fi", "if", SIZE_MAX, 1 },
		{ "", "if", SIZE_MAX, SIZE_MAX },
		{ "if", "", SIZE_MAX, SIZE_MAX },
		{ "", "", SIZE_MAX, SIZE_MAX },
		{ "123456789012345678901234567890123456789012345678", "123456789012345678901234567890123456789012345678", SIZE_MAX, 0 },
		{ "1234567890123456789012345678901234567890123456789", "123456789012345678901234567890123456789012345678", SIZE_MAX,
		  SIZE_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t edits = 77;
		bool does = text_resembles(text_of(rows[i].typed), text_of(rows[i].keyword), rows[i].below, &edits);

		if (does != (rows[i].edits != SIZE_MAX) || (does ? edits != rows[i].edits : edits != 77))
			fail_msg("'%s' and '%s': %zu", rows[i].typed, rows[i].keyword, edits);
	}
}

/* Short texts are searched in another way than long ones. */
static void finding_near_the_length_where_the_way_changes(void **state)
{
	char bytes[600];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = "aab"[i * 7 % 11 % 3];
	for (size_t len = 500; len < 520; len++) {
		for (size_t at = 0; at + 8 <= len; at++) {
			struct text needle = { bytes + at, len - at < 40 ? len - at : 40 }, t = { bytes, len };
			const char *expected = memmem(bytes, len, needle.at, needle.len);

			assert_int_equal(text_find(t, needle), expected - bytes);
		}
		assert_int_equal(text_find((struct text){ bytes, len }, TEXT("abc")), TEXT_NOT_FOUND);
		assert_int_equal(text_find((struct text){ bytes, len }, TEXT("c")), TEXT_NOT_FOUND);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_stay_inside),
		cmocka_unit_test(characters),
		cmocka_unit_test(comparing),
		cmocka_unit_test(resembling),
		cmocka_unit_test(finding),
		cmocka_unit_test(taking),
		cmocka_unit_test(taking_lines),
		cmocka_unit_test(taking_digits),
		cmocka_unit_test(numbers),
		cmocka_unit_test(copying),
		cmocka_unit_test(utf8_of_every_code_point),
		cmocka_unit_test(utf8_of_broken_bytes),
		cmocka_unit_test(finding_near_the_length_where_the_way_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
