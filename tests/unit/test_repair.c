/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan/repair.h"

/* A desync of a static peer whose child the IKE daemon has lost, in mode repair; the tests change what they are about. */
static struct repair_situation plain(void)
{
	return (struct repair_situation){
		.verdict = VERDICT_DESYNC, .cause = CAUSE_DELETE_LOST, .mode = MODE_REPAIR, .daemon_up = true, .known_peer = true,
		.has_connection = true, .connection = 99, .ike_alive = true, .ike_id = 7, .ike_children = 3, .ike_sole = true,
		.child_id = 21, .successor_id = 22, .sequence_passed = true, .attempts = 1,
	};
}

static void expect(const struct repair_situation *s, enum repair_rung rung, enum repair_refusal refusal)
{
	struct repair_decision d = repair_decide(s);

	assert_string_equal(repair_rung_name(d.rung), repair_rung_name(rung));
	assert_string_equal(repair_refusal_name(d.refusal), repair_refusal_name(refusal));
}

/* Takes the rung that is expected, as if it had been tried in vain. */
static struct repair_decision step(struct repair_situation *s, enum repair_rung rung)
{
	struct repair_decision d = repair_decide(s);

	expect(s, rung, REFUSE_NONE);
	s->tried[rung]++;
	return d;
}

static void kernel_lost_is_rekeyed_then_restarted(void **state)
{
	struct repair_situation s = plain();
	struct repair_decision d;

	(void)state;
	s.child_listed = true;
	d = step(&s, RUNG_REKEY_CHILD);
	assert_int_equal(d.first, ORDER_REKEY_CHILD);
	assert_int_equal(d.then, ORDER_NONE);
	assert_int_equal(d.child_id, 21);
	assert_int_equal(d.blast_children, 1);
	assert_false(d.opens_ike);
	d = step(&s, RUNG_RESTART_CHILD);
	assert_int_equal(d.first, ORDER_TERMINATE_CHILD);
	assert_int_equal(d.then, ORDER_INITIATE);
	assert_int_equal(d.child_id, 21);
	assert_int_equal(d.connection, 99);
	expect(&s, RUNG_NONE, REFUSE_UNPROVEN);
	assert_true(repair_decide(&s).needs_person);
	s.authenticated = true;
	d = step(&s, RUNG_RESTART_IKE);
	assert_int_equal(d.first, ORDER_TERMINATE_IKE);
	assert_int_equal(d.then, ORDER_INITIATE);
	assert_int_equal(d.ike_id, 7);
	assert_int_equal(d.blast_children, 3);
	assert_true(d.opens_ike);
	step(&s, RUNG_RESTART_IKE);
	expect(&s, RUNG_NONE, REFUSE_EXHAUSTED);
	assert_true(repair_decide(&s).needs_person);
}

static void daemon_lost_is_initiated_over_the_ike_sa(void **state)
{
	struct repair_situation s = plain();
	struct repair_decision d = step(&s, RUNG_INITIATE_CHILD);

	(void)state;
	assert_int_equal(d.first, ORDER_INITIATE);
	assert_int_equal(d.connection, 99);
	assert_false(d.opens_ike);
	expect(&s, RUNG_NONE, REFUSE_UNPROVEN);
	s.successor = true; /* the initiate made it, and it carries nothing */
	assert_int_equal(step(&s, RUNG_REKEY_CHILD).child_id, 22);
	assert_int_equal(step(&s, RUNG_RESTART_CHILD).child_id, 22);
	s.authenticated = true;
	step(&s, RUNG_RESTART_IKE);
}

static void a_broken_successor_is_rekeyed_and_a_working_one_left_alone(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.cause = CAUSE_REKEY_COLLISION;
	s.successor = true;
	assert_int_equal(repair_decide(&s).child_id, 22);
	step(&s, RUNG_REKEY_CHILD);
	s.successor_works = true;
	expect(&s, RUNG_NONE, REFUSE_SUCCESSOR_WORKS);
	assert_false(repair_decide(&s).needs_person);
}

