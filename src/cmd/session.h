/* SPDX-License-Identifier: MIT */
/* A session of the command line with the daemon: a line goes there, a text comes back. */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "base/buffer.h"
#include "serve/control.h"

struct session {
	const char *path;    /* borrows; of the control socket */
	bool shows_prompt;
	int fd;              /* owns; -1: not connected */
	struct control_state state; /* as the latest answer said */
	bool is_refused;     /* the latest line was */
	bool was_lost;       /* the connection ended before the latest line: it was given to a new session */
};

/* 0, or -1 where no daemon answers, which is said on stderr. */
int session_begin(struct session *session, const char *path, bool shows_prompt);
void session_end(struct session *session);
/* Asks; what is to be shown replaces `out`. A session that idled away is begun anew, once. 0, or -1: said on stderr. */
int session_ask(struct session *session, enum control_verb verb, struct text line, struct buffer *out);

#endif
