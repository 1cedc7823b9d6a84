/* SPDX-License-Identifier: MIT */
/* src/record/live_burst.c and live_fleet.c: what syslog told of, as it is shown; judge_forget(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include "base/memory.h"
#include "record/live_fleet.h"

#define NOON (INT64_C(1793620800) * SECOND_NS)

static struct judge *judge;
static struct config config;
static struct live_bursts bursts;
static struct live_fleet fleet;

static int set_up(void **state)
{
	static const struct hash_key key = { 1, 2 };
	struct judge_settings settings;

	(void)state;
	judge_settings_default(&settings);
	settings.flows_max = 256;
	settings.ghosts_max = 1024;
	config_default(&config);
	assert_int_equal(judge_new(&settings, &key, &judge), 0);
	fleet = (struct live_fleet){ .judge = judge, .bursts = &bursts };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	live_bursts_done(&bursts);
	judge_free(judge);
	return 0;
}

static void claim(const char *host, uint8_t dst, uint8_t src, uint32_t spi, int64_t after_ns)
{
	struct fact fact = fact_of(FACT_STRAY, DIALECT_IOS);
	struct judge_claim c = { .fact = &fact, .host = text_of(host), .has_at = true, .at.ns = NOON + after_ns,
				 .has_heard_at = true, .heard_at.ns = NOON + after_ns, .source = 1, .text = TEXT("a line") };

	fact.protocol = SPIMEND_PROTOCOL_ESP;
	fact.has = FACT_HAS_SPI;
	fact.spi.value = spi;
	fact.src = (struct spimend_address){ 4, { 192, 0, 2, src } };
	fact.dst = (struct spimend_address){ 4, { 198, 51, 100, dst } };
	judge_claim(judge, &c);
}

static void settle(void)
{
	assert_int_equal(judge_settle(judge), 0);
	assert_int_equal(live_bursts_find(judge, &config, NULL, NULL, &bursts), 0);
}

static const char *json_of(size_t index, int64_t after_ns)
{
	static char text[65536];
	cleanup(buffer_done) struct buffer out = { 0 };

	live_fleet_json(&fleet, &config, (struct instant){ NOON + after_ns }, index, false, &out);
	text_copy(buffer_text(&out), text, sizeof(text));
	return text;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		print_message("no '%s' in:\n%s\n", part, text);
	assert_non_null(strstr(text, part));
}

/* Five peers within ten seconds, as 'repair breaker' has it; a sixth that came later, and one elsewhere, stand alone. */
static void test_peers_that_fall_together_are_one_incident(void **state)
{
	size_t leader = SIZE_MAX, listed = 0;

	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		for (uint8_t n = 0; n < 5; n++)
			claim("hub", 7, n + 1, 0x10000000u + n, n * 2 * SECOND_NS + turn * MINUTE_NS);
		claim("hub", 7, 6, 0x20000000, 30 * SECOND_NS + turn * MINUTE_NS);
		claim("hub2", 8, 1, 0x30000000, SECOND_NS + turn * MINUTE_NS);
	}
	settle();
	assert_int_equal(judge_incidents(judge), 7);
	assert_int_equal(live_fleet_count(&fleet), 3);
	for (size_t i = 0; i < 7; i++) {
		listed += live_fleet_is_listed(&fleet, i);
		if (live_burst_of(&bursts, i))
			leader = i;
	}
	assert_int_equal(listed, 3);
	assert_true(leader != SIZE_MAX);
	has(json_of(leader, 2 * MINUTE_NS), "\"src\":null");
	has(json_of(leader, 2 * MINUTE_NS), "\"spi\":null");
	has(json_of(leader, 2 * MINUTE_NS), "\"messages\":10");
	has(json_of(leader, 2 * MINUTE_NS), "\"verdict\":\"desync\"");
	has(json_of(leader, 2 * MINUTE_NS), "many-peers");
	has(json_of(leader, 2 * MINUTE_NS), "take one peer first");
}

