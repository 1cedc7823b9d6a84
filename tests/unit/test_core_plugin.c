/* SPDX-License-Identifier: MIT */
/* core with spimend's plugin inside the IKE daemon: the exact DELETE and what follows each answer, reports, hints. */
#include <stdio.h>

#include "core_case.h"

#define X 0xc0000001
#define HAS(field) (UINT32_C(1) << PLUGIN_HAS_##field)

static void plugin(struct gateway *g, bool up)
{
	struct plugin_state state = { .daemon = 0, .up = up, .version = "5.9.8" };

	core_plugin(g->core, &state, g->now);
	gateway_drain(g);
}

static void new_with_plugin(struct gateway *g, enum mode mode)
{
	gateway_new(g, mode);
	plugin(g, true);
}

static void answer_late(struct gateway *g, uint64_t id, enum order_outcome outcome, enum plugin_outcome answer, bool late)
{
	struct order_result r = { .id = id, .outcome = outcome, .took_ns = 4 * MS, .has_answer = true,
				  .answer = (uint8_t)answer, .has_peer_spi = answer == PLUGIN_PEER_OWNED, .is_late = late,
				  .peer_spi = answer == PLUGIN_PEER_OWNED ? 0xdeadbeef : 0 };

	snprintf(r.text, sizeof(r.text), "%s", plugin_outcome_name(answer));
	core_result(g->core, &r, g->now);
	gateway_drain(g);
}

static void answer(struct gateway *g, enum order_outcome outcome, enum plugin_outcome answer)
{
	answer_late(g, g->order.id, outcome, answer, false);
}

static bool has_evidence(struct gateway *g, const char *text)
{
	const struct core_incident *i = gateway_incident(g);

	for (uint32_t k = 0; k < i->evidence_count; k++)
		if (strstr(i->evidence[k].text, text))
			return true;
	return false;
}

/* The daemon lost the child without a word; its IKE SA lives. */
static void lose_child(struct gateway *g)
{
	g->child_count = 0;
	gateway_pass(g, 6 * SECOND_NS);
	gateway_strays(g, X, 101, 6);
	assert_int_equal(gateway_incident(g)->verdict, VERDICT_DESYNC);
}

static void heal(struct gateway *g)
{
	gateway_child_up(g, gateway_child(2, 0xc0000002));
	g->children[g->child_count - 1].packets_in = 3;
	gateway_result(g, OUTCOME_DONE, "done");
	gateway_pass(g, SECOND_NS);
	assert_int_equal(gateway_incident(g)->state, STATE_HEALED);
}

static void test_the_exact_delete_and_then_initiate(void **state)
{
	struct gateway g;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	lose_child(&g);
	assert_int_equal(g.orders, 1);
	assert_true(g.kept_before_order && gateway_valid_order(&g.order));
	assert_true(g.order.verb == ORDER_DELETE_SPI && g.order.spi == X && g.order.protocol == 50 && g.order.ike_id == 1);
	answer(&g, OUTCOME_DONE, PLUGIN_PEER_OWNED);
	assert_int_equal(g.orders, 1); /* the peer has the first word */
	gateway_pass(&g, 40 * MS);
	assert_int_equal(g.orders, 2);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	assert_int_equal(gateway_incident(&g)->rung, RUNG_INITIATE_CHILD);
	assert_true(has_evidence(&g, "closed it at our DELETE, with its other half 0xdeadbeef"));
	heal(&g);
	gateway_done(&g);
}

static void test_a_peer_that_makes_it_again_itself(void **state)
{
	struct gateway g;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	lose_child(&g);
	answer(&g, OUTCOME_DONE, PLUGIN_PEER_OWNED);
	gateway_child_up(&g, gateway_child(2, 0xc0000002)); /* close_action = start, there */
	g.children[0].packets_in = 3;
	gateway_pass(&g, 2 * SECOND_NS);
	assert_int_equal(g.orders, 1);
	assert_int_equal(gateway_incident(&g)->state, STATE_HEALED);
	gateway_done(&g);
}

