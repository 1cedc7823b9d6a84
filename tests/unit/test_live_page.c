/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/memory.h"
#include "record/live_page.h"
#include "record/metrics.h"

#define TUNNELS 10000
#define INCIDENTS 1000

static struct config config;
static struct core *core;
static struct live_view view;
static struct buffer page;

static const int64_t start_ns = INT64_C(1795345200) * SECOND_NS;

static struct spimend_address peer_of(uint32_t at)
{
	return (struct spimend_address){ 4, { 10, (uint8_t)(at >> 16), (uint8_t)(at >> 8), (uint8_t)at } };
}

static void tell_connection(uint32_t at)
{
	struct connection c = { .remote_count = 1, .remote = { peer_of(at) } };

	snprintf(c.ike, sizeof(c.ike), "site-%05u", at);
	snprintf(c.child, sizeof(c.child), "net");
	c.id = connection_id(0, text_of(c.ike), text_of(c.child));
	core_connection(core, &c);
}

static void tell_tunnel(uint32_t at)
{
	struct ike_sa ike = { .id = at + 1, .state = IKE_ESTABLISHED, .version = 2, .remote = peer_of(at) };
	struct child_sa child = { .id = at + 1, .ike_id = at + 1, .protocol = SPIMEND_PROTOCOL_ESP, .remote = peer_of(at),
				  .state = CHILD_INSTALLED, .has_spi_in = true, .spi_in = 0x10000000 + at, .has_spi_out = true,
				  .spi_out = 0x20000000 + at, .has_counters = true, .has_install = true, .install_s = 300 };

	snprintf(ike.name, sizeof(ike.name), "site-%05u", at);
	snprintf(child.ike, sizeof(child.ike), "site-%05u", at);
	snprintf(child.child, sizeof(child.child), "net");
	ike.local = child.local = (struct spimend_address){ 4, { 192, 0, 2, 1 } };
	child.connection = connection_id(0, text_of(child.ike), text_of(child.child));
	child.packets_out = 5;
	child.has_use_in = at % 10 != 3; /* a tenth never heard anything */
	child.use_in_s = 7;
	child.packets_in = child.has_use_in ? 5 : 0;
	core_snapshot_ike(core, &ike);
	core_snapshot_child(core, &child);
}

/* Tunnels 0, 1, 2 ... are up but the last two, which are only configured. */
static void tell_tunnels(uint32_t count)
{
	struct daemon_state daemon = { .up = true, .version = "5.9.8" };
	struct core_output ignored;

	core_daemon(core, &daemon, view.now);
	core_connections_begin(core, 0);
	for (uint32_t at = 0; at < count; at++)
		tell_connection(at);
	core_connections_end(core, 0, view.now);
	core_snapshot_begin(core, 0, 0, view.now);
	for (uint32_t at = 0; at + 2 < count; at++)
		tell_tunnel(at);
	core_snapshot_end(core, 0, true, view.now);
	while (core_next(core, &ignored))
		;
}

static void tell_incident(uint32_t at)
{
	struct core_incident i = { .verdict = at % 3 ? VERDICT_DESYNC : VERDICT_TRANSIENT, .rule = RULE_LEDGER_DEAD,
				   .cause = at % 3 ? CAUSE_CHILD_MISSING : CAUSE_REKEY_OVERLAP,
				   .state = at % 3 ? at % 2 ? STATE_HEALED : STATE_GAVE_UP : STATE_CLOSED };

	snprintf(i.id, sizeof(i.id), "z%05u", at);
	i.src = peer_of(at);
	i.key = sa_key_of(&(struct spimend_address){ 4, { 192, 0, 2, 1 } }, 50, 0x30000000 + at);
	snprintf(i.ike_name, sizeof(i.ike_name), "site-%05u", at);
	snprintf(i.child_name, sizeof(i.child_name), "net");
	i.first_seen.ns = start_ns - (int64_t)(at + 2) * MINUTE_NS;
	i.last_seen.ns = start_ns - (int64_t)(at + 1) * MINUTE_NS;
	i.decided = i.last_seen;
	i.packets = 4;
	i.spis = i.sources = 1;
	core_restore_incident(core, &i, view.now);
}

static int set_up(void **state)
{
	struct hash_key key = { 1, 2 };

	(void)state;
	config_default(&config);
	text_copy(TEXT("hub"), config.hostname, sizeof(config.hostname));
	text_copy(TEXT("/run/a\"b\\c"), config.daemons[0], sizeof(config.daemons[0]));
	config.daemon_count = 1;
	view = (struct live_view){ .config = &config, .now = { .mono_ns = 1000 * SECOND_NS, .wall = { start_ns } },
				   .started = { start_ns - HOUR_NS }, .up_ns = HOUR_NS };
	assert_int_equal(core_new(&config, &key, 1, view.now, &core), 0);
	view.core = core;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_done(&page);
	core_free(core);
	return 0;
}

