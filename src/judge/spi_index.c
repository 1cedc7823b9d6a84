/* SPDX-License-Identifier: MIT */
#include "judge/spi_index.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/memory.h"
#include "base/slots.h"

#define BUCKET_SLOTS 6
#define BUCKET_BYTES 64 /* a cache line */
#define BATCH 16        /* lookups under way at once: about as many misses as a core keeps in flight */

struct bucket {
	uint32_t spi[BUCKET_SLOTS];
	uint32_t value[BUCKET_SLOTS];
	uint16_t where[BUCKET_SLOTS]; /* number of the destination, doubled, odd for AH; 0: the slot is free */
	uint32_t passed; /* SAs that belong here or before and stand behind: 0 ends a search */
};
_Static_assert(sizeof(struct bucket) == BUCKET_BYTES, "a bucket is a cache line");
_Static_assert(offsetof(struct bucket, where) == 48, "find_slot() reads it with what follows");

/* A struct sa_key as three words: equal keys are equal bytes. */
struct words {
	uint64_t first, second; /* family and fifteen bytes of the address */
	uint8_t last;           /* its sixteenth */
	uint8_t protocol;
	uint32_t spi;
};
_Static_assert(sizeof(struct sa_key) == 24, "the words of a key");
_Static_assert(sizeof(struct spimend_address) == 17, "the words of a key");

struct destination {
	uint64_t first, second;
	uint32_t hash;
	uint32_t users;     /* SAs that have it */
	uint32_t next_free; /* number; 0 at the end */
	uint8_t last;
};

struct spi_index {
	struct hash_key key;
	struct bucket *buckets;           /* borrows from `memory` */
	void *memory;                     /* owns */
	uint32_t bucket_count, count, limit;
	struct slots by_address;          /* numbers of destinations */
	struct destination *destinations; /* owns; by number - 1 */
	uint32_t destination_limit, destination_made, destination_count, destination_free;
	uint64_t refused;
};

static inline struct words words_of(const struct sa_key *key)
{
	struct words w;

	memcpy(&w.first, key, 8);
	memcpy(&w.second, key->dst.bytes + 7, 8);
	w.last = key->dst.bytes[15];
	w.protocol = key->protocol;
	w.spi = key->spi;
	return w;
}

static inline uint32_t address_hash(const struct spi_index *index, const struct words *w)
{
	return (uint32_t)hash_mix(w->first ^ index->key.k0, w->second ^ w->last ^ index->key.k1);
}

/* Number of the destination, 0 when it has no SA. */
static inline uint32_t find_destination(const struct spi_index *index, const struct words *w)
{
	uint32_t hash = address_hash(index, w), cursor = hash, number;

	while ((number = slots_look(&index->by_address, hash, &cursor))) {
		const struct destination *d = &index->destinations[number - 1];

		if (d->first == w->first && d->second == w->second && d->last == w->last)
			return number;
	}
	return 0;
}

static inline uint16_t where_of(uint32_t destination, uint8_t protocol)
{
	return (uint16_t)(destination << 1 | (protocol == SPIMEND_PROTOCOL_AH));
}

/* The upper bits choose the bucket, by multiplication: any number of buckets will do, so the table grows by a fifth. */
static inline uint32_t home_of(const struct spi_index *index, uint16_t where, uint32_t spi)
{
	uint64_t hash = hash_mix(((uint64_t)where << 32 | spi) ^ index->key.k0, index->key.k1 | 1);

	return (uint32_t)((hash >> 32) * index->bucket_count >> 32);
}

static inline uint32_t following(const struct spi_index *index, uint32_t bucket)
{
	return bucket + 1 == index->bucket_count ? 0 : bucket + 1;
}

/* Slot of the SA in that bucket, BUCKET_SLOTS when it is not there. Without a branch for each: which slot it is
 * cannot be foretold. */
