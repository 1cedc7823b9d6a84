/* SPDX-License-Identifier: MIT */
/*
 * A set of required texts, found in one pass over a message. An entry that has eight bytes hardly another has is found by
 * them. Entries that share what they have ("srcaddr=10", "neighbor 172") are found by that first, their anchor; then what
 * stands at a fixed distance from it tells them apart, dots in it being any byte. Private to eem/match.c.
 */
#ifndef EEM_GRAMS_H
#define EEM_GRAMS_H

#include "eem/pattern.h"

#define GRAM_MASKS 2       /* windows of eight bytes, and of four for texts that have no eight certain ones */
#define GRAM_SHAPES_MAX 32 /* of one anchor: where and how is looked behind it */

/* The literals that one entry requires: any of them finds it. */
struct gram_entry {
	const struct eem_literal *literals; /* borrows */
	uint32_t count;
};

#define GRAM_PLACES 4      /* of a window's beginning: every window has as many bytes */

/* How windows begin, in eight buckets: a place of a message may begin one when some bucket has all its bytes. Most places
 * end here. The halves are for the shuffle of AVX2 (the technique known from Hyperscan's Teddy). */
struct gram_sieve {
	uint8_t bytes[GRAM_PLACES][256];
	uint8_t low[GRAM_PLACES][16], high[GRAM_PLACES][16];
	bool is_wide;
};

struct grams {
	struct gram_sieve sieve;
	bool has_mask[GRAM_MASKS];
	uint64_t *bits;         /* owns: a bloom filter of the windows */
	uint32_t bit_shift;     /* hash >> this is a bit's number */
	struct gram {
		uint64_t value;
		uint32_t target; /* 0: free; entry + 1; or with ANCHOR set, an anchor's index */
		uint32_t mask;
	} *slots;               /* owns; of one window stand behind each other */
	uint32_t slot_mask;
	struct anchor {
		struct shape {
			int32_t offset;
			uint64_t mask;
		} shapes[GRAM_SHAPES_MAX];
		uint32_t shape_count;
		uint32_t first_rest; /* entries that nothing behind the anchor tells apart: a chain through `rest`; + 1 */
	} *anchors;             /* owns */
	uint32_t anchor_count;
	uint32_t *rest;         /* owns; by entry, the next one + 1 */
	struct detail {
		uint64_t value;
		uint32_t entry;  /* + 1; 0: free */
		uint32_t anchor;
		uint32_t shape;
	} *details;             /* owns */
	uint32_t detail_mask;
	uint64_t *detail_bits;  /* owns: a bloom filter of the details; as many as `bits` */
	uint32_t *always;       /* owns: entries that no window finds */
	uint32_t always_count;
};

/* 0 or -ENOMEM. Entries are numbered as they stand. */
int grams_init(struct grams *grams, const struct gram_entry *entries, uint32_t count);
void grams_done(struct grams *grams);
/* Calls for each entry that may be in the text, perhaps several times. */
void grams_find(const struct grams *grams, struct text text, void (*found)(void *context, uint32_t entry), void *context);

#endif
