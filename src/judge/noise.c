/* SPDX-License-Identifier: MIT */
/*
 * Flows seen together: strangers, one SPI from many sources, many SPIs from one source, floods; and many peers that fell at
 * once. Noise becomes few incidents whatever its volume. A flow that repeated over time is never taken for noise because
 * of what others send: else whoever forges a packet could switch a repair off (DESIGN 4). One exception: a source that sends
 * so many SPIs that some of them meet by chance has to send one of them three times over time.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "judge/judge_private.h"

#define CHANCE_SHARE 8    /* a source with flood-flows / 8 SPIs sends some of them twice by chance (birthdays) */
#define CHANCE_GAPS 2     /* and hardly one with so many repeats */
#define CHANCE_MESSAGES 3 /* a group of more messages is not of this flood's chance */
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

/* Of a group are shown the flows with the earliest texts. */
static void show_too(const struct judge *j, struct case_file *g, uint32_t flow)
{
	const struct sighting *s = evidence_first(j, &j->flows.pool[flow]);
	size_t at = GROUP_SHOWN;

	if (!s)
		return;
	while (at > 0) {
		const struct sighting *before = g->shown[at - 1] ? evidence_first(j, &j->flows.pool[g->shown[at - 1] - 1]) : NULL;

		if (before && (!s->has_at || (before->has_at && before->at.ns <= s->at.ns)))
			break;
		at--;
	}
	if (at == GROUP_SHOWN)
		return;
	memmove(&g->shown[at + 1], &g->shown[at], (GROUP_SHOWN - 1 - at) * sizeof(g->shown[0]));
	g->shown[at] = flow + 1;
}

static void absorb_figures(const struct judge *j, struct case_file *g, const struct case_file *c)
{
	if (!c->aggregated) {
		g->flows++;
		g->low_zero += (c->flags & FLAG_SPI_LOW_ZERO) != 0;
		g->printable += (c->flags & FLAG_SPI_PRINTABLE) != 0;
		show_too(j, g, c->flow);
		return;
	}
	g->flows += c->flows;
	g->low_zero += c->low_zero;
	g->printable += c->printable;
	for (int i = 0; i < GROUP_SHOWN && c->shown[i]; i++)
		show_too(j, g, c->shown[i] - 1);
}

/* Takes a case into the group at index `into`. */
static void absorb(struct judge *j, size_t into, struct case_file *c)
{
	struct case_file *g = &j->cases[into];

	breathe(j);
	if (g->flow == FLOW_NONE) {
		g->src = c->src;
		g->dst = c->dst;
		g->spi = c->spi;
		g->has_src = c->has_src;
		g->has_dst = c->has_dst;
		g->has_spi = c->has_spi;
		g->flow = c->flow; /* its sightings stand for all */
	}
	g->has_src &= c->has_src && spimend_address_equal(&g->src, &c->src);
	g->has_dst &= c->has_dst && spimend_address_equal(&g->dst, &c->dst);
	g->has_spi &= c->has_spi && g->spi == c->spi;
	g->messages += c->messages;
	g->copies += c->copies;
	g->flags |= c->flags & (FLAG_SPI_RESERVED | FLAG_ADDRESS_MASKED | FLAG_COPIES | FLAG_MANY_SOURCES);
	absorb_figures(j, g, c);
	if (c->has_times) {
		if (!g->has_times || c->first.ns < g->first.ns)
			g->first = c->first;
		if (!g->has_times || c->last.ns > g->last.ns)
			g->last = c->last;
		g->has_times = true;
	}
	c->verdict = (enum verdict)(CASE_GONE);
	c->into = (uint32_t)into + 1;
}

/* A new group at the end of the cases; it counts once something was absorbed and group_close() was called. */
static size_t group_open(struct judge *j, enum rule rule)
{
	j->cases[j->case_count] = (struct case_file){
		.flow = FLOW_NONE, .aggregated = true, .verdict = VERDICT_NOISE, .rule = rule, .flags = FLAG_FORGERY_SUSPECTED,
	};
	return j->case_count;
}

static void group_forget_figures(struct case_file *g)
{
	static const struct spimend_address nobody = { 0 };

	if (!g->has_src)
		g->src = nobody;
	if (!g->has_dst)
		g->dst = nobody;
	if (!g->has_spi)
		g->spi = 0;
}

