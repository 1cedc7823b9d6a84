/* SPDX-License-Identifier: MIT */
#include "sense/packets_ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/calendar.h"

int packets_ring_map(struct packets_ring *ring, int fd)
{
	void *map = mmap(NULL, (size_t)PACKETS_BLOCK_SIZE * PACKETS_BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	*ring = (struct packets_ring){ .map = map };
	return 0;
}

void packets_ring_unmap(struct packets_ring *ring)
{
	if (ring->map)
		munmap(ring->map, (size_t)PACKETS_BLOCK_SIZE * PACKETS_BLOCKS);
	*ring = (struct packets_ring){ 0 };
}

static uint32_t *status_of(uint8_t *block)
{
	return (uint32_t *)(void *)(block + offsetof(struct tpacket_block_desc, hdr.bh1.block_status));
}

static void give_back(struct packets_ring *ring, uint8_t *block)
{
	__atomic_store_n(status_of(block), TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	ring->block = (ring->block + 1) % PACKETS_BLOCKS;
	ring->left = 0;
}

/* Goes to the first packet of the next block that has any. */
static bool begin_block(struct packets_ring *ring)
{
	for (int i = 0; i < PACKETS_BLOCKS; i++) {
		uint8_t *block = ring->map + (size_t)ring->block * PACKETS_BLOCK_SIZE;
		struct tpacket_block_desc desc;

		if (!(__atomic_load_n(status_of(block), __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			return false;
		memcpy(&desc, block, sizeof(desc));
		ring->left = desc.hdr.bh1.num_pkts;
		ring->at = desc.hdr.bh1.offset_to_first_pkt;
		if (ring->left)
			return true;
		give_back(ring, block);
	}
	return false;
}

bool packets_ring_next(struct packets_ring *ring, struct packets_capture *ret)
{
	uint8_t *block = ring->map + (size_t)ring->block * PACKETS_BLOCK_SIZE;
	struct tpacket3_hdr header;
	struct sockaddr_ll link;

	/* The block of the packet told last goes back now: its bytes were lent until this call. */
	if (!ring->left && ring->at) {
		ring->at = 0;
		give_back(ring, block);
	}
	if (!ring->left && !begin_block(ring))
		return false;
	block = ring->map + (size_t)ring->block * PACKETS_BLOCK_SIZE;
	if (ring->at > PACKETS_BLOCK_SIZE - sizeof(header) - TPACKET_ALIGN(sizeof(link))) {
		give_back(ring, block); /* the kernel writes no such block */
		ring->at = 0;
		return false;
	}
	memcpy(&header, block + ring->at, sizeof(header));
	memcpy(&link, block + ring->at + TPACKET_ALIGN(sizeof(header)), sizeof(link));
	if (header.tp_net > PACKETS_BLOCK_SIZE - ring->at || header.tp_snaplen > PACKETS_BLOCK_SIZE - ring->at - header.tp_net)
		header.tp_net = 0, header.tp_snaplen = 0;
	ret->bytes = (struct text){ (const char *)block + ring->at + header.tp_net, header.tp_snaplen };
	ret->type = ntohs(link.sll_protocol);
	ret->real_ns = (int64_t)header.tp_sec * SECOND_NS + header.tp_nsec;
	ring->left--;
	ring->at += header.tp_next_offset;
	return true;
}
