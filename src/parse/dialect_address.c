/* SPDX-License-Identifier: MIT */
#include "parse/dialect.h"

static bool parse(struct text t, struct spimend_address *ret)
{
	return t.len && spimend_address_parse(t.at, t.len, ret) == 0;
}

static bool all_digits(struct text t)
{
	uint64_t value;

	return text_decimal(t, 65535, &value) == 0;
}

struct spimend_address dialect_address(struct text t, uint32_t *flags)
{
	struct spimend_address address = { 0 };
	struct text bare;
	size_t colon;

	t = text_trim(t);
	while (t.len > 1 && (t.at[0] == '"' || t.at[0] == '\'') && t.at[t.len - 1] == t.at[0])
		t = text_trim(text_first(text_skip(t, 1), t.len - 2));
	if (parse(t, &address))
		return address;
	/* [2001:db8::1]:500, <192.0.2.1> */
	bare = t;
	if (text_take_char(&bare, '[')) {
		bare = text_take_until(&bare, "]");
		if (parse(bare, &address))
			return address;
	}
	bare = t;
	if (text_take_char(&bare, '<') && text_ends(bare, TEXT(">")) && parse(text_first(bare, bare.len - 1), &address))
		return address;
	/* 192.0.2.1[4500], 192.0.2.1#4500, 192.0.2.1/4500, 192.0.2.1(500), fe80::1%eth0 */
	bare = t;
	bare = text_take_until(&bare, "[#/(%");
	if (bare.len < t.len && parse(bare, &address))
		return address;
	/* 192.0.2.1:4500; with IPv6 nobody could tell the port from the address */
	colon = text_find_char(bare, ':');
	if (colon != TEXT_NOT_FOUND && all_digits(text_skip(bare, colon + 1)) && parse(text_first(bare, colon), &address) &&
		address.family == 4)
		return address;
	if (flags)
		*flags |= FLAG_ADDRESS_MASKED;
	return (struct spimend_address){ 0 };
}