/* A few SPIs among many look like anything. */
static void group_flag_looks(struct case_file *g)
{
	if (g->low_zero * 2 >= g->flows)
		g->flags |= FLAG_SPI_LOW_ZERO;
	if (g->printable * 2 >= g->flows)
		g->flags |= FLAG_SPI_PRINTABLE;
}

static void group_close(struct judge *j, size_t group)
{
	struct case_file *g = &j->cases[group];

	if (g->messages == 0)
		return;
	group_forget_figures(g);
	j->case_count++;
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

	judge_sort(j, list, n, sizeof(*list), by_spi);
	for (from = 0; from < n; from = to) {
		size_t group;

		breathe(j);
		for (to = from + 1; to < n && list[to]->spi == list[from]->spi; to++)
			;
		if (count_sources(list + from, to - from) < j->settings.noise_sources)
			continue;
		group = group_open(j, RULE_MANY_SOURCES);
		for (size_t i = from; i < to; i++) {
			list[i]->flags |= FLAG_MANY_SOURCES;
			if (may_be_noise(j, list[i]))
				absorb(j, group, list[i]);
		}
		group_close(j, group);
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

	judge_sort(j, list, n, sizeof(*list), by_source);
	for (from = 0; from < n; from = to) {
		bool real = false;
		size_t group;

		breathe(j);
		for (to = from; to < n && spimend_address_equal(&list[to]->src, &list[from]->src); to++)
			real |= list[to]->verdict == VERDICT_DESYNC;
		/* One SPI of this source did repeat: more of its tunnels may have fallen with it. */
		if (real || !is_dense(list + from, to - from, j->settings.noise_spis, j->settings.noise_window_ns))
			continue;
		group = group_open(j, RULE_MANY_SPIS);
		for (size_t i = from; i < to; i++)
			if (may_be_noise(j, list[i]))
				absorb(j, group, list[i]);
		group_close(j, group);
	}
}

/* ---- repeats by chance ---- */

static bool may_be_chance(const struct judge *j, const struct case_file *c)
{
	return c->flow != FLOW_NONE && c->has_src && c->has_times && !c->death && !c->is_born &&
	       (c->rule == RULE_LOG_REPEAT || c->rule == RULE_SEQUENCE_STUCK) && flow_of(j, c)->gaps < CHANCE_GAPS;
}

static bool is_of_source(const struct judge *j, const struct case_file *c)
{
	return c->has_src && c->has_spi && c->has_times && !flow_of(j, c)->key.sa_found &&
	       (flow_of(j, c)->messages == 1 || may_be_chance(j, c));
}

/* When the source sent so many SPIs; false when it never did. `list` holds its flows, ordered by time. */
static bool flood_span(const struct judge *j, struct case_file **list, size_t n, struct instant *ret_first,
		       struct instant *ret_last)
{
	const struct evicted *pushed = &j->flows.evicted[EVICTED_FLOOD];
	uint64_t evicted = flows_evicted_of(&j->flows, EVICTED_FLOOD, &list[0]->src);
	uint64_t needed = j->settings.flood_flows / CHANCE_SHARE;
	bool any = evicted > needed && pushed->has_times;
	uint64_t singles = 0;
	size_t oldest = 0;

	if (any) {
		*ret_first = pushed->first;
		*ret_last = pushed->last;
	}
	for (size_t i = 0; i < n; i++) {
		singles += flow_of(j, list[i])->messages == 1;
		for (; list[i]->first.ns - list[oldest]->first.ns > j->settings.noise_window_ns; oldest++)
			singles -= flow_of(j, list[oldest])->messages == 1;
		if (singles + evicted <= needed)
			continue;
		if (!any || list[oldest]->first.ns < ret_first->ns)
			*ret_first = list[oldest]->first;
		if (!any || list[i]->first.ns > ret_last->ns)
			*ret_last = list[i]->first;
		any = true;
	}
	return any;
}

/* The two messages of such a flow say no more than one: undecided, and where nobody knows the source, part of the flood. */
static void doubt_chance(struct judge *j, struct case_file **list, size_t n)
{
	int64_t window = j->settings.noise_window_ns;
	size_t from, to;

	judge_sort(j, list, n, sizeof(*list), by_source);
	for (from = 0; from < n; from = to) {
		struct instant first = { 0 }, last = { 0 };

		breathe(j);
		for (to = from; to < n && spimend_address_equal(&list[to]->src, &list[from]->src); to++)
			;
		if (!flood_span(j, list + from, to - from, &first, &last))
			continue;
		for (size_t i = from; i < to; i++) {
			struct case_file *c = list[i];

			if (!may_be_chance(j, c) || c->first.ns < first.ns - window || c->last.ns > last.ns + window)
				continue;
			c->verdict = VERDICT_UNDECIDED;
			c->rule = RULE_LOG_CLOSE_REPEAT;
			c->by_chance = true;
		}
	}
}

/* ---- what was evicted ---- */

static void add_evicted(const struct judge *j, struct case_file *g, enum evicted_kind kind)
{
	const struct evicted *sum = &j->flows.evicted[kind];
	bool alone = g->messages == 0;

	if (alone) {
		g->src = sum->src;
		g->dst = sum->dst;
		g->spi = sum->spi;
		g->has_src = spimend_address_known(&sum->src);
		g->has_dst = spimend_address_known(&sum->dst);
		g->has_spi = true;
	}
	g->has_src &= !sum->many_sources && spimend_address_equal(&g->src, &sum->src);
	g->has_dst &= !sum->many_destinations && spimend_address_equal(&g->dst, &sum->dst);
	g->has_spi &= !sum->many_spis && g->spi == sum->spi;
	g->messages += sum->messages;
	g->flows += sum->flows;
	g->low_zero += sum->low_zero;
	g->printable += sum->printable;
	g->evicted = (uint8_t)(kind + 1);
	g->flags |= FLAG_EVIDENCE_CUT;
	if (!sum->has_times)
		return;
	if (!g->has_times || sum->first.ns < g->first.ns)
		g->first = sum->first;
	if (!g->has_times || sum->last.ns > g->last.ns)
		g->last = sum->last;
	g->has_times = true;
}

/* Evicted flows that no flood pushed out: one incident for each kind of them. */
static void gather_calm(struct judge *j)
{
	static const struct {
		enum verdict verdict;
		enum rule rule;
	} as[EVICTED_KINDS] = {
		[EVICTED_CALM] = { VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET },
		[EVICTED_FOUND] = { VERDICT_OTHER_FAULT, RULE_SA_FOUND },
		[EVICTED_UNTOLD] = { VERDICT_UNDECIDED, RULE_NO_SOURCE },
	};

	for (int kind = EVICTED_CALM; kind < EVICTED_KINDS; kind++) {
		const struct evicted *sum = &j->flows.evicted[kind];
		size_t group = group_open(j, as[kind].rule);
		struct case_file *g = &j->cases[group];

		if (sum->flows == 0)
			continue;
		add_evicted(j, g, (enum evicted_kind)kind);
		g->verdict = as[kind].verdict;
		g->flags = FLAG_EVIDENCE_CUT;
		if (kind == EVICTED_CALM)
			g->quiet_ns = sum->age_ns;
		if (kind == EVICTED_FOUND)
			g->saw = sum->found_kinds;
		group_close(j, group);
	}
}

/* ---- floods ---- */

static int by_time(const void *a, const void *b)
{
	const struct case_file *const *x = a, *const *y = b;

	return ((*x)->first.ns > (*y)->first.ns) - ((*x)->first.ns < (*y)->first.ns);
}

static bool is_known_peer(const struct judge *j, const struct case_file *c)
{
	return j->peer_count && c->has_src && judge_peer_of(j, &c->src);
}

/* What a flood may consist of: whatever may be noise, and strangers. Peers have their own turn: no stranger votes there. */
static bool is_flood_part(const struct judge *j, const struct case_file *c)
{
	return may_be_noise(j, c) || (c->verdict == VERDICT_NOISE && c->rule == RULE_STRANGER && !c->aggregated);
}

static bool is_peer_single(const struct judge *j, const struct case_file *c)
{
	return c->flow != FLOW_NONE && c->has_spi && is_known_peer(j, c) &&
	       (c->rule == RULE_LOG_ONCE_QUIET || c->rule == RULE_LOG_ONCE_SHORT || c->rule == RULE_LOG_CLOSE_REPEAT ||
		c->rule == RULE_LOG_NO_TIME) &&
	       (c->verdict == VERDICT_TRANSIENT || c->verdict == VERDICT_UNDECIDED) && !c->by_chance;
}

/* Absorbs what lies in a window with flood-flows of the list, or within a window of what a flood pushed out. */
static void absorb_flood(struct judge *j, size_t group, struct case_file **list, size_t n, const struct evicted *pushed)
{
	int64_t window = j->settings.noise_window_ns;
	size_t oldest = 0, taken = 0;

	judge_sort(j, list, n, sizeof(*list), by_time);
	for (size_t i = 0; i < n; i++) {
		while (list[i]->first.ns - list[oldest]->first.ns > window)
			oldest++;
		if (i - oldest + 1 < j->settings.flood_flows)
			continue;
		for (size_t k = oldest > taken ? oldest : taken; k <= i; k++)
			absorb(j, group, list[k]);
		taken = i + 1;
	}
	for (size_t i = 0; pushed && i < n; i++) {
		bool in_time = !list[i]->has_times || !pushed->has_times ||
			       (list[i]->first.ns >= pushed->first.ns - window && list[i]->first.ns <= pushed->last.ns + window);

		if (in_time && !list[i]->into)
			absorb(j, group, list[i]);
	}
}

static bool gave_to_one_source(struct judge *j, const struct evicted *pushed)
{
	for (size_t i = 0; i < j->case_count && !pushed->many_sources; i++) {
		struct case_file *c = &j->cases[i];

		if (c->aggregated && c->rule == RULE_MANY_SPIS && c->has_src && spimend_address_equal(&c->src, &pushed->src)) {
			add_evicted(j, c, EVICTED_FLOOD);
			group_forget_figures(c);
			return true;
		}
	}
	return false;
}

typedef bool wanted_fn(const struct judge *j, const struct case_file *c);
static size_t pick(struct judge *j, struct case_file **list, size_t flows, wanted_fn *wanted);

/* Equal SPIs of a few sources that all lie within the flood: they met by chance. */
static bool met_in_flood(const struct case_file *c, const struct case_file *flood)
{
	return c->aggregated && !c->into && c->verdict == VERDICT_NOISE && c->rule == RULE_MANY_SOURCES &&
	       c->messages <= CHANCE_MESSAGES && c->has_times && flood->has_times && c->first.ns >= flood->first.ns &&
	       c->last.ns <= flood->last.ns;
}

static void gather_flood(struct judge *j, struct case_file **list, size_t flows)
{
	const struct evicted *pushed = &j->flows.evicted[EVICTED_FLOOD];
	size_t group, n;

	/* All that was pushed out came from one source: it belongs to that source's incident. */
	if (pushed->flows == 0 || gave_to_one_source(j, pushed))
		pushed = NULL;
	group = group_open(j, RULE_FLOOD);
	n = pick(j, list, flows, is_flood_part);
	absorb_flood(j, group, list, n, pushed);
	if (j->peer_count) {
		n = pick(j, list, flows, is_peer_single);
		absorb_flood(j, group, list, n, NULL);
	}
	if (!pushed && j->cases[group].messages == 0)
		return;
	if (pushed)
		add_evicted(j, &j->cases[group], EVICTED_FLOOD);
	/* A flood from many sources swallows its single sources. */
	for (size_t i = 0; i < j->case_count; i++)
		if (j->cases[i].aggregated && j->cases[i].verdict == VERDICT_NOISE && j->cases[i].rule == RULE_MANY_SPIS) {
			if (j->cases[i].evicted)
				j->cases[group].evicted = j->cases[i].evicted;
			j->cases[group].flags |= j->cases[i].flags & FLAG_EVIDENCE_CUT;
			absorb(j, group, &j->cases[i]);
		}
	for (size_t i = 0; i < j->case_count; i++) {
		if (!met_in_flood(&j->cases[i], &j->cases[group]))
			continue;
		j->cases[i].flags &= ~(uint32_t)FLAG_MANY_SOURCES;
		absorb(j, group, &j->cases[i]);
	}
	group_close(j, group);
}

/* ---- too many noise incidents of one kind ---- */

static void merge_rule(struct judge *j, enum rule rule)
{
	uint64_t listed = 0;
	size_t group;

	for (size_t i = 0; i < j->case_count; i++, breathe(j))
		listed += j->cases[i].verdict == VERDICT_NOISE && j->cases[i].rule == rule;
	if (listed <= j->settings.noise_sources_listed)
		return;
	group = group_open(j, rule);
	for (size_t i = 0; i < group; i++, breathe(j)) {
		struct case_file *c = &j->cases[i];

		if (c->verdict != VERDICT_NOISE || c->rule != rule)
			continue;
		j->cases[group].flags |= c->flags & FLAG_EVIDENCE_CUT;
		if (c->evicted)
			j->cases[group].evicted = c->evicted;
		absorb(j, group, c);
	}
	group_close(j, group);
}

/* ---- how many sources and SPIs a group has ---- */

struct member {
	uint32_t group;
	uint64_t figure;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->figure > y->figure) - (x->figure < y->figure);
}

