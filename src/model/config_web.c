/* SPDX-License-Identifier: MIT */
#include "model/config_web.h"

#include <string.h>

bool web_address_is_loopback(const struct spimend_address *address)
{
	static const uint8_t six[16] = { [15] = 1 };

	if (address->family == 4)
		return address->bytes[0] == 127;
	return address->family == 6 && memcmp(address->bytes, six, sizeof(six)) == 0;
}

bool web_is_wanted(const struct config_web *web)
{
	return web->listener_count > 0;
}
