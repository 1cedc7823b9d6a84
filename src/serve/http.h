/* SPDX-License-Identifier: MIT */
/*
 * HTTP for the role web, on libmicrohttpd: connections in, whole requests out, answers and event streams back. The one file
 * that knows that library.
 *
 * Called by role/web_role.c, which hands in listening sockets and waits with its own loop: http_accept() when one is
 * readable, http_run() when http_fd() is, or when http_run() said so. Never blocks. Decides nothing about who may ask: that
 * is the callee of http_calls.request.
 *
 * Bounded: connections, bytes of headers and body, the time for a request to arrive and for an answer to be taken; what
 * waits for a stream. Each limit that is hit is counted.
 */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include "base/buffer.h"
#include "model/web.h"

#define HTTP_CONNECTIONS_MAX 128
#define HTTP_MEMORY_MAX 24576      /* of a connection: request line, headers, what is being written */
#define HTTP_BODY_MAX 4096
#define HTTP_REQUEST_NS (10 * SECOND_NS) /* for a request to arrive whole; also how long a connection may idle between two */
#define HTTP_ANSWER_NS (30 * SECOND_NS)  /* for an answer to be taken; a stream: for anything of it */
#define HTTP_STREAM_MAX (512u << 10)     /* bytes that wait for a stream; then news are left out, and that is told */
#define HTTP_STREAMS_MAX 8
#define HTTP_WHO_MAX 64

struct http;
struct http_request; /* valid until it is answered */

struct http_calls {
	void *context; /* borrows */
	/* A whole request. It is to be answered by http_answer() or http_stream(), now or later. */
	void (*request)(void *context, struct http_request *request);
	/* That stream is over: its reader left, or it was ended. `mark` as given. */
	void (*stream_over)(void *context, uint64_t mark);
};

/* 0 or negative errno. */
int http_new(const struct http_calls *calls, struct http **ret);
void http_free(struct http *http); /* NULL is fine */

/* Takes every connection that waits on that listening socket, until it would block or there are HTTP_CONNECTIONS_MAX. */
void http_accept(struct http *http, int listening, int64_t now_ns);
/* Readable when http_run() has something to do. */
int http_fd(const struct http *http);
/* Reads, calls, writes; ends who takes too long. Returns the instant at which it wants to be called again. */
int64_t http_run(struct http *http, int64_t now_ns);

/* --- A request ---------------------------------------------------------------------------------------------------- */

/* Borrowed, valid until the answer. Header names in any case; empty: it has none. */
struct text http_method(const struct http_request *request);
struct text http_path(const struct http_request *request);
struct text http_query(const struct http_request *request);
struct text http_header(const struct http_request *request, const char *name);
struct text http_body(const struct http_request *request);
/* More bytes than HTTP_BODY_MAX came with it: the body is empty then. */
bool http_is_too_large(const struct http_request *request);
/* An address, or "uid 1000" for who came through a unix socket. */
const char *http_who(const struct http_request *request);

struct http_answer {
	unsigned status;
	const char *type;          /* NULL: no body */
	const char *cache;         /* Cache-Control */
	const char *etag, *cookie, *allow; /* NULL: no such header */
	unsigned retry_after_s;    /* 0: no such header */
	struct text body;          /* copied */
};
void http_answer(struct http_request *request, const struct http_answer *answer, int64_t now_ns);

/* Answers with events. `mark` names the stream. False: HTTP_STREAMS_MAX are open; the request is to be answered
 * otherwise. */
bool http_stream(struct http_request *request, uint64_t mark, int64_t now_ns);
/* "event: NAME\ndata: DATA\n\n" to that stream, or to all with `mark` 0; NAME NULL: a comment, which finds out who left. DATA
 * is one line. A stream that is full does not get it, and is told "lost" when there is room. */
void http_event(struct http *http, uint64_t mark, const char *name, struct text data);
void http_stream_end(struct http *http, uint64_t mark);

struct http_figures {
	uint32_t connections, streams;
	uint64_t malformed, too_many, timed_out, lost; /* as enum web_count has them */
};
struct http_figures http_figures(const struct http *http);

#endif
