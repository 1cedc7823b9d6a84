/* SPDX-License-Identifier: MIT */
#include "parse/incident_filter.h"

#include "parse/stamp.h"
#include "spimend/error.h"

#define AGO_DAYS_MAX 36500

typedef bool value_fn(struct text value, struct instant now, struct incident_filter *f, struct buffer *why);

static bool refuse(struct buffer *why, const char *what, struct text got, const char *expected)
{
	buffer_printf(why, "%s '", what);
	for (size_t i = 0; i < got.len && i < 64; i++)
		buffer_add_char(why, got.at[i] >= 0x20 && got.at[i] <= 0x7e ? got.at[i] : '.');
	buffer_printf(why, "%s': %s", got.len > 64 ? "..." : "", expected);
	return false;
}

/* --- Times -------------------------------------------------------------------------------------------------------- */

static bool read_ago(struct text t, struct instant now, struct instant *ret)
{
	static const struct {
		char letter;
		int64_t ns;
	} units[] = { { 's', SECOND_NS }, { 'm', MINUTE_NS }, { 'h', HOUR_NS }, { 'd', DAY_NS }, { 'w', 7 * DAY_NS } };
	uint64_t count;

	if (t.len < 2)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (char_lower(t.at[t.len - 1]) != units[i].letter)
			continue;
		if (text_decimal(text_first(t, t.len - 1), (uint64_t)(AGO_DAYS_MAX * DAY_NS / units[i].ns), &count) != 0)
			return false;
		ret->ns = now.ns - (int64_t)count * units[i].ns;
		return true;
	}
	return false;
}

static bool take_digits(struct text *t, size_t digits, int *ret)
{
	uint64_t value;

	if (t->len < digits || text_decimal(text_first(*t, digits), UINT64_MAX, &value) != 0)
		return false;
	*ret = (int)value;
	*t = text_skip(*t, digits);
	return true;
}

/* A date alone is its beginning. */
static bool read_time(struct text t, struct instant *ret)
{
	struct civil c = { .year = 0 };

	if (!take_digits(&t, 4, &c.year) || !text_take_char(&t, '-') || !take_digits(&t, 2, &c.month) || !text_take_char(&t, '-') ||
	    !take_digits(&t, 2, &c.day))
		return false;
	if (t.len) {
		if ((t.at[0] != 'T' && t.at[0] != 't' && t.at[0] != '_') || !(t = text_skip(t, 1)).len || !take_digits(&t, 2, &c.hour) ||
		    !text_take_char(&t, ':') || !take_digits(&t, 2, &c.minute))
			return false;
		if (text_take_char(&t, ':') && !take_digits(&t, 2, &c.second))
			return false;
		if (text_take_char(&t, '.'))
			(void)text_take_until(&t, "Zz+-");
		if (t.len && !stamp_take_zone(&t, &c.offset_minutes))
			return false;
	}
	return t.len == 0 && calendar_to_instant(&c, ret) == 0;
}

static bool read_instant(struct text t, struct instant now, struct instant *ret, const char *what, struct buffer *why)
{
	if (text_equal_nocase(t, TEXT("now"))) {
		*ret = now;
		return true;
	}
	if (read_ago(t, now, ret) || read_time(t, ret))
		return true;
	return refuse(why, what, t, "how long ago is expected, as 30m, 2h or 7d, or a time, as 2026-11-22 or 2026-11-22T09:30:00Z");
}

static bool read_since(struct text value, struct instant now, struct incident_filter *f, struct buffer *why)
{
	f->has_since = true;
	return read_instant(value, now, &f->since, "since", why);
}

static bool read_until(struct text value, struct instant now, struct incident_filter *f, struct buffer *why)
{
	f->has_until = true;
	return read_instant(value, now, &f->until, "until", why);
}

/* --- Names -------------------------------------------------------------------------------------------------------- */

static const char *name_of_verdict(int value)
{
	return value <= VERDICT_OTHER_FAULT ? verdict_name((enum verdict)value) : NULL;
}

static const char *name_of_cause(int value)
{
	return value < CAUSE_COUNT ? cause_name((enum cause)value) : NULL;
}

static const char *name_of_state(int value)
{
	return value < INCIDENT_STATES ? incident_state_name((enum incident_state)value) : NULL;
}

static const char *name_of_group(int value)
{
	return value + 1 < INCIDENT_GROUPS ? incident_group_name((enum incident_group)(value + 1)) : NULL;
}

