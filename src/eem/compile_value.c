/* SPDX-License-Identifier: MIT */
/* What the grammars of events and actions share: words to values, and what is said when they are wrong. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "eem/compile.h"
#include "spimend/error.h"

__attribute__((format(printf, 4, 0)))
static void say(struct compiler *c, enum eem_level level, const char *name, const char *format, va_list args)
{
	char text[EEM_FINDING_TEXT_MAX];

	vsnprintf(text, sizeof(text), format, args);
	eem_report_add(c->report, level, c->line, name, c->policy ? c->policy->name : TEXT_NONE, "%s", text);
}

bool compile_fail(struct compiler *c, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(c, EEM_ERROR, name, format, args);
	va_end(args);
	if (c->policy)
		c->policy->failed = true;
	return false;
}

void compile_warn(struct compiler *c, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(c, EEM_WARNING, name, format, args);
	va_end(args);
}

bool compile_unknown(struct compiler *c, const char *name, const char *what, struct text word, const char *const *keywords,
		     uint32_t count)
{
	const char *near = eem_nearest(word, keywords, count);
	int found = eem_keyword(word, keywords, count);
	struct buffer b = { 0 };

	if (found == -2) {
		bool first = true;

		buffer_printf(&b, "'%.*s' may mean ", TEXT_ARG(text_first(word, 60)));
		for (uint32_t i = 0; i < count; i++) {
			if (text_starts_nocase(text_of(keywords[i]), word)) {
				buffer_printf(&b, "%s%s", first ? "" : " or ", keywords[i]);
				first = false;
			}
		}
	} else {
		buffer_printf(&b, "unknown %s '%.*s'", what, TEXT_ARG(text_first(word, 60)));
		if (near) {
			buffer_printf(&b, "; did you mean '%s'?", near);
		} else if (count <= 20) {
			buffer_add_string(&b, "; expected: ");
			eem_choices(&b, keywords, count);
		}
	}
	compile_fail(c, name, "%.*s", TEXT_ARG(buffer_text(&b)));
	buffer_done(&b);
	return false;
}

int compile_keyword(struct compiler *c, struct eem_words *w, const char *name, const char *what, const char *const *keywords,
		    uint32_t count)
{
	struct eem_word *word = eem_word_see(w);
	struct buffer b = { 0 };
	int found;

	if (!word) {
		eem_choices(&b, keywords, count <= 20 ? count : 0);
		compile_fail(c, "incomplete", "the line ends where %s%s is expected%s%.*s",
			     strchr("aeiou", what[0]) ? "an " : "a ", what, b.len ? ": " : "", TEXT_ARG(buffer_text(&b)));
		buffer_done(&b);
		return -1;
	}
	found = eem_keyword(word->text, keywords, count);
	if (found < 0) {
		compile_unknown(c, name, what, word->text, keywords, count);
		return -1;
	}
	eem_word_take(w)->keyword = keywords[found];
	return found;
}

static bool is_name_start(char c)
{
	return char_is_alpha(c) || c == '_';
}

static bool is_name_char(char c)
{
	return is_name_start(c) || char_is_digit(c);
}

/* The variable's name at a '$', its length without '$'; 0 when a '$' is meant. */
static size_t name_length(struct text t)
{
	size_t n = 1;

	if (t.len < 2 || !is_name_start(t.at[1]))
		return 0;
	while (n < t.len && is_name_char(t.at[n]))
		n++;
	return n - 1;
}

/* Environment variables put in, where there are any: events are fixed when they are registered. */
static struct text with_environment(struct compiler *c, struct text t)
{
	struct buffer b = { 0 };
	struct text result = t;
	bool changed = false;

	for (size_t i = 0; i < t.len; i++) {
		size_t n = t.at[i] == '$' ? name_length(text_skip(t, i)) : 0;
		const struct environment *e = n ? policy_environment(c->policies, (struct text){ t.at + i + 1, n }) : NULL;

		if (e) {
			buffer_add(&b, e->value);
			i += n;
			changed = true;
		} else {
			buffer_add_char(&b, t.at[i]);
		}
	}
	if (changed)
		result = arena_text(&c->policies->arena, buffer_text(&b));
	c->no_memory |= b.failed;
	buffer_done(&b);
	return result;
}

bool compile_word(struct compiler *c, struct eem_words *w, const char *what, struct text *ret)
{
	const struct eem_word *word = eem_word_take(w);

	if (!word)
		return compile_fail(c, "incomplete", "the line ends where %s is expected", what);
	*ret = with_environment(c, word->text);
	return true;
}

bool compile_number(struct compiler *c, struct eem_words *w, const char *what, uint64_t least, uint64_t most, uint64_t *ret)
{
	struct text text;

	if (!compile_word(c, w, what, &text))
		return false;
	if (text_decimal(text, most, ret) < 0 || *ret < least)
		return compile_fail(c, "bad-value", "%s: '%.*s' is no number from %" PRIu64 " to %" PRIu64, what,
				    TEXT_ARG(text_first(text, 40)), least, most);
	return true;
}

