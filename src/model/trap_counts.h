/* SPDX-License-Identifier: MIT */
/* How traps fare at their receiver: each datagram counts once as taken or refused. Plain data, from sense to core. */
#ifndef MODEL_TRAP_COUNTS_H
#define MODEL_TRAP_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "spimend/address.h"

enum trap_fate {
	TRAP_TAKEN,
	TRAP_WRONG_SOURCE,    /* no 'snmp-server host' has that address */
	TRAP_WRONG_COMMUNITY, /* of v1 and v2c */
	TRAP_WRONG_USER,      /* v3: none of ours, or with less protection than the user has */
	TRAP_WRONG_HASH,      /* v3: another password, or forged */
	TRAP_STALE,           /* v3: recorded earlier, or before the engine's last start */
	TRAP_UNREADABLE,      /* v3: what was decrypted is no trap */
	TRAP_MALFORMED,
	TRAP_OTHER_VERSION,
	TRAP_OTHER_SECURITY,
	TRAP_NO_TRAP,
	TRAP_TOO_LONG,
	TRAP_AGAIN,           /* an inform that was taken before: the answer was lost, or there is none */
	TRAP_ASKS_ENGINE,     /* no trap: v3 asks for our engine, before it sends an inform */
	TRAP_NOT_TOLD,        /* understood, and core did not keep up */
	TRAP_FATES
};
const char *trap_fate_name(enum trap_fate fate); /* "taken", "wrong-source" ... */

struct trap_counts {
	bool listens;
	uint16_t port;
	uint64_t received, lost;         /* lost: by the socket's buffer, before anybody read them */
	uint64_t fates[TRAP_FATES];
	uint64_t answered;               /* informs */
	uint64_t varbinds_dropped;       /* beyond what is kept of one trap */
	struct spimend_address refused;  /* the latest that was not taken, and why */
	uint32_t refused_fate;           /* enum trap_fate; TRAP_TAKEN: none yet */
	char refused_why[64];            /* of TRAP_MALFORMED: the reason; printable */
};

bool trap_counts_valid(const struct trap_counts *counts);

#endif
