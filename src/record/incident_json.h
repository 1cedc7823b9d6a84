/* SPDX-License-Identifier: MIT */
/*
 * Incidents and the summary as JSON, one object a line: the contract of DESIGN.md 6 (spimend.incident/1, spimend.summary/1).
 * Writes to a buffer; who owns the file descriptor is the caller's affair.
 */
#ifndef RECORD_INCIDENT_JSON_H
#define RECORD_INCIDENT_JSON_H

#include "base/buffer.h"
#include "plan/plan.h"
#include "record/summary.h"

/* One line with its '\n'. `explain` adds the object "explain" with the sections of plan/explain.h. */
void record_incident_json(const struct incident *incident, const struct plan *plan, bool explain, struct buffer *out);
void record_summary_json(const struct summary *summary, struct buffer *out);

#endif
