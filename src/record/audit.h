/* SPDX-License-Identifier: MIT */
/*
 * Findings of the audit and its summary: text for people, grouped by tunnel; NDJSON for programs (spimend.audit/1 and
 * spimend.audit-summary/1, spimend(1)). Writes to a buffer.
 */
#ifndef RECORD_AUDIT_H
#define RECORD_AUDIT_H

#include "model/audit.h"
#include "parse/device_output.h"
#include "plan/audit_plan.h"
#include "record/incident_text.h"

struct audit_summary {
	const struct audit_counts *counts; /* borrows */
	struct device_counts read;         /* over all files */
	uint64_t files, files_failed, files_twice, files_unknown, names_twice; /* files: or answers of devices that were asked */
	uint64_t devices_failed; /* asked, and not read to the end */
};

/* `before` is the finding that was printed last, or NULL: of the same tunnel, the headline is not repeated. */
void record_audit_text(const struct audit_finding *finding, const struct audit_finding *before, const struct plan *plan,
		       const struct text_style *style, struct buffer *out);
void record_audit_summary_text(const struct audit_summary *summary, struct buffer *out);
void record_audit_json(const struct audit_finding *finding, const struct plan *plan, struct buffer *out);
void record_audit_summary_json(const struct audit_summary *summary, struct buffer *out);

#endif
