/* SPDX-License-Identifier: MIT */
/*
 * The capture judge over hundreds of random gateways: peers with several children, each rekeyed at its own times, idle for a
 * while or busy, rekeys that overlap; captured from some moment on, the table saved at some moment within the capture.
 * Whatever the table's moment: no SA that was sound is ever called a desync. And an SA that the receiver lost, and that
 * the sender goes on with, is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "judge/capture.h"

enum { PEERS = 4, CHILDREN = 3, GENERATIONS = 64 };

#define START (INT64_C(1767225600) * SECOND_NS)

static const struct hash_key key = { 3, 4 };

struct world {
	uint64_t random;
	int64_t from, to, saved; /* the capture; when the table was saved; seconds of the story in ns */
	struct packet *packets;  /* owns */
	size_t count, room;
	bool broken;
	uint32_t lost_spi;
};

static uint32_t draw(struct world *w, uint32_t below)
{
	w->random = w->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((w->random >> 33) % below);
}

static struct spimend_address address(uint8_t last)
{
	return (struct spimend_address){ .family = 4, .bytes = { 192, 0, 2, last } };
}

static void send_one(struct world *w, uint8_t src, uint8_t dst, uint32_t spi, uint32_t sequence, int64_t at)
{
	if (at < w->from || at > w->to)
		return;
	if (w->count == w->room) {
		w->room = w->room ? w->room * 2 : 4096;
		w->packets = realloc(w->packets, w->room * sizeof(*w->packets));
	}
	w->packets[w->count++] = (struct packet){
		.key = { address(src), address(dst), SPIMEND_PROTOCOL_ESP, 0, spi }, .sequence = sequence, .length = 100,
		.at_ns = START + at, .has_time = true,
	};
}

