/* SPDX-License-Identifier: MIT */
/* `clear crypto sa peer`: a person's order obeys what a repair obeys. */
#include <stdint.h>

#include "core_case.h"

static struct core_clear done;

static bool clear(struct gateway *g, const struct spimend_address *peer)
{
	bool fine = core_clear_peer(g->core, peer, g->now, &done);

	gateway_drain(g);
	return fine;
}

static void answer(struct gateway *g, enum order_outcome outcome)
{
	struct order_result result = { .id = g->order.id, .outcome = outcome };

	core_result(g->core, &result, g->now);
	gateway_drain(g);
}

static void refuse_as_busy(struct gateway *g)
{
	struct order_result result = { .id = g->order.id, .outcome = OUTCOME_REFUSED, .text = "busy: tasks are active" };

	core_result(g->core, &result, g->now);
	gateway_drain(g);
}

static void test_each_sa_of_the_peer_is_renewed_and_no_other(void **state)
{
	struct child_sa other = gateway_child(3, 0xc0000003);
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_child_up(&g, gateway_child(2, 0xc0000002));
	other.remote = stranger_address;
	gateway_child_up(&g, other);
	assert_true(clear(&g, &peer_address));
	assert_int_equal(done.count, 2);
	assert_int_equal(g.orders, 1); /* one after another: they share an IKE SA */
	assert_int_equal(g.order.id, done.orders[0].order);
	answer(&g, OUTCOME_DONE);
	assert_int_equal(g.orders, 1);
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(g.orders, 2);
	for (uint32_t i = 0; i < done.count; i++) {
		assert_int_equal(done.orders[i].verb, ORDER_REKEY_CHILD);
		assert_int_equal(done.orders[i].child_id, i + 1);
	}
	assert_int_equal(g.order.verb, ORDER_REKEY_CHILD);
	assert_true(spimend_address_equal(&g.order.peer, &peer_address));
	assert_int_equal(g.order.id, done.orders[1].order);
	gateway_done(&g);
}

static void test_where_nothing_is_listed_the_connection_is_set_up(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	g.child_count = 0;
	core_snapshot_begin(g.core, 0, 0, g.now);
	core_snapshot_ike(g.core, &g.ike);
	core_snapshot_end(g.core, 0, true, g.now);
	gateway_pass(&g, SECOND_NS);
	assert_true(clear(&g, &peer_address));
	assert_int_equal(done.count, 1);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	assert_false(g.order.opens_ike); /* over the IKE SA that is there */
	gateway_done(&g);
}

static void test_mode_and_peer_are_obeyed(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_ADVISE);
	assert_false(clear(&g, &peer_address));
	assert_non_null(strstr(done.why, "the mode is advise"));
	assert_false(clear(&g, &stranger_address));
	assert_non_null(strstr(done.why, "no SA with this peer"));
	g.config.mode = MODE_REPAIR;
	g.config.peer_count = 1;
	g.config.peers[0].address = peer_address;
	g.config.peers[0].mode = PEER_OBSERVE;
	assert_int_equal(core_reconfigure(g.core, &g.config, g.now), 0);
	assert_false(clear(&g, &peer_address));
	assert_non_null(strstr(done.why, "lets this peer alone"));
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

static void test_one_at_a_time_and_within_the_budget(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR); /* three repairs of a peer in a minute */
	assert_true(clear(&g, &peer_address));
	assert_false(clear(&g, &peer_address));
	assert_non_null(strstr(done.why, "under way"));
	answer(&g, OUTCOME_DONE);
	for (int i = 0; i < 2; i++) {
		gateway_pass(&g, SECOND_NS);
		assert_true(clear(&g, &peer_address));
		answer(&g, i ? OUTCOME_FAILED : OUTCOME_DONE);
	}
	gateway_pass(&g, SECOND_NS);
	assert_false(clear(&g, &peer_address));
	assert_int_equal(g.orders, 3);
	gateway_pass(&g, MINUTE_NS);
	assert_true(clear(&g, &peer_address));
	gateway_done(&g);
}

static void test_no_answer_holds_nothing_for_ever(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	assert_true(clear(&g, &peer_address));
	gateway_pass(&g, 2 * g.config.order_timeout_ns + SECOND_NS);
	assert_true(clear(&g, &peer_address));
	answer(&g, OUTCOME_DONE);
	answer(&g, OUTCOME_DONE); /* again: counts once */
	gateway_done(&g);
}

static void test_a_busy_ike_sa_is_waited_for(void **state)
{
	struct gateway g;
	uint64_t first;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_child_up(&g, gateway_child(2, 0xc0000002));
	assert_true(clear(&g, &peer_address));
	first = g.order.id;
	refuse_as_busy(&g);
	assert_int_equal(g.orders, 1);
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(g.orders, 2); /* the same child again, under a number of its own */
	assert_int_equal(g.order.child_id, 1);
	assert_true(g.order.id != first);
	g.ike.busy = true; /* with what the first rekey leaves to do */
	answer(&g, OUTCOME_DONE);
	gateway_pass(&g, 2 * SECOND_NS);
	assert_int_equal(g.orders, 2);
	assert_false(clear(&g, &peer_address)); /* it is under way still */
	g.ike.busy = false;
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(g.orders, 3);
	assert_int_equal(g.order.child_id, 2);
	for (int i = 0; i < 4; i++) { /* not for ever */
		refuse_as_busy(&g);
		gateway_pass(&g, SECOND_NS);
	}
	assert_int_equal(g.orders, 6);
	gateway_done(&g);
}

static void test_a_mode_that_changes_ends_it(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	gateway_child_up(&g, gateway_child(2, 0xc0000002));
	assert_true(clear(&g, &peer_address));
	g.config.mode = MODE_OBSERVE;
	assert_int_equal(core_reconfigure(g.core, &g.config, g.now), 0);
	answer(&g, OUTCOME_DONE);
	gateway_pass(&g, 2 * SECOND_NS);
	assert_int_equal(g.orders, 1);
	gateway_done(&g);
}

static void test_more_than_a_clear_renews_is_said(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	for (uint32_t i = 2; i <= 8; i++)
		gateway_child_up(&g, gateway_child(i, 0xc0000000 + i));
	struct child_event more = { .change = CHILD_UP, .child = gateway_child(9, 0xc0000009) };
	core_child_event(g.core, &more, g.now);
	gateway_drain(&g);
	assert_true(clear(&g, &peer_address));
	assert_int_equal(done.count, CORE_CLEAR_MAX);
	assert_int_equal(done.left_out, 1);
	gateway_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_sa_of_the_peer_is_renewed_and_no_other),
		cmocka_unit_test(test_where_nothing_is_listed_the_connection_is_set_up),
		cmocka_unit_test(test_mode_and_peer_are_obeyed),
		cmocka_unit_test(test_one_at_a_time_and_within_the_budget),
		cmocka_unit_test(test_no_answer_holds_nothing_for_ever),
		cmocka_unit_test(test_a_busy_ike_sa_is_waited_for),
		cmocka_unit_test(test_a_mode_that_changes_ends_it),
		cmocka_unit_test(test_more_than_a_clear_renews_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
