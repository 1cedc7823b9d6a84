/* SPDX-License-Identifier: MIT */
/*
 * What the comparison of several devices' SA tables found: a view, as the judge gives it. Every pointer is borrowed from the
 * judge until it is freed.
 */
#ifndef MODEL_AUDIT_H
#define MODEL_AUDIT_H

#include "model/incident.h"
#include "model/saved.h"

enum audit_code {
	AUDIT_SA_MISSING,        /* S sends with an SPI that R has no inbound SA for */
	AUDIT_TABLES_DISAGREE,   /* nothing in common: a rekey between the readings looks the same */
	AUDIT_KERNEL_LOST,       /* the IKE daemon lists an SA that its own kernel has not */
	AUDIT_ENCAP_DIFFERS,     /* one end encapsulates in UDP, the other does not (T9) */
	AUDIT_ADDRESSES_DIFFER,  /* R has the SA, with another peer address (T8) */
	AUDIT_DUPLICATE_CHILD,   /* several children for one flow (T12) */
	AUDIT_LIFETIME_DIFFERS,  /* the ends do not agree on when it ends (T6) */
	AUDIT_VOLUME_EXHAUSTED,  /* no kilobytes are left, and no rekey came (T7) */
	AUDIT_IKE_ONE_SIDED,     /* an IKE SA that the other end has not */
	AUDIT_NO_IKE,            /* SAs without an IKE SA: nothing can carry a DELETE (T14) */
	AUDIT_SDWAN_SA_MISSING,  /* S uses an SPI that R's local SAs have not (T20) */
	AUDIT_SDWAN_KEY_DIFFERS, /* the SPI is right, the key's digest is another one */
	AUDIT_SDWAN_SA_CLEARED,  /* a controller-keyed flow without SAs (T23) */
	AUDIT_SDWAN_COPY_STALE,  /* the controller's copy names an SPI that R has no more */
	AUDIT_SDWAN_BFD_DOWN,
	AUDIT_SA_LEFTOVER,       /* inbound at R, and S does not use it: harmless */
	AUDIT_SA_UNUSED,         /* outbound at S, not in use, and R has it not */
	AUDIT_KERNEL_ONLY,       /* the kernel has it, the IKE daemon does not list it */
	AUDIT_FLOW_WITHOUT_SAS,  /* policy without SAs: idle, or broken (T11) */
	AUDIT_CODES
};

enum audit_severity { AUDIT_NOTE, AUDIT_WARNING, AUDIT_ERROR, AUDIT_SEVERITIES };

#define AUDIT_SAYS_MAX 160
#define AUDIT_EVIDENCE_MAX 6

enum audit_role { AUDIT_BOTH, AUDIT_SENDER, AUDIT_RECEIVER };

struct audit_evidence {
	const char *device, *file; /* borrow */
	uint32_t line;             /* 0: of the whole file */
	char says[AUDIT_SAYS_MAX];
};

struct audit_end {
	const char *device; /* borrows */
	enum audit_role role;
	struct spimend_address address; /* its own one; unknown where nothing told */
	enum sa_block_source source;
	uint32_t child_id, ike_id; /* strongSwan; 0: not told */
};

struct audit_finding {
	enum audit_code code;
	enum audit_severity severity;
	enum confidence confidence;
	enum cause cause;
	enum tunnel_kind kind;
	struct audit_end ends[2]; /* S first where there is a direction; [1].device NULL: it is about one device */
	bool has_spi, encap_udp, many; /* many: the receiver lacks what many peers use */
	struct spimend_spi spi;
	enum spimend_protocol protocol;
	uint8_t ike_version; /* of AUDIT_IKE_ONE_SIDED: 1 or 2 */
	uint32_t tunnel; /* findings of the same tunnel have the same number */
	struct audit_evidence evidence[AUDIT_EVIDENCE_MAX];
	size_t evidence_count;
};

struct audit_counts { /* nothing is passed over without being counted */
	uint64_t devices, outputs, flows, sas, ike_sas;
	uint64_t tunnels;         /* both ends were given and compared */
	uint64_t in_sync;         /* of these, without a finding */
	uint64_t other_end_absent; /* tunnels whose other end was not given */
	uint64_t not_covered;     /* SAs that the other end's saved tables do not speak of */
	uint64_t overlaps;        /* SAs of a rekey in progress */
	uint64_t left_alone;      /* flows with manual or group keys */
	uint64_t ambiguous;       /* flows behind NAT whose other end could not be told from others */
	uint64_t undirected;      /* states and IKE SAs that do not tell which end is which */
	uint64_t limit;           /* findings beyond the limit */
	uint64_t severity[AUDIT_SEVERITIES];
};

const char *audit_code_name(enum audit_code code);
const char *audit_severity_name(enum audit_severity severity);
const char *audit_role_name(enum audit_role role); /* NULL for AUDIT_BOTH */

#endif
