/* SPDX-License-Identifier: MIT */
/* Zstandard (RFC 8878): frames and skippable frames one after another are one file. */
#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/memory.h"
#include "sense/input_private.h"
#include "spimend/error.h"

#define FRAME_START 5 /* bytes that every frame begins with: its magic number and descriptor */

struct zstd {
	struct decoder base;
	ZSTD_DStream *z; /* owns */
	size_t wanted;   /* raw bytes up to the end of the next block */
	bool inside;     /* a frame has begun and not ended */
	bool pending;    /* zstd may hold more bytes than there was room for */
};

static int zstd_error(size_t code)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		return SPIMEND_E_LIMIT;
	case ZSTD_error_memory_allocation:
		return -ENOMEM;
	default:
		return SPIMEND_E_COMPRESSED;
	}
}

/*
 * Decodes at most one block. libzstd forgets the bytes of a call that fails, so a call that sees only one block loses only
 * a damaged one.
 */
static ssize_t zstd_step(struct zstd *s, char *to, size_t room)
{
	struct decoder *d = &s->base;
	size_t have = d->len - d->at;
	ZSTD_inBuffer in = { d->bytes + d->at, have < s->wanted ? have : s->wanted, 0 };
	ZSTD_outBuffer out = { to, room, 0 };
	size_t r = ZSTD_decompressStream(s->z, &out, &in);

	if (ZSTD_isError(r))
		return zstd_error(r);
	d->at += in.pos;
	s->inside = r != 0;
	s->pending = s->inside && out.pos == room;
	s->wanted = s->inside ? r : FRAME_START;
	return (ssize_t)out.pos;
}

static ssize_t zstd_read(struct decoder *d, char *to, size_t room)
{
	struct zstd *s = (struct zstd *)d;
	ssize_t n;

	do {
		if (d->at == d->len && !s->pending) {
			n = decoder_refill(d);
			if (n < 0)
				return n;
			if (n == 0)
				return s->inside ? SPIMEND_E_COMPRESSED : 0;
		}
		n = zstd_step(s, to, room);
	} while (n == 0);
	return n;
}

static void zstd_free(struct decoder *d)
{
	struct zstd *s = (struct zstd *)d;

	ZSTD_freeDStream(s->z);
}

int decoder_new_zstd(struct input *input, const void *bytes, size_t len, size_t room, struct decoder **ret)
{
	struct zstd *s = memory_new(1, sizeof(*s));
	int r = -ENOMEM;

	if (!s)
		return r;
	s->base.read = zstd_read;
	s->base.free = zstd_free;
	s->wanted = FRAME_START;
	s->z = ZSTD_createDStream();
	if (s->z && !ZSTD_isError(ZSTD_DCtx_setParameter(s->z, ZSTD_d_windowLogMax, INPUT_ZSTD_WINDOW_LOG_MAX)))
		r = decoder_init(&s->base, input, bytes, len, room);
	if (r < 0) {
		decoder_free(&s->base);
		return r;
	}
	*ret = &s->base;
	return 0;
}
