/* SPDX-License-Identifier: MIT */
/* src/parse/syslog.c: messages out of streams, and messages as lines of a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include "parse/syslog.h"

#define STAMP "Nov  2 04:00:48 "

static char line[70000];
static bool odd;

static const char *rewritten(const char *message)
{
	size_t n = syslog_rewrite(text_of(message), STAMP, TEXT("src00001"), line, &odd);

	line[n] = '\0';
	return line;
}

/* All messages of `bytes`, each behind a '|', the last step's name at the end; fed in pieces of `piece`. */
static const char *taken(struct text bytes, size_t piece)
{
	static char shown[4096], room[SYSLOG_FRAME_MAX + 8];
	struct syslog_stream stream = { 0 };
	size_t len = 0, at = 0;
	const char *why = "";

	shown[0] = '\0';
	while (at < bytes.len) {
		size_t n = bytes.len - at < piece ? bytes.len - at : piece, fits = sizeof(room) - len;
		struct text left, message;
		enum syslog_step step;

		assert_true(fits > 0);
		n = n < fits ? n : fits;
		memcpy(room + len, bytes.at + at, n);
		at += n;
		left = (struct text){ room, len + n };
		while ((step = syslog_take(&stream, &left, &message, &why)) == SYSLOG_STEP_MESSAGE || step == SYSLOG_STEP_CUT)
			snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "|%.*s%s", TEXT_ARG(text_first(message, 20)),
				 step == SYSLOG_STEP_CUT ? "..." : "");
		memmove(room, left.at, left.len);
		len = left.len;
		if (step == SYSLOG_STEP_BROKEN) {
			snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "|BROKEN: %s", why);
			return shown;
		}
	}
	{
		struct text last;

		if (syslog_take_last(&stream, (struct text){ room, len }, &last))
			snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "|%.*s$", TEXT_ARG(last));
	}
	return shown;
}

static void test_both_framings_wherever_they_are_cut(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 40; piece++) {
		assert_string_equal(taken(TEXT("7 <1>a\nb03 xyz12 <189>hello w"), piece), "|<1>a\nb0|xyz|<189>hello w");
		assert_string_equal(taken(TEXT("<1>one\n<2>two\n\n<3>three"), piece), "|<1>one|<2>two||<3>three$");
	}
	/* Some senders end a message with a NUL byte. */
	assert_string_equal(taken(TEXT("<1>one\0<2>two\n"), 100), "|<1>one|<2>two");
}

static void test_what_is_no_framing_is_named(void **state)
{
	(void)state;
	assert_string_equal(taken(TEXT("1073741824 x"), 100), "|BROKEN: a length beyond 65536");
	assert_string_equal(taken(TEXT("65537 x"), 100), "|BROKEN: a length beyond 65536");
	assert_string_equal(taken(TEXT("012 x"), 100), "|BROKEN: no length where one is expected");
	assert_string_equal(taken(TEXT("12x"), 100), "|BROKEN: no blank behind a length");
	assert_string_equal(taken(TEXT("3 abc<1>x"), 100), "|abc|BROKEN: no length where one is expected");
	assert_string_equal(taken(TEXT("5 ab"), 100), ""); /* half of one: nothing yet, and nothing at the end */
}

static void test_a_line_without_end_is_cut_once(void **state)
{
	static char many[200000];

	(void)state;
	memset(many, 'x', sizeof(many));
	many[150000] = '\n';
	memcpy(many + 150001, "<1>next\n", 8);
	assert_string_equal(taken((struct text){ many, 150009 }, 4096), "|xxxxxxxxxxxxxxxxxxxx...|<1>next");
	many[SYSLOG_FRAME_MAX] = '\n'; /* just as long as is taken */
	assert_string_equal(taken((struct text){ many, SYSLOG_FRAME_MAX + 1 }, 4096), "|xxxxxxxxxxxxxxxxxxxx");
}

static void test_a_message_becomes_a_line(void **state)
{
	(void)state;
	assert_string_equal(rewritten("<187>364241: May 19 16:58:44.814 GMT: %ADJ-3-RESOLVE_REQ: x"),
			    STAMP "src00001 364241: May 19 16:58:44.814 GMT: %ADJ-3-RESOLVE_REQ: x");
	assert_false(odd);
	assert_string_equal(rewritten("<189>1 2026-01-10T12:18:43.404+01:00 rt7 charon 912 - [a b=\"x \\] y\"][c] \xef\xbb\xbf" "05[KNL] y"),
			    STAMP "src00001 2026-01-10T12:18:43.404+01:00 rt7 charon[912]: 05[KNL] y");
	assert_string_equal(rewritten("<189>1 - - %SYS-5-CONFIG_I: - - - Configured"), STAMP "src00001 %SYS-5-CONFIG_I: Configured");
	assert_string_equal(rewritten("<189>1 - - - - - -"), STAMP "src00001 ");
	/* Structured data that does not end: then it is not RFC 5424. */
	assert_string_equal(rewritten("<189>1 - h a p m [x"), STAMP "src00001 1 - h a p m [x");
}

static void test_a_priority_that_cannot_be_is_odd(void **state)
{
	(void)state;
	assert_string_equal(rewritten("<192>x"), STAMP "src00001 x");
	assert_true(odd);
	assert_string_equal(rewritten("<1000>x"), STAMP "src00001 <1000>x");
	assert_true(odd);
	assert_string_equal(rewritten("no priority"), STAMP "src00001 no priority");
	assert_true(odd);
	rewritten("<191>x");
	assert_false(odd);
}

static void test_stamps_are_of_one_length(void **state)
{
	char stamp[SYSLOG_STAMP_LEN];

	(void)state;
	syslog_print_stamp(1793592048, stamp);
	assert_memory_equal(stamp, STAMP, SYSLOG_STAMP_LEN);
	syslog_print_stamp(0, stamp);
	assert_memory_equal(stamp, "Jan  1 00:00:00 ", SYSLOG_STAMP_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_framings_wherever_they_are_cut),
		cmocka_unit_test(test_what_is_no_framing_is_named),
		cmocka_unit_test(test_a_line_without_end_is_cut_once),
		cmocka_unit_test(test_a_message_becomes_a_line),
		cmocka_unit_test(test_a_priority_that_cannot_be_is_odd),
		cmocka_unit_test(test_stamps_are_of_one_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
