/* SPDX-License-Identifier: MIT */
/* What an analysis read, counted and left out. Filled by cmd, written by record. */
#ifndef RECORD_SUMMARY_H
#define RECORD_SUMMARY_H

#include "model/incident.h"

struct summary_skip { /* one line that names our message and could not be read, or another trouble */
	struct text from;   /* "file:line"; borrows */
	struct text reason;
	struct text text;
};

struct summary_count { /* one kind of trouble */
	const char *name;
	uint64_t count;
};

struct summary {
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
