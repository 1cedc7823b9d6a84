/* SPDX-License-Identifier: MIT */
/*
 * One packet of a capture file: from its link layer to a struct packet. Link types are numbers of the tcpdump group
 * (www.tcpdump.org/linktypes.html); those that Wireshark calls raw IP are 12, 14, 101, 228 and 229.
 *
 * Called by parse/capture, and by its fuzz target. Pure.
 */
#ifndef PARSE_CAPTURE_PACKET_H
#define PARSE_CAPTURE_PACKET_H

#include "model/packet.h"
#include "parse/frame.h"

enum capture_link {
	LINK_REFUSED,
	LINK_ETHERNET, /* 1 */
	LINK_RAW,      /* 12, 14, 101: IP's version says which */
	LINK_IPV4,     /* 228 */
	LINK_IPV6,     /* 229 */
	LINK_COOKED,   /* 113 */
	LINK_COOKED2,  /* 276 */
	LINKS
};

enum capture_link capture_link_of(uint32_t linktype);
/* "Ethernet", "IEEE 802.11 with radiotap", ...; "unknown" for one that has no name here. */
const char *capture_link_name(uint32_t linktype);

/* Fills the key, the sequence number and what IKE says of *ret, which the caller has zeroed, where the packet is ESP, AH or
 * IKE. FRAME_MALFORMED also where what comes at IKE's port is no IKE. */
enum frame_result capture_packet_read(enum capture_link link, struct text capture, struct packet *ret);
/* The same without the short cut for the packets that are most. They give the same: the fuzz target holds them together. */
enum frame_result capture_packet_read_slowly(enum capture_link link, struct text capture, struct packet *ret);

#endif
