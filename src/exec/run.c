/* SPDX-License-Identifier: MIT */
/* A session, and the way of one line through it. */
#include <stdio.h>

#include "base/memory.h"
#include "exec/private.h"
#include "parse/config.h"
#include "parse/prompt.h"

struct exec_session *exec_session_new(const struct exec_port *port, const struct exec_who *who)
{
	struct exec_session *session = memory_new(1, sizeof(*session));

	if (!session)
		return NULL;
	session->port = port;
	session->who = *who;
	session->length = LENGTH_DEFAULT;
	return session;
}

void exec_session_free(struct exec_session *session)
{
	if (!session)
		return;
	buffer_done(&session->applet);
	memory_free(session);
}

enum exec_mode exec_session_mode(const struct exec_session *session)
{
	return session->mode;
}

const struct exec_who *exec_session_who(const struct exec_session *session)
{
	return &session->who;
}

unsigned exec_session_length(const struct exec_session *session)
{
	return session->length;
}

static void view_of(const struct exec_session *session, struct exec_view *ret)
{
	memset(ret, 0, sizeof(*ret));
	session->port->view(session->port->context, ret);
}

const char *exec_prompt(struct exec_session *session)
{
	static const char *const ends[EXEC_MODES] = { ">", "#", "(config)#", "(config-spimend)#", "(config-device)#", "(config-applet)#" };
	struct exec_view view;

	view_of(session, &view);
	snprintf(session->prompt, sizeof(session->prompt), "%s%s", view.config->hostname, ends[session->mode]);
	return session->prompt;
}

/* --- What it may type ------------------------------------------------------------------------------------------------- */

bool exec_rows(const void *context, size_t index, struct match_row *ret)
{
	const struct exec_session *session = context;
	const struct exec_command *command = exec_command_at(index);

	if (!command)
		return false;
	*ret = (struct match_row){ command->syntax, NULL, command->help, command };
	if (command->level == EXEC_PRIVILEGED && session->mode == EXEC_MODE_USER)
		ret->syntax = NULL;
	return true;
}

void exec_say_mismatch(struct exec_session *session, enum match_result result, struct text line, size_t at,
		       struct buffer *out)
{
	if (result == MATCH_INCOMPLETE) {
		buffer_add_string(out, "% Incomplete command.\n");
	} else if (result == MATCH_AMBIGUOUS) {
		buffer_printf(out, "%% Ambiguous command:  \"%.*s\"\n", TEXT_ARG(text_trim(line)));
	} else {
		size_t before = 0;

		/* The mark stands under the line as the terminal shows it; where nobody shows it, it is shown here. */
		if (session->who.shows_prompt)
			before = strlen(exec_prompt(session));
		else
			buffer_printf(out, "%.*s\n", TEXT_ARG(line));
		buffer_add_repeat(out, ' ', before + at);
		buffer_add_string(out, "^\n% Invalid input detected at '^' marker.\n");
	}
}

/* --- Output through pipes --------------------------------------------------------------------------------------------- */

static void cut(struct buffer *out, const char *what)
{
	if (out->len <= EXEC_OUTPUT_MAX)
		return;
	out->len = EXEC_OUTPUT_MAX;
	buffer_printf(out, "\n%% %s is longer than %u bytes: it is cut here\n", what, EXEC_OUTPUT_MAX);
}

static enum exec_result say_failed(struct buffer *out, const struct buffer *why)
{
	buffer_printf(out, "%% %.*s\n", TEXT_ARG(buffer_text(why)));
	return EXEC_REFUSED;
}

/* Sends `text` through the stages; what is left to be shown goes to `out`. */
static enum exec_result through(struct exec_session *session, const struct pipe *pipe, struct buffer *text,
				struct buffer *out)
{
	const struct exec_port *port = session->port;
	cleanup(buffer_done) struct buffer why = { 0 };

	for (size_t i = 0; i < pipe->count; i++) {
		const struct pipe_stage *stage = &pipe->stages[i];
		struct buffer next = { 0 };
		int r;

		switch (stage->verb) {
		case PIPE_JSON:
			continue;
		case PIPE_APPEND:
		case PIPE_REDIRECT:
		case PIPE_TEE:
			r = port->write_file(port->context, stage->file, stage->verb == PIPE_APPEND || stage->append,
					     buffer_text(text), &why);
			if (r < 0)
				return say_failed(out, &why);
			if (stage->verb != PIPE_TEE)
				buffer_clear(text);
			continue;
		default:
			r = pipe_filter(stage, buffer_text(text), &next, &why);
			if (r < 0) {
				buffer_done(&next);
				return say_failed(out, &why);
			}
			buffer_done(text);
			*text = next;
		}
	}
	buffer_add(out, buffer_text(text));
	cut(out, "the output");
	return EXEC_FINE;
}

