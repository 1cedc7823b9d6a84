/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <errno.h>

#include "spimend/error.h"

int char_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = char_lower(c);
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool text_equal(struct text a, struct text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool text_equal_nocase(struct text a, struct text b)
{
	return a.len == b.len && text_starts_nocase(a, b);
}

bool text_starts(struct text t, struct text prefix)
{
	return t.len >= prefix.len && (prefix.len == 0 || memcmp(t.at, prefix.at, prefix.len) == 0);
}

bool text_starts_nocase(struct text t, struct text prefix)
{
	if (t.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++)
		if (char_lower(t.at[i]) != char_lower(prefix.at[i]))
			return false;
	return true;
}

void text_make_printable(char *string)
{
	for (char *c = string; *c; c++)
		*c = *c < 0x20 || *c > 0x7e ? '.' : *c;
}

bool text_is_string(const char *at, size_t size)
{
	const char *end = memchr(at, '\0', size);

	for (const char *c = at; end && c < end; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return end;
}

/* One row of the table of edits (optimal string alignment): typed[0..i) to each beginning of the keyword. Returns its least,
 * with that of the row above. */
static size_t edit_row(struct text typed, size_t i, struct text keyword, const size_t *before, const size_t *above,
		       size_t *now)
{
	size_t least = i - 1; /* above[0] */

	now[0] = i;
	for (size_t j = 1; j <= keyword.len; j++) {
		size_t best = above[j - 1] + (char_lower(typed.at[i - 1]) != char_lower(keyword.at[j - 1]));

		if (above[j] + 1 < best)
			best = above[j] + 1;
		if (now[j - 1] + 1 < best)
			best = now[j - 1] + 1;
		if (i > 1 && j > 1 && char_lower(typed.at[i - 1]) == char_lower(keyword.at[j - 2]) &&
		    char_lower(typed.at[i - 2]) == char_lower(keyword.at[j - 1]) && before[j - 2] + 1 < best)
			best = before[j - 2] + 1;
		now[j] = best;
		if (best < least)
			least = best;
		if (above[j] < least)
			least = above[j];
	}
	return least;
}

bool text_resembles(struct text typed, struct text keyword, size_t below, size_t *ret_edits)
{
	size_t rows[3][TEXT_RESEMBLES_MAX + 1], most = keyword.len / 3 + 1;
	size_t *before = rows[0], *above = rows[1], *now = rows[2];

	if (most >= keyword.len) /* to replace all of it is no resemblance */
		most = keyword.len - (keyword.len > 0);
	if (below && most >= below)
		most = below - 1;
	if (below == 0 || keyword.len == 0 || typed.len > TEXT_RESEMBLES_MAX || keyword.len > TEXT_RESEMBLES_MAX ||
	    typed.len > keyword.len + most || keyword.len > typed.len + most)
		return false;
	for (size_t j = 0; j <= keyword.len; j++)
		above[j] = j;
	for (size_t i = 1; i <= typed.len; i++) {
		size_t *swap = before;

		if (edit_row(typed, i, keyword, before, above, now) > most)
			return false; /* it only grows */
		before = above;
		above = now;
		now = swap;
	}
	if (above[keyword.len] > most)
		return false;
	*ret_edits = above[keyword.len];
	return true;
}

bool text_ends(struct text t, struct text suffix)
{
	return t.len >= suffix.len && text_equal(text_skip(t, t.len - suffix.len), suffix);
}

/* memmem() prepares itself for long texts, which costs more than it saves on a line. */
#define SHORT_TEXT 512

size_t text_find(struct text t, struct text needle)
{
	const char *hit;

	if (needle.len == 0)
		return 0;
	if (t.len < needle.len)
		return TEXT_NOT_FOUND;
	if (t.len > SHORT_TEXT) {
		hit = memmem(t.at, t.len, needle.at, needle.len);
		return hit ? (size_t)(hit - t.at) : TEXT_NOT_FOUND;
	}
	for (size_t from = 0; from + needle.len <= t.len; from = (size_t)(hit - t.at) + 1) {
		hit = memchr(t.at + from, needle.at[0], t.len - needle.len + 1 - from);
		if (!hit)
			return TEXT_NOT_FOUND;
		if (memcmp(hit, needle.at, needle.len) == 0)
			return (size_t)(hit - t.at);
	}
	return TEXT_NOT_FOUND;
}

size_t text_find_nocase(struct text t, struct text needle)
{
	for (size_t i = 0; i + needle.len <= t.len; i++)
		if (text_starts_nocase(text_skip(t, i), needle))
			return i;
	return TEXT_NOT_FOUND;
}

size_t text_find_char(struct text t, char c)
{
	const char *hit = t.len ? memchr(t.at, c, t.len) : NULL;

	return hit ? (size_t)(hit - t.at) : TEXT_NOT_FOUND;
}

bool text_has(struct text t, struct text needle)
{
	return text_find(t, needle) != TEXT_NOT_FOUND;
}

struct text text_trim(struct text t)
{
	while (t.len && char_is_blank(t.at[0]))
		t = text_skip(t, 1);
	while (t.len && char_is_blank(t.at[t.len - 1]))
		t.len--;
	return t;
}

bool text_take(struct text *t, struct text prefix)
{
	if (!text_starts(*t, prefix))
		return false;
	*t = text_skip(*t, prefix.len);
	return true;
}

bool text_take_nocase(struct text *t, struct text prefix)
{
	if (!text_starts_nocase(*t, prefix))
		return false;
	*t = text_skip(*t, prefix.len);
	return true;
}

bool text_take_char(struct text *t, char c)
{
	if (t->len == 0 || t->at[0] != c)
		return false;
	*t = text_skip(*t, 1);
	return true;
}

bool text_take_blanks(struct text *t)
{
	size_t n = 0;

	while (n < t->len && char_is_blank(t->at[n]))
		n++;
	*t = text_skip(*t, n);
	return n > 0;
}

struct text text_take_word(struct text *t)
{
	text_take_blanks(t);
	return text_take_until(t, " \t\r\n");
}

bool text_take_line(struct text *t, struct text *ret_line)
{
	size_t end;
	struct text line;

	if (t->len == 0)
		return false;
	end = text_find_char(*t, '\n');
	line = text_first(*t, end);
	*t = text_skip(*t, end == TEXT_NOT_FOUND ? t->len : end + 1);
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	*ret_line = line;
	return true;
}

bool text_take_digits(struct text *t, size_t max_digits, uint64_t *ret_value, size_t *ret_digits)
{
	uint64_t value = 0;
	size_t n = 0;

	while (n < t->len && n < max_digits && n < 19 && char_is_digit(t->at[n]))
		value = value * 10 + (uint64_t)(t->at[n++] - '0');
	if (n == 0)
		return false;
	*t = text_skip(*t, n);
	if (ret_value)
		*ret_value = value;
	if (ret_digits)
		*ret_digits = n;
	return true;
}

int text_decimal(struct text t, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (t.len == 0)
		return SPIMEND_E_SYNTAX;
	for (size_t i = 0; i < t.len; i++) {
		uint64_t digit = (uint64_t)(t.at[i] - '0');

		if (!char_is_digit(t.at[i]))
			return SPIMEND_E_SYNTAX;
		if (value > (max - digit) / 10 || digit > max)
			return SPIMEND_E_RANGE;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return 0;
}

static int read_hex(struct text t, size_t most, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (!text_take(&t, TEXT("0x")))
		text_take(&t, TEXT("0X"));
	if (t.len == 0)
		return SPIMEND_E_SYNTAX;
	for (size_t i = 0; i < t.len; i++) {
		int digit = char_hex(t.at[i]);

		if (digit < 0)
			return SPIMEND_E_SYNTAX;
		if (i >= most)
			return SPIMEND_E_RANGE;
		value = value << 4 | (uint64_t)digit;
	}
	*ret_value = value;
	return 0;
}

int text_hex32(struct text t, uint32_t *ret_value)
{
	uint64_t value;
	int r = read_hex(t, 8, &value);

	if (r == 0)
		*ret_value = (uint32_t)value;
	return r;
}

int text_hex64(struct text t, uint64_t *ret_value)
{
	return read_hex(t, 16, ret_value);
}

size_t text_copy(struct text t, char *to, size_t size)
{
	size_t n = t.len < size ? t.len : size - 1;

	if (size == 0)
		return 0;
	if (n)
		memcpy(to, t.at, n);
	to[n] = '\0';
	return n;
}

size_t text_copy_bytes(struct text t, char *to, size_t size)
{
	size_t n = t.len < size ? t.len : size;

	if (n)
		memcpy(to, t.at, n);
	return n;
}

bool text_is_utf8(struct text t)
{
	for (size_t i = 0; i < t.len;) {
		unsigned char lead = (unsigned char)t.at[i];
		unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte: RFC 3629 4 */
		size_t more;

		if (lead < 0x80) {
			i++;
			continue;
		}
		if (lead >= 0xc2 && lead <= 0xdf) {
			more = 1;
		} else if (lead >= 0xe0 && lead <= 0xef) {
			more = 2;
			low = lead == 0xe0 ? 0xa0 : 0x80;
			high = lead == 0xed ? 0x9f : 0xbf;
		} else if (lead >= 0xf0 && lead <= 0xf4) {
			more = 3;
			low = lead == 0xf0 ? 0x90 : 0x80;
			high = lead == 0xf4 ? 0x8f : 0xbf;
		} else {
			return false;
		}
		if (i + more >= t.len)
			return false;
		for (size_t k = 1; k <= more; k++) {
			unsigned char c = (unsigned char)t.at[i + k];

			if (c < (k == 1 ? low : 0x80) || c > (k == 1 ? high : 0xbf))
				return false;
		}
		i += more + 1;
	}
	return true;
}
