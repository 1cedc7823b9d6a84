/* SPDX-License-Identifier: MIT */
/* What record/recorded_json writes comes back through parse/recorded; and IKE headers, archives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include "parse/ike_header.h"
#include "parse/recorded.h"
#include "record/recorded_json.h"
#include "record/report_clocks.h"
#include "record/tar.h"

static struct recorded_reader reader;

static void assert_same(struct text a, struct text b)
{
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.at ? a.at : "", b.at ? b.at : "", a.len);
}

static void assert_comes_back(const struct recorded *event)
{
	struct buffer line = { 0 };
	struct recorded back;
	const char *why = "";

	record_recorded_json(event, &line);
	assert_int_equal(buffer_error(&line), 0);
	line.len--; /* its line break */
	assert_int_equal(recorded_read(&reader, buffer_text(&line), &back, &why), 0);
	assert_int_equal(back.kind, event->kind);
	assert_int_equal(back.has, event->has);
	assert_true(back.wall.ns == (event->has & RECORDED_HAS_WALL ? event->wall.ns : 0));
	assert_true(back.mono_ns == (event->has & RECORDED_HAS_MONO ? event->mono_ns : 0));
	assert_true(spimend_address_equal(&back.src, &event->src) && spimend_address_equal(&back.dst, &event->dst));
	assert_int_equal(back.protocol, event->protocol);
	assert_int_equal(back.direction, event->direction);
	assert_int_equal(back.spi.value, event->has & RECORDED_HAS_SPI ? event->spi.value : 0);
	assert_true(back.packets == (event->has & RECORDED_HAS_PACKETS ? event->packets : 0));
	assert_true(back.sequence == (event->has & RECORDED_HAS_SEQUENCE ? event->sequence : 0));
	assert_int_equal(back.length, event->has & RECORDED_HAS_LENGTH ? event->length : 0);
	assert_int_equal(back.linktype, event->has & RECORDED_HAS_LINKTYPE ? event->linktype : 0);
	assert_true(back.offset_ns == (event->has & RECORDED_HAS_OFFSET ? event->offset_ns : 0));
	assert_true(back.error_ns == (event->has & RECORDED_HAS_ERROR ? event->error_ns : 0));
	if (event->has & RECORDED_HAS_BOOT)
		assert_memory_equal(back.boot, event->boot, sizeof(back.boot));
	assert_same(back.end, event->end);
	assert_same(back.connection, event->connection);
	assert_same(back.child, event->child);
	assert_same(back.reason, event->reason);
	assert_same(back.text, event->text);
	assert_same(back.data, event->data);
	assert_same(back.incident, event->incident);
	buffer_done(&line);
}

static struct text letters(char *to, size_t max)
{
	size_t n = (size_t)rand() % (max + 1);

	for (size_t i = 0; i < n; i++)
		to[i] = (char)(1 + rand() % 126); /* controls, quotes, backslashes */
	return (struct text){ to, n };
}

static uint64_t number(void)
{
	uint64_t value = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();

	return value >> rand() % 64;
}

static void test_what_is_written_comes_back(void **state)
{
	static char end[RECORDED_NAME_MAX], connection[RECORDED_NAME_MAX], child[RECORDED_NAME_MAX], reason[RECORDED_NAME_MAX];
	static char text[RECORDED_TEXT_MAX], incident[RECORDED_INCIDENT_MAX], data[RECORDED_DATA_MAX];

	(void)state;
	srand(7);
	for (int turn = 0; turn < 5000; turn++) {
		struct recorded event = {
			.kind = (enum recorded_kind)(rand() % RECORDED_KINDS), .has = (uint32_t)rand() & RECORDED_HAS_ALL,
			.wall.ns = (int64_t)(number() & INT64_MAX), .mono_ns = (int64_t)(number() & INT64_MAX),
			.protocol = rand() % 2 ? SPIMEND_PROTOCOL_ESP : SPIMEND_PROTOCOL_AH, .spi = { (uint32_t)number() },
			.direction = (enum recorded_direction)(rand() % RECORDED_DIRECTIONS), .packets = number(), .bytes = number(),
			.sequence = number(), .offset_ns = -(int64_t)(number() & INT64_MAX), .error_ns = (int64_t)(number() & INT64_MAX),
			.length = (uint32_t)number(), .linktype = (uint16_t)number(), .end = letters(end, sizeof(end)),
			.connection = letters(connection, sizeof(connection)), .child = letters(child, sizeof(child)),
			.reason = letters(reason, sizeof(reason)), .text = letters(text, turn % 20 ? 40 : sizeof(text)),
			.incident = letters(incident, sizeof(incident) - 1), .data = letters(data, sizeof(data)),
		};

		for (size_t i = 0; i < sizeof(event.boot); i++)
			event.boot[i] = (uint8_t)rand();
		if (rand() % 3) {
			event.src = (struct spimend_address){ 4, { (uint8_t)rand(), 2, 3, 4 } };
			event.dst = (struct spimend_address){ 6, { 0x20, (uint8_t)rand(), 3 } };
		}
		assert_comes_back(&event);
	}
	recorded_reader_done(&reader);
}

