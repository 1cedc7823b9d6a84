/* SPDX-License-Identifier: MIT */
/*
 * What is true in the simulated world, and the invariants. It counts for itself: nothing here believes what core says.
 */
#include "sim.h"

#define QUIET (3 * SEC) /* after a role or a daemon came up nothing is expected of core for so long */

const char *end_reason_name(enum end_reason why)
{
	static const char *const names[END_REASONS] = { "rekeyed", "deleted", "restart", "forgotten", "lost", "flushed", "expired" };

	return names[why];
}

static struct truth *truth_of(struct node *n)
{
	return &n->w->truth[n->index];
}

/* Only wall time survives a restart of core; where it was set, how long ago things were cannot be told. */
static bool clock_was_set(const struct node *n)
{
	return n->wall_offset && n->g.core_lives > 1;
}

static struct grave *grave_of(struct truth *t, uint32_t spi)
{
	uint32_t count = t->grave_count < GRAVES_MAX ? t->grave_count : GRAVES_MAX;

	for (uint32_t i = 0; i < count; i++)
		if (t->graves[i].spi == spi)
			return &t->graves[i];
	return NULL;
}

void oracle_buried(struct node *n, const struct sa *sa, enum end_reason why)
{
	struct truth *t = truth_of(n);

	t->graves[t->grave_count++ % GRAVES_MAX] = (struct grave){ .peer = sa->peer, .spi = sa->spi, .highest = sa->sequence,
								   .at = n->w->now, .rekeyed = sa->rekeyed, .why = why };
}

/* --- Traffic ------------------------------------------------------------------------------------------------------- */

void oracle_sent(struct node *n, uint8_t peer)
{
	truth_of(n)->out_while_still[peer]++;
}

void oracle_delivered(struct node *n, uint8_t peer)
{
	struct world *w = n->w;
	struct truth *t = truth_of(n);
	struct hole *h = &t->holes[peer];

	w->delivered++;
	t->delivered[peer] = w->now;
	if (!t->good_since[peer])
		t->good_since[peer] = w->now;
	t->in_still[peer] = w->now;
	t->both_ways[peer] |= t->out_while_still[peer] > 0;
	t->out_while_still[peer] = 0;
	if (!h->open)
		return;
	h->open = false;
	h->closed = w->now;
	if (h->count >= 3 && w->now - h->first > w->outage_worst)
		w->outage_worst = w->now - h->first;
	w->healed += h->count >= 3;
	TRACE(w, "truth: node %u hears %u again, %.3f s after the first stray on %08x (%llu strays)", n->index, peer,
	      (double)(w->now - h->first) / 1e9, h->spi, (unsigned long long)h->count);
}

static bool ledger_knows(const struct node *n, uint32_t spi)
{
	for (uint32_t i = 0; i < n->g.ledger_count; i++)
		if (n->g.ledger[i].key.spi == spi)
			return true;
	return false;
}

void oracle_stray(struct node *n, const struct packet *p)
{
	struct world *w = n->w;
	struct truth *t = truth_of(n);
	struct hole *h = &t->holes[p->from];
	struct grave *g = grave_of(t, p->spi);
	struct sa *sa = plane_in(n, p->spi);

	w->strayed++;
	w->early += sa && sa->larval;
	t->strays++;
	t->good_since[p->from] = 0;
	if (g) {
		if (!g->strays++)
			g->stray_first = w->now;
		g->stray_last = w->now;
	}
	if (!h->open || h->spi != p->spi) {
		*h = (struct hole){ .open = true, .spi = p->spi, .first = w->now, .since = w->now, .why = g ? g->why : END_LOST,
				    .rekeyed = g ? g->rekeyed : 0 };
		TRACE(w, "truth: node %u drops packets of %u with SPI %08x (%s)", n->index, p->from, p->spi,
		      sa ? "larval" : g ? end_reason_name(g->why) : "never had it");
	}
	h->larval = sa && sa->larval;
	h->known = ledger_knows(n, p->spi);
	h->last = w->now;
	h->count++;
}

