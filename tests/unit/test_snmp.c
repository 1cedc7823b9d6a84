/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parse/snmp_write.h"
#include "spimend/error.h"

static struct snmp_failure failure;
static struct snmp_trap trap;

static int read_trap(const void *bytes, size_t len)
{
	struct snmp_message message;
	int r = snmp_read_message(bytes, len, &message, &failure);

	return r < 0 ? r : snmp_read_trap(message.pdu, message.version, &trap, &failure);
}

/* A v1 trap by hand, RFC 1157 4.1.6: enterprise 1.3.6.1.4.1.9.9.171.2, agent 192.0.2.7, generic 6, specific 13, time 1234,
 * no variables. */
static const uint8_t v1[] = {
	0x30, 0x2b, 0x02, 0x01, 0x00, 0x04, 0x06, 'p', 'u', 'b', 'l', 'i', 'c', 0xa4, 0x1e, 0x06, 0x0a, 0x2b, 0x06, 0x01,
	0x04, 0x01, 0x09, 0x09, 0x81, 0x2b, 0x02, 0x40, 0x04, 192, 0, 2, 7, 0x02, 0x01, 0x06, 0x02, 0x01, 0x0d, 0x43, 0x02,
	0x04, 0xd2, 0x30, 0x00, 0x00, 0x00, /* behind the message */
};

static const char *name_of(const struct snmp_oid *oid)
{
	static char text[SNMP_OID_TEXT_MAX];

	return snmp_oid_print(oid, text);
}

static void a_v1_trap_gets_the_name_that_v2_has_for_it(void **state)
{
	(void)state;
	assert_int_equal(read_trap(v1, sizeof(v1)), 0);
	assert_string_equal(name_of(&trap.trap), "1.3.6.1.4.1.9.9.171.2.0.13");
	assert_string_equal(name_of(&trap.enterprise), "1.3.6.1.4.1.9.9.171.2");
	assert_int_equal(trap.version, 1);
	assert_int_equal(trap.generic, 6);
	assert_int_equal(trap.specific, 13);
	assert_int_equal(trap.uptime, 1234);
	assert_int_equal(trap.agent.family, 4);
	assert_int_equal(trap.agent.bytes[3], 7);
	assert_true(snmp_valid_trap(&trap));
}

static void a_standard_v1_trap_as_well(void **state)
{
	uint8_t bytes[sizeof(v1)];

	(void)state;
	memcpy(bytes, v1, sizeof(v1));
	bytes[35] = 2; /* linkDown */
	assert_int_equal(read_trap(bytes, sizeof(bytes)), 0);
	assert_string_equal(name_of(&trap.trap), "1.3.6.1.6.3.1.1.5.3");
	bytes[35] = 7;
	assert_int_equal(read_trap(bytes, sizeof(bytes)), SPIMEND_E_SYNTAX);
	assert_string_equal(failure.reason, "a generic or specific number that no trap has");
}

static void cut_anywhere_it_is_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(v1) - 2; len++) {
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, v1, len);
		assert_int_equal(read_trap(exact, len), SPIMEND_E_SYNTAX);
		assert_non_null(failure.reason);
		assert_int_equal(failure.trouble, SNMP_TROUBLE_MALFORMED);
		assert_true(failure.at <= len);
		free(exact);
	}
	assert_int_equal(read_trap(v1, sizeof(v1) - 2), 0);
}

static struct snmp_applet_event an_event(void)
{
	struct snmp_applet_event event = { .root = { 9, { 1, 3, 6, 1, 4, 1, 9, 10, 91 } }, .has_int1 = true, .int1 = 2323232,
					   .has_text = true, .text = TEXT_NONE, .name = TEXT("command_hub"), .index = 3 };

	return event;
}

static size_t write_v2c(struct ber_writer *w, uint8_t *room, size_t size)
{
	struct snmp_applet_event event = an_event();
	struct snmp_trap sent;

	snmp_make_applet_event(&event, 4711, 99, &sent);
	*w = ber_writer_of(room, size);
	snmp_put_v2c(w, &sent, TEXT("public"));
	return size - w->at;
}

