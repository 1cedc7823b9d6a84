/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "core/core_private.h"

#define UNKNOWN_WINDOW_NS MINUTE_NS
#define UNKNOWN_SPIS_NOISE 8        /* so many SPIs of one peer that the ledger does not know, within a minute: noise */
#define ANEW_NS (2 * SECOND_NS)    /* a mended tunnel without traffic for so long, while strays come, is broken again */
#define COLLISION_SPAN_NS (5 * SECOND_NS) /* so long before or after a death a collision explains it */
#define NEW_SEQUENCE_MOST 64       /* an SA counts from 1: so low, it may be one whose setting up is not over (T1b, C11) */
#define SETTLE_MARGIN_NS (SECOND_NS / 10)

/* --- the table of flows -------------------------------------------------------------------------------------------- */

static void list_remove(struct core *c, struct flow *flow)
{
	if (flow->older != NONE)
		c->flows[flow->older].newer = flow->newer;
	else
		c->flow_oldest = flow->newer;
	if (flow->newer != NONE)
		c->flows[flow->newer].older = flow->older;
	else
		c->flow_newest = flow->older;
}

static void list_append(struct core *c, struct flow *flow)
{
	uint32_t at = (uint32_t)(flow - c->flows);

	flow->older = c->flow_newest;
	flow->newer = NONE;
	if (c->flow_newest != NONE)
		c->flows[c->flow_newest].newer = at;
	else
		c->flow_oldest = at;
	c->flow_newest = at;
}

void strays_forget(struct core *c, uint32_t at)
{
	struct flow *flow = &c->flows[at];
	struct peer *peer = flow->in_ledger ? NULL : mirror_peer(c, &flow->src);

	if (flow->incident != NONE && c->troubles[flow->incident].flow == at)
		c->troubles[flow->incident].flow = NONE;
	if (peer && peer->unknown_flows)
		peer->unknown_flows--;
	list_remove(c, flow);
	index_remove(&c->flow_by_key, flow->hash);
	TABLE_GIVE(c, flow, flows, at);
}

static uint64_t flow_hash(const struct core *c, const struct sa_key *key, const struct spimend_address *src)
{
	struct {
		struct sa_key key;
		struct spimend_address src;
	} both;

	memset(&both, 0, sizeof(both));
	both.key = *key;
	both.src = *src;
	return core_hash(c, &both, sizeof(both));
}

/* The oldest flow that the ledger does not know, else the oldest without an open incident, makes room. */
static bool flow_evict(struct core *c)
{
	uint32_t candidate = NONE, looked = 0;

	for (uint32_t at = c->flow_oldest; at != NONE && looked < 1024; at = c->flows[at].newer, looked++) {
		const struct flow *flow = &c->flows[at];

		if (!flow->in_ledger) {
			candidate = at;
			break;
		}
		if (candidate == NONE && (flow->incident == NONE || !trouble_is_open(&c->troubles[flow->incident])))
			candidate = at;
	}
	if (candidate == NONE)
		return false;
	strays_forget(c, candidate);
	return true;
}

static struct flow *flow_get(struct core *c, const struct sighting *s, const struct sa_key *key, bool in_ledger)
{
	uint64_t hash = flow_hash(c, key, &s->src);
	struct flow *flow;
	uint32_t at;

	if (index_find(&c->flow_by_key, hash, &at)) {
		list_remove(c, &c->flows[at]);
		list_append(c, &c->flows[at]);
		return &c->flows[at];
	}
	at = TABLE_TAKE(c, flow, flows);
	if (at == NONE && flow_evict(c))
		at = TABLE_TAKE(c, flow, flows);
	if (at == NONE || !index_set(&c->flow_by_key, hash, at)) {
		if (at != NONE)
			TABLE_GIVE(c, flow, flows, at);
		c->flows_refused++;
		return NULL;
	}
	flow = &c->flows[at];
	flow->used = true;
	flow->hash = hash;
	flow->key = *key;
	flow->src = s->src;
	flow->in_ledger = in_ledger;
	flow->first_ns = s->first_ns;
	flow->first_wall = c->now.wall;
	flow->sequence_first = s->sequence_first;
	flow->incident = NONE;
	list_append(c, flow);
	return flow;
}

