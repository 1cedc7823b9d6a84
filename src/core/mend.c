/* SPDX-License-Identifier: MIT */
/* From a verdict to a step, and from a step to the proof that traffic flows. */
#include <inttypes.h>
#include <string.h>

#include "core/core_private.h"

#define POLL_NS (SECOND_NS / 10)        /* lists while a step is being verified */
#define BUSY_NS (SECOND_NS / 4)
#define UNREAD_NS (10 * SECOND_NS)      /* so long for a daemon that has just started to read its connections */
#define BUSY_WAITS_MAX 120              /* an IKE task that takes longer is no reason to wait for */
#define FRESH_NS (2 * SECOND_NS)        /* a fault of which nothing was seen for longer is not acted on */
#define LIST_FRESH_NS SECOND_NS         /* nor on a list that is older */
#define UNVERIFIED_FACTOR 3             /* no strays and no traffic for so many times verify_ns: nobody can tell */
#define LOOK_NS SECOND_NS
#define SIBLING_NEAR_NS (2 * SECOND_NS) /* SAs that die for one reason die together */
#define ORDER_GRACE_NS (2 * SECOND_NS)  /* beyond act's own limit */

static struct flow *flow_of(struct core *c, const struct trouble *t)
{
	return t->flow == NONE ? NULL : &c->flows[t->flow];
}

static int64_t last_stray(struct core *c, const struct trouble *t)
{
	const struct flow *flow = flow_of(c, t);

	return flow ? flow->last_ns : t->is.last_ns;
}

static enum peer_mode peer_mode_of(const struct core *c, const struct spimend_address *peer)
{
	for (uint32_t i = 0; i < c->config.peer_count; i++) {
		if (spimend_address_equal(&c->config.peers[i].address, peer))
			return c->config.peers[i].mode;
	}
	return PEER_DEFAULT;
}

static struct end end_of(struct core *c, const struct trouble *t)
{
	const struct flow *flow = flow_of(c, t);

	return mirror_end(c, t->is.connection, &t->is.src, flow ? flow->src_port : t->is.src_port);
}

/* Authenticated packets were accepted on it, since the trouble began or since it was mended. */
static bool successor_works(struct core *c, const struct trouble *t, const struct mirror_child *successor)
{
	const struct flow *flow = flow_of(c, t);
	const struct mirror_child *child;
	int64_t since = t->acted_ns ? t->acted_ns : flow ? flow->proof_first_ns : t->is.first_ns;
	struct end peer = end_of(c, t);

	if (successor && successor->has_in && successor->in > 0
	    && (successor->in_moved_ns >= since || (t->acted_ns && successor->since_ns >= t->ordered_ns)))
		return true;
	/* Where both ends made one at once, the peer may send on the one that was replaced here (IKEv1 keeps it). */
	child = mirror_child_of_spi(c, &t->is.key);
	return mirror_made_works(c, t->is.daemon, t->is.connection, &peer, child ? child->sa.id : 0,
				 t->acted_ns ? t->ordered_ns : t->is.first_ns);
}

struct mirror_child *mend_successor(struct core *c, const struct trouble *t)
{
	const struct mirror_child *child = mirror_child_of_spi(c, &t->is.key);
	struct end peer = end_of(c, t);

	return mirror_successor(c, t->is.daemon, t->is.connection, &peer, child ? child->sa.id : 0);
}

/* Something to rekey or to terminate: one that was replaced is kept for its last packets (IKEv1: for long). */
static bool is_in_use(const struct mirror_child *child)
{
	return child && !child->rekeyed && child->sa.state != CHILD_REKEYED && child->sa.state != CHILD_DELETING;
}

static bool is_busy_child(const struct mirror_child *child)
{
	return child && (child->sa.state == CHILD_REKEYING || child->sa.state == CHILD_CREATED);
}

