/* SPDX-License-Identifier: MIT */
#include "parse/web_token.h"

#define DIGITS ((WEB_TOKEN_BYTES * 8 + 5) / 6)

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void web_token_print(const uint8_t bytes[WEB_TOKEN_BYTES], bool is_personal, char to[WEB_TOKEN_TEXT_MAX])
{
	char *at = to + text_copy(is_personal ? TEXT("spp_") : TEXT("spw_"), to, WEB_TOKEN_TEXT_MAX);

	for (size_t i = 0; i < DIGITS; i++) {
		size_t bit = i * 6;
		unsigned pair = (unsigned)bytes[bit / 8] << 8 | (bit / 8 + 1 < WEB_TOKEN_BYTES ? bytes[bit / 8 + 1] : 0u);

		*at++ = digits[pair >> (10 - bit % 8) & 63];
	}
	*at = 0;
}

bool web_token_is_one(struct text t)
{
	if (!text_take(&t, TEXT("spw_")) && !text_take(&t, TEXT("spp_")))
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (!char_is_alpha(t.at[i]) && !char_is_digit(t.at[i]) && t.at[i] != '-' && t.at[i] != '_')
			return false;
	return t.len == DIGITS;
}

bool web_token_is_personal(struct text t)
{
	return web_token_is_one(t) && text_starts(t, TEXT("spp_"));
}
