/* SPDX-License-Identifier: MIT */
/* The model tested by itself, without any core: rekeys lose nothing, faults make real black holes, and the verbs heal what
 * they were measured to heal (reference: the repair table of the lab). */
#include "sim.h"

struct test {
	const char *name;
	bool (*run)(struct world *w, uint8_t version);
};

static void build(struct world *w, uint8_t version, int64_t rekey)
{
	struct setup s;

	setup_default(&s);
	s.version = version;
	s.core[0] = false;
	if (rekey) {
		s.rekey = rekey;
		s.life = 2 * rekey;
	}
	world_build(w, &s);
	world_run(w, w->now + 10 * SEC);
}

static bool flows(struct world *w, int64_t time)
{
	uint64_t before = w->delivered, strays = w->strayed - w->early; /* T1b belongs to IKEv1's quick mode */

	world_run(w, w->now + time);
	return w->delivered - before > (uint64_t)(time / (50 * MS)) && w->strayed - w->early == strays;
}

static uint32_t installed(const struct node *n)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n->child_count; i++)
		count += n->children[i].state == CHILD_INSTALLED;
	return count;
}

static bool comes_up(struct world *w, uint8_t version)
{
	build(w, version, 0);
	return flows(w, 20 * SEC) && installed(&w->nodes[0]) == 1 && installed(&w->nodes[1]) == 1 && !w->strayed;
}

static bool rekeys_lose_nothing(struct world *w, uint8_t version)
{
	build(w, version, 20 * SEC);
	return flows(w, 300 * SEC) && installed(&w->nodes[0]) == 1 && installed(&w->nodes[1]) == 1 && w->messages > 30;
}

static bool collisions_lose_nothing(struct world *w, uint8_t version)
{
	build(w, version, 0);
	for (int i = 0; i < 20; i++) {
		fault_add(w, w->now, FAULT_BOTH_REKEY, 0, 1, 0);
		w->fault_count = 0;
		if (!flows(w, 30 * SEC))
			return false;
	}
	return version == 1 || (installed(&w->nodes[0]) == 1 && installed(&w->nodes[1]) == 1);
}

static bool ike_rekeys_lose_nothing(struct world *w, uint8_t version)
{
	build(w, version, 25 * SEC);
	for (int i = 0; i < 10; i++) {
		fault_add(w, w->now, FAULT_IKE_REKEY, (uint8_t)(i & 1), (uint8_t)(~i & 1), 0);
		w->fault_count = 0;
		if (!flows(w, 30 * SEC))
			return false;
	}
	return w->nodes[0].ike_count == 1 && w->nodes[1].ike_count == 1;
}

static bool a_lossy_network_is_survived(struct world *w, uint8_t version)
{
	build(w, version, 30 * SEC);
	w->net.loss = 500;
	world_run(w, w->now + 600 * SEC);
	w->net.loss = 0;
	world_run(w, w->now + 60 * SEC);
	if (version == 1) /* whatever was left half done ends with the next rekey */
		world_run(w, w->now + 60 * SEC);
	return flows(w, 10 * SEC);
}

static bool hole_stays(struct world *w, uint8_t version, enum fault_kind kind)
{
	build(w, version, 0);
	fault_add(w, w->now, kind, 0, 1, 350 * MS);
	world_run(w, w->now + 240 * SEC); /* defaults: nobody heals it, as measured */
	return w->truth[0].holes[1].open && w->truth[0].holes[1].last > w->now - SEC && w->truth[0].holes[1].count > 1000;
}

static bool restart_is_a_black_hole(struct world *w, uint8_t version)
{
	return hole_stays(w, version, FAULT_DAEMON_RESTART);
}

static bool reboot_is_a_black_hole(struct world *w, uint8_t version)
{
	return hole_stays(w, version, FAULT_REBOOT);
}

static bool lost_delete_is_a_black_hole(struct world *w, uint8_t version)
{
	return hole_stays(w, version, FAULT_DELETE_LOST);
}

static bool flush_is_a_black_hole(struct world *w, uint8_t version)
{
	return hole_stays(w, version, FAULT_FLUSH);
}

static bool collision_is_a_black_hole(struct world *w, uint8_t version)
{
	return version == 1 || hole_stays(w, version, FAULT_COLLISION);
}

