/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/frame.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Golden bytes in hex, blanks anywhere. */
#define MACS "020000000002 020000000001 "
#define ETH4 MACS "0800 "
#define ETH6 MACS "86dd "
#define ADDR4 "0a010101 0a0a0102 "
#define ADDR6 "20010db8000000000000000000000001 20010db8000000000000000000000002 "
/* version, service, total, id, fragment, ttl, protocol, checksum; the parser leaves checksums to the kernel */
#define IP4(total, fragment, protocol) "4500 " total " 0001 " fragment " 40 " protocol " 0000 " ADDR4
#define IP6(payload, next) "60000000 " payload " " next " 40 " ADDR6
#define ESP "b761863e 00000007 "
#define BODY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
#define UDP(length) "1194 1194 " length " 0000 "

/* A block of exactly the bytes: a read past the end is seen. */
static uint8_t *bytes_of(const char *hex, struct text *ret)
{
	uint8_t *bytes = malloc(strlen(hex) + 1), *exact;
	size_t len = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		assert_true(char_hex(hex[0]) >= 0 && char_hex(hex[1]) >= 0);
		bytes[len++] = (uint8_t)(char_hex(hex[0]) << 4 | char_hex(hex[1]));
		hex++;
	}
	exact = malloc(len ? len : 1);
	memcpy(exact, bytes, len);
	free(bytes);
	*ret = (struct text){ (const char *)exact, len };
	return exact;
}

static enum frame_result read_hex(const char *hex, size_t cut, const struct frame_ports *ports, struct frame *ret)
{
	struct text t;
	uint8_t *bytes = bytes_of(hex, &t), *shorter;
	enum frame_result result;

	if (cut > t.len)
		cut = t.len;
	shorter = malloc(cut ? cut : 1);
	memcpy(shorter, bytes, cut);
	result = frame_read_ethernet((struct text){ (const char *)shorter, cut }, ports, ret);
	free(shorter);
	free(bytes);
	return result;
}

static const struct {
	const char *name, *hex;
	uint32_t spi, sequence, used;
	uint8_t family, protocol;
	bool udp;
	uint16_t src_port, dst_port;
} found[] = {
	{ "ESP", ETH4 IP4("002c", "0000", "32") ESP BODY, 0xb761863e, 7, 42, 4, 50, false, 0, 0 },
	{ "ESP that ends behind its header", ETH4 IP4("001c", "0000", "32") ESP, 0xb761863e, 7, 42, 4, 50, false, 0, 0 },
	{ "padded", ETH4 IP4("001c", "4000", "32") ESP "000000000000", 0xb761863e, 7, 42, 4, 50, false, 0, 0 },
	{ "first fragment", ETH4 IP4("002c", "2000", "32") ESP BODY, 0xb761863e, 7, 42, 4, 50, false, 0, 0 },
	{ "SPI 0 is no marker outside UDP", ETH4 IP4("001c", "0000", "32") "00000000 00000001", 0, 1, 42, 4, 50, false, 0, 0 },
	{ "AH", ETH4 IP4("0024", "0000", "33") "06040000 b761863e 00000007 BBBBBBBB", 0xb761863e, 7, 46, 4, 51, false, 0, 0 },
	{ "options", ETH4 "4600 0020 0001 0000 40 32 0000 " ADDR4 "94040000 " ESP, 0xb761863e, 7, 46, 4, 50, false, 0, 0 },
	{ "all options", ETH4 "4f00 0044 0001 0000 40 32 0000 " ADDR4 BODY BODY "aaaaaaaaaaaaaaaa " ESP, 0xb761863e, 7, 82, 4, 50,
	  false, 0, 0 },
	{ "UDP", ETH4 IP4("0034", "0000", "11") UDP("0020") ESP BODY, 0xb761863e, 7, 50, 4, 50, true, 4500, 4500 },
	{ "UDP from a NAT", ETH4 IP4("0034", "0000", "11") "ee48 1194 0020 0000 " ESP BODY, 0xb761863e, 7, 50, 4, 50, true, 61000,
	  4500 },
	{ "UDP, configured port", ETH4 IP4("0034", "0000", "11") "1194 119e 0020 0000 " ESP BODY, 0xb761863e, 7, 50, 4, 50, true,
	  4500, 4510 },
	{ "the SPI 0xff000000 in UDP (B9)", ETH4 IP4("0024", "0000", "11") UDP("0010") "ff000000 00000007", 0xff000000, 7, 50, 4,
	  50, true, 4500, 4500 },
	{ "VLAN", MACS "8100 000a 0800 " IP4("002c", "0000", "32") ESP BODY, 0xb761863e, 7, 46, 4, 50, false, 0, 0 },
	{ "QinQ", MACS "88a8 000a 8100 0014 86dd " IP6("0018", "32") ESP BODY, 0xb761863e, 7, 70, 6, 50, false, 0, 0 },
	{ "old QinQ", MACS "9100 000a 8100 0014 0800 " IP4("002c", "0000", "32") ESP BODY, 0xb761863e, 7, 50, 4, 50, false, 0, 0 },
	{ "IPv6", ETH6 IP6("0018", "32") ESP BODY, 0xb761863e, 7, 62, 6, 50, false, 0, 0 },
	{ "IPv6 AH", ETH6 IP6("0010", "33") "06040000 b761863e 00000007 BBBBBBBB", 0xb761863e, 7, 66, 6, 51, false, 0, 0 },
	{ "IPv6 UDP", ETH6 IP6("0020", "11") UDP("0020") ESP BODY, 0xb761863e, 7, 70, 6, 50, true, 4500, 4500 },
	{ "hop-by-hop, destination, routing, first fragment", ETH6 IP6("0030", "00")
	  "3c00000000000000 2b00000000000000 2c00000000000000 3200000100000007 " ESP "aaaaaaaa", 0xb761863e, 7, 94, 6, 50, false, 0,
	  0 },
	{ "a long extension header", ETH6 IP6("0028", "3c") "3202" "000000000000 " BODY ESP "aaaaaaaa", 0xb761863e, 7, 86, 6, 50,
	  false, 0, 0 },
};

