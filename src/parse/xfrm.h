/* SPDX-License-Identifier: MIT */
/*
 * The kernel's XFRM netlink messages about SAs, into struct kernel_event. Called by repair/xfrm.
 *
 * Reads one datagram of messages: lists (multi-part), additions, updates, deletions, expiries, flushes. Headers are copied
 * out after their length was checked, so bytes need no alignment. Key material (XFRMA_ALG_*) is seen by type only and never
 * copied; who received the bytes wipes them. SAs that are neither ESP nor AH, or of no address family that we know, are
 * passed over and counted.
 */
#ifndef PARSE_XFRM_H
#define PARSE_XFRM_H

#include <stddef.h>

#include "model/gateway.h"

#define XFRM_REQUEST_BYTES 16

struct xfrm_batch {
	uint32_t events;     /* told */
	uint32_t others;     /* well-formed, none of our business, or an answer to another request */
	uint32_t malformed;  /* messages that were too short or lied about their length */
	bool done;           /* NLMSG_DONE: the list is over */
	bool interrupted;    /* NLM_F_DUMP_INTR: the list is inconsistent */
	bool failed;         /* NLMSG_ERROR, or a list that ended with an error */
	int error;           /* negative errno then; 0 in an NLMSG_ERROR is an acknowledgement and no failure */
};

typedef void (*xfrm_event_call)(void *context, const struct kernel_event *event);

/* `sequence` is that of the request whose answers are wanted; 0: everything (what the kernel multicasts has any). */
void xfrm_read(struct text datagram, uint32_t sequence, xfrm_event_call each, void *context, struct xfrm_batch *ret);

/* The request for a list of all SAs; `sequence` is not 0. */
void xfrm_write_list_request(unsigned char to[XFRM_REQUEST_BYTES], uint32_t sequence);

#endif
