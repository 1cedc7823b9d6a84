/* SPDX-License-Identifier: MIT */
/*
 * The ledger: the history of our own inbound SPIs. Who had it, when it was born, when and why it died, and the highest
 * sequence number seen on it. The receiver picks its SPIs, so "did we ever hand out X, to whom, and what became of it?" is
 * the best classifier of a stray and the best test against forgery.
 *
 * Called by core; restored from and mirrored to the store by whoever owns one. Pure and bounded: when it is full the
 * entry that died longest ago makes room (counted); a live entry never does while a dead one is there.
 */
#ifndef JUDGE_LEDGER_H
#define JUDGE_LEDGER_H

#include "base/hash.h"
#include "model/gateway.h"
#include "model/incident.h"

enum ledger_state { LEDGER_REQUESTED, LEDGER_INSTALLED, LEDGER_DEAD, LEDGER_STATES };

enum ledger_death { /* why it died */
	DEATH_NONE,
	DEATH_REKEYED,         /* replaced by a successor */
	DEATH_DELETED_BY_US,   /* closed here: a person, the configuration, the daemon */
	DEATH_DELETED_BY_PEER,
	DEATH_EXPIRED_TIME,
	DEATH_EXPIRED_VOLUME,
	DEATH_FLUSHED,         /* the kernel's SAD was emptied */
	DEATH_KERNEL_LOST,     /* the daemon lists it still, the data plane has it no more */
	DEATH_DAEMON_LOST,     /* gone without a word while its daemon and its IKE SA lived */
	DEATH_RESTART,         /* the daemon or the machine started anew */
	DEATH_UNKNOWN,         /* gone while nobody looked */
	DEATHS
};

struct ledger_entry {
	struct sa_key key;
	struct spimend_address peer;
	uint16_t daemon;
	bool encap_udp;
	bool has_sequence;     /* false: never counted by a sensor; then nothing is known of its highest */
	bool went_both_ways;   /* packets were seen in both directions on it */
	bool death_seen;       /* we were there when it died: died_* is that moment, not when we noticed */
	enum ledger_state state;
	enum ledger_death death;
	uint32_t sequence_highest;
	uint32_t spi_out;      /* its sibling; 0 where not known */
	uint32_t ike_id, child_id; /* of the daemon's present life */
	uint64_t connection;   /* struct connection.id */
	enum tunnel_kind kind; /* as told while it lived; TUNNEL_UNKNOWN: not told */
	struct instant born, died; /* wall */
	struct instant ends;   /* wall: its hard lifetime, as its daemon listed it; 0: not told */
	int64_t died_mono_ns;  /* only within this life of core; 0 after a restore */
	uint64_t packets_counted;  /* as it counted when sequence_highest was raised last; only within this life of core */
	bool sequence_forged;      /* it jumped as no sender's does: nothing is known of the highest any more; the same */
};

struct ledger;

#define LEDGER_LIMIT_MIN 16
#define LEDGER_LIMIT_MAX (UINT32_C(1) << 22)
/* A better known reason of a death comes from the same daemon's next words, or not at all. */
#define LEDGER_CORRECT_NS (5 * SECOND_NS)

/* `limit` entries at most, cut to LEDGER_LIMIT_MIN and _MAX. 0 or -ENOMEM: all memory is taken here. The key seeds the
 * table. Before anything else, entries that were kept are put in the order of their births. */
int ledger_new(uint32_t limit, const struct hash_key *key, struct ledger **ret);
void ledger_free(struct ledger *ledger);

/* The entry, or NULL. Borrowed until the next ledger_put(). May be changed but for its key, its peer and what its death is
 * told by: ledger_put(), ledger_die() and ledger_revive() do that. LEDGER_REQUESTED may become LEDGER_INSTALLED in place. */
struct ledger_entry *ledger_find(struct ledger *ledger, const struct sa_key *key);

/* Adds or replaces; what is replaced keeps its place in the order. Never fails for lack of room: the longest dead
 * makes room; with none dead, the oldest born. *ret_evicted, where not NULL, receives what made room; returns true
 * when something did. Refused, and counted, is only the first SA of an own address beyond 4096 of them. */
bool ledger_put(struct ledger *ledger, const struct ledger_entry *entry, struct ledger_entry *ret_evicted);

/* The entry dies. Nothing happens to one that is dead already, except that DEATH_UNKNOWN, DEATH_DAEMON_LOST and
 * DEATH_RESTART give way to a better known reason within LEDGER_CORRECT_NS after it; the moment of the death stays.
 * Returns true when it changed. */
bool ledger_die(struct ledger *ledger, struct ledger_entry *entry, enum ledger_death death, bool seen, struct instant wall,
		int64_t mono_ns);
/* What was taken for dead is there after all. */
void ledger_revive(struct ledger *ledger, struct ledger_entry *entry);

/* Walks all entries, or those of a peer, newest born first (the one put last); `each` returns false to stop. It may let the
 * entry die, or revive it, but not put. */
typedef bool ledger_each_fn(void *context, struct ledger_entry *entry);
void ledger_each(struct ledger *ledger, ledger_each_fn *each, void *context);
void ledger_each_of_peer(struct ledger *ledger, const struct spimend_address *peer, ledger_each_fn *each, void *context);

struct ledger_figures {
	uint32_t entries, live, dead, limit;
	uint64_t evicted, refused;
};
struct ledger_figures ledger_figures(const struct ledger *ledger);

const char *ledger_state_name(enum ledger_state state);  /* "requested", "installed", "dead" */
const char *ledger_death_name(enum ledger_death death);  /* "rekeyed", "deleted-by-us" ... */

#endif
