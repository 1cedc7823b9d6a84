/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions as IOS's EEM has them, on PCRE2.
 *
 * The dialect: . * + ? | [] () ^ $ {n,m}, the class escapes (\s \d \w and their opposites), \ before anything else makes it
 * literal. A dot matches line breaks and $ only the very end, as in Tcl, which EEM's expressions come from. What PCRE2 has
 * beyond that - verbs, recursion, callouts, look-behind - is refused, and a match takes a bounded number of steps: no text
 * and no expression can hang. Expressions that are nothing but texts joined by ".*" never reach PCRE2.
 */
#ifndef EEM_PATTERN_H
#define EEM_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define EEM_PATTERN_MAX 1024    /* bytes of an expression */
#define EEM_LITERALS_MAX 12     /* kept of one alternative */
#define EEM_ALTERNATIVES_MAX 32 /* more: no literal is required */
#define EEM_CAPTURES_MAX 10     /* the whole match and nine groups */

struct eem_pattern;

#define EEM_ANY_BYTE '\0' /* in a literal: any one character stands here */

struct eem_literal { /* a text that every match of this alternative contains */
	struct text text;     /* borrows the pattern */
	uint32_t alternative; /* from 0 */
	uint32_t sure_at, sure_len; /* the longest part without EEM_ANY_BYTE; may be empty */
};

/* 0, -ENOMEM, or SPIMEND_E_SYNTAX with the reason (static or in `why`) and where. */
int eem_pattern_new(struct text expression, char *why, size_t why_size, size_t *ret_offset, struct eem_pattern **ret);
void eem_pattern_free(struct eem_pattern *pattern);

enum eem_match { EEM_NO_MATCH, EEM_MATCH, EEM_MATCH_LIMIT }; /* LIMIT: too many steps; counts as no match, and is said */
/* Searches in the text. `captures` may be NULL, else has room for EEM_CAPTURES_MAX; those that took no part are empty with a
 * NULL pointer. Patterns keep what a search needs, so they are not const. */
enum eem_match eem_pattern_search(struct eem_pattern *pattern, struct text text, struct text *captures,
				  uint32_t *ret_count);
uint32_t eem_pattern_groups(const struct eem_pattern *pattern); /* capturing ones */

/* What every match contains, by alternative: each alternative has at least one, or there are none at all. */
uint32_t eem_pattern_literals(const struct eem_pattern *pattern, const struct eem_literal **ret, uint32_t *ret_alternatives);
/* Where the literal first stands in the text, or TEXT_NOT_FOUND. */
size_t eem_literal_find(const struct eem_literal *literal, struct text text);
struct text eem_pattern_text(const struct eem_pattern *pattern); /* as it was given */
/* It matches every text. */
bool eem_pattern_matches_all(const struct eem_pattern *pattern);

#endif
