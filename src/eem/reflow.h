/* SPDX-License-Identifier: MIT */
/*
 * Listings whose lines a document lost, given back: commands behind each other in one line are cut apart, lines and strings
 * that were broken are joined. Nothing is guessed in silence: each change is a finding of the report.
 */
#ifndef EEM_REFLOW_H
#define EEM_REFLOW_H

#include "eem/report.h"

/* Adds the restored listing to `out`. A clean listing comes out as it is but for blanks, and so does what came out once.
 * 0 or -ENOMEM. */
int eem_reflow(struct text text, struct buffer *out, struct eem_report *report);

#endif
