/* SPDX-License-Identifier: MIT */
/*
 * What spimend's plugin inside an IKE daemon tells beyond VICI. What came protected by an IKE SA is evidence; what did not
 * is anybody's word (RFC 7296 2.21.4): counted, and at most a reason to ask a peer that we know whether it is alive.
 */
#include <string.h>

#include "core/core_private.h"

/* Questions about unknown SPIs, to all peers together. Whoever forges such packets in the names of many peers must leave
 * most of what act may do, and of the orders that a plugin takes at once, to repairs. */
#define ASK_WINDOW_NS (10 * SECOND_NS)
#define ASKS_PER_WINDOW 5
#define PROBE_FRESH_NS (10 * SECOND_NS)  /* RFC 7296 2.4: protected packets that came so lately say it already */
#define PROBE_WINDOW_NS MINUTE_NS
#define PROBES_PER_WINDOW 10             /* of all peers together */
#define PROBE_FORGOTTEN_NS MINUTE_NS     /* act has answered by then, or never will */
#define WORD_LOOK_NS (SECOND_NS * 2 / 5)   /* between the two lists that tell whether packets still come in */
#define WORD_POLL_NS (SECOND_NS / 50)
#define WORD_FORGOTTEN_NS (10 * SECOND_NS)
#define REFUSED_HURRY_NS (5 * SECOND_NS) /* so long lists come quicker after a peer's word about an SPI of ours */

void core_plugin(struct core *c, const struct plugin_state *state, struct moment now)
{
	struct mirror_daemon *d;

	c->now = now;
	if (state->daemon >= GATEWAY_DAEMONS_MAX)
		return;
	d = &c->daemons[state->daemon];
	if (d->plugin.up != state->up)
		say_notice(c, state->up ? 6 : 4, "the plugin in IKE daemon %s %s", c->config.daemons[state->daemon],
			   state->up ? "takes orders" : "is gone: repairs go on without it");
	d->plugin = *state;
}

void core_plugin_reports(struct core *c, const struct plugin_state *state, struct moment now)
{
	c->now = now;
	if (state->daemon < GATEWAY_DAEMONS_MAX)
		c->daemons[state->daemon].reports = *state;
}

bool plugin_daemon_with(const struct core *c, const struct spimend_address *peer, uint16_t *ret_daemon)
{
	for (uint32_t i = 0; i < c->ike_table.count; i++) {
		const struct mirror_ike *ike = &c->ikes[i];

		if (ike->used && ike->sa.state == IKE_ESTABLISHED && spimend_address_equal(&ike->sa.remote, peer)) {
			*ret_daemon = ike->sa.daemon;
			return true;
		}
	}
	return false;
}

/* --- Why an SA went ------------------------------------------------------------------------------------------------- */

static enum plugin_reason reason_of_ike(const struct core *c, uint16_t daemon, uint32_t ike_id)
{
	for (uint32_t i = 0; i < CORE_RECENT_MAX; i++)
		if (c->gone[i].daemon == daemon && c->gone[i].ike_id == ike_id)
			return c->gone[i].reason;
	return PLUGIN_WHY_UNKNOWN;
}

static void take_child_died(struct core *c, const struct plugin_report *report)
{
	const struct plugin_message *m = &report->is;
	struct daemon_hint hint = { .daemon = report->daemon, .has_spi = true, .spi = m->spi };
	enum plugin_reason reason = (enum plugin_reason)m->reason;

	if (reason == PLUGIN_WHY_IKE_DIED)
		reason = reason_of_ike(c, report->daemon, m->ike_id);
	if (reason == PLUGIN_WHY_PEER_DELETE)
		hint.kind = HINT_DELETE_RECEIVED;
	else if (reason == PLUGIN_WHY_EXPIRED)
		hint.kind = HINT_EXPIRED;
	if (hint.kind)
		core_hint(c, &hint, c->now);
	/* One that went without a word of VICI's is missed by the next list: now, not in some seconds. */
	else if (mirror_child(c, report->daemon, m->child_id) && (reason == PLUGIN_WHY_UNKNOWN || reason == PLUGIN_WHY_DROPPED))
		mirror_want(c, report->daemon);
}

