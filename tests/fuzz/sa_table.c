/* SPDX-License-Identifier: MIT */
/* libFuzzer: any text, line by line, through the reader of saved `show crypto ipsec sa` output. */
#include <stdlib.h>

#include "parse/sa_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct sa_block *b)
{
	must(b->inbound_count <= SA_BLOCK_SPIS_MAX && b->outbound_count <= SA_BLOCK_SPIS_MAX);
	must(b->interface[FACT_INTERFACE_MAX - 1] == '\0' && b->map_tag[SA_BLOCK_TAG_MAX - 1] == '\0');
	must(b->peer.family != 0 || b->inbound_count || b->outbound_count);
	must(b->has_counters || (b->encaps == 0 && b->decaps == 0));
	must(b->has_lifetime || b->lifetime_s == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text t = { (const char *)data, size }, line;
	struct sa_table table = { 0 };
	struct sa_block block;

	while (text_take_line(&t, &line)) {
		bool inside = table.inside;
		enum sa_table_result result = sa_table_line(&table, line, &block);

		if (result == SA_TABLE_BLOCK)
			check(&block);
		/* Nobody is drawn in by a line that cannot start such output. */
		must(inside || !table.inside || sa_table_may_start(line));
	}
	if (sa_table_end(&table, &block))
		check(&block);
	return 0;
}