static void what_is_sent_is_read_again(void **state)
{
	uint8_t room[SNMP_SEND_MAX];
	struct ber_writer w;
	size_t len = write_v2c(&w, room, sizeof(room));
	struct snmp_message message;

	(void)state;
	assert_false(w.overflow);
	assert_int_equal(snmp_read_message(room + w.at, len, &message, &failure), 0);
	assert_int_equal(message.version, 2);
	assert_true(text_equal(message.community, TEXT("public")));
	assert_int_equal(read_trap(room + w.at, len), 0);
	assert_string_equal(name_of(&trap.trap), "1.3.6.1.4.1.9.10.91.0.2");
	assert_int_equal(trap.uptime, 4711);
	assert_int_equal(trap.request, 99);
	assert_int_equal(trap.varbind_count, 9);
	/* B19: intdata1 2323232, strdata "", and intData2 was not given. */
	assert_string_equal(name_of(&trap.varbinds[6].name), "1.3.6.1.4.1.9.10.91.1.2.3.1.9.3");
	assert_int_equal(trap.varbinds[6].value.type, SNMP_INTEGER);
	assert_int_equal(trap.varbinds[6].value.integer, 2323232);
	assert_int_equal(trap.varbinds[7].value.type, SNMP_NO_SUCH_INSTANCE);
	assert_int_equal(trap.varbinds[8].value.type, SNMP_OCTETS);
	assert_int_equal(trap.varbinds[8].value.octets.len, 0);
	for (size_t size = 0; size < len; size++) { /* into too little room it does not go, and nothing is written beyond it */
		uint8_t *exact = malloc(size ? size : 1);

		write_v2c(&w, exact, size);
		assert_true(w.overflow);
		free(exact);
	}
}

