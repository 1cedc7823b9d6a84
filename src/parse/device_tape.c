/* SPDX-License-Identifier: MIT */
#include "parse/device_tape.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "parse/device_terminal.h"
#include "parse/secrets.h"

#define MASK "<removed>"

struct stream { /* one that comes in chunks */
	char line[TAPE_RAW_LINE_MAX];
	size_t len;
	uint64_t beyond; /* bytes of the line that did not fit */
	bool hides;      /* what is to come of the line is a secret, or may be */
};

struct device_tape {
	device_tape_line *say;
	void *context; /* borrows */
	struct stream received, ssh;
	struct device_terminal terminal; /* to see a line as it is shown */
	struct buffer shown, masked, out; /* own; of the line that is written */
	size_t since_typed;              /* bytes of the device that were kept */
	uint64_t left_bytes, left_lines; /* that were not, of this command */
	struct device_tape_counts counts;
};

struct device_tape *device_tape_new(device_tape_line *line, void *context)
{
	struct device_tape *t = memory_new(1, sizeof(*t));

	if (t) {
		t->say = line;
		t->context = context;
	}
	return t;
}

void device_tape_free(struct device_tape *t)
{
	if (!t)
		return;
	buffer_done(&t->shown);
	buffer_done(&t->masked);
	buffer_done(&t->out);
	memory_free(t);
}

/* --- Masking ------------------------------------------------------------------------------------------------------ */

static bool is_plain(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if ((unsigned char)t.at[i] < 0x20 || t.at[i] == 0x7f)
			return false;
	return true;
}

/* True: there is a secret in it, and t->masked is the line without. */
static bool has_secret(struct device_tape *t, struct text line)
{
	buffer_clear(&t->masked);
	secrets_remove(line, &t->masked);
	return !text_equal(buffer_text(&t->masked), line);
}

/* t->shown becomes the line without its control bytes; the terminal holds it as it is shown. */
static void render(struct device_tape *t, struct text line)
{
	struct text run;
	enum terminal_result result;

	memset(&t->terminal, 0, sizeof(t->terminal));
	buffer_clear(&t->shown);
	while ((result = device_terminal_take(&t->terminal, &line, &run)) != TERMINAL_ALL)
		if (result == TERMINAL_TEXT)
			buffer_add(&t->shown, run);
}

/* What may be written of a line. Borrowed from it or from t->masked. */
static struct text mask(struct device_tape *t, struct text line, bool hides)
{
	if (hides && text_trim(line).len) {
		t->counts.masked++;
		return TEXT(MASK);
	}
	if (has_secret(t, line) && is_plain(line)) {
		t->counts.masked++;
		return buffer_text(&t->masked);
	}
	if (is_plain(line))
		return line;
	render(t, line);
	if (has_secret(t, device_terminal_line(&t->terminal)) || has_secret(t, buffer_text(&t->shown)) || has_secret(t, line)) {
		t->counts.masked++;
		return buffer_text(&t->masked);
	}
	return line;
}

/* Would what comes behind the line be a secret, or the rest of one? */
static bool awaits_secret(struct device_tape *t, struct text line)
{
	static const char *const next[] = { "x", " x" };

	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
		buffer_clear(&t->shown);
		buffer_add(&t->shown, line);
		buffer_add_string(&t->shown, next[i]);
		if (has_secret(t, buffer_text(&t->shown)) && text_ends(buffer_text(&t->masked), TEXT(MASK)))
			return true;
	}
	return false;
}

/* --- Writing ------------------------------------------------------------------------------------------------------ */

