/* SPDX-License-Identifier: MIT */
/*
 * Hundreds of histories of some routers, from seeds: tunnels fall out of step, are rekeyed, cleared by hand, heal; devices
 * answer late, badly or not at all; hints are true or forged; roles and the daemon are restarted; persons agree, deny or
 * say nothing. What must hold at each order is asserted in fleet_world.h, where it is carried out; what must hold at the
 * end, here.
 * FLEET_SEEDS (how many) and FLEET_SEED (which one) choose; FLEET_SAY prints.
 */
#include "fleet_world.h"

#define HISTORY (25 * MINUTE_NS)
#define SEEDS 400

#define DAYS_OF_WAITING 14

struct totals {
	uint64_t changes, healed, gave_up, closed, unverified, desyncs, voids, restarts, bursts, unattended, natted;
};

/* About the time of the history, each day, so that some open and some close during it. */
static void open_windows(struct world *w)
{
	struct config_devices *devices = &w->config->devices;
	uint32_t now = (uint32_t)(world_now(w).wall.ns / MINUTE_NS % WINDOW_DAY_MINUTES);

	for (uint32_t i = 0; i <= devices->count; i++) {
		struct windows *windows = i < devices->count ? &devices->at[i].windows : &devices->usual_windows;

		windows->count = (uint16_t)world_random(w, 3);
		for (uint16_t k = 0; k < windows->count; k++) {
			uint16_t from = (uint16_t)((now + world_random(w, 40) + WINDOW_DAY_MINUTES - 10) % WINDOW_DAY_MINUTES);

			windows->at[k] = (struct window_hours){ WINDOW_EVERY_DAY, from, 0 };
			windows->at[k].to = (uint16_t)(from + 1 + world_random(w, world_random(w, 2) ? 5 : WINDOW_DAY_MINUTES - from - 1));
		}
	}
}

/* Before some steps, for all devices or for some. */
static void ask_nobody(struct world *w)
{
	struct config_devices *devices = &w->config->devices;

	devices->usual_approval = (struct sdwan_approval){ 0xf, (uint8_t)world_random(w, 16) };
	for (uint32_t i = 0; i < devices->count; i++)
		devices->at[i].approval = (struct sdwan_approval){ (uint8_t)world_random(w, 16), (uint8_t)world_random(w, 16) };
}

static void make(struct world *w, uint64_t seed)
{
	static const enum platform platforms[] = { PLATFORM_IOS, PLATFORM_IOS_XE, PLATFORM_SDWAN, PLATFORM_SDWAN, PLATFORM_ASA };
	uint32_t devices;

	world_init(w);
	w->seed = seed * 2654435761u + 1;
	world_random(w, 2);
	w->random_delay = true;
	w->settings.burst_pairs = 2 + world_random(w, 5);
	w->settings.offer_ns = 20 * MINUTE_NS;
	devices = 2 + world_random(w, 7);
	for (uint32_t i = 0; i < devices; i++)
		world_device(w, platforms[world_random(w, 5)], world_random(w, 8) != 0);
	if (world_random(w, 3) == 0)
		open_windows(w);
	if (world_random(w, 3) == 0)
		ask_nobody(w);
	world_start(w);
	if (world_random(w, 3) == 0) /* some are behind NAT, two behind the same now and then */
		for (uint32_t i = 0; i < devices; i++)
			if (world_random(w, 2))
				w->public[i] = world_address(9, 9, world_random(w, 8));
	for (uint32_t a = 0; a < devices; a++)
		for (uint32_t b = a + 1; b < devices && w->tunnel_count < 12; b++) {
			bool sdwan = w->config->devices.at[a].platform == PLATFORM_SDWAN && w->config->devices.at[b].platform == PLATFORM_SDWAN;
			struct world_tunnel *t;

			if (world_random(w, 3) == 0)
				continue;
			t = world_tunnel(w, a, b, sdwan && world_random(w, 4) ? BY_CONTROLLER : world_random(w, 9) ? BY_IKE : BY_HAND);
			t->color = (enum device_color)(COLOR_MPLS + world_random(w, 3));
			t->idle = world_random(w, 8) == 0;
			t->stubborn = world_random(w, 6) == 0;
			t->no_ike = world_random(w, 6) == 0;
			t->tag_hidden = world_random(w, 10) == 0;
		}
}

