/* SPDX-License-Identifier: MIT */
/*
 * Incidents and the summary for people: the verdict first, then why, then what to type where.
 */
#ifndef RECORD_INCIDENT_TEXT_H
#define RECORD_INCIDENT_TEXT_H

#include "base/buffer.h"
#include "plan/plan.h"
#include "record/summary.h"

struct text_style {
	bool colour;
	bool verbose; /* the evidence too */
	bool explain; /* all sections of plan/explain.h */
	size_t width; /* columns to wrap at; at least 60 */
};

void record_incident_text(const struct incident *incident, const struct plan *plan, const struct text_style *style,
			  struct buffer *out);
/* The closing lines: what was not understood (up to `listed` lines of it), what limits were met, and the count. */
void record_summary_text(const struct summary *summary, const struct text_style *style, size_t listed, struct buffer *out);

#endif
