/* SPDX-License-Identifier: MIT */
/*
 * Kernel audit records 1415 "SA-notfound": the kernel's own word on each packet that it dropped for want of an SA.
 *
 * audit_open() is called by the parent (CAP_AUDIT_READ), the rest by the sense role. It only listens: never switches
 * auditing on, never answers, never decides. Records come one a packet, from every network namespace, and name no
 * protocol, interface or encapsulation.
 */
#ifndef SENSE_AUDIT_H
#define SENSE_AUDIT_H

#include "model/gateway.h"

#define AUDIT_BUFFER (8u << 20)   /* the kernel drops records when it is full; that is counted */
#define AUDIT_RECORDS_MAX 1024    /* handled in one audit_read() */
#define AUDIT_RECORD_MAX 9216     /* bytes; MAX_AUDIT_MESSAGE_LENGTH of the kernel is 8970 */

struct audit;

/* Opens a socket on the audit multicast group, which speaks in the first network namespace only.
 * 0 or a negative errno (-EPERM, or -EPROTONOSUPPORT: no audit here). */
int audit_open(int *ret_fd);

struct audit_events {
	void *context; /* borrows */
	void (*sighting)(void *context, const struct sighting *sighting);
};

/* Takes `fd` over, also on failure. */
int audit_new(int fd, const struct audit_events *events, struct audit **ret);
void audit_free(struct audit *a);

int audit_fd(const struct audit *a);
/* Reads what is there, at most AUDIT_RECORDS_MAX records, and tells one sighting for the records of a flow that stand next
 * to each other. 0 or a negative errno. */
int audit_read(struct audit *a);
/* Adds this sensor's counts: audit_records, audit_lost (overruns: how many records each cost the kernel does not say). */
void audit_state(const struct audit *a, struct sensor_state *state);

enum audit_message_result { AUDIT_OTHER, AUDIT_STRAY, AUDIT_MALFORMED };
/*
 * One netlink message, header included. AUDIT_STRAY fills *ret but for the times: protocol is ESP, which is an assumption
 * (the record does not say, and AH is rare); interface and ports are unknown.
 */
enum audit_message_result audit_message_parse(const void *message, size_t size, struct sighting *ret);

#endif
