/* SPDX-License-Identifier: MIT */
#include "model/incident_row.h"

bool incident_row_loses_packets(const struct incident_row *row)
{
	return row->verdict == VERDICT_DESYNC || row->verdict == VERDICT_OTHER_FAULT;
}

bool incident_state_is_going_on(enum incident_state state)
{
	return state == STATE_OPEN || state == STATE_ACTING || state == STATE_AWAITING;
}

int64_t incident_row_outage(const struct incident_row *row, struct instant now)
{
	struct instant end = row->last;

	if (!incident_row_loses_packets(row) || !row->has_times)
		return 0;
	if (row->state == STATE_HEALED && row->ended.ns)
		end = row->ended;
	else if (incident_state_is_going_on(row->state))
		end = now;
	return end.ns > row->first.ns ? end.ns - row->first.ns : 0;
}

const char *incident_group_name(enum incident_group group)
{
	static const char *const names[INCIDENT_GROUPS] = { "", "peer", "cause", "month", "verdict" };

	return (unsigned)group < INCIDENT_GROUPS ? names[group] : "";
}

static bool is_name(const char *wanted, const char *name)
{
	return name[0] && text_equal_nocase(text_of(wanted), text_of(name));
}

bool incident_filter_takes(const struct incident_filter *f, const struct incident_row *row)
{
	bool goes_on = incident_state_is_going_on(row->state);
	struct instant end = row->ended.ns > row->last.ns ? row->ended : row->last;

	if ((f->has_since || f->has_until) && !row->has_times)
		return false;
	if ((f->has_since && !goes_on && end.ns < f->since.ns) || (f->has_until && row->first.ns > f->until.ns))
		return false;
	if (f->peer.family && spimend_address_compare(&f->peer, &row->src) != 0 &&
	    spimend_address_compare(&f->peer, &row->dst) != 0)
		return false;
	if (f->device[0] && !is_name(f->device, row->device) && !is_name(f->device, row->sender))
		return false;
	return (!f->verdicts || f->verdicts >> row->verdict & 1) && (!f->causes || f->causes >> row->cause & 1) &&
	       (!f->states || f->states >> row->state & 1);
}
