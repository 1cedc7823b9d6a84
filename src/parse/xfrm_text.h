/* SPDX-License-Identifier: MIT */
/*
 * `ip xfrm state` and `ip -s xfrm state` as text. The lines that hold keys are passed over before anything is read of them:
 * no key is kept, printed or named in a reason. Pure.
 */
#ifndef PARSE_XFRM_TEXT_H
#define PARSE_XFRM_TEXT_H

#include "parse/show.h"

struct xfrm_text {
	struct saved_state state; /* being read */
	uint32_t line;            /* where it started; 0: none is open */
	bool has_spi, window_told;
	bool current;             /* behind "lifetime current:" */
	uint32_t sequence_in, sequence_out;
};

/* "src A dst B" with two plain addresses: policies have prefixes there. */
bool xfrm_text_starts(struct text cleaned);
enum show_result xfrm_text_line(struct xfrm_text *s, struct text line, uint32_t number, struct saved_record *ret);
bool xfrm_text_end(struct xfrm_text *s, struct saved_record *ret);

#endif