/* What our own DELETE took down is made again, although no stray comes any more; and after a restart of core too. */
static void test_a_closed_pair_is_never_left_lying(void **state)
{
	struct gateway g;
	static const struct hash_key key = { 1, 2 };
	struct core_incident stored;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	lose_child(&g);
	g.ike.busy = g.ike.child_task = true;
	answer(&g, OUTCOME_DONE, PLUGIN_PEER_OWNED);
	gateway_pass(&g, 5 * SECOND_NS);
	assert_int_equal(g.orders, 1);
	stored = g.kept;
	g.ike.busy = g.ike.child_task = false;
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(g.orders, 2);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	core_free(g.core);
	assert_int_equal(stored.state, STATE_ACTING);
	assert_int_equal(core_new(&g.config, &key, 100, g.now, &g.core), 0);
	for (unsigned i = 0; i < g.ledger_count; i++)
		core_restore_ledger(g.core, &g.ledger[i], g.now);
	core_restore_incident(g.core, &stored, g.now);
	gateway_daemon(&g, true, g.now.wall.ns - HOUR_NS);
	plugin(&g, true);
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(g.orders, 3);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	gateway_done(&g);
}

/* The proof comes when the initiate that follows was begun already, and more than one connection leads to that peer. */
static void test_a_late_proof_does_not_end_the_rebuild(void **state)
{
	struct connection connection = gateway_connection();
	struct gateway g;
	uint64_t asked;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	core_connections_begin(g.core, 0);
	core_connection(g.core, &connection);
	strcpy(connection.child, "other");
	connection.id = connection_id(0, TEXT("net"), TEXT("other"));
	core_connection(g.core, &connection);
	core_connections_end(g.core, 0, g.now);
	lose_child(&g);
	asked = g.order.id;
	gateway_pass(&g, 5 * SECOND_NS);
	answer(&g, OUTCOME_TIMEOUT, PLUGIN_NO_REPLY);
	gateway_pass(&g, 100 * MS);
	assert_int_equal(g.orders, 2);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	gateway_result(&g, OUTCOME_REFUSED, "busy: a child is being made, rekeyed or deleted");
	answer_late(&g, asked, OUTCOME_DONE, PLUGIN_PEER_OWNED, true);
	gateway_pass(&g, 2 * SECOND_NS); /* the peer closed it: no strays any more */
	assert_int_equal(g.orders, 3);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	heal(&g);
	gateway_done(&g);
}

static void test_an_empty_answer_costs_nothing(void **state)
{
	struct gateway g;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	lose_child(&g);
	answer(&g, OUTCOME_DONE, PLUGIN_PEER_HAD_NONE);
	assert_int_equal(g.orders, 2);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	assert_true(has_evidence(&g, "empty"));
	heal(&g);
	gateway_done(&g);
}

static void test_what_comes_of_a_delete_is_said(void **state)
{
	struct gateway g;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	lose_child(&g);
	answer(&g, OUTCOME_REFUSED, PLUGIN_WINDOW_TAKEN);
	assert_true(has_evidence(&g, "window was taken"));
	gateway_strays(&g, X, 120, 5);
	assert_int_equal(g.orders, 2); /* not tried: asked again */
	assert_int_equal(g.order.verb, ORDER_DELETE_SPI);
	answer(&g, OUTCOME_TIMEOUT, PLUGIN_NO_REPLY);
	assert_true(has_evidence(&g, "no reply"));
	answer_late(&g, g.order.id, OUTCOME_DONE, PLUGIN_PEER_OWNED, true);
	assert_true(has_evidence(&g, "late: the peer had that SA"));
	gateway_pass(&g, 3 * SECOND_NS);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	gateway_done(&g);
	new_with_plugin(&g, MODE_REPAIR);
	lose_child(&g);
	g.has_ike = false;
	answer(&g, OUTCOME_FAILED, PLUGIN_IKE_GONE);
	assert_true(has_evidence(&g, "IKE SA went away"));
	gateway_strays(&g, X, 120, 5);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	assert_true(g.order.opens_ike);
	gateway_done(&g);
}

