/* SPDX-License-Identifier: MIT */
/*
 * The role web in its parts: role/web_role.c lives with core, the parent and the loop; role/web_answer.c decides what
 * becomes of a request; role/web_door.c says who may come in. Private to the three.
 */
#ifndef ROLE_WEB_ROLE_H
#define ROLE_WEB_ROLE_H

#include "role/member.h"
#include "role/web_door.h"
#include "serve/http.h"

#define WEB_ASKS_MAX 32                 /* that wait for core; more are told to come again */
#define WEB_ASK_NS (10 * SECOND_NS)     /* for core to answer */
#define WEB_STREAM_NS HOUR_NS           /* then a stream ends, and its reader comes again with what still lets it in */
#define WEB_BEAT_NS (15 * SECOND_NS)    /* a stream hears something */

enum web_purpose { PURPOSE_ANSWER, PURPOSE_LOGIN, PURPOSE_STREAM, PURPOSE_COUNTERS };

struct web_pending { /* asked of core */
	uint64_t number;                /* 0: free */
	enum web_purpose purpose;
	enum web_question question;
	struct web_who who;
	struct http_request *request;   /* borrows; NULL: our own question */
	int64_t deadline;
	struct buffer answer;
};

struct web_listening {
	int fd;                         /* owns; -1: none */
	struct loop_source *source;
	struct web *web;                /* borrows */
};

struct web {
	struct member *member;          /* borrows */
	struct channel *core;           /* owns; NULL: none */
	struct http *http;              /* owns */
	struct loop_source *http_source;
	struct loop_timer *http_timer, *beat_timer;
	struct web_listening listening[WEB_LISTENERS_MAX];
	bool wanted[WEB_LISTENERS_MAX]; /* could not be had: asked for again */
	struct web_door door;
	struct web_pending asks[WEB_ASKS_MAX];
	uint64_t number;
	struct web_streamer {
		uint64_t mark;          /* 0: free */
		uint64_t session;       /* its serial; 0: by a bearer */
		int64_t until, beat;
	} streamers[HTTP_STREAMS_MAX];
	struct web_counts counts, told;
	struct web_said { /* a log line for each kind, at most one in so long; how many were left out */
		int64_t at;
		uint64_t left_out;
	} said[WEB_COUNTS];
};

/* --- web_answer.c --- */

/* A whole request: answered, or asked of core. */
void web_request(void *context, struct http_request *request);
/* All of core's answer is there. `part` is its last one. */
void web_finish(struct web *web, struct web_pending *pending, const struct web_part *part);
/* It is not coming. */
void web_give_up(struct web *web, struct web_pending *pending, bool is_late);
void web_stream_over(void *context, uint64_t mark);

/* --- web_role.c --- */

/* False: too many wait, or core is not there. */
bool web_ask_core(struct web *web, const struct web_pending *pending, struct web_ask *ask);
/* To core: what was counted, and whether anybody listens. */
void web_tell_counts(struct web *web);
/* Counts it, and says so in the log now and then. */
void web_note(struct web *web, enum web_count count, const char *who, const char *what);

#endif
