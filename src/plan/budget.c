/* SPDX-License-Identifier: MIT */
#include "plan/budget.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "base/slots.h"

#define LONG_AGO INT64_MIN
#define NOBODY 0              /* peers are numbered from 1 on */
#define LOOKED_AT 8           /* of the peers touched longest ago, when one has to make room */
#define CONCURRENT_AGAIN_NS (SECOND_NS / 10) /* a place may be given back at any moment */

struct window { /* when something was done, oldest first; the newest `room` of them are kept */
	int64_t *at;    /* borrows */
	uint32_t *used; /* borrows */
	uint32_t room;
};

struct peer {
	struct spimend_address address;
	uint32_t hash;
	uint32_t older, newer; /* by when they were touched */
	int64_t at[BUDGET_PER_PEER_MAX];
	uint32_t used;
	uint32_t backoffs;     /* the wait is 2^(backoffs - 1) times the first; 0: none */
	int64_t backoff_from;
	bool healed;           /* the latest repair did heal ... */
	int64_t quiet_from;    /* ... and nothing fell since */
};

struct place { /* of what is under way */
	struct spimend_address peer;
	int64_t until; /* given up then, if nobody releases it */
};

struct fall {
	struct spimend_address peer;
	int64_t at;
};

struct budget {
	struct hash_key key;
	uint32_t per_peer_count, global_count, concurrent, breaker_peers;
	int64_t per_peer_ns, global_ns, breaker_ns, pace_ns, backoff_ns, backoff_most_ns, hold_ns;
	int64_t global_at[BUDGET_GLOBAL_MAX];
	uint32_t global_used;
	struct place places[BUDGET_CONCURRENT_MAX];
	uint32_t place_count;
	struct fall falls[BUDGET_BREAKER_PEERS_MAX]; /* the latest of each peer, oldest first */
	uint32_t fall_count;
	int64_t open_until;  /* the breaker */
	int64_t next_paced;  /* the next repair while it is open */
	int64_t strangers_from; /* until then nothing may be done to a peer that is not in the table: it may have been forgotten */
	struct slots by_address;
	uint32_t made, oldest, newest;
	struct peer peers[BUDGET_PEERS_MAX]; /* by number - 1 */
};

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t add(int64_t at, int64_t ns)
{
	int64_t sum;

	if (__builtin_add_overflow(at, ns, &sum))
		return ns > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

static void not_after(int64_t *at, int64_t now)
{
	if (*at > now)
		*at = now;
}

/* --- Windows ---------------------------------------------------------------------------------------------------------- */

static void window_add(struct window w, int64_t at)
{
	uint32_t i;

	if (*w.used == w.room) {
		if (at <= w.at[0])
			return;
		memmove(w.at, w.at + 1, (w.room - 1) * sizeof(*w.at));
		--*w.used;
	}
	for (i = *w.used; i > 0 && w.at[i - 1] > at; i--)
		w.at[i] = w.at[i - 1];
	w.at[i] = at;
	++*w.used;
}

/* When one more may be done, so that no span of `length` has more than `count`. */
static int64_t window_opens(struct window w, uint32_t count, int64_t length, int64_t now)
{
	if (count > w.room)
		count = w.room;
	if (count == 0)
		return INT64_MAX;
	for (uint32_t i = *w.used; i > 0 && w.at[i - 1] > now; i--)
		w.at[i - 1] = now;
	return *w.used < count ? LONG_AGO : add(w.at[*w.used - count], length);
}

static struct window window_of(struct peer *p)
{
	return (struct window){ p->at, &p->used, BUDGET_PER_PEER_MAX };
}

static struct window window_of_all(struct budget *b)
{
	return (struct window){ b->global_at, &b->global_used, BUDGET_GLOBAL_MAX };
}

/* --- Peers ------------------------------------------------------------------------------------------------------------ */

static struct peer *find(struct budget *b, const struct spimend_address *address)
{
	uint32_t hash = (uint32_t)hash_bytes(&b->key, address, sizeof(*address)), cursor = hash, number;

	while ((number = slots_look(&b->by_address, hash, &cursor))) {
		if (spimend_address_equal(&b->peers[number - 1].address, address))
			return &b->peers[number - 1];
	}
	return NULL;
}

static uint32_t number_of(const struct budget *b, const struct peer *p)
{
	return (uint32_t)(p - b->peers) + 1;
}

static void unchain(struct budget *b, struct peer *p)
{
	if (p->older)
		b->peers[p->older - 1].newer = p->newer;
	else
		b->oldest = p->newer;
	if (p->newer)
		b->peers[p->newer - 1].older = p->older;
	else
		b->newest = p->older;
}

static void chain(struct budget *b, struct peer *p)
{
	p->older = b->newest;
	p->newer = NOBODY;
	if (b->newest)
		b->peers[b->newest - 1].newer = number_of(b, p);
	else
		b->oldest = number_of(b, p);
	b->newest = number_of(b, p);
}

static int64_t wait_of(const struct budget *b, const struct peer *p)
{
	int64_t wait = b->backoff_ns;

	for (uint32_t i = 1; i < p->backoffs && wait < b->backoff_most_ns; i++)
		wait = add(wait, wait);
	return wait < b->backoff_most_ns ? wait : b->backoff_most_ns;
}

/* Forgets a back-off that has done its work: healed and quiet, or long past. */
static void settle(const struct budget *b, struct peer *p, int64_t now)
{
	if (p->backoffs == 0)
		return;
	not_after(&p->backoff_from, now);
	not_after(&p->quiet_from, now);
	if ((p->healed && now >= add(p->quiet_from, wait_of(b, p))) ||
	    now > add(p->backoff_from, add(b->backoff_most_ns, b->backoff_most_ns)))
		p->backoffs = 0;
}

static int64_t backoff_ends(const struct budget *b, struct peer *p, int64_t now)
{
	settle(b, p, now);
	return p->backoffs ? add(p->backoff_from, wait_of(b, p)) : LONG_AGO;
}

/* Nothing about it counts any more. */
static bool is_idle(const struct budget *b, struct peer *p, int64_t now)
{
	settle(b, p, now);
	return p->backoffs == 0 && window_opens(window_of(p), 1, b->per_peer_ns, now) <= now;
}

/* One that may make room, or NULL. */
static struct peer *find_idle(struct budget *b, int64_t now)
{
	uint32_t number = b->oldest;

	for (unsigned i = 0; i < LOOKED_AT && number; i++, number = b->peers[number - 1].newer) {
		if (is_idle(b, &b->peers[number - 1], now))
			return &b->peers[number - 1];
	}
	return NULL;
}

/* The peer, made where it is new; the one touched longest ago makes room, and is missed if it still counted. */
static struct peer *take(struct budget *b, const struct spimend_address *address, int64_t now)
{
	struct peer *p = find(b, address);

	if (p) {
		unchain(b, p);
		chain(b, p);
		return p;
	}
	if (b->made < BUDGET_PEERS_MAX) {
		p = &b->peers[b->made++];
	} else {
		p = find_idle(b, now);
		if (!p) {
			p = &b->peers[b->oldest - 1];
			b->strangers_from = later(b->strangers_from, later(add(now, b->per_peer_ns), backoff_ends(b, p, now)));
		}
		unchain(b, p);
		slots_remove(&b->by_address, p->hash, number_of(b, p));
	}
	*p = (struct peer){ .address = *address, .hash = (uint32_t)hash_bytes(&b->key, address, sizeof(*address)) };
	slots_add(&b->by_address, p->hash, number_of(b, p));
	chain(b, p);
	return p;
}

/* --- What is under way ------------------------------------------------------------------------------------------------ */

static void drop_place(struct budget *b, uint32_t i)
{
	memmove(&b->places[i], &b->places[i + 1], (b->place_count - i - 1) * sizeof(*b->places));
	b->place_count--;
}

static void drop_old_places(struct budget *b, int64_t now)
{
	for (uint32_t i = b->place_count; i > 0; i--) {
		if (b->places[i - 1].until <= now)
			drop_place(b, i - 1);
	}
}

static struct place *find_place(struct budget *b, const struct spimend_address *peer)
{
	for (uint32_t i = 0; i < b->place_count; i++) {
		if (spimend_address_equal(&b->places[i].peer, peer))
			return &b->places[i];
	}
	return NULL;
}

/* --- The breaker ------------------------------------------------------------------------------------------------------ */

void budget_fell(struct budget *b, const struct spimend_address *peer, int64_t now)
{
	struct peer *known = find(b, peer);
	uint32_t i = 0;

	if (known) {
		settle(b, known, now);
		known->quiet_from = now;
	}
	while (i < b->fall_count && !spimend_address_equal(&b->falls[i].peer, peer))
		i++;
	if (i == b->fall_count && b->fall_count == BUDGET_BREAKER_PEERS_MAX)
		i = 0;
	if (i < b->fall_count) {
		memmove(&b->falls[i], &b->falls[i + 1], (b->fall_count - i - 1) * sizeof(*b->falls));
		b->fall_count--;
	}
	b->falls[b->fall_count++] = (struct fall){ *peer, now };
	if (b->fall_count >= b->breaker_peers && now <= add(b->falls[b->fall_count - b->breaker_peers].at, b->breaker_ns))
		b->open_until = later(b->open_until, add(now, b->breaker_ns));
}

bool budget_breaker_open(const struct budget *b, int64_t now)
{
	return now < b->open_until;
}

static int64_t jittered(const struct budget *b, uint32_t jitter)
{
	return (int64_t)((unsigned __int128)b->pace_ns * jitter >> 32);
}

/* As long as somebody waits it stays open, or the rest would go all at once when it closes. */
static void keep_open(struct budget *b, int64_t now)
{
	if (budget_breaker_open(b, now))
		b->open_until = later(b->open_until, add(later(now, b->next_paced), add(b->breaker_ns, b->pace_ns)));
}

/* --- Asking and spending ---------------------------------------------------------------------------------------------- */

struct answer {
	enum repair_refusal refusal;
	int64_t again;
};

static void consider(struct answer *answer, enum repair_refusal refusal, int64_t from, int64_t now)
{
	if (from > now && from > answer->again)
		*answer = (struct answer){ refusal, from };
}

enum repair_refusal budget_ask(struct budget *b, const struct budget_request *request, int64_t now, int64_t *ret_again)
{
	struct answer answer = { REFUSE_NONE, LONG_AGO };
	struct peer *p = find(b, request->peer);

	drop_old_places(b, now);
	if (!p) {
		not_after(&b->strangers_from, add(now, later(b->per_peer_ns, b->backoff_most_ns)));
		consider(&answer, REFUSE_BUDGET, b->strangers_from, now);
		if (b->made == BUDGET_PEERS_MAX && !find_idle(b, now))
			consider(&answer, REFUSE_BUDGET, add(now, later(b->per_peer_ns, SECOND_NS)), now);
	}
	if (p && request->backs_off)
		consider(&answer, REFUSE_BACKOFF, backoff_ends(b, p, now), now);
	if (p && request->is_first)
		consider(&answer, REFUSE_BUDGET, window_opens(window_of(p), b->per_peer_count, b->per_peer_ns, now), now);
	consider(&answer, REFUSE_BUDGET, window_opens(window_of_all(b), b->global_count, b->global_ns, now), now);
	if (b->place_count >= b->concurrent && (request->is_first || !find_place(b, request->peer)))
		consider(&answer, REFUSE_BUDGET, add(now, CONCURRENT_AGAIN_NS), now);
	if (request->is_first && budget_breaker_open(b, now)) {
		not_after(&b->next_paced, add(now, 2 * b->pace_ns));
		keep_open(b, now);
		if (b->next_paced > now)
			consider(&answer, REFUSE_BREAKER, add(b->next_paced, jittered(b, request->jitter)), now);
	}
	if (answer.refusal)
		*ret_again = answer.again;
	return answer.refusal;
}

static void remember(struct budget *b, struct peer *p, bool is_first, int64_t at)
{
	if (is_first)
		window_add(window_of(p), at);
	window_add(window_of_all(b), at);
}

void budget_spend(struct budget *b, const struct budget_request *request, int64_t now)
{
	struct peer *p = take(b, request->peer, now);
	struct place *place = request->is_first ? NULL : find_place(b, request->peer);

	remember(b, p, request->is_first, now);
	if (request->backs_off) {
		settle(b, p, now);
		if (p->backoffs == 0 || (!p->healed && p->backoffs < 63))
			p->backoffs++;
		p->backoff_from = now;
	}
	p->healed = false;
	if (!place && b->place_count < BUDGET_CONCURRENT_MAX)
		place = &b->places[b->place_count++];
	if (place)
		*place = (struct place){ *request->peer, add(now, b->hold_ns) };
	if (request->is_first && budget_breaker_open(b, now)) {
		b->next_paced = add(now, add(b->pace_ns, jittered(b, request->jitter)));
		keep_open(b, now);
	}
}

void budget_release(struct budget *b, const struct spimend_address *peer, bool healed, int64_t now)
{
	struct place *place = find_place(b, peer);
	struct peer *p = find(b, peer);

	if (place)
		drop_place(b, (uint32_t)(place - b->places));
	if (!p)
		return;
	p->healed = healed;
	p->quiet_from = now;
}

static void window_remove(struct window w, int64_t at)
{
	for (uint32_t i = *w.used; i > 0; i--) {
		if (w.at[i - 1] != at)
			continue;
		memmove(w.at + i - 1, w.at + i, (*w.used - i) * sizeof(*w.at));
		--*w.used;
		return;
	}
}

void budget_return(struct budget *b, const struct budget_request *request, int64_t then)
{
	struct place *place = find_place(b, request->peer);
	struct peer *p = find(b, request->peer);

	window_remove(window_of_all(b), then);
	if (place)
		drop_place(b, (uint32_t)(place - b->places));
	if (!p)
		return;
	if (request->is_first)
		window_remove(window_of(p), then);
	if (request->backs_off && p->backoffs && p->backoff_from == then)
		p->backoffs--;
}

void budget_restore(struct budget *b, const struct spimend_address *peer, bool backs_off, bool healed, int64_t then)
{
	struct peer *p = take(b, peer, then);
	int64_t memory = add(b->backoff_most_ns, b->backoff_most_ns);

	remember(b, p, true, then);
	if (!backs_off)
		return;
	/* As budget_spend(): each order but the latest doubles the wait, unless it helped. */
	if (p->backoffs == 0 || then > add(p->backoff_from, memory)) {
		p->backoffs = 1;
	} else if (then >= p->backoff_from) {
		p->backoffs += !p->healed && p->backoffs < 63;
	} else {
		if (p->backoff_from <= add(then, memory))
			p->backoffs += !healed && p->backoffs < 63;
		return;
	}
	p->backoff_from = then;
	p->healed = healed;
	p->quiet_from = then;
}

/* --- Life ------------------------------------------------------------------------------------------------------------- */

static uint32_t at_most(uint32_t value, uint32_t most)
{
	return value < most ? value : most;
}

void budget_reconfigure(struct budget *b, const struct config *config)
{
	b->per_peer_count = at_most(config->per_peer_count, BUDGET_PER_PEER_MAX);
	b->per_peer_ns = config->per_peer_ns;
	b->global_count = at_most(config->global_count, BUDGET_GLOBAL_MAX);
	b->global_ns = config->global_ns;
	b->concurrent = at_most(config->concurrent, BUDGET_CONCURRENT_MAX);
	b->breaker_peers = at_most(config->breaker_peers ? config->breaker_peers : 1, BUDGET_BREAKER_PEERS_MAX);
	b->breaker_ns = config->breaker_ns;
	b->pace_ns = config->pace_ns;
	b->backoff_ns = config->backoff_ns;
	b->backoff_most_ns = later(config->backoff_most_ns, config->backoff_ns);
	b->hold_ns = add(add(config->order_timeout_ns, config->verify_ns), add(config->order_timeout_ns, config->verify_ns));
}

int budget_new(const struct config *config, const struct hash_key *key, struct budget **ret)
{
	struct budget *b = memory_new(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	if (slots_init(&b->by_address, BUDGET_PEERS_MAX) < 0) {
		memory_free(b);
		return -ENOMEM;
	}
	b->key = *key;
	b->open_until = b->next_paced = b->strangers_from = LONG_AGO;
	budget_reconfigure(b, config);
	*ret = b;
	return 0;
}

void budget_free(struct budget *b)
{
	if (!b)
		return;
	slots_done(&b->by_address);
	memory_free(b);
}
