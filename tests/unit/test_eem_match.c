/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/memory.h"
#include "eem/grams.h"
#include "eem/match.h"

#define MANY 600

static struct eem_pattern *patterns[MANY];
static uint32_t count;

static void add(const char *expression)
{
	char why[160];
	size_t offset;

	assert_true(count < MANY);
	if (eem_pattern_new(text_of(expression), why, sizeof(why), &offset, &patterns[count]) != 0)
		fail_msg("%s: %s", expression, why);
	count++;
}

static int clean(void **state)
{
	(void)state;
	while (count > 0)
		eem_pattern_free(patterns[--count]);
	return 0;
}

static uint64_t next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 31;
}

/* The matcher finds what trying each one finds. */
static void check(struct eem_matcher *m, const char *message)
{
	const uint32_t *hits;
	uint32_t found = eem_matcher_find(m, text_of(message), &hits, NULL), at = 0;

	for (uint32_t i = 0; i < count; i++) {
		bool matches = eem_pattern_search(patterns[i], text_of(message), NULL, NULL) == EEM_MATCH;
		bool listed = at < found && hits[at] == i;

		if (matches != listed)
			fail_msg("'%.*s' on '%s': %s", TEXT_ARG(eem_pattern_text(patterns[i])), message, matches ? "missed" : "made up");
		at += listed;
	}
	assert_int_equal(at, found);
}

static const char *const pieces[] = { "CRYPTO", "LINK", "SYS", "OSPF", "LINEPROTO", "RECVD_PKT_INV_SPI", "UPDOWN", "CONFIG_I", "ADJCHG",
				      "srcaddr=", "Interface", "changed", "state", "11.1.1.3", "10.0.12.34", "Gi0/1", "down", "a", "x" };
static const char *const joints[] = { ".*", ".", "", "[0-9]+", "(up|down)", "|", " ", ".+", "\\s", "b?", "^", "$", "-4-", "-5-", "-3-" };
#define PICK(list) list[next(&random) % (sizeof(list) / sizeof((list)[0]))]

static void test_it_finds_what_trying_each_finds(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct eem_matcher *m;

		clean(NULL);
		for (unsigned i = 0; i < 300; i++) {
			char text[256] = "";

			if (next(&random) % 4)
				snprintf(text, sizeof(text), "%s-%u-%s", PICK(pieces), (unsigned)(next(&random) % 8), PICK(pieces));
			for (unsigned k = 0; k < next(&random) % 4; k++) {
				strcat(text, PICK(joints));
				strcat(text, PICK(pieces));
			}
			add(text);
		}
		assert_int_equal(eem_matcher_new(patterns, count, &m), 0);
		for (unsigned i = 0; i < 200; i++) {
			char text[400];
			size_t len = (size_t)snprintf(text, sizeof(text), "Nov 29 r1 %%%s-%u-%s:", PICK(pieces), (unsigned)(next(&random) % 8),
						      PICK(pieces));

			for (unsigned k = 0; k < next(&random) % 7; k++)
				len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", next(&random) % 3 ? " " : "-4-", PICK(pieces));
			check(m, text);
		}
		check(m, "");
		check(m, "-");
		check(m, "-4-");
		check(m, "-4-UP");
		eem_matcher_free(m);
	}
}

static void note(void *context, uint32_t entry)
{
	((bool *)context)[entry] = true;
}

/* The search of many places at once and the one of place after place find the same, wherever it stands. */
static void test_wide_and_narrow_find_the_same(void **state)
{
	struct eem_literal literals[64];
	struct gram_entry entries[64];
	char texts[64][24], message[200];
	uint64_t random = 11;
	struct grams g;

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%s%u%c%s", PICK(pieces), (unsigned)(next(&random) % 100),
			 next(&random) % 2 ? EEM_ANY_BYTE : '.', PICK(pieces));
		literals[i] = (struct eem_literal){ .text = text_of(texts[i]) };
		entries[i] = (struct gram_entry){ &literals[i], 1 };
	}
	assert_int_equal(grams_init(&g, entries, 64), 0);
	for (unsigned round = 0; round < 2000; round++) {
		bool wide[64] = { false }, narrow[64] = { false };
		unsigned put = (unsigned)(next(&random) % 64);
		size_t len = (size_t)(next(&random) % 150), at = (size_t)(next(&random) % (len + 1));
		struct text is;

		for (size_t i = 0; i < len; i++)
			message[i] = (char)next(&random);
		memcpy(message + at, texts[put], strlen(texts[put]));
		is = (struct text){ message, len > at + strlen(texts[put]) ? len : at + strlen(texts[put]) };
		grams_find(&g, is, note, wide);
		g.sieve.is_wide = false;
		grams_find(&g, is, note, narrow);
#if defined(__x86_64__)
		g.sieve.is_wide = __builtin_cpu_supports("avx2");
#endif
		assert_true(wide[put]);
		assert_memory_equal(wide, narrow, sizeof(wide));
	}
	grams_done(&g);
}

/* One expression a peer, all with the same mnemonic and dots that match anything: still few are tried. */
static void test_many_of_one_mnemonic_cost_little(void **state)
{
	struct eem_matcher *m;
	struct eem_matcher_figures before, after;
	const uint32_t *hits;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		char text[100];

		snprintf(text, sizeof(text), "CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=10.0.%u.%u", i / 200, 10 + i % 200);
		add(text);
	}
	assert_int_equal(eem_matcher_new(patterns, count, &m), 0);
	before = eem_matcher_figures(m);
	assert_int_equal(before.mnemonics, 1);
	assert_int_equal(eem_matcher_find(m, TEXT("%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=10.0.0.1, "
						  "prot=50, spi=0x1(1), srcaddr=10.0.1.77, input interface=Gi1"), &hits, NULL), 1);
	assert_int_equal(hits[0], 267);
	after = eem_matcher_figures(m);
	assert_true(after.searches - before.searches < 20);
	assert_int_equal(eem_matcher_find(m, TEXT("%LINK-3-UPDOWN: Interface Gi1, srcaddr=10.0.1.77"), &hits, NULL), 0);
	assert_int_equal(eem_matcher_figures(m).searches, after.searches);
	/* the dots do match anything */
	check(m, "%CRYPTO-4-RECVD_PKT_INV_SPI: srcaddr=10x0y1z77");
	check(m, "CRYPTO-4-RECVD_PKT_INV_SPI srcaddr=10.0.2.10");
	eem_matcher_free(m);
}

static void test_what_is_tried_always_is_counted(void **state)
{
	struct eem_matcher *m;
	struct eem_matcher_figures f;

	(void)state;
	add(".*");
	add("[0-9]+");
	add("A-4-BCDE");
	add("hello there");
	add("FACILITY-3-X");
	assert_int_equal(eem_matcher_new(patterns, count, &m), 0);
	f = eem_matcher_figures(m);
	assert_int_equal(f.patterns, 5);
	assert_int_equal(f.always, 2);
	assert_int_equal(f.mnemonics, 2);
	assert_int_equal(f.by_text, 1);
	check(m, "A-4-BCDE");
	check(m, "hello there");
	check(m, "%FACILITY-3-XYZ: 5");
	eem_matcher_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_it_finds_what_trying_each_finds, clean),
		cmocka_unit_test(test_wide_and_narrow_find_the_same),
		cmocka_unit_test_teardown(test_many_of_one_mnemonic_cost_little, clean),
		cmocka_unit_test_teardown(test_what_is_tried_always_is_counted, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
