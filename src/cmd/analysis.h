/* SPDX-License-Identifier: MIT */
/*
 * One analysis: inputs in, incidents out. Ties sense, parse, judge, plan and record together in a straight line; it holds
 * no rule of its own.
 */
#ifndef CMD_ANALYSIS_H
#define CMD_ANALYSIS_H

#include "judge/judge.h"
#include "parse/log.h"
#include "record/summary.h"

struct analysis;

#define ANALYSIS_UNPARSED_KEPT 1000 /* lines listed; all are counted */

/* Called for each trouble as it is met, for --verbose. `from` is "file:line". */
typedef void analysis_trouble_fn(void *context, struct text from, const struct log_trouble *trouble);

int analysis_new(const struct judge_settings *settings, const struct log_rules *rules, analysis_trouble_fn *trouble,
		 void *context, struct analysis **ret);
void analysis_free(struct analysis *analysis);
struct judge *analysis_judge(struct analysis *analysis);

/* Bytes of a log from `offset`, once more; how many, 0 at the end or on error. */
typedef size_t analysis_again_fn(void *context, uint64_t offset, char *to, size_t size);

/* A log to read: a number for the functions below, or a negative error. With `again` its ordinary lines are passed over
 * and only looked up where a verdict hangs on them: until analysis_catch_up() the log must stay readable. */
int analysis_add_log(struct analysis *analysis, struct text name, analysis_again_fn *again, void *context);
void analysis_feed(struct analysis *analysis, int log, struct text bytes);
/* Whatever waits for a continuation in that log is given up: at its end, or after a pause when following. */
void analysis_flush(struct analysis *analysis, int log);
/* At the end of a log read with `again`: finds out, from its end backwards, how long the observers logged on. */
void analysis_catch_up(struct analysis *analysis, int log);
/* The file behind the log was replaced: line numbers start again. */
void analysis_restart(struct analysis *analysis, int log);

/* Weighs what was read so far. */
int analysis_settle(struct analysis *analysis);
/* Everything but files and files_failed, which the caller knows. Borrowed until the next call. */
void analysis_summary(struct analysis *analysis, struct summary *ret);

#endif
