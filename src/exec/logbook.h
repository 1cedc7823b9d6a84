/* SPDX-License-Identifier: MIT */
/*
 * `logging buffered`: the latest lines in memory, by number of bytes; the oldest make room. Pure. Kept by the role core,
 * which adds what goes to its log; read by `show logging`.
 */
#ifndef EXEC_LOGBOOK_H
#define EXEC_LOGBOOK_H

#include "base/calendar.h"
#include "base/text.h"

#define LOGBOOK_BYTES_DEFAULT (64u << 10)
#define LOGBOOK_BYTES_MIN 4096u
#define LOGBOOK_BYTES_MAX (64u << 20)
#define LOGBOOK_LINE_MAX 1024 /* what is longer is cut */

struct logbook; /* opaque */

struct logbook_line {
	struct instant at;  /* wall */
	int severity;       /* as in syslog: 0 to 7 */
	bool is_debug;      /* written by a debug */
	struct text text;   /* without time stamp: "%CRYPTO-4-..."; borrows `room` of logbook_next() */
};

struct logbook_counts {
	uint64_t lines, dropped; /* ever added; made room */
	size_t bytes, room;
};

/* NULL: no memory. */
struct logbook *logbook_new(size_t bytes);
void logbook_free(struct logbook *book);
/* Another size keeps the latest lines. 0 or -ENOMEM. */
int logbook_resize(struct logbook *book, size_t bytes);
void logbook_add(struct logbook *book, struct instant at, int severity, bool is_debug, struct text text);
void logbook_clear(struct logbook *book);
/* From the oldest: `*cursor` is 0 at first. False at the end. */
bool logbook_next(const struct logbook *book, size_t *cursor, char room[LOGBOOK_LINE_MAX], struct logbook_line *ret);
struct logbook_counts logbook_count(const struct logbook *book);

#endif
