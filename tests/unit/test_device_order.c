/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/device_order.h"

static struct device_order order_of(enum device_verb verb)
{
	struct device_order order = { .request = 7, .verb = verb, .within_ns = 1 };

	if (verb == DEVICE_SHOW)
		strcpy(order.text, "show clock");
	if (verb == DEVICE_SHOW_IPSEC_SA || device_verb_clears_sa(verb))
		order.peer = (struct spimend_address){ 4, { 192, 0, 2, 1 } };
	if (verb == DEVICE_CLEAR_SA_ENTRY) {
		order.protocol = SPIMEND_PROTOCOL_ESP;
		order.spi.value = 0x1db73bbb;
	}
	if (verb == DEVICE_PORT_HOP)
		order.color = COLOR_BIZ_INTERNET;
	return order;
}

static void says(enum device_verb verb, enum platform platform, const char *expected)
{
	struct device_order order = order_of(verb);
	struct buffer out cleanup(buffer_done) = { 0 };
	bool has = device_command(&order, platform, &out);

	assert_int_equal(has, expected != NULL);
	buffer_add_char(&out, 0);
	assert_string_equal(out.bytes, expected ? expected : "");
}

static void each_platform_has_its_own_words(void **state)
{
	(void)state;
	says(DEVICE_SHOW_IPSEC_SA, PLATFORM_IOS, "show crypto ipsec sa peer 192.0.2.1 detail");
	says(DEVICE_SHOW_ISAKMP_SA, PLATFORM_ASA, "show crypto ikev1 sa");
	says(DEVICE_CLEAR_SA_ENTRY, PLATFORM_IOS_XE, "clear crypto sa entry 192.0.2.1 esp 0x1DB73BBB");
	says(DEVICE_CLEAR_SA_PEER, PLATFORM_IOS_XE, "clear crypto sa peer 192.0.2.1");
	says(DEVICE_CLEAR_SA_PEER, PLATFORM_ASA, "clear crypto ipsec sa peer 192.0.2.1");
	says(DEVICE_CLEAR_SESSION, PLATFORM_IOS, "clear crypto session remote 192.0.2.1");
	says(DEVICE_CLEAR_SESSION, PLATFORM_ASA, NULL);
	says(DEVICE_IPSEC_REKEY, PLATFORM_SDWAN, "request platform software sdwan security ipsec-rekey");
	says(DEVICE_IPSEC_REKEY, PLATFORM_IOS_XE, NULL);
	says(DEVICE_PORT_HOP, PLATFORM_SDWAN, "request platform software sdwan port_hop color biz-internet");
	says(DEVICE_CLEAR_OMP, PLATFORM_SDWAN, "clear sdwan omp all");
	says(DEVICE_CLEAR_CONTROL, PLATFORM_SDWAN, "clear sdwan control connections");
	says(DEVICE_SHOW_DROPS, PLATFORM_IOS, NULL);
	says(DEVICE_SHOW, PLATFORM_UNKNOWN, "show clock");
	says(DEVICE_SHOW_IPSEC_SA, PLATFORM_UNKNOWN, NULL);
}

static void an_argument_is_there_where_its_verb_names_it(void **state)
{
	(void)state;
	for (enum device_verb verb = DEVICE_SHOW; verb < DEVICE_VERBS; verb++) {
		struct device_order good = order_of(verb), bad;

		assert_true(device_valid_order(&good));
		bad = good;
		bad.peer = good.peer.family ? (struct spimend_address){ 0 } : (struct spimend_address){ 4, { 10, 0, 0, 1 } };
		assert_false(device_valid_order(&bad));
		bad = good;
		bad.color = good.color ? COLOR_NONE : COLOR_LTE;
		assert_false(device_valid_order(&bad));
		bad = good;
		bad.spi.value = good.spi.value ? 0 : 5;
		assert_false(device_valid_order(&bad));
		bad = good;
		strcpy(bad.text, verb == DEVICE_SHOW ? "reload" : "show clock");
		assert_false(device_valid_order(&bad));
	}
}

static void only_one_host_is_a_peer(void **state)
{
	struct device_order order = order_of(DEVICE_CLEAR_SA_PEER);

	(void)state;
	order.peer = (struct spimend_address){ 4, { 0, 0, 0, 0 } };
	assert_false(device_valid_order(&order));
	order.peer = (struct spimend_address){ 4, { 255, 255, 255, 255 } };
	assert_false(device_valid_order(&order));
	order.peer = (struct spimend_address){ 6, { 0 } };
	assert_false(device_valid_order(&order));
	order.peer = (struct spimend_address){ 9, { 1 } };
	assert_false(device_valid_order(&order));
	order.peer = (struct spimend_address){ 6, { 0x20, 1, 0xd, 0xb8 } };
	assert_true(device_valid_order(&order));
	order.color = (enum device_color)DEVICE_COLORS;
	assert_false(device_valid_order(&order));
}

static void colours_are_those_that_cisco_knows(void **state)
{
	(void)state;
	for (enum device_color color = COLOR_DEFAULT; color < DEVICE_COLORS; color++)
		assert_int_equal(device_color_of(text_of(device_color_name(color))), color);
	assert_int_equal(device_color_of(TEXT("mpls; reload")), COLOR_NONE);
	assert_int_equal(device_color_of(TEXT("MPLS")), COLOR_NONE);
	assert_int_equal(device_color_of(TEXT("?")), COLOR_NONE);
	assert_int_equal(device_color_of(TEXT_NONE), COLOR_NONE);
}

static void what_changes_a_device_is_known(void **state)
{
	(void)state;
	for (enum device_verb verb = DEVICE_SHOW; verb < DEVICE_VERBS; verb++) {
		assert_int_equal(device_verb_changes(verb), verb >= DEVICE_CLEAR_SA_ENTRY);
		assert_true(device_verb_name(verb)[0]);
	}
	assert_true(device_verb_changes(DEVICE_VERBS)); /* what is not known may */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_platform_has_its_own_words),
		cmocka_unit_test(an_argument_is_there_where_its_verb_names_it),
		cmocka_unit_test(only_one_host_is_a_peer),
		cmocka_unit_test(colours_are_those_that_cisco_knows),
		cmocka_unit_test(what_changes_a_device_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