#define LINE(rest) "{\"schema\":\"spimend.recorded/1\",\"kind\":\"packet\"" rest "}"

static void test_what_is_wrong_has_a_reason(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "", "no JSON" },
		{ "{", "no JSON" },
		{ "[]", "no recorded event: its schema is not spimend.recorded/1" },
		{ "{\"schema\":\"spimend.recorded/2\",\"kind\":\"packet\"}", "no recorded event: its schema is not spimend.recorded/1" },
		{ "{\"schema\":\"spimend.recorded/1\",\"kind\":\"pocket\"}", "a kind of event that is not known here" },
		{ "{\"schema\":\"spimend.recorded/1\"}", "a kind of event that is not known here" },
		{ LINE(",\"at\":\"2025-09-02 13:36:47Z\""), "no time as in RFC 3339" },
		{ LINE(",\"at\":\"2025-13-02T13:36:47Z\""), "no time as in RFC 3339" },
		{ LINE(",\"at\":\"2025-09-02T13:36:47.1234567890Z\""), "no time as in RFC 3339" },
		{ LINE(",\"at\":\"2025-09-02T13:36:47\""), "no time as in RFC 3339" },
		{ LINE(",\"at\":12"), "no time as in RFC 3339" },
		{ LINE(",\"mono\":1.5"), "no number, or one out of range" },
		{ LINE(",\"boot\":\"1\""), "no boot id" },
		{ LINE(",\"src\":\"300.1.1.1\""), "no address where one is expected" },
		{ LINE(",\"dst\":7"), "no address where one is expected" },
		{ LINE(",\"spi\":\"0x123456789\""), "no SPI in hex" },
		{ LINE(",\"packets\":-1"), "no number, or one out of range" },
		{ LINE(",\"packets\":18446744073709551616"), "no number, or one out of range" },
		{ LINE(",\"length\":4294967296"), "no number, or one out of range" },
		{ LINE(",\"linktype\":65536"), "no number, or one out of range" },
		{ LINE(",\"data\":\"123\""), "the bytes of a packet are not whole, or too many" },
		{ LINE(",\"data\":\"1x\""), "the bytes of a packet are not hex" },
		{ LINE(",\"incident\":\"0123456789abcdef\""), "a text is longer than it may be" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct recorded event = { .length = 77 };
		const char *why = "";

		assert_true(recorded_read(&reader, text_of(bad[i].line), &event, &why) < 0);
		assert_string_equal(why, bad[i].why);
		assert_int_equal(event.length, 77); /* untouched */
	}
	recorded_reader_done(&reader);
}

static void test_a_later_version_may_say_more(void **state)
{
	struct recorded event;
	const char *why = "";

	(void)state;
	assert_int_equal(recorded_read(&reader, TEXT(LINE(",\"more\":{\"a\":[1]},\"length\":9,\"seq\":null")), &event, &why), 0);
	assert_int_equal(event.has, RECORDED_HAS_LENGTH);
	assert_int_equal(event.length, 9);
	recorded_reader_done(&reader);
}

static void test_times(void **state)
{
	struct instant at;

	(void)state;
	assert_true(recorded_time(TEXT("2025-09-02T13:36:47.287000001Z"), &at));
	assert_true(at.ns == 1756820207287000001);
	assert_true(recorded_time(TEXT("2025-09-02T13:36:47.5Z"), &at));
	assert_true(at.ns == 1756820207500000000);
	assert_true(recorded_time(TEXT("1970-01-01T00:00:00Z"), &at));
	assert_int_equal(at.ns, 0);
	assert_false(recorded_time(TEXT("2025-09-02T13:36:47.Z"), &at));
	assert_false(recorded_time(TEXT("2025-09-02T13:36:47Zx"), &at));
}

/* IKE_AUTH, a response, over IPv4 and UDP; at port 4500 with the marker in front. */
static void test_ike_headers(void **state)
{
	unsigned char bytes[20 + 8 + 4 + 28] = { 0x45 };
	struct text packet = { (const char *)bytes, 20 + 8 + 28 };
	struct ike_header h;

	(void)state;
	bytes[9] = 17;
	memcpy(bytes + 12, "\xc6\x33\x64\x07\xc0\x00\x02\x01", 8);
	memcpy(bytes + 20, "\x01\xf4\x01\xf4", 4);
	memcpy(bytes + 28 + 16, "\x2e\x20\x23\x20\x00\x00\x00\x01", 8);
	assert_true(ike_header_read(packet, &h));
	assert_string_equal(ike_exchange_name(&h), "IKE_AUTH");
	assert_true(h.is_response && h.message_id == 1 && h.version == 2);
	assert_memory_equal(h.src.bytes, "\xc6\x33\x64\x07", 4);
	for (size_t len = 0; len < packet.len; len++)
		assert_false(ike_header_read(text_first(packet, len), &h));
	memmove(bytes + 32, bytes + 28, 28);
	memset(bytes + 28, 0, 4);
	packet.len += 4;
	memcpy(bytes + 20, "\x11\x94\xff\xff", 4);
	assert_true(ike_header_read(packet, &h));
	bytes[28] = 1; /* ESP in UDP */
	assert_false(ike_header_read(packet, &h));
	bytes[28] = 0;
	bytes[6] = 0x20; /* a fragment */
	assert_false(ike_header_read(packet, &h));
	bytes[6] = 0;
	bytes[32 + 17] = 0x10;
	bytes[32 + 18] = 32;
	assert_true(ike_header_read(packet, &h));
	assert_string_equal(ike_exchange_name(&h), "Quick Mode");
	bytes[32 + 18] = 99;
	assert_true(ike_header_read(packet, &h));
	assert_null(ike_exchange_name(&h));
	bytes[32 + 17] = 0x30;
	assert_false(ike_header_read(packet, &h));
}