/* Both listed: the SA of the stray itself is the narrower thing; closing it is the Delete that the peer missed. */
static void the_lost_child_goes_before_its_successor(void **state)
{
	struct repair_situation s = plain();
	struct repair_decision d;

	(void)state;
	s.child_listed = s.successor = true;
	s.has_connection = false;
	assert_int_equal(step(&s, RUNG_REKEY_CHILD).child_id, 21);
	d = step(&s, RUNG_RESTART_CHILD);
	assert_int_equal(d.child_id, 21);
	assert_int_equal(d.then, ORDER_NONE); /* it would be refused as a duplicate */
}

static void ike_lost_needs_a_fixed_peer_and_the_operators_leave(void **state)
{
	struct repair_situation s = plain();
	struct repair_decision d;

	(void)state;
	s.ike_alive = false;
	expect(&s, RUNG_INITIATE_IKE, REFUSE_NO_RECOVERY);
	assert_true(repair_decide(&s).needs_person);
	s.invalid_spi_recovery = true;
	s.dynamic_peer = true;
	expect(&s, RUNG_NONE, REFUSE_DYNAMIC);
	s.dynamic_peer = false;
	s.has_connection = false;
	expect(&s, RUNG_NONE, REFUSE_NOT_CONFIGURED);
	s.has_connection = true;
	d = step(&s, RUNG_INITIATE_IKE);
	assert_int_equal(d.first, ORDER_INITIATE);
	assert_int_equal(d.ike_id, 0);
	assert_true(d.opens_ike);
	step(&s, RUNG_INITIATE_IKE);
	expect(&s, RUNG_NONE, REFUSE_EXHAUSTED);
}

static void an_ike_sa_that_we_closed_may_be_opened_again(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.ike_alive = false;
	s.tried[RUNG_RESTART_IKE] = 1;
	expect(&s, RUNG_INITIATE_IKE, REFUSE_NONE);
}

static void a_dynamic_peer_is_helped_over_its_living_ike_sa_alone(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.dynamic_peer = true;
	expect(&s, RUNG_INITIATE_CHILD, REFUSE_NONE);
	s.ike_sole = false; /* an initiate might go to its neighbour */
	expect(&s, RUNG_NONE, REFUSE_AMBIGUOUS);
	s.child_listed = true;
	step(&s, RUNG_REKEY_CHILD);
	expect(&s, RUNG_NONE, REFUSE_AMBIGUOUS);
	s.ike_sole = true;
	step(&s, RUNG_RESTART_CHILD);
	s.authenticated = true;
	expect(&s, RUNG_NONE, REFUSE_DYNAMIC);
}

static void without_the_sequence_number_only_what_is_harmless(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.sequence_passed = false;
	s.authenticated = true;
	step(&s, RUNG_INITIATE_CHILD);
	expect(&s, RUNG_NONE, REFUSE_SEQUENCE);
	s.successor = true;
	step(&s, RUNG_REKEY_CHILD);
	expect(&s, RUNG_NONE, REFUSE_SEQUENCE); /* the successor may be well, and idle */
	s.child_listed = true;
	step(&s, RUNG_RESTART_CHILD); /* this one cannot be */
	expect(&s, RUNG_NONE, REFUSE_SEQUENCE);

	s = plain();
	s.sequence_passed = s.ike_alive = false;
	s.invalid_spi_recovery = true;
	expect(&s, RUNG_INITIATE_IKE, REFUSE_NONE); /* nothing is left that could be harmed */
	s.successor = true;
	expect(&s, RUNG_NONE, REFUSE_SEQUENCE); /* T14: an INITIAL_CONTACT would take it down */
}

static void an_encap_mismatch_goes_straight_to_the_ike_sa(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.verdict = VERDICT_OTHER_FAULT;
	s.cause = CAUSE_ENCAP_MISMATCH;
	s.child_listed = true;
	s.sequence_passed = false;
	expect(&s, RUNG_NONE, REFUSE_UNPROVEN);
	assert_false(repair_decide(&s).needs_person); /* the counters may tell yet */
	s.authenticated = true;
	step(&s, RUNG_RESTART_IKE);
	s.ike_alive = false; /* closed, and the initiate failed */
	step(&s, RUNG_INITIATE_IKE);
	s.ike_alive = true;
	step(&s, RUNG_RESTART_IKE);
	expect(&s, RUNG_NONE, REFUSE_EXHAUSTED);
	s.cause = CAUSE_LOOKUP_KEY_MISMATCH;
	expect(&s, RUNG_NONE, REFUSE_NOT_OURS);
}

