/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/core_private.h"

#define KEEP_COUNTS_NS SECOND_NS /* an incident of which only counts moved is kept so often */

bool trouble_is_open(const struct trouble *t)
{
	return t->used && (t->is.state == STATE_OPEN || t->is.state == STATE_ACTING);
}

static uint64_t id_hash(const struct core *c, const char *id)
{
	char padded[INCIDENT_ID_MAX] = { 0 };

	snprintf(padded, sizeof(padded), "%s", id);
	return core_hash(c, padded, sizeof(padded));
}

struct trouble *trouble_find(struct core *c, const char *id)
{
	uint32_t at;

	return index_find(&c->trouble_by_id, id_hash(c, id), &at) ? &c->troubles[at] : NULL;
}

static void list_remove(struct core *c, struct trouble *t)
{
	if (t->older != NONE)
		c->troubles[t->older].newer = t->newer;
	else
		c->trouble_oldest = t->newer;
	if (t->newer != NONE)
		c->troubles[t->newer].older = t->older;
	else
		c->trouble_newest = t->older;
}

static void list_append(struct core *c, struct trouble *t)
{
	uint32_t at = (uint32_t)(t - c->troubles);

	t->older = c->trouble_newest;
	t->newer = NONE;
	if (c->trouble_newest != NONE)
		c->troubles[c->trouble_newest].newer = at;
	else
		c->trouble_oldest = at;
	c->trouble_newest = at;
}

static void trouble_drop(struct core *c, uint32_t at)
{
	struct trouble *t = &c->troubles[at];
	uint32_t indexed;

	if (t->flow != NONE)
		c->flows[t->flow].incident = NONE;
	if (c->strangers_trouble == at)
		c->strangers_trouble = NONE;
	if (index_find(&c->trouble_by_flow, t->suspect_hash, &indexed) && indexed == at)
		index_remove(&c->trouble_by_flow, t->suspect_hash);
	index_remove(&c->trouble_by_id, id_hash(c, t->is.id));
	list_remove(c, t);
	TABLE_GIVE(c, trouble, troubles, at);
}

/* Makes room: the oldest that is over, then the oldest that is about strangers or decided nothing. */
static bool trouble_evict(struct core *c)
{
	uint32_t candidate = NONE, flow;

	for (uint32_t at = c->trouble_oldest; at != NONE; at = c->troubles[at].newer) {
		const struct trouble *t = &c->troubles[at];

		if (!trouble_is_open(t)) {
			candidate = at;
			break;
		}
		if (candidate == NONE && t->is.verdict != VERDICT_DESYNC && t->phase == PHASE_WATCHING)
			candidate = at;
	}
	if (candidate == NONE)
		return false;
	troubles_flush(c);
	/* What its flow proved is used up where it is over; what comes of it later is another incident, under another id. */
	flow = c->troubles[candidate].flow;
	if (flow != NONE && trouble_is_open(&c->troubles[candidate])) {
		c->flows[flow].first_wall = c->flows[flow].last_wall;
	} else if (flow != NONE) {
		strays_disprove(c, &c->flows[flow]);
		strays_forget(c, flow);
	}
	trouble_drop(c, candidate);
	return true;
}

/* Six letters and digits that say nothing: a hash of what it is about and when it began. Stable across restarts. */
static void make_id(struct core *c, struct core_incident *is)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	static const struct hash_key zero = { 0, 0 };
	struct {
		struct sa_key key;
		struct spimend_address src;
		int64_t at;
		uint32_t salt;
	} what;

	memset(&what, 0, sizeof(what));
	what.key = is->key;
	what.src = is->src;
	what.at = is->first_seen.ns;
	do {
		uint64_t hash = hash_bytes(&zero, &what, sizeof(what));

		for (int i = 0; i < 6; i++, hash /= 36)
			is->id[i] = letters[hash % 36];
		is->id[6] = '\0';
		what.salt++;
	} while (trouble_find(c, is->id) && what.salt < 16);
}

static struct trouble *trouble_new(struct core *c, const struct core_incident *is, uint64_t hash)
{
	uint32_t at = TABLE_TAKE(c, trouble, troubles);
	struct trouble *t;