static int by_time(const void *left, const void *right)
{
	const struct packet *a = left, *b = right;

	return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

/* One child's SAs, one after the other, both directions: what is sent, and what the receiver has when the table is saved. */
static void live(struct world *w, struct sa_block *block, uint8_t peer, uint32_t child, bool loses)
{
	int64_t born = -(int64_t)draw(w, 100) * SECOND_NS, end = 300 * SECOND_NS;
	int64_t lost_at = w->from + (5 + draw(w, 10)) * SECOND_NS;

	for (uint32_t generation = 0; born < end && generation < GENERATIONS; generation++) {
		bool is_last = loses && born < w->from; /* it is lost and never renewed, as the sender does not know */
		int64_t rekeyed = is_last ? end : born + (20 + draw(w, 100)) * SECOND_NS;
		int64_t gone = is_last ? lost_at : rekeyed + draw(w, 5000) * (SECOND_NS / 1000);
		bool is_there = w->saved >= born && w->saved < gone;

		if (is_last && rekeyed < lost_at)
			rekeyed = end;
		for (int way = 0; way < 2; way++) { /* 0: towards the receiver, 192.0.2.1 */
			uint32_t spi = 0x10000000u * (way + 1u) + peer * 0x100000u + child * 0x10000u + generation * 16 + 4099;
			uint32_t sequence = 1;
			/* A busy child uses it at once, an idle one begins late. */
			int64_t at = born + (draw(w, 4) ? draw(w, 2000) : draw(w, 40000)) * (SECOND_NS / 1000);
			int64_t until = rekeyed + draw(w, 3000) * (SECOND_NS / 1000);

			if (is_last && way == 0)
				w->lost_spi = spi;
			if (is_last && way == 1)
				until = lost_at;
			for (; at < until; at += (50 + draw(w, 900)) * (SECOND_NS / 1000))
				send_one(w, way ? 1 : peer, way ? peer : 1, spi, sequence++, at);
			if (!is_there)
				continue;
			if (way == 0)
				block->inbound[block->inbound_count++].value = spi;
			else
				block->outbound[block->outbound_count++].value = spi;
		}
		if (is_last)
			break;
		born = rekeyed;
	}
}

/* How many SAs are called a desync; the lost one among them is told. */
static unsigned judge_world(uint64_t seed, bool broken, bool *ret_found, char *ret_told, size_t size)
{
	struct world w = { .random = seed * 2654435761u + broken, .broken = broken };
	struct judge_settings settings;
	struct capture_judge *captures;
	struct incident incident;
	struct judge *judge;
	unsigned desyncs = 0;
	int file;

	w.from = (30 + draw(&w, 60)) * SECOND_NS;
	w.to = w.from + (40 + draw(&w, 120)) * SECOND_NS;
	/* Within the capture, as the manual page asks for; where something is to be found, towards its end. */
	w.saved = broken ? w.to - (2000 + draw(&w, 5000)) * (SECOND_NS / 1000) :
			   w.from + draw(&w, (uint32_t)((w.to - w.from) / SECOND_NS) - 2) * SECOND_NS;
	judge_settings_default(&settings);
	assert_int_equal(judge_new(&settings, &key, &judge), 0);
	assert_int_equal(capture_judge_new(judge, &key, &captures), 0);
	file = capture_judge_file(captures, TEXT("random"));
	assert_int_equal(capture_judge_table_file(captures, TEXT("table")), 0);
	assert_int_equal(capture_judge_table_begin(captures, OUTPUT_SWANCTL, NULL), 0);
	for (uint8_t peer = 10; peer < 10 + PEERS; peer++)
		for (uint32_t child = 0; child < (peer % 2 ? 1 : CHILDREN); child++) {
			struct saved_record r = { .kind = SAVED_FLOW, .flow = { .source = SA_BLOCK_SWAN, .whole = true } };

			r.flow.local = address(1);
			r.flow.peer = address(peer);
			live(&w, &r.flow, peer, child, broken && peer == 10 && child == 0);
			assert_int_equal(capture_judge_table_add(captures, &r), 0);
		}
	capture_judge_table_end(captures, false);
	assert_int_equal(capture_judge_table_finish(captures), 0);
	qsort(w.packets, w.count, sizeof(*w.packets), by_time);
	for (size_t i = 0; i < w.count; i += CAPTURE_BATCH_MAX) {
		size_t n = w.count - i < CAPTURE_BATCH_MAX ? w.count - i : CAPTURE_BATCH_MAX;

		for (size_t k = 0; k < n; k++)
			w.packets[i + k].number = i + k + 1;
		capture_judge_packets(captures, file, w.packets + i, n);
	}
	capture_judge_span(captures, START + w.from, START + w.to);
	assert_int_equal(capture_judge_settle(captures), 0);
	*ret_found = false;
	for (size_t i = 0; i < capture_judge_incidents(captures); i++) {
		capture_judge_incident(captures, i, &incident);
		if (incident.verdict == VERDICT_DESYNC && incident.spi.value == w.lost_spi)
			*ret_found = true;
		else if (incident.verdict == VERDICT_DESYNC && desyncs++ == 0)
			snprintf(ret_told, size, "SPI 0x%x, from %.1f to %.1f s; captured %.1f to %.1f, saved %.1f", incident.spi.value,
				 (double)(incident.first_seen.ns - START) / 1e9, (double)(incident.last_seen.ns - START) / 1e9,
				 (double)w.from / 1e9, (double)w.to / 1e9, (double)w.saved / 1e9);
	}
	capture_judge_free(captures);
	judge_free(judge);
	free(w.packets);
	return desyncs;
}

static void a_sound_sa_is_never_a_desync(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		char told[200] = "";
		bool found;

		if (judge_world(seed, false, &found, told, sizeof(told)) != 0)
			fail_msg("seed %llu: %s", (unsigned long long)seed, told);
	}
}

static void a_lost_sa_is_found(void **state)
{
	unsigned found_all = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		char told[200] = "";
		bool found;

		if (judge_world(seed, true, &found, told, sizeof(told)) != 0)
			fail_msg("seed %llu: a sound one: %s", (unsigned long long)seed, told);
		found_all += found;
	}
	/* Not where another child's SA happens to begin when it ends, or the table catches another child between two SAs. */
	printf("%u of 100 found\n", found_all);
	assert_true(found_all >= 80);
}

/* ---- what a stranger can put into a capture costs as much time as there is of it ---- */

enum { MANY = 100000 };
#define CPU_SECONDS_MOST 5 /* it takes a fraction of one; a minute and more where each is held against each */

