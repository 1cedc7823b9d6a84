/* SPDX-License-Identifier: MIT */
/*
 * What passes between spimend and its plugin inside charon (plugin/, doc/plugin-protocol.md): one flat struct for an order,
 * its result and a report, since they share their fields.
 *
 * Used by parse/plugin_message (the bytes), repair/plugin (the client), the plugin itself, and whoever judges a report.
 * Plain data of fixed size without pointers. A field counts only when its bit is in `present`: plugin_has(). Reports of
 * kinds that say so come from anybody on the network: hints, never a reason to act.
 */
#ifndef MODEL_PLUGIN_H
#define MODEL_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "spimend/address.h"

#define PLUGIN_TEXT_MAX 64        /* with its NUL; printable ASCII */
#define PLUGIN_WAIT_MS_MAX 30000  /* the longest that an order may wait for its turn and its answer together */

enum plugin_kind { /* on the wire */
	PLUGIN_NONE = 0,
	/* from spimend */
	PLUGIN_HELLO = 1,        /* first of all, and once; flags: PLUGIN_WANT_REPORTS, PLUGIN_REPORTS_ONLY, PLUGIN_CRASH_... */
	PLUGIN_DELETE = 2,       /* DELETE for spi over ike_id (B10) */
	PLUGIN_DROP_CHILD = 3,   /* our own CHILD_SA with ike_id, child_id and inbound spi goes; the peer is not told */
	PLUGIN_LIVENESS = 4,     /* IKEv2: an empty INFORMATIONAL; IKEv1: R-U-THERE (RFC 3706) */
	PLUGIN_INVALID_SPI = 5,  /* N(INVALID_SPI) for spi inside ike_id (RFC 7296 1.5) */
	PLUGIN_NOTIFY_OUTSIDE = 6, /* one unprotected N(INVALID_SPI) from local to remote, where no IKE SA lives (RFC 7296 1.5).
				    * With remote_port: the stray came in UDP, from there */
	/* answers: the serial is the order's */
	PLUGIN_WELCOME = 64,     /* text: charon's version; flags: PLUGIN_CRASH_ON: crash detection is on */
	PLUGIN_RESULT = 65,      /* one for each order */
	PLUGIN_LATE = 66,        /* after a PLUGIN_NO_REPLY: how it ended in the end */
	/* reports: the serial is 0 */
	PLUGIN_DELETE_RECEIVED = 128,     /* inside ike_id. spi: as the peer named it, its inbound and our outbound one.
					   * child_id and peer_spi (our inbound) only when we own it */
	PLUGIN_IKE_DELETE_RECEIVED = 129, /* the peer closes ike_id */
	PLUGIN_INVALID_SPI_INSIDE = 130,  /* the peer says, inside ike_id, that it does not know spi */
	PLUGIN_INVALID_SPI_OUTSIDE = 131, /* anybody says so, unprotected (RFC 7296 1.5): a hint */
	PLUGIN_INVALID_IKE_SPI = 132,     /* anybody says, unprotected, that it does not know that IKE SA: a hint */
	PLUGIN_UNKNOWN_IKE_SA = 133,      /* anybody sent a message for an IKE SA that we do not have: a hint */
	PLUGIN_CHILD_REKEYED = 134,       /* spi, peer_spi: of the old one; new_...: of its successor */
	PLUGIN_IKE_REKEYED = 135,
	PLUGIN_CHILD_DIED = 136,          /* spi, peer_spi: in and out; reason */
	PLUGIN_IKE_DIED = 137,            /* reason. Its children died with it and are reported as well */
	PLUGIN_LOST = 138,                /* count: reports that found no room since the last one of this kind */
	PLUGIN_CRASH_DETECTED = 139,      /* the peer proved by its token that it has lost ike_id, which is gone now (RFC 6290).
					   * flags: PLUGIN_ANEW */
	PLUGIN_TOKEN_REFUSED = 140,       /* anybody presented a token that is not the one of that IKE SA: nothing changed.
					   * flags: PLUGIN_SA_LIVES */
	PLUGIN_TOKEN_SENT = 141,          /* remote asked over an IKE SA that this end has lost, and was given its token */
};

enum plugin_flag {
	PLUGIN_WANT_REPORTS = 1, /* HELLO */
	PLUGIN_REPORTS_ONLY = 2, /* HELLO: whoever has this connection can give no order */
	PLUGIN_CRASH_ON = 4,     /* HELLO: quick crash detection (RFC 6290) on from now, also after restarts; WELCOME: it is */
	PLUGIN_CRASH_OFF = 8,    /* HELLO: off from now. Neither: as it was */
	PLUGIN_ANSWER = 1,       /* DELETE_RECEIVED: came in answer to a DELETE of ours */
	PLUGIN_PROTECTED = 2,    /* the message that was reported was protected by its IKE SA */
	PLUGIN_IN_USE = 4,       /* RESULT: peer_spi is what our child child_id still sends with */
	PLUGIN_ANEW = 1,         /* CRASH_DETECTED: charon negotiates its children anew */
	PLUGIN_SA_LIVES = 1,     /* TOKEN_REFUSED: we have that IKE SA, and another token of its peer */
};

