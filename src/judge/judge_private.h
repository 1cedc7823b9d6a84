/* SPDX-License-Identifier: MIT */
/* Shared by the judge's own files and by nobody else. */
#ifndef JUDGE_PRIVATE_H
#define JUDGE_PRIVATE_H

#include "base/intern.h"
#include "judge/flows.h"
#include "judge/judge.h"

#define CLAIM_TEXT_MAX 352 /* longer texts are cut; the file keeps them */
#define NAMES_MAX 65536    /* observers, interfaces, files together */
#define GROUP_SHOWN 8      /* flows whose first message an aggregated incident shows */
#define OWNERS_MAX 8192    /* which host owns which address; a power of two, filled to the half */

struct claim_text {
	uint16_t len;
	char bytes[CLAIM_TEXT_MAX];
};

struct place { /* where a claim stands */
	uint32_t source; /* interned file name */
	uint64_t line;
};

struct sighting { /* one message about a flow */
	bool used, has_at;
	struct instant at;
	struct place place;
	uint32_t writer; /* interned */
	struct claim_text text;
};

struct neighbour { /* one message beside it */
	struct fact fact;
	bool has_at, has_host;
	struct instant at;
	struct place place;
	uint32_t writer; /* interned host name or file */
	struct claim_text text;
};

struct stored_block {
	struct sa_block block;
	struct place place;
	bool told; /* by the last settlement: an incident says what this table shows */
};

struct observer {
	uint32_t name; /* interned; 0 is free */
	bool heard;
	struct instant last;
};

struct owner { /* an address that a named host writes as its own */
	uint32_t host;
	struct spimend_address address;
};

/* One incident after judge_settle(): a flow, or flows seen as one. */
struct case_file {
	uint32_t flow; /* FLOW_NONE for a saved table without messages, and for sums of evicted flows */
	uint32_t block; /* index + 1; for the former */
	uint32_t into;  /* index + 1 of the case that took this one in */
	bool aggregated;
	uint32_t number; /* of noise.c, while it counts */
	uint8_t evicted; /* enum evicted_kind + 1: these flows are in its sums */
	bool has_src, has_dst, has_spi;
	struct spimend_address src, dst;
	uint32_t spi;
	bool has_times;
	struct instant first, last;
	uint64_t messages, copies, spis, sources;
	uint64_t flows, low_zero, printable; /* aggregated: how many, and how many of them look like a scan's SPI */
	uint32_t shown[GROUP_SHOWN];         /* aggregated: flows + 1, the earliest first; 0 ends them */
	bool by_chance; /* two messages of a source that sends so many SPIs that some of them meet */
	enum verdict verdict;
	enum rule rule;
	enum cause cause;
	enum confidence confidence;
	uint32_t flags;
	enum tunnel_kind kind;
	int64_t gap_needed_ns, quiet_ns;
	bool has_lifetime;
	uint64_t lifetime_s;
	bool confirmed_sender, confirmed_receiver;
	uint64_t saw;        /* bit per fact_kind */
	uint64_t saw_before; /* the same: not later than its first message, or at an unknown time */
	uint32_t death;      /* neighbour + 1 that says that this SPI died at the receiver */
	bool has_neighbours, has_blocks;
	bool restarted;      /* the receiver restarted before the first message */
	bool is_born;        /* the logs show when this SPI was born at the receiver */
	struct instant restart, birth; /* the latest of each */
};

