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

/* At most one check of a peer in a back-off, few in all, and none where traffic says it already or nothing may be sent. */
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
	for (uint32_t i = 0; i < c->child_table.count; i++) {
		const struct mirror_child *child = &c->children[i];

		if (child->used && child->sa.daemon == ike->sa.daemon && child->has_in && child->in
		    && spimend_address_equal(&child->sa.remote, &ike->sa.remote)
		    && c->now.mono_ns - child->in_moved_ns < PROBE_FRESH_NS)
			return false;
	}
	if (c->now.mono_ns - c->probes_ns >= PROBE_WINDOW_NS) {
		c->probes_ns = c->now.mono_ns;
		c->probes_in_window = 0;
	}
	return c->probes_in_window < PROBES_PER_WINDOW;
}

static struct probe *free_probe(struct core *c)
{
	for (uint32_t i = 0; i < CORE_PROBES_MAX; i++)
		if (!c->probes[i].order || c->now.mono_ns - c->probes[i].at_ns > PROBE_FORGOTTEN_NS)
			return &c->probes[i];
	return NULL;
}

static void take_unprotected(struct core *c, const struct plugin_report *report)
{
	struct end end = { report->is.remote, 0 };
	struct peer *peer = mirror_peer(c, &report->is.remote);
	uint32_t count;
	struct mirror_ike *ike = peer ? mirror_ike_with(c, report->daemon, &end, 0, &count) : NULL;
	struct core_output *output;
	struct probe *probe;

	c->hint_figures.unprotected++;
	if (!ike || report->is.kind == PLUGIN_UNKNOWN_IKE_SA)
		return;
	probe = may_probe(c, ike, peer) ? free_probe(c) : NULL;
	if (!probe || !(output = core_emit(c, CORE_ORDER))) {
		c->hint_figures.probes_held++;
		return;
	}
	*probe = (struct probe){ c->next_order++, report->daemon, ike->sa.remote, c->now.mono_ns };
	peer->probed_ns = c->now.mono_ns;
	c->probes_in_window++;
	c->hint_figures.probes++;
	output->order = (struct order){ .id = probe->order, .verb = ORDER_LIVENESS, .daemon = report->daemon,
					.ike_id = ike->sa.id, .peer = ike->sa.remote };
	say_notice(c, 6, "somebody says, unprotected, that %s does not know what we send: one liveness check of it", ike->sa.name);
}

bool plugin_take_result(struct core *c, const struct order_result *result)
{
	for (uint32_t i = 0; i < CORE_PROBES_MAX; i++) {
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
