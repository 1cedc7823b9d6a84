/* SPDX-License-Identifier: MIT */
#include "plan/repair.h"

/* What a program can do no more about: somebody has to look. The others pass, or are meant to be so. */
static bool needs_person(enum repair_refusal why)
{
	switch (why) {
	case REFUSE_DYNAMIC:        /* the peer's own DPD, or a person at either end */
	case REFUSE_NOT_CONFIGURED:
	case REFUSE_NO_RECOVERY:
	case REFUSE_SEQUENCE:       /* what is harmless was tried, and no traffic came */
	case REFUSE_UNPROVEN:
	case REFUSE_EXHAUSTED:
	case REFUSE_NOT_OURS:
	case REFUSE_AMBIGUOUS:
		return true;
	default:
		return false;
	}
}

static struct repair_decision refuse(enum repair_refusal why)
{
	return (struct repair_decision){ .refusal = why, .needs_person = needs_person(why) };
}

enum handling { HANDLE_LADDER, HANDLE_IKE_ONLY, HANDLE_NEVER, HANDLE_NOT_HERE };

/* faults.md c, "auto", as far as this gateway's IKE daemon is the cure. */
static enum handling handling_of(enum cause cause)
{
	switch (cause) {
	case CAUSE_ENCAP_MISMATCH: /* T9: neither child nor IKE rekey helps */
		return HANDLE_IKE_ONLY;
	case CAUSE_REKEY_OVERLAP:
	case CAUSE_EARLY_USE:      /* T1b: a repair kills the good SA */
	case CAUSE_SCAN_OR_SPOOF:
		return HANDLE_NEVER;
	case CAUSE_NAT_REBINDING:
	case CAUSE_NAT_PORT_COLLISION:
	case CAUSE_SPI_0XFF:
	case CAUSE_SPI_COLLISION:
	case CAUSE_WRONG_NODE:
	case CAUSE_LOOKUP_KEY_MISMATCH:
	case CAUSE_CLONED_PEER:
	case CAUSE_CONTROLLER_KEY_LAG: /* there is no IKE */
	case CAUSE_CONTROLLER_SA_CLEARED:
		return HANDLE_NOT_HERE;
	default:
		return HANDLE_LADDER;
	}
}

static bool is_encap_mismatch(const struct repair_situation *s)
{
	return handling_of(s->cause) == HANDLE_IKE_ONLY && (s->verdict == VERDICT_DESYNC || s->verdict == VERDICT_OTHER_FAULT);
}

/* Where no IKE SA lives, and nothing of the tunnel is left here; to the peer that the ledger knows. */
static bool may_notify(const struct repair_situation *s)
{
	return s->may_notify && s->plugin_up && s->ledger_peer && s->notify_covered && !s->ike_alive && !s->child_listed &&
	       !s->successor && s->verdict == VERDICT_DESYNC && !is_encap_mismatch(s) && !s->is_suspicion;
}

/* One that the ledger knows, and no address of a connection or living IKE SA does any more, was a peer. */
static bool is_stranger(const struct repair_situation *s)
{
	return !s->known_peer && !(s->has_connection && s->dynamic_peer);
}

/* What forbids every rung, the weightiest first. */
static enum repair_refusal refusal_of_all(const struct repair_situation *s)
{
	if (is_stranger(s) && !may_notify(s))
		return REFUSE_STRANGER; /* faults.md f: nothing is ever sent to an address that is no peer of ours */
	if (!is_encap_mismatch(s)) {
		bool suspected = (s->is_suspicion || s->is_unknown) && s->verdict == VERDICT_UNDECIDED;

		if (s->verdict == VERDICT_OTHER_FAULT)
			return REFUSE_NOT_OURS;
		if ((s->verdict != VERDICT_DESYNC && !suspected) || handling_of(s->cause) == HANDLE_NEVER)
			return REFUSE_VERDICT;
		if (handling_of(s->cause) == HANDLE_NOT_HERE)
			return REFUSE_NOT_OURS;
	}
	if (s->peer_mode == PEER_IGNORE)
		return REFUSE_PEER_MODE;
	if (!s->daemon_up)
		return REFUSE_DAEMON_DOWN;
	if (s->successor && s->successor_works && !s->is_suspicion)
		return REFUSE_SUCCESSOR_WORKS; /* DESIGN.md 4: what goes on after that are replays */
	if (!s->known_peer && !may_notify(s))
		return REFUSE_DYNAMIC; /* B12 */
	return s->ike_busy ? REFUSE_BUSY : REFUSE_NONE;
}

