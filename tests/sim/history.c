/* SPDX-License-Identifier: MIT */
/* A world from a description, and a description from a seed. */
#include "sim.h"

void setup_default(struct setup *s)
{
	*s = (struct setup){ .nodes = 2, .version = 2, .mode = MODE_REPAIR, .recovery = true, .rekey = 3300 * SEC,
			     .life = 3960 * SEC, .gap = { 50 * MS, 50 * MS } };
	s->core[0] = true;
}

static void configure(const struct setup *s, struct config *config)
{
	config_default(config);
	config->mode = s->mode;
	config->invalid_spi_recovery = s->recovery;
	config->daemon_count = 1;
	config->sense_xfrm = !s->no_xfrm;
	snprintf(config->hostname, sizeof(config->hostname), "gateway");
	snprintf(config->daemons[0], sizeof(config->daemons[0]), "/run/charon.vici");
	config->ledger_max = s->ledger_max ? s->ledger_max : 1024;
	config->flows_max = s->flows_max ? s->flows_max : 256;
	config->incidents_max = s->incidents_max ? s->incidents_max : 64;
}

static void connect_nodes(struct world *w, const struct setup *s, uint8_t hub, uint8_t spoke)
{
	for (int end = 0; end < 2; end++) {
		struct node *n = &w->nodes[end ? spoke : hub];
		struct connection_setup *c = &n->setup[end ? hub : spoke];

		*c = (struct connection_setup){ .exists = true, .version = s->version, .unique_never = s->unique_never,
						.dpd_restart = s->dpd_restart, .close_start = s->close_start, .dpd = s->dpd,
						.rekey = s->rekey, .life = s->life, .ike_rekey = s->ike_rekey, .gap = s->gap[end] };
		c->dynamic_peer = s->dynamic_peers && !end;
		c->start = s->start && end;
		if (c->gap)
			post(w, 3 * SEC + rnd_between(w, 0, c->gap), EV_TRAFFIC, n->index, end ? hub : spoke, 0, 0, NULL);
	}
	post(w, rnd_between(w, 100 * MS, 1500 * MS), EV_START_CONNECTION, spoke, hub, 0, 0, NULL);
}

void world_build(struct world *w, const struct setup *s)
{
	struct config *config = malloc(sizeof(*config));
	bool any = false;

	if (!config)
		abort();
	configure(s, config);
	w->node_count = s->nodes;
	for (uint32_t i = 0; i < s->nodes; i++) {
		struct node *n = &w->nodes[i];

		n->w = w;
		n->index = (uint8_t)i;
		n->address = address_of_node(i);
		n->machine_up = n->daemon_up = true;
		n->user_space = s->user_space[i];
		n->plugin = s->plugin;
		n->odd_answers = s->odd_answers;
		n->next_ike = n->next_child = 1;
		n->daemon_boot = w->now - 600 * SEC;
		n->machine_boot = w->now - 900 * SEC;
	}
	for (uint32_t i = 0; i < s->nodes; i++)
		if (s->core[i]) {
			gateway_enable(&w->nodes[i], config);
			any = true;
		}
	for (uint32_t i = 1; i < s->nodes; i++)
		connect_nodes(w, s, 0, (uint8_t)i);
	if (any)
		post(w, 250 * MS, EV_WATCH, 0, 0, 0, 0, NULL);
	free(config);
}

/* --- Random -------------------------------------------------------------------------------------------------------- */

static void random_network(struct world *w)
{
	uint32_t kind = rnd_below(w, 10);

	w->net.delay_least = rnd_between(w, MS / 10, 20 * MS);
	w->net.delay_most = w->net.delay_least + rnd_between(w, MS / 10, 20 * MS);
	if (kind >= 5) { /* reordering within its spread */
		w->net.loss = rnd_below(w, kind >= 9 ? 2500 : 400);
		w->net.duplicate = rnd_below(w, 100);
		w->net.delay_most += rnd_between(w, 0, 150 * MS);
	}
}

