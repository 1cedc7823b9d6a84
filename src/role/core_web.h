/* SPDX-License-Identifier: MIT */
/* What core keeps for the role web: its channel, personal tokens (hashed), drops over time. Part of struct mind. */
#ifndef ROLE_CORE_WEB_H
#define ROLE_CORE_WEB_H

#include "model/config_web.h"
#include "model/web.h"
#include "record/history.h"
#include "record/live_web.h"
#include "role/bucket.h"
#include "role/channel.h"

#define TOKENS_MAX 64         /* of all persons; the one that ends first makes room */
#define TOKENS_OF_ONE_MAX 4
#define TOKEN_LIFE_NS (12 * HOUR_NS)
#define WEB_SHARE_PERCENT 40  /* of core's time that answers may take: judging and repairing comes first */

struct mind_token {
	uint8_t hash[WEB_HASH_SIZE];
	uint32_t uid;
	char who[WEB_WHO_MAX]; /* "alice (uid 1000)", as the record names the person */
	struct instant until;  /* wall; 0: free */
};

struct mind_web {
	struct channel *channel;  /* owns; NULL: no web */
	bool is_there;            /* it said so */
	struct web_counts counts; /* as web told last */
	int errors[WEB_LISTENERS_MAX]; /* why a socket cannot be had; 0: it can */
	struct history *history;  /* owns; NULL: no memory */
	struct mind_token tokens[TOKENS_MAX];
	struct share share;       /* of core's time */
	bool lost;                /* news that web did not take */
	struct live_web view;
};

struct mind;
struct control_request;
struct role_resource;

int mind_web_begin(struct mind *mind);
void mind_web_done(struct mind *mind);
int mind_take_web(struct mind *mind, int fd);
/* Whether a socket of the page could be had; false: it is not about one. */
bool mind_web_resource(struct mind *mind, const struct role_resource *resource);
/* For `spimend status`. Borrowed until the next call. */
const struct live_web *mind_web_view(struct mind *mind);
/* Once a second. */
void mind_web_tick(struct mind *mind);
/* Somebody has an event stream open. */
bool mind_web_is_watched(const struct mind *mind);
/* An incident that is new or changed, as JSON. */
void mind_web_publish(struct mind *mind, struct text json);
/* `spimend metrics`. 0 or negative errno. */
int mind_metrics(struct mind *mind, struct buffer *out);

/* --- core_token.c --- */

/* `spimend token`: 0, CONTROL_REFUSED or negative errno. */
int mind_token_request(struct mind *mind, const struct control_request *request, struct buffer *out);
void mind_read_tokens(struct mind *mind);
/* NULL: no such token, or it has expired. */
const struct mind_token *mind_find_token(const struct mind *mind, const uint8_t hash[WEB_HASH_SIZE]);

#endif