enum plugin_outcome { /* on the wire */
	PLUGIN_PEER_OWNED,    /* DELETE: the peer had it and closed it; peer_spi: the other half of its pair, if it said so */
	PLUGIN_PEER_HAD_NONE, /* DELETE: answered, empty: the peer has no such outbound SA in that IKE SA */
	PLUGIN_DONE,          /* dropped; alive; notify acknowledged */
	PLUGIN_SENT,          /* IKEv1, which acknowledges neither DELETE nor notify: it is out, nothing more is known */
	PLUGIN_NO_REPLY,      /* sent, and not answered in time. The exchange goes on: a PLUGIN_LATE follows */
	PLUGIN_WINDOW_TAKEN,  /* never sent: another exchange held the window (RFC 7296 2.3) all the time. Withdrawn */
	PLUGIN_IKE_GONE,      /* no such IKE SA, or it went away while the order waited */
	PLUGIN_OURS,          /* DELETE: refused, this charon lists that SPI as its own inbound one */
	PLUGIN_NOT_FOUND,     /* DROP_CHILD: no child with all three numbers */
	PLUGIN_BUSY,          /* DROP_CHILD: refused while an exchange of its IKE SA runs */
	PLUGIN_UNSUPPORTED,   /* the IKE SA is not established, or the peer cannot do that */
	PLUGIN_LIMIT,         /* too many orders wait */
	PLUGIN_INVALID,       /* not an order; text says why */
	PLUGIN_DISCONNECTED,  /* never on the wire: the connection was lost first; whether it was done is not known */
	PLUGIN_OUTCOMES
};

enum plugin_reason { /* on the wire: why an SA died */
	PLUGIN_WHY_UNKNOWN,
	PLUGIN_WHY_PEER_DELETE,     /* the peer sent a DELETE */
	PLUGIN_WHY_OUR_DELETE,      /* this end closed it: by hand, by policy */
	PLUGIN_WHY_EXPIRED,         /* its hard lifetime ran out */
	PLUGIN_WHY_REKEYED,         /* its successor had taken over */
	PLUGIN_WHY_PEER_DEAD,       /* retransmissions were not answered */
	PLUGIN_WHY_INITIAL_CONTACT, /* replaced by a new IKE SA of the same peer */
	PLUGIN_WHY_IKE_DIED,        /* with its IKE SA, whose own report has the reason */
	PLUGIN_WHY_DROPPED,         /* PLUGIN_DROP_CHILD */
	PLUGIN_WHY_INSTALL,         /* it could not be installed in the kernel */
	PLUGIN_WHY_PEER_CRASHED,    /* the peer proved by its token that it has lost it (RFC 6290) */
	PLUGIN_REASONS
};

enum plugin_field { /* tags on the wire */
	PLUGIN_HAS_IKE_ID = 1, PLUGIN_HAS_CHILD_ID, PLUGIN_HAS_PROTOCOL, PLUGIN_HAS_SPI, PLUGIN_HAS_PEER_SPI, PLUGIN_HAS_WAIT_MS,
	PLUGIN_HAS_OUTCOME, PLUGIN_HAS_REASON, PLUGIN_HAS_TOOK_US, PLUGIN_HAS_NEW_IKE_ID, PLUGIN_HAS_NEW_CHILD_ID,
	PLUGIN_HAS_NEW_SPI, PLUGIN_HAS_NEW_PEER_SPI, PLUGIN_HAS_SPI_SIZE, PLUGIN_HAS_LOCAL, PLUGIN_HAS_REMOTE,
	PLUGIN_HAS_LOCAL_PORT, PLUGIN_HAS_REMOTE_PORT, PLUGIN_HAS_IKE_SPI_I, PLUGIN_HAS_IKE_SPI_R, PLUGIN_HAS_EXCHANGE,
	PLUGIN_HAS_FLAGS, PLUGIN_HAS_COUNT, PLUGIN_HAS_TEXT,
	PLUGIN_FIELDS
};

struct plugin_message {
	enum plugin_kind kind;
	uint32_t serial;
	uint32_t present;  /* bit per enum plugin_field */
	uint32_t ike_id, child_id, new_ike_id, new_child_id; /* charon's unique ids, as VICI's */
	uint8_t protocol;  /* 50 or 51 */
	uint8_t outcome, reason, spi_size, exchange, flags;
	uint16_t local_port, remote_port;
	uint32_t spi, peer_spi, new_spi, new_peer_spi; /* as in VICI: the number that is printed in hex */
	uint32_t wait_ms, took_us, count;
	uint64_t ike_spi_i, ike_spi_r;
	struct spimend_address local, remote;
	char text[PLUGIN_TEXT_MAX];
};

static inline bool plugin_has(const struct plugin_message *m, enum plugin_field field)
{
	return m->present >> field & 1;
}

const char *plugin_kind_name(enum plugin_kind kind);          /* "delete-received" ...; "unknown" */
const char *plugin_outcome_name(enum plugin_outcome outcome); /* "peer-owned" ... */
const char *plugin_reason_name(enum plugin_reason reason);    /* "peer-delete" ... */
/* What kind of message `kind` is. */
bool plugin_is_order(enum plugin_kind kind);
bool plugin_is_report(enum plugin_kind kind);
/* Every field in range, all that the kind needs, none that it may not have: to be asked of what came over a channel. */
bool plugin_valid(const struct plugin_message *m);

#endif
