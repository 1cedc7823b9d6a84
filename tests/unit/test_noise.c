/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "judge_case.h"

#define NIGHT 100000 /* seconds: late enough for every flow before to be calm */

/* `n` SPIs of one source, `apart` seconds from each other. */
static void scan(struct judge *j, const char *src, uint32_t n, double apart)
{
	for (uint32_t k = 0; k < n; k++)
		say_stray(j, src, "10.10.1.2", 0x20000001 + k * 0x01010101, k * apart);
}

static void test_many_spis(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	scan(j, "192.0.2.66", 7, 1);
	hear(j, 5000);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(judge_incidents(j), 7);
	assert_int_equal(count_of(j, VERDICT_TRANSIENT), 7);
	say_stray(j, "192.0.2.66", "10.10.1.2", 0x3fffffff, 600); /* the eighth, at the edge of the window */
	assert_judged(only(j), VERDICT_NOISE, RULE_MANY_SPIS);
	assert_int_equal(only(j).spis, 8);
	assert_int_equal(only(j).sources, 1);
	assert_int_equal(only(j).messages, 8);
	assert_false(only(j).has_spi);
	assert_int_equal(only(j).src.family, 4);
	assert_int_equal(only(j).state, STATE_CLOSED);
	assert_int_equal(only(j).cause, CAUSE_SCAN_OR_SPOOF);
	judge_free(j);
}

static void test_many_spis_need_the_window(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	scan(j, "192.0.2.66", 8, 600.0 / 7 + 0.001);
	hear(j, 5000);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(count_of(j, VERDICT_NOISE), 0);
	judge_free(j);
}

static void test_a_source_with_a_repeat_is_no_scanner(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	scan(j, "10.1.1.1", 20, 1);
	say_stray(j, "10.1.1.1", "10.10.1.2", 0x20000001, 60);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(count_of(j, VERDICT_NOISE), 0);
	assert_judged(of_spi(j, 0x20000001), VERDICT_DESYNC, RULE_LOG_REPEAT);
	judge_free(j);
}

static void test_many_sources(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	say_stray(j, "192.0.2.1", "10.10.1.2", 0x77b41234, 0);
	hear(j, 5000);
	assert_judged(only(j), VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET);
	say_stray(j, "192.0.2.2", "10.10.1.2", 0x77b41234, 1);
	say_stray(j, "192.0.2.2", "10.10.1.3", 0x77b41234, 2); /* the same source elsewhere is no third one */
	assert_judged(only(j), VERDICT_NOISE, RULE_MANY_SOURCES);
	assert_int_equal(only(j).sources, 2);
	assert_int_equal(only(j).spis, 1);
	assert_int_equal(only(j).messages, 3);
	assert_int_equal(only(j).spi.value, 0x77b41234);
	assert_int_equal(only(j).src.family, 0);
	assert_int_equal(only(j).dst.family, 0);
	judge_free(j);
}

static void test_merged_groups_count_right(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	for (uint32_t spi = 0; spi < 20; spi++) /* 20 SPIs, each from two of three sources */
		for (uint32_t s = 0; s < 2; s++) {
			struct fact f = fact_stray(NULL, "10.10.1.2", 0x50000001 + spi * 0x10001);

			f.src = address_v4(0xc0000201 + (spi + s) % 3);
			say(j, &f, "hub", spi * 1000);
		}
	assert_judged(only(j), VERDICT_NOISE, RULE_MANY_SOURCES);
	assert_int_equal(only(j).spis, 20);
	assert_int_equal(only(j).sources, 3);
	assert_int_equal(only(j).messages, 40);
	assert_false(only(j).has_spi);
	judge_free(j);
}

static void test_shared_keys_are_exempt(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	for (uint32_t s = 0; s < 6; s++) {
		struct fact f = fact_stray(NULL, "10.10.1.2", 0x0000aabb);

		f.src = address_v4(0x0a010100 + s);
		strcpy(f.interface, "Tunnel10001");
		say(j, &f, "hub", s);
		f = fact_stray(NULL, "10.10.1.2", 0x100); /* a manual key */
		f.src = address_v4(0x0a010200 + s);
		say(j, &f, "hub", s);
	}
	hear(j, 5000);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(judge_incidents(j), 12);
	assert_int_equal(count_of(j, VERDICT_NOISE), 0);
	judge_free(j);
}

