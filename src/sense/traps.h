/* SPDX-License-Identifier: MIT */
/*
 * Traps, live: reads what comes on the trap port, checks who sent it, and tells what it is and what it means.
 *
 * traps_open() is called by the parent (port 162 is privileged), the rest by the role sense. A trap is taken from an address
 * that 'snmp-server host' names, with its community or one of 'snmp-server community', or, with v3, from a user of ours
 * with all the protection that the user has, and fresh. Whatever else comes is counted by the reason. An inform is taken
 * once, its repetitions are counted. It is answered where it came with v2c over IPv4: with its own bytes, never more. v3 is
 * not: its senders ask for our engine first, which would have to be answered to anybody, with more bytes than were received.
 */
#ifndef SENSE_TRAPS_H
#define SENSE_TRAPS_H

#include "model/report.h"
#include "model/snmp.h"
#include "model/trap_counts.h"
#include "model/config_notify.h"

#define TRAPS_AT_ONCE 32        /* datagrams of one turn; the rest waits in the socket */
#define TRAPS_DATAGRAM_MAX 8192 /* bytes; what is longer is counted */
#define TRAPS_BUFFER (1u << 20) /* bytes of the socket's buffer */

/* A UDP socket on `port`, of IPv4 and IPv6 where there is IPv6. 0 or a negative errno. */
int traps_open(uint16_t port, int *ret_fd);

struct traps;

struct traps_events {
	void *context; /* borrows */
	/* False: it could not be told on, which is counted. */
	bool (*trap)(void *context, const struct snmp_trap *trap, const struct device_report *report);
};

/* Takes `fd` over, also on failure. Makes keys of the users' passwords, some milliseconds each. 0 or a negative errno. */
int traps_new(int fd, const struct config_notify *notify, const struct traps_events *events, struct traps **ret);
void traps_free(struct traps *traps); /* NULL is fine */
/* Other hosts, communities, users. 0 or a negative errno: then the old ones stay. */
int traps_configure(struct traps *traps, const struct config_notify *notify);

int traps_fd(const struct traps *traps);
/* Reads what is there, at most TRAPS_AT_ONCE. `now_ns` is CLOCK_MONOTONIC. 0 or a negative errno. */
int traps_read(struct traps *traps, int64_t now_ns);
/* One datagram: what traps_read() does with each. `bytes` may be changed. True: they are an answer to it now, as long as
 * they were. For tests. */
bool traps_take(struct traps *traps, const struct spimend_address *source, uint8_t *bytes, size_t len, int64_t now_ns);
void traps_count(const struct traps *traps, struct trap_counts *ret);

#endif
