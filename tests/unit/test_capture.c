/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "parse/capture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START_S 1767225600 /* 2026-01-01 */

/* ---- files by hand, in either byte order ---- */

struct file {
	struct buffer bytes;
	bool big;
};

static void put16(struct file *f, uint16_t value)
{
	buffer_add_char(&f->bytes, (char)(f->big ? value >> 8 : value));
	buffer_add_char(&f->bytes, (char)(f->big ? value : value >> 8));
}

static void put32(struct file *f, uint32_t value)
{
	put16(f, (uint16_t)(f->big ? value >> 16 : value));
	put16(f, (uint16_t)(f->big ? value : value >> 16));
}

/* ESP from 10.0.0.1 to 10.0.0.2, raw IPv4, 32 bytes. */
static void put_esp(struct file *f, uint32_t spi, uint8_t sequence)
{
	uint8_t packet[32] = { 0x45, 0, 0, 32, 0, 1, 0, 0, 64, 50, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };

	packet[20] = (uint8_t)(spi >> 24);
	packet[21] = (uint8_t)(spi >> 16);
	packet[22] = (uint8_t)(spi >> 8);
	packet[23] = (uint8_t)spi;
	packet[27] = sequence;
	buffer_add(&f->bytes, (struct text){ (char *)packet, sizeof(packet) });
}

static void put_header(struct file *f, uint32_t magic, uint32_t linktype)
{
	put32(f, magic);
	put16(f, 2);
	put16(f, 4);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, linktype);
}

static void put_packet(struct file *f, uint32_t s, uint32_t part, uint32_t spi, uint8_t sequence)
{
	put32(f, s);
	put32(f, part);
	put32(f, 32);
	put32(f, 1400);
	put_esp(f, spi, sequence);
}

static void put_section(struct file *f)
{
	put32(f, 0x0a0d0d0a);
	put32(f, 28);
	put32(f, 0x1a2b3c4d);
	put16(f, 1);
	put16(f, 0);
	put32(f, 0xffffffff);
	put32(f, 0xffffffff);
	put32(f, 28);
}

static void put_interface(struct file *f, uint16_t linktype, uint32_t snaplen, int resolution, int64_t offset)
{
	put32(f, 1);
	put32(f, 20 + 8 + 12 + 4);
	put16(f, linktype);
	put16(f, 0);
	put32(f, snaplen);
	put16(f, 9);
	put16(f, 1);
	buffer_add_char(&f->bytes, (char)resolution);
	buffer_add_repeat(&f->bytes, 0, 3);
	put16(f, 14);
	put16(f, 8);
	put32(f, (uint32_t)(f->big ? (uint64_t)offset >> 32 : (uint64_t)offset));
	put32(f, (uint32_t)(f->big ? (uint64_t)offset : (uint64_t)offset >> 32));
	put16(f, 0);
	put16(f, 0);
	put32(f, 20 + 8 + 12 + 4);
}

static void put_enhanced(struct file *f, uint32_t interface, uint64_t ticks, uint32_t spi)
{
	put32(f, 6);
	put32(f, 64);
	put32(f, interface);
	put32(f, (uint32_t)(ticks >> 32));
	put32(f, (uint32_t)ticks);
	put32(f, 32);
	put32(f, 1400);
	put_esp(f, spi, 9);
	put32(f, 64);
}

static void put_block(struct file *f, uint32_t type, uint32_t size)
{
	put32(f, type);
	put32(f, 12 + size);
	buffer_add_repeat(&f->bytes, 'x', size);
	put32(f, 12 + size);
}

/* ---- reading ---- */

struct got {
	struct packet packets[16];
	size_t count;
	struct capture_counts counts;
	struct capture_trouble trouble; /* the last one */
	unsigned troubles;
};

/* `chunk` bytes more at a time, each time from a block of exactly what there is: a read past the end is seen. */
static struct got read_file(struct text bytes, size_t chunk, size_t room)
{
	struct got got = { 0 };
	struct capture_reader *c;
	size_t at = 0, there = 0;

	assert_int_equal(capture_new(&c), 0);
	for (;;) {
		size_t used, count;
		char *exact;

		there = bytes.len - there < chunk ? bytes.len : there + chunk;
		exact = malloc(there - at ? there - at : 1);
		memcpy(exact, bytes.at + at, there - at);
		do {
			struct packet batch[16];

			assert_in_range(room, 1, 16);
			used = capture_read(c, (struct text){ exact, there - at }, batch, room, &count);
			for (size_t i = 0; i < count && got.count < 16; i++)
				got.packets[got.count++] = batch[i];
			at += used;
			memmove(exact, exact + used, there - at);
		} while (count == room);
		free(exact);
		if (there == bytes.len || capture_is_over(c))
			break;
	}
	capture_end(c, there - at);
	got.counts = *capture_counts(c);
	while (capture_trouble(c, &got.trouble))
		got.troubles++;
	capture_free(c);
	return got;
}

