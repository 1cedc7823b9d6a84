/* SPDX-License-Identifier: MIT */
/*
 * The evidence of one end or of several, kept line by line and then joined in order of time. How the clocks of the others
 * stand to the first's is worked out from IKE messages that both recorded. Called by cmd/report.
 */
#ifndef CMD_REPORT_STREAMS_H
#define CMD_REPORT_STREAMS_H

#include "base/buffer.h"
#include "parse/recorded.h"
#include "record/report_evidence.h"

#define REPORT_STREAMS_MAX 4          /* the incident's own, and three more */
#define REPORT_BYTES_MAX (512u << 20) /* of all lines */

struct report_stream {
	struct report_streams *all;
	const char *name;             /* borrows: for messages */
	struct buffer lines;          /* owns */
	uint64_t count;
	/* While it is read. */
	struct text rest, line;
	struct recorded_reader reader;
	struct recorded event;        /* the next; valid while `has` */
	bool has;
	uint64_t number;
};

struct report_streams { /* to be zeroed */
	struct report_stream at[REPORT_STREAMS_MAX];
	size_t count;
	size_t bytes;
	uint64_t unread, unread_line; /* lines that cannot be read; of the first: */
	const char *unread_name, *unread_why;
};

/* The next stream; NULL: that is one too many. */
struct report_stream *report_streams_new(struct report_streams *all, const char *name);
/* Takes one line, as report_line_fn; SPIMEND_E_LIMIT beyond REPORT_BYTES_MAX. */
int report_stream_take(void *stream, struct text line);
/* All events into the evidence, which has begun with the incident, the first line of the first stream; all lines, that one
 * first, into `recorded`. */
void report_streams_join(struct report_streams *all, struct report_evidence *evidence, struct buffer *recorded);
void report_streams_done(struct report_streams *all);

#endif
