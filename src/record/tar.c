/* SPDX-License-Identifier: MIT */
#include "record/tar.h"

#include <inttypes.h>
#include <stdio.h>

#define BLOCK 512

static void put_octal(char *to, size_t digits, uint64_t value)
{
	for (size_t i = digits; i-- > 0; value >>= 3)
		to[i] = (char)('0' + (value & 7));
}

void tar_add_head(struct buffer *out, const char *name, uint64_t size, struct instant changed)
{
	char head[BLOCK] = { 0 };
	unsigned sum = 0;

	text_copy(text_of(name), head, TAR_NAME_MAX + 1);
	put_octal(head + 100, 7, 0600);
	put_octal(head + 108, 7, 0);
	put_octal(head + 116, 7, 0);
	put_octal(head + 124, 11, size);
	put_octal(head + 136, 11, changed.ns > 0 ? (uint64_t)changed.ns / (uint64_t)SECOND_NS : 0);
	memset(head + 148, ' ', 8);
	head[156] = '0';
	memcpy(head + 257, "ustar", 6);
	memcpy(head + 263, "00", 2);
	for (size_t i = 0; i < sizeof(head); i++)
		sum += (unsigned char)head[i];
	put_octal(head + 148, 6, sum);
	head[154] = '\0';
	buffer_add(out, (struct text){ head, sizeof(head) });
}

void tar_add_padding(struct buffer *out, uint64_t size)
{
	buffer_add_repeat(out, '\0', (BLOCK - size % BLOCK) % BLOCK);
}

void tar_add_end(struct buffer *out)
{
	buffer_add_repeat(out, '\0', 2 * BLOCK);
}
