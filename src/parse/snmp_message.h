/* SPDX-License-Identifier: MIT */
/*
 * SNMP messages as they come over UDP: the frame of v1, v2c and v3 (RFC 1157, 3416, 3412, 3414), and the traps in it. Pure,
 * fuzzed; every refusal has a kind that is counted, a reason and an offset.
 *
 * Called by sense/traps, which checks source, community and v3's hash between the two steps, and by spimend's tests. Nothing
 * here decrypts: what v3 encrypted goes through sense/usm first. What stands behind the message in its datagram is ignored,
 * as RFC 3417 has one message in each.
 */
#ifndef PARSE_SNMP_MESSAGE_H
#define PARSE_SNMP_MESSAGE_H

#include "parse/snmp_ber.h"

#define SNMP_COMMUNITY_MAX 64 /* bytes; a longer one is none of ours */
#define SNMP_USER_MAX 32      /* RFC 3414 2.4 */
#define SNMP_ENGINE_MAX 32    /* RFC 3411 5: 5 to 32 bytes */

enum snmp_trouble {
	SNMP_TROUBLE_NONE,
	SNMP_TROUBLE_MALFORMED, /* no BER, or not the form that the RFC has */
	SNMP_TROUBLE_VERSION,   /* neither v1, v2c nor v3 */
	SNMP_TROUBLE_SECURITY,  /* v3 with another model than USM, or a level that cannot be */
	SNMP_TROUBLE_NO_TRAP,   /* a request, a report, a response */
	SNMP_TROUBLES
};

struct snmp_failure {
	enum snmp_trouble trouble;
	const char *reason; /* static */
	size_t at;          /* offset in the message */
};

enum { SNMP_FLAG_AUTH = 1, SNMP_FLAG_PRIV = 2, SNMP_FLAG_REPORT = 4 };

struct snmp_message { /* texts borrow the message */
	uint8_t version;       /* 1, 2 or 3 */
	struct text community; /* v1, v2c */
	struct ber pdu;        /* v1, v2c */
	/* v3 */
	int32_t id, max_size;
	uint8_t flags;
	struct text engine;    /* of the authoritative engine: a trap's sender */
	int32_t boots, time;
	struct text user, auth, salt; /* auth: 12 bytes or as the hash has them, counted as zeros when it was made */
	size_t whole;          /* bytes of the message, from its start: what is hashed */
	struct ber scoped;     /* flags without SNMP_FLAG_PRIV: inside of the scoped PDU, which begins at scoped_at */
	size_t scoped_at;
	struct text encrypted; /* with it */
};

/* 0, or SPIMEND_E_SYNTAX with *failure filled and *ret untouched. */
int snmp_read_message(const void *bytes, size_t len, struct snmp_message *ret, struct snmp_failure *failure);

/* The PDU in v3's scoped PDU, RFC 3412 6.8; what a cipher padded behind it is ignored. */
int snmp_read_scoped(struct ber scoped, struct ber *ret_pdu, struct snmp_failure *failure);

/* The number of whatever request it is; 0 where there is none. */
int32_t snmp_read_request(struct ber pdu);

/* What answers one: a Response, or a Report of one of USM's counters (RFC 3414 5). */
struct snmp_answer {
	bool is_report;
	int32_t request, error; /* error: error-status of a Response, 0 where there was none */
	uint32_t counter;       /* of a Report: N of usmStats.N.0, 4 is usmStatsUnknownEngineIDs; 0: of another kind */
};
/* False: it is neither. */
bool snmp_read_answer(struct ber pdu, struct snmp_answer *ret);

/* A trap, notification or inform. Fills everything but source and authenticated. `version` is the message's. 0, or
 * SPIMEND_E_SYNTAX with *failure filled and *ret in an undefined state. */
int snmp_read_trap(struct ber pdu, uint8_t version, struct snmp_trap *ret, struct snmp_failure *failure);

#endif
