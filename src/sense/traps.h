/* SPDX-License-Identifier: MIT */
/*
 * Traps, live: reads what comes on the trap port, checks who sent it, and tells what it is and what it means.
 *
 * traps_open() is called by the parent (port 162 is privileged), the rest by the role sense. A trap is taken from an address
 * that 'snmp-server host' names, with its community or one of 'snmp-server community', or, with v3, from a user of ours
 * with all the protection that the user has, and fresh. Whatever else comes is counted by the reason. An inform is taken
 * once, its repetitions are counted. It is answered where it came over IPv4: with its own bytes, and with v3 under this
 * gateway's engine, which is authoritative for it (RFC 3414 1.5.1). Who asks for that engine is told in a Report, and who
 * has a wrong time of it as well: hosts of ours alone, some a second, with hardly more bytes than came.
 */
#ifndef SENSE_TRAPS_H
#define SENSE_TRAPS_H

#include "model/report.h"
#include "model/snmp.h"
#include "model/trap_counts.h"
#include "model/config_notify.h"
#include "sense/usm.h"

#define TRAPS_AT_ONCE 32        /* datagrams of one turn; the rest waits in the socket */
#define TRAPS_DATAGRAM_MAX 8192 /* bytes; what is longer is counted */
#define TRAPS_REPORTS_A_SECOND 10 /* of v3's, to all hosts together */
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
int traps_new(int fd, const struct config_notify *notify, const struct usm_engine *own, const struct traps_events *events,
	      struct traps **ret);
void traps_free(struct traps *traps); /* NULL is fine */
/* Other hosts, communities, users. 0 or a negative errno: then the old ones stay. */
int traps_configure(struct traps *traps, const struct config_notify *notify, const struct usm_engine *own);

int traps_fd(const struct traps *traps);
/* Reads what is there, at most TRAPS_AT_ONCE. `now_ns` is CLOCK_MONOTONIC. 0 or a negative errno. */
int traps_read(struct traps *traps, int64_t now_ns);
/* One datagram: what traps_read() does with each. `bytes` may be changed. The answer to it, borrowed until the next call;
 * empty: there is none. For tests. */
struct text traps_take(struct traps *traps, const struct spimend_address *source, uint8_t *bytes, size_t len,
		       int64_t now_ns);
void traps_count(const struct traps *traps, struct trap_counts *ret);

#endif
