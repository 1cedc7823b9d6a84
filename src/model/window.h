/* SPDX-License-Identifier: MIT */
/*
 * Maintenance windows: when a device may be changed. Days and times of day in UTC, which has no summer time, and in which a
 * leap second is part of the second before it. A window that ends before it begins ends on the day after. Called by
 * parse/config_window.c, which fills them, and by who types. Pure: "now" is the caller's, on the wall clock. Never here: what
 * is typed.
 */
#ifndef MODEL_WINDOW_H
#define MODEL_WINDOW_H

#include "base/buffer.h"
#include "base/calendar.h"

#define WINDOWS_MAX 4        /* of one device */
#define WINDOW_DAYS 7
#define WINDOW_EVERY_DAY 127 /* all of `days` */
#define WINDOW_DAY_MINUTES (24 * 60)

struct window_hours {
	uint16_t days;     /* those that it opens on: bit 0 is Monday */
	uint16_t from, to; /* minutes of the day: 0 to 1439, and 1 to 1440; never the same */
};
struct windows {
	struct window_hours at[WINDOWS_MAX];
	uint16_t count;    /* 0: always open */
};

/* "mon" to "sun". */
const char *window_day_name(int day);
/* From the first second of `from` up to the last one before `to`. */
bool windows_are_open(const struct windows *windows, struct instant at);
/* The first instant from `at` on when one is open: `at` itself where one is. */
struct instant windows_next(const struct windows *windows, struct instant at);
/* "01:00 UTC", as seen from `now`; with the day in front where it is further than a day. */
void window_print_time(struct instant at, struct instant now, struct buffer *out);

#endif