static uint32_t group_of(const struct judge *j, uint32_t c)
{
	while (j->cases[c].into)
		c = j->cases[c].into - 1;
	return c;
}

/* Those of evicted flows that are still known: of each group the sources in its sums. */
static size_t add_evicted_sources(const struct judge *j, struct member *members, size_t n)
{
	for (uint32_t i = 0; i < j->case_count; i++) {
		const struct case_file *c = &j->cases[i];
		const struct evicted_source *set;

		if (!c->evicted || c->into)
			continue;
		set = flows_evicted_sources(&j->flows, (enum evicted_kind)(c->evicted - 1));
		for (size_t k = 0; k < EVICTED_SOURCES_MAX * 2; k++)
			if (set[k].flows)
				members[n++] = (struct member){ i, set[k].hash };
	}
	return n;
}

static int count_groups(struct judge *j, size_t flows)
{
	size_t room = flows + (size_t)EVICTED_KINDS * EVICTED_SOURCES_MAX, n = 0;
	struct member *members cleanup(memory_free_pointer) = NULL;
	bool any = false;

	for (size_t i = 0; i < j->case_count; i++)
		any |= j->cases[i].aggregated && !j->cases[i].into;
	if (!any)
		return 0;
	members = memory_new(room, sizeof(*members));
	if (!members)
		return -ENOMEM;
	for (uint32_t i = 0; i < flows; i++, breathe(j))
		if (j->cases[i].into && j->cases[i].has_src)
			members[n++] = (struct member){ group_of(j, i), flows_source_hash(&j->flows, &j->cases[i].src) };
	n = add_evicted_sources(j, members, n);
	judge_sort(j, members, n, sizeof(*members), compare_members);
	for (size_t i = 0; i < n; i++)
		j->cases[members[i].group].sources += i == 0 || compare_members(&members[i - 1], &members[i]) != 0;
	n = 0;
	for (uint32_t i = 0; i < flows; i++, breathe(j))
		if (j->cases[i].into && j->cases[i].has_spi)
			members[n++] = (struct member){ group_of(j, i), j->cases[i].spi };
	judge_sort(j, members, n, sizeof(*members), compare_members);
	for (size_t i = 0; i < n; i++)
		j->cases[members[i].group].spis += i == 0 || compare_members(&members[i - 1], &members[i]) != 0;
	for (size_t i = 0; i < j->case_count; i++) {
		struct case_file *c = &j->cases[i];

		if (c->evicted && !c->into) /* their SPIs are not known any more: each flow counts as one */
			c->spis += j->flows.evicted[c->evicted - 1].flows;
		if (c->aggregated && c->has_spi)
			c->spis = 1;
	}
	return 0;
}

