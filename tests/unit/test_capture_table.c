/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judge/capture_table.h"

static const struct hash_key key = { 1, 2 };

static struct spimend_address address(const char *text)
{
	struct spimend_address a;

	assert_int_equal(spimend_address_parse(text, strlen(text), &a), 0);
	return a;
}

static void add_state(struct capture_table *t, const char *src, const char *dst, uint32_t spi, bool in, bool out)
{
	struct saved_record r = {
		.kind = SAVED_STATE,
		.state = { .src = address(src), .dst = address(dst), .protocol = 50, .spi = { spi }, .in_hint = in, .out_hint = out },
	};

	assert_int_equal(capture_table_add(t, &r), 0);
}

static bool has(const struct capture_table *t, const char *dst, uint8_t protocol, uint32_t spi)
{
	struct spimend_address a = address(dst);

	return capture_table_find(t, &a, protocol, spi) != NULL;
}

static bool is_local(const struct capture_table *t, const char *text)
{
	struct spimend_address a = address(text);

	return capture_table_is_local(t, &a);
}

static void xfrm_states_tell_whose_they_are(void **state)
{
	struct spimend_address told = address("192.0.2.1");
	struct capture_table t;

	(void)state;
	/* By the direction that the kernel prints. */
	assert_int_equal(capture_table_init(&t, &key), 0);
	capture_table_begin(&t, OUTPUT_XFRM, NULL);
	add_state(&t, "203.0.113.9", "192.0.2.1", 1000, true, false);
	add_state(&t, "192.0.2.1", "203.0.113.9", 2000, false, false);
	assert_int_equal(capture_table_finish(&t), 0);
	assert_true(is_local(&t, "192.0.2.1"));
	assert_false(is_local(&t, "203.0.113.9"));
	assert_true(has(&t, "192.0.2.1", 50, 1000));
	assert_false(has(&t, "192.0.2.1", 51, 1000));
	assert_false(has(&t, "192.0.2.1", 50, 2000));
	assert_true(has(&t, "203.0.113.9", 50, 2000)); /* outbound */
	capture_table_done(&t);

	/* Without: whoever is at one end of all, where there are several peers. */
	assert_int_equal(capture_table_init(&t, &key), 0);
	add_state(&t, "203.0.113.9", "192.0.2.1", 1000, false, false);
	add_state(&t, "192.0.2.1", "203.0.113.9", 2000, false, false);
	add_state(&t, "192.0.2.1", "203.0.113.20", 3000, false, false);
	assert_int_equal(capture_table_finish(&t), 0);
	assert_true(is_local(&t, "192.0.2.1"));
	capture_table_done(&t);

	/* One peer and no direction: either may be ours, and nothing is guessed. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(capture_table_init(&t, &key), 0);
		add_state(&t, "203.0.113.9", "192.0.2.1", 1000, false, false);
		add_state(&t, "192.0.2.1", "203.0.113.9", 2000, false, false);
		if (i)
			assert_int_equal(capture_table_own(&t, &told), 0);
		assert_int_equal(capture_table_finish(&t), i ? 0 : -ENODATA);
		assert_int_equal(is_local(&t, "192.0.2.1"), i);
		capture_table_done(&t);
	}
}

static void a_block_tells_peer_and_both_directions(void **state)
{
	struct saved_record r = {
		.kind = SAVED_FLOW,
		.line = 7,
		.flow = { .source = SA_BLOCK_CISCO, .local = address("192.0.2.1"), .peer = address("203.0.113.9"), .whole = true,
			  .inbound = { { 1000 }, { 1001 } }, .inbound_count = 2, .inbound_ah = 2, .outbound = { { 2000 } },
			  .outbound_count = 1, .encap_told = true, .encap_udp = true },
	};
	struct spimend_address peer = address("203.0.113.9"), own = address("192.0.2.1");
	const struct capture_host *host;
	struct capture_table t;

	(void)state;
	assert_int_equal(capture_table_init(&t, &key), 0);
	capture_table_begin(&t, OUTPUT_IPSEC_SA, NULL);
	assert_int_equal(capture_table_add(&t, &r), 0);
	capture_table_end(&t, false);
	assert_int_equal(capture_table_finish(&t), 0);
	assert_true(has(&t, "192.0.2.1", 50, 1000));
	assert_true(has(&t, "192.0.2.1", 51, 1001));
	assert_false(has(&t, "192.0.2.1", 50, 1001));
	assert_true(has(&t, "203.0.113.9", 50, 2000));
	assert_true(capture_table_find(&t, &own, 50, 1000)->encap_udp);
	host = capture_table_peer(&t, &peer);
	assert_non_null(host);
	assert_int_equal(host->inbound, 2);
	assert_int_equal(host->line, 7);
	assert_false(host->is_cut);
	assert_null(capture_table_peer(&t, &own));
	assert_false(t.is_cut);
	assert_int_equal(t.dialect, DIALECT_IOS);
	capture_table_done(&t);
}

/* What a table does not show whole proves no absence. */
static void what_is_not_whole_is_known(void **state)
{
	struct saved_record bad = { .kind = SAVED_FLOW, .reason = "no SPI" };
	struct saved_filter narrow = { .typed = true, .narrow = true, .peer = address("203.0.113.9") };
	struct spimend_address spoke = address("203.0.113.9"), other = address("203.0.113.20");
	struct capture_table t;

	(void)state;
	assert_int_equal(capture_table_init(&t, &key), 0);
	assert_int_equal(capture_table_begin(&t, OUTPUT_IPSEC_SA, &narrow), 0);
	assert_true(capture_table_covers(&t, &spoke));
	assert_false(capture_table_covers(&t, &other));
	assert_int_equal(capture_table_begin(&t, OUTPUT_IPSEC_SA, NULL), 0);
	assert_true(capture_table_covers(&t, &other));
	assert_false(t.is_cut);
	assert_int_equal(capture_table_add(&t, &bad), 0);
	assert_true(t.is_cut);
	capture_table_done(&t);
	assert_int_equal(capture_table_init(&t, &key), 0);
	capture_table_end(&t, true);
	assert_true(t.is_cut);
	capture_table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xfrm_states_tell_whose_they_are),
		cmocka_unit_test(a_block_tells_peer_and_both_directions),
		cmocka_unit_test(what_is_not_whole_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
