/* SPDX-License-Identifier: MIT */
#include "record/live_recurrence.h"

#include <inttypes.h>

#include "base/memory.h"
#include "plan/explain.h"
#include "record/live_rows.h"
#include "record/statistics.h"
#include "record/values.h"

#define WIDTH 100
#define SHOWN_MAX 16
#define FAULTS (1u << VERDICT_DESYNC | 1u << VERDICT_OTHER_FAULT)

struct found { /* what recurs */
	struct recurrence *at; /* owns */
	size_t count;
};

static void found_done(struct found *found)
{
	memory_free(found->at);
}

/* Among all that the filter takes; what logs alone tell has no cause that could recur. False: nothing can be said. */
static bool find(const struct live_view *view, const struct incident_filter *filter, struct found *ret)
{
	const struct incident_row **at cleanup(memory_free_pointer) = NULL;
	cleanup(live_rows_done) struct live_rows rows = { 0 };
	struct live_pairs none = { 0 };

	if (view->config->recurrence_count < 2 || live_rows_new(view, &none, filter, UINT32_MAX, false, &rows) < 0)
		return false;
	at = memory_new(rows.count + 1, sizeof(*at));
	if (!at)
		return false;
	for (size_t i = 0; i < rows.count; i++)
		at[i] = &rows.at[i].row;
	return recurrences_find(at, rows.count, view->config->recurrence_count, view->config->recurrence_ns, SHOWN_MAX, &ret->at,
				&ret->count) == 0;
}

/* In one line, with the words of whom it concerns. */
static void add_fix(const struct recurrence *r, struct buffer *out)
{
	struct incident incident = { .src = r->src, .dst = r->dst, .cause = r->cause, .verdict = r->verdict,
				     .protocol = SPIMEND_PROTOCOL_ESP,
				     .dialect = r->from_devices ? DIALECT_IOS : DIALECT_STRONGSWAN };
	cleanup(buffer_done) struct buffer lines = { 0 };
	struct text left, line;
	bool first = true;

	explain_section_write(&incident, NULL, EXPLAIN_FIX, &lines);
	left = buffer_text(&lines);
	while (text_take_line(&left, &line)) {
		buffer_add_string(out, first ? "" : " ");
		buffer_add(out, line);
		first = false;
	}
	out->failed |= lines.failed;
}

static struct incident_filter lately(const struct live_view *view)
{
	return (struct incident_filter){ .is_set = true, .has_since = true, .verdicts = FAULTS,
					 .since = { view->now.wall.ns - view->config->recurrence_ns } };
}

static void add_times(const struct recurrence *r, struct buffer *out)
{
	buffer_printf(out, "%" PRIu32 " times within ", r->times);
	calendar_print_duration(out, r->last.ns - r->first.ns);
}

void live_recurrence_text(const struct recurrence *r, struct buffer *out)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];
	cleanup(buffer_done) struct buffer t = { 0 };

	buffer_printf(&t, "RECURS %s -> %s, %s: ", spimend_address_print(&r->src, src), spimend_address_print(&r->dst, dst),
		      cause_name(r->cause));
	add_times(r, &t);
	buffer_add_string(&t, ". ");
	add_fix(r, &t);
	record_add_wrapped(out, WIDTH, buffer_text(&t), 7, 0);
	out->failed |= t.failed;
}

void live_recurrences_text(const struct live_view *view, struct buffer *out)
{
	struct incident_filter filter = lately(view);
	cleanup(found_done) struct found found = { 0 };

	if (!find(view, &filter, &found))
		return;
	for (size_t i = 0; i < found.count; i++)
		live_recurrence_text(&found.at[i], out);
}

void live_recurrence_json(const struct recurrence *r, struct json *j)
{
	cleanup(buffer_done) struct buffer fix = { 0 };

	add_fix(r, &fix);
	json_object(j, NULL);
	record_put_address(j, "src", &r->src);
	record_put_address(j, "dst", &r->dst);
	json_string(j, "cause", cause_name(r->cause));
	json_unsigned(j, "times", r->times);
	record_put_time(j, "first", true, r->first);
	record_put_time(j, "last", true, r->last);
	json_string(j, "latest", r->latest);
	json_text(j, "fix", buffer_text(&fix));
	json_object_end(j);
}

void live_recurrences_json(const struct live_view *view, struct json *j)
{
	struct incident_filter filter = lately(view);
	cleanup(found_done) struct found found = { 0 };

	json_array(j, "recurrences");
	if (find(view, &filter, &found))
		for (size_t i = 0; i < found.count; i++)
			live_recurrence_json(&found.at[i], j);
	json_array_end(j);
}

/* --- Of one incident ------------------------------------------------------------------------------------------------ */

/* Those around it: within the time up to it, and up to now. */
static void say_of(const struct live_view *view, const struct incident_row *row, struct buffer *out)
{
	struct incident_filter filter = { .is_set = true, .has_since = true, .verdicts = FAULTS,
					  .causes = 1u << row->cause, .peer = row->src,
					  .since = { row->first.ns - view->config->recurrence_ns } };
	cleanup(found_done) struct found found = { 0 };
	cleanup(buffer_done) struct buffer t = { 0 };

	if (!incident_row_loses_packets(row) || !find(view, &filter, &found))
		return;
	for (size_t i = 0; i < found.count; i++) {
		const struct recurrence *r = &found.at[i];

		if (spimend_address_compare(&r->src, &row->src) != 0 || spimend_address_compare(&r->dst, &row->dst) != 0)
			continue;
		buffer_add_string(&t, "It recurs: ");
		add_times(r, &t);
		buffer_printf(&t, " with this peer, each time %s. Each repair cures that one incident alone; the root cause is what has to be "
				  "fixed (B13).", r->cause == CAUSE_UNKNOWN ? "by a cause that is not known" : cause_name(r->cause));
		buffer_add_string(out, "  ");
		record_add_wrapped(out, WIDTH, buffer_text(&t), 2, 2);
		return;
	}
}

void live_recurrence_of(const struct live_view *view, const struct core_incident *is, struct buffer *out)
{
	struct incident_row row;

	live_row_of_own(view, is, &row);
	say_of(view, &row, out);
}

void live_cure_of_case(const struct live_view *view, const struct fleet_incident *is, struct buffer *out)
{
	struct incident_row row;
	struct recurrence one = { .src = is->src, .dst = is->dst, .cause = is->cause, .verdict = is->verdict,
				  .from_devices = true };
	cleanup(buffer_done) struct buffer t = { 0 };

	live_row_of_case(is, &row);
	if (!incident_row_loses_packets(&row))
		return;
	record_add_heading(out, explain_section_title(EXPLAIN_FIX));
	add_fix(&one, &t);
	record_add_paragraph(out, WIDTH, &t);
	say_of(view, &row, out);
}
