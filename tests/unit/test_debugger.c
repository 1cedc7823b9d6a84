/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/debugger.h"

static char said[32768];
static unsigned lines;

static void hear(void *context, const char *line)
{
	size_t len = strlen(said);

	(void)context;
	lines++;
	snprintf(said + len, sizeof(said) - len, "%s\n", line);
}

static struct debugger *begin(unsigned topics, const char *peer)
{
	struct debug_state state;
	struct debugger *d;

	memset(&state, 0, sizeof(state));
	for (int topic = 0; topic < DEBUG_TOPICS; topic++)
		state.on[topic] = topics >> topic & 1;
	if (peer && spimend_address_parse(peer, strlen(peer), &state.peers[0]) == 0)
		state.peer_count = 1;
	said[0] = 0;
	lines = 0;
	assert_int_equal(debugger_new(hear, NULL, &d), 0);
	debugger_set(d, &state);
	return d;
}

#define TOPIC(topic) (1u << (topic))
#define ALL 0xfu

static struct daemon_line a_line(const char *group, uint32_t ike, const char *text)
{
	struct daemon_line line;

	memset(&line, 0, sizeof(line));
	line.has_ike = ike > 0;
	line.ike_id = ike;
	snprintf(line.group, sizeof(line.group), "%s", group);
	snprintf(line.text, sizeof(line.text), "%s", text);
	assert_true(daemon_line_valid(&line));
	return line;
}

static struct ike_sa an_ike(uint32_t id, uint8_t version, const char *remote)
{
	struct ike_sa ike;

	memset(&ike, 0, sizeof(ike));
	ike.id = id;
	ike.version = version;
	assert_int_equal(spimend_address_parse(remote, strlen(remote), &ike.remote), 0);
	return ike;
}

static void when_all_is_off_nothing_is_said(void **state)
{
	struct debugger *d = begin(0, NULL);
	struct daemon_line line = a_line("IKE", 1, "sending DELETE");
	struct ike_sa ike = an_ike(1, 2, "10.1.1.3");
	struct ike_event event = { .change = IKE_UP, .ike = ike };
	struct sighting s = { .src = ike.remote, .spi = 1, .packets = 1 };

	(void)state;
	assert_false(debugger_wants_lines(d));
	debugger_daemon_line(d, &line, &ike, 1);
	debugger_ike_event(d, &event, 1);
	debugger_sighting(d, &s, 1);
	assert_int_equal(lines, 0);
	debugger_free(d);
}

static void the_daemons_words_come_under_their_facility(void **state)
{
	struct debugger *d = begin(ALL, NULL);
	struct ike_sa one = an_ike(7, 1, "10.1.1.3"), two = an_ike(8, 2, "10.1.1.4");
	struct daemon_line line = a_line("IKE", 7, "sending DELETE for IKE_SA hub[7]");

	(void)state;
	debugger_daemon_line(d, &line, &one, 1);
	line = a_line("ENC", 8, "parsed INFORMATIONAL request 3 [ D ]");
	debugger_daemon_line(d, &line, &two, 1);
	line = a_line("CHD", 8, "closing CHILD_SA net{3}");
	debugger_daemon_line(d, &line, &two, 1);
	line = a_line("KNL", 8, "deleting SAD entry with SPI c1");
	debugger_daemon_line(d, &line, &two, 1);
	line = a_line("LIB", 0, "building CRED_PRIVATE_KEY failed");
	debugger_daemon_line(d, &line, NULL, 1);
	assert_string_equal(said, "ISAKMP:(7): sending DELETE for IKE_SA hub[7]\n"
				  "IKEv2:(SESSION ID = 8): parsed INFORMATIONAL request 3 [ D ]\n"
				  "IPSEC(child): closing CHILD_SA net{3}\nIPSEC(kernel): deleting SAD entry with SPI c1\n"
				  "CRYPTO_ENGINE: building CRED_PRIVATE_KEY failed\n");
	debugger_free(d);
	d = begin(TOPIC(DEBUG_ENGINE), NULL);
	line = a_line("KNL", 8, "adding SAD entry");
	debugger_daemon_line(d, &line, &two, 1);
	line = a_line("IKE", 7, "no debug asks for this");
	debugger_daemon_line(d, &line, &one, 1);
	assert_string_equal(said, "CRYPTO_ENGINE: adding SAD entry\n");
	debugger_free(d);
}

