/* SPDX-License-Identifier: MIT */
/*
 * An incident report as one HTML document: no script, nothing fetched, opens without a network. A content security policy
 * in it allows its own style sheet, by its hash, and nothing else; all text goes in through html_add(). Light and dark,
 * from a phone's width on; each picture has its words and a table beside it.
 *
 * What is told of an incident comes as its JSON (spimend.incident/1, with "explain" where that was asked for), so that the
 * page of a log and of recorded evidence are the same. What a key does not say is left out.
 */
#ifndef RECORD_REPORT_PAGE_H
#define RECORD_REPORT_PAGE_H

#include "model/picture.h"
#include "parse/json_tree.h"

#define REPORT_CASES_MAX 100  /* told in full on one page */
#define REPORT_ROWS_MAX 1000  /* of the overview */
#define REPORT_EVENTS_MAX 200 /* listed beside a picture */

struct report_case { /* borrows */
	const struct json_tree *incident;
	const struct picture *picture; /* NULL: none */
};

/* Up to and with the title. */
void report_page_begin(struct text title, struct text lead, struct buffer *out);
void report_page_end(struct buffer *out);
/* Of several incidents: a table with a link to each that follows in full. */
void report_page_overview_begin(struct buffer *out);
void report_page_overview_row(const struct json_tree *incident, bool is_told, struct buffer *out);
void report_page_overview_end(uint64_t left_out, uint64_t not_told, struct buffer *out);
/* One incident in full. `number`, from 1 on, tells its ids in the document. */
void report_page_case(const struct report_case *is, unsigned number, struct buffer *out);

/* "198.51.100.7 to 192.0.2.1, ESP 0x3ea71aed": text, not yet HTML. */
void report_flow(const struct json_tree *incident, struct buffer *out);

/* The class of a verdict's or state's word. */
const char *report_badge(struct text word);
/* "2026-11-03T11:02:44.120Z" as people read it. */
void report_add_time(struct text t, struct buffer *out);

/* The style sheet, and its SHA-256 in base64 as the policy names it (a test holds them together). */
extern const char report_style[], report_style_hash[];

#endif