/* --- Every real black hole heals within its bound, when a repair exists -------------------------------------------- */

static bool blocked(const struct world *w, uint8_t a, uint8_t b)
{
	return w->net.blocked[a][b] || w->net.blocked[b][a] || w->net.ike_blocked[a][b] || w->net.ike_blocked[b][a]
	       || w->net.disturbed > w->now - 10 * SEC;
}

static bool ike_pair_is_quiet(struct node *n, uint8_t peer, bool *ret_alive)
{
	struct node *other = &n->w->nodes[peer];

	*ret_alive = false;
	for (uint32_t i = 0; i < n->ike_count; i++) {
		const struct ike *s = &n->ikes[i], *t;

		if (s->peer != peer || s->state == IKE_REKEYED)
			continue;
		t = ike_of_wire(other, s->wire);
		if (s->task_count || s->state != IKE_ESTABLISHED || !t || t->task_count || t->state != IKE_ESTABLISHED)
			return false;
		*ret_alive = true;
	}
	for (uint32_t i = 0; i < other->ike_count; i++)
		if (other->ikes[i].peer == n->index && other->ikes[i].task_count)
			return false;
	return true;
}

static bool budget_is_spent(const struct node *n, uint8_t peer, const struct hole *h, bool opens)
{
	const struct gateway *g = &n->g;
	uint32_t in_window = 0, opened = 0;

	for (uint32_t i = 0; i < g->given_count; i++) {
		int64_t age = n->w->now - g->given_more[i].at;

		if (g->given_more[i].starts && age < g->config->global_ns)
			in_window++;
		if (g->given_more[i].peer != peer || g->given_more[i].at >= h->first)
			continue;
		if (g->given_more[i].first && age < g->config->per_peer_ns + SEC)
			return true;
		if (g->given[i].opens_ike || g->given_more[i].rung == RUNG_REKEY_SUSPECT)
			opened++;
	}
	if (opens && opened) /* the back-off doubles */
		for (uint32_t i = g->given_count; i-- > 0;)
			if (g->given_more[i].peer == peer && g->given[i].opens_ike)
				return n->w->now - g->given_more[i].at < (g->config->backoff_ns << (opened < 6 ? opened : 6)) + SEC;
	return in_window >= g->config->global_count;
}

static bool many_fell(struct node *n)
{
	struct truth *t = truth_of(n);
	uint32_t fell = 0;

	for (uint8_t i = 0; i < n->w->node_count; i++)
		fell += t->holes[i].first > n->w->now - n->g.config->breaker_ns - 60 * SEC && t->holes[i].count >= 3;
	return fell >= n->g.config->breaker_peers;
}

/* Strays on one SPI while the daemon lists another child of the connection whose SA is not there either. */
static bool two_faults(struct node *n, uint8_t peer, const struct hole *h)
{
	for (uint32_t i = 0; i < n->child_count; i++)
		if (n->children[i].peer == peer && n->children[i].spi_in != h->spi && n->children[i].state == CHILD_INSTALLED
		    && !plane_in(n, n->children[i].spi_in))
			return true;
	return false;
}