/* An IKE message of that id, recorded at that time. */
static struct recorded ike_at(char bytes[56], bool down, uint8_t id, int64_t us)
{
	static const char *const ends[2] = { "\xc6\x33\x64\x07\xc0\x00\x02\x01", "\xc0\x00\x02\x01\xc6\x33\x64\x07" };

	memset(bytes, 0, 56);
	bytes[0] = 0x45;
	bytes[9] = 17;
	memcpy(bytes + 12, ends[!down], 8);
	memcpy(bytes + 20, "\x01\xf4\x01\xf4", 4);
	memcpy(bytes + 28 + 16, "\x2e\x20\x25\x20", 4);
	bytes[28 + 23] = (char)id;
	return (struct recorded){ .kind = RECORDED_PACKET, .has = RECORDED_HAS_WALL | RECORDED_HAS_LINKTYPE, .wall.ns = us * 1000,
				  .linktype = RECORDED_LINKTYPE_RAW, .data = { bytes, 56 } };
}

/* Requests from one end, answers from the other, over a way of 5 ms and sometimes longer. */
static void clocks_differ_by(int64_t ahead_us, bool first_is_sender)
{
	struct report_clocks c = { .src = { 4, { 198, 51, 100, 7 } }, .dst = { 4, { 192, 0, 2, 1 } } };
	int64_t offset = 0, error = 0;
	char bytes[56];

	for (uint8_t id = 0; id < 20; id++) {
		bool ours = id % 2; /* the first recorder's end sent it */
		int64_t sent = id * 1000, arrived = sent + 5000 + id * 7;
		struct recorded event = ike_at(bytes, ours == first_is_sender, id, ours ? sent : arrived);

		report_clocks_first(&c, &event);
	}
	assert_false(report_clocks_offset(&c, &offset, &error));
	for (uint8_t id = 0; id < 20; id++) {
		bool ours = id % 2;
		int64_t sent = id * 1000, arrived = sent + 5000 + id * 7;
		struct recorded event = ike_at(bytes, ours == first_is_sender, id, (ours ? arrived : sent) + ahead_us);

		report_clocks_other(&c, &event);
	}
	assert_true(report_clocks_offset(&c, &offset, &error));
	assert_int_equal(c.pairs, 20);
	assert_true(error >= 5000 * 1000 && error < 5010 * 1000); /* half a round trip */
	assert_true(offset - error <= ahead_us * 1000 && ahead_us * 1000 <= offset + error);
	assert_true(offset / 1000 > ahead_us - 100 && offset / 1000 < ahead_us + 100);
	report_clocks_done(&c);
}

static void test_clocks_by_ike_messages(void **state)
{
	(void)state;
	for (int sender = 0; sender < 2; sender++) {
		clocks_differ_by(0, sender);
		clocks_differ_by(INT64_C(7200000000), sender);
		clocks_differ_by(-333333, sender);
	}
}

static void test_an_archive_s_blocks(void **state)
{
	struct buffer out = { 0 };
	unsigned sum = 0;

	(void)state;
	tar_add_head(&out, "a.txt", 513, (struct instant){ 8 * SECOND_NS });
	assert_int_equal(out.len, 512);
	assert_memory_equal(out.bytes + 124, "00000001001", 12);
	assert_memory_equal(out.bytes + 136, "00000000010", 12);
	assert_memory_equal(out.bytes + 257, "ustar\0" "00", 8);
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)out.bytes[i];
	assert_int_equal(strtoul(out.bytes + 148, NULL, 8), sum);
	tar_add_padding(&out, 513);
	assert_int_equal(out.len, 512 + 511);
	tar_add_padding(&out, 512);
	assert_int_equal(out.len, 512 + 511);
	tar_add_end(&out);
	assert_int_equal(out.len, 512 + 511 + 1024);
	buffer_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_comes_back),
		cmocka_unit_test(test_what_is_wrong_has_a_reason),
		cmocka_unit_test(test_a_later_version_may_say_more),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ike_headers),
		cmocka_unit_test(test_clocks_by_ike_messages),
		cmocka_unit_test(test_an_archive_s_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
