/* SPDX-License-Identifier: MIT */
/*
 * An incident: all that belongs to one flow's trouble, as the judge sees it now. A view: the judge fills it, plan and
 * record read it, nobody keeps it. Every pointer is borrowed from the judge until its next call.
 */
#ifndef MODEL_INCIDENT_H
#define MODEL_INCIDENT_H

#include "model/fact.h"

enum verdict {
	VERDICT_UNDECIDED,
	VERDICT_TRANSIENT,
	VERDICT_DESYNC,
	VERDICT_NOISE,
	VERDICT_OTHER_FAULT,
};

/* What gave the verdict; the word is part of the JSON contract and of the man page. */
enum rule {
	RULE_LOG_REPEAT,       /* desync: same flow and SPI again after the dialect's gap (B7) */
	RULE_LOG_CLOSE_REPEAT, /* undecided: again, but sooner than that */
	RULE_LOG_ONCE_QUIET,   /* transient: once, and the observer logs on long enough (B6) */
	RULE_LOG_ONCE_SHORT,   /* undecided: once, and too little log after it */
	RULE_LOG_NO_TIME,      /* undecided: no usable times */
	RULE_SEQUENCE_STUCK,   /* undecided: repeated, but the sequence number does not rise */
	RULE_REKEY_OVERLAP,    /* transient: the logs show that the SPI died by rekey within the overlap (T1) */
	RULE_SA_TABLE,         /* desync: a saved SA table shows that receiver lacks what sender uses */
	RULE_SDWAN_CLEARED,    /* desync: a saved SA table shows a controller-keyed flow without SAs (B17) */
	RULE_STRANGER,         /* noise: the source is no known peer */
	RULE_MANY_SPIS,        /* noise: many SPIs from one source, none repeated */
	RULE_MANY_SOURCES,     /* noise: one SPI from many sources */
	RULE_FLOOD,            /* noise: many SPIs from many sources, none repeated */
	RULE_SA_FOUND,         /* other-fault: the message says that the SA was found (MAC, replay) */
	RULE_NO_SOURCE,        /* undecided: the message names no source or no SPI */
	/* Live, from packets, the ledger and the SAD (DESIGN.md 4). */
	RULE_LEDGER_DEAD,      /* desync: enough strays on an SPI of ours that is dead, above its highest sequence number */
	RULE_DATA_PLANE_LOST,  /* desync: the IKE daemon lists the SA, the data plane has it no more */
	RULE_TOO_FEW_STRAYS,   /* undecided: on an SPI of ours that is dead, but not enough yet */
	RULE_EARLY_USE,        /* transient: the SPI is being negotiated (T1b) */
	RULE_NOT_IN_LEDGER,    /* undecided: from a peer, with an SPI that we do not remember */
	RULE_SEQUENCE_REPLAYED, /* noise: at or below the highest sequence number that the SA had */
	RULE_STRAYS_ENDED,     /* transient: they ended before they proved anything */
	RULE_ONE_WAY,          /* undecided: packets go out on a child, none come in, where both went before */
	RULE_ENCAP_DIFFERS,    /* other-fault: the SA is there, with the other encapsulation (T9) */
	RULE_LOOKUP_KEY,       /* other-fault: the SA is there, under another mark or interface id (T18) */
	RULE_SA_REJECTS,       /* other-fault: the SA is there, and the kernel refuses its packets */
	RULE_PEER_CONFIRMED,   /* desync: the peer closed that SA at our DELETE, so it had it; we did not know it (B10) */
	/* Live, from what devices of the inventory print (devices.md 1). */
	RULE_TABLES_AGREE,     /* transient: receiver, sender and receiver again were read, and they agree */
	RULE_NOT_READ,         /* undecided: one end, or both, could not be read, or does not prove anything */
	/* From capture files. */
	RULE_SAD_LACKS,        /* desync: the receiver's table does not have the SA, and a live sender goes on with it */
	RULE_CAPTURE_FEW,      /* undecided: the same, but too few packets, or the capture ends too soon */
	RULE_CAPTURE_NEWBORN,  /* undecided: the SA began within the capture, and the table may be older */
	RULE_CAPTURE_REKEYED,  /* transient: the packets ended when the sender went over to a newer SA */
	RULE_CAPTURE_ONE_WAY,  /* undecided: packets one way only */
	RULE_CAPTURE_SPI_KEPT, /* undecided: the sender goes on with an SA after it began with a newer one */
	RULE_CAPTURE_NOTIFY,   /* undecided: an INVALID_SPI notify in clear */
	RULE_COUNT
};

enum cause { /* faults.md section c, in its order */
	CAUSE_UNKNOWN,
	CAUSE_REKEY_OVERLAP,
	CAUSE_EARLY_USE,
	CAUSE_REKEY_COLLISION,
	CAUSE_DELETE_LOST,
	CAUSE_RECEIVER_LOST_STATE,
	CAUSE_HA_FAILOVER,
	CAUSE_LIFETIME_MISMATCH_TIME,
	CAUSE_LIFETIME_MISMATCH_VOLUME,
	CAUSE_NAT_REBINDING,
	CAUSE_ENCAP_MISMATCH,
	CAUSE_NAT_PORT_COLLISION,
	CAUSE_CHILD_MISSING,
	CAUSE_DUPLICATE_IKE_SA,
	CAUSE_INITIAL_CONTACT_MISSING,
	CAUSE_IKEV1_DANGLING_CHILD,
	CAUSE_SPI_0XFF,
	CAUSE_SPI_COLLISION,
	CAUSE_WRONG_NODE,
	CAUSE_LOOKUP_KEY_MISMATCH,
	CAUSE_SCAN_OR_SPOOF,
	CAUSE_CONTROLLER_KEY_LAG,
	CAUSE_CLONED_PEER,
	CAUSE_UNILATERAL_DELETE,
	CAUSE_CONTROLLER_SA_CLEARED,
	CAUSE_COUNT
};

