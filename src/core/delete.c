/* SPDX-License-Identifier: MIT */
/* What a peer says to a DELETE for an SPI that nobody lists here (RFC 7296 1.4.1), and what follows. */
#include "core/core_private.h"

/* A peer that makes a closed SA again by itself (close_action, a trap) sends its request with its answer to our DELETE. So
 * long, and longer where its answer took long, it is given the first word: two requests that cross leave two pairs. */
#define PEER_FIRST_NS (SECOND_NS / 200)
#define PEER_FIRST_MOST_NS (SECOND_NS / 2)
#define RETURN_NS SECOND_NS /* for act, or its connection to the daemon, to come back after an order was lost with it */
#define PEER_FIRST_V1_NS (SECOND_NS / 20) /* IKEv1 does not answer */

bool delete_proves(const struct order_result *result)
{
	return result->has_answer && result->answer == PLUGIN_PEER_OWNED;
}

bool delete_leaves_hole(const struct core_step *step)
{
	const struct order_result *r = &step->result;

	if (step->verb != ORDER_DELETE_SPI || !step->has_result)
		return false;
	return r->outcome == OUTCOME_UNKNOWN || r->outcome == OUTCOME_TIMEOUT
	       || (r->has_answer && (r->answer == PLUGIN_PEER_OWNED || r->answer == PLUGIN_SENT));
}

void delete_say(struct core *c, struct trouble *t, const struct order_result *result)
{
	static const char *const says[PLUGIN_OUTCOMES] = {
		[PLUGIN_PEER_HAD_NONE] = "the peer answered our DELETE empty: it has no such SA in that IKE SA, which proves nothing",
		[PLUGIN_SENT] = "our DELETE is out; IKEv1 acknowledges none",
		[PLUGIN_NO_REPLY] = "no reply to our DELETE: the exchange goes on, and the IKE daemon sends it again",
		[PLUGIN_WINDOW_TAKEN] = "the window was taken: another exchange of that IKE SA ran all the time, our DELETE was withdrawn",
		[PLUGIN_IKE_GONE] = "the IKE SA went away before our DELETE was answered",
		[PLUGIN_OURS] = "the IKE daemon has that SPI as its own inbound one: no DELETE was sent",
		[PLUGIN_UNSUPPORTED] = "no DELETE was sent: the IKE SA is not established",
	};
	const char *late = result->is_late ? "late: " : "";

	if (!result->has_answer)
		return;
	if (result->answer == PLUGIN_PEER_OWNED && result->has_peer_spi)
		trouble_evidence(c, t, FACT_SA_DIED, "%sthe peer had that SA and closed it at our DELETE, with its other half 0x%08x: "
				 "the desync is proven", late, result->peer_spi);
	else if (result->answer == PLUGIN_PEER_OWNED)
		trouble_evidence(c, t, FACT_SA_DIED, "%sthe peer had that SA and closed it at our DELETE: the desync is proven", late);
	else if (says[result->answer] && !(mend_is_busy(result) && t->busy_waits))
		trouble_evidence(c, t, FACT_NONE, "%s%s", late, says[result->answer]);
}

/* Of an SPI that the ledger does not know, only the one connection that leads to the peer can be made again. */
static bool is_only_connection(const struct core *c, const struct trouble *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->connection_table.count; i++) {
		const struct mirror_connection *connection = &c->connections[i];
		bool leads = false;

		for (uint32_t r = 0; connection->used && r < connection->is.remote_count && r < GATEWAY_REMOTES_MAX; r++)
			leads |= spimend_address_equal(&connection->is.remote[r], &t->is.src);
		n += leads;
	}
	return n == 1;
}

/* It had the SA: that is no suspicion any more. */
static void prove(struct core *c, struct trouble *t)
{
	t->proven = true;
	/* A late answer may find the next rung under way: what had to be made again still has to be. */
	t->rebuild |= t->is.rung == RUNG_DELETE_SPI || is_only_connection(c, t);
	if (t->is.verdict == VERDICT_DESYNC)
		return;
	t->is.verdict = VERDICT_DESYNC;
	t->is.rule = RULE_PEER_CONFIRMED;
	t->is.decided = c->now.wall;
	say_notice(c, 4, "%s: desync, SPI 0x%08x: the peer had it, the ledger does not know it", t->is.id, t->is.key.spi);
	budget_fell(c->budget, &t->is.src, c->now.mono_ns);
}

static int64_t peer_first(const struct order_result *result)
{
	if (result->has_answer && result->answer == PLUGIN_SENT)
		return PEER_FIRST_V1_NS;
	if (result->outcome == OUTCOME_UNKNOWN)
		return RETURN_NS;
	return later(PEER_FIRST_NS, earlier(result->took_ns / 4, PEER_FIRST_MOST_NS));
}

void delete_answered(struct core *c, struct trouble *t, const struct core_step *step)
{
	const struct order_result *result = &step->result;

	if (t->is.rung == RUNG_ASK_PEER && result->outcome == OUTCOME_DONE)
		plugin_answered(c, &t->is.src, delete_proves(result));
	if (delete_proves(result))
		prove(c, t);
	else if (t->is.verdict == VERDICT_DESYNC)
		t->rebuild |= delete_leaves_hole(step);
	/* No reply within act's wait may be two lost packets: no proof that the peer is dead. charon goes on to ask, and says. */
	mirror_want(c, t->is.daemon);
	if (delete_proves(result) && result->has_child) {
		/* The peer says that it closed the other half of an SA that we send with. Whether it did is seen by a rekey, which
		 * harms nothing when it did not (RFC 7296 2.25.1: CHILD_SA_NOT_FOUND makes it anew). */
		t->decided.child_id = result->child_id;
		mend_give_order(c, t, ORDER_REKEY_CHILD);
		return;
	}
	if (t->is.verdict != VERDICT_DESYNC) { /* asked, and nothing was proven */
		t->is.state = STATE_OPEN;
		t->phase = PHASE_WATCHING;
		return;
	}
	/* What it closed may have had a successor already, which it falls back to; and of an SPI that the ledger does not know
	 * nobody can say what is to be made again. */
	if (delete_leaves_hole(step) && (mend_successor(c, t) || !t->rebuild))
		mend_verify(c, t);
	else
		mend_wait_until(t, delete_leaves_hole(step) ? c->now.mono_ns + peer_first(result) : c->now.mono_ns);
}

/* The second result of an order that had ended without a reply. */
void delete_late(struct core *c, struct trouble *t, struct core_step *step, const struct order_result *result)
{
	delete_say(c, t, result);
	if (result->has_answer && (result->answer == PLUGIN_PEER_OWNED || result->answer == PLUGIN_PEER_HAD_NONE))
		t->peer_silent = false; /* whatever was silent before: it answers */
	if (!delete_proves(result))
		return;
	step->result.answer = result->answer;
	step->result.has_peer_spi = result->has_peer_spi;
	step->result.peer_spi = result->peer_spi;
	if (!trouble_is_open(t))
		return;
	prove(c, t);
	if (t->phase == PHASE_WAITING)
		t->due_ns = c->now.mono_ns + PEER_FIRST_NS;
}
