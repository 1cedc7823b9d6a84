/* SPDX-License-Identifier: MIT */
/*
 * A hash index from 64-bit keys to numbers. The keys are hashes already (SipHash under a random key, or unique ids mixed by
 * it), so that nobody chooses collisions. Private to core.
 */
#ifndef CORE_INDEX_H
#define CORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_slot {
	uint64_t key; /* 0 is free */
	uint32_t value;
};

struct index {
	struct index_slot *slots; /* owns */
	size_t room, used;
};

void index_done(struct index *index);
/* False when absent. */
bool index_find(const struct index *index, uint64_t key, uint32_t *ret);
/* Adds or replaces. False without memory. */
bool index_set(struct index *index, uint64_t key, uint32_t value);
void index_remove(struct index *index, uint64_t key);

#endif