static void a_suspicion_is_worth_one_rekey(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.is_suspicion = true;
	s.verdict = VERDICT_UNDECIDED;
	s.cause = CAUSE_UNKNOWN;
	s.child_listed = true;
	s.attempts = 5;
	s.authenticated = s.invalid_spi_recovery = true;
	assert_int_equal(step(&s, RUNG_REKEY_SUSPECT).child_id, 21);
	expect(&s, RUNG_NONE, REFUSE_EXHAUSTED);
	s.tried[RUNG_REKEY_SUSPECT] = 0;
	s.ike_alive = false;
	expect(&s, RUNG_NONE, REFUSE_UNPROVEN);
	s.ike_alive = true;
	s.child_listed = false;
	expect(&s, RUNG_NONE, REFUSE_VERDICT);
}

static void modes_plan_and_do_not_act(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.mode = MODE_ADVISE;
	expect(&s, RUNG_INITIATE_CHILD, REFUSE_MODE);
	s.mode = MODE_OBSERVE;
	expect(&s, RUNG_INITIATE_CHILD, REFUSE_MODE);
	s.peer_mode = PEER_REPAIR; /* does not lift the gateway's mode */
	expect(&s, RUNG_INITIATE_CHILD, REFUSE_MODE);
	s.rebuild = true; /* the mode was changed between our DELETE and what is to follow it */
	expect(&s, RUNG_INITIATE_CHILD, REFUSE_NONE);
	s.rebuild = false;
	s.mode = MODE_REPAIR;
	expect(&s, RUNG_INITIATE_CHILD, REFUSE_NONE);
	s.peer_mode = PEER_OBSERVE;
	expect(&s, RUNG_INITIATE_CHILD, REFUSE_PEER_MODE);
	s.peer_mode = PEER_IGNORE;
	expect(&s, RUNG_NONE, REFUSE_PEER_MODE);
}

static void what_forbids_everything(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.known_peer = false;
	expect(&s, RUNG_NONE, REFUSE_STRANGER);
	s = plain();
	s.verdict = VERDICT_NOISE;
	expect(&s, RUNG_NONE, REFUSE_VERDICT);
	s = plain();
	s.cause = CAUSE_EARLY_USE;
	expect(&s, RUNG_NONE, REFUSE_VERDICT);
	s = plain();
	s.cause = CAUSE_CONTROLLER_KEY_LAG;
	expect(&s, RUNG_NONE, REFUSE_NOT_OURS);
	s = plain();
	s.daemon_up = false;
	expect(&s, RUNG_NONE, REFUSE_DAEMON_DOWN);
	s = plain();
	s.ike_busy = true;
	expect(&s, RUNG_NONE, REFUSE_BUSY);
}

static void with_the_plugin_the_exact_spi_is_closed_first(void **state)
{
	struct repair_situation s = plain();
	struct repair_decision d;

	(void)state;
	s.plugin_up = true;
	d = step(&s, RUNG_DELETE_SPI);
	assert_int_equal(d.first, ORDER_DELETE_SPI);
	assert_int_equal(d.then, ORDER_NONE);
	assert_int_equal(d.ike_id, 7);
	assert_int_equal(d.blast_children, 1);
	assert_false(d.opens_ike);
	step(&s, RUNG_INITIATE_CHILD); /* an empty answer */
	/* Where the peer closed its half because of us, what is left is made again, more than once. */
	s = plain();
	s.plugin_up = s.peer_closed = s.rebuild = true;
	for (int i = 0; i < REPAIR_REBUILD_ATTEMPTS; i++)
		step(&s, RUNG_INITIATE_CHILD);
	expect(&s, RUNG_NONE, REFUSE_UNPROVEN);
	/* A bare DELETE would leave a zombie. */
	s = plain();
	s.plugin_up = s.child_listed = s.spi_listed = true;
	step(&s, RUNG_REKEY_CHILD);
	step(&s, RUNG_RESTART_CHILD);
	/* A successor that carries nothing: the peer is on the old one. */
	s = plain();
	s.plugin_up = s.successor = true;
	step(&s, RUNG_DELETE_SPI);
	step(&s, RUNG_REKEY_CHILD);
	/* No IKE SA: a new one first (B11), then the DELETE over it. */
	s = plain();
	s.plugin_up = s.invalid_spi_recovery = true;
	s.ike_alive = false;
	step(&s, RUNG_INITIATE_IKE);
	s.ike_alive = s.successor = true;
	step(&s, RUNG_DELETE_SPI);
	s = plain();
	s.ike_alive = false;
	s.plugin_up = s.dynamic_peer = true;
	expect(&s, RUNG_NONE, REFUSE_DYNAMIC);
	/* A dynamic peer among several: the IKE SA is named by its id. */
	s.ike_alive = true;
	s.ike_sole = false;
	step(&s, RUNG_DELETE_SPI);
	expect(&s, RUNG_NONE, REFUSE_AMBIGUOUS);
}

