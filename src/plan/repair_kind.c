/* SPDX-License-Identifier: MIT */
#include "model/kind.h"
#include "plan/repair.h"

struct repair_answer repair_answer_of(enum tunnel_kind kind, bool has_connection, bool invalid_spi_recovery, bool plugin_up)
{
	struct repair_situation s = {
		.verdict = VERDICT_DESYNC, .cause = CAUSE_CHILD_MISSING, .mode = MODE_REPAIR, .daemon_up = true, .known_peer = true,
		.invalid_spi_recovery = invalid_spi_recovery, .has_connection = has_connection, .ike_sole = true, .plugin_up = plugin_up,
		/* kind_of_facts(): these kinds, and no others, are those whose peer no connection names */
		.dynamic_peer = kind_invalid_spi_recovery(kind) == RECOVERY_NO,
	};
	struct repair_answer answer;

	answer.without_ike = repair_decide(&s);
	s.ike_alive = true;
	answer.over_ike = repair_decide(&s);
	return answer;
}