/* Where none is near, all are listed that fit on a line. */
static bool refuse_name(const char *what, struct text got, const char *(*name)(int), struct buffer *why)
{
	struct buffer expected = { 0 };
	const char *near = NULL, *one;
	size_t edits = SIZE_MAX;
	char text[640];

	for (int i = 0; (one = name(i)); i++)
		if (text_resembles(got, text_of(one), edits, &edits))
			near = one;
	if (near) {
		buffer_printf(&expected, "did you mean %s?", near);
	} else {
		buffer_add_string(&expected, "there are ");
		for (int i = 0; (one = name(i)); i++)
			buffer_printf(&expected, "%s%s", i == 0 ? "" : name(i + 1) ? ", " : " and ", one);
	}
	text_copy(buffer_text(&expected), text, sizeof(text));
	buffer_done(&expected);
	return refuse(why, what, got, text);
}

static bool read_one(const char *what, struct text t, const char *(*name)(int), int *ret, struct buffer *why)
{
	const char *one;

	for (int i = 0; (one = name(i)); i++) {
		*ret = i;
		if (text_equal_nocase(t, text_of(one)))
			return true;
	}
	return refuse_name(what, t, name, why);
}

static bool read_names(const char *what, struct text list, const char *(*name)(int), uint32_t *bits, struct buffer *why)
{
	int value;

	do {
		struct text one = text_take_until(&list, ",");

		if (!read_one(what, one, name, &value, why))
			return false;
		*bits |= UINT32_C(1) << value;
	} while (text_take_char(&list, ','));
	return true;
}

_Static_assert(CAUSE_COUNT <= 32, "a bit each");

static bool read_verdict(struct text value, struct instant now, struct incident_filter *f, struct buffer *why)
{
	(void)now;
	return read_names("verdict", value, name_of_verdict, &f->verdicts, why);
}

static bool read_cause(struct text value, struct instant now, struct incident_filter *f, struct buffer *why)
{
	(void)now;
	return read_names("cause", value, name_of_cause, &f->causes, why);
}

static bool read_state(struct text value, struct instant now, struct incident_filter *f, struct buffer *why)
{
	(void)now;
	return read_names("state", value, name_of_state, &f->states, why);
}

static bool read_by(struct text value, struct instant now, struct incident_filter *f, struct buffer *why)
{
	int group = 0;

	(void)now;
	if (!read_one("by", value, name_of_group, &group, why))
		return false;
	f->by = (enum incident_group)(group + 1);
	return true;
}

static bool read_peer(struct text value, struct instant now, struct incident_filter *f, struct buffer *why)
{
	(void)now;
	return spimend_address_parse(value.at, value.len, &f->peer) == 0 ||
	       refuse(why, "peer", value, "an IPv4 or IPv6 address is expected");
}

static bool read_device(struct text value, struct instant now, struct incident_filter *f, struct buffer *why)
{
	(void)now;
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] <= 0x20 || value.at[i] > 0x7e)
			return refuse(why, "device", value, "a device's name is expected");
	if (value.len >= sizeof(f->device))
		return refuse(why, "device", value, "no name is so long");
	text_copy(value, f->device, sizeof(f->device));
	return true;
}

static bool read_limit(struct text value, struct instant now, struct incident_filter *f, struct buffer *why)
{
	uint64_t count;

	(void)now;
	if (text_decimal(value, INCIDENT_LIMIT_MAX, &count) != 0 || count == 0)
		return refuse(why, "limit", value, "a whole number from 1 to 100000 is expected");
	f->limit = (uint32_t)count;
	return true;
}

static const struct {
	const char *word;
	value_fn *read;
} keys[] = {
	{ "since", read_since }, { "until", read_until }, { "peer", read_peer }, { "verdict", read_verdict }, { "cause", read_cause },
	{ "state", read_state }, { "device", read_device }, { "limit", read_limit }, { "by", read_by },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static const char *name_of_key(int value)
{
	return (size_t)value < KEYS ? keys[value].word : NULL;
}

static const char *name_of_plain_key(int value)
{
	return (size_t)value + 1 < KEYS ? keys[value].word : NULL;
}

int incident_filter_read(struct text words, struct instant now, bool may_group, struct incident_filter *ret,
			 struct buffer *why)
{
	struct incident_filter f = { .limit = 0 };
	struct text word, value;
	int key;

	if (words.len >= INCIDENT_FILTER_TEXT_MAX) {
		buffer_add_string(why, "no question is so long");
		return SPIMEND_E_SYNTAX;
	}
	while ((word = text_take_word(&words)).len) {
		if (!read_one("word", word, may_group ? name_of_key : name_of_plain_key, &key, why))
			return SPIMEND_E_SYNTAX;
		value = text_take_word(&words);
		if (!value.len) {
			buffer_printf(why, "'%s' needs a value behind it", keys[key].word);
			return SPIMEND_E_SYNTAX;
		}
		if (!keys[key].read(value, now, &f, why))
			return SPIMEND_E_SYNTAX;
		f.is_set = true;
	}
	if (f.has_since && f.has_until && f.since.ns > f.until.ns) {
		buffer_add_string(why, "'since' is later than 'until': nothing lies between them");
		return SPIMEND_E_SYNTAX;
	}
	*ret = f;
	return 0;
}
