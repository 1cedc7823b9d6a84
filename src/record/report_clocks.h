/* SPDX-License-Identifier: MIT */
/*
 * How far the clock of one recorder is ahead of another's, by the IKE messages that both recorded: a message is never there
 * before it was sent. Those of one direction bound the offset from above, those of the other from below; in the middle it is
 * taken to lie, and half of the distance, which is at least half a round trip, is how wrong that may be. Pure.
 */
#ifndef RECORD_REPORT_CLOCKS_H
#define RECORD_REPORT_CLOCKS_H

#include "model/recorded.h"

#define REPORT_MESSAGES_MAX 4096 /* of the first recorder that are remembered: the earliest */
#define IKE_HEADER_SIZE 28

struct report_clocks { /* to be zeroed; `src` and `dst` be set: the two ends */
	struct spimend_address src, dst;
	struct report_message {
		char header[IKE_HEADER_SIZE]; /* RFC 7296 3.1: its SPIs, exchange and message id tell one from another */
		struct instant at;
	} *messages; /* owns */
	uint32_t count;
	bool has_up, has_down;           /* from dst to src, from src to dst */
	int64_t least_up, most_up, least_down, most_down; /* by so much later had the other recorder the message */
	uint32_t looked; /* messages of the other that were looked for: no more than REPORT_MESSAGES_MAX */
	uint64_t pairs;
};

void report_clocks_done(struct report_clocks *c);
/* What the first recorder has, then what the other has. Events of other kinds are passed over. */
void report_clocks_first(struct report_clocks *c, const struct recorded *event);
void report_clocks_other(struct report_clocks *c, const struct recorded *event);
/* False where the messages of both do not tell. */
bool report_clocks_offset(const struct report_clocks *c, int64_t *ret_offset, int64_t *ret_error);

#endif
