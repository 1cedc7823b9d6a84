/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/core_private.h"

#define DUMP_TIMEOUT_NS (10 * SECOND_NS)
#define DUMP_GAP_NS (SECOND_NS / 20)

bool kernel_speaks_for(const struct core *c, uint16_t daemon)
{
	return c->kernel_known && daemon < GATEWAY_DAEMONS_MAX && c->daemons[daemon].known && c->daemons[daemon].had_snapshot
	       && !c->daemons[daemon].state.user_space_esp;
}

const struct kernel_sa *kernel_has(const struct core *c, const struct sa_key *key)
{
	uint32_t at;

	return index_find(&c->kernel_by_spi, core_hash(c, key, sizeof(*key)), &at) ? &c->kernels[at].sa : NULL;
}

bool sad_has(struct core *c, const struct sa_key *key)
{
	const struct mirror_child *child = mirror_child_of_spi(c, key);
	const struct kernel_sa *sa = kernel_has(c, key);

	if (sa && !sa->larval)
		return true;
	if (!child || child->lost)
		return false;
	return !kernel_speaks_for(c, child->sa.daemon);
}

/* The whole lookup key: several SAs may share (dst, protocol, SPI) under different marks. */
static uint64_t full_hash(const struct core *c, const struct kernel_sa *sa)
{
	struct {
		struct sa_key key;
		uint32_t mark, mask, if_id;
	} full;

	memset(&full, 0, sizeof(full));
	full.key = sa->key;
	full.mark = sa->mark;
	full.mask = sa->mark_mask;
	full.if_id = sa->if_id;
	return core_hash(c, &full, sizeof(full));
}

static void kernel_remove(struct core *c, uint32_t at)
{
	struct sa_key key = c->kernels[at].sa.key;
	uint64_t hash = core_hash(c, &key, sizeof(key));
	uint32_t indexed;

	index_remove(&c->kernel_by_key, full_hash(c, &c->kernels[at].sa));
	TABLE_GIVE(c, kernel, kernels, at);
	if (!index_find(&c->kernel_by_spi, hash, &indexed) || indexed != at)
		return;
	index_remove(&c->kernel_by_spi, hash);
	/* Another one under the same SPI takes its place; rare enough for a walk. */
	for (uint32_t i = 0; i < c->kernel_table.count; i++) {
		if (c->kernels[i].used && sa_key_equal(&c->kernels[i].sa.key, &key)) {
			index_set(&c->kernel_by_spi, hash, i);
			return;
		}
	}
}

/* The data plane lost an SA: what the daemon lists does not count for it any more. */
static void kernel_lost(struct core *c, const struct sa_key *key, enum ledger_death death)
{
	struct mirror_child *child = mirror_child_of_spi(c, key);
	struct ledger_entry *entry = ledger_find(c->ledger, key);

	if (!entry || kernel_has(c, key))
		return;
	if (entry->state == LEDGER_DEAD) { /* rekeyed, and now out of use */
		mirror_dies(c, entry, entry->death, true);
		return;
	}
	if (entry->state == LEDGER_REQUESTED) {
		mirror_dies(c, entry, DEATH_UNKNOWN, true);
		return;
	}
	if (!child || c->daemons[child->sa.daemon].state.user_space_esp)
		return;
	/* The daemon itself removes the kernel's SA before it says that the child is gone, and an expiry is told by its own
	 * event: a list tells whether it lists the child still. */
	if (child->sa.state == CHILD_INSTALLED && !child->rekeyed) {
		mirror_want(c, child->sa.daemon);
		child->kernel_lost_ns = c->now.mono_ns;
		mirror_watch(c, entry, WATCH_DEAD);
		if (death == DEATH_EXPIRED_TIME || death == DEATH_EXPIRED_VOLUME) {
			if (ledger_die(c->ledger, entry, death, true, c->now.wall, c->now.mono_ns))
				mirror_keep(c, entry);
		}
	}
}