static struct repair_situation situation_of(struct core *c, const struct trouble *t)
{
	const struct core_incident *is = &t->is;
	const struct mirror_daemon *daemon = &c->daemons[is->daemon];
	struct ledger_entry *entry = ledger_find(c->ledger, &is->key);
	const struct mirror_connection *connection = mirror_connection(c, is->connection);
	const struct mirror_child *child = mirror_child_of_spi(c, &is->key);
	const struct mirror_child *successor = mend_successor(c, t);
	const struct peer *peer = mirror_peer(c, &is->src);
	const struct flow *flow = flow_of(c, t);
	struct end end = end_of(c, t);
	uint32_t ikes;
	const struct mirror_ike *ike =
		mirror_ike_with(c, is->daemon, &end, child ? child->sa.ike_id : entry ? entry->ike_id : 0, &ikes);
	struct repair_situation s = {
		.verdict = is->verdict, .cause = is->cause, .mode = c->config.mode, .peer_mode = peer_mode_of(c, &is->src),
		.is_suspicion = is->is_suspicion, .daemon_up = daemon->known && daemon->state.up, .known_peer = peer != NULL,
		.invalid_spi_recovery = c->config.invalid_spi_recovery, .has_connection = connection != NULL,
		.dynamic_peer = connection && connection->is.dynamic_peer, .connection = is->connection,
		.ike_alive = ike != NULL, .ike_sole = ike && mirror_ikes_named(c, &ike->sa) == 1,
		.child_listed = is_in_use(child), .successor = successor != NULL,
		.successor_works = successor_works(c, t, successor), .attempts = c->config.step_attempts,
		.sequence_passed = t->proven || (entry && entry->has_sequence && flow && flow->proof_packets >= c->config.stray_count),
		.authenticated = t->proven || t->peer_silent || is->rule == RULE_ENCAP_DIFFERS
				 || (peer && peer->dead_ns && peer->dead_ns >= is->first_ns),
		.plugin_up = daemon->plugin.up, .peer_closed = t->proven,
		.spi_listed = child || mirror_sends_with(c, &is->src, is->key.spi),
		.rebuild = t->rebuild,
		.is_unknown = flow && strays_are_unknown(c, flow),
		.ledger_peer = entry && spimend_address_equal(&entry->peer, &is->src), .may_notify = c->config.notify_invalid_spi,
		.notify_covered = flow && repair_notify_is_covered(is->src.family, is->key.protocol, flow->encap_udp, flow->packets,
								   t->tried[RUNG_NOTIFY_SPI] + 1),
	};

	if (ike) {
		s.ike_id = ike->sa.id;
		/* A suspicion waits for as long as it takes: act would refuse it, and the peer's budget were gone. */
		s.ike_busy = (ike->sa.busy || is_busy_child(s.child_listed ? child : successor))
			     && (t->is.is_suspicion || t->busy_waits < BUSY_WAITS_MAX);
		s.ike_children = mirror_children_of(c, is->daemon, ike->sa.id);
	}
	s.child_id = s.child_listed ? child->sa.id : 0;
	s.successor_id = successor ? successor->sa.id : 0;
	memcpy(s.tried, t->tried, sizeof(s.tried));
	return s;
}

void mend_wait_until(struct trouble *t, int64_t due_ns)
{
	t->phase = PHASE_WAITING;
	t->due_ns = due_ns;
}

/* --- doing --------------------------------------------------------------------------------------------------------- */

bool mend_is_busy(const struct order_result *result)
{
	return result->outcome == OUTCOME_REFUSED
	       && (strncmp(result->text, "busy", 4) == 0
		   || (result->has_answer && (result->answer == PLUGIN_WINDOW_TAKEN || result->answer == PLUGIN_LIMIT)));
}

static bool came_to_nothing(const struct core_step *step)
{
	return step->has_result && (mend_is_busy(&step->result) || step->result.outcome == OUTCOME_OVER_BUDGET);
}

static struct order order_of(const struct trouble *t, const struct core_step *step)
{
	const struct repair_decision *decided = &t->decided;
	struct order order = { .id = step->order, .verb = step->verb, .daemon = t->is.daemon, .ike_id = decided->ike_id,
			       .child_id = decided->child_id, .connection = decided->connection, .peer = t->is.src,
			       .opens_ike = decided->opens_ike };

	if (step->verb == ORDER_DELETE_SPI || step->verb == ORDER_NOTIFY_SPI) {
		order.protocol = t->is.key.protocol;
		order.spi = t->is.key.spi;
	}
	if (step->verb == ORDER_NOTIFY_SPI) {
		order.local = t->is.key.dst;
		order.peer_port = t->is.encap_udp ? t->is.src_port : 0;
	}
	return order;
}

