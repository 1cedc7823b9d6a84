/* SPDX-License-Identifier: MIT */
/*
 * LLDP and CDP, live: a packet socket for each interface and protocol that an applet waits for.
 *
 * neighbors_open() is called by the parent (packet sockets take privilege), the rest by the role sense. The socket takes
 * that Ethernet type alone, and the one multicast address is joined: nothing else is heard, and nothing is sent. Without an
 * address such a socket cannot (packet(7)), and the system-call filter of sense lets none pass. What comes faster than
 * neighbours advertise is counted and not read.
 */
#ifndef SENSE_NEIGHBORS_H
#define SENSE_NEIGHBORS_H

#include "model/neighbor.h"

#define NEIGHBOR_FRAMES_MAX 50 /* of one socket that are looked at within a second: they come each half a minute */

/* 0 or negative errno. */
int neighbors_open(const char *interface, bool is_cdp, int *ret_fd);

struct neighbor_ear { /* plain: whoever owns the socket keeps it */
	char interface[GATEWAY_INTERFACE_MAX];
	bool is_cdp;
	int fd;              /* owns */
	int64_t second;      /* mono: since then `seen` counts */
	uint32_t seen;
};

struct neighbor_events {
	void *context; /* borrows */
	/* False: it could not be told on, which is counted. */
	bool (*heard)(void *context, const struct neighbor *neighbor);
};

/* Reads what is there, some frames at most; the rest waits. `now_ns` is CLOCK_MONOTONIC. 0 or negative errno: the socket is
 * of no use any more. */
int neighbors_read(struct neighbor_ear *ear, const struct neighbor_events *events, struct neighbor_counts *counts,
		   int64_t now_ns);

#endif
