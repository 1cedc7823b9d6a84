/* SPDX-License-Identifier: MIT */
/*
 * Incidents between other devices, as the fleet's mind has them (cases), on the daemon's pages: beside the gateway's own,
 * and in place of what the judge of syslog makes of the same messages. Steps that wait for a person stand on top. Private
 * to record/live_*.c and the role core.
 */
#ifndef RECORD_LIVE_CASES_H
#define RECORD_LIVE_CASES_H

#include "base/json.h"
#include "fleet/fleet.h"
#include "fleet/survey.h"
#include "judge/judge.h"

/* Between which ends there is a case, and when: what syslog told of them then is shown as that case. */
struct live_pair {
	char id[INCIDENT_ID_MAX];
	struct spimend_address src, dst;
	struct instant first, last;
	bool any_src; /* a burst of many senders: nothing less tells of another burst */
};
struct live_pairs {
	struct live_pair *at; /* owns; by dst */
	size_t count;
};
/* `cases` NULL: none. 0 or -ENOMEM. */
int live_pairs_new(const struct fleet *cases, const struct config *config, struct live_pairs *ret);
void live_pairs_done(struct live_pairs *pairs); /* for cleanup() */
/* NULL: none. Borrowed from `pairs`. */
const struct live_pair *live_pairs_cover(const struct live_pairs *pairs, const struct judge_glance *glance, bool is_burst);

bool live_case_is_fault(const struct fleet_incident *is, const struct config *config, struct instant now);
/* Whether any is. */
bool live_cases_have_fault(const struct fleet *cases, const struct config *config, struct instant now);
/* By its id or the beginning of one. 0; -ENOENT; -ENOTUNIQ. */
int live_case_find(const struct fleet *cases, const char *id, const struct fleet_incident **ret);

/* Of what is a change for watchers; a line for them, and a row of the table. The object is record_fleet_json(),
 * the page record_fleet_explain(). */
uint64_t live_case_mark(const struct fleet_incident *is);
void live_case_watch(const struct fleet_incident *is, struct instant now, struct buffer *out);
void live_case_row(const struct fleet_incident *is, struct instant now, struct buffer *out);

/* Steps that wait for a person, each with the line to type; nothing where none does. */
void live_cases_asking(const struct fleet *cases, struct buffer *out);
/* Of `spimend status`: lines for people, those that lose packets, the member "devices". `cases` and `survey` may be NULL. */
void live_cases_status(const struct fleet *cases, const struct survey *survey, const struct config *config,
		       struct buffer *out);
void live_cases_worst(const struct fleet *cases, const struct config *config, struct instant now, struct buffer *out);
void live_cases_status_json(const struct fleet *cases, const struct survey *survey, const struct config *config,
			    struct json *j);

#endif
