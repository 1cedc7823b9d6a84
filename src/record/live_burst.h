/* SPDX-License-Identifier: MIT */
/*
 * Many peers that fell at one device within moments are one incident (DESIGN.md 4: the breaker): a failover, a reload, a
 * rekey at scale. Found among what the judge weighed; the earliest flow stands for all. Called by the role core, after each
 * settling.
 */
#ifndef RECORD_LIVE_BURST_H
#define RECORD_LIVE_BURST_H

#include "judge/judge.h"
#include "model/config.h"

struct live_burst {
	uint32_t leader; /* its index among the judge's incidents */
	uint64_t flows, sources, messages;
	struct instant first, last;
};

struct live_bursts { /* zeroed at the start */
	uint32_t *burst_of;      /* owns: of each incident, index + 1 of its burst; 0: it stands alone */
	struct live_burst *list; /* owns */
	size_t count, incidents;
};

/* As many different sources as 'repair breaker' says, whose flows towards one device were seen first within its time of each
 * other. Desyncs are not told of together with what is undecided: forged lines about a device would hide them. 0 or -ENOMEM:
 * then there are none. `breath` as of judge_breathe(), with `context`; NULL is fine. */
int live_bursts_find(const struct judge *judge, const struct config *config, judge_breath_fn *breath, void *context,
		     struct live_bursts *bursts);
void live_bursts_done(struct live_bursts *bursts);
/* The burst that the incident stands for, or NULL. */
const struct live_burst *live_burst_of(const struct live_bursts *bursts, size_t index);
/* It is told of by another one. */
bool live_burst_hides(const struct live_bursts *bursts, size_t index);

#endif
