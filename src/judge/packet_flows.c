/* SPDX-License-Identifier: MIT */
#include "judge/packet_flows.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

#define ROOM_FIRST 1024

static inline uint32_t hash_of(const struct hash_key *key, const struct packet_key *of)
{
	uint64_t word[5];

	memcpy(word, of, sizeof(word));
	return (uint32_t)(hash_mix(hash_mix(word[0] ^ key->k0, word[1] ^ key->k1) ^ word[4],
				   hash_mix(word[2] ^ key->k1, word[3] ^ key->k0) ^ key->k0) >> 7);
}

static inline bool is_same(const struct packet_key *a, const struct packet_key *b)
{
	uint64_t x[5], y[5];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

int packet_flows_init(struct packet_flows *flows, const struct hash_key *key, uint32_t limit)
{
	*flows = (struct packet_flows){ .key = *key, .limit = limit, .room = limit < ROOM_FIRST ? limit : ROOM_FIRST };
	flows->mask = 2 * ROOM_FIRST - 1;
	flows->pool = memory_new(flows->room, sizeof(*flows->pool));
	flows->slots = memory_new(flows->mask + 1, sizeof(*flows->slots));
	if (flows->pool && flows->slots)
		return 0;
	packet_flows_done(flows);
	return -ENOMEM;
}

void packet_flows_done(struct packet_flows *flows)
{
	memory_free(flows->pool);
	memory_free(flows->slots);
	flows->pool = NULL;
	flows->slots = NULL;
}

static void put_slot(struct packet_flows *flows, uint32_t hash, uint32_t number)
{
	uint32_t at = hash & flows->mask;

	while (flows->slots[at].number)
		at = (at + 1) & flows->mask;
	flows->slots[at] = (struct packet_slot){ hash, number };
}

static void put_all(struct packet_flows *flows)
{
	memset(flows->slots, 0, ((size_t)flows->mask + 1) * sizeof(*flows->slots));
	for (uint32_t i = 0; i < flows->count; i++)
		put_slot(flows, flows->pool[i].hash, i + 1);
}

/* Twice as much; false when there is no memory. */
static bool grow(struct packet_flows *flows)
{
	uint32_t room = flows->room > flows->limit / 2 ? flows->limit : flows->room * 2, size = flows->mask + 1;
	struct packet_flow *pool = memory_resize(flows->pool, room, sizeof(*pool));
	struct packet_slot *slots;

	if (!pool)
		return false;
	flows->pool = pool;
	while (size < room * 2)
		size *= 2;
	slots = memory_new(size, sizeof(*slots));
	if (!slots)
		return false;
	memory_free(flows->slots);
	flows->slots = slots;
	flows->mask = size - 1;
	flows->room = room;
	put_all(flows);
	return true;
}

/* Flows of a single packet go. Where these are few, it was the last time: to sweep again and again would cost too much. */
static void sweep(struct packet_flows *flows)
{
	uint32_t kept = 0, before = flows->count;

	for (uint32_t i = 0; i < before; i++)
		if (flows->pool[i].packets > 1)
			flows->pool[kept++] = flows->pool[i];
	flows->count = kept;
	flows->evicted += before - kept;
	flows->is_full = before - kept < before / 8 + 1;
	put_all(flows);
}

static struct packet_flow *add_flow(struct packet_flows *flows, const struct packet *p, uint32_t hash)
{
	struct packet_flow *f;

	if (flows->count == flows->room && (flows->room == flows->limit || !grow(flows)) && !flows->is_full)
		sweep(flows);
	if (flows->count == flows->room)
		return NULL;
	f = &flows->pool[flows->count++];
	*f = (struct packet_flow){
		.key = p->key, .hash = hash, .first_number = p->number, .sequence_first = p->sequence,
		.sequence_low = p->sequence, .sequence_high = p->sequence, .bad_protocol = p->bad_protocol,
	};
	put_slot(flows, hash, flows->count);
	return f;
}

static inline void count_packet(struct packet_flow *f, uint16_t file, const struct packet *p)
{
	f->bytes += p->length;
	if (__builtin_expect(p->sequence > f->sequence_high, 1)) {
		f->sequence_high = p->sequence;
		f->advances++;
	} else if (p->sequence < f->sequence_low) {
		f->sequence_low = p->sequence;
		f->advances++;
	}
	f->advances -= f->advances == UINT32_MAX;
	if (__builtin_expect(p->has_time, 1)) {
		/* Files come in any order, and packets nearly in theirs. */
		if (__builtin_expect(f->has_times && p->at_ns >= f->last_ns, 1)) {
			f->last_ns = p->at_ns;
			f->last_number = p->number;
			f->sequence_last = p->sequence;
			f->last_file = file;
		} else if (!f->has_times) {
			f->first_ns = f->last_ns = p->at_ns;
			f->first_number = f->last_number = p->number;
			f->sequence_first = f->sequence_last = p->sequence;
			f->first_file = f->last_file = file;
			f->has_times = true;
		} else if (p->at_ns < f->first_ns) {
			f->first_ns = p->at_ns;
			f->first_number = p->number;
			f->sequence_first = p->sequence;
			f->first_file = file;
		}
	} else if (!f->has_times) {
		f->last_number = p->number;
		f->sequence_last = p->sequence;
		f->last_file = file;
		if (f->packets == 0)
			f->first_file = file;
	}
	f->packets++;
}

/* The flow's number, 0 where it is not there. */
static inline uint32_t find(const struct packet_flows *flows, const struct packet_key *key, uint32_t hash)
{
	for (uint32_t at = hash & flows->mask; flows->slots[at].number; at = (at + 1) & flows->mask)
		if (flows->slots[at].hash == hash && is_same(&flows->pool[flows->slots[at].number - 1].key, key))
			return flows->slots[at].number;
	return 0;
}

const struct packet_flow *packet_flows_find(const struct packet_flows *flows, const struct packet_key *key)
{
	uint32_t number = find(flows, key, hash_of(&flows->key, key));

	return number ? &flows->pool[number - 1] : NULL;
}

void packet_flows_add(struct packet_flows *flows, uint16_t file, const struct packet *packets, size_t count)
{
	uint32_t hashes[PACKET_BATCH_MAX];

	for (size_t i = 0; i < count; i++) {
		hashes[i] = hash_of(&flows->key, &packets[i].key);
		__builtin_prefetch(&flows->slots[hashes[i] & flows->mask]);
	}
	for (size_t i = 0; i < count; i++) {
		const struct packet_slot *slot = &flows->slots[hashes[i] & flows->mask];

		if (slot->number) { /* nearly always the right one */
			__builtin_prefetch(&flows->pool[slot->number - 1], 1);
			__builtin_prefetch((const char *)&flows->pool[slot->number - 1] + 64, 1);
		}
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t number = find(flows, &packets[i].key, hashes[i]);
		struct packet_flow *f = number ? &flows->pool[number - 1] : add_flow(flows, &packets[i], hashes[i]);

		if (f)
			count_packet(f, file, &packets[i]);
		else
			flows->refused_packets++;
	}
}
