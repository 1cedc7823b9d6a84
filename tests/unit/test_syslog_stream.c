/* SPDX-License-Identifier: MIT */
/* src/sense/syslog_stream.c: who may be silent, and for how long. Over a socket pair of the loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include "sense/syslog_stream.h"

static struct config_syslog config;
static struct syslog *s;
static int listening = -1, client = -1;
static struct syslog_connection *c;

static bool on_claim(void *context, const struct syslog_claim *claim)
{
	(void)context;
	(void)claim;
	return true;
}

static int set_up(void **state)
{
	static const struct hash_key key = { 1, 2 };
	const struct syslog_events events = { .claim = on_claim };
	struct syslog_listener listener;
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	struct pollfd ready = { .events = POLLIN };

	(void)state;
	memset(&config, 0, sizeof(config));
	config.sources[0] = (struct syslog_source){ .address = { 4, { 127, 0, 0, 1 } }, .prefix = 32 };
	config.source_count = 1;
	memset(&listener, 0, sizeof(listener));
	listener.address = config.sources[0].address;
	assert_int_equal(syslog_new(&config, &key, &events, &s), 0);
	syslog_at(s, (struct moment){ .mono_ns = 1, .wall.ns = INT64_C(1793620800) * SECOND_NS });
	assert_int_equal(syslog_stream_open(&listener, &listening), 0); /* port 0: any that is free */
	assert_int_equal(getsockname(listening, (struct sockaddr *)&at, &len), 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, len), 0);
	ready.fd = listening;
	assert_int_equal(poll(&ready, 1, 5000), 1);
	assert_int_equal(syslog_accept(listening, NULL, s, 0, &c), 0);
	assert_non_null(c);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	syslog_connection_free(c, s);
	assert_int_equal(syslog_counts(s)->open, 0);
	syslog_free(s);
	close(listening);
	if (client >= 0)
		close(client);
	return 0;
}

static enum syslog_state say(const char *bytes, int64_t now_ns)
{
	struct pollfd ready = { .fd = syslog_connection_fd(c), .events = POLLIN };
	const char *why;

	assert_int_equal(send(client, bytes, strlen(bytes), 0), strlen(bytes));
	assert_int_equal(poll(&ready, 1, 5000), 1);
	return syslog_connection_read(c, s, now_ns, &why);
}

static void test_who_says_nothing_is_late(void **state)
{
	struct syslog_connection *other;

	(void)state;
	assert_int_equal(syslog_accept(listening, NULL, s, 0, &other), -EAGAIN);
	assert_false(syslog_connection_is_late(c, SYSLOG_SILENCE));
	assert_true(syslog_connection_is_late(c, SYSLOG_SILENCE + 1));
}

static void test_between_messages_it_may_be_silent(void **state)
{
	(void)state;
	assert_int_equal(say("<188>one\n", SECOND_NS), SYSLOG_READS);
	assert_int_equal(syslog_counts(s)->received, 1);
	assert_false(syslog_connection_is_late(c, DAY_NS));
}

/* A byte now and then does not hold a place for ever: the whole message is due. */
static void test_half_a_message_is_late(void **state)
{
	(void)state;
	assert_int_equal(say("<188>one\n<188>half", DAY_NS), SYSLOG_READS);
	assert_false(syslog_connection_is_late(c, DAY_NS + SYSLOG_SILENCE));
	assert_int_equal(say(" a", DAY_NS + SYSLOG_SILENCE / 2), SYSLOG_READS);
	assert_true(syslog_connection_is_late(c, DAY_NS + SYSLOG_SILENCE + 1));
	assert_int_equal(say(" line\n", DAY_NS + SYSLOG_SILENCE), SYSLOG_READS);
	assert_false(syslog_connection_is_late(c, 9 * DAY_NS));
	assert_int_equal(syslog_counts(s)->received, 2);
}

static void test_its_end_ends_its_last_line(void **state)
{
	struct pollfd ready = { .fd = syslog_connection_fd(c), .events = POLLIN };
	const char *why;

	(void)state;
	assert_int_equal(say("<188>one\n<188>last", 0), SYSLOG_READS);
	close(client);
	client = -1;
	assert_int_equal(poll(&ready, 1, 5000), 1);
	assert_int_equal(syslog_connection_read(c, s, 0, &why), SYSLOG_ENDED);
	assert_int_equal(syslog_counts(s)->received, 2);
	assert_int_equal(syslog_counts(s)->broken, 0);
}

static void test_half_a_counted_message_is_said_to_be_broken(void **state)
{
	struct pollfd ready = { .fd = syslog_connection_fd(c), .events = POLLIN };
	const char *why;

	(void)state;
	assert_int_equal(say("5 <1>ok1000 <188>half", 0), SYSLOG_READS);
	close(client);
	client = -1;
	assert_int_equal(poll(&ready, 1, 5000), 1);
	assert_int_equal(syslog_connection_read(c, s, 0, &why), SYSLOG_ENDED);
	assert_int_equal(syslog_counts(s)->received, 1);
	assert_int_equal(syslog_counts(s)->broken, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_says_nothing_is_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_between_messages_it_may_be_silent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_half_a_message_is_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_its_end_ends_its_last_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_half_a_counted_message_is_said_to_be_broken, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
