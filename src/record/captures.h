/* SPDX-License-Identifier: MIT */
/* What capture files had, for programs and for people: a part of the summary. */
#ifndef RECORD_CAPTURES_H
#define RECORD_CAPTURES_H

#include "base/json.h"
#include "record/incident_text.h"

/* Adds the key "capture" to the summary's object. */
void record_captures_json(const struct summary_captures *captures, struct json *j);
/* The flows, one a line, and the counts. */
void record_captures_text(const struct summary_captures *captures, const struct text_style *style, struct buffer *out);

#endif