static const struct frame_ports ports = { .count = 2, .port = { 4510, 4511 } };

static void finds_each_shape_and_reads_no_further(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(found); i++) {
		struct frame f = { .spi = 4711 };
		enum frame_result result = read_hex(found[i].hex, found[i].used, &ports, &f);

		if (result != FRAME_FOUND)
			fail_msg("%s: %s", found[i].name, frame_result_name(result));
		assert_int_equal(f.spi, found[i].spi);
		assert_int_equal(f.sequence, found[i].sequence);
		assert_int_equal(f.used, found[i].used);
		assert_int_equal(f.protocol, found[i].protocol);
		assert_int_equal(f.encap_udp, found[i].udp);
		assert_int_equal(f.src.family, found[i].family);
		assert_int_equal(f.dst.family, found[i].family);
		if (f.encap_udp) {
			assert_int_equal(f.src_port, found[i].src_port);
			assert_int_equal(f.dst_port, found[i].dst_port);
		}
		assert_int_equal(f.dst.bytes[f.dst.family == 4 ? 3 : 15], 2);
		assert_int_equal(f.src.bytes[f.src.family == 4 ? 3 : 15], 1);
	}
}

static void says_truncated_for_every_shorter_capture(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(found); i++)
		for (size_t cut = 0; cut < found[i].used; cut++) {
			struct frame f = { .spi = 4711 };
			enum frame_result result = read_hex(found[i].hex, cut, &ports, &f);

			if (result != FRAME_TRUNCATED)
				fail_msg("%s cut at %zu: %s", found[i].name, cut, frame_result_name(result));
			assert_int_equal(f.spi, 4711);
		}
}

#define GRE(flags, type) flags " " type " "
#define COOKED(type) "0000 0001 0006 0200000000010000 " type " "
#define COOKED2(type) type " 0000 00000002 0001 00 06 0200000000010000 "