/* --- what a flow proves -------------------------------------------------------------------------------------------- */

/* From when on strays prove something: packets in flight and the overlap of a rekey are over then. */
static int64_t proof_from(const struct core *c, const struct ledger_entry *entry)
{
	if (!entry->died_mono_ns) /* before our time; the overlap is over, or the wall clock tells */
		return 0;
	if (entry->death == DEATH_REKEYED)
		return entry->died_mono_ns + c->config.overlap_ns + c->config.settle_ns;
	return entry->death_seen ? entry->died_mono_ns + c->config.settle_ns : 0;
}

static bool in_overlap(const struct core *c, const struct ledger_entry *entry)
{
	if (entry->death != DEATH_REKEYED)
		return false;
	if (entry->died_mono_ns)
		return c->now.mono_ns < entry->died_mono_ns + c->config.overlap_ns + c->config.settle_ns;
	/* Restored: it died before that. The wall clock may have been set either way since. */
	return c->now.mono_ns < c->restored_ns + c->config.overlap_ns + c->config.settle_ns;
}

static void flow_prove(struct core *c, struct flow *flow, const struct sighting *s, const struct ledger_entry *entry)
{
	if (entry && entry->has_sequence && !sequence_above(s->sequence_highest, entry->sequence_highest)) {
		flow->replays += s->packets;
		return;
	}
	/* Of an SPI that the ledger does not know, or that is thought to live: they count once that is settled. */
	if (entry && entry->state == LEDGER_DEAD && (s->first_ns < proof_from(c, entry) || in_overlap(c, entry)))
		return;
	if (!flow->proof_packets) {
		flow->proof_first_ns = s->first_ns;
		flow->proof_sequence_lowest = s->sequence_first;
		flow->proof_sequence_highest = s->sequence_highest;
	}
	/* The lowest, not the first: one forged number that comes first would be above all the genuine ones. */
	if (s->sequence_first < flow->proof_sequence_lowest)
		flow->proof_sequence_lowest = s->sequence_first;
	flow->proof_packets += s->packets;
	flow->proof_last_ns = later(flow->proof_last_ns, s->last_ns);
	if (sequence_above(s->sequence_highest, flow->proof_sequence_highest))
		flow->proof_sequence_highest = s->sequence_highest;
}

/* Of two ends that both run spimend one is quicker (DESIGN.md 4): the one with the lower IKE SPI, else the lower address. */
static int64_t span_needed(struct core *c, const struct flow *flow, const struct ledger_entry *entry)
{
	const struct mirror_ike *ike = NULL;
	struct end peer;
	uint32_t count;
	bool is_second;

	/* That the data plane lost it was seen for as long already, on packets that came and did not come in. */
	if (entry && entry->death == DEATH_KERNEL_LOST && !kernel_speaks_for(c, entry->daemon))
		return 0;
	if (entry) {
		peer = mirror_end(c, entry->connection, &flow->src, flow->src_port);
		ike = mirror_ike_with(c, entry->daemon, &peer, entry->ike_id, &count);
	}
	if (ike)
		is_second = ike->sa.spi_ours > ike->sa.spi_theirs;
	else
		is_second = spimend_address_compare(&flow->key.dst, &flow->src) > 0;
	return is_second ? c->config.stray_span_ns * 2 : c->config.stray_span_ns;
}

static bool flow_is_enough(struct core *c, const struct flow *flow, const struct ledger_entry *entry)
{
	return flow->proof_packets >= c->config.stray_count
	       && flow->proof_last_ns - flow->proof_first_ns >= span_needed(c, flow, entry)
	       && sequence_above(flow->proof_sequence_highest, flow->proof_sequence_lowest);
}

