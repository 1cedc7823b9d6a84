/* SPDX-License-Identifier: MIT */
#include "eem/arena.h"

#include "base/memory.h"

#define BLOCK_BYTES 16384
#define ALIGNMENT 16

struct arena_block {
	struct arena_block *next;
	size_t used, room;
	_Alignas(ALIGNMENT) char bytes[];
};

void arena_done(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		memory_free(arena->blocks);
		arena->blocks = next;
	}
	*arena = (struct arena){ 0 };
}

void *arena_new(struct arena *arena, size_t count, size_t size)
{
	struct arena_block *block = arena->blocks;
	size_t bytes;
	void *given;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) {
		arena->failed = true;
		return NULL;
	}
	bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!block || block->room - block->used < bytes) {
		size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;

		block = memory_new(1, sizeof(*block) + room);
		if (!block) {
			arena->failed = true;
			return NULL;
		}
		block->room = room;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	given = block->bytes + block->used;
	block->used += bytes;
	return given;
}

struct text arena_text(struct arena *arena, struct text t)
{
	char *copy = arena_new(arena, t.len + 1, 1);

	if (!copy)
		return TEXT_NONE;
	if (t.len)
		memcpy(copy, t.at, t.len);
	return (struct text){ copy, t.len };
}
