/* SPDX-License-Identifier: MIT */
/*
 * An incident in plain sentences, as a colleague would write them: which sightings it rests on, which rule fired, what
 * would change the verdict, when it ends by itself (B8), which known defect fits and why (B9), which debugs to collect at
 * which end (B13, B18), what to do and what not to do. Pure.
 */
#ifndef PLAN_EXPLAIN_H
#define PLAN_EXPLAIN_H

#include "plan/plan.h"

/* One plain sentence or two: why this verdict, with the measured figures. Used in every output. */
void explain_verdict(const struct incident *incident, struct buffer *out);
/* One sentence or two: the cause with its confidence, or which candidates are left and what evidence is missing. */
void explain_cause(const struct incident *incident, struct buffer *out);

enum explain_section {
	EXPLAIN_RESTS_ON,      /* sightings and evidence */
	EXPLAIN_RULE,          /* the rule that fired and its thresholds */
	EXPLAIN_WOULD_CHANGE,  /* what would change the verdict */
	EXPLAIN_ENDS,          /* when it ends by itself (B8) */
	EXPLAIN_DEFECTS,       /* the seven of B9, those that fit and why, those that do not and why */
	EXPLAIN_COLLECT,       /* debugs and shows, per end (B13, B18) */
	EXPLAIN_DO,            /* the plan in words */
	EXPLAIN_DO_NOT,        /* what must not be done, and why */
	EXPLAIN_FIX,           /* so that it does not come again (B13), by cause and with the defect that fits (B9) */
	EXPLAIN_SECTIONS
};

const char *explain_section_key(enum explain_section section);   /* JSON key: "rests_on" ... */
const char *explain_section_title(enum explain_section section); /* for people: "What it rests on" ... */

/* Adds the section's sentences, one per line, each ended by '\n'. May add nothing. */
void explain_section_write(const struct incident *incident, const struct plan *plan, enum explain_section section,
			   struct buffer *out);

/* B9: how a defect fits the incident. */
enum defect_fit {
	DEFECT_DOES_NOT_FIT,
	DEFECT_CANNOT_TELL,
	DEFECT_POSSIBLE,
	DEFECT_FITS,
};

struct defect {
	const char *id;      /* CSCvn31824 ... */
	const char *summary; /* what it is, own words */
};

#define DEFECTS_KNOWN 7
const struct defect *defect_at(size_t index); /* 0 .. DEFECTS_KNOWN-1 */
/* How defect `index` fits; the reason, one sentence, goes to `why`. */
enum defect_fit defect_match(size_t index, const struct incident *incident, struct buffer *why);

#endif
