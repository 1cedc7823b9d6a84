/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of a packet, for the flight recorder: of ESP and AH up to the sequence number, of IKE its header and, of a
 * notify that is sent in clear, the notify. Never a key, never payload. Plain data of fixed size, from sense to core.
 */
#ifndef MODEL_PACKET_HEAD_H
#define MODEL_PACKET_HEAD_H

#include "model/gateway.h"

#define PACKET_HEAD_MAX 192
#define PACKET_HEAD_TEXT_MAX 128

struct packet_head {
	int64_t mono_ns;
	struct instant wall;
	struct spimend_address src, dst;
	bool outgoing;
	bool in_ledger;    /* of ESP: its SPI was ours */
	uint8_t protocol;  /* 50, 51; 0: IKE */
	bool has_spi;
	uint32_t spi, sequence;
	uint32_t length;   /* of the packet, by its IP header */
	uint32_t len;
	uint8_t bytes[PACKET_HEAD_MAX]; /* from the IP header on */
	char interface[GATEWAY_INTERFACE_MAX];
	char text[PACKET_HEAD_TEXT_MAX]; /* what it is, for people: printable */
};

bool packet_head_valid(const struct packet_head *head);

#endif
