/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse/vici.h"
#include "repair/vici.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

struct heard {
	int events, answers, unknowns;
	char last_event[32], last_message[32];
	struct vici_client *client;
	bool ask_again; /* from inside the answer */
};

static void on_event(void *context, struct text name, struct text message)
{
	struct heard *h = context;

	h->events++;
	text_copy(name, h->last_event, sizeof(h->last_event));
	text_copy(message, h->last_message, sizeof(h->last_message));
}

static void on_answer(void *context, enum vici_answer answer, struct text message)
{
	struct heard *h = context;

	h->answers++;
	h->unknowns += answer == VICI_UNKNOWN;
	text_copy(message, h->last_message, sizeof(h->last_message));
	if (h->ask_again) {
		h->ask_again = false;
		assert_int_equal(vici_client_request(h->client, TEXT("again"), TEXT_NONE, 9), 0);
	}
}

struct pair {
	int peer;
	struct heard heard;
	struct vici_client *client;
};

static struct pair *open_pair(void)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct vici_client_calls calls = { &p->heard, on_event, on_answer, NULL };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p->peer = fds[1];
	assert_int_equal(vici_client_new(fds[0], &calls, &p->client), 0);
	p->heard.client = p->client;
	return p;
}

static void close_pair(struct pair *p)
{
	vici_client_free(p->client);
	close(p->peer);
	free(p);
}

static void say(struct pair *p, const char *bytes, size_t len)
{
	assert_int_equal(send(p->peer, bytes, len, MSG_NOSIGNAL), len);
}

static void a_request_goes_out_as_the_reference_has_it(void **state)
{
	struct pair *p = open_pair();
	char got[64];

	(void)state;
	assert_int_equal(vici_client_request(p->client, TEXT("version"), TEXT_NONE, 5), 0);
	assert_true(vici_client_is_busy(p->client));
	assert_int_equal(vici_client_request(p->client, TEXT("version"), TEXT_NONE, 5), -EBUSY);
	assert_int_equal(read(p->peer, got, sizeof(got)), 13);
	assert_memory_equal(got, "\0\0\0\x09\0\x07version", 13);
	assert_int_equal(vici_client_deadline(p->client), 5);
	say(p, BYTES("\0\0\0\x04\x01\x03\x01z"));
	vici_client_read(p->client);
	assert_int_equal(p->heard.answers, 1);
	assert_string_equal(p->heard.last_message, "\x03\x01z");
	assert_false(vici_client_is_busy(p->client));
	assert_true(vici_client_deadline(p->client) == INT64_MAX);
	close_pair(p);
}

static void events_come_at_any_time_also_before_a_confirmation(void **state)
{
	struct pair *p = open_pair();

	(void)state;
	assert_int_equal(vici_client_register(p->client, TEXT("log"), 5), 0);
	say(p, BYTES("\0\0\0\x06\x07\x03logx" "\0\0\0\x05\x07\x03log" "\0\0\0\x01\x05"));
	vici_client_read(p->client);
	assert_int_equal(p->heard.events, 2);
	assert_int_equal(p->heard.answers, 1);
	assert_int_equal(p->heard.unknowns, 0);
	assert_int_equal(vici_client_register(p->client, TEXT("alert"), 5), 0);
	say(p, BYTES("\0\0\0\x01\x06"));
	vici_client_read(p->client);
	assert_int_equal(p->heard.unknowns, 1);
	assert_int_equal(vici_client_request(p->client, TEXT("nonsense"), TEXT_NONE, 5), 0);
	say(p, BYTES("\0\0\0\x01\x02"));
	vici_client_read(p->client);
	assert_int_equal(p->heard.unknowns, 2);
	assert_null(vici_client_lost(p->client));
	close_pair(p);
}

static void a_message_may_come_byte_by_byte(void **state)
{
	static const char bytes[] = "\0\0\0\x06\x07\x03logx\0\0\0\x01\x01";
	struct pair *p = open_pair();

	(void)state;
	assert_int_equal(vici_client_request(p->client, TEXT("stats"), TEXT_NONE, 5), 0);
	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		say(p, bytes + i, 1);
		vici_client_read(p->client);
		assert_int_equal(p->heard.events, i >= 9);
		assert_int_equal(p->heard.answers, i >= 14);
	}
	close_pair(p);
}

static void an_answer_may_start_the_next_request(void **state)
{
	struct pair *p = open_pair();

	(void)state;
	p->heard.ask_again = true;
	assert_int_equal(vici_client_request(p->client, TEXT("stats"), TEXT_NONE, 5), 0);
	say(p, BYTES("\0\0\0\x01\x01"));
	vici_client_read(p->client);
	assert_true(vici_client_is_busy(p->client));
	assert_int_equal(vici_client_deadline(p->client), 9);
	close_pair(p);
}