static void numbers_keep_their_value_whatever_their_length(void **state)
{
	static const struct snmp_value values[] = {
		{ .type = SNMP_INTEGER, .integer = 0 }, { .type = SNMP_INTEGER, .integer = -1 }, { .type = SNMP_INTEGER, .integer = 127 },
		{ .type = SNMP_INTEGER, .integer = 128 }, { .type = SNMP_INTEGER, .integer = -129 },
		{ .type = SNMP_INTEGER, .integer = INT32_MIN }, { .type = SNMP_INTEGER, .integer = INT32_MAX },
		{ .type = SNMP_UNSIGNED, .number = 0x80000000u }, { .type = SNMP_UNSIGNED, .number = UINT32_MAX },
		{ .type = SNMP_COUNTER64, .number = UINT64_MAX }, { .type = SNMP_COUNTER64, .number = INT64_MAX },
		{ .type = SNMP_TIMETICKS, .number = 255 }, { .type = SNMP_NULL }, { .type = SNMP_END_OF_VIEW },
		{ .type = SNMP_OID, .oid = { 3, { 2, 999, UINT32_MAX } } }, { .type = SNMP_OID, .oid = { 2, { 1, 39 } } },
		{ .type = SNMP_ADDRESS, .octets = { .len = 4, .bytes = { 192, 0, 2, 1 } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint8_t room[64];
		struct ber_writer w = ber_writer_of(room, sizeof(room));
		struct snmp_value value;
		struct ber b;

		ber_put_value(&w, &values[i]);
		b = ber_of(room + w.at, sizeof(room) - w.at);
		assert_true(ber_take_value(&b, &value));
		assert_int_equal(b.at, b.end);
		assert_memory_equal(&value, &values[i], sizeof(value));
	}
}

struct refused {
	uint8_t bytes[32];
	size_t len;
	const char *reason;
};

static void values_that_cannot_be_say_why(void **state)
{
	static const struct refused all[] = {
		{ { 0x02, 0x05, 1, 0, 0, 0, 0 }, 7, "an Integer32 beyond 32 bits" },
		{ { 0x02, 0x00 }, 2, "a number without bytes" },
		{ { 0x42, 0x05, 1, 0, 0, 0, 0 }, 7, "an unsigned number beyond 32 bits" },
		{ { 0x46, 0x09, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, 11, "a Counter64 beyond 64 bits" },
		{ { 0x04, 0x80, 0, 0 }, 4, "a length of the indefinite form, which SNMP forbids" },
		{ { 0x04, 0x85, 0, 0, 0, 0, 1, 'a' }, 8, "a length of more than four bytes" },
		{ { 0x04, 0x05, 'a' }, 3, "a length beyond the end of what it is in" },
		{ { 0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 'a' }, 7, "a length beyond the end of what it is in" },
		{ { 0x1f, 0x81, 0x00, 0x00 }, 4, "a tag of several bytes, which SNMP has not" },
		{ { 0x06, 0x02, 0x2b, 0x81 }, 4, "an identifier that ends within a number" },
		{ { 0x06, 0x06, 0x2b, 0x9f, 0xff, 0xff, 0xff, 0x7f }, 8, "an identifier with a number beyond 32 bits" },
		{ { 0x40, 0x03, 1, 2, 3 }, 5, "an IpAddress that is not four bytes long" },
		{ { 0x81, 0x01, 0 }, 3, "a value where there is none" },
		{ { 0x47, 0x01, 0 }, 3, "a value of a type that no variable has" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ber b = ber_of(all[i].bytes, all[i].len);
		struct snmp_value value;

		assert_false(ber_take_value(&b, &value));
		assert_string_equal(b.reason, all[i].reason);
		assert_false(ber_take_value(&b, &value)); /* the first reason stays */
		assert_string_equal(b.reason, all[i].reason);
	}
}

static void long_things_are_cut_or_refused_by_name(void **state)
{
	uint8_t room[1024], oid[2 + SNMP_OID_MAX];
	struct ber_writer w = ber_writer_of(room, sizeof(room));
	struct snmp_value value;
	uint8_t text[300];
	struct ber b;

	(void)state;
	memset(text, 'x', sizeof(text));
	ber_put_octets(&w, BER_OCTETS, text, sizeof(text));
	b = ber_of(room + w.at, sizeof(room) - w.at);
	assert_true(ber_take_value(&b, &value));
	assert_int_equal(value.octets.len, SNMP_STRING_MAX);
	assert_int_equal(value.octets.cut, 300 - SNMP_STRING_MAX);
	memset(oid, 1, sizeof(oid));
	oid[0] = BER_OID;
	oid[1] = SNMP_OID_MAX; /* the first byte stands for two */
	b = ber_of(oid, sizeof(oid));
	assert_false(ber_take_value(&b, &value));
	assert_string_equal(b.reason, "an identifier of more than 64 numbers");
}

static void more_variables_than_are_kept_are_counted(void **state)
{
	static const struct snmp_oid other = { 3, { 1, 3, 6 } }, trap_oid = { 11, { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 } };
	const uint32_t count = 2 * SNMP_VARBINDS_MAX;
	struct snmp_value null = { .type = SNMP_NULL }, name = { .type = SNMP_OID, .oid = { 3, { 1, 3, 6 } } };
	uint8_t room[SNMP_SEND_MAX];
	struct ber_writer w = ber_writer_of(room, sizeof(room));
	struct snmp_message message;
	size_t end = w.at;

	(void)state;
	for (uint32_t i = 1; i <= count; i++) {
		size_t at = w.at;

		ber_put_value(&w, i == count ? &name : &null);
		ber_put_oid(&w, i == count ? &trap_oid : &other);
		ber_put_head(&w, BER_SEQUENCE, at);
	}
	ber_put_head(&w, BER_SEQUENCE, end);
	for (int i = 0; i < 3; i++)
		ber_put_integer(&w, BER_INTEGER, 0);
	ber_put_head(&w, BER_INFORM, end);
	ber_put_octets(&w, BER_OCTETS, "c", 1);
	ber_put_integer(&w, BER_INTEGER, 1);
	ber_put_head(&w, BER_SEQUENCE, end);
	assert_false(w.overflow);
	assert_int_equal(snmp_read_message(room + w.at, sizeof(room) - w.at, &message, &failure), 0);
	assert_int_equal(snmp_read_trap(message.pdu, message.version, &trap, &failure), 0);
	assert_true(trap.inform);
	assert_int_equal(trap.varbind_count, SNMP_VARBINDS_MAX);
	assert_int_equal(trap.varbinds_dropped, SNMP_VARBINDS_MAX - 1);
}

static void a_v3_frame_is_read_as_it_was_put(void **state)
{
	uint8_t room[SNMP_SEND_MAX];
	struct ber_writer w = ber_writer_of(room, sizeof(room));
	struct snmp_applet_event event = an_event();
	struct snmp_v3_frame frame = { .id = 7, .boots = 3, .time = 4, .flags = SNMP_FLAG_AUTH, .engine = TEXT("\x80\0\0\0\1x"),
				       .user = TEXT("ann"), .auth_len = 12 };
	struct snmp_message message;
	struct snmp_trap sent;
	size_t auth;
	struct ber pdu;

	(void)state;
	snmp_make_applet_event(&event, 1, 1, &sent);
	snmp_put_scoped(&w, &sent, frame.engine);
	snmp_put_v3(&w, &frame, &auth);
	assert_false(w.overflow);
	assert_int_equal(snmp_read_message(room + w.at, sizeof(room) - w.at, &message, &failure), 0);
	assert_int_equal(message.version, 3);
	assert_int_equal(message.id, 7);
	assert_int_equal(message.boots, 3);
	assert_int_equal(message.time, 4);
	assert_int_equal(message.flags, SNMP_FLAG_AUTH);
	assert_true(text_equal(message.user, TEXT("ann")));
	assert_int_equal(message.auth.len, 12);
	assert_ptr_equal(message.auth.at, room + sizeof(room) - auth);
	assert_int_equal(message.whole, sizeof(room) - w.at);
	assert_int_equal(snmp_read_scoped(message.scoped, &pdu, &failure), 0);
	assert_int_equal(snmp_read_trap(pdu, 3, &trap, &failure), 0);
	assert_int_equal(trap.varbinds[6].value.integer, 2323232);
	room[w.at + 2 + (room[w.at + 1] & 0x7f) + 2] = 2; /* version 2 was never one */
	assert_int_equal(snmp_read_message(room + w.at, sizeof(room) - w.at, &message, &failure), SPIMEND_E_SYNTAX);
}

static void requests_and_responses_are_no_traps(void **state)
{
	uint8_t bytes[sizeof(v1)];

	(void)state;
	for (uint8_t tag = 0xa0; tag < 0xa9; tag++) {
		memcpy(bytes, v1, sizeof(v1));
		bytes[13] = tag;
		if (tag == BER_TRAP_V1)
			continue;
		assert_int_equal(read_trap(bytes, sizeof(bytes)), SPIMEND_E_SYNTAX);
		assert_int_equal(failure.trouble, SNMP_TROUBLE_NO_TRAP);
	}
}

static void identifiers_are_read_with_their_last_dot(void **state)
{
	struct snmp_oid oid, other;
	bool is_prefix;

	(void)state;
	assert_true(snmp_oid_parse(TEXT("1.3.6.1.4.1.9.10.91.1.2.3.1.9."), &oid, &is_prefix));
	assert_true(is_prefix);
	assert_true(snmp_oid_parse(TEXT(".1.3.6.1.4.1.9.10.91.1.2.3.1.9.17"), &other, &is_prefix));
	assert_false(is_prefix);
	assert_true(snmp_oid_is_below(&other, &oid));
	assert_false(snmp_oid_is_below(&oid, &other));
	assert_false(snmp_oid_parse(TEXT("1..3"), &oid, &is_prefix));
	assert_false(snmp_oid_parse(TEXT("1.40"), &oid, &is_prefix));
	assert_false(snmp_oid_parse(TEXT("1.3.4294967296"), &oid, &is_prefix));
	assert_false(snmp_oid_parse(TEXT("iso.3"), &oid, &is_prefix));
	assert_false(snmp_oid_parse(TEXT(""), &oid, &is_prefix));
}

static void values_print_as_people_write_them(void **state)
{
	struct snmp_value value = { .type = SNMP_OCTETS, .octets = { .len = 3, .bytes = { 'a', 0, 'b' } } };
	char text[32];

	(void)state;
	assert_int_equal(snmp_value_print(&value, text, sizeof(text)), 8);
	assert_string_equal(text, "0x610062");
	assert_int_equal(snmp_value_print(&value, text, 6), 4);
	assert_string_equal(text, "0x61");
	value.octets.bytes[1] = ' ';
	snmp_value_print(&value, text, sizeof(text));
	assert_string_equal(text, "a b");
	value = (struct snmp_value){ .type = SNMP_INTEGER, .integer = -5 };
	snmp_value_print(&value, text, sizeof(text));
	assert_string_equal(text, "-5");
	value.type = SNMP_NO_SUCH_INSTANCE;
	assert_int_equal(snmp_value_print(&value, text, sizeof(text)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_v1_trap_gets_the_name_that_v2_has_for_it),
		cmocka_unit_test(a_standard_v1_trap_as_well),
		cmocka_unit_test(cut_anywhere_it_is_refused),
		cmocka_unit_test(what_is_sent_is_read_again),
		cmocka_unit_test(numbers_keep_their_value_whatever_their_length),
		cmocka_unit_test(values_that_cannot_be_say_why),
		cmocka_unit_test(long_things_are_cut_or_refused_by_name),
		cmocka_unit_test(more_variables_than_are_kept_are_counted),
		cmocka_unit_test(a_v3_frame_is_read_as_it_was_put),
		cmocka_unit_test(requests_and_responses_are_no_traps),
		cmocka_unit_test(identifiers_are_read_with_their_last_dot),
		cmocka_unit_test(values_print_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
