/* SPDX-License-Identifier: MIT */
#include "judge/flows.h"

#include <errno.h>

#include "base/memory.h"

#define SEEN_ROOM (1u << 20)

static size_t power_of_two(size_t at_least)
{
	size_t n = 16;

	while (n < at_least)
		n *= 2;
	return n;
}

int flows_init(struct flows *flows, const struct judge_settings *settings, const struct hash_key *key)
{
	*flows = (struct flows){
		.key = *key,
		.limit = settings->flows_max,
		.room = power_of_two((size_t)settings->flows_max * 2),
		.ghost_room = power_of_two(settings->ghosts_max),
		.seen_room = SEEN_ROOM,
		.oldest = FLOW_NONE,
		.newest = FLOW_NONE,
	};
	/* Big and zeroed: pages that are never touched cost nothing. */
	flows->pool = memory_new(flows->limit, sizeof(*flows->pool));
	flows->slots = memory_new(flows->room, sizeof(*flows->slots));
	flows->free_list = memory_new(flows->limit, sizeof(*flows->free_list));
	flows->ghosts = memory_new(flows->ghost_room, sizeof(*flows->ghosts));
	flows->seen = memory_new(flows->seen_room, sizeof(*flows->seen));
	if (!flows->pool || !flows->slots || !flows->free_list || !flows->ghosts || !flows->seen) {
		flows_done(flows);
		return -ENOMEM;
	}
	return 0;
}

void flows_done(struct flows *flows)
{
	memory_free(flows->pool);
	memory_free(flows->slots);
	memory_free(flows->free_list);
	memory_free(flows->ghosts);
	memory_free(flows->seen);
	*flows = (struct flows){ 0 };
}

static size_t slot_of(const struct flows *flows, const struct flow_key *key, uint64_t hash)
{
	size_t i = hash & (flows->room - 1);

	while (flows->slots[i]) {
		const struct flow *f = &flows->pool[flows->slots[i] - 1];

		if (f->hash == hash && memcmp(&f->key, key, sizeof(*key)) == 0)
			break;
		i = (i + 1) & (flows->room - 1);
	}
	return i;
}

/* Linear probing without tombstones: what follows the hole and does not stand where it belongs moves up. */
static void slot_remove(struct flows *flows, size_t hole)
{
	size_t i = hole;

	flows->slots[hole] = 0;
	for (;;) {
		size_t home;

		i = (i + 1) & (flows->room - 1);
		if (!flows->slots[i])
			return;
		home = flows->pool[flows->slots[i] - 1].hash & (flows->room - 1);
		if (((i - home) & (flows->room - 1)) < ((i - hole) & (flows->room - 1)))
			continue;
		flows->slots[hole] = flows->slots[i];
		flows->slots[i] = 0;
		hole = i;
	}
}

static void list_append(struct flows *flows, uint32_t index)
{
	struct flow *f = &flows->pool[index];

	f->listed = true;
	f->older = flows->newest;
	f->newer = FLOW_NONE;
	if (flows->newest != FLOW_NONE)
		flows->pool[flows->newest].newer = index;
	else
		flows->oldest = index;
	flows->newest = index;
}

static void list_remove(struct flows *flows, uint32_t index)
{
	struct flow *f = &flows->pool[index];

	if (!f->listed)
		return;
	if (f->older != FLOW_NONE)
		flows->pool[f->older].newer = f->newer;
	else
		flows->oldest = f->newer;
	if (f->newer != FLOW_NONE)
		flows->pool[f->newer].older = f->older;
	else
		flows->newest = f->older;
	f->listed = false;
}

void flows_keep(struct flows *flows, uint32_t index)
{
	list_remove(flows, index);
}

/* ---- ghosts ---- */

static struct ghost *ghost_bucket(const struct flows *flows, uint64_t hash)
{
	return &flows->ghosts[(hash >> 8) & (flows->ghost_room - 1) & ~(size_t)1];
}

