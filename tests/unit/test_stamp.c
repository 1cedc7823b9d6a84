/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/stamp.h"
#include "spimend/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { YEAR = 1, ZONE = 2, UPTIME = 4, UNSET = 8 };

/* The texts are copied to blocks of their exact size: a read past the end is seen. */
static char *exact_copy(const char *text, struct text *ret)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);

	memcpy(copy, text, len);
	*ret = (struct text){ copy, len };
	return copy;
}

static void takes_every_form(void **state)
{
	static const struct {
		const char *text, *rest;
		unsigned has;
		const char *printed; /* resolved with the rules below; NULL for uptimes */
	} rows[] = {
		/* fractions, marks, days (syslog.md 2) */
		{ "Mar 12 18:22:10.706: %X", ": %X", 0, "2026-03-12T18:22:10.706Z" },
		{ "*Mar 12 18:22:10.706: %X", ": %X", UNSET, "2026-03-12T18:22:10.706Z" },
		{ ".Mar 26 20:49:19: %X", ": %X", 0, "2026-03-26T20:49:19.000Z" },
		{ "Apr 29 13:58:46.000001: %X", ": %X", 0, "2026-04-29T13:58:46.000Z" },
		{ "Apr 29 13:58:46.999999: %X", ": %X", 0, "2026-04-29T13:58:46.999Z" },
		{ "Sep  2 13:36:47: %X", ": %X", 0, "2026-09-02T13:36:47.000Z" },
		{ "Sep 2 13:36:47: %X", ": %X", 0, "2026-09-02T13:36:47.000Z" },
		{ "Sep 02 13:36:47: %X", ": %X", 0, "2026-09-02T13:36:47.000Z" },
		{ "SEP 02 13:36:47: %X", ": %X", 0, "2026-09-02T13:36:47.000Z" },
		{ "Sep  2 3:36:47: %X", ": %X", 0, "2026-09-02T03:36:47.000Z" },
		{ "Sep  2 13:36:47", "", 0, "2026-09-02T13:36:47.000Z" },
		{ "Sep  2 13:36:47,287 rt7", " rt7", 0, "2026-09-02T13:36:47.287Z" },
		{ "Sep  2 13:36:47. rt7", ". rt7", 0, "2026-09-02T13:36:47.000Z" },
		/* years */
		{ "Jan 31 2020 17:24:03: %X", ": %X", YEAR, "2020-01-31T17:24:03.000Z" },
		{ "2020 Jan 31 17:24:03.5 %X", " %X", YEAR, "2020-01-31T17:24:03.500Z" },
		{ "Fri Jan 31 17:24:03 2020", "", YEAR, "2020-01-31T17:24:03.000Z" },
		{ "Fri Jan 31 17:24:03 2020: %X", ": %X", YEAR, "2020-01-31T17:24:03.000Z" },
		{ "Fri Jan 31 17:24:03 UTC 2020 rt7", " rt7", YEAR | ZONE, "2020-01-31T17:24:03.000Z" },
		{ "Fri, Jan 31 17:24:03: %X", ": %X", 0, "2026-01-31T17:24:03.000Z" },
		/* a sequence number behind a relay's stamp is no year */
		{ "Jan 31 17:24:03 2010: Jan", " 2010: Jan", 0, "2026-01-31T17:24:03.000Z" },
		{ "Jan 31 17:24:03 4711: Jan", " 4711: Jan", 0, "2026-01-31T17:24:03.000Z" },
		{ "Fri Jan 31 17:24:03 4711: Jan", " 4711: Jan", 0, "2026-01-31T17:24:03.000Z" },
		/* zones: named, glued, with an offset, unknown */
		{ "Jan  8 15:00:23.723 EDT: : %X", ": : %X", ZONE, "2026-01-08T19:00:23.723Z" },
		{ "Jan  8 15:00:23 mdt: %X", ": %X", ZONE, "2026-01-08T21:00:23.000Z" },
		{ "Mar 26 11:39:59KST: %X", ": %X", ZONE, "2026-03-26T02:39:59.000Z" },
		{ "Mar 26 11:39:59 UTC+07:30: %X", ": %X", ZONE, "2026-03-26T04:09:59.000Z" },
		{ "Mar 26 11:39:59 GMT+8: %X", ": %X", ZONE, "2026-03-26T03:39:59.000Z" },
		{ "Mar 26 11:39:59 UTC-3 rt7", " rt7", ZONE, "2026-03-26T14:39:59.000Z" },
		{ "Mar 26 11:39:59 +0100: %X", ": %X", ZONE, "2026-03-26T10:39:59.000Z" },
		{ "Mar 26 11:39:59.123 UTC\t%X", "\t%X", ZONE, "2026-03-26T11:39:59.123Z" },
		{ "Mar 26 11:39:59.1 IST: %X", ": %X", 0, "2026-03-26T11:39:59.100Z" }, /* one of three: not guessed */
		{ "*Mar 26 11:39:59 WIB: %X", ": %X", UNSET, "2026-03-26T11:39:59.000Z" },
		{ "Mar 26 11:39:59 IST: %X", ": %X", 0, "2026-03-26T11:39:59.000Z" },
		/* no zones: hosts */
		{ "Mar 26 11:39:59 HUB: %X", " HUB: %X", 0, "2026-03-26T11:39:59.000Z" },
		{ "Mar 26 11:39:59 HUB %X", " HUB %X", 0, "2026-03-26T11:39:59.000Z" },
		{ "Mar 26 11:39:59 EST1-router %X", " EST1-router %X", 0, "2026-03-26T11:39:59.000Z" },
		{ "Mar 26 11:39:59 est-hub: %X", " est-hub: %X", 0, "2026-03-26T11:39:59.000Z" },
		/* RFC 3339 and its kin */
		{ "2026-11-02T10:15:31.208321-05:00 rt7", " rt7", YEAR | ZONE, "2026-11-02T15:15:31.208Z" },
		{ "2026-11-02T10:15:31Z rt7", " rt7", YEAR | ZONE, "2026-11-02T10:15:31.000Z" },
		{ "2026-11-02t10:15:31z rt7", " rt7", YEAR | ZONE, "2026-11-02T10:15:31.000Z" },
		{ "2026-11-02T10:15:31+0100 rt7", " rt7", YEAR | ZONE, "2026-11-02T09:15:31.000Z" },
		{ "2026-11-02 10:15:31,208 rt7", " rt7", YEAR, "2026-11-02T10:15:31.208Z" },
		{ "2026-11-02 10:15:31 UTC rt7", " rt7", YEAR | ZONE, "2026-11-02T10:15:31.000Z" },
		{ "Mon 2026-11-02 10:15:31 CET rt7", " rt7", YEAR | ZONE, "2026-11-02T09:15:31.000Z" }, /* journalctl */
		{ "2026/11/02 10:15:31 rt7", " rt7", YEAR, "2026-11-02T10:15:31.000Z" },
		{ "2026-11-02T10:15:31", "", YEAR, "2026-11-02T10:15:31.000Z" },
		/* uptimes */
		{ "00:01:01: %X", ": %X", UPTIME, NULL },
		{ "*00:01:01: %X", ": %X", UPTIME | UNSET, NULL },
		{ "43w2d: %X", ": %X", UPTIME, NULL },
		{ "1y03w: %X", ": %X", UPTIME, NULL },
		{ "2d03h: %X", ": %X", UPTIME, NULL },
		{ "1d00h: %X", ": %X", UPTIME, NULL },
	};
	const struct stamp_rules rules = { .year = 2026 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text t;
		char *copy = exact_copy(rows[i].text, &t);
		struct stamp s = { 0 };
		struct instant at;
		unsigned has;

		if (!stamp_take(&t, &s))
			fail_msg("%s: not taken", rows[i].text);
		has = (s.has_year ? YEAR : 0) | (s.has_zone ? ZONE : 0) | (s.is_uptime ? UPTIME : 0) | (s.clock_unset ? UNSET : 0);
		if (!text_equal(t, text_of(rows[i].rest)) || has != rows[i].has)
			fail_msg("%s: rest \"%.*s\", has %u", rows[i].text, TEXT_ARG(t), has);
		if (rows[i].printed) {
			struct buffer b = { 0 };

			assert_int_equal(stamp_resolve(&s, &rules, NULL, &at), 0);
			calendar_print(&b, at);
			if (!text_equal(buffer_text(&b), text_of(rows[i].printed)))
				fail_msg("%s: %.*s", rows[i].text, TEXT_ARG(buffer_text(&b)));
			buffer_done(&b);
		} else {
			assert_int_equal(stamp_resolve(&s, &rules, NULL, &at), SPIMEND_E_RANGE);
		}
		free(copy);
	}
}

