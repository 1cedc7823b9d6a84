/* SPDX-License-Identifier: MIT */
/*
 * Text from anywhere into HTML and SVG, as text. The one way in: whatever the pages of this room show goes through
 * html_add(), also what we wrote ourselves.
 *
 * Never markup, in no place of a document: < > & " ' are named. Control characters, what turns the direction of writing,
 * what has no width and what is no UTF-8 become U+FFFD, so that nothing can hide or pose as something else; a line feed or
 * tab becomes a blank. Bounded: what is longer is cut, and says so.
 */
#ifndef RECORD_HTML_H
#define RECORD_HTML_H

#include "base/buffer.h"

#define HTML_TEXT_MAX 2000 /* bytes of one text */

/* At most `max` bytes of it; then "... (N bytes more)". */
void html_add_cut(struct buffer *out, struct text t, size_t max);
void html_add(struct buffer *out, struct text t);
void html_add_string(struct buffer *out, const char *string);
/* A sentence: what stands between backticks is a command, <code>. */
void html_add_sentence(struct buffer *out, struct text t);
/* Of a name of others, amid our words: in an element of its own, so that letters of other scripts do not turn ours round. */
void html_add_foreign(struct buffer *out, struct text t, size_t max);

#endif