	if (at == NONE && trouble_evict(c))
		at = TABLE_TAKE(c, trouble, troubles);
	if (at == NONE) {
		c->incidents_dropped++;
		return NULL;
	}
	t = &c->troubles[at];
	t->used = true;
	t->is = *is;
	t->flow = NONE;
	t->due_ns = NEVER;
	t->suspect_hash = hash;
	if (!t->is.id[0])
		make_id(c, &t->is);
	list_append(c, t);
	if (!index_set(&c->trouble_by_id, id_hash(c, t->is.id), at) || !index_set(&c->trouble_by_flow, hash, at)) {
		trouble_drop(c, at);
		c->incidents_dropped++;
		return NULL;
	}
	trouble_changed(c, t);
	return t;
}

static void name_connection(struct core *c, struct core_incident *is, uint64_t id, const struct mirror_child *child)
{
	const struct mirror_connection *connection = mirror_connection(c, id);

	is->tunnel_kind = kind_of_child(c, connection, child ? &child->sa : NULL, ledger_find(c->ledger, &is->key), &is->key.dst,
					&is->src);
	is->connection = id;
	is->has_connection = connection != NULL;
	if (connection) {
		memcpy(is->ike_name, connection->is.ike, sizeof(is->ike_name));
		memcpy(is->child_name, connection->is.child, sizeof(is->child_name));
	} else if (child) {
		memcpy(is->ike_name, child->sa.ike, sizeof(is->ike_name));
		memcpy(is->child_name, child->sa.child, sizeof(is->child_name));
	}
}

void trouble_name(struct core *c, struct trouble *t)
{
	if (t->is.has_connection || !mirror_connection(c, t->is.connection))
		return;
	name_connection(c, &t->is, t->is.connection, mirror_child_of_spi(c, &t->is.key));
	trouble_changed(c, t);
}

/* A peer whose SPI we do not know may still be one that a connection leads to. */
static uint64_t connection_to(const struct core *c, const struct spimend_address *peer, uint16_t *ret_daemon)
{
	for (uint32_t i = 0; i < c->connection_table.count; i++) {
		const struct mirror_connection *connection = &c->connections[i];

		for (uint32_t r = 0; connection->used && r < connection->is.remote_count && r < GATEWAY_REMOTES_MAX; r++) {
			if (spimend_address_equal(&connection->is.remote[r], peer)) {
				*ret_daemon = connection->is.daemon;
				return connection->is.id;
			}
		}
	}
	return 0;
}

static void describe(struct core *c, struct trouble *t, const struct flow *flow, const struct ledger_entry *entry)
{
	struct buffer age = { 0 };

	if (!entry) {
		trouble_evidence(c, t, FACT_STRAY, "first packet: SPI 0x%08x is not in the ledger", flow->key.spi);
		return;
	}
	calendar_print_duration(&age, c->now.wall.ns - entry->died.ns);
	if (entry->state == LEDGER_DEAD)
		trouble_evidence(c, t, FACT_SA_DIED, "SPI 0x%08x was ours: %s, %.*s before the first packet was judged", flow->key.spi,
				 ledger_death_name(entry->death), TEXT_ARG(buffer_text(&age)));
	buffer_done(&age);
}

struct trouble *trouble_of_flow(struct core *c, struct flow *flow)
{
	struct core_incident is = { .key = flow->key, .src = flow->src, .encap_udp = flow->encap_udp, .src_port = flow->src_port,
				    .first_seen = flow->first_wall, .last_seen = flow->last_wall, .first_ns = flow->first_ns,
				    .last_ns = flow->last_ns, .sequence_first = flow->sequence_first, .spis = 1, .sources = 1,
				    .rule = RULE_TOO_FEW_STRAYS };
	struct ledger_entry *entry = flow->in_ledger ? ledger_find(c->ledger, &flow->key) : NULL;
	uint32_t at, flow_at = (uint32_t)(flow - c->flows);
	struct trouble *t;

