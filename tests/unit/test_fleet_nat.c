/* SPDX-License-Identifier: MIT */
/* A sender behind NAT, whose address is nobody's: its own table tells, and nothing is typed where the receiver may have its
 * SA under another address. r00 is the hub; the others are behind NAT, each behind its own. */
#include "fleet_world.h"

static void begin(struct world *w, uint32_t devices)
{
	world_init(w);
	for (uint32_t i = 0; i < devices; i++)
		world_device(w, PLATFORM_IOS_XE, true);
	world_start(w);
	for (uint32_t i = 1; i < devices; i++) {
		w->public[i] = world_address(9, 9, i);
		world_tunnel(w, i, 0, BY_IKE);
	}
}

static void fall(struct world *w, struct world_tunnel *t)
{
	world_desync(w, t);
	assert_int_equal(world_sight(w, t, t->way[0].out), FLEET_TAKEN);
}

static void assert_says(const struct world *w, const char *what)
{
	if (!strstr(world_incident(w)->why, what))
		fail_msg("'%s' is not in '%s'", what, world_incident(w)->why);
}

static void its_own_table_tells_which_it_is(void **state)
{
	struct world w;
	const struct fleet_incident *is;

	(void)state;
	begin(&w, 4);
	fall(&w, &w.tunnels[2]);
	world_run(&w, 5 * MINUTE_NS);
	is = world_incident(&w);
	assert_string_equal(is->sender, "r03"); /* behind those of r01 and r02, which were read before */
	assert_true(is->flags & FLAG_NAT_T);
	assert_int_equal(is->verdict, VERDICT_DESYNC);
	assert_int_equal(w.changes, 1);
	assert_string_equal(w.last_on, "r03");
	assert_string_equal(w.last_command, "clear crypto sa entry 10.1.0.1 esp 0x1005");
	assert_int_equal(is->state, STATE_HEALED);
	assert_int_equal(fleet_figures(w.fleet).strangers, 0);
	world_done(&w);
}

/* The SPI is one that works, under another address of the same device; or a forged hint names another peer beside it. */
static void what_the_receiver_has_under_another_address_is_no_desync(void **state)
{
	struct world w;
	struct fleet_sighting s;

	(void)state;
	begin(&w, 3);
	s = (struct fleet_sighting){ .device = 0, .src = w.public[2], .dst = w.address[0], .protocol = SPIMEND_PROTOCOL_ESP,
				     .spi = { w.tunnels[0].way[0].out }, .messages = 1 };
	assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_TAKEN);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(w.changes, 0);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_TRANSIENT);
	assert_int_equal(world_incident(&w)->state, STATE_CLOSED);
	world_done(&w);
}

static void without_the_receivers_table_of_spis_nothing_is_proved(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 3);
	w.refuses[DEVICE_SHOW_SPI_LOOKUP] = true;
	fall(&w, &w.tunnels[0]);
	world_run(&w, 20 * MINUTE_NS);
	assert_int_equal(w.changes, 0);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_UNDECIDED);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_says(&w, "under another address could not be read");
	world_done(&w);
}

static void of_many_none_is_asked_and_it_is_said_what_to_do(void **state)
{
	struct world w;
	char expected[64];

	(void)state;
	begin(&w, 10);
	fall(&w, &w.tunnels[4]);
	world_run(&w, 10 * MINUTE_NS);
	assert_int_equal(w.asked[DEVICE_SHOW_IPSEC_SA], 2); /* the receiver, twice */
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_UNDECIDED);
	assert_says(&w, "10.9.9.5 is no device's address, and too many may be it");
	snprintf(expected, sizeof(expected), "where the outbound SPI is 0x%08x", w.tunnels[4].way[0].out);
	assert_says(&w, expected);
	world_done(&w);
}

