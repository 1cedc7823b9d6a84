/* SPDX-License-Identifier: MIT */
/*
 * From an incident and what was recorded around it to the parts of a report: the picture, the timeline, the journal, what
 * commands printed, and the capture. Called by cmd/report with one event after another, in order of time. Pure; it decides
 * nothing, and believes nothing of another end that it does not name.
 */
#ifndef RECORD_REPORT_EVIDENCE_H
#define RECORD_REPORT_EVIDENCE_H

#include "model/picture.h"
#include "model/recorded.h"
#include "parse/json_tree.h"
#include "record/pcapng.h"

#define REPORT_ENDS_MAX 16   /* recorders that are told apart; the others are one */
#define REPORT_CLOCKS_MAX 20 /* lines about clocks that the page shows */

struct report_end {
	struct text name; /* the picture's */
	bool has_lane;
	enum picture_end lane;
	uint64_t events;
	bool has_offset;   /* its clock is so far ahead of that of who put the parts together, */
	int64_t offset_ns, error_ns; /* and at most so wrong is that: its times are moved by it */
};

struct report_evidence { /* to be zeroed */
	const struct json_tree *incident; /* borrows */
	struct text id;
	struct spimend_address src, dst;  /* the sender, the receiver; unknown where the incident does not say */
	struct picture picture;
	struct buffer timeline, journal, shows, capture;
	struct pcapng pcapng;
	struct report_end ends[REPORT_ENDS_MAX];
	size_t end_count;
	uint64_t by_kind[RECORDED_KINDS], commands, elsewhere; /* elsewhere: events of other tunnels, not in the picture */
	struct text clocks[REPORT_CLOCKS_MAX];
	size_t clock_count;
	struct instant last;              /* of all events: for the files' times */
	/* Private. */
	struct report_packet *packets; /* owns */
	size_t packet_count, packet_room;
	struct buffer packet_bytes;
	bool told_steps, told_states;
	struct instant first_stray, last_stray;
	bool has_stray;
	struct {
		uint32_t message_id;
		uint8_t exchange;
		bool is_response, is_down, is_set;
		struct instant at;
		struct text end;
	} recent[16]; /* IKE messages that the other end may have recorded as well */
	size_t recent_at;
	struct text show_end; /* whose command the last output belongs to */
};

/* `incident` is spimend.incident/1. 0, or SPIMEND_E_SYNTAX when it is none. */
int report_evidence_begin(struct report_evidence *e, const struct json_tree *incident);
/* What is told of clocks, of all events, before the first is added: other kinds are passed over. */
void report_evidence_clock(struct report_evidence *e, const struct recorded *event);
/* An end's offset that was told is known better: by so many IKE messages. Taken where it is within what was told. */
void report_evidence_refine(struct report_evidence *e, struct report_end *end, int64_t offset_ns, int64_t error_ns,
			    uint64_t messages);
/* An event's time on the clock of who put the parts together. */
struct instant report_evidence_time(const struct report_evidence *e, const struct recorded *event);
void report_evidence_add(struct report_evidence *e, const struct recorded *event);
/* Afterwards the parts are there. 0 or -ENOMEM. */
int report_evidence_end(struct report_evidence *e);
void report_evidence_done(struct report_evidence *e);

/* Of the page: what was recorded by whom, how the clocks stand, and the files beside it. */
struct report_file { /* borrows */
	const char *name, *what;
	uint64_t size;
};
void report_evidence_page(const struct report_evidence *e, uint64_t unread, const struct report_file *files, size_t count,
			  struct buffer *out);

#endif