static void reads_pcap_in_both_orders_and_units(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct file f = { .big = way & 1 };
		uint32_t magic = way & 2 ? 0xa1b23c4d : 0xa1b2c3d4;
		struct got got;

		put_header(&f, magic, 101);
		put_packet(&f, START_S, way & 2 ? 250000001 : 250000, 0xdead0001, 7);
		put_packet(&f, START_S + 1, 1, 0xdead0002, 8);
		assert_int_equal(capture_format_of(buffer_text(&f.bytes)), CAPTURE_PCAP);
		got = read_file(buffer_text(&f.bytes), SIZE_MAX, 16);
		assert_int_equal(got.troubles, 0);
		assert_int_equal(got.count, 2);
		assert_int_equal(got.packets[0].key.spi, 0xdead0001);
		assert_int_equal(got.packets[0].sequence, 7);
		assert_int_equal(got.packets[0].length, 1400);
		assert_int_equal(got.packets[0].number, 1);
		assert_int_equal(got.packets[0].key.protocol, 50);
		assert_true(got.packets[0].has_time);
		assert_int_equal(got.packets[0].at_ns, START_S * SECOND_NS + (way & 2 ? 250000001 : 250000000));
		assert_int_equal(got.packets[1].at_ns, (START_S + 1) * SECOND_NS + (way & 2 ? 1 : 1000));
		assert_int_equal(got.packets[1].number, 2);
		assert_int_equal(got.counts.packets, 2);
		assert_int_equal(got.counts.esp, 2);
		assert_int_equal(got.counts.cut, 2);
		assert_int_equal(got.counts.wire_bytes, 2800);
		assert_int_equal(got.counts.bytes, f.bytes.len);
		buffer_done(&f.bytes);
	}
}

static void pcapng_file(struct file *f)
{
	put_section(f);
	put_block(f, 5, 12);
	put_interface(f, 101, 0, 9, 0);
	put_interface(f, 228, 0, 0x80 | 10, -3600);
	put_enhanced(f, 0, START_S * UINT64_C(1000000000) + 5, 0xdead0001);
	put_block(f, 0x0000000a, 1000); /* secrets: passed over */
	put_enhanced(f, 1, (START_S + UINT64_C(3600)) * 1024 + 512, 0xdead0002);
	put_block(f, 0x80000bad, 4);
}

static void reads_pcapng_in_both_orders(void **state)
{
	struct file f = { 0 };
	struct got got;

	(void)state;
	for (int section = 0; section < 2; section++) { /* the order is a section's */
		f.big = section;
		pcapng_file(&f);
	}
	assert_int_equal(capture_format_of(buffer_text(&f.bytes)), CAPTURE_PCAPNG);
	got = read_file(buffer_text(&f.bytes), SIZE_MAX, 16);
	assert_int_equal(got.troubles, 0);
	assert_int_equal(got.count, 4);
	assert_int_equal(got.counts.sections, 2);
	assert_int_equal(got.counts.interfaces, 4);
	assert_int_equal(got.counts.other_blocks, 6);
	for (int i = 0; i < 4; i += 2) {
		assert_int_equal(got.packets[i].at_ns, START_S * SECOND_NS + 5);
		assert_int_equal(got.packets[i].key.spi, 0xdead0001);
		assert_int_equal(got.packets[i + 1].at_ns, START_S * SECOND_NS + SECOND_NS / 2);
		assert_int_equal(got.packets[i + 1].key.spi, 0xdead0002);
		assert_int_equal(got.packets[i].number, i + 1);
	}
	buffer_done(&f.bytes);
}

static void reads_simple_and_obsolete_blocks(void **state)
{
	struct file f = { 0 };
	struct got got;

	(void)state;
	put_section(&f);
	put_interface(&f, 12, 32, 6, 0);
	put32(&f, 3); /* simple: 1400 on the wire, the interface's limit was 32 */
	put32(&f, 16 + 32);
	put32(&f, 1400);
	put_esp(&f, 0xdead0001, 1);
	put32(&f, 16 + 32);
	put32(&f, 2); /* obsolete */
	put32(&f, 64);
	put16(&f, 0);
	put16(&f, 3);
	put32(&f, (uint32_t)(START_S * UINT64_C(1000000) >> 32));
	put32(&f, (uint32_t)(START_S * UINT64_C(1000000)));
	put32(&f, 32);
	put32(&f, 32);
	put_esp(&f, 0xdead0002, 2);
	put32(&f, 64);
	got = read_file(buffer_text(&f.bytes), SIZE_MAX, 16);
	assert_int_equal(got.troubles, 0);
	assert_int_equal(got.count, 2);
	assert_false(got.packets[0].has_time);
	assert_int_equal(got.packets[0].length, 1400);
	assert_int_equal(got.counts.without_time, 1);
	assert_true(got.packets[1].has_time);
	assert_int_equal(got.packets[1].at_ns, START_S * SECOND_NS);
	buffer_done(&f.bytes);
}

