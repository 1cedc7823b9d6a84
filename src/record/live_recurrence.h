/* SPDX-License-Identifier: MIT */
/*
 * What recurs (B13), on the daemon's pages: the same ends, the same cause, 'judge recurrence' times within its time up to
 * now, from memory and from disk. And `spimend stats`. Private to record/live_*.c.
 */
#ifndef RECORD_LIVE_RECURRENCE_H
#define RECORD_LIVE_RECURRENCE_H

#include "base/json.h"
#include "record/live.h"
#include "record/statistics.h"

/* Lines below the table of incidents; nothing where nothing recurs. */
void live_recurrences_text(const struct live_view *view, struct buffer *out);
/* The member "recurrences" of the summary. */
void live_recurrences_json(const struct live_view *view, struct json *j);
/* One of them: a line for people, an object of an array. */
void live_recurrence_text(const struct recurrence *r, struct buffer *out);
void live_recurrence_json(const struct recurrence *r, struct json *j);
/* A sentence of the page of that incident, where it is one of several. */
void live_recurrence_of(const struct live_view *view, const struct core_incident *is, struct buffer *out);

#endif
