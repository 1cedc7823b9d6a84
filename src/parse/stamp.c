/* SPDX-License-Identifier: MIT */
#include "parse/stamp.h"

#include "spimend/error.h"

/* A clock may run a little ahead of ours before its stamps count as lying in the future. */
#define FUTURE_TOLERANCE DAY_NS

static bool take_month(struct text *t, int *ret)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	char word[3];

	if (t->len < 4 || char_is_alpha(t->at[3]))
		return false;
	for (int i = 0; i < 3; i++)
		word[i] = char_lower(t->at[i]);
	for (int month = 0; month < 12; month++) {
		if (memcmp(word, names + month * 3, 3) == 0) {
			*t = text_skip(*t, 3);
			*ret = month + 1;
			return true;
		}
	}
	return false;
}

static bool take_weekday(struct text *t)
{
	static const char names[] = "montuewedthufrisatsun";
	struct text rest = *t;
	char word[3];

	if (t->len < 5 || (t->at[3] != ' ' && t->at[3] != ','))
		return false;
	for (int i = 0; i < 3; i++)
		word[i] = char_lower(t->at[i]);
	for (int day = 0; day < 7; day++) {
		if (memcmp(word, names + day * 3, 3) != 0)
			continue;
		rest = text_skip(rest, 3);
		text_take_char(&rest, ',');
		if (!text_take_blanks(&rest))
			return false;
		*t = rest;
		return true;
	}
	return false;
}

static bool take_number(struct text *t, size_t min_digits, size_t max_digits, int *ret)
{
	struct text rest = *t;
	uint64_t value;
	size_t digits;

	if (!text_take_digits(&rest, max_digits, &value, &digits) || digits < min_digits)
		return false;
	if (rest.len && char_is_digit(rest.at[0]))
		return false;
	*t = rest;
	*ret = (int)value;
	return true;
}

/* HH:MM:SS, a fraction of any length after '.' or ','. */
static bool take_clock(struct text *t, struct civil *c)
{
	struct text rest = *t;
	int64_t scale = SECOND_NS / 10;

	if (!take_number(&rest, 1, 2, &c->hour) || !text_take_char(&rest, ':') ||
	    !take_number(&rest, 2, 2, &c->minute) || !text_take_char(&rest, ':') ||
	    !take_number(&rest, 2, 2, &c->second))
		return false;
	c->nanosecond = 0;
	if (rest.len >= 2 && (rest.at[0] == '.' || rest.at[0] == ',') && char_is_digit(rest.at[1])) {
		rest = text_skip(rest, 1);
		for (; rest.len && char_is_digit(rest.at[0]); rest = text_skip(rest, 1)) {
			c->nanosecond += (rest.at[0] - '0') * scale;
			scale /= 10;
		}
	}
	*t = rest;
	return true;
}

static bool take_offset(struct text *t, int *ret_minutes)
{
	struct text rest = *t;
	bool west = rest.len && rest.at[0] == '-';
	struct text behind_colon;
	int hours, minutes = 0;

	if (!west && !(rest.len && rest.at[0] == '+'))
		return false;
	rest = text_skip(rest, 1);
	if (take_number(&rest, 4, 4, &hours)) { /* hhmm */
		minutes = hours % 100;
		hours /= 100;
	} else if (take_number(&rest, 1, 2, &hours)) {
		behind_colon = rest; /* "+07:30", but "GMT+8: %SYS" ends at its colon */
		if (text_take_char(&behind_colon, ':') && take_number(&behind_colon, 2, 2, &minutes))
			rest = behind_colon;
	} else {
		return false;
	}
	if (minutes > 59 || hours * 60 + minutes > 18 * 60)
		return false;
	*ret_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
	*t = rest;
	return true;
}

