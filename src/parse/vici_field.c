/* SPDX-License-Identifier: MIT */
#include "parse/vici_field.h"

#include "spimend/address.h"

static bool put_number(const struct vici_field *f, struct text value, char *into)
{
	static const uint64_t highest[] = { [VICI_FIELD_U8] = UINT8_MAX, [VICI_FIELD_U16] = UINT16_MAX,
					    [VICI_FIELD_U32] = UINT32_MAX, [VICI_FIELD_U64] = UINT64_MAX };
	uint64_t number;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;

	if (text_decimal(value, highest[f->type], &number))
		return false;
	u8 = (uint8_t)number;
	u16 = (uint16_t)number;
	u32 = (uint32_t)number;
	switch (f->type) {
	case VICI_FIELD_U8:
		memcpy(into, &u8, sizeof(u8));
		break;
	case VICI_FIELD_U16:
		memcpy(into, &u16, sizeof(u16));
		break;
	case VICI_FIELD_U32:
		memcpy(into, &u32, sizeof(u32));
		break;
	default:
		memcpy(into, &number, sizeof(number));
		break;
	}
	return true;
}

static bool put_seconds(struct text value, char *into)
{
	bool overdue = text_take_char(&value, '-');
	uint64_t number;
	uint32_t seconds;

	if (text_decimal(value, INT64_MAX, &number))
		return false;
	seconds = overdue ? 0 : number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
	memcpy(into, &seconds, sizeof(seconds));
	return true;
}

static bool put_hex64(struct text value, char *into)
{
	uint64_t number = 0;

	if (value.len == 0 || value.len > 16)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		int digit = char_hex(value.at[i]);

		if (digit < 0)
			return false;
		number = number << 4 | (unsigned)digit;
	}
	memcpy(into, &number, sizeof(number));
	return true;
}

static bool put_word(const struct vici_field *f, struct text value, char *into)
{
	int place = 0;

	for (int i = 1; f->words[i]; i++)
		if (text_equal(value, text_of(f->words[i])))
			place = i;
	memcpy(into, &place, sizeof(place));
	return true;
}

static bool put(const struct vici_field *f, struct text value, char *into)
{
	struct spimend_address address;
	uint32_t hex;
	bool yes;

	switch (f->type) {
	case VICI_FIELD_SECONDS:
		return put_seconds(value, into);
	case VICI_FIELD_HEX32:
		if (text_hex32(value, &hex))
			return false;
		memcpy(into, &hex, sizeof(hex));
		return true;
	case VICI_FIELD_HEX64:
		return put_hex64(value, into);
	case VICI_FIELD_ADDRESS: /* "%any" while an IKE SA has no peer yet */
		if (spimend_address_parse(value.at, value.len, &address))
			return text_starts(value, TEXT("%any"));
		memcpy(into, &address, sizeof(address));
		return true;
	case VICI_FIELD_YES:
		yes = text_equal(value, TEXT("yes"));
		memcpy(into, &yes, sizeof(yes));
		return true;
	case VICI_FIELD_WORD:
		return put_word(f, value, into);
	case VICI_FIELD_TEXT:
		memcpy(into, &value, sizeof(value));
		return true;
	case VICI_FIELD_NAME24:
	case VICI_FIELD_NAME16:
		vici_copy_ascii(value, into, f->type == VICI_FIELD_NAME24 ? 24 : 16);
		return true;
	default:
		return put_number(f, value, into);
	}
}

bool vici_field_set(const struct vici_field *fields, size_t count, const struct vici_element *e, void *into)
{
	for (size_t i = 0; i < count; i++) {
		const bool yes = true;

		if (!text_equal(e->name, text_of(fields[i].key)))
			continue;
		if (!put(&fields[i], e->value, (char *)into + fields[i].offset))
			return false;
		if (fields[i].has)
			memcpy((char *)into + fields[i].has, &yes, sizeof(yes));
		return true;
	}
	return true;
}

void vici_copy_name(struct text name, char *to, size_t size)
{
	size_t len = text_copy(name, to, size);

	while (len && len < name.len && ((unsigned char)name.at[len] & 0xc0) == 0x80)
		len--; /* the next byte goes on with a character: drop what would be half of it */
	to[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)to[i] < ' ' || to[i] == 0x7f)
			to[i] = '?';
}

void vici_copy_ascii(struct text t, char *to, size_t size)
{
	size_t len = text_copy(t, to, size);

	for (size_t i = 0; i < len; i++)
		if (to[i] < ' ' || to[i] > '~')
			to[i] = '?';
}
