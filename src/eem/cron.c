/* SPDX-License-Identifier: MIT */
#include "eem/cron.h"

#include "spimend/error.h"

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

static const struct {
	struct text word;
	const char *entry;
} words[] = {
	{ TEXT("@hourly"), "0 * * * *" },  { TEXT("@daily"), "0 0 * * *" },    { TEXT("@midnight"), "0 0 * * *" },
	{ TEXT("@weekly"), "0 0 * * 0" },  { TEXT("@monthly"), "0 0 1 * *" },  { TEXT("@yearly"), "0 0 1 1 *" },
	{ TEXT("@annually"), "0 0 1 1 *" },
};

struct field {
	unsigned least, most;
	const char *const *names; /* of least, least + 1 ... */
	unsigned name_count;
	const char *why;
};

static bool take_value(struct text *t, const struct field *f, unsigned *ret)
{
	uint64_t value;

	for (unsigned i = 0; i < f->name_count; i++) {
		if (text_take_nocase(t, text_of(f->names[i]))) {
			*ret = f->least + i;
			return true;
		}
	}
	if (!text_take_digits(t, 4, &value, NULL) || value < f->least || value > f->most)
		return false;
	*ret = (unsigned)value;
	return true;
}

/* One field: lists of numbers, ranges and stars, each with a step. */
static bool read_field(struct text t, const struct field *f, uint64_t *ret_bits, bool *ret_any)
{
	*ret_any = t.len && t.at[0] == '*';
	*ret_bits = 0;
	do {
		unsigned from = f->least, to = f->most, step = 1;
		uint64_t value;

		if (!text_take_char(&t, '*')) {
			if (!take_value(&t, f, &from))
				return false;
			to = from;
			if (text_take_char(&t, '-') && !take_value(&t, f, &to))
				return false;
			if (t.len && t.at[0] == '/' && to == from)
				to = f->most;
		}
		if (text_take_char(&t, '/')) {
			if (!text_take_digits(&t, 3, &value, NULL) || value == 0)
				return false;
			step = (unsigned)value;
		}
		if (to < from)
			return false;
		for (unsigned v = from; v <= to; v += step)
			*ret_bits |= UINT64_C(1) << v;
	} while (text_take_char(&t, ','));
	return t.len == 0;
}

int cron_read(struct text entry, struct cron *ret, const char **ret_why)
{
	static const struct field fields[] = {
		{ 0, 59, NULL, 0, "the minute is 0 to 59" },
		{ 0, 23, NULL, 0, "the hour is 0 to 23" },
		{ 1, 31, NULL, 0, "the day of the month is 1 to 31" },
		{ 1, 12, month_names, 12, "the month is 1 to 12 or jan to dec" },
		{ 0, 7, weekday_names, 7, "the day of the week is 0 to 7 or sun to sat" },
	};
	uint64_t bits[5];
	bool any[5];

	entry = text_trim(entry);
	if (text_equal_nocase(entry, TEXT("@reboot"))) {
		*ret = (struct cron){ .at_reboot = true };
		return 0;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_equal_nocase(entry, words[i].word))
			entry = text_of(words[i].entry);
	for (unsigned i = 0; i < 5; i++) {
		struct text word = text_take_word(&entry);

		if (word.len == 0) {
			*ret_why = "five fields are expected: minute, hour, day of the month, month, day of the week; or @hourly, "
				   "@daily, @weekly, @monthly, @yearly, @reboot";
			return SPIMEND_E_SYNTAX;
		}
		if (!read_field(word, &fields[i], &bits[i], &any[i])) {
			*ret_why = fields[i].why;
			return SPIMEND_E_SYNTAX;
		}
	}
	if (text_trim(entry).len) {
		*ret_why = "more than five fields";
		return SPIMEND_E_SYNTAX;
	}
	*ret = (struct cron){
		.minutes = bits[0],
		.hours = (uint32_t)bits[1],
		.days = (uint32_t)bits[2],
		.months = (uint16_t)bits[3],
		.weekdays = (uint8_t)((bits[4] | bits[4] >> 7) & 0x7f), /* 7 is Sunday too */
		.any_day = any[2],
		.any_weekday = any[4],
		.any_time = any[0] || any[1],
	};
	return 0;
}

int64_t cron_minute(const struct civil *local)
{
	struct civil c = *local;
	struct instant at = { 0 };

	c.offset_minutes = 0;
	c.second = 0;
	c.nanosecond = 0;
	if (calendar_to_instant(&c, &at) < 0)
		return 0;
	return at.ns / MINUTE_NS;
}

bool cron_matches(const struct cron *cron, int64_t local_minute)
{
	struct civil c = calendar_from_instant((struct instant){ local_minute * MINUTE_NS });
	unsigned weekday = (unsigned)((local_minute / (24 * 60) + 4) % 7); /* 1970 began on a Thursday */
	bool day = cron->days >> c.day & 1, on_weekday = cron->weekdays >> weekday & 1;

	if (cron->at_reboot || !(cron->minutes >> c.minute & 1) || !(cron->hours >> c.hour & 1) || !(cron->months >> c.month & 1))
		return false;
	if (cron->any_day || cron->any_weekday)
		return day && on_weekday;
	return day || on_weekday;
}
