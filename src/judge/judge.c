/* SPDX-License-Identifier: MIT */
#include "judge/judge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "judge/judge_private.h"
#include "model/kind.h"
#include "spimend/error.h"

int judge_new(const struct judge_settings *settings, const struct hash_key *key, struct judge **ret)
{
	struct judge *j = memory_new(1, sizeof(*j));
	int result;

	if (!j)
		return -ENOMEM;
	j->settings = *settings;
	j->key = *key;
	result = intern_init(&j->names, key, NAMES_MAX);
	if (result == 0)
		result = flows_init(&j->flows, settings, key);
	j->sightings = memory_new(settings->sightings_max, sizeof(*j->sightings));
	j->sightings_free = memory_new(settings->sightings_max, sizeof(*j->sightings_free));
	j->neighbours = memory_new(settings->neighbours_max, sizeof(*j->neighbours));
	j->blocks = memory_new(settings->blocks_max, sizeof(*j->blocks));
	j->observers = memory_new(NAMES_MAX + 1, sizeof(*j->observers));
	j->owners = memory_new(OWNERS_MAX, sizeof(*j->owners));
	j->is_writer = memory_new(NAMES_MAX + 1, sizeof(*j->is_writer));
	j->has_address = memory_new(NAMES_MAX + 1, sizeof(*j->has_address));
	if (result == 0 && (!j->sightings || !j->sightings_free || !j->neighbours || !j->blocks || !j->observers ||
			    !j->owners || !j->is_writer || !j->has_address))
		result = -ENOMEM;
	if (result < 0) {
		judge_free(j);
		return result;
	}
	*ret = j;
	return 0;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	intern_done(&j->names);
	flows_done(&j->flows);
	memory_free(j->peers);
	memory_free(j->peer_slots);
	memory_free(j->sightings);
	memory_free(j->sightings_free);
	memory_free(j->neighbours);
	memory_free(j->blocks);
	memory_free(j->observers);
	memory_free(j->owners);
	memory_free(j->is_writer);
	memory_free(j->has_address);
	memory_free(j->cases);
	memory_free(j->order);
	memory_free(j->by_key);
	memory_free(j->by_pair);
	memory_free(j);
}

const struct judge_counts *judge_counts(const struct judge *j)
{
	return &j->counts;
}

struct text claim_text(const struct claim_text *t)
{
	return (struct text){ t->bytes, t->len };
}

uint32_t judge_add_source(struct judge *j, struct text name)
{
	return intern_get(&j->names, name);
}

/* ---- claims ---- */

#define JUMP_NS (10 * SECOND_NS)

static void keep_text(struct claim_text *to, struct text t)
{
	size_t n = t.len < CLAIM_TEXT_MAX ? t.len : CLAIM_TEXT_MAX;

	for (size_t i = 0; i < n; i++)
		to->bytes[i] = t.at[i] == '\n' || t.at[i] == '\r' || t.at[i] == '\t' ? ' ' : t.at[i];
	to->len = (uint16_t)n;
}

static void release_sightings(void *context, struct flow *flow)
{
	struct judge *j = context;

	for (int i = 0; i < FLOW_SIGHTINGS; i++) {
		if (!flow->sightings[i])
			continue;
		j->sightings[flow->sightings[i] - 1].used = false;
		j->sightings_free[j->sightings_free_count++] = flow->sightings[i] - 1;
		flow->sightings[i] = 0;
	}
}

/* The first half stays, the second half holds the latest. */
static struct sighting *sighting_slot(struct judge *j, struct flow *f)
{
	uint32_t half = FLOW_SIGHTINGS / 2;
	uint32_t place = f->sighting_count < half ? f->sighting_count : half + (f->sighting_count - half) % half;
	uint32_t *slot = &f->sightings[place];

	f->sighting_count++;
	if (f->sighting_count > FLOW_SIGHTINGS)
		f->flags |= FLAG_EVIDENCE_CUT;
	if (*slot)
		return &j->sightings[*slot - 1];
	if (j->sightings_free_count) {
		*slot = j->sightings_free[--j->sightings_free_count] + 1;
	} else if (j->sightings_count < j->settings.sightings_max) {
		*slot = ++j->sightings_count;
	} else {
		f->flags |= FLAG_EVIDENCE_CUT;
		return NULL;
	}
	return &j->sightings[*slot - 1];
}