static bool may_try(const struct repair_situation *s, enum repair_rung rung)
{
	uint32_t most = s->attempts ? s->attempts : 1;

	if (rung == RUNG_RESTART_IKE || rung == RUNG_INITIATE_IKE)
		most = REPAIR_IKE_ATTEMPTS;
	if (rung == RUNG_NOTIFY_SPI)
		most = REPAIR_NOTIFY_ATTEMPTS;
	if (rung == RUNG_REKEY_SUSPECT || rung == RUNG_ASK_PEER)
		most = 1; /* DESIGN.md 4 */
	if (rung == RUNG_INITIATE_CHILD && s->rebuild && most < REPAIR_REBUILD_ATTEMPTS)
		most = REPAIR_REBUILD_ATTEMPTS;
	return s->tried[rung] < most;
}

static uint32_t target_of(const struct repair_situation *s)
{
	return s->child_listed ? s->child_id : s->successor_id;
}

/* The rung, filled in. */
static struct repair_decision take(const struct repair_situation *s, enum repair_rung rung)
{
	struct repair_decision d = { .rung = rung, .ike_id = s->ike_id, .connection = s->connection, .blast_children = 1 };

	switch (rung) {
	case RUNG_REKEY_CHILD:
	case RUNG_REKEY_SUSPECT:
		d.first = ORDER_REKEY_CHILD;
		d.child_id = target_of(s);
		break;
	case RUNG_RESTART_CHILD:
		d.first = ORDER_TERMINATE_CHILD;
		/* An initiate beside a successor is refused as a duplicate (strongswan.md 4). */
		d.then = s->child_listed && s->successor ? ORDER_NONE : ORDER_INITIATE;
		d.child_id = target_of(s);
		break;
	case RUNG_INITIATE_CHILD:
		d.first = ORDER_INITIATE;
		break;
	case RUNG_NOTIFY_SPI:
		d.first = ORDER_NOTIFY_SPI;
		d.ike_id = 0;
		break;
	case RUNG_DELETE_SPI: /* what follows is decided when the peer has answered */
	case RUNG_ASK_PEER:
		d.first = ORDER_DELETE_SPI;
		break;
	case RUNG_RESTART_IKE:
		d.first = ORDER_TERMINATE_IKE;
		d.then = ORDER_INITIATE; /* a local terminate runs no close_action (strongswan.md 4) */
		d.opens_ike = true;
		d.blast_children = s->ike_children > 1 ? s->ike_children : 1;
		break;
	case RUNG_INITIATE_IKE:
		d.first = ORDER_INITIATE;
		d.ike_id = 0;
		d.opens_ike = true;
		break;
	case RUNG_INITIATE_SIBLING:
	case RUNG_NONE:
	case RUNGS:
		break;
	}
	return d;
}

/* Whether an initiate of the connection reaches that peer over its living IKE SA, and no other. */
static enum repair_refusal initiate_refusal(const struct repair_situation *s)
{
	if (!s->has_connection)
		return REFUSE_NOT_CONFIGURED;
	return s->dynamic_peer && !s->ike_sole ? REFUSE_AMBIGUOUS : REFUSE_NONE;
}