struct judge {
	struct judge_settings settings;
	struct hash_key key;
	struct intern names;
	struct flows flows;
	struct judge_counts counts;
	struct judge_peer *peers; /* owns */
	size_t peer_count;
	uint32_t *peer_slots; /* owns: a hash table; index + 1 */
	bool peer_prefixes[2][129]; /* lengths in use, IPv4 and IPv6 */
	struct sighting *sightings; /* owns: a pool */
	uint32_t *sightings_free;   /* owns */
	uint32_t sightings_free_count, sightings_count;
	struct neighbour *neighbours; /* owns: a ring */
	uint32_t neighbour_next, neighbour_count;
	struct stored_block *blocks; /* owns: a ring */
	uint32_t block_next, block_count;
	struct observer *observers; /* owns: by name id */
	struct owner *owners; /* owns: a hash table */
	uint32_t owner_count;
	bool *has_address; /* owns: by name id: this host named an address of its own */
	uint32_t writers; /* distinct hosts that wrote anything about IPsec */
	uint32_t first_writers[2];
	bool *is_writer;  /* owns: by name id */

	judge_breath_fn *breath;
	void *breath_context; /* borrows */
	uint32_t steps;       /* since the last breath */

	/* of the last settlement */
	struct case_file *cases; /* owns */
	size_t case_count, case_room;
	uint32_t *order; /* owns: of the cases; they are too large to be moved about */
	struct index *by_key; /* owns: neighbours by SPI, by address, by writer, each in order of time */
	size_t by_key_count;
	struct pair_index *by_pair; /* owns: saved tables by local and peer address, each in order of arrival */
	size_t by_pair_count;
	struct evidence shown[INCIDENT_EVIDENCE_MAX];
	char shown_from[INCIDENT_EVIDENCE_MAX][INTERN_TEXT_MAX + 24];
	char observer_text[SPIMEND_ADDRESS_TEXT_MAX];
};

/* A small step of a settlement. */
#define BREATH_STEPS 1024
static inline void breathe(struct judge *judge)
{
	if (++judge->steps < BREATH_STEPS)
		return;
	judge->steps = 0;
	if (judge->breath)
		judge->breath(judge->breath_context);
}

/* judge.c */
/* qsort(), with a breath now and then. */
void judge_sort(struct judge *judge, void *list, size_t n, size_t size, int (*compare)(const void *, const void *));
struct text claim_text(const struct claim_text *t);

/* peers.c */
const struct judge_peer *judge_peer_of(const struct judge *judge, const struct spimend_address *address);
bool judge_owns(const struct judge *judge, uint32_t host, const struct spimend_address *address, bool *ret_known);
void judge_learn_owner(struct judge *judge, uint32_t host, const struct spimend_address *address);

/* evidence.c: what belongs to an incident */
int evidence_index(struct judge *judge);
/* Sets saw, saw_before, death, restarted, has_neighbours, and what blocks_weigh() sets. */
void evidence_weigh(struct judge *judge, struct case_file *c);
/* A flow's earliest message whose text is kept; NULL where there is none. */
const struct sighting *evidence_first(const struct judge *judge, const struct flow *flow);
void evidence_show(struct judge *judge, const struct case_file *c, struct incident *ret); /* fills shown */

/* blocks.c: saved SA tables */
int evidence_index_blocks(struct judge *judge);
/* The saved tables of (local, peer) in order of arrival: calls `each` until it returns false. */
typedef bool blocks_each_fn(void *context, uint32_t block);
void blocks_of(const struct judge *judge, const struct spimend_address *local, const struct spimend_address *peer,
	       blocks_each_fn *each, void *context);
void blocks_weigh(struct judge *judge, struct case_file *c); /* sets confirmed_*, lifetime, kind, has_blocks */
/* The receiver's latest table of the flow shows it controller-keyed and without any SA (B17). */
bool blocks_were_cleared(struct judge *judge, const struct case_file *c);
/* Tables that show such a flow and that no incident told: an incident each, at the end of the cases. */
void blocks_add_cleared(struct judge *judge);

/* verdict.c: one flow at a time */
int64_t verdict_quiet(const struct judge *judge, const struct flow *flow); /* how long its observer logged on; 0: unknown */
void verdict_flow(struct judge *judge, uint32_t index, struct case_file *ret);
void verdict_cause(struct judge *judge, struct case_file *c);
/* noise.c: flows seen together */
int noise_gather(struct judge *judge);

#endif
