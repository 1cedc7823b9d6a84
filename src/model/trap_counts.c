/* SPDX-License-Identifier: MIT */
#include "model/trap_counts.h"

#include <string.h>

const char *trap_fate_name(enum trap_fate fate)
{
	static const char *const names[TRAP_FATES] = {
		"taken", "wrong-source", "wrong-community", "wrong-user", "wrong-hash", "stale", "unreadable", "malformed",
		"other-version", "other-security", "no-trap", "too-long", "again", "asks-engine", "not-told",
	};

	return (unsigned)fate < TRAP_FATES ? names[fate] : "?";
}

bool trap_counts_valid(const struct trap_counts *counts)
{
	uint8_t listens;

	memcpy(&listens, &counts->listens, 1);
	return listens <= 1 && counts->refused_fate < TRAP_FATES && memchr(counts->refused_why, 0, sizeof(counts->refused_why)) &&
	       (counts->refused.family == 0 || counts->refused.family == 4 || counts->refused.family == 6);
}