static bool is_excused(struct node *n, uint8_t peer, const struct hole *h)
{
	struct world *w = n->w;
	struct gateway *g = &n->g;
	struct node *other = &w->nodes[peer];
	const struct sa *out;
	uint32_t ikes = 0;
	bool alive, quiet;

	if (!n->machine_up || !n->daemon_up || !g->core || !g->act_up || !g->sense_up || !other->machine_up || !other->daemon_up)
		return true;
	if (w->now - g->core_since < QUIET || w->now - g->act_since < QUIET || w->now - g->sense_since < QUIET
	    || w->now - n->daemon_boot < QUIET || w->now - other->daemon_boot < QUIET)
		return true;
	if (g->config->mode != MODE_REPAIR || !h->known || h->larval || w->forger.garbage || blocked(w, n->index, peer))
		return true;
	out = plane_out(other, n->index);
	if (!out || out->spi != h->spi || w->now - h->last > 3 * other->setup[n->index].gap + 300 * MS)
		return true; /* nothing flows towards it */
	for (uint32_t i = 0; i < g->config->peer_count; i++)
		if (g->config->peers[i].mode != PEER_REPAIR && spimend_address_equal(&g->config->peers[i].address, &other->address))
			return true;
	for (uint32_t i = 0; i < n->ike_count; i++)
		ikes += n->ikes[i].peer == peer;
	if (n->setup[peer].dynamic_peer && ikes > 1)
		return true; /* the daemon cannot be told which of them to use */
	if (clock_was_set(n))
		return true; /* the clock was set: how long ago things were done cannot be told */
	for (uint32_t i = 0; h->acted && i < w->fault_count; i++)
		if (w->faults[i].at > h->acted_at && w->faults[i].at <= w->now)
			return true; /* what was repaired broke again: its steps are used up */
	quiet = ike_pair_is_quiet(n, peer, &alive);
	if (!quiet || (!alive && (n->setup[peer].dynamic_peer || !g->config->invalid_spi_recovery)))
		return true;
	return budget_is_spent(n, peer, h, !alive) || many_fell(n) || two_faults(n, peer, h);
}

static bool was_mended(const struct node *n, const struct hole *h)
{
	int64_t begun = node_wall(n).ns - (n->w->now - h->first) - 2 * SEC;

	for (uint32_t i = 0; i < n->g.incident_count; i++)
		if (n->g.incidents[i]->key.spi == h->spi && n->g.incidents[i]->first_seen.ns < begun)
			return true;
	return false;
}

static int64_t bound_of(struct node *n, uint8_t peer, const struct hole *h)
{
	const struct world *w = n->w;
	const struct config *c = n->g.config;
	int64_t bound = c->stray_span_ns + c->settle_ns + SEC + 4 * w->nodes[peer].setup[n->index].gap;

	if (was_mended(n, h))
		bound += 3 * SEC; /* whether it is broken anew takes longer to tell */
	if (h->why == END_REKEYED || h->rekeyed)
		bound += c->overlap_ns + SEC;
	if (w->net.loss || w->net.delay_most > 100 * MS)
		bound += 25 * SEC;
	if (w->vici_loss || w->sight_loss || w->sight_late || w->incomplete_lists
	    || (n->g.overwhelmed_at && w->now - n->g.overwhelmed_at < 15 * SEC))
		bound += 30 * SEC; /* until the next periodic list */
	if (!c->sense_xfrm && !n->user_space)
		bound += 12 * SEC; /* nobody tells what the kernel lost: two periodic lists */
	if (n->user_space && (h->why == END_FORGOTTEN || h->why == END_FLUSHED))
		/* The daemon lists it: only its counters against the sensor's tell. */
		bound += 6 * SEC + 5 * w->nodes[peer].setup[n->index].gap;
	if (h->acted)
		bound += 4 * (c->verify_ns + 5 * SEC) + (w->net.loss ? 60 * SEC : 0);
	return bound;
}

/* One of two children that the daemon says it is replacing: hands off for 30 s (BUSY_WAITS_MAX), then it counts as stuck. */
static bool is_being_replaced(const struct node *n, uint8_t peer, const struct hole *h)
{
	if (n->w->now - h->first > 45 * SEC)
		return false;
	for (uint32_t i = 0; i < n->child_count; i++)
		if (n->children[i].peer == peer && n->children[i].state == CHILD_REKEYING)
			return true;
	return false;
}

