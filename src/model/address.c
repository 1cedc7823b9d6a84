/* SPDX-License-Identifier: MIT */
#include "spimend/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "spimend/error.h"

/* What inet_pton(AF_INET) takes, without the copy that it wants: four numbers up to 255 without a zero in front. */
static bool parse_ipv4(const char *text, size_t len, uint8_t bytes[4])
{
	size_t i = 0;

	for (int part = 0; part < 4; part++) {
		unsigned value = 0;
		size_t start;

		if (part > 0 && (i == len || text[i] != '.'))
			return false;
		i += part > 0;
		for (start = i; i < len && i - start < 3 && text[i] >= '0' && text[i] <= '9'; i++)
			value = value * 10 + (unsigned)(text[i] - '0');
		if (i == start || value > 255 || (text[start] == '0' && i - start > 1))
			return false;
		bytes[part] = (uint8_t)value;
	}
	return i == len;
}

int spimend_address_parse(const char *text, size_t len, struct spimend_address *ret)
{
	char copy[SPIMEND_ADDRESS_TEXT_MAX];
	struct spimend_address address = { 0 };

	if (len == 0 || len >= sizeof(copy))
		return SPIMEND_E_SYNTAX;
	if (parse_ipv4(text, len, address.bytes)) {
		address.family = 4;
		*ret = address;
		return 0;
	}
	if (memchr(text, '\0', len))
		return SPIMEND_E_SYNTAX;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, address.bytes) != 1)
		return SPIMEND_E_SYNTAX;
	address.family = 6;
	*ret = address;
	return 0;
}

/* inet_ntop() goes through printf(). */
static void print_ipv4(const uint8_t bytes[4], char *to)
{
	for (int part = 0; part < 4; part++) {
		uint8_t value = bytes[part];

		if (value >= 100)
			*to++ = (char)('0' + value / 100);
		if (value >= 10)
			*to++ = (char)('0' + value / 10 % 10);
		*to++ = (char)('0' + value % 10);
		*to++ = part < 3 ? '.' : '\0';
	}
}

char *spimend_address_print(const struct spimend_address *address, char *to)
{
	strcpy(to, "?");
	if (address->family == 4)
		print_ipv4(address->bytes, to);
	else if (address->family == 6)
		inet_ntop(AF_INET6, address->bytes, to, SPIMEND_ADDRESS_TEXT_MAX);
	return to;
}

int spimend_address_compare(const struct spimend_address *a, const struct spimend_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

void spimend_address_set_bits(struct spimend_address *address, unsigned from, bool value)
{
	for (unsigned bit = from; bit < (address->family == 6 ? 128u : 32u); bit++) {
		uint8_t mask = (uint8_t)(0x80u >> bit % 8);

		address->bytes[bit / 8] = (uint8_t)(value ? address->bytes[bit / 8] | mask : address->bytes[bit / 8] & ~mask);
	}
}

bool spimend_address_equal(const struct spimend_address *a, const struct spimend_address *b)
{
	return spimend_address_compare(a, b) == 0;
}

const char *spimend_protocol_name(enum spimend_protocol protocol)
{
	switch (protocol) {
	case SPIMEND_PROTOCOL_ESP:
		return "esp";
	case SPIMEND_PROTOCOL_AH:
		return "ah";
	case SPIMEND_PROTOCOL_UNKNOWN:
		break;
	}
	return "unknown";
}

bool spimend_address_valid(const struct spimend_address *a)
{
	size_t used = a->family == 4 ? 4 : a->family == 6 ? 16 : 0;

	if (a->family != 0 && a->family != 4 && a->family != 6)
		return false;
	for (size_t i = used; i < sizeof(a->bytes); i++)
		if (a->bytes[i])
			return false;
	return true;
}
