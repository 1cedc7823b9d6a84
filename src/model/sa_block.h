/* SPDX-License-Identifier: MIT */
/*
 * One flow of a saved `show crypto ipsec sa [peer A] [detail]`: what one device had for one peer at that moment.
 */
#ifndef MODEL_SA_BLOCK_H
#define MODEL_SA_BLOCK_H

#include "model/fact.h"

#define SA_BLOCK_SPIS_MAX 8 /* per direction; more are counted, not kept */
#define SA_BLOCK_TAG_MAX 64

struct sa_block {
	struct spimend_address local; /* "local addr" or "local crypto endpt." */
	struct spimend_address peer;  /* current_peer, else "remote crypto endpt." */
	char interface[FACT_INTERFACE_MAX];
	char map_tag[SA_BLOCK_TAG_MAX];
	bool controller_keyed; /* devices.md 5: -vesen-head- in the tag, or the local ident's port is one of SD-WAN's */
	bool encap_udp;        /* UDP-Encaps transform, or current_peer on port 4500 */
	bool manual_or_group;  /* devices.md 4: manual or group keys: never clear, SPIs recur */
	bool has_counters;
	uint64_t encaps, decaps;
	bool has_lifetime;
	uint64_t lifetime_s; /* shortest time left over the outbound SAs */
	struct spimend_spi inbound[SA_BLOCK_SPIS_MAX];
	size_t inbound_count, inbound_dropped;
	struct spimend_spi outbound[SA_BLOCK_SPIS_MAX];
	size_t outbound_count, outbound_dropped;
};

#endif
