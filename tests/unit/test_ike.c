/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "parse/ike.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SPIS "1111111111111111 2222222222222222 "
/* next payload, version, exchange, flags, message id, length */
#define V2(next, exchange, flags, length) SPIS next " 20 " exchange " " flags " 00000000 " length " "
#define V1(next, exchange, flags, length) SPIS next " 10 " exchange " " flags " 00000000 " length " "
#define NONCE(next) next " 00 0008 aaaaaaaa "

static const struct {
	const char *name, *hex;
	enum packet_ike exchange;
	bool is_response, has_bad_spi;
	uint32_t bad_spi;
	uint8_t bad_protocol;
} messages[] = {
	{ "IKE_SA_INIT", V2("21", "22", "08", "0000001c"), EXCHANGE_V2_SA_INIT, false, false, 0, 0 },
	{ "response", V2("21", "22", "20", "0000001c"), EXCHANGE_V2_SA_INIT, true, false, 0, 0 },
	{ "IKE_AUTH", V2("2e", "23", "08", "0000001c"), EXCHANGE_V2_AUTH, false, false, 0, 0 },
	{ "CREATE_CHILD_SA", V2("2e", "24", "00", "0000001c"), EXCHANGE_V2_CREATE_CHILD_SA, false, false, 0, 0 },
	{ "an exchange of tomorrow", V2("2e", "f0", "00", "0000001c"), EXCHANGE_OTHER, false, false, 0, 0 },
	{ "main mode", V1("01", "02", "00", "0000001c"), EXCHANGE_V1_MAIN, false, false, 0, 0 },
	{ "quick mode; the response flag is IKEv2's", V1("08", "20", "21", "0000001c"), EXCHANGE_V1_QUICK, false, false, 0, 0 },
	{ "INVALID_SPI, RFC 7296 1.5", V2("29", "25", "08", "00000028") "00 00 000c 03 00 000b dead0001", EXCHANGE_V2_INFORMATIONAL,
	  false, true, 0xdead0001, 50 },
	{ "of AH", V2("29", "25", "08", "00000028") "00 00 000c 02 00 000b dead0001", EXCHANGE_V2_INFORMATIONAL, false, true,
	  0xdead0001, 51 },
	{ "in the SPI field instead", V2("29", "25", "08", "00000028") "00 00 000c 03 04 000b dead0001", EXCHANGE_V2_INFORMATIONAL,
	  false, true, 0xdead0001, 50 },
	{ "without a protocol", V2("29", "25", "08", "00000028") "00 00 000c 00 00 000b dead0001", EXCHANGE_V2_INFORMATIONAL, false,
	  true, 0xdead0001, 0 },
	{ "behind another payload", V2("28", "25", "08", "00000030") NONCE("29") "00 00 000c 03 00 000b dead0001",
	  EXCHANGE_V2_INFORMATIONAL, false, true, 0xdead0001, 50 },
	{ "another notify", V2("29", "25", "08", "00000028") "00 00 000c 03 00 000e dead0001", EXCHANGE_V2_INFORMATIONAL, false, false,
	  0, 0 },
	{ "a notify without data", V2("29", "25", "08", "00000024") "00 00 0008 03 00 000b", EXCHANGE_V2_INFORMATIONAL, false, false, 0,
	  0 },
	{ "a payload longer than its message", V2("29", "25", "08", "00000028") "00 00 0010 03 00 000b dead0001",
	  EXCHANGE_V2_INFORMATIONAL, false, false, 0, 0 },
	{ "a payload shorter than its header", V2("29", "25", "08", "00000028") "29 00 0003 03 00 000b dead0001",
	  EXCHANGE_V2_INFORMATIONAL, false, false, 0, 0 },
	{ "what looks like it, encrypted", V2("2e", "25", "08", "00000028") "00 00 000c 03 00 000b dead0001",
	  EXCHANGE_V2_INFORMATIONAL, false, false, 0, 0 },
	{ "in an exchange that is never in clear", V2("29", "24", "08", "00000028") "00 00 000c 03 00 000b dead0001",
	  EXCHANGE_V2_CREATE_CHILD_SA, false, false, 0, 0 },
	{ "IKEv1", V1("0b", "05", "00", "0000002c") "00 00 0010 00000001 03 04 000b dead0001", EXCHANGE_V1_INFORMATIONAL, false, true,
	  0xdead0001, 50 },
	{ "IKEv1, encrypted", V1("0b", "05", "01", "0000002c") "00 00 0010 00000001 03 04 000b dead0001", EXCHANGE_V1_INFORMATIONAL,
	  false, false, 0, 0 },
};

static size_t bytes_of(const char *hex, uint8_t *to)
{
	size_t len = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		to[len++] = (uint8_t)(char_hex(hex[0]) << 4 | char_hex(hex[1]));
		hex++;
	}
	return len;
}

/* From a block of exactly `captured` bytes: a read past the end is seen. */
static enum ike_result read_bytes(const uint8_t *bytes, size_t captured, size_t left, struct ike_message *ret)
{
	char *exact = malloc(captured ? captured : 1);
	enum ike_result result;

	memcpy(exact, bytes, captured);
	result = ike_read((struct text){ exact, captured }, left, ret);
	free(exact);
	return result;
}

static void reads_each_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		struct ike_message m;
		uint8_t bytes[256];
		size_t len = bytes_of(messages[i].hex, bytes);

		if (read_bytes(bytes, len, len, &m) != IKE_READ || m.exchange != messages[i].exchange ||
		    m.is_response != messages[i].is_response || m.has_bad_spi != messages[i].has_bad_spi ||
		    m.bad_spi != messages[i].bad_spi || m.bad_protocol != messages[i].bad_protocol)
			fail_msg("%s: %s, SPI 0x%x", messages[i].name, packet_ike_name(m.exchange), m.bad_spi);
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(read_bytes(bytes, cut, len, &m), cut < IKE_HEADER ? IKE_CUT : IKE_READ);
	}
}

static void says_what_is_no_ike(void **state)
{
	static const char *const rows[] = {
		SPIS "21 30 22 08 00000000 0000001c", SPIS "21 00 22 08 00000000 0000001c", V2("21", "22", "08", "0000001b"),
		V2("21", "22", "08", "0000001d"), V2("21", "22", "08", "ffffffff"), SPIS,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ike_message m = { .bad_spi = 4711 };
		uint8_t bytes[64];
		size_t len = bytes_of(rows[i], bytes);

		assert_int_equal(read_bytes(bytes, len, len, &m), IKE_MALFORMED);
		assert_int_equal(m.bad_spi, 4711);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_message),
		cmocka_unit_test(says_what_is_no_ike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