static void take_ike_died(struct core *c, const struct plugin_report *report)
{
	struct peer *peer = mirror_peer(c, &report->is.remote);

	c->gone[c->gone_at++ % CORE_RECENT_MAX] = (struct gone_ike){ report->daemon, report->is.ike_id,
								     (enum plugin_reason)report->is.reason };
	if (peer && report->is.reason == PLUGIN_WHY_PEER_DEAD)
		peer->dead_ns = c->now.mono_ns;
}

/* A DELETE that names none of our SAs: what the peer still had of one that we have no more. */
static void take_delete(struct core *c, const struct plugin_report *report)
{
	const struct plugin_message *m = &report->is;
	struct daemon_hint hint = { .daemon = report->daemon, .kind = HINT_DELETE_UNKNOWN, .has_spi = true, .spi = m->spi,
				    .has_ike = true, .ike_id = m->ike_id };

	if (plugin_has(m, PLUGIN_HAS_CHILD_ID) || m->flags & PLUGIN_ANSWER)
		return; /* its end is reported with its reason; what answers our own DELETE comes as its result */
	c->hint_figures.deletes_unknown++;
	core_hint(c, &hint, c->now);
}

/* --- What peers do not know ------------------------------------------------------------------------------------------ */

/* At most one check of a peer in a back-off, few in all, and none where nothing may be sent. */
static bool may_probe(struct core *c, const struct mirror_ike *ike, struct peer *peer)
{
	enum peer_mode mode = PEER_DEFAULT;

	for (uint32_t i = 0; i < c->config.peer_count; i++)
		if (spimend_address_equal(&c->config.peers[i].address, &ike->sa.remote))
			mode = c->config.peers[i].mode;
	if (c->config.mode != MODE_REPAIR || mode == PEER_IGNORE || mode == PEER_OBSERVE || ike->sa.busy
	    || !c->daemons[ike->sa.daemon].plugin.up)
		return false;
	if (peer->probed_ns && c->now.mono_ns - peer->probed_ns < c->config.backoff_ns)
		return false;
	/* A peer without a fixed address is forgotten with its IKE SA, and comes with the next one. */
	for (uint32_t i = 0; i < CORE_PROBES_MAX; i++)
		if (c->probes[i].at_ns && c->now.mono_ns - c->probes[i].at_ns < c->config.backoff_ns
		    && spimend_address_equal(&c->probes[i].peer, &ike->sa.remote))
			return false;
	if (c->now.mono_ns - c->probes_ns >= PROBE_WINDOW_NS) {
		c->probes_ns = c->now.mono_ns;
		c->probes_in_window = 0;
	}
	return c->probes_in_window < PROBES_PER_WINDOW;
}

/* Packets came in on any child of that peer after `since_ns`, as far as lists tell. */
static bool has_traffic(const struct core *c, const struct mirror_ike *ike, int64_t since_ns)
{
	for (uint32_t i = 0; i < c->child_table.count; i++) {
		const struct mirror_child *child = &c->children[i];

		if (child->used && child->sa.daemon == ike->sa.daemon && child->has_in && child->in
		    && spimend_address_equal(&child->sa.remote, &ike->sa.remote) && child->in_moved_ns > since_ns)
			return true;
	}
	return false;
}

/* The one that was used the longest ago: what is remembered of the others limits the next. */
static struct probe *free_probe(struct core *c)
{
	struct probe *found = NULL;

	for (uint32_t i = 0; i < CORE_PROBES_MAX; i++) {
		struct probe *probe = &c->probes[i];

		if ((!probe->order || c->now.mono_ns - probe->at_ns > PROBE_FORGOTTEN_NS) && (!found || probe->at_ns < found->at_ns))
			found = probe;
	}
	return found;
}