static void test_copied_spi_cannot_hide_a_desync(void **state)
{
	struct judge *j = judge_plain();
	struct incident i;

	(void)state;
	say_stray(j, "10.1.1.1", "10.10.1.2", 0x1db73bbb, 0);
	for (uint32_t s = 0; s < 500; s++) {
		struct fact f = fact_stray(NULL, "10.10.1.2", 0x1db73bbb);

		f.src = address_v4(0xc0000000 + s);
		say(j, &f, "hub", 1 + s * 0.1);
	}
	say_stray(j, "10.1.1.1", "10.10.1.2", 0x1db73bbb, 61);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(judge_incidents(j), 2);
	judge_incident(j, 0, &i);
	assert_judged(i, VERDICT_DESYNC, RULE_LOG_REPEAT);
	assert_true(i.flags & FLAG_MANY_SOURCES);
	judge_incident(j, 1, &i);
	assert_judged(i, VERDICT_NOISE, RULE_MANY_SOURCES);
	assert_int_equal(i.sources, 500);
	judge_free(j);
}

static void test_strangers_and_peers(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	add_peer(j, "10.0.0.0", 8);
	say_stray(j, "10.1.1.1", "10.10.1.2", 0x1db73bbb, 0);
	/* A stranger repeats for hours: still a stranger. It copies the peer's SPI: it has no vote. */
	for (int m = 0; m < 10; m++)
		say_stray(j, "192.0.2.9", "10.10.1.2", 0x1db73bbb, m * 60);
	hear(j, 5000);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(judge_incidents(j), 2);
	assert_int_equal(count_of(j, VERDICT_DESYNC), 0);
	assert_int_equal(count_of(j, VERDICT_TRANSIENT), 1); /* the peer's, judged by itself */
	assert_int_equal(count_of(j, VERDICT_NOISE), 1);
	/* Many SPIs of a peer are many tunnels. */
	scan(j, "10.1.1.2", 100, 1);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(count_of(j, VERDICT_NOISE), 1);
	assert_int_equal(judge_incidents(j), 102);
	judge_free(j);
}

static void test_narrowest_network_is_the_peer(void **state)
{
	struct judge *j = judge_plain();
	struct judge_peer wide = { .address = address_of("10.1.0.0"), .prefix = 16, .owner = OWNERSHIP_FOREIGN };
	struct judge_peer host = { .address = address_of("10.1.1.1"), .prefix = 32, .owner = OWNERSHIP_OURS, .has_kind = true,
				   .kind = TUNNEL_SVTI };
	struct judge_peer six = { .address = address_of("2001:db8::ffff"), .prefix = 121, .owner = OWNERSHIP_OURS };

	(void)state;
	assert_int_equal(judge_add_peer(j, &wide), 0);
	assert_int_equal(judge_add_peer(j, &host), 0);
	assert_int_equal(judge_add_peer(j, &six), 0);
	say_stray(j, "10.1.1.1", "10.1.2.1", 0x11111111, 0);
	say_stray(j, "10.1.1.2", "10.1.2.1", 0x22222222, 0);
	say_stray(j, "10.2.0.1", "10.1.2.1", 0x33333333, 0);
	say_stray(j, "2001:db8::ff80", "2001:db8::1", 0x44444444, 0);
	say_stray(j, "2001:db8::ff7f", "2001:db8::1", 0x55555555, 0);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(of_spi(j, 0x11111111).src_owner, OWNERSHIP_OURS);
	assert_int_equal(of_spi(j, 0x11111111).tunnel_kind, TUNNEL_SVTI);
	assert_int_equal(of_spi(j, 0x11111111).dst_owner, OWNERSHIP_FOREIGN);
	assert_int_equal(of_spi(j, 0x22222222).src_owner, OWNERSHIP_FOREIGN);
	assert_judged(of_spi(j, 0x33333333), VERDICT_NOISE, RULE_STRANGER);
	assert_int_equal(of_spi(j, 0x44444444).src_owner, OWNERSHIP_OURS);
	assert_judged(of_spi(j, 0x55555555), VERDICT_NOISE, RULE_STRANGER);
	judge_free(j);
}

