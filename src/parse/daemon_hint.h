/* SPDX-License-Identifier: MIT */
/*
 * charon's log lines, as its VICI event "log" gives them (level 1), into struct daemon_hint. Called by repair/daemon.
 *
 * Who closed a child shows in no single line: an IKEv2 INFORMATIONAL is answered by a DELETE for the sibling, so both ends
 * print "received DELETE" and "sending DELETE". The line before tells what is a request and what an answer, hence a small
 * memory, one slot a thread of charon (an IKE SA is handled by one thread at a time).
 *
 * HINT_DELETE_RECEIVED carries the SPI that the peer named: its own inbound, our OUTBOUND one. HINT_DELETE_SENT and
 * HINT_EXPIRED carry our inbound SPI. HINT_KERNEL_LOST carries either; HINT_DELETE_UNKNOWN one that is none of ours.
 * Without an SPI, the two deletes concern the whole IKE SA.
 */
#ifndef PARSE_DAEMON_HINT_H
#define PARSE_DAEMON_HINT_H

#include "model/gateway.h"
#include "parse/vici_info.h"

#define DAEMON_HINT_THREADS_MAX 64 /* more share slots: a guess may be lost then */

enum daemon_hint_turn { TURN_OURS, TURN_REQUEST, TURN_RESPONSE };

struct daemon_hint_memory { /* zeroed: nothing heard yet */
	struct {
		uint32_t thread, ike_id;
		enum daemon_hint_turn turn; /* what came in last for that IKE SA */
	} slots[DAEMON_HINT_THREADS_MAX];
};

/* HINT_NONE for lines that tell nothing, or nothing new. */
struct daemon_hint daemon_hint_read(struct daemon_hint_memory *memory, uint16_t daemon, const struct vici_log *log);

#endif
