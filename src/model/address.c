/* SPDX-License-Identifier: MIT */
#include "spimend/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "spimend/error.h"

int spimend_address_parse(const char *text, size_t len, struct spimend_address *ret)
{
	char copy[SPIMEND_ADDRESS_TEXT_MAX];
	struct spimend_address address = { 0 };

	if (len == 0 || len >= sizeof(copy))
		return SPIMEND_E_SYNTAX;
	if (memchr(text, '\0', len))
		return SPIMEND_E_SYNTAX;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, address.bytes) == 1)
		address.family = 4;
	else if (inet_pton(AF_INET6, copy, address.bytes) == 1)
		address.family = 6;
	else
		return SPIMEND_E_SYNTAX;
	*ret = address;
	return 0;
}

char *spimend_address_print(const struct spimend_address *address, char *to)
{
	strcpy(to, "?");
	if (address->family == 4)
		inet_ntop(AF_INET, address->bytes, to, SPIMEND_ADDRESS_TEXT_MAX);
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