static uint32_t writer_of(struct judge *j, const struct judge_claim *claim)
{
	uint32_t id = intern_get(&j->names, claim->host);

	if (id && !j->is_writer[id]) {
		j->is_writer[id] = true;
		if (j->writers < 2)
			j->first_writers[j->writers] = id;
		j->writers++;
	}
	return id || claim->is_alone ? id : claim->source;
}

/* By far most often the writer of a flow's earlier messages: what there is to learn of it was learned then. */
static uint32_t writer_of_flow(struct judge *j, const struct judge_claim *claim, const struct flow *f)
{
	uint32_t id;

	if (f && claim->host.len && f->has_host && text_equal(intern_text(&j->names, f->observer), claim->host))
		return f->observer;
	id = writer_of(j, claim);
	if (claim->host.len)
		judge_learn_owner(j, id, &claim->fact->dst);
	return id;
}

static bool reused_spi(const struct flow *f)
{
	return f->controller_keyed || (f->flags & FLAG_SPI_SMALL);
}

/* The distance of two messages of a flow counts as long as it is within the window. */
static void note_distance(struct flow *f, int64_t window, struct instant a, struct instant b)
{
	int64_t distance = a.ns < b.ns ? b.ns - a.ns : a.ns - b.ns;

	if (distance <= window && distance > f->gap_ns)
		f->gap_ns = distance;
}

/* Counts the steps of a repeat's length: two messages of one SPI may meet by chance, three over time hardly. */
static void note_step(const struct judge *j, struct flow *f, struct instant at)
{
	int64_t step = at.ns < f->gap_mark.ns ? f->gap_mark.ns - at.ns : at.ns - f->gap_mark.ns;

	if (step < j->settings.gap_ns[f->dialect])
		return;
	f->gap_mark = at;
	f->gaps += f->gaps < UINT8_MAX;
}

/* In one source the clock went back: how far apart these messages are, nobody knows. */
static void note_jump(const struct judge *j, struct flow *f, struct instant at)
{
	int64_t back = f->latest.ns - at.ns;

	/* A moment only is two messages that changed places on their way. */
	if (back > JUMP_NS || back >= j->settings.gap_ns[f->dialect])
		f->flags |= FLAG_CLOCK_JUMPED;
	f->jumped = true;
	f->anchor = f->gap_mark = at;
}

/* The sequence numbers say that a log stands in reverse, newest first: its clock is in order. */
static bool is_reversed(const struct flow *f, const struct judge_claim *claim)
{
	uint64_t sequence = claim->fact->sequence;

	if (!f->has_sequence || !(claim->fact->has & FACT_HAS_SEQUENCE))
		return false;
	return (f->first_sequence_at.ns == f->latest.ns && sequence < f->first_sequence) ||
	       (f->last_sequence_at.ns == f->latest.ns && sequence < f->last_sequence);
}

/* How far apart are this message and an earlier one of the flow that still counts? */
static void note_gap(const struct judge *j, struct flow *f, const struct judge_claim *claim)
{
	struct instant at = claim->at;
	int64_t window = reused_spi(f) ? j->settings.reused_window_ns : j->settings.repeat_window_ns;

	if (claim->source != f->latest_source) {
		f->jumped = false; /* files may come in any order */
	} else if (at.ns < f->latest.ns && !is_reversed(f, claim)) {
		note_jump(j, f, at);
		return;
	}
	note_step(j, f, at);
	note_distance(f, window, at, f->anchor);
	if (f->jumped) { /* the anchor is what came first since then */
		if (at.ns - f->anchor.ns > window)
			f->anchor = at.ns - f->latest.ns <= window ? f->latest : at;
		note_distance(f, window, at, f->latest);
		return;
	}
	note_distance(f, window, at, f->first);
	note_distance(f, window, at, f->last);
	/* Out of order, as when the files of several days come in another order: whatever else is still known. */
	for (int i = 0; at.ns < f->last.ns && i < FLOW_SIGHTINGS; i++) {
		const struct sighting *s = f->sightings[i] ? &j->sightings[f->sightings[i] - 1] : NULL;

		if (s && s->has_at)
			note_distance(f, window, at, s->at);
	}
	if (at.ns - f->anchor.ns > window)
		f->anchor = at.ns - f->last.ns <= window ? f->last : at;
}