void mend_give_order(struct core *c, struct trouble *t, enum order_verb verb)
{
	const struct repair_decision *decided = &t->decided;
	struct core_step *step;
	struct core_output *output;

	/* One that was refused as it came, without anything done, gives its place to its repetition. */
	if (t->is.step_count && came_to_nothing(&t->is.steps[t->is.step_count - 1]))
		t->is.step_count--;
	if (t->is.step_count == CORE_STEPS_MAX) {
		trouble_evidence(c, t, FACT_NONE, "more steps than an incident holds: a person is needed");
		say_notice(c, 2, "%s: gave up after %u steps: a person is needed", t->is.id, t->is.step_count);
		trouble_close(c, t, STATE_GAVE_UP);
		return;
	}
	step = &t->is.steps[t->is.step_count++];
	*step = (struct core_step){ .order = c->next_order++, .verb = verb, .rung = decided->rung, .at = c->now.wall };
	t->is.rung = decided->rung;
	t->is.state = STATE_ACTING;
	t->phase = PHASE_ORDERED;
	t->due_ns = c->now.mono_ns + c->config.order_timeout_ns + ORDER_GRACE_NS;
	t->resend = false;
	c->orders++;
	/* Kept before it is given: who finds it in the store after a crash knows that it may have been carried out. */
	trouble_changed(c, t);
	troubles_flush(c);
	output = core_emit(c, CORE_ORDER);
	if (output)
		output->order = order_of(t, step);
}

static void again(struct core *c, struct trouble *t, const struct core_step *step)
{
	struct core_output *output = core_emit(c, CORE_ORDER);

	t->resend = false;
	if (output)
		output->order = order_of(t, step);
}

/* A question about an SPI that the ledger does not know has a budget of its own: whoever forges such packets must not use up
 * what a repair of that peer may need. */
static bool ask_peer(struct core *c, struct trouble *t, const struct repair_decision *decision)
{
	int64_t again_ns;

	if (!plugin_may_ask(c, &t->is.src, &again_ns)) {
		t->is.next.refusal = REFUSE_BUDGET;
		t->said = REFUSE_BUDGET;
		mend_wait_until(t, later(again_ns, c->now.mono_ns + POLL_NS));
		return false;
	}
	plugin_asked(c, &t->is.src);
	t->tried[decision->rung]++;
	t->decided = *decision;
	t->then = ORDER_NONE;
	t->ordered_ns = c->now.mono_ns;
	t->acted_ns = 0;
	say_notice(c, 5, "%s: %s about SPI 0x%08x", t->is.id, repair_rung_name(decision->rung), t->is.key.spi);
	mend_give_order(c, t, decision->first);
	return true;
}

static void act(struct core *c, struct trouble *t, const struct repair_decision *decision)
{
	struct budget_request request = { .peer = &t->is.src, .is_first = !t->took_budget,
					  .backs_off = decision->opens_ike || t->is.is_suspicion || decision->rung == RUNG_NOTIFY_SPI,
					  .jitter = (uint32_t)(core_hash_id(c, c->jitter++, 0)) };
	const struct flow *flow = flow_of(c, t);
	int64_t again_ns = c->now.mono_ns + LOOK_NS;
	enum repair_refusal refusal;

	if (decision->rung == RUNG_ASK_PEER) {
		ask_peer(c, t, decision);
		return;
	}
	refusal = budget_ask(c->budget, &request, c->now.mono_ns, &again_ns);
	if (refusal != REFUSE_NONE) {
		t->is.next.refusal = refusal;
		c->over_budget += t->said != refusal;
		if (t->said != refusal)
			say_notice(c, 5, "%s: %s waits: %s", t->is.id, repair_rung_name(decision->rung), repair_refusal_help(refusal));
		t->said = refusal;
		trouble_changed(c, t);
		mend_wait_until(t, later(again_ns, c->now.mono_ns + POLL_NS));
		t->is.waits_until = (struct instant){ c->now.wall.ns + (t->due_ns - c->now.mono_ns) };
		return;
	}
	t->is.waits_until = (struct instant){ 0 };
	budget_spend(c->budget, &request, c->now.mono_ns);
	t->took_budget = t->holds_slot = true;
	t->was_first = request.is_first;
	t->backs_off = request.backs_off;
	t->tried[decision->rung]++;
	t->decided = *decision;
	t->then = decision->then;
	t->ordered_ns = c->now.mono_ns;
	t->acted_ns = 0;
	t->strays_then = flow ? flow->proof_packets : 0;
	say_notice(c, 5, "%s: %s towards %s", t->is.id, repair_rung_name(decision->rung), t->is.ike_name);
	mend_give_order(c, t, decision->first);
}

