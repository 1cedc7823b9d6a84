/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void *memory_new(size_t count, size_t size)
{
	return calloc(count ? count : 1, size ? size : 1);
}

void *memory_resize(void *old, size_t count, size_t size)
{
	return reallocarray(old, count ? count : 1, size ? size : 1);
}

void memory_free(void *memory)
{
	free(memory);
}

void memory_free_pointer(void *pointer_to_pointer)
{
	void *memory;

	memcpy(&memory, pointer_to_pointer, sizeof(memory));
	free(memory);
}

bool is_bool(const bool *flag)
{
	unsigned char byte;

	memcpy(&byte, flag, sizeof(byte));
	return byte <= 1;
}
