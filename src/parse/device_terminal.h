/* SPDX-License-Identifier: MIT */
/*
 * The line that a terminal shows, of the bytes that a device sends: carriage returns, backspaces and what is written over,
 * escape sequences and other control bytes taken out and counted. Private to parse/device_text.c. Never scrolls, keeps
 * nothing of the lines before, and answers nothing: a device that asks for the cursor's place gets none.
 */
#ifndef PARSE_DEVICE_TERMINAL_H
#define PARSE_DEVICE_TERMINAL_H

#include <stdbool.h>

#include "parse/device_text.h"

enum terminal_state {
	TERMINAL_PLAIN,
	TERMINAL_ESCAPE, /* behind ESC */
	TERMINAL_CSI,    /* behind ESC [ */
	TERMINAL_STRING, /* behind ESC ] and its like, up to BEL or ESC \ */
	TERMINAL_STRING_ESCAPE,
};

struct device_terminal {
	char line[DEVICE_TEXT_LINE_MAX];
	size_t len, column;
	enum terminal_state state;
	unsigned escape_len;  /* bytes of the sequence */
	bool erases;          /* the CSI has no parameter but 0 */
	bool edited;          /* the cursor went back and something was written there */
	bool lost;            /* the line was longer than is kept */
	size_t raw;           /* bytes since the line before */
	uint64_t controls;
};

enum terminal_result {
	TERMINAL_ALL,  /* there is no more */
	TERMINAL_LINE, /* a line ended: take it, then device_terminal_next() */
	TERMINAL_BACK, /* the cursor went back from the line's end: what stands there may be erased next */
	TERMINAL_TEXT, /* `*ret_run` was written */
};

/* Takes from `bytes` up to the first thing to say. */
enum terminal_result device_terminal_take(struct device_terminal *t, struct text *bytes, struct text *ret_run);
void device_terminal_next(struct device_terminal *t); /* an empty line */
/* As it is shown, without the blanks behind what was written over. */
struct text device_terminal_line(const struct device_terminal *t);

#endif
