/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "role/channel.h"

struct end {
	struct channel *channel;
	unsigned taken, turns, drained, fds;
	uint64_t last;
	bool closed, free_in_take;
	const char *why;
};

struct pair {
	struct loop *loop;
	struct end one, other;
};

static void take(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		 const int *fds, size_t fd_count)
{
	struct end *end = context;

	end->taken++;
	end->fds += (unsigned)fd_count;
	for (size_t i = 0; i < fd_count; i++) {
		char byte;

		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		assert_int_equal(pread(fds[i], &byte, 1, 0), 0); /* a memfd, still empty */
		close(fds[i]);
	}
	if (type == MESSAGE_ORDER)
		end->last = item->order.id;
	if (end->free_in_take) {
		channel_free(channel);
		end->channel = NULL;
	}
}

static void closed(void *context, struct channel *channel, const char *why)
{
	struct end *end = context;

	end->closed = true;
	end->why = why;
	channel_free(channel);
	end->channel = NULL;
}

static void drained(void *context, struct channel *channel)
{
	(void)channel;
	((struct end *)context)->drained++;
}

static void turn(void *context, struct channel *channel)
{
	(void)channel;
	((struct end *)context)->turns++;
}

static struct channel_calls calls_of(struct end *end)
{
	return (struct channel_calls){ .context = end, .take = take, .closed = closed, .drained = drained, .turn = turn };
}

