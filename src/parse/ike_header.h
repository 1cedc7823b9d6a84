/* SPDX-License-Identifier: MIT */
/*
 * Who sent whom which IKE message: the header of RFC 7296 3.1 (RFC 2408 3.1 for IKEv1) in a captured packet, from its IP
 * header on. Never looks into the payloads, which are encrypted or none of our business. Pure.
 */
#ifndef PARSE_IKE_HEADER_H
#define PARSE_IKE_HEADER_H

#include "base/text.h"
#include "spimend/address.h"

struct ike_header {
	struct spimend_address src, dst;
	uint8_t version;    /* 1 or 2 */
	uint8_t exchange;
	bool is_response;   /* IKEv2; IKEv1 does not say */
	uint32_t message_id;
	struct text header; /* its 28 bytes; borrows */
};

/* UDP from or to 500, or 4500 with the non-ESP marker, unfragmented. False when it is none. */
bool ike_header_read(struct text packet, struct ike_header *ret);
/* "IKE_SA_INIT", "Quick Mode" ...; "exchange 77" is for the caller: NULL where it has no name. */
const char *ike_exchange_name(const struct ike_header *header);

#endif
