/* SPDX-License-Identifier: MIT */
/*
 * With the receiver's table: which SPIs it did not have, and what that proves (DESIGN.md 4, faults.md d).
 *
 * A table is of one moment, a capture of a span. So what ended in a rekey, what began within the capture, and what belongs
 * to another time than the table are told apart from what the receiver lacks.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "judge/capture_private.h"

static void decide(struct capture_case *c, enum verdict verdict, enum rule rule)
{
	c->verdict = verdict;
	c->rule = rule;
}

static void set_cause(struct capture_case *c, enum cause cause, enum confidence confidence)
{
	c->cause = cause;
	c->confidence = confidence;
}

static uint32_t flags_of(const struct packet_flow *f)
{
	struct fact fact = fact_of(FACT_STRAY, DIALECT_UNKNOWN);

	fact.has = FACT_HAS_SPI;
	fact.spi.value = f->key.spi;
	fact_flag_spi(&fact);
	return fact.flags | (f->key.encap_udp ? FLAG_NAT_T : 0);
}

/* So long the capture went on without it. */
static int64_t quiet_of(const struct capture_judge *j, const struct packet_flow *f)
{
	return j->has_span && f->has_times ? j->end_ns - f->last_ns : 0;
}

/* It was over before the capture was, by its own pace: the SA may have ended with nothing more to send, and then the table
 * rightly lacks it. */
static bool is_over(const struct capture_judge *j, const struct packet_flow *f)
{
	int64_t pace = f->packets > 1 ? (f->last_ns - f->first_ns) / (int64_t)(f->packets - 1) : 0;

	return quiet_of(j, f) > (3 * pace > SECOND_NS ? 3 * pace : SECOND_NS);
}

static bool has_ended(const struct capture_judge *j, const struct packet_flow *f)
{
	return quiet_of(j, f) >= j->judge->settings.overlap_ns + CAPTURE_SLACK_NS;
}

/* ---- what the receiver has ---- */

static void judge_known(struct capture_judge *j, uint32_t at, const struct capture_sa *sa)
{
	const struct packet_flow *f = j->sorted[at];
	struct capture_case *c;

	j->known++;
	j->marks[at] |= MARK_KNOWN;
	if (!sa->encap_told || sa->encap_udp == (bool)f->key.encap_udp || !capture_is_proven(f))
		return;
	c = capture_add_case(j, at);
	if (!c)
		return;
	decide(c, VERDICT_OTHER_FAULT, RULE_ENCAP_DIFFERS);
	set_cause(c, CAUSE_ENCAP_MISMATCH, CONFIDENCE_LIKELY);
	c->flags = flags_of(f);
}

/* ---- is the table of the capture's time? ---- */

/* Of what the receiver sends to the peer of this flow and does not list: when it came last. */
static void look_back(struct capture_judge *j, const struct packet_flow *f)
{
	uint32_t low = 0, high = j->flow_count;

	while (low < high) { /* the first flow of the pair back */
		uint32_t middle = low + (high - low) / 2;
		const struct packet_flow *m = j->sorted[middle];
		int order = spimend_address_compare(&m->key.src, &f->key.dst);

		if (order == 0)
			order = spimend_address_compare(&m->key.dst, &f->key.src);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < j->flow_count; low++) {
		const struct packet_flow *m = j->sorted[low];

		if (!spimend_address_equal(&m->key.src, &f->key.dst) || !spimend_address_equal(&m->key.dst, &f->key.src))
			break;
		if (!capture_is_proven(m) || capture_table_find(&j->table, &m->key.dst, m->key.protocol, m->key.spi))
			continue;
		if (!j->has_back || m->last_ns > j->back_ns)
			j->back_ns = m->last_ns;
		j->has_back = true;
	}
	j->back_is_known = true;
}

/* What the receiver goes on to send to this peer, while this flow comes, is not in the table: so the table is of another
 * time, and what it lacks of what the receiver got proves nothing. One such SA will do: other children may have theirs. */
static bool is_other_time(struct capture_judge *j, const struct packet_flow *f)
{
	if (!j->back_is_known)
		look_back(j, f);
	return j->has_back && j->back_ns >= f->last_ns - (j->judge->settings.overlap_ns + CAPTURE_SLACK_NS);
}

