/* SPDX-License-Identifier: MIT */
/*
 * A growing byte buffer for output.
 *
 * Writers never check each call: a failed allocation is remembered, later writes do nothing, and buffer_error() tells.
 * A zeroed struct buffer is empty and valid.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct buffer {
	char *bytes; /* owns; not NUL-terminated */
	size_t len;
	size_t room;
	bool failed;
};

void buffer_done(struct buffer *b); /* frees; b is empty and usable again */
void buffer_clear(struct buffer *b);
int buffer_error(const struct buffer *b); /* 0 or -ENOMEM */

void buffer_add(struct buffer *b, struct text t);
void buffer_add_string(struct buffer *b, const char *string);
void buffer_add_char(struct buffer *b, char c);
void buffer_add_repeat(struct buffer *b, char c, size_t n);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Borrowed until the next write. */
struct text buffer_text(const struct buffer *b);

#endif
