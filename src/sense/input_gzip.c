/* SPDX-License-Identifier: MIT */
/* gzip (RFC 1952): members one after another are one file, as gzip(1) and pigz(1) have it. */
#include <errno.h>
#include <zlib.h>

#include "base/memory.h"
#include "sense/input_private.h"
#include "spimend/error.h"

#define GZIP_ONLY (15 + 16) /* zlib's largest window, gzip header and trailer wanted */

struct gzip {
	struct decoder base;
	z_stream z;
	bool inside;  /* a member has begun and not ended */
	bool pending; /* zlib may hold more bytes than there was room for */
	int error;    /* found behind bytes that went out first */
};

/*
 * Between two members: 1 when the next one begins, 0 when all raw bytes were padding. Zeros behind a member are what tapes
 * and fixed block sizes leave; gzip(1) passes over them too.
 */
static int gzip_begin(struct gzip *g)
{
	struct decoder *d = &g->base;

	while (d->at < d->len && d->bytes[d->at] == 0)
		d->at++;
	if (d->at == d->len)
		return 0;
	if (inflateReset(&g->z) != Z_OK)
		return SPIMEND_E_COMPRESSED;
	g->inside = true;
	return 1;
}

/* Inflates what is there. zlib gives all bytes before a damage, then tells it. */
static void gzip_step(struct gzip *g)
{
	struct decoder *d = &g->base;
	int r;

	g->z.next_in = d->bytes + d->at;
	g->z.avail_in = (uInt)(d->len - d->at);
	r = inflate(&g->z, Z_NO_FLUSH);
	d->at = d->len - g->z.avail_in;
	g->pending = g->z.avail_out == 0;
	if (r == Z_STREAM_END)
		g->inside = g->pending = false;
	else if (r == Z_MEM_ERROR)
		g->error = -ENOMEM;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		g->error = SPIMEND_E_COMPRESSED;
}

static ssize_t gzip_read(struct decoder *d, char *to, size_t room)
{
	struct gzip *g = (struct gzip *)d;

	g->z.next_out = (Bytef *)to;
	g->z.avail_out = (uInt)room;
	while (g->z.avail_out == room) {
		if (g->error < 0)
			return g->error;
		if (d->at == d->len && !g->pending) {
			ssize_t n = decoder_refill(d);

			if (n < 0)
				return n;
			if (n == 0)
				return g->inside ? SPIMEND_E_COMPRESSED : 0;
		}
		if (!g->inside) {
			int r = gzip_begin(g);

			if (r < 0)
				return r;
			if (r == 0)
				continue;
		}
		gzip_step(g);
	}
	return (ssize_t)(room - g->z.avail_out);
}

static void gzip_free(struct decoder *d)
{
	struct gzip *g = (struct gzip *)d;

	inflateEnd(&g->z);
}

int decoder_new_gzip(struct input *input, const void *bytes, size_t len, size_t room, struct decoder **ret)
{
	struct gzip *g = memory_new(1, sizeof(*g));
	int r = -ENOMEM;

	if (!g)
		return r;
	g->base.read = gzip_read;
	g->base.free = gzip_free;
	g->inside = true;
	if (inflateInit2(&g->z, GZIP_ONLY) == Z_OK)
		r = decoder_init(&g->base, input, bytes, len, room);
	if (r < 0) {
		decoder_free(&g->base);
		return r;
	}
	*ret = &g->base;
	return 0;
}
