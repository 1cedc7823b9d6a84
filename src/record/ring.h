/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder: the latest events of this gateway in a bounded ring of segment files (parse/segment), so that what
 * happened before somebody noticed can still be looked at.
 *
 * Called by the role `core`. ring_add() only remembers; ring_tick() writes what is remembered in one piece, lets the oldest
 * segments go, and forces what was written onto the disk now and then. What a crash of the process costs: RING_BATCH_NS.
 * What a power failure costs: that and RING_SYNC_NS; whatever is torn then is skipped by the reader and counted.
 *
 * A disk that is full, or nearly (limits.reserve), stops the recording and nothing else: what does not fit in memory
 * meanwhile is lost and counted, it is tried again, and the ring says in itself how much is missing. Never logs, never
 * decides, keeps no key and no payload: what is handed in has none.
 */
#ifndef RECORD_RING_H
#define RECORD_RING_H

#include "base/buffer.h"
#include "model/recorded.h"
#include "parse/segment.h"

#define RING_PENDING_BYTES (256u << 10) /* remembered and not written: what a full disk may cost in memory */
#define RING_BATCH_BYTES (128u << 10)   /* written at once when so much is remembered, ... */
#define RING_BATCH_NS (100 * INT64_C(1000000)) /* ... or after this */
#define RING_SYNC_NS (5 * SECOND_NS)
#define RING_RETRY_NS (5 * SECOND_NS)
#define RING_SEGMENTS_MAX 256
#define RING_BYTES_LEAST (1u << 20)
#define RING_BYTES_MOST (1u << 30)

struct ring_limits {
	uint64_t bytes;   /* of all segments: RING_BYTES_LEAST to RING_BYTES_MOST */
	int64_t age_ns;   /* older segments go */
	uint64_t reserve; /* so much of the disk is left to others */
};
struct ring_self {
	char end[SEGMENT_END_MAX];
	uint8_t boot[RECORDED_BOOT_SIZE];
};

struct ring; /* opaque */

/* The folder has to be there. Nothing is written before something is added. 0 or a negative errno. */
int ring_open(const char *folder, const struct ring_limits *limits, const struct ring_self *self, struct moment now,
	      struct ring **ret);
/* Writes what it can, and closes. NULL is fine. */
void ring_close(struct ring *ring, struct moment now);
void ring_change(struct ring *ring, const struct ring_limits *limits, const char *end);

/* `event` is copied. Boot and end are filled in where it has none, the time where it has neither mono nor wall. In front of
 * it goes an event of kind `clock` when the wall clock has stepped. */
void ring_add(struct ring *ring, const struct recorded *event, struct moment now);
/* What is due. Returns the mono instant at which it wants to be called again at the latest. */
int64_t ring_tick(struct ring *ring, struct moment now);
/* Writes what is remembered: before it is read. 0 or the negative errno that is in the figures too. */
int ring_flush(struct ring *ring, struct moment now);

/* Segments of earlier lives are read through once, one a call, to count what is in them. False: that was the last one. */
bool ring_scan(struct ring *ring);

/* Oldest first; the bytes of one, for segment_begin(). 0 or a negative errno. The number stays when older ones go. */
size_t ring_segments(const struct ring *ring);
uint64_t ring_number(const struct ring *ring, size_t index);
int ring_read(struct ring *ring, size_t index, struct buffer *out);
/* Where the next event will stand: all before it were added before. Segments have rising numbers. */
void ring_place(const struct ring *ring, uint64_t *ret_number, uint64_t *ret_offset);

struct ring_figures {
	uint64_t records, bytes, segments; /* that are there, as far as they were read through */
	bool has_oldest;
	struct instant oldest;             /* wall */
	uint64_t written;                  /* in this life */
	uint64_t lost;                     /* in this life: the disk did not take them */
	uint64_t torn;                     /* places that cannot be read */
	uint64_t steps;                    /* of the clock */
	int trouble;                       /* negative errno of the latest write; 0: it went well */
};
struct ring_figures ring_figures(const struct ring *ring);

#endif
