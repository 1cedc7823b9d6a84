/* SPDX-License-Identifier: MIT */
/*
 * What the dialects share: reading a message by its form, a line of text that says what stands where.
 *
 * Most daemons and firewalls print each message from one format string; a form is that string, with our marks for the
 * values. One small interpreter over tables of forms reads them all, says where a message was cut, and never reads
 * beyond the text. Called by parse/dialect_*.c alone; pure.
 *
 *   %s %o     SPI towards the writer, the writer's outbound SPI: hex, with 0x or without
 *   %n        SPI as %s, but decimal when it is all digits without 0x
 *   %q        sequence number: hex with 0x, else decimal
 *   %a %b     address of the peer or source (src), of the writer or destination (dst)
 *   %p        protocol: ESP or AH, anything else is unknown
 *   %w        a word, skipped
 *   space     one blank or more, line breaks included      ~   blanks or none
 *   *         anything, up to the first place where the letters that follow match
 *   {...}     may be missing
 *   |         from here on the message is surely ours: text that ends too early is cut, text that differs is wrong
 * Every other character stands for itself.
 */
#ifndef PARSE_DIALECT_FORM_H
#define PARSE_DIALECT_FORM_H

#include "parse/dialect.h"

enum form_result {
	FORM_OTHER, /* another message */
	FORM_READ,
	FORM_CUT,   /* ours as far as it goes: the text ends in the middle; the fact holds what was read whole */
	FORM_WRONG, /* ours, and not as it should be */
};

/* `whole` is the text that offsets count from, `t` the part of it to read. On FORM_READ *ret_used counts bytes of
 * `whole`. Fields of *fact are only set on FORM_READ and FORM_CUT. */
enum form_result dialect_form_read(const char *form, struct text whole, struct text t, struct fact *fact,
	size_t *ret_used, struct parse_failure *failure);

/* Cheap: can this text be of that form at all, by its first byte? */
static inline bool dialect_form_may(const char *form, struct text t)
{
	return form[0] == '|' || form[0] == '*' || (t.len && t.at[0] == form[0]);
}

/* Takes one SPI: 1 to 8 hex digits, 0x in front or not, no letter or digit behind. */
bool dialect_take_spi(struct text *t, struct spimend_spi *ret);
/* `[hex]`, `<spi>`, `_spi_`, `%x`, `0x%x`, `spi`: what manuals print where a value would stand. */
bool dialect_is_placeholder(struct text word);
/* xxxx, 0x****, N/A, ..., or nothing at all: what people and devices print instead of a value they hide or lack. */
bool dialect_is_masked(struct text word);

/* The value of the first key=value or key: value whose key is `key` as a whole word in any case, with quotes around
 * key or value or not. False when there is none. */
bool dialect_find_value(struct text t, struct text key, struct text *ret_value);

/* UNIX time as the message's own time; false when it cannot be a date. */
bool dialect_set_own_time(struct reading *ret, int64_t unix_ns);

/* Fill in the outcome and return it. */
enum dialect_result dialect_read_to(struct reading *ret, size_t used);
enum dialect_result dialect_fail(struct reading *ret, enum dialect_result result, const char *reason, size_t offset);

/* Without a trailing line break and what follows it. */
struct text dialect_first_line(struct text t);

extern const char dialect_reason_template[];

#endif
