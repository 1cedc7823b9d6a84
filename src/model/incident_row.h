/* SPDX-License-Identifier: MIT */
/*
 * An incident on one row: what lists and statistics need of one, whoever noticed it, in memory or on disk; and which rows a
 * question is about. Plain data.
 */
#ifndef MODEL_INCIDENT_ROW_H
#define MODEL_INCIDENT_ROW_H

#include "model/config_device.h"
#include "model/incident.h"

enum incident_origin {
	INCIDENT_OF_GATEWAY, /* this gateway's own */
	INCIDENT_OF_DEVICES, /* between devices of the configuration, looked at and perhaps repaired */
	INCIDENT_OF_LOGS,    /* what syslog alone tells */
};

#define INCIDENT_ROW_NAME_MAX 64
struct incident_row {
	char id[INCIDENT_ID_MAX];
	enum incident_origin origin;
	struct spimend_address src, dst; /* who sends, and who drops */
	char device[INCIDENT_ROW_NAME_MAX], sender[DEVICE_NAME_MAX]; /* the observer, and the other end; empty: no name */
	enum verdict verdict;
	enum cause cause;
	enum incident_state state;
	bool has_times, is_suspicion;
	struct instant first, last, ended; /* wall; ended: traffic flows again, 0 where nobody can say */
	struct instant stale_ends;         /* wall: when the dead SA would have ended by itself; 0: not known */
	bool acted;                        /* a step of ours was done */
};

/* A desync or another fault: only then are packets lost. */
bool incident_row_loses_packets(const struct incident_row *row);
bool incident_state_is_going_on(enum incident_state state);
/* From the first packet that was lost, or the first message about it, until traffic flowed again; until now while it goes
 * on; until the last one that was seen where it ended without proof. 0 where no packets are lost. Nanoseconds. */
int64_t incident_row_outage(const struct incident_row *row, struct instant now);

enum incident_group { GROUP_NONE, GROUP_PEER, GROUP_CAUSE, GROUP_MONTH, GROUP_VERDICT, INCIDENT_GROUPS };
const char *incident_group_name(enum incident_group group);

#define INCIDENT_LIMIT_MAX 100000u
struct incident_filter { /* zero: everything */
	bool is_set;                  /* anything was asked for */
	bool has_since, has_until;
	struct instant since, until;  /* wall: an incident that goes on at any time between them */
	struct spimend_address peer;  /* either end; family 0: any */
	uint32_t verdicts, causes, states; /* bits by value; 0: any */
	char device[INCIDENT_ROW_NAME_MAX]; /* either end, in any case; empty: any */
	uint32_t limit;               /* the newest so many; 0: not said */
	enum incident_group by;       /* of statistics */
};
bool incident_filter_takes(const struct incident_filter *filter, const struct incident_row *row);

#endif
