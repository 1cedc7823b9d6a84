/* SPDX-License-Identifier: MIT */
/*
 * Writes a capture in the pcapng format (draft-ietf-opsawg-pcapng) into a buffer: one section, an interface for each end
 * and link type, times in nanoseconds, comments at single packets. Opens in Wireshark. Pure.
 */
#ifndef RECORD_PCAPNG_H
#define RECORD_PCAPNG_H

#include "base/buffer.h"
#include "base/calendar.h"

#define PCAPNG_INTERFACES_MAX 64
#define PCAPNG_NAME_MAX 64

struct pcapng { /* to be zeroed but for `out` */
	struct buffer *out; /* borrows */
	struct pcapng_interface {
		char name[PCAPNG_NAME_MAX];
		uint16_t linktype;
	} interfaces[PCAPNG_INTERFACES_MAX];
	uint32_t count;
	bool has_begun;
	uint64_t packets, refused; /* refused: of an interface that found no room */
};

struct pcapng_packet {
	struct text end;     /* who captured it */
	uint16_t linktype;
	struct instant at;
	struct text bytes;   /* what is there of it */
	uint32_t length;     /* on the wire; at least as long */
	struct text comment; /* empty: none */
};

/* The section's beginning; its comment tells what the capture is. Before the first packet. */
void pcapng_begin(struct pcapng *p, struct text comment);
void pcapng_add(struct pcapng *p, const struct pcapng_packet *packet);

#endif