/* What only a capture file has: both directions, IKE with its place, tunnels, first fragments longer than they are. */
static const struct {
	const char *name, *hex;
	enum frame_result result;
	uint32_t used, left;
} of_files[] = {
	{ "from 4500 to where a NAT put the peer", ETH4 IP4("0034", "0000", "11") "1194 ee48 0020 0000 " ESP BODY, FRAME_FOUND, 50,
	  16 },
	{ "keepalive from 4500", ETH4 IP4("001d", "0000", "11") "1194 ee48 0009 0000 ff", FRAME_KEEPALIVE, 0, 0 },
	{ "IKE", ETH4 IP4("002c", "0000", "11") "01f4 01f4 0018 0000 " BODY, FRAME_IKE, 42, 16 },
	{ "IKE from 500", ETH4 IP4("002c", "0000", "11") "01f4 c000 0018 0000 " BODY, FRAME_IKE, 42, 16 },
	{ "IKE at 4500", ETH4 IP4("0030", "0000", "11") "1194 1194 001c 0000 00000000 " BODY, FRAME_IKE, 46, 16 },
	{ "first fragment of IKE", ETH4 IP4("002c", "2000", "11") "01f4 01f4 0818 0000 " BODY, FRAME_IKE, 42, 2064 },
	{ "first fragment of IKE, IPv6", ETH6 IP6("0020", "2c") "1100 0001 00000007 01f4 01f4 0818 0000 " BODY, FRAME_IKE, 70, 2064 },
	{ "not a fragment, and longer than its packet", ETH4 IP4("002c", "0000", "11") "01f4 01f4 0818 0000 " BODY,
	  FRAME_MALFORMED, 0, 0 },
	{ "IPv4 in IPv4", ETH4 IP4("0040", "0000", "04") IP4("002c", "0000", "32") ESP BODY, FRAME_FOUND, 62, 16 },
	{ "IPv6 in IPv4", ETH4 IP4("0054", "0000", "29") IP6("0018", "32") ESP BODY, FRAME_FOUND, 82, 16 },
	{ "IPv4 in IPv6", ETH6 IP6("002c", "04") IP4("002c", "0000", "32") ESP BODY, FRAME_FOUND, 82, 16 },
	{ "GRE", ETH4 IP4("0044", "0000", "2f") GRE("0000", "0800") IP4("002c", "0000", "32") ESP BODY, FRAME_FOUND, 66, 16 },
	{ "GRE with key, checksum and sequence", ETH4 IP4("0050", "0000", "2f") GRE("b000", "0800") "11111111 22222222 33333333 "
	  IP4("002c", "0000", "32") ESP BODY, FRAME_FOUND, 78, 16 },
	{ "Ethernet in GRE", ETH4 IP4("0052", "0000", "2f") GRE("0000", "6558") ETH4 IP4("002c", "0000", "32") ESP BODY,
	  FRAME_FOUND, 80, 16 },
	{ "GRE of PPTP", ETH4 IP4("0044", "0000", "2f") GRE("0001", "880b") IP4("002c", "0000", "32") ESP BODY, FRAME_NOT_IPSEC, 0,
	  0 },
	{ "GRE with no IP", ETH4 IP4("0044", "0000", "2f") GRE("0000", "88cc") BODY BODY, FRAME_NOT_IPSEC, 0, 0 },
	{ "twice in IP", ETH4 IP4("0054", "0000", "04") IP4("0040", "0000", "04") IP4("002c", "0000", "32") ESP BODY, FRAME_FOUND,
	  82, 16 },
	{ "three times in IP", ETH4 IP4("0068", "0000", "04") IP4("0054", "0000", "04") IP4("0040", "0000", "04")
	  IP4("002c", "0000", "32") ESP BODY, FRAME_CHAIN, 0, 0 },
	{ "longer than what is around it", ETH4 IP4("0030", "0000", "04") IP4("002c", "0000", "32") ESP BODY, FRAME_MALFORMED, 0,
	  0 },
};

static enum frame_result read_as_file(const char *hex, int cooked, const struct frame_ports *as, struct frame *ret)
{
	struct text t;
	uint8_t *bytes = bytes_of(hex, &t);
	enum frame_result result = cooked ? frame_read_cooked(t, cooked, as, ret) : frame_read_ethernet(t, as, ret);

	free(bytes);
	return result;
}

static void reads_what_capture_files_have(void **state)
{
	const struct frame_ports file = { .is_file = true };

	(void)state;
	for (size_t i = 0; i < COUNT(of_files); i++) {
		struct frame f = { .spi = 4711 }, live = { .spi = 4711 };
		enum frame_result result = read_as_file(of_files[i].hex, 0, &file, &f);

		if (result != of_files[i].result)
			fail_msg("%s: %s", of_files[i].name, frame_result_name(result));
		if (result == FRAME_FOUND || result == FRAME_IKE) {
			assert_int_equal(f.used, of_files[i].used);
			assert_int_equal(f.left, of_files[i].left);
			assert_int_equal(f.dst.bytes[f.dst.family == 4 ? 3 : 15], 2);
		} else {
			assert_int_equal(f.spi, 4711);
		}
		/* Live, none of it is ours. */
		assert_int_not_equal(read_as_file(of_files[i].hex, 0, NULL, &live), FRAME_FOUND);
		assert_int_equal(live.spi, 4711);
	}
}

