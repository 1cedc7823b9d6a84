/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "plan_incident.h"
#include "record/incident_text.h"

static char said[65536];

static const char *text_with(const struct incident *i, struct text_style style)
{
	struct buffer out = { 0 };
	struct plan plan;

	plan_build(i, &plan);
	record_incident_text(i, &plan, &style, &out);
	assert_int_equal(buffer_error(&out), 0);
	assert_true(out.len < sizeof(said));
	text_copy(buffer_text(&out), said, sizeof(said));
	assert_int_equal(out.len, strlen(said)); /* no NUL */
	buffer_done(&out);
	return said;
}

#define assert_says(string, part) assert_non_null(strstr(string, part))
#define assert_silent(string, part) assert_null(strstr(string, part))

static void test_headline_and_rows(void **state)
{
	struct incident i = test_incident();

	(void)state;
	text_with(&i, (struct text_style){ .width = 100 });
	assert_int_equal(strncmp(said, "DESYNC      10.1.1.1 -> 10.10.1.2  ESP 0x1db73bbb  [k3v9q2]\n", 60), 0);
	assert_says(said, "\n  seen      2 messages from 2025-09-02 13:36:47 to 2025-09-02 13:37:48 UTC, by hub\n");
	assert_says(said, "\n  why       The same flow and SPI came again after 60.8 s.");
	assert_says(said, "[log-repeat]");
	assert_says(said, "\n  cause     The cause is not known");
	assert_says(said, "\n  do        1. at ");
}

/* A neighbour may come first; it is not where the incident was first seen. */
static void test_first_is_its_own(void **state)
{
	struct evidence e[] = {
		{ .kind = FACT_RESTART, .from = TEXT("hub.log:1") },
		{ .kind = FACT_STRAY, .from = TEXT("spoke.log:2"), .other_end = true },
		{ .kind = FACT_REPLAY, .from = TEXT("hub.log:3") },
		{ .kind = FACT_STRAY, .from = TEXT("hub.log:4") },
	};
	struct incident i = test_incident();

	(void)state;
	i.kind = FACT_STRAY;
	i.evidence = e;
	i.evidence_count = 4;
	assert_says(text_with(&i, (struct text_style){ .width = 200 }), "first in hub.log:4\n");
	i.evidence_count = 2;
	assert_silent(text_with(&i, (struct text_style){ .width = 200 }), "first in");
	i.protocol = SPIMEND_PROTOCOL_UNKNOWN;
	i.spi.value = 0x4d2;
	assert_says(text_with(&i, (struct text_style){ .width = 200 }), "10.10.1.2  SPI 0x4d2  [");
	assert_silent(said, "0x000004d2");
}

/* Without --explain: where, what, what else, and when; never the whole reasoning. */
static void test_plan_is_brief(void **state)
{
	static const char reasoning[] = "this is the end to act at";
	struct incident i = test_incident();

	(void)state;
	text_with(&i, (struct text_style){ .width = 400 });
	assert_says(said, "\n               Where 10.1.1.1 is yours to log in to: first confirm here with `show crypto ipsec sa "
			  "peer 10.10.1.2` that the current outbound spi is 0x1db73bbb (498547643); if it is another one, clear nothing.\n       "
			  "     2. at");
	assert_says(said, "\n               Where 10.1.1.1 is foreign or cannot be reached: not where 10.10.1.2 uses a dynamic "
			  "crypto map");
	assert_says(said, "\n            3. at 10.1.1.1 (sender), only with a person's approval:\n");
	assert_says(said, "\n  do not    ");
	assert_silent(said, reasoning);
	assert_says(text_with(&i, (struct text_style){ .width = 400, .explain = true }), reasoning);
	assert_says(text_with(&i, (struct text_style){ .width = 400, .verbose = true }), reasoning);
	i.flags = FLAG_MANY_PEERS;
	assert_silent(text_with(&i, (struct text_style){ .width = 400 }), "2. at");
	assert_says(said, "One peer first, verify, then the next");
	assert_says(text_with(&i, (struct text_style){ .width = 400, .explain = true }), "2. at");
	i.flags = 0;
	i.verdict = VERDICT_UNDECIDED;
	i.rule = RULE_LOG_ONCE_SHORT;
	text_with(&i, (struct text_style){ .width = 400 });
	assert_says(said, "\n  if again  1. at 10.1.1.1 (sender): clear crypto sa peer 10.10.1.2\n");
	assert_says(said, "3. at 10.1.1.1 (sender), only with a person's approval: clear crypto session remote 10.10.1.2\n");
}

static void test_many(void **state)
{
	struct incident i = test_incident();

	(void)state;
	i.verdict = VERDICT_NOISE;
	i.rule = RULE_FLOOD;
	i.has_spi = false;
	i.src.family = 0;
	i.spis = 5000;
	i.sources = 70;
	text_with(&i, (struct text_style){ .width = 100 });
	assert_int_equal(strncmp(said, "NOISE       many sources -> 10.10.1.2  5000 SPIs  [", 50), 0);
	assert_silent(said, "cause");
	assert_silent(said, "  do ");
	i.sources = 0;
	assert_says(text_with(&i, (struct text_style){ .width = 100 }), "unknown source -> ");
}