static void what_nobody_knows_is_asked_about_once(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.verdict = VERDICT_UNDECIDED;
	expect(&s, RUNG_NONE, REFUSE_VERDICT);
	s.is_unknown = true;
	expect(&s, RUNG_NONE, REFUSE_VERDICT);
	s.plugin_up = true;
	assert_int_equal(step(&s, RUNG_ASK_PEER).first, ORDER_DELETE_SPI);
	expect(&s, RUNG_NONE, REFUSE_ASKED);
	s.tried[RUNG_ASK_PEER] = 0;
	s.mode = MODE_ADVISE;
	expect(&s, RUNG_ASK_PEER, REFUSE_MODE);
	s.known_peer = false;
	expect(&s, RUNG_NONE, REFUSE_STRANGER);
	s.known_peer = true;
	s.ike_alive = false;
	expect(&s, RUNG_NONE, REFUSE_VERDICT);
}

/* RFC 7296 1.5: who cannot make an IKE SA from here tells the peer that made the SPI known. */
static void who_cannot_initiate_tells_the_peer(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.ike_alive = s.child_listed = s.successor = false;
	s.plugin_up = s.ledger_peer = s.may_notify = s.notify_covered = s.dynamic_peer = true;
	assert_int_equal(step(&s, RUNG_NOTIFY_SPI).first, ORDER_NOTIFY_SPI);
	s.known_peer = false; /* of a dynamic peer without an IKE SA only the ledger knows the address */
	assert_int_equal(step(&s, RUNG_NOTIFY_SPI).first, ORDER_NOTIFY_SPI);
	s.tried[RUNG_NOTIFY_SPI] = REPAIR_NOTIFY_ATTEMPTS;
	expect(&s, RUNG_NONE, REFUSE_DYNAMIC);
	s.tried[RUNG_NOTIFY_SPI] = 0;
	s.has_connection = false; /* nor is it configured any more */
	assert_int_equal(step(&s, RUNG_NOTIFY_SPI).first, ORDER_NOTIFY_SPI);
	s.tried[RUNG_NOTIFY_SPI] = 0;
	s.ledger_peer = false;
	expect(&s, RUNG_NONE, REFUSE_STRANGER);
	s.ledger_peer = s.known_peer = s.has_connection = true;
	s.may_notify = false;
	expect(&s, RUNG_NONE, REFUSE_DYNAMIC);
	s.may_notify = true;
	s.notify_covered = false;
	expect(&s, RUNG_NONE, REFUSE_DYNAMIC);
	s.notify_covered = true;
	s.plugin_up = false;
	expect(&s, RUNG_NONE, REFUSE_DYNAMIC);
	s.plugin_up = true;
	s.dynamic_peer = false;
	s.has_connection = s.invalid_spi_recovery = true;
	assert_int_equal(step(&s, RUNG_INITIATE_IKE).first, ORDER_INITIATE);
	s.tried[RUNG_INITIATE_IKE] = 0;
	s.invalid_spi_recovery = false;
	assert_int_equal(step(&s, RUNG_NOTIFY_SPI).first, ORDER_NOTIFY_SPI);
}