static void what_is_protected_towards_it_tells_which_of_many(void **state)
{
	(void)state;
	for (int prefix = 0; prefix <= 32; prefix += 8) {
		struct world w;
		struct spimend_address inside = world_address(77, 3, 9);

		begin(&w, 10);
		fleet_address(w.fleet, 5, &inside); /* an interface of r05's, as it told */
		w.ident[5] = (struct sa_ident){ .known = true, .address = world_address(77, 3, 0), .prefix = (uint8_t)prefix };
		fall(&w, &w.tunnels[4]);
		world_run(&w, 5 * MINUTE_NS);
		/* 10.0.0.0/8 has all of them: four are read, and this is none of those. */
		assert_int_equal(w.changes, prefix == 16 || prefix == 24);
		assert_int_equal(world_incident(&w)->state, w.changes ? STATE_HEALED : STATE_GAVE_UP);
		if (w.changes)
			assert_string_equal(w.last_on, "r05");
		else
			assert_in_range(w.asked[DEVICE_SHOW_IPSEC_SA], 2, 2 + 3 * 4);
		world_done(&w);
	}
}

/* Anybody can name an address: nobody else is asked for one that the receiver has no tunnel with, or one without NAT. */
static void hints_about_others_have_nobody_else_asked(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct world w;
		struct fleet_sighting s;

		begin(&w, 4);
		s = (struct fleet_sighting){ .device = 0, .src = world_address(99, 0, 1), .dst = w.address[0],
					     .protocol = SPIMEND_PROTOCOL_ESP, .spi = { 77 }, .messages = 1 };
		if (known) { /* a partner's router, which is no device of ours: it has a tunnel with the hub, without NAT */
			memset(w.public, 0, sizeof(w.public));
			w.address[3] = world_address(99, 0, 1);
		}
		assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_TAKEN);
		world_run(&w, 10 * MINUTE_NS);
		assert_int_equal(w.asked[DEVICE_SHOW_IPSEC_SA], 2);
		assert_int_equal(world_incident(&w)->verdict, known ? VERDICT_UNDECIDED : VERDICT_NOISE);
		world_done(&w);
	}
}

static void none_of_those_that_are_read_may_be_it(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 4);
	w.output[3] = PRINTS_NO_LOGIN; /* the one */
	fall(&w, &w.tunnels[2]);
	world_run(&w, 20 * MINUTE_NS);
	assert_int_equal(w.changes, 0);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_says(&w, "no device that may be it sends with that SPI");
	assert_string_equal(world_incident(&w)->sender, "");
	world_done(&w);
}

/* As it is being found, and behind the proof. */
static void a_restart_or_a_reload_begins_anew_and_ends_as_well(void **state)
{
	(void)state;
	for (int at = 0; at < 60; at += 2)
		for (int reload = 0; reload < 2; reload++) {
			struct world w;
			struct fleet_incident kept;

			begin(&w, 4);
			fall(&w, &w.tunnels[1]);
			world_run(&w, at * S);
			memset(w.orders, 0, sizeof(w.orders));
			kept = *world_incident(&w);
			if (reload) {
				assert_int_equal(fleet_reconfigure(w.fleet, w.config, world_now(&w)), 0);
			} else {
				fleet_free(w.fleet);
				world_start(&w);
				fleet_restore(w.fleet, &kept, world_now(&w));
			}
			world_run(&w, 10 * MINUTE_NS);
			assert_int_equal(w.changes, 1);
			assert_string_equal(w.last_on, "r02");
			assert_true(world_incident(&w)->state == STATE_HEALED);
			assert_int_equal(fleet_figures(w.fleet).locked_devices + fleet_figures(w.fleet).under_way, 0);
			world_done(&w);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_own_table_tells_which_it_is),
		cmocka_unit_test(what_the_receiver_has_under_another_address_is_no_desync),
		cmocka_unit_test(without_the_receivers_table_of_spis_nothing_is_proved),
		cmocka_unit_test(of_many_none_is_asked_and_it_is_said_what_to_do),
		cmocka_unit_test(what_is_protected_towards_it_tells_which_of_many),
		cmocka_unit_test(hints_about_others_have_nobody_else_asked),
		cmocka_unit_test(none_of_those_that_are_read_may_be_it),
		cmocka_unit_test(a_restart_or_a_reload_begins_anew_and_ends_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