static void a_condition_lets_only_its_peer_through(void **state)
{
	struct debugger *d = begin(ALL, "10.1.1.3");
	struct ike_sa other = an_ike(9, 2, "10.1.1.30");
	struct daemon_line line = a_line("IKE", 9, "sending DELETE");
	struct sighting s;

	(void)state;
	debugger_daemon_line(d, &line, &other, 1);
	memset(&s, 0, sizeof(s));
	s.src = other.remote;
	s.packets = 1;
	debugger_sighting(d, &s, 1);
	/* An IKE SA that nobody knows yet: its first line names the peer, the later ones belong to it. */
	line = a_line("IKE", 4, "no config named");
	debugger_daemon_line(d, &line, NULL, 1);
	line = a_line("NET", 4, "received packet: from 10.1.1.30[500] to 10.10.1.2[500] (204 bytes)");
	debugger_daemon_line(d, &line, NULL, 1);
	assert_int_equal(lines, 0);
	line = a_line("NET", 5, "received packet: from 10.1.1.3[500] to 10.10.1.2[500] (204 bytes)");
	debugger_daemon_line(d, &line, NULL, 1);
	line = a_line("ENC", 5, "parsed IKE_SA_INIT request 0");
	debugger_daemon_line(d, &line, NULL, 1);
	assert_int_equal(lines, 2);
	line = a_line("CFG", 0, "looking for peer 10.1.1.3.");
	debugger_daemon_line(d, &line, NULL, 1);
	assert_int_equal(lines, 3);
	line = a_line("CFG", 0, "looking for peer 110.1.1.3");
	debugger_daemon_line(d, &line, NULL, 1);
	assert_int_equal(lines, 3);
	debugger_free(d);
}

static void sas_packets_and_orders_are_told(void **state)
{
	struct debugger *d = begin(TOPIC(DEBUG_IPSEC), "10.1.1.3");
	struct order order = { .id = 5, .verb = ORDER_REKEY_CHILD };
	struct order_result result = { .id = 5, .outcome = OUTCOME_DONE, .took_ns = 12000000 };
	struct child_event event;
	struct sighting s;

	(void)state;
	memset(&event, 0, sizeof(event));
	event.child.remote = an_ike(1, 2, "10.1.1.3").remote;
	event.child.spi_in = 0x1db73bbb;
	event.change = CHILD_DOWN;
	debugger_child_event(d, &event, 1);
	memset(&s, 0, sizeof(s));
	s.src = event.child.remote;
	s.dst = an_ike(1, 2, "10.10.1.2").remote;
	s.spi = 0x1db73bbb;
	s.packets = 3;
	s.in_ledger = true;
	snprintf(s.interface, sizeof(s.interface), "eth0");
	debugger_sighting(d, &s, 1);
	order.peer = event.child.remote;
	debugger_order(d, &order, 1);
	debugger_result(d, &result, 1);
	result.id = 6; /* of an order that was never told */
	debugger_result(d, &result, 1);
	assert_string_equal(said, "IPSEC(delete_sa): sa deleted, local= ?, remote= 10.1.1.3, inbound spi= 0x1DB73BBB, outbound spi= "
				  "0x00000000\n"
				  "IPSEC(decaps): 3 packets with a former spi 0x1DB73BBB from 10.1.1.3 to 10.10.1.2, sequence 0 to 0, "
				  "eth0\n"
				  "IPSEC(recovery): order 5: rekey-child towards 10.1.1.3\n"
				  "IPSEC(recovery): order 5: done after 12 ms\n");
	debugger_free(d);
}

