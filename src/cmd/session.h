/* SPDX-License-Identifier: MIT */
/* A session of the command line with the daemon: a line goes there, a text comes back. */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "base/buffer.h"
#include "serve/control.h"

struct session {
	const char *command; /* borrows; in whose name it is said what went wrong: "shell" */
	const char *path;    /* borrows; of the control socket */
	bool shows_prompt;
	int fd;              /* owns; -1: not connected */
	struct control_state state; /* as the latest answer said */
	bool is_refused;     /* the latest line was */
	bool keeps_bytes;    /* what comes is read by a parser: control characters are left in it */
	bool was_lost;       /* the connection ended before the latest line: it was given to a new session */
};

/* 0, or -1 where no daemon answers, which is said on stderr. */
int session_begin(struct session *session, const char *command, const char *path, bool shows_prompt);
void session_end(struct session *session);
/* Asks; what is to be shown replaces `out`. A session that idled away is begun anew, once. 0, or -1: said on stderr. */
int session_ask(struct session *session, enum control_verb verb, struct text line, struct buffer *out);

/* The two halves of it, for who asks several sessions side by side: session_take() once the descriptor is readable. Nothing
 * is begun anew. 0; -ECONNRESET: it ended; -1: that is said on stderr. */
int session_send(struct session *session, enum control_verb verb, struct text line);
int session_take(struct session *session, struct buffer *out);

#endif
