/* SPDX-License-Identifier: MIT */
#include "record/live_rows.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "record/live_private.h"

/* --- One row ------------------------------------------------------------------------------------------------------ */

void live_row_of_own(const struct live_view *view, const struct core_incident *is, struct incident_row *ret)
{
	*ret = (struct incident_row){ .origin = INCIDENT_OF_GATEWAY, .src = is->src, .dst = is->key.dst, .verdict = is->verdict,
				      .cause = is->cause, .state = is->state, .has_times = true, .is_suspicion = is->is_suspicion,
				      .first = is->first_seen, .last = is->last_seen, .stale_ends = is->ends,
				      .acted = live_did_anything(is) };
	memcpy(ret->id, is->id, sizeof(ret->id));
	text_copy(text_of(view->config->hostname), ret->device, sizeof(ret->device));
	if (is->state == STATE_HEALED)
		ret->ended = is->healed;
}

void live_row_of_case(const struct fleet_incident *is, struct incident_row *ret)
{
	*ret = (struct incident_row){ .origin = INCIDENT_OF_DEVICES, .src = is->src, .dst = is->dst, .verdict = is->verdict,
				      .cause = is->cause, .state = is->state, .has_times = true, .first = is->first_seen,
				      .last = is->last_seen, .stale_ends = is->stale_ends };
	memcpy(ret->id, is->id, sizeof(ret->id));
	text_copy(text_of(is->receiver), ret->device, sizeof(ret->device));
	memcpy(ret->sender, is->sender, sizeof(ret->sender));
	if (is->state == STATE_HEALED)
		ret->ended = is->ended;
	for (uint32_t i = 0; i < is->step_count && i < FLEET_STEPS_MAX; i++)
		ret->acted = ret->acted || is->steps[i].ordered.ns != 0;
}

/* By a glance, since there may be very many; in full where the question is about what a glance does not tell. */
static void row_of_logs(const struct live_view *view, const struct incident_filter *filter, size_t index,
			struct incident_row *ret)
{
	struct judge_glance glance = live_fleet_glance(view->fleet, index);
	bool over = glance.verdict == VERDICT_TRANSIENT || glance.verdict == VERDICT_NOISE ||
		    (glance.has_times && view->now.wall.ns - glance.last.ns >= view->config->close_ns);
	struct incident i;

	*ret = (struct incident_row){ .origin = INCIDENT_OF_LOGS, .verdict = glance.verdict, .has_times = glance.has_times,
				      .first = glance.first, .last = glance.last, .state = over ? STATE_CLOSED : STATE_OPEN };
	if (!filter)
		return;
	ret->src = *glance.src;
	ret->dst = *glance.dst;
	if (!filter->causes && !filter->device[0])
		return;
	live_fleet_incident(view->fleet, view->config, view->now.wall, index, &i);
	ret->cause = i.cause;
	text_copy(i.observer, ret->device, sizeof(ret->device));
}

/* --- All of them -------------------------------------------------------------------------------------------------- */

static int compare_flows(const struct core_incident *x, const struct core_incident *y)
{
	int order = spimend_address_compare(&x->src, &y->src);

	if (order == 0)
		order = spimend_address_compare(&x->key.dst, &y->key.dst);
	if (order == 0 && x->key.spi != y->key.spi)
		order = x->key.spi < y->key.spi ? -1 : 1;
	return order;
}

static int compare_first_seen(const void *a, const void *b)
{
	const struct live_row *x = a, *y = b;

	if (x->row.has_times != y->row.has_times)
		return x->row.has_times ? -1 : 1;
	if (x->row.has_times && x->row.first.ns != y->row.first.ns)
		return x->row.first.ns < y->row.first.ns ? -1 : 1;
	if (x->row.origin != y->row.origin)
		return x->row.origin < y->row.origin ? -1 : 1;
	if (x->is && y->is)
		return compare_flows(x->is, y->is);
	if (x->on_disk || y->on_disk)
		return strcmp(x->row.id, y->row.id);
	return (x->index > y->index) - (x->index < y->index);
}

