/* SPDX-License-Identifier: MIT */
#include "role/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

#define SECOND INT64_C(1000000000)
#define NOWHERE SIZE_MAX

struct loop_source {
	struct loop *loop; /* borrows */
	int fd;
	uint32_t events;
	loop_source_fn *call;
	void *context;
	bool gone;
	struct loop_source *next, *before; /* of all, or of those to be freed after the turn */
};

struct loop_timer {
	struct loop *loop; /* borrows */
	int64_t at, period;
	size_t place; /* in the heap, NOWHERE: off */
	loop_timer_fn *call;
	void *context;
	bool gone;
	struct loop_timer *next, *before;
};

struct loop {
	int epoll_fd, timer_fd, signal_fd;
	int64_t now, armed; /* what the timerfd is set to */
	struct loop_source *sources, *gone_sources; /* owns */
	struct loop_source *named_sources; /* owns: gone, yet the kernel may name them until the loop ends */
	struct loop_timer *timers, *gone_timers;    /* owns */
	struct loop_timer **heap; /* owns; by time. The timers are borrowed */
	size_t heap_count, heap_room;
	struct loop_source *timer_source, *signal_source;
	loop_signal_fn *signal_call;
	void *signal_context;
	bool stopped;
	int code;
};

static int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

int64_t loop_now(const struct loop *loop)
{
	return loop->now;
}

static void read_timer(void *context, uint32_t events)
{
	struct loop *loop = context;
	uint64_t expired;

	(void)events;
	if (read(loop->timer_fd, &expired, sizeof(expired)) == sizeof(expired))
		loop->armed = LOOP_NEVER;
}

int loop_new(struct loop **ret)
{
	struct loop *loop = memory_new(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	loop->signal_fd = loop->timer_fd = -1;
	loop->armed = LOOP_NEVER;
	loop->now = clock_now();
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd >= 0)
		loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->timer_fd < 0) {
		r = -errno;
		loop_free(loop);
		return r;
	}
	r = loop_add(loop, loop->timer_fd, EPOLLIN, read_timer, loop, &loop->timer_source);
	if (r < 0) {
		loop_free(loop);
		return r;
	}
	*ret = loop;
	return 0;
}

static void free_sources(struct loop_source **first)
{
	while (*first) {
		struct loop_source *source = *first;

		*first = source->next;
		memory_free(source);
	}
}

static void free_gone(struct loop *loop)
{
	free_sources(&loop->gone_sources);
	while (loop->gone_timers) {
		struct loop_timer *timer = loop->gone_timers;

		loop->gone_timers = timer->next;
		memory_free(timer);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->sources)
		loop_remove(loop->sources);
	while (loop->timers)
		loop_remove_timer(loop->timers);
	free_gone(loop);
	free_sources(&loop->named_sources);
	memory_free(loop->heap);
	if (loop->signal_fd >= 0)
		close(loop->signal_fd);
	if (loop->timer_fd >= 0)
		close(loop->timer_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	memory_free(loop);
}

/* --- Descriptors ----------------------------------------------------------------------------------------------------- */

int loop_add(struct loop *loop, int fd, uint32_t events, loop_source_fn *call, void *context, struct loop_source **ret)
{
	struct loop_source *source = memory_new(1, sizeof(*source));
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (!source)
		return -ENOMEM;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int r = -errno;

		memory_free(source);
		return r;
	}
	*source = (struct loop_source){ .loop = loop, .fd = fd, .events = events, .call = call, .context = context,
					.next = loop->sources };
	if (source->next)
		source->next->before = source;
	loop->sources = source;
	if (ret)
		*ret = source;
	return 0;
}

int loop_set_events(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (source->events == events)
		return 0;
	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0)
		return -errno;
	source->events = events;
	return 0;
}

void loop_remove(struct loop_source *source)
{
	struct loop *loop;
	bool stays_named;

	if (!source || source->gone)
		return;
	loop = source->loop;
	stays_named = epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL) < 0;
	source->gone = true;
	if (source->before)
		source->before->next = source->next;
	else
		loop->sources = source->next;
	if (source->next)
		source->next->before = source->before;
	/* This turn's events may still name it; and later ones as well when its descriptor was closed before: the connection
	 * behind it is watched as long as another process has a copy. */
	source->next = stays_named ? loop->named_sources : loop->gone_sources;
	*(stays_named ? &loop->named_sources : &loop->gone_sources) = source;
}

/* --- Timers: a binary heap ------------------------------------------------------------------------------------------- */

static void heap_set(struct loop *loop, size_t place, struct loop_timer *timer)
{
	loop->heap[place] = timer;
	timer->place = place;
}

