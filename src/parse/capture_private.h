/* SPDX-License-Identifier: MIT */
/* What the two formats share. Only parse/capture*.c include it. */
#ifndef PARSE_CAPTURE_PRIVATE_H
#define PARSE_CAPTURE_PRIVATE_H

#include "parse/capture.h"

#define TROUBLES_KEPT 8

struct capture_interface {
	uint8_t link; /* enum capture_link */
	uint32_t linktype, snaplen;
	/* A time stamp counts ticks. */
	uint32_t ns_a_tick;   /* 0: by the next two */
	bool is_binary;       /* ticks of 2^-exponent s, else of 10^-exponent s */
	uint8_t exponent;
	int64_t offset_s;
};

struct capture_reader {
	enum capture_format format;
	bool started;  /* the file's header was read; pcapng: a section's */
	bool swapped;  /* the file's byte order is not ours */
	bool is_over;
	uint32_t skip;        /* pcapng: bytes of a block that are passed over and have not come yet */
	uint32_t skip_length; /* and what its last four must say */
	struct capture_interface *interfaces; /* owns */
	size_t interface_count, interface_room;
	struct capture_counts counts;
	struct capture_trouble troubles[TROUBLES_KEPT];
	size_t trouble_count, trouble_told;
};

/* What a call of capture_read() works on: `at` moves to `end`, `count` to `room`. */
struct capture_batch {
	const char *at, *end;
	struct packet *to;
	size_t count, room;
};

/* One record, or part of one that is passed over. False: more bytes are needed, or it stopped. */
bool capture_pcap_step(struct capture_reader *c, struct capture_batch *b);
bool capture_pcapng_step(struct capture_reader *c, struct capture_batch *b);

/* Numbers of the file's byte order. */
static inline uint32_t capture_get32(const struct capture_reader *c, const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return c->swapped ? __builtin_bswap32(value) : value;
}

static inline uint16_t capture_get16(const struct capture_reader *c, const char *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return c->swapped ? __builtin_bswap16(value) : value;
}

static inline size_t capture_left(const struct capture_batch *b)
{
	return (size_t)(b->end - b->at);
}

static inline void capture_use(struct capture_reader *c, struct capture_batch *b, size_t size)
{
	b->at += size;
	c->counts.bytes += size;
}

/* Where the record at hand begins in the file is counts.bytes; `at` is behind that. Stops. */
void capture_stop(struct capture_reader *c, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void capture_pass_over(struct capture_reader *c, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* One packet: counted, and read where it is IPsec or IKE. */
static inline void capture_take(struct capture_reader *c, struct capture_batch *b, enum capture_link link, struct text bytes,
				uint32_t length, bool has_time, int64_t at_ns)
{
	struct packet *p = &b->to[b->count];
	enum frame_result result;

	c->counts.packets++;
	c->counts.wire_bytes += length;
	c->counts.cut += length > bytes.len;
	if (has_time) {
		if (!c->counts.has_times || at_ns < c->counts.first_ns)
			c->counts.first_ns = at_ns;
		if (!c->counts.has_times || at_ns > c->counts.last_ns)
			c->counts.last_ns = at_ns;
		c->counts.has_times = true;
	} else {
		c->counts.without_time++;
	}
	if (link == LINK_REFUSED) {
		c->counts.refused++;
		return;
	}
	*p = (struct packet){ 0 };
	result = capture_packet_read(link, bytes, p);
	c->counts.results[result]++;
	if (result != FRAME_FOUND && result != FRAME_IKE)
		return;
	p->length = length;
	p->number = c->counts.packets;
	p->has_time = has_time;
	p->at_ns = at_ns;
	c->counts.esp += p->key.protocol == SPIMEND_PROTOCOL_ESP;
	c->counts.esp_udp += p->key.protocol == SPIMEND_PROTOCOL_ESP && p->key.encap_udp;
	c->counts.ah += p->key.protocol == SPIMEND_PROTOCOL_AH;
	c->counts.ike += p->key.protocol == 0;
	c->counts.invalid_spi_notifies += p->has_bad_spi;
	b->count++;
}

#endif
