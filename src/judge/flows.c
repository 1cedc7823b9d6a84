/* SPDX-License-Identifier: MIT */
#include "judge/flows.h"

#include <errno.h>

#include "base/memory.h"

#define SEEN_ROOM (1u << 20)
#define GHOST_WAYS 16 /* so many places one ghost may have: after half the room in new ones fewer than 1 in 100 is lost */
#define SOURCES_ROOM (EVICTED_SOURCES_MAX * 2)

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
		.calm_ns = settings->noise_window_ns,
		.room = power_of_two((size_t)settings->flows_max * 2),
		.ghost_room = power_of_two(settings->ghosts_max),
		.seen_room = SEEN_ROOM,
	};
	for (int tier = 0; tier < TIERS_EVICTABLE; tier++)
		flows->oldest[tier] = flows->newest[tier] = FLOW_NONE;
	/* Big and zeroed: pages that are never touched cost nothing. */
	flows->pool = memory_new(flows->limit, sizeof(*flows->pool));
	flows->slots = memory_new(flows->room, sizeof(*flows->slots));
	flows->free_list = memory_new(flows->limit, sizeof(*flows->free_list));
	flows->ghosts = memory_new(flows->ghost_room, sizeof(*flows->ghosts));
	flows->seen = memory_new(flows->seen_room, sizeof(*flows->seen));
	flows->sources = memory_new((size_t)EVICTED_KINDS * SOURCES_ROOM, sizeof(*flows->sources));
	if (!flows->pool || !flows->slots || !flows->free_list || !flows->ghosts || !flows->seen || !flows->sources) {
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
	memory_free(flows->sources);
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

static void list_append(struct flows *flows, uint32_t index, enum flow_tier tier)
{
	struct flow *f = &flows->pool[index];

	f->tier = (uint8_t)tier;
	f->older = flows->newest[tier];
	f->newer = FLOW_NONE;
	if (flows->newest[tier] != FLOW_NONE)
		flows->pool[flows->newest[tier]].newer = index;
	else
		flows->oldest[tier] = index;
	flows->newest[tier] = index;
}

static void list_remove(struct flows *flows, uint32_t index)
{
	struct flow *f = &flows->pool[index];

	if (f->tier == TIER_KEPT)
		return;
	if (f->older != FLOW_NONE)
		flows->pool[f->older].newer = f->newer;
	else
		flows->oldest[f->tier] = f->newer;
	if (f->newer != FLOW_NONE)
		flows->pool[f->newer].older = f->older;
	else
		flows->newest[f->tier] = f->older;
	f->tier = TIER_KEPT;
}

void flows_keep(struct flows *flows, uint32_t index)
{
	list_remove(flows, index);
}

/* ---- sources of evicted flows ---- */

uint64_t flows_source_hash(const struct flows *flows, const struct spimend_address *src)
{
	return hash_bytes(&flows->key, src, sizeof(*src)) | 1;
}

const struct evicted_source *flows_evicted_sources(const struct flows *flows, enum evicted_kind kind)
{
	return flows->sources + (size_t)kind * SOURCES_ROOM;
}

/* The place of that source, or the free one where it would go. */
static struct evicted_source *find_source(const struct flows *flows, enum evicted_kind kind,
					  const struct spimend_address *src)
{
	struct evicted_source *set = flows->sources + (size_t)kind * SOURCES_ROOM;
	uint64_t hash = flows_source_hash(flows, src);
	size_t i = (hash >> 8) & (SOURCES_ROOM - 1);

	while (set[i].hash && set[i].hash != hash)
		i = (i + 1) & (SOURCES_ROOM - 1);
	return &set[i];
}

static void count_source(struct flows *flows, enum evicted_kind kind, const struct spimend_address *src)
{
	struct evicted *sum = &flows->evicted[kind];
	struct evicted_source *s;

	if (!spimend_address_known(src))
		return;
	s = find_source(flows, kind, src);
	if (!s->hash) {
		if (sum->source_count == EVICTED_SOURCES_MAX)
			return;
		s->hash = flows_source_hash(flows, src);
		sum->source_count++;
	}
	s->flows++;
}

static void uncount_source(struct flows *flows, enum evicted_kind kind, const struct spimend_address *src)
{
	struct evicted_source *s = find_source(flows, kind, src);

	s->flows -= s->hash && s->flows > 0;
}

uint64_t flows_evicted_of(const struct flows *flows, enum evicted_kind kind, const struct spimend_address *src)
{
	return find_source(flows, kind, src)->flows;
}

/* ---- ghosts ---- */

/* What a scan's SPIs look like follows from the value alone: it can be taken off a sum again. */
static uint32_t looks_of(const struct flow_key *key)
{
	struct fact f = { .has = FACT_HAS_SPI, .spi = { key->spi } };

	if (!key->has_spi)
		return 0;
	fact_flag_spi(&f);
	return f.flags;
}

static struct ghost *ghost_bucket(const struct flows *flows, uint64_t hash)
{
	return &flows->ghosts[hash & (flows->ghost_room - 1) & ~(size_t)(GHOST_WAYS - 1)];
}

static void ghost_add(struct flows *flows, const struct flow *f, enum evicted_kind kind)
{
	struct ghost *bucket = ghost_bucket(flows, f->hash), *place = bucket;

	for (int i = 1; i < GHOST_WAYS && place->second; i++)
		if (bucket[i].second < place->second)
			place = &bucket[i];
	if (place->second)
		flows->forgotten++;
	place->fingerprint[0] = (uint32_t)(f->hash >> 32);
	place->fingerprint[1] = ((uint32_t)f->hash & ~3u) | (uint32_t)kind;
	/* Rounded up: a repeat seems closer than it was, never farther. */
	place->second = f->has_times ? (uint32_t)(f->last.ns / SECOND_NS) + 1 : 1;
}

static void ghost_take(struct flows *flows, const struct flow_key *key, uint64_t hash, struct flows_place *place)
{
	struct ghost *bucket = ghost_bucket(flows, hash);

	for (int i = 0; i < GHOST_WAYS; i++) {
		enum evicted_kind kind = (enum evicted_kind)(bucket[i].fingerprint[1] & 3);
		struct evicted *sum = &flows->evicted[kind];

		if (!bucket[i].second || bucket[i].fingerprint[0] != (uint32_t)(hash >> 32) ||
		    (bucket[i].fingerprint[1] | 3) != ((uint32_t)hash | 3))
			continue;
		place->before.ns = bucket[i].second * SECOND_NS;
		place->has_before = place->before.ns > SECOND_NS;
		place->messages = 1;
		bucket[i].second = 0;
		if (place->has_before && sum->flows) { /* it is back */
			sum->flows--;
			place->messages = sum->flows ? 1 : sum->messages; /* the last one takes what is left */
			sum->messages -= place->messages;
			sum->low_zero -= (looks_of(key) & FLAG_SPI_LOW_ZERO) != 0;
			sum->printable -= (looks_of(key) & FLAG_SPI_PRINTABLE) != 0;
			uncount_source(flows, kind, &key->src);
		}
		return;
	}
}

/* ---- eviction ---- */

uint64_t flows_evicted(const struct flows *flows)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < EVICTED_KINDS; kind++)
		sum += flows->evicted[kind].flows;
	return sum;
}

