/* SPDX-License-Identifier: MIT */
/* What one line of a device's terminal is: a prompt, a question, an answer of the parser, a line of its log. Private to
 * parse/device_text.c. */
#ifndef PARSE_DEVICE_LINE_H
#define PARSE_DEVICE_LINE_H

#include "parse/device_text.h"

struct device_prompt {
	struct text name; /* borrows the line */
	enum device_level level;
	bool has_mode;    /* "(config)": the name may be cut short in front of it */
	size_t end;       /* offset behind it */
};

/* The whole line is one, but for blanks behind it. */
bool device_prompt_read(struct text line, struct device_prompt *ret);
/* It is that one's: the same name, or one that IOS cut short in front of a mode, or with another role of an ASA's failover,
 * which *ret_moved tells. */
bool device_prompt_is_of(const struct device_prompt *prompt, struct text name, bool *ret_moved);
/* The line begins with a prompt of that name, and something stands behind it. */
bool device_prompt_begins(struct text line, struct text name, struct device_prompt *ret);

bool device_line_is_page(struct text line); /* "--More--", "<--- More --->", and what stands behind it on the same line */
/* An unfinished line that asks: *ret_kind is PASSWORD, USERNAME, CONFIRM or YES_NO. */
bool device_line_asks(struct text line, enum device_event_kind *ret_kind);
enum device_error device_line_error(struct text line);
bool device_line_is_log(struct text line);   /* "*Mar  1 00:01:02.003: %SYS-5-CONFIG_I: ..." */
bool device_line_goes_on(struct text line);  /* what a log line takes along: "-Traceback= ..." */
bool device_line_is_header(struct text line); /* "Load for five secs: ...", "Time source is ..." */

#endif
