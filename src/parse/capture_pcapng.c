/* SPDX-License-Identifier: MIT */
/* pcapng (draft-ietf-opsawg-pcapng): blocks with their length in front and behind. */
#include <inttypes.h>

#include "base/memory.h"
#include "parse/capture_private.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
};
enum { OPTION_END = 0, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

#define BLOCK_HEAD 8 /* type and length */
#define BLOCK_LEAST 12
#define SECTION_FIXED 24
#define INTERFACE_FIXED 16 /* up to its options */
#define PACKET_FIXED 28    /* both kinds, up to the packet */
#define SIMPLE_FIXED 12
#define BYTE_ORDER_MAGIC 0x1a2b3c4d

/* `length` bytes of this block are passed over, whether they are here or not; the length behind is looked at. */
static bool pass_over(struct capture_reader *c, uint32_t length)
{
	c->skip = c->skip_length = length;
	return true;
}

/* Goes on with what is passed over. */
static bool skip(struct capture_reader *c, struct capture_batch *b)
{
	uint32_t body = c->skip > 4 ? c->skip - 4 : 0;
	size_t left = capture_left(b);

	if (body) {
		size_t size = left < body ? left : body;

		capture_use(c, b, size);
		c->skip -= (uint32_t)size;
		return size > 0;
	}
	if (left < 4)
		return false;
	if (capture_get32(c, b->at) != c->skip_length) {
		capture_stop(c, 0, "a block has %" PRIu32 " bytes by its front and %" PRIu32 " by its end", c->skip_length,
			     capture_get32(c, b->at));
		return false;
	}
	capture_use(c, b, 4);
	c->skip = c->skip_length = 0;
	return true;
}

static bool read_section(struct capture_reader *c, struct capture_batch *b)
{
	uint32_t magic, length;
	uint16_t major;

	if (capture_left(b) < SECTION_FIXED)
		return false;
	memcpy(&magic, b->at + 8, sizeof(magic));
	if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC)) {
		capture_stop(c, 8, "a section without a byte order: 0x%08" PRIx32, magic);
		return false;
	}
	c->swapped = magic != BYTE_ORDER_MAGIC;
	length = capture_get32(c, b->at + 4);
	major = capture_get16(c, b->at + 12);
	if (major != 1) {
		capture_stop(c, 12, "pcapng of version %u.%u: only 1 is known", major, capture_get16(c, b->at + 14));
		return false;
	}
	if (length < SECTION_FIXED + 4 || length % 4) {
		capture_stop(c, 4, "a section header of %" PRIu32 " bytes cannot be", length);
		return false;
	}
	c->interface_count = 0;
	c->counts.sections++;
	c->started = true;
	return pass_over(c, length);
}

/* if_tsresol: 10^-n s, with the top bit 2^-n s. */
static void set_resolution(struct capture_interface *i, uint8_t value)
{
	uint32_t ns = 1000000000;

	i->is_binary = value & 0x80;
	i->exponent = value & 0x7f;
	i->ns_a_tick = 0;
	if (i->is_binary || i->exponent > 9)
		return;
	for (uint8_t n = 0; n < i->exponent; n++)
		ns /= 10;
	i->ns_a_tick = ns;
}

/* False where there is no such time. */
static bool time_of(const struct capture_interface *i, uint64_t ticks, int64_t *ret)
{
	unsigned __int128 ns;
	int64_t at;

	if (i->ns_a_tick) {
		ns = (unsigned __int128)ticks * i->ns_a_tick;
	} else if (i->is_binary) {
		ns = (unsigned __int128)ticks * (uint64_t)SECOND_NS >> i->exponent;
	} else {
		ns = ticks;
		for (unsigned n = 9; n < i->exponent && ns; n++)
			ns /= 10;
	}
	if (ns > INT64_MAX || __builtin_mul_overflow(i->offset_s, SECOND_NS, &at) ||
	    __builtin_add_overflow(at, (int64_t)ns, ret))
		return false;
	return *ret >= 0;
}

static void read_options(const struct capture_reader *c, const char *at, size_t len, struct capture_interface *i)
{
	while (len >= 4) {
		uint16_t code = capture_get16(c, at), size = capture_get16(c, at + 2);
		size_t padded = ((size_t)size + 3) & ~(size_t)3;

		at += 4;
		len -= 4;
		if (code == OPTION_END || padded > len)
			return;
		if (code == OPTION_TSRESOL && size == 1) {
			set_resolution(i, (uint8_t)*at);
		} else if (code == OPTION_TSOFFSET && size == 8) {
			uint64_t low = capture_get32(c, at), high = capture_get32(c, at + 4);

			memcpy(&i->offset_s, &(uint64_t){ c->swapped ? low << 32 | high : high << 32 | low }, sizeof(i->offset_s));
		}
		at += padded;
		len -= padded;
	}
}

