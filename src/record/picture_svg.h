/* SPDX-License-Identifier: MIT */
/*
 * A picture as SVG: the sender's lane above, the receiver's below, SAs as bars, packets as ticks, IKE messages as arrows
 * between, what was decided and done at the bottom. Colours are the page's (classes); text goes through html_add().
 *
 * Marks that would lie on each other become one, with its count: no picture holds more than its width has room for, and it
 * says how many marks stand for how many. What happens is numbered as picture_svg_listed() lists it, at any width.
 */
#ifndef RECORD_PICTURE_SVG_H
#define RECORD_PICTURE_SVG_H

#include "base/buffer.h"
#include "model/picture.h"

#define PICTURE_WIDE 960.0
#define PICTURE_NARROW 360.0

/* `id` is unique in the document, a plain word. Adds nothing where there is nothing with a time. True: a gap was cut. */
bool picture_svg(const struct picture *p, const char *id, double width, struct buffer *out);
/* Is it inside what is drawn; and has it a number? */
bool picture_is_drawn(const struct picture *p, const struct picture_event *e);
bool picture_is_numbered(const struct picture_event *e);
/* What the times of the axis count from: the first stray packet, else the first event. False where nothing is drawn. */
bool picture_origin(const struct picture *p, struct instant *ret);

#endif