/* `other` is a bare descriptor when its role is ROLES. */
static int open_pair(struct pair *pair, enum role one, enum role other)
{
	struct channel_calls calls = calls_of(&pair->one);
	int ends[2];

	memset(pair, 0, sizeof(*pair));
	assert_int_equal(loop_new(&pair->loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	calls = calls_of(&pair->one);
	assert_int_equal(channel_new(pair->loop, ends[0], one, other < ROLES ? other : ROLE_ACT, &calls, &pair->one.channel), 0);
	if (other == ROLES)
		return ends[1];
	calls = calls_of(&pair->other);
	assert_int_equal(channel_new(pair->loop, ends[1], other, one, &calls, &pair->other.channel), 0);
	return -1;
}

static void close_pair(struct pair *pair)
{
	channel_free(pair->one.channel);
	channel_free(pair->other.channel);
	loop_free(pair->loop);
}

static struct order order_of(uint64_t id)
{
	struct order order;

	memset(&order, 0, sizeof(order));
	order.id = id;
	order.verb = ORDER_INITIATE;
	return order;
}

static void turns(struct pair *pair, int count)
{
	while (count--)
		assert_int_equal(loop_turn(pair->loop, 0), 0);
}

static void many_items_arrive_in_order_and_in_few_datagrams(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, ROLE_CORE, ROLE_ACT);
	for (uint64_t id = 1; id <= 1000; id++) {
		struct order order = order_of(id);

		assert_int_equal(channel_send(pair.one.channel, MESSAGE_ORDER, &order), 0);
	}
	turns(&pair, 4);
	assert_int_equal(pair.other.taken, 1000);
	assert_int_equal(pair.other.last, 1000);
	assert_true(pair.other.turns <= 4);
	assert_int_equal(channel_count(pair.one.channel).sent, 1000);
	assert_int_equal(channel_count(pair.other.channel).taken, 1000);
	close_pair(&pair);
}

static void a_receiver_that_does_not_read_costs_bounded_memory_and_nobody_blocks(void **state)
{
	struct sighting sighting;
	struct pair pair;
	int other = open_pair(&pair, ROLE_CORE, ROLES);
	struct order order = order_of(1);
	uint64_t sent = 0;

	(void)state;
	while (channel_send(pair.one.channel, MESSAGE_ORDER, &order) == 0) {
		turns(&pair, 1);
		assert_true(++sent * sizeof(order) < 2 * CHANNEL_MOST);
	}
	assert_true(channel_is_full(pair.one.channel));
	assert_int_equal(channel_count(pair.one.channel).overflow, 1);
	close(other);
	close_pair(&pair);

	other = open_pair(&pair, ROLE_SENSE, ROLE_CORE);
	(void)other;
	memset(&sighting, 0, sizeof(sighting));
	sighting.protocol = 50;
	sent = 0;
	while (channel_send(pair.one.channel, MESSAGE_SIGHTING, &sighting) == 0)
		sent++;
	assert_true(sent * sizeof(sighting) < 2 * CHANNEL_HIGH); /* dropped much earlier than what must arrive */
	assert_int_equal(channel_count(pair.one.channel).dropped, 1);
	assert_int_equal(pair.one.drained, 0);
	turns(&pair, 200);
	assert_int_equal(pair.other.taken, sent);
	assert_int_equal(pair.one.drained, 1);
	assert_false(channel_is_full(pair.one.channel));
	close_pair(&pair);
}

static void descriptors_go_along_and_stay_the_senders(void **state)
{
	struct role_resource resource;
	int fd = memfd_create("test", MFD_CLOEXEC);
	int fds[2] = { fd, fd };
	struct order order = order_of(1);
	struct pair pair;

	(void)state;
	memset(&resource, 0, sizeof(resource));
	open_pair(&pair, ROLE_PARENT, ROLE_ACT);
	assert_int_equal(channel_send_fds(pair.one.channel, MESSAGE_RESOURCE, &resource, fds, 2), 0);
	assert_int_equal(channel_send_fds(pair.one.channel, MESSAGE_RESOURCE, &resource, fds, 1), 0);
	turns(&pair, 3);
	assert_int_equal(pair.other.taken, 2);
	assert_int_equal(pair.other.fds, 3);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	assert_int_equal(channel_send(pair.one.channel, MESSAGE_ORDER, &order), -EINVAL); /* the parent orders nothing */
	close_pair(&pair);
	open_pair(&pair, ROLE_CORE, ROLE_ACT);
	assert_int_equal(channel_send_fds(pair.one.channel, MESSAGE_ORDER, &order, fds, 1), -EINVAL);
	close_pair(&pair);
	close(fd);
}

static void descriptors_that_never_left_are_closed(void **state)
{
	struct role_resource resource;
	int fd = memfd_create("test", MFD_CLOEXEC), before, after;
	struct pair pair;

	(void)state;
	memset(&resource, 0, sizeof(resource));
	open_pair(&pair, ROLE_PARENT, ROLE_ACT);
	before = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	close(before);
	for (int i = 0; i < CHANNEL_FDS_MOST; i++)
		assert_int_equal(channel_send_fds(pair.one.channel, MESSAGE_RESOURCE, &resource, &fd, 1), 0);
	assert_int_equal(channel_send_fds(pair.one.channel, MESSAGE_RESOURCE, &resource, &fd, 1), -ENOBUFS);
	assert_int_equal(channel_send_fds(pair.one.channel, MESSAGE_RESOURCE, &resource, NULL, 0), 0);
	channel_free(pair.one.channel);
	pair.one.channel = NULL;
	after = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	close(after);
	assert_true(after <= before);
	close_pair(&pair);
	close(fd);
}

static void the_end_of_the_other_process_is_told_after_its_last_words(void **state)
{
	struct order order = order_of(5);
	struct pair pair;

	(void)state;
	open_pair(&pair, ROLE_CORE, ROLE_ACT);
	assert_int_equal(channel_send(pair.one.channel, MESSAGE_ORDER, &order), 0);
	channel_flush(pair.one.channel);
	channel_free(pair.one.channel);
	pair.one.channel = NULL;
	turns(&pair, 2);
	assert_int_equal(pair.other.last, 5);
	assert_true(pair.other.closed);
	assert_null(pair.other.why);
	assert_null(pair.other.channel);
	close_pair(&pair);
}

static void garbage_closes_the_channel_with_a_reason(void **state)
{
	static const char garbage[64] = "not a message";
	struct pair pair;
	int other = open_pair(&pair, ROLE_CORE, ROLES);

	(void)state;
	assert_int_equal(send(other, garbage, sizeof(garbage), 0), sizeof(garbage));
	turns(&pair, 1);
	assert_true(pair.one.closed);
	assert_non_null(pair.one.why);
	assert_int_equal(pair.one.taken, 0);
	close(other);
	close_pair(&pair);
}

static void descriptors_from_a_role_close_the_channel_and_do_not_leak(void **state)
{
	struct order_result result;
	struct {
		struct message_header header;
		struct order_result result;
	} said;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { &said, sizeof(said) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct pair pair;
	int other = open_pair(&pair, ROLE_CORE, ROLES), before, after, ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	memset(&said, 0, sizeof(said));
	memset(&result, 0, sizeof(result));
	said.header = (struct message_header){ .build = message_build(), .type = MESSAGE_RESULT, .count = 1,
					       .length = sizeof(result) };
	memset(&control, 0, sizeof(control));
	CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &ends[0], sizeof(int));
	before = dup(0);
	close(before);
	assert_int_equal(sendmsg(other, &message, 0), sizeof(said));
	turns(&pair, 1);
	assert_true(pair.one.closed);
	assert_non_null(pair.one.why);
	after = dup(0);
	close(after);
	assert_true(after <= before); /* the channel's own is free again as well */
	close(ends[0]);
	close(ends[1]);
	close(other);
	close_pair(&pair);
}

/* As a role does that is ended while its parent had something to say to it: the kernel tells of that first. */
static void last_words_are_heard_of_one_that_did_not_read(void **state)
{
	struct {
		struct message_header header;
		struct order_result result;
	} said;
	struct order order = order_of(1);
	struct pair pair;
	int other = open_pair(&pair, ROLE_CORE, ROLES);

	(void)state;
	assert_int_equal(channel_send(pair.one.channel, MESSAGE_ORDER, &order), 0);
	turns(&pair, 1);
	memset(&said, 0, sizeof(said));
	said.header = (struct message_header){ .build = message_build(), .type = MESSAGE_RESULT, .count = 1,
					       .length = sizeof(said.result) };
	assert_true(send(other, &said, sizeof(said.header) + sizeof(said.result), 0) > 0);
	close(other);
	turns(&pair, 2);
	assert_int_equal(pair.one.taken, 1);
	assert_true(pair.one.closed);
	assert_null(pair.one.why);
	close_pair(&pair);
}

static void it_may_be_freed_while_it_tells(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, ROLE_CORE, ROLE_ACT);
	pair.other.free_in_take = true;
	for (uint64_t id = 1; id <= 3; id++) {
		struct order order = order_of(id);

		channel_send(pair.one.channel, MESSAGE_ORDER, &order);
	}
	turns(&pair, 3);
	assert_int_equal(pair.other.taken, 1);
	assert_true(pair.one.closed);
	close_pair(&pair);
}

static void no_channel_is_no_crash(void **state)
{
	struct order order = order_of(1);

	(void)state;
	assert_int_equal(channel_send(NULL, MESSAGE_ORDER, &order), -ENOTCONN);
	assert_false(channel_is_full(NULL));
	channel_flush(NULL);
	channel_receive(NULL);
	channel_free(NULL);
	assert_int_equal(channel_count(NULL).sent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_items_arrive_in_order_and_in_few_datagrams),
		cmocka_unit_test(a_receiver_that_does_not_read_costs_bounded_memory_and_nobody_blocks),
		cmocka_unit_test(descriptors_go_along_and_stay_the_senders),
		cmocka_unit_test(descriptors_that_never_left_are_closed),
		cmocka_unit_test(the_end_of_the_other_process_is_told_after_its_last_words),
		cmocka_unit_test(garbage_closes_the_channel_with_a_reason),
		cmocka_unit_test(descriptors_from_a_role_close_the_channel_and_do_not_leak),
		cmocka_unit_test(last_words_are_heard_of_one_that_did_not_read),
		cmocka_unit_test(it_may_be_freed_while_it_tells),
		cmocka_unit_test(no_channel_is_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
