/* SPDX-License-Identifier: MIT */
/*
 * The flows of capture files: one entry for each (source, destination, protocol, encapsulation, SPI), with what the rules
 * need of its packets. Made for tens of millions of packets a second: packets come in batches, and the table's lines are
 * fetched for all of a batch before the first is looked at.
 *
 * Bounded: when PACKET_FLOWS_MAX are there, those of a single packet make room, and are counted; when that does not help
 * (a flood), new ones find no place, and their packets are counted. Private to the judge.
 */
#ifndef JUDGE_PACKET_FLOWS_H
#define JUDGE_PACKET_FLOWS_H

#include "base/hash.h"
#include "model/packet.h"

#define PACKET_FLOWS_MAX (1u << 20)
#define PACKET_BATCH_MAX 128

/* In the place of a protocol: IKE has 0, and an INVALID_SPI notify in clear is counted under the SPI that it names. */
enum { PACKET_FLOW_IKE = 0, PACKET_FLOW_NOTIFY = 255 };

struct packet_flow {
	struct packet_key key;
	uint64_t packets, bytes; /* on the wire */
	int64_t first_ns, last_ns; /* with has_times: of those that have a time */
	uint64_t first_number, last_number; /* in their files */
	uint32_t sequence_first, sequence_last, sequence_low, sequence_high;
	uint32_t advances; /* packets whose sequence number lay outside of all before */
	uint16_t first_file, last_file;
	bool has_times;
	uint8_t bad_protocol; /* of a notify */
	uint8_t unused[2];
	uint32_t hash;
	uint8_t rest[8]; /* two cache lines */
};
_Static_assert(sizeof(struct packet_flow) == 128, "two cache lines");

struct packet_flows {
	struct hash_key key;
	struct packet_flow *pool; /* owns */
	uint32_t count, room, limit;
	struct packet_slot {
		uint32_t hash, number; /* index + 1; 0 is free */
	} *slots; /* owns; a power of two, at least twice the room */
	uint32_t mask;
	bool is_full;
	uint64_t evicted, refused_packets;
};

/* `limit`: flows held at once. 0 or -ENOMEM. */
int packet_flows_init(struct packet_flows *flows, const struct hash_key *key, uint32_t limit);
void packet_flows_done(struct packet_flows *flows);
/* At most PACKET_BATCH_MAX packets of one file. */
void packet_flows_add(struct packet_flows *flows, uint16_t file, const struct packet *packets, size_t count);
/* NULL: there is none. */
const struct packet_flow *packet_flows_find(const struct packet_flows *flows, const struct packet_key *key);

#endif
