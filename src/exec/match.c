/* SPDX-License-Identifier: MIT */
/* A line against all rows at once, word by word, as IOS does it. */
#include "exec/match.h"

#include <stdlib.h>

#include "base/memory.h"

#define ROWS_FIRST 16 /* room is made for so many, then for twice as many */

struct candidate { /* a row that fits still */
	struct match_row row;
	struct syntax syntax;
	uint64_t next;                   /* places where the next word may stand */
	uint64_t took[EXEC_WORDS_MAX];   /* places where each word may have stood */
};

struct matcher {
	struct candidate *rows; /* owns */
	size_t count, room;
	struct text chosen[EXEC_WORDS_MAX]; /* the keyword that each word stands for; empty: an argument */
};

/* Can a line that begins with that word be one of the row's? Only what is sure counts: a row is big once it is read, and
 * most rows begin with another letter. */
static bool may_begin(const struct match_row *row, struct text word)
{
	struct text first = text_of(row->syntax);

	first = text_take_until(&first, " ");
	return word.len == 0 || first.len == 0 || first.at[0] < 'a' || first.at[0] > 'z' ||
	       text_find_char(first, '|') != TEXT_NOT_FOUND || char_lower(word.at[0]) == first.at[0];
}

static struct candidate *add_row(struct matcher *m)
{
	struct candidate *more;

	if (m->count == m->room) {
		more = memory_resize(m->rows, m->room ? 2 * m->room : ROWS_FIRST, sizeof(*more));
		if (!more)
			return NULL;
		m->rows = more;
		m->room = m->room ? 2 * m->room : ROWS_FIRST;
	}
	return &m->rows[m->count++];
}

/* The rows that may fit a line with that first word; empty: all. */
static int begin(struct matcher *m, match_row_fn *rows, const void *context, struct text first)
{
	struct match_row row;
	struct candidate *c;

	for (size_t i = 0; rows(context, i, &row); i++) {
		if (!row.syntax || !may_begin(&row, first))
			continue;
		c = add_row(m);
		if (!c)
			return -1;
		c->row = row;
		if (syntax_read(row.syntax, row.arguments, &c->syntax))
			c->next = c->syntax.first;
		else
			m->count--;
	}
	return 0;
}

static bool is_hidden(const struct candidate *c)
{
	return c->row.command && c->row.command->flags & EXEC_HIDDEN;
}

static size_t common(struct text a, struct text b)
{
	size_t n = 0;

	while (n < a.len && n < b.len && char_lower(a.at[n]) == char_lower(b.at[n]))
		n++;
	return n;
}

struct look { /* at one word */
	struct text keyword;  /* the one it stands for */
	bool is_exact, is_ambiguous, is_argument;
	size_t good;          /* bytes of it that are the beginning of some keyword */
};

static void look_at_keyword(struct look *look, const struct candidate *c, struct text keyword, struct text word)
{
	bool is_exact = text_equal_nocase(keyword, word);

	if (common(keyword, word) > look->good)
		look->good = common(keyword, word);
	if (!text_starts_nocase(keyword, word) || (is_hidden(c) && !is_exact) || (look->is_exact && !is_exact))
		return;
	if (is_exact && !look->is_exact)
		*look = (struct look){ .is_exact = true, .good = word.len };
	if (look->keyword.len && !text_equal(look->keyword, keyword))
		look->is_ambiguous = true;
	else
		look->keyword = keyword;
}

static struct look look_at(const struct matcher *m, struct text word)
{
	struct look look = { .good = 0 };

	for (size_t i = 0; i < m->count; i++)
		for (size_t p = 0; p < m->rows[i].syntax.count; p++)
			if (m->rows[i].next >> p & 1 && !m->rows[i].syntax.places[p].is_argument)
				look_at_keyword(&look, &m->rows[i], m->rows[i].syntax.places[p].word, word);
	if (look.keyword.len)
		return look;
	for (size_t i = 0; i < m->count; i++)
		for (size_t p = 0; p < m->rows[i].syntax.count; p++)
			if (m->rows[i].next >> p & 1 && m->rows[i].syntax.places[p].is_argument &&
			    exec_argument_fits(m->rows[i].syntax.places[p].word, word))
				look.is_argument = true;
	return look;
}

