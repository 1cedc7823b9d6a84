/* SPDX-License-Identifier: MIT */
/*
 * The flow table: one entry for each (source, destination, protocol, SPI) that somebody complained about. Bounded: when it
 * is full the oldest flow that proves nothing yet makes room, and a fingerprint of it stays, so that even in a flood of
 * forged SPIs the second message of a real flow is recognised. Private to the judge.
 */
#ifndef JUDGE_FLOWS_H
#define JUDGE_FLOWS_H

#include "judge/settings.h"
#include "base/hash.h"

#define FLOW_NONE UINT32_MAX
#define FLOW_SIGHTINGS 8 /* texts kept per flow: the first half and the latest half */

struct flow_key {
	struct spimend_address src, dst;
	uint8_t protocol;
	uint8_t has_spi;
	uint8_t sa_found; /* an integrity or replay complaint: another fault, another entry */
	uint8_t zero[3];
	uint32_t spi;
};

struct flow {
	struct flow_key key;
	uint64_t hash;
	bool used;
	bool has_times;
	bool has_sequence;
	bool encap_udp;
	bool several_observers;
	bool controller_keyed;
	uint8_t dialect;
	uint8_t found_kind; /* enum fact_kind of an other-fault flow */
	uint32_t flags;
	uint32_t observer;  /* interned name of the writer, or of its file */
	uint32_t interface; /* interned */
	bool has_host;      /* observer is a host's name */
	bool has_heard;
	struct instant first, last;      /* by the event's time */
	struct instant anchor;           /* earliest message of the current window of repeats */
	struct instant heard;            /* latest, on the log's clock */
	int64_t gap_ns;                  /* longest distance that counts as a repeat */
	uint64_t first_sequence, last_sequence; /* of the earliest and of the latest message */
	struct instant first_sequence_at, last_sequence_at;
	uint64_t messages, copies;
	uint32_t latest_source;          /* where the latest claim stood */
	struct instant latest;           /* and its time */
	bool jumped;                     /* back in that source: what is older lies at no known distance */
	uint8_t gaps;                    /* so many messages came a repeat's distance after the one before */
	struct instant gap_mark;         /* the latest of these */
	uint32_t sightings[FLOW_SIGHTINGS]; /* indices into the sighting pool + 1; 0 is none */
	uint32_t sighting_count;
	uint32_t older, newer; /* list of flows that may be evicted; FLOW_NONE at its ends */
	uint8_t tier;          /* enum flow_tier */
};

/* Who makes room first. */
enum flow_tier {
	TIER_STRANGER,  /* the peers are known, and its source is none of them: at most noise */
	TIER_UNPROVEN,  /* seen once, or only closer than a repeat has to be */
	TIERS_EVICTABLE,
	TIER_KEPT = TIERS_EVICTABLE, /* repeated: never evicted */
};

/* What became of a flow that made room. */
enum evicted_kind {
	EVICTED_FLOOD,  /* pushed out within the noise window: the table was filled that fast */
	EVICTED_CALM,   /* a single of long ago, in a long log */
	EVICTED_FOUND,  /* the SA was found: another fault */
	EVICTED_UNTOLD, /* without source or SPI */
	EVICTED_KINDS
};

#define EVICTED_SOURCES_MAX 4096 /* distinct sources of evicted flows that are counted, per kind */

struct evicted { /* one kind, in sum */
	uint64_t flows, messages;
	bool has_times, many_destinations, many_sources, many_spis;
	struct instant first, last;
	int64_t age_ns; /* the shortest time from a flow's last message to its eviction */
	struct spimend_address src, dst;
	uint32_t spi;
	uint64_t found_kinds; /* bit per enum fact_kind */
	uint64_t low_zero, printable; /* flows whose SPI looks like a scan's */
	uint32_t source_count; /* in `sources`; more than EVICTED_SOURCES_MAX are not counted */
};

struct flows_now { /* when a claim comes, on both clocks */
	bool has_at, has_heard;
	struct instant at, heard;
};

struct flows_place { /* what flows_get() found */
	uint32_t index; /* FLOW_NONE: there is no room */
	bool is_new;
	uint64_t hash; /* the flow's, known before it was found */
	bool has_before;       /* it was here, and made room */
	struct instant before; /* its last message then */
	uint64_t messages;     /* how many it is counted with: what it had is not remembered */
};

struct flows {
	struct hash_key key;
	uint32_t limit, count;
	int64_t calm_ns;     /* evicted later than this after its last message: no flood pushed it out */
	struct flow *pool;   /* owns */
	uint32_t *slots;     /* owns; flow index + 1 */
	uint32_t *free_list; /* owns */
	uint32_t free_count;
	size_t room;
	uint32_t oldest[TIERS_EVICTABLE], newest[TIERS_EVICTABLE];
	struct ghost {
		uint32_t fingerprint[2]; /* the lowest two bits of the second are its enum evicted_kind */
		uint32_t second; /* UNIX time of its last message, rounded up; 0 is free */
	} *ghosts; /* owns */
	size_t ghost_room;
	uint32_t *seen; /* owns: fingerprints of (flow, time): copies of one message */
	size_t seen_room;
	uint64_t forgotten, refused;
	struct evicted evicted[EVICTED_KINDS];
	struct evicted_source {
		uint64_t hash;  /* 0 is free */
		uint64_t flows; /* that are still evicted; 0 counts no more */
	} *sources; /* owns: EVICTED_KINDS hash sets */
};

int flows_init(struct flows *flows, const struct judge_settings *settings, const struct hash_key *key);
void flows_done(struct flows *flows);

/* Finds the entry or makes one in `tier`. `released` is called with a flow that is being evicted. */
typedef void flows_released_fn(void *context, struct flow *flow);
struct flows_place flows_get(struct flows *flows, const struct flow_key *key, const struct flows_now *now,
			     enum flow_tier tier, flows_released_fn *released, void *context);
uint32_t flows_find(const struct flows *flows, const struct flow_key *key);
/* The flow is worth keeping: never evicted. */
void flows_keep(struct flows *flows, uint32_t index);
/* Lets a flow go for good: nothing of it is remembered. */
void flows_drop(struct flows *flows, uint32_t index, flows_released_fn *released, void *context);
/* True when the same message with this time was here before; remembers it. */
bool flows_is_copy(struct flows *flows, uint64_t flow_hash, struct instant at, uint64_t sequence);
/* The hash of a source as it stands in the set of one kind, and that set: EVICTED_SOURCES_MAX * 2 places. */
uint64_t flows_source_hash(const struct flows *flows, const struct spimend_address *src);
const struct evicted_source *flows_evicted_sources(const struct flows *flows, enum evicted_kind kind);
/* How many flows of that source are evicted as one kind; 0 also where there was no room to count it. */
uint64_t flows_evicted_of(const struct flows *flows, enum evicted_kind kind, const struct spimend_address *src);
uint64_t flows_evicted(const struct flows *flows);

#endif
