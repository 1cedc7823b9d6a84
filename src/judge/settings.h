/* SPDX-License-Identifier: MIT */
/*
 * The judge's thresholds and limits, with their documented defaults: one table, from which the man page and the tests take
 * them. Each verdict says which of them it met.
 */
#ifndef JUDGE_SETTINGS_H
#define JUDGE_SETTINGS_H

#include <stddef.h>

#include "model/fact.h"

struct judge_settings {
	int64_t gap_ns[DIALECT_COUNT]; /* a repeat at least so much later is a desync (B7); by who writes (B3) */
	int64_t overlap_ns;            /* how long an old SA stays usable after a rekey */
	int64_t quiet_ns;              /* once, and so much further log: a transient (B6) */
	int64_t repeat_window_ns;      /* repeats count within this */
	int64_t reused_window_ns;      /* the same where small SPIs recur (manual, group, controller keys) */
	int64_t evidence_window_ns;    /* neighbours this long before and after belong to an incident */
	int64_t restart_window_ns;     /* a restart of the observer this long before the first sighting explains it */
	uint64_t noise_spis;           /* so many SPIs of one source, none repeated, within noise_window_ns: noise */
	uint64_t noise_sources;        /* one SPI from so many sources: noise */
	uint64_t flood_flows;          /* so many flows seen once within noise_window_ns: noise, one incident */
	uint64_t noise_sources_listed; /* more noise incidents of one rule than this become one */
	int64_t noise_window_ns;
	uint64_t many_peers;           /* so many peers of one observer within many_peers_window_ns: one cause */
	int64_t many_peers_window_ns;
	uint32_t flows_max;            /* flows held at once; the oldest seen once is evicted, and counted */
	uint32_t ghosts_max;           /* evicted flows remembered by fingerprint, so that their repeat is still seen */
	uint32_t sightings_max;        /* texts of sightings kept */
	uint32_t neighbours_max;       /* neighbouring messages kept; the oldest go first, and are counted */
	uint32_t blocks_max;           /* flows of saved SA tables kept */
};

void judge_settings_default(struct judge_settings *ret);

/* One row of the table: for help, the man page, and tests. */
struct judge_setting_help {
	const char *name;
	const char *unit; /* "s" or "count" */
	int64_t value, least, most; /* the default and the range, in that unit */
	const char *help;
};
size_t judge_setting_count(void);
void judge_setting_help(size_t index, struct judge_setting_help *ret);

/* Sets one threshold by name, in its unit. 0, -ENOENT for an unknown name, SPIMEND_E_RANGE. */
int judge_setting_set(struct judge_settings *settings, struct text name, int64_t value);

#endif
