/* SPDX-License-Identifier: MIT */
#include "sense/packets_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "base/memory.h"
#include "sense/packets_ring.h"
#include "spi_shared.h"

struct slot {
	struct sa_key key;
	enum watch_state state;    /* WATCH_FORGET: free */
	bool expected;             /* not set again yet since packets_watch_expect() */
	uint32_t sequence_highest; /* told with the SPI, from the ledger */
	uint64_t told;             /* packets, when a walk told them last */
	uint64_t booked;           /* packets that are in the sums below */
};

struct packets_watch {
	int watch_map, peers_map; /* borrows */
	uint32_t size, cpus;
	struct slot *slots;       /* owns: `size` of them */
	uint32_t *free_slots;     /* owns: ring of those that were used and are free again */
	uint32_t free_first, free_count;
	uint32_t fresh;           /* slots from here on were never used */
	uint32_t cursor;          /* of the walk */
	int64_t until_ns;         /* until then what is expected may come */
	struct spi_tally *tallies; /* owns: shared mapping, `size` times `cpus` */
	const struct spi_counters *counters; /* owns: shared mapping, `cpus` */
	uint64_t live_packets, dead_packets; /* sums, forgotten SPIs included */
};

static struct spi_key key_of(const struct sa_key *key)
{
	struct spi_key k = { .spi = htonl(key->spi), .protocol = key->protocol, .family = key->dst.family };

	memcpy(k.dst, key->dst.bytes, sizeof(k.dst));
	return k;
}

static struct sa_key key_from(const struct spi_key *k)
{
	struct spimend_address dst = { .family = k->family };

	memcpy(dst.bytes, k->dst, sizeof(dst.bytes));
	return sa_key_of(&dst, k->protocol, ntohl(k->spi));
}

static uint32_t map_entries(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.max_entries;
}

/* Takes up what an earlier sensor left in the map. */
static int find_again(struct packets_watch *w)
{
	struct spi_key key, next;
	struct spi_entry entry;
	bool *used cleanup(memory_free_pointer) = memory_new(w->size, sizeof(*used));

	if (!used)
		return -ENOMEM;
	for (int r = bpf_map_get_next_key(w->watch_map, NULL, &next); r == 0;
		r = bpf_map_get_next_key(w->watch_map, &key, &next)) {
		key = next;
		if (bpf_map_lookup_elem(w->watch_map, &key, &entry) < 0 || entry.slot >= w->size || used[entry.slot])
			continue;
		used[entry.slot] = true;
		w->slots[entry.slot].key = key_from(&key);
		w->slots[entry.slot].state = entry.state == SPI_LIVE ? WATCH_LIVE : WATCH_DEAD;
		if (entry.slot >= w->fresh)
			w->fresh = entry.slot + 1;
	}
	for (uint32_t i = 0; i < w->fresh; i++)
		if (!used[i])
			w->free_slots[w->free_count++] = i;
	return 0;
}

/* Writing is for the one moment when a slot is given out: nobody counts in it then. */
static int map_counts(struct packets_watch *w, const int maps[PACKETS_MAPS])
{
	void *tallies = mmap(NULL, sizeof(struct spi_tally) * w->size * w->cpus, PROT_READ | PROT_WRITE, MAP_SHARED,
		maps[PACKETS_MAP_TALLIES], 0);
	void *counters;

	if (tallies == MAP_FAILED)
		return -errno;
	w->tallies = tallies;
	counters = mmap(NULL, sizeof(struct spi_counters) * w->cpus, PROT_READ, MAP_SHARED, maps[PACKETS_MAP_COUNTERS], 0);
	if (counters == MAP_FAILED)
		return -errno;
	w->counters = counters;
	return 0;
}

