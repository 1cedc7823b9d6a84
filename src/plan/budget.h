/* SPDX-License-Identifier: MIT */
/*
 * How often anything may be done: per peer, in all, at once, and a breaker for the case that many peers fall together.
 * Pure; the clock is an argument. A budget that cannot remember a peer (its table is full of younger ones) refuses. An
 * instant in the future counts as now: a clock set back never opens a budget, and never closes one for longer than its
 * window.
 */
#ifndef PLAN_BUDGET_H
#define PLAN_BUDGET_H

#include "base/hash.h"
#include "model/config.h"
#include "plan/repair.h"

#define BUDGET_PEERS_MAX 4096
#define BUDGET_PER_PEER_MAX 64     /* a larger repair limit per-peer counts as this */
#define BUDGET_GLOBAL_MAX 4096     /* the same for repair limit global */
#define BUDGET_CONCURRENT_MAX 64
#define BUDGET_BREAKER_PEERS_MAX 256

struct budget;

/* 0 or -ENOMEM. Nothing of `config` is borrowed. */
int budget_new(const struct config *config, const struct hash_key *key, struct budget **ret);
void budget_free(struct budget *budget);
void budget_reconfigure(struct budget *budget, const struct config *config);

/* A desync of that peer was found: feeds the breaker. */
void budget_fell(struct budget *budget, const struct spimend_address *peer, int64_t now_ns);
/* True while many peers fell together: one cause; repairs are paced. */
bool budget_breaker_open(const struct budget *budget, int64_t now_ns);

/*
 * May a repair of that peer start now? REFUSE_NONE, or REFUSE_BUDGET, REFUSE_BACKOFF, REFUSE_BREAKER, with *ret_again_ns the
 * instant at which asking again makes sense. `is_first`: the first step of an incident takes from the peer's budget;
 * escalations of the same incident only from the global one. `backs_off` (opens_ike, or a suspicion): the peer's back-off
 * counts too, which doubles with each one that did not heal, and starts anew when the peer has been healed and quiet for as
 * long as it was to wait. `jitter` is random, 0..UINT32_MAX. Of several limits the one that ends last is told.
 */
struct budget_request {
	const struct spimend_address *peer;
	bool is_first, backs_off;
	uint32_t jitter;
};
enum repair_refusal budget_ask(struct budget *budget, const struct budget_request *request, int64_t now_ns,
			       int64_t *ret_again_ns);
/* It was started (after budget_ask() said REFUSE_NONE at the same moment), or ended. An incident holds one place of
 * those under way, from its first step until budget_release(), or until twice the time that an order and its
 * verification may take has passed since its latest step. */
void budget_spend(struct budget *budget, const struct budget_request *request, int64_t now_ns);
void budget_release(struct budget *budget, const struct spimend_address *peer, bool healed, int64_t now_ns);
/* What was spent at that instant was refused before anything was done: it was never spent. */
void budget_return(struct budget *budget, const struct budget_request *request, int64_t then_ns);
/* After a restart: an order was given at that instant, as far as it can be told on this clock, and its incident healed or
 * not; in any order. */
void budget_restore(struct budget *budget, const struct spimend_address *peer, bool backs_off, bool healed, int64_t then_ns);

#endif