/* --- deciding ------------------------------------------------------------------------------------------------------ */

static void heal(struct core *c, struct trouble *t, const struct mirror_child *successor)
{
	struct flow *flow = flow_of(c, t);

	if (successor)
		trouble_evidence(c, t, FACT_TUNNEL_UP, "%" PRIu64 " packets came in on the successor, SPI 0x%08x", successor->in,
				 successor->sa.spi_in);
	if (flow)
		strays_disprove(c, flow);
	say_notice(c, 5, "%s: healed%s", t->is.id, t->is.step_count ? "" : " by itself");
	trouble_close(c, t, STATE_HEALED);
}

static void refuse(struct core *c, struct trouble *t, const struct repair_decision *decision)
{
	/* A daemon that has just started reads its connections a moment later. */
	bool may_be_unread = decision->refusal == REFUSE_STRANGER || decision->refusal == REFUSE_NOT_CONFIGURED;
	bool is_news = t->said != decision->refusal && !(may_be_unread && c->now.mono_ns - t->is.first_ns < FRESH_NS);

	if (is_news) {
		t->said = decision->refusal;
		trouble_changed(c, t);
	}
	switch (decision->refusal) {
	case REFUSE_SUCCESSOR_WORKS:
		heal(c, t, mend_successor(c, t));
		return;
	case REFUSE_BUSY:
		t->busy_waits++;
		mirror_want(c, t->is.daemon);
		mend_wait_until(t, c->now.mono_ns + BUSY_NS);
		return;
	case REFUSE_EXHAUSTED:
		if (t->is.is_suspicion) { /* traffic may be one-way by nature: nothing to wake a person for */
			trouble_close(c, t, STATE_UNVERIFIED);
			return;
		}
		trouble_evidence(c, t, FACT_NONE, "every step was tried: %s", repair_refusal_help(decision->refusal));
		say_notice(c, 2, "%s: gave up: every step that a program should take was taken. A person is needed", t->is.id);
		trouble_close(c, t, STATE_GAVE_UP);
		return;
	default:
		if (is_news)
			say_notice(c, 5, "%s: nothing is done%s%s: %s", t->is.id, decision->rung == RUNG_NONE ? "" : ", planned is ",
				   decision->rung == RUNG_NONE ? "" : repair_rung_name(decision->rung),
				   repair_refusal_help(decision->refusal));
		t->is.state = STATE_OPEN;
		mend_wait_until(t, c->now.mono_ns + (may_be_unread ? BUSY_NS : LOOK_NS));
		/* A busy machine is slow to list, and then lists are rare: not while the tunnel waits for its configuration. */
		if (may_be_unread && c->now.mono_ns - t->is.first_ns < UNREAD_NS)
			mirror_want(c, t->is.daemon);
		else if (may_be_unread)
			mirror_hurry(c, t->is.daemon);
		return;
	}
}

void mend_verify(struct core *c, struct trouble *t)
{
	t->acted_ns = c->now.mono_ns;
	t->rebuild = false;
	t->phase = PHASE_VERIFYING;
	t->due_ns = c->now.mono_ns + c->config.verify_ns;
	t->poll_ns = c->now.mono_ns;
	mirror_want(c, t->is.daemon);
}

/* While it waited packets came in again, or its child went. */
static bool suspicion_is_over(struct core *c, struct trouble *t)
{
	const struct mirror_child *child = mirror_child_of_spi(c, &t->is.key);

	bool replaced = child && child->sa.state != CHILD_INSTALLED;

	if (t->is.verdict == VERDICT_OTHER_FAULT || (child && !replaced && child->in_moved_ns <= t->is.last_ns))
		return false;
	trouble_evidence(c, t, FACT_TUNNEL_UP,
			 !child ? "the child is gone" : replaced ? "the child is being replaced" : "packets come in again");
	trouble_close(c, t, STATE_CLOSED);
	return true;
}

