/* SPDX-License-Identifier: MIT */
/* libFuzzer: what stands in front of a message, open and closed, and the mnemonic behind it. */
#include <stdlib.h>

#include "parse/framing.h"
#include "parse/mnemonic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_inside(struct text part, struct text whole)
{
	return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text line = { (const char *)data, size };
	struct mnemonic m;
	size_t from = 0;

	for (int closed = 0; closed < 2; closed++) {
		struct framing f;

		framing_read(line, closed, &f);
		must(f.used <= size && is_inside(f.host, line));
		must(f.has_outer || !f.has_inner);
		must(!f.is_continuation_shape || (f.host.len == 0 && !f.has_outer));
	}
	while (mnemonic_find(line, from, &m)) {
		must(m.at >= from && m.end > m.at && m.end <= size);
		must(line.at[m.at] == '%' && line.at[m.end - 1] == ':');
		must(m.facility.len && m.name.len && is_inside(m.facility, line) && is_inside(m.name, line));
		must(mnemonic_name_is(&m, m.name));
		from = m.end;
	}
	return 0;
}
