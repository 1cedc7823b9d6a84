/* SPDX-License-Identifier: MIT */
/*
 * What the fleet's syslog told, for people and for programs: the judge's incidents beside the gateway's own, and how the
 * listeners fare. Private to record/live_*.c and the role core.
 */
#ifndef RECORD_LIVE_FLEET_H
#define RECORD_LIVE_FLEET_H

#include "base/json.h"
#include "judge/judge.h"
#include "model/config.h"
#include "model/syslog.h"
#include "plan/plan.h"
#include "record/live_burst.h"
#include "record/live_cases.h"

enum live_loss { LOSS_SOCKET, LOSS_RATE, LOSS_QUEUE, LOSS_SOURCES, LOSS_FLOWS, LOSS_JOURNALD, LOSSES };

struct live_fleet { /* borrows */
	struct judge *judge;                   /* settled; NULL: no syslog is heard */
	const struct live_bursts *bursts;      /* of that judge */
	const struct syslog_counts *counts;
	const int *listen_errors, *file_errors; /* by their place in the configuration; 0: heard */
	int journald_error;                    /* 0: it is read */
	int64_t grew_ns[LOSSES];               /* mono: a loss was counted last; 0: never */
	uint64_t rows_lost;                    /* claims that found no room to be kept over a restart */
};

/* How many there are, and those that are told of: a burst is one. */
bool live_fleet_is_listed(const struct live_fleet *fleet, size_t index);
size_t live_fleet_count(const struct live_fleet *fleet);
/* The least that is to be known of one that is listed. */
struct judge_glance live_fleet_glance(const struct live_fleet *fleet, size_t index);
/* One of its incidents: with what its age makes of its state. Borrowed until the next call. */
void live_fleet_incident(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
			 struct incident *ret);
/* The plan, as the mode has it: nothing in mode observe. Of a burst: for its first peer. *incident is as
 * live_fleet_incident() left it, and still is. */
void live_fleet_plan(const struct live_fleet *fleet, size_t index, const struct incident *incident,
		     const struct config *config, struct plan *ret);
/* A desync or other fault that was told of lately. */
bool live_fleet_is_fault(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index);
/* False: it is not listed, or it stands in the incident that the fleet's mind has of the same ends. */
bool live_fleet_is_shown(const struct live_fleet *fleet, const struct live_pairs *pairs, size_t index);
/* That one; NULL: there is none. */
const struct live_pair *live_fleet_case_of(const struct live_fleet *fleet, const struct live_pairs *pairs, size_t index);
/* By its id or the beginning of one. 0; -ENOENT; -ENOTUNIQ. */
int live_fleet_find(const struct live_fleet *fleet, const char *id, size_t *ret);

void live_fleet_json(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
		     bool explain, struct buffer *out);
void live_fleet_explain(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
			struct buffer *out);
/* A row of the table, and a line for watchers. */
void live_fleet_row(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
		    struct buffer *out);
void live_fleet_watch(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
		      struct buffer *out);

/* Of `spimend status`: lines for people, the member "syslog", troubles. */
void live_fleet_status(const struct live_fleet *fleet, const struct config *config, struct buffer *out);
void live_fleet_status_json(const struct live_fleet *fleet, const struct config *config, struct json *j);
void live_fleet_troubles(const struct live_fleet *fleet, const struct config *config, int64_t now_ns, struct buffer *out);

#endif