static void the_version_is_known_without_the_mirror(void **state)
{
	struct debugger *d = begin(TOPIC(DEBUG_IKEV2), NULL);
	struct ike_sa one = an_ike(3, 1, "10.1.1.3");
	struct ike_event down = { .change = IKE_DOWN, .ike = one };
	struct daemon_line line = a_line("ENC", 3, "generating INFORMATIONAL_V1 request 1765301960 [ HASH D ]");

	(void)state;
	debugger_daemon_line(d, &line, NULL, 1); /* its own words tell */
	line = a_line("IKE", 3, "sending DELETE for ESP CHILD_SA with SPI 5b97dc6d");
	debugger_daemon_line(d, &line, NULL, 1); /* those before tell */
	one.id = down.ike.id = 4;
	debugger_ike_event(d, &down, 1);
	line = a_line("IKE", 4, "IKE_SA deleted");
	debugger_daemon_line(d, &line, NULL, 1); /* its end told */
	assert_int_equal(lines, 0);
	line = a_line("ENC", 5, "parsed CREATE_CHILD_SA request 2 [ N(REKEY_SA) SA No TSi TSr ]");
	debugger_daemon_line(d, &line, NULL, 1);
	line = a_line("IKE", 6, "nothing tells");
	debugger_daemon_line(d, &line, NULL, 1);
	assert_int_equal(lines, 2);
	debugger_free(d);
}

static void the_engine_tells_of_keys(void **state)
{
	struct debugger *d = begin(TOPIC(DEBUG_ENGINE), "10.1.1.3");
	struct child_event event;

	(void)state;
	memset(&event, 0, sizeof(event));
	event.child.remote = an_ike(1, 2, "10.1.1.3").remote;
	event.child.spi_in = 0x1db73bbb;
	event.child.spi_out = 0xc0000001;
	snprintf(event.child.algorithms.encryption, sizeof(event.child.algorithms.encryption), "AES_CBC");
	snprintf(event.child.algorithms.integrity, sizeof(event.child.algorithms.integrity), "HMAC_SHA2_256_128");
	event.child.algorithms.key_bits = 128;
	event.change = CHILD_UP;
	debugger_child_event(d, &event, 1);
	assert_string_equal(said, "CRYPTO_ENGINE: SA installed, inbound spi= 0x1DB73BBB, outbound spi= 0xC0000001, AES_CBC-128 with "
				  "HMAC_SHA2_256_128\n");
	event.child.remote = an_ike(1, 2, "10.1.1.30").remote;
	debugger_child_event(d, &event, 1);
	assert_int_equal(lines, 1);
	debugger_free(d);
}

static void the_strays_of_a_flow_are_a_line_a_second(void **state)
{
	struct debugger *d = begin(TOPIC(DEBUG_IPSEC), NULL);
	int64_t now = SECOND_NS;
	struct sighting s;

	(void)state;
	memset(&s, 0, sizeof(s));
	s.spi = 0x1db73bbb;
	s.packets = 2;
	for (int i = 0; i < 125; i++, now += SECOND_NS / 50) {
		s.sequence_first = s.sequence_last + 1;
		s.sequence_last = s.sequence_first + 1;
		debugger_sighting(d, &s, now);
	}
	assert_int_equal(lines, 3);
	assert_non_null(strstr(said, "decaps): 2 packets with an unknown spi 0x1DB73BBB from ? to ?, sequence 1 to 2\n"));
	assert_non_null(strstr(said, "decaps): 100 packets with an unknown spi 0x1DB73BBB from ? to ?, sequence 103 to 202\n"));
	debugger_tick(d, now);
	assert_int_equal(lines, 3);
	debugger_tick(d, now + SECOND_NS);
	debugger_tick(d, now + 3 * SECOND_NS);
	assert_int_equal(lines, 4);
	assert_non_null(strstr(said, "48 packets with an unknown spi 0x1DB73BBB from ? to ?, sequence 203 to 250\n"));
	debugger_free(d);
}

