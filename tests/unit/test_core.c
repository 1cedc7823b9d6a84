/* SPDX-License-Identifier: MIT */
#include "core_case.h"

#define X 0xc0000001u

static void assert_judged(struct gateway *g, enum verdict verdict, enum rule rule, enum cause cause)
{
	const struct core_incident *i = gateway_incident(g);

	assert_non_null(i);
	assert_string_equal(verdict_name(i->verdict), verdict_name(verdict));
	assert_string_equal(rule_name(i->rule), rule_name(rule));
	assert_string_equal(cause_name(i->cause), cause_name(cause));
}

static void test_restart_heals(void **state)
{
	struct gateway g;
	struct child_sa child;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_restart(&g);
	assert_int_equal(g.watch, WATCH_DEAD);
	gateway_strays(&g, X, 101, 6);
	assert_judged(&g, VERDICT_DESYNC, RULE_LEDGER_DEAD, CAUSE_RECEIVER_LOST_STATE);
	assert_int_equal(g.orders, 1);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	assert_true(g.order.opens_ike);
	assert_true(g.kept_before_order);
	assert_int_equal(g.lines, 1);
	assert_string_equal(g.line, "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
			    "destaddr=10.1.1.2, prot=50, spi=0xC0000001(3221225473), srcaddr=10.1.1.1, input interface=eth0");

	g.has_ike = true;
	child = gateway_child(1, 0xc0000002);
	gateway_child_up(&g, child);
	gateway_result(&g, OUTCOME_DONE, "");
	gateway_pass(&g, 300 * MS);
	assert_int_equal(gateway_incident(&g)->state, STATE_ACTING);
	g.children[0].packets_in = 1;
	gateway_pass(&g, 300 * MS);
	assert_int_equal(gateway_incident(&g)->state, STATE_HEALED);
	/* Recorded packets of before, played on and on: counted, nothing is done. */
	for (int i = 0; i < 10; i++)
		gateway_strays(&g, X, 101, 6);
	assert_int_equal(g.orders, 1);
	assert_int_equal(gateway_incident(&g)->state, STATE_HEALED);
	/* Nor are higher numbers a reason while the successor works. */
	for (uint32_t i = 0; i < 100; i++) {
		g.children[0].packets_in++;
		gateway_strays(&g, X, 200 + i, 1);
	}
	assert_int_equal(g.orders, 1);
	assert_null(core_incident_at(g.core, 1));
	/* But when nothing comes in any more, the sender is back on the dead SPI (IKEv1 keeps old pairs). */
	gateway_strays(&g, X, 400, 40);
	assert_non_null(core_incident_at(g.core, 1));
	assert_judged(&g, VERDICT_DESYNC, RULE_LEDGER_DEAD, CAUSE_RECEIVER_LOST_STATE);
	assert_int_equal(g.orders, 2);
	assert_int_equal(g.order.verb, ORDER_REKEY_CHILD);
	gateway_done(&g);
}

static void test_advise_gives_no_order(void **state)
{
	struct gateway g;

	(void)state;
	for (enum mode mode = MODE_OBSERVE; mode <= MODE_ADVISE; mode++) {
		gateway_new(&g, mode);
		gateway_restart(&g);
		gateway_strays(&g, X, 101, 30);
		assert_judged(&g, VERDICT_DESYNC, RULE_LEDGER_DEAD, CAUSE_RECEIVER_LOST_STATE);
		assert_int_equal(g.orders, 0);
		assert_int_equal(gateway_incident(&g)->next.rung, RUNG_INITIATE_IKE);
		assert_int_equal(gateway_incident(&g)->next.refusal, REFUSE_MODE);
		gateway_done(&g);
	}
}

