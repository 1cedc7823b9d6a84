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
	*hand = (struct hand){ .peer = *peer, .first = c->next_order, .count = ret->count, .open = ret->count,
			       .since_ns = now.mono_ns };
	for (uint32_t i = 0; i < ret->count; i++) {
		const struct core_clear_order *o = &ret->orders[i];
		struct core_output *output = core_emit(c, CORE_ORDER);

		ret->orders[i].order = c->next_order++;
		c->orders++;
		if (output)
			output->order = (struct order){ .id = ret->orders[i].order, .verb = o->verb, .daemon = o->daemon,
							.child_id = o->child_id, .connection = o->connection, .peer = *peer,
							.opens_ike = request.backs_off };
	}
	return true;
}

static void close_hand(struct core *c, struct hand *hand)
{
	budget_release(c->budget, &hand->peer, hand->failed == 0, c->now.mono_ns);
	hand->open = 0;
	for (uint32_t d = 0; d < GATEWAY_DAEMONS_MAX; d++)
		if (c->daemons[d].known)
			mirror_want(c, (uint16_t)d);
}

bool hand_result(struct core *c, const struct order_result *result)
{
	for (size_t i = 0; i < CORE_HANDS_MAX; i++) {
		struct hand *hand = &c->hands[i];

		if (!hand->open || result->id < hand->first || result->id - hand->first >= hand->count ||
		    hand->told >> (result->id - hand->first) & 1)
			continue;
		hand->told |= 1u << (result->id - hand->first);
		hand->failed += result->outcome != OUTCOME_DONE;
		c->orders_failed += result->outcome != OUTCOME_DONE;
		say_notice(c, result->outcome == OUTCOME_DONE ? 5 : 4, "clear crypto sa peer: order %" PRIu64 " %s%s%s", result->id,
			   order_outcome_name(result->outcome), result->text[0] ? ": " : "", result->text);
		if (--hand->open == 0)
			close_hand(c, hand);
		return true;
	}
	return false;
}

/* An answer that never comes holds nothing for ever. */
int64_t hand_tick(struct core *c)
{
	int64_t next = NEVER;

	for (size_t i = 0; i < CORE_HANDS_MAX; i++) {
		struct hand *hand = &c->hands[i];
		int64_t due = hand->since_ns + 2 * c->config.order_timeout_ns;

		if (!hand->open)
			continue;
		if (c->now.mono_ns >= due) {
			hand->failed += hand->open;
			say_notice(c, 4, "clear crypto sa peer: %" PRIu32 " of %" PRIu32 " orders were not answered", hand->open, hand->count);
			close_hand(c, hand);
		} else {
			next = earlier(next, due);
		}
	}
	return next;
}
