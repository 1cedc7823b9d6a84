/* SPDX-License-Identifier: MIT */
/*
 * The ring of a packet socket (TPACKET_V3): what both halves must agree on, and reading it.
 *
 * Included by sense/packets*.c alone.
 */
#ifndef SENSE_PACKETS_RING_H
#define SENSE_PACKETS_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* The order of the descriptors in packets_kernel_maps(). */
enum { PACKETS_MAP_WATCH, PACKETS_MAP_TALLIES, PACKETS_MAP_PEERS, PACKETS_MAP_COUNTERS, PACKETS_MAP_EVENTS };

/* No more comes than the limits of the filter let through; a block has room for about 1,500 packets. */
#define PACKETS_BLOCK_SIZE (1u << 18)
#define PACKETS_BLOCKS 4
#define PACKETS_FRAME_SIZE 256 /* only a measure: V3 packs frames as they come */
#define PACKETS_RETIRE_MS 5    /* a block that is not full is told after this time at the latest */

struct packets_ring {
	uint8_t *map;   /* owns: shared mapping */
	unsigned block; /* the one to read next */
	uint32_t left;  /* packets in it that are not read; 0: it is the kernel's, or not looked at */
	uint32_t at;    /* offset of the next packet in it */
};

struct packets_capture {
	struct text bytes; /* from the network header on; borrows until the next call */
	uint16_t type;     /* Ethernet type */
	int64_t real_ns;   /* CLOCK_REALTIME */
};

int packets_ring_map(struct packets_ring *ring, int fd);
void packets_ring_unmap(struct packets_ring *ring);
/* False when there is nothing to read now. */
bool packets_ring_next(struct packets_ring *ring, struct packets_capture *ret);

#endif
