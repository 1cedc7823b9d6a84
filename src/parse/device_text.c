/* SPDX-License-Identifier: MIT */
#include "parse/device_text.h"

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "parse/device_line.h"
#include "parse/device_terminal.h"

#define ANSWER_LINES 8    /* of an output, in which the device says that it cannot do the command */
#define HEADER_LINES 2    /* of `terminal exec prompt timestamp` */
#define NOWHERE SIZE_MAX

enum phase {
	PHASE_LOGIN, /* before the first command: banners, and the prompt that is to be learned */
	PHASE_BUSY,  /* a command was typed */
	PHASE_IDLE,  /* it is done */
};

struct device_text {
	struct device_terminal terminal;
	struct buffer output, logs;        /* own */
	enum phase phase;
	char name[DEVICE_TEXT_NAME_MAX];   /* of the prompt; during the login what was taken for it last */
	int64_t last;                      /* when something came */
	bool looked;                       /* nothing came since it was looked at */

	/* Of the command. */
	bool of_log, ended_line, paged, cut, echoed;
	bool hides;                        /* the rest of the line may be a secret */
	bool garbage, told_garbage;
	bool after_log;                    /* the line before was split out */
	unsigned lines, headers;           /* of the output; before it */
	enum device_error error;
	char clock[128];
	/* A line that is the prompt and nothing else: logs behind it alone, and it was the prompt (IOS does not repeat it). */
	size_t prompt_at;                  /* length of the output in front of it, or NOWHERE */
	char prompt[DEVICE_TEXT_NAME_MAX + 48];

	/* Its echo. */
	bool echo_due;
	char command[DEVICE_TEXT_COMMAND_MAX];
	size_t command_len, echo_done;     /* bytes of it that earlier lines had */
	size_t echo_at;                    /* length of the output in front of those lines, or NOWHERE */
	char typed[DEVICE_TEXT_COMMAND_MAX]; /* what came back, without blanks */
	size_t typed_len;                  /* DEVICE_TEXT_COMMAND_MAX: too much */

	bool logs_told;
	uint32_t log_lines, unasked_lines;
};

struct device_text *device_text_new(void)
{
	struct device_text *t = memory_new(1, sizeof(*t));

	if (t)
		t->prompt_at = t->echo_at = NOWHERE;
	return t;
}

void device_text_free(struct device_text *t)
{
	if (!t)
		return;
	buffer_done(&t->output);
	buffer_done(&t->logs);
	memory_free(t);
}

/* --- Keeping ------------------------------------------------------------------------------------------------------ */

static void add_output(struct device_text *t, struct text line)
{
	if (t->output.len + line.len + 1 > DEVICE_TEXT_OUTPUT_MAX || t->output.failed) {
		t->cut = true;
		return;
	}
	buffer_add(&t->output, line);
	buffer_add_char(&t->output, '\n');
	t->cut = t->cut || t->output.failed;
}

static void add_log(struct device_text *t, struct text line, bool is_log)
{
	if (t->logs_told) {
		buffer_clear(&t->logs);
		t->log_lines = t->unasked_lines = 0;
		t->logs_told = false;
	}
	if (is_log)
		t->log_lines++;
	else
		t->unasked_lines++;
	if (t->logs.len + line.len + 1 > DEVICE_TEXT_LOGS_MAX)
		return;
	buffer_add(&t->logs, line);
	buffer_add_char(&t->logs, '\n');
}

/* --- The echo ----------------------------------------------------------------------------------------------------- */

static void note_typed(struct device_text *t, struct text run)
{
	for (size_t i = 0; i < run.len && t->typed_len < DEVICE_TEXT_COMMAND_MAX; i++)
		if (!char_is_blank(run.at[i])) {
			t->typed[t->typed_len] = run.at[i];
			t->typed_len++;
		}
}

/* What came back is the command, blanks and control bytes aside: a terminal that wraps puts some in. */
static bool is_typed(const struct device_text *t)
{
	size_t n = 0;

	if (t->typed_len == DEVICE_TEXT_COMMAND_MAX)
		return false;
	for (size_t i = 0; i < t->command_len; i++) {
		if (char_is_blank(t->command[i]))
			continue;
		if (n == t->typed_len || t->typed[n++] != t->command[i])
			return false;
	}
	return n == t->typed_len;
}

static bool echo_ends(struct device_text *t)
{
	t->echo_due = false;
	t->echoed = true;
	if (t->echo_at != NOWHERE)
		t->output.len = t->echo_at;
	return true;
}

