/* SPDX-License-Identifier: MIT */
/*
 * A captured packet, up to its ESP or AH sequence number: Ethernet with VLAN tags, IPv4 with options, IPv6 with extension
 * headers, ESP in UDP. The twin in the kernel is bpf/spi_walk.h.
 * For capture files also: Linux cooked captures, IKE, both directions, and what is tunnelled in IP or GRE.
 *
 * Called by sense, and by parse/capture. Pure. Never reads a byte behind the sequence number, never needs one: captures may
 * end there.
 */
#ifndef PARSE_FRAME_H
#define PARSE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "spimend/address.h"

#define FRAME_PORTS_MAX 8
#define FRAME_TAGS_MAX 3       /* VLAN tags; QinQ has two */
#define FRAME_EXTENSIONS_MAX 8 /* IPv6 extension headers */
#define FRAME_TUNNELS_MAX 2    /* headers around it, of a capture file */

#define FRAME_TYPE_IPV4 0x0800
#define FRAME_TYPE_IPV6 0x86dd

/* UDP ports that ESP arrives at besides 4500. Only the destination counts (RFC 3948 2.1): the source is the peer's NAT's. */
struct frame_ports {
	bool any; /* all: who captured has looked at the port already */
	/* A capture file, which has both directions: either port counts, port 500 is IKE, and a packet in IPv4, IPv6 or GRE
	 * (RFC 2784, 2890) is looked into, FRAME_TUNNELS_MAX deep. */
	bool is_file;
	uint8_t count;
	uint16_t port[FRAME_PORTS_MAX];
};

enum frame_result {
	FRAME_FOUND,
	FRAME_NOT_IP,
	FRAME_NOT_IPSEC,      /* another protocol, another UDP port */
	FRAME_IKE,            /* the non-ESP marker (RFC 3948 2.2); with is_file *ret says where IKE's header is */
	FRAME_KEEPALIVE,      /* RFC 3948 2.3: one byte 0xff. The SPI 0xff...... is no keepalive (B9) */
	FRAME_LATER_FRAGMENT, /* of ESP or AH: the header was in the first one */
	FRAME_TRUNCATED,      /* the capture ends before the sequence number, the packet does not */
	FRAME_MALFORMED,      /* the packet ends before it, or its lengths contradict each other */
	FRAME_CHAIN,          /* more tags or extension headers than are followed */
	FRAME_RESULTS
};

struct frame {
	struct spimend_address src, dst;
	uint8_t protocol; /* 50 or 51 */
	bool encap_udp;
	uint16_t src_port, dst_port; /* with encap_udp */
	uint32_t spi, sequence;      /* host order */
	uint32_t used;               /* bytes up to and with the sequence number; of IKE: up to its header */
	uint32_t left;               /* bytes of the packet behind these by its own lengths, captured or not */
};

/* From the Ethernet header on. `ports` may be NULL: then only 4500. */
enum frame_result frame_read_ethernet(struct text capture, const struct frame_ports *ports, struct frame *ret);
/* From what follows it: `type` is the Ethernet type (a VLAN's: its tag is next), or 0 where IP's own version says it. */
enum frame_result frame_read_network(struct text capture, uint16_t type, const struct frame_ports *ports, struct frame *ret);

/* From a Linux cooked header on: SLL of version 1 (16 bytes), or 2 (20 bytes). */
enum frame_result frame_read_cooked(struct text capture, int version, const struct frame_ports *ports, struct frame *ret);

/* "found", "not IP", ... */
const char *frame_result_name(enum frame_result result);

#endif
