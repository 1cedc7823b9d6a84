/* SPDX-License-Identifier: MIT */
#include "record/picture_axis.h"

#include "base/calendar.h"

#define GAP_SHARE 0.50  /* of what is shown: a shorter gap is never cut, so that what comes at even distances stays so */
#define GAP_TIMES 4.0   /* as long as the average of the others */
#define MARGIN 0.06     /* of each part's time at its ends, so that no mark stands on the edge */
#define LEAST_NS (SECOND_NS / 5)
#define MARGIN_MAX_NS (100 * DAY_NS) /* what may be added to any time of the calendar */

struct gap {
	int64_t from, until;
};

static int64_t length(struct gap g)
{
	return g.until - g.from;
}

/* The longest gap that is not cut yet and is worth it. */
static bool find_gap(const int64_t *times, size_t count, const struct gap *cuts, size_t cut_count, struct gap *ret)
{
	struct gap longest = { 0, 0 };
	int64_t rest = times[count - 1] - times[0];
	size_t gaps = 0;

	for (size_t i = 0; i < cut_count; i++)
		rest -= length(cuts[i]);
	for (size_t i = 1; i < count; i++) {
		struct gap g = { times[i - 1], times[i] };
		bool is_cut = false;

		for (size_t k = 0; k < cut_count; k++)
			is_cut = is_cut || cuts[k].from == g.from;
		if (is_cut || length(g) == 0)
			continue;
		gaps++;
		if (length(g) > length(longest))
			longest = g;
	}
	if (gaps < 2 || (double)length(longest) < GAP_SHARE * (double)rest)
		return false;
	*ret = longest;
	return (double)length(longest) > GAP_TIMES * (double)(rest - length(longest)) / (double)(gaps - 1);
}

static void sort_gaps(struct gap *cuts, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k > 0 && cuts[k].from < cuts[k - 1].from; k--) {
			struct gap g = cuts[k];

			cuts[k] = cuts[k - 1];
			cuts[k - 1] = g;
		}
}

static int64_t moved(int64_t ns, int64_t by)
{
	int64_t sum;

	return __builtin_add_overflow(ns, by, &sum) ? ns : sum;
}

void axis_make(const int64_t *times, size_t count, double left, double right, struct axis *ret)
{
	struct gap cuts[AXIS_CUTS_MAX];
	size_t cut_count = 0;
	double room = right - left, shown = 0, at = left;
	int64_t margin;

	while (cut_count < AXIS_CUTS_MAX && find_gap(times, count, cuts, cut_count, &cuts[cut_count]))
		cut_count++;
	sort_gaps(cuts, cut_count);
	*ret = (struct axis){ .count = cut_count + 1 };
	for (size_t i = 0; i <= cut_count; i++) {
		ret->parts[i].from = i ? cuts[i - 1].until : times[0];
		ret->parts[i].until = i < cut_count ? cuts[i].from : times[count - 1];
		shown += (double)(ret->parts[i].until - ret->parts[i].from);
	}
	margin = (int64_t)(shown * MARGIN);
	if (margin < LEAST_NS / 2)
		margin = LEAST_NS / 2;
	if (margin > MARGIN_MAX_NS)
		margin = MARGIN_MAX_NS;
	shown += 2 * (double)margin * (double)ret->count;
	room -= AXIS_CUT_WIDTH * (double)cut_count;
	for (size_t i = 0; i < ret->count; i++) {
		struct axis_part *p = &ret->parts[i];

		p->from = moved(p->from, -margin);
		p->until = moved(p->until, margin);
		p->left = at;
		p->right = at + room * ((double)(p->until - p->from) / shown);
		at = p->right + AXIS_CUT_WIDTH;
	}
}

double axis_at(const struct axis *axis, int64_t ns)
{
	for (size_t i = 0; i < axis->count; i++) {
		const struct axis_part *p = &axis->parts[i];

		if (ns < p->from) /* in the cut before it, or before all */
			return i ? (p->left + axis->parts[i - 1].right) / 2 : p->left;
		if (ns <= p->until)
			return p->left + (p->right - p->left) * ((double)(ns - p->from) / (double)(p->until - p->from));
	}
	return axis->parts[axis->count - 1].right;
}

int64_t axis_span(const struct axis *axis)
{
	int64_t span = 0;

	for (size_t i = 0; i < axis->count; i++)
		span += axis->parts[i].until - axis->parts[i].from;
	return span;
}

int64_t axis_step(const struct axis *axis, unsigned wanted)
{
	static const int64_t steps[] = {
		SECOND_NS / 1000, SECOND_NS / 500, SECOND_NS / 200, SECOND_NS / 100, SECOND_NS / 50, SECOND_NS / 20, SECOND_NS / 10,
		SECOND_NS / 5, SECOND_NS / 2, SECOND_NS, 2 * SECOND_NS, 5 * SECOND_NS, 10 * SECOND_NS, 20 * SECOND_NS, 30 * SECOND_NS,
		MINUTE_NS, 2 * MINUTE_NS, 5 * MINUTE_NS, 10 * MINUTE_NS, 20 * MINUTE_NS, 30 * MINUTE_NS, HOUR_NS, 2 * HOUR_NS,
		6 * HOUR_NS, 12 * HOUR_NS, DAY_NS, 7 * DAY_NS, 30 * DAY_NS, 365 * DAY_NS,
		10 * 365 * DAY_NS, 50 * 365 * DAY_NS,
	};
	size_t i = 0;

	while (i + 1 < sizeof(steps) / sizeof(steps[0]) && axis_span(axis) / steps[i] > (int64_t)wanted)
		i++;
	return steps[i];
}
