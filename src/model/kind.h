/* SPDX-License-Identifier: MIT */
/*
 * What is special about each tunnel kind: B12's matrix and the guards for tunnels without IKE. Pure.
 */
#ifndef MODEL_KIND_H
#define MODEL_KIND_H

#include "model/incident.h"

enum kind_recovery { /* does `crypto isakmp invalid-spi-recovery` help at R? (B12) */
	RECOVERY_YES,
	RECOVERY_NO,
	RECOVERY_NOT_APPLICABLE,
	RECOVERY_UNKNOWN,
};

enum kind_recovery kind_invalid_spi_recovery(enum tunnel_kind kind);
const char *kind_recovery_name(enum kind_recovery recovery); /* "yes", "no", "not-applicable", "unknown" */
/* False for sdwan and ikeless: nothing may be sent over IKE, no crypto clear may be typed (B15-B17). */
bool kind_has_ike(enum tunnel_kind kind);

enum kind_gre { GRE_DEVICE_UNKNOWN, GRE_DEVICE_POINT_TO_POINT, GRE_DEVICE_MULTIPOINT };
struct kind_facts { /* what a Linux gateway tells of a child: its IKE daemon's configuration, its SA, its devices */
	bool configured;       /* a connection is loaded that has this child */
	bool dynamic_peer;     /* struct connection */
	bool gre;              /* of the connection or of the SA */
	enum kind_gre device;
	bool virtual_address;  /* struct child_sa */
	bool route_based;      /* its SA has a mark or an interface id */
};
/* What cannot be told is TUNNEL_UNKNOWN. B12 asks whether the peer is known in advance, which here only the IKE daemon's
 * configuration answers: a peer without a fixed address is dynamic whatever device leads to it, and an NHRP mapping to one
 * whose address is configured is as good as static, whoever put it into the kernel's neighbour table. */
enum tunnel_kind kind_of_facts(const struct kind_facts *facts);
/* How that kind is told from the others, one plain sentence; of TUNNEL_UNKNOWN: what is missing. */
const char *kind_help(enum tunnel_kind kind);

/* From a log line's interface name alone (faults.md T20): five digits from 10000 after "Tunnel" are SD-WAN; any other
 * tunnel is open. Returns TUNNEL_SDWAN or TUNNEL_UNKNOWN. */
enum tunnel_kind kind_from_interface(struct text interface);
/* True for a tunnel interface whose kind is open: both plans are given, and the show that decides. */
bool kind_is_open_tunnel(struct text interface);

#endif
