/* SPDX-License-Identifier: MIT */
#include "core/index.h"

#include "base/memory.h"

static uint64_t index_key(uint64_t key)
{
	return key ? key : 1;
}

void index_done(struct index *index)
{
	memory_free(index->slots);
	*index = (struct index){ 0 };
}

/* The key's slot, or the free one where it would go. */
static size_t index_slot(const struct index *index, uint64_t key)
{
	size_t at = key & (index->room - 1);

	while (index->slots[at].key && index->slots[at].key != key)
		at = (at + 1) & (index->room - 1);
	return at;
}

bool index_find(const struct index *index, uint64_t key, uint32_t *ret)
{
	size_t at;

	if (!index->room)
		return false;
	at = index_slot(index, index_key(key));
	if (!index->slots[at].key)
		return false;
	*ret = index->slots[at].value;
	return true;
}

static bool index_grow(struct index *index)
{
	struct index bigger = { .room = index->room ? index->room * 2 : 64, .used = index->used };

	bigger.slots = memory_new(bigger.room, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < index->room; i++) {
		if (index->slots[i].key)
			bigger.slots[index_slot(&bigger, index->slots[i].key)] = index->slots[i];
	}
	memory_free(index->slots);
	*index = bigger;
	return true;
}

bool index_set(struct index *index, uint64_t key, uint32_t value)
{
	size_t at;

	key = index_key(key);
	if ((index->used + 1) * 4 > index->room * 3 && !index_grow(index))
		return false;
	at = index_slot(index, key);
	if (!index->slots[at].key)
		index->used++;
	index->slots[at] = (struct index_slot){ .key = key, .value = value };
	return true;
}

void index_remove(struct index *index, uint64_t key)
{
	size_t hole, at;

	if (!index->room)
		return;
	hole = index_slot(index, index_key(key));
	if (!index->slots[hole].key)
		return;
	index->used--;
	/* What follows without a gap moves up, unless that would put it before its own place. */
	for (at = (hole + 1) & (index->room - 1); index->slots[at].key; at = (at + 1) & (index->room - 1)) {
		size_t home = index->slots[at].key & (index->room - 1);

		if (((at - home) & (index->room - 1)) >= ((at - hole) & (index->room - 1))) {
			index->slots[hole] = index->slots[at];
			hole = at;
		}
	}
	index->slots[hole] = (struct index_slot){ 0 };
}
