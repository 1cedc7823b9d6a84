/* SPDX-License-Identifier: MIT */
/*
 * lookup [SAS]: what it costs to find one of a million SAs by (destination, protocol, SPI), against khash and uthash in the
 * same run. Nanoseconds a lookup (the best of several rounds, random order, hits and misses) and bytes an SA as the
 * allocator counts them. Exit status 1 when the goal of DESIGN.md 9 is missed: 20 ns and 32 bytes, many at once, as packets
 * and lists come.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "judge/spi_index.h"

#ifdef HAVE_KHASH
#include <bwa/khash.h>
#endif
#ifdef HAVE_UTHASH
#include <uthash.h>
#endif

#define LOOKUPS 1000000
#define ROUNDS 15 /* the best one counts: what disturbs only ever adds */
#define GOAL_NS 20.0
#define GOAL_BYTES 32.0

static const struct hash_key secret = { 0x243f6a8885a308d3, 0x13198a2e03707344 };

struct work { /* what is looked up: three mixes, in random order */
	struct sa_key *queries[3];
	uint64_t expected[3]; /* sum of the values found */
	struct sa_key *sas;
	size_t count;
};
static const char *const mixes[] = { "hits", "misses", "half" };

static uint64_t next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void *need(void *memory)
{
	if (!memory) {
		fputs("lookup: out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

/* Four own addresses; SPIs as charon draws them (0xc0000000 to 0xcfffffff), even ones are ours, odd ones never were. */
static struct sa_key draw(uint64_t *random, bool ours)
{
	static const struct spimend_address own[] = {
		{ 4, { 192, 0, 2, 1 } }, { 4, { 192, 0, 2, 2 } }, { 4, { 198, 51, 100, 1 } },
		{ 6, { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
	};
	uint64_t r = next(random);

	return sa_key_of(&own[r >> 62], 50, 0xc0000000u | ((uint32_t)r & 0x0ffffffeu) | !ours);
}

static void prepare(struct work *work, size_t count)
{
	uint64_t random = 1;

	work->count = count;
	work->sas = need(calloc(count, sizeof(*work->sas)));
	for (size_t i = 0; i < count; i++)
		work->sas[i] = draw(&random, true);
	for (unsigned mix = 0; mix < 3; mix++) {
		work->queries[mix] = need(calloc(LOOKUPS, sizeof(struct sa_key)));
		for (size_t i = 0; i < LOOKUPS; i++) {
			bool hit = mix == 0 || (mix == 2 && next(&random) & 1);

			work->queries[mix][i] = hit ? work->sas[next(&random) % count] : draw(&random, false);
		}
	}
}

/* Of the processor, so that a busy machine disturbs less. */
static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static size_t allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

struct result {
	double ns[3], bytes;
};
typedef uint64_t look_fn(const void *table, const struct sa_key *queries); /* all LOOKUPS; the sum of the values found */

/* Every table must find the same: values are 0, 1, 2 ... in the order of the SAs, the later one of an SPI drawn twice. */
static void time_it(const char *name, struct work *work, const void *table, look_fn *look, struct result *result)
{
	for (unsigned mix = 0; mix < 3; mix++) {
		result->ns[mix] = 1e9;
		for (unsigned i = 0; i < ROUNDS; i++) {
			int64_t from = now();
			uint64_t sum = look(table, work->queries[mix]);

			double ns = (double)(now() - from) / LOOKUPS;

			if (ns < result->ns[mix])
				result->ns[mix] = ns;
			if (!work->expected[mix])
				work->expected[mix] = sum;
			if (sum != work->expected[mix]) {
				fprintf(stderr, "lookup: %s finds something else (%s)\n", name, mixes[mix]);
				exit(2);
			}
		}
	}
}

static uint64_t look_one(const void *table, const struct sa_key *queries)
{
	uint64_t sum = 0;
	uint32_t value;

	for (size_t i = 0; i < LOOKUPS; i++) {
		if (spi_index_find(table, &queries[i], &value))
			sum += value;
	}
	return sum;
}

static uint64_t look_many(const void *table, const struct sa_key *queries)
{
	enum { AT_ONCE = 64 };
	uint32_t values[AT_ONCE];
	bool found[AT_ONCE];
	uint64_t sum = 0;

	for (size_t i = 0; i < LOOKUPS; i += AT_ONCE) {
		size_t many = LOOKUPS - i < AT_ONCE ? LOOKUPS - i : AT_ONCE;

		spi_index_find_many(table, queries + i, many, values, found);
		for (size_t j = 0; j < many; j++)
			sum += values[j];
	}
	return sum;
}

static void run_spimend(struct work *work, struct result *one, struct result *many)
{
	size_t before = allocated();
	struct spi_index_figures f;
	struct spi_index *index;
	int64_t from = now();

	if (spi_index_new((uint32_t)work->count, 64, &secret, &index) < 0)
		need(NULL);
	for (size_t i = 0; i < work->count; i++) {
		if (spi_index_put(index, &work->sas[i], (uint32_t)i) < 0)
			need(NULL);
	}
	f = spi_index_figures(index);
	printf("%u SAs of %u own addresses put in %.2f s; %.1f %% of the buckets overflow, a lookup sees %u of them at worst\n\n",
	       f.count, f.destinations, (double)(now() - from) / 1e9, 100.0 * f.overflowed / f.buckets, f.longest);
	one->bytes = many->bytes = (double)(allocated() - before) / f.count;
	time_it("spi_index", work, index, look_one, one);
	time_it("spi_index, many", work, index, look_many, many);
	spi_index_free(index);
}

#ifdef HAVE_KHASH
static inline khint_t keyed(struct sa_key key)
{
	return (khint_t)hash_bytes(&secret, &key, sizeof(key));
}

static inline bool same(struct sa_key a, struct sa_key b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* The address folded into 32 bits: what one would write for IPv4 alone; no key against chosen collisions. */
static inline uint64_t folded(const struct sa_key *key)
{
	uint32_t words[4];

	memcpy(words, key->dst.bytes, sizeof(words));
	return (uint64_t)(words[0] ^ words[1] ^ words[2] ^ words[3]) << 32 | key->spi;
}

KHASH_INIT(whole, struct sa_key, uint32_t, 1, keyed, same)
KHASH_INIT(fold, khint64_t, uint32_t, 1, kh_int64_hash_func, kh_int64_hash_equal)

static uint64_t look_whole(const void *table, const struct sa_key *queries)
{
	const khash_t(whole) *h = table;
	uint64_t sum = 0;

	for (size_t i = 0; i < LOOKUPS; i++) {
		khint_t at = kh_get(whole, h, queries[i]);

		sum += at != kh_end(h) ? kh_val(h, at) : 0;
	}
	return sum;
}

static uint64_t look_folded(const void *table, const struct sa_key *queries)
{
	const khash_t(fold) *h = table;
	uint64_t sum = 0;

	for (size_t i = 0; i < LOOKUPS; i++) {
		khint_t at = kh_get(fold, h, folded(&queries[i]));

		sum += at != kh_end(h) ? kh_val(h, at) : 0;
	}
	return sum;
}

static void run_khash(struct work *work, struct result *whole, struct result *fold)
{
	size_t before = allocated();
	khash_t(whole) *w = need(kh_init(whole));
	khash_t(fold) *f;
	int absent;

	for (size_t i = 0; i < work->count; i++) {
		khint_t at = kh_put(whole, w, work->sas[i], &absent);

		kh_val(w, at) = (uint32_t)i;
	}
	whole->bytes = (double)(allocated() - before) / kh_size(w);
	time_it("khash", work, w, look_whole, whole);
	kh_destroy(whole, w);

	before = allocated();
	f = need(kh_init(fold));
	for (size_t i = 0; i < work->count; i++) {
		khint_t at = kh_put(fold, f, folded(&work->sas[i]), &absent);

		kh_val(f, at) = (uint32_t)i;
	}
	fold->bytes = (double)(allocated() - before) / kh_size(f);
	time_it("khash, folded", work, f, look_folded, fold);
	kh_destroy(fold, f);
}
#endif

#ifdef HAVE_UTHASH
struct item {
	struct sa_key key;
	uint32_t value;
	UT_hash_handle hh;
};

static uint64_t look_uthash(const void *table, const struct sa_key *queries)
{
	struct item *items, *found;
	uint64_t sum = 0;

	memcpy(&items, table, sizeof(items));
	for (size_t i = 0; i < LOOKUPS; i++) {
		HASH_FIND(hh, items, &queries[i], sizeof(queries[i]), found);
		sum += found ? found->value : 0;
	}
	return sum;
}

static void run_uthash(struct work *work, struct result *result)
{
	struct item *items = NULL, *item, *rest;
	size_t before = allocated();

	for (size_t i = 0; i < work->count; i++) {
		HASH_FIND(hh, items, &work->sas[i], sizeof(work->sas[i]), item);
		if (!item) {
			item = need(calloc(1, sizeof(*item)));
			item->key = work->sas[i];
			HASH_ADD(hh, items, key, sizeof(item->key), item);
		}
		item->value = (uint32_t)i;
	}
	result->bytes = (double)(allocated() - before) / HASH_COUNT(items);
	time_it("uthash", work, &items, look_uthash, result);
	HASH_ITER(hh, items, item, rest) {
		HASH_DEL(items, item);
		free(item);
	}
}
#endif

static void print(const char *name, const struct result *r, const struct result *own)
{
	printf("%-30s %8.1f %8.1f %8.1f %8.1f %10.1f %10.1f\n", name, r->ns[0], r->ns[1], r->ns[2], r->bytes,
	       r->ns[2] / own->ns[2], r->bytes / own->bytes);
}

int main(int argc, char **argv)
{
	struct work work = { .count = 0 };
	struct result one, many;
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
	bool met_speed, met_memory;

	if (argc > 2 || count < 1 || count > 100000000) {
		fputs("usage: lookup [SAS]\n", stderr);
		return 2;
	}
	prepare(&work, (size_t)count);
	run_spimend(&work, &one, &many);
	printf("%-30s %8s %8s %8s %8s %10s %10s\n", "ns a lookup", mixes[0], mixes[1], mixes[2], "bytes", "x time", "x memory");
	print("spi_index, one by one", &one, &one);
	print("spi_index, many at once", &many, &one);
#ifdef HAVE_KHASH
	{
		struct result whole, fold;

		run_khash(&work, &whole, &fold);
		print("khash, whole key, SipHash", &whole, &one);
		print("khash, key in 64 bits, unkeyed", &fold, &one);
	}
#else
	puts("khash                          not installed (libbwa-dev has khash.h): scripts/deps bench");
#endif
#ifdef HAVE_UTHASH
	{
		struct result uthash;

		run_uthash(&work, &uthash);
		print("uthash, whole key", &uthash, &one);
	}
#else
	puts("uthash                         not installed (uthash-dev): scripts/deps bench");
#endif
	puts("\nx time, x memory: how many times as much as spi_index one by one (half hits); above 1 spi_index is better");
	met_speed = many.ns[0] <= GOAL_NS && many.ns[1] <= GOAL_NS && many.ns[2] <= GOAL_NS;
	met_memory = one.bytes <= GOAL_BYTES;
	printf("\nspeed:  %.1f ns many at once, at most %.0f: %s\nmemory: %.1f bytes an SA, at most %.0f: %s\n",
	       many.ns[2], GOAL_NS, met_speed ? "met" : "MISSED", one.bytes, GOAL_BYTES, met_memory ? "met" : "MISSED");
	for (unsigned mix = 0; mix < 3; mix++)
		free(work.queries[mix]);
	free(work.sas);
	return met_speed && met_memory ? 0 : 1;
}
