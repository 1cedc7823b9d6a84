/* SPDX-License-Identifier: MIT */
/* The pure half of `spimend inventory`, on trees made by hand; whole files are in tests/transcript. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/memory.h"
#include "parse/inventory_private.h"
#include "spimend/error.h"

static struct inventory_tree tree;
static struct buffer said;

static uint32_t node(enum inventory_kind kind, uint32_t parent, const char *key, const char *value)
{
	struct inventory_node *n, *above;
	uint32_t place = tree.count++, last;

	tree.nodes = memory_resize(tree.nodes, tree.count, sizeof(*tree.nodes));
	assert_non_null(tree.nodes);
	n = &tree.nodes[place];
	*n = (struct inventory_node){ .kind = kind, .line = place + 1, .key_at = (uint32_t)tree.text.len };
	n->key_len = (uint32_t)strlen(key);
	buffer_add_string(&tree.text, key);
	n->value_at = (uint32_t)tree.text.len;
	n->value_len = (uint32_t)strlen(value);
	buffer_add_string(&tree.text, value);
	if (place == 0)
		return 0;
	above = &tree.nodes[parent];
	last = above->child;
	while (last && tree.nodes[last].next)
		last = tree.nodes[last].next;
	if (last)
		tree.nodes[last].next = place;
	else
		above->child = place;
	return place;
}

static void on_say(void *context, uint32_t file, uint32_t line, struct text why)
{
	(void)context;
	buffer_printf(&said, "%u:%u: %.*s\n", file, line, TEXT_ARG(why));
}

static int clear(void **state)
{
	(void)state;
	inventory_tree_done(&tree);
	buffer_done(&said);
	return 0;
}

static void test_platforms_are_known_by_all_their_names(void **state)
{
	static const struct {
		const char *words;
		enum platform platform;
	} cases[] = {
		{ "ios cisco_ios cisco.ios.ios IOS cisco-ios", PLATFORM_IOS },
		{ "iosxe ios-xe ios_xe cisco_xe cisco-ios-xe cat8000v csr1000v", PLATFORM_IOS_XE },
		{ "asa cisco_asa cisco.asa.asa ciscoasa", PLATFORM_ASA },
		{ "cedge viptela sdwan sd-wan SD_WAN vedge", PLATFORM_SDWAN },
	};
	enum platform platform;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text rest = text_of(cases[i].words), word;

		while ((word = text_take_word(&rest)).len)
			if (!inventory_read_platform(word, &platform) || platform != cases[i].platform)
				fail_msg("%.*s", TEXT_ARG(word));
	}
	assert_true(inventory_read_platform(TEXT("Cisco IOS XE"), &platform));
	assert_int_equal(platform, PLATFORM_IOS_XE);
	assert_false(inventory_read_platform(TEXT(""), &platform));
	assert_false(inventory_read_platform(TEXT("ios asa"), &platform));
	assert_false(inventory_read_platform(TEXT("nxos"), &platform));
	assert_false(inventory_read_platform(TEXT("cisco_ios_ios cisco_ios_ssh cisco_ios_ssh cisco_ios_ssh"), &platform));
}

static void test_a_key_is_found_before_what_is_merged(void **state)
{
	uint32_t root = node(INVENTORY_MAPPING, 0, "", ""), base, list, with;

	(void)state;
	base = node(INVENTORY_MAPPING, root, "base", "");
	node(INVENTORY_SCALAR, base, "a", "1");
	node(INVENTORY_SCALAR, base, "b", "2");
	with = node(INVENTORY_MAPPING, root, "with", "");
	node(INVENTORY_SCALAR, with, "a", "9");
	list = node(INVENTORY_SEQUENCE, with, "<<", "");
	list = node(INVENTORY_ALIAS, list, "", "");
	tree.nodes[list].target = base;
	assert_true(text_equal(inventory_value(&tree, inventory_find(&tree, &tree.nodes[with], "a")), TEXT("9")));
	assert_true(text_equal(inventory_value(&tree, inventory_find(&tree, &tree.nodes[with], "b")), TEXT("2")));
	assert_null(inventory_find(&tree, &tree.nodes[with], "c"));
	with = node(INVENTORY_MAPPING, root, "too", "");
	node(INVENTORY_SCALAR, with, "a", "9");
	list = node(INVENTORY_ALIAS, with, "<<", "");
	tree.nodes[list].target = base;
	assert_true(text_equal(inventory_value(&tree, inventory_find(&tree, &tree.nodes[with], "a")), TEXT("9")));
	assert_true(text_equal(inventory_value(&tree, inventory_find(&tree, &tree.nodes[with], "b")), TEXT("2")));
	assert_null(inventory_find(&tree, NULL, "c"));
	clear(state);
}

static void test_hosts_become_devices_and_passwords_stay(void **state)
{
	struct inventory *inventory = inventory_new(PLATFORM_UNKNOWN, on_say, NULL);
	struct inventory_counts counts;
	struct buffer out = { 0 };
	uint32_t hosts, one;

	(void)state;
	assert_non_null(inventory);
	node(INVENTORY_MAPPING, 0, "", "");
	hosts = node(INVENTORY_MAPPING, node(INVENTORY_MAPPING, 0, "all", ""), "hosts", "");
	one = node(INVENTORY_MAPPING, hosts, "hub", "");
	node(INVENTORY_SCALAR, one, "ansible_host", "192.0.2.1");
	node(INVENTORY_SCALAR, one, "ansible_network_os", "asa");
	node(INVENTORY_SCALAR, one, "ansible_password", "hunter2");
	node(INVENTORY_SCALAR, one, "snmp_community", "public");
	node(INVENTORY_MAPPING, hosts, "spoke", "");
	assert_int_equal(inventory_read(inventory, &tree, 3), 0);
	assert_int_equal(inventory_finish(inventory), 0);
	inventory_print(inventory, &out);
	assert_true(text_equal(buffer_text(&out), TEXT("device hub\n address 192.0.2.1\n platform asa\n")));
	assert_true(text_equal(buffer_text(&said), TEXT("3:9: spoke: it has no ansible_network_os, and there is no --platform\n")));
	counts = inventory_count(inventory);
	assert_true(counts.devices == 1 && counts.left_out == 1 && counts.without_login == 1 && counts.passwords == 2);
	inventory_free(inventory);
	buffer_done(&out);
	clear(state);
}

static void test_what_is_no_inventory_is_said(void **state)
{
	struct inventory *inventory = inventory_new(PLATFORM_IOS, on_say, NULL);

	(void)state;
	assert_non_null(inventory);
	assert_int_equal(inventory_read(inventory, &tree, 0), SPIMEND_E_SYNTAX); /* empty */
	node(INVENTORY_SCALAR, 0, "", "word");
	assert_int_equal(inventory_read(inventory, &tree, 1), SPIMEND_E_SYNTAX);
	assert_int_equal(inventory_finish(inventory), 0);
	assert_true(text_has(buffer_text(&said), TEXT("1:0: neither Ansible's groups nor NetBox's devices are in it")));
	inventory_free(inventory);
	inventory_free(NULL);
	clear(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_platforms_are_known_by_all_their_names, clear),
		cmocka_unit_test_teardown(test_a_key_is_found_before_what_is_merged, clear),
		cmocka_unit_test_teardown(test_hosts_become_devices_and_passwords_stay, clear),
		cmocka_unit_test_teardown(test_what_is_no_inventory_is_said, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
