/* SPDX-License-Identifier: MIT */
#include "eem/words.h"


/* The bytes up to the closing quote with \" made ". Any other backslash stays: expressions are full of them. */
static struct text unquote(struct text quoted, struct arena *arena)
{
	char *to = arena_new(arena, quoted.len + 1, 1);
	size_t len = 0;

	if (!to)
		return TEXT_NONE;
	for (size_t i = 0; i < quoted.len; i++) {
		if (quoted.at[i] == '\\' && i + 1 < quoted.len && quoted.at[i + 1] == '"')
			i++;
		to[len++] = quoted.at[i];
	}
	return (struct text){ to, len };
}

static bool cut_quoted(struct text line, size_t *at, struct arena *arena, struct eem_words *w)
{
	size_t from = *at + 1, end = from;
	struct eem_word *word = &w->at[w->count];

	while (end < line.len && line.at[end] != '"')
		end += line.at[end] == '\\' && end + 1 < line.len ? 2 : 1;
	if (end >= line.len) {
		w->trouble = "a quote is not closed";
		w->is_unclosed = true;
		w->trouble_at = (uint32_t)*at;
		return false;
	}
	word->text = unquote((struct text){ line.at + from, end - from }, arena);
	word->raw = (struct text){ line.at + *at, end + 1 - *at };
	word->is_quoted = true;
	*at = end + 1;
	if (*at < line.len && !char_is_blank(line.at[*at])) {
		w->trouble = "a string goes on behind its closing quote; a quote inside a string is written \\\"";
		w->trouble_at = (uint32_t)*at;
		return false;
	}
	return true;
}

bool eem_words_cut(struct text line, struct arena *arena, struct eem_words *w)
{
	size_t at = 0;

	w->count = w->next = 0;
	w->line = line;
	w->trouble = NULL;
	w->is_unclosed = false;
	w->trouble_at = 0;
	for (;;) {
		while (at < line.len && char_is_blank(line.at[at]))
			at++;
		if (at == line.len)
			return true;
		if (w->count == EEM_WORDS_MAX) {
			w->trouble = "more words than any command has";
			w->trouble_at = (uint32_t)at;
			return false;
		}
		w->at[w->count] = (struct eem_word){ 0 };
		if (line.at[at] == '"') {
			if (!cut_quoted(line, &at, arena, w))
				return false;
		} else {
			size_t from = at;

			while (at < line.len && !char_is_blank(line.at[at]))
				at++;
			w->at[w->count].raw = w->at[w->count].text = (struct text){ line.at + from, at - from };
		}
		w->count++;
	}
}

struct eem_word *eem_word_see(struct eem_words *w)
{
	return w->next < w->count ? &w->at[w->next] : NULL;
}

struct eem_word *eem_word_take(struct eem_words *w)
{
	return w->next < w->count ? &w->at[w->next++] : NULL;
}

struct text eem_words_rest(struct eem_words *w)
{
	struct text rest = TEXT_NONE;

	if (w->next < w->count)
		rest = text_trim(text_between(w->at[w->next].raw.at, w->line.at + w->line.len));
	w->next = w->count;
	return rest;
}

void eem_words_print(const struct eem_words *w, uint32_t from, struct buffer *out)
{
	for (uint32_t i = from; i < w->count; i++) {
		if (i > from)
			buffer_add_char(out, ' ');
		if (w->at[i].keyword)
			buffer_add_string(out, w->at[i].keyword);
		else
			buffer_add(out, w->at[i].raw);
	}
}

int eem_keyword(struct text word, const char *const *keywords, uint32_t count)
{
	int found = -1;

	if (word.len == 0)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		struct text keyword = text_of(keywords[i]);

		if (!text_starts_nocase(keyword, word))
			continue;
		if (keyword.len == word.len)
			return (int)i;
		found = found == -1 ? (int)i : -2;
	}
	return found;
}

const char *eem_nearest(struct text word, const char *const *keywords, uint32_t count)
{
	const char *best = NULL;
	size_t edits = SIZE_MAX;

	for (uint32_t i = 0; word.len && i < count; i++)
		if (text_resembles(word, text_of(keywords[i]), edits, &edits))
			best = keywords[i];
	return best;
}

void eem_choices(struct buffer *out, const char *const *keywords, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		buffer_printf(out, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", keywords[i]);
}