/* How long before `now` the flow was last heard of: by the log's clock, else by the device's; INT64_MAX is not known. */
static int64_t age_of(const struct flow *f, const struct flows_now *now)
{
	int64_t age;

	if (f->has_heard && now->has_heard)
		age = now->heard.ns - f->heard.ns;
	else if (f->has_times && now->has_at)
		age = now->at.ns - f->last.ns;
	else
		return INT64_MAX;
	return age < 0 ? -age : age; /* the files of one analysis are read one after the other */
}

static enum evicted_kind kind_of_eviction(const struct flows *flows, const struct flow *f, int64_t age)
{
	if (f->key.sa_found)
		return EVICTED_FOUND;
	if (age != INT64_MAX && age >= flows->calm_ns)
		return f->key.has_spi && spimend_address_known(&f->key.src) ? EVICTED_CALM : EVICTED_UNTOLD;
	return EVICTED_FLOOD;
}

static void sum_up(struct flows *flows, const struct flow *f, enum evicted_kind kind, int64_t age)
{
	struct evicted *sum = &flows->evicted[kind];

	if (sum->flows == 0 && sum->messages == 0) {
		sum->src = f->key.src;
		sum->dst = f->key.dst;
		sum->spi = f->key.spi;
		sum->age_ns = age;
	}
	sum->many_sources |= !spimend_address_equal(&sum->src, &f->key.src);
	sum->many_destinations |= !spimend_address_equal(&sum->dst, &f->key.dst);
	sum->many_spis |= sum->spi != f->key.spi || !f->key.has_spi;
	sum->flows++;
	sum->messages += f->messages;
	sum->low_zero += (looks_of(&f->key) & FLAG_SPI_LOW_ZERO) != 0;
	sum->printable += (looks_of(&f->key) & FLAG_SPI_PRINTABLE) != 0;
	sum->found_kinds |= UINT64_C(1) << f->found_kind;
	if (age < sum->age_ns)
		sum->age_ns = age;
	count_source(flows, kind, &f->key.src);
	if (!f->has_times)
		return;
	if (!sum->has_times || f->first.ns < sum->first.ns)
		sum->first = f->first;
	if (!sum->has_times || f->last.ns > sum->last.ns)
		sum->last = f->last;
	sum->has_times = true;
}

