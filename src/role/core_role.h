/* SPDX-License-Identifier: MIT */
/*
 * The role core in its parts: role/core_role.c wires, role/core_keep.c keeps and shows. Private to the two.
 */
#ifndef ROLE_CORE_ROLE_H
#define ROLE_CORE_ROLE_H

#include "core/core.h"
#include "record/live.h"
#include "record/store.h"
#include "role/member.h"
#include "serve/control.h"

#define MIND_NOTE_MAX 160
#define MIND_WATCHED_MAX 1024
#define MIND_ORDERS_MAX 64 /* of one turn; core has far fewer under way at once */

struct mind {
	struct member *member;      /* borrows */
	struct core *core;          /* owns */
	struct store *store;        /* owns; NULL: none */
	struct control *control;    /* owns; NULL: none yet */
	struct channel *sense, *act; /* owns */
	struct loop_source *control_source;
	struct loop_timer *tick_timer, *flush_timer, *control_timer, *summary_timer;
	struct store_figures figures; /* of the store, as latest asked */
	int store_trouble;            /* as said in the log last */
	int64_t store_again;          /* when one that is not there is tried again */
	char store_note[MIND_NOTE_MAX], sense_note[MIND_NOTE_MAX], act_note[MIND_NOTE_MAX], journal_note[MIND_NOTE_MAX],
		lost_note[MIND_NOTE_MAX];
	struct live_sensors sensors;        /* what the parent could open for sense and act */
	uint64_t limits[LIVE_LIMITS];       /* counts as seen last ... */
	int64_t limit_hit_ns[LIVE_LIMITS];  /* ... and when one grew */
	struct order orders[MIND_ORDERS_MAX]; /* to be sent when the incident is on disk */
	size_t order_count;
	bool lost_watches;            /* sense did not keep up: all are to be sent again */
	struct role_summary summary;  /* as told last */
	/* What watchers were told last, in the place of the id's hash: two that share one are told more often than needed. */
	struct mind_watched {
		char id[INCIDENT_ID_MAX];
		uint64_t mark;
	} watched[MIND_WATCHED_MAX];
};

struct moment mind_now(const struct mind *mind);

/* --- core_keep.c --- */

/* Opens the store, makes core from what it holds. 0 or negative errno; a store that cannot be had is no error. */
int mind_restore(struct mind *mind);
/* Writes what is remembered; says in the log when that fails, and when it works again. */
void mind_flush(struct mind *mind);
/* Where there was no store at the start. */
void mind_retry_store(struct mind *mind);
void mind_keep_incident(struct mind *mind, const char *id);
int mind_take_control(struct mind *mind, int listening);
void mind_allow(struct mind *mind);

#endif
