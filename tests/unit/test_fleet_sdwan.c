/* SPDX-License-Identifier: MIT */
/* The fleet's mind over tunnels whose keys come from the SD-WAN controllers (B15-B17, devices.md 5). */
#include "fleet_world.h"

static struct world_tunnel *hub_and_spokes(struct world *w, int spokes)
{
	world_init(w);
	for (int i = 0; i <= spokes; i++)
		world_device(w, PLATFORM_SDWAN, true);
	world_start(w);
	for (int i = 0; i < spokes; i++)
		world_tunnel(w, (uint32_t)i + 1, 0, BY_CONTROLLER);
	return &w->tunnels[0]; /* r01 sends to the hub r00 */
}

static const struct fleet_incident *until_awaiting(struct world *w)
{
	for (int i = 0; i < 40 && world_incident(w)->state != STATE_AWAITING && world_incident(w)->state != STATE_GAVE_UP; i++)
		world_run(w, 15 * S);
	return world_incident(w);
}

static void scenario_one_new_keys_at_the_receiver(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 4);
	const struct fleet_incident *is;

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	assert_int_equal(is->state, STATE_AWAITING);
	assert_int_equal(is->tunnel_kind, TUNNEL_SDWAN);
	assert_int_equal(is->cause, CAUSE_CONTROLLER_KEY_LAG);
	assert_string_equal(is->steps[0].command, "request platform software sdwan security ipsec-rekey");
	assert_string_equal(is->steps[0].on, "r00");
	assert_int_equal(is->steps[0].blast.bfd_up, 3); /* the fourth is the broken one */
	assert_int_equal(w.changes, 0);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(w.changes, 0); /* nothing without a word */
	assert_true(world_approve(&w, is));
	world_run(&w, 3 * MINUTE_NS);
	is = world_incident(&w);
	assert_int_equal(w.changes, 1);
	assert_int_equal(is->state, STATE_HEALED);
	assert_string_equal(is->steps[0].who, "alice");
	world_done(&w);
}

static void scenario_two_begins_with_the_port_hop(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 3);
	const struct fleet_incident *is;

	(void)state;
	w.tunnels[2].color = COLOR_LTE;
	world_clear(&w, t, 1); /* somebody typed it at the hub */
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	assert_int_equal(is->state, STATE_AWAITING);
	assert_int_equal(is->rule, RULE_SDWAN_CLEARED);
	assert_int_equal(is->cause, CAUSE_CONTROLLER_SA_CLEARED);
	assert_int_equal(is->confidence, CONFIDENCE_CERTAIN);
	assert_string_equal(is->steps[0].command, "request platform software sdwan port_hop color biz-internet");
	assert_int_equal(is->steps[0].blast.bfd_up, 1); /* of that colour; the one of lte does not count */
	assert_int_equal(is->steps[0].blast.control_up, 2);
	assert_true(world_approve(&w, is));
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

static void each_further_step_needs_a_word_of_its_own(void **state)
{
	static const char *const ladder[] = { "request platform software sdwan port_hop color biz-internet", "clear sdwan omp all",
					      "clear sdwan control connections" };
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 2);

	(void)state;
	t->stubborn = true;
	world_clear(&w, t, 1);
	world_sight(&w, t, t->way[0].out);
	for (uint32_t i = 0; i < 3; i++) {
		const struct fleet_incident *is = until_awaiting(&w);

		assert_int_equal(is->state, STATE_AWAITING);
		assert_int_equal(is->step_count, i + 1);
		assert_string_equal(is->steps[i].command, ladder[i]);
		assert_int_equal(w.changes, i);
		assert_true(world_approve(&w, is));
		world_run(&w, 5 * MINUTE_NS);
	}
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	assert_int_equal(w.changes, 3);
	world_done(&w);
}

static void a_word_is_void_when_the_device_shows_something_else(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 4);
	const struct fleet_incident *is;

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	world_clear(&w, &w.tunnels[3], 0); /* one BFD session less than was counted */
	assert_true(world_approve(&w, is));
	world_forget_words(&w); /* and nothing may be typed by it */
	world_run(&w, MINUTE_NS);
	is = world_incident(&w);
	assert_int_equal(w.changes, 0);
	assert_int_equal(is->steps[0].state, FLEET_STEP_VOID);
	assert_int_equal(is->state, STATE_AWAITING); /* asked anew, with the new count */
	assert_int_equal(is->step_count, 2);
	assert_int_equal(is->steps[1].blast.bfd_up, 2);
	assert_int_equal(fleet_figures(w.fleet).void_approvals, 1);
	world_done(&w);
}