static bool is_same(const struct repair_decision *a, const struct repair_decision *b)
{
	return a->rung == b->rung && a->refusal == b->refusal && a->first == b->first && a->then == b->then
	       && a->ike_id == b->ike_id && a->child_id == b->child_id && a->connection == b->connection
	       && a->opens_ike == b->opens_ike && a->needs_person == b->needs_person
	       && a->blast_children == b->blast_children;
}

/* Whether there is something to decide now. */
static bool is_due(struct core *c, struct trouble *t)
{
	if (!trouble_is_open(t) || t->phase == PHASE_ORDERED || t->phase == PHASE_VERIFYING
	    || (t->phase == PHASE_WAITING && c->now.mono_ns < t->due_ns))
		return false;
	if (t->is.is_suspicion)
		return !suspicion_is_over(c, t);
	/* The fault still exists, or it was made by our own DELETE. */
	if (t->is.verdict == VERDICT_DESYNC)
		return t->rebuild || c->now.mono_ns - last_stray(c, t) <= FRESH_NS;
	if (t->is.rule == RULE_NOT_IN_LEDGER && t->flow != NONE)
		return c->daemons[t->is.daemon].plugin.up && c->now.mono_ns - last_stray(c, t) <= FRESH_NS
		       && strays_are_unknown(c, flow_of(c, t));
	return t->is.verdict == VERDICT_OTHER_FAULT;
}

/* A successor that has just come is given its time. */
static bool waits_for_successor(struct core *c, struct trouble *t)
{
	const struct mirror_child *successor = mend_successor(c, t);

	if (!successor)
		return false;
	/* Whatever became of the order: a rekey may take longer than act waits for it. */
	if (t->is.step_count && t->ordered_ns && !t->acted_ns && successor->since_ns >= t->ordered_ns) {
		mend_verify(c, t);
		return true;
	}
	/* One that came by itself: a stray that is younger says that the peer does not use it. */
	if (t->is.is_suspicion || t->is.verdict != VERDICT_DESYNC
	    || last_stray(c, t) >= successor->since_ns + c->config.settle_ns)
		return false;
	mend_wait_until(t, later(successor->since_ns + c->config.settle_ns, c->now.mono_ns + POLL_NS));
	return true;
}

/* What is known is fresh: a list is read again before every rung. What takes something down is done right after a stray,
 * and on a list of the same moment: the peer may just have turned. */
static bool is_fresh(struct core *c, struct trouble *t, const struct repair_decision *decision)
{
	bool harsh = decision->first == ORDER_TERMINATE_CHILD || decision->first == ORDER_TERMINATE_IKE;

	if (harsh && t->is.verdict == VERDICT_DESYNC && c->now.mono_ns - last_stray(c, t) > c->config.settle_ns) {
		mend_wait_until(t, c->now.mono_ns); /* the next stray comes back here */
		return false;
	}
	if (c->daemons[t->is.daemon].snapshot_ns < c->now.mono_ns - (harsh ? c->config.settle_ns : LIST_FRESH_NS)) {
		mirror_want(c, t->is.daemon);
		mend_wait_until(t, c->now.mono_ns + POLL_NS);
		return false;
	}
	return true;
}

void mend_consider(struct core *c, struct trouble *t)
{
	struct repair_situation situation;
	struct repair_decision decision;

	if (!is_due(c, t) || waits_for_successor(c, t))
		return;
	trouble_name(c, t);
	situation = situation_of(c, t);
	decision = repair_decide(&situation);
	if (!is_same(&decision, &t->is.next)) {
		t->is.next = decision;
		trouble_changed(c, t);
	}
	if (decision.refusal != REFUSE_NONE || decision.rung == RUNG_NONE)
		refuse(c, t, &decision);
	else if (is_fresh(c, t, &decision))
		act(c, t, &decision);
}

/* --- results ------------------------------------------------------------------------------------------------------- */