bool stamp_take_zone(struct text *t, int *ret_minutes)
{
	/* Labels are the operator's choice; these are the ones that mean one thing nearly everywhere. IST, for one, does not. */
	static const struct {
		const char *name;
		int minutes;
	} zones[] = {
		{ "UTC", 0 },     { "GMT", 0 },     { "Z", 0 },       { "WET", 0 },     { "WEST", 60 },
		{ "BST", 60 },    { "CET", 60 },    { "CEST", 120 },  { "EET", 120 },   { "EEST", 180 },
		{ "MSK", 180 },   { "EST", -300 },  { "EDT", -240 },  { "CST", -360 },  { "CDT", -300 },
		{ "MST", -420 },  { "MDT", -360 },  { "PST", -480 },  { "PDT", -420 },  { "AKST", -540 },
		{ "AKDT", -480 }, { "HST", -600 },  { "KST", 540 },   { "JST", 540 },   { "HKT", 480 },
		{ "SGT", 480 },   { "AWST", 480 },  { "AEST", 600 },  { "AEDT", 660 },  { "NZST", 720 },
		{ "NZDT", 780 },
	};
	struct text rest = *t;
	size_t letters = 0;

	if (take_offset(t, ret_minutes))
		return true;
	while (letters < rest.len && char_is_alpha(rest.at[letters]))
		letters++;
	for (size_t i = 0; letters && i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (!text_equal_nocase(text_first(rest, letters), text_of(zones[i].name)))
			continue;
		rest = text_skip(rest, letters);
		*ret_minutes = zones[i].minutes;
		if (zones[i].minutes == 0) /* UTC+07:30 */
			take_offset(&rest, ret_minutes);
		*t = rest;
		return true;
	}
	return false;
}

/* Capitals and a colon behind a time of day: an unknown zone, or a host such as "HUB:"? The device's own stamps have a mark
 * or a fraction, relays' do not; and nearly all labels that operators choose end in T (or are these). */
static bool is_zone_label(struct text label, bool is_device)
{
	return is_device || label.at[label.len - 1] == 'T' || text_equal(label, TEXT("WIB")) || text_equal(label, TEXT("WITA")) ||
	       text_equal(label, TEXT("MEZ")) || text_equal(label, TEXT("MESZ"));
}

/* After the time of day: " EDT", "KST" glued on, " UTC+07:30", or an unknown label, which is taken and forgotten. */
static void take_trailing_zone(struct text *t, struct stamp *s, bool is_device)
{
	struct text rest = *t;
	size_t letters = 0;

	text_take_blanks(&rest);
	if (stamp_take_zone(&rest, &s->civil.offset_minutes)) {
		/* A word such as "EST1-router" or a host called "met" is no zone. */
		if (rest.len == 0 || rest.at[0] == ':' || char_is_blank(rest.at[0]) || rest.at[0] == ']') {
			s->has_zone = true;
			*t = rest;
		} else {
			s->civil.offset_minutes = 0;
		}
		return;
	}
	while (letters < rest.len && rest.at[letters] >= 'A' && rest.at[letters] <= 'Z')
		letters++;
	if (letters >= 3 && letters <= 5 && letters < rest.len && rest.at[letters] == ':' &&
	    is_zone_label(text_first(rest, letters), is_device))
		*t = text_skip(rest, letters);
}

/* Mmm dd HH:MM:SS, with the year after the day or before the month; at the end only behind a weekday, as asctime() prints
 * it: elsewhere four digits there are a sequence number. */
static bool take_month_form(struct text *t, struct stamp *s, bool has_mark, bool has_weekday)
{
	int year;
	struct text rest = *t, after, before_clock, clock;
	struct civil *c = &s->civil;

	if (take_number(&rest, 4, 4, &c->year)) {
		s->has_year = true;
		if (!text_take_blanks(&rest))
			return false;
	}
	if (!take_month(&rest, &c->month))
		return false;
	text_take_blanks(&rest);
	if (!take_number(&rest, 1, 2, &c->day) || !text_take_blanks(&rest))
		return false;
	after = rest;
	if (!s->has_year && take_number(&after, 4, 4, &c->year) && text_take_blanks(&after)) {
		s->has_year = true;
		rest = after;
	}
	before_clock = rest;
	if (!take_clock(&rest, c))
		return false;
	clock = text_between(before_clock.at, rest.at);
	take_trailing_zone(&rest, s, has_mark || text_find_char(clock, '.') != TEXT_NOT_FOUND);
	after = rest;
	if (has_weekday && !s->has_year && text_take_blanks(&after) && take_number(&after, 4, 4, &year) && year >= 1970 &&
	    year <= 2261 && (after.len == 0 || after.at[0] == ':' || char_is_blank(after.at[0]))) {
		s->has_year = true;
		c->year = year;
		rest = after;
	}
	*t = rest;
	return true;
}