static void reads_linux_cooked_captures(void **state)
{
	static const struct {
		const char *hex;
		int version;
		enum frame_result result;
		uint32_t used;
	} rows[] = {
		{ COOKED("0800") IP4("002c", "0000", "32") ESP BODY, 1, FRAME_FOUND, 44 },
		{ COOKED("86dd") IP6("0018", "32") ESP BODY, 1, FRAME_FOUND, 64 },
		{ COOKED("8100") "000a 0800 " IP4("002c", "0000", "32") ESP BODY, 1, FRAME_FOUND, 48 },
		{ COOKED("0806") BODY, 1, FRAME_NOT_IP, 0 },
		{ COOKED("0000") BODY, 1, FRAME_NOT_IP, 0 },
		{ "0000 0001 0006 02000000", 1, FRAME_TRUNCATED, 0 },
		{ COOKED2("0800") IP4("002c", "0000", "32") ESP BODY, 2, FRAME_FOUND, 48 },
		{ COOKED2("86dd") IP6("0018", "32") ESP BODY, 2, FRAME_FOUND, 68 },
		{ COOKED2("0806") BODY, 2, FRAME_NOT_IP, 0 },
		{ "0800 0000 00000002 0001 00 06 0200", 2, FRAME_TRUNCATED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct frame f = { 0 };

		assert_int_equal(read_as_file(rows[i].hex, rows[i].version, NULL, &f), rows[i].result);
		assert_int_equal(f.used, rows[i].used);
		assert_int_equal(f.spi, rows[i].used ? 0xb761863e : 0);
	}
}

static void says_why_not(void **state)
{
	static const struct {
		const char *name, *hex;
		enum frame_result result;
	} rows[] = {
		{ "ARP", MACS "0806 " BODY BODY, FRAME_NOT_IP },
		{ "type 0", MACS "0000 " IP4("001c", "0000", "32") ESP, FRAME_NOT_IP },
		{ "TCP", ETH4 IP4("0030", "0000", "06") BODY ESP, FRAME_NOT_IPSEC },
		{ "ICMPv6", ETH6 IP6("0010", "3a") BODY, FRAME_NOT_IPSEC },
		{ "no next header", ETH6 IP6("0000", "3b"), FRAME_NOT_IPSEC },
		{ "UDP 500", ETH4 IP4("0034", "0000", "11") "01f4 01f4 0020 0000 " BODY ESP, FRAME_NOT_IPSEC },
		{ "UDP from 4500 to another", ETH4 IP4("0034", "0000", "11") "1194 ee48 0020 0000 " ESP BODY, FRAME_NOT_IPSEC },
		{ "IKE", ETH4 IP4("0034", "0000", "11") UDP("0020") "00000000 11111111 " BODY, FRAME_IKE },
		{ "keepalive", ETH4 IP4("001d", "0000", "11") UDP("0009") "ff", FRAME_KEEPALIVE },
		{ "keepalive, padded (B9)", ETH4 IP4("001d", "0000", "11") UDP("0009") "ff0000000000000000000000000000000000",
		  FRAME_KEEPALIVE },
		{ "another single byte", ETH4 IP4("001d", "0000", "11") UDP("0009") "00", FRAME_NOT_IPSEC },
		{ "seven bytes", ETH4 IP4("0023", "0000", "11") UDP("000f") "ff000000000000", FRAME_NOT_IPSEC },
		{ "empty datagram", ETH4 IP4("001c", "0000", "11") UDP("0008"), FRAME_NOT_IPSEC },
		{ "UDP longer than its packet", ETH4 IP4("0024", "0000", "11") UDP("0040") ESP BODY, FRAME_MALFORMED },
		{ "UDP shorter than its header", ETH4 IP4("0024", "0000", "11") UDP("0007") ESP, FRAME_MALFORMED },
		{ "later fragment", ETH4 IP4("002c", "0064", "32") ESP BODY, FRAME_LATER_FRAGMENT },
		{ "later fragment of UDP", ETH4 IP4("002c", "0064", "11") ESP BODY, FRAME_NOT_IPSEC },
		{ "later fragment, IPv6", ETH6 IP6("0018", "2c") "3200000800000007 " ESP BODY, FRAME_LATER_FRAGMENT },
		{ "ESP without a sequence number, padded", ETH4 IP4("0018", "0000", "32") "b761863e 00000000 0000", FRAME_MALFORMED },
		{ "AH without", ETH4 IP4("001c", "0000", "33") "06040000 b761863e 00000007", FRAME_MALFORMED },
		{ "ESP without, IPv6", ETH6 IP6("0007", "32") ESP BODY, FRAME_MALFORMED },
		{ "version 5", ETH4 "5500 002c 0001 0000 40 32 0000 " ADDR4 ESP BODY, FRAME_MALFORMED },
		{ "header of 16 bytes", ETH4 "4400 002c 0001 0000 40 32 0000 " ADDR4 ESP BODY, FRAME_MALFORMED },
		{ "total shorter than header", ETH4 IP4("0013", "0000", "32") ESP BODY, FRAME_MALFORMED },
		{ "version 4 as IPv6", ETH6 "40000000 0018 32 40 " ADDR6 ESP BODY, FRAME_MALFORMED },
		{ "extension header longer than its packet", ETH6 IP6("0018", "3c") "32ff000000000000 " BODY, FRAME_MALFORMED },
		{ "four tags", MACS "8100 0001 8100 0002 8100 0003 8100 0004 0800 " IP4("001c", "0000", "32") ESP, FRAME_CHAIN },
		{ "nine extension headers", ETH6 IP6("0050", "3c")
		  "3c00000000000000 3c00000000000000 3c00000000000000 3c00000000000000 3c00000000000000 3c00000000000000 "
		  "3c00000000000000 3c00000000000000 3200000000000000 " ESP, FRAME_CHAIN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct frame f = { .spi = 4711 };
		enum frame_result result = read_hex(rows[i].hex, SIZE_MAX, &ports, &f);

		if (result != rows[i].result)
			fail_msg("%s: %s, not %s", rows[i].name, frame_result_name(result), frame_result_name(rows[i].result));
		assert_int_equal(f.spi, 4711);
	}
}

static void starts_at_the_network_header(void **state)
{
	static const struct {
		const char *hex;
		uint16_t type;
		enum frame_result result;
	} rows[] = {
		{ IP4("001c", "0000", "32") ESP, FRAME_TYPE_IPV4, FRAME_FOUND },
		{ IP4("001c", "0000", "32") ESP, 0, FRAME_FOUND },
		{ IP6("0008", "32") ESP, 0, FRAME_FOUND },
		{ "000a 0800 " IP4("001c", "0000", "32") ESP, 0x8100, FRAME_FOUND },
		{ IP4("0030", "0000", "32") ESP BODY, FRAME_TYPE_IPV6, FRAME_MALFORMED },
		{ "00112233", 0, FRAME_NOT_IP },
		{ "", 0, FRAME_NOT_IP },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct frame f;
		struct text t;
		uint8_t *bytes = bytes_of(rows[i].hex, &t);

		assert_int_equal(frame_read_network(t, rows[i].type, NULL, &f), rows[i].result);
		free(bytes);
	}
}

static void takes_ports_as_told(void **state)
{
	static const char other[] = ETH4 IP4("0034", "0000", "11") "1194 119e 0020 0000 " ESP BODY;
	const struct frame_ports any = { .any = true };
	struct frame f;

	(void)state;
	assert_int_equal(read_hex(other, SIZE_MAX, NULL, &f), FRAME_NOT_IPSEC);
	assert_int_equal(read_hex(other, SIZE_MAX, &ports, &f), FRAME_FOUND);
	assert_int_equal(read_hex(other, SIZE_MAX, &any, &f), FRAME_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_each_shape_and_reads_no_further),
		cmocka_unit_test(says_truncated_for_every_shorter_capture),
		cmocka_unit_test(says_why_not),
		cmocka_unit_test(reads_what_capture_files_have),
		cmocka_unit_test(reads_linux_cooked_captures),
		cmocka_unit_test(starts_at_the_network_header),
		cmocka_unit_test(takes_ports_as_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
