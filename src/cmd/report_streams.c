/* SPDX-License-Identifier: MIT */
#include "cmd/report_streams.h"

#include <inttypes.h>

#include "record/recorded_json.h"
#include "record/report_clocks.h"
#include "spimend/error.h"

struct report_stream *report_streams_new(struct report_streams *all, const char *name)
{
	struct report_stream *s;

	if (all->count == REPORT_STREAMS_MAX)
		return NULL;
	s = &all->at[all->count++];
	s->all = all;
	s->name = name;
	return s;
}

int report_stream_take(void *stream, struct text line)
{
	struct report_stream *s = stream;

	if (s->all->bytes + line.len > REPORT_BYTES_MAX)
		return SPIMEND_E_LIMIT;
	s->all->bytes += line.len + 1;
	s->count++;
	buffer_add(&s->lines, line);
	buffer_add_char(&s->lines, '\n');
	return buffer_error(&s->lines);
}

void report_streams_done(struct report_streams *all)
{
	for (size_t i = 0; i < all->count; i++) {
		buffer_done(&all->at[i].lines);
		recorded_reader_done(&all->at[i].reader);
	}
	*all = (struct report_streams){ 0 };
}

/* --- Reading --------------------------------------------------------------------------------------------------- */

static void rewind_to_events(struct report_stream *s)
{
	struct text all = buffer_text(&s->lines);

	s->rest = all;
	s->number = 1;
	text_take_line(&s->rest, &s->line); /* the incident: of the first stream taken already, of the others another's word */
	if (s == s->all->at || text_has(s->line, TEXT("\"spimend.incident/")))
		return;
	s->rest = all; /* events alone */
	s->number = 0;
}

/* The next line; `why` is NULL where it was read. False at the end. */
static bool next_line(struct report_stream *s, const char **why)
{
	do {
		if (!text_take_line(&s->rest, &s->line))
			return false;
		s->number++;
	} while (text_trim(s->line).len == 0);
	*why = NULL;
	recorded_read(&s->reader, s->line, &s->event, why);
	return true;
}

/* The next event; lines that are none are counted, and go with the others all the same. */
static void next_event(struct report_stream *s, struct buffer *recorded)
{
	struct report_streams *all = s->all;
	const char *why;

	s->has = false;
	while (!s->has && next_line(s, &why)) {
		s->has = !why;
		if (!why)
			continue;
		buffer_add(recorded, s->line);
		buffer_add_char(recorded, '\n');
		if (!all->unread++) {
			all->unread_line = s->number;
			all->unread_name = s->name;
			all->unread_why = why;
		}
	}
}

/* --- Clocks ---------------------------------------------------------------------------------------------------- */

/* What the first stream says of clocks. What others say is of their own clock, and of no use here. */
static void read_clocks(struct report_stream *s, struct report_evidence *evidence)
{
	const char *why;

	rewind_to_events(s);
	while (next_line(s, &why))
		if (!why)
			report_evidence_clock(evidence, &s->event);
}

/* Where one end's part came with its offset, IKE messages that both recorded often tell it better. */
static void refine(struct report_stream *s, struct report_evidence *evidence)
{
	for (size_t i = 0; i < evidence->end_count; i++) {
		struct report_clocks clocks = { .src = evidence->src, .dst = evidence->dst };
		struct report_end *end = &evidence->ends[i];
		int64_t offset, error;
		const char *why;

		if (!end->has_offset)
			continue;
		rewind_to_events(s);
		while (next_line(s, &why))
			if (!why && !text_equal(s->event.end, end->name))
				report_clocks_first(&clocks, &s->event);
		rewind_to_events(s);
		while (next_line(s, &why))
			if (!why && text_equal(s->event.end, end->name))
				report_clocks_other(&clocks, &s->event);
		if (report_clocks_offset(&clocks, &offset, &error))
			report_evidence_refine(evidence, end, offset, error, clocks.pairs);
		report_clocks_done(&clocks);
	}
}

/* Works out how another's clock stands, and says it as an event of its own, which goes into the evidence. */
static void estimate(struct report_streams *all, struct report_stream *other, struct report_evidence *evidence,
		     struct buffer *recorded)
{
	struct report_clocks clocks = { .src = evidence->src, .dst = evidence->dst };
	struct recorded told = { .kind = RECORDED_CLOCK };
	struct buffer end = { 0 }, text = { 0 };
	const char *why;

	rewind_to_events(&all->at[0]);
	while (next_line(&all->at[0], &why))
		if (!why)
			report_clocks_first(&clocks, &all->at[0].event);
	rewind_to_events(other);
	while (next_line(other, &why)) {
		if (why)
			continue;
		report_clocks_other(&clocks, &other->event);
		if (!end.len || (other->event.kind == RECORDED_PACKET && clocks.pairs == 1)) {
			buffer_clear(&end);
			buffer_add(&end, other->event.end);
		}
	}
	if (report_clocks_offset(&clocks, &told.offset_ns, &told.error_ns)) {
		told.has = RECORDED_HAS_OFFSET | RECORDED_HAS_ERROR;
		buffer_printf(&text, "worked out from %" PRIu64 " IKE messages that both recorded", clocks.pairs);
	} else {
		buffer_add_string(&text, "how its clock stands to the other's is not known: no IKE messages of both directions that both recorded; "
					 "its times are left as they are");
	}
	told.end = buffer_text(&end);
	told.text = buffer_text(&text);
	report_evidence_clock(evidence, &told);
	report_evidence_add(evidence, &told);
	record_recorded_json(&told, recorded);
	report_clocks_done(&clocks);
	buffer_done(&end);
	buffer_done(&text);
}

/* --- Joining --------------------------------------------------------------------------------------------------- */

/* Whose next event is the earliest; one without a time goes at once. */
static struct report_stream *earliest(struct report_streams *all, const struct report_evidence *evidence)
{
	struct report_stream *first = NULL;
	struct instant at = { 0 };

	for (size_t i = 0; i < all->count; i++) {
		struct report_stream *s = &all->at[i];
		struct instant its;

		if (!s->has)
			continue;
		if (!(s->event.has & RECORDED_HAS_WALL))
			return s;
		its = report_evidence_time(evidence, &s->event);
		if (!first || its.ns < at.ns) {
			first = s;
			at = its;
		}
	}
	return first;
}

void report_streams_join(struct report_streams *all, struct report_evidence *evidence, struct buffer *recorded)
{
	struct report_stream *s;

	read_clocks(&all->at[0], evidence);
	refine(&all->at[0], evidence);
	rewind_to_events(&all->at[0]);
	buffer_add(recorded, all->at[0].line);
	buffer_add_char(recorded, '\n');
	for (size_t i = 1; i < all->count; i++)
		estimate(all, &all->at[i], evidence, recorded);
	for (size_t i = 0; i < all->count; i++) {
		rewind_to_events(&all->at[i]);
		next_event(&all->at[i], recorded);
	}
	while ((s = earliest(all, evidence))) {
		report_evidence_add(evidence, &s->event);
		buffer_add(recorded, s->line);
		buffer_add_char(recorded, '\n');
		next_event(s, recorded);
	}
}
