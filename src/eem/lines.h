/* SPDX-License-Identifier: MIT */
/*
 * The lines of a pasted text: what documents, terminals and editors did to them is undone where it is plain what was meant,
 * and said once each. Private to eem.
 */
#ifndef EEM_LINES_H
#define EEM_LINES_H

#include "eem/arena.h"
#include "eem/report.h"

#define EEM_LINE_MAX 4096 /* bytes of a line with its continuations */

struct eem_line {
	uint32_t number;   /* of its first physical line */
	struct text text;  /* trimmed, without a prompt; borrows the text or the arena */
	struct text raw;   /* the physical line as it stands; borrows the text */
	bool is_indented;
	bool is_bang;      /* nothing but '!' */
	bool is_comment;   /* starts with '!', or is empty */
};

struct eem_lines {
	struct text rest;           /* borrows */
	uint32_t number;
	struct arena *arena;        /* borrows */
	struct eem_report *report;  /* borrows; NULL: say nothing */
	bool said_prompt, said_quotes, said_continuation;
};

void eem_lines_start(struct eem_lines *lines, struct text text, struct arena *arena, struct eem_report *report);
bool eem_lines_next(struct eem_lines *lines, struct eem_line *ret);
/* Without "router(config-applet)#" in front, where there is one. */
struct text eem_without_prompt(struct text line);

#endif