static void no_more_bytes_go_out_than_came_in(void **state)
{
	(void)state;
	assert_false(repair_notify_is_covered(4, 50, false, 2, 1)); /* 56 bytes for 68 */
	assert_true(repair_notify_is_covered(4, 50, false, 3, 1));
	assert_false(repair_notify_is_covered(4, 50, false, 3, 2));
	assert_true(repair_notify_is_covered(4, 50, true, 2, 1)); /* 72 for 72 */
	assert_false(repair_notify_is_covered(6, 50, false, 1, 1));
	assert_true(repair_notify_is_covered(6, 51, false, 2, 1));
	assert_false(repair_notify_is_covered(4, 50, false, 0, 1));
}

/* --- All situations ------------------------------------------------------------------------------------------------- */

#define BOOLEANS 14

/* B12 and ours: with nothing left, whom no connection names is not called; over a living IKE SA all are helped. */
static void each_kind_has_its_answer(void **state)
{
	(void)state;
	for (int k = 0; k < TUNNEL_KINDS; k++) {
		struct repair_answer a = repair_answer_of((enum tunnel_kind)k, true, true, false);
		bool dynamic = k == TUNNEL_DYNAMIC_CRYPTO_MAP || k == TUNNEL_MGRE_NHRP_DYNAMIC;

		assert_int_equal(a.over_ike.rung, RUNG_INITIATE_CHILD);
		assert_int_equal(a.over_ike.refusal, REFUSE_NONE);
		assert_int_equal(repair_answer_of((enum tunnel_kind)k, true, true, true).over_ike.rung, RUNG_DELETE_SPI);
		assert_int_equal(a.without_ike.rung, dynamic ? RUNG_NONE : RUNG_INITIATE_IKE);
		assert_int_equal(a.without_ike.refusal, dynamic ? REFUSE_DYNAMIC : REFUSE_NONE);
		if (!dynamic)
			assert_int_equal(repair_answer_of((enum tunnel_kind)k, true, false, false).without_ike.refusal, REFUSE_NO_RECOVERY);
		assert_int_equal(repair_answer_of((enum tunnel_kind)k, false, true, false).without_ike.refusal, REFUSE_NOT_CONFIGURED);
	}
}

/* One without a fixed address that lost its IKE SA is no stranger, and nothing is done of it all the same. */
static void a_dynamic_peer_that_is_gone_is_no_stranger(void **state)
{
	struct repair_situation s = plain();

	(void)state;
	s.known_peer = s.ike_alive = false;
	expect(&s, RUNG_NONE, REFUSE_STRANGER);
	s.dynamic_peer = true;
	expect(&s, RUNG_NONE, REFUSE_DYNAMIC);
	assert_true(repair_decide(&s).needs_person);
	s.verdict = VERDICT_TRANSIENT;
	expect(&s, RUNG_NONE, REFUSE_VERDICT);
	s.verdict = VERDICT_DESYNC;
	s.has_connection = false;
	expect(&s, RUNG_NONE, REFUSE_STRANGER);
}

static struct repair_situation situation_of(uint32_t bits)
{
	struct repair_situation s = plain();
	bool *const all[BOOLEANS] = {
		&s.is_suspicion, &s.daemon_up, &s.known_peer, &s.invalid_spi_recovery, &s.has_connection, &s.dynamic_peer,
		&s.ike_alive, &s.ike_busy, &s.ike_sole, &s.child_listed, &s.successor, &s.successor_works, &s.sequence_passed,
		&s.authenticated,
	};

	for (unsigned i = 0; i < BOOLEANS; i++)
		*all[i] = bits >> i & 1;
	return s;
}

#define PLUGIN_BOOLEANS 8 /* drawn for each situation: all together would be too many */

static void draw_plugin(struct repair_situation *s, uint64_t bits)
{
	bool *const all[PLUGIN_BOOLEANS] = { &s->plugin_up, &s->spi_listed, &s->is_unknown, &s->peer_closed, &s->rebuild,
					       &s->ledger_peer, &s->may_notify, &s->notify_covered };

	for (unsigned i = 0; i < PLUGIN_BOOLEANS; i++)
		*all[i] = bits >> i & 1;
	s->spi_listed |= s->child_listed;
}

