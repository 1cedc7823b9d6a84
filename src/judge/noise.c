/* SPDX-License-Identifier: MIT */
/*
 * Flows seen together: strangers, one SPI from many sources, many SPIs from one source, floods; and many peers that fell at
 * once. Noise becomes few incidents whatever its volume. A flow that repeated over time is never taken for noise because
 * of what others send: else whoever forges a packet could switch a repair off (DESIGN 4).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "judge/judge_private.h"

#define CASE_GONE VERDICT_OTHER_FAULT + 1 /* absorbed by an aggregated case; private to this file */

static const struct flow *flow_of(const struct judge *j, const struct case_file *c)
{
	return &j->flows.pool[c->flow];
}

/* May this flow be noise because of its company? */
static bool may_be_noise(const struct judge *j, const struct case_file *c)
{
	if (c->flow == FLOW_NONE || c->aggregated || !c->has_spi)
		return false;
	if (c->verdict != VERDICT_UNDECIDED && c->verdict != VERDICT_TRANSIENT)
		return false;
	if (c->rule == RULE_SEQUENCE_STUCK || c->rule == RULE_REKEY_OVERLAP)
		return false;
	return j->peer_count == 0 || !c->has_src || !judge_peer_of(j, &c->src);
}

static bool shares_keys(const struct judge *j, const struct case_file *c)
{
	return c->kind == TUNNEL_SDWAN || c->kind == TUNNEL_IKELESS || flow_of(j, c)->flags & FLAG_SPI_SMALL;
}

static void absorb(struct case_file *into, struct case_file *c)
{
	if (into->messages == 0) {
		into->src = c->src;
		into->dst = c->dst;
		into->has_src = c->has_src;
		into->has_dst = c->has_dst;
	}
	into->has_src &= c->has_src && spimend_address_equal(&into->src, &c->src);
	into->has_dst &= c->has_dst && spimend_address_equal(&into->dst, &c->dst);
	into->messages += c->messages;
	into->copies += c->copies;
	into->flags |= c->flags & (FLAG_SPI_LOW_ZERO | FLAG_SPI_PRINTABLE | FLAG_SPI_RESERVED | FLAG_ADDRESS_MASKED | FLAG_COPIES);
	if (c->has_times) {
		if (!into->has_times || c->first.ns < into->first.ns)
			into->first = c->first;
		if (!into->has_times || c->last.ns > into->last.ns)
			into->last = c->last;
		into->has_times = true;
	}
	if (into->flow == FLOW_NONE)
		into->flow = c->flow; /* its sightings stand for all */
	c->verdict = (enum verdict)(CASE_GONE);
}

static void close_group(struct case_file *g)
{
	static const struct spimend_address nobody = { 0 };

	if (!g->has_src)
		g->src = nobody;
	if (!g->has_dst)
		g->dst = nobody;
	if (!g->has_spi)
		g->spi = 0;
}

static struct case_file noise_case(enum rule rule)
{
	return (struct case_file){
		.flow = FLOW_NONE, .aggregated = true, .verdict = VERDICT_NOISE, .rule = rule, .flags = FLAG_FORGERY_SUSPECTED,
	};
}

/* ---- one SPI from many sources ---- */

static int by_spi(const void *a, const void *b)
{
	const struct case_file *const *x = a, *const *y = b;

	if ((*x)->spi != (*y)->spi)
		return (*x)->spi < (*y)->spi ? -1 : 1;
	return spimend_address_compare(&(*x)->src, &(*y)->src);
}

static uint64_t count_sources(struct case_file **from, size_t n)
{
	uint64_t sources = 0;

	for (size_t i = 0; i < n; i++)
		sources += i == 0 || !spimend_address_equal(&from[i]->src, &from[i - 1]->src);
	return sources;
}

