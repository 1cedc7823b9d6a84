/* SPDX-License-Identifier: MIT */
/*
 * An IKE message in an IP packet: how much of it may be kept, and what it is in words. RFC 7296 3.1, 3.10 and RFC 2408 3.1,
 * 3.14.
 *
 * Called by sense/heads. Pure. Kept are the IP and UDP headers, the non-ESP marker, the IKE header and, where the first
 * payload is a notify in clear, that with no more than a few bytes of its data: no key exchange, nonce, identity, cookie.
 */
#ifndef PARSE_IKE_HEAD_H
#define PARSE_IKE_HEAD_H

#include "base/buffer.h"
#include "spimend/address.h"

#define IKE_PORT 500
#define IKE_PORT_NAT 4500
#define IKE_NOTIFY_DATA_MAX 8 /* bytes: what an INVALID_SPI names */

struct ike_head {
	struct spimend_address src, dst;
	uint16_t src_port, dst_port;
	size_t keep;         /* bytes from the IP header on */
	uint32_t length;     /* of the packet, by its IP header */
	uint64_t spi_initiator, spi_responder;
	uint8_t version;     /* 1 or 2 */
	uint8_t exchange, flags, first_payload;
	uint32_t message_id;
	bool has_notify;     /* in clear */
	uint16_t notify;
	bool has_spi;        /* that it names */
	uint32_t spi;
};

/* `packet` begins with the IP header and may end behind what is kept. False: it is no IKE, or cut before its header ends. */
bool ike_head_read(struct text packet, struct ike_head *ret);
/* "IKEv2 INFORMATIONAL request 5, initiator 0x..., responder 0x..., notify INVALID_SPI 0x1db73bbb" */
void ike_head_describe(const struct ike_head *head, struct buffer *out);

#endif
