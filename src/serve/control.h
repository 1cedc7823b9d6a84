/* SPDX-License-Identifier: MIT */
/*
 * The control socket: who may ask, how much, and how fast. One request a connection, an answer, the end; `watch` streams,
 * and `exec` goes on: a session of the command line, request after request.
 *
 * Called by the role `core`, which hands in the listening descriptor, waits on control_fd() with its own loop, and answers
 * through a callback. The peer's credentials are checked by the kernel's word (SO_PEERCRED, SO_PEERGROUPS): who may ask at
 * all, and who may `enable` in a session. Without that nothing that comes in here can change anything.
 *
 * What was typed on a device and what it printed, {"command":"journal","device":"hub","id":null}, is for those alone who
 * may `enable`.
 *
 * A person's word on a step, {"command":"approve","id":"k3v9q2","step":1}, is taken from those alone who may `enable`.
 *
 * A personal token for the page, {"command":"token"}, is told to those alone as well; {"revoke":true} takes theirs back.
 *
 * On the wire, version 1. Request: one line, {"spimend":1,"command":"status","id":null,"json":false}. Answer: one line,
 * {"spimend":1,"status":0} or {"spimend":1,"status":2,"error":"..."}, then the bytes to print, then the end. `status` is the
 * exit status of the program that asked.
 *
 * {"spimend":1,"command":"incidents","filter":"since 7d peer 192.0.2.7 limit 20","json":true} asks for some of them, as does
 * "stats"; the words are those of parse/incident_filter.h, and a wrong one is told in the answer's error.
 *
 * A session: {"spimend":1,"command":"exec","verb":"run","line":"show version","prompt":true}; verbs are run, help (what '?'
 * shows behind the line) and complete. Its answer: {"spimend":1,"status":0,"length":123,"prompt":"hub#","page":24,
 * "over":false}, then `length` bytes; then the next request, unless it is over.
 */
#ifndef SERVE_CONTROL_H
#define SERVE_CONTROL_H

#include <sys/types.h>

#include "base/buffer.h"
#include "model/config_device.h"
#include "model/incident.h"
#include "parse/incident_filter.h"

#define CONTROL_PROTOCOL 1
#define CONTROL_SOCKET "/run/spimend/control"
#define CONTROL_CLIENTS_MAX 32          /* further ones are told so and closed, counted */
#define CONTROL_REQUEST_MAX 8192        /* bytes of a request line */
#define CONTROL_SESSIONS_MAX 16         /* of the command line; others must have room to ask */
#define CONTROL_LINE_MAX 1056           /* of a session: longer ones are refused, by the command line itself */
#define CONTROL_PROMPT_MAX 96
#define CONTROL_IDLE_NS (10 * MINUTE_NS) /* of a session, as `exec-timeout` of IOS */
#define CONTROL_REQUEST_NS (5 * SECOND_NS)   /* for the request to arrive */
#define CONTROL_ANSWER_NS (30 * SECOND_NS)   /* for an answer to be taken; a watcher: for anything to be taken */
#define CONTROL_ANSWER_MAX (64u << 20)  /* of one answer */
#define CONTROL_WATCH_MAX (256u << 10)  /* bytes that wait for a watcher; a slower one is dropped, counted */

enum control_command { CONTROL_STATUS, CONTROL_INCIDENTS, CONTROL_STATS, CONTROL_EXPLAIN, CONTROL_WATCH, CONTROL_APPROVE,
		       CONTROL_DENY, CONTROL_JOURNAL, CONTROL_EVIDENCE, CONTROL_EXEC, CONTROL_TOKEN,
		       CONTROL_METRICS, CONTROL_COMMANDS };
enum control_verb { CONTROL_RUN, CONTROL_HELP, CONTROL_COMPLETE, CONTROL_VERBS };
const char *control_command_name(enum control_command command);

struct control_request {
	enum control_command command;
	char id[INCIDENT_ID_MAX]; /* CONTROL_EXPLAIN, _EVIDENCE, _APPROVE, _DENY; CONTROL_JOURNAL: empty is all */
	char device[DEVICE_NAME_MAX]; /* CONTROL_JOURNAL */
	uint32_t step;            /* CONTROL_APPROVE, _DENY: from 1 on */
	char filter[INCIDENT_FILTER_TEXT_MAX]; /* CONTROL_INCIDENTS, _STATS: words of parse/incident_filter.h, unread; empty: all */
	bool json;
	bool revoke;              /* CONTROL_TOKEN: take back those of who asks */
	uid_t uid;                /* who asks */
	bool is_operator;         /* may `enable`: root, or of the rules' operators */
	/* CONTROL_EXEC */
	enum control_verb verb;
	char line[CONTROL_LINE_MAX];
	bool prompt;              /* the front end shows it */
};

/* What a session's answer says beside its text. */
struct control_state {
	char prompt[CONTROL_PROMPT_MAX];
	unsigned page; /* lines; 0: no pages */
	bool over;
};
struct control_head { /* an answer's line, as read */
	int status;
	char error[512];         /* empty: none */
	bool has_state;
	uint64_t length;
	struct control_state state;
};

/* The two lines on the wire, for both ends. control_head_read(): 0, or a SPIMEND_E_* code; `error` is empty where there is
 * none. */
void control_request_print(const struct control_request *request, struct buffer *out);
void control_head_print(int status, struct text error, struct buffer *out);
void control_state_print(int status, const struct control_state *state, size_t length, struct buffer *out);
int control_head_read(struct text line, struct control_head *ret);

#define CONTROL_STEP_MAX 999
#define CONTROL_REFUSED 2 /* an exit status: what is in `out` says why, in a sentence */
/* Adds the answer to `out`; returns the exit status 0 or 1, CONTROL_REFUSED, or a negative errno: -ENOENT no such incident,
 * -ENOTUNIQ several begin so, others as spimend_strerror() says. For CONTROL_WATCH: what a new watcher is to see first. */
typedef int control_answer_fn(void *context, const struct control_request *request, struct buffer *out);

/* The command line, where there is one. `*session` is the callee's: NULL at first. */
#define CONTROL_LATER 3 /* a status: not done yet, control_finish() will say; within CONTROL_IDLE_NS */
struct control_exec {
	int (*run)(void *context, const struct control_request *request, void **session, struct control_state *ret,
		   struct buffer *out); /* 0, 1 (refused), or CONTROL_LATER */
	void (*gone)(void *context, void *session);
};

#define CONTROL_GROUPS_MAX 4
struct control_rules { /* root always may */
	uid_t user;    /* the configured user */
	bool has_user;
	gid_t groups[CONTROL_GROUPS_MAX]; /* their members */
	size_t group_count;
	gid_t operators;      /* its members may ask, and enable */
	bool has_operators;
};

struct control; /* opaque */

/* Takes the listening unix stream socket (closes it in the end, also on failure). 0 or negative errno. */
int control_new(int listening, const struct control_rules *rules, control_answer_fn *answer, void *context,
		struct control **ret);
void control_free(struct control *control);
void control_serve_exec(struct control *control, const struct control_exec *exec);
/* What a session was told later is there. Nothing happens when the session is gone. */
void control_finish(struct control *control, const void *session, int status, const struct control_state *state,
		    struct text text, int64_t now_ns);
/* What goes in front of that answer. False: this session waits for none. */
bool control_say(struct control *control, const void *session, struct text text);
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
	uint32_t clients, watchers, sessions;
	uint64_t accepted, answered, refused /* by credentials */, full /* too many */, malformed, slow;
};
struct control_figures control_figures(const struct control *control);

#endif