static struct repair_decision decide_restart_ike(const struct repair_situation *s)
{
	if (!may_try(s, RUNG_RESTART_IKE))
		return refuse(REFUSE_EXHAUSTED);
	if (!s->authenticated) {
		struct repair_decision d = refuse(REFUSE_UNPROVEN);

		/* Of an encapsulation mismatch the kernel's counters may tell in a moment; nothing else is worth trying till then. */
		d.needs_person &= !is_encap_mismatch(s);
		return d;
	}
	if (!s->sequence_passed && !is_encap_mismatch(s))
		return refuse(REFUSE_SEQUENCE);
	if (!s->has_connection)
		return refuse(REFUSE_NOT_CONFIGURED);
	if (s->dynamic_peer) /* B12: what was closed could not be opened again from here */
		return refuse(REFUSE_DYNAMIC);
	return take(s, RUNG_RESTART_IKE);
}

/* The IKE SA lives: something can be done over it. */
static struct repair_decision decide_over_ike(const struct repair_situation *s)
{
	bool has_child = s->child_listed || s->successor;
	enum repair_refusal initiate = initiate_refusal(s);

	/* RFC 7296 1.4.1: the clean repair. It harms nothing where the peer has no such SA, and it names the IKE SA by its id,
	 * which an initiate cannot. Where our daemon lists the child it would leave a zombie here (strongswan.md 4). */
	if (s->plugin_up && !s->spi_listed && !s->peer_closed && !s->rebuild && may_try(s, RUNG_DELETE_SPI))
		return take(s, RUNG_DELETE_SPI);
	if (!has_child && may_try(s, RUNG_INITIATE_CHILD))
		return initiate ? refuse(initiate) : take(s, RUNG_INITIATE_CHILD);
	if (has_child && may_try(s, RUNG_REKEY_CHILD))
		return take(s, RUNG_REKEY_CHILD);
	if (has_child && may_try(s, RUNG_RESTART_CHILD)) {
		bool initiates = take(s, RUNG_RESTART_CHILD).then == ORDER_INITIATE;

		/* Strays alone may be a recording: they take down no child that might work. One that the data plane has lost does not;
		 * that is told by the daemon and the kernel, not by strays. */
		if (!s->sequence_passed && !s->child_listed)
			return refuse(REFUSE_SEQUENCE);
		return initiates && initiate ? refuse(initiate) : take(s, RUNG_RESTART_CHILD);
	}
	return decide_restart_ike(s);
}

static struct repair_decision decide_new_ike(const struct repair_situation *s)
{
	struct repair_decision d;

	if (is_encap_mismatch(s) && !s->authenticated)
		return decide_restart_ike(s);
	if (!may_try(s, RUNG_INITIATE_IKE))
		return refuse(REFUSE_EXHAUSTED);
	if (!s->has_connection)
		return refuse(REFUSE_NOT_CONFIGURED);
	if (s->dynamic_peer)
		return refuse(REFUSE_DYNAMIC); /* B12 */
	/* INITIAL_CONTACT takes down whatever the peer has with us: with a child left of an IKE SA that is gone (T14) that might
	 * work still. With nothing left here, nothing can be harmed. */
	if ((s->child_listed || s->successor) && !s->sequence_passed && !is_encap_mismatch(s))
		return refuse(REFUSE_SEQUENCE);
	d = take(s, RUNG_INITIATE_IKE);
	/* B11 is about peers without an IKE SA: one that we closed ourselves is ours to open again. */
	if (!s->invalid_spi_recovery && s->tried[RUNG_RESTART_IKE] == 0) {
		d.refusal = REFUSE_NO_RECOVERY;
		d.needs_person = true;
	}
	return d;
}

/* Before a person has to be called: the peer can do what this end cannot, if it is told (RFC 7296 1.5). */
static struct repair_decision decide_without_ike(const struct repair_situation *s)
{
	struct repair_decision d = is_stranger(s) ? refuse(REFUSE_STRANGER) : decide_new_ike(s);
	bool stuck = d.refusal == REFUSE_STRANGER || d.refusal == REFUSE_DYNAMIC || d.refusal == REFUSE_NOT_CONFIGURED ||
		     d.refusal == REFUSE_NO_RECOVERY || d.refusal == REFUSE_EXHAUSTED;

	return stuck && may_notify(s) && may_try(s, RUNG_NOTIFY_SPI) ? take(s, RUNG_NOTIFY_SPI) : d;
}