/* An SPI is being negotiated: the peer may use it before its SA is installed (T1b). */
static void requested(struct core *c, const struct kernel_sa *sa)
{
	struct ledger_entry entry = { .key = sa->key, .peer = sa->src, .state = LEDGER_REQUESTED, .born = c->now.wall }, evicted;
	struct core_output *output;

	while (entry.daemon < GATEWAY_DAEMONS_MAX && !kernel_speaks_for(c, entry.daemon))
		entry.daemon++;
	if (entry.daemon == GATEWAY_DAEMONS_MAX)
		return;
	if (ledger_put(c->ledger, &entry, &evicted) && (output = core_emit(c, CORE_DROP_LEDGER)))
		output->ledger = evicted;
	mirror_keep(c, &entry);
}

/* An SA that went is there again: a change of addresses is told as a removal and an addition. */
static void kernel_found(struct core *c, const struct sa_key *key)
{
	struct mirror_child *child = mirror_child_of_spi(c, key);

	if (!child || !(child->kernel_lost_ns || child->lost) || c->daemons[child->sa.daemon].state.user_space_esp)
		return;
	child->kernel_lost_ns = 0;
	child->has_base = false;
	child->lost = false; /* the next list revives its ledger entry */
	mirror_want(c, child->sa.daemon);
}

static void kernel_put(struct core *c, const struct kernel_sa *sa)
{
	uint64_t full = full_hash(c, sa);
	struct ledger_entry *entry;
	uint32_t at;

	if (sa->outbound)
		return;
	if (!index_find(&c->kernel_by_key, full, &at)) {
		at = TABLE_TAKE(c, kernel, kernels);
		if (at == NONE)
			return;
		if (!index_set(&c->kernel_by_key, full, at)) {
			TABLE_GIVE(c, kernel, kernels, at);
			return;
		}
		c->kernels[at].used = true;
	}
	c->kernels[at].sa = *sa;
	/* Told while a list is under way, it is younger than the list. */
	c->kernels[at].generation = c->kernel_generation + (c->kernel_asked_ns && !c->kernel_in_dump);
	index_set(&c->kernel_by_spi, core_hash(c, &sa->key, sizeof(sa->key)), at);
	entry = ledger_find(c->ledger, &sa->key);
	if (sa->larval) {
		if (!entry)
			requested(c, sa);
		return;
	}
	kernel_found(c, &sa->key);
	if (entry && entry->state == LEDGER_INSTALLED) {
		mirror_watch(c, entry, WATCH_LIVE);
		strays_known(c, &sa->key);
	}
}

void core_kernel_begin(struct core *c, struct moment now)
{
	c->now = now;
	c->kernel_in_dump = true;
	c->kernel_generation++;
	c->kernel_begun_ns = c->kernel_asked_ns ? c->kernel_asked_ns : now.mono_ns;
}

/* The kernel's own number is authenticated, unlike the sensor's: it is what the SA had accepted. */
static void note_replay(struct core *c, const struct kernel_sa *sa)
{
	struct ledger_entry *entry = sa->replay_highest ? ledger_find(c->ledger, &sa->key) : NULL;

	if (!entry || (entry->state == LEDGER_DEAD && entry->death != DEATH_REKEYED))
		return;
	entry->has_sequence = true;
	entry->sequence_forged = false;
	entry->sequence_highest = sa->replay_highest;
}

/* A list under way may still have what is gone now: only one that begins later tells. */
static void kernel_went(struct core *c)
{
	if (c->kernel_asked_ns && !c->kernel_want_ns)
		c->kernel_want_ns = c->now.mono_ns;
}

