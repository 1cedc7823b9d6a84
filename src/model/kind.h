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
/* False for sdwan and ikeless: nothing may be sent over IKE, no crypto clear may be typed (B15-B17). */
bool kind_has_ike(enum tunnel_kind kind);

/* From a log line's interface name alone (faults.md T20): five digits from 10000 after "Tunnel" are SD-WAN; any other
 * tunnel is open. Returns TUNNEL_SDWAN or TUNNEL_UNKNOWN. */
enum tunnel_kind kind_from_interface(struct text interface);
/* True for a tunnel interface whose kind is open: both plans are given, and the show that decides. */
bool kind_is_open_tunnel(struct text interface);

#endif
