/* SPDX-License-Identifier: MIT */
/*
 * The repair ladder of a strongSwan gateway (faults.md g): from what is known about one incident to the one next thing to
 * do, or to the reason why nothing may be done. Pure; decides for one moment and remembers nothing: the caller tells what
 * was tried already.
 */
#ifndef PLAN_REPAIR_H
#define PLAN_REPAIR_H

#include "model/config.h"
#include "model/gateway.h"
#include "model/incident.h"

enum repair_rung { /* faults.md g, "strongSwan gateway"; narrowest first */
	RUNG_NONE,
	RUNG_REKEY_CHILD,      /* 3a: the daemon lists the child, the data plane has it not; or T2: the successor carries nothing */
	RUNG_RESTART_CHILD,    /* 3a, second: terminate that child, then initiate it */
	RUNG_INITIATE_CHILD,   /* 3c: nobody lists it; over the living IKE SA */
	RUNG_RESTART_IKE,      /* 4: terminate the IKE SA and initiate: every child of it */
	RUNG_INITIATE_IKE,     /* 5: no IKE SA: a new one to a static peer (B11) */
	RUNG_REKEY_SUSPECT,    /* the sending end's suspicion: one rekey of that child, which is a liveness check too */
	RUNG_INITIATE_SIBLING, /* after 4 or 5: another child of the peer that went with the old IKE SA. Decided by the caller */
	RUNG_DELETE_SPI,       /* 3b: nobody here lists it, the plugin is there: DELETE for it over the living IKE SA */
	RUNG_NOTIFY_SPI,       /* 6: no IKE SA, and none can be made from here: one unprotected INVALID_SPI (RFC 7296 1.5) */
	RUNG_ASK_PEER,         /* as DELETE_SPI, for an SPI that the ledger does not know (B10): an answer that is not empty
				* proves it */
	RUNGS
};

enum repair_refusal { /* why nothing is done now */
	REFUSE_NONE,
	REFUSE_VERDICT,        /* not a desync (transient, noise, undecided) */
	REFUSE_STRANGER,       /* the source is no peer of ours */
	REFUSE_PEER_MODE,      /* peer ignore|observe */
	REFUSE_MODE,           /* the gateway's mode is not repair: planned only */
	REFUSE_DYNAMIC,        /* no IKE SA, and the peer has no fixed address (B12) */
	REFUSE_NOT_CONFIGURED, /* no connection leads to that peer */
	REFUSE_NO_RECOVERY,    /* a new IKE SA needs crypto isakmp invalid-spi-recovery (B11) */
	REFUSE_BUSY,           /* an IKE task is active: hands off */
	REFUSE_SEQUENCE,       /* the highest sequence number is unknown or not passed, and the rung is not harmless when wrong */
	REFUSE_UNPROVEN,       /* touching an IKE SA needs authenticated evidence */
	REFUSE_SUCCESSOR_WORKS, /* traffic is accepted on the successor: strays are leftovers or replays */
	REFUSE_EXHAUSTED,      /* all rungs were tried: a person is needed */
	REFUSE_DAEMON_DOWN,
	REFUSE_BUDGET, REFUSE_BACKOFF, REFUSE_BREAKER, /* set by the caller, from plan/budget */
	REFUSE_NOT_OURS,       /* another fault: nothing here repairs it */
	REFUSE_AMBIGUOUS,      /* an initiate might go to another peer: several IKE SAs share the configured connection */
	REFUSE_ASKED,          /* the peer was asked about an SPI that the ledger does not know, and said nothing that proves it */
	REFUSALS
};

#define REPAIR_IKE_ATTEMPTS 2 /* faults.md g: after rung 4 failed twice, stop and call a person */
#define REPAIR_REBUILD_ATTEMPTS 3 /* of an initiate, where our own DELETE took the peer's half down */
#define REPAIR_NOTIFY_ATTEMPTS 3  /* it may be lost on the way, and nobody answers it */

