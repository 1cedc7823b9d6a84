/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/gateway.h"

static struct spimend_address at(const char *text)
{
	struct spimend_address a = { 0 };

	assert_int_equal(spimend_address_parse(text, strlen(text), &a), 0);
	return a;
}

static void every_name_is_there_and_none_is_out_of_range(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ORDER_VERBS; i++)
		assert_true(strlen(order_verb_name((enum order_verb)i)) > 1);
	for (unsigned i = 0; i < OUTCOMES; i++)
		assert_true(strlen(order_outcome_name((enum order_outcome)i)) > 1);
	for (unsigned i = 0; i < XFRM_COUNTERS; i++)
		assert_memory_equal(xfrm_counter_name((enum xfrm_counter)i), "XfrmIn", 6);
	assert_string_equal(order_verb_name(ORDER_REKEY_CHILD), "rekey-child");
	assert_string_equal(order_verb_name(ORDER_VERBS), "?");
	assert_string_equal(order_outcome_name((enum order_outcome)-1), "?");
	assert_string_equal(xfrm_counter_name(XFRM_COUNTERS), "?");
}

static void equal_keys_are_equal_bytes(void **state)
{
	struct spimend_address a = at("192.0.2.1"), dirty = a, b = at("192.0.2.2");
	struct sa_key one = sa_key_of(&a, 50, 7), two;

	(void)state;
	dirty.bytes[9] = 0xee; /* beyond an IPv4 address */
	two = sa_key_of(&dirty, 50, 7);
	assert_memory_equal(&one, &two, sizeof(one));
	assert_true(sa_key_equal(&one, &two));
	two = sa_key_of(&b, 50, 7);
	assert_false(sa_key_equal(&one, &two));
	two = sa_key_of(&a, 51, 7);
	assert_false(sa_key_equal(&one, &two));
	two = sa_key_of(&a, 50, 8);
	assert_false(sa_key_equal(&one, &two));
}

static void connection_ids_are_stable_and_do_not_run_together(void **state)
{
	(void)state;
	/* Stored on disk: this value must never change. Seen on a live daemon, too. */
	assert_true(connection_id(0, TEXT("net"), TEXT("net")) == UINT64_C(0x778437f845528216));
	assert_true(connection_id(0, TEXT("ab"), TEXT("c")) != connection_id(0, TEXT("a"), TEXT("bc")));
	assert_true(connection_id(0, TEXT("a"), TEXT("b")) != connection_id(0, TEXT("b"), TEXT("a")));
	assert_true(connection_id(0, TEXT("a"), TEXT("b")) != connection_id(1, TEXT("a"), TEXT("b")));
	assert_true(connection_id(0, TEXT_NONE, TEXT_NONE) == connection_id(0, TEXT(""), TEXT("")));
}