/* No line is longer than the width, unless it is one word or a command. */
static void test_wrapping(void **state)
{
	struct incident i = test_incident();

	(void)state;
	for (size_t width = 60; width <= 140; width += 8) {
		struct text rest, line;

		text_with(&i, (struct text_style){ .width = width, .explain = true });
		rest = text_of(said);
		while (text_take_line(&rest, &line)) {
			bool command = text_has(line, TEXT("clear crypto")) || text_has(line, TEXT("show crypto"));

			if (!command && line.len > width)
				fail_msg("%zu columns: %.*s", width, TEXT_ARG(line));
			assert_false(line.len > 0 && line.at[line.len - 1] == ' ');
		}
	}
}

static void test_colour_only_where_wanted(void **state)
{
	static const enum verdict verdicts[] = { VERDICT_DESYNC, VERDICT_UNDECIDED, VERDICT_TRANSIENT, VERDICT_NOISE,
						 VERDICT_OTHER_FAULT };
	struct incident i = test_incident();

	(void)state;
	for (size_t v = 0; v < 5; v++) {
		i.verdict = verdicts[v];
		i.rule = verdicts[v] == VERDICT_OTHER_FAULT ? RULE_SA_FOUND : RULE_LOG_REPEAT;
		assert_silent(text_with(&i, (struct text_style){ .width = 100, .explain = true, .verbose = true }), "\033");
		assert_int_equal(text_with(&i, (struct text_style){ .width = 100, .colour = true })[0], '\033');
		assert_says(said, "\033[0m");
	}
}

/* Whatever a message, a host name or a file name says, nothing of it steers the terminal. */
static void test_hostile_text(void **state)
{
	struct incident i = test_incident();

	(void)state;
	for (int c = 0; c < 256; c++) {
		char bytes[] = { 'a', (char)c, 'b', ' ', (char)c, (char)c, 'd' };
		char second[] = { 'x', (char)0xc2, (char)c, 'y' };
		struct evidence e[2] = {
			{ .kind = FACT_STRAY, .from = { bytes, sizeof(bytes) }, .text = { bytes, sizeof(bytes) } },
			{ .kind = FACT_STRAY, .from = TEXT("f"), .text = { second, sizeof(second) } },
		};

		i.observer = (struct text){ bytes, sizeof(bytes) };
		i.interface = (struct text){ bytes, sizeof(bytes) };
		i.evidence = e;
		i.evidence_count = 2;
		text_with(&i, (struct text_style){ .width = 100, .explain = true, .verbose = true });
		assert_true(text_is_utf8(text_of(said)));
		for (const char *p = said; *p; p++) {
			unsigned char u = (unsigned char)*p;

			if (u != '\n')
				assert_true(u >= 0x20 && u != 0x7f);
			if (u == 0xc2)
				assert_true((unsigned char)p[1] >= 0xa0); /* C1 controls */
		}
	}
}

static void test_utf8_stays(void **state)
{
	struct evidence e = { .kind = FACT_STRAY, .from = TEXT("f:1"), .text = TEXT("caf\xc3\xa9   r\xc3\xb6uter\tok") };
	struct incident i = test_incident();

	(void)state;
	i.evidence = &e;
	i.evidence_count = 1;
	assert_says(text_with(&i, (struct text_style){ .width = 100, .verbose = true }), "caf\xc3\xa9 r\xc3\xb6uter ok\n");
}

static void test_summary(void **state)
{
	struct summary s = { .files = 1, .lines = 1, .messages = 1, .incidents = 1, .by_verdict = { [VERDICT_TRANSIENT] = 1 } };
	struct text_style style = { .width = 100 };
	struct summary_skip skip = { .from = TEXT("a:1"), .reason = TEXT("cut"), .text = TEXT("x\033[2J") };
	struct buffer out = { 0 };

	(void)state;
	s.unparsed = 1;
	s.unparsed_lines = &skip;
	s.unparsed_lines_count = 1;
	record_summary_text(&s, &style, 10, &out);
	text_copy(buffer_text(&out), said, sizeof(said));
	buffer_done(&out);
	assert_says(said, "Not understood: 1 line that names the message\n  a:1: cut: x.[2J\n");
	assert_says(said, "1 line in 1 file, 1 message about an unknown SPI");
	assert_says(said, "1 incident: 1 transient\n");
	assert_silent(said, "\033");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headline_and_rows),
		cmocka_unit_test(test_first_is_its_own),
		cmocka_unit_test(test_plan_is_brief),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_wrapping),
		cmocka_unit_test(test_colour_only_where_wanted),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_utf8_stays),
		cmocka_unit_test(test_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