static void watch_hole(struct node *n, uint8_t peer)
{
	struct world *w = n->w;
	struct hole *h = &truth_of(n)->holes[peer];

	if (!h->open)
		return;
	if (is_excused(n, peer, h) || is_being_replaced(n, peer, h)) {
		h->since = w->now;
		return;
	}
	if (w->now - h->since > bound_of(n, peer, h))
		violate(w, h->acted ? "heals" : "acts", "node %u drops what %u sends with SPI %08x (%s) since %.3f s, %llu packets", n->index,
			peer, h->spi, end_reason_name(h->why), (double)(h->first - 1000 * SEC) / 1e9, (unsigned long long)h->count);
}

/* --- Orders -------------------------------------------------------------------------------------------------------- */

static const struct core_incident *incident_of_order(struct node *n, uint64_t id, const struct core_step **ret_step)
{
	const struct core_incident *is;

	for (size_t i = 0; (is = core_incident_at(n->g.core, i)); i++)
		for (uint32_t k = 0; k < is->step_count && k < CORE_STEPS_MAX; k++)
			if (is->steps[k].order == id) {
				*ret_step = &is->steps[k];
				return is;
			}
	return NULL;
}

static bool was_refused(const struct node *n, uint64_t order)
{
	for (uint32_t i = 0; i < n->g.journal_count; i++)
		if (n->g.journal[i].order.id == order)
			return n->g.journal[i].done && n->g.journal[i].result.outcome == OUTCOME_REFUSED;
	return false;
}

static void check_budgets(struct node *n, const struct given *latest)
{
	const struct config *c = n->g.config;
	uint32_t firsts = 0, all = 0;

	for (uint32_t i = 0; i < n->g.given_count; i++) {
		const struct given *m = &n->g.given_more[i];

		if (was_refused(n, n->g.given[i].id))
			continue; /* nothing was done */
		firsts += m->peer == latest->peer && m->first && m->at > latest->at - c->per_peer_ns + 10 * MS;
		all += m->starts && m->at > latest->at - c->global_ns + 10 * MS;
	}
	if (clock_was_set(n))
		return;
	if (firsts > c->per_peer_count)
		violate(n->w, "budget per peer", "node %u: %u repairs of %u within %lld s", n->index, firsts, latest->peer,
			(long long)(c->per_peer_ns / SEC));
	if (all > c->global_count)
		violate(n->w, "budget in all", "node %u: %u repairs within %lld s", n->index, all, (long long)(c->global_ns / SEC));
}

static void check_backoff(struct node *n, const struct order *order, const struct given *latest)
{
	for (uint32_t i = n->g.given_count - 1; i-- > 0;) {
		const struct given *m = &n->g.given_more[i];

		if (m->peer != latest->peer || !m->starts || !strcmp(m->incident, latest->incident)
		    || !(n->g.given[i].opens_ike || m->rung == RUNG_REKEY_SUSPECT))
			continue;
		if ((order->opens_ike || latest->rung == RUNG_REKEY_SUSPECT) && latest->at - m->at < n->g.config->backoff_ns - 10 * MS
		    && !clock_was_set(n))
			violate(n->w, "back-off", "node %u: again towards %u after %.1f s", n->index, latest->peer,
				(double)(latest->at - m->at) / 1e9);
		return;
	}
}

