/* SPDX-License-Identifier: MIT */
#include "parse/prompt.h"

#define NAME_MAX_LEN 63

static bool is_name_char(char c)
{
	return char_is_alpha(c) || char_is_digit(c) || c == '.' || c == '_' || c == '-';
}

struct text prompt_skip(struct text line)
{
	struct text rest = line;
	size_t len = 0;

	text_take_blanks(&rest);
	while (len < rest.len && len <= NAME_MAX_LEN && is_name_char(rest.at[len]))
		len++;
	if (len == 0 || len > NAME_MAX_LEN || !char_is_alpha(rest.at[0]))
		return line;
	rest = text_skip(rest, len);
	if (text_starts(rest, TEXT("(config"))) {
		size_t end = text_find_char(rest, ')');

		if (end == TEXT_NOT_FOUND || end > 32)
			return line;
		rest = text_skip(rest, end + 1);
		return text_take_char(&rest, '#') ? rest : line;
	}
	if (!text_take_char(&rest, '#') && !text_take_char(&rest, '>'))
		return line;
	return rest;
}