/* Make before break, as it should be: the new SA is accepted, then used, then the old one goes. */
static void rekey(struct world *w, struct world_tunnel *t, int k)
{
	struct way *way = &t->way[k];

	if (!way_works(way))
		return;
	if (!way->in[1]) {
		way->in[0] = way->out;
		way->in[1] = ++w->next_spi;
	} else if (way->out == way->in[0]) {
		way->out = way->in[1];
	} else {
		way->in[0] = way->in[1];
		way->in[1] = 0;
	}
	world_note(w, t);
}

static void persons(struct world *w)
{
	struct buffer why = { 0 };
	const struct fleet_incident *is;

	for (size_t i = 0; (is = fleet_at(w->fleet, i)); i++) {
		if (is->state != STATE_AWAITING || world_random(w, 6))
			continue;
		if (world_random(w, 8) == 0)
			fleet_deny(w->fleet, is->id, is->step_count, "bob", world_now(w), &why);
		else
			world_approve(w, is);
	}
	buffer_done(&why);
}

/* Orders that are under way when a role ends: some were carried out, and nobody hears of it. */
static void lose_orders(struct world *w)
{
	for (uint32_t i = 0; i < WORLD_ORDERS_MAX; i++) {
		if (w->orders[i].used && device_verb_changes(w->orders[i].order.verb) && world_random(w, 2))
			answer(w, &w->orders[i].order);
		w->orders[i].used = false;
	}
}

static void restart(struct world *w)
{
	struct fleet_incident *kept = memory_new(1024, sizeof(*kept));
	size_t n = 0;

	while (fleet_at(w->fleet, n)) {
		kept[n] = *fleet_at(w->fleet, n);
		n++;
	}
	lose_orders(w);
	world_forget_words(w); /* no approval survives */
	fleet_free(w->fleet);
	world_start(w);
	for (size_t i = 0; i < n; i++)
		fleet_restore(w->fleet, &kept[i], world_now(w));
	memory_free(kept);
}

static void sight(struct world *w, bool forged)
{
	struct world_tunnel *t = &w->tunnels[world_random(w, w->tunnel_count)];
	int k = (int)world_random(w, 2);

	if (forged)
		world_sight_way(w, t, k, 1 + world_random(w, 0x7fffffff));
	else if (!way_works(&t->way[k]) && t->way[k].out)
		world_sight_way(w, t, k, t->way[k].out);
}

static void event(struct world *w, struct totals *totals)
{
	struct world_tunnel *t = &w->tunnels[world_random(w, w->tunnel_count)];
	int k = (int)world_random(w, 2);

	switch (world_random(w, 24)) {
	case 0:
	case 1:
		world_desync_way(w, t, k);
		world_sight_way(w, t, k, t->way[k].out ? t->way[k].out : 5);
		break;
	case 2:
		if (t->keys == BY_CONTROLLER)
			world_clear(w, t, k);
		break;
	case 3:
		if (t->keys != BY_CONTROLLER || !t->cleared)
			world_renew(w, t); /* heals by itself */
		break;
	case 4:
		w->output[world_random(w, w->config->devices.count)] = (enum world_output)world_random(w, 6);
		break;
	case 5:
	case 6:
		w->output[world_random(w, w->config->devices.count)] = PRINTS_WELL;
		break;
	case 7:
		if (world_random(w, 4) == 0) {
			lose_orders(w);
			fleet_lost(w->fleet, world_now(w));
		}
		break;
	case 8:
		if (world_random(w, 6) == 0) {
			totals->restarts++;
			restart(w);
		}
		break;
	case 9:
		if (world_random(w, 6) == 0) {
			lose_orders(w); /* nobody is told of those any more */
			assert_int_equal(fleet_reconfigure(w->fleet, w->config, world_now(w)), 0);
		}
		break;
	case 10:
	case 11:
		sight(w, true);
		break;
	case 12:
		for (uint32_t i = 0; i < 30; i++)
			sight(w, i % 3 == 0);
		break;
	case 13:
		persons(w);
		break;
	case 17:
		w->trace_spi = t->way[k].out;
		w->trace_deleted = world_random(w, 2);
		w->refuses[DEVICE_SHOW_TRACE + (int)world_random(w, 2)] = world_random(w, 4) == 0;
		w->hangs[DEVICE_SHOW_DROPS] = world_random(w, 6) == 0;
		break;
	case 14:
	case 15:
	case 16:
		sight(w, false);
		break;
	default:
		rekey(w, t, k);
		break;
	}
	world_drain(w);
}