static void random_setup(struct world *w, struct setup *s)
{
	uint32_t traffic = rnd_below(w, 10);

	setup_default(s);
	s->nodes = rnd_below(w, 10) ? 2 : 3 + rnd_below(w, 7);
	s->version = rnd_below(w, 3) ? 2 : 1;
	s->mode = rnd_below(w, 10) < 8 ? MODE_REPAIR : rnd_below(w, 2) ? MODE_ADVISE : MODE_OBSERVE;
	s->recovery = rnd_below(w, 4) != 0;
	s->plugin = rnd_below(w, 2);
	s->odd_answers = !rnd_below(w, 8);
	s->dynamic_peers = !rnd_below(w, 6);
	s->unique_never = !rnd_below(w, 8);
	s->start = !rnd_below(w, 4);
	s->close_start = !rnd_below(w, 5);
	s->dpd = rnd_below(w, 3) ? 0 : rnd_between(w, 5 * SEC, 30 * SEC);
	s->dpd_restart = rnd_below(w, 2);
	if (rnd_below(w, 2)) {
		s->rekey = rnd_between(w, 15 * SEC, 90 * SEC);
		s->life = s->rekey + s->rekey / 5 + 10 * SEC;
	}
	if (!rnd_below(w, 4))
		s->ike_rekey = rnd_between(w, 30 * SEC, 120 * SEC);
	s->core[0] = true;
	s->core[1] = rnd_below(w, 2);
	if (!rnd_below(w, 12))
		s->core[0] = false;
	for (uint32_t i = 0; i < s->nodes; i++)
		s->user_space[i] = false;
	if (!rnd_below(w, 3)) /* ESP in UDP is between two that both have it */
		for (uint32_t i = 0; i < s->nodes; i++)
			s->user_space[i] = true;
	for (int end = 0; end < 2; end++)
		s->gap[end] = traffic < 6 ? rnd_between(w, 30 * MS, 300 * MS) : rnd_between(w, 200 * MS, 4 * SEC);
	if (traffic == 8)
		s->gap[rnd_below(w, 2)] = 0;
	if (traffic == 9)
		s->gap[0] = s->gap[1] = 0;
	s->no_xfrm = !rnd_below(w, 10);
	if (!rnd_below(w, 8)) { /* small tables */
		s->ledger_max = 16 + rnd_below(w, 32);
		s->flows_max = 4 + rnd_below(w, 32);
		s->incidents_max = 2 + rnd_below(w, 8);
	}
}