static void flow_time(struct judge *j, struct flow *f, const struct judge_claim *claim)
{
	if (claim->has_at) {
		if (!f->has_times) {
			f->has_times = true;
			f->first = f->last = f->anchor = f->gap_mark = claim->at;
		} else {
			note_gap(j, f, claim);
			if (claim->at.ns < f->first.ns)
				f->first = claim->at;
			if (claim->at.ns > f->last.ns)
				f->last = claim->at;
		}
		f->latest = claim->at;
		f->latest_source = claim->source;
	}
	if (claim->has_heard_at && (!f->has_heard || claim->heard_at.ns > f->heard.ns)) {
		f->has_heard = true;
		f->heard = claim->heard_at;
	}
}

/* The sequence numbers of the earliest and of the latest message; without times, of the first and the last read. */
static void flow_sequence(struct flow *f, const struct judge_claim *claim)
{
	uint64_t sequence = claim->fact->sequence;

	if (!f->has_sequence || (claim->has_at && claim->at.ns < f->first_sequence_at.ns)) {
		f->first_sequence = sequence;
		f->first_sequence_at = claim->at;
	}
	if (!f->has_sequence || !claim->has_at || claim->at.ns >= f->last_sequence_at.ns) {
		f->last_sequence = sequence;
		f->last_sequence_at = claim->at;
	}
	f->has_sequence = true;
}

/* What a new entry starts with. */
static void flow_begin(struct flow *f, const struct judge_claim *claim, uint32_t writer, const struct flows_place *place)
{
	const struct fact *fact = claim->fact;

	f->dialect = (uint8_t)fact->dialect;
	f->found_kind = (uint8_t)fact->kind;
	f->observer = writer;
	f->has_host = claim->host.len > 0;
	f->controller_keyed = fact->controller_keyed || kind_from_interface(text_of(fact->interface)) == TUNNEL_SDWAN;
	if (!place->has_before)
		return;
	f->has_times = true;
	f->first = f->last = f->anchor = f->gap_mark = place->before; /* in a source that is not known */
	f->messages = place->messages;
	f->flags |= FLAG_EVIDENCE_CUT;
}

/* The same message from another place: counted, and perhaps it names what the first did not. */
static void claim_copy(struct judge *j, struct flow *f, const struct judge_claim *claim, uint32_t writer)
{
	f->copies++;
	j->counts.copies++;
	f->flags |= FLAG_COPIES;
	if (claim->host.len && !f->has_host) {
		f->observer = writer;
		f->has_host = true;
	}
	flow_time(j, f, &(struct judge_claim){ .has_heard_at = claim->has_heard_at, .heard_at = claim->heard_at });
}

static void claim_flow(struct judge *j, const struct judge_claim *claim, bool sa_found)
{
	const struct fact *fact = claim->fact;
	uint32_t writer;
	struct flow_key key;
	struct flows_now now = { claim->has_at, claim->has_heard_at, claim->at, claim->heard_at };
	struct flows_place place;
	enum flow_tier tier;
	struct sighting *s;
	struct flow *f;

	memset(&key, 0, sizeof(key));
	key.src = fact->src;
	key.dst = fact->dst;
	key.protocol = (uint8_t)fact->protocol;
	key.has_spi = (fact->has & FACT_HAS_SPI) != 0;
	key.spi = key.has_spi ? fact->spi.value : 0;
	key.sa_found = sa_found;
	tier = j->peer_count && spimend_address_known(&key.src) && !judge_peer_of(j, &key.src) ? TIER_STRANGER : TIER_UNPROVEN;
	place = flows_get(&j->flows, &key, &now, tier, release_sightings, j);
	f = place.index == FLOW_NONE ? NULL : &j->flows.pool[place.index];
	writer = writer_of_flow(j, claim, f);
	if (!f)
		return;
	if (place.is_new)
		flow_begin(f, claim, writer, &place);
	if (claim->has_at && (place.is_new || !claim->is_repeat) &&
	    flows_is_copy(&j->flows, place.hash, claim->at, fact->has & FACT_HAS_SEQUENCE ? fact->sequence : 0) &&
	    (!place.is_new || place.has_before)) {
		claim_copy(j, f, claim, writer);
		return;
	}
	if (claim->host.len && f->has_host && f->observer != writer)
		f->several_observers = true;
	else if (claim->host.len && !f->has_host) {
		f->observer = writer;
		f->has_host = true;
	}
	flow_time(j, f, claim);
	if (fact->has & FACT_HAS_SEQUENCE)
		flow_sequence(f, claim);
	f->flags |= fact->flags;
	f->encap_udp |= fact->encap_udp;
	if (fact->interface[0] && !f->interface)
		f->interface = intern_get(&j->names, text_of(fact->interface));
	f->messages += fact->count;
	if (!sa_found)
		j->counts.messages += fact->count;
	/* Closer repeats prove nothing: a flood in which each SPI comes twice must not fill the table for good. */
	if (f->gap_ns >= j->settings.gap_ns[f->dialect] && f->tier == TIER_UNPROVEN && !sa_found)
		flows_keep(&j->flows, place.index);
	s = sighting_slot(j, f);
	if (!s)
		return;
	s->used = true;
	s->has_at = claim->has_at;
	s->at = claim->at;
	s->place = (struct place){ claim->source, claim->line };
	s->writer = writer;
	keep_text(&s->text, claim->text);
}

