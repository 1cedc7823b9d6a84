/* SPDX-License-Identifier: MIT */
/*
 * Cuts bytes into lines at memory speed, and marks the lines that may concern us.
 *
 * A line is a candidate when it contains one of a fixed set of words (the needles in scan.c). The search looks at 64 bytes
 * at a time: three table look-ups by nibble say for each position whether the three bytes there can belong to a needle
 * (the shuffle technique known from Hyperscan's Teddy), and the few hits are compared. With AVX-512 or AVX2; without
 * either a table of byte pairs does the same more slowly. Pure; no allocation.
 */
#ifndef PARSE_SCAN_H
#define PARSE_SCAN_H

#include "base/text.h"

enum scan_mark {
	SCAN_CANDIDATE = 1,   /* contains a word that an unknown SPI, or an SA's life, is told with */
	SCAN_SURROUNDING = 8, /* contains a word of messages that only matter beside those: common, and rarely read */
	SCAN_DISTANT = 16,    /* the like of that, and too common to be worth it in big logs: only SCAN_EVERY looks for it */
	SCAN_HIGH = 2,      /* contains bytes >= 0x80 (in the same 64 bytes, at least) */
	SCAN_NUL = 4,       /* contains NUL bytes (likewise) */
};

enum scan_width { SCAN_PORTABLE, SCAN_AVX2, SCAN_AVX512, SCAN_AVX512_VBMI };

#define SCAN_BUCKETS 8
#define SCAN_NEEDLES_MAX 48

/* Needles, laid out for the search. */
struct scan_set {
	struct {
		uint8_t low[16], high[16]; /* bit b: bucket b has a needle with such a nibble at this place */
	} nibbles[3];
	uint8_t sixes[3][64]; /* the same by the low six bits, for AVX-512 VBMI */
	uint8_t pair[65536 / 8]; /* for the portable search: may these two bytes start a needle's window? */
	uint8_t bucket_needles[SCAN_BUCKETS][SCAN_NEEDLES_MAX];
	uint32_t bucket_windows[SCAN_BUCKETS][SCAN_NEEDLES_MAX]; /* the three bytes of each, as they lie in memory */
	uint8_t bucket_count[SCAN_BUCKETS];
};

struct scan {
	struct scan_set all, near; /* near: without those of SCAN_DISTANT */
	enum scan_width width;
};

/* Called for a line, without its '\n'. `number` counts from 0 within the call; `marks` is of enum scan_mark. Returns true
 * when it wants the next line, whatever its marks. */
typedef bool scan_line_fn(void *context, struct text line, uint64_t number, unsigned marks);

void scan_init(struct scan *scan);
enum scan_which {
	SCAN_EVERY,      /* every line */
	SCAN_MARKED,     /* lines with marks, and those that the callback wants */
	SCAN_MARKED_AND_FIRST, /* the first line too */
};

/* Bytes are whole lines; a last line without '\n' is a line. Returns the number of all lines. */
uint64_t scan_lines(const struct scan *scan, struct text bytes, enum scan_which which, scan_line_fn *fn, void *context);

/* For tests: the best that the processor can do, and a search of no more than that. */
enum scan_width scan_best_width(void);
void scan_init_width(struct scan *scan, enum scan_width width);

#endif
