/* SPDX-License-Identifier: MIT */
/*
 * Who may come in: tokens, the sessions that a log-in makes of them, and how often anybody may ask. Holds hashes of tokens
 * alone, and compares them in constant time.
 *
 * Called by role/web_role.c. A personal token is core's to judge: here it is only hashed.
 */
#ifndef ROLE_WEB_DOOR_H
#define ROLE_WEB_DOOR_H

#include "model/web.h"
#include "role/bucket.h"

#define DOOR_SESSIONS_MAX 64
#define DOOR_SESSION_NS (12 * HOUR_NS)
#define DOOR_CLIENTS_MAX 256        /* whose rate is known; the one that was quiet longest makes room */
#define DOOR_RATE 100               /* requests a second of one token, or of one address without any; twice that at once */
#define DOOR_WRONG_RATE 5           /* wrong tokens a second of one address; twice that at once */
#define DOOR_COOKIE "spimend-session"

struct web_who {
	enum web_credential credential;
	uint8_t token[WEB_HASH_SIZE];
	uint32_t session;           /* its place plus one; 0: the token itself was shown */
	uint64_t serial;            /* of that session: the place may be another one's by now */
};

struct web_session {
	bool used;
	uint64_t serial;
	uint8_t key[WEB_HASH_SIZE]; /* hash of what the cookie holds */
	struct web_who who;
	int64_t until;              /* mono */
};

struct web_door {
	bool has_page;
	uint8_t page[WEB_HASH_SIZE];
	struct web_session sessions[DOOR_SESSIONS_MAX];
	uint64_t serial;
	struct web_client {
		uint64_t name;      /* 0: free */
		int64_t seen;
		struct bucket requests, wrong;
	} clients[DOOR_CLIENTS_MAX];
};

/* 0 or -EIO. */
int web_hash(struct text t, uint8_t ret[WEB_HASH_SIZE]);

/* Of a token as it was shown. False: it is none, or not the page's. True for a personal one: core judges it. */
bool door_token(const struct web_door *door, struct text token, struct web_who *ret);
/* Of a cookie. */
bool door_cookie(struct web_door *door, struct text cookie, int64_t now_ns, struct web_who *ret);
/* A session of that token; `to` gets what the cookie is to hold, WEB_TOKEN_TEXT_MAX bytes. False: there are too many, or no
 * randomness is to be had. */
bool door_enter(struct web_door *door, const struct web_who *who, int64_t now_ns, char *to);
/* Its serial; 0: it is no session, or over. */
uint64_t door_serial(const struct web_door *door, const struct web_who *who);
void door_leave(struct web_door *door, const struct web_who *who);
uint32_t door_sessions(const struct web_door *door);
/* The page token is another one: sessions of the old one are over. */
void door_change_page(struct web_door *door, const uint8_t hash[WEB_HASH_SIZE]);

/* May this one ask now? `who` NULL: known by its address alone. */
bool door_may_ask(struct web_door *door, const struct web_who *who, const char *address, int64_t now_ns);
/* May the wrong token of that address be answered as one? */
bool door_may_err(struct web_door *door, const char *address, int64_t now_ns);

#endif