/* Whoever sends bytes over a channel may send any. */
static void bytes_that_are_no_struct_are_refused(void **state)
{
	struct daemon_state daemon = { .version = "5.9.8" };
	struct connection connection = { .remote_count = 1, .remote = { at("192.0.2.1") } };
	struct ike_sa ike = { .version = 2 };
	struct child_sa child = { .protocol = 50 };
	struct order outside = { .id = 1, .verb = ORDER_NOTIFY_SPI, .protocol = 50, .spi = 1, .peer = { 4, { 192, 0, 2, 1 } },
				 .local = { 4, { 192, 0, 2, 2 } } };
	struct order order = { .id = 1, .verb = ORDER_INITIATE };
	struct order_result result = { .text = "fine" };
	struct daemon_hint hint = { .kind = HINT_EXPIRED };

	(void)state;
	assert_true(gateway_valid_daemon(&daemon));
	memset(daemon.version, 'x', sizeof(daemon.version));
	assert_false(gateway_valid_daemon(&daemon));
	memset(daemon.version, 0, sizeof(daemon.version));
	memset(&daemon.up, 2, 1);
	assert_false(gateway_valid_daemon(&daemon));

	assert_true(gateway_valid_connection(&connection));
	connection.remote_count = 2; /* of which one is no address */
	assert_false(gateway_valid_connection(&connection));
	connection.remote_count = GATEWAY_REMOTES_MAX + 1;
	assert_false(gateway_valid_connection(&connection));

	assert_true(gateway_valid_ike(&ike));
	ike.state = IKE_STATES;
	assert_false(gateway_valid_ike(&ike));
	ike.state = IKE_OTHER;
	ike.local.family = 5;
	assert_false(gateway_valid_ike(&ike));
	ike.local.family = 4;
	ike.local.bytes[4] = 1; /* equal addresses must be equal bytes */
	assert_false(gateway_valid_ike(&ike));

	assert_true(gateway_valid_child(&child));
	child.protocol = 108;
	assert_false(gateway_valid_child(&child));
	child.protocol = 51;
	child.daemon = GATEWAY_DAEMONS_MAX;
	assert_false(gateway_valid_child(&child));

	assert_true(gateway_valid_order(&order));
	order.verb = ORDER_NONE;
	assert_false(gateway_valid_order(&order));
	order.verb = ORDER_VERBS;
	assert_false(gateway_valid_order(&order));
	order.verb = ORDER_REKEY_CHILD;
	order.id = 0;
	assert_false(gateway_valid_order(&order));

	assert_true(gateway_valid_order(&outside));
	outside.peer_port = 1024;
	assert_true(gateway_valid_order(&outside));
	outside.spi = 0;
	assert_false(gateway_valid_order(&outside));
	outside.spi = 1;
	outside.local.family = 6;
	assert_false(gateway_valid_order(&outside));
	outside.local.family = 4;
	outside.verb = ORDER_LIVENESS;
	assert_false(gateway_valid_order(&outside)); /* what it does not need it may not have */

	assert_true(gateway_valid_result(&result));
	result.text[1] = '\n';
	assert_false(gateway_valid_result(&result));
	memset(result.text, 'a', sizeof(result.text));
	assert_false(gateway_valid_result(&result));

	assert_true(gateway_valid_hint(&hint));
	hint.kind = HINT_KINDS;
	assert_false(gateway_valid_hint(&hint));
}

static void events_and_sightings_are_checked_through(void **state)
{
	struct child_event child = { .child = { .protocol = 50 } };
	struct ike_event ike = { .change = IKE_UP };
	struct kernel_event kernel = { .change = KERNEL_FLUSHED };
	struct sighting sighting = { .protocol = 50, .first_ns = 1, .last_ns = 2 };
	struct spi_count count = { .key = { .protocol = 50 } };
	struct watch_spi spi = { .key = { .protocol = 50 } };
	struct watch_peer peer = { .address = at("2001:db8::1") };

	(void)state;
	assert_true(gateway_valid_child_event(&child));
	child.has_successor = true; /* which is all zero */
	assert_false(gateway_valid_child_event(&child));
	assert_true(gateway_valid_ike_event(&ike));
	ike.change = IKE_CHANGES;
	assert_false(gateway_valid_ike_event(&ike));
	assert_true(gateway_valid_kernel_event(&kernel));
	kernel.change = KERNEL_ADDED; /* of no protocol */
	assert_false(gateway_valid_kernel_event(&kernel));
	kernel.sa.key.protocol = 50;
	assert_true(gateway_valid_kernel_event(&kernel));
	kernel.sa.key.zero[1] = 1;
	assert_false(gateway_valid_kernel_event(&kernel));
	assert_true(gateway_valid_sighting(&sighting));
	sighting.last_ns = 0;
	assert_false(gateway_valid_sighting(&sighting));
	sighting.last_ns = 1;
	memset(sighting.interface, 'e', sizeof(sighting.interface));
	assert_false(gateway_valid_sighting(&sighting));
	assert_true(gateway_valid_spi_count(&count));
	memset(&count.encap_udp, 0xff, 1);
	assert_false(gateway_valid_spi_count(&count));
	assert_true(gateway_valid_watch_spi(&spi));
	spi.state = WATCH_STATES;
	assert_false(gateway_valid_watch_spi(&spi));
	assert_true(gateway_valid_watch_peer(&peer));
	peer.address = (struct spimend_address){ 0 };
	assert_false(gateway_valid_watch_peer(&peer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_there_and_none_is_out_of_range),
		cmocka_unit_test(equal_keys_are_equal_bytes),
		cmocka_unit_test(connection_ids_are_stable_and_do_not_run_together),
		cmocka_unit_test(bytes_that_are_no_struct_are_refused),
		cmocka_unit_test(events_and_sightings_are_checked_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
