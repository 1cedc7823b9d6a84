/* SPDX-License-Identifier: MIT */
/*
 * `clear crypto sa peer ADDRESS`: a person's order. IOS tears the SAs down and lets IKE negotiate new ones (B14); here each
 * is renewed instead, make before break: the same new SAs, and no moment without one. It obeys what a repair obeys: mode,
 * the peer's mode, the budgets here and in act, and one hand at a time on a peer.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/core_private.h"

#define AGAIN_NS (SECOND_NS / 4)
#define REFUSED_MAX 3

static void refuse(struct core_clear *ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void refuse(struct core_clear *ret, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ret->why, sizeof(ret->why), format, arguments);
	va_end(arguments);
}

static void note(struct core_clear *ret, enum order_verb verb, uint16_t daemon, uint32_t child_id, uint64_t connection,
		 const char *ike, const char *child)
{
	struct core_clear_order *order;

	if (ret->count == CORE_CLEAR_MAX) {
		ret->left_out++;
		return;
	}
	order = &ret->orders[ret->count++];
	*order = (struct core_clear_order){ .verb = verb, .daemon = daemon, .child_id = child_id, .connection = connection };
	memcpy(order->ike, ike, sizeof(order->ike));
	memcpy(order->child, child, sizeof(order->child));
}

/* One that was replaced, or goes anyway, is nothing to renew. */
static bool is_renewable(const struct mirror_child *child)
{
	return child->used && !child->rekeyed && child->sa.state == CHILD_INSTALLED;
}

static void collect(struct core *c, const struct spimend_address *peer, struct core_clear *ret)
{
	for (uint32_t i = 0; i < c->child_table.count; i++) {
		const struct mirror_child *child = &c->children[i];

		if (is_renewable(child) && spimend_address_equal(&child->sa.remote, peer))
			note(ret, ORDER_REKEY_CHILD, child->sa.daemon, child->sa.id, child->sa.connection, child->sa.ike, child->sa.child);
	}
	/* Nothing listed, which is what a lost SA looks like from here: set up what is configured. */
	for (uint32_t i = 0; i < c->connection_table.count && ret->count == 0; i++) {
		const struct mirror_connection *connection = &c->connections[i];

		if (!connection->used || connection->is.dynamic_peer)
			continue;
		for (uint8_t r = 0; r < connection->is.remote_count && ret->count == 0; r++)
			if (spimend_address_equal(&connection->is.remote[r], peer))
				note(ret, ORDER_INITIATE, connection->is.daemon, 0, connection->is.id, connection->is.ike,
				     connection->is.child);
	}
}

static bool has_ike(const struct core *c, const struct spimend_address *peer)
{
	for (uint32_t i = 0; i < c->ike_table.count; i++)
		if (c->ikes[i].used && c->ikes[i].sa.state == IKE_ESTABLISHED && spimend_address_equal(&c->ikes[i].sa.remote, peer))
			return true;
	return false;
}

static bool is_allowed(struct core *c, const struct spimend_address *peer, struct core_clear *ret)
{
	for (uint32_t i = 0; i < c->config.peer_count; i++)
		if (spimend_address_equal(&c->config.peers[i].address, peer) &&
		    (c->config.peers[i].mode == PEER_IGNORE || c->config.peers[i].mode == PEER_OBSERVE)) {
			refuse(ret, "the configuration lets this peer alone: 'peer' says %s", peer_mode_name(c->config.peers[i].mode));
			return false;
		}
	for (uint32_t at = c->trouble_newest; at != NONE; at = c->troubles[at].older) {
		const struct trouble *t = &c->troubles[at];

		if (trouble_is_open(t) && (t->phase == PHASE_ORDERED || t->phase == PHASE_VERIFYING) &&
		    spimend_address_equal(&t->is.src, peer)) {
			refuse(ret, "incident %s of this peer is being repaired right now", t->is.id);
			return false;
		}
	}
	for (size_t i = 0; i < CORE_HANDS_MAX; i++)
		if (c->hands[i].open && spimend_address_equal(&c->hands[i].peer, peer)) {
			refuse(ret, "a clear of this peer is under way already");
			return false;
		}
	if (c->config.mode != MODE_REPAIR) {
		refuse(ret, "the mode is %s: spimend changes nothing; 'mode repair' in the startup file allows it", mode_name(c->config.mode));
		return false;
	}
	return true;
}

static struct hand *free_hand(struct core *c)
{
	for (size_t i = 0; i < CORE_HANDS_MAX; i++)
		if (!c->hands[i].open)
			return &c->hands[i];
	return NULL;
}

static void close_hand(struct core *c, struct hand *hand)
{
	budget_release(c->budget, &hand->peer, hand->failed == 0, c->now.mono_ns);
	hand->open = false;
	for (uint32_t d = 0; d < GATEWAY_DAEMONS_MAX; d++)
		if (c->daemons[d].known)
			mirror_want(c, (uint16_t)d);
}

/* What an IKE SA is asked for while it works on something else, the IKE daemon drops or the peer refuses: a list that is
 * younger than its last order tells whether it is idle. */
static void wait_for_ike(struct core *c, struct hand *hand)
{
	mirror_want(c, hand->orders[hand->at].daemon);
	hand->list_ns = c->now.mono_ns;
	hand->due_ns = c->now.mono_ns + AGAIN_NS;
}

static void next_one(struct core *c, struct hand *hand, bool fine)
{
	hand->failed += !fine;
	c->orders_failed += !fine;
	hand->refused = 0;
	hand->since_ns = c->now.mono_ns;
	if (++hand->at == hand->count)
		close_hand(c, hand);
	else
		wait_for_ike(c, hand);
}

