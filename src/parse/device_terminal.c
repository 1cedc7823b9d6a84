/* SPDX-License-Identifier: MIT */
#include "parse/device_terminal.h"

#define ESCAPE_MAX 64  /* bytes of a sequence that is none */
#define STRING_MAX 512

static bool is_shown(char c)
{
	return (unsigned char)c >= 0x20 && c != 0x7f;
}

static bool is_printed(char c)
{
	return is_shown(c) || c == '\t';
}

static void write_run(struct device_terminal *t, struct text run)
{
	size_t room = DEVICE_TEXT_LINE_MAX - t->column, len = run.len < room ? run.len : room;

	t->lost = t->lost || len < run.len;
	t->edited = t->edited || t->column < t->len;
	if (len)
		memcpy(t->line + t->column, run.at, len);
	t->column += len;
	if (t->len < t->column)
		t->len = t->column;
}

/* True: the cursor left the line's end. */
static bool go_back(struct device_terminal *t, size_t to)
{
	bool left = t->column == t->len && to < t->column;

	t->column = to;
	return left;
}

/* ESC and what follows, a byte more of it. */
static void take_escape(struct device_terminal *t, char c)
{
	bool is_string = t->state == TERMINAL_STRING || t->state == TERMINAL_STRING_ESCAPE;

	if (++t->escape_len > (is_string ? STRING_MAX : ESCAPE_MAX)) {
		t->state = TERMINAL_PLAIN;
		return;
	}
	switch (t->state) {
	case TERMINAL_ESCAPE:
		t->erases = true;
		if (c == '[')
			t->state = TERMINAL_CSI;
		else if (c == ']' || c == 'P' || c == '^' || c == '_' || c == 'X')
			t->state = TERMINAL_STRING;
		else if (c < 0x20 || c > 0x2f) /* those are in between, such as ESC ( B */
			t->state = TERMINAL_PLAIN;
		return;
	case TERMINAL_CSI:
		if (c >= 0x20 && c < 0x40) {
			t->erases = t->erases && c == '0';
			return;
		}
		if (c == 'K' && t->erases)
			t->len = t->column;
		t->state = TERMINAL_PLAIN;
		return;
	case TERMINAL_STRING:
		t->state = c == '\a' ? TERMINAL_PLAIN : c == 0x1b ? TERMINAL_STRING_ESCAPE : TERMINAL_STRING;
		return;
	default:
		t->state = c == '\\' ? TERMINAL_PLAIN : TERMINAL_STRING;
	}
}

/* A byte that is not shown, or is part of a sequence. */
static enum terminal_result take_control(struct device_terminal *t, char c)
{
	if (c == '\n') {
		t->state = TERMINAL_PLAIN; /* no sequence goes over a line's end */
		return TERMINAL_LINE;
	}
	if (t->state != TERMINAL_PLAIN) {
		take_escape(t, c);
		return TERMINAL_ALL;
	}
	if (c == '\r')
		return go_back(t, 0) ? TERMINAL_BACK : TERMINAL_ALL;
	if (c == '\b')
		return go_back(t, t->column ? t->column - 1 : 0) ? TERMINAL_BACK : TERMINAL_ALL;
	t->controls++;
	if (c == 0x1b) {
		t->state = TERMINAL_ESCAPE;
		t->escape_len = 0;
	}
	return TERMINAL_ALL;
}

enum terminal_result device_terminal_take(struct device_terminal *t, struct text *bytes, struct text *ret_run)
{
	while (bytes->len) {
		enum terminal_result result;
		size_t n = 0;

		while (t->state == TERMINAL_PLAIN && n < bytes->len && is_printed(bytes->at[n]))
			n++;
		if (n) {
			*ret_run = text_first(*bytes, n);
			*bytes = text_skip(*bytes, n);
			t->raw += n;
			write_run(t, *ret_run);
			return TERMINAL_TEXT;
		}
		result = take_control(t, bytes->at[0]);
		*bytes = text_skip(*bytes, 1);
		t->raw++;
		if (result != TERMINAL_ALL)
			return result;
	}
	return TERMINAL_ALL;
}

void device_terminal_next(struct device_terminal *t)
{
	t->len = t->column = t->raw = 0;
	t->edited = t->lost = false;
}

struct text device_terminal_line(const struct device_terminal *t)
{
	struct text line = { t->line, t->len };

	while (t->edited && line.len && char_is_blank(line.at[line.len - 1]))
		line.len--;
	return line;
}
