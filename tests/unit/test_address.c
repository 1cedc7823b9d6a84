/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "spimend/address.h"
#include "spimend/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int parse(const char *text, struct spimend_address *ret)
{
	size_t len = strlen(text);
	char *exact = malloc(len ? len : 1); /* no terminator: a read past the end is seen */
	int result;

	memcpy(exact, text, len);
	result = spimend_address_parse(exact, len, ret);
	free(exact);
	return result;
}

static void parses_and_prints(void **state)
{
	static const struct {
		const char *text;
		int family;
		const char *printed; /* RFC 5952 */
	} rows[] = {
		{ "192.0.2.1", 4, "192.0.2.1" },
		{ "0.0.0.0", 4, "0.0.0.0" },
		{ "255.255.255.255", 4, "255.255.255.255" },
		{ "2001:db8::1", 6, "2001:db8::1" },
		{ "2001:DB8:0:0:0:0:0:1", 6, "2001:db8::1" },
		{ "2001:0db8::0:1:0:0:0", 6, "2001:db8:0:0:1::" },
		{ "::", 6, "::" },
		{ "::ffff:192.0.2.1", 6, "::ffff:192.0.2.1" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888", 6, "1111:2222:3333:4444:5555:6666:7777:8888" },
		{ "1111:2222:3333:4444:5555:6666:255.255.255.255", 6, "1111:2222:3333:4444:5555:6666:ffff:ffff" }, /* 45 long */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spimend_address a;
		char printed[SPIMEND_ADDRESS_TEXT_MAX];

		assert_int_equal(parse(rows[i].text, &a), 0);
		assert_int_equal(a.family, rows[i].family);
		assert_true(spimend_address_known(&a));
		assert_ptr_equal(spimend_address_print(&a, printed), printed);
		assert_string_equal(printed, rows[i].printed);
		if (a.family == 4)
			for (int k = 4; k < 16; k++)
				assert_int_equal(a.bytes[k], 0);
	}
}

static void refuses_everything_else(void **state)
{
	static const char *const rows[] = {
		"", "x.x.x.x", "192.0.2", "192.0.2.", "192.0.2.256", "192.0.2.1.1", "192.0.2.1 ", " 192.0.2.1", "192.0.2.1/32",
		"192.0.2.1:500", "[2001:db8::1]", "2001:db8::1/64", "fe80::1%eth0", "2001:db8:::1", "2001:db8::1::2", "1:2:3:4:5:6:7",
		"12345::", "0x7f.0.0.1", "192.0.2.01", "-1.0.0.0", "1111:2222:3333:4444:5555:6666:255.255.255.2555",
	};
	struct spimend_address a = { .family = 99 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse(rows[i], &a) != SPIMEND_E_SYNTAX)
			fail_msg("%s was taken", rows[i]);
		assert_int_equal(a.family, 99);
	}
	assert_int_equal(spimend_address_parse("192.0.2.1\0", 10, &a), SPIMEND_E_SYNTAX);
	assert_int_equal(spimend_address_parse(NULL, 0, &a), SPIMEND_E_SYNTAX);
}

static void orders(void **state)
{
	/* In rising order. */
	static const char *const rows[] = { NULL, "1.2.3.4", "9.0.0.0", "10.0.0.0", "200.0.0.0", "::", "::1", "2001:db8::", "ff02::1" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t k = 0; k < COUNT(rows); k++) {
			struct spimend_address a = { 0 }, b = { 0 };
			int order;

			if (rows[i])
				assert_int_equal(parse(rows[i], &a), 0);
			if (rows[k])
				assert_int_equal(parse(rows[k], &b), 0);
			order = spimend_address_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
			assert_int_equal(spimend_address_equal(&a, &b), i == k);
		}
	}
}

static void unknown_ones(void **state)
{
	struct spimend_address a = { 0 };
	char printed[SPIMEND_ADDRESS_TEXT_MAX];

	(void)state;
	assert_false(spimend_address_known(&a));
	assert_string_equal(spimend_address_print(&a, printed), "?");
}

static void spis_and_protocols(void **state)
{
	(void)state;
	assert_int_equal(spimend_spi_swap((struct spimend_spi){ 0x1e3efdfe }).value, 0xfefd3e1e);
	assert_int_equal(spimend_spi_swap(spimend_spi_swap((struct spimend_spi){ 0x12345678 })).value, 0x12345678);
	assert_string_equal(spimend_protocol_name(SPIMEND_PROTOCOL_ESP), "esp");
	assert_string_equal(spimend_protocol_name(SPIMEND_PROTOCOL_AH), "ah");
	assert_string_equal(spimend_protocol_name(SPIMEND_PROTOCOL_UNKNOWN), "unknown");
	assert_string_equal(spimend_protocol_name((enum spimend_protocol)47), "unknown");
}

/* Our own IPv4 against the C library's. */
static void ipv4_as_the_library_has_it(void **state)
{
	static const char letters[] = "0123456789.. ";
	char text[32], printed[SPIMEND_ADDRESS_TEXT_MAX], expected[SPIMEND_ADDRESS_TEXT_MAX];
	uint32_t noise = 2463534242u;
	unsigned taken = 0;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		struct spimend_address a = { 0 };
		struct in_addr b;
		size_t len;
		bool ours;

		noise ^= noise << 13, noise ^= noise >> 17, noise ^= noise << 5;
		snprintf(text, sizeof(text), "%u.%u.%u.%u", noise & 0x1ff, noise >> 9 & 0x7f, noise >> 16 & 3, noise >> 24);
		len = strlen(text);
		if (round % 2) /* one letter wrong */
			text[noise % len] = letters[noise % (sizeof(letters) - 1)];
		ours = parse(text, &a) == 0 && a.family == 4;
		assert_int_equal(ours, inet_pton(AF_INET, text, &b));
		if (!ours)
			continue;
		taken++;
		assert_memory_equal(a.bytes, &b, 4);
		inet_ntop(AF_INET, &b, expected, sizeof(expected));
		assert_string_equal(spimend_address_print(&a, printed), expected);
	}
	assert_true(taken > 50000);
}

static void ends_of_prefixes(void **state)
{
	static const struct {
		const char *address, *first, *last;
		unsigned prefix;
	} rows[] = {
		{ "10.1.2.3", "10.1.0.0", "10.1.255.255", 16 }, { "10.1.2.3", "10.1.2.2", "10.1.2.3", 31 },
		{ "10.1.2.3", "10.1.2.3", "10.1.2.3", 32 },     { "10.1.2.3", "0.0.0.0", "255.255.255.255", 0 },
		{ "2001:db8:1::7", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 32 },
	};
	char text[SPIMEND_ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spimend_address first, last;

		assert_int_equal(spimend_address_parse(rows[i].address, strlen(rows[i].address), &first), 0);
		last = first;
		spimend_address_set_bits(&first, rows[i].prefix, false);
		spimend_address_set_bits(&last, rows[i].prefix, true);
		assert_string_equal(spimend_address_print(&first, text), rows[i].first);
		assert_string_equal(spimend_address_print(&last, text), rows[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),
		cmocka_unit_test(refuses_everything_else),
		cmocka_unit_test(orders),
		cmocka_unit_test(unknown_ones),
		cmocka_unit_test(spis_and_protocols),
		cmocka_unit_test(ends_of_prefixes),
		cmocka_unit_test(ipv4_as_the_library_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
