/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include "parse/ike_head.h"

#define PAYLOAD 0x5a /* what must never be kept */

static char packet[2048];
static size_t packet_len;

static void put(const void *bytes, size_t len)
{
	memcpy(packet + packet_len, bytes, len);
	packet_len += len;
}

/* IPv4 or IPv6 and UDP in front of `ike`, `rest` bytes of payload behind it. */
static void make(int family, uint16_t sport, uint16_t dport, const void *ike, size_t ike_len, size_t rest)
{
	bool nat = sport == IKE_PORT_NAT || dport == IKE_PORT_NAT;
	size_t udp = 8 + (nat ? 4 : 0) + ike_len + rest;
	const unsigned char v4[20] = { 0x45, 0, (unsigned char)((20 + udp) >> 8), (unsigned char)(20 + udp), 0, 0, 0x40, 0, 64, 17,
				       0, 0, 192, 0, 2, 1, 198, 51, 100, 7 };
	unsigned char v6[40] = { 0x60, 0, 0, 0, (unsigned char)(udp >> 8), (unsigned char)udp, 17, 64 };
	const unsigned char ports[8] = { (unsigned char)(sport >> 8), (unsigned char)sport, (unsigned char)(dport >> 8),
					 (unsigned char)dport, (unsigned char)(udp >> 8), (unsigned char)udp };

	packet_len = 0;
	v6[8] = v6[24] = 0x20;
	v6[23] = 1;
	v6[39] = 2;
	put(family == 4 ? v4 : v6, family == 4 ? sizeof(v4) : sizeof(v6));
	put(ports, sizeof(ports));
	if (nat)
		put("\0\0\0\0", 4);
	put(ike, ike_len);
	memset(packet + packet_len, PAYLOAD, rest);
	packet_len += rest;
}

static unsigned char header[28] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9, 33, 0x20, 34, 8, 0, 0, 0, 0, 0, 0, 1 };

static const char *describe(const struct ike_head *head)
{
	static char text[256];
	struct buffer out = { 0 };

	ike_head_describe(head, &out);
	text_copy(buffer_text(&out), text, sizeof(text));
	buffer_done(&out);
	return text;
}

/* A copy of exactly that size, so that the address sanitizer sees a byte read behind it. */
static bool read_exactly(size_t len, struct ike_head *ret)
{
	char *copy = malloc(len ? len : 1);
	bool found;

	assert_non_null(copy);
	memcpy(copy, packet, len);
	found = ike_head_read((struct text){ copy, len }, ret);
	free(copy);
	return found;
}

static void test_a_message_is_cut_behind_its_header(void **state)
{
	struct ike_head head;

	(void)state;
	make(4, 500, 500, header, sizeof(header), 400);
	assert_true(read_exactly(packet_len, &head));
	assert_int_equal(head.keep, 20 + 8 + 28);
	assert_int_equal(head.length, packet_len);
	assert_string_equal(describe(&head), "IKEv2 IKE_SA_INIT request 0, 0x0102030405060708 0x0909090909090909");
	make(6, 4500, 12345, header, sizeof(header), 400);
	assert_true(read_exactly(packet_len, &head));
	assert_int_equal(head.keep, 40 + 8 + 4 + 28);
	assert_int_equal(head.length, packet_len);
	assert_int_equal(head.dst.family, 6);
	assert_false(memchr(packet, PAYLOAD, head.keep));
}