static void order(struct core *c, struct hand *hand)
{
	const struct core_clear_order *o = &hand->orders[hand->at];
	struct core_output *output = core_emit(c, CORE_ORDER);

	hand->current = hand->refused ? c->next_order++ : o->order;
	hand->since_ns = c->now.mono_ns;
	c->orders++;
	if (output)
		output->order = (struct order){ .id = hand->current, .verb = o->verb, .daemon = o->daemon, .child_id = o->child_id,
						.connection = o->connection, .peer = hand->peer, .opens_ike = hand->opens_ike };
}

/* Orders what is next, if it is still there and its IKE SA has nothing else to do. */
static void proceed(struct core *c, struct hand *hand)
{
	const struct core_clear_order *o = &hand->orders[hand->at];
	struct mirror_child *child = o->verb == ORDER_REKEY_CHILD ? mirror_child(c, o->daemon, o->child_id) : NULL;
	struct mirror_ike *ike = child ? mirror_ike(c, o->daemon, child->sa.ike_id) : NULL;

	if (c->config.mode != MODE_REPAIR) {
		say_notice(c, 4, "clear crypto sa peer: %" PRIu32 " of %" PRIu32 " SAs are left as they are: the mode is %s now",
			   hand->count - hand->at, hand->count, mode_name(c->config.mode));
		close_hand(c, hand);
	} else if (c->daemons[o->daemon].snapshot_ns < hand->list_ns) {
		hand->due_ns = c->now.mono_ns + AGAIN_NS; /* the list is on its way */
	} else if (o->verb == ORDER_REKEY_CHILD && (!child || !is_renewable(child))) {
		next_one(c, hand, true); /* it was renewed, or went, meanwhile */
	} else if (ike && ike->sa.busy) {
		wait_for_ike(c, hand);
	} else {
		order(c, hand);
	}
}

bool core_clear_peer(struct core *c, const struct spimend_address *peer, struct moment now, struct core_clear *ret)
{
	struct budget_request request = { .peer = peer, .is_first = true, .jitter = (uint32_t)core_hash_id(c, c->jitter++, 0) };
	enum repair_refusal refusal;
	struct hand *hand = free_hand(c);
	int64_t again = 0;

	c->now = now;
	memset(ret, 0, sizeof(*ret));
	collect(c, peer, ret);
	if (ret->count == 0) {
		refuse(ret, "there is no SA with this peer, and no configured connection with its fixed address");
		return false;
	}
	if (!is_allowed(c, peer, ret))
		return false;
	request.backs_off = ret->orders[0].verb == ORDER_INITIATE && !has_ike(c, peer);
	refusal = hand ? budget_ask(c->budget, &request, now.mono_ns, &again) : REFUSE_BUSY;
	if (refusal != REFUSE_NONE) {
		c->over_budget++;
		refuse(ret, "%s", repair_refusal_help(refusal));
		return false;
	}
	budget_spend(c->budget, &request, now.mono_ns);
	*hand = (struct hand){ .open = true, .opens_ike = request.backs_off, .peer = *peer, .count = ret->count,
			       .since_ns = now.mono_ns, .due_ns = now.mono_ns };
	for (uint32_t i = 0; i < ret->count; i++)
		ret->orders[i].order = c->next_order++;
	memcpy(hand->orders, ret->orders, sizeof(hand->orders));
	proceed(c, hand);
	return true;
}

bool hand_result(struct core *c, const struct order_result *result)
{
	for (size_t i = 0; i < CORE_HANDS_MAX; i++) {
		struct hand *hand = &c->hands[i];
		const struct core_clear_order *o = &hand->orders[hand->at];
		bool again = mend_is_busy(result) && hand->refused < REFUSED_MAX;

		if (!hand->open || !hand->current || result->id != hand->current)
			continue;
		hand->current = 0;
		hand->refused += again;
		say_notice(c, result->outcome == OUTCOME_DONE || again ? 5 : 4, "clear crypto sa peer: order %" PRIu64 " (%s/%s) %s%s%s%s",
			   result->id, o->ike, o->child, order_outcome_name(result->outcome), result->text[0] ? ": " : "", result->text,
			   again ? ": asked again" : "");
		if (again)
			wait_for_ike(c, hand);
		else
			next_one(c, hand, result->outcome == OUTCOME_DONE);
		return true;
	}
	return false;
}

/* An answer that never comes holds nothing for ever, nor does an IKE SA that is never idle. */
static void check(struct core *c, struct hand *hand)
{
	const struct core_clear_order *o = &hand->orders[hand->at];
	int64_t patience = (hand->current ? 2 : 1) * c->config.order_timeout_ns;

	if (c->now.mono_ns - hand->since_ns >= patience) {
		say_notice(c, 4, "clear crypto sa peer: %s/%s is left out: %s", o->ike, o->child,
			   hand->current ? "the order was not answered" : "its IKE SA is busy, or not listed");
		hand->current = 0;
		next_one(c, hand, false);
	} else if (!hand->current && c->now.mono_ns >= hand->due_ns) {
		proceed(c, hand);
	}
}

int64_t hand_tick(struct core *c)
{
	int64_t next = NEVER;

	for (size_t i = 0; i < CORE_HANDS_MAX; i++) {
		struct hand *hand = &c->hands[i];

		if (hand->open)
			check(c, hand);
		if (hand->open)
			next = earlier(next, hand->current ? hand->since_ns + 2 * c->config.order_timeout_ns : hand->due_ns);
	}
	return next;
}
