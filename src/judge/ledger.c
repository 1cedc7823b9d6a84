/* SPDX-License-Identifier: MIT */
#include "judge/ledger.h"

#include <errno.h>

#include "base/memory.h"
#include "base/slots.h"
#include "judge/spi_index.h"

#define DESTINATIONS_MAX 4096 /* own addresses that have an entry */
#define NOBODY 0              /* nodes are numbered from 1 on */

/* Three orders of the entries: by the moment they were put, the same among those of a peer, and the dead by their death. */
enum listing { BY_AGE, BY_PEER, BY_DEATH, LISTINGS };

struct link {
	uint32_t older, newer;
};
struct ends {
	uint32_t oldest, newest;
};

struct node {
	struct ledger_entry entry;
	struct link in[LISTINGS];
	uint32_t peer_hash;
	uint32_t peer; /* number of its peer */
};

struct peer {
	struct ends entries; /* both NOBODY: the place is free */
	uint32_t next_free;
};

struct ledger {
	struct hash_key key;
	uint32_t limit, used, dead;
	uint32_t peers_made, peer_free;
	struct node *nodes;      /* owns; by number - 1 */
	struct peer *peers;      /* owns; by number - 1 */
	struct spi_index *index; /* owns; numbers of nodes */
	struct slots by_peer;    /* numbers of peers */
	struct ends by_age, by_death;
	bool dead_unsorted; /* dead entries were restored out of their order */
	uint64_t evicted, refused;
};

static struct node *node_of(struct ledger *ledger, uint32_t number)
{
	return &ledger->nodes[number - 1];
}

/* An entry that the caller holds is the first member of its node. */
static uint32_t number_of(struct ledger *ledger, struct ledger_entry *entry)
{
	return (uint32_t)((struct node *)(void *)entry - ledger->nodes) + 1;
}

static void chain(struct ledger *ledger, enum listing order, struct ends *ends, uint32_t number)
{
	node_of(ledger, number)->in[order] = (struct link){ .older = ends->newest };
	if (ends->newest)
		node_of(ledger, ends->newest)->in[order].newer = number;
	else
		ends->oldest = number;
	ends->newest = number;
}

static void unchain(struct ledger *ledger, enum listing order, struct ends *ends, uint32_t number)
{
	struct link link = node_of(ledger, number)->in[order];

	if (link.older)
		node_of(ledger, link.older)->in[order].newer = link.newer;
	else
		ends->oldest = link.newer;
	if (link.newer)
		node_of(ledger, link.newer)->in[order].older = link.older;
	else
		ends->newest = link.older;
}

/* --- Peers ------------------------------------------------------------------------------------------------------------ */

static uint32_t peer_hash(const struct ledger *ledger, const struct spimend_address *address)
{
	return (uint32_t)hash_bytes(&ledger->key, address, sizeof(*address));
}

static uint32_t find_peer(struct ledger *ledger, const struct spimend_address *address, uint32_t hash)
{
	uint32_t cursor = hash, number;

	while ((number = slots_look(&ledger->by_peer, hash, &cursor))) {
		struct node *node = node_of(ledger, ledger->peers[number - 1].entries.newest);

		if (spimend_address_equal(&node->entry.peer, address))
			return number;
	}
	return 0;
}

/* There are as many places for peers as for entries. */
static void join_peer(struct ledger *ledger, uint32_t number)
{
	struct node *node = node_of(ledger, number);
	uint32_t peer;

	node->peer_hash = peer_hash(ledger, &node->entry.peer);
	peer = find_peer(ledger, &node->entry.peer, node->peer_hash);
	if (!peer) {
		peer = ledger->peer_free;
		if (peer)
			ledger->peer_free = ledger->peers[peer - 1].next_free;
		else
			peer = ++ledger->peers_made;
		slots_add(&ledger->by_peer, node->peer_hash, peer);
	}
	node->peer = peer;
	chain(ledger, BY_PEER, &ledger->peers[peer - 1].entries, number);
}

static void leave_peer(struct ledger *ledger, uint32_t number)
{
	struct node *node = node_of(ledger, number);
	struct peer *peer = &ledger->peers[node->peer - 1];

	unchain(ledger, BY_PEER, &peer->entries, number);
	if (peer->entries.newest)
		return;
	slots_remove(&ledger->by_peer, node->peer_hash, node->peer);
	peer->next_free = ledger->peer_free;
	ledger->peer_free = node->peer;
}

/* --- The dead --------------------------------------------------------------------------------------------------------- */

static void bury(struct ledger *ledger, uint32_t number)
{
	const struct ledger_entry *entry = &node_of(ledger, number)->entry;
	uint32_t newest = ledger->by_death.newest;

	if (newest && entry->died.ns < node_of(ledger, newest)->entry.died.ns && entry->died_mono_ns == 0)
		ledger->dead_unsorted = true;
	chain(ledger, BY_DEATH, &ledger->by_death, number);
	ledger->dead++;
}

