/* SPDX-License-Identifier: MIT */
/* libFuzzer: LLDP and CDP from any bytes; what is taken is valid, and read the same again. */
#include <stdlib.h>

#include "parse/neighbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void read_twice(bool cdp, struct text unit)
{
	static struct neighbor once, twice;
	char words[NEIGHBOR_LETTERS_MAX];
	enum neighbor_fate fate = cdp ? cdp_read(unit, &once) : lldp_read(unit, &once);

	must((unsigned)fate < NEIGHBOR_FATES);
	must((cdp ? cdp_read(unit, &twice) : lldp_read(unit, &twice)) == fate);
	if (fate != NEIGHBOR_TAKEN)
		return;
	must(neighbor_valid(&once) && once.dropped <= NEIGHBOR_TLVS_MAX);
	must(once.identity == twice.identity && once.content == twice.content && once.ttl == twice.ttl);
	neighbor_print_capabilities(cdp, once.enabled, words);
	must(strlen(words) < sizeof(words));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text unit = { (const char *)data + 1, size ? size - 1 : 0 };

	if (size)
		read_twice(data[0] & 1, unit);
	return 0;
}
