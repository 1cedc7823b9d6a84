/* SPDX-License-Identifier: MIT */
/*
 * What the role web asks core for a page, an API's client or a Prometheus, and what core answers: typed and bounded, so that
 * whoever takes web over can ask these questions and no others. Plain data that crosses a channel.
 */
#ifndef MODEL_WEB_H
#define MODEL_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "model/incident.h"

#define WEB_TOKEN_TEXT_MAX 64 /* "spw_" or "spp_" and 43 characters */
#define WEB_HASH_SIZE 32      /* SHA-256 of a token's text */
#define WEB_WHO_MAX 33        /* as FLEET_WHO_MAX */
#define WEB_WORD_MAX 48       /* of a search */
#define WEB_PART_MAX 24000    /* bytes of an answer in one message */
#define WEB_ANSWER_MAX (4u << 20)
#define WEB_ERROR_MAX 16
#define WEB_OFFSET_MAX 10000000

enum web_question {
	WEB_SESSION,   /* whose token is that? */
	WEB_STATUS, WEB_TUNNELS, WEB_INCIDENTS, WEB_INCIDENT, WEB_TIMELINE, WEB_APPROVE, WEB_DENY, WEB_HISTORY, WEB_APPLETS,
	WEB_DEVICES, WEB_COUNTERS, WEB_METRICS,
	WEB_QUESTIONS
};

enum web_credential {
	WEB_BY_PAGE,   /* the page token, which web has the hash of */
	WEB_BY_PERSON, /* a personal token, which core has: web_ask.token is its hash */
	WEB_CREDENTIALS
};

enum tunnel_health { HEALTH_INCIDENT, HEALTH_DOWN, HEALTH_STALE, HEALTH_SUSPECT, HEALTH_IDLE, HEALTH_OK, TUNNEL_HEALTHS };
enum web_sort { WEB_SORT_NAME, WEB_SORT_PEER, WEB_SORT_HEALTH, WEB_SORTS };

struct web_filter { /* which rows, and which of those */
	uint32_t offset, limit;
	uint32_t states;       /* of incidents: bits of enum incident_state; 0: all */
	bool has_verdict, has_cause, has_peer, has_health, has_since, has_until;
	bool oldest_first;     /* of incidents */
	bool is_old_format;    /* of the metrics: the text format from before OpenMetrics */
	bool by_minute;        /* of the history: a day of minutes instead of ten minutes of seconds */
	enum verdict verdict;
	enum cause cause;
	enum tunnel_health health;
	enum web_sort sort;    /* of tunnels */
	struct spimend_address peer;
	struct instant since, until;
	char word[WEB_WORD_MAX]; /* lower case; empty: any */
};

struct web_ask { /* web to core */
	uint64_t number;       /* not 0: the answer's parts have it */
	enum web_question question;
	enum web_credential credential;
	uint8_t token[WEB_HASH_SIZE];
	struct web_filter filter;
	char id[INCIDENT_ID_MAX];
	uint32_t step;
};

struct web_part { /* core to web: a piece of an answer, in order */
	uint64_t number;
	bool is_last;
	uint16_t status;            /* of HTTP */
	char error[WEB_ERROR_MAX];  /* the word for a status that is not 200; then the bytes are a sentence */
	uint32_t len;
	char bytes[WEB_PART_MAX];
};

struct web_news { /* core to web, for streams: an incident that is new or changed, as JSON; empty: some were lost */
	uint32_t len;
	char bytes[WEB_PART_MAX];
};

/* What became of requests. In one table with their names: of the status, and of metrics. */
enum web_count {
	WEB_ANSWERED,      /* with 2xx or 3xx */
	WEB_WRONG_TOKEN,
	WEB_WRONG_HOST,
	WEB_WRONG_ORIGIN,
	WEB_MALFORMED,     /* 400, 404, 405, 413 */
	WEB_RATE_LIMITED,
	WEB_BUSY,          /* too many at once, or core was away */
	WEB_LATE,          /* core did not answer in time */
	WEB_REFUSED_WORD,  /* approvals that were not taken */
	WEB_TOO_MANY,      /* connections closed unread: the most that may be */
	WEB_TIMED_OUT,     /* connections that said or took too little */
	WEB_LOST_NEWS,     /* changes that streams did not hear of one by one */
	WEB_COUNTS
};
const char *web_count_name(enum web_count count); /* "answered", "wrong-token" ... */

struct web_counts { /* web to core, when they changed */
	uint64_t counts[WEB_COUNTS];
	uint32_t connections, sessions, streams;
};

const char *tunnel_health_name(enum tunnel_health health);
const char *web_question_name(enum web_question question);
/* It changes something: asked by POST, with a personal token. */
bool web_is_word(enum web_question question);

bool web_valid_ask(const struct web_ask *ask);
bool web_valid_part(const struct web_part *part);
bool web_valid_news(const struct web_news *news);

#endif
