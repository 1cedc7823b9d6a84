/* SPDX-License-Identifier: MIT */
/* The fleet's mind over IKE tunnels, and what it does with hints. The SD-WAN side is test_fleet_sdwan.c. */
#include "fleet_world.h"

static struct world *two(struct world *w, enum platform platform, enum world_keys keys, struct world_tunnel **ret)
{
	world_init(w);
	world_device(w, platform, true);
	world_device(w, platform, true);
	world_start(w);
	*ret = world_tunnel(w, 0, 1, keys);
	return w;
}

static void stale_at_sender_is_cleared_there_and_verified(void **state)
{
	struct world w;
	struct world_tunnel *t;
	const struct fleet_incident *is;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	world_desync(&w, t);
	assert_int_equal(world_sight(&w, t, t->way[0].out), FLEET_TAKEN);
	world_run(&w, 20 * S);
	is = world_incident(&w);
	assert_int_equal(is->verdict, VERDICT_DESYNC);
	assert_int_equal(is->rule, RULE_SA_TABLE);
	assert_int_equal(w.changes, 0); /* seen once is not enough */
	world_run(&w, 2 * MINUTE_NS);
	is = world_incident(&w);
	assert_int_equal(w.changes, 1);
	assert_string_equal(w.last_on, "r00");
	assert_memory_equal(w.last_command, "clear crypto sa entry 10.1.0.2 esp 0x", 37);
	assert_int_equal(is->state, STATE_HEALED);
	assert_true(is->steps[0].helped);
	assert_true(w.journal > 0);
	assert_true(tunnel_works(t));
	world_done(&w);
}

/* The message names another SPI than the one in use: it is the one in use that counts, and the peer's SAs are cleared. */
static void another_stale_spi_than_the_told_one(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS, BY_IKE, &t);
	world_desync(&w, t);
	world_sight(&w, t, 0xb761863e);
	world_run(&w, 3 * MINUTE_NS);
	assert_string_equal(w.last_command, "clear crypto sa peer 10.1.0.2");
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	world_done(&w);
}

static void sa_of_the_message_is_there_now(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_TRANSIENT);
	assert_int_equal(world_incident(&w)->state, STATE_CLOSED);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

/* devices.md 1: S is read, and then it is rekeyed before R is read the second time. */
static void rekey_after_sender(struct world *w, const struct device_order *order)
{
	if (order->verb == DEVICE_SHOW_IPSEC_SA && order->device == 0)
		world_renew(w, &w->tunnels[0]);
}

static void rekey_between_the_readings_is_no_fault(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	w.after_reading = rekey_after_sender; /* at each round: a person gets it in the end, and nothing is typed */
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_UNDECIDED);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

static void rekey_after_receiver(struct world *w, const struct device_order *order)
{
	if (order->verb == DEVICE_SHOW_IPSEC_SA && order->device == 1)
		world_renew(w, &w->tunnels[0]);
}

static void rekey_before_the_sender_is_read_is_no_fault(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	w.after_reading = rekey_after_receiver;
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_TRANSIENT);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

static void receiver_reloaded(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	t->way[0].in[0] = t->way[1].out = 0;
	world_note(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->cause, CAUSE_RECEIVER_LOST_STATE);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

/* It heals between the two proofs: B10 did it. */
static void heals_by_itself_before_the_second_proof(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 20 * S);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_DESYNC);
	world_renew(&w, t);
	world_run(&w, 5 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_CLOSED);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

static void what_does_not_help_goes_up_the_ladder_to_a_person(void **state)
{
	struct world w;
	struct world_tunnel *t;
	const struct fleet_incident *is;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	t->stubborn = true;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 30 * MINUTE_NS);
	is = world_incident(&w);
	assert_int_equal(is->state, STATE_AWAITING);
	assert_int_equal(is->step_count, 3);
	assert_int_equal(w.changes, 2);
	assert_string_equal(is->steps[1].command, "clear crypto sa peer 10.1.0.2");
	assert_string_equal(is->steps[2].command, "clear crypto session remote 10.1.0.2");
	assert_int_equal(is->steps[2].blast.flows, 1);
	assert_true(world_approve(&w, is));
	world_run(&w, 10 * MINUTE_NS);
	is = world_incident(&w);
	assert_int_equal(is->state, STATE_HEALED);
	assert_string_equal(is->steps[2].who, "alice");
	world_done(&w);
}