	if (flow->incident != NONE)
		return &c->troubles[flow->incident];
	if (index_find(&c->trouble_by_flow, flow->hash, &at)) {
		t = &c->troubles[at];
		if (trouble_is_open(t) || c->now.mono_ns - t->is.last_ns < c->config.close_ns) {
			t->flow = flow_at;
			flow->incident = at;
			if (t->is.state == STATE_CLOSED || t->is.state == STATE_UNVERIFIED) {
				t->is.state = STATE_OPEN;
				t->phase = PHASE_WATCHING;
			}
			return t;
		}
		index_remove(&c->trouble_by_flow, flow->hash);
	}
	memcpy(is.interface, flow->interface, sizeof(is.interface));
	if (entry) {
		is.daemon = entry->daemon;
		name_connection(c, &is, entry->connection, mirror_child_of_spi(c, &flow->key));
	} else {
		name_connection(c, &is, connection_to(c, &flow->src, &is.daemon), NULL);
		if (!is.has_connection) /* one without a fixed address is known by its IKE SA */
			plugin_daemon_with(c, &flow->src, &is.daemon);
	}
	t = trouble_new(c, &is, flow->hash);
	if (!t)
		return NULL;
	t->flow = flow_at;
	c->flows[flow_at].incident = (uint32_t)(t - c->troubles);
	describe(c, t, flow, entry);
	return t;
}

void trouble_detach(struct core *c, struct flow *flow)
{
	uint32_t at;

	if (flow->incident != NONE)
		c->troubles[flow->incident].flow = NONE;
	flow->incident = NONE;
	if (index_find(&c->trouble_by_flow, flow->hash, &at))
		index_remove(&c->trouble_by_flow, flow->hash);
	flow->first_wall = flow->last_wall;
	flow->first_ns = flow->proof_first_ns;
	flow->sequence_first = flow->proof_sequence_lowest;
	flow->packets = flow->proof_packets;
	flow->replays = 0;
}

struct trouble *trouble_of_child(struct core *c, const struct mirror_child *child, bool make)
{
	struct core_incident is = { .key = sa_key_of(&child->sa.local, child->sa.protocol, child->sa.spi_in),
				    .src = child->sa.remote, .encap_udp = child->sa.encap_udp, .daemon = child->sa.daemon,
				    .first_seen = c->now.wall, .last_seen = c->now.wall, .first_ns = c->now.mono_ns,
				    .last_ns = c->now.mono_ns, .spis = 1, .sources = 1, .is_suspicion = true };
	uint64_t hash = core_hash_id(c, child->sa.daemon | 0x10000u, child->sa.id);
	uint32_t at;

	if (index_find(&c->trouble_by_flow, hash, &at))
		return &c->troubles[at];
	if (!make)
		return NULL;
	name_connection(c, &is, child->sa.connection, child);
	return trouble_new(c, &is, hash);
}

struct trouble *trouble_strangers(struct core *c, const struct sighting *s)
{
	struct core_incident is = { .key = sa_key_of(&s->dst, s->protocol, s->spi), .src = s->src, .encap_udp = s->encap_udp,
				    .first_seen = c->now.wall, .last_seen = c->now.wall, .first_ns = s->first_ns,
				    .last_ns = s->last_ns, .sources = 1, .is_aggregate = true, .verdict = VERDICT_NOISE,
				    .rule = RULE_STRANGER, .cause = CAUSE_SCAN_OR_SPOOF, .confidence = CONFIDENCE_LIKELY,
				    .sequence_first = s->sequence_first, .decided = c->now.wall };
	static const char mark[] = "strangers";
	struct trouble *t;

	if (c->strangers_trouble != NONE && trouble_is_open(&c->troubles[c->strangers_trouble])) {
		t = &c->troubles[c->strangers_trouble];
		/* An estimate is enough here: who comes next after another one is counted. */
		if (!spimend_address_equal(&t->is.src, &s->src) && t->is.sources < 2)
			t->is.sources = 2;
		return t;
	}
	memcpy(is.interface, s->interface, sizeof(is.interface));
	t = trouble_new(c, &is, core_hash(c, mark, sizeof(mark)));
	if (!t)
		return NULL;
	c->strangers_trouble = (uint32_t)(t - c->troubles);
	trouble_evidence(c, t, FACT_STRAY, "from addresses or with SPIs that are no peer's: nothing is ever sent to them");
	return t;
}

