/* SPDX-License-Identifier: MIT */
#include "record/statistics.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"

/* --- Groups ------------------------------------------------------------------------------------------------------- */

struct keyed { /* a row and where it belongs */
	const struct incident_row *row;
	int value;
};

static int month_of(const struct incident_row *row)
{
	struct civil c = calendar_from_instant(row->first);

	return row->has_times ? 12 * c.year + c.month - 1 : 0;
}

static int value_of(const struct incident_row *row, enum incident_group by)
{
	switch (by) {
	case GROUP_CAUSE:
		return (int)row->cause;
	case GROUP_VERDICT:
		return (int)row->verdict;
	case GROUP_MONTH:
		return month_of(row);
	default:
		return 0;
	}
}

static int compare_ends(const struct incident_row *x, const struct incident_row *y)
{
	int order = spimend_address_compare(&x->src, &y->src);

	return order ? order : spimend_address_compare(&x->dst, &y->dst);
}

static int compare_by_value(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

static int compare_by_ends(const void *a, const void *b)
{
	return compare_ends(((const struct keyed *)a)->row, ((const struct keyed *)b)->row);
}

static int64_t saved_by(const struct incident_row *row)
{
	if (!row->acted || row->state != STATE_HEALED || !row->ended.ns || !row->stale_ends.ns)
		return -1;
	return row->stale_ends.ns > row->ended.ns ? row->stale_ends.ns - row->ended.ns : 0;
}

static void count_in(struct statistics_group *g, const struct incident_row *row, struct instant now)
{
	int64_t outage = incident_row_outage(row, now), saved = saved_by(row);

	g->incidents++;
	if (row->has_times && (!g->first.ns || row->first.ns < g->first.ns))
		g->first = row->first;
	if (row->has_times && row->first.ns >= g->last.ns) {
		g->last = row->first;
		g->from_devices = row->origin == INCIDENT_OF_DEVICES;
	}
	if (!incident_row_loses_packets(row))
		return;
	g->faults++;
	g->healed += row->state == STATE_HEALED;
	g->repaired += row->state == STATE_HEALED && row->acted;
	g->going_on += incident_state_is_going_on(row->state);
	g->suffered_ns += outage;
	if (outage > g->longest_ns)
		g->longest_ns = outage;
	if (saved < 0)
		return;
	g->saved_known++;
	g->saved_ns += saved;
}

static int compare_groups(const void *a, const void *b)
{
	const struct statistics_group *x = a, *y = b;

	if (x->suffered_ns != y->suffered_ns)
		return x->suffered_ns > y->suffered_ns ? -1 : 1;
	if (x->incidents != y->incidents)
		return x->incidents > y->incidents ? -1 : 1;
	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return spimend_address_compare(&x->src, &y->src);
}

int statistics_new(const struct incident_row *const *rows, size_t count, enum incident_group by, struct instant now,
		   struct statistics *ret)
{
	struct keyed *keyed cleanup(memory_free_pointer) = memory_new(count + 1, sizeof(*keyed));
	int (*compare)(const void *, const void *) = by == GROUP_PEER ? compare_by_ends : compare_by_value;
	struct statistics s = { .count = 0 };

	if (!keyed)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		keyed[i] = (struct keyed){ rows[i], value_of(rows[i], by) };
		count_in(&s.total, rows[i], now);
	}
	if (by != GROUP_NONE) {
		s.groups = memory_new(count + 1, sizeof(*s.groups));
		if (!s.groups)
			return -ENOMEM;
		qsort(keyed, count, sizeof(*keyed), compare);
		for (size_t i = 0; i < count; i++) {
			if (i == 0 || compare(&keyed[i - 1], &keyed[i]) != 0)
				s.groups[s.count++] = (struct statistics_group){ .src = keyed[i].row->src, .dst = keyed[i].row->dst,
										 .value = keyed[i].value };
			count_in(&s.groups[s.count - 1], keyed[i].row, now);
		}
		if (by != GROUP_MONTH)
			qsort(s.groups, s.count, sizeof(*s.groups), compare_groups);
	}
	*ret = s;
	return 0;
}

void statistics_done(struct statistics *s)
{
	memory_free(s->groups);
	*s = (struct statistics){ .count = 0 };
}

/* --- What comes again ----------------------------------------------------------------------------------------------- */

static int compare_causes(const struct incident_row *x, const struct incident_row *y)
{
	int order = compare_ends(x, y);

	return order ? order : (x->cause > y->cause) - (x->cause < y->cause);
}

static int compare_for_recurrence(const void *a, const void *b)
{
	const struct incident_row *x = *(const struct incident_row *const *)a, *y = *(const struct incident_row *const *)b;
	int order = compare_causes(x, y);

	return order ? order : (x->first.ns > y->first.ns) - (x->first.ns < y->first.ns);
}

static int compare_recurrences(const void *a, const void *b)
{
	const struct recurrence *x = a, *y = b;

	if (x->times != y->times)
		return x->times > y->times ? -1 : 1;
	return (x->last.ns < y->last.ns) - (x->last.ns > y->last.ns);
}

/* The most that fit into the time, of rows of one kind in order of time. */
static struct recurrence closest(const struct incident_row *const *rows, size_t count, int64_t within_ns)
{
	struct recurrence r = { .src = rows[0]->src, .dst = rows[0]->dst, .cause = rows[0]->cause };

	for (size_t from = 0, to = 0; to < count; to++) {
		while (rows[to]->first.ns - rows[from]->first.ns > within_ns)
			from++;
		if (to - from + 1 < r.times)
			continue;
		r.times = (uint32_t)(to - from + 1);
		r.first = rows[from]->first;
		r.last = rows[to]->first;
	}
	r.verdict = rows[count - 1]->verdict;
	r.from_devices = rows[count - 1]->origin == INCIDENT_OF_DEVICES;
	memcpy(r.latest, rows[count - 1]->id, sizeof(r.latest));
	return r;
}

int recurrences_find(const struct incident_row *const *rows, size_t count, uint32_t times, int64_t within_ns, size_t most,
		     struct recurrence **ret_at, size_t *ret_count)
{
	const struct incident_row **sorted cleanup(memory_free_pointer) = memory_new(count + 1, sizeof(*sorted));
	struct recurrence *found = memory_new(count + 1, sizeof(*found));
	size_t n = 0, kinds = 0;

	if (!sorted || !found) {
		memory_free(found);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		if (incident_row_loses_packets(rows[i]) && rows[i]->has_times)
			sorted[n++] = rows[i];
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), compare_for_recurrence);
	for (size_t from = 0, to; from < n; from = to) {
		struct recurrence one;

		for (to = from + 1; to < n && compare_causes(sorted[from], sorted[to]) == 0; to++)
			;
		one = closest(sorted + from, to - from, within_ns);
		if (one.times >= times)
			found[kinds++] = one;
	}
	if (kinds > 1)
		qsort(found, kinds, sizeof(*found), compare_recurrences);
	*ret_at = found;
	*ret_count = kinds < most ? kinds : most;
	return 0;
}
