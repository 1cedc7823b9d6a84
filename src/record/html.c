/* SPDX-License-Identifier: MIT */
#include "record/html.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* The bytes of the character at the beginning and its number; 0: it is no UTF-8. */
static size_t take_character(struct text t, uint32_t *ret)
{
	unsigned char c = (unsigned char)t.at[0];
	size_t width = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (width == 1) {
		*ret = c;
		return 1;
	}
	if (width > t.len || !text_is_utf8(text_first(t, width)))
		return 0;
	*ret = c & (0xffu >> (width + 1));
	for (size_t i = 1; i < width; i++)
		*ret = *ret << 6 | ((unsigned char)t.at[i] & 0x3f);
	return width;
}

/* Steers a terminal or a browser, or is not seen: C0, C1, soft hyphen, marks and overrides of direction, what has no
 * width, separators of lines, tags, private use and what is no character. */
static bool is_hidden(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} hidden[] = {
		{ 0x00, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x034f, 0x034f }, { 0x061c, 0x061c }, { 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0x3164, 0x3164 }, { 0xe000, 0xf8ff }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].from && c <= hidden[i].to)
			return true;
	return false;
}

static const char *named(char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\n':
	case '\t':
		return " ";
	default:
		return NULL;
	}
}

void html_add_cut(struct buffer *out, struct text t, size_t max)
{
	size_t plain = 0, i = 0;

	while (i < t.len && i < max) {
		const char *name = named(t.at[i]);
		uint32_t c = 0;
		size_t width = take_character(text_skip(t, i), &c);

		if (!name && width && !is_hidden(c)) {
			i += width;
			continue;
		}
		buffer_add(out, text_between(t.at + plain, t.at + i));
		if (name || t.at[i] != '\r')
			buffer_add_string(out, name ? name : REPLACEMENT);
		i += width ? width : 1;
		plain = i;
	}
	if (i > plain)
		buffer_add(out, text_between(t.at + plain, t.at + i));
	if (i < t.len)
		buffer_printf(out, "... (%zu bytes more)", t.len - i);
}

void html_add(struct buffer *out, struct text t)
{
	html_add_cut(out, t, HTML_TEXT_MAX);
}

void html_add_string(struct buffer *out, const char *string)
{
	html_add(out, text_of(string));
}

void html_add_sentence(struct buffer *out, struct text t)
{
	size_t tick;

	while ((tick = text_find_char(t, '`')) != TEXT_NOT_FOUND) {
		struct text rest = text_skip(t, tick + 1);
		size_t end = text_find_char(rest, '`');

		if (end == TEXT_NOT_FOUND)
			break;
		html_add(out, text_first(t, tick));
		buffer_add_string(out, "<code>");
		html_add(out, text_first(rest, end));
		buffer_add_string(out, "</code>");
		t = text_skip(rest, end + 1);
	}
	html_add(out, t);
}

void html_add_foreign(struct buffer *out, struct text t, size_t max)
{
	buffer_add_string(out, "<bdi>");
	html_add_cut(out, t, max);
	buffer_add_string(out, "</bdi>");
}