/* A child of ours sends with what the peer says that it closed: a rekey finds out, and harms nothing. */
static void test_a_peer_that_closes_another_half(void **state)
{
	struct gateway g;
	struct order_result r = { .outcome = OUTCOME_DONE, .has_answer = true, .answer = PLUGIN_PEER_OWNED, .has_peer_spi = true,
				  .peer_spi = 0xc0000009 + 0x1000, .has_child = true, .child_id = 9, .text = "peer-owned" };

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	lose_child(&g);
	r.id = g.order.id;
	core_result(g.core, &r, g.now);
	gateway_drain(&g);
	assert_int_equal(g.orders, 2);
	assert_int_equal(g.order.verb, ORDER_REKEY_CHILD);
	assert_int_equal(g.order.child_id, 9);
	gateway_done(&g);
}

static void test_without_it_everything_is_as_before(void **state)
{
	struct gateway g;

	(void)state;
	gateway_new(&g, MODE_REPAIR);
	lose_child(&g);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	gateway_done(&g);
	new_with_plugin(&g, MODE_REPAIR);
	plugin(&g, false);
	lose_child(&g);
	assert_int_equal(g.order.verb, ORDER_INITIATE);
	gateway_done(&g);
	new_with_plugin(&g, MODE_ADVISE);
	lose_child(&g);
	assert_int_equal(g.orders, 0);
	assert_int_equal(gateway_incident(&g)->next.rung, RUNG_DELETE_SPI);
	assert_int_equal(gateway_incident(&g)->next.refusal, REFUSE_MODE);
	gateway_done(&g);
}

/* B10: an SPI that was never ours, from a peer with an IKE SA. */
static void test_an_unknown_spi_is_asked_about_once(void **state)
{
	struct gateway g;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	gateway_strays(&g, 0xc0001234, 500, 15);
	assert_int_equal(g.orders, 0); /* it may be one that is being agreed on */
	gateway_strays(&g, 0xc0001234, 515, 15);
	assert_int_equal(g.orders, 1);
	assert_true(g.order.verb == ORDER_DELETE_SPI && g.order.spi == 0xc0001234);
	answer(&g, OUTCOME_DONE, PLUGIN_PEER_HAD_NONE);
	gateway_strays(&g, 0xc0001234, 530, 30);
	gateway_strays(&g, 0xc0005678, 700, 40); /* another one of the same peer: not within the pause */
	assert_int_equal(g.orders, 1);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_UNDECIDED);
	gateway_pass(&g, 200 * SECOND_NS);
	gateway_strays(&g, 0xc0009abc, 700, 40);
	assert_int_equal(g.orders, 2);
	answer(&g, OUTCOME_DONE, PLUGIN_PEER_OWNED);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	assert_int_equal(gateway_incident(&g)->rule, RULE_PEER_CONFIRMED);
	gateway_pass(&g, SECOND_NS);
	assert_int_equal(g.orders, 2); /* the connection has a child: it falls back to that */
	gateway_done(&g);
}

