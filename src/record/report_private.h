/* SPDX-License-Identifier: MIT */
/* Shared by the files that make a report's parts. Private to report_evidence, report_drawn, report_told. */
#ifndef RECORD_REPORT_PRIVATE_H
#define RECORD_REPORT_PRIVATE_H

#include "record/report_evidence.h"

struct report_packet { /* kept until it is known which are decisive */
	struct instant at;
	struct text end;
	uint16_t linktype, size;
	uint32_t length;
	size_t offset; /* in packet_bytes */
	uint32_t spi;
	bool has_spi, is_down; /* ESP or AH; from the sender to the receiver */
};

/* The recorder of that name. */
struct report_end *report_end_of(struct report_evidence *e, struct text name);

/* "2 h", and what clocks need below a millisecond: "0.400 ms". */
void report_add_offset(struct buffer *out, int64_t ns);

/* Into the picture; what lies outside is set by report_draw_end(). */
void report_draw(struct report_evidence *e, const struct recorded *event);
void report_draw_end(struct report_evidence *e);
/* Into timeline, journal and shows. */
void report_tell(struct report_evidence *e, const struct recorded *event);
/* Into the capture. */
void report_keep_packet(struct report_evidence *e, const struct recorded *event);
void report_write_capture(struct report_evidence *e);

#endif
