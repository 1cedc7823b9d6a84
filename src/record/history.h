/* SPDX-License-Identifier: MIT */
/*
 * Drops over time, in memory: a sample a second for ten minutes, one a minute for a day. Counters as they stand go in;
 * what each interval added comes out. Called by the role core. Pure: the clock is an argument.
 */
#ifndef RECORD_HISTORY_H
#define RECORD_HISTORY_H

#include "base/buffer.h"
#include "base/calendar.h"

#define HISTORY_SECONDS 600
#define HISTORY_MINUTES 1440

enum history_series { /* HISTORY_RATES of them rise; the rest are how many there are */
	HISTORY_STRAYS, HISTORY_STRANGERS, HISTORY_SIGHTINGS, HISTORY_KERNEL_DROPS, HISTORY_ESP_PACKETS,
	HISTORY_RATES,
	HISTORY_OPEN_INCIDENTS = HISTORY_RATES, HISTORY_TUNNELS,
	HISTORY_SERIES
};
const char *history_series_name(enum history_series series);

struct history_sample {
	uint32_t known;                     /* bits of enum history_series */
	uint64_t values[HISTORY_SERIES];
};

struct history; /* opaque */
int history_new(struct history **ret); /* 0 or -ENOMEM */
void history_free(struct history *h);  /* NULL is fine */
/* To be called once a second; more often does nothing. A second that was left out stays empty. */
void history_add(struct history *h, struct instant now, const struct history_sample *sample);
/* {"schema":"spimend.history/1",...}: doc/web-api.md */
void history_json(const struct history *h, struct instant now, bool by_minute, struct buffer *out);

#endif