/* The table lists an SA that was made after this one was used: so it is younger, and its silence counts. */
static bool is_table_younger(const struct capture_judge *j, const struct packet_flow *f)
{
	return j->has_youngest && j->youngest_ns > f->first_ns;
}

/* ---- what the receiver has not ---- */

/* The newer SA of the pair that took over from this one: it began when this one was still there or just over. */
static uint32_t successor_of(struct capture_judge *j, struct capture_pair pair, uint32_t at)
{
	const struct packet_flow *f = j->sorted[at];
	uint32_t *from = &j->newer_from[f->key.protocol == SPIMEND_PROTOCOL_AH], i = *from > at ? *from : at + 1;

	for (; i < pair.first + pair.count; i++) {
		const struct packet_flow *s = j->sorted[i];

		if (s->has_times && capture_is_newborn(s) && s->key.protocol == f->key.protocol && s->first_ns > f->first_ns)
			break;
	}
	*from = i; /* they are in order of time: what is too old for this one is too old for those behind it */
	return i < pair.first + pair.count ? i : NOBODY;
}

static void find_cause(const struct capture_judge *j, const struct capture_host *peer, struct capture_case *c)
{
	bool forgot_all = !peer || peer->inbound == 0;

	if (c->kind == TUNNEL_SDWAN)
		set_cause(c, CAUSE_CONTROLLER_KEY_LAG, CONFIDENCE_LIKELY);
	else if (peer && peer->ike_up > 1)
		set_cause(c, CAUSE_DUPLICATE_IKE_SA, CONFIDENCE_POSSIBLE);
	else if (c->notify != NOBODY && forgot_all) /* RFC 7296 1.5: it had no IKE SA to say it in */
		set_cause(c, CAUSE_RECEIVER_LOST_STATE, CONFIDENCE_LIKELY);
	else if (forgot_all && j->table.has_ike && peer && peer->ike_up)
		set_cause(c, CAUSE_CHILD_MISSING, CONFIDENCE_LIKELY);
	else if (forgot_all && j->table.has_ike)
		set_cause(c, CAUSE_RECEIVER_LOST_STATE, CONFIDENCE_POSSIBLE);
	else if (c->other != NOBODY)
		set_cause(c, CAUSE_REKEY_COLLISION, CONFIDENCE_POSSIBLE);
}

static void judge_unproven(struct capture_judge *j, const struct packet_flow *f, struct capture_case *c)
{
	if (f->packets >= CAPTURE_PROOF_PACKETS && f->advances == 0) {
		decide(c, VERDICT_UNDECIDED, RULE_SEQUENCE_STUCK);
		c->flags |= FLAG_SEQUENCE_STUCK;
	} else if (!f->has_times) {
		decide(c, VERDICT_UNDECIDED, RULE_CAPTURE_FEW);
		c->flags |= FLAG_NO_TIME;
	} else if (has_ended(j, f)) {
		decide(c, VERDICT_TRANSIENT, RULE_STRAYS_ENDED);
	} else {
		decide(c, VERDICT_UNDECIDED, RULE_CAPTURE_FEW);
	}
}

/* A live sender goes on and on with an SA that the table does not have. Is that the receiver's lack? */
static void judge_proven(struct capture_judge *j, struct capture_pair pair, uint32_t at, const struct capture_host *peer,
			 struct capture_case *c)
{
	int64_t late = j->judge->settings.overlap_ns + CAPTURE_SLACK_NS;
	const struct packet_flow *f = j->sorted[at];
	bool younger = is_table_younger(j, f);

	c->other = successor_of(j, pair, at);
	if (c->other != NOBODY && f->last_ns <= j->sorted[c->other]->first_ns + late) {
		if (quiet_of(j, f) >= CAPTURE_SLACK_NS) {
			decide(c, VERDICT_TRANSIENT, RULE_CAPTURE_REKEYED);
			set_cause(c, CAUSE_REKEY_OVERLAP, CONFIDENCE_LIKELY);
		} else {
			decide(c, VERDICT_UNDECIDED, RULE_CAPTURE_FEW); /* the capture ends within the overlap */
		}
	} else if (capture_is_newborn(f) && !younger && f->last_ns - f->first_ns < CAPTURE_SLACK_NS && has_ended(j, f)) {
		decide(c, VERDICT_TRANSIENT, RULE_EARLY_USE);
		set_cause(c, CAUSE_EARLY_USE, CONFIDENCE_POSSIBLE);
	} else if (capture_is_newborn(f) && !younger) {
		decide(c, VERDICT_UNDECIDED, RULE_CAPTURE_NEWBORN);
	} else if (is_other_time(j, f)) {
		decide(c, VERDICT_UNDECIDED, RULE_NOT_READ);
		c->why_not_read = "what the receiver sends to this peer in the capture is not in the table either: it is of another time";
	} else if (is_over(j, f)) {
		decide(c, VERDICT_UNDECIDED, RULE_CAPTURE_FEW);
	} else {
		decide(c, VERDICT_DESYNC, RULE_SAD_LACKS);
		find_cause(j, peer, c);
	}
}

