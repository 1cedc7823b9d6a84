/* SPDX-License-Identifier: MIT */
/* libFuzzer: time stamps and zones over any bytes. */
#include <stdlib.h>

#include "parse/stamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct stamp_rules rules = { .now = { INT64_C(1795334400) * SECOND_NS } };
	struct text t = { (const char *)data, size }, rest = t;
	struct stamp stamp;
	int minutes = 0;

	if (stamp_take(&rest, &stamp)) {
		struct instant at = { 4711 }, near, again;

		must(rest.at > t.at && rest.at + rest.len == t.at + t.len);
		must(stamp.civil.nanosecond >= 0 && stamp.civil.nanosecond < SECOND_NS);
		must(!stamp.is_uptime || !stamp.has_year);
		if (stamp_resolve(&stamp, &rules, NULL, &at) == 0) {
			must(!stamp.is_uptime);
			must(stamp.has_year || at.ns <= rules.now.ns + 2 * DAY_NS);
			/* An instant is the best neighbour of itself. */
			near = at;
			must(stamp_resolve(&stamp, &rules, &near, &again) == 0 && again.ns == at.ns);
		} else {
			must(at.ns == 4711);
		}
	} else {
		must(rest.at == t.at && rest.len == t.len);
	}
	rest = t;
	if (stamp_take_zone(&rest, &minutes))
		must(rest.len < t.len && minutes >= -18 * 60 && minutes <= 18 * 60);
	else
		must(rest.at == t.at && rest.len == t.len && minutes == 0);
	return 0;
}
