/* SPDX-License-Identifier: MIT */
/* The action string, as in Tcl: results in $_string_result. */
#include <inttypes.h>

#include "eem/engine_private.h"

struct operands {
	struct expansion e[EEM_ARGS_MAX];
	struct text t[EEM_ARGS_MAX];
	enum taint taint;
};

static bool take_operands(struct eem *eem, struct run *run, const struct action *a, struct moment now, struct operands *o,
			  enum step *ret_step)
{
	*o = (struct operands){ .taint = TAINT_NONE };
	for (unsigned i = 0; i < EEM_ARGS_MAX; i++) {
		if (!(a->has >> i & 1))
			continue;
		if (!run_expand(eem, run, a, i, now, &o->e[i], ret_step)) {
			for (unsigned k = 0; k < i; k++)
				expansion_done(&o->e[k]);
			return false;
		}
		o->t[i] = buffer_text(&o->e[i].text);
		if (o->e[i].taint > o->taint)
			o->taint = o->e[i].taint;
	}
	return true;
}

/* An index into a text of `len` bytes: a number, "end" or "end-N". Beyond the ends it is cut to -1 and len. */
static bool index_of(struct text t, size_t len, int64_t *ret)
{
	uint64_t n = 0;
	bool from_end = text_take(&t, TEXT("end"));
	bool negative = text_take_char(&t, '-');

	if ((from_end && negative) || !from_end) {
		if (text_decimal(t, INT32_MAX, &n) < 0)
			return false;
	} else if (t.len) {
		return false;
	}
	*ret = from_end ? (int64_t)len - 1 - (int64_t)n : negative ? -1 : (int64_t)n;
	if (*ret > (int64_t)len)
		*ret = (int64_t)len;
	if (*ret < -1)
		*ret = -1;
	return true;
}

