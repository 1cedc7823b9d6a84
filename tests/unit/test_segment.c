/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include "parse/segment.h"
#include "spimend/error.h"

#define RECORDS 5

struct made { /* a segment, and where its records begin */
	char bytes[65536];
	size_t len, begins[RECORDS + 1];
	struct segment_header header;
};

static struct spimend_address address(const char *text)
{
	struct spimend_address a = { 0 };

	assert_int_equal(spimend_address_parse(text, strlen(text), &a), 0);
	return a;
}

static struct recorded event_of(int number)
{
	static const char *const texts[] = { "", "SMDR looks like a mark", "%CRYPTO-4-RECVD_PKT_INV_SPI", "a\nb", "SMDRSMDRSMDR" };
	struct recorded e = { .kind = (enum recorded_kind)(number % RECORDED_KINDS), .has = RECORDED_HAS_ALL & ~RECORDED_HAS_BYTES,
			      .mono_ns = 1000 + number, .wall.ns = 5000 + number, .spi = { 0x100 + (uint32_t)number },
			      .protocol = SPIMEND_PROTOCOL_ESP, .direction = RECORDED_OUT, .packets = 7, .sequence = UINT64_MAX,
			      .offset_ns = -7, .error_ns = 8,
			      .length = 1500, .linktype = RECORDED_LINKTYPE_RAW, .end = TEXT("hub"), .data = TEXT("\x45\0\xff"),
			      .connection = TEXT("net"), .child = TEXT("lan"), .incident = TEXT("k3v9q2") };

	e.text = text_of(texts[number % 5]);
	e.src = address("10.1.1.1");
	e.dst = number % 2 ? address("2001:db8::1") : (struct spimend_address){ 0 };
	memcpy(e.boot, "0123456789abcdef", sizeof(e.boot));
	if (number == 3)
		e.boot[0] = 'x'; /* of another boot ... */
	if (number == 4)
		e.end = TEXT("spoke"); /* ... and another end */
	return e;
}

static void make(struct made *m)
{
	memset(m, 0, sizeof(*m));
	m->header = (struct segment_header){ .wall.ns = 5000, .mono_ns = 1000, .salt = UINT64_C(0x0123456789abcdef), .end = "hub" };
	memcpy(m->header.boot, "0123456789abcdef", sizeof(m->header.boot));
	segment_write_header(&m->header, (unsigned char *)m->bytes);
	m->len = SEGMENT_HEADER_BYTES;
	for (int i = 0; i < RECORDS; i++) {
		struct recorded e = event_of(i);

		m->begins[i] = m->len;
		m->len += segment_write_record(&m->header, m->len, &e, (unsigned char *)m->bytes + m->len);
	}
	m->begins[RECORDS] = m->len;
}

static void assert_text(struct text a, struct text b)
{
	assert_true(text_equal(a, b));
}

static void assert_same(const struct recorded *a, const struct recorded *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->has, b->has);
	assert_int_equal(a->mono_ns, b->mono_ns);
	assert_int_equal(a->wall.ns, b->wall.ns);
	assert_int_equal(a->spi.value, b->spi.value);
	assert_int_equal(a->protocol, b->protocol);
	assert_int_equal(a->direction, b->direction);
	assert_int_equal(a->packets, b->packets);
	assert_int_equal(a->bytes, b->bytes);
	assert_true(a->sequence == b->sequence);
	assert_int_equal(a->offset_ns, b->offset_ns);
	assert_int_equal(a->error_ns, b->error_ns);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->linktype, b->linktype);
	assert_memory_equal(a->boot, b->boot, sizeof(a->boot));
	assert_true(spimend_address_equal(&a->src, &b->src));
	assert_true(spimend_address_equal(&a->dst, &b->dst));
	assert_text(a->end, b->end);
	assert_text(a->connection, b->connection);
	assert_text(a->child, b->child);
	assert_text(a->reason, b->reason);
	assert_text(a->incident, b->incident);
	assert_text(a->text, b->text);
	assert_text(a->data, b->data);
}

/* A copy of exactly that size, so that the address sanitizer sees a byte read behind it. */
static unsigned read_all(const char *bytes, size_t len, uint32_t *ret_which, struct segment_reader *reader)
{
	char *copy = malloc(len ? len : 1);
	struct recorded e, expected;
	unsigned n = 0;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	*ret_which = 0;
	memset(reader, 0, sizeof(*reader));
	if (segment_begin(reader, (struct text){ copy, len }) == 0) {
		for (; segment_next(reader, &e); n++) {
			int number = (int)(e.mono_ns - 1000);

			assert_in_range(number, 0, RECORDS - 1);
			expected = event_of(number);
			assert_same(&e, &expected);
			*ret_which |= 1u << number;
		}
	}
	free(copy);
	return n;
}

static struct made made;

static void test_what_is_written_is_read(void **state)
{
	struct segment_reader reader;
	uint32_t which;

	(void)state;
	make(&made);
	assert_int_equal(read_all(made.bytes, made.len, &which, &reader), RECORDS);
	assert_int_equal(which, (1u << RECORDS) - 1);
	assert_int_equal(reader.torn, 0);
	assert_int_equal(reader.records, RECORDS);
	assert_string_equal(reader.header.end, "hub");
	assert_int_equal(reader.header.wall.ns, 5000);
}

