/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "eem/pattern.h"
#include "spimend/error.h"

static struct eem_pattern *compiled(const char *expression)
{
	struct eem_pattern *p = NULL;
	char why[160] = "";
	size_t offset;

	if (eem_pattern_new(text_of(expression), why, sizeof(why), &offset, &p) != 0)
		fail_msg("%s: %s", expression, why);
	return p;
}

static enum eem_match search(const char *expression, const char *text)
{
	struct eem_pattern *p = compiled(expression);
	struct text captures[EEM_CAPTURES_MAX];
	uint32_t count;
	enum eem_match plain = eem_pattern_search(p, text_of(text), NULL, NULL);

	/* with captures PCRE2 answers, without them perhaps we ourselves: never differently */
	assert_int_equal(eem_pattern_search(p, text_of(text), captures, &count), plain);
	eem_pattern_free(p);
	return plain;
}

static void test_the_expressions_of_applets_match(void **state)
{
	static const char message[] =
		"%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=192.0.2.7, prot=50, "
		"spi=0x68842105(1753489669), srcaddr=11.1.1.3, input interface=Ethernet0/0";
	static const char *const yes[] = {
		"CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=11.1.1.3", "RECVD_PKT", "", ".*", "srcaddr=11\\.1\\.1\\.3(,|$)",
		"^%CRYPTO", "0/0$", "spi=0x[0-9A-F]+\\(", "prot=(50|51)", "des?taddr", "destad{2}r", "(LINK|CRYPTO-4)", ".*(AAA|rec'd).*",
		"(?i)crypto", "i.valid", "\\sinvalid\\s", "[[:digit:]]/[[:digit:]]", "RECVD.PKT", "d.+has", "\\(1753489669\\)",
	};
	static const char *const no[] = {
		"CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=11.1.1.4", "recvd", "^CRYPTO", "srcaddr=11\\.1\\.1\\.3$", "(AAA|BBB)",
		"srcaddr.*destaddr", "0/0.", "destad{3}r", "Ethernet0/0.+", "\\D1753489669\\)x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (search(yes[i], message) != EEM_MATCH)
			fail_msg("'%s' does not match", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (search(no[i], message) != EEM_NO_MATCH)
			fail_msg("'%s' matches", no[i]);
}

static void test_what_cannot_be_an_expression_says_why(void **state)
{
	static const struct {
		const char *expression, *why;
		size_t at;
	} bad[] = {
		{ "*abc", "nothing stands in front", 0 },
		{ "a|+b", "nothing stands in front", 2 },
		{ "(*VERB)", "nothing stands in front", 1 },
		{ "a**", "two repetitions", 2 },
		{ "a+{2}", "two repetitions", 2 },
		{ "(ab", "a parenthesis is not closed", 3 },
		{ "[ab", "a bracket is not closed", 0 },
		{ "a\\", "nothing behind it", 1 },
		{ "\\q", "means nothing", 0 },
		{ "(?<=a)b", "there are only", 0 },
		{ "(?R)", "there are only", 0 },
		{ "a{300}", "0 to 255", 1 },
		{ "[[:nope:]]", "no such character class", 1 },
		{ "\\2(a)", "does not stand in front", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct eem_pattern *p = NULL;
		char why[160] = "";
		size_t offset = 99;

		assert_int_equal(eem_pattern_new(text_of(bad[i].expression), why, sizeof(why), &offset, &p), SPIMEND_E_SYNTAX);
		if (!strstr(why, bad[i].why) || offset != bad[i].at)
			fail_msg("'%s' at %zu: %s", bad[i].expression, offset, why);
	}
}

static void test_captures(void **state)
{
	struct eem_pattern *p = compiled("srcaddr=([0-9.]+)(, input interface=(\\S+))?");
	struct text c[EEM_CAPTURES_MAX];
	uint32_t count;

	(void)state;
	assert_int_equal(eem_pattern_search(p, TEXT("x srcaddr=11.1.1.3, input interface=Et0/0 y"), c, &count), EEM_MATCH);
	assert_int_equal(count, 4);
	assert_true(text_equal(c[1], TEXT("11.1.1.3")));
	assert_true(text_equal(c[3], TEXT("Et0/0")));
	assert_int_equal(eem_pattern_search(p, TEXT("srcaddr=11.1.1.3"), c, &count), EEM_MATCH);
	assert_null(c[3].at);
	eem_pattern_free(p);
}

/* Expressions that take exponential time elsewhere end, and say that they were ended. */
static void test_no_expression_hangs(void **state)
{
	static const char *const evil[] = { "(a+)+$", "(a|aa)+$", "(a*)*b", "([a-z]+)*=", "(.*)*x$", "(x+x+)+y", "(?:(a+)b?)+c" };
	static char text[5000];

	(void)state;
	memset(text, 'a', sizeof(text) - 2);
	text[sizeof(text) - 2] = '!';
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		struct eem_pattern *p = compiled(evil[i]);

		assert_int_not_equal(eem_pattern_search(p, text_of(text), NULL, NULL), EEM_MATCH);
		eem_pattern_free(p);
	}
}

static void test_what_every_match_contains(void **state)
{
	const struct eem_literal *l;
	struct eem_pattern *p = compiled("A-4-BC.*d.f|GHI+[0-9]JK?L");
	uint32_t alternatives, count = eem_pattern_literals(p, &l, &alternatives);

	(void)state;
	assert_int_equal(alternatives, 2);
	assert_int_equal(count, 5);
	assert_true(text_equal(l[0].text, TEXT("A-4-BC")));
	assert_true(text_equal(l[1].text, ((struct text){ "d\0f", 3 })));
	assert_true(text_equal(l[2].text, TEXT("GHI")));
	assert_int_equal(l[2].alternative, 1);
	assert_true(text_equal(l[3].text, TEXT("J")));
	assert_true(text_equal(l[4].text, TEXT("L")));
	eem_pattern_free(p);
	p = compiled("ABC|[0-9]+");
	assert_int_equal(eem_pattern_literals(p, &l, &alternatives), 0);
	eem_pattern_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_expressions_of_applets_match),
		cmocka_unit_test(test_what_cannot_be_an_expression_says_why),
		cmocka_unit_test(test_captures),
		cmocka_unit_test(test_no_expression_hangs),
		cmocka_unit_test(test_what_every_match_contains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