static void unbury(struct ledger *ledger, uint32_t number)
{
	unchain(ledger, BY_DEATH, &ledger->by_death, number);
	ledger->dead--;
}

/* Merges two lists that are threaded by `newer` alone. */
static uint32_t merge(struct ledger *ledger, uint32_t a, uint32_t b)
{
	uint32_t first = NOBODY, *to = &first;

	while (a && b) {
		uint32_t *from = node_of(ledger, b)->entry.died.ns < node_of(ledger, a)->entry.died.ns ? &b : &a;

		*to = *from;
		to = &node_of(ledger, *from)->in[BY_DEATH].newer;
		*from = *to;
	}
	*to = a ? a : b;
	return first;
}

/* Entries are restored in the order of their births: before the first death in this life, or the first eviction, the
 * dead are brought into theirs. A merge sort on the list needs no memory that might not be there. */
static void sort_dead(struct ledger *ledger)
{
	uint32_t runs[32] = { NOBODY }, rest = ledger->by_death.oldest, number = NOBODY, before = NOBODY;

	if (!ledger->dead_unsorted)
		return;
	ledger->dead_unsorted = false;
	while (rest) {
		unsigned i = 0;

		number = rest;
		rest = node_of(ledger, number)->in[BY_DEATH].newer;
		node_of(ledger, number)->in[BY_DEATH].newer = NOBODY;
		for (; runs[i]; i++) { /* runs[i] holds 2^i, and is older than what comes now */
			number = merge(ledger, runs[i], number);
			runs[i] = NOBODY;
		}
		runs[i] = number;
	}
	number = NOBODY;
	for (unsigned i = 0; i < 32; i++)
		number = merge(ledger, runs[i], number);
	ledger->by_death.oldest = number;
	for (; number; number = node_of(ledger, number)->in[BY_DEATH].newer) {
		node_of(ledger, number)->in[BY_DEATH].older = before;
		before = number;
	}
	ledger->by_death.newest = before;
}

/* What was assumed for want of anything better. */
static unsigned weight_of(enum ledger_death death)
{
	if (death == DEATH_NONE || death == DEATH_UNKNOWN)
		return 0;
	return death == DEATH_DAEMON_LOST || death == DEATH_RESTART ? 1 : 2;
}

bool ledger_die(struct ledger *ledger, struct ledger_entry *entry, enum ledger_death death, bool seen, struct instant wall,
		int64_t mono_ns)
{
	if (entry->state == LEDGER_DEAD) {
		if (weight_of(death) <= weight_of(entry->death) || entry->died_mono_ns == 0 ||
		    mono_ns - entry->died_mono_ns > LEDGER_CORRECT_NS)
			return false;
		entry->death = death; /* the moment stays: it cannot have died after it was missed */
		entry->death_seen |= seen;
		return true;
	}
	sort_dead(ledger);
	entry->state = LEDGER_DEAD;
	entry->death = death;
	entry->death_seen = seen;
	entry->died = wall;
	entry->died_mono_ns = mono_ns;
	bury(ledger, number_of(ledger, entry));
	return true;
}

void ledger_revive(struct ledger *ledger, struct ledger_entry *entry)
{
	if (entry->state != LEDGER_DEAD)
		return;
	unbury(ledger, number_of(ledger, entry));
	entry->state = LEDGER_INSTALLED;
	entry->death = DEATH_NONE;
	entry->death_seen = false;
	entry->died = (struct instant){ 0 };
	entry->died_mono_ns = 0;
}

/* --- Entries ---------------------------------------------------------------------------------------------------------- */

struct ledger_entry *ledger_find(struct ledger *ledger, const struct sa_key *key)
{
	uint32_t number;

	return spi_index_find(ledger->index, key, &number) ? &node_of(ledger, number)->entry : NULL;
}

static void replace(struct ledger *ledger, uint32_t number, const struct ledger_entry *entry)
{
	struct node *node = node_of(ledger, number);
	bool moves = !spimend_address_equal(&node->entry.peer, &entry->peer);

	if (node->entry.state == LEDGER_DEAD)
		unbury(ledger, number);
	if (moves)
		leave_peer(ledger, number);
	node->entry = *entry;
	if (moves)
		join_peer(ledger, number);
	if (entry->state == LEDGER_DEAD)
		bury(ledger, number);
}

/* Makes room; returns the number that is free now. */
static uint32_t evict(struct ledger *ledger, struct ledger_entry *ret_evicted)
{
	uint32_t number;
	struct node *node;

	sort_dead(ledger);
	number = ledger->by_death.oldest ? ledger->by_death.oldest : ledger->by_age.oldest;
	node = node_of(ledger, number);
	if (node->entry.state == LEDGER_DEAD)
		unbury(ledger, number);
	leave_peer(ledger, number);
	unchain(ledger, BY_AGE, &ledger->by_age, number);
	spi_index_remove(ledger->index, &node->entry.key);
	ledger->evicted++;
	if (ret_evicted)
		*ret_evicted = node->entry;
	return number;
}