static void strays_after_the_repair_never_escalate(void **state)
{
	struct world w;
	struct world_tunnel *t;
	uint32_t old;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	world_desync(&w, t);
	old = t->way[0].out;
	for (int i = 0; i < 120; i++) { /* somebody replays recorded packets for ever */
		world_sight(&w, t, old);
		world_run(&w, 30 * S);
	}
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

static void no_traffic_is_unverified(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	t->idle = true;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_UNVERIFIED);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

static void modes_and_rights_forbid(void **state)
{
	(void)state;
	for (int k = 0; k < 4; k++) {
		struct world w;
		struct world_tunnel *t;

		world_init(&w);
		world_device(&w, PLATFORM_IOS_XE, k != 2);
		world_device(&w, PLATFORM_IOS_XE, true);
		w.config->mode = k == 0 ? MODE_OBSERVE : k == 1 ? MODE_ADVISE : MODE_REPAIR;
		if (k == 3) {
			w.config->peers[0] = (struct config_peer){ world_address(1, 0, 2), PEER_OBSERVE };
			w.config->peer_count = 1;
		}
		world_start(&w);
		t = world_tunnel(&w, 0, 1, BY_IKE);
		world_desync(&w, t);
		world_sight(&w, t, t->way[0].out);
		world_run(&w, 5 * MINUTE_NS);
		assert_int_equal(world_incident(&w)->verdict, VERDICT_DESYNC);
		assert_int_equal(world_incident(&w)->state, STATE_OPEN);
		world_run(&w, 3 * HOUR_NS);
		assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP); /* it ends */
		assert_int_equal(w.changes, 0);
		world_done(&w);
	}
}

static void one_end_alone_is_undecided(void **state)
{
	(void)state;
	for (enum world_output output = PRINTS_PAGED; output <= PRINTS_NO_LOGIN; output++)
		for (uint32_t bad = 0; bad < 2; bad++) {
			struct world w;
			struct world_tunnel *t;

			two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
			w.output[bad] = output;
			world_desync(&w, t);
			world_sight(&w, t, t->way[0].out);
			world_run(&w, 30 * MINUTE_NS);
			assert_int_equal(world_incident(&w)->verdict, VERDICT_UNDECIDED);
			assert_int_equal(world_incident(&w)->rule, RULE_NOT_READ);
			assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
			assert_true(fleet_figures(w.fleet).no_evidence >= 1);
			assert_int_equal(w.changes, 0);
			world_done(&w);
		}
}

static void a_flow_that_ends_in_the_middle_is_no_evidence(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	w.half_blocks = true;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 30 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_UNDECIDED);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

