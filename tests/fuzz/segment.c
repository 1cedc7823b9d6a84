/* SPDX-License-Identifier: MIT */
/* libFuzzer: a segment of the flight recorder. What is read is in bounds, and written again it reads the same. An input has
 * no chance to guess a check, so the checks of its header and of what looks like its records are made right first. */
#include <endian.h>
#include <stdlib.h>

#include "base/hash.h"
#include "parse/segment.h"

#define INPUT_MAX 65536
#define RECORD_HEAD 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void make_right(unsigned char *bytes, size_t size)
{
	struct hash_key key = { 0, 0 };
	uint64_t check;

	memcpy(&key.k0, bytes + 48, 8);
	key.k0 = le64toh(key.k0);
	check = htole64(hash_bytes(&key, bytes, SEGMENT_HEADER_BYTES - 8));
	memcpy(bytes + SEGMENT_HEADER_BYTES - 8, &check, 8);
	for (size_t at = SEGMENT_HEADER_BYTES; at + RECORD_HEAD <= size;) {
		uint16_t len = (uint16_t)(bytes[at + 4] | bytes[at + 5] << 8), complement = (uint16_t)~len;

		if (memcmp(bytes + at, "SMDR", 4) != 0 || len > size - at - RECORD_HEAD) {
			at++;
			continue;
		}
		bytes[at + 6] = (unsigned char)complement;
		bytes[at + 7] = (unsigned char)(complement >> 8);
		key.k1 = at;
		check = htole64(hash_bytes(&key, bytes + at + RECORD_HEAD, len));
		memcpy(bytes + at + 8, &check, 8);
		at += RECORD_HEAD + (size_t)len;
	}
}

static void read_all(struct text bytes)
{
	static unsigned char again[SEGMENT_HEADER_BYTES + SEGMENT_RECORD_MAX];
	struct segment_reader reader, second;
	struct recorded e, back;
	size_t len;

	if (segment_begin(&reader, bytes) < 0)
		return;
	while (segment_next(&reader, &e)) {
		must(reader.at <= bytes.len && e.kind < RECORDED_KINDS && e.text.len <= RECORDED_TEXT_MAX);
		must(e.data.len <= RECORDED_DATA_MAX && e.incident.len < RECORDED_INCIDENT_MAX);
		segment_write_header(&reader.header, again);
		len = segment_write_record(&reader.header, SEGMENT_HEADER_BYTES, &e, again + SEGMENT_HEADER_BYTES);
		must(segment_begin(&second, (struct text){ (const char *)again, SEGMENT_HEADER_BYTES + len }) == 0);
		must(segment_next(&second, &back) && second.torn == 0);
		must(back.has == e.has && back.mono_ns == e.mono_ns && text_equal(back.text, e.text) && text_equal(back.end, e.end));
		must(memcmp(back.boot, e.boot, sizeof(e.boot)) == 0 && text_equal(back.data, e.data));
	}
	must(reader.at == bytes.len && reader.torn_bytes <= bytes.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char bytes[INPUT_MAX];

	if (size > INPUT_MAX)
		return 0;
	read_all((struct text){ (const char *)data, size });
	if (size < SEGMENT_HEADER_BYTES)
		return 0;
	memcpy(bytes, data, size);
	make_right(bytes, size);
	read_all((struct text){ (const char *)bytes, size });
	return 0;
}