static void random_faults(struct world *w, const struct setup *s)
{
	static const enum fault_kind breaking[] = { FAULT_DAEMON_RESTART, FAULT_REBOOT, FAULT_DELETE_LOST, FAULT_FORGET, FAULT_LOSE,
						    FAULT_FLUSH, FAULT_COLLISION, FAULT_EXPIRE, FAULT_PARTITION, FAULT_ORPHANS,
						    FAULT_SECOND_IKE, FAULT_LOSE_ALL };
	static const enum fault_kind harmless[] = { FAULT_REKEY, FAULT_IKE_REKEY, FAULT_TERMINATE, FAULT_BOTH_REKEY,
						    FAULT_RECONFIGURE };
	static const enum fault_kind roles[] = { FAULT_CORE_CRASH, FAULT_ACT_CRASH, FAULT_SENSE_CRASH, FAULT_OVERWHELMED };
	uint32_t breaks = rnd_below(w, 10) < 3 ? 0 : 1 + rnd_below(w, 3), calm = rnd_below(w, 4), falls = 0;
	int64_t start = w->now, last = w->until - w->now - 10 * SEC;

	if (!rnd_below(w, 3))
		falls = 1 + rnd_below(w, 4);
	for (uint32_t i = 0; i < breaks + calm + falls; i++) {
		uint8_t spoke = (uint8_t)(1 + rnd_below(w, s->nodes - 1));
		bool at_hub = rnd_below(w, 3) != 0;
		enum fault_kind kind = i < breaks ? breaking[rnd_below(w, sizeof(breaking) / sizeof(*breaking))]
				       : i < breaks + calm ? harmless[rnd_below(w, sizeof(harmless) / sizeof(*harmless))]
							   : roles[rnd_below(w, sizeof(roles) / sizeof(*roles))];
		int64_t length = kind == FAULT_PARTITION ? rnd_between(w, SEC, 40 * SEC) : rnd_between(w, 50 * MS, 4 * SEC);
		int64_t at = start;

		if (kind == FAULT_ORPHANS && s->no_xfrm) /* who does not look at the kernel cannot know that it has them still */
			kind = FAULT_FLUSH;
		at += rnd_between(w, 4 * SEC, last);
		if (falls && breaks && i >= breaks + calm && rnd_below(w, 2)) /* in mid-repair */
			at = w->faults[rnd_below(w, breaks)].at + rnd_between(w, 0, 1500 * MS);
		fault_add(w, at, kind, at_hub ? 0 : spoke, at_hub ? spoke : 0, length);
	}
	if (!rnd_below(w, 10))
		fault_add(w, start + rnd_between(w, 4 * SEC, last), FAULT_WALL_STEP, 0, 1, rnd_between(w, -7200 * SEC, 7200 * SEC));
}

static void random_forger(struct world *w)
{
	struct forger *f = &w->forger;

	if (rnd_below(w, 3))
		return;
	f->random_spis = rnd_below(w, 2);
	f->peer_random = rnd_below(w, 2);
	f->replays = rnd_below(w, 2);
	f->garbage = !rnd_below(w, 4);
	f->from_peer = rnd_below(w, 2);
	f->notifies = rnd_below(w, 2);
	f->victim = (uint8_t)(rnd_below(w, 3) ? 0 : 1);
	f->gap = rnd_between(w, 5 * MS, 500 * MS);
	post(w, rnd_between(w, 5 * SEC, 30 * SEC), EV_FORGE, 0, 0, 0, 0, NULL);
}

static void random_losses(struct world *w)
{
	if (!rnd_below(w, 5))
		w->vici_loss = rnd_below(w, rnd_below(w, 4) ? 500 : 10000);
	if (!rnd_below(w, 5)) {
		w->sight_loss = rnd_below(w, 2000);
		w->sight_duplicate = rnd_below(w, 2000);
		w->sight_late = rnd_below(w, 1000);
	}
	w->incomplete_lists = !rnd_below(w, 6);
	w->keep_watches = rnd_below(w, 2);
}

void history_random(struct world *w)
{
	struct setup s;

	random_network(w);
	random_setup(w, &s);
	w->until = w->now + rnd_between(w, 40 * SEC, 240 * SEC);
	random_losses(w);
	world_build(w, &s);
	random_faults(w, &s);
	random_forger(w);
	TRACE(w, "history: %u nodes, IKEv%u, mode %s, core %d %d, user space %d %d, recovery %d, dynamic %d, loss %u, rekey %lld s, dpd %lld s",
	      s.nodes, s.version, mode_name(s.mode), s.core[0], s.core[1], s.user_space[0], s.user_space[1], s.recovery,
	      s.dynamic_peers, w->net.loss, (long long)(s.rekey / SEC), (long long)(s.dpd / SEC));
	TRACE(w, "history: gaps %lld %lld ms, vici loss %u, sight loss %u late %u, forger %d%d%d%d", (long long)(s.gap[0] / MS),
	      (long long)(s.gap[1] / MS), w->vici_loss, w->sight_loss, w->sight_late, w->forger.random_spis, w->forger.peer_random,
	      w->forger.replays, w->forger.garbage);
	world_run(w, w->until);
	if (!w->failed)
		oracle_end(w);
}