static void test_a_notify_in_clear_is_kept_with_what_it_names(void **state)
{
	static const unsigned char invalid_spi[] = { 0, 0, 0, 12, 0, 0, 0, 11, 0x1d, 0xb7, 0x3b, 0xbb };
	static const unsigned char cookie[] = { 0, 0, 0, 72, 0, 0, 0x40, 0x06 };
	unsigned char message[28 + sizeof(invalid_spi)];
	struct ike_head head;

	(void)state;
	memcpy(message, header, sizeof(header));
	message[16] = 41;
	message[18] = 37;
	message[23] = 7;
	memcpy(message + 28, invalid_spi, sizeof(invalid_spi));
	make(4, 500, 500, message, sizeof(message), 100);
	assert_true(read_exactly(packet_len, &head));
	assert_int_equal(head.keep, 20 + 8 + 28 + 12);
	assert_true(head.has_spi);
	assert_int_equal(head.spi, 0x1db73bbb);
	assert_string_equal(describe(&head), "IKEv2 INFORMATIONAL request 7, 0x0102030405060708 0x0909090909090909, notify INVALID_SPI "
			    "0x1db73bbb");
	memcpy(message + 28, cookie, sizeof(cookie)); /* 64 bytes of it are nobody's business */
	make(4, 500, 500, message, 28 + sizeof(cookie), 64);
	assert_true(read_exactly(packet_len, &head));
	assert_int_equal(head.keep, 20 + 8 + 28 + 8 + IKE_NOTIFY_DATA_MAX);
	assert_false(head.has_spi);
	message[16] = 46; /* encrypted: nothing behind the header */
	make(4, 500, 500, message, sizeof(message), 100);
	assert_true(read_exactly(packet_len, &head));
	assert_int_equal(head.keep, 20 + 8 + 28);
}

static void test_a_notify_of_ikev1_is_kept_unless_it_is_encrypted(void **state)
{
	static const unsigned char notify[] = { 0, 0, 0, 16, 0, 0, 0, 1, 3, 4, 0, 11, 0xb7, 0x61, 0x86, 0x3e };
	unsigned char message[28 + sizeof(notify)];
	struct ike_head head;

	(void)state;
	memcpy(message, header, sizeof(header));
	message[16] = 11;
	message[17] = 0x10;
	message[18] = 5;
	message[19] = 0;
	memcpy(message + 28, notify, sizeof(notify));
	make(4, 500, 500, message, sizeof(message), 10);
	assert_true(read_exactly(packet_len, &head));
	assert_int_equal(head.keep, 20 + 8 + 28 + 16);
	assert_string_equal(describe(&head), "IKEv1 informational, 0x0102030405060708 0x0909090909090909, notify INVALID-SPI 0xb761863e");
	message[19] = 1;
	make(4, 500, 500, message, sizeof(message), 10);
	assert_true(read_exactly(packet_len, &head));
	assert_int_equal(head.keep, 20 + 8 + 28);
	assert_false(head.has_notify);
}

static void test_what_is_no_ike_is_not_kept(void **state)
{
	struct ike_head head;

	(void)state;
	make(4, 501, 53, header, sizeof(header), 0);
	assert_false(read_exactly(packet_len, &head));
	make(4, 4500, 4500, header, sizeof(header), 0);
	packet[20 + 8] = 1; /* an SPI: ESP in UDP */
	assert_false(read_exactly(packet_len, &head));
	make(4, 500, 500, header, sizeof(header), 0);
	packet[9] = 6;
	assert_false(read_exactly(packet_len, &head));
	make(4, 500, 500, header, sizeof(header), 0);
	packet[7] = 1; /* a later fragment */
	assert_false(read_exactly(packet_len, &head));
	make(4, 500, 500, header, sizeof(header), 0);
	packet[20 + 8 + 17] = 0x30;
	assert_false(read_exactly(packet_len, &head));
}

static void test_a_capture_may_end_anywhere(void **state)
{
	static const unsigned char notify[] = { 0, 0, 0, 12, 3, 4, 0, 11, 1, 2, 3, 4 };
	unsigned char message[28 + sizeof(notify)];
	struct ike_head head;

	(void)state;
	memcpy(message, header, sizeof(header));
	message[16] = 41;
	memcpy(message + 28, notify, sizeof(notify));
	for (int family = 4; family <= 6; family += 2) {
		make(family, 4500, 4500, message, sizeof(message), 0);
		for (size_t len = 0; len <= packet_len; len++) {
			bool found = read_exactly(len, &head);

			assert_int_equal(found, len >= packet_len - sizeof(notify));
			assert_true(!found || head.keep <= len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_is_cut_behind_its_header),
		cmocka_unit_test(test_a_notify_in_clear_is_kept_with_what_it_names),
		cmocka_unit_test(test_a_notify_of_ikev1_is_kept_unless_it_is_encrypted),
		cmocka_unit_test(test_what_is_no_ike_is_not_kept),
		cmocka_unit_test(test_a_capture_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