/* The narrower one is tried first. */
static unsigned width_of(enum repair_rung rung)
{
	return rung == RUNG_DELETE_SPI || rung == RUNG_ASK_PEER ? 0 : rung;
}

static bool touches_ike(enum repair_rung rung)
{
	return rung == RUNG_RESTART_IKE;
}

/* What must hold of every decision; NULL, or what does not. */
static const char *broken_rule(const struct repair_situation *s, const struct repair_decision *d)
{
	bool t9 = s->cause == CAUSE_ENCAP_MISMATCH && (s->verdict == VERDICT_DESYNC || s->verdict == VERDICT_OTHER_FAULT);
	bool acts = d->rung && !d->refusal;
	uint32_t most;

	if (!d->rung != !d->first || (!d->rung && d->then))
		return "a rung has a verb";
	if (!d->rung && !d->refusal)
		return "nothing is done without a reason";
	if (d->rung && d->refusal && d->refusal != REFUSE_MODE && d->refusal != REFUSE_PEER_MODE &&
	    d->refusal != REFUSE_NO_RECOVERY)
		return "this refusal plans nothing";
	if (d->rung && !s->known_peer && d->rung != RUNG_NOTIFY_SPI)
		return "never a stranger";
	if ((d->first == ORDER_NOTIFY_SPI) != (d->rung == RUNG_NOTIFY_SPI))
		return "a notice is a rung of its own";
	if (d->rung == RUNG_NOTIFY_SPI && (!s->may_notify || !s->plugin_up || !s->ledger_peer || !s->notify_covered ||
					   s->ike_alive || s->child_listed || s->successor ||
					   s->verdict != VERDICT_DESYNC || t9 || s->is_suspicion))
		return "a notice goes to whom the ledger knows, where nothing is left, if it may and if enough came";
	if (d->rung == RUNG_NOTIFY_SPI && s->known_peer && s->has_connection && !s->dynamic_peer && s->invalid_spi_recovery &&
	    s->tried[RUNG_INITIATE_IKE] < REPAIR_IKE_ATTEMPTS)
		return "who can initiate does";
	if (d->rung && (s->ike_busy || !s->daemon_up))
		return "hands off";
	if (d->rung && s->verdict != VERDICT_DESYNC && !t9 && !(s->is_suspicion && s->verdict == VERDICT_UNDECIDED)
	    && !(d->rung == RUNG_ASK_PEER && s->is_unknown && s->verdict == VERDICT_UNDECIDED))
		return "only a desync, a suspicion, a question or T9";
	if ((d->first == ORDER_DELETE_SPI) != (d->rung == RUNG_DELETE_SPI || d->rung == RUNG_ASK_PEER))
		return "a DELETE is a rung of its own";
	if (d->first == ORDER_DELETE_SPI && (!s->plugin_up || !s->ike_alive || s->spi_listed || d->then))
		return "the plugin closes at the peer what is nobody's here, over a living IKE SA";
	if (d->rung == RUNG_DELETE_SPI && (s->peer_closed || s->rebuild))
		return "what is closed is not closed again";
	if (d->rung == RUNG_ASK_PEER && (!s->is_unknown || s->tried[RUNG_ASK_PEER]))
		return "one question about what nobody knows";
	if (s->plugin_up && s->ike_alive && !s->spi_listed && !s->peer_closed && !s->rebuild && !t9 && !s->is_suspicion
	    && s->verdict == VERDICT_DESYNC && !s->tried[RUNG_DELETE_SPI] && d->rung && d->rung != RUNG_DELETE_SPI)
		return "the exact DELETE goes first";
	if (touches_ike(d->rung) && (!s->authenticated || !s->ike_alive || !s->has_connection || s->dynamic_peer))
		return "an IKE SA is closed on authenticated evidence, and if it can be opened again";
	if (touches_ike(d->rung) && !s->sequence_passed && !t9)
		return "never the IKE SA for a replay";
	if (d->rung && t9 && d->rung != RUNG_RESTART_IKE && d->rung != RUNG_INITIATE_IKE)
		return "T9 is cured by the IKE SA alone";
	if (d->rung == RUNG_INITIATE_IKE && (s->ike_alive || !s->has_connection || s->dynamic_peer))
		return "B12";
	if (acts && d->rung == RUNG_INITIATE_IKE && !s->invalid_spi_recovery && !s->tried[RUNG_RESTART_IKE])
		return "B11";
	if (d->rung && d->rung != RUNG_INITIATE_IKE && d->rung != RUNG_NOTIFY_SPI && !s->ike_alive)
		return "over a living IKE SA";
	if ((d->first == ORDER_INITIATE || d->then == ORDER_INITIATE) && !s->has_connection)
		return "only what is configured is initiated";
	if ((d->first == ORDER_INITIATE || d->then == ORDER_INITIATE) && s->dynamic_peer && !s->ike_sole)
		return "never to a neighbour";
	if (d->rung == RUNG_INITIATE_CHILD && (s->child_listed || s->successor))
		return "an initiate beside a listed child is refused as a duplicate";
	if (d->rung == RUNG_RESTART_CHILD && !s->sequence_passed && !s->child_listed)
		return "no child that might work is closed for a replay";
	if (d->rung && s->successor && s->successor_works && !s->is_suspicion)
		return "a successor that works ends it";
	if (d->rung && s->is_suspicion && !t9 && d->rung != RUNG_REKEY_SUSPECT)
		return "a suspicion is worth a rekey";
	if (d->rung == RUNG_REKEY_SUSPECT && (!s->is_suspicion || s->tried[RUNG_REKEY_SUSPECT]))
		return "one rekey for a suspicion";
	if (d->child_id && !(d->child_id == 21 ? s->child_listed : s->successor))
		return "only a child that is listed";
	if ((d->first == ORDER_REKEY_CHILD || d->first == ORDER_TERMINATE_CHILD) != (d->child_id != 0))
		return "a child is named by its id";
	if (d->opens_ike != (d->rung == RUNG_RESTART_IKE || d->rung == RUNG_INITIATE_IKE))
		return "opens_ike";
	if (acts && (s->mode != MODE_REPAIR || s->peer_mode == PEER_OBSERVE || s->peer_mode == PEER_IGNORE)
	    && !(s->rebuild && d->rung == RUNG_INITIATE_CHILD && s->peer_mode != PEER_IGNORE))
		return "modes, but for what our own DELETE took down";
	most = d->opens_ike ? REPAIR_IKE_ATTEMPTS : d->rung == RUNG_NOTIFY_SPI ? REPAIR_NOTIFY_ATTEMPTS :
	       s->attempts ? s->attempts : 1;
	if (d->rung && s->tried[d->rung] >= most
	    && !(d->rung == RUNG_INITIATE_CHILD && s->rebuild && s->tried[d->rung] < REPAIR_REBUILD_ATTEMPTS))
		return "not more often than it may be";
	if (touches_ike(d->rung) && !t9 && !s->tried[RUNG_REKEY_CHILD] && !s->tried[RUNG_INITIATE_CHILD])
		return "narrowest first";
	if (d->rung == RUNG_RESTART_CHILD && !s->tried[RUNG_REKEY_CHILD])
		return "a rekey goes first";
	if (d->rung && d->blast_children < 1)
		return "it disturbs one at least";
	return NULL;
}

