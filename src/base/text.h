/* SPDX-License-Identifier: MIT */
/*
 * Slices of bytes that somebody else owns, and reading them from the left.
 *
 * Everything that arrives from outside is looked at through a struct text: a pointer and a length, no terminator, any
 * byte. The text_take_*() family moves the start forward when it matches and leaves the slice untouched when not.
 * ASCII only, locale-free.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *at; /* borrows; NULL only when len is 0 */
	size_t len;
};

#define TEXT(literal) ((struct text){ (literal), sizeof(literal) - 1 })
#define TEXT_NONE ((struct text){ NULL, 0 })
/* For printf("%.*s"). */
#define TEXT_ARG(t) (int)(t).len, (t).at ? (t).at : ""

static inline struct text text_of(const char *string)
{
	return (struct text){ string, string ? strlen(string) : 0 };
}

static inline struct text text_between(const char *from, const char *to)
{
	return (struct text){ from, (size_t)(to - from) };
}

static inline struct text text_skip(struct text t, size_t n)
{
	if (n > t.len)
		n = t.len;
	return (struct text){ t.at ? t.at + n : NULL, t.len - n };
}

static inline struct text text_first(struct text t, size_t n)
{
	return (struct text){ t.at, n < t.len ? n : t.len };
}

static inline bool char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool char_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool char_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline char char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* 0..15, or -1 when c is no hex digit. */
int char_hex(char c);

/* What stands behind a noun that is counted. */
static inline const char *text_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

bool text_equal(struct text a, struct text b);
bool text_equal_nocase(struct text a, struct text b);
bool text_starts(struct text t, struct text prefix);
bool text_starts_nocase(struct text t, struct text prefix);
bool text_ends(struct text t, struct text suffix);

/* An array that ends with a NUL inside, printable ASCII before it: to be asked of what came over a channel, and is to be
 * printed or sent on. */
bool text_is_string(const char *at, size_t size);
/* The string becomes such a one: every other byte is a '.'. */
void text_make_printable(char *string);

#define TEXT_RESEMBLES_MAX 48 /* longer texts resemble nothing */
/* Was the keyword meant, in any case? True when few edits lead to it, fewer than `below`; exchanged neighbours are one. */
bool text_resembles(struct text typed, struct text keyword, size_t below, size_t *ret_edits);

#define TEXT_NOT_FOUND SIZE_MAX
/* Offset of the first match, or TEXT_NOT_FOUND. An empty needle matches at 0. */
size_t text_find(struct text t, struct text needle);
size_t text_find_nocase(struct text t, struct text needle);
size_t text_find_char(struct text t, char c);
bool text_has(struct text t, struct text needle);

/* Without blanks (space, tab, CR, LF) at both ends. */
struct text text_trim(struct text t);

bool text_take(struct text *t, struct text prefix);
bool text_take_nocase(struct text *t, struct text prefix);
bool text_take_char(struct text *t, char c);
/* Skips blanks; says whether there was one. */
bool text_take_blanks(struct text *t);
/* Takes the longest run of characters not in `stops`; the run may be empty. Here, so that the set of constant stops is
 * worked out once and for all. */
static inline struct text text_take_until(struct text *t, const char *stops)
{
	uint64_t set[4] = { 0 }; /* a bit for each stop */
	struct text run;
	size_t n = 0;

	for (const unsigned char *stop = (const unsigned char *)stops; *stop; stop++)
		set[*stop / 64] |= UINT64_C(1) << *stop % 64;
	while (n < t->len && !(set[(unsigned char)t->at[n] / 64] >> (unsigned char)t->at[n] % 64 & 1))
		n++;
	run = text_first(*t, n);
	*t = text_skip(*t, n);
	return run;
}
/* Takes one blank-separated word, after skipping blanks; empty when nothing is left. */
struct text text_take_word(struct text *t);
/* Takes one line, without its LF or CRLF. False when nothing is left. */
bool text_take_line(struct text *t, struct text *ret_line);
/* Takes up to `max_digits` decimal digits, at least one. False, and t untouched, when there is none. */
bool text_take_digits(struct text *t, size_t max_digits, uint64_t *ret_value, size_t *ret_digits);

/* Whole-slice numbers: 0, SPIMEND_E_SYNTAX or SPIMEND_E_RANGE. hex takes 1 to 8, or 16, digits, 0x or 0X in front or not. */
int text_decimal(struct text t, uint64_t max, uint64_t *ret_value);
int text_hex32(struct text t, uint32_t *ret_value);
int text_hex64(struct text t, uint64_t *ret_value);

/* Copies into a fixed buffer of `size` bytes with a terminating NUL, cutting what does not fit; returns the length. */
size_t text_copy(struct text t, char *to, size_t size);

/* The same of any bytes, without a NUL behind them. */
size_t text_copy_bytes(struct text t, char *to, size_t size);

/* True when the slice is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
bool text_is_utf8(struct text t);

#endif