static void a_word_counts_once_and_for_ten_minutes(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 4);
	const struct fleet_incident *is;
	struct buffer why = { 0 };

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	assert_true(world_approve(&w, is));
	assert_false(world_approve(&w, is)); /* not twice */
	world_forget_words(&w);
	w.delay = 4 * MINUTE_NS; /* the devices answer too late for it */
	w.settings.within_ns = 5 * MINUTE_NS;
	fleet_free(w.fleet);
	world_start(&w);
	memset(w.orders, 0, sizeof(w.orders));
	w.delay = S;
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	w.delay = 3 * MINUTE_NS;
	assert_true(world_approve(&w, is));
	world_forget_words(&w);
	world_run(&w, 40 * MINUTE_NS);
	is = world_incident(&w);
	assert_int_equal(w.changes, 0);
	assert_int_equal(is->steps[0].state, FLEET_STEP_VOID);
	assert_false(fleet_approve(w.fleet, is->id, 1, "alice", world_now(&w), &why));
	assert_false(fleet_approve(w.fleet, is->id, 99, "alice", world_now(&w), &why));
	assert_false(fleet_approve(w.fleet, "nosuch", 1, "alice", world_now(&w), &why));
	assert_false(fleet_approve(w.fleet, is->id, is->step_count, "", world_now(&w), &why));
	buffer_done(&why);
	world_done(&w);
}

static void a_denied_step_is_not_typed(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 2);
	const struct fleet_incident *is;
	struct buffer why = { 0 };

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	assert_true(fleet_deny(w.fleet, is->id, 1, "bob", world_now(&w), &why));
	world_run(&w, HOUR_NS);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_string_equal(world_incident(&w)->steps[0].who, "bob");
	assert_int_equal(w.changes, 0);
	buffer_done(&why);
	world_done(&w);
}

static void nobody_agrees_and_it_ends(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 2);

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	until_awaiting(&w);
	world_run(&w, 2 * HOUR_NS);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_int_equal(world_incident(&w)->steps[0].state, FLEET_STEP_EXPIRED);
	world_done(&w);
}

static void it_healed_before_the_word_was_used(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 2);
	const struct fleet_incident *is;

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	world_renew(&w, t);
	assert_true(world_approve(&w, is));
	world_forget_words(&w);
	world_run(&w, MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_CLOSED);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

/* B16: an IKE tunnel to a third party, on a router that has SD-WAN too. */
static void a_third_party_ike_tunnel_is_cleared_where_ike_is_proved(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	world_init(&w);
	world_device(&w, PLATFORM_SDWAN, true);
	world_device(&w, PLATFORM_IOS_XE, true);
	world_start(&w);
	t = world_tunnel(&w, 0, 1, BY_IKE);
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	assert_string_equal(w.last_on, "r00");
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	assert_true(world_incident(&w)->has_ike);
	world_done(&w);
}

static void in_doubt_it_is_sdwan_and_nothing_is_cleared(void **state)
{
	struct world w;
	struct world_tunnel *t;
	struct buffer why = { 0 };

	(void)state;
	world_init(&w);
	world_device(&w, PLATFORM_SDWAN, true);
	world_device(&w, PLATFORM_SDWAN, true);
	world_start(&w);
	t = world_tunnel(&w, 0, 1, BY_CONTROLLER);
	t->tag_hidden = true; /* no sign of the controllers, and no IKE SA either */
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 30 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_DESYNC);
	assert_int_equal(w.changes, 0);
	assert_false(fleet_may_clear(w.fleet, 0, &w.address[1], world_now(&w), &why));
	buffer_done(&why);
	world_done(&w);
}

