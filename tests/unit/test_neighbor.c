/* SPDX-License-Identifier: MIT */
/* LLDP and CDP, byte by byte, and the table of who is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/neighbors.h"
#include "parse/neighbor.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "0207 04..." with anything that is no hex digit passed over. A copy of its exact size: sanitizers see what is read behind. */
static char *bytes_of(const char *hex, size_t *ret_len)
{
	char *bytes = memory_new(strlen(hex) / 2 + 1, 1);
	size_t digits = 0;

	for (; *hex; hex++) {
		int digit = char_hex(*hex);

		if (digit < 0)
			continue;
		bytes[digits / 2] = (char)(digits % 2 ? bytes[digits / 2] | digit : digit << 4);
		digits++;
	}
	*ret_len = digits / 2;
	return bytes;
}

static enum neighbor_fate read_hex(bool cdp, const char *hex, size_t less, struct neighbor *ret)
{
	size_t len;
	char *bytes = bytes_of(hex, &len), *exact;
	enum neighbor_fate fate;

	less = less > len ? len : less;
	exact = len - less ? memory_new(len - less, 1) : NULL;
	if (exact)
		memcpy(exact, bytes, len - less);
	fate = cdp ? cdp_read((struct text){ exact, len - less }, ret) : lldp_read((struct text){ exact, len - less }, ret);
	memory_free(exact);
	memory_free(bytes);
	return fate;
}

#define CHASSIS "0207 04 001122334455 "
#define PORT "0406 05 65746830 39 "
#define TTL "0602 0078 "
#define BEGIN CHASSIS PORT TTL
#define NAME "0a03 737731 "
#define END "0000 "

static void test_lldp_says_all_that_it_has(void **state)
{
	struct neighbor n;

	(void)state;
	assert_int_equal(read_hex(false, BEGIN "0804 75703031 " NAME "0c05 6120626f78 " "0e04 0014 0010 "
				  "100c 05 01 c0000201 02 00000003 00 " "fe06 0080c2 01 0001 " END "ffff", 0, &n), NEIGHBOR_TAKEN);
	assert_string_equal(n.chassis, "0011.2233.4455");
	assert_string_equal(n.port, "eth09");
	assert_string_equal(n.port_description, "up01");
	assert_string_equal(n.name, "sw1");
	assert_string_equal(n.description, "a box");
	assert_int_equal(n.ttl, 120);
	assert_int_equal(n.capabilities, 0x14);
	assert_int_equal(n.enabled, 0x10);
	assert_true(n.has_management && n.management.family == 4 && n.management.bytes[0] == 192 && n.management.bytes[3] == 1);
	assert_int_equal(n.dropped, 0);
	memcpy(n.interface, "eth0", 5);
	assert_true(neighbor_valid(&n));
}