static void pieces_give_what_the_whole_gives(void **state)
{
	(void)state;
	for (int format = 0; format < 2; format++) {
		struct file f = { 0 };
		struct got whole, part;

		if (format == 0) {
			put_header(&f, 0xa1b2c3d4, 101);
			for (uint8_t i = 0; i < 9; i++)
				put_packet(&f, START_S + i, 0, 0xdead0000u + i, i);
		} else {
			pcapng_file(&f);
			pcapng_file(&f);
		}
		whole = read_file(buffer_text(&f.bytes), SIZE_MAX, 16);
		for (size_t chunk = 1; chunk < 200; chunk++) {
			part = read_file(buffer_text(&f.bytes), chunk, 1 + chunk % 16);
			assert_int_equal(part.count, whole.count);
			assert_memory_equal(part.packets, whole.packets, sizeof(whole.packets));
			assert_memory_equal(&part.counts, &whole.counts, sizeof(whole.counts));
		}
		buffer_done(&f.bytes);
	}
}

/* Wherever it is cut: what is whole counts, and where it ends is told. */
static void a_cut_file_tells_where(void **state)
{
	struct file f = { 0 };
	static const size_t ends[] = { 24, 72, 120 };

	(void)state;
	put_header(&f, 0xa1b2c3d4, 101);
	put_packet(&f, START_S, 0, 0xdead0001, 1);
	put_packet(&f, START_S, 0, 0xdead0002, 2);
	for (size_t cut = 0; cut <= f.bytes.len; cut++) {
		struct got got = read_file(text_first(buffer_text(&f.bytes), cut), SIZE_MAX, 16);
		size_t whole = 0;
		bool at_end = false;

		for (size_t i = 0; i < COUNT(ends); i++) {
			at_end |= cut == ends[i];
			whole += cut >= ends[i] && i > 0;
		}
		assert_int_equal(got.count, whole);
		assert_int_equal(got.troubles, at_end ? 0 : 1);
		if (at_end)
			continue;
		assert_int_equal(got.trouble.kind, CAPTURE_STOPPED);
		assert_int_equal(got.trouble.offset, cut < 24 ? 0 : cut < 72 ? 24 : 72);
	}
	buffer_done(&f.bytes);
}

/* Four bytes at `at` become `value`: reading stops there, says why and at which byte, and keeps what came before. */
static const struct {
	const char *name;
	bool ng;
	size_t at;
	uint32_t value;
	const char *reason;
	uint64_t offset;
	size_t packets;
} damages[] = {
	{ "a link type", false, 20, 127, "link type 127 (IEEE 802.11 with radiotap) is not read", 20, 0 },
	{ "no link type at all", false, 20, 9999, "link type 9999 (unknown) is not read", 20, 0 },
	{ "a version", false, 4, 0x00040003, "pcap of version 3.4: only 2 is known", 4, 0 },
	{ "an old libpcap", false, 0, 0xa1b2cd34, "pcap with the longer packet headers of an old libpcap", 0, 0 },
	{ "a packet's length", false, 24 + 48 + 8, 0x10000000, "packet 2 would have 268435456 bytes", 24 + 48 + 8, 1 },
	{ "a section's order", true, 8, 0x12345678, "a section without a byte order: 0x12345678", 8, 0 },
	{ "a section's version", true, 12, 7, "pcapng of version 7.0: only 1 is known", 12, 0 },
	{ "a section's length", true, 4, 27, "a section header of 27 bytes cannot be", 4, 0 },
	{ "a section's length, behind", true, 24, 32, "a block has 28 bytes by its front and 32 by its end", 24, 0 },
	{ "a block's length", true, 32, 25, "a block of 25 bytes cannot be", 32, 0 },
	{ "a huge block", true, 140 + 4, 0x7ffffffc, "a block of 2147483644 bytes for one packet", 144, 0 },
	{ "a packet's block's length, behind", true, 140 + 60, 68, "a block has 64 bytes by its front and 68 by its end", 200, 0 },
	{ "a packet longer than its block", true, 140 + 20, 36, "packet 1 would have 36 bytes in a block with room for 32", 160, 0 },
	{ "an interface that is not there", true, 140 + 8, 2, "packet 1 came from interface 2, which is not in this section", 148, 0 },
	{ "other bytes", true, 0, 0x20202020, "no packet capture", 0, 0 },
};

