/* SPDX-License-Identifier: MIT */
/*
 * What was told of each incident last, so that a change is told once. Called by role/core_hook.c. Pure, bounded: where more
 * incidents come than it has room for, the one that was asked about longest ago is forgotten, and would be told again.
 */
#ifndef ROLE_HOOKED_H
#define ROLE_HOOKED_H

#include <stdbool.h>
#include <stdint.h>

#include "model/incident.h"

#define HOOKED_MAX 16384 /* twice what `limit incidents` allows; a power of two */

struct hooked_table { /* zeroed: nothing was told */
	struct hooked {
		char id[INCIDENT_ID_MAX];
		uint32_t mark; /* 0: free */
		uint32_t seen; /* the turn of the table */
	} at[HOOKED_MAX];
	uint32_t turn;
};

/* Notes that this was told. `mark` is not 0. */
void hooked_put(struct hooked_table *table, const char *id, uint32_t mark);
/* True, and noted, where `mark` is another one than was told; of what was never told only where `is_fault`. */
bool hooked_is_news(struct hooked_table *table, const char *id, uint32_t mark, bool is_fault);

#endif
