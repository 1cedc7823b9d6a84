/* SPDX-License-Identifier: MIT */
/*
 * Bytes of log files, whole lines at a time: plain files mapped in windows, gzip and zstd streamed, standard input,
 * and files that grow and rotate. Memory is bounded whatever a file's size.
 *
 * Called by cmd (analyze). It opens and reads; it never parses.
 */
#ifndef SENSE_INPUT_H
#define SENSE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct input;

#define INPUT_WINDOW (4u << 20)   /* bytes given at once, about */
#define INPUT_LINE_MAX (1u << 20) /* a longer line is given in pieces of this size */

/*
 * Opens `path` ("-" is standard input). Compression is told from the first bytes, not from the name. Returns 0 and a new
 * input that input_close() frees, or a negated errno (-EISDIR for a folder).
 */
int input_open(const char *path, struct input **ret);
/* Like input_open for a file to follow: existing content is given first, then what is appended; a renamed, replaced or
 * truncated file is taken up again from its start. A missing file is waited for. */
int input_follow(const char *path, struct input **ret);
void input_close(struct input *input); /* NULL is fine */

/*
 * The next bytes: as many whole lines as there are (the last line of a file may lack its '\n'). *ret is borrowed until
 * the next call. Returns 1 with bytes; 0 at the end (when following: nothing new at the moment); negative on error, after
 * which only what was already given counts: a negated errno, or SPIMEND_E_COMPRESSED for damaged or cut compressed data
 * (the readable part before the damage is given first).
 */
int input_next(struct input *input, struct text *ret);

/* Following: true once when input_next() has just switched to a new or truncated file (line numbers start again). */
bool input_rotated(struct input *input);
/* Following: true when the last bytes given by input_next() ended inside a line that waits for its rest. */
const char *input_name(const struct input *input); /* as given; borrowed */

/* Waits until one of the followed inputs may have news, or `timeout_ms` passed, or a signal came. 0 or a negated errno. */
int input_wait(struct input *const *inputs, size_t count, int timeout_ms);

#endif