static void garbage_loses_the_connection_and_the_reason_is_kept(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
		bool asked;
	} rows[] = {
		{ BYTES("\0\0\0\0"), "claims a segment that is empty or too long", false },
		{ BYTES("\0\x08\0\x01"), "claims a segment that is empty or too long", false },
		{ BYTES("\xff\xff\xff\xff"), "claims a segment that is empty or too long", false },
		{ BYTES("HTTP/1.0 400 Bad Request\r\n\r\n"), "claims a segment that is empty or too long", false },
		{ BYTES("\0\0\0\x01\x08"), "sent what is no VICI packet: an unknown packet type", false },
		{ BYTES("\0\0\0\x03\x07\x09x"), "sent what is no VICI packet: the packet's name is empty or longer than the packet",
		  false },
		{ BYTES("\0\0\0\x01\x01"), "answered what was not asked", false },
		{ BYTES("\0\0\0\x01\x05"), "answered what was not asked", true }, /* a confirmation for a command */
		{ BYTES("\0\0\0\x03\0\x01x"), "sent a packet that only clients send", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair *p = open_pair();

		if (rows[i].asked)
			assert_int_equal(vici_client_request(p->client, TEXT("stats"), TEXT_NONE, 5), 0);
		say(p, rows[i].bytes, rows[i].len);
		vici_client_read(p->client);
		assert_non_null(vici_client_lost(p->client));
		assert_string_equal(vici_client_lost(p->client), rows[i].why);
		assert_int_equal(vici_client_get_fd(p->client), -1);
		assert_int_equal(vici_client_request(p->client, TEXT("stats"), TEXT_NONE, 5), -ENOTCONN);
		vici_client_read(p->client); /* and write, and tick: nothing more happens */
		vici_client_write(p->client);
		vici_client_tick(p->client, 100);
		assert_int_equal(p->heard.answers, 0);
		close_pair(p);
	}
}

static void a_peer_that_dies_is_lost_also_inside_a_message(void **state)
{
	struct pair *p = open_pair();

	(void)state;
	say(p, BYTES("\0\0\0\x06\x07\x03lo"));
	vici_client_read(p->client);
	assert_null(vici_client_lost(p->client));
	shutdown(p->peer, SHUT_RDWR);
	vici_client_read(p->client);
	assert_string_equal(vici_client_lost(p->client), "closed the connection inside a message");
	close_pair(p);
	p = open_pair();
	close(p->peer);
	p->peer = -1;
	vici_client_request(p->client, TEXT("stats"), TEXT_NONE, 5); /* into nothing, without a signal */
	vici_client_read(p->client);
	assert_non_null(vici_client_lost(p->client));
	close_pair(p);
}

static void a_silent_peer_is_lost_at_the_deadline(void **state)
{
	struct pair *p = open_pair();

	(void)state;
	vici_client_tick(p->client, 1000);
	assert_null(vici_client_lost(p->client));
	assert_int_equal(vici_client_request(p->client, TEXT("list-sas"), TEXT_NONE, 2000), 0);
	vici_client_tick(p->client, 1999);
	assert_null(vici_client_lost(p->client));
	vici_client_tick(p->client, 2000);
	assert_string_equal(vici_client_lost(p->client), "did not answer in time");
	close_pair(p);
}

static void what_the_socket_does_not_take_waits(void **state)
{
	static char big[VICI_SEGMENT_MAX - 64], got[VICI_SEGMENT_MAX + 64];
	struct pair *p = open_pair();
	size_t have = 0;

	(void)state;
	memset(big, 1, sizeof(big));
	assert_int_equal(vici_client_request(p->client, TEXT("x"), (struct text){ big, sizeof(big) }, 5), 0);
	assert_true(vici_client_wants_write(p->client));
	while (have < sizeof(big) + 7) {
		ssize_t n = recv(p->peer, got + have, sizeof(got) - have, MSG_DONTWAIT);

		if (n > 0)
			have += (size_t)n;
		vici_client_write(p->client);
	}
	assert_false(vici_client_wants_write(p->client));
	assert_memory_equal(got, "\0\x07\xff\xc3\0\x01x", 7);
	assert_memory_equal(got + 7, big, sizeof(big));
	close_pair(p);
	p = open_pair();
	assert_int_equal(vici_client_request(p->client, TEXT("x"), (struct text){ got, sizeof(got) }, 5), -EMSGSIZE);
	assert_int_equal(vici_client_request(p->client, TEXT_NONE, TEXT_NONE, 5), -EINVAL);
	assert_false(vici_client_is_busy(p->client));
	close_pair(p);
}

static void the_largest_segment_is_taken(void **state)
{
	static char segment[VICI_HEADER_BYTES + VICI_SEGMENT_MAX];
	struct pair *p = open_pair();
	size_t sent = 0;

	(void)state;
	memcpy(segment, "\0\x08\0\0\x07\x03log", 9);
	while (sent < sizeof(segment)) {
		ssize_t n = send(p->peer, segment + sent, sizeof(segment) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		vici_client_read(p->client);
	}
	vici_client_read(p->client);
	assert_int_equal(p->heard.events, 1);
	assert_null(vici_client_lost(p->client));
	close_pair(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_out_as_the_reference_has_it),
		cmocka_unit_test(events_come_at_any_time_also_before_a_confirmation),
		cmocka_unit_test(a_message_may_come_byte_by_byte),
		cmocka_unit_test(an_answer_may_start_the_next_request),
		cmocka_unit_test(garbage_loses_the_connection_and_the_reason_is_kept),
		cmocka_unit_test(a_peer_that_dies_is_lost_also_inside_a_message),
		cmocka_unit_test(a_silent_peer_is_lost_at_the_deadline),
		cmocka_unit_test(what_the_socket_does_not_take_waits),
		cmocka_unit_test(the_largest_segment_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
