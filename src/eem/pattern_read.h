/* SPDX-License-Identifier: MIT */
/* The dialect read and written as PCRE2 has it. Private to eem/pattern*.c. */
#ifndef EEM_PATTERN_READ_H
#define EEM_PATTERN_READ_H

#include "base/buffer.h"
#include "eem/pattern.h"

struct pattern_reading {
	struct buffer out;      /* owns: for PCRE2; with a NUL behind */
	struct buffer literals; /* owns: their bytes, one behind the other */
	struct {
		uint32_t at, len, alternative;
	} literal[EEM_LITERALS_MAX * EEM_ALTERNATIVES_MAX];
	uint32_t literal_count, alternatives, groups;
	bool is_sequence; /* nothing but its literals, in this order, joined by ".*" */
	bool is_caseless;
	const char *why;  /* static */
	size_t offset;
};

/* 0, SPIMEND_E_SYNTAX (why, offset) or -ENOMEM. */
int pattern_read(struct text expression, struct pattern_reading *ret);
void pattern_reading_done(struct pattern_reading *reading);

#endif
