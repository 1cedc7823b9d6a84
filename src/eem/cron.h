/* SPDX-License-Identifier: MIT */
/* Cron entries: "M H DOM MON DOW" and @hourly to @reboot, as the text has them and as minutes match them. Private to eem. */
#ifndef EEM_CRON_H
#define EEM_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h"
#include "base/text.h"

struct cron {
	uint64_t minutes;      /* bit 0..59 */
	uint32_t hours, days;  /* bit 0..23; 1..31 */
	uint16_t months;       /* bit 1..12 */
	uint8_t weekdays;      /* bit 0..6, Sunday is 0 */
	bool any_day, any_weekday; /* written with a star: then the other alone counts, else either suffices */
	bool any_time;         /* minute or hour written with a star: counts by the clock, whatever the clock does */
	bool at_reboot;
};

/* 0 or SPIMEND_E_SYNTAX with a static reason. */
int cron_read(struct text entry, struct cron *ret, const char **ret_why);
/* Minutes of local time since 1970 as the clock on the wall shows them. */
int64_t cron_minute(const struct civil *local);
bool cron_matches(const struct cron *cron, int64_t local_minute);

#endif
