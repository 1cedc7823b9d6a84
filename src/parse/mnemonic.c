/* SPDX-License-Identifier: MIT */
#include "parse/mnemonic.h"

#define MNEMONIC_MAX 80 /* longer text between % and : is no mnemonic */

/* Letters, digits, and "_ -": a table, since no processor foresees which of them comes next. */
static const bool name_chars[256] = {
	['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['_'] = true, [' '] = true, ['-'] = true,
};

static bool mnemonic_read(struct text line, size_t at, struct mnemonic *ret)
{
	struct text rest = text_skip(line, at + 1), body;
	size_t colon, severity = TEXT_NOT_FOUND;

	text_take_char(&rest, '>'); /* quoted mail */
	colon = text_find_char(text_first(rest, MNEMONIC_MAX), ':');
	if (colon == TEXT_NOT_FOUND || rest.len == 0 || !(char_is_alpha(rest.at[0])))
		return false;
	body = text_trim(text_first(rest, colon));
	for (size_t i = 0; i < body.len; i++) {
		if (!name_chars[(unsigned char)body.at[i]])
			return false;
		if (severity == TEXT_NOT_FOUND && i + 2 < body.len && body.at[i] == '-' && body.at[i + 1] >= '0' &&
		    body.at[i + 1] <= '7' && body.at[i + 2] == '-')
			severity = i;
	}
	if (severity == TEXT_NOT_FOUND || severity == 0)
		return false;
	*ret = (struct mnemonic){
		.at = at,
		.end = (size_t)(rest.at - line.at) + colon + 1,
		.facility = text_first(body, severity),
		.name = text_skip(body, severity + 3),
	};
	return ret->name.len > 0;
}

bool mnemonic_find(struct text line, size_t from, struct mnemonic *ret)
{
	for (;;) {
		size_t at = text_find_char(text_skip(line, from), '%');

		if (at == TEXT_NOT_FOUND)
			return false;
		at += from;
		if (mnemonic_read(line, at, ret))
			return true;
		from = at + 1;
	}
}

bool mnemonic_name_is(const struct mnemonic *m, struct text name)
{
	if (m->name.len != name.len)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (m->name.at[i] != name.at[i] && !(m->name.at[i] == ' ' && name.at[i] == '_'))
			return false;
	return true;
}
