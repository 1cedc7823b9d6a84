/* SPDX-License-Identifier: MIT */
/*
 * The bytes of the flight recorder: a segment is a header and records, one after another, all numbers little-endian.
 *
 * Called by record/ring and record/evidence, which own the files. Pure: bytes in, struct recorded out, and the other way
 * round. What is on disk may end anywhere, hold zeros where the power failed, or be somebody else's: each record has a
 * check (SipHash under the segment's salt and the record's own place), so that no other one and no older one passes for it.
 * What fails is skipped up to the next record that holds, and counted; nothing else is lost.
 *
 *     header   "spmdrec1" | size u32 | 0 u32 | boot 16 | wall i64 | mono i64 | salt u64 | end 64, NUL padded | check u64
 *     record   "SMDR" | length u16 | its complement u16 | check u64 | `length` bytes
 */
#ifndef PARSE_SEGMENT_H
#define PARSE_SEGMENT_H

#include "model/recorded.h"

#define SEGMENT_HEADER_BYTES 128
#define SEGMENT_END_MAX 64     /* with its NUL */
#define SEGMENT_RECORD_MAX 6144 /* bytes of one, head and all: the longest that can be made is shorter */

struct segment_header {
	uint8_t boot[RECORDED_BOOT_SIZE];
	struct instant wall; /* when it was begun, on both clocks */
	int64_t mono_ns;
	uint64_t salt;       /* random; other than that of any other segment */
	char end[SEGMENT_END_MAX];
};

void segment_write_header(const struct segment_header *header, unsigned char to[SEGMENT_HEADER_BYTES]);
/* 0; SPIMEND_E_SYNTAX: it is none, or cut, or damaged. */
int segment_read_header(struct text bytes, struct segment_header *ret);

/* Writes one record that will stand `at` bytes behind the segment's beginning; returns its length. Texts that are longer
 * than model/recorded.h allows are cut. `end` and `boot` cost room only where they are not the header's. */
size_t segment_write_record(const struct segment_header *header, uint64_t at, const struct recorded *event,
			    unsigned char to[SEGMENT_RECORD_MAX]);

struct segment_reader {
	struct text bytes; /* borrows */
	size_t at;
	struct segment_header header;
	uint64_t records;           /* read */
	uint64_t torn, torn_bytes;  /* places where something else stood, and how much of it */
};

/* As segment_read_header(). */
int segment_begin(struct segment_reader *reader, struct text bytes);
/* False at the end. The event borrows from the bytes and from the reader. */
bool segment_next(struct segment_reader *reader, struct recorded *ret);

#endif