/* ---- floods ---- */

#define MILLION 1000000

/* `n` distinct SPIs in 100 s, from `sources` addresses from `base` on; a live flow repeats in the middle of it. */
static struct judge *flood(const char *peers, uint32_t n, uint32_t base, uint32_t sources, bool live)
{
	struct judge *j = judge_plain();

	if (peers)
		add_peer(j, peers, 8);
	for (uint32_t k = 0; k < n; k++) {
		struct fact f = fact_stray(NULL, "10.10.1.2", 0x10001 + k * 4000);

		f.src = address_v4(base + k % sources);
		if (live && (k == n / 10 * 3 || k == n / 10 * 9))
			say_stray(j, "10.1.1.1", "10.10.1.2", 0x1db73bbb, NIGHT + k * 100.0 / n);
		say(j, &f, "hub", NIGHT + k * 100.0 / n);
	}
	hear(j, NIGHT + 150);
	assert_int_equal(judge_settle(j), 0);
	return j;
}

static void assert_one_flood(struct judge *j, enum rule rule, uint64_t n, uint64_t sources, bool live)
{
	struct incident i;

	assert_int_equal(count_of(j, VERDICT_NOISE), 1);
	assert_int_equal(count_of(j, VERDICT_DESYNC), live);
	assert_int_equal(judge_incidents(j), 1 + live);
	judge_incident(j, 0, &i);
	assert_judged(i, VERDICT_NOISE, rule);
	assert_int_equal(i.messages, n);
	assert_int_equal(i.spis, n);
	assert_int_equal(i.sources, sources);
	assert_true(i.flags & FLAG_EVIDENCE_CUT);
	assert_false(i.has_spi);
	if (live)
		assert_judged(of_spi(j, 0x1db73bbb), VERDICT_DESYNC, RULE_LOG_REPEAT);
	judge_free(j);
}

static void test_flood_of_one_source(void **state)
{
	(void)state;
	assert_one_flood(flood(NULL, MILLION, 0xc0000201, 1, false), RULE_MANY_SPIS, MILLION, 1, false);
}

static void test_flood_of_a_thousand_sources_around_a_live_flow(void **state)
{
	(void)state;
	assert_one_flood(flood(NULL, MILLION, 0xc0000000, 1000, true), RULE_FLOOD, MILLION, 1000, true);
}

static void test_flood_of_a_million_sources(void **state)
{
	struct judge *j = flood(NULL, MILLION, 0xc0000000, MILLION, true);
	struct incident i;

	(void)state;
	assert_int_equal(judge_incidents(j), 2);
	judge_incident(j, 0, &i);
	assert_judged(i, VERDICT_NOISE, RULE_FLOOD);
	assert_in_range(i.sources, 4096, MILLION); /* at least so many */
	assert_int_equal(i.spis, MILLION);
	assert_judged(of_spi(j, 0x1db73bbb), VERDICT_DESYNC, RULE_LOG_REPEAT);
	judge_free(j);
}

static void test_flood_of_strangers_where_peers_are_known(void **state)
{
	(void)state;
	assert_one_flood(flood("10.0.0.0", 200000, 0xc0000000, 1000, true), RULE_FLOOD, 200000, 1000, true);
}

static void test_flood_with_the_addresses_of_peers(void **state)
{
	(void)state;
	assert_one_flood(flood("10.0.0.0", 200000, 0x0a200000, 1000, true), RULE_FLOOD, 200000, 1000, true);
}