static void forged_strays_leave_room_for_the_daemons_words(void **state)
{
	struct debugger *d = begin(ALL, NULL);
	struct daemon_line line = a_line("IKE", 1, "closing CHILD_SA");
	struct sighting s;

	(void)state;
	memset(&s, 0, sizeof(s));
	s.packets = 1;
	for (s.spi = 1000; s.spi < 2000; s.spi++)
		debugger_sighting(d, &s, SECOND_NS);
	assert_int_equal(lines, 2 * DEBUGGER_STRAYS_A_SECOND);
	assert_int_equal(debugger_count(d).held, 1000 - 2 * DEBUGGER_STRAYS_A_SECOND);
	debugger_daemon_line(d, &line, NULL, SECOND_NS);
	assert_int_equal(lines, 2 * DEBUGGER_STRAYS_A_SECOND + 2); /* and that others were held back */
	assert_non_null(strstr(said, "closing CHILD_SA"));
	debugger_free(d);
}

static void too_many_lines_are_held_back_counted_and_said(void **state)
{
	struct debugger *d = begin(ALL, NULL);
	struct daemon_line line = a_line("IKE", 1, "x");
	struct debugger_counts counts;

	(void)state;
	for (int i = 0; i < 1000; i++)
		debugger_daemon_line(d, &line, NULL, SECOND_NS);
	assert_int_equal(lines, 2 * DEBUGGER_LINES_A_SECOND);
	counts = debugger_count(d);
	assert_int_equal(counts.held, 1000 - 2 * DEBUGGER_LINES_A_SECOND);
	said[0] = 0;
	debugger_tick(d, SECOND_NS); /* no credit for saying so yet */
	assert_string_equal(said, "");
	debugger_tick(d, 2 * SECOND_NS);
	assert_string_equal(said, "CRYPTO_DEBUG: 800 lines were held back by the limit of 100 a second, 20 of them of "
				  "strays\n");
	debugger_tick(d, 3 * SECOND_NS);
	assert_int_equal(lines, 2 * DEBUGGER_LINES_A_SECOND + 1); /* once */
	for (int second = 4; second < 14; second++)
		for (int i = 0; i < 1000; i++)
			debugger_daemon_line(d, &line, NULL, second * SECOND_NS);
	assert_true(lines <= 2 * DEBUGGER_LINES_A_SECOND + 1 + 11 * DEBUGGER_LINES_A_SECOND);
	debugger_free(d);
}

static void text_from_outside_steers_no_terminal(void **state)
{
	struct debugger *d = begin(ALL, NULL);
	struct daemon_line line = a_line("IKE", 1, "fine");

	(void)state;
	memcpy(line.text, "a\x1b[2Jb", 7);
	assert_false(daemon_line_valid(&line)); /* no channel lets it pass; and if one did: */
	debugger_daemon_line(d, &line, NULL, 1);
	assert_string_equal(said, "IKEv2:(SESSION ID = 1): a.[2Jb\n");
	line = a_line("IKE", 1, "cut");
	line.is_cut = true;
	said[0] = 0;
	debugger_daemon_line(d, &line, NULL, 1);
	assert_string_equal(said, "IKEv2:(SESSION ID = 1): cut...\n");
	debugger_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_all_is_off_nothing_is_said),
		cmocka_unit_test(the_daemons_words_come_under_their_facility),
		cmocka_unit_test(a_condition_lets_only_its_peer_through),
		cmocka_unit_test(sas_packets_and_orders_are_told),
		cmocka_unit_test(the_version_is_known_without_the_mirror),
		cmocka_unit_test(the_engine_tells_of_keys),
		cmocka_unit_test(the_strays_of_a_flow_are_a_line_a_second),
		cmocka_unit_test(forged_strays_leave_room_for_the_daemons_words),
		cmocka_unit_test(too_many_lines_are_held_back_counted_and_said),
		cmocka_unit_test(text_from_outside_steers_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