/* Both tunnels of one sender are broken, and the budget would allow both repairs at once. */
static void a_device_is_repaired_once_at_a_time(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	for (int i = 0; i < 3; i++)
		world_device(&w, PLATFORM_IOS_XE, true);
	w.config->per_peer_count = 60;
	w.config->backoff_ns = w.config->backoff_most_ns = 1;
	w.free_budget = true;
	world_start(&w);
	for (uint32_t i = 1; i < 3; i++) {
		struct world_tunnel *t = world_tunnel(&w, 0, i, BY_IKE);

		t->idle = true; /* whether it helped is not known for two minutes */
		world_desync(&w, t);
		world_sight(&w, t, t->way[0].out);
	}
	world_run(&w, 2 * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	assert_int_equal(fleet_figures(w.fleet).locked_devices, 2);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(w.changes, 2);
	world_done(&w);
}

static void looks_are_so_many_at_once_and_a_minute(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	for (int i = 0; i < 40; i++)
		world_device(&w, PLATFORM_IOS_XE, true);
	w.settings.looks_at_once = 3;
	w.settings.looks_a_minute = 10;
	world_start(&w);
	for (uint32_t i = 0; i < 40; i += 2)
		world_sight(&w, world_tunnel(&w, i, i + 1, BY_IKE), 5);
	for (int i = 0; i < 50; i++) {
		world_run(&w, S);
		assert_true(fleet_figures(w.fleet).under_way <= 3);
	}
	assert_int_equal(fleet_figures(w.fleet).looks, 10);
	assert_true(fleet_figures(w.fleet).looks_held > 0);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(fleet_figures(w.fleet).looks, 20);
	assert_int_equal(fleet_figures(w.fleet).open, 0);
	world_done(&w);
}

static void no_incident_stays_open_for_ever(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	world_init(&w);
	world_device(&w, PLATFORM_IOS_XE, true);
	world_device(&w, PLATFORM_IOS_XE, true);
	w.config->mode = MODE_ADVISE;
	w.settings.case_most_ns = 5 * MINUTE_NS;
	world_start(&w);
	t = world_tunnel(&w, 0, 1, BY_IKE);
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 4 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_OPEN);
	world_run(&w, 2 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	world_done(&w);
}

/* The second proof has to name the SA of the first: else the second one is the first of another. */
static void two_proofs_of_one_sa(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 20 * S);
	t->way[0].out = ++w.next_spi; /* rekeyed, and lost again */
	world_run(&w, 40 * S);
	assert_int_equal(w.changes, 0);
	world_run(&w, 2 * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

static void wrong_platform_is_said(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_UNKNOWN, BY_IKE, &t);
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 30 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_non_null(strstr(world_incident(&w)->why, "platform"));
	assert_int_equal(w.looks + w.changes, 0);
	world_done(&w);
}

static void manual_keys_are_left_alone(void **state)
{
	struct world w;
	struct world_tunnel *t;
	struct buffer why = { 0 };

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_HAND, &t);
	world_desync(&w, t);
	world_sight(&w, t, 0x100);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->tunnel_kind, TUNNEL_IKELESS);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_int_equal(w.changes, 0);
	world_sight(&w, t, 0x100);
	world_run(&w, MINUTE_NS);
	assert_false(fleet_may_clear(w.fleet, 0, &w.address[1], world_now(&w), &why));
	assert_true(text_has(buffer_text(&why), TEXT("manual")));
	buffer_done(&why);
	world_done(&w);
}

/* --- Forged hints */

static void forged_hints_reach_nobody_else(void **state)
{
	struct world w;
	struct world_tunnel *t;
	struct fleet_sighting s = { .protocol = 50, .spi = { 0x1234 }, .messages = 1 };

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	s.src = w.address[0];
	s.dst = w.address[1];
	s.device = 77; /* no device of ours */
	assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_REFUSED_DEVICE);
	s.device = 0; /* says that it is the other one */
	assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_REFUSED_CONTRADICTION);
	s.src = world_address(9, 9, 9); /* and with a sender that is nobody's */
	assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_REFUSED_CONTRADICTION);
	s.device = 1;
	s.src = w.address[1];
	assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_REFUSED_CONTRADICTION);
	s.src = world_address(255, 255, 255);
	s.src.bytes[0] = 255;
	assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_REFUSED_ADDRESS);
	s.src = w.address[0];
	s.spi.value = 0;
	assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_REFUSED_ADDRESS);
	world_run(&w, MINUTE_NS);
	assert_int_equal(w.looks, 0);
	/* A sender that nobody knows: R alone is looked at, and has nothing with it. */
	s.spi.value = 5;
	s.src = world_address(9, 9, 9);
	assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_TAKEN);
	world_run(&w, MINUTE_NS);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_NOISE);
	assert_int_equal(w.looks, 2);
	for (unsigned i = 0; i < 200; i++) {
		s.src = world_address(9, 8, i + 1);
		fleet_sighting(w.fleet, &s, world_now(&w));
		world_run(&w, 11 * S);
	}
	assert_true(w.looks <= 2 + 200 * 11 / 60 * 8 + 16); /* four a minute */
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

/* Names that a forger invents, at every device at once, do not keep a real one from being looked at. */
static void strangers_take_no_room_from_others(void **state)
{
	struct world w;
	struct world_tunnel *t;
	struct fleet_sighting s = { .protocol = 50, .spi = { 9 }, .messages = 1 };

	(void)state;
	world_init(&w);
	for (int i = 0; i < 60; i++)
		world_device(&w, PLATFORM_IOS_XE, true);
	w.settings.looks_a_minute = 20;
	world_start(&w);
	t = world_tunnel(&w, 0, 1, BY_IKE);
	for (unsigned i = 0; i < 60 * 4; i++) {
		s.device = i % 60;
		s.dst = w.address[s.device];
		s.src = world_address(9, 9, i + 1);
		if (s.device != 1)
			fleet_sighting(w.fleet, &s, world_now(&w));
	}
	assert_int_equal(fleet_figures(w.fleet).open, 128);
	assert_true(fleet_figures(w.fleet).taken[FLEET_REFUSED_FULL] > 50);
	world_desync(&w, t);
	assert_int_equal(world_sight(&w, t, t->way[0].out), FLEET_TAKEN);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	world_run(&w, HOUR_NS);
	assert_int_equal(fleet_figures(w.fleet).open, 0);
	world_done(&w);
}

