/* SPDX-License-Identifier: MIT */
/*
 * Figures about many incidents: how many, how long packets were black-holed, how much of that a repair spared, and what
 * recurs and so has a root cause to fix (B13). Works on rows in memory; asks nobody.
 *
 * Suffered: incident_row_outage(), of desyncs and other faults alone. Saved is an estimate, and only where its basis is
 * known: the incident healed after a step of ours, and it is known when the dead SA would have ended by itself (its hard
 * lifetime, as listed before it died here, or as the sender's own table showed it). Then it is the time from healed to that
 * end. What the peer's dead peer detection might have noticed sooner is not known here and not subtracted.
 */
#ifndef RECORD_STATISTICS_H
#define RECORD_STATISTICS_H

#include "model/incident_row.h"

struct statistics_group {
	struct spimend_address src, dst; /* GROUP_PEER */
	int value;                       /* GROUP_CAUSE, GROUP_VERDICT: of that enum; GROUP_MONTH: 12 * year + month - 1 */
	bool from_devices;               /* of what came last */
	uint64_t incidents, faults, healed, repaired, going_on;
	int64_t suffered_ns, saved_ns, longest_ns;
	uint64_t saved_known;            /* repaired ones whose saving could be estimated */
	struct instant first, last;      /* sightings of the first and the latest */
};

struct statistics {
	struct statistics_group total;
	struct statistics_group *groups; /* owns; those with the most seconds suffered first, months in order */
	size_t count;
};
/* `rows` in any order. 0 or -ENOMEM. */
int statistics_new(const struct incident_row *const *rows, size_t count, enum incident_group by, struct instant now,
		   struct statistics *ret);
void statistics_done(struct statistics *statistics); /* for cleanup() */

struct recurrence { /* one pair of ends, one cause */
	struct spimend_address src, dst;
	enum cause cause;
	enum verdict verdict;       /* of the latest */
	bool from_devices;
	uint32_t times;             /* within the time asked for, where they came closest */
	struct instant first, last; /* of those */
	char latest[INCIDENT_ID_MAX];
};
/* Faults with the same ends and the same cause that came `times` times or more within `within_ns`, the most frequent first;
 * at most `most` of them. *ret_at to be freed by memory_free(). 0 or -ENOMEM. */
int recurrences_find(const struct incident_row *const *rows, size_t count, uint32_t times, int64_t within_ns, size_t most,
		     struct recurrence **ret_at, size_t *ret_count);

#endif
