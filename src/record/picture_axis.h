/* SPDX-License-Identifier: MIT */
/*
 * Time across a picture. Even but for long gaps in which nothing happened: those are cut short and marked, or the restart
 * of ten minutes before would leave no room for what came of it. Pure.
 */
#ifndef RECORD_PICTURE_AXIS_H
#define RECORD_PICTURE_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AXIS_CUTS_MAX 3
#define AXIS_CUT_WIDTH 44.0 /* of the picture, for each */

struct axis {
	struct axis_part { /* in order; a cut between two parts */
		int64_t from, until; /* ns */
		double left, right;
	} parts[AXIS_CUTS_MAX + 1];
	size_t count;
};

/* `times`, in order, are what has to be seen; at least one. `left` to `right` is the room. */
void axis_make(const int64_t *times, size_t count, double left, double right, struct axis *ret);
/* Within the room, whatever the time. */
double axis_at(const struct axis *axis, int64_t ns);
/* How much of time the room shows, cuts not counted; ns. */
int64_t axis_span(const struct axis *axis);
/* A round distance of marks, ns, such that about `wanted` of them stand on the axis. */
int64_t axis_step(const struct axis *axis, unsigned wanted);

#endif
