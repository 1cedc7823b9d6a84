/* SPDX-License-Identifier: MIT */
/* What a second reading of src/core found: each of these failed once. */
#include "core_case.h"

#define X 0xc0000001u

/* A core that comes back after a crash, with what the store had. */
static void come_back(struct gateway *g, const struct core_incident *stored)
{
	static const struct hash_key key = { 3, 4 };

	core_free(g->core);
	assert_int_equal(core_new(&g->config, &key, 1000, g->now, &g->core), 0);
	for (unsigned i = 0; i < g->ledger_count; i++)
		core_restore_ledger(g->core, &g->ledger[i], g->now);
	if (stored)
		core_restore_incident(g->core, stored, g->now);
	g->orders = 0;
}

static void see_from(struct gateway *g, uint32_t spi, uint32_t sequence, uint16_t port, enum witness witness)
{
	struct sighting s = { .src = peer_address, .dst = own_address, .protocol = 50, .encap_udp = true, .spi = spi, .packets = 1,
			      .witness = witness, .src_port = port, .dst_port = 4500, .first_ns = g->now.mono_ns,
			      .last_ns = g->now.mono_ns, .sequence_first = sequence, .sequence_last = sequence,
			      .sequence_highest = sequence };

	core_sighting(g->core, &s, g->now);
	gateway_drain(g);
}

static void test_a_quiet_wait_sleeps(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_ADVISE);
	gateway_restart(&g);
	gateway_strays(&g, X, 101, 6);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	gateway_pass(&g, 10 * SECOND_NS); /* no strays any more: it waits for them, but not in a circle */
	for (int i = 0; i < 20; i++) {
		gateway_pass(&g, 100 * MS);
		assert_true(core_tick(g.core, g.now) >= g.now.mono_ns + MS);
		gateway_drain(&g);
	}
	gateway_done(&g);
}

static struct core_incident torn_down(struct gateway *g, enum order_verb then)
{
	struct core_incident stored;

	gateway_new(g, MODE_REPAIR);
	gateway_restart(g);
	gateway_strays(g, X, 101, 6);
	stored = g->kept;
	stored.state = STATE_ACTING;
	stored.rung = stored.next.rung = stored.steps[0].rung = RUNG_RESTART_CHILD;
	stored.next.first = stored.steps[0].verb = ORDER_TERMINATE_CHILD;
	stored.next.then = then;
	stored.steps[0].has_result = true;
	stored.steps[0].result = (struct order_result){ .id = stored.steps[0].order, .outcome = OUTCOME_DONE };
	come_back(g, &stored);
	gateway_daemon(g, true, g->now.wall.ns - SECOND_NS);
	return stored;
}

static void test_restored_between_two_verbs(void **state)
{
	struct gateway g;

	(void)state;
	torn_down(&g, ORDER_INITIATE);
	gateway_pass(&g, 500 * MS);
	assert_int_equal(g.orders, 1);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	gateway_done(&g);
}

static void test_restored_after_the_only_verb(void **state)
{
	struct gateway g;

	(void)state;
	torn_down(&g, ORDER_NONE);
	gateway_pass(&g, 30 * SECOND_NS);
	assert_true(core_tick(g.core, g.now) > g.now.mono_ns + MS);
	assert_int_equal(g.orders, 0);
	assert_int_equal(gateway_incident(&g)->state, STATE_UNVERIFIED);
	gateway_done(&g);
}

static void test_one_forged_number_switches_no_repair_off(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_restart(&g);
	gateway_see(&g, &peer_address, X, 0x7fffffff);
	gateway_strays(&g, X, 101, 6);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	assert_int_equal(g.orders, 1);
	gateway_done(&g);
}

/* Packets with the dead SPI, while the successor works, set no bar for the next black hole on it. */
static void test_forged_number_after_the_heal_sets_no_bar(void **state)
{
	struct gateway g;
	struct child_event down = { .change = CHILD_DOWN };

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_restart(&g);
	gateway_strays(&g, X, 101, 6);
	assert_int_equal(g.orders, 1);
	g.has_ike = true;
	gateway_child_up(&g, gateway_child(1, 0xc0000002));
	g.children[0].packets_in = 5;
	gateway_see(&g, &peer_address, X, 0x7fffff00);
	gateway_result(&g, OUTCOME_DONE, "");
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(gateway_incident(&g)->state, STATE_HEALED);
	gateway_pass(&g, 30 * SECOND_NS);
	down.child = g.children[0];
	g.child_count = 0;
	core_child_event(g.core, &down, g.now);
	gateway_strays(&g, X, 300, 40);
	assert_int_equal(g.orders, 2);
	gateway_done(&g);
}

static unsigned forgets(struct gateway *g)
{
	struct core_output o;
	unsigned n = 0;

	while (core_next(g->core, &o))
		n += o.kind == CORE_WATCH_PEER && o.watch_peer.forget;
	return n;
}