static void every_decision_of_all_situations_keeps_the_rules(void **state)
{
	static const enum cause causes[] = { CAUSE_UNKNOWN, CAUSE_RECEIVER_LOST_STATE, CAUSE_ENCAP_MISMATCH, CAUSE_EARLY_USE,
					     CAUSE_WRONG_NODE };
	uint64_t random = 1;

	(void)state;
	for (uint32_t bits = 0; bits < 1u << BOOLEANS; bits++) {
		struct repair_situation s = situation_of(bits);

		for (uint32_t i = 0; i < 5 * 5 * MODES * PEER_MODES; i++) {
			struct repair_decision d;
			const char *broken;

			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			s.verdict = i % 5;
			s.cause = causes[i / 5 % 5];
			s.mode = i / 25 % MODES;
			s.peer_mode = i / 25 / MODES;
			s.attempts = (uint32_t)(random >> 60 & 3);
			for (unsigned rung = 0; rung < RUNGS; rung++)
				s.tried[rung] = (uint32_t)(random >> (30 + 2 * rung) & 3);
			draw_plugin(&s, random >> 20);
			d = repair_decide(&s);
			broken = broken_rule(&s, &d);
			if (broken)
				fail_msg("situation %x, %u: %s (rung %s, refusal %s)", bits, i, broken, repair_rung_name(d.rung),
					 repair_refusal_name(d.refusal));
		}
	}
}

