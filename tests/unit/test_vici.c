/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "parse/vici.h"
#include "spimend/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) ((struct text){ (literal), sizeof(literal) - 1 })

static void a_command_is_encoded_as_the_reference_has_it(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	assert_int_equal(vici_segment_begin(&out, VICI_CMD_REQUEST, TEXT("version")), 0);
	assert_int_equal(vici_segment_end(&out, 0), 0);
	assert_true(text_equal(buffer_text(&out), BYTES("\0\0\0\x09\0\x07version")));
	buffer_clear(&out);
	assert_int_equal(vici_write_key(&out, TEXT("child"), TEXT("net")), 0);
	assert_true(text_equal(buffer_text(&out), BYTES("\x03\x05""child\0\x03net")));
	buffer_clear(&out);
	assert_int_equal(vici_write_number(&out, TEXT("n"), UINT64_MAX), 0);
	assert_true(text_equal(buffer_text(&out), BYTES("\x03\x01n\0\x14""18446744073709551615")));
	buffer_clear(&out);
	assert_int_equal(vici_write_number(&out, TEXT("n"), 0), 0);
	assert_true(text_equal(buffer_text(&out), BYTES("\x03\x01n\0\x01""0")));
	buffer_done(&out);
}

static void what_cannot_be_encoded_is_refused_and_leaves_nothing(void **state)
{
	static char big[VICI_VALUE_MAX + 1];
	struct buffer out = { 0 };

	(void)state;
	memset(big, 'a', sizeof(big));
	assert_int_equal(vici_write_key(&out, (struct text){ big, VICI_NAME_MAX + 1 }, TEXT("v")), -EINVAL);
	assert_int_equal(vici_write_key(&out, TEXT("k"), (struct text){ big, sizeof(big) }), -EINVAL);
	assert_int_equal(vici_write_key(&out, TEXT("k"), BYTES("a\0b")), -EINVAL);
	assert_int_equal(vici_write_key(&out, BYTES("a\0b"), TEXT("v")), -EINVAL);
	assert_int_equal(vici_write_item(&out, BYTES("a\0b")), -EINVAL);
	assert_int_equal(vici_write_section(&out, TEXT_NONE), -EINVAL);
	assert_int_equal(vici_segment_begin(&out, VICI_CMD_REQUEST, TEXT_NONE), -EINVAL);
	assert_int_equal(out.len, 0);
	assert_int_equal(vici_segment_begin(&out, VICI_CMD_REQUEST, TEXT("x")), 0);
	for (int i = 0; i < 9; i++)
		assert_int_equal(vici_write_key(&out, TEXT("k"), (struct text){ big, VICI_VALUE_MAX }), 0);
	assert_int_equal(vici_segment_end(&out, 0), SPIMEND_E_LIMIT);
	buffer_done(&out);
}

static void a_message_is_read_back_as_it_was_written(void **state)
{
	static const struct {
		enum vici_kind kind;
		const char *name, *value;
		unsigned depth;
	} want[] = {
		{ VICI_KEY_VALUE, "up", "yes", 0 }, { VICI_SECTION_START, "net", "", 0 }, { VICI_LIST_START, "ts", "", 1 },
		{ VICI_LIST_ITEM, "", "one", 1 }, { VICI_LIST_ITEM, "", "", 1 }, { VICI_LIST_END, "", "", 1 },
		{ VICI_SECTION_START, "deep", "", 1 }, { VICI_SECTION_END, "", "", 1 }, { VICI_SECTION_END, "", "", 0 },
	};
	struct buffer out = { 0 };
	struct vici_reader r;
	struct vici_element e;

	(void)state;
	vici_write_key(&out, TEXT("up"), TEXT("yes"));
	vici_write_section(&out, TEXT("net"));
	vici_write_list(&out, TEXT("ts"));
	vici_write_item(&out, TEXT("one"));
	vici_write_item(&out, TEXT_NONE);
	vici_write_list_end(&out);
	vici_write_section(&out, TEXT("deep"));
	vici_write_section_end(&out);
	assert_int_equal(vici_write_section_end(&out), 0);
	r = vici_reader_of(buffer_text(&out));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_true(vici_read(&r, &e));
		assert_int_equal(e.kind, want[i].kind);
		assert_true(text_equal(e.name, text_of(want[i].name)));
		assert_true(text_equal(e.value, text_of(want[i].value)));
		assert_int_equal(e.depth, want[i].depth);
	}
	assert_false(vici_read(&r, &e));
	assert_int_equal(r.status, 0);
	for (size_t cut = 0; cut < out.len; cut++) { /* every shorter one is sound or refused, and never read beyond */
		char *bytes = malloc(cut + 1);

		memcpy(bytes, out.bytes, cut);
		r = vici_reader_of((struct text){ bytes, cut });
		while (vici_read(&r, &e))
			;
		assert_int_equal(r.status, cut == 0 || cut == 9 ? 0 : SPIMEND_E_SYNTAX);
		free(bytes);
	}
	buffer_done(&out);
}