static void the_shell_may_not_clear_either(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 1);
	struct sa_block block = { .local = w.address[0], .peer = w.address[1], .controller_keyed = true };
	struct buffer why = { 0 };

	(void)state;
	(void)t;
	fleet_learn(w.fleet, 0, &block, world_now(&w));
	assert_false(fleet_may_clear(w.fleet, 0, &w.address[1], world_now(&w), &why));
	assert_true(text_has(buffer_text(&why), TEXT("B17")));
	assert_true(text_has(buffer_text(&why), TEXT("ipsec-rekey")));
	buffer_done(&why);
	world_done(&w);
}

/* devices.md 5, rule 3: sites that nobody told are one and the same. Told 1: by whoever knows; 2: each device told its own
 * when it was looked at; 3: the same, and it is the same; 4: that command is refused. */
static void one_site_one_change(void **state)
{
	(void)state;
	for (int told = 0; told < 5; told++) {
		bool apart = told == 1 || told == 2;
		struct world w;
		struct fleet_figures figures;
		const struct fleet_incident *first, *second;

		world_init(&w);
		for (int i = 0; i < 4; i++)
			world_device(&w, PLATFORM_SDWAN, true);
		world_start(&w);
		for (uint32_t i = 0; i < 4 && told == 1; i++)
			fleet_site(w.fleet, i, i);
		for (uint32_t i = 0; i < 4 && told > 1; i++)
			w.site[i] = told == 2 ? 100 + i : 100;
		w.refuses[DEVICE_SHOW_SITE] = told == 4;
		world_desync(&w, world_tunnel(&w, 0, 1, BY_CONTROLLER));
		world_desync(&w, world_tunnel(&w, 2, 3, BY_CONTROLLER));
		w.tunnels[0].idle = w.tunnels[1].idle = true; /* verification takes its time */
		world_sight(&w, &w.tunnels[0], 5);
		world_sight(&w, &w.tunnels[1], 5);
		world_run(&w, 3 * MINUTE_NS);
		first = fleet_at(w.fleet, 0);
		second = fleet_at(w.fleet, 1);
		assert_int_equal(first->state, STATE_AWAITING);
		assert_int_equal(second->state, STATE_AWAITING);
		assert_true(world_approve(&w, first));
		world_run(&w, 20 * S);
		assert_int_equal(w.changes, 1);
		assert_true(world_approve(&w, second));
		world_run(&w, 30 * S);
		figures = fleet_figures(w.fleet);
		assert_int_equal(w.changes, apart ? 2 : 1);
		assert_int_equal(figures.locked_devices, apart ? 4 : 2);
		assert_int_equal(figures.with_site, told == 1 ? 4 : told == 2 || told == 3 ? 2 : 0);
		assert_int_equal(w.asked[DEVICE_SHOW_SITE], told == 1 ? 0 : 2); /* each receiver once */
		world_forget_words(&w);
		world_done(&w);
	}
}

/* Somebody reloads the configuration before it is known whether the step helped. */
static void a_reload_lets_go_of_no_site(void **state)
{
	struct world w;
	const struct fleet_incident *second;

	(void)state;
	world_init(&w);
	for (int i = 0; i < 4; i++)
		world_device(&w, PLATFORM_SDWAN, true);
	world_start(&w);
	world_desync(&w, world_tunnel(&w, 0, 1, BY_CONTROLLER));
	world_desync(&w, world_tunnel(&w, 2, 3, BY_CONTROLLER));
	w.tunnels[0].idle = w.tunnels[1].idle = true;
	world_sight(&w, &w.tunnels[0], 5);
	world_sight(&w, &w.tunnels[1], 5);
	world_run(&w, 3 * MINUTE_NS);
	second = fleet_at(w.fleet, 1);
	assert_int_equal(second->state, STATE_AWAITING);
	assert_true(world_approve(&w, fleet_at(w.fleet, 0)));
	world_run(&w, 20 * S);
	assert_int_equal(w.changes, 1);
	memset(w.orders, 0, sizeof(w.orders));
	assert_int_equal(fleet_reconfigure(w.fleet, w.config, world_now(&w)), 0);
	assert_int_equal(fleet_figures(w.fleet).locked_devices, 2);
	assert_true(world_approve(&w, second));
	world_run(&w, 30 * S);
	assert_int_equal(w.changes, 1); /* that of the first is still being watched */
	world_run(&w, 5 * MINUTE_NS);
	assert_int_equal(w.changes, 2);
	assert_int_equal(fleet_figures(w.fleet).locked_devices, 0);
	world_done(&w);
}

