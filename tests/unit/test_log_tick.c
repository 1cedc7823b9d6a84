/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/log_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct scan scan;
static struct hosts hosts;

static void take_fact(void *context, const struct log_fact *fact)
{
	(void)context;
	(void)fact;
}

static struct log *open_log(int year)
{
	const struct log_rules rules = { .stamps = { .year = year, .now = { INT64_C(1793577600) * SECOND_NS } } };
	const struct log_sink sink = { .fact = take_fact };
	struct log *log;

	assert_int_equal(log_new(&rules, &scan, &hosts, &sink, &log), 0);
	return log;
}

static bool same(const struct heading *a, const struct heading *b)
{
	return text_equal(a->host, b->host) && a->used == b->used && a->has_heard == b->has_heard &&
	       a->has_device == b->has_device && (!a->has_heard || a->heard.ns == b->heard.ns) &&
	       (!a->has_device || a->device.ns == b->device.ns) && a->heard_unset == b->heard_unset &&
	       a->device_unset == b->device_unset && a->impossible == b->impossible;
}

/* What the short cut says of this text, framing_read() must say too. `quick` asks that it is taken. */
static void compare(struct log *log, struct text text, bool closed, bool quick)
{
	struct heading by_short, by_long;

	if (!log_quick_heading(log, text, closed, &by_short)) {
		if (quick)
			fail_msg("the long way: %.*s", TEXT_ARG(text));
		return;
	}
	log_framed_heading(log, text, closed, &by_long);
	if (!same(&by_short, &by_long))
		fail_msg("%s \"%.*s\": %.*s, %zu; the long way %.*s, %zu", closed ? "closed" : "open", TEXT_ARG(text),
			 TEXT_ARG(by_short.host), by_short.used, TEXT_ARG(by_long.host), by_long.used);
}

static const struct {
	bool closed;
	const char *text;
} rows[] = {
	{ true, "Nov  2 04:00:48 rt7 4711: Nov  2 04:00:48.123: " },
	{ true, "Nov  2 04:00:48 hub-1.example 4711: *Nov  2 03:59:59: " },
	{ true, "Nov  2 04:00:48 rt7 4711: .Nov  2 04:00:48.123: " },
	{ true, "Nov  2 04:00:48 fw254 : " },
	{ false, "Nov  2 04:00:48 gw_17 charon[912]: 03[IKE] CHILD_SA x" },
	{ false, "Nov  2 04:00:48 srv kernel: audit: type=1415 audit(1.2:3): op=SA-notfound" },
};

static void the_short_cut_says_what_the_framing_says(void **state)
{
	static const char wrong[] = "0 9:aZ*.<[]-_/=%\n";
	static const int years[] = { 0, 2026 };

	(void)state;
	for (size_t y = 0; y < COUNT(years); y++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			struct log *log = open_log(years[y]);
			struct text text = text_of(rows[i].text);

			log_tick(log, TEXT("Nov  2 04:00:40 rt7 sshd[1]: a line before"));
			compare(log, text, rows[i].closed, true);
			for (size_t at = 0; at < text.len; at++) {
				for (size_t w = 0; w + 1 < sizeof(wrong); w++) {
					char *copy = malloc(text.len); /* of its exact size: a read past the end is seen */

					memcpy(copy, text.at, text.len);
					copy[at] = wrong[w];
					compare(log, (struct text){ copy, text.len }, rows[i].closed, false);
					compare(log, (struct text){ copy, at }, rows[i].closed, false);
					free(copy);
				}
			}
			log_free(log);
		}
	}
}

static void zones_are_no_hosts(void **state)
{
	static const char *const zones[] = { "EST", "UTC", "Z", "NZDT", "UTC-7", "met", "rt", "HUB", "UTC-x" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(zones); i++) {
		struct log *log = open_log(2026);

		log_tick(log, TEXT("Nov  2 04:00:40 rt7 sshd[1]: a line before"));
		snprintf(text, sizeof(text), "Nov  2 04:00:48 %s 4711: Nov  2 04:00:48.123: ", zones[i]);
		compare(log, text_of(text), true, false);
		snprintf(text, sizeof(text), "Nov  2 04:00:48 %s charon[912]: 03[IKE] x", zones[i]);
		compare(log, text_of(text), false, false);
		log_free(log);
	}
}

/* --year is that of the first line: behind New Year the stamps are of the next one, and the short cut knows. */
static void the_year_turns(void **state)
{
	static const char *const lines[] = { "Dec 31 23:59:58 rt7 : ", "Jan  1 00:00:01 rt7 : ", "Dec 31 23:59:59 rt7 : ",
					     "Jul  5 01:00:00 rt7 : ", "Dec 31 10:00:00 rt7 : ", "Feb 29 01:00:00 rt7 : " };
	struct log *log = open_log(2026);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT(lines); i++) {
			log_tick(log, text_of(lines[i]));
			for (size_t k = 0; k < COUNT(lines); k++)
				compare(log, text_of(lines[k]), true, false);
		}
	}
	log_free(log);
}

static int prepare(void **state)
{
	const struct hash_key key = { 1, 2 };

	(void)state;
	scan_init(&scan);
	return hosts_init(&hosts, &key);
}

static int clean(void **state)
{
	(void)state;
	hosts_done(&hosts);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_short_cut_says_what_the_framing_says),
		cmocka_unit_test(zones_are_no_hosts),
		cmocka_unit_test(the_year_turns),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}