struct trouble *trouble_forged(struct core *c, const struct peer *peer, const struct sighting *s)
{
	struct core_incident is = { .key = sa_key_of(&s->dst, s->protocol, s->spi), .src = s->src, .encap_udp = s->encap_udp,
				    .first_seen = c->now.wall, .last_seen = c->now.wall, .first_ns = s->first_ns,
				    .last_ns = s->last_ns, .sources = 1, .spis = peer->unknown_spis, .is_aggregate = true,
				    .verdict = VERDICT_NOISE, .rule = RULE_MANY_SPIS, .cause = CAUSE_SCAN_OR_SPOOF,
				    .confidence = CONFIDENCE_LIKELY, .sequence_first = s->sequence_first,
				    .decided = c->now.wall };
	struct {
		struct spimend_address address;
		char mark[7];
	} what = { .address = s->src, .mark = "forged" };
	uint64_t hash = core_hash(c, &what, sizeof(what));
	struct trouble *t;
	uint32_t at;

	if (index_find(&c->trouble_by_flow, hash, &at)) {
		if (trouble_is_open(&c->troubles[at]))
			return &c->troubles[at];
		index_remove(&c->trouble_by_flow, hash);
	}
	memcpy(is.interface, s->interface, sizeof(is.interface));
	name_connection(c, &is, connection_to(c, &s->src, &is.daemon), NULL);
	t = trouble_new(c, &is, hash);
	if (t)
		trouble_evidence(c, t, FACT_STRAY, "many SPIs from one peer within a minute, none of them ever ours: forged, with the "
				 "peer's address");
	return t;
}

void trouble_changed(struct core *c, struct trouble *t)
{
	if (t->changed)
		return;
	t->changed = true;
	t->next_changed = c->first_changed;
	c->first_changed = (uint32_t)(t - c->troubles);
}

void trouble_touched(struct core *c, struct trouble *t)
{
	if (c->now.mono_ns - t->kept_ns >= KEEP_COUNTS_NS)
		trouble_changed(c, t);
	else
		t->touched = true;
}

void trouble_evidence(struct core *c, struct trouble *t, enum fact_kind kind, const char *format, ...)
{
	struct core_evidence *e;
	va_list args;

	trouble_changed(c, t);
	if (t->is.evidence_count == CORE_EVIDENCE_MAX) {
		t->is.evidence_cut = true;
		return;
	}
	e = &t->is.evidence[t->is.evidence_count++];
	e->at = c->now.wall;
	e->kind = kind;
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
}

void trouble_close(struct core *c, struct trouble *t, enum incident_state state)
{
	t->is.state = state;
	t->is.waits_until = (struct instant){ 0 };
	t->phase = PHASE_DONE;
	t->due_ns = NEVER;
	if (state == STATE_HEALED && !t->is.healed.ns)
		t->is.healed = c->now.wall;
	if (t->holds_slot) {
		t->holds_slot = false;
		budget_release(c->budget, &t->is.src, state == STATE_HEALED, c->now.mono_ns);
	}
	if (c->strangers_trouble == (uint32_t)(t - c->troubles))
		c->strangers_trouble = NONE;
	trouble_changed(c, t);
}

void troubles_flush(struct core *c)
{
	while (c->first_changed != NONE) {
		struct trouble *t = &c->troubles[c->first_changed];
		struct core_output *output = core_emit(c, CORE_KEEP_INCIDENT);

		c->first_changed = t->next_changed;
		t->changed = t->touched = false;
		t->kept_ns = c->now.mono_ns;
		if (output)
			memcpy(output->incident, t->is.id, sizeof(output->incident));
	}
}

