/* SPDX-License-Identifier: MIT */
/* A set of required texts, found in one pass over a message by windows of up to eight bytes. Private to eem/match.c. */
#ifndef EEM_GRAMS_H
#define EEM_GRAMS_H

#include "eem/pattern.h"

#define GRAM_MASKS_MAX 16 /* shapes of windows; what would need another one is always a candidate */

struct grams {
	uint64_t masks[GRAM_MASKS_MAX];
	uint32_t mask_count;
	uint64_t *bits;         /* owns: a bloom filter of the windows */
	uint32_t bit_shift;     /* hash >> this is a bit's number */
	struct gram {
		uint64_t value; /* masked; 0: free */
		uint32_t mask, entry; /* entry: index + 1 */
	} *slots;               /* owns; several entries of one window stand behind each other */
	uint32_t slot_mask;
	uint32_t *always;       /* owns: entries that no window finds */
	uint32_t always_count;
};

/* The literals that one entry requires: any of them finds it. */
struct gram_entry {
	const struct eem_literal *literals; /* borrows */
	uint32_t count;
};

/* 0 or -ENOMEM. Entries are numbered as they stand. */
int grams_init(struct grams *grams, const struct gram_entry *entries, uint32_t count);
void grams_done(struct grams *grams);
/* Calls for each entry that may be in the text, perhaps several times. */
void grams_find(const struct grams *grams, struct text text, void (*found)(void *context, uint32_t entry), void *context);

#endif
