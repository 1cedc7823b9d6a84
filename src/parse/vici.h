/* SPDX-License-Identifier: MIT */
/*
 * The VICI wire format of strongSwan: packets, and the elements of their messages, both ways.
 *
 * repair/vici frames segments and looks at packets with it; parse/vici_sa reads messages. A reader is an iterator over
 * borrowed bytes: it checks every length, that sections and lists are balanced, and how deep they go; what it answered
 * last stays its answer after an error. A writer adds to a struct buffer and refuses what cannot be encoded.
 * Never here: a socket, a meaning.
 */
#ifndef PARSE_VICI_H
#define PARSE_VICI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

#define VICI_SEGMENT_MAX (512 * 1024) /* of what follows the length */
#define VICI_HEADER_BYTES 4           /* the length, network order */
#define VICI_DEPTH_MAX 16             /* of sections; charon's own messages go 4 deep */
#define VICI_NAME_MAX 255
#define VICI_VALUE_MAX 65535

enum vici_packet_type { /* on the wire */
	VICI_CMD_REQUEST, VICI_CMD_RESPONSE, VICI_CMD_UNKNOWN, VICI_EVENT_REGISTER, VICI_EVENT_UNREGISTER, VICI_EVENT_CONFIRM,
	VICI_EVENT_UNKNOWN, VICI_EVENT, VICI_PACKET_TYPES
};

struct vici_packet {
	enum vici_packet_type type;
	struct text name;    /* borrows; empty for the types that have none */
	struct text message; /* borrows */
};

struct vici_failure {
	const char *reason; /* static */
	size_t at;          /* offset of the byte that was wrong */
};

/* The length in a segment's header, if it may be one: 0 or SPIMEND_E_RANGE. */
int vici_segment_length(const unsigned char header[VICI_HEADER_BYTES], size_t *ret);
/* One segment without its header. 0 or SPIMEND_E_SYNTAX. */
int vici_packet_read(struct text segment, struct vici_packet *ret, struct vici_failure *ret_failure);

enum vici_kind { /* on the wire; 0 does not exist there */
	VICI_SECTION_START = 1, VICI_SECTION_END, VICI_KEY_VALUE, VICI_LIST_START, VICI_LIST_ITEM, VICI_LIST_END
};

struct vici_element {
	enum vici_kind kind;
	struct text name;  /* borrows: of a section's start, a key, a list's start */
	struct text value; /* borrows: of a key or an item */
	unsigned depth;    /* sections around it; a section's start and end count themselves out */
};

struct vici_reader {
	struct text message; /* borrows */
	size_t at;
	unsigned depth;
	bool in_list;
	int status;                  /* 0, or the error met */
	struct vici_failure failure; /* of that error */
};

struct vici_reader vici_reader_of(struct text message);
/* True with the next element; false at the end or at an error: ask reader->status. */
bool vici_read(struct vici_reader *reader, struct vici_element *ret);
/* After a SECTION_START or LIST_START: goes on behind its end. False at an error. */
bool vici_skip(struct vici_reader *reader, const struct vici_element *start);

/* A request for a command, or for an event: header and all. Messages are added behind by the functions below, and
 * vici_segment_end() puts the length in. 0, -ENOMEM, -EINVAL (a name that cannot be encoded), SPIMEND_E_LIMIT. */
int vici_segment_begin(struct buffer *out, enum vici_packet_type type, struct text name);
int vici_segment_end(struct buffer *out, size_t segment_starts_at);

int vici_write_key(struct buffer *out, struct text key, struct text value);
int vici_write_number(struct buffer *out, struct text key, uint64_t value);
int vici_write_section(struct buffer *out, struct text name);
int vici_write_section_end(struct buffer *out);
int vici_write_list(struct buffer *out, struct text name);
int vici_write_item(struct buffer *out, struct text value);
int vici_write_list_end(struct buffer *out);

#endif
