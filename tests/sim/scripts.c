/* SPDX-License-Identifier: MIT */
/*
 * Fixed histories: each fault of faults.md section c that a strongSwan gateway can have, and the field cases of its
 * section e as far as two daemons like charon can play them; with the verdict, cause and rung that must come out, and how
 * long the outage may be, from the first stray on. R is node 0 and runs spimend unless the case says otherwise.
 */
#include "sim.h"

#define C(cause) (1u << CAUSE_##cause)
#define CALM 0u /* no incident may be a desync, nothing may be ordered */

struct script {
	const char *name;
	enum fault_kind fault;
	uint32_t causes;         /* any of these; CALM */
	enum repair_rung rung;   /* of the first order; RUNG_NONE: none may be given */
	int64_t bound;           /* from the first stray to traffic; 0: need not heal */
	enum repair_refusal refusal; /* where no order is given to a desync */
	enum { KERNEL = 1, USER = 2, V1 = 4, V2 = 8, ADVISE = 16, OBSERVE = 32, NO_RECOVERY = 64, DYNAMIC = 128, SENDER = 256,
	       BOTH = 512, IGNORED = 1024, STARTS = 2048, RESTART_ON_CLOSE = 4096, ONE_WAY = 8192, PEER_SIDE = 16384,
	       PLUGIN = 32768,
	       CLEAN = 65536 /* both ends have one child afterwards */ } how;
	void (*before)(struct world *w), (*after)(struct world *w);
};

#define ANY (KERNEL | USER | V1 | V2)

static void lose_qm3(struct world *w)
{
	struct child *c = child_of_peer(&w->nodes[1], 0);

	daemon_rekey(&w->nodes[1], c ? c->id : 0, 0);
	world_run(w, w->now + 5 * MS);
	w->net.ike_blocked[1][0] = true; /* its third message */
	world_run(w, w->now + 900 * MS);
	w->net.ike_blocked[1][0] = false;
}

static void forge(struct world *w, bool random_spis, bool peer_random, bool replays)
{
	w->forger = (struct forger){ .random_spis = random_spis, .peer_random = peer_random, .replays = replays, .gap = 20 * MS };
	post(w, 0, EV_FORGE, 0, 0, 0, 0, NULL);
}

static void close_start(struct world *w)
{
	w->nodes[1].setup[0].close_start = true;
}

static void odd_peer(struct world *w)
{
	w->nodes[1].odd_answers = true;
}

static void lose_answers(struct world *w)
{
	world_run(w, w->now + 100 * MS);
	w->net.ike_blocked[1][0] = true;
	world_run(w, w->now + 3 * SEC);
	w->net.ike_blocked[1][0] = false;
}

/* While R's DELETE is sent again and again, R's daemon drops the IKE SA (a person did that). */
static void lose_ike(struct world *w)
{
	struct ike *s;

	world_run(w, w->now + 100 * MS);
	w->net.ike_blocked[0][1] = w->net.ike_blocked[1][0] = true;
	world_run(w, w->now + 2 * SEC);
	s = ike_of_peer(&w->nodes[0], 1);
	if (s)
		ike_remove(&w->nodes[0], s->id, true, END_DELETED);
	world_run(w, w->now + SEC);
	w->net.ike_blocked[0][1] = w->net.ike_blocked[1][0] = false;
}

static void notify(struct world *w)
{
	w->forger = (struct forger){ .notifies = true, .gap = 20 * MS };
	post(w, 0, EV_FORGE, 0, 0, 0, 0, NULL);
}

static void scan(struct world *w)
{
	forge(w, true, false, false);
}

static void spoof(struct world *w)
{
	forge(w, false, true, false);
}

static void flood(struct world *w)
{
	forge(w, true, true, false);
}

static void record(struct world *w)
{
	w->forger.replays = true; /* plane_traffic() records */
}

static void replay_dead(struct world *w)
{
	world_run(w, w->now + 8 * SEC); /* the rekeyed one is gone */
	forge(w, false, false, true);
}

static void crash_core_soon(struct world *w)
{
	fault_add(w, w->now + 700 * MS, FAULT_CORE_CRASH, 0, 1, 300 * MS);
}

static void crash_act_soon(struct world *w)
{
	fault_add(w, w->now + 500 * MS, FAULT_ACT_CRASH, 0, 1, 300 * MS);
}

static void crash_sense_soon(struct world *w)
{
	fault_add(w, w->now + 100 * MS, FAULT_SENSE_CRASH, 0, 1, 300 * MS);
}

