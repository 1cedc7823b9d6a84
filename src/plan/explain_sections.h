/* SPDX-License-Identifier: MIT */
/* The nine sections of an explanation, one function each. Private to the plan room. */
#ifndef PLAN_EXPLAIN_SECTIONS_H
#define PLAN_EXPLAIN_SECTIONS_H

#include "plan/explain.h"
#include "plan/names.h"

void explain_rests_on(const struct incident *i, const struct names *n, struct buffer *out);
void explain_rule(const struct incident *i, const struct names *n, struct buffer *out);
void explain_would_change(const struct incident *i, const struct names *n, struct buffer *out);
void explain_ends(const struct incident *i, const struct names *n, struct buffer *out);
void explain_defects(const struct incident *i, struct buffer *out);
void explain_collect(const struct incident *i, const struct names *n, struct buffer *out);
void explain_do(const struct incident *i, const struct plan *plan, const struct names *n, struct buffer *out);
void explain_do_not(const struct incident *i, const struct names *n, struct buffer *out);
void explain_fix(const struct incident *i, const struct names *n, struct buffer *out);

/* Of a rule that judges live packets; false, and nothing said, for the others. */
bool explain_live_verdict(const struct incident *i, const struct names *n, struct buffer *out);

/* `before`, the duration in words, `after`. */
void explain_duration(struct buffer *out, const char *before, int64_t ns, const char *after);
/* From the first to the last sighting; 0 where the times are not known. */
int64_t explain_span(const struct incident *i);
/* How often the line comes at all, as the beginning of a sentence. */
const char *explain_pace(enum fact_dialect dialect);

#endif
