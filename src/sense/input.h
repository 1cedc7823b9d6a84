/* SPDX-License-Identifier: MIT */
/*
 * Bytes of log files, whole lines at a time: plain files, gzip and zstd (told from the first bytes), standard input and
 * pipes, and files that grow and rotate. Memory is bounded whatever a file's size.
 *
 * Called by cmd (analyze). It opens and reads; it never parses.
 *
 * Plain files are read into one reused buffer; big ones may be mapped in windows instead (input_map()), which was measured
 * 1.3 to 1.5 times as fast (warm cache, a consumer that only looks for '\n'). A mapping costs some certainty: bytes can
 * change between two looks, and a file that shrinks or a disk that fails is noticed a window late.
 */
#ifndef SENSE_INPUT_H
#define SENSE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/text.h"

struct input;

#define INPUT_WINDOW (256u << 10)    /* bytes read at once, so about what is given; stays in the second-level cache */
#define INPUT_MAP_WINDOW (4u << 20)  /* mapped at once */
#define INPUT_LINE_MAX (1u << 20)    /* a longer line is given in pieces of this size */
#define INPUT_ZSTD_WINDOW_LOG_MAX 24 /* 16 MiB, enough for zstd's levels up to 19; more gives SPIMEND_E_LIMIT */
#define INPUT_POLL_MS 200            /* news of a followed file are seen after this time at the latest */

/*
 * Opens `path` ("-" is standard input). Compression is told from the first bytes, not from the name. Returns 0 and a new
 * input that input_close() frees, or a negated errno (-EISDIR for a folder). Opening a FIFO waits for its writer.
 */
int input_open(const char *path, struct input **ret);
/*
 * Like input_open for a file to follow: existing content is given first, then what is appended; a renamed, replaced or
 * truncated file is taken up again from its start. A missing file is waited for.
 *
 * After a rotation the old file is read on until the new one has bytes, so that nothing is lost of a writer that still
 * holds the old one. Not seen: a truncated file that has grown beyond its old size before the next look at it, and a file
 * that came and was replaced between two looks.
 *
 * Compressed files cannot be followed: -EINVAL, here or from input_next() when such a file appears later. Standard input
 * is followed as a stream until its end and may be compressed; a FIFO never ends, its writers may come and go.
 */
int input_follow(const char *path, struct input **ret);
void input_close(struct input *input); /* NULL is fine */

/*
 * The next bytes: as many whole lines as there are. *ret is borrowed until the next call. What is given ends with '\n'
 * but for two cases: the line is longer than INPUT_LINE_MAX, then the next call goes on inside it; or its file ended
 * (followed: was replaced or truncated). When following, a line without its '\n' is held back until its rest comes.
 *
 * Returns 1 with bytes; 0 at the end (when following: nothing new at the moment, see input_ended()); negative on error,
 * after which only what was already given counts: a negated errno; SPIMEND_E_COMPRESSED for damaged or cut compressed data
 * (the readable part before the damage is given first); SPIMEND_E_LIMIT for zstd data that needs too large a window.
 * -EINTR says that a signal came while waiting for a pipe: the next call goes on. Other errors stay.
 *
 * A pipe is waited for, but never when there is a whole line to give. When following nothing is waited for.
 */
int input_next(struct input *input, struct text *ret);

/*
 * For what has no lines, such as captures. The last `count` bytes of what the last call gave are given again, in front of
 * the next ones; -EINVAL when there are not so many. Fewer than INPUT_LINE_MAX, or nothing could follow them.
 */
int input_keep(struct input *input, size_t count);
/* Like input_next(), but for the lines: what there is, at least one byte more than was kept. 0 at the end, even where
 * something was kept. Not for followed files. */
int input_next_bytes(struct input *input, struct text *ret);

/* All of a file behind `ret`, waited for, at most `most` bytes with what is there: -EFBIG beyond. Otherwise 0 or what
 * input_open() and input_next() say, or -ENOMEM; what came before an error stays in `ret`. */
int input_read_whole(const char *path, size_t most, struct buffer *ret);

/* Following: true once when the last input_next() switched to a new or truncated file (line numbers start again); the
 * bytes that it gave, if any, are the first of that file. */
bool input_rotated(struct input *input);
/* True when input_next() will never again give bytes: the end was reached, or an error that stays. A followed file does
 * not end; followed standard input does. */
bool input_ended(const struct input *input);
/* The path as it was given to input_open() or input_follow(); borrowed. */
const char *input_name(const struct input *input);

/* True for a plain regular file that is not followed, once input_next() has given bytes: its bytes can be read again. */
bool input_is_repeatable(const struct input *input);
/* From now on maps such a file. -EINVAL where it cannot be, or while another input of this process is mapped. A file that
 * shrinks while it is mapped gives zeros to the end of the window and then SPIMEND_E_SHRANK. */
int input_map(struct input *input);
/* Bytes of such a file from `offset`, up to `size`, without moving what input_next() gives; 0 at the end or on error. */
size_t input_read_again(const struct input *input, uint64_t offset, char *to, size_t size);
/* The size of the file now; 0 where it has none. */
uint64_t input_size(const struct input *input);

/*
 * Waits until one of the inputs may have news, or `timeout_ms` passed (negative: no limit), or a signal came. To be called
 * after input_next() returned 0 for each. Inputs that ended and NULLs are passed over; when no other is left it returns at
 * once. A signal that comes just before the wait does not end it: callers with a stop flag give a short timeout.
 * 0 or a negated errno.
 */
int input_wait(struct input *const *inputs, size_t count, int timeout_ms);

#endif
