/* SPDX-License-Identifier: MIT */
/* What an analysis read, counted and left out. Filled by cmd, written by record. */
#ifndef RECORD_SUMMARY_H
#define RECORD_SUMMARY_H

#include "judge/capture.h"
#include "model/incident.h"
#include "parse/capture.h"

struct summary_skip { /* one line that names our message and could not be read, or another trouble */
	struct text from;   /* "file:line"; borrows */
	struct text reason;
	struct text text;
};

struct summary_count { /* one kind of trouble */
	const char *name;
	uint64_t count;
};

struct summary_exchange { /* one IKE exchange type */
	const char *name;
	uint64_t requests, responses; /* IKEv1: all are requests */
};

struct summary_flow {
	struct capture_flow is;
	size_t order; /* in which they are listed */
};

struct summary_captures { /* what the capture files had */
	uint64_t files;
	struct capture_counts counts;
	struct capture_judge_counts judged;
	bool has_table; /* the receiver's was given */
	const struct summary_count *results; /* borrows: what the packets were, in words */
	size_t result_count;
	const struct summary_exchange *exchanges; /* borrows */
	size_t exchange_count;
	const struct summary_flow *flows; /* borrows; judged.flows are there, these are listed */
	size_t flow_count;
};

struct summary {
	const struct summary_captures *captures; /* borrows; NULL: none was given */
	uint64_t files, files_failed, lines, bytes;
	uint64_t messages, copies, evidence, unparsed;
	uint64_t incidents, by_verdict[VERDICT_OTHER_FAULT + 1];
	uint64_t evicted, forgotten, refused, neighbours_dropped, tables_dropped, hosts_refused;
	const struct summary_count *troubles; /* borrows */
	size_t trouble_count;
	const struct summary_skip *unparsed_lines; /* borrows; at most what was kept */
	size_t unparsed_lines_count;
};

#endif