static void leaves_what_is_no_stamp(void **state)
{
	static const char *const rows[] = {
		"", "*", ".", "*:", "rt7 %X", "Marx 12 18:22:10", "March 12 18:22:10", "Mar 12", "Mar 12 18:22", "Mar 12 18:22:1",
		"Mar 123 18:22:10", "Mar  18:22:10", "Mar 12 18.22.10", "Mon", "Mon,", "Mon Tue", "2026", "2026-11", "2026-11-02",
		"2026-11-02T", "2026-11-02T10:15", "2026-11/02 10:15:31", "20261102T101531", "12:34", "00:01:01 rt7", "00:01:01",
		"43w2d rt7", "43w2d", "43w: %X", "4711:", "101 21:", "1y2w3d: %X", "192.0.2.1: x", "2001:db8::1: x", "::", "-1",
		"0x12:13:14: x", "Maz 12 18:22:10",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text t;
		char *copy = exact_copy(rows[i], &t);
		struct stamp s = { .civil = { .year = 4711 } };

		if (stamp_take(&t, &s))
			fail_msg("%s was taken", rows[i]);
		assert_true(t.at == copy && t.len == strlen(rows[i]));
		assert_int_equal(s.civil.year, 4711);
		free(copy);
	}
}

static void takes_zones(void **state)
{
	static const struct {
		const char *text;
		bool taken;
		int minutes;
		const char *rest;
	} rows[] = {
		{ "UTC", true, 0, "" },           { "GMT:", true, 0, ":" },       { "Z ", true, 0, " " },
		{ "CEST", true, 120, "" },        { "akdt", true, -480, "" },     { "NZDT", true, 780, "" },
		{ "+01:00", true, 60, "" },       { "-0700", true, -420, "" },    { "+5", true, 300, "" },
		{ "-03", true, -180, "" },        { "UTC+07:30", true, 450, "" }, { "UTC-7", true, -420, "" },
		{ "GMT+8: x", true, 480, ": x" }, { "+05:30:", true, 330, ":" },  { "+1800", true, 1080, "" },
		{ "-08: x", true, -480, ": x" },  { "EST+1", true, -300, "+1" },
		{ "IST", false, 0, "IST" },       { "", false, 0, "" },           { "+", false, 0, "+" },
		{ "+19", false, 0, "+19" },       { "+0160", false, 0, "+0160" }, { "+123", false, 0, "+123" },
		{ "+12345", false, 0, "+12345" }, { "+18:23", false, 0, "+18:23" }, { "-1801", false, 0, "-1801" }, { "UTCX", false, 0, "UTCX" },   { "-", false, 0, "-" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text t;
		char *copy = exact_copy(rows[i].text, &t);
		int minutes = 0;

		if (stamp_take_zone(&t, &minutes) != rows[i].taken || minutes != rows[i].minutes || !text_equal(t, text_of(rows[i].rest)))
			fail_msg("%s: %d, rest \"%.*s\"", rows[i].text, minutes, TEXT_ARG(t));
		free(copy);
	}
}

static struct instant at_text(const char *text)
{
	struct text t = text_of(text);
	struct stamp s;
	struct instant at;

	assert_true(stamp_take(&t, &s) && s.has_year && t.len == 0);
	assert_int_equal(stamp_resolve(&s, &(struct stamp_rules){ 0 }, NULL, &at), 0);
	return at;
}

static void chooses_the_year(void **state)
{
	static const struct {
		const char *text, *now, *near;
		int year, zone;
		const char *expected; /* NULL: cannot be */
	} rows[] = {
		/* not in the future of now, a day's tolerance */
		{ "Nov  2 04:00:48", "2026-11-22T08:00:00Z", NULL, 0, 0, "2026-11-02T04:00:48Z" },
		{ "Dec  2 04:00:48", "2026-11-22T08:00:00Z", NULL, 0, 0, "2025-12-02T04:00:48Z" },
		{ "Nov 23 07:00:00", "2026-11-22T08:00:00Z", NULL, 0, 0, "2026-11-23T07:00:00Z" },
		{ "Nov 23 09:00:00", "2026-11-22T08:00:00Z", NULL, 0, 0, "2025-11-23T09:00:00Z" },
		/* New Year */
		{ "Dec 31 23:59:59", "2026-01-01T00:00:05Z", NULL, 0, 0, "2025-12-31T23:59:59Z" },
		{ "Jan  1 00:00:00", "2026-01-01T00:00:05Z", NULL, 0, 0, "2026-01-01T00:00:00Z" },
		{ "Jan  1 05:00:00", "2025-12-31T20:00:00Z", NULL, 0, 0, "2026-01-01T05:00:00Z" }, /* zone east of ours */
		/* February 29 */
		{ "Feb 29 12:00:00", "2026-11-22T08:00:00Z", NULL, 0, 0, "2024-02-29T12:00:00Z" },
		{ "Feb 29 12:00:00", "2024-02-28T13:00:00Z", NULL, 0, 0, "2024-02-29T12:00:00Z" },
		{ "Feb 29 12:00:00", "2024-02-28T11:00:00Z", NULL, 0, 0, "2020-02-29T12:00:00Z" },
		{ "Feb 29 12:00:00", "2104-01-01T00:00:00Z", NULL, 0, 0, "2096-02-29T12:00:00Z" }, /* 2100 has none */
		{ "Feb 29 12:00:00", "1971-01-01T00:00:00Z", NULL, 0, 0, NULL },
		{ "Feb 29 12:00:00", "2026-11-22T08:00:00Z", NULL, 2025, 0, NULL },
		{ "Feb 29 12:00:00", "2026-11-22T08:00:00Z", NULL, 2024, 0, "2024-02-29T12:00:00Z" },
		/* --year wins over now, a printed year over both */
		{ "Dec  2 04:00:48", "2026-11-22T08:00:00Z", NULL, 2030, 0, "2030-12-02T04:00:48Z" },
		{ "Dec  2 2019 04:00:48", "2026-11-22T08:00:00Z", NULL, 2030, 0, "2019-12-02T04:00:48Z" },
		/* the relay's stamp is near: it wins over --year */
		{ "Dec 31 23:59:59", "2026-11-22T08:00:00Z", "2024-01-01T00:00:01Z", 0, 0, "2023-12-31T23:59:59Z" },
		{ "Jan  1 00:00:01", "2026-11-22T08:00:00Z", "2023-12-31T23:59:59Z", 0, 0, "2024-01-01T00:00:01Z" },
		{ "Jan 10 11:18:43", "2026-11-22T08:00:00Z", "2026-01-10T11:18:43Z", 2020, 0, "2026-01-10T11:18:43Z" },
		{ "Aug  1 00:00:00", "2026-11-22T08:00:00Z", "2026-01-10T00:00:00Z", 0, 0, "2025-08-01T00:00:00Z" },
		/* --zone, for stamps without one of their own */
		{ "Nov  2 04:00:48", "2026-11-22T08:00:00Z", NULL, 0, 330, "2026-11-01T22:30:48Z" },
		{ "Nov  2 04:00:48 UTC", "2026-11-22T08:00:00Z", NULL, 0, 330, "2026-11-02T04:00:48Z" },
		{ "2026-11-02 04:00:48", "2026-11-22T08:00:00Z", NULL, 0, -60, "2026-11-02T05:00:48Z" },
		/* impossible */
		{ "Feb 30 12:00:00", "2026-11-22T08:00:00Z", NULL, 0, 0, NULL },
		{ "Apr 31 12:00:00", "2026-11-22T08:00:00Z", NULL, 2026, 0, NULL },
		{ "Nov  0 12:00:00", "2026-11-22T08:00:00Z", NULL, 0, 0, NULL },
		{ "Nov  2 24:00:00", "2026-11-22T08:00:00Z", NULL, 0, 0, NULL },
		{ "Nov  2 12:60:00", "2026-11-22T08:00:00Z", NULL, 0, 0, NULL },
		{ "Nov  2 12:00:61", "2026-11-22T08:00:00Z", NULL, 0, 0, NULL },
		{ "2026-13-02T04:00:48Z", "2026-11-22T08:00:00Z", NULL, 0, 0, NULL },
		{ "1969-12-31T23:59:59Z", "2026-11-22T08:00:00Z", NULL, 0, 0, NULL },
		{ "9999-12-31T23:59:59Z", "2026-11-22T08:00:00Z", NULL, 0, 0, NULL },
		{ "Jan  1 00:00:00", "1970-01-01T00:00:00Z", NULL, 0, 0, "1970-01-01T00:00:00Z" },
		{ "Dec 30 00:00:00", "2261-12-31T00:00:00Z", NULL, 0, 0, "2261-12-30T00:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stamp_rules rules = { .year = rows[i].year, .zone_minutes = rows[i].zone, .now = at_text(rows[i].now) };
		struct instant at = { 4711 }, near, expected = { 4711 };
		struct text t = text_of(rows[i].text);
		struct buffer b = { 0 };
		struct stamp s;
		int result;

		if (rows[i].near)
			near = at_text(rows[i].near);
		if (rows[i].expected)
			expected = at_text(rows[i].expected);
		assert_true(stamp_take(&t, &s) && t.len == 0);
		result = stamp_resolve(&s, &rules, rows[i].near ? &near : NULL, &at);
		calendar_print(&b, at);
		if (result != (rows[i].expected ? 0 : SPIMEND_E_RANGE) || at.ns != expected.ns)
			fail_msg("%s at %s: %d, %.*s", rows[i].text, rows[i].now, result, TEXT_ARG(buffer_text(&b)));
		buffer_done(&b);
	}
}

/* Cut anywhere, a stamp is another one or none: never more than was there. */
static void cut_at_every_byte(void **state)
{
	static const char *const rows[] = {
		"*Fri Mar 12 2021 18:22:10.706 UTC+07:30: %X", "2026-11-02T10:15:31.208321-05:00 rt7", "43w2d: %X", "1y03w: x",
		"Fri Jan 31 17:24:03 UTC 2020: x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t len = 0; len <= strlen(rows[i]); len++) {
			char *copy = malloc(len ? len : 1);
			struct text t = { copy, len };
			struct stamp s;

			memcpy(copy, rows[i], len);
			if (stamp_take(&t, &s))
				assert_true(t.at > copy && t.at + t.len == copy + len);
			else
				assert_true(t.at == copy && t.len == len);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_form),
		cmocka_unit_test(leaves_what_is_no_stamp),
		cmocka_unit_test(takes_zones),
		cmocka_unit_test(chooses_the_year),
		cmocka_unit_test(cut_at_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