static void gather_by_spi(struct judge *j, struct case_file **list, size_t n)
{
	size_t from, to;

	qsort(list, n, sizeof(*list), by_spi);
	for (from = 0; from < n; from = to) {
		struct case_file group = noise_case(RULE_MANY_SOURCES);
		uint64_t sources;

		for (to = from + 1; to < n && list[to]->spi == list[from]->spi; to++)
			;
		sources = count_sources(list + from, to - from);
		if (sources < j->settings.noise_sources)
			continue;
		group.spi = list[from]->spi;
		group.has_spi = true;
		group.spis = 1;
		group.sources = 0;
		for (size_t i = from; i < to; i++) {
			list[i]->flags |= FLAG_MANY_SOURCES;
			if (may_be_noise(j, list[i])) {
				group.sources += 1;
				absorb(&group, list[i]);
			}
		}
		if (group.sources) {
			group.flags |= FLAG_MANY_SOURCES;
			close_group(&group);
			j->cases[j->case_count++] = group;
		}
	}
}

/* ---- many SPIs from one source ---- */

static int by_source(const void *a, const void *b)
{
	const struct case_file *const *x = a, *const *y = b;
	int by = spimend_address_compare(&(*x)->src, &(*y)->src);

	return by ? by : ((*x)->first.ns > (*y)->first.ns) - ((*x)->first.ns < (*y)->first.ns);
}

/* Is there a window with so many flows? Cases are ordered by time. */
static bool is_dense(struct case_file **list, size_t n, uint64_t needed, int64_t window)
{
	size_t oldest = 0;

	for (size_t i = 0; i < n; i++) {
		while (list[i]->first.ns - list[oldest]->first.ns > window)
			oldest++;
		if (i - oldest + 1 >= needed)
			return true;
	}
	return false;
}

static void gather_by_source(struct judge *j, struct case_file **list, size_t n)
{
	size_t from, to;

	qsort(list, n, sizeof(*list), by_source);
	for (from = 0; from < n; from = to) {
		struct case_file group = noise_case(RULE_MANY_SPIS);
		bool real = false;

		for (to = from; to < n && spimend_address_equal(&list[to]->src, &list[from]->src); to++)
			real |= !may_be_noise(j, list[to]) && list[to]->verdict == VERDICT_DESYNC;
		/* One SPI of this source did repeat: more of its tunnels may have fallen with it. */
		if (real || !is_dense(list + from, to - from, j->settings.noise_spis, j->settings.noise_window_ns))
			continue;
		group.sources = 1;
		for (size_t i = from; i < to; i++) {
			if (may_be_noise(j, list[i])) {
				group.spis++;
				absorb(&group, list[i]);
			}
		}
		if (group.spis) {
			close_group(&group);
			j->cases[j->case_count++] = group;
		}
	}
}

/* ---- floods ---- */

static int by_time(const void *a, const void *b)
{
	const struct case_file *const *x = a, *const *y = b;

	return ((*x)->first.ns > (*y)->first.ns) - ((*x)->first.ns < (*y)->first.ns);
}

static void add_evicted(const struct judge *j, struct case_file *c)
{
	const struct flow_floods *floods = &j->flows.floods;

	c->messages += floods->messages;
	c->spis += floods->flows;
	if (floods->many_sources)
		c->has_src = false;
	if (floods->many_destinations)
		c->has_dst = false;
	if (floods->has_times) {
		if (!c->has_times || floods->first.ns < c->first.ns)
			c->first = floods->first;
		if (!c->has_times || floods->last.ns > c->last.ns)
			c->last = floods->last;
		c->has_times = true;
	}
}

