/* SPDX-License-Identifier: MIT */
/*
 * An open-addressed table of numbers under hashes: how pure rooms find what they keep in arrays of their own. The caller
 * hashes and compares; this remembers (hash, number) and nothing else. Numbers are from 1 on, 0 means none.
 *
 * Removing moves the followers back, so that no tombstones pile up, however often things come and go. It never fails but
 * at slots_init(): room for `limit` numbers is there from the start.
 */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

struct slots {
	struct slot {
		uint32_t hash, number;
	} *at;         /* owns */
	uint32_t mask; /* a power of two, less one; at least twice the limit */
};

/* 0 or -ENOMEM. At most `limit` numbers, up to 2^30, may be in it at once. */
int slots_init(struct slots *slots, uint32_t limit);
void slots_done(struct slots *slots);

/* The numbers under that hash, one at a call: *cursor starts as the hash itself. 0 when there are no more. */
static inline uint32_t slots_look(const struct slots *slots, uint32_t hash, uint32_t *cursor)
{
	const struct slot *slot;

	while ((slot = &slots->at[*cursor & slots->mask])->number) {
		++*cursor;
		if (slot->hash == hash)
			return slot->number;
	}
	return 0;
}

void slots_add(struct slots *slots, uint32_t hash, uint32_t number);
/* Puts another number into the place of one. */
void slots_replace(struct slots *slots, uint32_t hash, uint32_t number, uint32_t by);
bool slots_remove(struct slots *slots, uint32_t hash, uint32_t number);

#endif
