/* SPDX-License-Identifier: MIT */
/* What a router remembers, counts and tells of OMP is evidence beside the proof, and never needed for it. */
#include "fleet_world.h"

static struct world_tunnel *begin(struct world *w, enum platform platform, enum world_keys keys)
{
	world_init(w);
	world_device(w, platform, true);
	world_device(w, platform, true);
	world_start(w);
	return world_tunnel(w, 0, 1, keys);
}

static void fall(struct world *w, struct world_tunnel *t)
{
	world_desync(w, t);
	world_sight(w, t, t->way[0].out);
}

static bool has_evidence(const struct world *w, const char *what)
{
	const struct fleet_incident *is = world_incident(w);

	for (uint32_t i = 0; i < is->evidence_count; i++)
		if (strstr(is->evidence[i].text, what))
			return true;
	return false;
}

static void assert_evidence(const struct world *w, const char *what)
{
	if (!has_evidence(w, what))
		fail_msg("there is no evidence '%s'", what);
}

static void what_was_deleted_is_told_and_is_the_cause(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w, PLATFORM_IOS_XE, BY_IKE);

	(void)state;
	w.trace_spi = t->way[0].out;
	w.trace_deleted = true;
	w.drops = 40;
	w.drops_a_second = 10;
	fall(&w, t);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	assert_int_equal(world_incident(&w)->cause, CAUSE_DELETE_LOST);
	assert_int_equal(world_incident(&w)->confidence, CONFIDENCE_LIKELY);
	assert_evidence(&w, "was an inbound SA, and was deleted");
	assert_evidence(&w, "is not in it"); /* the table of SPIs */
	assert_evidence(&w, "packets because there is no such SA");
	assert_evidence(&w, "0 more packets because there is no such SA");
	/* Once for a pair of ends, the counters twice; behind the first proof. */
	assert_int_equal(w.asked[DEVICE_SHOW_TRACE], 1);
	assert_int_equal(w.asked[DEVICE_SHOW_SPI_LOOKUP], 1);
	assert_int_equal(w.asked[DEVICE_SHOW_DROPS], 2);
	assert_int_equal(w.asked[DEVICE_SHOW_OMP_PEERS], 0);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