static void a_flood_of_one_pair_is_one_look_a_minute(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	for (int i = 0; i < 600; i++) { /* ten minutes, with always another SPI */
		for (unsigned k = 0; k < 50; k++)
			world_sight(&w, t, 0x5000 + (unsigned)i * 50 + k);
		world_run(&w, S);
	}
	assert_true(w.looks <= 3 * 11);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

static void shared_addresses_are_nobodys(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	fleet_address(w.fleet, 1, &w.address[0]);
	assert_int_equal(world_sight(&w, t, 5), FLEET_REFUSED_CONTRADICTION);
	assert_int_equal(fleet_figures(w.fleet).addresses_shared, 1);
	world_done(&w);
}

/* --- Bursts */

static void burst_is_one_incident_and_a_sample(void **state)
{
	struct world w;
	uint32_t hub;
	size_t n;

	(void)state;
	world_init(&w);
	hub = world_device(&w, PLATFORM_IOS_XE, true);
	for (int i = 0; i < 40; i++)
		world_device(&w, PLATFORM_IOS_XE, true);
	world_start(&w);
	for (uint32_t i = 1; i <= 40; i++)
		world_tunnel(&w, i, hub, BY_IKE);
	for (int round = 0; round < 100; round++) /* 4,000 in some seconds: a rekey at scale, over by the time of the look */
		for (uint32_t i = 0; i < 40; i++)
			world_sight(&w, &w.tunnels[i], 0x7000 + i);
	world_run(&w, 20 * S);
	for (n = 0; fleet_at(w.fleet, n); n++)
		;
	assert_int_equal(n, 1);
	assert_int_equal(w.looks, 0); /* no login yet */
	assert_true(world_incident(&w)->is_burst);
	assert_true(world_incident(&w)->sources >= 30);
	assert_int_equal(world_incident(&w)->messages, 4000);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_CLOSED);
	assert_true(w.looks <= 5 * 3);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

static void burst_that_stays_is_repaired_one_after_the_other(void **state)
{
	struct world w;
	uint32_t hub;

	(void)state;
	world_init(&w);
	hub = world_device(&w, PLATFORM_IOS_XE, true);
	for (int i = 0; i < 20; i++)
		world_device(&w, PLATFORM_IOS_XE, true);
	world_start(&w);
	for (uint32_t i = 1; i <= 20; i++)
		world_desync(&w, world_tunnel(&w, i, hub, BY_IKE));
	for (uint32_t i = 0; i < 20; i++)
		world_sight(&w, &w.tunnels[i], w.tunnels[i].way[0].out);
	world_run(&w, 2 * HOUR_NS);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	assert_int_equal(w.changes, 5); /* the sample; who still drops says so again */
	world_done(&w);
}

/* --- Life */

static void restart_looks_again_and_types_nothing_twice(void **state)
{
	struct world w;
	struct world_tunnel *t;
	struct fleet_incident kept;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	t->stubborn = true;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	while (!w.changes)
		world_run(&w, S);
	kept = *world_incident(&w);
	assert_int_equal(kept.state, STATE_ACTING);
	fleet_free(w.fleet);
	memset(w.orders, 0, sizeof(w.orders));
	world_start(&w);
	fleet_restore(w.fleet, &kept, world_now(&w));
	world_run(&w, 30 * S);
	assert_int_equal(w.changes, 1);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(w.changes, 2);
	assert_string_equal(w.last_command, "clear crypto sa peer 10.1.0.2"); /* the next rung, not the same again */
	world_done(&w);
}

static void no_word_survives_a_restart(void **state)
{
	struct world w;
	struct world_tunnel *t;
	struct fleet_incident kept;
	int i;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	t->stubborn = true;
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	for (i = 0; i < 60 && (i == 0 || world_incident(&w)->state != STATE_AWAITING); i++)
		world_run(&w, 15 * S);
	assert_true(world_approve(&w, world_incident(&w)));
	kept = *world_incident(&w);
	assert_int_equal(kept.steps[2].state, FLEET_STEP_APPROVED);
	fleet_free(w.fleet);
	memset(w.orders, 0, sizeof(w.orders));
	world_forget_words(&w);
	world_start(&w);
	fleet_restore(w.fleet, &kept, world_now(&w));
	assert_int_equal(world_incident(&w)->steps[2].state, FLEET_STEP_EXPIRED);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_AWAITING); /* asked anew */
	assert_int_equal(world_incident(&w)->step_count, 4);
	assert_int_equal(w.changes, 2);
	world_done(&w);
}