/* An order that was refused took nothing: another incident of the peer may need it. */
static void give_back(struct core *c, struct trouble *t)
{
	struct budget_request request = { .peer = &t->is.src, .is_first = t->was_first, .backs_off = t->backs_off };

	if (!t->holds_slot || t->is.steps[t->is.step_count - 1].verb != t->decided.first)
		return;
	budget_return(c->budget, &request, t->ordered_ns);
	t->holds_slot = false;
	t->took_budget &= !t->was_first;
}

static void failed(struct core *c, struct trouble *t, const struct order_result *result)
{
	c->orders_failed++;
	/* What is busy is asked again by the same incident, which has its place already. */
	if (result->outcome == OUTCOME_OVER_BUDGET || (result->outcome == OUTCOME_REFUSED && !mend_is_busy(result)))
		give_back(c, t);
	if (mend_is_busy(result) && t->busy_waits < BUSY_WAITS_MAX) {
		/* Nothing was done: the rung was not tried. */
		if (t->tried[t->decided.rung])
			t->tried[t->decided.rung]--;
		t->busy_waits++;
		mirror_want(c, t->is.daemon);
		t->is.state = STATE_OPEN;
		mend_wait_until(t, c->now.mono_ns + BUSY_NS);
		return;
	}
	if (result->outcome == OUTCOME_OVER_BUDGET) {
		if (t->tried[t->decided.rung])
			t->tried[t->decided.rung]--;
		t->is.next.refusal = REFUSE_BUDGET;
		t->is.state = STATE_OPEN;
		mend_wait_until(t, c->now.mono_ns + c->config.per_peer_ns);
		return;
	}
	t->peer_silent |= result->outcome == OUTCOME_TIMEOUT;
	mirror_want(c, t->is.daemon);
	mend_wait_until(t, c->now.mono_ns + POLL_NS);
}

static struct trouble *trouble_of_order(struct core *c, uint64_t order, struct core_step **ret)
{
	for (uint32_t at = c->trouble_newest; at != NONE; at = c->troubles[at].older) {
		struct trouble *t = &c->troubles[at];

		for (uint32_t i = t->is.step_count; i-- > 0;) {
			if (t->is.steps[i].order == order) {
				*ret = &t->is.steps[i];
				return t;
			}
		}
	}
	return NULL;
}

/* What was torn down is set up again, whatever became of the tearing down. */
static bool set_up_again(struct core *c, struct trouble *t, const struct order_result *result)
{
	enum order_verb then = t->then;

	if (then == ORDER_NONE || mend_is_busy(result) || result->outcome == OUTCOME_OVER_BUDGET)
		return false;
	t->then = ORDER_NONE;
	mend_give_order(c, t, then);
	return true;
}

/* --- siblings ------------------------------------------------------------------------------------------------------ */

struct sibling_search {
	struct core *c;
	const struct trouble *t;
	const struct ledger_entry *own;
	uint64_t seen[SIBLINGS_MAX * 4], found;
	uint32_t seen_count;
};

