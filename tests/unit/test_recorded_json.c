/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "record/recorded_json.h"

static void assert_line(const struct recorded *event, const char *expected)
{
	struct buffer out = { 0 };
	char line[4096];

	record_recorded_json(event, &out);
	assert_int_equal(buffer_error(&out), 0);
	assert_true(out.len < sizeof(line));
	text_copy(buffer_text(&out), line, sizeof(line));
	buffer_done(&out);
	assert_string_equal(line, expected);
}

static struct spimend_address address(const char *text)
{
	struct spimend_address a = { 0 };

	assert_int_equal(spimend_address_parse(text, strlen(text), &a), 0);
	return a;
}

static void test_what_is_not_known_is_null(void **state)
{
	const struct recorded nothing = { .kind = RECORDED_NOTE };

	(void)state;
	assert_line(&nothing,
		"{\"schema\":\"spimend.recorded/1\",\"end\":null,\"at\":null,\"boot\":null,\"mono\":null,\"kind\":\"note\","
		"\"src\":null,\"dst\":null,\"proto\":null,\"spi\":null,\"direction\":null,\"connection\":null,\"child\":null,"
		"\"reason\":null,\"packets\":null,\"bytes\":null,\"seq\":null,\"text\":null,\"length\":null,\"linktype\":null,"
		"\"data\":null,\"incident\":null,\"offset\":null,\"error\":null}\n");
}

static void test_what_is_known_is_told(void **state)
{
	const struct recorded event = {
		.kind = RECORDED_SA_DIED, .has = RECORDED_HAS_ALL, .end = TEXT("hub"), .wall.ns = 1756820207287000001,
		.mono_ns = 12345678901, .boot = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 1, 2, 3, 4, 5, 6, 7 },
		.src = address("10.1.1.1"), .dst = address("2001:db8::1"), .protocol = SPIMEND_PROTOCOL_ESP,
		.spi = { 0x00b73bbb }, .direction = RECORDED_IN, .connection = TEXT("net"), .child = TEXT("lan"),
		.reason = TEXT("expired"), .packets = 7, .bytes = 0, .sequence = UINT64_MAX, .text = TEXT("a \"b\"\n"),
		.length = 1500, .linktype = RECORDED_LINKTYPE_RAW, .data = { "\x45\x00\xff", 3 }, .incident = TEXT("k3v9q2"),
		.offset_ns = -5,
	};

	(void)state;
	assert_line(&event,
		"{\"schema\":\"spimend.recorded/1\",\"end\":\"hub\",\"at\":\"2025-09-02T13:36:47.287000001Z\","
		"\"boot\":\"01234567-89ab-cdef-0001-020304050607\",\"mono\":12345678901,\"kind\":\"sa-died\","
		"\"src\":\"10.1.1.1\",\"dst\":\"2001:db8::1\",\"proto\":\"esp\",\"spi\":\"0xb73bbb\",\"direction\":\"in\","
		"\"connection\":\"net\",\"child\":\"lan\",\"reason\":\"expired\",\"packets\":7,\"bytes\":0,"
		"\"seq\":18446744073709551615,\"text\":\"a \\\"b\\\"\\n\",\"length\":1500,\"linktype\":101,\"data\":\"4500ff\","
		"\"incident\":\"k3v9q2\",\"offset\":-5,\"error\":0}\n");
}

static void test_names_are_read_back(void **state)
{
	(void)state;
	for (int kind = 0; kind < RECORDED_KINDS; kind++) {
		enum recorded_kind back = RECORDED_KINDS;

		assert_true(recorded_kind_from_name(text_of(recorded_kind_name(kind)), &back));
		assert_int_equal(back, kind);
	}
	assert_false(recorded_kind_from_name(TEXT("sa-bor"), &(enum recorded_kind){ 0 }));
	assert_string_equal(recorded_kind_name(RECORDED_KINDS), "?");
}

static void test_a_boot_id_is_read_back(void **state)
{
	static const char text[] = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
	uint8_t boot[RECORDED_BOOT_SIZE] = { 0 };
	char back[RECORDED_BOOT_TEXT_MAX];

	(void)state;
	assert_true(recorded_boot_parse(text_of(text), boot));
	assert_string_equal(recorded_boot_print(boot, back), text);
	assert_false(recorded_boot_parse(TEXT("f81d4fae-7dec-11d0-a765-00a0c91e6bf"), boot));
	assert_false(recorded_boot_parse(TEXT("f81d4fae-7dec-11d0-a765-00a0c91e6bf6a"), boot));
	assert_false(recorded_boot_parse(TEXT("f81d4fae07dec-11d0-a765-00a0c91e6bf6"), boot));
	assert_false(recorded_boot_parse(TEXT("f81d4fae-7dec-11d0-a765-00a0c91e6bfg"), boot));
}

static void test_a_clock_that_stepped_does_not_change_the_order(void **state)
{
	struct recorded a = { .has = RECORDED_HAS_ALL, .wall.ns = 900, .mono_ns = 10 };
	struct recorded b = { .has = RECORDED_HAS_ALL, .wall.ns = 100, .mono_ns = 20 };

	(void)state;
	assert_true(recorded_compare(&a, &b) < 0); /* one boot: mono */
	b.boot[0] = 1;
	assert_true(recorded_compare(&a, &b) > 0); /* another one: all there is */
	b.has = RECORDED_HAS_MONO;
	assert_int_equal(recorded_compare(&a, &b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_known_is_null),
		cmocka_unit_test(test_what_is_known_is_told),
		cmocka_unit_test(test_names_are_read_back),
		cmocka_unit_test(test_a_boot_id_is_read_back),
		cmocka_unit_test(test_a_clock_that_stepped_does_not_change_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
