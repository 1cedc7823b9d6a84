/* SPDX-License-Identifier: MIT */
#include "eem/pattern.h"

#include <errno.h>
#include <stdio.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/memory.h"
#include "eem/pattern_read.h"
#include "spimend/error.h"

#define STEPS_MAX 100000  /* PCRE2's match limit, some milliseconds at the very worst; */
#define STEPS_A_BYTE 8    /* and so many more for each byte of the text */
#define HEAP_KIB_MAX 4096 /* of the interpreter, where there is no machine code */
#define DEPTH_MAX 20000

struct eem_pattern {
	bool is_sequence, is_caseless;   /* what a search needs first stands first */
	uint32_t literal_count, alternatives, groups;
	struct text text;                /* all texts stand behind `literals`, in the same memory: one search, one place */
	pcre2_code *code;                /* owns; NULL: not needed yet */
	pcre2_match_data *match;         /* owns; with `limits` made at the first search */
	pcre2_match_context *limits;     /* owns */
	struct eem_literal literals[];
};

static void *give(size_t bytes, void *context)
{
	(void)context;
	return memory_new(1, bytes);
}

static void take_back(void *memory, void *context)
{
	(void)context;
	memory_free(memory);
}

static int compile(struct eem_pattern *p, const char *source, char *why, size_t why_size)
{
	pcre2_general_context *general = pcre2_general_context_create(give, take_back, NULL);
	pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
	uint32_t options = PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
	int error = 0, result = 0;
	PCRE2_SIZE offset;

	if (context) {
		p->code = pcre2_compile((PCRE2_SPTR)source, PCRE2_ZERO_TERMINATED, options | (p->is_caseless ? PCRE2_CASELESS : 0),
					&error, &offset, context);
		if (!p->code) {
			unsigned char text[120];

			pcre2_get_error_message(error, text, sizeof(text));
			snprintf(why, why_size, "%s", (const char *)text);
			result = error == PCRE2_ERROR_NOMEMORY ? -ENOMEM : SPIMEND_E_SYNTAX;
		}
	} else {
		result = -ENOMEM;
	}
	pcre2_compile_context_free(context);
	pcre2_general_context_free(general);
	return result;
}

/* Of a sequence, whose captures somebody wants. */
static int compile_late(struct eem_pattern *p)
{
	struct pattern_reading *r = memory_new(1, sizeof(*r));
	char why[120];
	int result = r ? pattern_read(p->text, r) : -ENOMEM;

	if (result == 0)
		result = compile(p, r->out.bytes, why, sizeof(why));
	if (r)
		pattern_reading_done(r);
	memory_free(r);
	return result;
}

static int prepare_match(struct eem_pattern *p)
{
	pcre2_general_context *general;

	if (p->match && p->limits)
		return 0;
	if (!p->code) {
		int result = compile_late(p);

		if (result < 0)
			return result;
	}
	general = pcre2_general_context_create(give, take_back, NULL);
	if (!general)
		return -ENOMEM;
	if (!p->match)
		p->match = pcre2_match_data_create(EEM_CAPTURES_MAX, general);
	if (!p->limits)
		p->limits = pcre2_match_context_create(general);
	pcre2_general_context_free(general);
	if (!p->match || !p->limits)
		return -ENOMEM;
	pcre2_set_depth_limit(p->limits, DEPTH_MAX);
	pcre2_set_heap_limit(p->limits, HEAP_KIB_MAX);
	return 0;
}

static void find_sure(struct eem_literal *l)
{
	for (uint32_t i = 0, from = 0; i <= l->text.len; i++) {
		if (i < l->text.len && l->text.at[i] != EEM_ANY_BYTE)
			continue;
		if (i - from > l->sure_len) {
			l->sure_at = from;
			l->sure_len = i - from;
		}
		from = i + 1;
	}
}

static struct eem_pattern *keep_reading(struct text expression, const struct pattern_reading *r)
{
	size_t literals = r->literal_count * sizeof(struct eem_literal);
	struct eem_pattern *p = memory_new(1, sizeof(*p) + literals + r->literals.len + expression.len + 1);
	char *bytes;

	if (!p)
		return NULL;
	bytes = (char *)p->literals + literals;
	if (r->literals.len)
		memcpy(bytes, r->literals.bytes, r->literals.len);
	if (expression.len)
		memcpy(bytes + r->literals.len, expression.at, expression.len);
	p->text = (struct text){ bytes + r->literals.len, expression.len };
	p->groups = r->groups;
	p->is_sequence = r->is_sequence;
	p->is_caseless = r->is_caseless;
	p->alternatives = r->alternatives;
	p->literal_count = r->literal_count;
	for (uint32_t i = 0; i < r->literal_count; i++) {
		p->literals[i].text = (struct text){ bytes + r->literal[i].at, r->literal[i].len };
		p->literals[i].alternative = r->literal[i].alternative;
		find_sure(&p->literals[i]);
	}
	return p;
}