#ifdef __SSE2__
static inline unsigned find_slot(const struct bucket *bucket, uint16_t where, uint32_t spi)
{
	const __m128i *words = (const __m128i *)(const void *)bucket; /* spi, value, where and passed lie as declared */
	__m128i spis = _mm_set1_epi32((int)spi);
	__m128i same_spi = _mm_packs_epi32(_mm_cmpeq_epi32(_mm_load_si128(&words[0]), spis),
					   _mm_cmpeq_epi32(_mm_load_si128(&words[1]), spis));
	__m128i same_where = _mm_cmpeq_epi16(_mm_load_si128(&words[3]), _mm_set1_epi16((short)where));
	unsigned same = (unsigned)_mm_movemask_epi8(_mm_and_si128(same_spi, same_where));

	return (unsigned)__builtin_ctz((same & ((1u << 2 * BUCKET_SLOTS) - 1)) | 1u << 2 * BUCKET_SLOTS) / 2;
}
#else
static inline unsigned find_slot(const struct bucket *bucket, uint16_t where, uint32_t spi)
{
	unsigned found = 1u << BUCKET_SLOTS;

	for (unsigned i = 0; i < BUCKET_SLOTS; i++)
		found |= (unsigned)((bucket->spi[i] == spi) & (bucket->where[i] == where)) << i;
	return (unsigned)__builtin_ctz(found);
}
#endif

/* Where that bucket has it not and SAs have passed it. */
static __attribute__((noinline)) bool find_behind(const struct spi_index *index, uint32_t at, uint16_t where, uint32_t spi,
						  uint32_t *ret_value)
{
	for (uint32_t left = index->bucket_count; left > 1 && index->buckets[at].passed; left--) {
		unsigned slot;

		at = following(index, at);
		slot = find_slot(&index->buckets[at], where, spi);
		if (slot < BUCKET_SLOTS) {
			*ret_value = index->buckets[at].value[slot];
			return true;
		}
	}
	return false;
}

/* *value is 0 where nothing is found: whether it is there cannot be foretold either, so there is no branch for it. */
static inline bool find_from(const struct spi_index *index, uint32_t at, uint16_t where, uint32_t spi, uint32_t *value)
{
	const struct bucket *bucket = &index->buckets[at];
	unsigned slot = find_slot(bucket, where, spi);
	bool found = slot < BUCKET_SLOTS;

	*value = bucket->value[slot - !found] & (uint32_t)(slot / BUCKET_SLOTS - 1);
	if (__builtin_expect(!found & (bucket->passed != 0), 0))
		return find_behind(index, at, where, spi, value);
	return found;
}

bool spi_index_find(const struct spi_index *index, const struct sa_key *key, uint32_t *ret_value)
{
	struct words w = words_of(key);
	uint32_t destination = find_destination(index, &w);
	uint16_t where = where_of(destination, w.protocol);
	uint32_t value;

	if (!destination || !find_from(index, home_of(index, where, w.spi), where, w.spi, &value))
		return false;
	*ret_value = value;
	return true;
}

size_t spi_index_find_many(const struct spi_index *index, const struct sa_key *keys, size_t count, uint32_t *ret_values,
			   bool *ret_found)
{
	uint32_t homes[BATCH];
	uint16_t wheres[BATCH];
	size_t found = 0;

	for (size_t from = 0; from < count; from += BATCH) {
		size_t many = count - from < BATCH ? count - from : BATCH;

		for (size_t i = 0; i < many; i++) {
			struct words w = words_of(&keys[from + i]);
			uint32_t destination = find_destination(index, &w);

			wheres[i] = destination ? where_of(destination, w.protocol) : 0;
			homes[i] = home_of(index, wheres[i], w.spi);
			__builtin_prefetch(&index->buckets[homes[i]]);
		}
		for (size_t i = 0; i < many; i++) {
			size_t at = from + i;

			ret_values[at] = 0;
			ret_found[at] = wheres[i] && find_from(index, homes[i], wheres[i], keys[at].spi, &ret_values[at]);
			found += ret_found[at];
		}
	}
	return found;
}