static const char *why_no_proof(const struct capture_judge *j, const struct capture_host *peer)
{
	if (j->table.is_cut)
		return "the table is not whole: what is not in it may exist all the same";
	if (peer && peer->is_cut)
		return "the table of this peer is not whole: what is not in it may exist all the same";
	if (peer && peer->settling)
		return "a rekey with this peer was under way when the table was saved";
	return NULL;
}

static void judge_unknown(struct capture_judge *j, struct capture_pair pair, uint32_t at)
{
	const struct packet_flow *f = j->sorted[at];
	const struct capture_host *peer = capture_table_peer(&j->table, &f->key.src);
	struct capture_case *c = capture_add_case(j, at);

	if (!c)
		return;
	c->flags = flags_of(f);
	c->kind = peer && peer->controller_keyed ? TUNNEL_SDWAN : TUNNEL_UNKNOWN;
	c->why_not_read = why_no_proof(j, peer);
	if (j->judge->peer_count && !peer && !judge_peer_of(j->judge, &f->key.src)) {
		decide(c, VERDICT_NOISE, RULE_STRANGER);
		set_cause(c, CAUSE_SCAN_OR_SPOOF, CONFIDENCE_LIKELY);
	} else if (c->why_not_read) {
		decide(c, VERDICT_UNDECIDED, RULE_NOT_READ);
	} else if (!capture_is_proven(f)) {
		judge_unproven(j, f, c);
	} else {
		judge_proven(j, pair, at, peer, c);
	}
}

static const struct capture_sa *sa_of(const struct capture_judge *j, const struct packet_flow *f)
{
	return capture_table_find(&j->table, &f->key.dst, f->key.protocol, f->key.spi);
}

/* The pair uses one SA at a time, so each took over from the one before. */
static bool is_one_child(const struct capture_judge *j, struct capture_pair pair)
{
	int64_t late = j->judge->settings.overlap_ns + CAPTURE_SLACK_NS, last = INT64_MIN;

	for (uint32_t i = pair.first; i < pair.first + pair.count; i++) {
		const struct packet_flow *f = j->sorted[i];

		if (!capture_is_proven(f) || (last != INT64_MIN && last > f->first_ns + late))
			return false;
		last = f->last_ns > last ? f->last_ns : last;
	}
	return true;
}

/* An SA of the table that began within the capture was made some time before its first packet, long before where there was
 * nothing to send. Where it took over from another one, it was made when that one was still in use, or hardly later. False:
 * nothing tells. */
static bool was_made_after(const struct capture_judge *j, struct capture_pair pair, uint32_t at, int64_t *ret_ns)
{
	int64_t late = j->judge->settings.overlap_ns + CAPTURE_SLACK_NS;
	const struct packet_flow *f = j->sorted[at];

	if (at == pair.first || f->first_ns - j->sorted[at - 1]->last_ns > late || !is_one_child(j, pair))
		return false;
	*ret_ns = j->sorted[at - 1]->last_ns - late;
	return true;
}

void capture_look_up(struct capture_judge *j, struct capture_pair pair)
{
	for (uint32_t i = pair.first; i < pair.first + pair.count; i++) {
		const struct packet_flow *f = j->sorted[i];
		int64_t made_ns;

		j->judged++;
		j->marks[i] |= MARK_JUDGED;
		if (!f->has_times || !capture_is_newborn(f) || !sa_of(j, f) || !was_made_after(j, pair, i, &made_ns))
			continue;
		if (!j->has_youngest || made_ns > j->youngest_ns)
			j->youngest_ns = made_ns;
		j->has_youngest = true;
	}
}

