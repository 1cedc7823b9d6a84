/* SPDX-License-Identifier: MIT */
#include "eem/lines.h"

#include <inttypes.h>

static const struct {
	struct text from;
	char to;
} straight[] = { /* what word processors make of quotes and blanks */
	{ { "\xe2\x80\x9c", 3 }, '"' }, { { "\xe2\x80\x9d", 3 }, '"' }, { { "\xe2\x80\x9e", 3 }, '"' },
	{ { "\xe2\x80\x9f", 3 }, '"' }, { { "\xc2\xab", 2 }, '"' }, { { "\xc2\xbb", 2 }, '"' },
	{ { "\xe2\x80\xb3", 3 }, '"' }, { { "\xc2\xa0", 2 }, ' ' }, { { "\xe2\x80\xaf", 3 }, ' ' },
};

static const struct text arrows[] = { /* "the line goes on", as printed matter shows it */
	{ "\xe2\x86\xb5", 3 }, { "\xe2\x86\xa9", 3 }, { "\xe2\x8f\x8e", 3 }, { "\xe2\x9e\xa5", 3 }, { "\xe2\x86\xb4", 3 },
	{ "\xe2\xa4\xb6", 3 },
};

void eem_lines_start(struct eem_lines *lines, struct text text, struct arena *arena, struct eem_report *report)
{
	*lines = (struct eem_lines){ .arena = arena, .report = report };
	text_take(&text, TEXT("\xef\xbb\xbf"));
	lines->rest = text;
}

static void say(const struct eem_lines *lines, const char *name, const char *text)
{
	if (lines->report)
		eem_report_add(lines->report, EEM_NOTE, lines->number, name, TEXT_NONE, "%s", text);
}

static bool is_host_char(char c)
{
	return char_is_alpha(c) || char_is_digit(c) || c == '-' || c == '_' || c == '.' || c == '/' || c == ':';
}

struct text eem_without_prompt(struct text line)
{
	struct text rest = text_trim(line);
	size_t n = 0;

	while (n < rest.len && n < 64 && is_host_char(rest.at[n]))
		n++;
	if (n == 0 || n == rest.len)
		return line;
	rest = text_skip(rest, n);
	if (text_starts(rest, TEXT("(")) && text_starts_nocase(text_skip(rest, 1), TEXT("conf"))) {
		size_t close = text_find_char(rest, ')');

		if (close == TEXT_NOT_FOUND || close > 48)
			return line;
		rest = text_skip(rest, close + 1);
		if (!text_take_char(&rest, '#'))
			return line;
	} else if (!text_take_char(&rest, '#') && !text_take_char(&rest, '>')) {
		return line;
	}
	return text_trim(rest);
}

static bool needs_straightening(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if ((unsigned char)t.at[i] >= 0xc2)
			return true;
	return false;
}

static struct text straighten(struct eem_lines *lines, struct text t)
{
	bool changed = false;
	size_t len = 0;
	char *to;

	if (!needs_straightening(t))
		return t;
	to = arena_new(lines->arena, t.len + 1, 1);
	if (!to)
		return t;
	for (size_t i = 0; i < t.len;) {
		size_t k = 0, count = sizeof(straight) / sizeof(straight[0]);

		while (k < count && !text_starts(text_skip(t, i), straight[k].from))
			k++;
		if (k < count) {
			to[len++] = straight[k].to;
			i += straight[k].from.len;
			changed |= straight[k].to == '"';
		} else {
			to[len++] = t.at[i++];
		}
	}
	if (changed && !lines->said_quotes) {
		lines->said_quotes = true;
		say(lines, "smart-quotes", "typographic quotes were taken for plain ones; a router does not");
	}
	return (struct text){ to, len };
}

/* True when the line goes on; the mark is cut off. */
static bool cut_continuation(struct text *t)
{
	struct text trimmed = text_trim(*t);

	if (trimmed.len && trimmed.at[trimmed.len - 1] == '\\' &&
	    (trimmed.len == 1 || trimmed.at[trimmed.len - 2] != '\\')) {
		*t = text_first(trimmed, trimmed.len - 1);
		return true;
	}
	for (size_t i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++) {
		if (text_ends(trimmed, arrows[i])) {
			*t = text_first(trimmed, trimmed.len - arrows[i].len);
			return true;
		}
	}
	return false;
}

static struct text joined(struct eem_lines *lines, struct text a, struct text b)
{
	char *to = arena_new(lines->arena, a.len + b.len + 2, 1);

	if (!to)
		return a;
	if (a.len)
		memcpy(to, a.at, a.len);
	to[a.len] = ' ';
	if (b.len)
		memcpy(to + a.len + 1, b.at, b.len);
	return (struct text){ to, a.len + 1 + b.len };
}

static struct text strip(struct eem_lines *lines, struct text line)
{
	struct text plain = eem_without_prompt(line);

	if (plain.at != line.at && !text_equal(plain, text_trim(line)) && !lines->said_prompt) {
		lines->said_prompt = true;
		say(lines, "prompt", "a router's prompt was left in; it is passed over");
	}
	return plain;
}

bool eem_lines_next(struct eem_lines *lines, struct eem_line *ret)
{
	struct text line, more;
	struct eem_line l = { 0 };

	if (!text_take_line(&lines->rest, &line))
		return false;
	lines->number++;
	l.number = lines->number;
	l.raw = line;
	l.is_indented = line.len && (line.at[0] == ' ' || line.at[0] == '\t');
	line = text_trim(strip(lines, straighten(lines, line)));
	l.is_comment = line.len == 0 || line.at[0] == '!';
	l.is_bang = line.len == 1 && line.at[0] == '!';
	while (!l.is_comment && line.len < EEM_LINE_MAX && cut_continuation(&line) && text_take_line(&lines->rest, &more)) {
		lines->number++;
		line = joined(lines, text_trim(line), text_trim(straighten(lines, more)));
		if (!lines->said_continuation)
			say(lines, "continuation", "a line that goes on in the next one was joined; a router does not do that");
		lines->said_continuation = true;
	}
	l.text = text_trim(line);
	*ret = l;
	return true;
}
