/* SPDX-License-Identifier: MIT */
/* '?' and completion, from the same rows that run. */
#include "base/memory.h"
#include "exec/private.h"
#include "parse/prompt.h"

static const char *prefix_help(const char *path, struct text word)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < exec_prefix_count; i++) {
		const char *words = exec_prefixes[i].words;

		if (strncmp(words, path, len) != 0)
			continue;
		if (len ? words[len] == ' ' && text_equal(text_of(words + len + 1), word) : text_equal(text_of(words), word))
			return exec_prefixes[i].help;
	}
	return NULL;
}

/* The rows that count where `before` ends, which loses a `do` or a `no` in front. */
static match_row_fn *rows_for(struct exec_session *session, struct text *before, bool *ret_do)
{
	struct text rest = *before, word = text_take_word(&rest);

	*ret_do = false;
	if (session->mode < EXEC_MODE_CONFIG)
		return exec_rows;
	if (rest.len && text_equal_nocase(word, TEXT("do"))) {
		*before = rest;
		*ret_do = true;
		return exec_rows;
	}
	if (rest.len && text_equal_nocase(word, TEXT("no")))
		*before = rest;
	return exec_configure_rows;
}

/* Behind a '|'? Then `*ret` is the unfinished verb. */
static bool is_in_pipe(struct text before, struct text *ret)
{
	size_t at = TEXT_NOT_FOUND;

	for (size_t i = 0; i < before.len; i++)
		if (before.at[i] == '|')
			at = i;
	if (at == TEXT_NOT_FOUND)
		return false;
	*ret = text_skip(before, at + 1);
	text_take_blanks(ret);
	return true;
}

static struct match_choices *choices_of(struct exec_session *session, struct text *before, bool *ret_do)
{
	struct match_choices *choices = memory_new(1, sizeof(*choices));
	enum exec_mode was = session->mode;
	match_row_fn *rows;

	if (!choices)
		return NULL;
	*before = prompt_skip(*before);
	rows = rows_for(session, before, ret_do);
	if (*ret_do)
		session->mode = EXEC_MODE_ENABLE;
	exec_choices(rows, session, *before, choices);
	session->mode = was;
	return choices;
}

static size_t width_of(const struct match_choices *choices)
{
	size_t width = 4;

	for (size_t i = 0; i < choices->count; i++) {
		struct text word = choices->at[i].is_argument ? text_of(exec_argument_help(choices->at[i].word)) : choices->at[i].word;

		if (word.len > width)
			width = word.len;
	}
	return width < 24 ? width : 24;
}

/* The shared words are those of the exec graph; a row of the configuration explains itself. */
static void list(const struct match_choices *choices, bool is_exec, struct buffer *out)
{
	int width = (int)width_of(choices);

	for (size_t i = 0; i < choices->count; i++) {
		const struct match_choice *one = &choices->at[i];
		struct text word = one->is_argument ? text_of(exec_argument_help(one->word)) : one->word;
		const char *help = one->is_argument || !is_exec ? NULL : prefix_help(choices->path, one->word);
		char name[64];

		if (!help)
			help = one->help;
		text_copy(one->word, name, sizeof(name));
		if (!help) /* an argument says at least what it is */
			help = one->is_argument ? name : "";
		if (help[0])
			buffer_printf(out, "  %-*.*s  %s\n", width, TEXT_ARG(word), help);
		else
			buffer_printf(out, "  %.*s\n", TEXT_ARG(word));
	}
	if (choices->may_end)
		buffer_printf(out, "  %-*s  %s\n", width, "<cr>", choices->end_help);
}

void exec_help(struct exec_session *session, struct text before, struct buffer *out)
{
	struct match_choices *choices cleanup(memory_free_pointer) = NULL;
	struct text partial;
	bool is_do = false;

	exec_tell_key(session, EXEC_KEY_QUESTION, before);
	if (session->mode < EXEC_MODE_CONFIG && is_in_pipe(before, &partial)) {
		pipe_help(partial, false, out);
		return;
	}
	choices = choices_of(session, &before, &is_do);
	if (!choices)
		return;
	if (choices->result != MATCH_FOUND) {
		exec_say_mismatch(session, choices->result, before, choices->bad_at, out);
		return;
	}
	if (choices->count == 0 && !choices->may_end) {
		buffer_add_string(out, "% Unrecognized command\n");
		return;
	}
	if (choices->partial.len) { /* "sh?": the words that begin so, on a line */
		for (size_t i = 0; i < choices->count; i++)
			if (!choices->at[i].is_argument)
				buffer_printf(out, "%.*s  ", TEXT_ARG(choices->at[i].word));
		buffer_add_char(out, '\n');
		return;
	}
	list(choices, session->mode < EXEC_MODE_CONFIG || is_do, out);
	if (choices->may_end && session->mode < EXEC_MODE_CONFIG)
		buffer_printf(out, "  %-*s  %s\n", (int)width_of(choices), "|", "output modifiers");
}

void exec_complete(struct exec_session *session, struct text before, struct buffer *out)
{
	struct match_choices *choices cleanup(memory_free_pointer) = NULL;
	struct text partial;
	bool is_do = false;

	exec_tell_key(session, EXEC_KEY_TAB, before);
	if (session->mode < EXEC_MODE_CONFIG && is_in_pipe(before, &partial)) {
		if (text_find_char(partial, ' ') == TEXT_NOT_FOUND)
			pipe_help(partial, true, out);
		return;
	}
	choices = choices_of(session, &before, &is_do);
	for (size_t i = 0; choices && choices->result == MATCH_FOUND && i < choices->count; i++)
		if (!choices->at[i].is_argument)
			buffer_printf(out, "%.*s\n", TEXT_ARG(choices->at[i].word));
}