static void escape(char c, char ret[5])
{
	static const char *const named[] = { ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\r'] = "\\r", [0x1b] = "\\e" };
	unsigned char byte = (unsigned char)c;

	if (c == '\\')
		snprintf(ret, 5, "\\\\");
	else if (byte >= 0x20 && byte < 0x7f)
		snprintf(ret, 5, "%c", c);
	else if (byte < sizeof(named) / sizeof(named[0]) && named[byte])
		snprintf(ret, 5, "%s", named[byte]);
	else
		snprintf(ret, 5, "\\x%02x", byte);
}

/* In as many lines as it takes; `end` stands behind the last one. */
static void write_line(struct device_tape *t, enum tape_way way, struct text line, const char *end)
{
	buffer_clear(&t->out);
	for (size_t i = 0; i < line.len; i++) {
		char piece[5];

		escape(line.at[i], piece);
		if (t->out.len + strlen(piece) + 2 > TAPE_LINE_MAX) { /* there is always room for the end */
			buffer_add_char(&t->out, '\\');
			t->say(t->context, way, buffer_text(&t->out));
			buffer_clear(&t->out);
		}
		buffer_add_string(&t->out, piece);
	}
	buffer_add_string(&t->out, end);
	t->say(t->context, way, buffer_text(&t->out));
}

void device_tape_note(struct device_tape *t, struct text line)
{
	write_line(t, TAPE_NOTE, line, "");
}

static void note_beyond(struct device_tape *t, uint64_t bytes)
{
	char note[96];

	snprintf(note, sizeof(note), "%" PRIu64 " bytes at the end of that line left out: it is too long", bytes);
	device_tape_note(t, text_of(note));
	t->counts.left_out += bytes;
}

static void note_left(struct device_tape *t)
{
	char note[128];

	if (t->left_bytes) {
		snprintf(note, sizeof(note), "%" PRIu64 " bytes in %" PRIu64 " lines left out: more than %u came behind one command",
			 t->left_bytes, t->left_lines, TAPE_COMMAND_MAX);
		device_tape_note(t, text_of(note));
	}
	t->left_bytes = t->left_lines = 0;
	t->since_typed = 0;
}

/* True: there is room for so much more. */
static bool may_keep(struct device_tape *t, enum tape_way way, size_t len)
{
	if (way != TAPE_RECEIVED)
		return true;
	if (t->since_typed + len > TAPE_COMMAND_MAX) {
		t->left_bytes += len;
		t->left_lines++;
		t->counts.left_out += len;
		return false;
	}
	t->since_typed += len;
	t->counts.kept += len;
	return true;
}

/* The line as far as it came. `ended`: with its line feed. */
static void finish(struct device_tape *t, struct stream *s, enum tape_way way, bool ended)
{
	struct text line = { s->line, s->len };
	bool has_return = ended && !s->beyond && line.len && line.at[line.len - 1] == '\r', hides = s->hides;

	if (!ended && line.len == 0 && !s->beyond)
		return;
	line.len -= has_return;
	s->hides = !ended && (hides || awaits_secret(t, line));
	if (may_keep(t, way, s->len + ended)) {
		/* What ssh says ends as the lines of any program do. */
		write_line(t, way, mask(t, line, hides), !ended || s->beyond ? "\\" : has_return || way == TAPE_SSH ? "" : "\\n");
		if (s->beyond)
			note_beyond(t, s->beyond);
	}
	s->len = 0;
	s->beyond = 0;
}

static void take(struct device_tape *t, struct stream *s, enum tape_way way, struct text bytes)
{
	while (bytes.len) {
		size_t end = text_find_char(bytes, '\n'), n = end == TEXT_NOT_FOUND ? bytes.len : end;
		size_t room = sizeof(s->line) - s->len, fits = n < room ? n : room;

		memcpy(s->line + s->len, bytes.at, fits);
		s->len += fits;
		s->beyond += n - fits;
		bytes = text_skip(bytes, end == TEXT_NOT_FOUND ? n : n + 1);
		if (end != TEXT_NOT_FOUND)
			finish(t, s, way, true);
	}
}

void device_tape_received(struct device_tape *t, struct text bytes)
{
	take(t, &t->received, TAPE_RECEIVED, bytes);
}

void device_tape_ssh(struct device_tape *t, struct text bytes)
{
	take(t, &t->ssh, TAPE_SSH, bytes);
}

void device_tape_flush(struct device_tape *t)
{
	finish(t, &t->received, TAPE_RECEIVED, false);
	finish(t, &t->ssh, TAPE_SSH, false);
	note_left(t);
}

void device_tape_sent(struct device_tape *t, struct text line, bool is_secret)
{
	device_tape_flush(t);
	write_line(t, TAPE_SENT, mask(t, is_secret ? TEXT(MASK) : line, is_secret), "");
	t->received.hides = t->received.hides || is_secret; /* a device that echoes it */
}

void device_tape_key(struct device_tape *t, char key)
{
	finish(t, &t->received, TAPE_RECEIVED, false); /* the output goes on */
	write_line(t, TAPE_SENT, key == '\r' ? TEXT_NONE : (struct text){ &key, 1 }, key == '\r' ? "" : "\\");
}

struct device_tape_counts device_tape_count(const struct device_tape *t)
{
	return t->counts;
}