static void cause_of(struct core *c, const struct flow *flow, const struct ledger_entry *entry, struct core_incident *is)
{
	const struct peer *known = mirror_peer(c, &entry->peer);
	struct end peer = mirror_end(c, entry->connection, &entry->peer, flow->src_port);
	uint32_t ikes;
	const struct mirror_ike *ike = mirror_ike_with(c, entry->daemon, &peer, entry->ike_id, &ikes);
	bool collided = known && known->collision_ns && entry->died_mono_ns
			&& known->collision_ns > entry->died_mono_ns - COLLISION_SPAN_NS
			&& known->collision_ns < entry->died_mono_ns + COLLISION_SPAN_NS;

	is->confidence = CONFIDENCE_LIKELY;
	switch (entry->death) {
	case DEATH_RESTART:
		is->cause = CAUSE_RECEIVER_LOST_STATE;
		is->confidence = CONFIDENCE_CERTAIN;
		return;
	case DEATH_KERNEL_LOST:
	case DEATH_FLUSHED:
		is->cause = CAUSE_CHILD_MISSING;
		is->confidence = CONFIDENCE_CERTAIN;
		return;
	case DEATH_DAEMON_LOST:
		is->cause = CAUSE_CHILD_MISSING;
		break;
	case DEATH_EXPIRED_TIME:
		is->cause = CAUSE_LIFETIME_MISMATCH_TIME;
		break;
	case DEATH_EXPIRED_VOLUME:
		is->cause = CAUSE_LIFETIME_MISMATCH_VOLUME;
		break;
	case DEATH_REKEYED:
		is->cause = collided ? CAUSE_REKEY_COLLISION : CAUSE_DELETE_LOST;
		is->confidence = collided ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
		break;
	case DEATH_DELETED_BY_US:
		is->cause = collided ? CAUSE_REKEY_COLLISION : CAUSE_DELETE_LOST;
		break;
	case DEATH_DELETED_BY_PEER:
		is->cause = CAUSE_REKEY_COLLISION;
		is->confidence = collided ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
		break;
	case DEATH_NONE:
	case DEATH_UNKNOWN:
	case DEATHS:
		is->cause = CAUSE_UNKNOWN;
		is->confidence = CONFIDENCE_NONE;
		break;
	}
	if (ikes > 1) {
		is->cause = CAUSE_DUPLICATE_IKE_SA;
		is->confidence = CONFIDENCE_POSSIBLE;
	} else if (!ike && is->cause == CAUSE_UNKNOWN) {
		/* No IKE SA and an SA of before: lost while nobody looked. */
		is->cause = CAUSE_RECEIVER_LOST_STATE;
		is->confidence = CONFIDENCE_POSSIBLE;
	}
}

/* --- the verdict --------------------------------------------------------------------------------------------------- */

static void incident_follow(struct trouble *t, const struct flow *flow, const struct ledger_entry *entry)
{
	struct core_incident *is = &t->is;

	is->packets = flow->packets;
	is->replays = flow->replays;
	is->sequence_last = flow->sequence_last;
	is->last_seen = flow->last_wall;
	is->last_ns = flow->last_ns;
	is->has_ledger = entry != NULL;
	if (entry) {
		is->death = entry->death;
		is->born = entry->born;
		is->died = entry->died;
		is->ends = entry->ends;
		is->daemon = entry->daemon;
		is->sequence_known = entry->has_sequence ? entry->sequence_highest : 0;
	}
}

/* False when it is what it was. */
static bool judged(struct core *c, struct trouble *t, enum verdict verdict, enum rule rule)
{
	if (t->is.verdict == verdict && t->is.rule == rule)
		return false;
	t->is.verdict = verdict;
	t->is.rule = rule;
	t->is.decided = c->now.wall;
	trouble_changed(c, t);
	return true;
}

