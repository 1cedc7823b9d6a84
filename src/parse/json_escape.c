/* SPDX-License-Identifier: MIT */
#include "parse/json_escape.h"

static bool take_hex4(struct text *t, uint32_t *ret)
{
	uint32_t value = 0;

	if (t->len < 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		int digit = char_hex(t->at[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*t = text_skip(*t, 4);
	*ret = value;
	return true;
}

size_t json_escape_utf8(uint32_t c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool json_escape_take(struct text *t, uint32_t *ret)
{
	static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *known;
	uint32_t low;

	if (t->len == 0)
		return false;
	known = t->at[0] ? strchr(plain, t->at[0]) : NULL;
	if (known) {
		*ret = (uint32_t)(unsigned char)meant[known - plain];
		*t = text_skip(*t, 1);
		return true;
	}
	if (!text_take_char(t, 'u') || !take_hex4(t, ret) || *ret == 0 || (*ret >= 0xdc00 && *ret <= 0xdfff))
		return false;
	if (*ret < 0xd800 || *ret > 0xdbff)
		return true;
	if (!text_take(t, TEXT("\\u")) || !take_hex4(t, &low) || low < 0xdc00 || low > 0xdfff)
		return false;
	*ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
	return true;
}