/* --- One command ------------------------------------------------------------------------------------------------------ */

static enum exec_result run_command(struct exec_session *session, const struct pipe *pipe, const struct exec_match *match,
				    struct buffer *out)
{
	cleanup(buffer_done) struct buffer text = { 0 };
	const struct exec_command *command = match->row.command;
	bool json = pipe->count && pipe->stages[0].verb == PIPE_JSON;
	struct exec_call call = { .command = command, .port = session->port, .session = session, .line = pipe->command,
				  .json = json, .out = &text, .match = match };
	enum exec_result piped;

	if (json && !(command->flags & EXEC_JSON)) {
		buffer_add_string(out, "% this command has no JSON: only 'show' has\n");
		return EXEC_REFUSED;
	}
	if (command->flags & EXEC_CHANGES)
		session->port->account(session->port->context, &session->who, text_trim(pipe->command));
	view_of(session, &call.view);
	command->run(&call);
	if (text.failed)
		buffer_add_string(out, "% no memory\n");
	cut(&text, "the output of this command");
	/* What went wrong is for the person, not for the file. */
	if (call.result == EXEC_REFUSED) {
		buffer_add(out, buffer_text(&text));
		return EXEC_REFUSED;
	}
	if (session->is_piped) /* nothing came yet, and no file is to be begun */
		return EXEC_LATER;
	piped = through(session, pipe, &text, out);
	return piped == EXEC_FINE ? call.result : piped;
}

static enum exec_result run_exec(struct exec_session *session, struct text line, struct buffer *out)
{
	struct exec_match *match cleanup(memory_free_pointer) = memory_new(1, sizeof(*match));
	cleanup(buffer_done) struct buffer why = { 0 };
	struct pipe pipe;
	size_t at = 0;

	if (!match) {
		buffer_add_string(out, "% no memory\n");
		return EXEC_REFUSED;
	}
	if (pipe_read(line, &pipe, &at, &why) < 0) {
		if (why.len == 0)
			exec_say_mismatch(session, MATCH_INVALID, line, at, out);
		return why.len ? say_failed(out, &why) : EXEC_REFUSED;
	}
	exec_match(exec_rows, session, pipe.command, match);
	if (match->result == MATCH_FOUND) {
		enum exec_result result = run_command(session, &pipe, match, out);

		if (session->is_piped) { /* `line` may lie in it */
			memmove(session->held, line.at, line.len);
			session->held[line.len] = 0;
		}
		return result;
	}
	exec_say_mismatch(session, match->result, pipe.command, match->at, out);
	return EXEC_REFUSED;
}

/* --- One line --------------------------------------------------------------------------------------------------------- */

static void remember(struct exec_session *session, struct text line)
{
	text_copy(line, session->history[session->history_next].text, sizeof(session->history[0].text));
	session->history_next = (session->history_next + 1) % EXEC_HISTORY_MAX;
	if (session->history_count < EXEC_HISTORY_MAX)
		session->history_count++;
}

/* A '?' at the end asks for help, but not in a pattern: behind a '|' only in place of the verb. */
static bool is_question(const struct exec_session *session, struct text line)
{
	size_t bar = text_find_char(line, '|');

	if (line.len == 0 || line.at[line.len - 1] != '?' || session->mode == EXEC_MODE_APPLET ||
	    text_find_char(line, '"') != TEXT_NOT_FOUND)
		return false;
	return bar == TEXT_NOT_FOUND || text_find_char(text_trim(text_skip(line, bar + 1)), ' ') == TEXT_NOT_FOUND;
}

static bool has_control(struct text line)
{
	for (size_t i = 0; i < line.len; i++)
		if (((unsigned char)line.at[i] < 0x20 && line.at[i] != '\t') || line.at[i] == 0x7f)
			return true;
	return false;
}

/* `do` in front, in a configuration mode: the rest is a command of privileged mode. */
static bool take_do(const struct exec_session *session, struct text *line)
{
	struct text rest = *line;

	if (session->mode < EXEC_MODE_CONFIG || !text_equal_nocase(text_take_word(&rest), TEXT("do")))
		return false;
	*line = text_trim(rest);
	return true;
}

static enum exec_result run_do(struct exec_session *session, struct text line, struct buffer *out)
{
	enum exec_mode was = session->mode;
	enum exec_result result;