static uint32_t ghost_print(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

static void ghost_add(struct flows *flows, const struct flow *f)
{
	struct ghost *bucket = ghost_bucket(flows, f->hash);
	int place = bucket[0].second == 0 ? 0 : bucket[1].second == 0 ? 1 : bucket[0].second <= bucket[1].second ? 0 : 1;

	if (bucket[place].second)
		flows->forgotten++;
	bucket[place].fingerprint = ghost_print(f->hash);
	/* Rounded up: a repeat seems closer than it was, never farther. */
	bucket[place].second = f->has_times ? (uint32_t)(f->last.ns / SECOND_NS) + 1 : 1;
}

static bool ghost_take(struct flows *flows, uint64_t hash, struct instant *ret)
{
	struct ghost *bucket = ghost_bucket(flows, hash);

	for (int i = 0; i < 2; i++) {
		if (!bucket[i].second || bucket[i].fingerprint != ghost_print(hash))
			continue;
		ret->ns = bucket[i].second * SECOND_NS;
		bucket[i].second = 0;
		return ret->ns > SECOND_NS;
	}
	return false;
}

/* ---- */

static void flood_add(struct flow_floods *floods, const struct flow *f)
{
	if (floods->flows == 0) {
		floods->src = f->key.src;
		floods->dst = f->key.dst;
	}
	floods->many_sources |= !spimend_address_equal(&floods->src, &f->key.src);
	floods->many_destinations |= !spimend_address_equal(&floods->dst, &f->key.dst);
	floods->flows++;
	floods->messages += f->messages;
	if (!f->has_times)
		return;
	if (!floods->has_times || f->first.ns < floods->first.ns)
		floods->first = f->first;
	if (!floods->has_times || f->last.ns > floods->last.ns)
		floods->last = f->last;
	floods->has_times = true;
}

static bool evict_oldest(struct flows *flows, void (*released)(void *context, struct flow *flow), void *context)
{
	uint32_t index = flows->oldest;
	struct flow *f;

	if (index == FLOW_NONE)
		return false;
	f = &flows->pool[index];
	ghost_add(flows, f);
	flood_add(&flows->floods, f);
	list_remove(flows, index);
	slot_remove(flows, slot_of(flows, &f->key, f->hash));
	released(context, f);
	*f = (struct flow){ 0 };
	flows->free_list[flows->free_count++] = index;
	flows->evicted++;
	return true;
}

uint32_t flows_find(const struct flows *flows, const struct flow_key *key)
{
	uint64_t hash = hash_bytes(&flows->key, key, sizeof(*key));
	uint32_t slot = flows->slots[slot_of(flows, key, hash)];

	return slot ? slot - 1 : FLOW_NONE;
}

uint32_t flows_get(struct flows *flows, const struct flow_key *key, bool *ret_new, struct instant *ret_before,
		   bool *ret_has_before, void (*released)(void *context, struct flow *flow), void *context)
{
	uint64_t hash = hash_bytes(&flows->key, key, sizeof(*key));
	size_t slot = slot_of(flows, key, hash);
	uint32_t index;

	*ret_new = false;
	*ret_has_before = false;
	if (flows->slots[slot])
		return flows->slots[slot] - 1;
	if (flows->free_count == 0 && flows->count == flows->limit) {
		if (!evict_oldest(flows, released, context)) {
			flows->refused++;
			return FLOW_NONE;
		}
		slot = slot_of(flows, key, hash);
	}
	index = flows->free_count ? flows->free_list[--flows->free_count] : flows->count++;
	flows->pool[index] = (struct flow){ .key = *key, .hash = hash, .used = true };
	flows->slots[slot] = index + 1;
	*ret_new = true;
	*ret_has_before = ghost_take(flows, hash, ret_before);
	list_append(flows, index);
	return index;
}

bool flows_is_copy(struct flows *flows, const struct flow *flow, struct instant at, uint64_t sequence)
{
	uint64_t parts[3] = { flow->hash, (uint64_t)at.ns, sequence };
	uint64_t hash = hash_bytes(&flows->key, parts, sizeof(parts));
	uint32_t *bucket = &flows->seen[hash & (flows->seen_room - 1) & ~(size_t)3];
	uint32_t print = (uint32_t)(hash >> 32) | 1;

	for (int i = 0; i < 4; i++)
		if (bucket[i] == print)
			return true;
	memmove(bucket + 1, bucket, 3 * sizeof(*bucket));
	bucket[0] = print;
	return false;
}
