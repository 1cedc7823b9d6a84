/* SPDX-License-Identifier: MIT */
/* The parts of the lint. Private to eem/lint*.c. */
#ifndef EEM_LINT_PRIVATE_H
#define EEM_LINT_PRIVATE_H

#include "eem/lint.h"
#include "eem/policy.h"

struct lint {
	struct eem_policies *policies; /* borrows; of this text */
	struct eem_report *report;     /* borrows */
	struct text text;
	bool has_snmp, has_manager, has_event_traps, has_trap_host, has_other_lines;
	/* the other texts, for what they send */
	const struct lint *all;
	uint32_t all_count;
};

void lint_say(const struct lint *l, const struct policy *p, enum eem_level level, uint32_t line, const char *name,
	      const char *format, ...) __attribute__((format(printf, 6, 7)));
bool lint_constant(const struct eem_template *t, struct text *ret); /* it has no variables */
bool lint_uses(const struct eem_template *t, struct text name);

void lint_time(const struct lint *l, const struct policy *p);    /* waits and commands against maxrun and timers */
void lint_pattern(const struct lint *l, const struct policy *p); /* expressions of events */
void lint_values(const struct lint *l, const struct policy *p);  /* variables: unset, and from outside */
void lint_config(struct lint *l);                                /* reads the lines that are not EEM's */
void lint_needs(const struct lint *l, const struct policy *p);   /* what they would have to say */

#endif
