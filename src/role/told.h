/* SPDX-License-Identifier: MIT */
/*
 * What was told of each incident last, so that a change is told once: to hooks, to watchers, to the recorder. Each of them
 * has a table of its own. Pure, bounded: where more incidents come than it has room for, the one that was asked about
 * longest ago is forgotten, and would be told again.
 */
#ifndef ROLE_TOLD_H
#define ROLE_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/incident.h"

#define TOLD_MAX 16384 /* twice what `limit incidents` allows; a power of two */

struct told_table { /* zeroed: nothing was told */
	struct told {
		char id[INCIDENT_ID_MAX];
		bool is_used;
		uint32_t seen; /* the turn of the table */
		uint64_t mark;
	} at[TOLD_MAX];
	uint32_t turn;
};

/* Notes that this was told. */
void told_put(struct told_table *table, const char *id, uint64_t mark);
/* True, and noted, where `mark` is another one than was told; of what was never told only where `is_fault`. */
bool told_is_news(struct told_table *table, const char *id, uint64_t mark, bool is_fault);

#endif
