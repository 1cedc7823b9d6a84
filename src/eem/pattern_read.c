/* SPDX-License-Identifier: MIT */
#include "eem/pattern_read.h"

#include <errno.h>

#include "spimend/error.h"

#define DEPTH_MAX 32
#define REPEAT_MAX 255

struct reader {
	struct text in;
	size_t at;
	uint32_t depth, literal_depth; /* literals are collected at this depth */
	bool has_atom;                 /* something to repeat stands in front */
	bool anything_else;            /* more than texts and ".*" */
	struct buffer run;             /* the literal being gathered */
	uint32_t kept_of_alternative, sure_of_alternative; /* sure: with at least one certain character */
	bool keep_none;                /* some alternative requires nothing */
	struct pattern_reading *to;
};

static bool fail(struct reader *r, const char *why, size_t at)
{
	r->to->why = why;
	r->to->offset = at;
	return false;
}

static void flush_run(struct reader *r)
{
	struct pattern_reading *to = r->to;

	if (r->run.len && r->kept_of_alternative < EEM_LITERALS_MAX && to->alternatives < EEM_ALTERNATIVES_MAX) {
		to->literal[to->literal_count].at = (uint32_t)to->literals.len;
		to->literal[to->literal_count].len = (uint32_t)r->run.len;
		to->literal[to->literal_count++].alternative = to->alternatives;
		r->kept_of_alternative++;
		for (size_t i = 0; i < r->run.len; i++) {
			if (r->run.bytes[i] != EEM_ANY_BYTE) {
				r->sure_of_alternative++;
				break;
			}
		}
		buffer_add(&to->literals, buffer_text(&r->run));
	} else if (r->run.len) {
		r->anything_else = true; /* too many for a sequence */
	}
	buffer_clear(&r->run);
}

static void end_alternative(struct reader *r)
{
	flush_run(r);
	if (r->sure_of_alternative == 0)
		r->keep_none = true;
	r->kept_of_alternative = r->sure_of_alternative = 0;
	r->to->alternatives++;
}

static void emit_literal(struct buffer *out, char c)
{
	bool plain = char_is_alpha(c) || char_is_digit(c) || c == '_' || c == ' ' || (unsigned char)c >= 0x80;

	if ((unsigned char)c < 0x20 || c == 0x7f)
		buffer_printf(out, "\\x{%02x}", (unsigned)(unsigned char)c);
	else
		buffer_printf(out, plain ? "%c" : "\\%c", c);
}

/* "{2,5}": its length, or 0 when this is no repetition and the brace is meant literally. */
static size_t braces(struct text rest, uint64_t *least, uint64_t *most)
{
	struct text t = rest;

	if (!text_take_char(&t, '{') || !text_take_digits(&t, 4, least, NULL))
		return 0;
	*most = *least;
	if (text_take_char(&t, ',') && !text_take_digits(&t, 4, most, NULL))
		*most = REPEAT_MAX;
	return text_take_char(&t, '}') ? rest.len - t.len : 0;
}

struct repeat {
	bool is_there, may_be_none, is_once; /* is_once: exactly one */
};

static bool read_repeat(struct reader *r, struct repeat *ret)
{
	struct text rest = text_skip(r->in, r->at);
	uint64_t least = 1, most = 1;
	size_t len = 0;

	*ret = (struct repeat){ .is_once = true };
	if (rest.len && (rest.at[0] == '*' || rest.at[0] == '+' || rest.at[0] == '?'))
		len = 1;
	else
		len = braces(rest, &least, &most);
	if (len == 0)
		return true;
	if (len > 1 && (least > REPEAT_MAX || most > REPEAT_MAX || most < least))
		return fail(r, "a repetition counts from 0 to 255, the smaller number first", r->at);
	*ret = (struct repeat){
		.is_there = true,
		.may_be_none = rest.at[0] == '*' || rest.at[0] == '?' || (len > 1 && least == 0),
		.is_once = len > 1 && least == 1 && most == 1,
	};
	buffer_add(&r->to->out, text_first(rest, len));
	r->at += len;
	rest = text_skip(rest, len);
	if (text_starts(rest, TEXT("?"))) {
		buffer_add_char(&r->to->out, '?');
		r->at++;
		rest = text_skip(rest, 1);
	}
	if (rest.len && (rest.at[0] == '*' || rest.at[0] == '+' || rest.at[0] == '?' || braces(rest, &least, &most)))
		return fail(r, "two repetitions in a row", r->at);
	return true;
}

/* Behind an atom that is one certain character. */
static bool after_literal(struct reader *r, char c)
{
	bool collects = r->depth == r->literal_depth;
	struct repeat repeat;

	r->has_atom = true;
	if (!read_repeat(r, &repeat))
		return false;
	if (repeat.is_there && !repeat.is_once)
		r->anything_else = true;
	if (!collects)
		return true;
	if (!repeat.may_be_none)
		buffer_add_char(&r->run, c);
	if (repeat.is_there && !repeat.is_once)
		flush_run(r);
	return true;
}

