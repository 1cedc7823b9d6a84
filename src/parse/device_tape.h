/* SPDX-License-Identifier: MIT */
/*
 * What goes to and comes from a device's terminal, as lines that may be kept: secrets masked, everything else byte for byte.
 * Called in the role sense, once for each session, with what was typed and what came, in the order of the two. Pure, and
 * bounded whatever comes.
 *
 * A line of the tape is one of the device. Its end, CR LF, is not written (of what is typed: CR); a lone LF is "\n". What is
 * not printable ASCII is "\r", "\t", "\b", "\e" or "\x1f", a backslash is "\\", and a single backslash at the end says that
 * the line goes on: in the next line of that way, or that its end never came. So it can be read back to the very bytes, but
 * for what is masked ("<removed>") and what was left out, which a note counts.
 *
 * What masks: parse/secrets.h, for the bytes as they came and as a terminal shows them; where the two differ and there is a
 * secret in it, the line is written as it is shown. The rest of a line behind a typed password is masked as a whole.
 */
#ifndef PARSE_DEVICE_TAPE_H
#define PARSE_DEVICE_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "model/device_tape.h"

#define TAPE_RAW_LINE_MAX 8192           /* bytes of a line that are kept; what is beyond is left out, and said */
#define TAPE_COMMAND_MAX (512u << 10)    /* bytes that are kept of what comes behind one command; the same */

/* A line, without line feed, of at most TAPE_LINE_MAX bytes of printable ASCII. Borrowed. */
typedef void device_tape_line(void *context, enum tape_way way, struct text line);

struct device_tape; /* opaque */

struct device_tape *device_tape_new(device_tape_line *line, void *context); /* NULL: no memory */
void device_tape_free(struct device_tape *tape);                            /* NULL is fine; says nothing */

/* A line and Enter were typed. `is_secret`: a password, whose text is not handed in. */
void device_tape_sent(struct device_tape *tape, struct text line, bool is_secret);
void device_tape_key(struct device_tape *tape, char key); /* a single key: a blank, Enter */
void device_tape_received(struct device_tape *tape, struct text bytes);
void device_tape_ssh(struct device_tape *tape, struct text bytes); /* what ssh itself says */
void device_tape_note(struct device_tape *tape, struct text line);
/* What has no end yet, and what was left out, is said. */
void device_tape_flush(struct device_tape *tape);

struct device_tape_counts {
	uint64_t kept, left_out; /* bytes of the device */
	uint64_t masked;         /* lines with a mask in them */
};
struct device_tape_counts device_tape_count(const struct device_tape *tape);

#endif