/* B10, DESIGN.md 4: one question, which costs nothing when the SPI is forged. */
static struct repair_decision decide_unknown(const struct repair_situation *s)
{
	if (!s->plugin_up || !s->ike_alive || s->spi_listed)
		return refuse(REFUSE_VERDICT);
	return may_try(s, RUNG_ASK_PEER) ? take(s, RUNG_ASK_PEER) : refuse(REFUSE_ASKED);
}

static struct repair_decision decide_suspicion(const struct repair_situation *s)
{
	if (!s->child_listed)
		return refuse(REFUSE_VERDICT); /* what was suspected is gone */
	if (!s->ike_alive)
		return refuse(REFUSE_UNPROVEN);
	return may_try(s, RUNG_REKEY_SUSPECT) ? take(s, RUNG_REKEY_SUSPECT) : refuse(REFUSE_EXHAUSTED);
}

struct repair_decision repair_decide(const struct repair_situation *s)
{
	enum repair_refusal why = refusal_of_all(s);
	struct repair_decision d;

	if (why)
		return refuse(why);
	if (is_encap_mismatch(s))
		d = s->ike_alive ? decide_restart_ike(s) : decide_without_ike(s);
	else if (s->is_suspicion)
		d = decide_suspicion(s);
	else if (s->is_unknown && s->verdict == VERDICT_UNDECIDED)
		d = decide_unknown(s);
	else
		d = s->ike_alive ? decide_over_ike(s) : decide_without_ike(s);
	/* What our own DELETE took down is made again, whatever the mode says by now. */
	if (d.rung && !d.refusal && !(s->rebuild && d.rung == RUNG_INITIATE_CHILD)) {
		if (s->peer_mode == PEER_OBSERVE)
			d.refusal = REFUSE_PEER_MODE;
		else if (s->mode != MODE_REPAIR) /* DESIGN.md 1: a peer's `repair` does not lift the gateway's mode */
			d.refusal = REFUSE_MODE;
	}
	return d;
}