int packets_watch_new(const int maps[PACKETS_MAPS], struct packets_watch **ret)
{
	struct packets_watch *w = memory_new(1, sizeof(*w));
	int r = 0;

	if (!w)
		return -ENOMEM;
	w->watch_map = maps[PACKETS_MAP_WATCH];
	w->peers_map = maps[PACKETS_MAP_PEERS];
	w->size = map_entries(w->watch_map);
	w->cpus = map_entries(maps[PACKETS_MAP_COUNTERS]);
	if (!w->size || !w->cpus || map_entries(maps[PACKETS_MAP_TALLIES]) != (uint64_t)w->size * w->cpus)
		r = -EINVAL; /* not our maps */
	if (r == 0) {
		w->slots = memory_new(w->size, sizeof(*w->slots));
		w->free_slots = memory_new(w->size, sizeof(*w->free_slots));
		r = w->slots && w->free_slots ? map_counts(w, maps) : -ENOMEM;
	}
	if (r == 0)
		r = find_again(w);
	if (r < 0) {
		packets_watch_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void packets_watch_free(struct packets_watch *w)
{
	if (!w)
		return;
	if (w->tallies)
		munmap(w->tallies, sizeof(*w->tallies) * w->size * w->cpus);
	if (w->counters)
		munmap((void *)w->counters, sizeof(*w->counters) * w->cpus);
	memory_free(w->slots);
	memory_free(w->free_slots);
	memory_free(w);
}

/* --- Counts ---------------------------------------------------------------------------------------------------------- */

static struct spi_count count_of(const struct packets_watch *w, uint32_t slot)
{
	struct spi_count c = { .key = w->slots[slot].key, .sequence_highest = w->slots[slot].sequence_highest };

	for (uint32_t cpu = 0; cpu < w->cpus; cpu++) {
		const struct spi_tally *t = &w->tallies[(size_t)slot * w->cpus + cpu];
		int64_t last = (int64_t)__atomic_load_n(&t->last_ns, __ATOMIC_RELAXED);
		uint32_t highest = __atomic_load_n(&t->sequence_highest, __ATOMIC_RELAXED);

		c.packets += __atomic_load_n(&t->packets, __ATOMIC_RELAXED);
		if (highest > c.sequence_highest)
			c.sequence_highest = highest;
		if (last > c.last_ns) {
			c.last_ns = last;
			c.encap_udp = __atomic_load_n(&t->encap, __ATOMIC_RELAXED);
		}
	}
	return c;
}

/* Adds what came since the last look to the sums. */
static void book(struct packets_watch *w, uint32_t slot, const struct spi_count *c)
{
	struct slot *s = &w->slots[slot];

	*(s->state == WATCH_LIVE ? &w->live_packets : &w->dead_packets) += c->packets - s->booked;
	s->booked = c->packets;
}

static void release(struct packets_watch *w, uint32_t slot)
{
	struct spi_count c = count_of(w, slot);

	book(w, slot, &c);
	w->slots[slot] = (struct slot){ 0 };
	w->free_slots[(w->free_first + w->free_count++) % w->size] = slot;
}

static int forget(struct packets_watch *w, uint32_t slot)
{
	struct spi_key key = key_of(&w->slots[slot].key);
	int r = bpf_map_delete_elem(w->watch_map, &key);

	if (r == 0 || r == -ENOENT)
		release(w, slot);
	return r;
}

unsigned packets_watch_walk(struct packets_watch *w, unsigned max, int64_t now_ns,
	void (*count)(void *context, const struct spi_count *count), void *context)
{
	unsigned told = 0;

	if (max > w->fresh)
		max = w->fresh;
	for (; max; max--, w->cursor++) {
		struct spi_count c;

		if (w->cursor >= w->fresh)
			w->cursor = 0;
		if (w->slots[w->cursor].expected && now_ns >= w->until_ns)
			forget(w, w->cursor);
		if (w->slots[w->cursor].state == WATCH_FORGET)
			continue;
		c = count_of(w, w->cursor);
		book(w, w->cursor, &c);
		if (c.packets != w->slots[w->cursor].told) {
			w->slots[w->cursor].told = c.packets;
			count(context, &c);
			told++;
		}
	}
	return told;
}

static bool find(const struct packets_watch *w, const struct sa_key *key, struct spi_entry *ret)
{
	struct spi_key k = key_of(key);
	struct spi_entry entry;

	if (bpf_map_lookup_elem(w->watch_map, &k, &entry) < 0 || entry.slot >= w->size)
		return false;
	*ret = entry;
	return true;
}

enum watch_state packets_watch_state(const struct packets_watch *w, const struct sa_key *key)
{
	struct spi_entry entry;

	return find(w, key, &entry) ? w->slots[entry.slot].state : WATCH_FORGET;
}

int packets_watch_count(const struct packets_watch *w, const struct sa_key *key, struct spi_count *ret)
{
	struct spi_entry entry;

	if (!find(w, key, &entry))
		return -ENOENT;
	*ret = count_of(w, entry.slot);
	return 0;
}

void packets_watch_sum(const struct packets_watch *w, struct sensor_state *state)
{
	uint64_t n[SPI_COUNTS] = { 0 };

	for (uint32_t cpu = 0; cpu < w->cpus; cpu++)
		for (size_t i = 0; i < SPI_COUNTS; i++)
			n[i] += __atomic_load_n(&w->counters[cpu].n[i], __ATOMIC_RELAXED);
	state->known = w->live_packets;
	state->strays = w->dead_packets + n[SPI_COUNT_PEER] + n[SPI_COUNT_STRANGER];
	state->esp_packets = state->known + state->strays + n[SPI_COUNT_FOREIGN] + n[SPI_COUNT_FRAGMENT];
	state->sampled_away = n[SPI_COUNT_SAMPLED];
	state->malformed = n[SPI_COUNT_MALFORMED] + n[SPI_COUNT_CHAIN];
	state->ring_lost = n[SPI_COUNT_RING_FULL];
}

/* --- States ---------------------------------------------------------------------------------------------------------- */

/* -ENOSPC when there is none. */
static int take_slot(struct packets_watch *w, uint32_t *ret)
{
	uint32_t slot;

	if (w->fresh < w->size) {
		slot = w->fresh++;
	} else if (w->free_count) {
		slot = w->free_slots[w->free_first];
		w->free_first = (w->free_first + 1) % w->size;
		w->free_count--;
	} else {
		return -ENOSPC;
	}
	memset(&w->tallies[(size_t)slot * w->cpus], 0, sizeof(*w->tallies) * w->cpus);
	*ret = slot;
	return 0;
}

static int add(struct packets_watch *w, const struct watch_spi *spi, const struct spi_key *key)
{
	struct spi_entry entry = { .state = spi->state == WATCH_LIVE ? SPI_LIVE : SPI_DEAD };
	int r = take_slot(w, &entry.slot);

	if (r < 0)
		return r;
	w->slots[entry.slot] = (struct slot){ .key = spi->key, .state = spi->state, .sequence_highest = spi->sequence_highest };
	r = bpf_map_update_elem(w->watch_map, key, &entry, BPF_NOEXIST);
	if (r < 0) {
		release(w, entry.slot);
		return r == -E2BIG ? -ENOSPC : r;
	}
	return 0;
}

int packets_watch_set(struct packets_watch *w, const struct watch_spi *spi)
{
	struct spi_key key = key_of(&spi->key);
	struct spi_entry entry;
	struct slot *slot;
	struct spi_count c;
	int r;

	if (!find(w, &spi->key, &entry))
		return spi->state == WATCH_FORGET ? 0 : add(w, spi, &key);
	slot = &w->slots[entry.slot];
	if (spi->state == WATCH_FORGET)
		return forget(w, entry.slot);
	slot->expected = false;
	if (spi->sequence_highest > slot->sequence_highest)
		slot->sequence_highest = spi->sequence_highest;
	if (slot->state == spi->state)
		return 0;
	entry.state = spi->state == WATCH_LIVE ? SPI_LIVE : SPI_DEAD;
	r = bpf_map_update_elem(w->watch_map, &key, &entry, BPF_EXIST);
	if (r < 0)
		return r;
	c = count_of(w, entry.slot);
	book(w, entry.slot, &c); /* by its old state */
	slot->state = spi->state;
	return 0;
}

int packets_watch_set_peer(struct packets_watch *w, const struct watch_peer *peer)
{
	struct spi_host host = { .family = peer->address.family };
	const uint32_t yes = 1;
	int r;

	memcpy(host.address, peer->address.bytes, sizeof(host.address));
	if (!peer->forget) {
		r = bpf_map_update_elem(w->peers_map, &host, &yes, BPF_ANY);
		return r == -E2BIG ? -ENOSPC : r;
	}
	r = bpf_map_delete_elem(w->peers_map, &host);
	return r == -ENOENT ? 0 : r;
}

static int forget_peers(struct packets_watch *w)
{
	struct spi_host host;
	int r = 0;

	while (r == 0 && bpf_map_get_next_key(w->peers_map, NULL, &host) == 0)
		r = bpf_map_delete_elem(w->peers_map, &host);
	return r;
}

int packets_watch_expect(struct packets_watch *w, int64_t until_ns)
{
	for (uint32_t i = 0; i < w->fresh; i++) {
		w->slots[i].expected = w->slots[i].state != WATCH_FORGET;
		w->slots[i].told = 0;
	}
	w->until_ns = until_ns;
	return forget_peers(w);
}

int packets_watch_forget_all(struct packets_watch *w)
{
	int r = 0;

	for (uint32_t i = 0; i < w->fresh && r == 0; i++)
		if (w->slots[i].state != WATCH_FORGET)
			r = forget(w, i);
	return r == 0 ? forget_peers(w) : r;
}
