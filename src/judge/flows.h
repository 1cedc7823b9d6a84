/* SPDX-License-Identifier: MIT */
/*
 * The flow table: one entry for each (source, destination, protocol, SPI) that somebody complained about. Bounded: when it
 * is full the oldest flow seen only once makes room, and a fingerprint of it stays, so that even in a flood of forged
 * SPIs the second message of a real flow is recognised. Private to the judge.
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
	uint64_t first_sequence, last_sequence;
	uint64_t messages, copies;
	uint32_t sightings[FLOW_SIGHTINGS]; /* indices into the sighting pool + 1; 0 is none */
	uint32_t sighting_count;
	uint32_t older, newer; /* list of flows that may be evicted; FLOW_NONE at its ends */
	bool listed;
};

struct flow_floods { /* what was evicted, in sum */
	uint64_t flows, messages;
	bool has_times, many_destinations, many_sources;
	struct instant first, last;
	struct spimend_address src, dst;
};

struct flows {
	struct hash_key key;
	uint32_t limit, count;
	struct flow *pool;   /* owns */
	uint32_t *slots;     /* owns; flow index + 1 */
	uint32_t *free_list; /* owns */
	uint32_t free_count;
	size_t room;
	uint32_t oldest, newest; /* evictable flows */
	struct ghost {
		uint32_t fingerprint;
		uint32_t second; /* UNIX time of its last message, rounded up; 0 is free */
	} *ghosts; /* owns */
	size_t ghost_room;
	uint32_t *seen; /* owns: fingerprints of (flow, time): copies of one message */
	size_t seen_room;
	uint64_t evicted, forgotten, refused;
	struct flow_floods floods;
};

int flows_init(struct flows *flows, const struct judge_settings *settings, const struct hash_key *key);
void flows_done(struct flows *flows);

/* Finds or makes the entry; FLOW_NONE when there is no place. *ret_new says which; a new entry that was seen before its
 * eviction has *ret_before set to when. `released` is called with a flow that is being evicted. */
uint32_t flows_get(struct flows *flows, const struct flow_key *key, bool *ret_new, struct instant *ret_before,
		   bool *ret_has_before, void (*released)(void *context, struct flow *flow), void *context);
uint32_t flows_find(const struct flows *flows, const struct flow_key *key);
/* The flow is worth keeping: never evicted. */
void flows_keep(struct flows *flows, uint32_t index);
/* True when the same message with this time was here before; remembers it. */
bool flows_is_copy(struct flows *flows, const struct flow *flow, struct instant at, uint64_t sequence);

#endif