static uint32_t later_of(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void check_attempts(struct node *n, const struct core_incident *is, const struct core_step *step)
{
	uint32_t times = 0;

	for (uint32_t i = 0; i < is->step_count && i < CORE_STEPS_MAX; i++)
		times += is->steps[i].order && is->steps[i].verb == step->verb && is->steps[i].rung == step->rung
			 /* Nothing was done; or a crash hid what was, and a back-off later the fault was still there. */
			 && !(is->steps[i].has_result && (is->steps[i].result.outcome == OUTCOME_REFUSED
							  || (is->steps[i].result.outcome == OUTCOME_UNKNOWN
							      && step->at.ns - is->steps[i].at.ns >= n->g.config->backoff_ns)));
	/* What a DELETE of ours took down at the peer is made again, with more than one try. */
	if (times > (step->rung == RUNG_INITIATE_CHILD && n->plugin ? later_of(REPAIR_REBUILD_ATTEMPTS, n->g.config->step_attempts)
								   : n->g.config->step_attempts))
		violate(n->w, "no order twice", "node %u: %s of %s for the %uth time in incident %s", n->index,
			order_verb_name(step->verb), repair_rung_name(step->rung), times, is->id);
}

/* Of that very child. Where each end sends on another one of two children, nothing tells this from T12 (faults.md). */
static void check_suspicion(struct node *n, uint8_t peer, uint32_t child_id)
{
	const struct config *c = n->g.config;
	const struct child *child = child_find(n, child_id);
	const struct sa *in = child ? plane_in(n, child->spi_in) : NULL, *out = child ? plane_out_spi(n, child->spi_out) : NULL;
	int64_t still = in ? n->w->now - (in->used > in->added ? in->used : in->added) : INT64_MAX;

	if (in && in->resumed && n->w->now - in->resumed < 1500 * MS)
		return; /* so lately that no list tells it yet */
	if (still < c->one_way_ns - SEC || (out && out->packets < c->one_way_packets))
		violate(n->w, "healthy", "node %u suspects %u: nothing came in for %.1f s while %llu packets went out", n->index, peer,
			(double)still / 1e9, (unsigned long long)(out ? out->packets : 0));
}

/* A packet that is told twice counts twice: so few are enough then. */
static uint32_t few(const struct node *n)
{
	bool twice = n->w->sight_duplicate || n->w->forger.replays;

	return twice ? 1 : n->g.config->stray_count;
}

/* The sensor's count of the highest sequence number did not outlive it, or did not reach the store: replays may pass it.
 * They may then look like a desync; what is done must be harmless, and check_reason() holds that. */
static bool lost_count(const struct node *n)
{
	return n->g.core_lives > 1 || n->g.sense_lives;
}

static void check_reason(struct node *n, const struct order *order, uint8_t peer, const struct core_incident *is)
{
	struct truth *t = truth_of(n);
	const struct config *c = n->g.config;
	struct hole *h = &t->holes[peer];
	const struct grave *g = grave_of(t, is->key.spi);
	int64_t now = n->w->now;
	struct child *child = child_find(n, order->child_id);
	struct sa *in = child ? plane_in(n, child->spi_in) : NULL;

	if (is->is_suspicion) {
		check_suspicion(n, peer, order->child_id);
		return;
	}
	if (is->verdict == VERDICT_OTHER_FAULT) {
		if (is->cause != CAUSE_ENCAP_MISMATCH || !n->counters.value[XFRM_IN_STATE_MISMATCH] || t->delivered[peer] > now - SEC)
			violate(n->w, "healthy", "node %u acts on %u for %s", n->index, peer, cause_name(is->cause));
		return;
	}
	if (n->w->forger.garbage || (n->w->forger.replays && lost_count(n) && order->verb != ORDER_TERMINATE_IKE))
		; /* see check_incident(): harmless when wrong */
	else if (!g || g->strays < few(n))
		violate(n->w, "healthy", "node %u acts on %u after %llu genuine strays", n->index, peer,
			(unsigned long long)(g ? g->strays : 0));
	else if (t->good_since[peer] && now - t->good_since[peer] > 2500 * MS && t->delivered[peer] > now - SEC)
		violate(n->w, "healthy", "node %u acts on %u, whose traffic has come without strays for %.1f s", n->index, peer,
			(double)(now - t->good_since[peer]) / 1e9);
	else if (g && g->why == END_REKEYED && g->rekeyed && g->stray_last - g->rekeyed < c->overlap_ns && !clock_was_set(n))
		violate(n->w, "transient", "node %u acts on %u %.1f s after a rekey", n->index, peer, (double)(now - g->rekeyed) / 1e9);
	else if (h->larval && h->spi == is->key.spi)
		violate(n->w, "transient", "node %u acts on %u, whose SPI %08x is being installed", n->index, peer, h->spi);
	if (order->verb == ORDER_TERMINATE_CHILD && in && in->used > now - SEC && now - in->resumed > 1500 * MS)
		violate(n->w, "healthy", "node %u terminates child %u, which works", n->index, order->child_id);
	h->acted = true;
	h->acted_at = now;
}

static void check_target(struct node *n, const struct order *order, uint8_t peer)
{
	struct child *child = child_find(n, order->child_id);
	struct ike *s = ike_find(n, order->ike_id);
	bool of_child = order->verb == ORDER_REKEY_CHILD || order->verb == ORDER_TERMINATE_CHILD;
	struct sa *in = order->verb == ORDER_DELETE_SPI ? plane_in(n, order->spi) : NULL;

	if (!n->daemon_up)
		return;
	if (order_takes_plugin(order->verb) && s && s->peer != peer)
		violate(n->w, "target", "node %u: %s for %u over an IKE SA of somebody else", n->index, order_verb_name(order->verb), peer);
	if (in && n->w->now - in->added > SEC)
		violate(n->w, "target", "node %u: a DELETE for SPI %08x, which it accepts itself", n->index, order->spi);
	if ((of_child && child && child->peer != peer) || (order->verb == ORDER_TERMINATE_IKE && s && s->peer != peer)
	    || (order->verb == ORDER_INITIATE && order->connection != act_connection_id(n, peer)))
		violate(n->w, "target", "node %u: %s for %u names an SA of somebody else", n->index, order_verb_name(order->verb), peer);
}

/* An IKE SA is never torn down without authenticated evidence: dead liveness (an order that got no answer counts, where the
 * peer really has that IKE SA no more, or cannot be reached), or the kernel's mismatch counter (T9). */
static void check_teardown(struct node *n, const struct order *order, uint8_t peer)
{
	int64_t dead = n->g.last_dead_hint[peer];
	struct ike *s = ike_find(n, order->ike_id);
	bool alive = s && n->w->nodes[peer].daemon_up && ike_of_wire(&n->w->nodes[peer], s->wire);
	bool timed_out = false;

	if (order->verb != ORDER_TERMINATE_IKE || n->counters.value[XFRM_IN_STATE_MISMATCH])
		return;
	for (uint32_t i = 0; i < n->g.journal_count; i++)
		timed_out |= n->g.journal[i].done && n->g.journal[i].result.outcome == OUTCOME_TIMEOUT
			     && node_of_address(n->w, &n->g.journal[i].order.peer) == peer;
	if (dead && n->w->now - dead < 120 * SEC)
		return;
	for (uint32_t i = 0; i < n->g.journal_count; i++) /* an answer that is not empty is evidence as well */
		if (n->g.journal[i].result.has_answer && n->g.journal[i].result.answer == PLUGIN_PEER_OWNED
		    && node_of_address(n->w, &n->g.journal[i].order.peer) == peer)
			return;
	if (!timed_out || (alive && n->w->net.loss < 500 && !blocked(n->w, n->index, peer)))
		violate(n->w, "teardown", "node %u tears the IKE SA with %u down without authenticated evidence", n->index, peer);
}

/* Of what anybody can cause: at most one in a back-off to each peer, whatever is forged, and in no incident's name. */
static void check_liveness(struct node *n, const struct order *order, uint8_t peer)
{
	struct gateway *g = &n->g;
	struct truth *t = truth_of(n);

	if (t->asked_alive[peer] && n->w->now - t->asked_alive[peer] < g->config->backoff_ns - 10 * MS && !lost_count(n)
	    && !clock_was_set(n))
		violate(n->w, "liveness", "node %u asks %u again after %.1f s", n->index, peer,
			(double)(n->w->now - t->asked_alive[peer]) / 1e9);
	t->asked_alive[peer] = n->w->now;
	check_target(n, order, peer);
}

static void check_question(struct node *n, uint8_t peer)
{
	struct truth *t = truth_of(n);

	if (t->questioned[peer] && n->w->now - t->questioned[peer] < n->g.config->per_peer_ns - 10 * MS && !lost_count(n)
	    && !clock_was_set(n))
		violate(n->w, "question", "node %u asks %u about an unknown SPI again after %.1f s", n->index, peer,
			(double)(n->w->now - t->questioned[peer]) / 1e9);
	t->questioned[peer] = n->w->now;
}

void oracle_order(struct node *n, const struct order *order)
{
	struct gateway *g = &n->g;
	uint8_t peer = node_of_address(n->w, &order->peer);
	const struct core_incident *is;
	const struct core_step *step = NULL;
	struct given *m;
	bool first = true, goes_on = false;

	for (uint32_t i = 0; i < g->given_count; i++) {
		if (g->given[i].id != order->id)
			continue;
		if (memcmp(&g->given[i], order, sizeof(*order)) != 0)
			violate(n->w, "order id", "node %u: order %llu is given twice with different contents", n->index,
				(unsigned long long)order->id);
		return;
	}
	n->w->orders++;
	if (!gateway_valid_order(order))
		violate(n->w, "order", "node %u: an order that is not valid", n->index);
	if (peer == NODE_NONE || peer == n->index || !n->setup[peer].exists) {
		violate(n->w, "stranger", "node %u: an order for an address that is no peer", n->index);
		return;
	}
	if (g->config->mode != MODE_REPAIR)
		violate(n->w, "mode", "node %u: an order in mode %s", n->index, mode_name(g->config->mode));
	if (order->verb == ORDER_LIVENESS) {
		check_liveness(n, order, peer);
		return;
	}
	is = incident_of_order(n, order->id, &step);
	if (!is) {
		violate(n->w, "incident", "node %u: order %llu belongs to no incident", n->index, (unsigned long long)order->id);
		return;
	}
	if (g->given_count == JOURNAL_MAX) {
		violate(n->w, "bounded", "node %u: more than %d orders", n->index, JOURNAL_MAX);
		return;
	}
	for (uint32_t i = 0; i < g->given_count; i++) {
		if (strcmp(g->given_more[i].incident, is->id) != 0)
			continue;
		first = false;
		goes_on = g->given_more[i].rung == step->rung && order->verb == ORDER_INITIATE
			  && (g->given[i].verb == ORDER_TERMINATE_CHILD || g->given[i].verb == ORDER_TERMINATE_IKE);
	}
	m = &g->given_more[g->given_count];
	*m = (struct given){ .at = n->w->now, .peer = peer, .rung = step->rung, .first = first, .starts = !goes_on };
	if (step->rung == RUNG_ASK_PEER)
		m->first = m->starts = false; /* a question has a budget of its own */
	memcpy(m->incident, is->id, sizeof(m->incident));
	g->given[g->given_count++] = *order;
	check_budgets(n, m);
	check_backoff(n, order, m);
	check_attempts(n, is, step);
	check_target(n, order, peer);
	check_teardown(n, order, peer);
	if (step->rung == RUNG_ASK_PEER && order->verb == ORDER_DELETE_SPI)
		check_question(n, peer);
	else if (!goes_on && step->rung != RUNG_ASK_PEER)
		check_reason(n, order, peer, is);
}

/* --- Other outputs, and bounds ------------------------------------------------------------------------------------- */

static void check_incident(struct node *n, const struct core_incident *is, bool is_news)
{
	struct truth *t = truth_of(n);
	const struct config *c = n->g.config;
	uint8_t peer = node_of_address(n->w, &is->src);
	struct grave *g;

	if (is->is_suspicion || is->is_aggregate || is->verdict != VERDICT_DESYNC || n->w->forger.garbage)
		return; /* who knows live SPIs and forges them spoils the sequence numbers, which nobody authenticates in user space */
	if (peer == NODE_NONE) {
		violate(n->w, "stranger", "node %u: a desync with a stranger", n->index);
		return;
	}
	g = grave_of(t, is->key.spi);
	if (!g) {
		if (t->grave_count < GRAVES_MAX && !(n->w->forger.replays && lost_count(n)))
			violate(n->w, "verdict", "node %u: desync on SPI %08x, which it never lost", n->index, is->key.spi);
		return;
	}
	if (g->strays < few(n) && !(n->w->forger.replays && lost_count(n)))
		violate(n->w, "verdict", "node %u: desync on SPI %08x after %llu genuine strays", n->index, is->key.spi,
			(unsigned long long)g->strays);
	if (g->why == END_REKEYED && g->rekeyed && g->strays && g->stray_last - g->rekeyed < c->overlap_ns && !clock_was_set(n))
		violate(n->w, "transient", "node %u: desync on SPI %08x, rekeyed %.3f s before its last stray", n->index, is->key.spi,
			(double)(g->stray_last - g->rekeyed) / 1e9);
	if (is->state == STATE_HEALED && is_news && !n->w->sight_duplicate && is->step_count && g->stray_first
	    && t->delivered[peer] < g->stray_first)
		violate(n->w, "healed", "node %u: incident %s is healed, and nothing of %u was accepted", n->index, is->id, peer);
}

/* As the store has it. */
static enum incident_state was_state(const struct node *n, const char *id)
{
	for (uint32_t i = 0; i < n->g.incident_count; i++)
		if (!strcmp(n->g.incidents[i]->id, id))
			return n->g.incidents[i]->state;
	return STATE_OPEN;
}

void oracle_output(struct node *n, const struct core_output *output)
{
	struct truth *t = truth_of(n);
	const struct core_incident *is;
	uint32_t limit = n->g.config->log_per_minute;

	switch (output->kind) {
	case CORE_KEEP_INCIDENT:
		is = core_find(n->g.core, output->incident);
		if (is)
			check_incident(n, is, was_state(n, is->id) != STATE_HEALED);
		break;
	case CORE_LOG_LINE:
		limit *= 2; /* in windows of a minute: twice as many where two meet */
		if (limit < 64 && t->line_count >= limit && !n->w->core_crashes
		    && n->w->now - t->lines[(t->line_count - limit) % 64] < 59 * SEC)
			violate(n->w, "log", "node %u: more than %u lines in a minute", n->index, limit);
		t->lines[t->line_count++ % 64] = n->w->now;
		break;
	default:
		break;
	}
}

void oracle_drained(struct node *n, uint32_t outputs)
{
	n->g.outputs += outputs;
	if (outputs > 4096)
		violate(n->w, "bounded", "node %u: %u outputs at once", n->index, outputs);
}

static void watch_node(struct node *n)
{
	const struct config *c = n->g.config;
	struct core_figures f;

	if (!n->g.core)
		return;
	for (uint8_t peer = 0; peer < n->w->node_count; peer++)
		watch_hole(n, peer);
	f = core_figures(n->g.core, node_moment(n));
	if (f.incidents > c->incidents_max || f.ledger.entries > (c->ledger_max < 16 ? 16 : c->ledger_max))
		violate(n->w, "bounded", "node %u: %u incidents, %u ledger entries", n->index, f.incidents, f.ledger.entries);
	if (f.outputs_dropped)
		violate(n->w, "bounded", "node %u: core dropped %llu outputs", n->index, (unsigned long long)f.outputs_dropped);
}

void oracle_watch(struct world *w)
{
	post(w, 250 * MS, EV_WATCH, 0, 0, 0, 0, NULL);
	for (uint32_t i = 0; i < w->node_count; i++)
		if (w->nodes[i].g.enabled)
			watch_node(&w->nodes[i]);
}

void oracle_end(struct world *w)
{
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		const struct core_incident *is;

		if (!n->g.enabled || !n->g.core)
			continue;
		for (size_t k = 0; (is = core_incident_at(n->g.core, k)); k++)
			check_incident(n, is, false);
	}
}