static void drop_absorbed(struct judge *j)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->case_count; i++) {
		breathe(j);
		if (!j->cases[i].into && kept++ != i)
			j->cases[kept - 1] = j->cases[i];
	}
	j->case_count = kept;
}

/* ---- company of real faults ---- */

static int by_observer(const void *a, const void *b)
{
	const struct case_file *const *x = a, *const *y = b;
	int by = spimend_address_compare(&(*x)->dst, &(*y)->dst);

	return by ? by : by_time(a, b);
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

/* Numbers the sources of the list, so that a window can count how many it has of each. */
static void number_sources(struct judge *j, struct case_file **list, size_t n, struct pair *pairs)
{
	uint32_t number = 0;

	for (size_t i = 0; i < n; i++) {
		breathe(j);
		pairs[i] = (struct pair){ flows_source_hash(&j->flows, &list[i]->src), list[i] };
	}
	judge_sort(j, pairs, n, sizeof(*pairs), by_pair);
	for (size_t i = 0; i < n; i++, breathe(j)) {
		number += i > 0 && pairs[i].key != pairs[i - 1].key;
		pairs[i].c->number = number;
	}
}

/* One peer with many children is no failover: it takes so many different ones. */
static int flag_many_peers(struct judge *j, struct case_file **list, size_t n)
{
	struct pair *pairs cleanup(memory_free_pointer) = memory_new(n + 1, sizeof(*pairs));
	uint32_t *inside cleanup(memory_free_pointer) = memory_new(n + 1, sizeof(*inside));
	size_t oldest = 0, flagged = 0, peers = 0;

	if (!pairs || !inside)
		return -ENOMEM;
	number_sources(j, list, n, pairs);
	judge_sort(j, list, n, sizeof(*list), by_observer);
	for (size_t i = 0; i < n; i++) {
		breathe(j);
		peers += inside[list[i]->number]++ == 0;
		while (!spimend_address_equal(&list[oldest]->dst, &list[i]->dst) ||
		       list[i]->first.ns - list[oldest]->first.ns > j->settings.many_peers_window_ns) {
			peers -= --inside[list[oldest]->number] == 0;
			oldest++;
		}
		if (peers < j->settings.many_peers)
			continue;
		for (flagged = flagged > oldest ? flagged : oldest; flagged <= i; flagged++)
			list[flagged]->flags |= FLAG_MANY_PEERS;
	}
	return 0;
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
	struct pair *pairs cleanup(memory_free_pointer) = memory_new(n + 1, sizeof(*pairs));

	if (!pairs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		breathe(j);
		pairs[i] = (struct pair){ pair_key(j, &list[i]->src, &list[i]->dst), list[i] };
	}
	judge_sort(j, pairs, n, sizeof(*pairs), by_pair);
	for (size_t from = 0, to; from < n; from = to) {
		bool both = false;

		breathe(j);
		for (to = from + 1; to < n && pairs[to].key == pairs[from].key; to++)
			both |= !spimend_address_equal(&pairs[to].c->src, &pairs[from].c->src);
		for (size_t i = from; both && i < to; i++)
			pairs[i].c->flags |= FLAG_BOTH_DIRECTIONS;
	}
	return 0;
}

/* ---- */

static size_t pick(struct judge *j, struct case_file **list, size_t flows, wanted_fn *wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < flows; i++) {
		breathe(j);
		if (wanted(j, &j->cases[i]))
			list[n++] = &j->cases[i];
	}
	return n;
}

