/* SPDX-License-Identifier: MIT */
/*
 * A fact: one thing that one message, or one saved device output, says.
 *
 * The parse rooms make facts, the judge weighs them. A fact is a claim by whoever wrote the log: forgeable, and never by
 * itself a reason to act. Presence is in `has`, never in magic values.
 */
#ifndef MODEL_FACT_H
#define MODEL_FACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h"
#include "base/text.h"
#include "spimend/address.h"

enum fact_kind {
	FACT_NONE,
	/* The fault itself: `src` sent a packet to `dst` with an SPI that dst has no SA for. */
	FACT_STRAY,
	/* Looks alike, is another fault: the SA was found. */
	FACT_INTEGRITY,   /* MAC or HMAC check failed */
	FACT_REPLAY,      /* replay window */
	FACT_NOT_IPSEC,   /* src sent in clear what dst expects encrypted */
	FACT_HARDWARE,    /* crypto engine error */
	FACT_SELECTOR,    /* inner packet does not match the SA */
	/* IKE state. `src` is the peer, `dst` the device that writes, each where known. */
	FACT_NO_IKE_SA,      /* IKE message from src has no SA at dst */
	FACT_NO_DELETE,      /* dst wanted to send src a DELETE for spi and has no IKE SA (B10 could not work) */
	FACT_DELETE_UNKNOWN, /* a DELETE arrived for an SPI that the writer does not own */
	FACT_INVALID_SPI_NOTIFY, /* an INVALID_SPI notify was sent or received */
	FACT_INVALID_SYNTAX, /* INVALID_SYNTAX notify (CSCvd40554 when it answers INVALID_SPI) */
	FACT_IKE_STARTED,    /* the IKE daemon or process came up */
	FACT_INITIAL_CONTACT, /* the peer restarted: INITIAL_CONTACT */
	FACT_DPD_DEAD,       /* peer given up by DPD or retransmission */
	FACT_SA_BORN,        /* spi_in and/or spi_out installed or negotiated */
	FACT_SA_DIED,        /* spi_in and/or spi_out deleted, closed or expired; see `reason` */
	FACT_REKEY,          /* a rekey started or finished */
	FACT_REKEY_COLLISION, /* TEMPORARY_FAILURE or a collision was named */
	FACT_KERNEL_LOST,    /* the daemon lists an SA that the kernel has not ("No such process") */
	FACT_CHILD_NOT_FOUND, /* CHILD_SA_NOT_FOUND: the peer lost the child */
	FACT_TUNNEL_UP,
	FACT_TUNNEL_DOWN,
	/* The surroundings. */
	FACT_LINE_UP,        /* line protocol of a tunnel interface */
	FACT_LINE_DOWN,
	FACT_NHRP_DOWN,      /* NHRP next hop lost; NBMA addresses in src and dst */
	FACT_BFD_DOWN,
	FACT_RESTART,        /* the device booted or was told to */
	FACT_CONFIGURED,     /* somebody changed the configuration */
	FACT_CLEARED,        /* somebody typed a crypto clear; src is the peer cleared, where named */
	FACT_APPLET,         /* an EEM applet wrote it: never a trigger (B22) */
	/* A saved `show crypto ipsec sa` block: local is dst, peer is src. */
	FACT_SA_TABLE,
	/* Of the stream, not of IPsec. */
	FACT_REPEATED,       /* "last message repeated N times": count */
	FACT_KINDS
};

/* Who writes like this: decides how often the same line may come at all (DESIGN 4, B3). */
enum fact_dialect {
	DIALECT_UNKNOWN,
	DIALECT_IOS,        /* IOS, IOS XE, PIX: one a minute */
	DIALECT_ASA,        /* ASA, FTD: one in 5 s */
	DIALECT_SCREENOS,   /* one in 10 s and tunnel */
	DIALECT_FORTIGATE,  /* sequence number printed */
	DIALECT_CHECKPOINT,
	DIALECT_VERSA,
	DIALECT_ZYXEL,
	DIALECT_NORTEL,
	DIALECT_LINUX_AUDIT, /* one a packet, sequence number printed */
	DIALECT_STRONGSWAN,
	DIALECT_LIBRESWAN,
	DIALECT_COUNT
};

enum fact_reason { /* why an SA died, where told */
	REASON_UNKNOWN,
	REASON_REKEYED,
	REASON_DELETED,
	REASON_EXPIRED,
	REASON_CLEARED, /* by a person or the configuration */
};

