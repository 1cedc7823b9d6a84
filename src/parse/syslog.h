/* SPDX-License-Identifier: MIT */
/*
 * Syslog as it arrives: messages out of a stream of bytes, and one message rewritten as a line of a log, the way a syslog
 * server would have written it, so that parse/log reads what came live as it reads a file.
 *
 * Called by sense. Pure; no allocation.
 */
#ifndef PARSE_SYSLOG_H
#define PARSE_SYSLOG_H

#include "base/text.h"

#define SYSLOG_FRAME_MAX 65536 /* bytes of a message in a stream; RFC 5425 4.3.1 asks for 8192 */

enum syslog_framing {
	SYSLOG_FRAMING_UNKNOWN, /* until the first byte: a digit is a length, all else a message (RFC 6587 3.4) */
	SYSLOG_OCTETS,          /* "117 <189>..." */
	SYSLOG_LINES,           /* up to a line break or a NUL byte */
};

struct syslog_stream { /* zeroed at the start of a connection */
	enum syslog_framing framing;
	bool skips; /* the rest of a message that was longer than SYSLOG_FRAME_MAX */
};

enum syslog_step {
	SYSLOG_STEP_MESSAGE, /* one was taken; with SYSLOG_LINES it may be empty */
	SYSLOG_STEP_CUT,     /* likewise, only its beginning: the rest is passed over */
	SYSLOG_STEP_MORE,    /* nothing whole is there: read more, and call again with all that was left */
	SYSLOG_STEP_BROKEN,  /* no such framing: nothing that follows can be trusted */
};

/* Takes the first message off `bytes`, which holds what came and was not taken yet, at most SYSLOG_FRAME_MAX + 8 of it. In a
 * full buffer of that size SYSLOG_STEP_MORE never is the answer. *ret_why (static) says what broke it. */
enum syslog_step syslog_take(struct syslog_stream *stream, struct text *bytes, struct text *ret_message,
			     const char **ret_why);
/* At the end of the stream: what stands there without a line break is a message too. */
bool syslog_take_last(const struct syslog_stream *stream, struct text bytes, struct text *ret_message);

#define SYSLOG_STAMP_LEN 16 /* "Nov  2 04:00:48 " */
#define SYSLOG_LINE_EXTRA 32 /* a line is at most so much longer than its message */

/* "Nov  2 04:00:48 " into exactly SYSLOG_STAMP_LEN bytes: the civil time of `second`, UNIX time. */
void syslog_print_stamp(int64_t second, char to[SYSLOG_STAMP_LEN]);

/*
 * Writes STAMP HOST MESSAGE to `to`, without the priority; an RFC 5424 header becomes TIME HOST APP[PROCID]: in front of its
 * text. Line breaks within stay. `host` is whom the line is from where it names nobody. `to` has room for the message, the
 * host and SYSLOG_LINE_EXTRA. Returns the length. *ret_odd: its priority cannot be (RFC 5424 6.2.1: 0 to 191), or is none.
 */
size_t syslog_rewrite(struct text message, const char stamp[SYSLOG_STAMP_LEN], struct text host, char *to, bool *ret_odd);

#endif
