/* SPDX-License-Identifier: MIT */
/* The parts of a picture in SVG. Private to picture_svg and picture_draw. */
#ifndef RECORD_PICTURE_DRAW_H
#define RECORD_PICTURE_DRAW_H

#include "base/buffer.h"
#include "model/picture.h"
#include "record/picture_axis.h"

#define DRAW_EDGE 12.0     /* left and right of what is drawn */
#define DRAW_CHARACTER 6.1 /* of the small letters, about */
#define DRAW_BARS_MAX 8    /* of one end; the others are counted */

struct drawing {
	const struct picture *p;
	double width, y, lane; /* y: where the next row begins */
	struct axis axis;
	struct instant origin;
	struct buffer under, middle, over; /* middle: arrows, above the ground and below their numbers */
};

typedef bool draw_filter_fn(const struct picture_event *e);

void draw_text(struct drawing *d, double x, double y, const char *class, const char *anchor, struct text t);
/* In the middle of x, but wholly inside the picture. */
void draw_text_within(struct drawing *d, double x, double y, const char *class, struct text t);
/* Rows; each moves d->y below itself, and draws nothing where there is nothing. draw_numbers() says whether there was. */
void draw_bars(struct drawing *d, enum picture_end end);
void draw_packets(struct drawing *d, enum picture_kind kind);
bool draw_numbers(struct drawing *d, draw_filter_fn *filter);
void draw_arrows(struct drawing *d, draw_filter_fn *filter, double top, double bottom);

#endif
