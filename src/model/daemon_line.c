/* SPDX-License-Identifier: MIT */
#include "model/daemon_line.h"

#include <string.h>

#include "model/gateway.h"

static bool is_string(const char *at, size_t size)
{
	const char *end = memchr(at, 0, size);

	for (const char *c = at; end && c < end; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return end;
}

bool daemon_line_valid(const struct daemon_line *line)
{
	uint8_t has_ike, is_cut;

	memcpy(&has_ike, &line->has_ike, 1);
	memcpy(&is_cut, &line->is_cut, 1);
	return line->daemon < GATEWAY_DAEMONS_MAX && has_ike <= 1 && is_cut <= 1 && is_string(line->group, sizeof(line->group)) &&
	       is_string(line->text, sizeof(line->text));
}