/* A step has its two minutes to help, also where the daemon is started anew meanwhile; and nothing else is changed there. */
static void a_restart_hurries_no_further_step(void **state)
{
	struct world w;
	struct fleet_incident kept;

	(void)state;
	world_init(&w);
	for (int i = 0; i < 4; i++)
		world_device(&w, PLATFORM_SDWAN, true);
	w.config->devices.usual_approval = (struct sdwan_approval){ 1u << SDWAN_IPSEC_REKEY | 1u << SDWAN_PORT_HOP,
								    1u << SDWAN_IPSEC_REKEY | 1u << SDWAN_PORT_HOP };
	world_start(&w);
	for (uint32_t i = 0; i < 2; i++) {
		world_tunnel(&w, 2 * i, 2 * i + 1, BY_CONTROLLER)->stubborn = true;
		world_desync(&w, &w.tunnels[i]);
	}
	world_sight(&w, &w.tunnels[0], w.tunnels[0].way[0].out);
	while (!w.changes)
		world_run(&w, S);
	kept = *world_incident(&w);
	fleet_free(w.fleet);
	memset(w.orders, 0, sizeof(w.orders));
	world_start(&w);
	fleet_restore(w.fleet, &kept, world_now(&w));
	world_sight(&w, &w.tunnels[1], w.tunnels[1].way[0].out); /* of the same site, for all that is known */
	world_run(&w, 110 * S);
	assert_int_equal(w.changes, 1);
	world_run(&w, 5 * MINUTE_NS);
	assert_true(w.changes > 1);
	world_done(&w);
}

/* Only what BFD and the counters say is a proof. */
static void bfd_down_after_the_step_did_not_help(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 2);
	const struct fleet_incident *is;

	(void)state;
	t->stubborn = true;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	assert_true(world_approve(&w, is));
	world_run(&w, 20 * S);
	assert_int_equal(w.changes, 1);
	/* The SAs agree now towards the hub, and the other way is dead. */
	t->way[0].in[0] = t->way[0].out;
	t->way[1].in[0] = ++w.next_spi;
	is = until_awaiting(&w);
	assert_int_equal(is->state, STATE_AWAITING);
	assert_string_equal(is->steps[1].command, "request platform software sdwan port_hop color biz-internet");
	world_done(&w);
}

