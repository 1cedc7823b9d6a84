/* SPDX-License-Identifier: MIT */
/*
 * All incidents that a question is about, whoever noticed them, in memory or on disk, in the order of DESIGN.md 6: by first
 * sighting, then by flow. Private to record/live_*.c.
 */
#ifndef RECORD_LIVE_ROWS_H
#define RECORD_LIVE_ROWS_H

#include "record/live.h"

struct live_row { /* one of them */
	struct incident_row row;
	const struct core_incident *is;       /* the gateway's own, in memory */
	const struct fleet_incident *case_is; /* between devices, in memory. Both NULL: syslog's, or on disk */
	bool on_disk;                         /* there alone: store_find_incident() or store_find_case() has the rest */
	size_t index;                         /* of syslog's, in the judge's order; of the cases in theirs */
};

struct live_rows {
	struct live_row *at; /* owns */
	size_t count, room;
	uint64_t left_out;   /* by a limit: the oldest */
	bool failed;
};

/* What the gateway's own and the fleet's incidents are on one row. */
void live_row_of_own(const struct live_view *view, const struct core_incident *is, struct incident_row *ret);
void live_row_of_case(const struct fleet_incident *is, struct incident_row *ret);

/* `filter` NULL: all that is in memory. With one the store is asked too, where there is one. At most `most` of the newest
 * where the filter has no limit of its own. `logs`: what syslog alone tells is among them. 0 or negative errno. */
int live_rows_new(const struct live_view *view, const struct live_pairs *pairs, const struct incident_filter *filter,
		  uint32_t most, bool logs, struct live_rows *ret);
void live_rows_done(struct live_rows *rows); /* for cleanup() */

#endif