static void gather_flood(struct judge *j, struct case_file **list, size_t n)
{
	const struct flow_floods *floods = &j->flows.floods;
	struct case_file flood = noise_case(RULE_FLOOD);
	bool dense;

	/* All that was evicted came from one source: it belongs to that source's incident. */
	if (floods->flows && !floods->many_sources) {
		for (size_t i = 0; i < j->case_count; i++) {
			struct case_file *c = &j->cases[i];

			if (c->aggregated && c->rule == RULE_MANY_SPIS && spimend_address_equal(&c->src, &floods->src)) {
				add_evicted(j, c);
				return;
			}
		}
	}
	qsort(list, n, sizeof(*list), by_time);
	dense = is_dense(list, n, j->settings.flood_flows, j->settings.noise_window_ns);
	if (!floods->flows && !dense)
		return;
	for (size_t i = 0; i < n; i++) {
		bool in_time = dense || !list[i]->has_times || !floods->has_times ||
			       (list[i]->first.ns >= floods->first.ns - j->settings.noise_window_ns &&
				list[i]->first.ns <= floods->last.ns + j->settings.noise_window_ns);

		if (in_time && may_be_noise(j, list[i])) {
			flood.spis++;
			absorb(&flood, list[i]);
		}
	}
	/* A flood from many sources swallows its single sources. */
	for (size_t i = 0; i < j->case_count; i++) {
		struct case_file *c = &j->cases[i];

		if (c->aggregated && c->verdict == VERDICT_NOISE && c->rule == RULE_MANY_SPIS) {
			flood.spis += c->spis;
			absorb(&flood, c);
		}
	}
	if (floods->flows) {
		if (flood.messages == 0) {
			flood.src = floods->src;
			flood.dst = floods->dst;
			flood.has_src = flood.has_dst = true;
		}
		add_evicted(j, &flood);
	}
	flood.has_src &= spimend_address_known(&flood.src);
	flood.has_dst &= spimend_address_known(&flood.dst);
	flood.sources = flood.has_src ? 1 : 0;
	close_group(&flood);
	j->cases[j->case_count++] = flood;
}

/* ---- too many noise incidents of one kind ---- */

static void merge_rule(struct judge *j, enum rule rule)
{
	struct case_file all = noise_case(rule);
	uint64_t listed = 0;

	for (size_t i = 0; i < j->case_count; i++)
		listed += j->cases[i].verdict == VERDICT_NOISE && j->cases[i].rule == rule;
	if (listed <= j->settings.noise_sources_listed)
		return;
	for (size_t i = 0; i < j->case_count; i++) {
		struct case_file *c = &j->cases[i];

		if (c->verdict != VERDICT_NOISE || c->rule != rule)
			continue;
		all.spis += c->spis;
		all.sources += c->sources;
		absorb(&all, c);
	}
	close_group(&all);
	j->cases[j->case_count++] = all;
}

static void drop_absorbed(struct judge *j)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->case_count; i++)
		if (j->cases[i].verdict != (enum verdict)(CASE_GONE))
			j->cases[kept++] = j->cases[i];
	j->case_count = kept;
}

/* ---- company of real faults ---- */

static int by_observer(const void *a, const void *b)
{
	const struct case_file *const *x = a, *const *y = b;
	int by = spimend_address_compare(&(*x)->dst, &(*y)->dst);

	return by ? by : by_time(a, b);
}

static void flag_many_peers(struct judge *j, struct case_file **list, size_t n)
{
	size_t oldest = 0;

	qsort(list, n, sizeof(*list), by_observer);
	for (size_t i = 0; i < n; i++) {
		while (!spimend_address_equal(&list[oldest]->dst, &list[i]->dst) ||
		       list[i]->first.ns - list[oldest]->first.ns > j->settings.many_peers_window_ns)
			oldest++;
		if (i - oldest + 1 < j->settings.many_peers)
			continue;
		/* Sources differ? One peer with many children is no failover. */
		for (size_t k = oldest; k < i; k++) {
			if (!spimend_address_equal(&list[k]->src, &list[i]->src)) {
				list[i]->flags |= FLAG_MANY_PEERS;
				list[k]->flags |= FLAG_MANY_PEERS;
			}
		}
	}
}

struct pair {
	uint64_t key;
	struct case_file *c;
};

static int by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static uint64_t pair_key(const struct judge *j, const struct spimend_address *a, const struct spimend_address *b)
{
	struct spimend_address two[2] = { *a, *b };

	if (spimend_address_compare(a, b) > 0) {
		two[0] = *b;
		two[1] = *a;
	}
	return hash_bytes(&j->key, two, sizeof(two));
}

static int flag_both_directions(struct judge *j, struct case_file **list, size_t n)
{
	struct pair *pairs cleanup(memory_free_pointer) = memory_new(n, sizeof(*pairs));

	if (!pairs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct pair){ pair_key(j, &list[i]->src, &list[i]->dst), list[i] };
	qsort(pairs, n, sizeof(*pairs), by_pair);
	for (size_t i = 1; i < n; i++) {
		if (pairs[i].key != pairs[i - 1].key || !spimend_address_equal(&pairs[i].c->src, &pairs[i - 1].c->dst))
			continue;
		pairs[i].c->flags |= FLAG_BOTH_DIRECTIONS;
		pairs[i - 1].c->flags |= FLAG_BOTH_DIRECTIONS;
	}
	return 0;
}

