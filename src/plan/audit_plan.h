/* SPDX-License-Identifier: MIT */
/*
 * From a finding of the audit to what to type, at the end that holds the stale SA, narrowest first; and what must not be
 * done. Pure. Called by cmd (audit), later by core. Commands are built from typed addresses, SPIs and numbers alone.
 */
#ifndef PLAN_AUDIT_PLAN_H
#define PLAN_AUDIT_PLAN_H

#include "model/audit.h"
#include "plan/plan.h"

/* A step's role names the end: PLAN_SENDER ends[0], PLAN_RECEIVER ends[1]. Zero steps where nothing need be typed. */
void plan_audit(const struct audit_finding *finding, struct plan *ret);
/* What a person would be tempted to do and must not; static text, NULL where there is nothing. */
const char *plan_audit_never(const struct audit_finding *finding);
/* The finding in one plain sentence; static text. */
const char *plan_audit_means(enum audit_code code);

#endif
