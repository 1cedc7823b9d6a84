/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "base/memory.h"
#include "parse/web_request.h"
#include "parse/web_token.h"

static struct config_web web;

static void listen_on(const char *address, uint16_t port)
{
	struct web_listener *l = &web.listeners[web.listener_count++];

	assert_int_equal(spimend_address_parse(address, strlen(address), &l->address), 0);
	l->port = port;
}

static int set_up(void **state)
{
	(void)state;
	memset(&web, 0, sizeof(web));
	listen_on("127.0.0.1", 8500);
	listen_on("::1", 8500);
	strcpy(web.names[web.name_count++], "noc.example.net");
	return 0;
}

static void test_only_our_own_names_are_a_host(void **state)
{
	static const char *const ours[] = { "127.0.0.1:8500", "localhost:8500", "LOCALHOST:8500", "[::1]:8500", "noc.example.net",
					    "Noc.Example.Net:443" };
	static const char *const others[] = { "", ":8500", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8500:1", "127.0.0.1:08500x", "[::1]", "[::1",
					      "::1:8500", "localhost", "127.0.0.1.evil.example:8500", "evil.example:8500", "xnoc.example.net",
					      "noc.example.net.evil.example", "noc.example.net:0", "noc.example.net:65536", "noc.example.net:", "127.1:8500" };

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (!web_host_fits(&web, text_of(ours[i])))
			fail_msg("'%s' is none of ours", ours[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (web_host_fits(&web, text_of(others[i])))
			fail_msg("'%s' is ours", others[i]);
}

static void test_an_origin_is_our_own_page(void **state)
{
	static const char *const others[] = { "", "null", "127.0.0.1:8500", "https://127.0.0.1:8500", "http://evil.example", "ftp://localhost:8500",
					      "http://localhost:8501", "https://xnoc.example.net", "https://", "http://" };

	(void)state;
	assert_true(web_origin_fits(&web, TEXT("http://127.0.0.1:8500")));
	assert_true(web_origin_fits(&web, TEXT("http://[::1]:8500")));
	assert_true(web_origin_fits(&web, TEXT("https://noc.example.net")));
	assert_true(web_origin_fits(&web, TEXT("http://noc.example.net:8080")));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (web_origin_fits(&web, text_of(others[i])))
			fail_msg("'%s' is ours", others[i]);
}

static void test_a_unix_socket_is_localhost(void **state)
{
	(void)state;
	memset(&web, 0, sizeof(web));
	strcpy(web.listeners[web.listener_count++].path, "/run/web");
	assert_true(web_host_fits(&web, TEXT("localhost")));
	assert_true(web_host_fits(&web, TEXT("localhost:1234")));
	assert_false(web_host_fits(&web, TEXT("evil.example")));
}

static void test_port_80_need_not_be_said(void **state)
{
	(void)state;
	memset(&web, 0, sizeof(web));
	listen_on("127.0.0.1", 80);
	assert_true(web_host_fits(&web, TEXT("127.0.0.1")));
	assert_true(web_host_fits(&web, TEXT("localhost:80")));
	assert_false(web_host_fits(&web, TEXT("localhost:81")));
}

static void test_an_address_is_a_question(void **state)
{
	struct web_ask ask = { .number = 0 };

	(void)state;
	assert_int_equal(web_route_of(TEXT("/"), &ask), ROUTE_FILE);
	assert_int_equal(web_route_of(TEXT("/vendor/uplot.js"), &ask), ROUTE_FILE);
	assert_int_equal(web_route_of(TEXT("/api/login"), &ask), ROUTE_LOGIN);
	assert_int_equal(web_route_of(TEXT("/api/logout"), &ask), ROUTE_LOGOUT);
	assert_int_equal(web_route_of(TEXT("/api/events"), &ask), ROUTE_EVENTS);
	assert_int_equal(web_route_of(TEXT("/metrics"), &ask), ROUTE_ASK);
	assert_int_equal(ask.question, WEB_METRICS);
	assert_int_equal(web_route_of(TEXT("/api/incidents/K3v9q2"), &ask), ROUTE_ASK);
	assert_int_equal(ask.question, WEB_INCIDENT);
	assert_string_equal(ask.id, "k3v9q2");
	assert_int_equal(web_route_of(TEXT("/api/incidents/k3v9q2/timeline"), &ask), ROUTE_ASK);
	assert_int_equal(ask.question, WEB_TIMELINE);
	assert_int_equal(web_route_of(TEXT("/api/incidents/k3v9q2/steps/12/approve"), &ask), ROUTE_ASK);
	assert_int_equal(ask.question, WEB_APPROVE);
	assert_int_equal(ask.step, 12);
	assert_int_equal(web_route_of(TEXT("/api/incidents/k3v9q2/steps/1/deny"), &ask), ROUTE_ASK);
	assert_int_equal(ask.question, WEB_DENY);
}

static void test_what_is_no_address_says_nothing(void **state)
{
	static const char *const none[] = { "", "x", "/api/", "/api/x", "/api/status/", "/api/incidents/", "/api/incidents/toolongid", "/api/incidents/../x",
					    "/api/incidents/k3v9q2/", "/api/incidents/k3v9q2/steps/0/approve", "/api/incidents/k3v9q2/steps/1000/deny",
					    "/api/incidents/k3v9q2/steps/1/approve/x", "/api/incidents/k3v9q2/steps/1/explode", "/api/incidents/k3v9q2/steps//deny",
					    "/api/incidents/k3v9q2/steps/1" };
	struct web_ask before = { .question = WEB_STATUS, .id = "abc", .step = 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct web_ask ask = before;

		if (web_route_of(text_of(none[i]), &ask) != ROUTE_NONE)
			fail_msg("'%s' is something", none[i]);
		assert_memory_equal(&ask, &before, sizeof(ask));
	}
}

static struct web_filter filter;

static bool query(enum web_question question, const char *text, const char *expected)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	bool fine;

	memset(&filter, 0, sizeof(filter));
	fine = web_query_read(text_of(text), question, &filter, &why);
	buffer_add_char(&why, '\0');
	if (expected && (fine || !strstr(why.bytes, expected)))
		fail_msg("'%s': %s", text, fine ? "is taken" : why.bytes);
	if (!expected && !fine)
		fail_msg("'%s': %s", text, why.bytes);
	return fine;
}

static void test_parameters_fill_a_filter(void **state)
{
	(void)state;
	query(WEB_TUNNELS, "", NULL);
	assert_int_equal(filter.limit, 100);
	query(WEB_TUNNELS, "offset=200&limit=500&q=GW%2Fnet&health=down&sort=health", NULL);
	assert_int_equal(filter.offset, 200);
	assert_int_equal(filter.limit, 500);
	assert_string_equal(filter.word, "gw/net");
	assert_true(filter.has_health && filter.health == HEALTH_DOWN && filter.sort == WEB_SORT_HEALTH);
	query(WEB_INCIDENTS, "state=open,healed&verdict=desync&cause=delete-lost&peer=2001%3Adb8::1&order=old&q=", NULL);
	assert_int_equal(filter.states, 1u << STATE_OPEN | 1u << STATE_ACTING | 1u << STATE_AWAITING | 1u << STATE_UNVERIFIED |
						1u << STATE_GAVE_UP | 1u << STATE_HEALED);
	assert_true(filter.has_verdict && filter.verdict == VERDICT_DESYNC);
	assert_true(filter.has_cause && filter.cause == CAUSE_DELETE_LOST);
	assert_true(filter.has_peer && filter.peer.family == 6 && filter.oldest_first && !filter.word[0]);
	query(WEB_INCIDENTS, "since=2026-11-22T09:30:00Z&until=2026-11-22T10:30:00.5%2B01:00", NULL);
	assert_int_equal(filter.since.ns, INT64_C(1795339800) * SECOND_NS);
	assert_int_equal(filter.until.ns - filter.since.ns, SECOND_NS / 2);
	query(WEB_HISTORY, "span=24h", NULL);
	assert_true(filter.by_minute);
	query(WEB_TIMELINE, "after=5000&limit=5000", NULL);
	assert_int_equal(filter.offset, 5000);
	query(WEB_STATUS, "&&", NULL);
}

static void test_parameters_that_make_no_sense_are_named(void **state)
{
	(void)state;
	query(WEB_STATUS, "limit=5", "no parameter of that name");
	query(WEB_TUNNELS, "limit=501", "limit: a number up to 500");
	query(WEB_TUNNELS, "limit=-1", "limit: a number");
	query(WEB_TUNNELS, "offset=99999999", "offset: a number up to 10000000");
	query(WEB_TUNNELS, "health=ill", "health");
	query(WEB_TUNNELS, "state=open", "no parameter of that name");
	query(WEB_INCIDENTS, "state=open,,x", "state");
	for (int i = 0; i < INCIDENT_STATES; i++)
		query(WEB_INCIDENTS, "state=waits", incident_state_name((enum incident_state)i));
	query(WEB_INCIDENTS, "verdict=Desync", "verdict");
	query(WEB_INCIDENTS, "since=yesterday", "since");
	query(WEB_INCIDENTS, "since=2026-11-22", "since");
	query(WEB_INCIDENTS, "peer=hub", "peer");
	query(WEB_INCIDENTS, "q=%00", "not printable");
	query(WEB_INCIDENTS, "q=%4", "not printable");
	query(WEB_INCIDENTS, "q=%zz", "not printable");
	query(WEB_INCIDENTS, "q=0123456789012345678901234567890123456789012345678", "at most 47");
	query(WEB_INCIDENTS, "q=01234567890123456789012345678901234567890123456789012345678901234567890123456789", "too long");
	query(WEB_HISTORY, "span=1y", "span");
}

static bool same(struct text a, const char *b)
{
	return text_equal(a, text_of(b));
}

static void test_tokens_are_found_in_headers(void **state)
{
	(void)state;
	assert_true(same(web_bearer(TEXT("Bearer abc")), "abc"));
	assert_true(same(web_bearer(TEXT("bearer   abc ")), "abc"));
	assert_int_equal(web_bearer(TEXT("Basic abc")).len, 0);
	assert_int_equal(web_bearer(TEXT("Bearer")).len, 0);
	assert_true(same(web_cookie(TEXT("a=b; spimend-session=x; c=d"), TEXT("spimend-session")), "x"));
	assert_true(same(web_cookie(TEXT("spimend-session=x"), TEXT("spimend-session")), "x"));
	assert_int_equal(web_cookie(TEXT("xspimend-session=x; spimend-sessions=y"), TEXT("spimend-session")).len, 0);
	assert_int_equal(web_cookie(TEXT(""), TEXT("spimend-session")).len, 0);
}

static void test_a_token_prints_and_is_known(void **state)
{
	uint8_t bytes[WEB_TOKEN_BYTES];
	char text[WEB_TOKEN_TEXT_MAX];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	web_token_print(bytes, true, text);
	assert_string_equal(text, "spp_" "______" "______" "______" "______" "______" "______" "______" "8");
	assert_true(web_token_is_personal(text_of(text)));
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = 0x14; /* RFC 4648 9: 14fb9c is FPuc */
	bytes[1] = 0xfb;
	bytes[2] = 0x9c;
	web_token_print(bytes, false, text);
	assert_string_equal(text, "spw_FPucAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	assert_true(web_token_is_one(text_of(text)));
	assert_false(web_token_is_personal(text_of(text)));
	text[10] = '+';
	assert_false(web_token_is_one(text_of(text)));
	assert_false(web_token_is_one(TEXT("spw_FPuc")));
	assert_false(web_token_is_one(TEXT("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_only_our_own_names_are_a_host, set_up),
		cmocka_unit_test_setup(test_an_origin_is_our_own_page, set_up),
		cmocka_unit_test(test_a_unix_socket_is_localhost),
		cmocka_unit_test(test_port_80_need_not_be_said),
		cmocka_unit_test(test_an_address_is_a_question),
		cmocka_unit_test(test_what_is_no_address_says_nothing),
		cmocka_unit_test(test_parameters_fill_a_filter),
		cmocka_unit_test(test_parameters_that_make_no_sense_are_named),
		cmocka_unit_test(test_tokens_are_found_in_headers),
		cmocka_unit_test(test_a_token_prints_and_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
