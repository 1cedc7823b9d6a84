/* SPDX-License-Identifier: MIT */
#include "exec/pipe.h"

static const struct {
	struct text word;
	const char *help;
	bool needs;  /* something behind it */
	bool writes; /* to a file */
} verbs[PIPE_VERBS] = {
	[PIPE_APPEND] = { TEXT("append"), "append the output to a file", true, true },
	[PIPE_BEGIN] = { TEXT("begin"), "begin with the line that matches", true, false },
	[PIPE_COUNT] = { TEXT("count"), "count the lines that match", false, false },
	[PIPE_EXCLUDE] = { TEXT("exclude"), "leave out lines that match", true, false },
	[PIPE_INCLUDE] = { TEXT("include"), "only lines that match", true, false },
	[PIPE_JSON] = { TEXT("json"), "one JSON object a line, for programs", false, false },
	[PIPE_REDIRECT] = { TEXT("redirect"), "write the output to a file", true, true },
	[PIPE_SECTION] = { TEXT("section"), "lines that match, with what is indented below them", true, false },
	[PIPE_TEE] = { TEXT("tee"), "write the output to a file and show it", true, true },
};

/* No two begin with the same letter. */
static int verb_of(struct text word)
{
	for (int i = 0; i < PIPE_VERBS; i++)
		if (word.len && text_starts_nocase(verbs[i].word, word))
			return i;
	return -1;
}

static struct text stage_words(struct text rest, int *ret_verb)
{
	*ret_verb = verb_of(text_take_word(&rest));
	return text_trim(rest);
}

/* The offset of the '|' that ends this stage. In a pattern "a|b" it is an alternative: only one that stands free, in front
 * of a verb that has all it needs, begins a new stage. */
static size_t end_of_stage(struct text t)
{
	bool quoted = false;

	for (size_t i = 0; i < t.len; i++) {
		int verb;

		if (t.at[i] == '"')
			quoted = !quoted;
		if (quoted || t.at[i] != '|' || (i > 0 && !char_is_blank(t.at[i - 1])))
			continue;
		if (stage_words(text_skip(t, i + 1), &verb).len || (verb >= 0 && !verbs[verb].needs))
			if (verb >= 0)
				return i;
	}
	return t.len;
}

/* The first '|' of a line, outside of quotes: behind it a verb must stand. */
static size_t first_bar(struct text t)
{
	bool quoted = false;

	for (size_t i = 0; i < t.len; i++) {
		if (t.at[i] == '"')
			quoted = !quoted;
		else if (t.at[i] == '|' && !quoted)
			return i;
	}
	return t.len;
}

static int refuse(struct buffer *why, const char *what)
{
	buffer_add_string(why, what);
	return -1;
}

int exec_file_name(struct text given, char ret[EXEC_FILE_NAME_MAX], struct buffer *why)
{
	struct text name = given;

	if (text_take_nocase(&name, TEXT("disk0:")) || text_take_nocase(&name, TEXT("flash:")) ||
	    text_take_nocase(&name, TEXT("bootflash:")))
		text_take_char(&name, '/');
	else if (text_find_char(name, ':') != TEXT_NOT_FOUND)
		return refuse(why, "there are only disk0: and flash:, spimend's own directory");
	if (name.len == 0 || name.len >= EXEC_FILE_NAME_MAX || name.at[0] == '.' || name.at[0] == '-')
		return refuse(why, "a file's name has 1 to 63 letters, digits, '.', '_' and '-', and begins with a letter, a digit or '_'");
	for (size_t i = 0; i < name.len; i++)
		if (!char_is_alpha(name.at[i]) && !char_is_digit(name.at[i]) && !memchr("._-", name.at[i], 3))
			return refuse(why, "a file's name has only letters, digits, '.', '_' and '-'");
	text_copy(name, ret, EXEC_FILE_NAME_MAX);
	return 0;
}

static struct text without_quotes(struct text t)
{
	if (t.len >= 2 && t.at[0] == '"' && t.at[t.len - 1] == '"')
		return (struct text){ t.at + 1, t.len - 2 };
	return t;
}

static int read_stage(struct text t, struct pipe_stage *ret, size_t *ret_offset, struct buffer *why)
{
	struct text rest = t, word = text_take_word(&rest), first;
	int verb = verb_of(word);

	*ret_offset = word.at ? (size_t)(word.at - t.at) : t.len;
	if (verb < 0)
		return refuse(why, "");
	rest = text_trim(rest);
	*ret = (struct pipe_stage){ .verb = (enum pipe_verb)verb };
	*ret_offset = rest.at ? (size_t)(rest.at - t.at) : t.len;
	if (verbs[verb].writes) {
		if (verb == PIPE_TEE && text_take_nocase(&rest, TEXT("/append"))) {
			ret->append = true;
			rest = text_trim(rest);
		}
		return exec_file_name(rest, ret->file, why);
	}
	if (verb == PIPE_SECTION) {
		struct text behind = rest;

		first = text_take_word(&behind);
		ret->is_reversed = text_trim(behind).len && first.len >= 2 && text_starts_nocase(TEXT("exclude"), first);
		if (ret->is_reversed || (text_trim(behind).len && first.len >= 2 && text_starts_nocase(TEXT("include"), first)))
			rest = text_trim(behind);
	}
	ret->pattern = without_quotes(rest);
	if (verb == PIPE_JSON && rest.len)
		return refuse(why, "");
	if (verbs[verb].needs && ret->pattern.len == 0)
		return refuse(why, "a pattern is expected");
	if (ret->pattern.len > PIPE_PATTERN_MAX)
		return refuse(why, "a pattern has at most 254 bytes");
	return 0;
}

int pipe_read(struct text line, struct pipe *ret, size_t *ret_at, struct buffer *why)
{
	size_t at = first_bar(line);

	memset(ret, 0, sizeof(*ret));
	ret->command = text_first(line, at);
	ret->is_there = at < line.len;
	while (at < line.len) {
		struct text rest = text_skip(line, at + 1);
		size_t end = end_of_stage(rest), offset = 0;
		struct pipe_stage *stage = &ret->stages[ret->count];

		*ret_at = at;
		if (ret->count == PIPE_STAGES_MAX)
			return refuse(why, "too many pipes");
		if (ret->count && (stage[-1].verb == PIPE_APPEND || stage[-1].verb == PIPE_REDIRECT))
			return refuse(why, "nothing can follow what goes into a file: 'tee' shows it too");
		if (read_stage(text_first(rest, end), stage, &offset, why) < 0) {
			*ret_at = at + 1 + offset;
			return -1;
		}
		if (stage->verb == PIPE_JSON && ret->count)
			return refuse(why, "'json' stands right behind the command");
		ret->count++;
		at += 1 + end;
	}
	return 0;
}

void pipe_help(struct text partial, bool bare, struct buffer *out)
{
	for (int i = 0; i < PIPE_VERBS; i++) {
		if (!text_starts_nocase(verbs[i].word, partial))
			continue;
		if (bare)
			buffer_printf(out, "%.*s\n", TEXT_ARG(verbs[i].word));
		else
			buffer_printf(out, "  %-10.*s %s\n", TEXT_ARG(verbs[i].word), verbs[i].help);
	}
}
