/* SPDX-License-Identifier: MIT */
/*
 * Heads of IKE messages, in and out, for the flight recorder: a packet socket for each sensed interface, with a filter in
 * the kernel that lets UDP ports 500 and 4500 through, of the latter no ESP, and cuts behind HEADS_SNAP bytes.
 *
 * heads_open() is called by the parent (packet sockets take privilege), the rest by the role sense; parse/ike_head says
 * how much is kept. A flood costs the filter and HEADS_A_SECOND reads: what is beyond that waits in a small buffer, and
 * falls out of it. Nothing is sent.
 */
#ifndef SENSE_HEADS_H
#define SENSE_HEADS_H

#include "model/packet_head.h"

#define HEADS_SNAP PACKET_HEAD_MAX
#define HEADS_A_SECOND 200 /* of one interface */

/* 0 or negative errno. */
int heads_open(const char *interface, int *ret_fd);

struct heads_ear { /* plain: whoever owns the socket keeps it */
	char interface[GATEWAY_INTERFACE_MAX];
	int fd;         /* owns */
	int64_t second; /* mono: since then `seen` counts */
	uint32_t seen;
};

typedef void heads_take_fn(void *context, const struct packet_head *head);

/* Reads what is there, some at most. 1: enough for this second, call again in the next one; 0; or negative errno: the
 * socket is of no use any more. */
int heads_read(struct heads_ear *ear, heads_take_fn *take, void *context, struct moment now);

#endif