static bool orphans_work(struct world *w, uint8_t version)
{
	build(w, version, 0);
	fault_add(w, w->now, FAULT_ORPHANS, 0, 1, 350 * MS);
	return flows(w, 60 * SEC);
}

static bool dpd_ends_it(struct world *w, uint8_t version)
{
	struct setup s;

	setup_default(&s);
	s.version = version;
	s.core[0] = false;
	s.dpd = 30 * SEC;
	s.dpd_restart = true;
	world_build(w, &s);
	world_run(w, w->now + 10 * SEC);
	fault_add(w, w->now, FAULT_DAEMON_RESTART, 0, 1, 350 * MS);
	world_run(w, w->now + 300 * SEC);
	return !w->truth[0].holes[1].open && w->outage_worst > 160 * SEC && w->outage_worst < 235 * SEC && flows(w, 10 * SEC);
}

static bool verb(struct world *w, uint8_t version, enum fault_kind kind, bool rekey, uint32_t at_sender)
{
	struct node *r = &w->nodes[0], *s = &w->nodes[1];
	const char *why;
	uint32_t child;

	if (!hole_stays(w, version, kind))
		return false;
	child = child_of_peer(r, 1) ? child_of_peer(r, 1)->id : 0;
	if (rekey ? !daemon_rekey(r, child, 0) : !daemon_initiate(r, 1, 0, &why))
		return false;
	world_run(w, w->now + 10 * SEC);
	return !w->truth[0].holes[1].open && flows(w, 10 * SEC) && installed(r) == 1 && installed(s) == at_sender;
}

static bool forget_rekey_heals(struct world *w, uint8_t version)
{
	return verb(w, version, FAULT_FORGET, true, 1); /* r1 */
}

static bool forget_initiate_is_refused(struct world *w, uint8_t version)
{
	return verb(w, version, FAULT_FORGET, false, 1) == (version == 1); /* r3 */
}

static bool lose_initiate_leaves_one_behind(struct world *w, uint8_t version)
{
	return verb(w, version, FAULT_LOSE, false, version == 2 ? 2 : 1); /* r4 */
}

static bool restart_initiate_clears(struct world *w, uint8_t version)
{
	return verb(w, version, FAULT_DAEMON_RESTART, false, 1); /* INITIAL_CONTACT */
}

int model_run(bool trace, const char *only)
{
	static const struct test tests[] = {
		{ "a tunnel comes up and carries traffic", comes_up },
		{ "rekeys lose nothing", rekeys_lose_nothing },
		{ "simultaneous rekeys lose nothing", collisions_lose_nothing },
		{ "rekeys of the IKE SA lose nothing", ike_rekeys_lose_nothing },
		{ "a lossy network is survived", a_lossy_network_is_survived },
		{ "a restarted receiver is a black hole", restart_is_a_black_hole },
		{ "a rebooted receiver is a black hole", reboot_is_a_black_hole },
		{ "a lost DELETE is a black hole", lost_delete_is_a_black_hole },
		{ "a flushed SAD is a black hole", flush_is_a_black_hole },
		{ "a rekey collision with the bug is a black hole", collision_is_a_black_hole },
		{ "SAs that outlive their daemon carry traffic", orphans_work },
		{ "DPD with restart ends the hole after its retransmissions", dpd_ends_it },
		{ "forget: a rekey heals", forget_rekey_heals },
		{ "forget: initiate is refused by IKEv2 only", forget_initiate_is_refused },
		{ "lose: initiate heals and leaves one behind at the sender", lose_initiate_leaves_one_behind },
		{ "restart: initiate heals and clears", restart_initiate_clears },
	};
	int failed = 0;

	for (size_t i = 0; i < 2 * sizeof(tests) / sizeof(tests[0]); i++) {
		struct world *w = calloc(1, sizeof(*w));
		uint8_t version = i & 1 ? 1 : 2;
		char name[160];
		bool good;

		if (!w)
			abort();
		snprintf(name, sizeof(name), "model: %s, IKEv%u", tests[i / 2].name, version);
		if (only && !strstr(name, only)) {
			free(w);
			continue;
		}
		world_init(w, 7 + i);
		w->tracing = trace;
		good = tests[i / 2].run(w, version) && !w->failed;
		if (!good || trace)
			printf("%s", w->trace ? w->trace : "");
		printf("%s sim/%s\n", good ? "ok  " : "FAIL", name);
		failed += !good;
		world_done(w);
		free(w);
	}
	return failed;
}
