/* SPDX-License-Identifier: MIT */
#include "model/recorded.h"

static const char *const kinds[RECORDED_KINDS] = {
	"sa-born", "sa-died", "ike", "debug", "counter", "sighting", "packet", "command", "output", "step", "incident", "clock",
	"note",
};

const char *recorded_kind_name(enum recorded_kind kind)
{
	return (unsigned)kind < RECORDED_KINDS ? kinds[kind] : "?";
}

bool recorded_kind_from_name(struct text name, enum recorded_kind *ret)
{
	for (int kind = 0; kind < RECORDED_KINDS; kind++) {
		if (text_equal(name, text_of(kinds[kind]))) {
			*ret = (enum recorded_kind)kind;
			return true;
		}
	}
	return false;
}

const char *recorded_direction_name(enum recorded_direction direction)
{
	return direction == RECORDED_IN ? "in" : direction == RECORDED_OUT ? "out" : NULL;
}

static bool has_dash(int byte) /* in front of it */
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

char *recorded_boot_print(const uint8_t boot[RECORDED_BOOT_SIZE], char to[RECORDED_BOOT_TEXT_MAX])
{
	static const char digits[] = "0123456789abcdef";
	char *at = to;

	for (int i = 0; i < RECORDED_BOOT_SIZE; i++) {
		if (has_dash(i))
			*at++ = '-';
		*at++ = digits[boot[i] >> 4];
		*at++ = digits[boot[i] & 15];
	}
	*at = 0;
	return to;
}

bool recorded_boot_parse(struct text text, uint8_t ret[RECORDED_BOOT_SIZE])
{
	uint8_t boot[RECORDED_BOOT_SIZE];

	for (int i = 0; i < RECORDED_BOOT_SIZE; i++) {
		int high, low;

		if ((has_dash(i) && !text_take_char(&text, '-')) || text.len < 2)
			return false;
		high = char_hex(text.at[0]);
		low = char_hex(text.at[1]);
		if (high < 0 || low < 0)
			return false;
		boot[i] = (uint8_t)(high << 4 | low);
		text = text_skip(text, 2);
	}
	if (text.len)
		return false;
	memcpy(ret, boot, sizeof(boot));
	return true;
}

int recorded_compare(const struct recorded *a, const struct recorded *b)
{
	const uint32_t both = a->has & b->has;

	if (both & RECORDED_HAS_MONO && both & RECORDED_HAS_BOOT && memcmp(a->boot, b->boot, sizeof(a->boot)) == 0)
		return a->mono_ns < b->mono_ns ? -1 : a->mono_ns > b->mono_ns;
	if (both & RECORDED_HAS_WALL)
		return a->wall.ns < b->wall.ns ? -1 : a->wall.ns > b->wall.ns;
	return 0;
}
