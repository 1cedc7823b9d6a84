/* SPDX-License-Identifier: MIT */
/* Nothing is typed outside a maintenance window of the device that it is typed on. The world begins at 08:16:40 UTC. */
#include "fleet_world.h"

#define AT(hour, minute) ((hour) * 60 + (minute))

static void set(struct windows *windows, int from, int to)
{
	*windows = (struct windows){ { { WINDOW_EVERY_DAY, (uint16_t)from, (uint16_t)to } }, 1 };
}

/* Both may be repaired; what is typed first is typed on r00. */
static struct world_tunnel *begin(struct world *w)
{
	world_init(w);
	world_device(w, PLATFORM_IOS_XE, true);
	world_device(w, PLATFORM_IOS_XE, true);
	return world_tunnel(w, 0, 1, BY_IKE);
}

static void fall(struct world *w, struct world_tunnel *t)
{
	world_start(w);
	world_desync(w, t);
	world_sight(w, t, t->way[0].out);
}

static void assert_says(const struct world *w, const char *what)
{
	if (!strstr(world_incident(w)->why, what))
		fail_msg("'%s' is not in '%s'", what, world_incident(w)->why);
}

static void waits_looks_and_goes_on_when_one_opens(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w);
	uint32_t looks;

	(void)state;
	set(&w.config->devices.usual_windows, AT(20, 0), AT(21, 0));
	set(&w.config->devices.at[1].windows, AT(8, 0), AT(9, 0)); /* the other end's: nothing is typed there */
	fall(&w, t);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_OPEN);
	assert_string_equal(world_incident(&w)->why, "Waits for the window of r00, 20:00 UTC.");
	assert_int_equal(fleet_figures(w.fleet).locked_devices, 0);
	w.idle_step = S;
	world_run(&w, 11 * HOUR_NS); /* longer than an incident may be open otherwise */
	assert_int_equal(w.changes, 0);
	assert_int_equal(world_incident(&w)->state, STATE_OPEN);
	looks = world_incident(&w)->looks;
	assert_in_range(looks, 60, 75); /* one in ten minutes */
	world_run(&w, AT(0, 35) * MINUTE_NS);
	assert_int_equal(w.changes, 0);
	world_run(&w, AT(0, 10) * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	world_done(&w);
}

static void its_own_count_instead_of_those_of_all(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w);

	(void)state;
	set(&w.config->devices.usual_windows, AT(20, 0), AT(21, 0));
	set(&w.config->devices.at[0].windows, AT(23, 0), AT(9, 0));
	fall(&w, t);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(w.changes, 1);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	world_done(&w);
}

static void what_heals_meanwhile_is_left_alone(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w);

	(void)state;
	set(&w.config->devices.usual_windows, AT(20, 0), AT(21, 0));
	fall(&w, t);
	world_run(&w, HOUR_NS);
	assert_int_equal(world_incident(&w)->state, STATE_OPEN);
	world_renew(&w, t);
	world_run(&w, 12 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_CLOSED);
	assert_int_equal(w.changes, 0);
	world_done(&w);
}

static void readings_that_began_before_it_are_made_anew(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w);

	(void)state;
	set(&w.config->devices.usual_windows, AT(8, 18), AT(9, 0)); /* at 1080 s */
	w.now = 1004 * S;
	w.delay = 5 * S;
	fall(&w, t);
	while (w.now < 1130 * S && !strstr(world_incident(&w)->why, "anew")) {
		world_run(&w, S / 10);
		assert_int_equal(w.changes, 0);
	}
	assert_says(&w, "The window of r00 opened at the time of the readings");
	assert_in_range(w.now / S, 1080, 1090);
	world_run(&w, 10 * S);
	assert_int_equal(w.changes, 0);
	world_run(&w, 30 * S);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

static void what_could_end_behind_it_is_not_begun(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w);

	(void)state;
	set(&w.config->devices.usual_windows, AT(8, 0), AT(8, 18)); /* up to 1080 s; a command has 30 s */
	w.delay = 3 * S;
	fall(&w, t);
	world_run(&w, 79 * S);
	assert_int_equal(w.changes, 0);
	assert_says(&w, "Waits for the window of r00, 08:00 UTC.");
	world_done(&w);
}

