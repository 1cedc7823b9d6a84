/* SPDX-License-Identifier: MIT */
/* A row's syntax as an automaton: which word may follow which. */
#include "exec/match.h"

#define DEPTH_MAX 8

struct fragment { /* a part of the syntax */
	uint64_t first, last;
	bool empty; /* it may be left out */
};

struct reader {
	struct text rest;
	struct syntax *into;
	bool bad;
};

static void link_places(struct syntax *s, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < s->count; i++)
		if (from >> i & 1)
			s->places[i].follow |= to;
}

static struct fragment word(struct reader *r, struct text t)
{
	struct syntax_place *place = &r->into->places[r->into->count];

	if (t.len == 0 || r->into->count == MATCH_PLACES_MAX) {
		r->bad = true;
		return (struct fragment){ .empty = true };
	}
	*place = (struct syntax_place){ .word = t, .is_argument = t.at[0] >= 'A' && t.at[0] <= 'Z' };
	if (text_equal(t, TEXT("LINE"))) /* takes all that follows */
		place->follow = UINT64_C(1) << r->into->count;
	r->into->count++;
	return (struct fragment){ UINT64_C(1) << (r->into->count - 1), UINT64_C(1) << (r->into->count - 1), false };
}

static struct fragment either(struct fragment a, struct fragment b)
{
	return (struct fragment){ a.first | b.first, a.last | b.last, a.empty || b.empty };
}

static struct fragment behind(struct reader *r, struct fragment a, struct fragment b)
{
	struct fragment both = { a.first | (a.empty ? b.first : 0), b.last | (b.empty ? a.last : 0), a.empty && b.empty };

	link_places(r->into, a.last, b.first);
	return both;
}

/* "observe|advise|repair" */
static struct fragment choice(struct reader *r)
{
	struct text all = text_take_until(&r->rest, " []{}");
	struct fragment f = word(r, text_take_until(&all, "|"));

	while (text_take_char(&all, '|'))
		f = either(f, word(r, text_take_until(&all, "|")));
	return f;
}

static struct fragment alternatives(struct reader *r, char end, unsigned depth);

static struct fragment item(struct reader *r, unsigned depth)
{
	struct fragment f;

	if (depth == DEPTH_MAX) {
		r->bad = true;
		return (struct fragment){ .empty = true };
	}
	if (text_take_char(&r->rest, '[')) {
		f = alternatives(r, ']', depth + 1);
		f.empty = true;
		return f;
	}
	if (text_take_char(&r->rest, '{'))
		return alternatives(r, '}', depth + 1);
	return choice(r);
}

/* Up to `end`, which is taken; 0: the end of the text. A '|' of its own separates sequences. */
static struct fragment alternatives(struct reader *r, char end, unsigned depth)
{
	struct fragment all = { 0 }, sequence = { .empty = true };
	bool has_other = false;

	for (;;) {
		text_take_blanks(&r->rest);
		if (r->rest.len == 0 || r->rest.at[0] == ']' || r->rest.at[0] == '}') {
			char got = r->rest.len ? r->rest.at[0] : 0;

			r->rest = text_skip(r->rest, 1);
			r->bad |= got != end;
			return has_other ? either(all, sequence) : sequence;
		}
		if (text_take(&r->rest, TEXT("| "))) {
			all = has_other ? either(all, sequence) : sequence;
			has_other = true;
			sequence = (struct fragment){ .empty = true };
			continue;
		}
		sequence = behind(r, sequence, item(r, depth));
		if (r->bad)
			return sequence;
	}
}

bool syntax_read(const char *text, const char *arguments, struct syntax *ret)
{
	struct reader r = { .rest = text_of(text), .into = ret };
	struct fragment all;

	ret->count = 0;
	all = alternatives(&r, 0, 0);
	r.rest = text_of(arguments);
	all = behind(&r, all, alternatives(&r, 0, 0));
	ret->first = all.first;
	ret->last = all.last;
	ret->may_be_empty = all.empty;
	return !r.bad;
}

/* --- Arguments -------------------------------------------------------------------------------------------------------- */

static bool is_address(struct text word)
{
	struct spimend_address address;

	return spimend_address_parse(word.at, word.len, &address) == 0;
}

static bool is_number(struct text word)
{
	uint64_t value;

	return text_decimal(word, UINT64_MAX, &value) == 0;
}

/* "60", "0.3" */
static bool is_seconds(struct text word)
{
	uint64_t value;
	size_t digits;

	return text_take_digits(&word, 18, &value, &digits) &&
	       (word.len == 0 || (text_take_char(&word, '.') && text_take_digits(&word, 18, &value, &digits) && word.len == 0));
}

static const struct {
	struct text name;
	const char *help;
	bool (*fits)(struct text word); /* NULL: any word */
} types[] = {
	{ TEXT("ADDRESS"), "A.B.C.D or X:X:X:X::X", is_address },
	{ TEXT("NUMBER"), "<0-4294967295>", is_number },
	{ TEXT("COUNT"), "<number>", is_number },
	{ TEXT("PORT"), "<1-65535>", is_number },
	{ TEXT("BYTES"), "<bytes>", is_number },
	{ TEXT("SECONDS"), "<seconds>", is_seconds },
	{ TEXT("TIME"), "30m, 2h, 7d ago; or 2026-11-22T09:30", NULL },
	{ TEXT("LINE"), "LINE", NULL },
};

bool exec_argument_fits(struct text name, struct text word)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (text_equal(types[i].name, name))
			return !types[i].fits || types[i].fits(word);
	return true;
}

const char *exec_argument_help(struct text name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (text_equal(types[i].name, name))
			return types[i].help;
	return "WORD";
}