	session->mode = EXEC_MODE_ENABLE;
	result = run_exec(session, line, out);
	/* What changes the mode has no place behind `do`. */
	session->mode = was;
	return result == EXEC_GONE ? EXEC_FINE : result;
}

/* The line with its keywords written out, which is what an applet's pattern is written for; as it stands, where it is none
 * of the commands that there are: applets make up commands of their own. Of configuration what may be a secret is left
 * out. */
static void write_out(const struct exec_session *session, struct text line, struct buffer *to)
{
	struct exec_match *match cleanup(memory_free_pointer) = memory_new(1, sizeof(*match));
	bool is_exec = session->mode < EXEC_MODE_CONFIG || take_do(session, &line);
	size_t bar = is_exec ? text_find_char(line, '|') : TEXT_NOT_FOUND;

	if (!match)
		return;
	if (!is_exec) {
		config_print_safe(line, to);
		return;
	}
	exec_match(exec_rows, session, text_trim(text_first(line, bar)), match);
	if (match->result != MATCH_FOUND) {
		buffer_add(to, text_trim(line));
		return;
	}
	for (size_t i = 0; i < match->word_count; i++) {
		if (i)
			buffer_add_char(to, ' ');
		buffer_add(to, match->keywords[i].len ? match->keywords[i] : match->words[i]);
	}
	if (bar != TEXT_NOT_FOUND) {
		buffer_add_char(to, ' ');
		buffer_add(to, text_trim(text_skip(line, bar)));
	}
}

static enum exec_typed ask_applets(struct exec_session *session, enum exec_key key, struct text line)
{
	cleanup(buffer_done) struct buffer whole = { 0 };

	write_out(session, line, &whole);
	return session->port->typed(session->port->context, session, key, buffer_text(&whole));
}

static enum exec_result run_line(struct exec_session *session, struct text line, struct buffer *out)
{
	if (take_do(session, &line))
		return run_do(session, line, out);
	if (session->mode >= EXEC_MODE_CONFIG)
		return exec_configure(session, line, out);
	return run_exec(session, line, out);
}

enum exec_result exec_run(struct exec_session *session, struct text line, struct buffer *out)
{
	while (line.len && (line.at[line.len - 1] == '\r' || line.at[line.len - 1] == '\n'))
		line.len--;
	if (line.len > EXEC_LINE_MAX || has_control(line)) {
		buffer_add_string(out, line.len > EXEC_LINE_MAX ? "% the line is too long\n" : "% a control character in the line\n");
		return EXEC_REFUSED;
	}
	if (session->waits) {
		buffer_add_string(out, "% the command before is not done yet\n");
		return EXEC_REFUSED;
	}
	line = prompt_skip(line);
	if (text_trim(line).len == 0 || text_trim(line).at[0] == '!')
		return EXEC_FINE;
	remember(session, text_trim(line));
	if (is_question(session, line)) {
		exec_help(session, text_first(line, line.len - 1), out);
		return EXEC_FINE;
	}
	switch (ask_applets(session, EXEC_KEY_ENTER, line)) {
	case EXEC_TYPED_SKIP:
		return EXEC_FINE;
	case EXEC_TYPED_HOLD:
		text_copy(line, session->held, sizeof(session->held));
		session->waits = true;
		return EXEC_LATER;
	default:
		return run_line(session, line, out);
	}
}

enum exec_result exec_resume(struct exec_session *session, bool run_it, struct buffer *out)
{
	session->waits = false;
	return run_it ? run_line(session, text_of(session->held), out) : EXEC_FINE;
}

enum exec_result exec_finish_output(struct exec_session *session, struct text output, const char *why, struct buffer *out)
{
	cleanup(buffer_done) struct buffer text = { 0 }, wrong = { 0 };
	enum exec_result result;
	struct pipe pipe;
	size_t at;

	session->waits = session->is_piped = false;
	buffer_add(&text, output);
	cut(&text, "the output of this command");
	if (pipe_read(text_of(session->held), &pipe, &at, &wrong) < 0)
		return say_failed(out, &wrong); /* it was read before: not reached */
	result = through(session, &pipe, &text, out);
	if (!why)
		return result;
	buffer_printf(out, "%% %s\n", why);
	return EXEC_REFUSED;
}

void exec_applet_ended(struct exec_session *session)
{
	session->waits = false;
}

void exec_tell_key(struct exec_session *session, enum exec_key key, struct text before)
{
	(void)ask_applets(session, key, before);
}

void exec_finish(struct exec_session *session, int error, const char *why, struct buffer *out)
{
	session->waits = false;
	if (error < 0)
		buffer_printf(out, "%% %s\n", why);
	else
		buffer_add_string(out, "[OK]\n");
}