static void healed_is_not_said_while_bfd_is_not_seen(void **state)
{
	struct world w;
	struct world_tunnel *t = hub_and_spokes(&w, 2);
	const struct fleet_incident *is;

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	assert_true(world_approve(&w, is));
	world_run(&w, 4 * S);
	w.no_bfd = true;
	world_run(&w, 5 * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	assert_int_equal(world_incident(&w)->state, STATE_UNVERIFIED);
	world_done(&w);
}

static void a_burst_at_a_hub_is_one_step(void **state)
{
	struct world w;
	const struct fleet_incident *is;
	size_t n;

	(void)state;
	hub_and_spokes(&w, 30);
	for (uint32_t i = 0; i < 30; i++)
		world_desync(&w, &w.tunnels[i]);
	for (uint32_t i = 0; i < 30; i++)
		world_sight(&w, &w.tunnels[i], w.tunnels[i].way[0].out);
	world_run(&w, 45 * S);
	is = until_awaiting(&w);
	for (n = 0; fleet_at(w.fleet, n); n++)
		;
	assert_int_equal(n, 1);
	assert_int_equal(is->state, STATE_AWAITING);
	assert_string_equal(is->steps[0].on, "r00");
	assert_true(world_approve(&w, is));
	world_run(&w, 20 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	assert_int_equal(w.changes, 1); /* for thirty tunnels */
	world_done(&w);
}

/* --- Steps that the configuration lets go unattended */

static void let_go(struct sdwan_approval *approval, enum sdwan_step step, bool unattended)
{
	uint8_t bit = (uint8_t)(1u << step);

	approval->told |= bit;
	approval->unattended = (uint8_t)(unattended ? approval->unattended | bit : approval->unattended & ~bit);
}

/* The hub and its spokes, begun with what nobody is asked about there. */
static struct world_tunnel *unattended(struct world *w, int spokes, enum sdwan_step step)
{
	world_init(w);
	for (int i = 0; i <= spokes; i++)
		world_device(w, PLATFORM_SDWAN, true);
	let_go(&w->config->devices.usual_approval, step, true);
	world_start(w);
	for (int i = 0; i < spokes; i++)
		world_tunnel(w, (uint32_t)i + 1, 0, BY_CONTROLLER);
	return &w->tunnels[0];
}

static void nobody_is_asked_where_the_configuration_says_so(void **state)
{
	struct world w;
	struct world_tunnel *t = unattended(&w, 4, SDWAN_IPSEC_REKEY);
	const struct fleet_incident *is;
	struct buffer why = { 0 };

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 25 * S);
	assert_int_equal(w.changes, 0); /* the second proof is not there yet */
	world_run(&w, 3 * MINUTE_NS);
	is = world_incident(&w);
	assert_int_equal(w.changes, 1);
	assert_int_equal(is->state, STATE_HEALED);
	assert_int_equal(is->step_count, 1);
	assert_int_equal(is->steps[0].state, FLEET_STEP_DONE);
	assert_string_equal(is->steps[0].command, "request platform software sdwan security ipsec-rekey");
	assert_string_equal(is->steps[0].who, "");
	assert_false(is->steps[0].needs_person);
	assert_true(is->steps[0].blast.told);
	assert_int_equal(is->steps[0].blast.bfd_up, 3);
	assert_true(is->steps[0].offered.ns < is->steps[0].ordered.ns); /* read once more in between */
	assert_int_equal(is->looks, 4); /* the proof, the second one, that reading, and the proof that it helped */
	assert_int_equal(fleet_figures(w.fleet).approved, 0);
	assert_false(fleet_approve(w.fleet, is->id, 1, "alice", world_now(&w), &why));
	buffer_done(&why);
	world_done(&w);
}

static void only_the_step_that_is_named(void **state)
{
	struct world w;
	struct world_tunnel *t = unattended(&w, 2, SDWAN_IPSEC_REKEY);
	const struct fleet_incident *is;

	(void)state;
	t->stubborn = true;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	is = until_awaiting(&w);
	assert_int_equal(w.changes, 1); /* ipsec-rekey, which did not help */
	assert_int_equal(is->state, STATE_AWAITING);
	assert_string_equal(is->steps[1].command, "request platform software sdwan port_hop color biz-internet");
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

static void a_device_that_wants_a_person_gets_one(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) { /* its own word counts more than that for all */
		struct world w;
		struct world_tunnel *t;

		world_init(&w);
		for (int i = 0; i < 3; i++)
			world_device(&w, PLATFORM_SDWAN, true);
		let_go(&w.config->devices.usual_approval, SDWAN_IPSEC_REKEY, !own);
		let_go(&w.config->devices.at[0].approval, SDWAN_IPSEC_REKEY, own);
		world_start(&w);
		t = world_tunnel(&w, 1, 0, BY_CONTROLLER);
		world_tunnel(&w, 2, 0, BY_CONTROLLER);
		world_desync(&w, t);
		world_sight(&w, t, t->way[0].out);
		world_run(&w, 4 * MINUTE_NS);
		assert_int_equal(w.changes, own);
		assert_int_equal(world_incident(&w)->state, own ? STATE_HEALED : STATE_AWAITING);
		world_done(&w);
	}
}

/* When a step is counted, and before it is read once more. */
static void lose_a_session(struct world *w, const struct device_order *order)
{
	const struct fleet_incident *is = world_incident(w);

	(void)order;
	if (is->step_count && is->steps[is->step_count - 1].state == FLEET_STEP_COUNTED && !w->tunnels[is->step_count].cleared)
		world_clear(w, &w->tunnels[is->step_count], 0);
}

static void until_counted(struct world *w)
{
	for (int i = 0; i < 600; i++) {
		const struct fleet_incident *is = world_incident(w);

		if (is->step_count && is->steps[0].state == FLEET_STEP_COUNTED) {
			assert_int_equal(is->state, STATE_ACTING);
			return;
		}
		world_run(w, S / 10);
	}
	fail();
}

static void what_it_disturbs_changed_and_is_counted_anew(void **state)
{
	struct world w;
	struct world_tunnel *t = unattended(&w, 8, SDWAN_IPSEC_REKEY);
	const struct fleet_incident *is;

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	until_counted(&w);
	world_clear(&w, &w.tunnels[3], 0);
	world_run(&w, 3 * MINUTE_NS);
	is = world_incident(&w);
	assert_int_equal(is->steps[0].state, FLEET_STEP_VOID);
	assert_int_equal(is->steps[0].blast.bfd_up, 7);
	assert_int_equal(is->steps[1].state, FLEET_STEP_DONE);
	assert_int_equal(is->steps[1].blast.bfd_up, 6);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

static void what_changes_each_time_it_is_counted_is_never_typed(void **state)
{
	struct world w;
	struct world_tunnel *t = unattended(&w, 8, SDWAN_IPSEC_REKEY);

	(void)state;
	w.after_reading = lose_a_session;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 5 * MINUTE_NS);
	assert_int_equal(w.changes, 0);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_int_equal(world_incident(&w)->step_count, 3);
	assert_int_equal(fleet_figures(w.fleet).locked_devices, 0);
	world_done(&w);
}

static void what_cannot_be_counted_is_not_typed(void **state)
{
	struct world w;
	struct world_tunnel *t = unattended(&w, 3, SDWAN_IPSEC_REKEY);

	(void)state;
	w.refuses[DEVICE_SHOW_CONTROL] = true;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 5 * MINUTE_NS);
	assert_int_equal(w.changes, 0);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_non_null(strstr(world_incident(&w)->why, "could not be counted"));
	world_done(&w);
}

