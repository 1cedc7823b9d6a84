/* SPDX-License-Identifier: MIT */
/*
 * SNMP's nouns: object identifiers, values, and a trap as somebody sent it.
 *
 * Plain data of fixed size, without pointers: a trap travels from the role that reads it to the one that judges it. Whoever
 * receives one checks it with snmp_valid_trap(). SNMPv1's enterprise and specific number are told as the v2 identifier
 * (RFC 3584 3.1). Everything in it is a hint: a UDP source is forgeable, and a relay may have rewritten it.
 */
#ifndef MODEL_SNMP_H
#define MODEL_SNMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "spimend/address.h"

#define SNMP_OID_MAX 64       /* sub-identifiers; RFC 3416 allows 128, no trap of a router comes near */
#define SNMP_OID_TEXT_MAX 704 /* each up to ten digits and a dot, with a NUL */
#define SNMP_STRING_MAX 256   /* bytes kept of an octet string; longer ones are cut, and say so */
#define SNMP_VARBINDS_MAX 16  /* kept of a trap; the rest is counted */

struct snmp_oid {
	uint32_t len;
	uint32_t id[SNMP_OID_MAX]; /* zero behind len */
};

enum snmp_type {
	SNMP_INTEGER, SNMP_OCTETS, SNMP_NULL, SNMP_OID, SNMP_ADDRESS, SNMP_COUNTER32, SNMP_UNSIGNED, SNMP_TIMETICKS, SNMP_OPAQUE,
	SNMP_COUNTER64, SNMP_NO_SUCH_OBJECT, SNMP_NO_SUCH_INSTANCE, SNMP_END_OF_VIEW, SNMP_TYPES
};

struct snmp_value {
	enum snmp_type type;
	union {
		int64_t integer;   /* SNMP_INTEGER: -2^31 to 2^31-1 */
		uint64_t number;   /* the counters, SNMP_UNSIGNED, SNMP_TIMETICKS (hundredths of a second) */
		struct snmp_oid oid;
		struct {
			uint32_t len, cut; /* cut: bytes left out behind */
			uint8_t bytes[SNMP_STRING_MAX];
		} octets;          /* SNMP_OCTETS, SNMP_OPAQUE, and SNMP_ADDRESS of four bytes */
	};
};

struct snmp_varbind {
	struct snmp_oid name;
	struct snmp_value value;
};

struct snmp_trap {
	struct spimend_address source; /* of the datagram */
	struct spimend_address agent;  /* as the message names its origin: v1's agent-addr, snmpTrapAddress; unknown: none */
	uint8_t version;               /* 1, 2 (v2c) or 3 */
	bool inform;                   /* waits for an answer */
	bool authenticated;            /* v3, and its hash was right */
	bool has_uptime, has_enterprise;
	uint32_t uptime;               /* hundredths of a second */
	int32_t request;               /* its number at the sender */
	int32_t generic, specific;     /* of v1; 6 and the last sub-identifier otherwise */
	struct snmp_oid trap;          /* snmpTrapOID */
	struct snmp_oid enterprise;    /* of v1, or snmpTrapEnterprise */
	uint32_t varbind_count, varbinds_dropped;
	struct snmp_varbind varbinds[SNMP_VARBINDS_MAX]; /* without sysUpTime, snmpTrapOID, snmpTrapAddress, snmpTrapEnterprise */
};


/* "1.3.6.1.4", with or without a dot in front; *ret_is_prefix says whether one stood behind, which means all below (B20).
 * False: no identifier; *ret is untouched. */
bool snmp_oid_parse(struct text t, struct snmp_oid *ret, bool *ret_is_prefix);
/* Returns `to`. */
char *snmp_oid_print(const struct snmp_oid *oid, char to[SNMP_OID_TEXT_MAX]);
bool snmp_oid_equal(const struct snmp_oid *a, const struct snmp_oid *b);
/* True when `oid` is `prefix` or lies below it. */
bool snmp_oid_is_below(const struct snmp_oid *oid, const struct snmp_oid *prefix);
/* False, and nothing done, when there is no room. */
bool snmp_oid_add(struct snmp_oid *oid, uint32_t id);

/* A value as people write it: numbers in decimal, octets as printable ASCII (else 0x and hex), addresses dotted; empty for
 * what has no value (NULL, noSuchInstance). Cut to `size`; returns its length. */
size_t snmp_value_print(const struct snmp_value *value, char *to, size_t size);

/* Every enum in range, every length within its bounds, every flag a flag. */
bool snmp_valid_trap(const struct snmp_trap *trap);

#endif