void capture_judge_exactly(struct capture_judge *j, struct capture_pair pair)
{
	j->newer_from[0] = j->newer_from[1] = pair.first;
	j->has_back = j->back_is_known = false;
	for (uint32_t i = pair.first; i < pair.first + pair.count; i++) {
		const struct capture_sa *sa = sa_of(j, j->sorted[i]);

		if (sa)
			judge_known(j, i, sa);
		else
			judge_unknown(j, pair, i);
	}
}

/* ---- many at once ---- */

/* Cases that prove nothing by themselves, and may be a scan's. */
static bool may_be_noise(const struct capture_case *c)
{
	return c->flow != NOBODY && c->kind == TUNNEL_UNKNOWN && !(c->flags & (FLAG_SPI_SMALL | FLAG_SPI_RESERVED)) &&
	       (c->rule == RULE_CAPTURE_FEW || c->rule == RULE_STRAYS_ENDED || c->rule == RULE_SEQUENCE_STUCK);
}

static int by_source(const void *left, const void *right)
{
	const struct capture_case *a = *(struct capture_case *const *)left, *b = *(struct capture_case *const *)right;
	int order = spimend_address_compare(&a->src, &b->src);

	return order ? order : (a > b) - (a < b);
}

static int by_spi(const void *left, const void *right)
{
	const struct capture_case *a = *(struct capture_case *const *)left, *b = *(struct capture_case *const *)right;
	int order = spimend_address_compare(&a->dst, &b->dst);

	if (order == 0)
		order = (a->spi > b->spi) - (a->spi < b->spi);
	return order ? order : by_source(left, right);
}

/* One case for `count` of them; they are gone with the next compaction. */
static void join(struct capture_case **first, size_t count, enum rule rule, struct capture_case *ret)
{
	struct capture_case sum = **first;

	sum.flow = sum.other = NOBODY;
	decide(&sum, VERDICT_NOISE, rule);
	set_cause(&sum, CAUSE_SCAN_OR_SPOOF, CONFIDENCE_LIKELY);
	sum.flags = FLAG_FORGERY_SUSPECTED;
	sum.packets = sum.spis = 0;
	sum.sources = 1;
	for (size_t i = 0; i < count; i++) {
		struct capture_case *c = first[i];

		sum.has_src &= c->has_src && spimend_address_equal(&c->src, &sum.src);
		sum.has_dst &= c->has_dst && spimend_address_equal(&c->dst, &sum.dst);
		sum.has_spi &= c->has_spi && c->spi == sum.spi;
		sum.sources += i > 0 && !spimend_address_equal(&c->src, &first[i - 1]->src);
		sum.packets += c->packets;
		sum.spis += c->spis;
		if (c->has_times && (!sum.has_times || c->first_ns < sum.first_ns))
			sum.first_ns = c->first_ns;
		if (c->has_times && (!sum.has_times || c->last_ns > sum.last_ns))
			sum.last_ns = c->last_ns;
		sum.has_times |= c->has_times;
		c->rule = RULE_COUNT;
	}
	if (rule == RULE_MANY_SOURCES && sum.has_spi)
		sum.spis = 1;
	*ret = sum;
}

struct gathering {
	struct capture_case **open; /* owns: cases that may be noise */
	struct capture_case *sums;  /* owns: what became of them */
	size_t open_count, sum_count;
};

static void gather(struct gathering *g, int (*order)(const void *, const void *), bool of_spi,
		   uint64_t least, enum rule rule)
{
	size_t kept = 0, group;

	qsort(g->open, g->open_count, sizeof(*g->open), order);
	for (size_t i = 0; i < g->open_count; i += group) {
		struct capture_case *first = g->open[i];

		for (group = 1; i + group < g->open_count; group++) {
			struct capture_case *c = g->open[i + group];

			if (of_spi ? c->spi != first->spi || !spimend_address_equal(&c->dst, &first->dst) :
				     !spimend_address_equal(&c->src, &first->src))
				break;
		}
		if (group >= least) {
			join(&g->open[i], group, rule, &g->sums[g->sum_count++]);
			continue;
		}
		for (size_t k = 0; k < group; k++)
			g->open[kept++] = g->open[i + k];
	}
	g->open_count = kept;
}