static void crash_all(struct world *w)
{
	for (int i = 0; i < 3; i++)
		fault_add(w, w->now + (2 + 6 * i) * SEC, (enum fault_kind)(FAULT_CORE_CRASH + i), 0, 1, 500 * MS);
}

static void lose_the_other_too(struct world *w)
{
	hint_tell(&w->nodes[0], HINT_COLLISION, 0, 1);
	fault_add(w, w->now, FAULT_LOSE_ALL, 0, 1, 0);
}

static void second_ike_of_peer(struct world *w)
{
	fault_add(w, w->now, FAULT_SECOND_IKE, 1, 0, 0);
	world_run(w, w->now + SEC);
}

static const struct script scripts[] = {
	/* Section c */
	{ "T1 rekey: nothing happens", FAULT_REKEY, CALM, RUNG_NONE, 0, 0, ANY, NULL, NULL },
	{ "T1 rekeys from both ends: nothing happens", FAULT_BOTH_REKEY, CALM, RUNG_NONE, 0, 0, ANY | BOTH, NULL, NULL },
	{ "T1 rekey of the IKE SA: nothing happens", FAULT_IKE_REKEY, CALM, RUNG_NONE, 0, 0, KERNEL | USER | V2 | BOTH, NULL, NULL },
	{ "T1 all roles crash one after the other: nothing happens", FAULT_RECONFIGURE, CALM, RUNG_NONE, 0, 0, ANY | BOTH, NULL, crash_all },
	{ "T1b early use: the third message of quick mode is lost", FAULT_RECONFIGURE, CALM, RUNG_NONE, 0, 0, KERNEL | USER | V1, NULL,
	  lose_qm3 },
	{ "T2, C2 and C3: a rekey collision leaves the sender on the old SA", FAULT_COLLISION, C(REKEY_COLLISION) | C(DELETE_LOST),
	  RUNG_REKEY_CHILD, 2 * SEC, 0, KERNEL | V2, NULL, NULL },
	{ "T2: the same in user-space ESP, which tells nobody when the old SA ends", FAULT_COLLISION, C(REKEY_COLLISION) | C(DELETE_LOST),
	  RUNG_REKEY_CHILD, 6 * SEC, 0, USER | V2, NULL, NULL },
	{ "T2, C4: response and DELETE out of order, both children gone", FAULT_RECONFIGURE, C(REKEY_COLLISION) | C(CHILD_MISSING),
	  RUNG_INITIATE_CHILD, 1200 * MS, 0, KERNEL | V2, NULL, lose_the_other_too },
	{ "T3 the DELETE was lost", FAULT_DELETE_LOST, C(DELETE_LOST) | C(UNILATERAL_DELETE), RUNG_INITIATE_IKE, 1200 * MS, 0,
	  KERNEL | USER | V2, NULL, NULL },
	{ "T3, C5: the unacknowledged DELETE was lost", FAULT_DELETE_LOST, C(DELETE_LOST) | C(UNILATERAL_DELETE), RUNG_INITIATE_CHILD,
	  1200 * MS, 0, KERNEL | USER | V1, NULL, NULL },
	{ "T4, C10: the receiver's daemon was killed and started anew", FAULT_DAEMON_RESTART, C(RECEIVER_LOST_STATE), RUNG_INITIATE_IKE,
	  1700 * MS, 0, ANY, NULL, NULL },
	{ "T4: without crypto isakmp invalid-spi-recovery it is only planned", FAULT_DAEMON_RESTART, C(RECEIVER_LOST_STATE), RUNG_NONE, 0,
	  REFUSE_NO_RECOVERY, ANY | NO_RECOVERY, NULL, NULL },
	{ "T4, B12: towards a dynamic peer nobody here can start", FAULT_DAEMON_RESTART, C(RECEIVER_LOST_STATE), RUNG_NONE, 0,
	  REFUSE_DYNAMIC, ANY | DYNAMIC, NULL, NULL },
	{ "T4: the machine was rebooted", FAULT_REBOOT, C(RECEIVER_LOST_STATE), RUNG_INITIATE_IKE, 2500 * MS, 0, ANY, NULL, NULL },
	{ "T4: its kernel kept the SAs, they work", FAULT_ORPHANS, CALM, RUNG_NONE, 0, 0, KERNEL | V1 | V2, NULL, NULL },
	{ "T4: both ends have spimend, one repairs", FAULT_DAEMON_RESTART, C(RECEIVER_LOST_STATE), RUNG_INITIATE_IKE, 1700 * MS, 0,
	  ANY | BOTH, NULL, NULL },
	{ "T6: the receiver's lifetime is shorter", FAULT_EXPIRE, C(LIFETIME_MISMATCH_TIME), RUNG_INITIATE_CHILD, 1200 * MS, 0,
	  KERNEL | USER | V1, NULL, NULL },
	{ "T11: the data plane forgot the SA", FAULT_FORGET, C(CHILD_MISSING), RUNG_REKEY_CHILD, SEC, 0, KERNEL | V1 | V2, NULL, NULL },
	{ "T11: user-space ESP forgot the SA, which nobody tells", FAULT_FORGET, C(CHILD_MISSING), RUNG_REKEY_CHILD, 3500 * MS, 0,
	  USER | V1 | V2, NULL, NULL },
	{ "T11: the SAD was flushed", FAULT_FLUSH, C(CHILD_MISSING), RUNG_REKEY_CHILD, SEC, 0, KERNEL | V1 | V2, NULL, NULL },
	{ "T11: the daemon lost its child", FAULT_LOSE, C(CHILD_MISSING), RUNG_INITIATE_CHILD, SEC, 0, KERNEL | V1 | V2, NULL, NULL },
	{ "T11: the daemon lost its child, user-space ESP", FAULT_LOSE, C(CHILD_MISSING), RUNG_INITIATE_CHILD, 2 * SEC, 0, USER | V1 | V2,
	  NULL, NULL },
	{ "T11: a dynamic peer that holds an IKE SA is helped", FAULT_LOSE, C(CHILD_MISSING), RUNG_INITIATE_CHILD, SEC, 0,
	  KERNEL | V1 | V2 | DYNAMIC, NULL, NULL },
	{ "T12, C1: of two children the sender's newest is not there", FAULT_LOSE, C(DUPLICATE_IKE_SA) | C(CHILD_MISSING), RUNG_REKEY_CHILD,
	  1200 * MS, 0, KERNEL | V2, second_ike_of_peer, NULL },
	{ "T19, C17: a stranger scans", FAULT_RECONFIGURE, CALM, RUNG_NONE, 0, 0, ANY, NULL, scan },
	{ "T19: random SPIs from the peer's address", FAULT_RECONFIGURE, CALM, RUNG_NONE, 0, 0, ANY, NULL, spoof },
	{ "T19: recorded packets of a rekeyed SA are replayed", FAULT_REKEY, CALM, RUNG_NONE, 0, 0, KERNEL | USER | V2, record, replay_dead },
	{ "T19: a flood loses no real incident", FAULT_LOSE, C(CHILD_MISSING), RUNG_INITIATE_CHILD, 1200 * MS, 0, KERNEL | V1 | V2, flood,
	  NULL },
	/* Section e, the others */
	{ "C6: one end uses UDP encapsulation, the other does not", FAULT_ENCAP, C(ENCAP_MISMATCH), RUNG_RESTART_IKE, 60 * SEC, 0,
	  KERNEL | V2, NULL, NULL },
	{ "C7: answers go to the client's old address: no finding at the server", FAULT_DEAF, CALM, RUNG_NONE, 0, 0, ANY, NULL, NULL },
	{ "C8: an operator closes the child on both ends: nobody brings it back", FAULT_TERMINATE, CALM, RUNG_NONE, 0, 0, ANY, NULL, NULL },
	{ "C12: the peer closed its end without a DELETE; the sender suspects it", FAULT_LOSE_ALL, 0, RUNG_REKEY_SUSPECT, 16 * SEC, 0,
	  KERNEL | USER | V2 | SENDER, NULL, NULL },
	/* Modes and crashes */
	/* With spimend's plugin inside the IKE daemon */
	{ "3b: the exact DELETE, and both ends are clean", FAULT_LOSE, C(CHILD_MISSING), RUNG_DELETE_SPI, 1200 * MS, 0,
	  KERNEL | V1 | V2 | PLUGIN | CLEAN, NULL, NULL },
	{ "3b: the exact DELETE, user-space ESP", FAULT_LOSE, C(CHILD_MISSING), RUNG_DELETE_SPI, 2 * SEC, 0,
	  USER | V1 | V2 | PLUGIN | CLEAN, NULL, NULL },
	{ "3b: a peer that makes the SA again by itself", FAULT_LOSE, C(CHILD_MISSING), RUNG_DELETE_SPI, 2 * SEC, 0, ANY | PLUGIN | CLEAN,
	  close_start, NULL },
	{ "3b: a dynamic peer over the IKE SA that it holds", FAULT_LOSE, C(CHILD_MISSING), RUNG_DELETE_SPI, 1200 * MS, 0,
	  KERNEL | V1 | V2 | DYNAMIC | PLUGIN | CLEAN, NULL, NULL },
	{ "3b: the data plane alone lost it: the rekey stays first", FAULT_FORGET, C(CHILD_MISSING), RUNG_REKEY_CHILD, 0, 0,
	  KERNEL | V2 | PLUGIN | CLEAN, NULL, NULL },
	{ "3b: a peer that answers with a DELETE for its own SA", FAULT_LOSE, C(CHILD_MISSING), RUNG_DELETE_SPI, 2 * SEC, 0, ANY | PLUGIN,
	  odd_peer, NULL },
	{ "3b: the answer to the DELETE is lost, and comes later", FAULT_LOSE, C(CHILD_MISSING), RUNG_DELETE_SPI, 20 * SEC, 0,
	  KERNEL | USER | V2 | PLUGIN, NULL, lose_answers },
	{ "3b: the IKE SA goes away while the DELETE waits", FAULT_LOSE, C(CHILD_MISSING), RUNG_DELETE_SPI, 40 * SEC, 0,
	  KERNEL | USER | V2 | PLUGIN, NULL, lose_ike },
	{ "3b: core crashes in mid-repair", FAULT_LOSE, C(CHILD_MISSING), RUNG_DELETE_SPI, 4 * SEC, 0, ANY | PLUGIN, NULL, crash_core_soon },
	{ "3b: act crashes in mid-repair", FAULT_LOSE, C(CHILD_MISSING), RUNG_DELETE_SPI, 20 * SEC, 0, ANY | PLUGIN, NULL, crash_act_soon },
	{ "forged INVALID_SPI: bounded liveness checks, and nothing else", FAULT_RECONFIGURE, CALM, RUNG_NONE, 0, 0, ANY | PLUGIN | BOTH,
	  notify, NULL },
	{ "mode advise plans and does nothing", FAULT_LOSE, C(CHILD_MISSING), RUNG_NONE, 0, REFUSE_MODE, ANY | ADVISE, NULL, NULL },
	{ "mode observe does nothing", FAULT_LOSE, C(CHILD_MISSING), RUNG_NONE, 0, REFUSE_MODE, ANY | OBSERVE, NULL, NULL },
	{ "peer observe: nothing is done for it", FAULT_LOSE, C(CHILD_MISSING), RUNG_NONE, 0, REFUSE_PEER_MODE, ANY | IGNORED, NULL, NULL },
	{ "core crashes in mid-repair", FAULT_LOSE, C(CHILD_MISSING), RUNG_INITIATE_CHILD, 3 * SEC, 0, ANY, NULL, crash_core_soon },
	{ "act crashes in mid-repair", FAULT_LOSE, C(CHILD_MISSING), RUNG_INITIATE_CHILD, 16 * SEC, 0, ANY, NULL, crash_act_soon },
	{ "sense crashes in mid-repair", FAULT_LOSE, C(CHILD_MISSING), RUNG_INITIATE_CHILD, 3 * SEC, 0, ANY, NULL, crash_sense_soon },
};