static int64_t compare(struct text a, struct text b, bool nocase)
{
	size_t n = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)(nocase ? char_lower(a.at[i]) : a.at[i]);
		unsigned char y = (unsigned char)(nocase ? char_lower(b.at[i]) : b.at[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

static int64_t find_last(struct text t, struct text needle)
{
	for (size_t i = t.len + 1; i-- > 0;)
		if (text_starts(text_skip(t, i), needle))
			return (int64_t)i;
	return -1;
}

/* [a-z] of a glob at the start of `p`; moves behind it. */
static bool glob_set(struct text *p, char c)
{
	bool found = false;

	*p = text_skip(*p, 1);
	while (p->len && p->at[0] != ']') {
		char from = p->at[0], to = from;

		*p = text_skip(*p, 1);
		if (p->len > 1 && p->at[0] == '-' && p->at[1] != ']') {
			to = p->at[1];
			*p = text_skip(*p, 2);
		}
		found |= c >= from && c <= to;
	}
	*p = text_skip(*p, 1);
	return found;
}

/* Tcl's glob: * ? [] and \. Linear but for the last star, which is tried again. */
static bool glob(struct text p, struct text t, bool nocase)
{
	struct text star = TEXT_NONE, rest = TEXT_NONE;
	bool has_star = false;

	for (;;) {
		bool fits = false;
		struct text q = p;

		if (p.len && p.at[0] == '*') {
			has_star = true;
			star = p = text_skip(p, 1);
			rest = t;
			continue;
		}
		if (p.len == 0 && t.len == 0)
			return true;
		if (p.len && t.len) {
			char c = nocase ? char_lower(t.at[0]) : t.at[0];

			if (q.at[0] == '?') {
				fits = true;
				q = text_skip(q, 1);
			} else if (q.at[0] == '[') {
				fits = glob_set(&q, c);
			} else {
				if (q.at[0] == '\\' && q.len > 1)
					q = text_skip(q, 1);
				fits = (nocase ? char_lower(q.at[0]) : q.at[0]) == c;
				q = text_skip(q, 1);
			}
		}
		if (fits) {
			p = q;
			t = text_skip(t, 1);
		} else if (has_star && rest.len) {
			rest = text_skip(rest, 1);
			t = rest;
			p = star;
		} else {
			return false;
		}
	}
}

static struct text trimmed(struct text t, struct text set, bool left, bool right)
{
	if (set.len == 0)
		set = TEXT(" \t\r\n");
	while (left && t.len && memchr(set.at, t.at[0], set.len))
		t = text_skip(t, 1);
	while (right && t.len && memchr(set.at, t.at[t.len - 1], set.len))
		t.len--;
	return t;
}

/* [from, to] of the text, both cut to what is there. */
static struct text range(struct text t, int64_t from, int64_t to)
{
	if (from < 0)
		from = 0;
	if (to >= (int64_t)t.len)
		to = (int64_t)t.len - 1;
	return from > to ? TEXT_NONE : (struct text){ t.at + from, (size_t)(to - from + 1) };
}

static bool indices(const struct action *a, const struct operands *o, unsigned first, int64_t *from, int64_t *to)
{
	size_t len = o->t[0].len;

	*from = 0;
	*to = (int64_t)len - 1;
	if ((a->has >> first & 1) && !index_of(text_trim(o->t[first]), len, from))
		return false;
	return !(a->has >> (first + 1) & 1) || index_of(text_trim(o->t[first + 1]), len, to);
}

static enum step set_text(struct eem *eem, struct run *run, struct text t, enum taint taint, struct moment now)
{
	return run_set_or_fail(eem, run, TEXT("_string_result"), t, taint, now);
}

static enum step set_number(struct eem *eem, struct run *run, int64_t n)
{
	run_set_number(eem, run, "_string_result", n);
	return STEP_NEXT;
}

static enum step change_case(struct eem *eem, struct run *run, const struct action *a, const struct operands *o,
			     struct moment now)
{
	struct buffer b = { 0 };
	int64_t from, to;
	enum step step;

	if (!indices(a, o, 1, &from, &to))
		return run_fail(eem, run, now, "an index is a number, 'end' or 'end-N'");
	for (size_t i = 0; i < o->t[0].len; i++) {
		char c = o->t[0].at[i];

		if ((int64_t)i >= from && (int64_t)i <= to)
			c = a->sub == STRING_TOLOWER ? char_lower(c) : c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
		buffer_add_char(&b, c);
	}
	step = b.failed ? run_fail(eem, run, now, "no memory") : set_text(eem, run, buffer_text(&b), o->taint, now);
	buffer_done(&b);
	return step;
}

static enum step replace(struct eem *eem, struct run *run, const struct action *a, const struct operands *o,
			 struct moment now)
{
	struct buffer b = { 0 };
	int64_t from, to;
	enum step step;

	if (!indices(a, o, 1, &from, &to))
		return run_fail(eem, run, now, "an index is a number, 'end' or 'end-N'");
	if (from < 0)
		from = 0;
	if (from > to || from >= (int64_t)o->t[0].len)
		return set_text(eem, run, o->t[0], o->taint, now); /* as Tcl: nothing to replace */
	buffer_add(&b, text_first(o->t[0], (size_t)from));
	buffer_add(&b, o->t[3]);
	buffer_add(&b, text_skip(o->t[0], (size_t)to + 1));
	step = b.failed ? run_fail(eem, run, now, "no memory") : set_text(eem, run, buffer_text(&b), o->taint, now);
	buffer_done(&b);
	return step;
}

static enum step find(struct eem *eem, struct run *run, const struct action *a, const struct operands *o, struct moment now)
{
	struct text needle = o->t[0], text = o->t[1];
	int64_t at = 0;
	size_t found;

	if ((a->has >> 2 & 1) && !index_of(text_trim(o->t[2]), text.len, &at))
		return run_fail(eem, run, now, "an index is a number, 'end' or 'end-N'");
	if (a->sub == STRING_LAST) {
		if (a->has >> 2 & 1)
			text = text_first(text, (size_t)(at + 1));
		return set_number(eem, run, needle.len ? find_last(text, needle) : -1);
	}
	if (at < 0)
		at = 0;
	found = needle.len ? text_find(text_skip(text, (size_t)at), needle) : TEXT_NOT_FOUND;
	return set_number(eem, run, found == TEXT_NOT_FOUND ? -1 : (int64_t)found + at);
}

static enum step pick(struct eem *eem, struct run *run, const struct action *a, const struct operands *o, struct moment now)
{
	int64_t from, to;

	if (a->sub == STRING_INDEX) {
		if (!index_of(text_trim(o->t[1]), o->t[0].len, &from))
			return run_fail(eem, run, now, "an index is a number, 'end' or 'end-N'");
		return set_text(eem, run, from < 0 ? TEXT_NONE : range(o->t[0], from, from), o->taint, now);
	}
	if (!indices(a, o, 1, &from, &to))
		return run_fail(eem, run, now, "an index is a number, 'end' or 'end-N'");
	return set_text(eem, run, range(o->t[0], from, to), o->taint, now);
}

static enum step compare_texts(struct eem *eem, struct run *run, const struct action *a, const struct operands *o)
{
	struct text x = o->t[0], y = o->t[1];
	uint64_t length;
	int64_t result;

	if ((a->has >> 5 & 1) && text_decimal(text_trim(o->t[5]), INT32_MAX, &length) == 0) {
		x = text_first(x, (size_t)length);
		y = text_first(y, (size_t)length);
	}
	result = compare(x, y, a->nocase);
	return set_number(eem, run, a->sub == STRING_EQUAL ? result == 0 : result);
}

enum step run_string_action(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct operands o;
	enum step step;

	if (!take_operands(eem, run, a, now, &o, &step))
		return step;
	switch ((enum string_verb)a->sub) {
	case STRING_COMPARE:
	case STRING_EQUAL:
		step = compare_texts(eem, run, a, &o);
		break;
	case STRING_FIRST:
	case STRING_LAST:
		step = find(eem, run, a, &o, now);
		break;
	case STRING_INDEX:
	case STRING_RANGE:
		step = pick(eem, run, a, &o, now);
		break;
	case STRING_LENGTH:
		step = set_number(eem, run, (int64_t)o.t[0].len);
		break;
	case STRING_MATCH:
		run->instructions += o.t[0].len * o.t[1].len / 4096;
		step = set_number(eem, run, glob(o.t[0], o.t[1], a->nocase));
		break;
	case STRING_REPLACE:
		step = replace(eem, run, a, &o, now);
		break;
	case STRING_TOLOWER:
	case STRING_TOUPPER:
		step = change_case(eem, run, a, &o, now);
		break;
	default:
		step = set_text(eem, run, trimmed(o.t[0], o.t[1], a->sub != STRING_TRIMRIGHT, a->sub != STRING_TRIMLEFT), o.taint, now);
	}
	for (unsigned i = 0; i < EEM_ARGS_MAX; i++)
		expansion_done(&o.e[i]);
	return step;
}