/* The line, or what of it is left behind the prompt, is a part of the command's echo. */
static bool take_echo(struct device_text *t, struct text line)
{
	struct text wanted = text_trim((struct text){ t->command + t->echo_done, t->command_len - t->echo_done }), rest = line;
	struct device_prompt prompt;
	size_t same = 0;

	if (device_prompt_begins(line, text_of(t->name), &prompt)) {
		rest = text_skip(line, prompt.end);
		if (t->echo_done) /* a log line came in between, and the device shows all of it again */
			wanted = text_trim((struct text){ t->command, t->command_len });
	}
	rest = text_trim(rest);
	if (rest.len == 0 && t->command_len)
		return true; /* Enter was seen twice, or the prompt stands alone */
	if (text_equal(rest, wanted) || is_typed(t))
		return echo_ends(t);
	if (rest.len > 1 && rest.at[0] == '$' && text_ends(wanted, text_skip(rest, 1))) /* scrolled to the left */
		return echo_ends(t);
	while (same < rest.len && same < wanted.len && rest.at[same] == wanted.at[same])
		same++;
	if (device_line_is_log(text_skip(rest, same))) {
		add_log(t, text_skip(rest, same), true);
		t->after_log = true;
		t->echo_done += same;
		return true;
	}
	if (same == rest.len && same < wanted.len) { /* wrapped, or a log line comes in between */
		if (t->echo_at == NOWHERE)
			t->echo_at = t->output.len;
		add_output(t, line); /* until the rest comes */
		t->echo_done = (size_t)(wanted.at - t->command) + same;
		return true;
	}
	t->echo_due = false;
	return false;
}

/* --- Lines -------------------------------------------------------------------------------------------------------- */

static void forget_prompt(struct device_text *t)
{
	t->prompt_at = NOWHERE;
}

/* Is it the device's own log, which goes by itself? */
static bool split_out(struct device_text *t, struct text line)
{
	struct device_prompt prompt;
	bool is_blank = text_trim(line).len == 0;
	bool is_log = !t->of_log && (device_line_is_log(line) || (t->after_log && device_line_goes_on(line)));

	if (!is_log && !t->of_log && device_prompt_begins(line, text_of(t->name), &prompt) &&
	    device_line_is_log(text_trim(text_skip(line, prompt.end)))) {
		/* "hub#*Mar  1 ...": the prompt was there, and is not repeated */
		t->prompt_at = t->output.len;
		text_copy(text_first(line, prompt.end), t->prompt, sizeof(t->prompt));
		line = text_trim(text_skip(line, prompt.end));
		is_log = true;
	}
	if (is_log)
		add_log(t, line, true);
	t->after_log = is_log || (is_blank && t->after_log);
	return is_log;
}

static void note_prompt_line(struct device_text *t, struct text line)
{
	struct device_prompt prompt;
	bool moved;

	if (text_trim(line).len == 0)
		return;
	forget_prompt(t);
	if (!device_prompt_read(line, &prompt) ||
	    (t->phase == PHASE_BUSY && !device_prompt_is_of(&prompt, text_of(t->name), &moved)))
		return;
	t->prompt_at = t->output.len;
	text_copy(line, t->prompt, sizeof(t->prompt));
}

static void take_idle_line(struct device_text *t, struct text line)
{
	struct device_prompt prompt;

	if (text_trim(line).len == 0 || split_out(t, line) || device_prompt_read(line, &prompt))
		return;
	add_log(t, line, false);
}

static bool is_header(struct device_text *t, struct text line)
{
	if (t->lines || t->headers == HEADER_LINES || !device_line_is_header(line))
		return false;
	t->headers++;
	if (!text_starts(line, TEXT("Load")))
		text_copy(line, t->clock, sizeof(t->clock));
	return true;
}

static void take_output_line(struct device_text *t, struct text line)
{
	if (t->phase == PHASE_BUSY && t->echo_due && take_echo(t, line))
		return;
	if (split_out(t, line))
		return;
	if (t->phase == PHASE_BUSY && is_header(t, line))
		return;
	note_prompt_line(t, line);
	if (t->phase == PHASE_BUSY && t->lines < ANSWER_LINES && text_trim(line).len) {
		enum device_error error = device_line_error(line);

		t->lines++;
		t->error = error > t->error ? error : t->error;
	}
	add_output(t, line);
}

static void take_line(struct device_text *t)
{
	struct text line = device_terminal_line(&t->terminal);

	t->ended_line = true;
	if (t->hides) {
		t->hides = false;
		return;
	}
	t->cut = t->cut || t->terminal.lost;
	t->paged = t->paged || (t->phase != PHASE_IDLE && device_line_is_page(line));
	if (t->phase == PHASE_IDLE)
		take_idle_line(t, line);
	else
		take_output_line(t, line);
}

void device_text_bytes(struct device_text *t, struct text bytes, int64_t now)
{
	struct text run;

	if (bytes.len == 0)
		return;
	t->last = now;
	t->looked = false;
	for (;;) {
		enum terminal_result result = device_terminal_take(&t->terminal, &bytes, &run);

		t->garbage = t->garbage || t->terminal.raw > DEVICE_TEXT_GARBAGE;
		if (result == TERMINAL_ALL)
			break;
		if (result == TERMINAL_TEXT && t->echo_due)
			note_typed(t, run);
		if (result == TERMINAL_BACK)
			t->paged = t->paged || (t->phase != PHASE_IDLE && device_line_is_page(device_terminal_line(&t->terminal)));
		if (result == TERMINAL_LINE) {
			take_line(t);
			device_terminal_next(&t->terminal);
		}
	}
}

/* --- Events ------------------------------------------------------------------------------------------------------- */