/* Another flow of the same two ends carries packets all the time: that is no proof. */
static void traffic_of_an_old_sa_proves_nothing(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	w.second_flow = 0x999;
	t->idle = true; /* nothing comes on the new SA */
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 5 * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	assert_int_equal(world_incident(&w)->state, STATE_UNVERIFIED);
	world_done(&w);
}

static void blocks_of_other_peers_are_not_this_tunnels(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	w.foreign_blocks = true;
	world_sight(&w, t, 5);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_TRANSIENT);
	assert_int_equal(world_incident(&w)->tunnel_kind, TUNNEL_UNKNOWN);
	world_done(&w);
}

static void a_lost_role_ends_what_was_asked(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	world_sight(&w, t, 5);
	w.delay = HOUR_NS;
	world_run(&w, 5 * S);
	fleet_lost(w.fleet, world_now(&w));
	memset(w.orders, 0, sizeof(w.orders));
	w.delay = S;
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_CLOSED);
	assert_int_equal(fleet_figures(w.fleet).unanswered, 1);
	world_done(&w);
}

static void a_device_that_leaves_the_configuration_ends_its_incidents(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 20 * S);
	w.config->devices.count = 1;
	assert_int_equal(fleet_reconfigure(w.fleet, w.config, world_now(&w)), 0);
	world_drain(&w);
	assert_int_equal(world_incident(&w)->state, STATE_CLOSED);
	world_run(&w, MINUTE_NS);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

static void a_device_that_moves_in_the_list_goes_on(void **state)
{
	struct world w;
	struct world_tunnel *t;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, 20 * S);
	memmove(w.config->devices.at + 1, w.config->devices.at, 2 * sizeof(w.config->devices.at[0]));
	strcpy(w.config->devices.at[0].name, "a00");
	w.config->devices.at[0].address = world_address(0, 0, 99);
	w.config->devices.count = 3;
	memmove(w.address + 1, w.address, 2 * sizeof(w.address[0]));
	w.address[0] = world_address(1, 0, 99);
	t->end[0]++;
	t->end[1]++;
	assert_int_equal(fleet_reconfigure(w.fleet, w.config, world_now(&w)), 0);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

/* A reload ends what is under way: whose journal has that? */
static void what_ends_with_a_reload_stands_in_the_right_journal(void **state)
{
	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		struct world w;
		struct world_tunnel *t;
		struct fleet_output out;
		uint32_t lines = 0, notices = 0;
		bool typing = false;

		two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
		world_desync(&w, t);
		world_sight(&w, t, t->way[0].out);
		while (!typing) {
			world_run(&w, S / 10);
			for (int i = 0; i < WORLD_ORDERS_MAX; i++)
				typing |= w.orders[i].used && device_verb_changes(w.orders[i].order.verb);
		}
		w.config->devices.at[2] = w.config->devices.at[1];
		if (!gone)
			w.config->devices.at[1] = w.config->devices.at[0]; /* r00, where it is typed */
		strcpy(w.config->devices.at[0].name, "a00");
		w.config->devices.at[0].address = world_address(0, 0, 99);
		w.config->devices.count = gone ? 2 : 3;
		memset(w.orders, 0, sizeof(w.orders));
		assert_int_equal(fleet_reconfigure(w.fleet, w.config, world_now(&w)), 0);
		while (fleet_next(w.fleet, &out)) {
			if (out.kind == FLEET_JOURNAL)
				assert_string_equal(w.config->devices.at[out.journal.device].name, "r00");
			lines += out.kind == FLEET_JOURNAL;
			notices += out.kind == FLEET_NOTICE && strstr(out.notice.text, "the configuration changed meanwhile");
		}
		assert_int_equal(lines, !gone);
		assert_int_equal(notices, gone);
		world_done(&w);
	}
}

