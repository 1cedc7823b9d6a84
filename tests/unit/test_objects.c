/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include "role/objects.h"

static struct link links[2] = { { .name = "lo", .index = 1 }, { .name = "eth0", .index = 12, .admin_up = true, .running = true,
				  .mtu = 1500, .in = { .bytes = (UINT64_C(1) << 32) + 5 } } };
static const struct link_list list = { .at = links, .count = 2 };

static void test_what_may_be_polled(void **state)
{
	(void)state;
	assert_true(object_is_known(TEXT("1.3.6.1.2.1.1.3.0"), false));
	assert_true(object_is_known(TEXT("1.3.6.1.2.1.1.3"), true));
	assert_false(object_is_known(TEXT("1.3.6.1.2.1.1.3"), false));
	assert_true(object_is_known(TEXT("1.3.6.1.2.1.2.2.1.8.7"), false));
	assert_true(object_is_known(TEXT("1.3.6.1.2.1.2.2.1.8"), true));
	assert_false(object_is_known(TEXT("1.3.6.1.2.1.2.2.1.8.7.1"), false));
	assert_false(object_is_known(TEXT("1.3.6.1.2.1.2.2.1.9.7"), false));
	assert_false(object_is_known(TEXT("1.3.6.1"), true)); /* something is behind it, but who knows what */
	assert_false(object_is_known(TEXT("public"), false));
}

static struct snmp_oid oid_of(const char *text)
{
	struct snmp_oid oid;
	bool prefix;

	assert_true(snmp_oid_parse(text_of(text), &oid, &prefix));
	return oid;
}

static const char *find(const char *text, bool next, const struct link **ret_link)
{
	static char shown[SNMP_OID_TEXT_MAX];
	struct snmp_oid oid = oid_of(text), found;
	enum object object;

	if (!object_find(&oid, next, &list, &object, ret_link, &found))
		return "none";
	return snmp_oid_print(&found, shown);
}

static void test_the_next_one_is_found(void **state)
{
	const struct link *link;

	(void)state;
	assert_string_equal(find("1.3.6.1.2.1.2.2.1.8.12", false, &link), "1.3.6.1.2.1.2.2.1.8.12");
	assert_ptr_equal(link, &links[1]);
	assert_string_equal(find("1.3.6.1.2.1.2.2.1.8.2", false, &link), "none");
	assert_string_equal(find("1.3.6.1.2.1.2.2.1.8", true, &link), "1.3.6.1.2.1.2.2.1.8.1");
	assert_string_equal(find("1.3.6.1.2.1.2.2.1.8.1", true, &link), "1.3.6.1.2.1.2.2.1.8.12"); /* numbers, not texts */
	assert_string_equal(find("1.3.6.1.2.1.2.2.1.8.12", true, &link), "1.3.6.1.2.1.2.2.1.10.1");
	assert_string_equal(find("1.3.6.1.2.1.1.3", true, &link), "1.3.6.1.2.1.1.3.0");
	assert_null(link);
	assert_string_equal(find("1.3.6.1.4.1.9.9.432.1.1.1.21.0", true, &link), "none");
}

static void test_values_of_an_interface(void **state)
{
	static const struct {
		enum object object;
		const char *value;
	} values[] = { { OBJECT_LINK_NAME, "eth0" }, { OBJECT_LINK_OPER, "1" }, { OBJECT_LINK_MTU, "1500" },
		       { OBJECT_LINK_IN_BYTES, "5" }, { OBJECT_LINK_IN_BYTES_64, "4294967301" } };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct buffer out = { 0 };

		object_print_link(values[i].object, &links[1], &out);
		assert_true(text_equal(buffer_text(&out), text_of(values[i].value)));
		buffer_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_may_be_polled),
		cmocka_unit_test(test_the_next_one_is_found),
		cmocka_unit_test(test_values_of_an_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
