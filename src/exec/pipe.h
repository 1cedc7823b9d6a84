/* SPDX-License-Identifier: MIT */
/*
 * What stands behind a command: "| include X | append disk0:hub.txt". Private to exec. Patterns are PCRE2's, without JIT
 * (the role may not make code), with bounds on what one match may take.
 */
#ifndef EXEC_PIPE_H
#define EXEC_PIPE_H

#include "base/buffer.h"

#define PIPE_STAGES_MAX 8
#define PIPE_PATTERN_MAX 254 /* bytes, as on IOS */
#define EXEC_FILE_NAME_MAX 64

enum pipe_verb { PIPE_APPEND, PIPE_BEGIN, PIPE_COUNT, PIPE_EXCLUDE, PIPE_INCLUDE, PIPE_JSON, PIPE_REDIRECT,
		 PIPE_SECTION, PIPE_TEE, PIPE_VERBS };

struct pipe_stage {
	enum pipe_verb verb;
	bool append;                   /* PIPE_TEE /append */
	bool is_reversed;              /* PIPE_SECTION exclude */
	struct text pattern;           /* borrows the line; may be empty for PIPE_COUNT */
	char file[EXEC_FILE_NAME_MAX]; /* of those that write */
};

struct pipe {
	struct text command;           /* what stands in front */
	bool is_there;                 /* a '|' was */
	struct pipe_stage stages[PIPE_STAGES_MAX];
	size_t count;
};

/* 0, or -1 with a sentence in `why` and the offset of what is wrong. */
int pipe_read(struct text line, struct pipe *ret, size_t *ret_at, struct buffer *why);
/* "disk0:hub.txt" to "hub.txt": a name of spimend's own directory. 0, or -1 with a sentence. */
int exec_file_name(struct text given, char ret[EXEC_FILE_NAME_MAX], struct buffer *why);
/* Sends `in` through a filter (PIPE_BEGIN, _COUNT, _EXCLUDE, _INCLUDE, _SECTION). 0, or -1 with a sentence. */
int pipe_filter(const struct pipe_stage *stage, struct text in, struct buffer *out, struct buffer *why);
/* What '?' shows behind a '|': the verbs that begin with `partial`; with help, or bare for completion. */
void pipe_help(struct text partial, bool bare, struct buffer *out);

#endif