static void test_ids_are_shown_by_their_kind(void **state)
{
	static const struct {
		const char *hex, *chassis, *port;
	} rows[] = {
		{ "0206 05 01 c0000201 " "0405 04 01 c00002 " TTL END, "192.0.2.1", "...." },
		{ "0212 05 02 20010db8000000000000000000000001 " "0407 03 aabbccddeeff " TTL END, "2001:db8::1", "aabb.ccdd.eeff" },
		{ "0204 07 610a62 " "0403 07 3031 " TTL END, "a.b", "01" },
		{ "0204 04 414243 " "0404 05 414200 " TTL, "ABC", "AB" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct neighbor n;

		assert_int_equal(read_hex(false, rows[i].hex, 0, &n), NEIGHBOR_TAKEN);
		assert_string_equal(n.chassis, rows[i].chassis);
		assert_string_equal(n.port, rows[i].port);
	}
}

static void test_lldp_says_why_not(void **state)
{
	static const struct {
		const char *hex;
		enum neighbor_fate fate;
	} rows[] = {
		{ "", NEIGHBOR_TRUNCATED },
		{ "02", NEIGHBOR_TRUNCATED },
		{ CHASSIS, NEIGHBOR_TRUNCATED },
		{ CHASSIS "0406 05 6574", NEIGHBOR_TRUNCATED },
		{ PORT CHASSIS TTL END, NEIGHBOR_ORDER },
		{ CHASSIS CHASSIS TTL END, NEIGHBOR_ORDER },
		{ CHASSIS PORT NAME TTL END, NEIGHBOR_ORDER },
		{ BEGIN TTL END, NEIGHBOR_ORDER },
		{ BEGIN CHASSIS END, NEIGHBOR_ORDER },
		{ "0201 04 " PORT TTL END, NEIGHBOR_IDENTITY },
		{ CHASSIS "0400 " TTL END, NEIGHBOR_IDENTITY },
		{ CHASSIS PORT "0601 78 " END, NEIGHBOR_LIFETIME },
		{ BEGIN "0a09 7377", NEIGHBOR_TRUNCATED },
		{ BEGIN "0a", NEIGHBOR_TRUNCATED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct neighbor n;
		enum neighbor_fate fate = read_hex(false, rows[i].hex, 0, &n);

		if (fate != rows[i].fate)
			fail_msg("row %zu: %s", i, neighbor_fate_name(fate));
	}
}

static void test_malformed_options_are_left_out_and_counted(void **state)
{
	struct neighbor n;

	(void)state;
	assert_int_equal(read_hex(false, BEGIN "0e03 001400 " "1002 0501 " "100c 20 01 c0000201 02 00000003 00 " "fe02 0080 " NAME END, 0,
				  &n), NEIGHBOR_TAKEN);
	assert_int_equal(n.dropped, 4);
	assert_string_equal(n.name, "sw1");
	assert_int_equal(n.enabled, 0);
	assert_false(n.has_management);
}

static void test_one_neighbour_is_one_whatever_it_says(void **state)
{
	struct neighbor a, b, c, gone;

	(void)state;
	assert_int_equal(read_hex(false, BEGIN NAME END, 0, &a), NEIGHBOR_TAKEN);
	assert_int_equal(read_hex(false, CHASSIS PORT "0602 0003 " NAME END, 0, &b), NEIGHBOR_TAKEN);
	assert_int_equal(read_hex(false, BEGIN "0a03 737732 " END, 0, &c), NEIGHBOR_TAKEN);
	assert_int_equal(read_hex(false, CHASSIS PORT "0602 0000 " END, 0, &gone), NEIGHBOR_TAKEN);
	assert_true(a.identity == b.identity && a.content == b.content);
	assert_true(a.identity == c.identity && a.content != c.content);
	assert_true(a.identity == gone.identity && gone.ttl == 0);
	assert_int_equal(read_hex(false, "0207 05 001122334455 " PORT TTL END, 0, &b), NEIGHBOR_TAKEN);
	assert_true(a.identity != b.identity); /* of another kind */
}

static void test_lldp_cut_anywhere_is_no_other_neighbour(void **state)
{
	struct neighbor n;

	(void)state;
	for (size_t less = 1; less < 30; less++)
		(void)read_hex(false, BEGIN NAME "100c 05 01 c0000201 02 00000003 00 " END, less, &n);
}

#define SNAP "aaaa03 00000c 2000 "
/* device "sw1", port "Gi0/1", capabilities, platform "box" */
#define CDP_TLVS "0001 0007 737731 " "0003 0009 4769302f31 " "0004 0008 00000028 " "0006 0007 626f78 "

/* The checksum is put in, as an even number of bytes or an odd one takes it. */
static enum neighbor_fate read_cdp(const char *version, const char *tlvs, bool cisco, int spoil, struct neighbor *ret)
{
	char hex[1024];
	size_t len;
	char *bytes;
	uint32_t sum = 0;
	enum neighbor_fate fate;

	snprintf(hex, sizeof(hex), SNAP "%s b4 0000 %s", version, tlvs);
	bytes = bytes_of(hex, &len);
	for (size_t i = 8; i + 1 < len; i += 2)
		sum += (uint32_t)((uint8_t)bytes[i] << 8 | (uint8_t)bytes[i + 1]);
	if (len % 2 && cisco)
		sum += (uint8_t)bytes[len - 1] & 0x80 ? 0xff00u | ((uint8_t)bytes[len - 1] - 1u) : (uint8_t)bytes[len - 1];
	else if (len % 2)
		sum += (uint32_t)(uint8_t)bytes[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum + (uint32_t)spoil;
	bytes[10] = (char)(sum >> 8);
	bytes[11] = (char)sum;
	fate = cdp_read((struct text){ bytes, len }, ret);
	memory_free(bytes);
	return fate;
}

static void test_cdp_says_all_that_it_has(void **state)
{
	char words[NEIGHBOR_LETTERS_MAX];
	struct neighbor n;

	(void)state;
	assert_int_equal(read_cdp("02", CDP_TLVS "0005 0008 76312e30 " "0009 0007 646f6d "
				  "0002 0011 00000001 01 01 cc 0004 c0000202 " "00", true, 0, &n), NEIGHBOR_TAKEN);
	assert_string_equal(n.name, "sw1");
	assert_string_equal(n.port, "Gi0/1");
	assert_string_equal(n.platform, "box");
	assert_string_equal(n.description, "v1.0");
	assert_string_equal(n.domain, "dom");
	assert_int_equal(n.ttl, 180);
	assert_true(n.has_management && n.management.bytes[3] == 2);
	neighbor_print_capabilities(true, n.capabilities, words);
	assert_string_equal(words, "Switch IGMP");
	assert_int_equal(n.dropped, 0);
}

static void test_cdp_checksums_of_both_kinds(void **state)
{
	struct neighbor n;

	(void)state;
	for (int cisco = 0; cisco < 2; cisco++) {
		assert_int_equal(read_cdp("01", CDP_TLVS "0005 0005 7a ", cisco, 0, &n), NEIGHBOR_TAKEN);
		assert_int_equal(read_cdp("01", CDP_TLVS "0005 0005 fe ", cisco, 0, &n), NEIGHBOR_TAKEN);
		assert_int_equal(read_cdp("01", CDP_TLVS "0005 0006 7a7a ", cisco, 0, &n), NEIGHBOR_TAKEN);
		assert_int_equal(read_cdp("01", CDP_TLVS "0005 0005 7a ", cisco, 1, &n), NEIGHBOR_CHECKSUM);
	}
}

static void test_cdp_says_why_not(void **state)
{
	struct neighbor n;

	(void)state;
	assert_int_equal(read_hex(true, "4242 03", 0, &n), NEIGHBOR_NOT_OURS); /* spanning tree's */
	assert_int_equal(read_hex(true, "aaaa03 00000c 2003 01", 0, &n), NEIGHBOR_NOT_OURS);
	assert_int_equal(read_hex(true, SNAP "02 b4", 0, &n), NEIGHBOR_TRUNCATED);
	assert_int_equal(read_cdp("03", CDP_TLVS, true, 0, &n), NEIGHBOR_VERSION);
	assert_int_equal(read_cdp("02", CDP_TLVS "0005 0003 ", true, 0, &n), NEIGHBOR_TRUNCATED);
	assert_int_equal(read_cdp("02", CDP_TLVS "0005 00ff 61 ", true, 0, &n), NEIGHBOR_TRUNCATED);
	assert_int_equal(read_cdp("02", "0003 0009 4769302f31 ", true, 0, &n), NEIGHBOR_IDENTITY);
	assert_int_equal(read_cdp("02", CDP_TLVS "0004 0006 0000 " "0002 000a 00000009 0101 ", true, 0, &n), NEIGHBOR_TAKEN);
	assert_int_equal(n.dropped, 2);
}

/* --- Who is there ------------------------------------------------------------------------------------------------- */

static struct neighbor who(const char *interface, uint64_t identity, uint64_t content, uint16_t ttl)
{
	struct neighbor n = { .identity = identity, .content = content, .ttl = ttl };

	text_copy(text_of(interface), n.interface, sizeof(n.interface));
	return n;
}

#define AT(s) ((s) * SECOND_NS)

static void test_they_come_change_and_go(void **state)
{
	struct neighbors *t = neighbors_new();
	struct neighbor a = who("eth0", 1, 1, 10), b = who("eth1", 1, 1, 20);
	const struct neighbor *told;

	(void)state;
	assert_int_equal(neighbors_next(t), INT64_MAX);
	assert_int_equal(neighbors_take(t, &a, AT(0), &told), NEIGHBOR_ADD);
	assert_string_equal(told->interface, "eth0");
	assert_int_equal(neighbors_take(t, &b, AT(0), &told), NEIGHBOR_ADD); /* on another line it is another one */
	assert_int_equal(neighbors_take(t, &a, AT(5), &told), 0);
	assert_int_equal(neighbors_next(t), AT(15));
	a.content = 2;
	assert_int_equal(neighbors_take(t, &a, AT(6), &told), NEIGHBOR_UPDATE);
	assert_int_equal(neighbors_expire(t, AT(15), &told), 0);
	assert_int_equal(neighbors_expire(t, AT(16), &told), NEIGHBOR_DELETE);
	assert_int_equal(told->content, 2);
	assert_int_equal(neighbors_expire(t, AT(16), &told), 0);
	b.ttl = 0;
	assert_int_equal(neighbors_take(t, &b, AT(17), &told), NEIGHBOR_DELETE);
	assert_int_equal(neighbors_take(t, &b, AT(17), &told), 0);
	assert_null(neighbors_at(t, 0));
	neighbors_free(t);
}

static void test_the_table_is_bounded_for_each_line(void **state)
{
	struct neighbors *t = neighbors_new();
	const struct neighbor *told;
	uint32_t added = 0;

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		struct neighbor n = who("eth0", i, 1, 100);

		added += neighbors_take(t, &n, AT(0), &told) == NEIGHBOR_ADD;
	}
	assert_int_equal(added, NEIGHBORS_OF_INTERFACE_MAX);
	assert_int_equal(neighbors_refused(t), 100 - NEIGHBORS_OF_INTERFACE_MAX);
	for (uint64_t i = 0; i < 40 * NEIGHBORS_OF_INTERFACE_MAX; i++) {
		char name[8];
		struct neighbor n;

		snprintf(name, sizeof(name), "e%u", (unsigned)(i / NEIGHBORS_OF_INTERFACE_MAX));
		n = who(name, i, 1, 100);
		added += neighbors_take(t, &n, AT(0), &told) == NEIGHBOR_ADD;
	}
	assert_int_equal(added, NEIGHBORS_MAX);
	neighbors_forget(t, TEXT("eth0"), true); /* the other protocol's */
	assert_non_null(neighbors_at(t, NEIGHBORS_MAX - 1));
	neighbors_forget(t, TEXT("eth0"), false);
	assert_null(neighbors_at(t, NEIGHBORS_MAX - NEIGHBORS_OF_INTERFACE_MAX));
	neighbors_free(t);
}

static void test_what_comes_over_a_channel_is_checked(void **state)
{
	struct neighbor n = who("eth0", 1, 1, 1);
	struct neighbor_hearing h = { "eth0", 3 };

	(void)state;
	assert_true(neighbor_valid(&n) && neighbor_valid_hearing(&h));
	memset(n.platform, 'a', sizeof(n.platform));
	assert_false(neighbor_valid(&n));
	n = who("eth0", 1, 1, 1);
	n.has_management = true;
	assert_false(neighbor_valid(&n));
	h.protocols = 4;
	assert_false(neighbor_valid_hearing(&h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lldp_says_all_that_it_has),
		cmocka_unit_test(test_ids_are_shown_by_their_kind),
		cmocka_unit_test(test_lldp_says_why_not),
		cmocka_unit_test(test_malformed_options_are_left_out_and_counted),
		cmocka_unit_test(test_one_neighbour_is_one_whatever_it_says),
		cmocka_unit_test(test_lldp_cut_anywhere_is_no_other_neighbour),
		cmocka_unit_test(test_cdp_says_all_that_it_has),
		cmocka_unit_test(test_cdp_checksums_of_both_kinds),
		cmocka_unit_test(test_cdp_says_why_not),
		cmocka_unit_test(test_they_come_change_and_go),
		cmocka_unit_test(test_the_table_is_bounded_for_each_line),
		cmocka_unit_test(test_what_comes_over_a_channel_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