static void judge_desync(struct core *c, struct trouble *t, struct flow *flow, const struct ledger_entry *entry)
{
	bool lost = entry->death == DEATH_KERNEL_LOST || entry->death == DEATH_FLUSHED;

	if (t->is.verdict == VERDICT_DESYNC)
		return;
	cause_of(c, flow, entry, &t->is);
	judged(c, t, VERDICT_DESYNC, lost ? RULE_DATA_PLANE_LOST : RULE_LEDGER_DEAD);
	trouble_evidence(c, t, FACT_STRAY, "%" PRIu64 " packets on it in %" PRId64 " ms, sequence numbers %u to %u%s",
			 flow->proof_packets,
			 (flow->proof_last_ns - flow->proof_first_ns) / 1000000, flow->proof_sequence_lowest,
			 flow->proof_sequence_highest, entry->has_sequence ? "" : "; what the SA had reached is not known");
	if (entry->has_sequence)
		trouble_evidence(c, t, FACT_SA_DIED, "the highest that the SA had accepted was %u", entry->sequence_highest);
	say_notice(c, 4, "%s: desync, SPI 0x%08x, cause %s", t->is.id, flow->key.spi, cause_name(t->is.cause));
	budget_fell(c->budget, &flow->src, c->now.mono_ns);
}

/* Negotiations under way with that source: an SPI that we do not know may be one that is being agreed on (T1b). */
static bool is_negotiating(struct core *c, const struct flow *flow)
{
	for (uint32_t i = 0; i < c->ike_table.count; i++) {
		const struct mirror_ike *ike = &c->ikes[i];

		if (ike->used && (ike->sa.child_task || ike->sa.state == IKE_CONNECTING)
		    && spimend_address_equal(&ike->sa.remote, &flow->src))
			return true;
	}
	return false;
}

bool strays_are_unknown(struct core *c, const struct flow *flow)
{
	const struct kernel_sa *sa = kernel_has(c, &flow->key);

	return !flow->in_ledger && flow->confirmed && !ledger_find(c->ledger, &flow->key) && !sad_has(c, &flow->key)
	       && !(sa && sa->larval) && !is_negotiating(c, flow) && !mirror_sends_with(c, &flow->src, flow->key.spi)
	       && flow->last_ns - flow->first_ns > c->config.early_use_ns
	       && flow->proof_sequence_lowest > NEW_SEQUENCE_MOST && flow_is_enough(c, flow, NULL);
}

static void judge_unknown(struct core *c, struct trouble *t, struct flow *flow)
{
	const struct kernel_sa *sa = kernel_has(c, &flow->key);
	bool early = flow->last_ns - flow->first_ns <= c->config.early_use_ns;

	if (t->proven) /* the peer said that it had it */
		return;
	/* T1b ends within a second or two. What goes on for longer is not explained by it; nothing is done either way. */
	if (early && ((sa && sa->larval) || is_negotiating(c, flow))) {
		if (judged(c, t, VERDICT_TRANSIENT, RULE_EARLY_USE)) {
			t->is.cause = CAUSE_EARLY_USE;
			t->is.confidence = CONFIDENCE_LIKELY;
		}
		return;
	}
	if (judged(c, t, VERDICT_UNDECIDED, RULE_NOT_IN_LEDGER)) {
		t->is.cause = CAUSE_UNKNOWN;
		t->is.confidence = CONFIDENCE_NONE;
	}
	mend_consider(c, t);
}

static void judge_dead(struct core *c, struct trouble *t, struct flow *flow, struct ledger_entry *entry)
{
	if (in_overlap(c, entry)) {
		if (judged(c, t, VERDICT_TRANSIENT, RULE_REKEY_OVERLAP)) {
			t->is.cause = CAUSE_REKEY_OVERLAP;
			t->is.confidence = CONFIDENCE_CERTAIN;
		}
		return;
	}
	if (flow_is_enough(c, flow, entry)) {
		judge_desync(c, t, flow, entry);
		mend_consider(c, t);
		return;
	}
	if (t->is.verdict == VERDICT_DESYNC)
		return;
	if (flow->replays > 0 && !flow->proof_packets) {
		if (judged(c, t, VERDICT_NOISE, RULE_SEQUENCE_REPLAYED)) {
			t->is.cause = CAUSE_SCAN_OR_SPOOF;
			t->is.confidence = CONFIDENCE_LIKELY;
			trouble_evidence(c, t, FACT_REPLAY, "sequence numbers up to %u, the SA had reached %u: recorded packets",
					 flow->sequence_last, entry->sequence_highest);
		}
		return;
	}
	if (flow->proof_packets && judged(c, t, VERDICT_UNDECIDED, RULE_TOO_FEW_STRAYS)) {
		t->is.cause = CAUSE_UNKNOWN;
		t->is.confidence = CONFIDENCE_NONE;
	}
}