/* --- Changing it --------------------------------------------------------------------------------------------------- */

static void insert(struct spi_index *index, uint16_t where, uint32_t spi, uint32_t value)
{
	uint32_t at = home_of(index, where, spi);

	for (;; at = following(index, at)) {
		struct bucket *bucket = &index->buckets[at];

		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			if (bucket->where[i])
				continue;
			bucket->spi[i] = spi;
			bucket->where[i] = where;
			bucket->value[i] = value;
			return;
		}
		bucket->passed++;
	}
}

/* Six tenths full: then every tenth bucket or so overflows. */
static uint32_t buckets_for(uint64_t count)
{
	return (uint32_t)(count * 10 / (6 * BUCKET_SLOTS) + 2);
}

static int resize(struct spi_index *index, uint32_t bucket_count)
{
	struct bucket *old = index->buckets;
	uint32_t old_count = index->bucket_count;
	unsigned char *memory = memory_new((size_t)bucket_count + 1, BUCKET_BYTES);

	if (!memory)
		return -ENOMEM;
	index->buckets = (struct bucket *)(void *)(memory + (-(uintptr_t)memory & (BUCKET_BYTES - 1)));
	index->bucket_count = bucket_count;
	/* The upper bits of the hash order the buckets of both: old and new are walked from front to end together. */
	for (uint32_t at = 0; at < old_count; at++) {
		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			if (old[at].where[i])
				insert(index, old[at].where[i], old[at].spi[i], old[at].value[i]);
		}
	}
	memory_free(index->memory);
	index->memory = memory;
	return 0;
}

int spi_index_reserve(struct spi_index *index, uint32_t count)
{
	if (count > index->limit)
		return -ENOSPC;
	return buckets_for(count) > index->bucket_count ? resize(index, buckets_for(count)) : 0;
}

static int make_room(struct spi_index *index)
{
	uint32_t most = buckets_for(index->limit), wanted = index->bucket_count + index->bucket_count / 5 + 2;

	if (buckets_for((uint64_t)index->count + 1) <= index->bucket_count)
		return 0;
	if (resize(index, wanted < most ? wanted : most) == 0)
		return 0;
	/* Without memory it gets slower, but never full. */
	return index->count < (uint64_t)index->bucket_count * BUCKET_SLOTS * 15 / 16 ? 0 : -ENOMEM;
}

/* The number of a destination, made where it is new; 0 when there are too many. */
static uint32_t take_destination(struct spi_index *index, const struct words *w)
{
	uint32_t number = find_destination(index, w);
	struct destination *d;

	if (number)
		return number;
	number = index->destination_free;
	if (number)
		index->destination_free = index->destinations[number - 1].next_free;
	else if (index->destination_made < index->destination_limit)
		number = ++index->destination_made;
	else
		return 0;
	d = &index->destinations[number - 1];
	*d = (struct destination){ w->first, w->second, address_hash(index, w), 0, 0, w->last };
	slots_add(&index->by_address, d->hash, number);
	index->destination_count++;
	return number;
}

static void leave_destination(struct spi_index *index, uint32_t number)
{
	struct destination *d = &index->destinations[number - 1];

	if (d->users)
		return;
	slots_remove(&index->by_address, d->hash, number);
	d->next_free = index->destination_free;
	index->destination_free = number;
	index->destination_count--;
}

/* The bucket that has the SA, its number and slot; NULL when none has. */
static struct bucket *find_bucket(struct spi_index *index, uint16_t where, uint32_t spi, uint32_t *ret_at,
				  unsigned *ret_slot)
{
	uint32_t at = home_of(index, where, spi);

	for (uint32_t left = index->bucket_count; left > 0; left--, at = following(index, at)) {
		struct bucket *bucket = &index->buckets[at];
		unsigned slot = find_slot(bucket, where, spi);

		if (slot < BUCKET_SLOTS) {
			*ret_at = at;
			*ret_slot = slot;
			return bucket;
		}
		if (bucket->passed == 0)
			break;
	}
	return NULL;
}