void flows_drop(struct flows *flows, uint32_t index, flows_released_fn *released, void *context)
{
	struct flow *f = &flows->pool[index];

	list_remove(flows, index);
	slot_remove(flows, slot_of(flows, &f->key, f->hash));
	released(context, f);
	*f = (struct flow){ 0 };
	flows->free_list[flows->free_count++] = index;
}

static bool evict_oldest(struct flows *flows, const struct flows_now *now, flows_released_fn *released, void *context)
{
	uint32_t index = FLOW_NONE;
	enum evicted_kind kind;
	struct flow *f;
	int64_t age;

	for (int tier = 0; tier < TIERS_EVICTABLE && index == FLOW_NONE; tier++)
		index = flows->oldest[tier];
	if (index == FLOW_NONE)
		return false;
	f = &flows->pool[index];
	age = age_of(f, now);
	kind = kind_of_eviction(flows, f, age);
	ghost_add(flows, f, kind);
	sum_up(flows, f, kind, age);
	flows_drop(flows, index, released, context);
	return true;
}

uint32_t flows_find(const struct flows *flows, const struct flow_key *key)
{
	uint64_t hash = hash_bytes(&flows->key, key, sizeof(*key));
	uint32_t slot = flows->slots[slot_of(flows, key, hash)];

	return slot ? slot - 1 : FLOW_NONE;
}

struct flows_place flows_get(struct flows *flows, const struct flow_key *key, const struct flows_now *now,
			     enum flow_tier tier, flows_released_fn *released, void *context)
{
	uint64_t hash = hash_bytes(&flows->key, key, sizeof(*key));
	size_t slot = slot_of(flows, key, hash);
	struct flows_place place = { .index = FLOW_NONE, .hash = hash };

	if (flows->slots[slot]) {
		place.index = flows->slots[slot] - 1;
		return place;
	}
	if (flows->free_count == 0 && flows->count == flows->limit) {
		if (!evict_oldest(flows, now, released, context)) {
			flows->refused++;
			return place;
		}
		slot = slot_of(flows, key, hash);
	}
	place.index = flows->free_count ? flows->free_list[--flows->free_count] : flows->count++;
	place.is_new = true;
	flows->pool[place.index] = (struct flow){ .key = *key, .hash = hash, .used = true };
	flows->slots[slot] = place.index + 1;
	ghost_take(flows, key, hash, &place);
	list_append(flows, place.index, tier);
	return place;
}

bool flows_is_copy(struct flows *flows, uint64_t flow_hash, struct instant at, uint64_t sequence)
{
	uint64_t parts[3] = { flow_hash, (uint64_t)at.ns, sequence };
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