void strays_disprove(struct core *c, struct flow *flow)
{
	struct ledger_entry *entry = flow->in_ledger ? ledger_find(c->ledger, &flow->key) : NULL;

	/* Not authenticated either: a number that no sender reached in between sets no bar, or one packet would hide the next
	 * black hole. */
	if (entry && entry->has_sequence && flow->proof_packets
	    && sequence_above(flow->proof_sequence_highest, entry->sequence_highest)
	    && flow->proof_sequence_highest - entry->sequence_highest <= PLAUSIBLE_LOSS * flow->proof_packets + PLAUSIBLE_JUMP)
		entry->sequence_highest = flow->proof_sequence_highest;
	flow->proof_packets = 0;
	flow->proof_first_ns = flow->proof_last_ns = 0;
}

/* It was mended, and the sender is back on the dead SPI: enough strays above all that came before, while nothing comes in on
 * a successor. A recording cannot do that; a successor that works refutes it. */
static bool is_anew(struct core *c, const struct trouble *t, struct flow *flow, const struct ledger_entry *entry)
{
	const struct mirror_child *successor;
	struct end peer;

	if (!entry || entry->state != LEDGER_DEAD || t->is.state == STATE_GAVE_UP || !flow_is_enough(c, flow, entry))
		return false;
	peer = mirror_end(c, entry->connection, &flow->src, flow->src_port);
	successor = mirror_successor(c, entry->daemon, entry->connection, &peer, 0);
	if (!successor || !successor->has_in)
		return !successor;
	/* Lists tell of the successor's packets at their own pace. */
	mirror_hurry(c, entry->daemon);
	if (successor->in_moved_ns >= flow->proof_first_ns) {
		strays_disprove(c, flow);
		return false;
	}
	return successor->listed_ns > flow->proof_first_ns && flow->proof_last_ns - successor->in_moved_ns > ANEW_NS;
}

void strays_judge(struct core *c, struct flow *flow)
{
	struct ledger_entry *entry = flow->in_ledger ? ledger_find(c->ledger, &flow->key) : NULL;
	struct trouble *t;

	if (sad_has(c, &flow->key)) {
		strays_known(c, &flow->key);
		return;
	}
	if (!flow->confirmed) {
		if (!mirror_is_younger(c, entry, flow->first_ns)) {
			if (entry)
				mirror_want(c, entry->daemon);
			else
				mirror_want_all(c);
			if (c->kernel_known && c->kernel_dump_ns < flow->first_ns && !c->kernel_want_ns)
				c->kernel_want_ns = c->now.mono_ns;
			return;
		}
		flow->confirmed = true;
	}
	/* Listed by its daemon, without a word of loss: a list that is younger than the strays will tell. */
	if (entry && entry->state == LEDGER_INSTALLED)
		return;
	say_stray(c, flow);
	/* A single packet with an SPI that was never ours, or is not yet, is worth a line, and no more. */
	if ((!entry || entry->state == LEDGER_REQUESTED) && flow->incident == NONE
	    && (flow->packets < c->config.stray_count || flow->last_ns - flow->first_ns < c->config.stray_span_ns))
		return;
	t = trouble_of_flow(c, flow);
	if (!t)
		return;
	incident_follow(t, flow, entry);
	if (!trouble_is_open(t) && is_anew(c, t, flow, entry)) {
		trouble_detach(c, flow);
		t = trouble_of_flow(c, flow);
		if (!t)
			return;
		incident_follow(t, flow, entry);
	}
	if (!trouble_is_open(t)) {
		/* What goes on after it is mended are replays, or leftovers: counted, never a reason to act (DESIGN.md 4). */
	} else if (entry && entry->state == LEDGER_DEAD)
		judge_dead(c, t, flow, entry);
	else
		judge_unknown(c, t, flow);
	trouble_touched(c, t);
}

/* --- sightings ----------------------------------------------------------------------------------------------------- */