static void test_a_peer_that_stays_is_not_forgotten(void **state)
{
	struct gateway g;
	struct ike_event up = { .change = IKE_UP };

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	up.ike = g.ike;
	up.ike.id = 2;
	up.ike.remote = stranger_address; /* known by its IKE SA alone */
	core_ike_event(g.core, &up, g.now);
	assert_int_equal(forgets(&g), 0);
	up.change = IKE_UPDATE;
	core_ike_event(g.core, &up, g.now);
	assert_int_equal(forgets(&g), 0);
	up.change = IKE_DOWN;
	core_ike_event(g.core, &up, g.now);
	assert_int_equal(forgets(&g), 1);
	gateway_done(&g);
}

/* MOBIKE: the SA keeps its SPI and gets another address. */
static void test_own_address_changes(void **state)
{
	static const struct spimend_address moved = { 4, { 10, 1, 1, 3 } };
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.children[0].local = moved;
	gateway_pass(&g, 6 * SECOND_NS);
	gateway_strays(&g, X, 101, 4);
	assert_non_null(gateway_incident(&g)); /* what still comes to the old address is accepted by nobody */
	g.children[0].packets_in += 10;
	gateway_pass(&g, 10 * SECOND_NS);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

static void test_child_without_spi_keeps_what_it_had(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.children[0].state = CHILD_DELETING;
	g.children[0].has_spi_in = g.children[0].has_spi_out = false;
	g.children[0].spi_in = 0;
	gateway_pass(&g, 6 * SECOND_NS);
	g.child_count = 0;
	gateway_pass(&g, 6 * SECOND_NS);
	gateway_strays(&g, X, 101, 6);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	assert_int_equal(g.orders, 1);
	gateway_done(&g);
}

static void assert_ike_untouched(struct gateway *g)
{
	const struct core_incident *i = gateway_incident(g);

	for (uint32_t s = 0; s < i->step_count; s++)
		assert_int_not_equal(i->steps[s].verb, ORDER_TERMINATE_IKE);
}

/* Liveness of another peer that died authenticates nothing about this one. */
static void test_another_peer_that_died(void **state)
{
	struct daemon_hint hint = { .kind = HINT_PEER_DEAD, .has_ike = true, .ike_id = 9 };
	struct ike_event up = { .change = IKE_UP };
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.child_count = 0;
	gateway_pass(&g, 6 * SECOND_NS);
	for (unsigned i = 0; i < 60; i++) {
		unsigned before = g.orders;

		up.ike = g.ike;
		up.ike.id = 9;
		up.ike.remote = stranger_address;
		core_ike_event(g.core, &up, g.now);
		core_hint(g.core, &hint, g.now);
		gateway_strays(&g, X, 101 + 10 * i, 10);
		if (g.orders != before)
			gateway_result(&g, OUTCOME_FAILED, "no");
	}
	assert_true(g.orders > 0);
	assert_ike_untouched(&g);
	gateway_done(&g);
}

/* That act is silent is no word of the peer: nothing that needs authenticated evidence is done for it. */
static void test_silent_act_proves_nothing(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.child_count = 0;
	gateway_pass(&g, 6 * SECOND_NS);
	gateway_strays(&g, X, 101, 600);
	assert_true(g.orders > 0);
	assert_ike_untouched(&g);
	gateway_done(&g);
}

static void test_two_witnesses_of_one_packet(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_restart(&g);
	for (unsigned i = 0; i < 2; i++) {
		see_from(&g, X, 101 + i, 4500, WITNESS_PACKET);
		see_from(&g, X, 101 + i, 4500, WITNESS_AUDIT);
		gateway_pass(&g, 500 * MS);
	}
	assert_int_equal(gateway_incident(&g)->packets, 2);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

/* charon says so at each list: the list must not ask for the next. */
static void test_a_hint_asks_for_one_list(void **state)
{
	struct daemon_hint hint = { .kind = HINT_KERNEL_LOST, .has_spi = true, .spi = X };
	struct gateway g;
	unsigned before;

	(void)state;
	gateway_new(&g, MODE_ADVISE);
	before = g.refreshes;
	for (int i = 0; i < 100; i++) {
		core_hint(g.core, &hint, g.now);
		gateway_pass(&g, 50 * MS);
	}
	assert_true(g.refreshes - before <= 4);
	gateway_done(&g);
}

static void count(struct gateway *g, uint64_t packets)
{
	struct spi_count c = { .key = sa_key_of(&own_address, 50, X), .packets = packets, .sequence_highest = (uint32_t)packets,
			       .last_ns = g->now.mono_ns };

	core_spi_count(g->core, &c, g->now);
	gateway_drain(g);
}

/* Garbage on a live SPI while nothing else comes looks like a loss; what comes in later says that it was none. */
static void test_what_takes_packets_is_not_lost(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_ADVISE);
	for (unsigned i = 1; i <= 10; i++) {
		count(&g, 100 + i);
		gateway_pass(&g, 100 * MS);
	}
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(g.watch, WATCH_DEAD);
	gateway_strays(&g, X, 111, 6);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	g.children[0].packets_in += 20;
	gateway_pass(&g, 6 * SECOND_NS);
	assert_int_equal(g.watch, WATCH_LIVE);
	assert_int_not_equal(gateway_incident(&g)->state, STATE_OPEN);
	gateway_done(&g);
}

/* T10: two clients behind one address. The one's child is lost; the other's is not touched. */
static void test_neighbour_behind_one_address(void **state)
{
	struct connection connection = gateway_connection();
	struct ike_event up = { .change = IKE_UP };
	struct gateway g;
	struct child_sa neighbour = gateway_child(2, 0xc0000002);

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	connection.dynamic_peer = true;
	core_connections_begin(g.core, 0);
	core_connection(g.core, &connection);
	core_connections_end(g.core, 0, g.now);
	g.has_ike = false; /* of the lists: told by events here */
	up.ike = g.ike;
	up.ike.remote_port = 4500;
	core_ike_event(g.core, &up, g.now);
	up.ike.id = neighbour.ike_id = 2;
	up.ike.remote_port = 61000;
	core_ike_event(g.core, &up, g.now);
	gateway_child_up(&g, neighbour);
	g.children[0] = neighbour;
	g.child_count = 1;
	g.ike = up.ike;
	g.has_ike = true;
	gateway_pass(&g, 6 * SECOND_NS);
	for (unsigned i = 0; i < 100; i++) {
		see_from(&g, X, 101 + i, 4500, WITNESS_PACKET);
		gateway_pass(&g, 100 * MS);
	}
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

/* charon has its connections only when somebody loaded them. */
static void test_connections_come_later(void **state)
{
	struct connection connection = gateway_connection();
	struct gateway g;
	unsigned notices;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_restart(&g);
	core_connections_begin(g.core, 0);
	core_connections_end(g.core, 0, g.now);
	gateway_strays(&g, X, 101, 6);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	assert_int_equal(g.orders, 0);
	notices = g.notices;
	core_connections_begin(g.core, 0);
	core_connection(g.core, &connection);
	core_connections_end(g.core, 0, g.now);
	gateway_strays(&g, X, 107, 6);
	assert_int_equal(g.orders, 1);
	assert_int_equal(g.notices - notices, 1);
	assert_string_equal(gateway_incident(&g)->ike_name, "net");
	assert_true(gateway_incident(&g)->has_connection);
	gateway_done(&g);
}

/* A slow daemon that reads its connections a second after its start is looked at often, for a while. */
static void test_connections_of_a_slow_daemon(void **state)
{
	struct gateway g;
	unsigned before;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_restart(&g);
	core_connections_begin(g.core, 0);
	core_connections_end(g.core, 0, g.now);
	g.list_takes_ns = 70 * MS;
	gateway_strays(&g, X, 101, 6);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	before = g.refreshes;
	gateway_strays(&g, X, 107, 20);
	assert_in_range(g.refreshes - before, 4, 20);
	gateway_pass(&g, 10 * SECOND_NS);
	before = g.refreshes;
	gateway_strays(&g, X, 127, 40);
	assert_in_range(g.refreshes - before, 0, 4);
	gateway_done(&g);
}

static void test_wall_clock_set_back_makes_no_overlap(void **state)
{
	struct child_event rekey = { .change = CHILD_REKEY, .has_successor = true };
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	rekey.child = g.children[0];
	rekey.successor = gateway_child(2, 0xc0000002);
	core_child_event(g.core, &rekey, g.now);
	gateway_drain(&g);
	g.children[0] = rekey.successor;
	gateway_pass(&g, 10 * SECOND_NS);
	g.now.wall.ns -= HOUR_NS;
	come_back(&g, NULL);
	gateway_daemon(&g, true, g.now.wall.ns - DAY_NS);
	gateway_pass(&g, SECOND_NS);
	gateway_strays(&g, X, 101, 60);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	gateway_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_quiet_wait_sleeps),
		cmocka_unit_test(test_restored_between_two_verbs),
		cmocka_unit_test(test_restored_after_the_only_verb),
		cmocka_unit_test(test_one_forged_number_switches_no_repair_off),
		cmocka_unit_test(test_forged_number_after_the_heal_sets_no_bar),
		cmocka_unit_test(test_a_peer_that_stays_is_not_forgotten),
		cmocka_unit_test(test_own_address_changes),
		cmocka_unit_test(test_child_without_spi_keeps_what_it_had),
		cmocka_unit_test(test_another_peer_that_died),
		cmocka_unit_test(test_silent_act_proves_nothing),
		cmocka_unit_test(test_two_witnesses_of_one_packet),
		cmocka_unit_test(test_a_hint_asks_for_one_list),
		cmocka_unit_test(test_what_takes_packets_is_not_lost),
		cmocka_unit_test(test_neighbour_behind_one_address),
		cmocka_unit_test(test_connections_come_later),
		cmocka_unit_test(test_connections_of_a_slow_daemon),
		cmocka_unit_test(test_wall_clock_set_back_makes_no_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
