/* SPDX-License-Identifier: MIT */
/* What all decoders share: the raw bytes and their refilling. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "sense/input_private.h"

int decoder_init(struct decoder *d, struct input *input, const void *bytes, size_t len, size_t room)
{
	d->input = input;
	d->room = room > len ? room : len;
	d->bytes = memory_new(d->room, 1);
	if (!d->bytes)
		return -ENOMEM;
	memcpy(d->bytes, bytes, len);
	d->len = len;
	return 0;
}

ssize_t decoder_refill(struct decoder *d)
{
	ssize_t n = input_read_raw(d->input, d->bytes, d->room);

	if (n > 0) {
		d->at = 0;
		d->len = (size_t)n;
	}
	return n;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	d->free(d);
	memory_free(d->bytes);
	memory_free(d);
}