/* RFC 3339, and its looser kin with a blank in the middle. */
static bool take_iso_form(struct text *t, struct stamp *s)
{
	struct text rest = *t;
	struct civil *c = &s->civil;

	char separator;

	if (!take_number(&rest, 4, 4, &c->year) || rest.len == 0)
		return false;
	separator = rest.at[0];
	if ((separator != '-' && separator != '/') || !text_take_char(&rest, separator) ||
	    !take_number(&rest, 2, 2, &c->month) || !text_take_char(&rest, separator) || !take_number(&rest, 2, 2, &c->day))
		return false;
	if (!text_take_char(&rest, 'T') && !text_take_char(&rest, 't') && !text_take_char(&rest, ' '))
		return false;
	if (!take_clock(&rest, c))
		return false;
	s->has_year = true;
	s->has_zone = stamp_take_zone(&rest, &c->offset_minutes);
	if (!s->has_zone)
		take_trailing_zone(&rest, s, false); /* journalctl: "2026-11-02 10:15:31 CET" */
	*t = rest;
	return true;
}

/* 43w2d, 1y03w, 2d03h: only with the colon that follows it. */
static bool take_uptime_words(struct text *t)
{
	struct text rest = *t;
	unsigned parts = 0;
	int value;

	while (take_number(&rest, 1, 3, &value)) {
		if (rest.len == 0 || !strchr("ywdh", rest.at[0]) || rest.at[0] == '\0')
			return false;
		rest = text_skip(rest, 1);
		parts++;
	}
	if (parts != 2 || rest.len == 0 || rest.at[0] != ':')
		return false;
	*t = rest;
	return true;
}

bool stamp_take(struct text *t, struct stamp *ret)
{
	struct text rest = *t, start;
	struct stamp s = { 0 };
	bool has_mark, has_weekday;

	if (text_take_char(&rest, '*'))
		s.clock_unset = true;
	else
		text_take_char(&rest, '.');
	/* Cheap refusals first: most words that are asked are no stamps. */
	if (rest.len < 4 || !(char_is_alpha(rest.at[0]) || char_is_digit(rest.at[0])))
		return false;
	has_mark = rest.at != t->at;
	has_weekday = take_weekday(&rest);
	start = rest;
	if (take_month_form(&rest, &s, has_mark, has_weekday) || (rest = start, take_iso_form(&rest, &s))) {
		*t = rest;
		*ret = s;
		return true;
	}
	s = (struct stamp){ .clock_unset = s.clock_unset, .is_uptime = true };
	rest = start;
	if (take_uptime_words(&rest) || (take_clock(&rest, &s.civil) && rest.len && rest.at[0] == ':')) {
		*t = rest;
		*ret = s;
		return true;
	}
	return false;
}

int stamp_resolve(const struct stamp *stamp, const struct stamp_rules *rules, const struct instant *near,
		  struct instant *ret)
{
	struct civil c = stamp->civil;
	struct instant limit = near ? *near : rules->now;
	struct instant at;
	int first, result;

	if (stamp->is_uptime)
		return SPIMEND_E_RANGE;
	if (!stamp->has_zone)
		c.offset_minutes = rules->zone_minutes;
	if (stamp->has_year)
		return calendar_to_instant(&c, ret);
	if (rules->year && !near) {
		c.year = rules->year;
		return calendar_to_instant(&c, ret);
	}
	/* The latest year that is not in the future; Feb 29 may need to go back up to eight years (1896, 2100). */
	limit.ns += near ? DAY_NS * 180 : FUTURE_TOLERANCE;
	first = calendar_from_instant(limit).year + 1;
	for (c.year = first; c.year > first - 10; c.year--) {
		result = calendar_to_instant(&c, &at);
		if (result == 0 && at.ns <= limit.ns) {
			*ret = at;
			return 0;
		}
	}
	return SPIMEND_E_RANGE;
}