static void every_ladder_goes_from_narrow_to_wide_and_ends(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 1u << BOOLEANS; bits++) {
		for (unsigned cause = 0; cause < CAUSE_COUNT; cause++) {
			struct repair_situation s = situation_of(bits);
			unsigned before = 0;
			struct repair_decision d;
			unsigned steps = 0;

			s.cause = cause;
			s.attempts = 2;
			s.verdict = s.is_suspicion ? VERDICT_UNDECIDED : VERDICT_DESYNC;
			draw_plugin(&s, bits * UINT64_C(2654435761) >> 16 ^ cause);
			while (d = repair_decide(&s), d.rung && !d.refusal) {
				const char *broken = broken_rule(&s, &d);

				if (broken)
					fail_msg("situation %x, cause %u: %s", bits, cause, broken);
				assert_true(width_of(d.rung) >= before);
				assert_true(++steps <= 10);
				before = width_of(d.rung);
				s.tried[d.rung]++;
			}
		}
	}
}

static void every_rung_and_refusal_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RUNGS; i++) {
		assert_non_null(repair_rung_name(i));
		assert_true(strlen(repair_rung_help(i)) > 10);
		for (unsigned other = 0; other < i; other++)
			assert_string_not_equal(repair_rung_name(i), repair_rung_name(other));
	}
	for (unsigned i = 0; i < REFUSALS; i++) {
		assert_non_null(repair_refusal_name(i));
		assert_true(strlen(repair_refusal_help(i)) > 10);
		assert_int_equal(repair_refusal_help(i)[strlen(repair_refusal_help(i)) - 1], '.');
		for (unsigned other = 0; other < i; other++)
			assert_string_not_equal(repair_refusal_name(i), repair_refusal_name(other));
	}
	assert_string_equal(repair_rung_name(RUNGS), "?");
	assert_string_equal(repair_refusal_help(REFUSALS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_lost_is_rekeyed_then_restarted),
		cmocka_unit_test(daemon_lost_is_initiated_over_the_ike_sa),
		cmocka_unit_test(a_broken_successor_is_rekeyed_and_a_working_one_left_alone),
		cmocka_unit_test(the_lost_child_goes_before_its_successor),
		cmocka_unit_test(ike_lost_needs_a_fixed_peer_and_the_operators_leave),
		cmocka_unit_test(an_ike_sa_that_we_closed_may_be_opened_again),
		cmocka_unit_test(a_dynamic_peer_is_helped_over_its_living_ike_sa_alone),
		cmocka_unit_test(without_the_sequence_number_only_what_is_harmless),
		cmocka_unit_test(an_encap_mismatch_goes_straight_to_the_ike_sa),
		cmocka_unit_test(a_suspicion_is_worth_one_rekey),
		cmocka_unit_test(with_the_plugin_the_exact_spi_is_closed_first),
		cmocka_unit_test(what_nobody_knows_is_asked_about_once),
		cmocka_unit_test(who_cannot_initiate_tells_the_peer),
		cmocka_unit_test(no_more_bytes_go_out_than_came_in),
		cmocka_unit_test(modes_plan_and_do_not_act),
		cmocka_unit_test(what_forbids_everything),
		cmocka_unit_test(every_decision_of_all_situations_keeps_the_rules),
		cmocka_unit_test(each_kind_has_its_answer),
		cmocka_unit_test(a_dynamic_peer_that_is_gone_is_no_stranger),
		cmocka_unit_test(every_ladder_goes_from_narrow_to_wide_and_ends),
		cmocka_unit_test(every_rung_and_refusal_has_a_name_and_a_sentence),
	};

	return cmocka_run_group_tests_name("repair", tests, NULL, NULL);
}