static void take(struct matcher *m, size_t index, struct text word, const struct look *look)
{
	m->chosen[index] = look->keyword;
	for (size_t i = 0; i < m->count; i++) {
		struct candidate *c = &m->rows[i];
		uint64_t took = 0, next = 0;

		for (size_t p = 0; p < c->syntax.count; p++) {
			const struct syntax_place *place = &c->syntax.places[p];

			if (!(c->next >> p & 1))
				continue;
			if (place->is_argument ? look->keyword.len == 0 && exec_argument_fits(place->word, word)
					       : look->keyword.len && text_equal(place->word, look->keyword)) {
				took |= UINT64_C(1) << p;
				next |= place->follow;
			}
		}
		c->took[index] = took;
		c->next = next;
	}
}

/* Takes words[0..count). The index of the word that is wrong, or `count`. */
static size_t walk(struct matcher *m, const struct text *words, size_t count, struct look *ret)
{
	for (size_t i = 0; i < count; i++) {
		*ret = look_at(m, words[i]);
		if (ret->is_ambiguous || (!ret->keyword.len && !ret->is_argument))
			return i;
		take(m, i, words[i], ret);
	}
	return count;
}

static bool split(struct text line, struct exec_match *ret)
{
	struct text rest = line, word;

	while ((word = text_take_word(&rest)).len) {
		if (ret->word_count == EXEC_WORDS_MAX)
			return false;
		ret->words[ret->word_count++] = word;
	}
	return true;
}

static bool ends_at(const struct candidate *c, size_t words)
{
	return words ? (c->took[words - 1] & c->syntax.last) != 0 : c->syntax.may_be_empty;
}

/* Which place each word has: backwards, from one where the line may end. */
static void note_words(const struct candidate *c, const struct text chosen[], struct exec_match *ret)
{
	uint64_t may = c->syntax.last;

	for (size_t i = ret->word_count; i-- > 0;) {
		uint64_t here = c->took[i] & may;
		size_t place = 0;

		while (!(here >> place & 1))
			place++;
		ret->keywords[i] = chosen[i];
		if (c->syntax.places[place].is_argument && ret->argument_count < EXEC_ARGUMENTS_MAX)
			ret->arguments[ret->argument_count++] =
				(struct exec_argument){ c->syntax.places[place].word.at, c->syntax.places[place].word.len, ret->words[i] };
		may = 0;
		for (size_t p = 0; p < c->syntax.count; p++)
			if (c->syntax.places[p].follow >> place & 1)
				may |= UINT64_C(1) << p;
	}
	/* They were found from the last to the first. */
	for (size_t i = 0; i < ret->argument_count / 2; i++) {
		struct exec_argument other = ret->arguments[i];

		ret->arguments[i] = ret->arguments[ret->argument_count - 1 - i];
		ret->arguments[ret->argument_count - 1 - i] = other;
	}
}

static size_t offset_in(struct text line, struct text word)
{
	return word.at ? (size_t)(word.at - line.at) : line.len;
}

void exec_match(match_row_fn *rows, const void *context, struct text line, struct exec_match *ret)
{
	struct matcher m = { 0 };
	struct look look = { 0 };
	size_t good;

	memset(ret, 0, sizeof(*ret));
	ret->result = MATCH_INVALID;
	if (!split(line, ret)) {
		ret->at = offset_in(line, ret->words[EXEC_WORDS_MAX - 1]);
		return;
	}
	if (begin(&m, rows, context, ret->words[0]) < 0) {
		memory_free(m.rows);
		return;
	}
	good = walk(&m, ret->words, ret->word_count, &look);
	if (good < ret->word_count) {
		ret->result = look.is_ambiguous ? MATCH_AMBIGUOUS : MATCH_INVALID;
		/* Where it goes wrong: behind what is the beginning of some keyword. */
		ret->at = offset_in(line, ret->words[good]) + (look.good < ret->words[good].len ? look.good : 0);
	} else {
		ret->result = MATCH_INCOMPLETE;
		ret->at = line.len;
		for (size_t i = 0; i < m.count && ret->result == MATCH_INCOMPLETE; i++) {
			if (!ends_at(&m.rows[i], ret->word_count))
				continue;
			ret->result = MATCH_FOUND;
			ret->row = m.rows[i].row;
			note_words(&m.rows[i], m.chosen, ret);
		}
	}
	memory_free(m.rows);
}