static void what_it_remembers_it_did_not_lose_in_a_restart(void **state)
{
	(void)state;
	for (int what = 0; what < 4; what++) {
		struct world w;
		struct world_tunnel *t = begin(&w, PLATFORM_IOS_XE, BY_IKE);

		w.trace_spi = what == 0 ? 0 : what == 3 ? t->way[0].out + 7777 : what == 1 ? t->way[0].out : 0;
		w.trace_deleted = what == 1;
		w.lookup_spi = what == 2 ? t->way[0].out : 0;
		t->way[0].in[0] = t->way[0].in[1] = 0; /* nothing at all is left of it */
		world_note(&w, t);
		world_sight(&w, t, t->way[0].out);
		world_run(&w, 20 * S);
		assert_int_equal(world_incident(&w)->verdict, VERDICT_DESYNC);
		if (what == 1 || what == 2) {
			assert_int_equal(world_incident(&w)->cause, CAUSE_CHILD_MISSING);
			assert_int_equal(world_incident(&w)->confidence, what == 1 ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
		} else { /* another SPI, or none: absence proves nothing */
			assert_int_equal(world_incident(&w)->cause, CAUSE_RECEIVER_LOST_STATE);
		}
		world_done(&w);
	}
}

static void whoever_refuses_or_hangs_costs_a_note(void **state)
{
	static const enum device_verb beside[] = { DEVICE_SHOW_TRACE, DEVICE_SHOW_SPI_LOOKUP, DEVICE_SHOW_DROPS };

	(void)state;
	for (int hangs = 0; hangs < 2; hangs++) {
		struct world w;
		struct world_tunnel *t = begin(&w, PLATFORM_IOS_XE, BY_IKE);

		for (int i = 0; i < 3; i++)
			*(hangs ? &w.hangs[beside[i]] : &w.refuses[beside[i]]) = true;
		fall(&w, t);
		world_run(&w, 5 * MINUTE_NS);
		assert_int_equal(world_incident(&w)->state, STATE_HEALED);
		assert_int_equal(w.changes, 1);
		assert_evidence(&w, "show-trace: not told");
		assert_evidence(&w, "show-drops: not told");
		assert_int_equal(fleet_figures(w.fleet).no_evidence, 0);
		/* What it refused it is not asked for again. */
		world_run(&w, 5 * MINUTE_NS);
		fall(&w, t);
		world_run(&w, 5 * MINUTE_NS);
		assert_int_equal(w.changes, 2);
		assert_int_equal(w.asked[DEVICE_SHOW_TRACE], hangs ? 2 : 1);
		world_done(&w);
	}
}

static void only_what_the_platform_has_is_asked(void **state)
{
	static const struct {
		enum platform platform;
		uint32_t trace, lookup, drops;
	} cases[] = { { PLATFORM_IOS, 1, 1, 0 }, { PLATFORM_IOS_XE, 1, 1, 2 }, { PLATFORM_ASA, 0, 0, 2 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct world w;
		struct world_tunnel *t = begin(&w, cases[i].platform, BY_IKE);

		fall(&w, t);
		world_run(&w, 3 * MINUTE_NS);
		assert_int_equal(world_incident(&w)->state, STATE_HEALED);
		assert_int_equal(w.asked[DEVICE_SHOW_TRACE], cases[i].trace);
		assert_int_equal(w.asked[DEVICE_SHOW_SPI_LOOKUP], cases[i].lookup);
		assert_int_equal(w.asked[DEVICE_SHOW_DROPS], cases[i].drops);
		assert_int_equal(w.asked[DEVICE_SHOW_OMP_PEERS], 0);
		world_done(&w);
	}
}

/* Hints are free to make: what is well, or a stranger, is not asked about any further. */
static void hints_about_what_is_well_ask_for_no_more(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w, PLATFORM_IOS_XE, BY_IKE);
	struct fleet_sighting s = { .device = 1, .src = world_address(99, 0, 1), .dst = w.address[1],
				    .protocol = SPIMEND_PROTOCOL_ESP, .spi = { 77 }, .messages = 1 };

	(void)state;
	world_sight(&w, t, 77);
	world_run(&w, 2 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_TRANSIENT);
	assert_int_equal(fleet_sighting(w.fleet, &s, world_now(&w)), FLEET_TAKEN);
	world_run(&w, 2 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_NOISE);
	assert_int_equal(w.asked[DEVICE_SHOW_TRACE] + w.asked[DEVICE_SHOW_SPI_LOOKUP] + w.asked[DEVICE_SHOW_DROPS], 0);
	world_done(&w);
}

/* R is not proved wrong by one end alone, but what it remembers is there for the person who looks. */
static void what_is_undecided_has_the_receivers_memory_beside_it(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w, PLATFORM_IOS_XE, BY_IKE);

	(void)state;
	w.output[0] = PRINTS_NO_LOGIN;
	w.trace_spi = t->way[0].out;
	w.trace_deleted = true;
	fall(&w, t);
	world_run(&w, 20 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->verdict, VERDICT_UNDECIDED);
	assert_int_equal(world_incident(&w)->state, STATE_GAVE_UP);
	assert_evidence(&w, "was an inbound SA, and was deleted");
	assert_int_equal(w.asked[DEVICE_SHOW_TRACE], 1); /* not in each round */
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

static void omp_that_is_down_explains_a_late_key(void **state)
{
	(void)state;
	for (int down = 0; down < 2; down++) {
		struct world w;
		struct world_tunnel *t = begin(&w, PLATFORM_SDWAN, BY_CONTROLLER);

		w.omp_down = down;
		fall(&w, t);
		world_run(&w, MINUTE_NS);
		assert_int_equal(world_incident(&w)->cause, CAUSE_CONTROLLER_KEY_LAG);
		assert_int_equal(world_incident(&w)->confidence, down ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		assert_evidence(&w, down ? "show sdwan omp peers: 0 of 2 are up" : "show sdwan omp peers: 2 of 2 are up");
		assert_int_equal(w.asked[DEVICE_SHOW_OMP_PEERS], 2); /* at both ends */
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_deleted_is_told_and_is_the_cause),
		cmocka_unit_test(what_it_remembers_it_did_not_lose_in_a_restart),
		cmocka_unit_test(whoever_refuses_or_hangs_costs_a_note),
		cmocka_unit_test(only_what_the_platform_has_is_asked),
		cmocka_unit_test(hints_about_what_is_well_ask_for_no_more),
		cmocka_unit_test(what_is_undecided_has_the_receivers_memory_beside_it),
		cmocka_unit_test(omp_that_is_down_explains_a_late_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
