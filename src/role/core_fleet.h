/* SPDX-License-Identifier: MIT */
/*
 * The part of the role core that judges what the fleet's syslog tells: the judge of `spimend analyze`, fed line by line.
 * Nothing of it is acted upon: a line is a claim that anybody may have forged. Used by role/core_*.c.
 *
 * Weighing costs time in proportion to the flows, so it happens at most once a second, and never more than a twentieth of
 * the time, but when somebody asks. Many flows are weighed in slices, between which core does its other work, at most a
 * quarter of the time: what is claimed meanwhile waits, and who asks gets what was weighed last. Only who asks while it is
 * being weighed, or a queue that is full, has the rest of it done at once.
 */
#ifndef ROLE_CORE_FLEET_H
#define ROLE_CORE_FLEET_H

#include "record/live_fleet.h"
#include "role/fiber.h"
#include "role/loop.h"
#include "role/message.h"

#define FLEET_SLICED 16384     /* flows; fewer are weighed in one go */
#define FLEET_SLICE_NS (SECOND_NS / 100)
#define FLEET_TOLD_AT_ONCE 16384
#define FLEET_WAITING_MAX 131072 /* claims and other news that wait until all is weighed; what is never used costs nothing */
#define FLEET_TOLD_MAX 8192 /* incidents that the log and watchers heard of: by the hash of their id */

struct mind;

struct fleet_news {
	bool is_heard;
	union {
		struct syslog_claim claim;
		struct syslog_heard heard;
	};
};

struct mind_fleet {
	struct judge *judge;        /* owns; NULL: no syslog is heard */
	uint32_t flows_max;         /* of that judge */
	bool dirty;                 /* claims came since it was settled, or what it wanted to hear */
	bool wants;                 /* how long an observer goes on logging decides about a flow */
	int64_t again_ns;           /* mono: not before this */
	int64_t forgot_ns;
	struct loop_timer *timer;
	struct fiber *fiber;        /* owns; weighs many flows; NULL: it is not at it */
	bool is_inside;             /* of the fiber */
	int64_t slice_end_ns, took_ns;
	bool is_telling;            /* what is new of many incidents, some at a time ... */
	size_t told_up_to, said;    /* ... so many of them so far */
	struct fleet_news *waiting; /* owns: room for FLEET_WAITING_MAX, made when there are many flows */
	uint32_t waiting_count;
	struct syslog_counts counts;
	int listen_errors[SYSLOG_LISTENERS_MAX], file_errors[SYSLOG_FILES_MAX], journald_error;
	uint64_t losses[LOSSES];    /* as seen last ... */
	int64_t grew_ns[LOSSES];    /* ... and when one grew */
	uint64_t rows_lost;
	struct live_bursts bursts;
	struct live_fleet view;
	struct {
		uint64_t id, mark;
	} *told;                    /* owns: FLEET_TOLD_MAX */
};

/* What the configuration asks for, at the start and after a reload; with claims out of the store, if there is one. 0 or
 * negative errno. */
int mind_fleet_configure(struct mind *mind);
void mind_fleet_done(struct mind *mind);
/* True when it was for the fleet. */
bool mind_fleet_take(struct mind *mind, enum message_type type, const union message_item *item);
/* A listener or file could be had, or why not. True when it was one. */
bool mind_fleet_resource(struct mind *mind, const struct role_resource *resource);
/* Weighed anew where that is due; NULL: no syslog is heard. Borrowed until the next message. */
const struct live_fleet *mind_fleet_view(struct mind *mind);
/* Once a second: which losses grew. */
void mind_fleet_tick(struct mind *mind, int64_t now);
/* For a watcher that is new: what is open, a line or an object each. */
void mind_fleet_watch(struct mind *mind, bool json, struct buffer *out);

#endif