/* Behind any other atom. */
static bool after_atom(struct reader *r)
{
	struct repeat repeat;

	if (r->depth == r->literal_depth)
		flush_run(r);
	r->has_atom = r->anything_else = true;
	return read_repeat(r, &repeat);
}

/* Behind a dot: alone it is any one character of a literal; ".*" and ".+" part two literals. */
static bool after_dot(struct reader *r)
{
	bool collects = r->depth == r->literal_depth;
	struct text from = text_skip(r->in, r->at);
	struct repeat repeat;

	r->has_atom = true;
	if (!read_repeat(r, &repeat))
		return false;
	if (!collects)
		return true;
	if (!repeat.is_there || text_starts(from, TEXT("+")))
		buffer_add_char(&r->run, EEM_ANY_BYTE);
	if (repeat.is_there)
		flush_run(r);
	if (repeat.is_there && !text_starts(from, TEXT("+")) && !text_starts(from, TEXT("*")))
		r->anything_else = true;
	return true;
}

static bool read_class_name(struct reader *r, struct text rest)
{
	static const struct text names[] = { TEXT("alpha"), TEXT("digit"), TEXT("alnum"), TEXT("upper"), TEXT("lower"),
					     TEXT("space"), TEXT("blank"), TEXT("punct"), TEXT("print"), TEXT("graph"),
					     TEXT("cntrl"), TEXT("xdigit") };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct text t = text_skip(rest, 2);

		if (text_take(&t, names[i]) && text_take(&t, TEXT(":]"))) {
			buffer_add(&r->to->out, text_first(rest, rest.len - t.len));
			r->at += rest.len - t.len;
			return true;
		}
	}
	return fail(r, "no such character class; [:alpha:], [:digit:], [:alnum:], [:space:] and others exist", r->at);
}

static bool read_bracket_escape(struct reader *r)
{
	char c;

	if (r->at + 1 >= r->in.len)
		return fail(r, "a bracket is not closed", r->at);
	c = r->in.at[r->at + 1];
	if (strchr("dDwWsSntr", c) && c)
		buffer_printf(&r->to->out, "\\%c", c);
	else if (char_is_alpha(c) || char_is_digit(c))
		return fail(r, "this escape means nothing here", r->at);
	else
		emit_literal(&r->to->out, c);
	r->at += 2;
	return true;
}

static bool read_bracket(struct reader *r)
{
	size_t open = r->at++;
	bool first = true;

	buffer_add_char(&r->to->out, '[');
	if (r->at < r->in.len && r->in.at[r->at] == '^') {
		buffer_add_char(&r->to->out, '^');
		r->at++;
	}
	for (;; first = false) {
		struct text rest = text_skip(r->in, r->at);

		if (rest.len == 0)
			return fail(r, "a bracket is not closed", open);
		if (rest.at[0] == ']' && !first) {
			buffer_add_char(&r->to->out, ']');
			r->at++;
			return after_atom(r);
		}
		if (text_starts(rest, TEXT("[:"))) {
			if (!read_class_name(r, rest))
				return false;
		} else if (rest.at[0] == '\\') {
			if (!read_bracket_escape(r))
				return false;
		} else if (rest.at[0] == '-') {
			buffer_add_char(&r->to->out, '-');
			r->at++;
		} else {
			emit_literal(&r->to->out, rest.at[0]);
			r->at++;
		}
	}
}

static bool read_escape(struct reader *r)
{
	static const char words[] = "dDwWsS";
	char c;

	if (r->at + 1 >= r->in.len)
		return fail(r, "a backslash with nothing behind it", r->at);
	c = r->in.at[r->at + 1];
	r->at += 2;
	if (strchr(words, c) && c) {
		buffer_printf(&r->to->out, "\\%c", c);
		return after_atom(r);
	}
	if (c == 'n' || c == 't' || c == 'r') {
		c = c == 'n' ? '\n' : c == 't' ? '\t' : '\r';
		emit_literal(&r->to->out, c);
		return after_literal(r, c);
	}
	if (c == 'b' || c == 'y' || c == '<' || c == '>' || c == 'm' || c == 'M' || c == 'B' || c == 'Y') {
		buffer_add_string(&r->to->out, c == 'B' || c == 'Y' ? "\\B" : "\\b");
		r->anything_else = true;
		r->has_atom = false;
		return true;
	}
	if (c >= '1' && c <= '9') {
		if ((uint32_t)(c - '0') > r->to->groups)
			return fail(r, "refers to a group that does not stand in front of it", r->at - 2);
		buffer_printf(&r->to->out, "\\g{%c}", c);
		return after_atom(r);
	}
	if (char_is_alpha(c) || char_is_digit(c))
		return fail(r, "this escape means nothing here", r->at - 2);
	emit_literal(&r->to->out, c);
	return after_literal(r, c);
}