int scripts_count(void)
{
	return (int)(sizeof(scripts) / sizeof(scripts[0]));
}

static void describe(struct setup *s, const struct script *script, bool user_space, uint8_t version)
{
	setup_default(s);
	s->version = version;
	s->user_space[0] = s->user_space[1] = user_space;
	s->mode = script->how & ADVISE ? MODE_ADVISE : script->how & OBSERVE ? MODE_OBSERVE : MODE_REPAIR;
	s->recovery = !(script->how & NO_RECOVERY);
	s->dynamic_peers = (script->how & DYNAMIC) != 0;
	s->plugin = (script->how & PLUGIN) != 0;
	if (script->how & SENDER)
		s->core[0] = false;
	if (script->how & (SENDER | BOTH))
		s->core[1] = true;
}

/* What is wrong, in `why`; empty when all is as it must be. */
static void judge_history(struct world *w, const struct script *script, uint8_t observer, char *why, size_t size)
{
	struct gateway *g = &w->nodes[observer].g;
	const struct core_incident *is, *found = NULL;
	int64_t outage = w->outage_worst;

	*why = 0;
	if (w->failed) {
		snprintf(why, size, "%s", w->failure);
		return;
	}
	for (size_t i = 0; (is = core_incident_at(g->core, i)); i++) {
		bool wanted = script->rung == RUNG_REKEY_SUSPECT ? is->is_suspicion
							         : is->verdict == VERDICT_DESYNC || is->verdict == VERDICT_OTHER_FAULT;

		if (wanted && !found)
			found = is;
	}
	if (script->causes == CALM && script->rung == RUNG_NONE && found)
		snprintf(why, size, "incident %s: %s %s", found->id, verdict_name(found->verdict), cause_name(found->cause));
	else if (script->rung == RUNG_NONE && g->given_count)
		snprintf(why, size, "%u orders, first %s", g->given_count, order_verb_name(g->given[0].verb));
	else if ((script->causes || script->rung) && !found)
		snprintf(why, size, "no incident");
	else if (script->causes && !(script->causes & 1u << found->cause))
		snprintf(why, size, "incident %s: cause %s", found->id, cause_name(found->cause));
	else if (script->refusal && found->next.refusal != script->refusal
		 && !(script->how & DYNAMIC && found->next.refusal == REFUSE_STRANGER))
		snprintf(why, size, "incident %s: refusal %s", found->id, repair_refusal_name(found->next.refusal));
	else if (script->rung && (!g->given_count || g->given_more[0].rung != script->rung))
		snprintf(why, size, "first rung %s", g->given_count ? repair_rung_name(g->given_more[0].rung) : "none");
	else if (script->bound && (w->truth[0].holes[1].open || outage > script->bound))
		snprintf(why, size, "outage %.3f s%s, at most %.1f", (double)outage / 1e9, w->truth[0].holes[1].open ? ", not over" : "",
			 (double)script->bound / 1e9);
	else if (script->bound && script->rung && found->state != STATE_HEALED)
		snprintf(why, size, "incident %s: state %s", found->id, incident_state_name(found->state));
	else if (script->how & CLEAN && (w->nodes[0].child_count != 1 || w->nodes[1].child_count != 1))
		snprintf(why, size, "%u and %u children are left", w->nodes[0].child_count, w->nodes[1].child_count);
}

