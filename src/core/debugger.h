/* SPDX-License-Identifier: MIT */
/*
 * Debugs: from what the IKE daemon logs, what happens to SAs, what the sensors see and what is ordered, the lines that
 * `debug crypto isakmp|ikev2|ipsec|engine` ask for, of the peers that `debug crypto condition peer` names (B18). Pure.
 *
 * Called by the role core for each of its inputs, and by tests. Lines come out by a call, in the manner of IOS: its facility
 * in front, the daemon's own words behind. At most DEBUGGER_LINES_A_SECOND, with bursts of twice as many: what was held back
 * is counted and said, so that a debug that was left on costs production little. Nothing is decided here, and nothing that
 * comes from the daemon is understood: its text is passed on as it is, printable, and cut.
 */
#ifndef CORE_DEBUGGER_H
#define CORE_DEBUGGER_H

#include "model/daemon_line.h"
#include "model/debug.h"
#include "model/gateway.h"

#define DEBUGGER_LINES_A_SECOND 100
#define DEBUGGER_STRAYS_A_SECOND 20 /* of them: anybody can send those, and may not push the daemon's words out */
#define DEBUGGER_LINE_MAX 400

struct debugger; /* opaque */

typedef void debugger_line_fn(void *context, const char *line);

/* All off. `line` gets each line, printable, without a line feed. 0 or -ENOMEM. */
int debugger_new(debugger_line_fn *line, void *context, struct debugger **ret);
void debugger_free(struct debugger *d); /* NULL is fine */
void debugger_set(struct debugger *d, const struct debug_state *state);
/* Something is on: the IKE daemon's lines are wanted. */
bool debugger_wants_lines(const struct debugger *d);

/* `ike` is the IKE SA of the line as the mirror has it, NULL where it has not: then what an earlier line of the same IKE SA
 * told counts, or the address of a condition that the text names. */
void debugger_daemon_line(struct debugger *d, const struct daemon_line *line, const struct ike_sa *ike, int64_t now);
void debugger_child_event(struct debugger *d, const struct child_event *event, int64_t now);
void debugger_ike_event(struct debugger *d, const struct ike_event *event, int64_t now);
/* The strays of a flow are a line a second, with what came since the last one. */
void debugger_sighting(struct debugger *d, const struct sighting *sighting, int64_t now);
void debugger_order(struct debugger *d, const struct order *order, int64_t now);
void debugger_result(struct debugger *d, const struct order_result *result, int64_t now);
/* Says which strays came since, and what was held back, when nothing came since: to be called about once a second. */
void debugger_tick(struct debugger *d, int64_t now);

struct debugger_counts {
	uint64_t lines, held;
};
struct debugger_counts debugger_count(const struct debugger *d);

#endif
