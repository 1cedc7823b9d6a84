/* SPDX-License-Identifier: MIT */
#include "judge/judge_private.h"

bool judge_wants_to_hear(const struct judge *j, struct instant *ret_earliest)
{
	bool any = false;

	for (uint32_t i = 0; i < j->flows.count; i++) {
		const struct flow *f = &j->flows.pool[i];
		int64_t enough;

		if (!f->used || f->key.sa_found || !f->has_heard || !f->has_times)
			continue;
		if (verdict_quiet(j, f) >= j->settings.quiet_ns)
			continue;
		enough = f->heard.ns + j->settings.quiet_ns;
		if (!any || enough < ret_earliest->ns)
			ret_earliest->ns = enough;
		any = true;
	}
	return any;
}