/* So many SPIs from one peer, none of ours: whoever does that forges, or is confused; one incident tells of it. */
static bool is_one_too_many(struct core *c, struct peer *peer, const struct sa_key *key, const struct sighting *s)
{
	uint32_t at;

	if (index_find(&c->flow_by_key, flow_hash(c, key, &s->src), &at))
		return false;
	if (c->now.mono_ns - peer->unknown_since_ns > UNKNOWN_WINDOW_NS) {
		peer->unknown_since_ns = c->now.mono_ns;
		peer->unknown_spis = 0;
	}
	peer->unknown_spis++;
	if (peer->unknown_flows >= CORE_FLOWS_PER_PEER_MAX || peer->unknown_spis > UNKNOWN_SPIS_NOISE)
		return true;
	peer->unknown_flows++;
	return false;
}

static void count_into(struct core *c, struct trouble *t, const struct sighting *s)
{
	if (!t)
		return;
	t->is.packets += s->packets;
	t->is.spis++;
	t->is.last_seen = c->now.wall;
	t->is.last_ns = s->last_ns;
	trouble_touched(c, t);
}

static void count_strays(struct core *c, const struct sighting *s)
{
	c->strays += s->packets;
	if (s->dst.family == 6)
		c->strays_ipv6 += s->packets;
}

static void stranger(struct core *c, const struct sighting *s)
{
	count_strays(c, s);
	c->strangers += s->packets;
	count_into(c, trouble_strangers(c, s), s);
	say_stranger(c, s);
}

static void forged(struct core *c, const struct peer *peer, const struct sighting *s)
{
	count_strays(c, s);
	count_into(c, trouble_forged(c, peer, s), s);
	say_stranger(c, s);
}

/* An SA may be younger than our lists, and so may a peer: nobody is called a stranger by an old list. */
static void strange(struct core *c, const struct sighting *s)
{
	bool listed = false;

	for (uint32_t d = 0; d < GATEWAY_DAEMONS_MAX; d++)
		listed |= c->daemons[d].known && c->daemons[d].had_snapshot;
	if (!listed) {
		c->early++;
		return;
	}
	if (c->held_count == CORE_HELD_MAX || mirror_is_younger(c, NULL, s->first_ns)) {
		stranger(c, s);
		return;
	}
	c->held[c->held_count++] = *s;
	/* The daemons list by themselves; the kernel is asked, and at the pace of nobody but us. */
	if (c->kernel_known && c->kernel_dump_ns < s->first_ns && !c->kernel_due_ns)
		c->kernel_due_ns = c->now.mono_ns + SECOND_NS;
}

void strays_listed(struct core *c)
{
	uint32_t count = c->held_count;

	c->held_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct sighting s = c->held[i];

		/* What is still too young is held again, in a place that was read already. */
		c->sightings--;
		core_sighting(c, &s, c->now);
	}
}

/* How many of them no witness has told of yet. */
static uint64_t news_of(struct flow *flow, const struct sighting *s)
{
	uint64_t before = 0;

	for (unsigned w = 0; w < WITNESSES; w++)
		before = flow->told[w] > before ? flow->told[w] : before;
	flow->told[s->witness] += s->packets;
	return flow->told[s->witness] > before ? flow->told[s->witness] - before : 0;
}

static void flow_count(struct core *c, struct flow *flow, const struct sighting *s, const struct ledger_entry *entry)
{
	struct sighting news = *s;

	news.packets = news_of(flow, s);
	count_strays(c, &news);
	flow->packets += news.packets;
	flow->last_ns = later(flow->last_ns, s->last_ns);
	flow->last_wall = c->now.wall;
	if (s->interface[0])
		memcpy(flow->interface, s->interface, sizeof(flow->interface));
	if (!news.packets)
		return;
	flow->sequence_last = s->sequence_last;
	if (s->witness != WITNESS_AUDIT) { /* which does not tell how it came */
		flow->encap_udp = s->encap_udp;
		flow->src_port = s->src_port;
	}
	flow_prove(c, flow, &news, entry);
}

