/* SPDX-License-Identifier: MIT */
#include "model/daemon_line.h"

#include <string.h>

#include "base/text.h"
#include "model/gateway.h"

bool daemon_line_valid(const struct daemon_line *line)
{
	uint8_t has_ike, is_cut;

	memcpy(&has_ike, &line->has_ike, 1);
	memcpy(&is_cut, &line->is_cut, 1);
	return line->daemon < GATEWAY_DAEMONS_MAX && has_ike <= 1 && is_cut <= 1 &&
	       text_is_string(line->group, sizeof(line->group)) && text_is_string(line->text, sizeof(line->text));
}
