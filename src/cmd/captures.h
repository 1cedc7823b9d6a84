/* SPDX-License-Identifier: MIT */
/*
 * The capture files of one run of `spimend analyze`: bytes of inputs through parse/capture into the capture judge, and the
 * receiver's saved outputs (--sad) beside them. It ties rooms together and holds no rule. Private to cmd.
 */
#ifndef CMD_CAPTURES_H
#define CMD_CAPTURES_H

#include "judge/capture.h"
#include "parse/capture.h"
#include "record/summary.h"
#include "sense/input.h"

struct captures;

/* What was wrong, for stderr: the file, and why. */
typedef void captures_say_fn(void *context, const char *name, const char *reason);
/* Asked between pieces, with how much of the file was read: false to stop there. */
typedef bool captures_go_on_fn(void *context, const char *name, uint64_t bytes);

/* Borrows the judge. 0 or a negative code. */
int captures_new(const struct judge *judge, captures_say_fn *say, captures_go_on_fn *go_on, void *context,
		 struct captures **ret);
void captures_free(struct captures *captures); /* NULL is fine */

/* Reads a capture whose first bytes are `first`, as input_next() gave them. False where not all of it could be read, which
 * was said; what was read counts. */
bool captures_read(struct captures *captures, struct input *input, struct text first);
uint64_t captures_count(const struct captures *captures);

/* One file of the receiver's saved outputs. The same. */
bool captures_read_table(struct captures *captures, const char *path);
/* All were read; `receivers` are addresses that a person named. False, and said, where the table does not serve. */
bool captures_finish_table(struct captures *captures, const struct spimend_address *receivers, size_t count);

/* 0 or -ENOMEM. */
int captures_settle(struct captures *captures);
struct capture_judge *captures_judge(struct captures *captures);
/* Fills *ret, and what it points to; borrowed until the next call. At most `listed` flows, those with the most packets.
 * 0 or -ENOMEM. */
int captures_summary(struct captures *captures, size_t listed, struct summary_captures *ret);
/* The table was given, and no packet went to an address of it: nothing could be judged. */
bool captures_missed_receiver(struct captures *captures);

#endif