static void mode_rights_and_windows_count_as_ever(void **state)
{
	(void)state;
	for (int what = 0; what < 3; what++) {
		struct world w;
		struct world_tunnel *t;

		world_init(&w);
		for (int i = 0; i < 3; i++)
			world_device(&w, PLATFORM_SDWAN, what != 1);
		let_go(&w.config->devices.usual_approval, SDWAN_IPSEC_REKEY, true);
		if (what == 0)
			w.config->mode = MODE_ADVISE;
		if (what == 2) /* the world begins at 08:16:40 */
			w.config->devices.at[0].windows = (struct windows){ { { WINDOW_EVERY_DAY, 20 * 60, 21 * 60 } }, 1 };
		world_start(&w);
		t = world_tunnel(&w, 1, 0, BY_CONTROLLER);
		world_tunnel(&w, 2, 0, BY_CONTROLLER);
		world_desync(&w, t);
		world_sight(&w, t, t->way[0].out);
		world_run(&w, 10 * MINUTE_NS);
		assert_int_equal(w.changes, 0);
		assert_int_equal(world_incident(&w)->step_count, 0); /* nor was it announced */
		w.idle_step = S;
		world_run(&w, 12 * HOUR_NS);
		assert_int_equal(w.changes, what == 2); /* then, once */
		world_done(&w);
	}
}

/* While it was counted, somebody reloads a configuration that has a person asked. */
static void a_configuration_that_asks_again_is_obeyed(void **state)
{
	struct world w;
	struct world_tunnel *t = unattended(&w, 4, SDWAN_IPSEC_REKEY);

	(void)state;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	until_counted(&w);
	w.config->devices.usual_approval = (struct sdwan_approval){ 0 };
	memset(w.orders, 0, sizeof(w.orders));
	assert_int_equal(fleet_reconfigure(w.fleet, w.config, world_now(&w)), 0);
	world_run(&w, 5 * MINUTE_NS);
	assert_int_equal(w.changes, 0);
	assert_int_equal(world_incident(&w)->steps[0].state, FLEET_STEP_VOID);
	assert_int_equal(world_incident(&w)->state, STATE_AWAITING);
	world_done(&w);
}