static void heap_up(struct loop *loop, size_t place)
{
	struct loop_timer *timer = loop->heap[place];

	while (place > 0 && loop->heap[(place - 1) / 2]->at > timer->at) {
		heap_set(loop, place, loop->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	heap_set(loop, place, timer);
}

static void heap_down(struct loop *loop, size_t place)
{
	struct loop_timer *timer = loop->heap[place];

	for (;;) {
		size_t child = 2 * place + 1;

		if (child >= loop->heap_count)
			break;
		if (child + 1 < loop->heap_count && loop->heap[child + 1]->at < loop->heap[child]->at)
			child++;
		if (loop->heap[child]->at >= timer->at)
			break;
		heap_set(loop, place, loop->heap[child]);
		place = child;
	}
	heap_set(loop, place, timer);
}

static void heap_take(struct loop *loop, struct loop_timer *timer)
{
	size_t place = timer->place;
	struct loop_timer *last;

	if (place == NOWHERE)
		return;
	timer->place = NOWHERE;
	last = loop->heap[--loop->heap_count];
	if (last == timer)
		return;
	heap_set(loop, place, last);
	heap_up(loop, place);
	heap_down(loop, last->place);
}

int loop_add_timer(struct loop *loop, loop_timer_fn *call, void *context, struct loop_timer **ret)
{
	struct loop_timer *timer;
	size_t count = 0;

	/* The heap always has room for every timer there is, so that setting one cannot fail. */
	for (timer = loop->timers; timer; timer = timer->next)
		count++;
	if (count + 1 > loop->heap_room) {
		struct loop_timer **heap = memory_resize(loop->heap, 2 * (count + 1), sizeof(struct loop_timer *));

		if (!heap)
			return -ENOMEM;
		loop->heap = heap;
		loop->heap_room = 2 * (count + 1);
	}
	timer = memory_new(1, sizeof(*timer));
	if (!timer)
		return -ENOMEM;
	*timer = (struct loop_timer){ .loop = loop, .at = LOOP_NEVER, .place = NOWHERE, .call = call, .context = context,
				      .next = loop->timers };
	if (timer->next)
		timer->next->before = timer;
	loop->timers = timer;
	*ret = timer;
	return 0;
}

static void timer_set(struct loop_timer *timer, int64_t at)
{
	struct loop *loop = timer->loop;

	if (timer->gone || (at == timer->at && timer->place != NOWHERE))
		return;
	heap_take(loop, timer);
	if (at <= loop->now) /* the next turn: one that sets itself to the past keeps nobody waiting */
		at = loop->now + 1;
	timer->at = at;
	if (at == LOOP_NEVER)
		return;
	heap_set(loop, loop->heap_count++, timer);
	heap_up(loop, timer->place);
}

void loop_timer_at(struct loop_timer *timer, int64_t at)
{
	timer->period = 0;
	timer_set(timer, at);
}

void loop_timer_every(struct loop_timer *timer, int64_t period)
{
	timer->period = period;
	timer_set(timer, timer->loop->now + period);
}

void loop_remove_timer(struct loop_timer *timer)
{
	struct loop *loop;

	if (!timer || timer->gone)
		return;
	loop = timer->loop;
	heap_take(loop, timer);
	timer->gone = true;
	if (timer->before)
		timer->before->next = timer->next;
	else
		loop->timers = timer->next;
	if (timer->next)
		timer->next->before = timer->before;
	timer->next = loop->gone_timers;
	loop->gone_timers = timer;
}

static void run_timers(struct loop *loop)
{
	while (loop->heap_count > 0 && loop->heap[0]->at <= loop->now) {
		struct loop_timer *timer = loop->heap[0];

		heap_take(loop, timer);
		timer->at = LOOP_NEVER;
		if (timer->period > 0)
			timer_set(timer, loop->now + timer->period);
		timer->call(timer->context, loop->now);
	}
}

static void arm_timer(struct loop *loop)
{
	int64_t at = loop->heap_count > 0 ? loop->heap[0]->at : LOOP_NEVER;
	struct itimerspec when = { 0 };

	if (at == loop->armed)
		return;
	if (at != LOOP_NEVER) { /* all zero would switch it off */
		when.it_value.tv_sec = at > 0 ? at / SECOND : 0;
		when.it_value.tv_nsec = at > 0 ? at % SECOND : 1;
		if (!when.it_value.tv_sec && !when.it_value.tv_nsec)
			when.it_value.tv_nsec = 1;
	}
	if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
		loop->armed = at;
}

/* --- Signals --------------------------------------------------------------------------------------------------------- */

static void read_signal(void *context, uint32_t events)
{
	struct loop *loop = context;
	struct signalfd_siginfo info;

	(void)events;
	if (read(loop->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		loop->signal_call(loop->signal_context, &info);
}

int loop_add_signals(struct loop *loop, const sigset_t *signals, loop_signal_fn *call, void *context)
{
	int r;

	if (loop->signal_fd >= 0)
		return -EALREADY;
	if (sigprocmask(SIG_BLOCK, signals, NULL) < 0)
		return -errno;
	loop->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->signal_fd < 0)
		return -errno;
	loop->signal_call = call;
	loop->signal_context = context;
	r = loop_add(loop, loop->signal_fd, EPOLLIN, read_signal, loop, &loop->signal_source);
	if (r < 0) {
		close(loop->signal_fd);
		loop->signal_fd = -1;
	}
	return r;
}

/* --- Turns ----------------------------------------------------------------------------------------------------------- */

int loop_turn(struct loop *loop, int64_t wait)
{
	struct epoll_event events[LOOP_EVENTS_MAX];
	int count, milliseconds = wait == LOOP_NEVER || wait / 1000000 >= INT_MAX ? -1 : (int)((wait + 999999) / 1000000);

	arm_timer(loop);
	count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS_MAX, milliseconds);
	if (count < 0 && errno != EINTR)
		return -errno;
	loop->now = clock_now();
	for (int i = 0; i < count; i++) {
		struct loop_source *source = events[i].data.ptr;

		if (!source->gone)
			source->call(source->context, events[i].events);
	}
	loop->now = clock_now();
	run_timers(loop);
	free_gone(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	loop->now = clock_now();
	while (!loop->stopped) {
		int r = loop_turn(loop, LOOP_NEVER);

		if (r < 0)
			return r;
	}
	return loop->code;
}

void loop_stop(struct loop *loop, int code)
{
	loop->stopped = true;
	loop->code = code;
}
