/* SPDX-License-Identifier: MIT */
/*
 * Who is at the other ends of this gateway's lines: what was advertised, until its time is over (802.1AB 9.2.8). Tells what
 * is new, what changed and what went.
 *
 * Called by the role core. Pure: the clock is an argument, in monotonic nanoseconds. Bounded: one line does not fill the
 * table for the others, and a neighbour that finds no place is counted, not put in another one's.
 */
#ifndef CORE_NEIGHBORS_H
#define CORE_NEIGHBORS_H

#include "base/text.h"
#include "model/neighbor.h"

#define NEIGHBORS_MAX 512
#define NEIGHBORS_OF_INTERFACE_MAX 64

struct neighbors;

struct neighbors *neighbors_new(void); /* NULL: no memory */
void neighbors_free(struct neighbors *neighbors); /* NULL is fine */

/* An advertisement came. What it changes, and in *ret who (borrowed until the next call); 0: nothing. */
enum neighbor_change neighbors_take(struct neighbors *neighbors, const struct neighbor *said, int64_t now_ns,
				    const struct neighbor **ret);
/* The next one whose time is over: NEIGHBOR_DELETE and who; to be asked until it is 0. */
enum neighbor_change neighbors_expire(struct neighbors *neighbors, int64_t now_ns, const struct neighbor **ret);
/* When the next one's time is over; INT64_MAX: there is none. */
int64_t neighbors_next(const struct neighbors *neighbors);
/* The interface is not heard for that protocol any more: its neighbours are forgotten, which is no news. */
void neighbors_forget(struct neighbors *neighbors, struct text interface, bool is_cdp);

/* By index; NULL beyond the end. Borrowed until the next call. */
const struct neighbor *neighbors_at(const struct neighbors *neighbors, uint32_t index);
/* That found no place. */
uint64_t neighbors_refused(const struct neighbors *neighbors);

#endif
