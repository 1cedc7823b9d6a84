/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "role/loop.h"

#define MS INT64_C(1000000)

static int set_up(void **state)
{
	struct loop *loop;

	assert_int_equal(loop_new(&loop), 0);
	*state = loop;
	return 0;
}

static int tear_down(void **state)
{
	loop_free(*state);
	return 0;
}

struct seen {
	struct loop *loop;
	struct loop_source *source, *other;
	struct loop_timer *timer;
	int calls;
	int order[16];
	size_t count;
};

/* --- Descriptors ------------------------------------------------------------------------------------------------------ */

static void count_call(void *context, uint32_t events)
{
	struct seen *seen = context;

	assert_true(events & EPOLLIN);
	seen->calls++;
}

static int ready_fd(void)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static void what_is_left_unread_is_told_again(void **state)
{
	struct seen seen = { .loop = *state };
	int fd = ready_fd();

	assert_int_equal(loop_add(seen.loop, fd, EPOLLIN, count_call, &seen, &seen.source), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_turn(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 3);
	loop_remove(seen.source);
	assert_int_equal(loop_turn(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 3);
	close(fd);
}

static void a_descriptor_that_is_always_ready_starves_nobody(void **state)
{
	struct seen seen[100] = { 0 };
	int fds[100];

	for (int i = 0; i < 100; i++) {
		fds[i] = ready_fd();
		assert_int_equal(loop_add(*state, fds[i], EPOLLIN, count_call, &seen[i], &seen[i].source), 0);
	}
	for (int i = 0; i < 4; i++) /* more are ready than a turn tells */
		assert_int_equal(loop_turn(*state, 0), 0);
	for (int i = 0; i < 100; i++) {
		assert_true(seen[i].calls >= 1);
		loop_remove(seen[i].source);
		close(fds[i]);
	}
}

static void remove_other(void *context, uint32_t events)
{
	struct seen *seen = context;

	(void)events;
	seen->calls++;
	loop_remove(seen->source); /* itself */
	loop_remove(seen->other);  /* and one that may be told in the same turn */
	seen->source = seen->other = NULL;
}

static void sources_may_be_removed_within_a_call(void **state)
{
	struct seen seen = { .loop = *state };
	int one = ready_fd(), other = ready_fd();

	assert_int_equal(loop_add(seen.loop, one, EPOLLIN, remove_other, &seen, &seen.source), 0);
	assert_int_equal(loop_add(seen.loop, other, EPOLLIN, remove_other, &seen, &seen.other), 0);
	assert_int_equal(loop_turn(seen.loop, 0), 0);
	assert_int_equal(loop_turn(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 1);
	close(one);
	close(other);
}

/* As when a descriptor came from another process, which has not closed its own yet. */
static void one_that_was_closed_first_is_not_called(void **state)
{
	struct seen seen = { .loop = *state };
	int fd = ready_fd(), copy = dup(fd);

	assert_int_equal(loop_add(seen.loop, fd, EPOLLIN, count_call, &seen, &seen.source), 0);
	assert_int_equal(loop_turn(seen.loop, 0), 0);
	close(fd);
	loop_remove(seen.source);
	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_turn(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 1);
	close(copy);
}

static void events_can_be_switched_off_and_on(void **state)
{
	struct seen seen = { .loop = *state };
	int fd = ready_fd();

	assert_int_equal(loop_add(seen.loop, fd, EPOLLIN, count_call, &seen, &seen.source), 0);
	assert_int_equal(loop_set_events(seen.source, 0), 0);
	assert_int_equal(loop_turn(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(loop_set_events(seen.source, EPOLLIN), 0);
	assert_int_equal(loop_turn(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 1);
	loop_remove(seen.source);
	close(fd);
}

static void a_bad_descriptor_is_an_error(void **state)
{
	struct loop_source *source = NULL;

	assert_int_equal(loop_add(*state, 1 << 20, EPOLLIN, count_call, NULL, &source), -EBADF);
	assert_null(source);
}

/* --- Timers ----------------------------------------------------------------------------------------------------------- */

struct one {
	struct seen *seen;
	struct loop_timer *timer;
	int number;
};

static void note_order(void *context, int64_t now)
{
	struct one *one = context;

	(void)now;
	one->seen->order[one->seen->count++] = one->number;
}

static void turn_until(struct loop *loop, int64_t at)
{
	while (loop_now(loop) < at)
		assert_int_equal(loop_turn(loop, at - loop_now(loop)), 0);
}

static void timers_run_in_the_order_of_their_time(void **state)
{
	struct seen seen = { .loop = *state };
	struct one ones[8];
	int64_t start = loop_now(*state);
	static const int at[8] = { 7, 2, 5, 3, 8, 1, 6, 4 };

	for (int i = 0; i < 8; i++) {
		ones[i] = (struct one){ .seen = &seen, .number = at[i] };
		assert_int_equal(loop_add_timer(*state, note_order, &ones[i], &ones[i].timer), 0);
		loop_timer_at(ones[i].timer, start + at[i] * MS);
	}
	loop_timer_at(ones[2].timer, LOOP_NEVER); /* 5: off */
	loop_remove_timer(ones[5].timer);         /* 1: gone */
	loop_timer_at(ones[1].timer, start + 9 * MS); /* 2: last of all */
	turn_until(*state, start + 12 * MS);
	assert_int_equal(seen.count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(seen.order[i], ((const int[]){ 3, 4, 6, 7, 8, 2 })[i]);
}

static void count_timer(void *context, int64_t now)
{
	struct seen *seen = context;

	(void)now;
	seen->calls++;
}

static void a_periodic_timer_runs_again_and_makes_nothing_up(void **state)
{
	struct seen seen = { .loop = *state };
	int64_t start = loop_now(*state);

	assert_int_equal(loop_add_timer(*state, count_timer, &seen, &seen.timer), 0);
	loop_timer_every(seen.timer, 5 * MS);
	usleep(30000); /* five were due meanwhile */
	assert_int_equal(loop_turn(*state, 0), 0);
	assert_int_equal(seen.calls, 1);
	turn_until(*state, start + 60 * MS);
	assert_true(seen.calls >= 2);
}

static void set_to_the_past(void *context, int64_t now)
{
	struct seen *seen = context;

	seen->calls++;
	loop_timer_at(seen->timer, now - 1);
}

static void a_timer_that_is_always_due_starves_nobody(void **state)
{
	struct seen busy = { .loop = *state }, other = { .loop = *state }, fd_seen = { .loop = *state };
	int fd = ready_fd();

	assert_int_equal(loop_add_timer(*state, set_to_the_past, &busy, &busy.timer), 0);
	assert_int_equal(loop_add_timer(*state, count_timer, &other, &other.timer), 0);
	assert_int_equal(loop_add(*state, fd, EPOLLIN, count_call, &fd_seen, &fd_seen.source), 0);
	loop_timer_at(busy.timer, 0);
	loop_timer_at(other.timer, loop_now(*state) + 2 * MS);
	for (int i = 0; i < 100000 && other.calls == 0; i++)
		assert_int_equal(loop_turn(*state, LOOP_NEVER), 0);
	assert_int_equal(other.calls, 1);
	assert_true(fd_seen.calls >= 1);
	loop_remove(fd_seen.source);
	close(fd);
}

static void remove_itself(void *context, int64_t now)
{
	struct seen *seen = context;

	(void)now;
	seen->calls++;
	loop_remove_timer(seen->timer);
}

static void a_timer_may_remove_itself(void **state)
{
	struct seen seen = { .loop = *state };

	assert_int_equal(loop_add_timer(*state, remove_itself, &seen, &seen.timer), 0);
	loop_timer_every(seen.timer, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_turn(*state, MS), 0);
	assert_int_equal(seen.calls, 1);
}

/* --- Signals and the end ---------------------------------------------------------------------------------------------- */

static void stop_on_signal(void *context, const struct signalfd_siginfo *info)
{
	loop_stop(context, (int)info->ssi_signo);
}

static void a_signal_is_told_and_ends_the_loop(void **state)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	assert_int_equal(loop_add_signals(*state, &signals, stop_on_signal, *state), 0);
	assert_int_equal(loop_add_signals(*state, &signals, stop_on_signal, *state), -EALREADY);
	raise(SIGUSR1);
	assert_int_equal(loop_run(*state), SIGUSR1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_left_unread_is_told_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_descriptor_that_is_always_ready_starves_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sources_may_be_removed_within_a_call, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_was_closed_first_is_not_called, set_up, tear_down),
		cmocka_unit_test_setup_teardown(events_can_be_switched_off_and_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_bad_descriptor_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(timers_run_in_the_order_of_their_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_periodic_timer_runs_again_and_makes_nothing_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_that_is_always_due_starves_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_may_remove_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_signal_is_told_and_ends_the_loop, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