/* More than are worth a line each become one. */
static void fold(struct capture_judge *j, struct gathering *g, enum rule rule)
{
	size_t count = 0, kept = 0;
	struct capture_case sum;

	for (size_t i = 0; i < g->sum_count; i++)
		if (g->sums[i].rule == rule)
			g->open[count++] = &g->sums[i];
	if (count <= j->judge->settings.noise_sources_listed)
		return;
	join(g->open, count, rule, &sum);
	for (size_t i = 0; i < g->sum_count; i++)
		if (g->sums[i].rule != RULE_COUNT)
			g->sums[kept++] = g->sums[i];
	g->sums[kept++] = sum;
	g->sum_count = kept;
}

/* Strangers, a source each; more of them than are worth a line each are one. */
static void gather_strangers(struct capture_judge *j, struct gathering *g)
{
	size_t first_sum = g->sum_count;

	g->open_count = 0;
	for (uint32_t i = 0; i < j->case_count; i++)
		if (j->cases[i].rule == RULE_STRANGER)
			g->open[g->open_count++] = &j->cases[i];
	gather(g, by_source, false, 2, RULE_STRANGER);
	if (g->open_count + g->sum_count - first_sum <= j->judge->settings.noise_sources_listed)
		return;
	for (size_t i = first_sum; i < g->sum_count; i++)
		g->open[g->open_count++] = &g->sums[i];
	qsort(g->open, g->open_count, sizeof(*g->open), by_source);
	join(g->open, g->open_count, RULE_STRANGER, &g->sums[g->sum_count]);
	g->sums[first_sum] = g->sums[g->sum_count];
	g->sum_count = first_sum + 1;
}

static void take_out_joined(struct capture_judge *j)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < j->case_count; i++)
		if (j->cases[i].rule != RULE_COUNT)
			j->cases[kept++] = j->cases[i];
	j->case_count = kept;
}

static int by_receiver(const void *left, const void *right)
{
	const struct capture_case *a = *(struct capture_case *const *)left, *b = *(struct capture_case *const *)right;
	int order = spimend_address_compare(&a->dst, &b->dst);

	return order ? order : by_source(left, right);
}

/* Many peers of one receiver have one common cause. */
static void mark_many_peers(struct capture_judge *j, struct gathering *g)
{
	size_t group;

	g->open_count = 0;
	for (uint32_t i = 0; i < j->case_count; i++)
		if (j->cases[i].verdict == VERDICT_DESYNC)
			g->open[g->open_count++] = &j->cases[i];
	qsort(g->open, g->open_count, sizeof(*g->open), by_receiver);
	for (size_t i = 0; i < g->open_count; i += group) {
		uint64_t peers = 1;

		for (group = 1; i + group < g->open_count; group++) {
			if (!spimend_address_equal(&g->open[i + group]->dst, &g->open[i]->dst))
				break;
			peers += !spimend_address_equal(&g->open[i + group]->src, &g->open[i + group - 1]->src);
		}
		for (size_t k = 0; peers >= j->judge->settings.many_peers && k < group; k++)
			g->open[i + k]->flags |= FLAG_MANY_PEERS;
	}
}

void capture_gather_noise(struct capture_judge *j)
{
	const struct judge_settings *s = &j->judge->settings;
	struct gathering g = {
		.open = memory_new(j->case_count + 1, sizeof(*g.open)),
		.sums = memory_new(j->case_count + 4, sizeof(*g.sums)), /* and what is folded, before its parts go */
	};

	for (uint32_t i = 0; g.open && g.sums && i < j->case_count; i++)
		if (may_be_noise(&j->cases[i]))
			g.open[g.open_count++] = &j->cases[i];
	if (g.open && g.sums) {
		gather(&g, by_source, false, s->noise_spis, RULE_MANY_SPIS);
		gather(&g, by_spi, true, s->noise_sources, RULE_MANY_SOURCES);
		if (g.open_count >= s->flood_flows) {
			qsort(g.open, g.open_count, sizeof(*g.open), by_source);
			join(g.open, g.open_count, RULE_FLOOD, &g.sums[g.sum_count++]);
		}
		fold(j, &g, RULE_MANY_SPIS);
		fold(j, &g, RULE_MANY_SOURCES);
		gather_strangers(j, &g);
		take_out_joined(j);
		for (size_t i = 0; i < g.sum_count; i++) {
			struct capture_case *c = capture_add_case(j, NOBODY);

			if (c)
				*c = g.sums[i];
		}
		mark_many_peers(j, &g);
	} else {
		j->error = -ENOMEM;
	}
	memory_free(g.open);
	memory_free(g.sums);
}