static void ask_alive(struct core *c, const struct mirror_ike *ike, struct peer *peer)
{
	struct probe *probe = may_probe(c, ike, peer) ? free_probe(c) : NULL;
	struct core_output *output;

	if (!probe || !(output = core_emit(c, CORE_ORDER))) {
		c->hint_figures.probes_held++;
		return;
	}
	*probe = (struct probe){ c->next_order++, ike->sa.daemon, ike->sa.remote, c->now.mono_ns };
	peer->probed_ns = c->now.mono_ns;
	c->probes_in_window++;
	c->hint_figures.probes++;
	output->order = (struct order){ .id = probe->order, .verb = ORDER_LIVENESS, .daemon = ike->sa.daemon,
					.ike_id = ike->sa.id, .peer = ike->sa.remote };
	say_notice(c, 6, "somebody says, unprotected, that %s does not know what we send: one liveness check of it", ike->sa.name);
}

static struct mirror_ike *ike_of_word(struct core *c, uint16_t daemon, const struct spimend_address *address)
{
	struct end end = { *address, 0 };
	uint32_t count;

	return mirror_ike_with(c, daemon, &end, 0, &count);
}

/* RFC 7296 2.4: who sends us protected packets is alive. But those that came lately may be from before its crash: whether
 * they go on is seen from two lists, one of this moment and one of a little later. */
static void take_unprotected(struct core *c, const struct plugin_report *report)
{
	struct peer *peer = mirror_peer(c, &report->is.remote);
	struct mirror_ike *ike = peer ? ike_of_word(c, report->daemon, &report->is.remote) : NULL;

	c->hint_figures.unprotected++;
	if (!ike || report->is.kind == PLUGIN_UNKNOWN_IKE_SA)
		return;
	/* Whoever forges such words makes no lists where no check would follow. */
	if (peer->word_ns || !may_probe(c, ike, peer)) {
		c->hint_figures.probes_held++;
		return;
	}
	if (!has_traffic(c, ike, c->now.mono_ns - PROBE_FRESH_NS)) {
		ask_alive(c, ike, peer);
		return;
	}
	peer->word_ns = c->now.mono_ns;
	peer->word_daemon = report->daemon;
	peer->base_ns = 0;
	c->words++;
	mirror_want(c, report->daemon);
}

/* When it is looked at again. */
static int64_t look_at_word(struct core *c, struct peer *peer)
{
	const struct mirror_daemon *d = &c->daemons[peer->word_daemon];
	struct mirror_ike *ike = ike_of_word(c, peer->word_daemon, &peer->address);

	if (ike && c->now.mono_ns - peer->word_ns < WORD_FORGOTTEN_NS) {
		if (!peer->base_ns && d->snapshot_ns < peer->word_ns)
			return c->now.mono_ns + WORD_POLL_NS;
		if (!peer->base_ns)
			peer->base_ns = c->now.mono_ns;
		if (d->snapshot_ns < peer->base_ns + WORD_LOOK_NS) {
			if (c->now.mono_ns >= peer->base_ns + WORD_LOOK_NS)
				mirror_want(c, peer->word_daemon);
			return later(peer->base_ns + WORD_LOOK_NS, c->now.mono_ns + WORD_POLL_NS);
		}
		if (has_traffic(c, ike, peer->base_ns))
			c->hint_figures.probes_held++;
		else
			ask_alive(c, ike, peer);
	}
	peer->word_ns = 0;
	c->words--;
	return NEVER;
}

int64_t plugin_tick(struct core *c)
{
	int64_t next = NEVER;

	for (uint32_t i = 0; c->words && i < c->peer_table.count; i++)
		if (c->peers[i].used && c->peers[i].word_ns)
			next = earlier(next, look_at_word(c, &c->peers[i]));
	return next;
}

bool plugin_take_result(struct core *c, const struct order_result *result)
{
	for (uint32_t i = 0; i < CORE_PROBES_MAX && result->id; i++) {
		if (c->probes[i].order != result->id)
			continue;
		c->hint_figures.probes_answered += result->outcome == OUTCOME_DONE;
		c->hint_figures.probes_silent += result->outcome == OUTCOME_TIMEOUT;
		c->probes[i].order = 0;
		return true;
	}
	return false;
}

/* Evidence, since it came inside the IKE SA, and no more: authenticated ones are wrong, too (C11). suspect.c looks whether
 * our own counters say the same. */