static struct live_row *add(struct live_rows *rows)
{
	if (rows->count == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 256;
		struct live_row *at = memory_resize(rows->at, room, sizeof(*at));

		if (!at) {
			rows->failed = true;
			return NULL;
		}
		rows->at = at;
		rows->room = room;
	}
	rows->at[rows->count] = (struct live_row){ .index = 0 };
	return &rows->at[rows->count++];
}

struct reading { /* of the store */
	const struct live_view *view;
	const struct incident_filter *filter;
	struct live_rows *rows;
};

/* What is in memory is newer there. */
static bool add_stored(void *context, const struct incident_row *row)
{
	const struct reading *r = context;
	struct incident_row one = *row;
	struct live_row *to;

	if (row->origin == INCIDENT_OF_GATEWAY)
		text_copy(text_of(r->view->config->hostname), one.device, sizeof(one.device));
	if (row->origin == INCIDENT_OF_GATEWAY ? core_find(r->view->core, row->id) != NULL :
						 r->view->cases && fleet_find(r->view->cases, row->id))
		return true;
	if (!incident_filter_takes(r->filter, &one))
		return true;
	to = add(r->rows);
	if (!to)
		return false;
	to->row = one;
	to->on_disk = true;
	return true;
}

/* The row that was added last, unless nobody asked for it. */
static void sift(struct live_rows *rows, const struct incident_filter *filter)
{
	if (filter && !incident_filter_takes(filter, &rows->at[rows->count - 1].row))
		rows->count--;
}

static void add_memory(const struct live_view *view, const struct live_pairs *pairs, const struct incident_filter *filter,
		       bool logs, struct live_rows *rows)
{
	const struct fleet_incident *case_is;
	const struct core_incident *is;
	struct live_row *to;

	for (size_t i = 0; (is = core_incident_at(view->core, i)) && (to = add(rows)); i++) {
		live_row_of_own(view, is, &to->row);
		to->is = is;
		sift(rows, filter);
	}
	for (size_t i = 0; view->cases && (case_is = fleet_at(view->cases, i)) && (to = add(rows)); i++) {
		live_row_of_case(case_is, &to->row);
		to->case_is = case_is;
		to->index = i;
		sift(rows, filter);
	}
	for (size_t i = 0; logs && view->fleet && i < judge_incidents(view->fleet->judge); i++) {
		if (!live_fleet_is_shown(view->fleet, pairs, i))
			continue;
		to = add(rows);
		if (!to)
			return;
		row_of_logs(view, filter, i, &to->row);
		to->index = i;
		sift(rows, filter);
	}
}

int live_rows_new(const struct live_view *view, const struct live_pairs *pairs, const struct incident_filter *filter,
		  uint32_t most, bool logs, struct live_rows *ret)
{
	struct live_rows rows = { .room = 0 };
	struct reading reading = { view, filter, &rows };
	uint32_t limit = filter && filter->limit ? filter->limit : most;
	int r = 0;

	add_memory(view, pairs, filter, logs, &rows);
	if (filter && view->disk && !rows.failed)
		r = store_list(view->disk, filter, add_stored, &reading);
	if (r == 0 && rows.failed)
		r = -ENOMEM;
	if (r < 0) {
		live_rows_done(&rows);
		return r;
	}
	if (rows.count > 1)
		qsort(rows.at, rows.count, sizeof(*rows.at), compare_first_seen);
	if (rows.count > limit) {
		rows.left_out = rows.count - limit;
		memmove(rows.at, rows.at + rows.left_out, limit * sizeof(*rows.at));
		rows.count = limit;
	}
	*ret = rows;
	return 0;
}

void live_rows_done(struct live_rows *rows)
{
	memory_free(rows->at);
	*rows = (struct live_rows){ .room = 0 };
}