static const char *tunnels(struct web_filter filter)
{
	if (!filter.limit)
		filter.limit = 100;
	buffer_clear(&page);
	assert_int_equal(live_tunnels_page(&view, &filter, &page), 0);
	buffer_add_char(&page, '\0');
	assert_int_equal(buffer_error(&page), 0);
	return page.bytes;
}

static const char *incidents(struct web_filter filter)
{
	if (!filter.limit)
		filter.limit = 50;
	buffer_clear(&page);
	assert_int_equal(live_incidents_page(&view, &filter, &page), 0);
	buffer_add_char(&page, '\0');
	return page.bytes;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%.3000s", part, text);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

static void test_a_page_of_many_tunnels(void **state)
{
	const char *text;

	(void)state;
	tell_tunnels(TUNNELS);
	text = tunnels((struct web_filter){ .offset = 0 });
	has(text, "\"total\":10000,\"matched\":10000,\"offset\":0,\"limit\":100,\"next\":100,");
	has(text, "\"health\":{\"incident\":0,\"down\":2,\"stale\":0,\"suspect\":1000,\"idle\":0,\"ok\":8998}");
	assert_int_equal(count(text, "\"child\":\"net\""), 100);
	has(text, "\"connection\":\"site-00000\"");
	has(text, "\"connection\":\"site-00099\"");
	text = tunnels((struct web_filter){ .offset = 9950 });
	has(text, "\"next\":null");
	assert_int_equal(count(text, "\"child\":\"net\""), 50);
	has(text, "{\"health\":\"down\",\"daemon\":0,\"connection\":\"site-09999\",\"child\":\"net\"");
	has(text, "\"state\":\"down\",\"ike_state\":null");
	text = tunnels((struct web_filter){ .offset = 10000 });
	has(text, "\"next\":null,");
	has(text, "\"tunnels\":[]");
}

static void test_every_tunnel_is_on_one_page_and_in_order(void **state)
{
	char name[32];
	uint32_t next = 0;

	(void)state;
	tell_tunnels(1200);
	for (uint32_t offset = 0; offset < 1200; offset += 100) {
		const char *at = tunnels((struct web_filter){ .offset = offset });

		while ((at = strstr(at, "\"connection\":\""))) {
			snprintf(name, sizeof(name), "site-%05u\"", next++);
			assert_memory_equal(at + 14, name, strlen(name));
			at += 14;
		}
	}
	assert_int_equal(next, 1200);
}

static void test_tunnels_are_found(void **state)
{
	(void)state;
	tell_tunnels(1000);
	has(tunnels((struct web_filter){ .word = "site-0077" }), "\"total\":1000,\"matched\":10,");
	has(tunnels((struct web_filter){ .word = "0x10000011" }), "\"matched\":1,");
	has(tunnels((struct web_filter){ .word = "10.0.1.2" }), "\"matched\":67,"); /* .2, .20 to .29, .200 to .255 */
	has(tunnels((struct web_filter){ .word = "nowhere" }), "\"matched\":0,");
	has(tunnels((struct web_filter){ .has_health = true, .health = HEALTH_DOWN }), "\"matched\":2,");
	has(tunnels((struct web_filter){ .has_health = true, .health = HEALTH_SUSPECT, .limit = 3 }), "\"connection\":\"site-00003\"");
	has(tunnels((struct web_filter){ .sort = WEB_SORT_HEALTH, .limit = 1 }), "\"tunnels\":[{\"health\":\"down\",");
	has(tunnels((struct web_filter){ .sort = WEB_SORT_PEER, .limit = 1 }), "\"peer\":\"10.0.0.0\"");
}

static void test_what_an_away_daemon_listed_is_stale(void **state)
{
	struct daemon_state daemon = { .up = false };

	(void)state;
	tell_tunnels(10);
	core_daemon(core, &daemon, view.now);
	has(tunnels((struct web_filter){ .offset = 0 }), "\"stale\":8,");
}

static void test_a_page_of_many_incidents(void **state)
{
	const char *text;

	(void)state;
	for (uint32_t at = 0; at < INCIDENTS; at++)
		tell_incident(at);
	text = incidents((struct web_filter){ .offset = 0 });
	has(text, "\"total\":1000,\"matched\":1000,\"offset\":0,\"limit\":50,\"next\":50,");
	assert_int_equal(count(text, "\"schema\":\"spimend.incident/1\""), 50);
	has(text, "\"incidents\":[{\"schema\":\"spimend.incident/1\",\"id\":\"z00000\"");
	has(text, "\"verdicts\":{\"undecided\":0,\"transient\":334,\"desync\":666,\"noise\":0,\"other-fault\":0}");
	text = incidents((struct web_filter){ .oldest_first = true, .limit = 1 });
	has(text, "\"incidents\":[{\"schema\":\"spimend.incident/1\",\"id\":\"z00999\"");
	has(incidents((struct web_filter){ .offset = 990 }), "\"next\":null");
}

static void test_incidents_are_found(void **state)
{
	struct web_filter f = { .has_peer = true, .peer = peer_of(77) };

	(void)state;
	for (uint32_t at = 0; at < 300; at++)
		tell_incident(at);
	has(incidents(f), "\"matched\":1,");
	has(page.bytes, "\"id\":\"z00077\"");
	has(incidents((struct web_filter){ .has_verdict = true, .verdict = VERDICT_TRANSIENT }), "\"matched\":100,");
	has(incidents((struct web_filter){ .has_cause = true, .cause = CAUSE_CHILD_MISSING }), "\"matched\":200,");
	has(incidents((struct web_filter){ .states = 1u << STATE_GAVE_UP | 1u << STATE_CLOSED }), "\"matched\":200,");
	has(incidents((struct web_filter){ .word = "z0012" }), "\"matched\":10,");
	has(incidents((struct web_filter){ .word = "site-00005" }), "\"matched\":1,");
	has(incidents((struct web_filter){ .has_since = true, .since = { start_ns - 10 * MINUTE_NS } }), "\"matched\":10,");
	has(incidents((struct web_filter){ .has_until = true, .until = { start_ns - 297 * MINUTE_NS } }), "\"matched\":5,");
}

static void test_totals_are_those_of_the_pages(void **state)
{
	struct live_totals totals;

	(void)state;
	tell_tunnels(100);
	for (uint32_t at = 0; at < 30; at++)
		tell_incident(at);
	assert_int_equal(live_totals(&view, &totals), 0);
	assert_int_equal(totals.tunnels, 100);
	assert_int_equal(totals.health[HEALTH_DOWN], 2);
	assert_int_equal(totals.incidents, 30);
	assert_int_equal(totals.states[STATE_CLOSED], 10);
	assert_int_equal(totals.open, 10);
}

static void write_metrics(enum metric_format format)
{
	static const struct web_counts web = { .counts = { [WEB_WRONG_TOKEN] = 3 }, .streams = 1 };
	struct metrics_source source = { .view = &view, .web = &web };

	buffer_clear(&page);
	assert_int_equal(metrics_write(&source, format, &page), 0);
	buffer_add_char(&page, '\0');
}

static void test_metrics_end_and_escape_and_count(void **state)
{
	(void)state;
	tell_tunnels(100);
	write_metrics(METRICS_OPEN);
	assert_string_equal(page.bytes + page.len - 7, "# EOF\n");
	has(page.bytes, "spimend_ike_daemon_up{socket=\"/run/a\\\"b\\\\c\"} 1\n");
	has(page.bytes, "spimend_tunnels{health=\"down\"} 2\n");
	has(page.bytes, "# TYPE spimend_strays counter\n# HELP spimend_strays ");
	has(page.bytes, "\nspimend_strays_total 0\n");
	has(page.bytes, "spimend_web_requests_total{result=\"wrong-token\"} 3\n");
	has(page.bytes, "# UNIT spimend_start_time_seconds seconds\n");
	has(page.bytes, "\nspimend_start_time_seconds 1795341600.000\n");
	assert_int_equal(count(page.bytes, "# EOF"), 1);
	assert_int_equal(count(page.bytes, "spimend_store"), 0); /* there is none: no family without samples */
	for (size_t i = 0; i < metric_row_count; i++) {
		char line[96];

		snprintf(line, sizeof(line), "# TYPE %s ", metric_rows[i].name);
		assert_true(count(page.bytes, line) <= 1);
	}
}

static void test_the_older_format_names_counters_in_full(void **state)
{
	(void)state;
	write_metrics(METRICS_TEXT);
	has(page.bytes, "# TYPE spimend_strays_total counter\nspimend_strays_total 0\n");
	assert_int_equal(count(page.bytes, "# EOF"), 0);
	assert_int_equal(count(page.bytes, "# UNIT"), 0);
}

static void test_no_series_is_one_of_a_stranger(void **state)
{
	size_t few, many;

	(void)state;
	tell_tunnels(10);
	write_metrics(METRICS_OPEN);
	few = count(page.bytes, "\n");
	tear_down(NULL);
	set_up(NULL);
	tell_tunnels(1000);
	for (uint32_t at = 0; at < 500; at++)
		tell_incident(at);
	write_metrics(METRICS_OPEN);
	many = count(page.bytes, "\n");
	assert_int_equal(few, many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_page_of_many_tunnels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_tunnel_is_on_one_page_and_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tunnels_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_an_away_daemon_listed_is_stale, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_page_of_many_incidents, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_incidents_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_totals_are_those_of_the_pages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_metrics_end_and_escape_and_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_older_format_names_counters_in_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_series_is_one_of_a_stranger, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
