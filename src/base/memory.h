/* SPDX-License-Identifier: MIT */
/*
 * Memory for all rooms: the one place that calls malloc.
 *
 * memory_new() and its sisters return zeroed memory or NULL; they never end the process. `cleanup(f)` runs f on a
 * variable when it leaves its scope.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#define cleanup(function) __attribute__((cleanup(function)))

/* Zeroed memory for `count` things of `size` bytes, or NULL (also when the product overflows). */
void *memory_new(size_t count, size_t size) __attribute__((malloc));

/* Like realloc for `count` things of `size` bytes; on failure returns NULL and leaves `old` valid. New bytes are not
 * zeroed. */
void *memory_resize(void *old, size_t count, size_t size);

void memory_free(void *memory);

/* For cleanup(): frees what a pointer variable points to. */
void memory_free_pointer(void *pointer_to_pointer);

/* Of a bool that came as bytes: one that is neither 0 nor 1 is undefined behaviour as soon as it is read. */
bool is_bool(const bool *flag);

#endif
