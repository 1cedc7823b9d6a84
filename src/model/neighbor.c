/* SPDX-License-Identifier: MIT */
#include "model/neighbor.h"

#include <string.h>

#include "base/text.h"

const char *neighbor_change_name(enum neighbor_change change)
{
	return change == NEIGHBOR_ADD ? "add" : change == NEIGHBOR_UPDATE ? "update" : change == NEIGHBOR_DELETE ? "delete" : "?";
}

const char *neighbor_fate_name(enum neighbor_fate fate)
{
	static const char *const names[NEIGHBOR_FATES] = {
		"taken", "not-ours", "truncated", "order", "identity", "lifetime", "version", "checksum", "too-many", "limited",
		"not-told",
	};

	return (unsigned)fate < NEIGHBOR_FATES ? names[fate] : "?";
}

void neighbor_print_capabilities(bool is_cdp, uint32_t bits, char to[NEIGHBOR_LETTERS_MAX])
{
	/* 802.1AB table 8-4, in the letters of `show lldp neighbors`; CDP in the words of `show cdp neighbors detail` */
	static const char *const lldp[] = { "O", "P", "B", "W", "R", "T", "C", "S" };
	static const char *const cdp[] = { "Router", "Trans-Bridge", "Source-Route-Bridge", "Switch", "Host", "IGMP", "Repeater",
					   "Phone", "Remote" };
	const char *const *names = is_cdp ? cdp : lldp;
	size_t count = is_cdp ? sizeof(cdp) / sizeof(cdp[0]) : sizeof(lldp) / sizeof(lldp[0]), len = 0;

	to[0] = 0;
	for (size_t i = 0; i < count; i++) {
		if (!(bits >> i & 1))
			continue;
		if (len)
			len += text_copy(is_cdp ? TEXT(" ") : TEXT(","), to + len, NEIGHBOR_LETTERS_MAX - len);
		len += text_copy(text_of(names[i]), to + len, NEIGHBOR_LETTERS_MAX - len);
	}
}

static bool is_flag(const bool *flag)
{
	uint8_t byte;

	memcpy(&byte, flag, 1);
	return byte <= 1;
}

bool neighbor_valid(const struct neighbor *n)
{
	const char *const texts[] = { n->chassis, n->port, n->name, n->description, n->port_description, n->platform, n->domain };

	if (!is_flag(&n->is_cdp) || !is_flag(&n->has_management) || !text_is_string(n->interface, sizeof(n->interface)))
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!text_is_string(texts[i], NEIGHBOR_TEXT_MAX))
			return false;
	return n->has_management ? n->management.family == 4 || n->management.family == 6 : n->management.family == 0;
}

bool neighbor_valid_hearing(const struct neighbor_hearing *hearing)
{
	return text_is_string(hearing->interface, sizeof(hearing->interface)) && hearing->interface[0] &&
	       hearing->protocols <= (NEIGHBOR_HEAR_LLDP | NEIGHBOR_HEAR_CDP);
}
