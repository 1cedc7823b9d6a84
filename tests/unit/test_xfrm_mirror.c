/* SPDX-License-Identifier: MIT */
/* repair/xfrm with the test as the kernel, over pairs of datagram sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sys/socket.h>
#include <unistd.h>

#include "repair/xfrm.h"
#include "vici_fixture.h"

#define LIST XFRM_MIRROR_LIST
#define CHANGES XFRM_MIRROR_CHANGES

struct game {
	struct xfrm_mirror *mirror;
	int kernel[XFRM_MIRROR_FDS];
	int begins, ends, events, overruns;
	uint32_t serial;
	bool complete;
	struct kernel_event last;
};

static void on_begin(void *context, uint32_t serial)
{
	(void)serial;
	((struct game *)context)->begins++;
}

static void on_end(void *context, uint32_t serial, bool complete)
{
	struct game *g = context;

	g->ends++;
	g->serial = serial;
	g->complete = complete;
}

static void on_event(void *context, const struct kernel_event *event)
{
	struct game *g = context;

	g->events++;
	g->last = *event;
}

static void on_overrun(void *context)
{
	((struct game *)context)->overruns++;
}

static struct game *start(void)
{
	struct game *g = calloc(1, sizeof(*g));
	struct xfrm_mirror_calls calls = { g, on_begin, on_end, on_event, on_overrun };
	int ours[XFRM_MIRROR_FDS], fds[2];

	for (int i = 0; i < XFRM_MIRROR_FDS; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
		ours[i] = fds[0];
		g->kernel[i] = fds[1];
	}
	assert_int_equal(xfrm_mirror_new(ours, &calls, &g->mirror), 0);
	return g;
}

static void stop(struct game *g)
{
	xfrm_mirror_free(g->mirror);
	close(g->kernel[LIST]);
	close(g->kernel[CHANGES]);
	free(g);
}

/* The sequence number of the request on the wire; 0 when there is none. */
static uint32_t asked(struct game *g)
{
	struct nlmsghdr head;

	if (recv(g->kernel[LIST], &head, sizeof(head), MSG_DONTWAIT) != sizeof(head))
		return 0;
	assert_int_equal(head.nlmsg_type, XFRM_MSG_GETSA);
	assert_int_equal(head.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	return head.nlmsg_seq;
}

/* Sends a file of the corpus, its messages renumbered. */
static void say(struct game *g, enum xfrm_mirror_fd which, const char *name, uint32_t sequence)
{
	struct nlmsghdr head;
	struct fixture f;

	fixture_read(&f, "xfrm", name);
	for (size_t at = 0; sequence && at + sizeof(head) <= f.len; at += NLMSG_ALIGN(head.nlmsg_len)) {
		memcpy(&head, f.bytes + at, sizeof(head));
		head.nlmsg_seq = sequence;
		memcpy(f.bytes + at, &head, sizeof(head));
	}
	assert_int_equal(send(g->kernel[which], f.bytes, f.len, 0), f.len);
	assert_int_equal(xfrm_mirror_read(g->mirror, which, 0), 0);
}

static void a_list_is_asked_for_and_told(void **state)
{
	struct game *g = start();

	(void)state;
	assert_int_equal(xfrm_mirror_refresh(g->mirror, 7, 0), 0);
	assert_int_equal(g->begins, 1);
	say(g, LIST, "dump", asked(g));
	assert_true(g->events == 2 && g->last.change == KERNEL_LISTED && g->ends == 1 && g->complete && g->serial == 7);
	assert_true(xfrm_mirror_deadline(g->mirror) == INT64_MAX);
	stop(g);
}

static void the_newest_request_waits_for_the_list_that_runs(void **state)
{
	struct game *g = start();
	uint32_t first;

	(void)state;
	xfrm_mirror_refresh(g->mirror, 1, 0);
	xfrm_mirror_refresh(g->mirror, 2, 0);
	xfrm_mirror_refresh(g->mirror, 3, 0);
	first = asked(g);
	assert_int_equal(asked(g), 0);
	say(g, LIST, "dump", first);
	assert_int_equal(g->serial, 1);
	say(g, LIST, "dump", asked(g));
	assert_true(g->serial == 3 && g->ends == 2);
	assert_int_equal(asked(g), 0);
	stop(g);
}

static void an_inconsistent_list_is_read_again_a_few_times(void **state)
{
	struct game *g = start();
	uint32_t sequence;
	int tries = 0;

	(void)state;
	xfrm_mirror_refresh(g->mirror, 1, 0);
	while ((sequence = asked(g)) != 0 && tries < 100) {
		tries++;
		say(g, LIST, "dump6", sequence); /* interrupted */
	}
	assert_int_equal(tries, 5);
	assert_true(g->begins == 1 && g->ends == 1 && !g->complete);
	assert_int_equal(xfrm_mirror_count(g->mirror).lists_again, 4);
	assert_int_equal(xfrm_mirror_count(g->mirror).lists_incomplete, 1);
	xfrm_mirror_refresh(g->mirror, 2, 0);
	say(g, LIST, "dump6", asked(g));
	say(g, LIST, "dump", asked(g));
	assert_true(g->complete && g->serial == 2);
	stop(g);
}

static void an_error_or_silence_ends_the_list_as_incomplete(void **state)
{
	struct game *g = start();
	uint32_t late;

	(void)state;
	xfrm_mirror_refresh(g->mirror, 1, 0);
	say(g, LIST, "error", asked(g));
	assert_true(g->ends == 1 && !g->complete);
	xfrm_mirror_refresh(g->mirror, 2, 100);
	late = asked(g);
	xfrm_mirror_tick(g->mirror, xfrm_mirror_deadline(g->mirror) - 1);
	assert_int_equal(g->ends, 1);
	xfrm_mirror_tick(g->mirror, xfrm_mirror_deadline(g->mirror));
	assert_true(g->ends == 2 && !g->complete);
	xfrm_mirror_refresh(g->mirror, 3, 100);
	say(g, LIST, "dump", late); /* what comes of the one that was given up is nobody's answer */
	assert_true(g->ends == 2 && g->events == 0);
	say(g, LIST, "dump", asked(g));
	assert_true(g->ends == 3 && g->complete);
	stop(g);
}

static void changes_are_told_at_any_time(void **state)
{
	struct game *g = start();

	(void)state;
	xfrm_mirror_refresh(g->mirror, 1, 0);
	say(g, CHANGES, "deleted", 0);
	assert_int_equal(g->last.change, KERNEL_DELETED);
	say(g, CHANGES, "expire-hard-packets", 0);
	assert_true(g->last.change == KERNEL_EXPIRED_HARD && g->last.by_volume);
	say(g, CHANGES, "attribute-lies", 0);
	say(g, CHANGES, "ipcomp", 0);
	assert_int_equal(g->events, 2);
	assert_int_equal(xfrm_mirror_count(g->mirror).changes, 2);
	assert_int_equal(xfrm_mirror_count(g->mirror).malformed, 1);
	assert_int_equal(xfrm_mirror_count(g->mirror).others, 1);
	say(g, LIST, "dump", asked(g));
	assert_true(g->complete);
	stop(g);
}

static void a_datagram_that_was_cut_is_an_overrun(void **state)
{
	static char big[70000];
	struct game *g = start();
	int room = 4 * (int)sizeof(big);

	(void)state;
	setsockopt(g->kernel[CHANGES], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	assert_int_equal(send(g->kernel[CHANGES], big, sizeof(big), 0), sizeof(big));
	assert_int_equal(xfrm_mirror_read(g->mirror, CHANGES, 0), 0);
	assert_int_equal(g->overruns, 1);
	assert_int_equal(xfrm_mirror_count(g->mirror).overruns, 1);
	stop(g);
}

/* The real one. Whoever may not ask is told so at once. */
static void the_kernel_answers_or_refuses_plainly(void **state)
{
	struct game *g = calloc(1, sizeof(*g));
	struct xfrm_mirror_calls calls = { g, on_begin, on_end, on_event, on_overrun };
	int fds[XFRM_MIRROR_FDS], r = xfrm_mirror_open(fds);

	(void)state;
	if (r) {
		free(g);
		assert_true(r == -EPERM || r == -EPROTONOSUPPORT);
		return;
	}
	assert_int_equal(xfrm_mirror_new(fds, &calls, &g->mirror), 0);
	assert_int_equal(xfrm_mirror_refresh(g->mirror, 1, 0), 0);
	for (int i = 0; i < 1000 && g->ends == 0; i++) {
		assert_int_equal(xfrm_mirror_read(g->mirror, LIST, 0), 0);
		usleep(1000);
	}
	assert_int_equal(g->ends, 1);
	assert_true(g->complete || geteuid() != 0);
	xfrm_mirror_free(g->mirror);
	free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_asked_for_and_told),
		cmocka_unit_test(the_newest_request_waits_for_the_list_that_runs),
		cmocka_unit_test(an_inconsistent_list_is_read_again_a_few_times),
		cmocka_unit_test(an_error_or_silence_ends_the_list_as_incomplete),
		cmocka_unit_test(changes_are_told_at_any_time),
		cmocka_unit_test(a_datagram_that_was_cut_is_an_overrun),
		cmocka_unit_test(the_kernel_answers_or_refuses_plainly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