void core_kernel(struct core *c, const struct kernel_event *event, struct moment now)
{
	enum ledger_death death = DEATH_KERNEL_LOST;
	uint32_t at;

	c->now = now;
	switch (event->change) {
	case KERNEL_LISTED:
	case KERNEL_ADDED:
	case KERNEL_UPDATED:
		kernel_put(c, &event->sa);
		break;
	case KERNEL_EXPIRED_HARD:
		death = event->by_volume ? DEATH_EXPIRED_VOLUME : DEATH_EXPIRED_TIME;
		__attribute__((fallthrough));
	case KERNEL_DELETED:
		kernel_went(c);
		if (index_find(&c->kernel_by_key, full_hash(c, &event->sa), &at))
			kernel_remove(c, at);
		note_replay(c, &event->sa);
		kernel_lost(c, &event->sa.key, death);
		break;
	case KERNEL_FLUSHED:
		kernel_went(c);
		for (uint32_t i = 0; i < c->kernel_table.count; i++) {
			struct sa_key key = c->kernels[i].sa.key;

			if (!c->kernels[i].used)
				continue;
			kernel_remove(c, i);
			kernel_lost(c, &key, DEATH_FLUSHED);
		}
		break;
	case KERNEL_EXPIRED_SOFT:
	case KERNEL_CHANGES:
		break;
	}
}

void core_kernel_end(struct core *c, bool complete, struct moment now)
{
	c->now = now;
	if (!c->kernel_in_dump)
		return;
	c->kernel_in_dump = false;
	c->kernel_asked_ns = 0;
	if (!complete) {
		c->kernel_want_ns = now.mono_ns;
		return;
	}
	for (uint32_t i = 0; i < c->kernel_table.count; i++) {
		struct sa_key key = c->kernels[i].sa.key;

		if (!c->kernels[i].used || c->kernels[i].generation == c->kernel_generation)
			continue;
		kernel_remove(c, i);
		kernel_lost(c, &key, DEATH_KERNEL_LOST);
	}
	c->kernel_known = true;
	c->kernel_dump_ns = c->kernel_begun_ns;
	if (c->kernel_want_ns <= c->kernel_begun_ns)
		c->kernel_want_ns = 0;
	strays_tick(c);
}

void core_counters(struct core *c, const struct xfrm_counters *counters, struct moment now)
{
	bool grew = false;

	c->now = now;
	for (unsigned i = 0; c->has_counters && i < XFRM_COUNTERS; i++)
		grew |= counters->value[i] > c->counters.value[i];
	c->counters = *counters;
	c->has_counters = true;
	/* The kernel dropped packets: the sensor tells whose, lists tell whether it is news. In a flood of
	 * forged packets that is so all the time, so this asks for no more than lists at their quick pace. */
	for (uint16_t d = 0; grew && d < GATEWAY_DAEMONS_MAX; d++)
		mirror_hurry(c, d);
}

int64_t kernel_tick(struct core *c)
{
	struct core_output *output;

	if (!c->config.sense_xfrm) {
		c->kernel_known = false; /* what nobody tells any more speaks for nobody */
		return NEVER;
	}
	if (c->kernel_asked_ns) {
		if (c->now.mono_ns - c->kernel_asked_ns < DUMP_TIMEOUT_NS)
			return c->kernel_asked_ns + DUMP_TIMEOUT_NS;
		c->kernel_asked_ns = 0;
		c->kernel_in_dump = false;
	}
	if (!c->kernel_known && !c->kernel_want_ns)
		c->kernel_want_ns = c->now.mono_ns;
	if (c->kernel_due_ns && c->now.mono_ns >= c->kernel_due_ns) {
		c->kernel_due_ns = 0;
		c->kernel_want_ns = c->kernel_want_ns ? c->kernel_want_ns : c->now.mono_ns;
	}
	if (!c->kernel_want_ns)
		return c->kernel_due_ns ? c->kernel_due_ns : NEVER;
	if (c->kernel_dump_ns && c->now.mono_ns < c->kernel_dump_ns + DUMP_GAP_NS)
		return c->kernel_dump_ns + DUMP_GAP_NS;
	if (!(output = core_emit(c, CORE_REFRESH_KERNEL)))
		return c->now.mono_ns + SECOND_NS;
	output->refresh.serial = c->next_serial++;
	c->kernel_asked_ns = c->now.mono_ns;
	return c->kernel_asked_ns + DUMP_TIMEOUT_NS;
}
