/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with applets although they compile: order of labels, time against maxrun, recursion, values from outside in
 * commands, and what the rest of a router's configuration has to say. Pure; called by `spimend lint` and by whoever shows a
 * new configuration's warnings.
 */
#ifndef EEM_LINT_H
#define EEM_LINT_H

#include "eem/eem.h"

struct eem_lint_text {
	struct text name, text;     /* borrows: the file's name for people, and its bytes */
	struct eem_report report;   /* zeroed by the caller; sorted when it comes back */
};

/* Compiles each text and adds what it finds. Texts are the two ends of one conversation where there are several: a trap that
 * one waits for may be sent by another. 0 or -ENOMEM. */
int eem_lint(struct eem_lint_text *texts, uint32_t count);

#endif