static void damage_stops_it_and_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(damages); i++) {
		struct file f = { 0 };
		struct got got;

		if (damages[i].ng) {
			pcapng_file(&f);
		} else {
			put_header(&f, 0xa1b2c3d4, 101);
			put_packet(&f, START_S, 0, 0xdead0001, 1);
			put_packet(&f, START_S, 0, 0xdead0002, 2);
		}
		memcpy(f.bytes.bytes + damages[i].at, &damages[i].value, 4);
		for (size_t chunk = 1; chunk < 80; chunk += 39) {
			got = read_file(buffer_text(&f.bytes), chunk, 16);
			if (got.troubles != 1 || strncmp(got.trouble.reason, damages[i].reason, strlen(damages[i].reason)) != 0 ||
			    got.trouble.offset != damages[i].offset || got.count != damages[i].packets ||
			    got.trouble.kind != CAPTURE_STOPPED)
				fail_msg("%s: %u troubles, %zu packets, at %llu: %s", damages[i].name, got.troubles, got.count,
					 (unsigned long long)got.trouble.offset, got.trouble.reason);
		}
		buffer_done(&f.bytes);
	}
}

static void an_interface_that_is_not_read_is_counted(void **state)
{
	struct file f = { 0 };
	struct got got;

	(void)state;
	put_section(&f);
	put_interface(&f, 189, 0, 6, 0);
	put_interface(&f, 101, 0, 6, 0);
	put_enhanced(&f, 0, 1, 0xdead0001);
	put_enhanced(&f, 1, 1, 0xdead0002);
	got = read_file(buffer_text(&f.bytes), SIZE_MAX, 16);
	assert_int_equal(got.troubles, 1);
	assert_int_equal(got.trouble.kind, CAPTURE_PASSED_OVER);
	assert_int_equal(got.trouble.offset, 28 + 8);
	assert_string_equal(got.trouble.reason, "interface 0: link type 189 (USB) is not read; its packets are counted only");
	assert_int_equal(got.count, 1);
	assert_int_equal(got.packets[0].key.spi, 0xdead0002);
	assert_int_equal(got.packets[0].number, 2);
	assert_int_equal(got.counts.refused, 1);
	buffer_done(&f.bytes);
}

/* What Wireshark 4 calls "Raw IP" and its two sisters, Ethernet, and Linux cooked. */
static void link_types_are_wiresharks(void **state)
{
	static const struct {
		uint32_t type;
		enum capture_link link;
	} known[] = {
		{ 1, LINK_ETHERNET }, { 12, LINK_RAW }, { 14, LINK_RAW }, { 101, LINK_RAW }, { 228, LINK_IPV4 }, { 229, LINK_IPV6 },
		{ 113, LINK_COOKED }, { 276, LINK_COOKED2 },
	};

	(void)state;
	for (uint32_t type = 0; type < 1000; type++) {
		enum capture_link link = LINK_REFUSED;

		for (size_t i = 0; i < COUNT(known); i++)
			if (known[i].type == type)
				link = known[i].link;
		assert_int_equal(capture_link_of(type), link);
		assert_non_null(capture_link_name(type));
	}
}

static void impossible_times_are_none(void **state)
{
	static const struct {
		int resolution;
		int64_t offset;
		uint64_t ticks;
		bool has_time;
	} rows[] = {
		{ 0, 0, UINT64_MAX, false }, { 9, 0, UINT64_MAX, false }, { 9, INT64_MAX, 1, false }, { 9, -5, 1, false },
		{ 30, 0, UINT64_MAX, true }, { 127, 0, 5, true }, { 0xff, 0, UINT64_MAX, true }, { 0x80, 0, START_S, true },
		{ 0, 0, START_S, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct file f = { 0 };
		struct got got;

		put_section(&f);
		put_interface(&f, 101, 0, rows[i].resolution, rows[i].offset);
		put_enhanced(&f, 0, rows[i].ticks, 0xdead0001);
		got = read_file(buffer_text(&f.bytes), SIZE_MAX, 16);
		assert_int_equal(got.count, 1);
		assert_int_equal(got.packets[0].has_time, rows[i].has_time);
		if (rows[i].ticks == START_S)
			assert_int_equal(got.packets[0].at_ns, START_S * SECOND_NS);
		buffer_done(&f.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_pcap_in_both_orders_and_units),
		cmocka_unit_test(reads_pcapng_in_both_orders),
		cmocka_unit_test(reads_simple_and_obsolete_blocks),
		cmocka_unit_test(pieces_give_what_the_whole_gives),
		cmocka_unit_test(a_cut_file_tells_where),
		cmocka_unit_test(damage_stops_it_and_is_told),
		cmocka_unit_test(an_interface_that_is_not_read_is_counted),
		cmocka_unit_test(link_types_are_wiresharks),
		cmocka_unit_test(impossible_times_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