static bool is_among(const uint64_t *ids, uint32_t count, uint64_t id)
{
	for (uint32_t i = 0; i < count; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

/* It went as the incident's own SA went, or when the old IKE SA was closed. What a person took down before stays down. */
static bool went_along(const struct sibling_search *search, const struct ledger_entry *entry)
{
	int64_t distance = entry->died.ns - search->own->died.ns;

	return entry->state == LEDGER_DEAD
	       && ((entry->death == search->own->death && distance > -SIBLING_NEAR_NS && distance < SIBLING_NEAR_NS)
		   || entry->died.ns >= search->t->is.steps[0].at.ns);
}

static bool sibling_of(void *context, struct ledger_entry *entry)
{
	struct sibling_search *search = context;
	const struct trouble *t = search->t;
	struct end peer = end_of(search->c, t);

	/* The newest of each connection comes first, and decides. */
	if (entry->daemon != t->is.daemon || entry->connection == t->is.connection
	    || is_among(search->seen, search->seen_count, entry->connection))
		return true;
	if (search->seen_count == sizeof(search->seen) / sizeof(search->seen[0]))
		return false;
	search->seen[search->seen_count++] = entry->connection;
	if (is_among(t->siblings, t->sibling_count, entry->connection) || !went_along(search, entry)
	    || !mirror_connection(search->c, entry->connection)
	    || mirror_successor(search->c, t->is.daemon, entry->connection, &peer, 0))
		return true;
	search->found = entry->connection;
	return false;
}

/* A new IKE SA takes all SAs of the peer's old one away (INITIAL_CONTACT), and closing one takes its other children. Their
 * strays end with that before they prove anything: without this nobody would bring them back. One repair, one budget. */
static bool bring_sibling(struct core *c, struct trouble *t)
{
	struct sibling_search search = { .c = c, .t = t, .own = ledger_find(c->ledger, &t->is.key) };

	if ((t->is.rung != RUNG_RESTART_IKE && t->is.rung != RUNG_INITIATE_IKE && t->is.rung != RUNG_INITIATE_SIBLING)
	    || !search.own || t->sibling_count == SIBLINGS_MAX || t->is.step_count == CORE_STEPS_MAX)
		return false;
	ledger_each_of_peer(c->ledger, &t->is.src, sibling_of, &search);
	if (!search.found)
		return false;
	t->siblings[t->sibling_count++] = search.found;
	t->decided = (struct repair_decision){ .rung = RUNG_INITIATE_SIBLING, .first = ORDER_INITIATE,
					       .connection = search.found, .ike_id = t->decided.ike_id };
	say_notice(c, 5, "%s: initiate-sibling %s", t->is.id, mirror_connection(c, search.found)->is.child);
	mend_give_order(c, t, ORDER_INITIATE);
	return true;
}

/* Touches no other incident: mend_tick() is walking them. */
static void take_result(struct core *c, struct trouble *t, struct core_step *step, const struct order_result *result)
{
	step->has_result = true;
	step->result = *result;
	step->result.text[sizeof(step->result.text) - 1] = '\0';
	trouble_changed(c, t);
	if (step->verb == ORDER_DELETE_SPI)
		delete_say(c, t, &step->result);
	if (t->phase != PHASE_ORDERED || step != &t->is.steps[t->is.step_count - 1] || set_up_again(c, t, result))
		return;
	if (step->verb == ORDER_DELETE_SPI
	    && (result->outcome == OUTCOME_DONE || result->outcome == OUTCOME_UNKNOWN || result->outcome == OUTCOME_TIMEOUT)) {
		delete_answered(c, t, step);
		return;
	}
	if (t->is.rung == RUNG_INITIATE_SIBLING || result->outcome == OUTCOME_DONE || result->outcome == OUTCOME_UNKNOWN) {
		/* A sibling that cannot be had is its own trouble. */
		if (!bring_sibling(c, t))
			mend_verify(c, t);
	} else {
		failed(c, t, result);
	}
}

void core_result(struct core *c, const struct order_result *result, struct moment now)
{
	struct core_step *step;
	struct trouble *t = trouble_of_order(c, result->id, &step);

	c->now = now;
	if (!t && plugin_take_result(c, result))
		return;
	if (!t && hand_result(c, result)) {
		core_tick(c, now);
		return;
	}
	if (!t || (step->has_result && !result->is_late))
		return;
	if (result->is_late)
		delete_late(c, t, step, result);
	else
		take_result(c, t, step, result);
	core_tick(c, now);
}

/* --- time ---------------------------------------------------------------------------------------------------------- */

static void tick_ordered(struct core *c, struct trouble *t)
{
	struct core_step *step = t->is.step_count ? &t->is.steps[t->is.step_count - 1] : NULL;
	/* That act does not answer says nothing about the peer: whether it was carried out is not known. */
	struct order_result lost = { .outcome = OUTCOME_UNKNOWN, .text = "no answer" };
	bool expired = c->now.mono_ns >= t->due_ns;

	if (!step) {
		mend_wait_until(t, c->now.mono_ns);
		return;
	}
	if (step->has_result) { /* restored between the two verbs of a rung */
		if (c->daemons[t->is.daemon].had_snapshot && !set_up_again(c, t, &step->result))
			mend_verify(c, t);
		return;
	}
	if (t->resend && c->daemons[t->is.daemon].had_snapshot) {
		/* act knows by its journal whether it was carried out. One that is old is not carried out now. */
		if (c->now.wall.ns - step->at.ns < c->config.order_timeout_ns)
			again(c, t, step);
		else
			expired = true;
		t->resend = false;
	}
	if (expired) {
		lost.id = step->order;
		take_result(c, t, step, &lost);
	}
}

static void tick_verifying(struct core *c, struct trouble *t)
{
	const struct mirror_child *successor = mend_successor(c, t);
	const struct mirror_child *child = mirror_child_of_spi(c, &t->is.key);
	const struct flow *flow = flow_of(c, t);
	bool strays_go_on = flow && flow->proof_packets > t->strays_then && c->now.mono_ns - flow->last_ns < SECOND_NS;

	if (successor_works(c, t, successor)) {
		heal(c, t, successor);
		return;
	}
	if (t->is.is_suspicion && child && child->in_moved_ns > t->acted_ns) {
		heal(c, t, child);
		return;
	}
	if (c->now.mono_ns >= t->due_ns) {
		if (strays_go_on) {
			trouble_evidence(c, t, FACT_STRAY, "%s did not help: strays go on and nothing comes in on a successor",
					 repair_rung_name(t->is.rung));
			t->phase = PHASE_WATCHING;
			mend_consider(c, t);
			return;
		}
		if (c->now.mono_ns >= t->acted_ns + UNVERIFIED_FACTOR * c->config.verify_ns) {
			trouble_evidence(c, t, FACT_NONE, "no strays and no traffic since: nobody can tell whether it works");
			say_notice(c, 5, "%s: unverified: there is no traffic to see", t->is.id);
			trouble_close(c, t, STATE_UNVERIFIED);
			return;
		}
	}
	if (c->now.mono_ns >= t->poll_ns) {
		mirror_want(c, t->is.daemon);
		t->poll_ns = c->now.mono_ns + POLL_NS;
	}
}

/* Nothing is done, and nothing comes any more. */
static void tick_quiet(struct core *c, struct trouble *t)
{
	const struct mirror_child *successor = mend_successor(c, t);

	if (t->is.verdict == VERDICT_DESYNC && successor && successor_works(c, t, successor)
	    && successor->in_moved_ns > last_stray(c, t)) {
		heal(c, t, successor);
		return;
	}
	if (t->is.is_suspicion && mirror_child_of_spi(c, &t->is.key) && t->is.verdict != VERDICT_OTHER_FAULT)
		return; /* closed when packets come in, or when its child is gone */
	if (c->now.mono_ns - later(last_stray(c, t), t->is.first_ns) < c->config.close_ns)
		return;
	if (t->is.verdict == VERDICT_UNDECIDED && t->is.rule == RULE_TOO_FEW_STRAYS) {
		t->is.verdict = VERDICT_TRANSIENT;
		t->is.rule = RULE_STRAYS_ENDED;
	}
	trouble_close(c, t, t->is.verdict == VERDICT_DESYNC ? STATE_UNVERIFIED : STATE_CLOSED);
}

static int64_t next_look(const struct core *c, const struct trouble *t)
{
	switch (t->phase) {
	case PHASE_ORDERED:
	case PHASE_WAITING:
		/* What was due and could not be done (no strays came any more, say) is looked at again, but not without a pause. */
		return t->due_ns > c->now.mono_ns ? t->due_ns : c->now.mono_ns + LOOK_NS;
	case PHASE_VERIFYING:
		return t->poll_ns;
	case PHASE_WATCHING:
		return c->now.mono_ns + LOOK_NS;
	case PHASE_DONE:
		break;
	}
	return NEVER;
}

int64_t mend_tick(struct core *c)
{
	int64_t next = NEVER;
	uint32_t newer;

	for (uint32_t at = c->trouble_oldest; at != NONE; at = newer) {
		struct trouble *t = &c->troubles[at];

		newer = t->newer;
		if (t->phase == PHASE_DONE)
			continue;
		if (t->phase == PHASE_ORDERED)
			tick_ordered(c, t);
		else if (t->phase == PHASE_VERIFYING)
			tick_verifying(c, t);
		else
			mend_consider(c, t);
		if (t->phase == PHASE_WATCHING || t->phase == PHASE_WAITING)
			tick_quiet(c, t);
		if (t->touched)
			trouble_touched(c, t);
		next = earlier(next, next_look(c, t));
	}
	return next;
}
