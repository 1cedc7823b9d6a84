/* SPDX-License-Identifier: MIT */
/*
 * One flow of a saved `show crypto ipsec sa [peer A] [detail]`, or one CHILD_SA of `swanctl --list-sas`: what one device had
 * for one peer at that moment.
 */
#ifndef MODEL_SA_BLOCK_H
#define MODEL_SA_BLOCK_H

#include "model/fact.h"

#define SA_BLOCK_SPIS_MAX 8 /* per direction; more are counted, not kept */
#define SA_BLOCK_TAG_MAX 64

/* What a flow protects: address, prefix length, protocol (0: any) and port (0: any). */
struct sa_ident {
	bool known;
	struct spimend_address address;
	uint8_t prefix, protocol;
	uint16_t port;
};

enum sa_block_source { SA_BLOCK_CISCO, SA_BLOCK_ASA, SA_BLOCK_SWAN };

struct sa_block {
	enum sa_block_source source;
	struct spimend_address local; /* "local addr" or "local crypto endpt." */
	struct spimend_address peer;  /* current_peer, else "remote crypto endpt." */
	char interface[FACT_INTERFACE_MAX];
	char map_tag[SA_BLOCK_TAG_MAX];
	bool controller_keyed; /* devices.md 5: -vesen-head- in the tag, or the local ident's port is one of SD-WAN's */
	bool encap_udp;        /* UDP-Encaps transform, or current_peer on port 4500 */
	bool encap_told;       /* something told whether */
	bool whole;            /* its last heading was reached: what is not listed is not there */
	struct sa_ident local_ident, remote_ident;
	char child[SA_BLOCK_TAG_MAX]; /* strongSwan: the child's name, and its and its IKE SA's unique ids */
	uint32_t child_id, ike_id;
	bool settling;         /* strongSwan: being rekeyed, deleted or created at that moment */
	uint16_t peer_port;    /* 0: not told */
	uint32_t line, outbound_line, inbound_line; /* of the file, from 1 on; 0: none listed, or nobody counts */
	bool manual_or_group;  /* devices.md 4: manual or group keys: never clear, SPIs recur */
	bool has_counters;
	uint64_t encaps, decaps;
	bool has_lifetime;
	uint64_t lifetime_s; /* shortest time left over the outbound SAs */
	bool has_lifetime_kb;
	uint64_t lifetime_kb; /* least volume left over the outbound SAs, in kB */
	struct spimend_spi inbound[SA_BLOCK_SPIS_MAX];
	size_t inbound_count, inbound_dropped;
	struct spimend_spi outbound[SA_BLOCK_SPIS_MAX]; /* the first is the one in use */
	uint8_t inbound_ah, outbound_ah; /* bit per SPI: it is AH's, not ESP's */
	size_t outbound_count, outbound_dropped;
};

/* For one that another process sent. */
bool sa_block_valid(const struct sa_block *block);

#endif
