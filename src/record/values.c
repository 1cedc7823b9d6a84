/* SPDX-License-Identifier: MIT */
#include "record/values.h"

void record_put_address(struct json *j, const char *key, const struct spimend_address *a)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX];

	if (spimend_address_known(a))
		json_string(j, key, spimend_address_print(a, text));
	else
		json_null(j, key);
}

void record_put_text(struct json *j, const char *key, struct text t)
{
	if (t.len)
		json_text(j, key, t);
	else
		json_null(j, key);
}

static void put_digits(char *to, int value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
}

/* As calendar_print() does, without printf: an incident has some twenty times. */
void record_put_time(struct json *j, const char *key, bool present, struct instant at)
{
	char text[] = "2025-09-02T13:36:47.287Z";
	struct civil c;

	if (!present) {
		json_null(j, key);
		return;
	}
	c = calendar_from_instant(at);
	put_digits(text, c.year, 4);
	put_digits(text + 5, c.month, 2);
	put_digits(text + 8, c.day, 2);
	put_digits(text + 11, c.hour, 2);
	put_digits(text + 14, c.minute, 2);
	put_digits(text + 17, c.second, 2);
	put_digits(text + 20, (int)(c.nanosecond / 1000000), 3);
	json_text(j, key, (struct text){ text, sizeof(text) - 1 });
}

/* Can steer a terminal, or is a piece of a broken character. */
static bool is_hostile(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Text from outside must not steer the terminal: neither by C0 nor by C1 controls (0xc2 0x80 to 0xc2 0x9f in UTF-8). */
void record_add_printable(struct buffer *out, struct text t)
{
	bool plain = true, wide = false, utf8;
	char piece[64];
	size_t n = 0;

	for (size_t i = 0; i < t.len; i++) {
		plain &= !is_hostile(t.at[i]);
		wide |= (unsigned char)t.at[i] >= 0x80;
	}
	if (plain && !wide) {
		buffer_add(out, t);
		return;
	}
	utf8 = wide && text_is_utf8(t);
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if (n + 2 > sizeof(piece)) {
			buffer_add(out, (struct text){ piece, n });
			n = 0;
		}
		if (c == 0xc2 && utf8 && (unsigned char)t.at[i + 1] < 0xa0) {
			piece[n++] = '.';
			i++;
		} else if (is_hostile(t.at[i])) {
			piece[n++] = c == '\t' ? ' ' : '.';
		} else {
			piece[n++] = c >= 0x80 && !utf8 ? '?' : (char)c;
		}
	}
	buffer_add(out, (struct text){ piece, n });
}

/* Columns that a byte of UTF-8 text takes, near enough: one a character. */
static size_t columns(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* Text from column `at`, wrapped between its words at `width` and indented to `indent`. */
void record_add_wrapped(struct buffer *out, size_t width, struct text t, size_t indent, size_t at)
{
	size_t from = 0, end = 0, i = 0; /* [from, end): words that stand on one line, not yet written */

	while (i < t.len && char_is_blank(t.at[i]))
		i++;
	from = end = i;
	while (i < t.len) {
		size_t start = i, wide = 0;

		while (i < t.len && !char_is_blank(t.at[i]))
			wide += columns(t.at[i++]);
		if (end > from && at + 1 + wide > width) {
			record_add_printable(out, text_between(t.at + from, t.at + end));
			buffer_add_char(out, '\n');
			buffer_add_repeat(out, ' ', indent);
			at = indent;
			from = start;
		} else if (end > from && start > end + 1) { /* more than one blank: only one is written */
			record_add_printable(out, text_between(t.at + from, t.at + end));
			buffer_add_char(out, ' ');
			at++;
			from = start;
		} else {
			at += end > from;
		}
		at += wide;
		end = i;
		while (i < t.len && char_is_blank(t.at[i]))
			i++;
	}
	record_add_printable(out, text_between(t.at + from, t.at + end));
	buffer_add_char(out, '\n');
}

void record_add_heading(struct buffer *out, const char *title)
{
	buffer_printf(out, "\n%s\n", title);
}

void record_add_paragraph(struct buffer *out, size_t width, struct buffer *text)
{
	buffer_add_string(out, "  ");
	record_add_wrapped(out, width, buffer_text(text), 2, 2);
	out->failed |= text->failed;
	buffer_clear(text);
}

void record_put_typed(struct json *j, const struct plan_step *s)
{
	json_string(j, "command", s->command[0] ? s->command : NULL);
	json_string(j, "blast_radius", s->blast_radius);
	json_string(j, "why", s->why);
	json_bool(j, "needs_approval", s->needs_approval);
}
