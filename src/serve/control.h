/* SPDX-License-Identifier: MIT */
/*
 * The control socket: who may ask, how much, and how fast. One request a connection, an answer, the end; `watch` streams.
 *
 * Called by the role `core`, which hands in the listening descriptor, waits on control_fd() with its own loop, and answers
 * through a callback. The peer's credentials are checked by the kernel's word (SO_PEERCRED, SO_PEERGROUPS). Nothing that
 * comes in here can change anything: there is no such command.
 *
 * On the wire, version 1. Request: one line, {"spimend":1,"command":"status","id":null,"json":false}. Answer: one line,
 * {"spimend":1,"status":0} or {"spimend":1,"status":2,"error":"..."}, then the bytes to print, then the end. `status` is the
 * exit status of the program that asked.
 */
#ifndef SERVE_CONTROL_H
#define SERVE_CONTROL_H

#include <sys/types.h>

#include "base/buffer.h"
#include "model/incident.h"

#define CONTROL_PROTOCOL 1
#define CONTROL_SOCKET "/run/spimend/control"
#define CONTROL_CLIENTS_MAX 32          /* further ones are told so and closed, counted */
#define CONTROL_REQUEST_MAX 1024        /* bytes of a request line */
#define CONTROL_REQUEST_NS (5 * SECOND_NS)   /* for the request to arrive */
#define CONTROL_ANSWER_NS (30 * SECOND_NS)   /* for an answer to be taken; a watcher: for anything to be taken */
#define CONTROL_ANSWER_MAX (64u << 20)  /* of one answer */
#define CONTROL_WATCH_MAX (256u << 10)  /* bytes that wait for a watcher; a slower one is dropped, counted */

enum control_command { CONTROL_STATUS, CONTROL_INCIDENTS, CONTROL_EXPLAIN, CONTROL_WATCH, CONTROL_COMMANDS };
const char *control_command_name(enum control_command command);

struct control_request {
	enum control_command command;
	char id[INCIDENT_ID_MAX]; /* CONTROL_EXPLAIN */
	bool json;
	uid_t uid;                /* who asks */
};

/* The two lines on the wire, for both ends. control_head_read(): 0, or a SPIMEND_E_* code; `error` is empty where there is
 * none. */
void control_request_print(const struct control_request *request, struct buffer *out);
void control_head_print(int status, struct text error, struct buffer *out);
int control_head_read(struct text line, int *ret_status, char *error, size_t size);

/* Adds the answer to `out`; returns the exit status 0 or 1, or a negative errno: -ENOENT no such incident, -ENOTUNIQ several
 * begin so, others as spimend_strerror() says. For CONTROL_WATCH: what a new watcher is to see first. */
typedef int control_answer_fn(void *context, const struct control_request *request, struct buffer *out);

#define CONTROL_GROUPS_MAX 4
struct control_rules { /* root always may */
	uid_t user;    /* the configured user */
	bool has_user;
	gid_t groups[CONTROL_GROUPS_MAX]; /* their members */
	size_t group_count;
};

struct control; /* opaque */

/* Takes the listening unix stream socket (closes it in the end, also on failure). 0 or negative errno. */
int control_new(int listening, const struct control_rules *rules, control_answer_fn *answer, void *context,
		struct control **ret);
void control_free(struct control *control);
/* After a reload: counts for connections from now on. */
void control_allow(struct control *control, const struct control_rules *rules);

/* One descriptor for all: readable when control_read() has something to do. */
int control_fd(const struct control *control);
/* Accepts, reads, answers, writes: never blocks. 0 or negative errno (of the listening socket). */
int control_read(struct control *control, int64_t now_ns);
/* Ends who takes too long. Returns the instant at which it wants to be called again, INT64_MAX when there is none. */
int64_t control_tick(struct control *control, int64_t now_ns);

/* To all watchers: the one or the other form. */
bool control_is_watched(const struct control *control);
void control_publish(struct control *control, struct text text, struct text json, int64_t now_ns);

struct control_figures {
	uint32_t clients, watchers;
	uint64_t accepted, answered, refused /* by credentials */, full /* too many */, malformed, slow;
};
struct control_figures control_figures(const struct control *control);

#endif
