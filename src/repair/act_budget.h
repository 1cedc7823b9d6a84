/* SPDX-License-Identifier: MIT */
/*
 * The last check before something is changed, inside `act` and independent of what `core` believes: at most so many orders a
 * peer and in all within a sliding window. It survives a restart through the journal.
 *
 * Time is CLOCK_MONOTONIC, an argument; journalled wall times are only used for how long ago something was, and a time in
 * the future counts as now, so that a clock set back never opens the budget.
 */
#ifndef REPAIR_ACT_BUDGET_H
#define REPAIR_ACT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "model/gateway.h"

#define ACT_BUDGET_TOTAL_MAX 2048 /* the journal has two records for each, and must not forget one inside the window */

struct act_budget; /* opaque */

struct act_budget_settings {
	uint32_t per_peer, total; /* orders a window; total at most ACT_BUDGET_TOTAL_MAX, more is cut to it */
	int64_t window_ns;
};

struct act_budget *act_budget_new(const struct act_budget_settings *settings); /* NULL: no memory */
void act_budget_free(struct act_budget *b);
/* New limits; what was done is kept. */
void act_budget_set(struct act_budget *b, const struct act_budget_settings *settings);

/* Asks; changes nothing. */
bool act_budget_allows(const struct act_budget *b, const struct spimend_address *peer, int64_t now);
/* Something is being done to that peer. */
void act_budget_note(struct act_budget *b, const struct spimend_address *peer, int64_t now);
/* At start, for each intent of the journal: it was done at `wall`, and it is `now_wall` and `now`. */
void act_budget_replay(struct act_budget *b, const struct spimend_address *peer, struct instant wall,
		       struct instant now_wall, int64_t now);

#endif