static void take_invalid_spi(struct core *c, const struct plugin_report *report)
{
	struct mirror_child *child;

	if (!(report->is.flags & PLUGIN_PROTECTED)) {
		take_unprotected(c, report);
		return;
	}
	c->hint_figures.invalid_spi_inside++;
	child = plugin_has(&report->is, PLUGIN_HAS_CHILD_ID) ? mirror_child(c, report->daemon, report->is.child_id) : NULL;
	if (!child)
		return;
	child->refused_ns = c->now.mono_ns;
	child->refused_listed = false;
	c->daemons[report->daemon].hurry_until_ns = c->now.mono_ns + REFUSED_HURRY_NS;
	mirror_hurry(c, report->daemon);
}

/* Proven by a token that only that peer could make; the plugin has acted already (RFC 6290). */
static void take_crash(struct core *c, const struct plugin_report *report)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	c->hint_figures.crashes++;
	spimend_address_print(&report->is.remote, address);
	say_notice(c, 5, "%s proved by its token that it has lost its IKE SA with us: %s", address,
		   report->is.flags & PLUGIN_ANEW ? "negotiating anew" : "dropped, and it is for the peer to begin");
}

void core_report(struct core *c, const struct plugin_report *report, struct moment now)
{
	c->now = now;
	if (report->daemon >= GATEWAY_DAEMONS_MAX)
		return;
	switch (report->is.kind) {
	case PLUGIN_CHILD_DIED:
		take_child_died(c, report);
		break;
	case PLUGIN_IKE_DIED:
		take_ike_died(c, report);
		break;
	case PLUGIN_DELETE_RECEIVED:
		take_delete(c, report);
		break;
	case PLUGIN_INVALID_SPI_INSIDE:
		take_invalid_spi(c, report);
		break;
	case PLUGIN_INVALID_SPI_OUTSIDE:
	case PLUGIN_INVALID_IKE_SPI:
	case PLUGIN_UNKNOWN_IKE_SA:
		take_unprotected(c, report);
		break;
	case PLUGIN_CRASH_DETECTED:
		take_crash(c, report);
		break;
	case PLUGIN_TOKEN_REFUSED:
		c->hint_figures.tokens_refused++;
		break;
	case PLUGIN_TOKEN_SENT:
		c->hint_figures.tokens_sent++;
		break;
	default: /* rekeys: VICI's events tell of both ends; an IKE SA's DELETE: its end follows */
		break;
	}
	mirror_tick(c);
}

/* --- What the ledger does not know (B10) ----------------------------------------------------------------------------- */

bool plugin_may_ask(struct core *c, const struct spimend_address *address, int64_t *ret_again_ns)
{
	const struct peer *peer = mirror_peer(c, address);

	*ret_again_ns = c->now.mono_ns + c->config.per_peer_ns;
	if (!peer)
		return false;
	*ret_again_ns = peer->asked_ns + peer->asked_wait_ns;
	if (peer->asked_ns && c->now.mono_ns < *ret_again_ns)
		return false;
	if (c->now.mono_ns - c->asks_ns >= ASK_WINDOW_NS) {
		c->asks_ns = c->now.mono_ns;
		c->asks_in_window = 0;
	}
	*ret_again_ns = c->asks_ns + ASK_WINDOW_NS;
	return c->asks_in_window < ASKS_PER_WINDOW;
}

void plugin_asked(struct core *c, const struct spimend_address *address)
{
	struct peer *peer = mirror_peer(c, address);

	if (!peer)
		return;
	c->asks_in_window++;
	peer->asked_ns = c->now.mono_ns;
	if (!peer->asked_wait_ns)
		peer->asked_wait_ns = later(c->config.per_peer_ns, c->config.backoff_ns);
}

void plugin_answered(struct core *c, const struct spimend_address *address, bool proved)
{
	struct peer *peer = mirror_peer(c, address);

	if (peer)
		peer->asked_wait_ns = proved ? 0 : earlier(peer->asked_wait_ns * 2, c->config.backoff_most_ns);
}
