/* SPDX-License-Identifier: MIT */
#include "base/calendar.h"

#include <inttypes.h>

#include "spimend/error.h"

static bool year_is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && year_is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01. March-based years make the leap day the last of its year: month lengths have a closed form. */
static int64_t civil_days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

const char *calendar_month_name(int month)
{
	static const char names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	return names[(month + 11) % 12];
}

const char *calendar_weekday_name(int64_t day)
{
	static const char names[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };

	return names[day % 7];
}

int calendar_to_instant(const struct civil *c, struct instant *ret)
{
	int second = c->second == 60 ? 59 : c->second;
	int64_t seconds;

	if (c->year < 1970 || c->year > 2261 || c->month < 1 || c->month > 12)
		return SPIMEND_E_RANGE;
	if (c->day < 1 || c->day > month_days(c->year, c->month))
		return SPIMEND_E_RANGE;
	if (c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 || second < 0 || second > 59)
		return SPIMEND_E_RANGE;
	if (c->nanosecond < 0 || c->nanosecond >= SECOND_NS || c->offset_minutes < -18 * 60 || c->offset_minutes > 18 * 60)
		return SPIMEND_E_RANGE;
	seconds = civil_days(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 + second;
	seconds -= c->offset_minutes * INT64_C(60);
	ret->ns = seconds * SECOND_NS + c->nanosecond;
	return 0;
}

struct civil calendar_from_instant(struct instant at)
{
	int64_t seconds = at.ns / SECOND_NS;
	int64_t nanosecond = at.ns % SECOND_NS;
	int64_t days, left, era_day, year_of_era, day_of_year, month;
	struct civil c = { 0 };

	if (nanosecond < 0) {
		nanosecond += SECOND_NS;
		seconds--;
	}
	days = seconds / 86400;
	left = seconds % 86400;
	if (left < 0) {
		left += 86400;
		days--;
	}
	/* Instants lie between 1677 and 2262, so one 400-year era and positive numbers suffice after the shift. */
	days += 719468;
	era_day = days % 146097;
	year_of_era = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	day_of_year = era_day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	c.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	c.month = (int)(month < 10 ? month + 3 : month - 9);
	c.year = (int)(year_of_era + days / 146097 * 400 + (c.month <= 2));
	c.hour = (int)(left / 3600);
	c.minute = (int)(left / 60 % 60);
	c.second = (int)(left % 60);
	c.nanosecond = nanosecond;
	return c;
}

void calendar_print(struct buffer *out, struct instant at)
{
	struct civil c = calendar_from_instant(at);

	buffer_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day, c.hour, c.minute, c.second,
		      (int)(c.nanosecond / 1000000));
}

void calendar_print_short(struct buffer *out, struct instant at)
{
	struct civil c = calendar_from_instant(at);

	buffer_printf(out, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

/* "4 min 10 s", and "4 min" where nothing is left for the smaller unit. */
static void print_two(struct buffer *out, int64_t n, const char *unit, int64_t rest, const char *smaller)
{
	buffer_printf(out, "%" PRId64 " %s", n, unit);
	if (rest)
		buffer_printf(out, " %" PRId64 " %s", rest, smaller);
}

void calendar_print_duration(struct buffer *out, int64_t ns)
{
	int64_t tenths;

	if (ns < 0) {
		if (ns <= -1000000) /* "-0 ms" says nothing */
			buffer_add_char(out, '-');
		ns = ns == INT64_MIN ? INT64_MAX : -ns;
	}
	tenths = (ns + 50000000) / 100000000;
	if (ns < SECOND_NS)
		buffer_printf(out, "%" PRId64 " ms", ns / 1000000);
	else if (ns < 2 * MINUTE_NS && tenths % 10)
		buffer_printf(out, "%" PRId64 ".%" PRId64 " s", tenths / 10, tenths % 10);
	else if (ns < 2 * MINUTE_NS)
		buffer_printf(out, "%" PRId64 " s", tenths / 10);
	else if (ns < HOUR_NS)
		print_two(out, ns / MINUTE_NS, "min", ns / SECOND_NS % 60, "s");
	else if (ns < DAY_NS)
		print_two(out, ns / HOUR_NS, "h", ns / MINUTE_NS % 60, "min");
	else
		print_two(out, ns / DAY_NS, "d", ns / HOUR_NS % 24, "h");
}
