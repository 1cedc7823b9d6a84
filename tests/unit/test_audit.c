/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/audit.h>
#include <linux/netlink.h>

#include "sense/audit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STRAY "audit(1767225600.123:45): op=SA-notfound src=10.1.1.1 dst=10.1.1.2 spi=3076621886(0xb761863e) seqno="

static size_t message(uint16_t type, const char *body, char *to)
{
	struct nlmsghdr header = { .nlmsg_len = (uint32_t)strlen(body), .nlmsg_type = type };

	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), body, strlen(body));
	return sizeof(header) + strlen(body);
}

static void reads_a_record(void **state)
{
	char bytes[512];
	struct sighting s;

	(void)state;
	assert_int_equal(audit_message_parse(bytes, message(AUDIT_MAC_IPSEC_EVENT, STRAY "7", bytes), &s), AUDIT_STRAY);
	assert_int_equal(s.witness, WITNESS_AUDIT);
	assert_int_equal(s.spi, 0xb761863e);
	assert_int_equal(s.protocol, 50);
	assert_int_equal(s.src.family, 4);
	assert_int_equal(s.src.bytes[3], 1);
	assert_int_equal(s.dst.bytes[3], 2);
	assert_int_equal(s.packets, 1);
	assert_int_equal(s.sequence_first, 7);
	assert_int_equal(s.sequence_highest, 7);
	assert_string_equal(s.interface, "");
	assert_int_equal(audit_message_parse(bytes, message(AUDIT_MAC_IPSEC_EVENT,
		"audit(1.2:3): op=SA-notfound src=2001:db8::1 dst=2001:db8::2 flowlbl=0x0 spi=1(0x1) seqno=4294967295", bytes), &s),
		AUDIT_STRAY);
	assert_int_equal(s.src.family, 6);
	assert_int_equal(s.sequence_last, UINT32_MAX);
}

static void leaves_other_records_alone(void **state)
{
	static const struct {
		uint16_t type;
		const char *body;
		enum audit_message_result result;
	} rows[] = {
		{ AUDIT_USER, STRAY "7", AUDIT_OTHER },
		{ AUDIT_MAC_IPSEC_EVENT, "audit(1.2:3): op=SAD-add auid=0 src=10.1.1.1 dst=10.1.1.2 spi=1(0x1) res=1", AUDIT_OTHER },
		{ AUDIT_MAC_IPSEC_EVENT, "audit(1.2:3): op=SA-icv-failure src=10.1.1.1 dst=10.1.1.2 spi=1(0x1) seqno=3", AUDIT_OTHER },
		{ AUDIT_MAC_IPSEC_EVENT, "", AUDIT_OTHER },
		{ AUDIT_MAC_IPSEC_EVENT, "audit(1.2:3): op=SA-notfound src=10.1.1.1", AUDIT_MALFORMED },
		{ AUDIT_MAC_IPSEC_EVENT, "audit(1.2:3): op=SA-notfound src=10.1.1.1 dst=10.1.1.2", AUDIT_MALFORMED },
		{ AUDIT_MAC_IPSEC_EVENT, "audit(1.2:3): op=SA-notfound src=x dst=10.1.1.2 spi=1(0x1) seqno=3", AUDIT_MALFORMED },
	};
	char bytes[512];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sighting s = { .spi = 4711 };

		assert_int_equal(audit_message_parse(bytes, message(rows[i].type, rows[i].body, bytes), &s), rows[i].result);
		assert_int_equal(s.spi, 4711);
	}
	assert_int_equal(audit_message_parse(bytes, 3, &(struct sighting){ 0 }), AUDIT_MALFORMED);
}

struct heard {
	unsigned count;
	struct sighting last[8];
};

static void hear(void *context, const struct sighting *s)
{
	struct heard *h = context;

	if (h->count < 8)
		h->last[h->count] = *s;
	h->count++;
}

/* A datagram socket in place of netlink's: the same way of reading. */
static void gathers_what_stands_together(void **state)
{
	static const char *const bodies[] = {
		STRAY "5", STRAY "9", STRAY "7", "audit(1.2:3): op=SA-notfound src=10.1.1.1 dst=10.1.1.2 spi=1(0x1) seqno=3", STRAY "8",
		"audit(1.2:3): op=SA-notfound src=10.1",
	};
	struct heard h = { 0 };
	const struct audit_events events = { &h, hear };
	struct sensor_state sensor = { .audit_records = 100 };
	struct audit *a;
	char bytes[512];
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(audit_new(pair[0], &events, &a), 0);
	assert_int_equal(audit_fd(a), pair[0]);
	for (size_t i = 0; i < COUNT(bodies); i++) {
		size_t size = message(AUDIT_MAC_IPSEC_EVENT, bodies[i], bytes);

		assert_int_equal(write(pair[1], bytes, size), (ssize_t)size);
	}
	assert_int_equal(audit_read(a), 0);
	assert_int_equal(h.count, 3);
	assert_int_equal(h.last[0].packets, 3);
	assert_int_equal(h.last[0].sequence_first, 5);
	assert_int_equal(h.last[0].sequence_last, 7);
	assert_int_equal(h.last[0].sequence_highest, 9);
	assert_true(h.last[0].first_ns > 0 && h.last[0].first_ns <= h.last[0].last_ns);
	assert_int_equal(h.last[1].spi, 1);
	assert_int_equal(h.last[2].packets, 1);
	audit_state(a, &sensor);
	assert_int_equal(sensor.audit_records, 105);
	assert_int_equal(sensor.malformed, 1);
	assert_int_equal(audit_read(a), 0);
	assert_int_equal(h.count, 3);
	audit_free(a);
	close(pair[1]);
}

/* Netlink between programs overruns like the kernel's audit group: the reader is told once, and goes on. */
static void counts_an_overrun(void **state)
{
	const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	struct heard h = { 0 };
	const struct audit_events events = { &h, hear };
	struct sensor_state sensor = { 0 };
	char bytes[512];
	size_t size = message(AUDIT_MAC_IPSEC_EVENT, STRAY "7", bytes);
	int from = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_USERSOCK);
	int to = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_USERSOCK), little = 4096;
	struct audit *a;

	(void)state;
	if (from < 0 || bind(to, (const struct sockaddr *)&group, sizeof(group)) < 0)
		skip();
	assert_int_equal(setsockopt(to, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)), 0);
	assert_int_equal(audit_new(to, &events, &a), 0);
	for (int i = 0; i < 100; i++)
		sendto(from, bytes, size, 0, (const struct sockaddr *)&group, sizeof(group));
	assert_int_equal(audit_read(a), 0);
	audit_state(a, &sensor);
	assert_int_equal(sensor.audit_lost, 1);
	/* And what does not come from the kernel is no record. */
	assert_int_equal(h.count, 0);
	assert_int_equal(sensor.audit_records, 0);
	audit_free(a);
	close(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_record),
		cmocka_unit_test(leaves_other_records_alone),
		cmocka_unit_test(gathers_what_stands_together),
		cmocka_unit_test(counts_an_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
