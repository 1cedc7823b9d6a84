/* SPDX-License-Identifier: MIT */
/*
 * What the daemon knows, a page at a time: tunnels and incidents, filtered and sorted, for the page's API. Beside
 * record/live.h, which has all of it at once. Called by the role core; decides nothing.
 */
#ifndef RECORD_LIVE_PAGE_H
#define RECORD_LIVE_PAGE_H

#include "model/web.h"
#include "record/live.h"

#define LIVE_IDLE_S 120 /* nothing came in for so long: suspect, where packets go out */

/* {"schema":"spimend.tunnels/1",...}, {"schema":"spimend.incidents/1",...}: doc/web-api.md. 0 or -ENOMEM. */
int live_tunnels_page(const struct live_view *view, const struct web_filter *filter, struct buffer *out);
int live_incidents_page(const struct live_view *view, const struct web_filter *filter, struct buffer *out);

void live_devices_page(const struct live_view *view, const struct web_filter *filter, struct buffer *out);
/* What each page begins with, in its object. */
void live_put_page_head(struct json *j, const char *schema, const struct live_view *view, const struct web_filter *filter,
			uint64_t total, uint64_t matched);

struct live_totals { /* in one walk over all of it */
	uint64_t tunnels, health[TUNNEL_HEALTHS]; /* rows of the tunnels' page: children, and configured ones that are down */
	uint64_t incidents, open, awaiting, states[INCIDENT_STATES], verdicts[VERDICT_OTHER_FAULT + 1];
};
/* 0 or -ENOMEM. */
int live_totals(const struct live_view *view, struct live_totals *ret);

#endif