static void test_replay_proves_nothing(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_restart(&g);
	gateway_strays(&g, X, 40, 60); /* up to 99: the SA had reached 100 */
	assert_judged(&g, VERDICT_NOISE, RULE_SEQUENCE_REPLAYED, CAUSE_SCAN_OR_SPOOF);
	assert_int_equal(g.orders, 0);
	assert_int_equal(gateway_incident(&g)->replays, 60);
	/* And one packet over and over, whatever its number, is no sender. */
	for (int i = 0; i < 30; i++) {
		gateway_see(&g, &peer_address, X, 5000);
		gateway_pass(&g, 50 * MS);
	}
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

static void test_too_few_is_undecided_then_transient(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_restart(&g);
	gateway_strays(&g, X, 101, 2);
	assert_judged(&g, VERDICT_UNDECIDED, RULE_TOO_FEW_STRAYS, CAUSE_UNKNOWN);
	gateway_pass(&g, g.config.close_ns + 2 * SECOND_NS);
	assert_judged(&g, VERDICT_TRANSIENT, RULE_STRAYS_ENDED, CAUSE_UNKNOWN);
	assert_int_equal(gateway_incident(&g)->state, STATE_CLOSED);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

static void rekey(struct gateway *g)
{
	struct child_event e = { .change = CHILD_REKEY, .child = g->children[0], .has_successor = true,
				 .successor = gateway_child(2, 0xc0000002) };

	core_child_event(g->core, &e, g->now);
	g->children[g->child_count++] = e.successor;
	g->children[0].state = CHILD_DELETING;
	gateway_drain(g);
}

static void test_rekey_overlap_is_left_alone(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	rekey(&g);
	gateway_strays(&g, X, 101, 10); /* the old SA is listed: it takes them */
	assert_null(gateway_incident(&g));
	g.children[0] = g.children[1];
	g.child_count = 1;
	gateway_pass(&g, 500 * MS);
	gateway_pass(&g, 5 * SECOND_NS - 1500 * MS);
	gateway_strays(&g, X, 111, 3);
	assert_int_equal(g.orders, 0);
	if (gateway_incident(&g))
		assert_int_equal(gateway_incident(&g)->verdict, VERDICT_TRANSIENT);
	gateway_done(&g);
}

static void test_strays_after_the_overlap(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	rekey(&g);
	g.children[0] = g.children[1];
	g.child_count = 1;
	gateway_pass(&g, 7 * SECOND_NS);
	assert_int_equal(g.watch, WATCH_DEAD);
	gateway_strays(&g, X, 101, 5);
	assert_judged(&g, VERDICT_DESYNC, RULE_LEDGER_DEAD, CAUSE_DELETE_LOST);
	assert_int_equal(g.order.verb, ORDER_REKEY_CHILD);
	assert_int_equal(g.order.child_id, 2);
	gateway_done(&g);
}

static void test_successor_that_works_is_not_touched(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	rekey(&g);
	g.children[0] = g.children[1];
	g.child_count = 1;
	gateway_pass(&g, 7 * SECOND_NS);
	for (unsigned i = 0; i < 20; i++) {
		g.children[0].packets_in++;
		gateway_strays(&g, X, 101 + i, 1);
		gateway_pass(&g, 300 * MS);
	}
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

/* Gone from the list without a word, the IKE SA alive (lab: lose). */
static void test_daemon_lost_child(void **state)
{
	struct gateway g;
	int64_t ends;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.children[0].has_life = true; /* a list tells it while the SA lives */
	g.children[0].life_s = 3600;
	gateway_pass(&g, 6 * SECOND_NS);
	ends = g.now.wall.ns + HOUR_NS;
	g.child_count = 0;
	gateway_pass(&g, 6 * SECOND_NS);
	assert_int_equal(g.watch, WATCH_DEAD);
	gateway_strays(&g, X, 101, 6);
	assert_true(core_incident_at(g.core, 0)->ends.ns > ends - 7 * SECOND_NS && core_incident_at(g.core, 0)->ends.ns <= ends);
	assert_judged(&g, VERDICT_DESYNC, RULE_LEDGER_DEAD, CAUSE_CHILD_MISSING);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	assert_false(g.order.opens_ike);
	gateway_done(&g);
}

/* Listed and without effect: what arrives does not come in (lab: forget, user-space ESP). */
static void test_data_plane_lost_child(void **state)
{
	struct gateway g;
	struct spi_count count = { .key = sa_key_of(&own_address, 50, X) };

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	for (uint32_t i = 1; i <= 10; i++) {
		count.packets = count.sequence_highest = 100 + i;
		count.last_ns = g.now.mono_ns;
		core_spi_count(g.core, &count, g.now);
		gateway_pass(&g, 100 * MS);
	}
	assert_int_equal(g.watch, WATCH_DEAD);
	gateway_strays(&g, X, 111, 6);
	assert_judged(&g, VERDICT_DESYNC, RULE_DATA_PLANE_LOST, CAUSE_CHILD_MISSING);
	assert_int_equal(g.order.verb, ORDER_REKEY_CHILD);
	assert_int_equal(g.order.child_id, 1);
	gateway_done(&g);
}

static void test_traffic_that_comes_in_is_no_loss(void **state)
{
	struct gateway g;
	struct spi_count count = { .key = sa_key_of(&own_address, 50, X) };

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	for (uint32_t i = 1; i <= 100; i++) {
		count.packets = count.sequence_highest = 100 + i;
		count.last_ns = g.now.mono_ns;
		g.children[0].packets_in = 100 + i;
		core_spi_count(g.core, &count, g.now);
		gateway_pass(&g, 100 * MS);
	}
	/* Garbage on a live SPI, while the peer is silent: numbers that jump are no live sender's. */
	for (uint32_t i = 1; i <= 100; i++) {
		count.packets++;
		count.sequence_highest += 100000;
		count.last_ns = g.now.mono_ns;
		core_spi_count(g.core, &count, g.now);
		gateway_pass(&g, 100 * MS);
	}
	assert_int_equal(g.watch, WATCH_LIVE);
	assert_null(gateway_incident(&g));
	gateway_done(&g);
}

static void test_strangers_are_one_incident(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	for (uint32_t i = 0; i < 100000; i++) {
		struct spimend_address src = stranger_address;

		memcpy(src.bytes + 1, &i, 3);
		gateway_see(&g, &src, 0x10000 + i * 7919, i);
	}
	gateway_pass(&g, SECOND_NS);
	assert_judged(&g, VERDICT_NOISE, RULE_STRANGER, CAUSE_SCAN_OR_SPOOF);
	assert_null(core_incident_at(g.core, 1));
	assert_int_equal(g.orders, 0);
	assert_int_equal(g.lines, 1);
	/* Nor does a stranger who knows a dead SPI of ours prove anything with it. */
	gateway_restart(&g);
	for (uint32_t i = 0; i < 50; i++) {
		gateway_see(&g, &stranger_address, X, 101 + i);
		gateway_pass(&g, 50 * MS);
	}
	assert_int_equal(g.orders, 0);
	for (size_t i = 0; core_incident_at(g.core, i); i++)
		assert_int_equal(core_incident_at(g.core, i)->verdict, VERDICT_NOISE);
	gateway_done(&g);
}

static void test_peer_with_unknown_spis(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_strays(&g, 0x12345678, 1, 20);
	assert_judged(&g, VERDICT_UNDECIDED, RULE_NOT_IN_LEDGER, CAUSE_UNKNOWN);
	for (uint32_t i = 0; i < 5000; i++)
		gateway_see(&g, &peer_address, 0x22000000 + i * 7919, i);
	gateway_pass(&g, SECOND_NS);
	assert_judged(&g, VERDICT_NOISE, RULE_MANY_SPIS, CAUSE_SCAN_OR_SPOOF);
	assert_null(core_incident_at(g.core, 2));
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

/* The new IKE SA takes the old one's other children away at the peer: they come back in the same repair. */
static void test_siblings_come_back(void **state)
{
	struct gateway g;
	struct child_sa other = gateway_child(2, 0xc0000022);
	struct connection connections[2] = { gateway_connection(), gateway_connection() };

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	strcpy(connections[1].child, "lan2");
	strcpy(other.child, "lan2");
	other.connection = connections[1].id = connection_id(0, TEXT("net"), TEXT("lan2"));
	gateway_child_up(&g, other);
	gateway_pass(&g, SECOND_NS);
	gateway_restart(&g);
	core_connections_begin(g.core, 0);
	core_connection(g.core, &connections[0]);
	core_connection(g.core, &connections[1]);
	core_connections_end(g.core, 0, g.now);
	gateway_strays(&g, X, 101, 6);
	assert_int_equal(g.orders, 1);
	assert_true(g.order.opens_ike);
	g.has_ike = true;
	gateway_child_up(&g, gateway_child(1, 0xc0000002));
	gateway_result(&g, OUTCOME_DONE, "");
	assert_int_equal(g.orders, 2);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	assert_false(g.order.opens_ike);
	assert_true(g.order.connection == other.connection);
	assert_int_equal(gateway_incident(&g)->steps[1].rung, RUNG_INITIATE_SIBLING);
	gateway_result(&g, OUTCOME_FAILED, "no proposal chosen"); /* its own trouble */
	g.children[0].packets_in = 3;
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(gateway_incident(&g)->state, STATE_HEALED);
	assert_int_equal(g.orders, 2);
	gateway_done(&g);
}

/* T1b: the peer uses an SPI that is being negotiated. A transient while that is young, never a reason to act. */
static void test_early_use(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.ike.busy = g.ike.child_task = true;
	gateway_pass(&g, 6 * SECOND_NS);
	gateway_strays(&g, 0x12345678, 1, 10);
	assert_judged(&g, VERDICT_TRANSIENT, RULE_EARLY_USE, CAUSE_EARLY_USE);
	gateway_strays(&g, 0x12345678, 11, 40);
	assert_judged(&g, VERDICT_UNDECIDED, RULE_NOT_IN_LEDGER, CAUSE_UNKNOWN);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

static void test_escalates_and_gives_up(void **state)
{
	struct gateway g;
	uint32_t sequence = 101;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.child_count = 0;
	gateway_pass(&g, 6 * SECOND_NS);
	for (int i = 0; i < 4000 && gateway_incident(&g) == NULL; i++)
		gateway_strays(&g, X, sequence++, 1);
	for (int i = 0; i < 20000 && gateway_incident(&g)->state != STATE_GAVE_UP; i++) {
		unsigned before = g.orders;

		gateway_strays(&g, X, sequence++, 1);
		if (g.orders != before)
			gateway_result(&g, OUTCOME_FAILED, "no proposal chosen");
		if (gateway_incident(&g)->next.needs_person && gateway_incident(&g)->next.rung == RUNG_NONE)
			break;
	}
	assert_true(gateway_incident(&g)->next.needs_person);
	assert_true(g.orders >= 1 && g.orders <= 8);
	gateway_done(&g);
}

/* One repair of a peer a minute: what waits for that says until when. */
static void test_what_waits_says_until_when(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.config.per_peer_count = 1;
	assert_int_equal(core_reconfigure(g.core, &g.config, g.now), 0);
	gateway_restart(&g);
	gateway_strays(&g, X, 101, 6);
	g.has_ike = true;
	gateway_child_up(&g, gateway_child(7, 0xc0000007));
	gateway_result(&g, OUTCOME_DONE, "");
	g.children[0].packets_in = 5;
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(gateway_incident(&g)->state, STATE_HEALED);
	g.child_count = 0; /* and now that one is lost as well */
	gateway_pass(&g, 6 * SECOND_NS);
	gateway_strays(&g, 0xc0000007, 10, 8);
	assert_int_equal(g.orders, 1);
	assert_int_equal(gateway_incident(&g)->next.refusal, REFUSE_BUDGET);
	assert_true(gateway_incident(&g)->waits_until.ns > g.now.wall.ns);
	assert_true(gateway_incident(&g)->waits_until.ns <= g.now.wall.ns + MINUTE_NS);
	gateway_strays(&g, 0xc0000007, 20, 600);
	assert_int_equal(g.orders, 2);
	assert_int_equal(gateway_incident(&g)->waits_until.ns, 0);
	gateway_done(&g);
}

static void test_busy_waits_and_costs_no_try(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.child_count = 0;
	gateway_pass(&g, 6 * SECOND_NS);
	g.ike.busy = true;
	gateway_strays(&g, X, 101, 10);
	assert_int_equal(g.orders, 0);
	assert_int_equal(gateway_incident(&g)->next.refusal, REFUSE_BUSY);
	g.ike.busy = false;
	gateway_strays(&g, X, 111, 10);
	assert_int_equal(g.orders, 1);
	gateway_result(&g, OUTCOME_REFUSED, "busy: a task is active");
	gateway_strays(&g, X, 121, 10);
	assert_int_equal(g.orders, 2);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	gateway_done(&g);
}

/* core is killed after it gave an order: the next one neither forgets the incident nor repeats the order. */
static void test_restored_core(void **state)
{
	static const struct hash_key key = { 3, 4 };
	struct gateway g;
	struct core_incident stored;
	uint64_t first;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_restart(&g);
	gateway_strays(&g, X, 101, 6);
	assert_int_equal(g.orders, 1);
	first = g.order.id;
	stored = g.kept;
	core_free(g.core);

	assert_int_equal(core_new(&g.config, &key, first + 100, g.now, &g.core), 0);
	for (unsigned i = 0; i < g.ledger_count; i++)
		core_restore_ledger(g.core, &g.ledger[i], g.now);
	core_restore_incident(g.core, &stored, g.now);
	gateway_daemon(&g, true, g.now.wall.ns - SECOND_NS);
	gateway_pass(&g, 500 * MS);
	assert_int_equal(g.orders, 2);          /* asked again, under the same id: act's journal answers */
	assert_int_equal(g.order.id, first);
	g.has_ike = true;
	gateway_child_up(&g, gateway_child(1, 0xc0000002));
	g.children[0].packets_in = 5;
	gateway_result(&g, OUTCOME_DONE, "");
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(gateway_incident(&g)->state, STATE_HEALED);
	assert_int_equal(g.orders, 2);
	assert_string_equal(gateway_incident(&g)->id, stored.id);
	gateway_done(&g);
}

/* What a repair at the peer left behind: it sent for a moment, and is used no more. */
static void test_idle_child_is_not_suspected(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.children[0].packets_out += 50;
	gateway_pass(&g, MINUTE_NS);
	assert_null(gateway_incident(&g));
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

static void test_one_way_is_suspected_once(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	for (int i = 0; i < 30 && !g.orders; i++) {
		g.children[0].packets_out += 5;
		gateway_pass(&g, SECOND_NS);
	}
	assert_judged(&g, VERDICT_UNDECIDED, RULE_ONE_WAY, CAUSE_UNKNOWN);
	assert_true(gateway_incident(&g)->is_suspicion);
	assert_int_equal(g.orders, 1);
	assert_int_equal(g.order.verb, ORDER_REKEY_CHILD);
	gateway_result(&g, OUTCOME_DONE, "");
	g.children[0].packets_in += 3;
	gateway_pass(&g, 6 * SECOND_NS);
	assert_int_equal(gateway_incident(&g)->state, STATE_HEALED);
	assert_int_equal(g.orders, 1);
	gateway_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart_heals),
		cmocka_unit_test(test_advise_gives_no_order),
		cmocka_unit_test(test_replay_proves_nothing),
		cmocka_unit_test(test_too_few_is_undecided_then_transient),
		cmocka_unit_test(test_rekey_overlap_is_left_alone),
		cmocka_unit_test(test_strays_after_the_overlap),
		cmocka_unit_test(test_successor_that_works_is_not_touched),
		cmocka_unit_test(test_daemon_lost_child),
		cmocka_unit_test(test_data_plane_lost_child),
		cmocka_unit_test(test_traffic_that_comes_in_is_no_loss),
		cmocka_unit_test(test_strangers_are_one_incident),
		cmocka_unit_test(test_peer_with_unknown_spis),
		cmocka_unit_test(test_siblings_come_back),
		cmocka_unit_test(test_early_use),
		cmocka_unit_test(test_escalates_and_gives_up),
		cmocka_unit_test(test_what_waits_says_until_when),
		cmocka_unit_test(test_busy_waits_and_costs_no_try),
		cmocka_unit_test(test_restored_core),
		cmocka_unit_test(test_idle_child_is_not_suspected),
		cmocka_unit_test(test_one_way_is_suspected_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
