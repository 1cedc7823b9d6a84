/* SPDX-License-Identifier: MIT */
/* libFuzzer: capture files from any bytes. The first two bytes choose the pieces in which the others come: what is read
 * does not depend on them, no byte behind a piece is looked at, and the short cut for ESP reads what the long way reads. */
#include <stdlib.h>

#include "parse/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct got {
	struct capture_counts counts;
	uint64_t sum;  /* over all packets */
	unsigned troubles;
	uint64_t offset;
	bool is_over;
};

static struct got read_pieces(const char *bytes, size_t len, size_t piece, size_t room)
{
	struct got got = { 0 };
	struct packet batch[7];
	struct capture_trouble t;
	struct capture_reader *c;
	size_t at = 0, there = 0, count, used;

	if (capture_new(&c) < 0)
		return got;
	while (there < len && !capture_is_over(c)) {
		char *exact;

		there = len - there < piece ? len : there + piece;
		exact = malloc(there - at);
		memcpy(exact, bytes + at, there - at);
		do {
			used = capture_read(c, (struct text){ exact, there - at }, batch, room, &count);
			must(used <= there - at && count <= room);
			for (size_t i = 0; i < count; i++) {
				const struct packet *p = &batch[i];

				must(p->key.src.family == 4 || p->key.src.family == 6);
				must(p->key.protocol == 0 || p->key.protocol == 50 || p->key.protocol == 51);
				must(p->ike < EXCHANGES && packet_ike_name((enum packet_ike)p->ike)[0]);
				got.sum = got.sum * 31 + p->key.spi + p->sequence + (uint64_t)p->at_ns + p->number + p->length + p->bad_spi;
			}
			at += used;
			memmove(exact, exact + used, there - at);
		} while (count == room);
		free(exact);
		if (there - at > CAPTURE_RECORD_MAX)
			must(capture_is_over(c)); /* a record that never fits would never be read */
	}
	capture_end(c, there - at);
	while (capture_trouble(c, &t)) {
		must(t.reason[0] && t.offset <= len);
		got.offset = t.offset;
		got.troubles++;
	}
	got.counts = *capture_counts(c);
	must(got.counts.bytes <= len);
	must(got.counts.packets >= got.counts.esp + got.counts.ah + got.counts.ike);
	capture_free(c);
	return got;
}

/* The short cut against the long way, on what would be a packet's bytes. */
static void compare_ways(const uint8_t *data, size_t size)
{
	enum capture_link link = (enum capture_link)(data[0] % LINKS);
	struct packet quick = { 0 }, slow = { 0 };
	char *exact = malloc(size);
	enum frame_result result;

	memcpy(exact, data + 1, size - 1);
	result = capture_packet_read(link, (struct text){ exact, size - 1 }, &quick);
	must(result == capture_packet_read_slowly(link, (struct text){ exact, size - 1 }, &slow));
	must(!memcmp(&quick.key, &slow.key, sizeof(quick.key)));
	must(quick.sequence == slow.sequence && quick.bad_spi == slow.bad_spi && quick.ike == slow.ike);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 2;
	struct got whole, pieces;

	if (size < 3)
		return 0;
	compare_ways(data + 1, size - 1);
	whole = read_pieces(bytes, size - 2, size, 7);
	pieces = read_pieces(bytes, size - 2, data[0] % 97 + 1u, data[1] % 7 + 1u);
	must(whole.sum == pieces.sum && whole.troubles == pieces.troubles && whole.offset == pieces.offset);
	must(!memcmp(&whole.counts, &pieces.counts, sizeof(whole.counts)));
	return 0;
}
