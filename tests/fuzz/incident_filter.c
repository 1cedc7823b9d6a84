/* SPDX-License-Identifier: MIT */
/* libFuzzer: which incidents are asked for. A refusal says why in printable words; what is taken is in its range. */
#include <stdlib.h>

#include "parse/incident_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct instant now = { INT64_C(1795345200) * SECOND_NS };
	struct incident_filter f = { .limit = 77 };
	struct buffer why = { 0 };

	if (incident_filter_read((struct text){ (const char *)data, size }, now, size % 2, &f, &why) < 0) {
		must(why.len > 0 && f.limit == 77);
		for (size_t i = 0; i < why.len; i++)
			must(why.bytes[i] >= 0x20 && why.bytes[i] <= 0x7e);
	} else {
		must(f.limit <= INCIDENT_LIMIT_MAX && (size % 2 || f.by == GROUP_NONE) && f.by < INCIDENT_GROUPS);
		must(memchr(f.device, 0, sizeof(f.device)));
		must(!f.has_since || !f.has_until || f.since.ns <= f.until.ns);
	}
	buffer_done(&why);
	return 0;
}