static void reconfigure(struct world *w, int from, int to)
{
	set(&w->config->devices.usual_windows, from, to);
	assert_int_equal(fleet_reconfigure(w->fleet, w->config, world_now(w)), 0);
}

/* As world_approve(), with what the person is told. */
static void approve(struct world *w, const char *told)
{
	const struct fleet_incident *is = world_incident(w);
	struct buffer why = { 0 };

	assert_true(fleet_approve(w->fleet, is->id, is->step_count, "alice", world_now(w), &why));
	buffer_add_char(&why, 0);
	if (!strstr(why.bytes, told))
		fail_msg("'%s' is not in '%s'", told, why.bytes);
	buffer_done(&why);
}

static void a_word_is_taken_outside_and_counts_as_long_as_always(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w);
	uint32_t minute;

	(void)state;
	t->stubborn = true;
	fall(&w, t);
	world_run(&w, 30 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_AWAITING);
	assert_int_equal(w.changes, 2);
	minute = (uint32_t)(world_now(&w).wall.ns / MINUTE_NS % WINDOW_DAY_MINUTES);
	reconfigure(&w, (int)minute + 40, (int)minute + 100);
	approve(&w, "No window of r00 is open now.");
	world_run(&w, MINUTE_NS);
	assert_int_equal(world_incident(&w)->steps[2].state, FLEET_STEP_APPROVED);
	assert_says(&w, "Waits for the window of r00");
	world_run(&w, 12 * MINUTE_NS);
	assert_int_equal(w.changes, 2);
	assert_int_equal(world_incident(&w)->steps[2].state, FLEET_STEP_VOID);
	assert_int_equal(world_incident(&w)->state, STATE_AWAITING); /* it is asked for once more */
	assert_int_equal(world_incident(&w)->step_count, 4);
	world_run(&w, 20 * MINUTE_NS); /* the window opens in less than ten minutes from now */
	snprintf(w.words[0], sizeof(w.words[0]), "%s", world_incident(&w)->steps[3].command);
	approve(&w, "it is typed then");
	world_run(&w, 5 * MINUTE_NS);
	assert_int_equal(w.changes, 2);
	world_run(&w, 4 * MINUTE_NS);
	assert_int_equal(w.changes, 3);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	world_done(&w);
}

static void another_window_counts_at_once(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w);

	(void)state;
	set(&w.config->devices.usual_windows, AT(20, 0), AT(21, 0));
	fall(&w, t);
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(w.changes, 0);
	reconfigure(&w, AT(0, 0), AT(24, 0));
	world_run(&w, 20 * S);
	assert_int_equal(w.changes, 1);
	world_done(&w);
}

static void in_a_window_a_person_is_told_nothing_of_it(void **state)
{
	struct world w;
	struct world_tunnel *t = begin(&w);
	struct buffer why = { 0 };

	(void)state;
	t->stubborn = true;
	set(&w.config->devices.usual_windows, AT(0, 0), AT(24, 0));
	fall(&w, t);
	world_run(&w, 30 * MINUTE_NS);
	assert_true(fleet_approve(w.fleet, world_incident(&w)->id, 3, "alice", world_now(&w), &why));
	assert_int_equal(why.len, 0);
	buffer_done(&why);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_looks_and_goes_on_when_one_opens), cmocka_unit_test(its_own_count_instead_of_those_of_all),
		cmocka_unit_test(what_heals_meanwhile_is_left_alone), cmocka_unit_test(readings_that_began_before_it_are_made_anew),
		cmocka_unit_test(what_could_end_behind_it_is_not_begun),
		cmocka_unit_test(a_word_is_taken_outside_and_counts_as_long_as_always),
		cmocka_unit_test(another_window_counts_at_once),
		cmocka_unit_test(in_a_window_a_person_is_told_nothing_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