static void unbalanced_and_lying_messages_name_reason_and_offset(void **state)
{
	static const struct {
		struct text message;
		const char *reason;
		size_t at;
	} rows[] = {
		{ { "\x02", 1 }, "a section ends that was not begun", 0 },
		{ { "\x01\x01""a", 3 }, "ends inside a section or list", 3 },
		{ { "\x04\x01""a", 3 }, "ends inside a section or list", 3 },
		{ { "\x04\x01""a\x01\x01""b\x02\x06", 8 }, "a list holds more than items", 3 },
		{ { "\x04\x01""a\x04\x01""b\x06\x06", 8 }, "a list holds more than items", 3 },
		{ { "\x05\0\x01""a", 4 }, "an item or a list's end outside a list", 0 },
		{ { "\x06", 1 }, "an item or a list's end outside a list", 0 },
		{ { "\0", 1 }, "an unknown element type", 0 },
		{ { "\x07", 1 }, "an unknown element type", 0 },
		{ { "\x03\x05""abc", 5 }, "a name longer than the message", 1 },
		{ { "\x03", 1 }, "a name longer than the message", 1 },
		{ { "\x03\x01""a\0", 4 }, "a value longer than the message", 3 },
		{ { "\x03\x01""a\xff\xff""b", 6 }, "a value longer than the message", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vici_reader r = vici_reader_of(rows[i].message);
		struct vici_element e;

		while (vici_read(&r, &e))
			;
		assert_int_equal(r.status, SPIMEND_E_SYNTAX);
		assert_string_equal(r.failure.reason, rows[i].reason);
		assert_int_equal(r.failure.at, rows[i].at);
		assert_false(vici_read(&r, &e)); /* and so it stays */
	}
}

static void sections_nest_up_to_the_limit_and_no_further(void **state)
{
	(void)state;
	for (unsigned depth = VICI_DEPTH_MAX; depth <= VICI_DEPTH_MAX + 1; depth++) {
		struct buffer out = { 0 };
		struct vici_reader r;
		struct vici_element e;

		for (unsigned i = 0; i < depth; i++)
			vici_write_section(&out, TEXT("s"));
		for (unsigned i = 0; i < depth; i++)
			vici_write_section_end(&out);
		r = vici_reader_of(buffer_text(&out));
		while (vici_read(&r, &e))
			;
		assert_int_equal(r.status, depth <= VICI_DEPTH_MAX ? 0 : SPIMEND_E_SYNTAX);
		buffer_done(&out);
	}
}

static void skipping_goes_behind_the_matching_end(void **state)
{
	struct text message = BYTES("\x01\x01""a\x01\x01""b\x02\x03\x01k\0\0\x02\x03\x01""z\0\x01""1");
	struct vici_reader r = vici_reader_of(message);
	struct vici_element e;

	(void)state;
	assert_true(vici_read(&r, &e));
	assert_true(vici_skip(&r, &e));
	assert_true(vici_read(&r, &e));
	assert_true(text_equal(e.name, TEXT("z")));
	assert_false(vici_read(&r, &e));
	assert_int_equal(r.status, 0);
}

static void packets_have_a_type_and_a_name_where_they_must(void **state)
{
	static const struct text bad[] = {
		{ "", 0 }, { "\x08", 1 }, { "\xff", 1 }, { "\x07", 1 }, { "\x07\x00", 2 }, { "\x07\x03""ab", 4 }, { "\x00\xff""a", 3 },
	};
	struct vici_failure failure;
	struct vici_packet packet;
	unsigned char header[4] = { 0, 8, 0, 0 };
	size_t length = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(vici_packet_read(bad[i], &packet, &failure), SPIMEND_E_SYNTAX);
		assert_non_null(failure.reason);
	}
	assert_int_equal(vici_packet_read(BYTES("\x07\x03log\x03"), &packet, &failure), 0);
	assert_int_equal(packet.type, VICI_EVENT);
	assert_true(text_equal(packet.name, TEXT("log")));
	assert_int_equal(packet.message.len, 1);
	assert_int_equal(vici_packet_read(BYTES("\x05"), &packet, &failure), 0);
	assert_int_equal(vici_segment_length(header, &length), 0);
	assert_int_equal(length, VICI_SEGMENT_MAX);
	header[3] = 1;
	assert_int_equal(vici_segment_length(header, &length), SPIMEND_E_RANGE);
	assert_int_equal(vici_segment_length((unsigned char[4]){ 0, 0, 0, 0 }, &length), SPIMEND_E_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_encoded_as_the_reference_has_it),
		cmocka_unit_test(what_cannot_be_encoded_is_refused_and_leaves_nothing),
		cmocka_unit_test(a_message_is_read_back_as_it_was_written),
		cmocka_unit_test(unbalanced_and_lying_messages_name_reason_and_offset),
		cmocka_unit_test(sections_nest_up_to_the_limit_and_no_further),
		cmocka_unit_test(skipping_goes_behind_the_matching_end),
		cmocka_unit_test(packets_have_a_type_and_a_name_where_they_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
