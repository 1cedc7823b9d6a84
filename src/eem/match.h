/* SPDX-License-Identifier: MIT */
/*
 * Which of many expressions match a message: ten thousand of them cost little more than one.
 *
 * Nearly every expression holds the mnemonic of its message, or a part of it around the severity: "-4-RECVD_PKT". A message
 * is looked through for "-0-" to "-7-" only, and what stands around selects the few expressions that can match at all;
 * those that share a mnemonic are told apart by another text that they require. Expressions without a mnemonic are found by
 * a text of theirs in one pass; only those that require none are tried on every message. What is selected is then searched
 * for: the answer is exactly that of trying all.
 */
#ifndef EEM_MATCH_H
#define EEM_MATCH_H

#include "eem/pattern.h"

struct eem_matcher;

/* Borrows the patterns, which must outlive it. 0 or -ENOMEM. */
int eem_matcher_new(struct eem_pattern *const *patterns, uint32_t count, struct eem_matcher **ret);
void eem_matcher_free(struct eem_matcher *matcher);

/* The numbers of those that match, ascending; borrowed until the next call. `limits`, which may be NULL, counts searches
 * that took too many steps. */
uint32_t eem_matcher_find(struct eem_matcher *matcher, struct text message, const uint32_t **ret, uint64_t *limits);

struct eem_matcher_figures {
	uint32_t patterns, mnemonics, by_text, always; /* distinct mnemonics; found by another text; tried on each message */
	uint64_t searches; /* expressions tried, since the start */
};
struct eem_matcher_figures eem_matcher_figures(const struct eem_matcher *matcher);

#endif