/* ---- saved tables without any message ---- */

static void add_cleared_blocks(struct judge *j)
{
	for (uint32_t i = 0; i < j->block_count; i++) {
		const struct sa_block *b = &j->blocks[i].block;
		struct case_file c = {
			.flow = FLOW_NONE, .block = i + 1, .src = b->peer, .dst = b->local, .has_src = true, .has_dst = true,
			.verdict = VERDICT_DESYNC, .rule = RULE_SDWAN_CLEARED, .kind = TUNNEL_SDWAN,
		};
		bool known = !b->controller_keyed || b->inbound_count || b->outbound_count || !b->has_counters || b->encaps ||
			     b->decaps || !spimend_address_known(&b->local) || !spimend_address_known(&b->peer);

		for (size_t k = 0; k < j->case_count && !known; k++)
			known = spimend_address_equal(&j->cases[k].src, &b->peer) &&
				spimend_address_equal(&j->cases[k].dst, &b->local);
		if (known)
			continue;
		evidence_weigh(j, &c);
		j->cases[j->case_count++] = c;
	}
}

/* ---- */

typedef bool pick_fn(const struct judge *j, const struct case_file *c);

static size_t pick(const struct judge *j, struct case_file **list, size_t flows, pick_fn *wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < flows; i++)
		if (wanted(j, &j->cases[i]))
			list[n++] = &j->cases[i];
	return n;
}

static bool has_own_spi(const struct judge *j, const struct case_file *c)
{
	bool stranger = c->verdict == VERDICT_NOISE;

	return c->has_spi && c->has_src && !stranger && !flow_of(j, c)->key.sa_found && !shares_keys(j, c);
}

static bool is_single_or_real(const struct judge *j, const struct case_file *c)
{
	return c->has_src && c->has_times && (may_be_noise(j, c) || c->verdict == VERDICT_DESYNC);
}

static bool is_desync(const struct judge *j, const struct case_file *c)
{
	(void)j;
	return c->verdict == VERDICT_DESYNC && c->has_times;
}

static bool is_open_pair(const struct judge *j, const struct case_file *c)
{
	(void)j;
	return (c->verdict == VERDICT_DESYNC || c->verdict == VERDICT_UNDECIDED) && c->has_src && c->has_dst;
}

static void judge_strangers(struct judge *j)
{
	if (j->peer_count == 0)
		return;
	for (size_t i = 0; i < j->case_count; i++) {
		struct case_file *c = &j->cases[i];

		if (c->has_src && !judge_peer_of(j, &c->src)) {
			c->verdict = VERDICT_NOISE;
			c->rule = RULE_STRANGER;
		}
	}
}

int noise_gather(struct judge *j)
{
	size_t flows, n;
	struct case_file **list cleanup(memory_free_pointer) = memory_new((size_t)j->flows.count + 1, sizeof(*list));
	int result;

	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < j->flows.count; i++)
		if (j->flows.pool[i].used)
			verdict_flow(j, i, &j->cases[j->case_count++]);
	flows = j->case_count;
	judge_strangers(j);
	n = pick(j, list, flows, has_own_spi);
	gather_by_spi(j, list, n);
	n = pick(j, list, flows, is_single_or_real);
	gather_by_source(j, list, n);
	n = pick(j, list, flows, may_be_noise);
	gather_flood(j, list, n);
	merge_rule(j, RULE_MANY_SPIS);
	merge_rule(j, RULE_MANY_SOURCES);
	merge_rule(j, RULE_STRANGER);
	n = pick(j, list, flows, is_desync);
	flag_many_peers(j, list, n);
	n = pick(j, list, flows, is_open_pair);
	result = flag_both_directions(j, list, n);
	drop_absorbed(j);
	add_cleared_blocks(j);
	for (size_t i = 0; i < j->case_count; i++)
		verdict_cause(j, &j->cases[i]);
	return result;
}