static bool is_ready(const struct device_text *t)
{
	return t->phase == PHASE_LOGIN || (t->phase == PHASE_BUSY && t->ended_line);
}

static bool tell_prompt(struct device_text *t, const struct device_prompt *prompt, bool moved, struct device_event *ret)
{
	if (t->phase == PHASE_LOGIN)
		text_copy(prompt->name, t->name, sizeof(t->name));
	*ret = (struct device_event){
		.kind = DEVICE_EVENT_PROMPT, .level = prompt->level, .name = prompt->name, .moved = moved,
		.output = buffer_text(&t->output), .logs = buffer_text(&t->logs), .clock = text_of(t->clock), .error = t->error,
		.echoed = t->echoed, .paged = t->paged, .cut = t->cut || t->garbage, .log_lines = t->log_lines,
		.unasked_lines = t->unasked_lines, .controls = t->terminal.controls,
	};
	t->logs_told = true;
	t->of_log = false;
	if (t->phase == PHASE_BUSY)
		t->phase = PHASE_IDLE;
	return true;
}

/* The line that has no end yet is the prompt. At the login it is learned, at the level of a command alone. */
static bool find_prompt(struct device_text *t, struct text line, struct device_event *ret)
{
	struct device_prompt prompt;
	bool moved = false;

	if (!device_prompt_read(line, &prompt))
		return false;
	if (t->phase == PHASE_LOGIN ? prompt.has_mode : !device_prompt_is_of(&prompt, text_of(t->name), &moved))
		return false;
	return tell_prompt(t, &prompt, moved, ret);
}

/* Nothing but log lines came behind a line that is the prompt. */
static bool find_earlier_prompt(struct device_text *t, struct device_event *ret)
{
	if (t->prompt_at == NOWHERE || !t->after_log)
		return false;
	if (!find_prompt(t, text_of(t->prompt), ret))
		return false;
	t->output.len = t->prompt_at;
	ret->output = buffer_text(&t->output);
	return true;
}

static int64_t quiet_of(const struct device_text *t)
{
	return t->phase == PHASE_LOGIN ? DEVICE_TEXT_LOGIN_QUIET_NS : DEVICE_TEXT_QUIET_NS;
}

bool device_text_event(struct device_text *t, int64_t now, struct device_event *ret)
{
	struct text line = device_terminal_line(&t->terminal);

	if (t->garbage && !t->told_garbage) {
		t->told_garbage = true;
		*ret = (struct device_event){ .kind = DEVICE_EVENT_GARBAGE };
		return true;
	}
	if (t->looked || !is_ready(t) || t->hides || now - t->last < quiet_of(t))
		return false;
	t->looked = true;
	if (text_trim(line).len == 0)
		return find_earlier_prompt(t, ret);
	if (find_prompt(t, line, ret))
		return true;
	*ret = (struct device_event){ .kind = DEVICE_EVENT_MORE };
	if (device_line_is_page(line)) {
		t->paged = true;
		return true;
	}
	return device_line_asks(line, &ret->kind);
}

int64_t device_text_due(const struct device_text *t)
{
	if (t->garbage && !t->told_garbage)
		return t->last;
	if (t->looked || !is_ready(t) || t->hides)
		return INT64_MAX;
	if (t->terminal.len == 0 && (t->prompt_at == NOWHERE || !t->after_log))
		return INT64_MAX;
	return t->last + quiet_of(t);
}

void device_text_command(struct device_text *t, struct text command, bool of_log)
{
	struct text line = text_trim(command);

	t->phase = PHASE_BUSY;
	buffer_clear(&t->output);
	t->output.failed = false;
	t->of_log = of_log;
	t->looked = t->ended_line = t->paged = t->cut = t->echoed = t->hides = t->garbage = t->told_garbage = t->after_log = false;
	t->lines = t->headers = 0;
	t->error = DEVICE_ERROR_NONE;
	t->clock[0] = '\0';
	t->prompt_at = t->echo_at = NOWHERE;
	t->terminal.controls = 0;
	t->terminal.raw = 0;
	t->echo_done = t->typed_len = 0;
	t->echo_due = line.len <= DEVICE_TEXT_COMMAND_MAX;
	t->command_len = t->echo_due ? line.len : 0;
	if (t->command_len)
		memcpy(t->command, line.at, t->command_len);
	if (t->logs_told) {
		buffer_clear(&t->logs);
		t->log_lines = t->unasked_lines = 0;
		t->logs_told = false;
	}
}

void device_text_answer(struct device_text *t, bool secret)
{
	struct text line = device_terminal_line(&t->terminal);

	/* The question stays in the output as a line; a page prompt is no part of it. */
	if (line.len && !device_line_is_page(line) && t->phase != PHASE_IDLE)
		add_output(t, line);
	device_terminal_next(&t->terminal);
	t->hides = secret;
	t->ended_line = true;
	t->looked = false;
}

struct text device_text_output(const struct device_text *t)
{
	return buffer_text(&t->output);
}

struct text device_text_unfinished(const struct device_text *t)
{
	return device_terminal_line(&t->terminal);
}