static bool read_interface(struct capture_reader *c, const struct capture_batch *b, uint32_t length)
{
	struct capture_interface *i;

	if (length < INTERFACE_FIXED + 4) {
		capture_stop(c, 4, "an interface of %" PRIu32 " bytes cannot be", length);
		return false;
	}
	if (c->interface_count == CAPTURE_INTERFACES_MAX) {
		capture_stop(c, 0, "more than %d interfaces in one section", CAPTURE_INTERFACES_MAX);
		return false;
	}
	if (c->interface_count == c->interface_room) {
		size_t room = c->interface_room ? c->interface_room * 2 : 4;
		struct capture_interface *more = memory_resize(c->interfaces, room, sizeof(*more));

		if (!more) {
			capture_stop(c, 0, "no memory");
			return false;
		}
		c->interfaces = more;
		c->interface_room = room;
	}
	i = &c->interfaces[c->interface_count++];
	*i = (struct capture_interface){
		.linktype = capture_get16(c, b->at + 8), .snaplen = capture_get32(c, b->at + 12), .ns_a_tick = 1000,
	};
	i->link = capture_link_of(i->linktype);
	read_options(c, b->at + INTERFACE_FIXED, length - INTERFACE_FIXED - 4, i);
	c->counts.interfaces++;
	if (i->link == LINK_REFUSED)
		capture_pass_over(c, 8, "interface %zu: link type %" PRIu32 " (%s) is not read; its packets are counted only",
				  c->interface_count - 1, i->linktype, capture_link_name(i->linktype));
	return true;
}

static bool is_too_long(struct capture_reader *c, uint32_t captured, size_t room, size_t at)
{
	if (captured <= room && captured <= CAPTURE_PACKET_MAX)
		return false;
	capture_stop(c, at, "packet %" PRIu64 " would have %" PRIu32 " bytes in a block with room for %zu", c->counts.packets + 1,
		     captured, room);
	return true;
}

static bool read_packet(struct capture_reader *c, struct capture_batch *b, uint32_t type, uint32_t length)
{
	const struct capture_interface *i;
	uint32_t number, captured;
	bool has_time;
	int64_t at_ns = 0;

	if (length < PACKET_FIXED + 4) {
		capture_stop(c, 4, "a packet's block of %" PRIu32 " bytes cannot be", length);
		return false;
	}
	number = type == BLOCK_ENHANCED ? capture_get32(c, b->at + 8) : capture_get16(c, b->at + 8);
	captured = capture_get32(c, b->at + 20);
	if (is_too_long(c, captured, length - PACKET_FIXED - 4, 20))
		return false;
	if (number >= c->interface_count) {
		capture_stop(c, 8, "packet %" PRIu64 " came from interface %" PRIu32 ", which is not in this section",
			     c->counts.packets + 1, number);
		return false;
	}
	i = &c->interfaces[number];
	has_time = time_of(i, (uint64_t)capture_get32(c, b->at + 12) << 32 | capture_get32(c, b->at + 16), &at_ns);
	capture_take(c, b, (enum capture_link)i->link, (struct text){ b->at + PACKET_FIXED, captured },
		     capture_get32(c, b->at + 24), has_time, has_time ? at_ns : 0);
	return true;
}

/* Of interface 0, without a time; its length is what the block and the interface's limit leave of that on the wire. */
static bool read_simple(struct capture_reader *c, struct capture_batch *b, uint32_t length)
{
	const struct capture_interface *i = c->interfaces;
	uint32_t wire, captured;

	if (length < SIMPLE_FIXED + 4) {
		capture_stop(c, 4, "a packet's block of %" PRIu32 " bytes cannot be", length);
		return false;
	}
	if (c->interface_count == 0) {
		capture_stop(c, 0, "packet %" PRIu64 " came before any interface", c->counts.packets + 1);
		return false;
	}
	captured = wire = capture_get32(c, b->at + 8);
	if (i->snaplen && captured > i->snaplen)
		captured = i->snaplen;
	if (is_too_long(c, captured, length - SIMPLE_FIXED - 4, 8))
		return false;
	capture_take(c, b, (enum capture_link)i->link, (struct text){ b->at + SIMPLE_FIXED, captured }, wire, false, 0);
	return true;
}

bool capture_pcapng_step(struct capture_reader *c, struct capture_batch *b)
{
	uint32_t type, length, behind;
	bool is_read = false;

	if (__builtin_expect(c->skip != 0, 0))
		return skip(c, b);
	if (capture_left(b) < BLOCK_LEAST)
		return false;
	type = capture_get32(c, b->at);
	if (type == BLOCK_SECTION)
		return read_section(c, b);
	length = capture_get32(c, b->at + 4);
	if (__builtin_expect(length < BLOCK_LEAST || length % 4, 0)) {
		capture_stop(c, 4, "a block of %" PRIu32 " bytes cannot be: the file is damaged before or here", length);
		return false;
	}
	if (type != BLOCK_ENHANCED && type != BLOCK_PACKET && type != BLOCK_SIMPLE && type != BLOCK_INTERFACE) {
		c->counts.other_blocks++;
		return pass_over(c, length);
	}
	if (__builtin_expect(length > CAPTURE_RECORD_MAX, 0)) {
		capture_stop(c, 4, "a block of %" PRIu32 " bytes for one packet: the file is damaged before or here", length);
		return false;
	}
	if (capture_left(b) < length)
		return false;
	__builtin_prefetch(b->at + length + 512);
	behind = capture_get32(c, b->at + length - 4);
	if (__builtin_expect(behind != length, 0)) {
		capture_stop(c, length - 4, "a block has %" PRIu32 " bytes by its front and %" PRIu32 " by its end", length, behind);
		return false;
	}
	if (type == BLOCK_ENHANCED || type == BLOCK_PACKET)
		is_read = read_packet(c, b, type, length);
	else if (type == BLOCK_SIMPLE)
		is_read = read_simple(c, b, length);
	else
		is_read = read_interface(c, b, length);
	if (is_read)
		capture_use(c, b, length);
	return is_read;
}
