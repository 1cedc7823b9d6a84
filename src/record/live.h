/* SPDX-License-Identifier: MIT */
/*
 * What the daemon knows, for people and for programs: the answers of the control socket. Reads core through its views,
 * writes to a buffer. Called by the role `core`; decides nothing.
 */
#ifndef RECORD_LIVE_H
#define RECORD_LIVE_H

#include "core/core.h"
#include "record/live_cases.h"
#include "record/live_fleet.h"
#include "record/live_notify.h"
#include "record/live_recorder.h"
#include "record/live_web.h"
#include "record/store.h"

#define LIVE_NOTES_MAX 8

/* What could be opened for the sensors. */
enum live_source { LIVE_PACKETS, LIVE_AUDIT, LIVE_COUNTERS, LIVE_KERNEL, LIVE_SOURCES };
struct live_sensors {
	int lacks[LIVE_SOURCES]; /* 0, or negative errno */
	struct {
		char name[GATEWAY_INTERFACE_MAX];
		int error; /* 0: heard; -ENODEV: not there; -ENETDOWN: down; else why it cannot be heard */
	} interfaces[CONFIG_INTERFACES_MAX];
	uint32_t interface_count;
};

enum live_limit { LIVE_LIMIT_FLOWS, LIVE_LIMIT_INCIDENTS, LIVE_LIMIT_OUTPUTS, LIVE_LIMIT_LEDGER, LIVE_LIMITS };

struct survey;

struct live_view { /* everything that a page needs; borrows all of it */
	const struct core *core;
	const struct config *config;
	struct moment now;
	struct instant started;            /* wall: when this daemon came up */
	int64_t up_ns;                     /* since then, by the monotonic clock */
	const struct store_figures *store; /* NULL: there is none */
	struct store *disk;                /* the same, to be read; NULL: it is not asked */
	const struct incident_filter *filter; /* of incidents and statistics; NULL: all that is in memory */
	const char *store_note;            /* what store_open() had to say; NULL: nothing */
	const char *notes[LIVE_NOTES_MAX]; /* further troubles, a sentence each: "the role act is down since ..." */
	size_t note_count;
	const struct live_sensors *sensors;   /* NULL: not told */
	const struct live_notify *notify;     /* NULL: not told */
	const struct live_recorder *recorder; /* NULL: not told */
	const struct live_web *web;           /* NULL: not told */
	const struct live_fleet *fleet;       /* NULL: no syslog is heard */
	const struct fleet *cases;            /* incidents between other devices; NULL: no device is configured */
	const struct survey *survey;          /* which devices told their addresses and sites; NULL with `cases` */
	int64_t limit_hit_ns[LIVE_LIMITS];    /* mono: latest; 0: never */
};

/* Exit status of the commands: 1 while a desync or another fault is open or worked on, or was given up and goes on;
 * else 0. */
int live_exit_status(const struct live_view *view);
/* Of `status`: also 1 while there is any trouble. */
int live_exit_status_of_all(const struct live_view *view);
/* Why the daemon cannot see, remember or repair what it was configured for: a sentence a line; nothing where all is well. */
void live_troubles(const struct live_view *view, struct buffer *out);
/* By its id or the beginning of one, of those in memory. 0; -ENOENT; -ENOTUNIQ where several begin so. */
int live_find_incident(const struct core *core, const char *id, const struct core_incident **ret);
/* Of `explain`: of that one. */
int live_exit_status_of(const struct live_view *view, const struct core_incident *incident);

/* {"schema":"spimend.status/1",...} or the page for people. */
void live_status_text(const struct live_view *view, struct buffer *out);
void live_status_json(const struct live_view *view, struct buffer *out);
void live_status_page(const struct live_view *view, struct buffer *out); /* the same without rows of tunnels */

/* A table; or an object a line (spimend.incident/1), ordered by first sighting, then {"schema":"spimend.summary/1",...}. */
void live_incidents_text(const struct live_view *view, struct buffer *out);
void live_incidents_json(const struct live_view *view, struct buffer *out);

/* How many, how long, what was spared and what recurs, of those that view->filter takes (NULL: all that is kept): a page, or
 * an object a line: spimend.stats/1 for each group, then one for all. */
void live_stats_text(const struct live_view *view, struct buffer *out);
void live_stats_json(const struct live_view *view, struct buffer *out);

/* One incident in full. The incident may be core's or the store's. */
void live_explain_text(const struct live_view *view, const struct core_incident *incident, struct buffer *out);
void live_explain_json(const struct live_view *view, const struct core_incident *incident, struct buffer *out);

/* What to fix so that it does not come again, behind the page of an incident between devices. */
void live_cure_of_case(const struct live_view *view, const struct fleet_incident *is, struct buffer *out);

/* One change, one line: for control_publish(), and for each open incident when a watcher comes. */
void live_watch_text(const struct live_view *view, const struct core_incident *incident, struct buffer *out);
void live_watch_json(const struct live_view *view, const struct core_incident *incident, struct buffer *out);
/* Of what is a change: another number when state, verdict, cause, the steps or the next step changed; the same while only
 * counts and times move. */
uint64_t live_watch_mark(const struct core_incident *incident);

#endif
