/* SPDX-License-Identifier: MIT */
/*
 * What one packet of a capture file says in clear about IPsec: who sends what SPI to whom, or which IKE exchange.
 *
 * The parse room makes them, the judge counts them. Forgeable, as everything that arrives. 80 bytes, and its key lies
 * together without gaps: many millions of them are hashed and compared.
 */
#ifndef MODEL_PACKET_H
#define MODEL_PACKET_H

#include "base/calendar.h"
#include "spimend/address.h"

struct packet_key { /* a flow: equal flows are equal bytes */
	struct spimend_address src, dst;
	uint8_t protocol; /* 50 or 51; 0: IKE */
	uint8_t encap_udp;
	uint32_t spi; /* host order; 0 with IKE */
};
_Static_assert(sizeof(struct packet_key) == 40, "five words without a gap");

enum packet_ike { /* exchange types by their meaning, IKEv1's and IKEv2's; the words are in the man page */
	EXCHANGE_OTHER,
	EXCHANGE_V1_BASE,
	EXCHANGE_V1_MAIN,
	EXCHANGE_V1_AGGRESSIVE,
	EXCHANGE_V1_INFORMATIONAL,
	EXCHANGE_V1_TRANSACTION,
	EXCHANGE_V1_QUICK,
	EXCHANGE_V1_NEW_GROUP,
	EXCHANGE_V2_SA_INIT,
	EXCHANGE_V2_AUTH,
	EXCHANGE_V2_CREATE_CHILD_SA,
	EXCHANGE_V2_INFORMATIONAL,
	EXCHANGE_V2_SESSION_RESUME,
	EXCHANGE_V2_INTERMEDIATE,
	EXCHANGE_V2_FOLLOWUP_KE,
	EXCHANGES
};

struct packet {
	struct packet_key key;
	uint32_t sequence; /* ESP and AH: of its header, the low half where it is extended */
	uint32_t length;   /* bytes on the wire */
	int64_t at_ns;     /* UNIX time */
	uint64_t number;   /* in its file, from 1 on, as Wireshark counts */
	bool has_time;
	bool is_response;   /* IKEv2 */
	bool has_bad_spi;   /* IKE: a notify in clear says INVALID_SPI about bad_spi */
	uint8_t ike;        /* enum packet_ike */
	uint8_t bad_protocol; /* 50 or 51; 0: not told */
	uint32_t bad_spi;
};

/* "create-child-sa", "ikev1-quick", ...; never NULL. */
const char *packet_ike_name(enum packet_ike exchange);

#endif