static void claim_neighbour(struct judge *j, const struct judge_claim *claim)
{
	struct neighbour *n = &j->neighbours[j->neighbour_next];

	if (j->neighbour_count < j->settings.neighbours_max)
		j->neighbour_count++;
	else
		j->counts.neighbours_dropped++;
	j->neighbour_next = (j->neighbour_next + 1) % j->settings.neighbours_max;
	n->fact = *claim->fact;
	n->has_at = claim->has_at;
	n->at = claim->at;
	n->has_host = claim->host.len > 0;
	n->writer = writer_of(j, claim);
	n->place = (struct place){ claim->source, claim->line };
	keep_text(&n->text, claim->text);
	/* What NHRP tells of are the ends of a tunnel: which of them writes, its words leave open. */
	if (n->has_host && n->fact.kind != FACT_NHRP_DOWN)
		judge_learn_owner(j, n->writer, &claim->fact->dst);
}

void judge_claim(struct judge *j, const struct judge_claim *claim)
{
	const struct fact *fact = claim->fact;

	switch (fact->kind) {
	case FACT_STRAY:
		claim_flow(j, claim, false);
		break;
	case FACT_INTEGRITY:
	case FACT_REPLAY:
	case FACT_SELECTOR:
	case FACT_NOT_IPSEC:
		/* An incident of its own where it says whose packets they were. */
		if (spimend_address_known(&fact->src))
			claim_flow(j, claim, true);
		claim_neighbour(j, claim);
		break;
	default:
		claim_neighbour(j, claim);
		break;
	}
}

void judge_block(struct judge *j, const struct sa_block *block, uint32_t source, uint64_t line)
{
	struct stored_block *b = &j->blocks[j->block_next];

	if (j->block_count < j->settings.blocks_max)
		j->block_count++;
	else
		j->counts.blocks_dropped++;
	j->block_next = (j->block_next + 1) % j->settings.blocks_max;
	b->block = *block;
	b->place = (struct place){ source, line };
}

void judge_hear(struct judge *j, struct text observer, struct instant last)
{
	uint32_t id = intern_find(&j->names, observer);
	struct observer *o;

	/* Devices without a host name are known by their address, which no claim has brought in as a name. */
	if (!id)
		id = intern_get(&j->names, observer);
	if (!id)
		return;
	o = &j->observers[id];
	if (!o->heard || last.ns > o->last.ns)
		o->last = last;
	o->heard = true;
}

/* ---- settlement ---- */

void judge_breathe(struct judge *j, judge_breath_fn *breath, void *context)
{
	j->breath = breath;
	j->breath_context = context;
}

uint32_t judge_flow_count(const struct judge *j)
{
	return j->flows.count - j->flows.free_count;
}

struct sorting {
	struct judge *judge;
	int (*compare)(const void *, const void *);
};

static int compare_and_breathe(const void *a, const void *b, void *context)
{
	const struct sorting *sorting = context;

	breathe(sorting->judge);
	return sorting->compare(a, b);
}

void judge_sort(struct judge *j, void *list, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	struct sorting sorting = { j, compare };

	qsort_r(list, n, size, compare_and_breathe, &sorting);
}

