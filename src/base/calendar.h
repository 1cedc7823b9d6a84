/* SPDX-License-Identifier: MIT */
/*
 * Civil dates to instants and back. Pure: "now" is always the caller's.
 *
 * struct instant is one point on one clock, in nanoseconds. From logs that clock is UNIX time; inside the daemon it is
 * the monotonic clock. Instants of different clocks are never compared.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct instant {
	int64_t ns;
};

/* When something is told to a machine that reads no clock itself: on both clocks at once. */
struct moment {
	int64_t mono_ns;     /* CLOCK_MONOTONIC (BOOTTIME where the machine sleeps) */
	struct instant wall; /* may step: used for what people read and for what must survive a restart */
};

#define SECOND_NS INT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS (60 * MINUTE_NS)
#define DAY_NS (24 * HOUR_NS)

/* Proleptic Gregorian calendar, years 1970 to 2261 (what 64 bits of nanoseconds hold). */
struct civil {
	int year;
	int month; /* 1..12 */
	int day;   /* 1..31 */
	int hour, minute, second; /* second 60 is accepted as a leap second and counts as 59 */
	int64_t nanosecond;
	int offset_minutes; /* east of UTC */
};

/* 0, or SPIMEND_E_RANGE when the date or time cannot be. */
int calendar_to_instant(const struct civil *c, struct instant *ret);
struct civil calendar_from_instant(struct instant at); /* UTC */

/* "Jan" for 1, "Thu" for the day 0 (1970-01-01): as logs and mails have them, in no language but English. */
const char *calendar_month_name(int month);
const char *calendar_weekday_name(int64_t day);

/* RFC 3339 in UTC with milliseconds: 2025-09-02T13:36:47.287Z */
void calendar_print(struct buffer *out, struct instant at);
/* For people: 2025-09-02 13:36:47 (no zone, seconds only) */
void calendar_print_short(struct buffer *out, struct instant at);
/* For people: "8 ms", "60.8 s", "4 min 10 s", "9 h 3 min", "2 d 4 h". Negative durations get a minus sign. */
void calendar_print_duration(struct buffer *out, int64_t ns);

#endif
