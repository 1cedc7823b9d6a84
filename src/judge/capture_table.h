/* SPDX-License-Identifier: MIT */
/*
 * What the receiver of captured packets had at that time: its inbound SAs, its addresses and its peers, from saved outputs
 * (`swanctl --list-sas`, `ip xfrm state`, `show crypto ipsec sa`, with what tells its IKE SAs). Private to the judge.
 */
#ifndef JUDGE_CAPTURE_TABLE_H
#define JUDGE_CAPTURE_TABLE_H

#include "base/slots.h"
#include "base/hash.h"
#include "model/saved.h"

#define CAPTURE_SAS_MAX (1u << 20)
#define CAPTURE_HOSTS_MAX (1u << 17)

struct capture_sa { /* inbound where dst is the receiver's own, else outbound */
	struct spimend_address dst;
	uint8_t protocol;
	bool encap_told, encap_udp;
	uint32_t spi;
	uint32_t line;
};

struct capture_host { /* an address of the table: the receiver's own, or a peer's */
	struct spimend_address address;
	bool is_local;
	bool is_peer;
	bool controller_keyed, manual_or_group;
	bool asked;    /* an output was limited to this peer */
	bool settling; /* a rekey was under way */
	bool is_cut;   /* its list of SAs is not whole */
	uint32_t inbound;  /* SAs from it */
	uint32_t ike_up;
	uint32_t line;
};

struct capture_table {
	struct hash_key key;
	struct capture_sa *sas; /* owns */
	uint32_t sa_count, sa_room;
	struct slots by_sa;
	struct capture_host *hosts; /* owns */
	uint32_t host_count, host_room;
	struct slots by_host;
	struct saved_state *states; /* owns: of ip xfrm state */
	uint32_t state_count, state_room;
	bool has_locals;
	bool is_cut;        /* an output ended in the middle */
	bool has_ike;       /* an output that lists IKE SAs was there: what is not listed is not there */
	bool has_tables;    /* an output that lists SAs was there */
	bool has_all;       /* and one was not limited to a peer */
	enum fact_dialect dialect; /* who printed it */
	bool is_linux;
	uint64_t refused;   /* SAs beyond the limits */
};

int capture_table_init(struct capture_table *table, const struct hash_key *key);
void capture_table_done(struct capture_table *table);
/* 0 or -ENOMEM. */
int capture_table_begin(struct capture_table *table, enum saved_output output, const struct saved_filter *filter);
/* 0 or -ENOMEM. */
int capture_table_add(struct capture_table *table, const struct saved_record *record);
void capture_table_end(struct capture_table *table, bool cut);
/* An address of the receiver, as a person said it. */
int capture_table_own(struct capture_table *table, const struct spimend_address *address);
/* Everything was added: finds out which addresses are the receiver's. 0, -ENOMEM, or -ENODATA where nothing tells. */
int capture_table_finish(struct capture_table *table);

/* Are the SAs from that peer among what was printed, where there are any? */
bool capture_table_covers(const struct capture_table *table, const struct spimend_address *peer);
bool capture_table_is_local(const struct capture_table *table, const struct spimend_address *address);
/* NULL: the table does not know it. */
const struct capture_host *capture_table_peer(const struct capture_table *table, const struct spimend_address *address);
const struct capture_sa *capture_table_find(const struct capture_table *table, const struct spimend_address *dst,
					    uint8_t protocol, uint32_t spi);

#endif