/* Of two places in `cases`. */
static int compare_cases(const void *a, const void *b, void *context)
{
	struct judge *j = context;
	const struct case_file *x = &j->cases[*(const uint32_t *)a], *y = &j->cases[*(const uint32_t *)b];
	int by;

	breathe(j);

	if (x->has_times != y->has_times)
		return x->has_times ? -1 : 1;
	if (x->has_times && x->first.ns != y->first.ns)
		return x->first.ns < y->first.ns ? -1 : 1;
	by = spimend_address_compare(&x->src, &y->src);
	if (by == 0)
		by = spimend_address_compare(&x->dst, &y->dst);
	if (by == 0)
		by = (x->spi > y->spi) - (x->spi < y->spi);
	if (by == 0)
		by = (x->verdict > y->verdict) - (x->verdict < y->verdict);
	return by ? by : (x->flow > y->flow) - (x->flow < y->flow);
}

int judge_settle(struct judge *j)
{
	/* flows, groups of them, tables, sums of what was evicted and of each rule */
	size_t needed = (size_t)j->flows.count * 2 + j->block_count + EVICTED_KINDS + 8;
	int result;

	j->counts.evicted = flows_evicted(&j->flows);
	j->counts.forgotten = j->flows.forgotten;
	j->counts.refused = j->flows.refused;
	if (needed > j->case_room) {
		struct case_file *cases = memory_resize(j->cases, needed, sizeof(*cases));

		if (!cases)
			return -ENOMEM;
		j->cases = cases;
		j->case_room = needed;
	}
	j->case_count = 0;
	memory_free(j->order);
	j->order = NULL;
	result = evidence_index(j);
	if (result == 0)
		result = evidence_index_blocks(j);
	if (result == 0)
		result = noise_gather(j);
	if (result == 0) {
		j->order = memory_new(j->case_count + 1, sizeof(*j->order));
		result = j->order ? 0 : -ENOMEM;
	}
	if (result < 0) {
		j->case_count = 0; /* half of them would be wrong */
		return result;
	}
	for (uint32_t i = 0; i < j->case_count; i++)
		j->order[i] = i;
	qsort_r(j->order, j->case_count, sizeof(*j->order), compare_cases, j);
	return 0;
}

static const struct case_file *case_at(const struct judge *j, size_t index)
{
	return &j->cases[j->order[index]];
}

size_t judge_incidents(const struct judge *j)
{
	return j->case_count;
}

void judge_verdicts(const struct judge *j, uint64_t ret[VERDICT_OTHER_FAULT + 1])
{
	memset(ret, 0, (VERDICT_OTHER_FAULT + 1) * sizeof(*ret));
	for (size_t i = 0; i < j->case_count; i++)
		ret[j->cases[i].verdict]++; /* in whatever order */
}

enum verdict judge_verdict(const struct judge *j, size_t index)
{
	return case_at(j, index)->verdict;
}

uint32_t judge_forget(struct judge *j, struct instant since)
{
	uint32_t gone = 0;

	for (uint32_t i = 0; i < j->flows.count; i++) {
		const struct flow *f = &j->flows.pool[i];
		int64_t last = f->has_heard ? f->heard.ns : f->last.ns;

		if (!f->used || (!f->has_heard && !f->has_times) || last >= since.ns)
			continue;
		flows_drop(&j->flows, i, release_sightings, j);
		gone++;
	}
	return gone;
}

struct judge_glance judge_glance(const struct judge *j, size_t index)
{
	const struct case_file *c = case_at(j, index);

	return (struct judge_glance){
		.verdict = c->verdict,
		.has_times = c->has_times,
		.is_one_flow = c->flow != FLOW_NONE && !c->aggregated && c->has_src && c->has_dst && c->has_spi &&
			       !j->flows.pool[c->flow].key.sa_found,
		.first = c->first,
		.last = c->last,
		.messages = c->messages,
		.src = &c->src,
		.dst = &c->dst,
	};
}

/* ---- reading an incident ---- */

static void make_id(const struct case_file *c, const struct flow *f, char to[INCIDENT_ID_MAX])
{
	static const struct hash_key stable = { 0, 0 };
	struct {
		struct flow_key key;
		uint32_t rule;
		int64_t first;
	} parts;

	memset(&parts, 0, sizeof(parts));
	if (f && !c->aggregated)
		parts.key = f->key;
	parts.key.src = c->src;
	parts.key.dst = c->dst;
	parts.key.spi = c->spi;
	parts.rule = c->aggregated ? c->rule + 1u : 0;
	parts.first = c->has_times ? c->first.ns : 0;
	incident_id_of(hash_bytes(&stable, &parts, sizeof(parts)), to);
}