static void test_a_write_torn_at_any_byte_loses_only_itself(void **state)
{
	(void)state;
	make(&made);
	for (size_t len = 0; len <= made.len; len++) {
		struct segment_reader reader;
		unsigned whole = 0;
		uint32_t which;

		while (whole < RECORDS && made.begins[whole + 1] <= len)
			whole++;
		if (len < SEGMENT_HEADER_BYTES) {
			assert_int_equal(segment_begin(&reader, (struct text){ made.bytes, len }), SPIMEND_E_SYNTAX);
			continue;
		}
		assert_int_equal(read_all(made.bytes, len, &which, &reader), whole);
		assert_int_equal(which, (1u << whole) - 1);
		assert_int_equal(reader.torn, len != made.begins[whole]);
		assert_int_equal(reader.torn_bytes, len - made.begins[whole]);
	}
}

static void test_a_flipped_bit_loses_only_its_record(void **state)
{
	(void)state;
	for (size_t at = SEGMENT_HEADER_BYTES; at < made.len; at++) {
		for (int bit = 0; bit < 8; bit++) {
			struct segment_reader reader;
			int hit = 0;
			uint32_t which;

			make(&made);
			while (made.begins[hit + 1] <= at)
				hit++;
			made.bytes[at] ^= (char)(1 << bit);
			assert_int_equal(read_all(made.bytes, made.len, &which, &reader), RECORDS - 1);
			assert_int_equal(which, ((1u << RECORDS) - 1) & ~(1u << hit));
			assert_int_equal(reader.torn, 1);
			assert_int_equal(reader.torn_bytes, made.begins[hit + 1] - made.begins[hit]);
		}
	}
}

static void test_a_damaged_header_is_told(void **state)
{
	(void)state;
	for (size_t at = 0; at < SEGMENT_HEADER_BYTES; at++) {
		struct segment_reader reader;

		make(&made);
		made.bytes[at] ^= 1;
		assert_int_equal(segment_begin(&reader, (struct text){ made.bytes, made.len }), SPIMEND_E_SYNTAX);
	}
}

static void test_zeros_where_the_power_failed_are_skipped(void **state)
{
	struct segment_reader reader;
	uint32_t which;

	(void)state;
	make(&made);
	memset(made.bytes + made.begins[1] + 5, 0, made.begins[3] - made.begins[1] - 9);
	assert_int_equal(read_all(made.bytes, made.len, &which, &reader), 3);
	assert_int_equal(which, 1u | 1u << 3 | 1u << 4);
	assert_int_equal(reader.torn, 1);
	make(&made); /* a file that was made longer than what was written */
	assert_int_equal(read_all(made.bytes, made.len + 4096, &which, &reader), RECORDS);
	assert_int_equal(reader.torn_bytes, 4096);
}

static void test_a_record_counts_only_where_it_was_written(void **state)
{
	struct segment_reader reader;
	size_t len;
	uint32_t which;

	(void)state;
	make(&made); /* the first one once more behind the last: an old block that came back */
	len = made.begins[1] - made.begins[0];
	memcpy(made.bytes + made.len, made.bytes + made.begins[0], len);
	assert_int_equal(read_all(made.bytes, made.len + len, &which, &reader), RECORDS);
	assert_int_equal(reader.torn, 1);
	make(&made); /* and all of them behind the header of another segment */
	made.header.salt++;
	segment_write_header(&made.header, (unsigned char *)made.bytes);
	assert_int_equal(read_all(made.bytes, made.len, &which, &reader), 0);
	assert_int_equal(reader.torn, 1);
}

static void test_what_is_too_long_is_cut(void **state)
{
	static char bytes[SEGMENT_HEADER_BYTES + SEGMENT_RECORD_MAX], text[2 * RECORDED_TEXT_MAX];
	struct segment_header header = { .salt = 1 };
	struct segment_reader reader;
	struct recorded e = { .kind = RECORDED_OUTPUT, .has = RECORDED_HAS_ALL }, back;
	struct text longest = { text, sizeof(text) };
	size_t len;

	(void)state;
	memset(text, 'x', sizeof(text));
	e.text = e.data = e.connection = e.child = e.reason = e.end = e.incident = longest;
	e.src = e.dst = address("2001:db8::1");
	e.boot[0] = 1;
	segment_write_header(&header, (unsigned char *)bytes);
	len = segment_write_record(&header, SEGMENT_HEADER_BYTES, &e, (unsigned char *)bytes + SEGMENT_HEADER_BYTES);
	assert_in_range(len, 1, SEGMENT_RECORD_MAX);
	assert_int_equal(segment_begin(&reader, (struct text){ bytes, SEGMENT_HEADER_BYTES + len }), 0);
	assert_true(segment_next(&reader, &back));
	assert_int_equal(back.text.len, RECORDED_TEXT_MAX);
	assert_int_equal(back.data.len, RECORDED_DATA_MAX);
	assert_int_equal(back.end.len, RECORDED_NAME_MAX);
	assert_int_equal(back.incident.len, RECORDED_INCIDENT_MAX - 1);
	assert_false(segment_next(&reader, &back));
	assert_int_equal(reader.torn, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_a_write_torn_at_any_byte_loses_only_itself),
		cmocka_unit_test(test_a_flipped_bit_loses_only_its_record),
		cmocka_unit_test(test_a_damaged_header_is_told),
		cmocka_unit_test(test_zeros_where_the_power_failed_are_skipped),
		cmocka_unit_test(test_a_record_counts_only_where_it_was_written),
		cmocka_unit_test(test_what_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