bool compile_seconds_of(struct text text, int64_t *ret_ns)
{
	uint64_t seconds, part = 0;
	size_t digits = 0;

	if (!text_take_digits(&text, 10, &seconds, NULL) || seconds > UINT32_MAX)
		return false;
	if (text_take_char(&text, '.') && !text_take_digits(&text, 3, &part, &digits))
		return false;
	for (; digits < 3; digits++)
		part *= 10;
	if (text.len)
		return false;
	*ret_ns = (int64_t)seconds * SECOND_NS + (int64_t)part * (SECOND_NS / 1000);
	return true;
}

bool compile_seconds(struct compiler *c, struct eem_words *w, const char *what, double most, int64_t *ret_ns)
{
	struct text text;

	if (!compile_word(c, w, what, &text))
		return false;
	if (!compile_seconds_of(text, ret_ns) || (double)*ret_ns > most * 1e9)
		return compile_fail(c, "bad-value", "%s: '%.*s' is no number of seconds, SSSS[.mmm], up to %.0f", what,
				    TEXT_ARG(text_first(text, 40)), most);
	return true;
}

bool compile_yes_no(struct compiler *c, struct eem_words *w, const char *what, bool *ret)
{
	static const char *const words[] = { "no", "yes" };
	int answer = compile_keyword(c, w, "bad-value", what, words, EEM_COUNT(words));

	*ret = answer == 1;
	return answer >= 0;
}

bool compile_pattern(struct compiler *c, struct text expression, struct eem_pattern **ret)
{
	struct eem_policies *p = c->policies;
	char why[160] = "";
	size_t offset = 0;
	int result;

	if (p->pattern_count == p->pattern_room) {
		uint32_t room = p->pattern_room ? p->pattern_room * 2 : 16;
		struct eem_pattern **grown = memory_resize(p->patterns, room, sizeof(*grown));

		if (!grown) {
			c->no_memory = true;
			return false;
		}
		p->patterns = grown;
		p->pattern_room = room;
	}
	result = eem_pattern_new(expression, why, sizeof(why), &offset, &p->patterns[p->pattern_count]);
	if (result == -ENOMEM) {
		c->no_memory = true;
		return false;
	}
	if (result < 0)
		return compile_fail(c, "bad-expression", "the expression \"%.*s\" cannot be used: %s, at character %zu",
				    TEXT_ARG(text_first(expression, 120)), why, offset + 1);
	*ret = p->patterns[p->pattern_count++];
	return true;
}

bool compile_template(struct compiler *c, struct text text, struct eem_template *ret)
{
	size_t most = 1, from = 0;
	struct part *parts;
	uint32_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		most += text.at[i] == '$' ? 2 : 0;
	parts = arena_new(&c->policies->arena, most, sizeof(*parts));
	if (!parts)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		struct text rest = text_skip(text, i);
		size_t n = rest.at[0] == '$' && (i == 0 || text.at[i - 1] != '\\') ? name_length(rest) : 0;

		if (text_starts(rest, TEXT("${")))
			return compile_fail(c, "placeholder", "'${' is a generator's placeholder; a variable is written $name");
		if (n == 0)
			continue;
		if (i > from)
			parts[count++].text = text_between(text.at + from, text.at + i);
		parts[count].text = (struct text){ text.at + i + 1, n };
		parts[count++].is_variable = true;
		i += n;
		from = i + 1;
	}
	if (from < text.len)
		parts[count++].text = text_skip(text, from);
	ret->parts = parts;
	ret->count = count;
	return true;
}

bool compile_name(struct compiler *c, struct eem_words *w, const char *what, struct text *ret)
{
	const struct eem_word *word = eem_word_take(w);

	if (!word)
		return compile_fail(c, "incomplete", "the line ends where %s is expected", what);
	if (text_starts(word->text, TEXT("$")))
		return compile_fail(c, "bad-value", "'%.*s': where a variable is set its name stands without '$'", TEXT_ARG(word->text));
	if (word->text.len == 0 || word->text.len > 64 || !is_name_start(word->text.at[0]))
		return compile_fail(c, "bad-value", "'%.*s' is no variable's name: letters, digits and '_', at most 64",
				    TEXT_ARG(text_first(word->text, 80)));
	for (size_t i = 0; i < word->text.len; i++)
		if (!is_name_char(word->text.at[i]))
			return compile_fail(c, "bad-value", "'%.*s' is no variable's name: letters, digits and '_', at most 64",
					    TEXT_ARG(word->text));
	*ret = word->text;
	return true;
}

struct text compile_source(struct compiler *c, const struct eem_words *w, uint32_t from)
{
	struct buffer b = { 0 };
	struct text source;

	eem_words_print(w, from, &b);
	source = arena_text(&c->policies->arena, buffer_text(&b));
	c->no_memory |= b.failed;
	buffer_done(&b);
	return source;
}