enum confidence {
	CONFIDENCE_NONE, /* null in JSON: the cause is unknown */
	CONFIDENCE_POSSIBLE,
	CONFIDENCE_LIKELY,
	CONFIDENCE_CERTAIN,
};

enum tunnel_kind { /* DESIGN.md 2, B12, B15 */
	TUNNEL_UNKNOWN,
	TUNNEL_STATIC_CRYPTO_MAP,
	TUNNEL_DYNAMIC_CRYPTO_MAP,
	TUNNEL_GRE_P2P,
	TUNNEL_MGRE_NHRP_STATIC,
	TUNNEL_MGRE_NHRP_DYNAMIC,
	TUNNEL_SVTI,
	TUNNEL_EZVPN_CLIENT,
	TUNNEL_SDWAN,
	TUNNEL_IKELESS,
	TUNNEL_KINDS
};

enum incident_state {
	STATE_OPEN,
	STATE_ACTING,
	STATE_HEALED,
	STATE_UNVERIFIED,
	STATE_GAVE_UP,
	STATE_CLOSED, /* transient and noise: nothing is left to do */
	STATE_AWAITING, /* a person's word on a step is asked for */
	INCIDENT_STATES
};

enum ownership { /* is a device ours to log in to? */
	OWNERSHIP_UNKNOWN,
	OWNERSHIP_OURS,
	OWNERSHIP_FOREIGN,
};

#define INCIDENT_EVIDENCE_MAX 16
#define INCIDENT_ID_MAX 8 /* with the terminating NUL */

struct evidence {
	bool has_at;
	struct instant at;
	enum fact_kind kind;
	struct text from; /* file name as given, and line: "hub.log:12" */
	struct text text; /* the message, joined, without line breaks; may be empty when the text store was full */
	bool other_end;   /* written by the sender's side */
	bool has_spi, has_spi_out; /* as in struct fact: the writer's inbound and outbound SPI that it names */
	struct spimend_spi spi, spi_out;
	enum fact_reason reason;   /* of a death */
	bool is_packet;   /* of a capture file: `from` has the packet's number, `text` is ours */
};

struct incident {
	char id[INCIDENT_ID_MAX]; /* stable hash of the flow and the first sighting */
	struct text observer; /* host name in the framing, else the destination address; empty when neither is known */
	struct spimend_address src, dst;
	bool has_spi;
	struct spimend_spi spi;
	enum spimend_protocol protocol;
	bool encap_udp;
	struct text interface; /* empty where unknown */
	enum tunnel_kind tunnel_kind;
	enum ownership src_owner, dst_owner;
	bool has_times;
	struct instant first_seen, last_seen;
	uint64_t messages;  /* log lines that stand for this incident, repeats counted, copies not */
	uint64_t copies;
	bool has_packets;   /* it was judged from a capture file: */
	uint64_t packets;   /* so many there */
	uint64_t spis, sources; /* aggregated noise: how many distinct; else 1 */
	enum fact_dialect dialect;
	enum fact_dialect daemon; /* strongSwan or Libreswan, where a kernel wrote the message and its log is there too */
	enum fact_kind kind;      /* what its messages say; FACT_NONE where it has none of its own */
	enum verdict verdict;
	enum rule rule;
	enum cause cause;
	enum confidence confidence;
	uint32_t flags; /* enum fact_flag */
	enum incident_state state;
	/* What the rule measured, for explanations. */
	int64_t gap_ns;       /* longest distance of two messages that count as a repeat; 0 when there is none */
	int64_t gap_needed_ns; /* what the dialect asks for */
	int64_t quiet_ns;     /* how long the observer logged on after the last message; 0 when not known */
	int64_t quiet_needed_ns;
	bool has_sa_lifetime;
	uint64_t sa_lifetime_s; /* left on the sender's SA when its table was saved */
	bool confirmed_at_sender;   /* a saved table of S lists the SPI as outbound */
	bool confirmed_at_receiver; /* a saved table of R lists other inbound SPIs for this peer, not this one */
	bool saw[FACT_KINDS]; /* which kinds of evidence are attached, kept or cut */
	const struct evidence *evidence;
	size_t evidence_count;
};

/* The words of an id: 7 characters that can be read over the phone. */
void incident_id_of(uint64_t hash, char ret[INCIDENT_ID_MAX]);

const char *verdict_name(enum verdict verdict);
const char *rule_name(enum rule rule);
const char *cause_name(enum cause cause);
const char *confidence_name(enum confidence confidence); /* NULL for CONFIDENCE_NONE */
const char *tunnel_kind_name(enum tunnel_kind kind);
const char *incident_state_name(enum incident_state state);
/* Reads a name of DESIGN.md 2; false when it is none. */
bool tunnel_kind_from_name(struct text name, enum tunnel_kind *ret);

#endif