int eem_pattern_new(struct text expression, char *why, size_t why_size, size_t *ret_offset, struct eem_pattern **ret)
{
	struct pattern_reading *r = memory_new(1, sizeof(*r));
	struct eem_pattern *p = NULL;
	int result = r ? pattern_read(expression, r) : -ENOMEM;

	if (result == SPIMEND_E_SYNTAX) {
		snprintf(why, why_size, "%s", r->why);
		*ret_offset = r->offset;
	}
	if (result == 0) {
		p = keep_reading(expression, r);
		result = p ? 0 : -ENOMEM;
	}
	if (result == 0 && !p->is_sequence) {
		*ret_offset = 0;
		result = compile(p, r->out.bytes, why, why_size);
	}
	if (r)
		pattern_reading_done(r);
	memory_free(r);
	if (result < 0)
		eem_pattern_free(p);
	else
		*ret = p;
	return result;
}

void eem_pattern_free(struct eem_pattern *p)
{
	if (!p)
		return;
	pcre2_match_data_free(p->match);
	pcre2_match_context_free(p->limits);
	pcre2_code_free(p->code);
	memory_free(p);
}

static bool literal_is_at(struct text literal, const char *at)
{
	for (size_t i = 0; i < literal.len; i++)
		if (literal.at[i] != at[i] && literal.at[i] != EEM_ANY_BYTE)
			return false;
	return true;
}

size_t eem_literal_find(const struct eem_literal *l, struct text text)
{
	struct text sure = { l->text.at + l->sure_at, l->sure_len };
	size_t from = l->sure_at;

	if (sure.len == l->text.len)
		return text_find(text, sure);
	while (from + (l->text.len - l->sure_at) <= text.len) {
		size_t at = text_find(text_skip(text, from), sure);

		if (at == TEXT_NOT_FOUND || from + at - l->sure_at + l->text.len > text.len)
			return TEXT_NOT_FOUND;
		at += from - l->sure_at;
		if (literal_is_at(l->text, text.at + at))
			return at;
		from = at + l->sure_at + 1;
	}
	return TEXT_NOT_FOUND;
}

static bool search_sequence(const struct eem_pattern *p, struct text text)
{
	for (uint32_t i = 0; i < p->literal_count; i++) {
		size_t at = eem_literal_find(&p->literals[i], text);

		if (at == TEXT_NOT_FOUND)
			return false;
		text = text_skip(text, at + p->literals[i].text.len);
	}
	return true;
}

/* Whether the text holds what a match must: that costs far less than to ask PCRE2, which interprets here, since a confined
 * role makes no machine code. */
static bool may_match(const struct eem_pattern *p, struct text text)
{
	uint32_t at = 0;

	for (uint32_t a = 0; a < p->alternatives; a++) {
		bool all = true;

		for (; at < p->literal_count && p->literals[at].alternative == a; at++)
			all = all && eem_literal_find(&p->literals[at], text) != TEXT_NOT_FOUND;
		if (all)
			return true;
	}
	return p->alternatives == 0;
}

enum eem_match eem_pattern_search(struct eem_pattern *p, struct text text, struct text *captures, uint32_t *ret_count)
{
	uint32_t weighed = (uint32_t)(text.len < UINT32_MAX / 16 ? text.len : UINT32_MAX / 16);
	const char *subject = text.at ? text.at : "";
	PCRE2_SIZE *offsets;
	int found;

	if (p->is_sequence && !captures)
		return search_sequence(p, text) ? EEM_MATCH : EEM_NO_MATCH;
	if (!may_match(p, text))
		return EEM_NO_MATCH;
	if (prepare_match(p) < 0)
		return EEM_MATCH_LIMIT;
	pcre2_set_match_limit(p->limits, STEPS_MAX + STEPS_A_BYTE * weighed);
	found = pcre2_match(p->code, (PCRE2_SPTR)subject, text.len, 0, 0, p->match, p->limits);
	if (found == PCRE2_ERROR_NOMATCH)
		return EEM_NO_MATCH;
	if (found < 0)
		return EEM_MATCH_LIMIT;
	if (captures) {
		offsets = pcre2_get_ovector_pointer(p->match);
		for (uint32_t i = 0; i < EEM_CAPTURES_MAX; i++)
			captures[i] = i < (uint32_t)found && offsets[2 * i] != PCRE2_UNSET && offsets[2 * i + 1] >= offsets[2 * i] ?
				text_between(subject + offsets[2 * i], subject + offsets[2 * i + 1]) : TEXT_NONE;
		*ret_count = p->groups + 1;
	}
	return EEM_MATCH;
}

uint32_t eem_pattern_groups(const struct eem_pattern *p)
{
	return p->groups;
}

uint32_t eem_pattern_literals(const struct eem_pattern *p, const struct eem_literal **ret, uint32_t *ret_alternatives)
{
	*ret = p->literals;
	*ret_alternatives = p->alternatives;
	return p->alternatives ? p->literal_count : 0;
}

struct text eem_pattern_text(const struct eem_pattern *p)
{
	return p->text;
}

bool eem_pattern_matches_all(const struct eem_pattern *p)
{
	return p->is_sequence && p->literal_count == 0;
}