static bool read_open(struct reader *r)
{
	struct text rest = text_skip(r->in, r->at);

	if (r->depth + 1 >= DEPTH_MAX)
		return fail(r, "more than 30 parentheses inside each other", r->at);
	if (r->depth == r->literal_depth)
		flush_run(r);
	r->anything_else = true;
	if (text_starts(rest, TEXT("(?"))) {
		if (!text_starts(rest, TEXT("(?:")) && !text_starts(rest, TEXT("(?=")) && !text_starts(rest, TEXT("(?!")))
			return fail(r, "of the groups that begin with '(?' there are only (?: (?= (?! and, at the start, (?i)", r->at);
		buffer_add(&r->to->out, text_first(rest, 3));
		r->at += 3;
	} else {
		if (r->to->groups + 1 >= EEM_CAPTURES_MAX)
			return fail(r, "more than 9 groups", r->at);
		r->to->groups++;
		buffer_add_char(&r->to->out, '(');
		r->at++;
	}
	r->depth++;
	r->has_atom = false;
	return true;
}

static bool read_close(struct reader *r)
{
	if (r->depth == 0) {
		buffer_add_string(&r->to->out, "\\)");
		r->at++;
		return after_literal(r, ')');
	}
	if (r->depth == r->literal_depth) /* the group that holds all */
		flush_run(r);
	r->depth--;
	buffer_add_char(&r->to->out, ')');
	r->at++;
	if (r->literal_depth == 1 && r->depth == 0) { /* behind it stands at most ".*" */
		struct repeat repeat;

		r->has_atom = true;
		return read_repeat(r, &repeat);
	}
	return after_atom(r);
}

static bool read_one(struct reader *r)
{
	char c = r->in.at[r->at];

	switch (c) {
	case '\\':
		return read_escape(r);
	case '[':
		return read_bracket(r);
	case '(':
		return read_open(r);
	case ')':
		return read_close(r);
	case '.':
		buffer_add_char(&r->to->out, '.');
		r->at++;
		return after_dot(r);
	case '|':
		buffer_add_char(&r->to->out, '|');
		r->at++;
		r->anything_else = true;
		r->has_atom = false;
		if (r->depth == r->literal_depth)
			end_alternative(r);
		return true;
	case '^':
	case '$':
		buffer_add_char(&r->to->out, c);
		r->at++;
		if (r->depth == r->literal_depth)
			flush_run(r);
		r->anything_else = true;
		r->has_atom = false;
		return true;
	case '*':
	case '+':
	case '?':
		return fail(r, "nothing stands in front of this repetition", r->at);
	default:
		emit_literal(&r->to->out, c);
		r->at++;
		return after_literal(r, c);
	}
}

/* Where ".*" at both ends and one plain group around all the rest: the group's inside is where literals are. */
static bool is_wrapped(struct text t)
{
	size_t depth = 0;

	while (text_take(&t, TEXT(".*")))
		;
	while (text_ends(t, TEXT(".*")) && !(t.len > 2 && t.at[t.len - 3] == '\\'))
		t.len -= 2;
	if (t.len < 2 || t.at[0] != '(' || t.at[1] == '?')
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.at[i] == '\\')
			i++;
		else if (t.at[i] == '[')
			return false; /* not worth following */
		else if (t.at[i] == '(')
			depth++;
		else if (t.at[i] == ')' && depth > 0 && --depth == 0)
			return i + 1 == t.len;
	}
	return false;
}

static void finish(struct reader *r)
{
	struct pattern_reading *to = r->to;

	end_alternative(r);
	to->is_sequence = !r->anything_else && !to->is_caseless;
	if (r->keep_none || to->is_caseless || to->alternatives > EEM_ALTERNATIVES_MAX) {
		to->alternatives = 0;
		if (!to->is_sequence)
			to->literal_count = 0;
	}
}

int pattern_read(struct text expression, struct pattern_reading *ret)
{
	struct reader r = { .in = expression, .to = ret };
	bool fine = true;

	*ret = (struct pattern_reading){ 0 };
	if (expression.len > EEM_PATTERN_MAX) {
		ret->why = "longer than 1024 bytes";
		ret->offset = EEM_PATTERN_MAX;
		return SPIMEND_E_SYNTAX;
	}
	if (memchr(expression.at ? expression.at : "", '\0', expression.len)) {
		ret->why = "a NUL byte";
		return SPIMEND_E_SYNTAX;
	}
	if (text_starts(expression, TEXT("(?i)"))) {
		ret->is_caseless = true;
		r.at = 4;
	}
	r.literal_depth = is_wrapped(expression) ? 1 : 0;
	while (fine && r.at < r.in.len)
		fine = read_one(&r);
	if (fine && r.depth > 0)
		fine = fail(&r, "a parenthesis is not closed", r.in.len);
	if (fine)
		finish(&r);
	buffer_add_char(&ret->out, '\0');
	if (r.run.failed || ret->out.failed || ret->literals.failed) {
		buffer_done(&r.run);
		return -ENOMEM;
	}
	buffer_done(&r.run);
	return fine ? 0 : SPIMEND_E_SYNTAX;
}

void pattern_reading_done(struct pattern_reading *reading)
{
	buffer_done(&reading->out);
	buffer_done(&reading->literals);
}