static void may_clear_only_what_was_read(void **state)
{
	struct world w;
	struct world_tunnel *t;
	struct buffer why = { 0 };

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	assert_false(fleet_may_clear(w.fleet, 0, &w.address[1], world_now(&w), &why));
	assert_true(text_has(buffer_text(&why), TEXT("look first")));
	world_sight(&w, t, 5);
	world_run(&w, MINUTE_NS);
	assert_true(fleet_may_clear(w.fleet, 0, &w.address[1], world_now(&w), &why));
	w.now += 11 * MINUTE_NS;
	assert_false(fleet_may_clear(w.fleet, 0, &w.address[1], world_now(&w), &why)); /* too long ago */
	buffer_done(&why);
	world_done(&w);
}

static void the_view_has_a_plan_at_the_sender(void **state)
{
	struct world w;
	struct world_tunnel *t;
	static struct fleet_view_room room;
	static struct plan plan;
	struct incident view;

	(void)state;
	two(&w, PLATFORM_IOS_XE, BY_IKE, &t);
	w.config->mode = MODE_ADVISE;
	fleet_reconfigure(w.fleet, w.config, world_now(&w));
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, MINUTE_NS);
	fleet_view(world_incident(&w), &room, &view);
	assert_true(view.confirmed_at_sender && view.confirmed_at_receiver);
	plan_build(&view, &plan);
	assert_true(plan.count >= 2);
	assert_memory_equal(plan.steps[0].command, "clear crypto sa entry 10.1.0.2 esp", 34);
	assert_true(spimend_address_equal(&plan.steps[0].on, &w.address[0]));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_at_sender_is_cleared_there_and_verified),
		cmocka_unit_test(another_stale_spi_than_the_told_one),
		cmocka_unit_test(sa_of_the_message_is_there_now),
		cmocka_unit_test(rekey_between_the_readings_is_no_fault),
		cmocka_unit_test(rekey_before_the_sender_is_read_is_no_fault),
		cmocka_unit_test(receiver_reloaded),
		cmocka_unit_test(heals_by_itself_before_the_second_proof),
		cmocka_unit_test(what_does_not_help_goes_up_the_ladder_to_a_person),
		cmocka_unit_test(strays_after_the_repair_never_escalate),
		cmocka_unit_test(no_traffic_is_unverified),
		cmocka_unit_test(modes_and_rights_forbid),
		cmocka_unit_test(one_end_alone_is_undecided),
		cmocka_unit_test(a_flow_that_ends_in_the_middle_is_no_evidence),
		cmocka_unit_test(a_device_is_repaired_once_at_a_time),
		cmocka_unit_test(looks_are_so_many_at_once_and_a_minute),
		cmocka_unit_test(no_incident_stays_open_for_ever),
		cmocka_unit_test(two_proofs_of_one_sa),
		cmocka_unit_test(wrong_platform_is_said),
		cmocka_unit_test(manual_keys_are_left_alone),
		cmocka_unit_test(forged_hints_reach_nobody_else),
		cmocka_unit_test(strangers_take_no_room_from_others),
		cmocka_unit_test(a_flood_of_one_pair_is_one_look_a_minute),
		cmocka_unit_test(shared_addresses_are_nobodys),
		cmocka_unit_test(burst_is_one_incident_and_a_sample),
		cmocka_unit_test(burst_that_stays_is_repaired_one_after_the_other),
		cmocka_unit_test(restart_looks_again_and_types_nothing_twice),
		cmocka_unit_test(no_word_survives_a_restart),
		cmocka_unit_test(traffic_of_an_old_sa_proves_nothing),
		cmocka_unit_test(blocks_of_other_peers_are_not_this_tunnels),
		cmocka_unit_test(a_lost_role_ends_what_was_asked),
		cmocka_unit_test(a_device_that_leaves_the_configuration_ends_its_incidents),
		cmocka_unit_test(a_device_that_moves_in_the_list_goes_on),
		cmocka_unit_test(what_ends_with_a_reload_stands_in_the_right_journal),
		cmocka_unit_test(may_clear_only_what_was_read),
		cmocka_unit_test(the_view_has_a_plan_at_the_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