struct repair_situation {
	enum verdict verdict;
	enum cause cause;
	enum mode mode;
	enum peer_mode peer_mode;
	bool is_suspicion;
	bool daemon_up;
	bool known_peer;            /* configured with a fixed address, or holds a live IKE SA */
	bool invalid_spi_recovery;
	bool has_connection;        /* which configured child it is */
	bool dynamic_peer;
	uint64_t connection;
	bool ike_alive;             /* an established IKE SA with the peer, that carries or would carry the connection */
	uint32_t ike_id;
	bool ike_sole;              /* no other IKE SA of that configured connection: VICI's initiate takes no IKE SA's id, and
				     * uses the first that fits. Asked of dynamic peers alone: a fixed address is one peer */
	uint32_t ike_children;      /* children on it: the blast radius of RUNG_RESTART_IKE */
	bool ike_busy;
	bool child_listed;          /* the daemon lists the child of the stray SPI still */
	uint32_t child_id;
	bool successor;             /* another installed child of the connection */
	uint32_t successor_id;
	bool successor_works;       /* authenticated packets came in on it since it was installed */
	bool sequence_passed;       /* strays are above the highest number known on that SA */
	bool authenticated;         /* evidence that is not forgeable says the peer's state is wrong: dead liveness, its own delete
				     * answered, state mismatch counters of the kernel with frozen in-counters */
	bool plugin_up;             /* orders for the IKE daemon's plugin are taken */
	bool spi_listed;            /* the stray SPI is a child's, in whatever state: the peer is not told to close what is ours */
	bool is_unknown;            /* the ledger does not know it, enough strays came, and it is not being negotiated */
	bool peer_closed;           /* the peer said that it had that SA, and closed it */
	bool rebuild;               /* the peer closed its half because we said so: what is left of the tunnel has to be made
				     * again, whether or not strays come */
	bool ledger_peer;           /* the source is whom the ledger says that this SPI was made for */
	bool may_notify;            /* 'notify invalid-spi' is configured */
	bool notify_covered;        /* more bytes came on that flow than have been and would be sent because of it */
	uint32_t tried[RUNGS];      /* how often each rung was tried in this incident */
	uint32_t attempts;          /* how often each may be: struct config.step_attempts; 0 counts as 1. Those that make an IKE SA:
				     * REPAIR_IKE_ATTEMPTS, the suspicion's: once */
};

struct repair_decision {
	enum repair_rung rung;       /* RUNG_NONE: nothing */
	enum repair_refusal refusal; /* why not, or why the rung is planned only (mode, budget) */
	enum order_verb first, then; /* ORDER_NONE: nothing */
	uint32_t ike_id, child_id;
	uint64_t connection;
	bool opens_ike;              /* may create an IKE SA: counted by the initiation back-off */
	bool needs_person;           /* nothing more that a program should do */
	uint32_t blast_children;     /* children that it disturbs, the one that is broken included */
};

/* The next rung. With refusal REFUSE_MODE, REFUSE_PEER_MODE (observe) or REFUSE_NO_RECOVERY the rung is filled in all the
 * same, with its verbs: what would be done, for the plan that people read. Only with REFUSE_NONE may it be done. */
struct repair_decision repair_decide(const struct repair_situation *situation);

/* What is decided of a plain desync of that kind of tunnel in mode repair: the first rung over a living IKE SA with the
 * sender, and with none left. That is this gateway's answer to B12. */
struct repair_answer {
	struct repair_decision over_ike, without_ike;
};
struct repair_answer repair_answer_of(enum tunnel_kind kind, bool has_connection, bool invalid_spi_recovery, bool plugin_up);

/* Whether `packets` strays, of which nothing but their headers is known, had at least as many bytes as `notices` unprotected
 * INVALID_SPIs to where they came from: IP, UDP and all (faults.md f: nothing is amplified). */
bool repair_notify_is_covered(uint8_t family, uint8_t protocol, bool encap_udp, uint64_t packets, uint32_t notices);

const char *repair_rung_name(enum repair_rung rung);          /* "rekey-child" ... */
const char *repair_refusal_name(enum repair_refusal refusal); /* "busy" ... */
/* One plain sentence each: what the rung does, what else it disturbs; why nothing is done. */
const char *repair_rung_help(enum repair_rung rung);
const char *repair_refusal_help(enum repair_refusal refusal);

#endif
