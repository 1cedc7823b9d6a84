/* SPDX-License-Identifier: MIT */
/*
 * Traps as they are sent: the PDU, v2c's frame, and v3's frame around bytes that sense/usm hashed and encrypted. Pure.
 *
 * Called by the role dial, by sense/usm and by tests. Everything is written from the end of the room to its front, as
 * parse/snmp_ber says; who calls looks at the writer's `overflow` once, at the end.
 */
#ifndef PARSE_SNMP_WRITE_H
#define PARSE_SNMP_WRITE_H

#include "parse/snmp_message.h"

#define SNMP_SEND_MAX 1472 /* bytes of a trap: one Ethernet frame, so that no fragment is lost */

/* What `action snmp-trap` and `event manager applet NAME trap` tell: cEventMgrPolicyEvent and cEventMgrServerEvent (B19). */
struct snmp_applet_event {
	struct snmp_oid root;   /* 1.3.6.1.4.1.9.10.134 of the MIB, or .91 of older images (B20) */
	bool is_server;         /* the end of a run */
	bool has_int1, has_int2, has_text, has_status; /* what the action did not give is sent as noSuchInstance */
	int32_t int1, int2, status;
	uint32_t index;         /* of the history's row */
	struct text name, path, text;
};

/* Fills trap, enterprise-less, with its variables; uptime in hundredths of a second. */
void snmp_make_applet_event(const struct snmp_applet_event *event, uint32_t uptime, int32_t request, struct snmp_trap *ret);

/* An SNMPv2-Trap-PDU, or an InformRequest-PDU. */
void snmp_put_trap(struct ber_writer *w, const struct snmp_trap *trap);
/* The whole v2c message: begins at w->at. */
void snmp_put_v2c(struct ber_writer *w, const struct snmp_trap *trap, struct text community);

/* RFC 3414 3.2: a Report of one of USM's counters, in a scoped PDU of that engine's. */
void snmp_put_report(struct ber_writer *w, struct text engine, const struct snmp_oid *counter, uint32_t value,
		     int32_t request);

/* What asks an engine who it is (RFC 3414 4): a scoped PDU with a request for nothing. */
void snmp_put_question(struct ber_writer *w, int32_t request);

struct snmp_v3_frame {
	int32_t id, boots, time;
	uint8_t flags;
	struct text engine, user, salt;
	size_t auth_len; /* bytes of the hash, which are zeros yet; 0: none */
};
/* Around a scoped PDU that was put before, encrypted (put as an octet string) or not. *ret_auth: where the hash belongs,
 * counted from the end of the writer's room. */
void snmp_put_v3(struct ber_writer *w, const struct snmp_v3_frame *frame, size_t *ret_auth);
/* A scoped PDU with the engine as context engine and the default context. */
void snmp_put_scoped(struct ber_writer *w, const struct snmp_trap *trap, struct text engine);

#endif
