/* SPDX-License-Identifier: MIT */
/* The part of `spimend status` that tells how traps and messages fare. Private to record/live_*.c and the role core. */
#ifndef RECORD_LIVE_NOTIFY_H
#define RECORD_LIVE_NOTIFY_H

#include "base/buffer.h"
#include "base/json.h"
#include "model/config.h"
#include "model/dial.h"
#include "model/neighbor.h"
#include "model/trap_counts.h"

struct live_notify {
	const struct trap_counts *traps;       /* as sense counted */
	const struct neighbor_counts *neighbors; /* LLDP and CDP, as sense counted */
	uint32_t neighbors_known;
	uint64_t neighbors_refused;            /* that found no place among them */
	int traps_error;                       /* negative errno: the port cannot be had; 0: it can, or is not wanted */
	const struct dial_state *logs, *snmps; /* by their place in the configuration; of another mark: not told yet */
	const struct dial_state *webs, *program; /* of hooks: the same; the program's has no mark */
	uint64_t not_handed;                   /* lines, traps and changes that dial did not take */
};

/* Lines for people; nothing where neither is configured. */
void live_notify_text(const struct live_notify *n, const struct config *config, struct buffer *out);
/* Members "traps", "neighbors" and "receivers". */
void live_notify_json(const struct live_notify *n, const struct config *config, struct json *j);

#endif
