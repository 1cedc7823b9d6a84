/* SPDX-License-Identifier: MIT */
/* One tunnel's two ends while they are compared. Private to audit_tunnel.c, which gathers them, and audit_compare.c. */
#ifndef JUDGE_AUDIT_TUNNEL_H
#define JUDGE_AUDIT_TUNNEL_H

#include "judge/audit_private.h"

struct seen { /* one SA of one end, over all readings */
	uint32_t spi;
	uint8_t protocol;
	bool inbound, in_use;      /* in use: in the last reading that has it */
	bool settling;
	uint32_t first, last, times; /* outputs */
	uint32_t flow;             /* of the last one */
};

struct side {
	uint32_t device;
	uint32_t flows, flow_count; /* in order[] */
	struct seen *sas;           /* owns */
	uint32_t sa_count;
	uint32_t covered, first_cover, last_cover; /* outputs that speak of this tunnel */
	uint32_t last_of[3];        /* the last one of each sort */
	bool unproven;              /* something could not be read: absence proves nothing */
	bool manual, controller, encap, encap_told, settling;
	uint32_t any;               /* one of its flows; NONE: it has none */
	uint32_t fresh;             /* one of its last reading */
};

struct compare {
	struct sa_audit *a;
	uint32_t *order;    /* owns: numbers of flows by tunnel, then by device */
	uint32_t *lacking;  /* owns: by device: how many tunnels' SAs it lacks */
	struct side side[2];
	uint32_t tunnel;
	bool found;
	uint32_t findings;  /* of this tunnel */
	uint64_t work;      /* flows of this tunnel that were looked at to match its children */
	const struct seen *apart[2]; /* borrow: an SA of each side whose child the other side has with other SAs alone */
};

const struct seen *audit_look(const struct side *s, bool inbound, uint32_t spi, uint8_t protocol);
/* Which of side.last_of an output belongs to. */
int audit_sort_of(const struct compare *c, uint32_t output);
/* The device was read again since, and has this SA no more. */
bool audit_is_past(const struct compare *c, const struct side *s, const struct seen *x);
/* All comparisons of the two sides; makes findings. */
void audit_compare_sides(struct compare *c);

#endif
