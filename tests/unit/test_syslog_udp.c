/* SPDX-License-Identifier: MIT */
/* src/sense/syslog_udp.c: what a socket lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include "sense/syslog_udp.h"

static bool on_claim(void *context, const struct syslog_claim *claim)
{
	(void)context;
	(void)claim;
	return true;
}

/* A buffer that is full throws away; it is known as soon as the rest is read, though nothing comes after. */
static void test_what_the_socket_lost_is_counted_without_another_message(void **state)
{
	static const struct hash_key key = { 1, 2 };
	static struct config_syslog config;
	const struct syslog_events events = { .claim = on_claim };
	struct syslog_listener listener = { .transport = NOTIFY_UDP };
	int fd, out = socket(AF_INET, SOCK_DGRAM, 0), small = 4096;
	const struct syslog_counts *c;
	struct sockaddr_storage to;
	socklen_t len = sizeof(to);
	struct syslog_udp *udp;
	struct syslog *s;

	(void)state;
	assert_int_equal(spimend_address_parse("127.0.0.1", 9, &listener.address), 0);
	assert_int_equal(syslog_new(&config, &key, &events, &s), 0);
	c = syslog_counts(s);
	assert_int_equal(syslog_udp_open(&listener, &fd), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &len), 0);
	assert_int_equal(syslog_udp_new(fd, &udp), 0);
	for (int round = 1; round <= 2; round++) {
		for (int i = 0; i < 500; i++)
			assert_int_equal(sendto(out, "<189>x", 6, 0, (struct sockaddr *)&to, len), 6);
		assert_true(syslog_udp_read(udp, s) > 0);
		assert_true(c->lost > 400u * (unsigned)(round - 1) + 1 && c->lost < 500u * (unsigned)round);
		assert_int_equal(c->received + c->lost, 500 * round);
	}
	syslog_udp_free(udp);
	syslog_free(s);
	close(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_socket_lost_is_counted_without_another_message),
	};

	return cmocka_run_group_tests_name("syslog_udp", tests, NULL, NULL);
}