static void test_flood_that_sends_each_spi_twice(void **state)
{
	struct judge_settings s = settings_default();
	struct judge *j;

	(void)state;
	s.flows_max = 1024;
	s.flood_flows = 256;
	j = judge_with(&s, 1);
	for (uint32_t k = 0; k < 20000; k++) {
		struct fact f = fact_stray(NULL, "10.10.1.2", 0x10001 + k * 4000);

		f.src = address_v4(0xc0000000 + k % 100);
		say(j, &f, "hub", k * 0.01);
		say(j, &f, "hub", k * 0.01 + 0.005);
		if (k == 5000 || k == 15000)
			say_stray(j, "10.1.1.1", "10.10.1.2", 0x1db73bbb, k * 0.01);
	}
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(judge_counts(j)->refused, 0);
	assert_int_equal(judge_incidents(j), 2);
	assert_judged(of_spi(j, 0x1db73bbb), VERDICT_DESYNC, RULE_LOG_REPEAT);
	judge_free(j);
}

/* ---- chance ---- */

#define BY_CHANCE 0x66778899u

/* `singles` SPIs of one source in 500 s; another one of it comes at `at`. The hub logs on. */
static struct judge *meeting(uint32_t singles, const double *at, size_t count, bool is_peer)
{
	struct judge *j = judge_plain();

	if (is_peer)
		add_peer(j, "192.0.2.0", 24);
	for (uint32_t k = 0; k < singles; k++)
		say_stray(j, "192.0.2.66", "10.10.1.2", 0x10001 + k * 4000, k * 500.0 / singles);
	for (size_t k = 0; k < count; k++)
		say_stray(j, "192.0.2.66", "10.10.1.2", BY_CHANCE, at[k]);
	hear(j, 20000);
	assert_int_equal(judge_settle(j), 0);
	return j;
}