/* --- Names and sentences -------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *help;
} rungs[RUNGS] = {
	[RUNG_NONE] = { "none", "Nothing is done." },
	[RUNG_REKEY_CHILD] = { "rekey-child",
		"Rekey that one CHILD_SA over the living IKE SA; nothing else is touched, and no loss is expected." },
	[RUNG_RESTART_CHILD] = { "restart-child",
		"Terminate that one CHILD_SA and initiate it again; it is down for a round trip or two, its neighbours are not touched." },
	[RUNG_INITIATE_CHILD] = { "initiate-child",
		"Initiate the configured child over the living IKE SA; nothing else is touched. The peer may list the stale SA beside the "
		"new one until it expires." },
	[RUNG_RESTART_IKE] = { "restart-ike",
		"Terminate the IKE SA and initiate again: every child of that IKE SA goes down and has to come back." },
	[RUNG_INITIATE_IKE] = { "initiate-ike",
		"Initiate a new IKE SA to the configured peer; it tells the peer that all older SAs with us are gone." },
	[RUNG_REKEY_SUSPECT] = { "rekey-suspect",
		"Rekey the CHILD_SA that sends and receives nothing; it is a liveness check too, and nothing else is touched." },
	[RUNG_INITIATE_SIBLING] = { "initiate-sibling",
		"Initiate another child of the same peer, whose SAs went with the old IKE SA: part of the same repair." },
	[RUNG_DELETE_SPI] = { "delete-spi",
		"Send a DELETE for exactly that SPI over the living IKE SA: the peer closes the SA that it still sends with, and nothing else; "
		"then see whether it makes a new one, and initiate the configured child if it does not." },
	[RUNG_NOTIFY_SPI] = { "notify-spi",
		"Tell the peer by one unprotected INVALID_SPI that its SPI is unknown here; it sees whether this gateway is alive, and "
		"learns over that, by DPD or by crash detection, that the IKE SA is gone. Nothing is disturbed." },
	[RUNG_ASK_PEER] = { "ask-peer",
		"Send one DELETE for exactly that SPI over the living IKE SA: a peer that has it closes it and says so, which proves the desync; "
		"one that has not answers empty, which changes nothing." },
};

static const struct {
	const char *name, *help;
} refusals[REFUSALS] = {
	[REFUSE_NONE] = { "none", "Nothing stands against it." },
	[REFUSE_VERDICT] = { "verdict", "It is no desync, as far as the evidence goes." },
	[REFUSE_STRANGER] = { "stranger", "The source is no peer of ours: nothing is ever sent to a stranger." },
	[REFUSE_PEER_MODE] = { "peer-mode", "The configuration says that this peer is only observed, or ignored." },
	[REFUSE_MODE] = { "mode", "The gateway is not in mode repair: what would be done is only planned." },
	[REFUSE_DYNAMIC] = { "dynamic-peer",
		"The peer has no fixed address, so nothing can be started towards it from here; it has to notice by itself, by its DPD "
		"or by quick crash detection (RFC 6290) where both ends have that (B12)." },
	[REFUSE_NOT_CONFIGURED] = { "not-configured", "No configured connection leads to that peer." },
	[REFUSE_NO_RECOVERY] = { "no-recovery",
		"There is no IKE SA with the peer, and a new one needs 'crypto isakmp invalid-spi-recovery' (B11)." },
	[REFUSE_BUSY] = { "busy", "The IKE daemon is at work on that IKE SA: hands off until it is done." },
	[REFUSE_SEQUENCE] = { "sequence",
		"The highest sequence number of that SA is not known or not passed, and what is left to do would do harm to an SA that works." },
	[REFUSE_UNPROVEN] = { "unproven",
		"What is left would take down an IKE SA, and nothing but forgeable packets speaks for that." },
	[REFUSE_SUCCESSOR_WORKS] = { "successor-works",
		"Traffic is accepted on the successor: what still comes on the old SPI are leftovers or replays." },
	[REFUSE_EXHAUSTED] = { "exhausted", "All that may be tried was tried: a person is needed." },
	[REFUSE_DAEMON_DOWN] = { "daemon-down", "The IKE daemon does not answer." },
	[REFUSE_BUDGET] = { "budget", "Enough was done within the limits of the repair budget; it is tried again later." },
	[REFUSE_BACKOFF] = { "backoff", "The peer is given time after the latest attempt; it is tried again later." },
	[REFUSE_BREAKER] = { "breaker", "Many peers fell together, which has one cause: repairs go one by one." },
	[REFUSE_NOT_OURS] = { "not-ours", "This is another fault, which no step of this gateway repairs." },
	[REFUSE_AMBIGUOUS] = { "ambiguous",
		"Several peers share that configured connection, and the IKE daemon cannot be told with which of them to start." },
	[REFUSE_ASKED] = { "asked",
		"The peer was asked about that SPI and did not say that it has it; the packets may be forged, and nothing more is done." },
};

bool repair_notify_is_covered(uint8_t family, uint8_t protocol, bool encap_udp, uint64_t packets, uint32_t notices)
{
	uint64_t ip = family == 6 ? 40 : 20, udp = 8, marker = 4, notice = 28 + 12; /* IKE header, N(INVALID_SPI) */
	uint64_t stray = ip + (encap_udp ? udp : 0) + (protocol == SPIMEND_PROTOCOL_AH ? 12 : 8); /* up to its sequence number */

	return packets * stray >= notices * (ip + udp + (encap_udp ? marker : 0) + notice);
}

const char *repair_rung_name(enum repair_rung rung)
{
	return (unsigned)rung < RUNGS ? rungs[rung].name : "?";
}

const char *repair_rung_help(enum repair_rung rung)
{
	return (unsigned)rung < RUNGS ? rungs[rung].help : "?";
}

const char *repair_refusal_name(enum repair_refusal refusal)
{
	return (unsigned)refusal < REFUSALS ? refusals[refusal].name : "?";
}

const char *repair_refusal_help(enum repair_refusal refusal)
{
	return (unsigned)refusal < REFUSALS ? refusals[refusal].help : "?";
}
