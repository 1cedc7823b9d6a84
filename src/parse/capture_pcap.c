/* SPDX-License-Identifier: MIT */
/* pcap, as libpcap has written it since 1998: a header of 24 bytes, and 16 in front of each packet. */
#include <inttypes.h>

#include "base/memory.h"
#include "parse/capture_private.h"

#define FILE_HEADER 24
#define PACKET_HEADER 16
#define LINKTYPE_MASK 0x03ffffff /* above it: the length of a frame check sequence */

static bool read_header(struct capture_reader *c, struct capture_batch *b)
{
	static const uint32_t micro = 0xa1b2c3d4, nano = 0xa1b23c4d;
	uint32_t magic, linktype;
	uint16_t major;

	if (capture_left(b) < FILE_HEADER)
		return false;
	memcpy(&magic, b->at, sizeof(magic));
	c->swapped = magic == __builtin_bswap32(micro) || magic == __builtin_bswap32(nano);
	magic = capture_get32(c, b->at);
	if (magic != micro && magic != nano) {
		capture_stop(c, 0, "pcap with the longer packet headers of an old libpcap: save it anew with tcpdump -r FILE -w NEW");
		return false;
	}
	major = capture_get16(c, b->at + 4);
	if (major != 2) {
		capture_stop(c, 4, "pcap of version %u.%u: only 2 is known", major, capture_get16(c, b->at + 6));
		return false;
	}
	linktype = capture_get32(c, b->at + 20) & LINKTYPE_MASK;
	c->interfaces = memory_new(1, sizeof(*c->interfaces));
	if (!c->interfaces) {
		capture_stop(c, 0, "no memory");
		return false;
	}
	c->interface_count = 1;
	c->interfaces[0] = (struct capture_interface){
		.link = capture_link_of(linktype), .linktype = linktype, .ns_a_tick = magic == nano ? 1 : 1000,
	};
	c->counts.interfaces = c->counts.sections = 1;
	c->started = true;
	if (c->interfaces[0].link == LINK_REFUSED) {
		capture_stop(c, 20, "link type %" PRIu32 " (%s) is not read", linktype, capture_link_name(linktype));
		return false;
	}
	capture_use(c, b, FILE_HEADER);
	return true;
}

bool capture_pcap_step(struct capture_reader *c, struct capture_batch *b)
{
	uint32_t captured, length;
	int64_t at_ns;

	if (__builtin_expect(!c->started, 0))
		return read_header(c, b);
	if (capture_left(b) < PACKET_HEADER)
		return false;
	captured = capture_get32(c, b->at + 8);
	length = capture_get32(c, b->at + 12);
	if (__builtin_expect(captured > CAPTURE_PACKET_MAX, 0)) {
		capture_stop(c, 8, "packet %" PRIu64 " would have %" PRIu32 " bytes: the file is damaged before or here",
			     c->counts.packets + 1, captured);
		return false;
	}
	if (capture_left(b) < PACKET_HEADER + (size_t)captured)
		return false;
	/* The line after next, far enough ahead to be there in time. */
	__builtin_prefetch(b->at + PACKET_HEADER + captured + 512);
	at_ns = capture_get32(c, b->at) * SECOND_NS + (int64_t)capture_get32(c, b->at + 4) * c->interfaces[0].ns_a_tick;
	capture_take(c, b, (enum capture_link)c->interfaces[0].link, (struct text){ b->at + PACKET_HEADER, captured }, length, true,
		     at_ns);
	capture_use(c, b, PACKET_HEADER + captured);
	return true;
}