static void test_an_unknown_spi_is_left_alone_otherwise(void **state)
{
	struct gateway g;

	(void)state;
	/* Forged with what we send with: some peers take a DELETE for either half of a pair. */
	new_with_plugin(&g, MODE_REPAIR);
	gateway_strays(&g, X + 0x1000, 500, 40);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
	gateway_new(&g, MODE_REPAIR);
	gateway_strays(&g, 0xc0001234, 500, 40);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
	new_with_plugin(&g, MODE_ADVISE);
	gateway_strays(&g, 0xc0001234, 500, 40);
	assert_int_equal(g.orders, 0);
	assert_int_equal(gateway_incident(&g)->next.rung, RUNG_ASK_PEER);
	gateway_done(&g);
	new_with_plugin(&g, MODE_REPAIR);
	g.has_ike = false;
	gateway_pass(&g, 6 * SECOND_NS);
	gateway_strays(&g, 0xc0001234, 500, 40);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

/* Who forges them in the names of many peers leaves what act and the plugin can do to repairs. */
static void test_questions_to_many_peers_leave_room_for_a_repair(void **state)
{
	struct gateway g;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	g.more_ikes = 12;
	gateway_pass(&g, 6 * SECOND_NS);
	for (uint32_t n = 0; n < 60; n++) {
		for (uint8_t i = 1; i <= g.more_ikes; i++)
			gateway_see(&g, &(struct spimend_address){ 4, { 10, 1, 2, i } }, 0xc0001000u + i, 500 + n);
		gateway_pass(&g, 100 * MS);
	}
	assert_int_equal(g.orders, 5); /* within ten seconds */
	g.child_count = 0;
	core_child_event(g.core, &(struct child_event){ .change = CHILD_DOWN, .child = gateway_child(1, X) }, g.now);
	gateway_pass(&g, SECOND_NS / 2);
	gateway_strays(&g, X, 101, 10);
	assert_int_equal(g.orders, 6);
	assert_true(g.order.verb == ORDER_DELETE_SPI && g.order.spi == X);
	for (uint32_t n = 60; n < 140; n++) {
		for (uint8_t i = 1; i <= g.more_ikes; i++)
			gateway_see(&g, &(struct spimend_address){ 4, { 10, 1, 2, i } }, 0xc0001000u + i, 500 + n);
		gateway_pass(&g, 100 * MS);
	}
	assert_true(g.orders > 8 && g.orders <= 6 + 2 * 5 + 2);
	gateway_done(&g);
}

/* --- Reports --------------------------------------------------------------------------------------------------------- */

static void report(struct gateway *g, const struct plugin_message *m)
{
	struct plugin_report r = { .daemon = 0, .is = *m };

	assert_true(gateway_valid_report(&r));
	core_report(g->core, &r, g->now);
	gateway_drain(g);
}

static void unprotected(struct gateway *g, enum plugin_kind kind, const struct spimend_address *from)
{
	struct plugin_message m = { .kind = kind, .present = HAS(IKE_SPI_I) | HAS(IKE_SPI_R) | HAS(LOCAL) | HAS(REMOTE) |
							     HAS(LOCAL_PORT) | HAS(REMOTE_PORT), .local = own_address, .remote = *from };

	if (kind == PLUGIN_INVALID_SPI_OUTSIDE)
		m.present |= HAS(SPI) | HAS(SPI_SIZE);
	report(g, &m);
}

/* RFC 7296 2.4, 2.21.4. */
static void test_unprotected_words_are_worth_one_liveness_check(void **state)
{
	struct gateway g;
	struct core_figures f;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	g.children[0].packets_in += 5;
	gateway_pass(&g, 6 * SECOND_NS); /* a list finds them */
	unprotected(&g, PLUGIN_INVALID_SPI_OUTSIDE, &peer_address);
	unprotected(&g, PLUGIN_INVALID_SPI_OUTSIDE, &peer_address);
	for (int i = 0; i < 10; i++) { /* traffic goes on, which says it already */
		g.children[0].packets_in++;
		gateway_pass(&g, 100 * MS);
	}
	assert_int_equal(g.orders, 0);
	assert_int_equal(core_figures(g.core, g.now).hints.probes_held, 2);
	gateway_pass(&g, 20 * SECOND_NS);
	unprotected(&g, PLUGIN_INVALID_SPI_OUTSIDE, &stranger_address);
	assert_int_equal(g.orders, 0);
	for (int i = 0; i < 50; i++)
		unprotected(&g, i % 2 ? PLUGIN_INVALID_SPI_OUTSIDE : PLUGIN_INVALID_IKE_SPI, &peer_address);
	assert_int_equal(g.orders, 1);
	assert_true(g.order.verb == ORDER_LIVENESS && g.order.ike_id == 1 && gateway_valid_order(&g.order));
	answer(&g, OUTCOME_DONE, PLUGIN_DONE);
	gateway_pass(&g, 30 * SECOND_NS);
	unprotected(&g, PLUGIN_INVALID_SPI_OUTSIDE, &peer_address);
	assert_int_equal(g.orders, 1);
	gateway_pass(&g, 40 * SECOND_NS);
	unprotected(&g, PLUGIN_INVALID_SPI_OUTSIDE, &peer_address);
	assert_int_equal(g.orders, 2);
	assert_null(gateway_incident(&g)); /* and nothing else */
	f = core_figures(g.core, g.now);
	assert_int_equal(f.hints.unprotected, 55);
	assert_int_equal(f.hints.probes, 2);
	assert_int_equal(f.hints.probes_answered, 1);
	assert_int_equal(f.hints.probes_held, 52);
	gateway_done(&g);
}

/* The last packets that came in are from before the crash: a second later nothing has followed them. */
static void test_a_peer_that_has_just_fallen_silent_is_asked_within_a_second(void **state)
{
	struct gateway g;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	for (int i = 0; i < 50; i++) {
		g.children[0].packets_in++;
		gateway_pass(&g, 200 * MS);
	}
	unprotected(&g, PLUGIN_INVALID_SPI_OUTSIDE, &peer_address);
	assert_int_equal(g.orders, 0);
	gateway_pass(&g, 600 * MS);
	assert_true(g.orders == 1 && g.order.verb == ORDER_LIVENESS);
	gateway_done(&g);
}

static void test_crashes_are_counted_and_said(void **state)
{
	struct plugin_message crash = { .kind = PLUGIN_CRASH_DETECTED, .ike_id = 1, .flags = PLUGIN_ANEW, .local = own_address,
					.remote = peer_address, .present = HAS(IKE_ID) | HAS(FLAGS) | HAS(LOCAL) | HAS(REMOTE) };
	struct plugin_message token = { .kind = PLUGIN_TOKEN_REFUSED, .local = own_address, .remote = stranger_address,
					.present = HAS(IKE_SPI_I) | HAS(IKE_SPI_R) | HAS(FLAGS) | HAS(LOCAL) | HAS(REMOTE) |
						   HAS(LOCAL_PORT) | HAS(REMOTE_PORT) };
	struct core_figures f;
	struct gateway g;
	unsigned said;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	said = g.notices;
	report(&g, &crash);
	assert_int_equal(g.notices, said + 1);
	report(&g, &token);
	token.kind = PLUGIN_TOKEN_SENT;
	token.present &= ~HAS(FLAGS);
	report(&g, &token);
	f = core_figures(g.core, g.now);
	assert_true(f.hints.crashes == 1 && f.hints.tokens_refused == 1 && f.hints.tokens_sent == 1);
	assert_int_equal(g.orders, 0); /* what there was to do the plugin has done */
	gateway_done(&g);
}

/* B12: the peer has no fixed address, and there is no IKE SA with it any more. */
static void restart_without_its_peer(struct gateway *g, bool may_notify)
{
	struct connection connection = gateway_connection();

	gateway_new(g, MODE_REPAIR);
	g->config.notify_invalid_spi = may_notify;
	assert_int_equal(core_reconfigure(g->core, &g->config, g->now), 0);
	connection.dynamic_peer = true;
	connection.remote_count = 0;
	core_connections_begin(g->core, 0);
	core_connection(g->core, &connection);
	core_connections_end(g->core, 0, g->now);
	gateway_daemon(g, false, 0);
	g->has_ike = false;
	g->child_count = 0;
	struct daemon_state d = { .daemon = 0, .up = true, .user_space_esp = true, .has_boot = true, .boot = g->now.wall };
	core_daemon(g->core, &d, g->now);
	core_connections_begin(g->core, 0);
	core_connection(g->core, &connection);
	core_connections_end(g->core, 0, g->now);
	gateway_pass(g, 400 * MS);
	plugin(g, true);
}

static void test_who_cannot_initiate_tells_its_peer(void **state)
{
	struct gateway g;

	(void)state;
	restart_without_its_peer(&g, true);
	gateway_strays(&g, X, 101, 8);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	assert_int_equal(g.orders, 1);
	assert_true(g.order.verb == ORDER_NOTIFY_SPI && g.order.spi == X && g.order.protocol == 50 && g.order.peer_port == 4500 &&
		    spimend_address_equal(&g.order.local, &own_address) && spimend_address_equal(&g.order.peer, &peer_address) &&
		    gateway_valid_order(&g.order));
	answer(&g, OUTCOME_DONE, PLUGIN_SENT);
	gateway_strays(&g, X, 120, 20);
	assert_int_equal(g.orders, 1);
	g.ike.id = 2;
	g.has_ike = true;
	core_ike_event(g.core, &(struct ike_event){ .change = IKE_UP, .ike = g.ike }, g.now);
	struct child_sa child = gateway_child(2, 0xc0000002);
	child.ike_id = 2;
	gateway_child_up(&g, child);
	g.children[0].packets_in = 3;
	gateway_pass(&g, 2 * SECOND_NS);
	assert_int_equal(gateway_incident(&g)->state, STATE_HEALED);
	gateway_done(&g);
}

/* One may be lost, and a peer without spimend does nothing: few, in the back-off's steps. */
static void test_it_is_told_three_times_at_most(void **state)
{
	struct gateway g;
	unsigned given = 0;

	(void)state;
	restart_without_its_peer(&g, true);
	for (unsigned i = 0; i < 12000; i++) { /* 20 minutes */
		gateway_strays(&g, X, 101 + i, 1);
		if (g.orders == given)
			continue;
		given = g.orders;
		assert_true(given <= 3 && g.order.verb == ORDER_NOTIFY_SPI);
		answer(&g, OUTCOME_DONE, PLUGIN_SENT);
		if (given == 1)
			assert_true(i < 100);
		if (given == 2)
			assert_true(i > 550);
	}
	assert_int_equal(given, 3);
	gateway_done(&g);
}

static void test_nobody_is_told_unless_it_is_configured(void **state)
{
	struct gateway g;

	(void)state;
	restart_without_its_peer(&g, false);
	gateway_strays(&g, X, 101, 20);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
	restart_without_its_peer(&g, true);
	for (unsigned i = 0; i < 20; i++) { /* another source than the SPI was made for */
		gateway_see(&g, &stranger_address, X, 101 + i);
		gateway_pass(&g, 100 * MS);
	}
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

static void test_nothing_is_sent_in_other_modes(void **state)
{
	struct gateway g;

	(void)state;
	for (enum mode mode = MODE_OBSERVE; mode < MODE_REPAIR; mode++) {
		new_with_plugin(&g, mode);
		gateway_pass(&g, 20 * SECOND_NS);
		unprotected(&g, PLUGIN_INVALID_SPI_OUTSIDE, &peer_address);
		assert_int_equal(g.orders, 0);
		gateway_done(&g);
	}
	new_with_plugin(&g, MODE_REPAIR);
	plugin(&g, false);
	gateway_pass(&g, 20 * SECOND_NS);
	unprotected(&g, PLUGIN_INVALID_SPI_OUTSIDE, &peer_address);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

static void send_packets(struct gateway *g, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 4; i++) {
		g->children[0].packets_out += 5;
		gateway_pass(g, SECOND_NS / 4);
	}
}

/* The peer's word inside the IKE SA counts when our own counters say the same, and then sooner. */
static void test_invalid_spi_inside_needs_our_counters(void **state)
{
	struct plugin_message m = { .kind = PLUGIN_INVALID_SPI_INSIDE, .ike_id = 1, .child_id = 1, .spi = X + 0x1000,
				    .flags = PLUGIN_PROTECTED, .local = own_address, .remote = peer_address,
				    .present = HAS(IKE_ID) | HAS(SPI) | HAS(SPI_SIZE) | HAS(FLAGS) | HAS(LOCAL) | HAS(REMOTE) |
					       HAS(CHILD_ID) };
	struct gateway g;

	(void)state;
	new_with_plugin(&g, MODE_REPAIR);
	report(&g, &m);
	gateway_pass(&g, 12 * SECOND_NS); /* nothing is sent: nothing says the same (C11) */
	assert_int_equal(g.orders, 0);
	g.children[0].packets_in++;
	send_packets(&g, 2);
	report(&g, &m);
	send_packets(&g, 6);
	assert_int_equal(g.orders, 1);
	assert_int_equal(g.order.verb, ORDER_REKEY_CHILD);
	assert_true(has_evidence(&g, "inside the IKE SA that it does not know SPI 0xc0001001"));
	gateway_done(&g);
}

static void test_why_an_sa_died_is_known_from_the_report(void **state)
{
	struct plugin_message m = { .kind = PLUGIN_CHILD_DIED, .ike_id = 1, .child_id = 1, .protocol = 50, .spi = X,
				    .peer_spi = X + 0x1000, .reason = PLUGIN_WHY_EXPIRED,
				    .present = HAS(IKE_ID) | HAS(CHILD_ID) | HAS(PROTOCOL) | HAS(SPI) | HAS(PEER_SPI) | HAS(REASON) };
	struct child_event down = { .change = CHILD_DOWN };
	struct gateway g;

	(void)state;
	for (int order = 0; order < 2; order++) { /* sense's channel and act's: either may be the first */
		new_with_plugin(&g, MODE_REPAIR);
		down.child = g.children[0];
		g.child_count = 0;
		if (order)
			report(&g, &m);
		core_child_event(g.core, &down, g.now);
		gateway_drain(&g);
		if (!order)
			report(&g, &m);
		gateway_strays(&g, X, 101, 8);
		assert_int_equal(gateway_incident(&g)->death, DEATH_EXPIRED_TIME);
		assert_int_equal(gateway_incident(&g)->cause, CAUSE_LIFETIME_MISMATCH_TIME);
		gateway_done(&g);
	}
	/* One that went without a word of VICI's: the list that misses it is asked for at once. */
	new_with_plugin(&g, MODE_REPAIR);
	m.reason = PLUGIN_WHY_UNKNOWN;
	g.child_count = 0;
	gateway_pass(&g, 100 * MS);
	report(&g, &m);
	assert_int_equal(g.watch, WATCH_DEAD);
	assert_int_equal(g.ledger[0].death, DEATH_DAEMON_LOST);
	gateway_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_exact_delete_and_then_initiate),
		cmocka_unit_test(test_a_peer_that_makes_it_again_itself),
		cmocka_unit_test(test_a_closed_pair_is_never_left_lying),
		cmocka_unit_test(test_a_late_proof_does_not_end_the_rebuild),
		cmocka_unit_test(test_an_empty_answer_costs_nothing),
		cmocka_unit_test(test_what_comes_of_a_delete_is_said),
		cmocka_unit_test(test_a_peer_that_closes_another_half),
		cmocka_unit_test(test_without_it_everything_is_as_before),
		cmocka_unit_test(test_an_unknown_spi_is_asked_about_once),
		cmocka_unit_test(test_questions_to_many_peers_leave_room_for_a_repair),
		cmocka_unit_test(test_an_unknown_spi_is_left_alone_otherwise),
		cmocka_unit_test(test_unprotected_words_are_worth_one_liveness_check),
		cmocka_unit_test(test_a_peer_that_has_just_fallen_silent_is_asked_within_a_second),
		cmocka_unit_test(test_crashes_are_counted_and_said),
		cmocka_unit_test(test_who_cannot_initiate_tells_its_peer),
		cmocka_unit_test(test_it_is_told_three_times_at_most),
		cmocka_unit_test(test_nobody_is_told_unless_it_is_configured),
		cmocka_unit_test(test_nothing_is_sent_in_other_modes),
		cmocka_unit_test(test_invalid_spi_inside_needs_our_counters),
		cmocka_unit_test(test_why_an_sa_died_is_known_from_the_report),
	};

	return cmocka_run_group_tests_name("core_plugin", tests, NULL, NULL);
}