static bool run_script(const struct script *script, bool user_space, uint8_t version, bool trace)
{
	struct world *w = calloc(1, sizeof(*w));
	uint8_t observer = script->how & SENDER ? 1 : 0;
	struct setup s;
	char why[640], name[200];
	int64_t begun;

	if (!w)
		abort();
	world_init(w, 20 + version);
	w->tracing = trace;
	w->keep_watches = true;
	describe(&s, script, user_space, version);
	world_build(w, &s);
	if (script->how & IGNORED) {
		w->nodes[0].g.config->peers[0] = (struct config_peer){ w->nodes[1].address, PEER_OBSERVE };
		w->nodes[0].g.config->peer_count = 1;
		if (core_reconfigure(w->nodes[0].g.core, w->nodes[0].g.config, node_moment(&w->nodes[0])))
			abort();
	}
	world_run(w, w->now + 12 * SEC);
	if (script->before)
		script->before(w);
	world_run(w, w->now + 3 * SEC);
	begun = w->now;
	fault_add(w, w->now, script->fault, 0, 1, script->fault == FAULT_DEAF ? 8 * SEC : 350 * MS);
	world_run(w, w->now);
	if (script->after)
		script->after(w);
	world_run(w, begun + 60 * SEC);
	if (!w->failed)
		oracle_end(w);
	judge_history(w, script, observer, why, sizeof(why));
	snprintf(name, sizeof(name), "script: %s, IKEv%u, %s ESP", script->name, version, user_space ? "user-space" : "kernel");
	if (trace)
		printf("%s", w->trace ? w->trace : "");
	printf("%s sim/%s\n", *why ? "FAIL" : "ok  ", name);
	if (*why)
		printf("     %s\n", why);
	world_done(w);
	free(w);
	return !*why;
}

int scripts_run(bool trace, const char *only)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		for (uint8_t version = 1; version <= 2; version++)
			for (int user_space = 0; user_space < 2; user_space++)
				if ((scripts[i].how & (user_space ? USER : KERNEL)) && (scripts[i].how & (version == 1 ? V1 : V2))
				    && (!only || strstr(scripts[i].name, only)))
					failed += !run_script(&scripts[i], user_space, version, trace);
	return failed;
}
