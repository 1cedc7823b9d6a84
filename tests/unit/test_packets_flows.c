/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sense/packets.h"
#include "sense/packets_flows.h"

struct heard {
	unsigned count;
	struct sighting last[4];
};

static void hear(void *context, const struct sighting *s)
{
	struct heard *h = context;

	if (h->count < 4)
		h->last[h->count] = *s;
	h->count++;
}

static struct packets_flows *flows_new(void)
{
	const struct hash_key key = { 1, 2 };
	struct packets_flows *f = NULL;

	assert_int_equal(packets_flows_new(&key, &f), 0);
	return f;
}

static struct sighting packet(uint32_t spi, uint32_t sequence, int64_t at)
{
	return (struct sighting){
		.witness = WITNESS_PACKET, .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 10, 0, 0, 2 } }, .protocol = 50, .spi = spi,
		.interface = "eth0", .packets = 1, .first_ns = at, .last_ns = at, .sequence_first = sequence,
		.sequence_last = sequence, .sequence_highest = sequence,
	};
}

static void gathers_the_packets_of_a_flow(void **state)
{
	struct packets_flows *f = flows_new();
	struct heard h = { 0 };
	struct sighting one = packet(7, 100, 1000), two = packet(7, 300, 900), three = packet(7, 200, 2000);

	(void)state;
	one.in_ledger = true;
	assert_int_equal(packets_flows_add(f, &one), PACKETS_FLOW_NEW);
	assert_int_equal(packets_flows_add(f, &two), PACKETS_FLOW_JOINED);
	assert_int_equal(packets_flows_add(f, &three), PACKETS_FLOW_JOINED);
	assert_int_equal(packets_flows_count(f), 1);
	packets_flows_tell(f, hear, &h);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.last[0].packets, 3);
	assert_int_equal(h.last[0].first_ns, 900);
	assert_int_equal(h.last[0].last_ns, 2000);
	assert_int_equal(h.last[0].sequence_first, 100);
	assert_int_equal(h.last[0].sequence_last, 200);
	assert_int_equal(h.last[0].sequence_highest, 300);
	assert_true(h.last[0].in_ledger);
	packets_flows_tell(f, hear, &h);
	assert_int_equal(h.count, 1);
	packets_flows_free(f);
}

static void keeps_flows_apart_by_each_part_of_their_name(void **state)
{
	struct packets_flows *f = flows_new();
	struct sighting rows[9];
	struct heard h = { 0 };

	(void)state;
	for (size_t i = 0; i < 9; i++)
		rows[i] = packet(7, 1, 1);
	rows[1].spi = 8;
	rows[2].src.bytes[3] = 9;
	rows[3].dst.bytes[3] = 9;
	rows[4].protocol = 51;
	rows[5].encap_udp = true;
	rows[6].src_port = 61000;
	rows[7].witness = WITNESS_XDP;
	strcpy(rows[8].interface, "eth1");
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < 9; i++)
			assert_int_equal(packets_flows_add(f, &rows[i]), round ? PACKETS_FLOW_JOINED : PACKETS_FLOW_NEW);
	packets_flows_tell(f, hear, &h);
	assert_int_equal(h.count, 9);
	packets_flows_free(f);
}

static void a_full_table_says_so_and_still_joins(void **state)
{
	struct packets_flows *f = flows_new();
	struct heard h = { 0 };

	(void)state;
	for (uint32_t i = 0; i < PACKETS_FLOWS_MAX; i++) {
		struct sighting one = packet(i, 1, 1);

		assert_int_equal(packets_flows_add(f, &one), PACKETS_FLOW_NEW);
	}
	for (uint32_t i = 0; i < 100; i++) {
		struct sighting more = packet(PACKETS_FLOWS_MAX + i, 1, 1), known = packet(i, 2, 2);

		assert_int_equal(packets_flows_add(f, &more), PACKETS_FLOW_FULL);
		assert_int_equal(packets_flows_add(f, &known), PACKETS_FLOW_JOINED);
	}
	packets_flows_tell(f, hear, &h);
	assert_int_equal(h.count, PACKETS_FLOWS_MAX);
	assert_int_equal(h.last[0].packets, 2);
	assert_int_equal(packets_flows_count(f), 0);
	packets_flows_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gathers_the_packets_of_a_flow),
		cmocka_unit_test(keeps_flows_apart_by_each_part_of_their_name),
		cmocka_unit_test(a_full_table_says_so_and_still_joins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
