/* SPDX-License-Identifier: MIT */
/*
 * Time stamps as log writers print them (syslog.md 2): with and without year, zone and fraction, marked as not
 * authoritative, uptimes. Reading and resolving are apart: a stamp is what was printed, an instant is what it means.
 * Pure; fuzzed by tests/fuzz/stamp.c.
 */
#ifndef PARSE_STAMP_H
#define PARSE_STAMP_H

#include "base/calendar.h"
#include "base/text.h"

struct stamp {
	struct civil civil; /* year only when has_year, offset_minutes only when has_zone */
	bool has_year;
	bool has_zone;   /* a zone that we know; an unknown label counts as none */
	bool is_uptime;  /* "00:01:01", "43w2d": no time of day at all */
	bool clock_unset; /* '*': the device's clock was not authoritative */
};

/* How to read what is not printed. */
struct stamp_rules {
	int year;             /* --year, or 0: the year that does not make the stamp lie in the future */
	int zone_minutes;     /* --zone: east of UTC, for stamps without a known zone */
	struct instant now;   /* given by the caller: these rooms have no clock */
};

/* Takes one stamp at the start of *t, with its mark and its zone but without what follows. False, and *t untouched, when
 * there is none. "00:01:01" counts as an uptime only where nothing else fits. */
bool stamp_take(struct text *t, struct stamp *ret);

#define STAMP_ZONE_LETTERS_MAX 4 /* the longest label that stamp_take_zone() knows */

/* Takes "UTC", "EDT", "+01:00", "-0700", "UTC+07:30", "Z" ... False when it is no zone that we know. */
bool stamp_take_zone(struct text *t, int *ret_minutes);

/* 0, or SPIMEND_E_RANGE for an impossible date and for uptimes. `near` (may be NULL) is a known instant close by, such as
 * a relay's own stamp: it then decides the year. */
int stamp_resolve(const struct stamp *stamp, const struct stamp_rules *rules, const struct instant *near,
		  struct instant *ret);

#endif