static void test_two_of_many_meet_by_chance(void **state)
{
	static const double at[] = { 100, 300 }, later[] = { 100, 2000 };
	struct judge *j = meeting(1025, at, 2, false);

	(void)state;
	assert_judged(only(j), VERDICT_NOISE, RULE_MANY_SPIS);
	assert_int_equal(only(j).messages, 1027);
	assert_int_equal(only(j).spis, 1026);
	judge_free(j);
	j = meeting(1024, at, 2, false); /* not more than so many: a repeat */
	assert_judged(of_spi(j, BY_CHANCE), VERDICT_DESYNC, RULE_LOG_REPEAT);
	judge_free(j);
	j = meeting(1025, later, 2, false); /* the flood was over */
	assert_judged(of_spi(j, BY_CHANCE), VERDICT_DESYNC, RULE_LOG_REPEAT);
	judge_free(j);
	j = meeting(1025, at, 2, true);
	assert_judged(of_spi(j, BY_CHANCE), VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
	judge_free(j);
}

static void test_three_are_no_chance(void **state)
{
	static const double apart[] = { 100, 150, 200 }, close[] = { 100, 149, 199 };
	struct judge *j = meeting(2000, apart, 3, false);

	(void)state;
	assert_judged(of_spi(j, BY_CHANCE), VERDICT_DESYNC, RULE_LOG_REPEAT);
	judge_free(j);
	j = meeting(2000, close, 3, false); /* one step of a repeat's length only */
	assert_judged(only(j), VERDICT_NOISE, RULE_MANY_SPIS);
	judge_free(j);
}

static void test_random_spis_of_one_source(void **state)
{
	struct judge_settings s = settings_default();
	uint64_t seed = 3;
	struct judge *j;

	(void)state;
	s.flows_max = 4096;
	j = judge_with(&s, 1);
	for (uint32_t k = 0; k < 200000; k++) { /* of 2^26: some 300 meet */
		say_stray(j, "192.0.2.66", "10.10.1.2", 0x80000001u | (uint32_t)(draw(&seed) & 0x3ffffff) << 1, k * 0.0025);
		if (k == 50000 || k == 80000 || k == 120000)
			say_stray(j, "10.1.1.1", "10.10.1.2", 0x1db73bba, k * 0.0025);
	}
	hear(j, 600);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(judge_incidents(j), 2);
	assert_int_equal(count_of(j, VERDICT_NOISE), 1);
	assert_judged(of_spi(j, 0x1db73bba), VERDICT_DESYNC, RULE_LOG_REPEAT);
	judge_free(j);
}

static void test_equal_spis_of_a_flood_are_the_flood(void **state)
{
	(void)state;
	for (uint32_t meet = 2; meet <= 4; meet++) {
		struct judge *j = judge_plain();

		for (uint32_t k = 0; k < 10000; k++) {
			struct fact f = fact_stray(NULL, "10.10.1.2", 0x10001 + (k >= 5000 && k < 5000 + meet ? 5000 : k) * 4000);

			f.src = address_v4(0xc0000000 + k);
			say(j, &f, "hub", k * 0.02);
		}
		hear(j, 20000);
		assert_int_equal(judge_settle(j), 0);
		assert_int_equal(count_of(j, VERDICT_NOISE), meet <= 3 ? 1 : 2);
		if (meet <= 3) {
			assert_judged(only(j), VERDICT_NOISE, RULE_FLOOD);
			assert_int_equal(only(j).messages, 10000);
			assert_int_equal(only(j).sources, 10000);
			assert_false(only(j).flags & FLAG_MANY_SOURCES);
		}
		judge_free(j);
	}
}

/* ---- what a group says and shows ---- */

static void test_looks_of_the_half(void **state)
{
	(void)state;
	for (uint32_t zero = 9; zero <= 10; zero++) {
		struct judge *j = judge_plain();

		for (uint32_t k = 0; k < 20; k++)
			say_stray(j, "192.0.2.66", "10.10.1.2", (0x80000001u + k * 0x10000) & (k < zero ? 0xffff0000 : ~0u), k);
		assert_judged(only(j), VERDICT_NOISE, RULE_MANY_SPIS);
		assert_int_equal(!!(only(j).flags & FLAG_SPI_LOW_ZERO), zero == 10);
		assert_false(only(j).flags & FLAG_SPI_PRINTABLE);
		judge_free(j);
	}
}

static void test_looks_of_what_was_evicted(void **state)
{
	(void)state;
	for (uint32_t odd = 0; odd < 2; odd++) {
		struct judge_settings s = settings_default();
		struct judge *j;

		s.flows_max = 64;
		j = judge_with(&s, 1);
		for (uint32_t k = 0; k < 2000; k++)
			say_stray(j, "192.0.2.66", "10.10.1.2", 0x80000000u + k * 0x10000 + (k >= 900 && odd), k * 0.01);
		assert_int_equal(!!(only(j).flags & FLAG_SPI_LOW_ZERO), !odd);
		judge_free(j);
	}
}

static void test_a_group_shows_its_first_flows(void **state)
{
	struct judge *j = judge_plain();
	struct incident i;

	(void)state;
	for (uint32_t k = 0; k < 5; k++) {
		struct fact f = fact_stray(NULL, "10.10.1.2", 0x77b41234);

		f.src = address_v4(0xc0000205 - k);
		say(j, &f, "hub", 10 + k);
		say(j, &f, "hub", 20 + k);
	}
	i = only(j);
	assert_judged(i, VERDICT_NOISE, RULE_MANY_SOURCES);
	assert_int_equal(i.evidence_count, 5);
	for (uint32_t k = 0; k < 5; k++)
		assert_int_equal(i.evidence[k].at.ns, CASE_DAY + SECONDS(10 + k));
	assert_int_equal(i.evidence[0].at.ns, i.first_seen.ns);
	assert_false(i.flags & FLAG_EVIDENCE_CUT);
	judge_free(j);
	j = judge_plain();
	for (uint32_t k = 100; k > 0; k--) /* read newest first */
		say_stray(j, "192.0.2.66", "10.10.1.2", 0x20000001 + k * 0x01010101, k);
	i = only(j);
	assert_judged(i, VERDICT_NOISE, RULE_MANY_SPIS);
	assert_int_equal(i.evidence_count, 8);
	for (uint32_t k = 0; k < 8; k++)
		assert_int_equal(i.evidence[k].at.ns, CASE_DAY + SECONDS(1 + k));
	assert_int_equal(i.evidence[0].at.ns, i.first_seen.ns);
	assert_true(i.flags & FLAG_EVIDENCE_CUT);
	judge_free(j);
}

/* ---- calm evictions ---- */

static struct judge *small_table(void)
{
	struct judge_settings s = settings_default();

	s.flows_max = 64;
	return judge_with(&s, 1);
}

static void test_calm_flows_of_a_long_log_are_one_transient(void **state)
{
	struct judge *j = small_table();
	struct incident i;

	(void)state;
	for (uint32_t k = 0; k < 1000; k++) {
		struct fact f = fact_stray(NULL, "10.10.1.2", 0x10001 + k * 4000);

		f.src = address_v4(0x0a000000 + k % 50);
		say(j, &f, "hub", k * 700);
	}
	hear(j, 1000 * 700);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(count_of(j, VERDICT_NOISE), 0);
	assert_int_equal(count_of(j, VERDICT_TRANSIENT), 65);
	judge_incident(j, 0, &i);
	assert_judged(i, VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET);
	assert_int_equal(i.messages, 936);
	assert_int_equal(i.spis, 936);
	assert_int_equal(i.sources, 50);
	assert_false(i.has_spi);
	assert_int_equal(i.src.family, 0);
	assert_int_equal(i.dst.family, 4);
	assert_true(i.flags & FLAG_EVIDENCE_CUT);
	assert_int_equal(i.state, STATE_CLOSED);
	assert_int_equal(i.quiet_ns, SECONDS(64 * 700));
	assert_int_equal(judge_counts(j)->evicted, 936);
	judge_free(j);
}

static void test_pressure_is_the_noise_window(void **state)
{
	(void)state;
	for (int below = 0; below < 2; below++) {
		struct judge *j = small_table();

		for (uint32_t k = 0; k < 64; k++) {
			struct fact f = fact_stray(NULL, "10.10.1.2", 0x10001 + k * 4000);

			f.src = address_v4(0x0a000000 + k);
			say(j, &f, "hub", 0);
		}
		say_stray(j, "10.9.9.9", "10.10.1.2", 0x1db73bbb, below ? 599.999 : 600);
		hear(j, 5000);
		assert_int_equal(judge_settle(j), 0);
		if (below)
			assert_int_equal(count_of(j, VERDICT_NOISE), 1);
		else
			assert_int_equal(count_of(j, VERDICT_TRANSIENT), 65);
		judge_free(j);
	}
}

static void test_flood_leaves_the_calm_before_it_alone(void **state)
{
	struct judge_settings s = settings_default();
	struct judge *j;

	(void)state;
	s.flows_max = 1024;
	s.flood_flows = 256;
	j = judge_with(&s, 1);
	for (uint32_t k = 0; k < 2000; k++) {
		struct fact f = fact_stray(NULL, "10.10.1.2", 0x10001 + k * 4000);

		f.src = address_v4((k < 500 ? 0x0a000000 : 0xc0000000) + k);
		say(j, &f, "hub", k < 500 ? k * 100 : NIGHT + k * 0.01);
	}
	hear(j, NIGHT + 1000);
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(count_of(j, VERDICT_NOISE), 1);
	for (size_t n = 0; n < judge_incidents(j); n++) {
		struct incident i;

		judge_incident(j, n, &i);
		if (i.verdict == VERDICT_NOISE) {
			assert_int_equal(i.messages, 1500);
			assert_int_equal(i.first_seen.ns, CASE_DAY + SECONDS(NIGHT + 5));
		}
	}
	assert_int_equal(count_of(j, VERDICT_TRANSIENT) > 0, 1);
	judge_free(j);
}

static void test_other_faults_that_made_room_are_no_flood(void **state)
{
	struct judge *j = small_table();
	uint64_t faults = 0;

	(void)state;
	for (uint32_t k = 0; k < 200; k++) {
		struct fact f = fact_stray(NULL, "10.10.1.2", 0x10001 + k * 4000);

		f.kind = FACT_REPLAY;
		f.src = address_v4(0x0a000000 + k);
		say(j, &f, "hub", k);
	}
	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(count_of(j, VERDICT_OTHER_FAULT), judge_incidents(j));
	for (size_t n = 0; n < judge_incidents(j); n++) {
		struct incident i;

		judge_incident(j, n, &i);
		assert_true(i.saw[FACT_REPLAY]);
		faults += i.messages;
	}
	assert_int_equal(faults, 200);
	judge_free(j);
}

/* ---- one restart, many flows ---- */

static void test_many_peers(void **state)
{
	(void)state;
	for (uint32_t peers = 4; peers <= 5; peers++) {
		struct judge *j = judge_plain();

		for (uint32_t k = 0; k < peers; k++)
			for (int m = 0; m < 2; m++) {
				struct fact f = fact_stray(NULL, "10.10.1.2", 0x10001 + k * 4000);

				f.src = address_v4(0x0a000001 + k);
				say(j, &f, "hub", k * 30 + m * 3000);
			}
		for (int m = 0; m < 2; m++) /* another child of the first peer is no other peer */
			say_stray(j, "10.0.0.1", "10.10.1.2", 0x77777777, 1 + m * 3000);
		assert_int_equal(judge_settle(j), 0);
		assert_int_equal(count_of(j, VERDICT_DESYNC), peers + 1);
		for (size_t n = 0; n < judge_incidents(j); n++) {
			struct incident i;

			judge_incident(j, n, &i);
			assert_int_equal(!!(i.flags & FLAG_MANY_PEERS), peers == 5);
			assert_int_equal(i.cause, peers == 5 ? CAUSE_RECEIVER_LOST_STATE : CAUSE_UNKNOWN);
			assert_int_equal(i.confidence, peers == 5 ? CONFIDENCE_POSSIBLE : CONFIDENCE_NONE);
		}
		judge_free(j);
	}
}

static void test_both_directions(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	for (int m = 0; m < 2; m++) {
		say_stray(j, "10.1.1.1", "10.10.1.2", 0x11111111, m * 60);
		say_stray(j, "10.1.1.1", "10.10.1.2", 0x22222222, m * 60);
		say_stray(j, "10.10.1.2", "10.1.1.1", 0x33333333, m * 60);
		say_stray(j, "10.1.1.9", "10.10.1.2", 0x44444444, m * 60);
	}
	assert_int_equal(judge_settle(j), 0);
	assert_true(of_spi(j, 0x11111111).flags & FLAG_BOTH_DIRECTIONS);
	assert_true(of_spi(j, 0x22222222).flags & FLAG_BOTH_DIRECTIONS);
	assert_true(of_spi(j, 0x33333333).flags & FLAG_BOTH_DIRECTIONS);
	assert_false(of_spi(j, 0x44444444).flags & FLAG_BOTH_DIRECTIONS);
	judge_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_spis),
		cmocka_unit_test(test_many_spis_need_the_window),
		cmocka_unit_test(test_a_source_with_a_repeat_is_no_scanner),
		cmocka_unit_test(test_many_sources),
		cmocka_unit_test(test_merged_groups_count_right),
		cmocka_unit_test(test_shared_keys_are_exempt),
		cmocka_unit_test(test_copied_spi_cannot_hide_a_desync),
		cmocka_unit_test(test_strangers_and_peers),
		cmocka_unit_test(test_narrowest_network_is_the_peer),
		cmocka_unit_test(test_flood_of_one_source),
		cmocka_unit_test(test_flood_of_a_thousand_sources_around_a_live_flow),
		cmocka_unit_test(test_flood_of_a_million_sources),
		cmocka_unit_test(test_flood_of_strangers_where_peers_are_known),
		cmocka_unit_test(test_flood_with_the_addresses_of_peers),
		cmocka_unit_test(test_flood_that_sends_each_spi_twice),
		cmocka_unit_test(test_two_of_many_meet_by_chance),
		cmocka_unit_test(test_three_are_no_chance),
		cmocka_unit_test(test_random_spis_of_one_source),
		cmocka_unit_test(test_equal_spis_of_a_flood_are_the_flood),
		cmocka_unit_test(test_looks_of_the_half),
		cmocka_unit_test(test_looks_of_what_was_evicted),
		cmocka_unit_test(test_a_group_shows_its_first_flows),
		cmocka_unit_test(test_calm_flows_of_a_long_log_are_one_transient),
		cmocka_unit_test(test_pressure_is_the_noise_window),
		cmocka_unit_test(test_flood_leaves_the_calm_before_it_alone),
		cmocka_unit_test(test_other_faults_that_made_room_are_no_flood),
		cmocka_unit_test(test_many_peers),
		cmocka_unit_test(test_both_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
