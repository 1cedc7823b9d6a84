/* SPDX-License-Identifier: MIT */
/*
 * The kernel's SAs over NETLINK_XFRM: lists and live changes, without keys.
 *
 * Two sockets: one asks for lists, the other one hears changes. Opening them and every list need CAP_NET_ADMIN, so both
 * live in the role `act`. Receive buffers are wiped after every read, since the kernel's messages carry keys. Nothing is
 * ever changed in the kernel from here. parse/xfrm reads the messages. A lost message (overrun) means that the mirror
 * is to be read anew: counted, told by a call.
 *
 * Never here: a loop, a clock, a decision.
 */
#ifndef REPAIR_XFRM_H
#define REPAIR_XFRM_H

#include <stdbool.h>
#include <stdint.h>

#include "model/gateway.h"

struct xfrm_mirror; /* opaque */

struct xfrm_mirror_calls {
	void *context; /* borrows */
	/* Listed SAs (KERNEL_LISTED) between list_begin and list_end; changes at any time. */
	void (*list_begin)(void *context, uint32_t serial);
	void (*list_end)(void *context, uint32_t serial, bool complete);
	void (*event)(void *context, const struct kernel_event *event);
	void (*overrun)(void *context); /* changes were lost: ask for a list */
};

enum xfrm_mirror_fd { XFRM_MIRROR_LIST, XFRM_MIRROR_CHANGES, XFRM_MIRROR_FDS };

/* Opens and binds both sockets, non-blocking, close-on-exec: 0 or negative errno. -EPROTONOSUPPORT: no XFRM here. */
int xfrm_mirror_open(int ret_fds[XFRM_MIRROR_FDS]);

/* Takes both fds (closes them, also on failure). */
int xfrm_mirror_new(const int fds[XFRM_MIRROR_FDS], const struct xfrm_mirror_calls *calls, struct xfrm_mirror **ret);
void xfrm_mirror_free(struct xfrm_mirror *x);

/* When readable. Reads a bounded number of datagrams, so that a flood of changes leaves time for others. 0, or a negative
 * errno: that socket is of no more use. */
int xfrm_mirror_read(struct xfrm_mirror *x, enum xfrm_mirror_fd which, int64_t now);
/* INT64_MAX: none. A list that the kernel does not finish is ended as incomplete. */
int64_t xfrm_mirror_deadline(const struct xfrm_mirror *x);
void xfrm_mirror_tick(struct xfrm_mirror *x, int64_t now);

/* Asks for a list of all SAs; serials rise; while one runs the newest request waits. A list that the kernel calls
 * inconsistent (NLM_F_DUMP_INTR) is read again, a bounded number of times, between one begin and one end: an SA may be
 * told twice. 0 or negative errno. */
int xfrm_mirror_refresh(struct xfrm_mirror *x, uint32_t serial, int64_t now);

struct xfrm_mirror_counts {
	uint64_t lists, lists_again, lists_incomplete, changes, overruns, malformed, others;
};
struct xfrm_mirror_counts xfrm_mirror_count(const struct xfrm_mirror *x);

#endif