/* A step for one pair of the sample says nothing of the next pair. */
static void a_step_for_one_pair_of_a_burst_is_none_for_the_next(void **state)
{
	struct world w;
	const struct fleet_incident *is;
	struct spimend_address first;
	struct world_tunnel *next;

	(void)state;
	unattended(&w, 30, SDWAN_IPSEC_REKEY);
	let_go(&w.config->devices.usual_approval, SDWAN_PORT_HOP, true);
	assert_int_equal(fleet_reconfigure(w.fleet, w.config, world_now(&w)), 0);
	for (uint32_t i = 0; i < 30; i++)
		world_desync(&w, &w.tunnels[i]);
	for (uint32_t i = 0; i < 30; i++)
		world_sight(&w, &w.tunnels[i], w.tunnels[i].way[0].out);
	is = world_incident(&w);
	first = is->src;
	for (uint32_t i = 0; i < 30; i++) /* whichever comes next: new keys do not help it */
		w.tunnels[i].stubborn = !spimend_address_equal(&first, &w.address[w.tunnels[i].end[0]]);
	for (int i = 0; i < 3000 && spimend_address_equal(&is->src, &first); i++)
		world_run(&w, S / 10);
	assert_int_equal(w.changes, 1);
	assert_true(is->steps[0].helped);
	for (next = &w.tunnels[0]; !spimend_address_equal(&is->src, &w.address[next->end[0]]); next++)
		;
	world_run(&w, 10 * S); /* the first proof of it */
	assert_int_equal(is->state, STATE_OPEN);
	for (uint32_t i = 0; i < 30; i++)
		if (&w.tunnels[i] != next)
			world_renew(&w, &w.tunnels[i]);
	next->way[0].in[0] = next->way[0].out; /* then it ends by itself, but for its BFD */
	next->way[1].in[0] = ++w.next_spi;
	world_run(&w, 2 * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	assert_int_equal(world_incident(&w)->step_count, 1); /* nor is a step announced */
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	world_done(&w);
}

static void a_pair_of_a_burst_without_traffic_ends_it_not(void **state)
{
	struct world w;

	(void)state;
	unattended(&w, 30, SDWAN_IPSEC_REKEY);
	for (uint32_t i = 0; i < 30; i++)
		world_desync(&w, &w.tunnels[i]);
	for (uint32_t i = 0; i < 30; i++)
		world_sight(&w, &w.tunnels[i], w.tunnels[i].way[0].out);
	for (uint32_t i = 0; i < 30; i++)
		w.tunnels[i].idle = !spimend_address_equal(&world_incident(&w)->src, &w.address[w.tunnels[i].end[0]]);
	world_run(&w, 20 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_asked_where_the_configuration_says_so),
		cmocka_unit_test(only_the_step_that_is_named),
		cmocka_unit_test(a_device_that_wants_a_person_gets_one),
		cmocka_unit_test(what_it_disturbs_changed_and_is_counted_anew),
		cmocka_unit_test(what_changes_each_time_it_is_counted_is_never_typed),
		cmocka_unit_test(what_cannot_be_counted_is_not_typed),
		cmocka_unit_test(mode_rights_and_windows_count_as_ever),
		cmocka_unit_test(a_configuration_that_asks_again_is_obeyed),
		cmocka_unit_test(scenario_one_new_keys_at_the_receiver),
		cmocka_unit_test(scenario_two_begins_with_the_port_hop),
		cmocka_unit_test(each_further_step_needs_a_word_of_its_own),
		cmocka_unit_test(a_word_is_void_when_the_device_shows_something_else),
		cmocka_unit_test(a_word_counts_once_and_for_ten_minutes),
		cmocka_unit_test(a_denied_step_is_not_typed),
		cmocka_unit_test(nobody_agrees_and_it_ends),
		cmocka_unit_test(it_healed_before_the_word_was_used),
		cmocka_unit_test(a_third_party_ike_tunnel_is_cleared_where_ike_is_proved),
		cmocka_unit_test(in_doubt_it_is_sdwan_and_nothing_is_cleared),
		cmocka_unit_test(the_shell_may_not_clear_either),
		cmocka_unit_test(one_site_one_change),
		cmocka_unit_test(a_reload_lets_go_of_no_site),
		cmocka_unit_test(a_restart_hurries_no_further_step),
		cmocka_unit_test(bfd_down_after_the_step_did_not_help),
		cmocka_unit_test(healed_is_not_said_while_bfd_is_not_seen),
		cmocka_unit_test(a_burst_at_a_hub_is_one_step),
		cmocka_unit_test(a_step_for_one_pair_of_a_burst_is_none_for_the_next),
		cmocka_unit_test(a_pair_of_a_burst_without_traffic_ends_it_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
