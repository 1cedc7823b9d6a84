/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

void buffer_done(struct buffer *b)
{
	memory_free(b->bytes);
	*b = (struct buffer){ 0 };
}

void buffer_clear(struct buffer *b)
{
	b->len = 0;
	b->failed = false;
}

int buffer_error(const struct buffer *b)
{
	return b->failed ? -ENOMEM : 0;
}

static bool buffer_reserve(struct buffer *b, size_t more)
{
	size_t room = b->room ? b->room : 256;
	char *bytes;

	if (b->failed)
		return false;
	if (more <= b->room - b->len)
		return true;
	while (room - b->len < more && room <= SIZE_MAX / 2)
		room *= 2;
	bytes = room - b->len < more ? NULL : memory_resize(b->bytes, room, 1);
	if (!bytes) {
		b->failed = true;
		return false;
	}
	b->bytes = bytes;
	b->room = room;
	return true;
}

void buffer_add(struct buffer *b, struct text t)
{
	if (t.len == 0 || !buffer_reserve(b, t.len))
		return;
	memcpy(b->bytes + b->len, t.at, t.len);
	b->len += t.len;
}

void buffer_add_string(struct buffer *b, const char *string)
{
	buffer_add(b, text_of(string));
}

void buffer_add_char(struct buffer *b, char c)
{
	buffer_add(b, (struct text){ &c, 1 });
}

void buffer_add_repeat(struct buffer *b, char c, size_t n)
{
	if (!buffer_reserve(b, n))
		return;
	memset(b->bytes + b->len, c, n);
	b->len += n;
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
	size_t room = b->failed ? 0 : b->room - b->len;
	va_list args;
	int needed;

	/* Mostly there is room: then once is enough. */
	va_start(args, format);
	needed = vsnprintf(room ? b->bytes + b->len : NULL, room, format, args);
	va_end(args);
	if (needed < 0 || b->failed)
		return;
	if ((size_t)needed >= room) {
		if (!buffer_reserve(b, (size_t)needed + 1))
			return;
		va_start(args, format);
		vsnprintf(b->bytes + b->len, (size_t)needed + 1, format, args);
		va_end(args);
	}
	b->len += (size_t)needed;
}

struct text buffer_text(const struct buffer *b)
{
	return (struct text){ b->bytes, b->len };
}
