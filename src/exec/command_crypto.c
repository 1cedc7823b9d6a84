/* SPDX-License-Identifier: MIT */
/* Commands that change SAs. What they may do is decided behind the port: mode, guards and budgets. */
#include "base/memory.h"
#include "exec/private.h"

static void clear_peer(struct exec_call *call)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	struct spimend_address peer;

	if (!exec_address(call, &peer))
		return;
	if (call->port->clear_peer(call->port->context, &call->session->who, &peer, call->out, &why) < 0)
		exec_refuse(call, "%.*s", TEXT_ARG(buffer_text(&why)));
}

static void clear_counters(struct exec_call *call)
{
	call->port->clear_counters(call->port->context);
}

/* faults.md g, "Refused always". */
static void clear_all(struct exec_call *call)
{
	if (exec_argument(call, "LINE").len)
		exec_refuse(call, "refused: that ends an IKE SA and all that is under it; 'clear crypto sa peer ADDRESS' renews a peer's SAs "
				  "and leaves no moment without one");
	else
		exec_refuse(call, "refused: that would take the tunnels of all peers down; name one: 'clear crypto sa peer ADDRESS'");
}

const struct exec_command exec_crypto_rows[] = {
	{ "clear crypto sa peer ADDRESS", "new SAs with this peer, make before break", EXEC_PRIVILEGED, EXEC_CHANGES, clear_peer },
	{ "clear crypto sa counters", "count anew in what is shown", EXEC_PRIVILEGED, EXEC_CHANGES, clear_counters },
	{ "clear crypto sa", "all peers: refused", EXEC_PRIVILEGED, 0, clear_all },
	{ "clear crypto session [LINE]", "refused", EXEC_PRIVILEGED, 0, clear_all },
	{ "clear crypto isakmp [LINE]", "refused", EXEC_PRIVILEGED, 0, clear_all },
	{ "clear crypto ikev2 sa [LINE]", "refused", EXEC_PRIVILEGED, 0, clear_all },
};
const size_t exec_crypto_row_count = EXEC_COUNT(exec_crypto_rows);