bool ledger_put(struct ledger *ledger, const struct ledger_entry *entry, struct ledger_entry *ret_evicted)
{
	struct ledger_entry copy = *entry; /* it may be the one that makes room */
	bool evicts = false;
	uint32_t number;

	if (spi_index_find(ledger->index, &copy.key, &number)) {
		replace(ledger, number, &copy);
		return false;
	}
	/* The place in the index first: too many own addresses is the one thing that may fail, and then nothing is lost. */
	evicts = ledger->used == ledger->limit;
	if (spi_index_put(ledger->index, &copy.key, NOBODY) < 0) {
		ledger->refused++;
		return false;
	}
	number = evicts ? evict(ledger, ret_evicted) : ++ledger->used;
	spi_index_put(ledger->index, &copy.key, number);
	*node_of(ledger, number) = (struct node){ .entry = copy };
	chain(ledger, BY_AGE, &ledger->by_age, number);
	join_peer(ledger, number);
	if (copy.state == LEDGER_DEAD)
		bury(ledger, number);
	return evicts;
}

static void walk(struct ledger *ledger, enum listing order, uint32_t number, ledger_each_fn *each, void *context)
{
	while (number) {
		uint32_t older = node_of(ledger, number)->in[order].older;

		if (!each(context, &node_of(ledger, number)->entry))
			return;
		number = older;
	}
}

void ledger_each(struct ledger *ledger, ledger_each_fn *each, void *context)
{
	walk(ledger, BY_AGE, ledger->by_age.newest, each, context);
}

void ledger_each_of_peer(struct ledger *ledger, const struct spimend_address *peer, ledger_each_fn *each, void *context)
{
	uint32_t number = find_peer(ledger, peer, peer_hash(ledger, peer));

	if (number)
		walk(ledger, BY_PEER, ledger->peers[number - 1].entries.newest, each, context);
}

/* --- Life ------------------------------------------------------------------------------------------------------------- */

int ledger_new(uint32_t limit, const struct hash_key *key, struct ledger **ret)
{
	struct ledger *ledger = memory_new(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	if (limit < LEDGER_LIMIT_MIN)
		limit = LEDGER_LIMIT_MIN;
	if (limit > LEDGER_LIMIT_MAX)
		limit = LEDGER_LIMIT_MAX;
	ledger->key = *key;
	ledger->limit = limit;
	/* All of it at once, so that nothing can fail later; the system gives pages as they are used. */
	ledger->nodes = memory_new(limit, sizeof(*ledger->nodes));
	ledger->peers = memory_new(limit, sizeof(*ledger->peers));
	if (!ledger->nodes || !ledger->peers || slots_init(&ledger->by_peer, limit) < 0 ||
	    spi_index_new(limit + 1, DESTINATIONS_MAX, key, &ledger->index) < 0 ||
	    spi_index_reserve(ledger->index, limit + 1) < 0) {
		ledger_free(ledger);
		return -ENOMEM;
	}
	*ret = ledger;
	return 0;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	spi_index_free(ledger->index);
	slots_done(&ledger->by_peer);
	memory_free(ledger->peers);
	memory_free(ledger->nodes);
	memory_free(ledger);
}

struct ledger_figures ledger_figures(const struct ledger *ledger)
{
	return (struct ledger_figures){
		.entries = ledger->used, .live = ledger->used - ledger->dead, .dead = ledger->dead, .limit = ledger->limit,
		.evicted = ledger->evicted, .refused = ledger->refused,
	};
}

const char *ledger_state_name(enum ledger_state state)
{
	static const char *const names[LEDGER_STATES] = { "requested", "installed", "dead" };

	return (unsigned)state < LEDGER_STATES ? names[state] : "?";
}

const char *ledger_death_name(enum ledger_death death)
{
	static const char *const names[DEATHS] = {
		[DEATH_NONE] = "none",
		[DEATH_REKEYED] = "rekeyed",
		[DEATH_DELETED_BY_US] = "deleted-by-us",
		[DEATH_DELETED_BY_PEER] = "deleted-by-peer",
		[DEATH_EXPIRED_TIME] = "expired-time",
		[DEATH_EXPIRED_VOLUME] = "expired-volume",
		[DEATH_FLUSHED] = "flushed",
		[DEATH_KERNEL_LOST] = "kernel-lost",
		[DEATH_DAEMON_LOST] = "daemon-lost",
		[DEATH_RESTART] = "restart",
		[DEATH_UNKNOWN] = "unknown",
	};

	return (unsigned)death < DEATHS ? names[death] : "?";
}
