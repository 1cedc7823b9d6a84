/* SPDX-License-Identifier: MIT */
/* The page of an analysis: an overview, and the worst incidents in full. Called by cmd/analyze.c. */
#ifndef CMD_ANALYZE_HTML_H
#define CMD_ANALYZE_HTML_H

#include "judge/capture.h"
#include "judge/judge.h"
#include "record/summary.h"

/* 0: it may be written. A file that is there and is no page of this kind may not: -EEXIST, or why it cannot be read. */
int analyze_html_check(const char *path);
/* Writes the file, over an older page. The judges have settled. 0 or a negative error. */
int analyze_html_write(const char *path, struct judge *judge, struct capture_judge *captures, const struct summary *summary);

#endif
