/* SPDX-License-Identifier: MIT */
/*
 * The header of an IKE message (RFC 7296 3.1, RFC 2408 3.1), and, where its payloads are in clear, whether a notify says
 * INVALID_SPI (RFC 7296 1.5, RFC 2408 3.14). Nothing else of it is read; nothing is ever decrypted.
 *
 * Pure. Called by parse/capture. A capture may end inside the message.
 */
#ifndef PARSE_IKE_H
#define PARSE_IKE_H

#include "base/text.h"
#include "model/packet.h"

#define IKE_HEADER 28
#define IKE_PAYLOADS_MAX 32

enum ike_result {
	IKE_READ,
	IKE_CUT,       /* the capture ends inside the header, the message does not */
	IKE_MALFORMED, /* no IKE: too short, another version, a length that cannot be */
};

struct ike_message {
	enum packet_ike exchange;
	uint8_t version; /* 1 or 2 */
	bool is_response;
	bool has_bad_spi;
	uint32_t bad_spi;
	uint8_t bad_protocol; /* 50 or 51; 0: not told */
};

/* `left`: bytes of the datagram from its header on, whatever was captured. */
enum ike_result ike_read(struct text capture, size_t left, struct ike_message *ret);

#endif