/* --- What may come next? ---------------------------------------------------------------------------------------------- */

static void add_choice(struct match_choices *ret, struct text word, bool is_argument, bool ends, const char *help)
{
	for (size_t i = 0; i < ret->count; i++) {
		struct match_choice *known = &ret->at[i];

		if (known->is_argument != is_argument || !text_equal(known->word, word))
			continue;
		if (ends && !known->ends)
			known->help = help;
		else if (!known->ends && !ends && known->help && strcmp(known->help, help) != 0)
			known->help = NULL; /* several commands begin so: no help is that of all */
		known->ends = known->ends || ends;
		return;
	}
	if (ret->count < MATCH_CHOICES_MAX)
		ret->at[ret->count++] = (struct match_choice){ word, is_argument, ends, help };
}

static void collect(const struct matcher *m, size_t words, struct match_choices *ret)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct candidate *c = &m->rows[i];

		if (is_hidden(c))
			continue;
		if (ends_at(c, words) && words && c->took[words - 1]) {
			ret->may_end = true;
			if (!ret->end_help)
				ret->end_help = c->row.help;
		}
		for (size_t p = 0; p < c->syntax.count; p++) {
			const struct syntax_place *place = &c->syntax.places[p];
			bool ends = c->syntax.last >> p & 1;

			if (!(c->next >> p & 1) ||
			    (place->is_argument ? ret->partial.len && !exec_argument_fits(place->word, ret->partial)
						: !text_starts_nocase(place->word, ret->partial)))
				continue;
			add_choice(ret, place->word, place->is_argument, ends, c->row.help);
		}
	}
}

static int compare_choices(const void *a, const void *b)
{
	const struct match_choice *one = a, *other = b;
	size_t n = one->word.len < other->word.len ? one->word.len : other->word.len;
	int r = one->is_argument - other->is_argument;

	if (r == 0)
		r = memcmp(one->word.at, other->word.at, n);
	return r ? r : (int)one->word.len - (int)other->word.len;
}

static void write_path(const struct matcher *m, size_t words, struct match_choices *ret)
{
	size_t len = 0;

	for (size_t i = 0; i < words; i++) {
		if (!m->chosen[i].len || len + m->chosen[i].len + 2 > sizeof(ret->path))
			continue;
		if (len)
			ret->path[len++] = ' ';
		memcpy(ret->path + len, m->chosen[i].at, m->chosen[i].len);
		len += m->chosen[i].len;
	}
	ret->path[len] = '\0';
}

void exec_choices(match_row_fn *rows, const void *context, struct text before, struct match_choices *ret)
{
	struct exec_match *line cleanup(memory_free_pointer) = memory_new(1, sizeof(*line));
	struct matcher m = { 0 };
	struct look look = { 0 };
	size_t words, good;

	memset(ret, 0, sizeof(*ret));
	ret->result = MATCH_INVALID;
	if (!line || !split(before, line) || begin(&m, rows, context, line->words[0]) < 0) {
		memory_free(m.rows);
		return;
	}
	words = line->word_count;
	if (words && !char_is_blank(before.at[before.len - 1]))
		ret->partial = line->words[--words];
	good = walk(&m, line->words, words, &look);
	if (good < words) {
		ret->result = look.is_ambiguous ? MATCH_AMBIGUOUS : MATCH_INVALID;
		ret->bad_at = offset_in(before, line->words[good]) + (look.good < line->words[good].len ? look.good : 0);
	} else {
		ret->result = MATCH_FOUND;
		collect(&m, words, ret);
		write_path(&m, words, ret);
		qsort(ret->at, ret->count, sizeof(ret->at[0]), compare_choices);
	}
	memory_free(m.rows);
}