int spi_index_put(struct spi_index *index, const struct sa_key *key, uint32_t value)
{
	struct words w = words_of(key);
	uint32_t destination = find_destination(index, &w), at;
	uint16_t where = where_of(destination, w.protocol);
	struct bucket *bucket;
	unsigned slot;
	int error;

	bucket = destination ? find_bucket(index, where, w.spi, &at, &slot) : NULL;
	if (bucket) {
		bucket->value[slot] = value;
		return 0;
	}
	if (index->count >= index->limit || !(destination = take_destination(index, &w)))
		error = -ENOSPC;
	else
		error = make_room(index);
	if (error) {
		index->refused++;
		if (destination)
			leave_destination(index, destination);
		return error;
	}
	insert(index, where_of(destination, w.protocol), w.spi, value);
	index->destinations[destination - 1].users++;
	index->count++;
	return 0;
}

bool spi_index_remove(struct spi_index *index, const struct sa_key *key)
{
	struct words w = words_of(key);
	uint32_t destination = find_destination(index, &w), at;
	uint16_t where = where_of(destination, w.protocol);
	struct bucket *bucket;
	unsigned slot;

	if (!destination)
		return false;
	bucket = find_bucket(index, where, w.spi, &at, &slot);
	if (!bucket)
		return false;
	for (uint32_t i = home_of(index, where, w.spi); i != at; i = following(index, i))
		index->buckets[i].passed--;
	bucket->spi[slot] = 0;
	bucket->value[slot] = 0;
	bucket->where[slot] = 0;
	index->count--;
	index->destinations[destination - 1].users--;
	leave_destination(index, destination);
	return true;
}

/* --- Life ---------------------------------------------------------------------------------------------------------- */

int spi_index_new(uint32_t limit, uint32_t destinations, const struct hash_key *key, struct spi_index **ret)
{
	struct spi_index *index = memory_new(1, sizeof(*index));

	if (!index)
		return -ENOMEM;
	index->key = *key;
	index->limit = limit < SPI_INDEX_LIMIT_MAX ? limit : SPI_INDEX_LIMIT_MAX;
	index->destination_limit = destinations < SPI_INDEX_DESTINATIONS_MAX ? destinations : SPI_INDEX_DESTINATIONS_MAX;
	index->destinations = memory_new(index->destination_limit, sizeof(*index->destinations));
	if (!index->destinations || slots_init(&index->by_address, index->destination_limit) < 0 ||
	    resize(index, buckets_for(0)) < 0) {
		spi_index_free(index);
		return -ENOMEM;
	}
	*ret = index;
	return 0;
}

void spi_index_free(struct spi_index *index)
{
	if (!index)
		return;
	slots_done(&index->by_address);
	memory_free(index->destinations);
	memory_free(index->memory);
	memory_free(index);
}

struct spi_index_figures spi_index_figures(const struct spi_index *index)
{
	struct spi_index_figures f = {
		.count = index->count, .limit = index->limit, .destinations = index->destination_count,
		.refused = index->refused, .buckets = index->bucket_count,
		.bytes = sizeof(*index) + ((uint64_t)index->bucket_count + 1) * BUCKET_BYTES +
			 (uint64_t)index->destination_limit * sizeof(*index->destinations) +
			 ((uint64_t)index->by_address.mask + 1) * sizeof(*index->by_address.at),
	};
	uint32_t run = 1;

	for (uint32_t at = 0; at < index->bucket_count; at++) {
		run = index->buckets[at].passed ? run + 1 : 1;
		f.overflowed += index->buckets[at].passed > 0;
		if (run > f.longest)
			f.longest = run;
	}
	return f;
}
