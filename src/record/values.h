/* SPDX-License-Identifier: MIT */
/* Single values in JSON, and text from outside on a terminal: shared by the printers of this room. */
#ifndef RECORD_VALUES_H
#define RECORD_VALUES_H

#include "base/calendar.h"
#include "base/json.h"
#include "plan/plan.h"
#include "spimend/address.h"

/* null where it is not known. */
void record_put_address(struct json *j, const char *key, const struct spimend_address *a);
void record_put_text(struct json *j, const char *key, struct text t);
void record_put_time(struct json *j, const char *key, bool present, struct instant at);

/* What is typed in a step of a plan, what it disturbs, why, and whether a person must say so. */
void record_put_typed(struct json *j, const struct plan_step *s);

/* Without anything that could steer a terminal. */
void record_add_printable(struct buffer *out, struct text t);
/* Text from column `at`, wrapped between its words at `width` and indented to `indent`; ends the line. */
void record_add_wrapped(struct buffer *out, size_t width, struct text t, size_t indent, size_t at);
/* Of a page: a part's title behind an empty line; a paragraph, indented by two, of `text`, which is emptied. */
void record_add_heading(struct buffer *out, const char *title);
void record_add_paragraph(struct buffer *out, size_t width, struct buffer *text);

#endif