static bool has_own_spi(const struct judge *j, const struct case_file *c)
{
	return c->has_spi && c->has_src && c->verdict != VERDICT_NOISE && !flow_of(j, c)->key.sa_found && !shares_keys(j, c);
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

		breathe(j);
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
	for (uint32_t i = 0; i < j->flows.count; i++) {
		breathe(j);
		if (j->flows.pool[i].used)
			verdict_flow(j, i, &j->cases[j->case_count++]);
	}
	flows = j->case_count;
	n = pick(j, list, flows, is_of_source);
	doubt_chance(j, list, n);
	judge_strangers(j);
	n = pick(j, list, flows, has_own_spi);
	gather_by_spi(j, list, n);
	n = pick(j, list, flows, is_single_or_real);
	gather_by_source(j, list, n);
	gather_flood(j, list, flows);
	gather_calm(j);
	merge_rule(j, RULE_MANY_SPIS);
	merge_rule(j, RULE_MANY_SOURCES);
	merge_rule(j, RULE_STRANGER);
	n = pick(j, list, flows, is_desync);
	result = flag_many_peers(j, list, n);
	n = pick(j, list, flows, is_open_pair);
	if (result == 0)
		result = flag_both_directions(j, list, n);
	if (result == 0)
		result = count_groups(j, flows);
	for (size_t i = 0; i < j->case_count; i++, breathe(j))
		if (j->cases[i].aggregated && j->cases[i].verdict == VERDICT_NOISE)
			group_flag_looks(&j->cases[i]);
	drop_absorbed(j);
	blocks_add_cleared(j);
	for (size_t i = 0; i < j->case_count; i++) {
		breathe(j);
		verdict_cause(j, &j->cases[i]);
	}
	return result;
}
