/* SPDX-License-Identifier: MIT */
/*
 * The event loop of a process: descriptors, timers, signals. The one file that knows epoll and timerfd.
 *
 * Called by every role. A turn calls each ready descriptor once and each due timer once, so whoever bounds the work of one
 * call starves nobody. Level-triggered: what is left unread is told again. Never reads or writes a descriptor itself but its
 * timer and its signals, and never decides anything.
 *
 * Sources and timers may be removed at any time, also from within their own call.
 */
#ifndef ROLE_LOOP_H
#define ROLE_LOOP_H

#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#define LOOP_EVENTS_MAX 64 /* descriptors told in one turn; the kernel rotates the others to the front */
#define LOOP_NEVER INT64_MAX

struct loop;
struct loop_source;
struct loop_timer;

typedef void loop_source_fn(void *context, uint32_t events);
typedef void loop_timer_fn(void *context, int64_t now);
typedef void loop_signal_fn(void *context, const struct signalfd_siginfo *info);

int loop_new(struct loop **ret);
void loop_free(struct loop *loop); /* with all sources and timers; their descriptors stay open but for the loop's own */

/* CLOCK_MONOTONIC at the start of this call: one time for all that happens in it. */
int64_t loop_now(const struct loop *loop);

/* Borrows the descriptor. `events` as for epoll: EPOLLIN, EPOLLOUT; errors and hang-ups are always told. */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_source_fn *call, void *context, struct loop_source **ret);
int loop_set_events(struct loop_source *source, uint32_t events);
/* Before its descriptor is closed: afterwards some memory of it stays until the loop ends, and where another process has a
 * copy of the descriptor, events of it wake the loop for nothing. NULL is fine. */
void loop_remove(struct loop_source *source);

/* Off until set. */
int loop_add_timer(struct loop *loop, loop_timer_fn *call, void *context, struct loop_timer **ret);
void loop_timer_at(struct loop_timer *timer, int64_t at); /* once; LOOP_NEVER: off. The past: in the next turn */
void loop_timer_every(struct loop_timer *timer, int64_t period); /* a late turn is not made up for */
void loop_remove_timer(struct loop_timer *timer); /* NULL is fine */

/* Blocks these signals and tells them here instead. Once for a loop. */
int loop_add_signals(struct loop *loop, const sigset_t *signals, loop_signal_fn *call, void *context);

/* Until loop_stop(): returns its code, or a negative errno when waiting itself failed. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int code);
/* One turn; waits for at most `wait` nanoseconds. 0 or a negative errno. */
int loop_turn(struct loop *loop, int64_t wait);

#endif