/* Orders that a reconfiguration left behind are answered, and belong to nobody. */
static void live(struct world *w, struct totals *totals)
{
	int64_t until = w->now + HISTORY;

	while (w->now < until) {
		world_run(w, S + world_random(w, 20) * S);
		event(w, totals);
	}
}

static void tally(const struct world *w, struct totals *totals)
{
	const struct fleet_incident *is;
	struct fleet_figures figures = fleet_figures(w->fleet);

	totals->changes += w->changes;
	totals->voids += figures.void_approvals;
	totals->bursts += figures.bursts;
	for (size_t i = 0; (is = fleet_at(w->fleet, i)); i++) {
		totals->desyncs += is->verdict == VERDICT_DESYNC;
		totals->healed += is->state == STATE_HEALED;
		totals->natted += is->state == STATE_HEALED && is->flags & FLAG_NAT_T;
		totals->gave_up += is->state == STATE_GAVE_UP;
		totals->closed += is->state == STATE_CLOSED;
		totals->unverified += is->state == STATE_UNVERIFIED;
		assert_true(is->state != STATE_OPEN && is->state != STATE_ACTING && is->state != STATE_AWAITING);
		for (uint32_t k = 0; k < is->step_count; k++)
			totals->unattended += is->steps[k].state == FLEET_STEP_DONE && !device_verb_clears_sa(is->steps[k].verb) &&
					      !is->steps[k].who[0];
		for (uint32_t k = 0; k < is->step_count; k++)
			if (is->steps[k].state == FLEET_STEP_DONE && is->steps[k].needs_person)
				assert_true(is->steps[k].who[0]);
	}
	assert_int_equal(figures.open + figures.awaiting + figures.locked_devices + figures.under_way + figures.strangers, 0);
	assert_int_equal(figures.outputs_dropped, 0);
}

static bool is_open(const struct world *w)
{
	struct fleet_figures figures = fleet_figures(w->fleet);

	return figures.open + figures.awaiting > 0;
}

static void history(uint64_t seed, struct totals *totals)
{
	struct world w;

	make(&w, seed);
	if (w.tunnel_count) {
		live(&w, totals);
		w.idle_step = 5 * S;
		for (int day = 0; day < DAYS_OF_WAITING && (day == 0 || is_open(&w)); day++) { /* each open case ends */
			world_run(&w, w.settings.case_most_ns + HOUR_NS);
			w.idle_step = 20 * S;
			if (is_open(&w))
				world_run(&w, DAY_NS);
		}
		tally(&w, totals);
	}
	world_done(&w);
}

static void histories_keep_the_rules(void **state)
{
	const char *one = getenv("FLEET_SEED"), *many = getenv("FLEET_SEEDS");
	uint64_t from = one ? strtoull(one, NULL, 10) : 1, count = one ? 1 : many ? strtoull(many, NULL, 10) : SEEDS;
	struct totals totals = { 0 };

	(void)state;
	for (uint64_t seed = from; seed < from + count; seed++) {
		if (getenv("FLEET_TRACE"))
			fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
		history(seed, &totals);
	}
	printf("%llu histories: %llu changes, %llu desyncs, %llu healed, %llu unverified, %llu gave up, %llu closed, %llu void words, "
	       "%llu restarts, %llu bursts, %llu unattended, %llu behind NAT\n", (unsigned long long)count, (unsigned long long)totals.changes,
	       (unsigned long long)totals.desyncs, (unsigned long long)totals.healed, (unsigned long long)totals.unverified,
	       (unsigned long long)totals.gave_up, (unsigned long long)totals.closed, (unsigned long long)totals.voids,
	       (unsigned long long)totals.restarts, (unsigned long long)totals.bursts, (unsigned long long)totals.unattended,
	       (unsigned long long)totals.natted);
	if (!one)
		assert_true(totals.healed && totals.changes && totals.gave_up && totals.closed && totals.unverified &&
			    totals.unattended && totals.natted);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(histories_keep_the_rules) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