/* An audit record names no protocol: it is of ESP, unless the SPI is one of AH that we know. */
static struct sa_key key_of(struct core *c, const struct sighting *s)
{
	struct sa_key key = sa_key_of(&s->dst, s->protocol, s->spi), ah = sa_key_of(&s->dst, SPIMEND_PROTOCOL_AH, s->spi);

	if (s->witness == WITNESS_AUDIT && !ledger_find(c->ledger, &key) && !sad_has(c, &key)
	    && (ledger_find(c->ledger, &ah) || sad_has(c, &ah)))
		return ah;
	return key;
}

void core_sighting(struct core *c, const struct sighting *s, struct moment now)
{
	struct sa_key key = key_of(c, s);
	struct ledger_entry *entry = ledger_find(c->ledger, &key);
	struct peer *peer = mirror_peer(c, &s->src);
	struct flow *flow;
	bool ours;

	c->now = now;
	c->sightings++;
	if (sad_has(c, &key)) {
		/* The sensor has not heard of it yet, or the SA is there under another key. */
		if (entry && s->in_ledger)
			mirror_watch(c, entry, WATCH_LIVE);
		return;
	}
	/* Only the peer that the SPI was chosen for can prove anything with it. */
	ours = entry && spimend_address_equal(&entry->peer, &s->src);
	if (!ours && s->witness == WITNESS_AUDIT && c->sensor.interfaces_up && (!peer || peer->unknown_spis > UNKNOWN_SPIS_NOISE))
		return; /* told, and counted, by the packet's own witness */
	if (!ours && !peer) {
		strange(c, s);
		return;
	}
	if (!ours && is_one_too_many(c, peer, &key, s)) {
		forged(c, peer, s);
		return;
	}
	flow = flow_get(c, s, &key, ours);
	if (!flow) {
		if (!ours && peer->unknown_flows)
			peer->unknown_flows--;
		return;
	}
	flow_count(c, flow, s, ours ? entry : NULL);
	strays_judge(c, flow);
	troubles_flush(c);
	mirror_tick(c);
	kernel_tick(c);
}

void strays_known(struct core *c, const struct sa_key *key)
{
	uint32_t next;

	for (uint32_t at = c->flow_newest; at != NONE; at = next) {
		struct flow *flow = &c->flows[at];
		struct trouble *t = flow->incident != NONE ? &c->troubles[flow->incident] : NULL;

		next = flow->older;
		if (!sa_key_equal(&flow->key, key))
			continue;
		if (t && trouble_is_open(t) && t->is.verdict == VERDICT_DESYNC && t->phase != PHASE_ORDERED
		    && t->phase != PHASE_VERIFYING) {
			trouble_evidence(c, t, FACT_TUNNEL_UP, "the SA is there, and takes packets");
			trouble_close(c, t, STATE_CLOSED);
		} else if (t && trouble_is_open(t) && t->is.verdict != VERDICT_DESYNC) {
			judged(c, t, VERDICT_TRANSIENT, RULE_EARLY_USE);
			t->is.cause = CAUSE_EARLY_USE;
			t->is.confidence = CONFIDENCE_CERTAIN;
			trouble_evidence(c, t, FACT_SA_BORN, "the SA is installed now");
			trouble_close(c, t, STATE_CLOSED);
		}
		strays_forget(c, at);
	}
}

int64_t strays_tick(struct core *c)
{
	int64_t next = NEVER;

	for (uint32_t at = 0; at < c->flow_table.count; at++) {
		struct flow *flow = &c->flows[at];

		if (!flow->used)
			continue;
		if (!flow->confirmed || (flow->incident == NONE && c->now.mono_ns - flow->last_ns < SECOND_NS))
			strays_judge(c, flow);
		flow = &c->flows[at];
		if (!flow->used)
			continue;
		if (c->now.mono_ns - flow->last_ns > c->config.close_ns
		    && (flow->incident == NONE || !trouble_is_open(&c->troubles[flow->incident]))) {
			strays_forget(c, at);
			continue;
		}
		if (flow->incident == NONE)
			next = earlier(next, flow->last_ns + c->config.close_ns + SETTLE_MARGIN_NS);
	}
	return next;
}
