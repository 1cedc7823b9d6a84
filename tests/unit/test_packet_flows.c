/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judge/packet_flows.h"

static const struct hash_key key = { 0x0123456789abcdef, 0xfedcba9876543210 };

static struct packet packet_of(uint32_t flow, uint32_t sequence, int64_t at_ns)
{
	struct packet p = { .sequence = sequence, .length = 100 + flow % 7, .at_ns = at_ns, .number = 1, .has_time = true };

	p.key.protocol = flow % 5 ? SPIMEND_PROTOCOL_ESP : SPIMEND_PROTOCOL_AH;
	p.key.encap_udp = flow % 5 && flow % 3 == 0;
	p.key.src.family = p.key.dst.family = flow % 2 ? 4 : 6;
	memcpy(p.key.src.bytes, &flow, sizeof(flow));
	p.key.dst.bytes[3] = 1;
	if (flow % 2 == 0)
		p.key.dst.bytes[15] = (uint8_t)flow;
	p.key.spi = flow * 2654435761u;
	return p;
}

/* Against arrays that are counted plainly; batches of all sizes; grown many times on the way. */
static void counts_as_one_would_by_hand(void **state)
{
	enum { FLOWS = 20000, ROUNDS = 30 };
	static struct {
		uint64_t packets, bytes;
		int64_t first, last;
		uint32_t low, high;
	} plain[FLOWS];
	struct packet batch[PACKET_BATCH_MAX];
	struct packet_flows flows;
	uint32_t random = 7;
	size_t count = 0, most = 1;

	(void)state;
	memset(plain, 0, sizeof(plain));
	assert_int_equal(packet_flows_init(&flows, &key, PACKET_FLOWS_MAX), 0);
	for (uint32_t n = 0; n < FLOWS * ROUNDS; n++) {
		uint32_t flow, sequence;
		int64_t at;

		random = random * 1664525 + 1013904223;
		flow = (random >> 8) % FLOWS;
		sequence = random >> 4;
		at = (int64_t)(random >> 3); /* in no order at all */
		batch[count] = packet_of(flow, sequence, at);
		if (plain[flow].packets == 0 || at < plain[flow].first)
			plain[flow].first = at;
		if (plain[flow].packets == 0 || at > plain[flow].last)
			plain[flow].last = at;
		if (plain[flow].packets == 0 || sequence < plain[flow].low)
			plain[flow].low = sequence;
		if (plain[flow].packets == 0 || sequence > plain[flow].high)
			plain[flow].high = sequence;
		plain[flow].packets++;
		plain[flow].bytes += batch[count].length;
		if (++count == most) {
			packet_flows_add(&flows, 0, batch, count);
			count = 0;
			most = most % PACKET_BATCH_MAX + 1;
		}
	}
	packet_flows_add(&flows, 0, batch, count);
	for (uint32_t flow = 0; flow < FLOWS; flow++) {
		struct packet p = packet_of(flow, 0, 0);
		const struct packet_flow *f = packet_flows_find(&flows, &p.key);

		if (!plain[flow].packets) {
			assert_null(f);
			continue;
		}
		assert_non_null(f);
		assert_int_equal(f->packets, plain[flow].packets);
		assert_int_equal(f->bytes, plain[flow].bytes);
		assert_int_equal(f->first_ns, plain[flow].first);
		assert_int_equal(f->last_ns, plain[flow].last);
		assert_int_equal(f->sequence_low, plain[flow].low);
		assert_int_equal(f->sequence_high, plain[flow].high);
	}
	assert_int_equal(flows.evicted, 0);
	assert_int_equal(flows.refused_packets, 0);
	packet_flows_done(&flows);
}

/* A flood of SPIs that come once does not push out a flow that goes on. */
static void a_flood_makes_room_and_is_counted(void **state)
{
	enum { LIMIT = 4096 };
	struct packet_flows flows;
	struct packet live = packet_of(1, 0, 0);
	const struct packet_flow *f;

	(void)state;
	assert_int_equal(packet_flows_init(&flows, &key, LIMIT), 0);
	for (uint32_t n = 0; n < 10 * LIMIT; n++) {
		struct packet one = packet_of(n + 10, n, n);

		packet_flows_add(&flows, 0, &one, 1);
		live.sequence = n;
		live.at_ns = n;
		packet_flows_add(&flows, 0, &live, 1);
		assert_true(flows.count <= LIMIT);
	}
	f = packet_flows_find(&flows, &live.key);
	assert_non_null(f);
	assert_int_equal(f->packets, 10 * LIMIT);
	assert_int_equal(flows.refused_packets, 0);
	assert_int_equal(flows.evicted + flows.count, 10 * LIMIT + 1);
	packet_flows_done(&flows);
}

/* Where each comes twice nothing makes room: new ones find no place, and their packets are counted. */
static void a_full_table_refuses_and_counts(void **state)
{
	enum { LIMIT = 1024 };
	struct packet_flows flows;

	(void)state;
	assert_int_equal(packet_flows_init(&flows, &key, LIMIT), 0);
	for (uint32_t n = 0; n < 2 * LIMIT; n++) {
		struct packet twice[2] = { packet_of(n, 1, 1), packet_of(n, 2, 2) };

		packet_flows_add(&flows, 0, twice, 2);
	}
	assert_int_equal(flows.count, LIMIT);
	assert_int_equal(flows.evicted, 0);
	assert_int_equal(flows.refused_packets, 2 * LIMIT);
	packet_flows_done(&flows);
}

static void packets_without_a_time_count_too(void **state)
{
	struct packet p[3] = { packet_of(1, 5, 0), packet_of(1, 6, 0), packet_of(1, 7, 0) };
	struct packet_flows flows;
	const struct packet_flow *f;

	(void)state;
	assert_int_equal(packet_flows_init(&flows, &key, 16), 0);
	for (size_t i = 0; i < 3; i++) {
		p[i].has_time = false;
		p[i].number = i + 1;
	}
	packet_flows_add(&flows, 3, p, 3);
	f = packet_flows_find(&flows, &p[0].key);
	assert_false(f->has_times);
	assert_int_equal(f->packets, 3);
	assert_int_equal(f->first_number, 1);
	assert_int_equal(f->last_number, 3);
	assert_int_equal(f->sequence_last, 7);
	assert_int_equal(f->first_file, 3);
	assert_int_equal(f->advances, 2);
	packet_flows_done(&flows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_as_one_would_by_hand),
		cmocka_unit_test(a_flood_makes_room_and_is_counted),
		cmocka_unit_test(a_full_table_refuses_and_counts),
		cmocka_unit_test(packets_without_a_time_count_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
