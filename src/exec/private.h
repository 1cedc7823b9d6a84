/* SPDX-License-Identifier: MIT */
/* A session and what the files of exec share. Private to exec. */
#ifndef EXEC_PRIVATE_H
#define EXEC_PRIVATE_H

#include "exec/command.h"
#include "exec/match.h"
#include "exec/pipe.h"

#define APPLET_TEXT_MAX (64u << 10) /* of an applet that is being typed */
#define LENGTH_DEFAULT 24

struct exec_session {
	const struct exec_port *port; /* borrows */
	struct exec_who who;
	enum exec_mode mode;
	unsigned length;              /* `terminal length` */
	struct buffer applet;         /* the lines of one that is being typed, with its head */
	char device[DEVICE_NAME_MAX]; /* whose block it is in */
	bool is_applet_cut;           /* longer than may be: refused in the end */
	bool waits;                   /* EXEC_LATER */
	bool is_piped;                /* what comes goes through the pipes of `held` */
	char held[EXEC_LINE_MAX + 1]; /* the line that waits for applets, or for a device */
	char prompt[EXEC_PROMPT_MAX];
	struct {
		char text[256];       /* longer lines are kept cut */
	} history[EXEC_HISTORY_MAX];
	size_t history_count, history_next;
};

/* run.c: the rows that this session may see, for exec_match() and exec_choices(). `context` is the session. */
bool exec_rows(const void *context, size_t index, struct match_row *ret);
/* '?' or the tabulator was typed behind `before`: applets may wait for that. What they say changes nothing. */
void exec_tell_key(struct exec_session *session, enum exec_key key, struct text before);
/* Why a line was not understood, as IOS says it. `at` is an offset in `line`. */
void exec_say_mismatch(struct exec_session *session, enum match_result result, struct text line, size_t at,
		       struct buffer *out);

/* configure.c: one line in a configuration mode. */
enum exec_result exec_configure(struct exec_session *session, struct text line, struct buffer *out);
/* Where '?' and completion look in such a mode. */
bool exec_configure_rows(const void *context, size_t index, struct match_row *ret);
/* The end of a mode: an applet that was typed is registered. */
enum exec_result exec_configure_leave(struct exec_session *session, enum exec_mode to, struct buffer *out);

/* The tables, one a file. */
extern const struct exec_command exec_session_rows[], exec_system_rows[], exec_debug_rows[], exec_crypto_rows[],
	exec_sdwan_rows[];
extern const size_t exec_session_row_count, exec_system_row_count, exec_debug_row_count, exec_crypto_row_count,
	exec_sdwan_row_count;

#define EXEC_COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#endif