static void feed(struct capture_judge *captures, int file, struct packet p, uint64_t number)
{
	p.length = 100;
	p.has_time = true;
	p.number = number;
	capture_judge_packets(captures, file, &p, 1);
}

static struct packet of_flow(uint32_t i, uint32_t sequence, int64_t at)
{
	return (struct packet){ .key = { address(10), address(1), SPIMEND_PROTOCOL_ESP, 0, 0x10000000u + i }, .sequence = sequence,
				.at_ns = START + at };
}

/* How many incidents there are. */
static size_t judge_many(void (*fill)(struct capture_judge *captures, int file), bool has_table, enum rule rule)
{
	struct saved_record r = { .kind = SAVED_FLOW, .flow = { .source = SA_BLOCK_SWAN, .whole = true } };
	struct judge_settings settings;
	struct capture_judge *captures;
	struct incident incident;
	struct judge *judge;
	clock_t begun = clock();
	size_t found = 0;

	judge_settings_default(&settings);
	assert_int_equal(judge_new(&settings, &key, &judge), 0);
	assert_int_equal(capture_judge_new(judge, &key, &captures), 0);
	if (has_table) {
		r.flow.local = address(1);
		r.flow.peer = address(10);
		assert_int_equal(capture_judge_table_file(captures, TEXT("table")), 0);
		assert_int_equal(capture_judge_table_begin(captures, OUTPUT_SWANCTL, NULL), 0);
		assert_int_equal(capture_judge_table_add(captures, &r), 0);
		capture_judge_table_end(captures, false);
		assert_int_equal(capture_judge_table_finish(captures), 0);
	}
	fill(captures, capture_judge_file(captures, TEXT("many")));
	assert_int_equal(capture_judge_settle(captures), 0);
	for (size_t i = 0; i < capture_judge_incidents(captures); i++) {
		capture_judge_incident(captures, i, &incident);
		found += incident.rule == rule;
	}
	capture_judge_free(captures);
	judge_free(judge);
	assert_in_range((clock() - begun) / CLOCKS_PER_SEC, 0, CPU_SECONDS_MOST);
	return found;
}

static void fill_notifies(struct capture_judge *captures, int file)
{
	for (uint32_t i = 0; i < MANY; i++) {
		struct packet p = { .key = { .src = address(1), .dst = address(10) }, .at_ns = START + i * 1000, .has_bad_spi = true,
				    .bad_spi = 0x10000000u + i };

		feed(captures, file, p, i + 1);
	}
}

static void fill_unknown(struct capture_judge *captures, int file)
{
	for (uint32_t n = 0; n < 3; n++)
		for (uint32_t i = 0; i < MANY; i++) {
			struct packet back = { .key = { address(1), address(10), SPIMEND_PROTOCOL_ESP, 0, 0x20000000u + i },
					       .sequence = 1000 + n, .at_ns = START + n * SECOND_NS + i };

			feed(captures, file, of_flow(i, 1000 + n, 60 * SECOND_NS + n * SECOND_NS + i), (2 * n * MANY + i) + 1);
			feed(captures, file, back, 2 * n * MANY + MANY + i + 1);
		}
	capture_judge_span(captures, START, START + 62 * SECOND_NS + MANY);
}

/* Each goes on for long beside the one after it, and with no third one. */
static void fill_kept(struct capture_judge *captures, int file)
{
	int64_t step = 100 * SECOND_NS;

	for (uint32_t i = 0; i < MANY; i++)
		for (uint32_t n = 0; n < 3; n++)
			feed(captures, file, of_flow(i, 1 + n, i * step + n * step * 3 / 4), i * 3 + n + 1);
}

static void many_of_a_pair_cost_no_more_than_their_number(void **state)
{
	(void)state;
	assert_int_equal(judge_many(fill_notifies, false, RULE_CAPTURE_NOTIFY), MANY);
	assert_int_equal(judge_many(fill_unknown, true, RULE_SAD_LACKS), MANY);
	assert_int_equal(judge_many(fill_kept, false, RULE_CAPTURE_SPI_KEPT), MANY - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_sa_is_never_a_desync),
		cmocka_unit_test(a_lost_sa_is_found),
		cmocka_unit_test(many_of_a_pair_cost_no_more_than_their_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
