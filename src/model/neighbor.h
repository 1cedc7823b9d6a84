/* SPDX-License-Identifier: MIT */
/*
 * A neighbour on a line, as it advertised itself by LLDP (IEEE 802.1AB) or CDP, and how such frames fare at their receiver.
 *
 * Plain data of fixed size, without pointers: it travels from the role sense, which reads frames, to core, which knows the
 * neighbours. Whoever receives one checks it with neighbor_valid(). Everything in it is what somebody on the line claims.
 */
#ifndef MODEL_NEIGHBOR_H
#define MODEL_NEIGHBOR_H

#include "model/gateway.h"

#define NEIGHBOR_TEXT_MAX 256 /* what a TLV of LLDP holds, with a NUL; longer texts of CDP are cut */

enum neighbor_change { NEIGHBOR_ADD = 1, NEIGHBOR_UPDATE = 2, NEIGHBOR_DELETE = 4 };
const char *neighbor_change_name(enum neighbor_change change); /* "add" ... */

struct neighbor {
	char interface[GATEWAY_INTERFACE_MAX]; /* ours, that it was heard on */
	bool is_cdp;
	bool has_management;
	uint16_t ttl;               /* seconds that this holds; 0: it leaves */
	uint16_t dropped;           /* optional TLVs that were malformed and left out */
	uint64_t identity, content; /* hashes: of who it is on that interface; of all that it says but the ttl */
	uint32_t capabilities, enabled; /* bits as its protocol has them; CDP has no second word: the same */
	struct spimend_address management;
	/* Printable ASCII, other bytes are dots. Empty: not said. */
	char chassis[NEIGHBOR_TEXT_MAX];  /* LLDP's chassis id; CDP's device id */
	char port[NEIGHBOR_TEXT_MAX];
	char name[NEIGHBOR_TEXT_MAX];     /* system name; CDP's device id */
	char description[NEIGHBOR_TEXT_MAX]; /* system description; CDP's version */
	char port_description[NEIGHBOR_TEXT_MAX]; /* LLDP's alone */
	char platform[NEIGHBOR_TEXT_MAX]; /* CDP's alone */
	char domain[NEIGHBOR_TEXT_MAX];   /* CDP's alone: VTP management domain */
};
bool neighbor_valid(const struct neighbor *neighbor);

#define NEIGHBOR_LETTERS_MAX 96
/* "B,R" as routers print LLDP's capabilities, "Router Switch IGMP" as they print CDP's. */
void neighbor_print_capabilities(bool is_cdp, uint32_t bits, char to[NEIGHBOR_LETTERS_MAX]);

enum neighbor_fate {
	NEIGHBOR_TAKEN,
	NEIGHBOR_NOT_OURS,    /* another Ethernet type, destination or SNAP protocol than the socket is for */
	NEIGHBOR_TRUNCATED,   /* the frame ends inside a TLV, or before the fixed part */
	NEIGHBOR_ORDER,       /* LLDP: it does not begin with chassis, port and TTL, or one of them comes again */
	NEIGHBOR_IDENTITY,    /* an id without a value, or longer than allowed; CDP: no device or port id */
	NEIGHBOR_LIFETIME,    /* a TTL that is none */
	NEIGHBOR_VERSION,     /* CDP of another version */
	NEIGHBOR_CHECKSUM,    /* CDP */
	NEIGHBOR_TOO_MANY,    /* more TLVs than are read */
	NEIGHBOR_LIMITED,     /* more frames within a second than are looked at: not read */
	NEIGHBOR_NOT_TOLD,    /* understood, and core did not keep up */
	NEIGHBOR_FATES
};
const char *neighbor_fate_name(enum neighbor_fate fate); /* "taken", "not-ours" ... */

struct neighbor_counts {
	uint32_t sockets;              /* interfaces and protocols that are heard */
	uint64_t fates[NEIGHBOR_FATES];
	uint64_t tlvs_dropped;         /* of frames that were taken */
	uint64_t lost;                 /* by the sockets' buffers */
};

/* Which interface is to be heard for what, from core to the parent. */
#define NEIGHBOR_HEAR_LLDP 1u
#define NEIGHBOR_HEAR_CDP 2u
struct neighbor_hearing {
	char interface[GATEWAY_INTERFACE_MAX];
	uint32_t protocols; /* bits of NEIGHBOR_HEAR_*; 0: not at all */
};
bool neighbor_valid_hearing(const struct neighbor_hearing *hearing);

#endif