/* How often a rung was begun: its second verb is no second try. */
static void count_tries(struct trouble *t)
{
	for (uint32_t i = 0; i < t->is.step_count; i++) {
		const struct core_step *step = &t->is.steps[i];
		bool second = (step->verb == ORDER_INITIATE
			       && (step->rung == RUNG_RESTART_CHILD || step->rung == RUNG_RESTART_IKE))
			      || (step->verb == ORDER_REKEY_CHILD && step->rung == RUNG_DELETE_SPI);

		if (step->order && !second && step->rung < RUNGS)
			t->tried[step->rung]++;
	}
}

static void restore_budget(struct core *c, const struct core_incident *incident)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < incident->step_count; i++)
		last = incident->steps[i].order ? i : last;
	for (uint32_t i = 0; i < incident->step_count; i++) {
		const struct core_step *step = &incident->steps[i];
		bool healed = incident->state == STATE_HEALED && i == last; /* the steps before it did not help */

		if (step->order && step->rung != RUNG_ASK_PEER) /* which has a budget of its own */
			budget_restore(c->budget, &incident->src,
				       step->rung == RUNG_INITIATE_IKE || step->rung == RUNG_RESTART_IKE || step->rung == RUNG_REKEY_SUSPECT ||
					       step->rung == RUNG_NOTIFY_SPI,
				       healed, c->now.mono_ns - later(0, c->now.wall.ns - step->at.ns));
		if (step->order >= c->next_order)
			c->next_order = step->order + 1;
	}
}

void core_restore_incident(struct core *c, const struct core_incident *incident, struct moment now)
{
	struct {
		struct sa_key key;
		struct spimend_address src;
	} both;
	struct core_step *step;
	struct trouble *t;

	c->now = now;
	if (incident->daemon >= GATEWAY_DAEMONS_MAX || incident->step_count > CORE_STEPS_MAX
	    || incident->evidence_count > CORE_EVIDENCE_MAX || trouble_find(c, incident->id))
		return;
	restore_budget(c, incident); /* also where there is no room for the incident itself */
	memset(&both, 0, sizeof(both));
	both.key = incident->key;
	both.src = incident->src;
	t = trouble_new(c, incident, core_hash(c, &both, sizeof(both)));
	if (!t)
		return;
	t->is.first_ns = t->is.last_ns = now.mono_ns;
	count_tries(t);
	if (!trouble_is_open(t)) {
		t->phase = PHASE_DONE;
		return;
	}
	if (t->is.is_aggregate) {
		trouble_close(c, t, STATE_CLOSED);
		return;
	}
	step = t->is.step_count ? &t->is.steps[t->is.step_count - 1] : NULL;
	t->decided = t->is.next;
	for (uint32_t i = 0; i < t->is.step_count; i++)
		t->proven |= t->is.steps[i].has_result && delete_proves(&t->is.steps[i].result);
	if (t->is.state != STATE_ACTING || !step) {
		t->is.state = STATE_OPEN;
		return;
	}
	t->took_budget = true;
	t->acted_ns = now.mono_ns;
	t->ordered_ns = now.mono_ns - later(0, now.wall.ns - step->at.ns);
	if ((step->verb == ORDER_TERMINATE_CHILD || step->verb == ORDER_TERMINATE_IKE)
	    && (t->decided.rung != step->rung || t->decided.then == ORDER_INITIATE))
		t->then = ORDER_INITIATE; /* a torn down tunnel is never left lying */
	if (step->verb == ORDER_DELETE_SPI && step->has_result) { /* what follows it had not been decided */
		t->rebuild = delete_leaves_hole(step);
		t->acted_ns = 0;
		t->phase = PHASE_WAITING;
		t->due_ns = now.mono_ns;
		return;
	}
	t->phase = step->has_result && t->then == ORDER_NONE ? PHASE_VERIFYING : PHASE_ORDERED;
	t->resend = !step->has_result && step->rung != RUNG_INITIATE_SIBLING; /* whose connection it was is not kept */
	if (step->rung == RUNG_INITIATE_SIBLING)
		t->phase = PHASE_VERIFYING;
	t->due_ns = now.mono_ns + (t->phase == PHASE_VERIFYING ? c->config.verify_ns : c->config.order_timeout_ns);
}