enum fact_has {
	FACT_HAS_SPI = 1 << 0,
	FACT_HAS_SEQUENCE = 1 << 1,
	FACT_HAS_SPI_OUT = 1 << 2, /* SA_BORN, SA_DIED, SA_TABLE: the writer's outbound SPI */
	FACT_HAS_COUNTERS = 1 << 3,
	FACT_HAS_LIFETIME = 1 << 4,
};

enum fact_flag { /* also the flags of an incident: flag_name() */
	FLAG_DECIMAL_DIFFERS = 1 << 0,  /* the printed decimal is not the printed hex; hex is taken */
	FLAG_ADDRESS_MASKED = 1 << 1,   /* an address was x.x.x.x, empty or otherwise no address */
	FLAG_CLOCK_UNSET = 1 << 2,      /* '*' before the time: the device's clock was not authoritative */
	FLAG_CLOCK_JUMPED = 1 << 3,     /* the observer's stamps went back within this incident */
	FLAG_NO_TIME = 1 << 4,          /* no usable time stamp */
	FLAG_SPI_SWAPPED = 1 << 5,      /* matched with its bytes reversed (CSCvx23833) */
	FLAG_SPI_0XFF = 1 << 6,         /* starts 0xff: CSCvp16730 */
	FLAG_SPI_LOW_ZERO = 1 << 7,     /* low 16 bits zero: seen in scans (C17) */
	FLAG_SPI_PRINTABLE = 1 << 8,    /* printable text as SPI: seen in scans (C17) */
	FLAG_SPI_RESERVED = 1 << 9,     /* 0 to 255 are never negotiated: RFC 4303 2.1 */
	FLAG_SPI_SMALL = 1 << 10,       /* below 4096: a counter or manual key; such SPIs recur */
	FLAG_MANY_SOURCES = 1 << 11,    /* other sources sent the same SPI */
	FLAG_MANY_PEERS = 1 << 12,      /* many peers fell at the same observer within minutes */
	FLAG_BOTH_DIRECTIONS = 1 << 13, /* the other direction of this pair has an incident too */
	FLAG_BOTH_ENDS = 1 << 14,       /* evidence from the logs of both ends */
	FLAG_COPIES = 1 << 15,          /* the same message stood in several places and counts once */
	FLAG_SEVERAL_OBSERVERS = 1 << 16, /* hosts of several names claim to have seen it */
	FLAG_NAT_T = 1 << 17,           /* ESP in UDP is named or implied */
	FLAG_EVIDENCE_CUT = 1 << 18,    /* more evidence than is kept */
	FLAG_FORGERY_SUSPECTED = 1 << 19, /* aggregated: many SPIs or many sources */
	FLAG_SEQUENCE_STUCK = 1 << 20,  /* the sequence number does not rise: replay or forgery */
	FLAG_COUNT_LAST = 20,
};

#define FACT_INTERFACE_MAX 32

struct fact {
	enum fact_kind kind;
	enum fact_dialect dialect;
	enum fact_reason reason;
	uint32_t has;   /* enum fact_has */
	uint32_t flags; /* enum fact_flag */
	enum spimend_protocol protocol;
	struct spimend_address src; /* S, the sender, or the peer; family 0 where unknown */
	struct spimend_address dst; /* R, the receiver, or the device that writes */
	struct spimend_spi spi;     /* SPI towards dst: the unknown one, or the writer's inbound one */
	struct spimend_spi spi_out; /* the writer's outbound SPI */
	uint64_t sequence;          /* ESP sequence number */
	uint64_t count;             /* 1, or N of "repeated N times" */
	uint64_t encaps, decaps;    /* FACT_HAS_COUNTERS */
	uint64_t lifetime_s;        /* FACT_HAS_LIFETIME: seconds left */
	bool controller_keyed;      /* SD-WAN or other controller: no IKE (devices.md 5) */
	bool encap_udp;
	char interface[FACT_INTERFACE_MAX]; /* NUL-terminated, empty where unknown */
};

/* Documented lower-case words for JSON and text; never NULL. */
const char *fact_kind_name(enum fact_kind kind);   /* what the evidence entry is called: "unknown-spi", "rekey", ... */
const char *fact_dialect_name(enum fact_dialect dialect);
const char *fact_flag_name(enum fact_flag flag);    /* exactly one flag */
const char *fact_flag_help(enum fact_flag flag);    /* one plain sentence */

/* A zeroed fact of that kind and dialect, count 1. */
struct fact fact_of(enum fact_kind kind, enum fact_dialect dialect);

/* Sets the flags that follow from the SPI's value alone. */
void fact_flag_spi(struct fact *f);

#endif
