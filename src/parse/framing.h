/* SPDX-License-Identifier: MIT */
/*
 * What stands in front of a message: priority, relay header, sequence numbers, host, XR location, time, process
 * (syslog.md 2). Any combination occurs, so the parts are told by their shape, from left to right. Pure.
 */
#ifndef PARSE_FRAMING_H
#define PARSE_FRAMING_H

#include "parse/stamp.h"

struct framing {
	struct text host;   /* the innermost name or address in the framing; empty when there is none. A claim, not a fact */
	bool has_outer;     /* the first stamp: the relay's when there are two */
	struct stamp outer;
	bool has_inner;     /* the last stamp, when there are two or more: the device's own */
	struct stamp inner;
	size_t used;        /* bytes of framing; the message starts there */
	bool is_continuation_shape; /* no part of a framing was found at all */
};

/* Reads the framing at the start of `line`, and what grep put in front of it. When `closed`, all of `line` is framing (a
 * mnemonic follows it) and any word may be the host; else a word counts as host only where its surroundings prove it. */
void framing_read(struct text line, bool closed, struct framing *ret);

/* RFC 5424 6.3: [name a="x \] y"][name], or "-". False, and *t untouched: it is none, or does not end. */
bool framing_take_structured_data(struct text *t);

#endif