void judge_incident_id(const struct judge *j, size_t index, char ret[INCIDENT_ID_MAX])
{
	const struct case_file *c = case_at(j, index);

	make_id(c, c->flow == FLOW_NONE ? NULL : &j->flows.pool[c->flow], ret);
}

/* A kernel writes for whichever IKE daemon runs there: the one whose log stands beside it, among the latest messages. */
static enum fact_dialect daemon_of(const struct judge *j, const struct case_file *c, const struct flow *f)
{
	uint32_t room = j->settings.neighbours_max, look = j->neighbour_count < 4096 ? j->neighbour_count : 4096;

	if (f->dialect != DIALECT_LINUX_AUDIT || c->aggregated || !c->has_neighbours)
		return DIALECT_UNKNOWN;
	for (uint32_t k = 1; k <= look; k++) {
		const struct neighbour *n = &j->neighbours[(j->neighbour_next + room - k) % room];

		if (n->writer == f->observer && (n->fact.dialect == DIALECT_STRONGSWAN || n->fact.dialect == DIALECT_LIBRESWAN))
			return n->fact.dialect;
	}
	return DIALECT_UNKNOWN;
}

void judge_incident(struct judge *j, size_t index, struct incident *ret)
{
	const struct case_file *c = case_at(j, index);
	const struct flow *f = c->flow == FLOW_NONE ? NULL : &j->flows.pool[c->flow];
	const struct judge_peer *peer;
	struct incident out = {
		.src = c->src,
		.dst = c->dst,
		.has_spi = c->has_spi,
		.spi = { c->spi },
		.protocol = SPIMEND_PROTOCOL_UNKNOWN,
		.tunnel_kind = c->kind,
		.has_times = c->has_times,
		.first_seen = c->first,
		.last_seen = c->last,
		.messages = c->messages,
		.copies = c->copies,
		.spis = c->spis,
		.sources = c->sources,
		.verdict = c->verdict,
		.rule = c->rule,
		.cause = c->cause,
		.confidence = c->confidence,
		.flags = c->flags,
		.gap_needed_ns = c->gap_needed_ns,
		.quiet_ns = c->quiet_ns,
		.quiet_needed_ns = j->settings.quiet_ns,
		.has_sa_lifetime = c->has_lifetime,
		.sa_lifetime_s = c->lifetime_s,
		.confirmed_at_sender = c->confirmed_sender,
		.confirmed_at_receiver = c->confirmed_receiver,
	};

	if (f) {
		out.protocol = (enum spimend_protocol)f->key.protocol;
		out.encap_udp = f->encap_udp;
		out.dialect = (enum fact_dialect)f->dialect;
		out.daemon = daemon_of(j, c, f);
		out.kind = f->key.sa_found ? (enum fact_kind)f->found_kind : FACT_STRAY;
		out.gap_ns = f->gap_ns;
		if (!c->aggregated) /* its first flow's would be a word about all */
			out.interface = intern_text(&j->names, f->interface);
		if (f->has_host && (!c->aggregated || c->has_dst))
			out.observer = intern_text(&j->names, f->observer);
	} else if (c->block) { /* no message: a saved table alone */
		out.interface = text_of(j->blocks[c->block - 1].block.interface);
		out.dialect = DIALECT_IOS;
		out.protocol = SPIMEND_PROTOCOL_ESP;
	}
	if (out.observer.len == 0 && spimend_address_known(&c->dst))
		out.observer = text_of(spimend_address_print(&c->dst, j->observer_text));
	peer = judge_peer_of(j, &c->src);
	out.src_owner = peer ? peer->owner : OWNERSHIP_UNKNOWN;
	peer = judge_peer_of(j, &c->dst);
	out.dst_owner = peer ? peer->owner : OWNERSHIP_UNKNOWN;
	out.state = c->verdict == VERDICT_TRANSIENT || c->verdict == VERDICT_NOISE ? STATE_CLOSED : STATE_OPEN;
	for (int kind = 0; kind < FACT_KINDS; kind++)
		out.saw[kind] = c->saw >> kind & 1;
	make_id(c, f, out.id);
	evidence_show(j, c, &out);
	*ret = out;
}