/* Whoever forges lines about a hub cannot hide a real fault of it behind a crowd. */
static void test_a_desync_is_not_hidden_among_what_is_undecided(void **state)
{
	size_t desyncs = 0;

	(void)state;
	claim("hub", 7, 1, 0x10000000, 0);
	claim("hub", 7, 1, 0x10000000, MINUTE_NS);
	for (uint8_t n = 0; n < 20; n++)
		claim("forged", 7, n + 10, 0x40000000u + n, n * SECOND_NS / 4);
	settle();
	for (size_t i = 0; i < judge_incidents(judge); i++)
		if (live_fleet_is_listed(&fleet, i) && live_fleet_glance(&fleet, i).verdict == VERDICT_DESYNC) {
			desyncs++;
			has(json_of(i, MINUTE_NS), "\"src\":\"192.0.2.1\"");
		}
	assert_int_equal(desyncs, 1);
	assert_int_equal(live_fleet_count(&fleet), 2);
}

/* One peer with many SAs is no failover. */
static void test_one_peer_alone_is_no_burst(void **state)
{
	(void)state;
	for (int turn = 0; turn < 2; turn++)
		for (uint32_t n = 0; n < 7; n++)
			claim("hub", 7, 1, 0x10000000u + n, n * SECOND_NS + turn * MINUTE_NS);
	settle();
	assert_int_equal(bursts.count, 0);
	assert_int_equal(live_fleet_count(&fleet), 7);
}

static void test_what_is_told_no_more_is_closed_and_asks_for_nothing(void **state)
{
	struct instant late = { NOON + MINUTE_NS + 5 * MINUTE_NS };

	(void)state;
	claim("hub", 7, 1, 0x10000000, 0);
	claim("hub", 7, 1, 0x10000000, MINUTE_NS);
	settle();
	has(json_of(0, 2 * MINUTE_NS), "\"state\":\"open\"");
	has(json_of(0, 2 * MINUTE_NS), "clear crypto sa peer");
	assert_true(live_fleet_is_fault(&fleet, &config, (struct instant){ NOON + 2 * MINUTE_NS }, 0));
	has(json_of(0, 6 * MINUTE_NS), "\"state\":\"closed\"");
	has(json_of(0, 6 * MINUTE_NS), "\"plan\":[]");
	assert_false(live_fleet_is_fault(&fleet, &config, late, 0));
	config.mode = MODE_OBSERVE;
	has(json_of(0, 2 * MINUTE_NS), "\"plan\":[]");
}

static void test_an_incident_is_found_by_the_beginning_of_its_id(void **state)
{
	char id[INCIDENT_ID_MAX], member[INCIDENT_ID_MAX];
	size_t index;

	(void)state;
	for (uint8_t n = 0; n < 6; n++)
		claim("hub", 7, n + 1, 0x10000000u + n, n * SECOND_NS);
	claim("hub2", 8, 1, 0x30000000, 0);
	settle();
	for (size_t i = 0; i < judge_incidents(judge); i++) {
		judge_incident_id(judge, i, member);
		assert_int_equal(live_fleet_find(&fleet, member, &index), 0);
		assert_true(live_fleet_is_listed(&fleet, index)); /* of a burst: what it is told with */
	}
	judge_incident_id(judge, 0, id);
	assert_int_equal(live_fleet_find(&fleet, "", &index), -2);
	assert_int_equal(live_fleet_find(&fleet, "zzzzzzz", &index), -2);
}

static void test_flows_of_yesterday_are_forgotten(void **state)
{
	(void)state;
	for (uint8_t n = 0; n < 100; n++)
		claim("hub", 7, n, 0x10000000u + n, n * MINUTE_NS);
	assert_int_equal(judge_forget(judge, (struct instant){ NOON + 60 * MINUTE_NS }), 60);
	settle();
	assert_int_equal(judge_incidents(judge), 40);
	for (uint8_t n = 0; n < 200; n++) /* their places are free again, and nothing of them is remembered */
		claim("hub", 7, n, 0x20000000u + n, 2 * HOUR_NS);
	settle();
	assert_int_equal(judge_counts(judge)->refused, 0);
	assert_int_equal(judge_counts(judge)->evicted, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_peers_that_fall_together_are_one_incident, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_desync_is_not_hidden_among_what_is_undecided, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_peer_alone_is_no_burst, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_told_no_more_is_closed_and_asks_for_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_incident_is_found_by_the_beginning_of_its_id, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flows_of_yesterday_are_forgotten, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
