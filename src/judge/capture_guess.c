/* SPDX-License-Identifier: MIT */
/*
 * Without the receiver's table: what looks like a desync, and may be something else. Undecided, of confidence possible; each
 * says what would tell.
 */
#include "judge/capture_private.h"

static struct capture_case *add_guess(struct capture_judge *j, uint32_t flow, enum rule rule, enum cause cause)
{
	struct capture_case *c = capture_add_case(j, flow);

	if (!c)
		return NULL;
	c->verdict = VERDICT_UNDECIDED;
	c->rule = rule;
	c->cause = cause;
	c->confidence = CONFIDENCE_POSSIBLE;
	c->flags = c->encap_udp ? FLAG_NAT_T : 0;
	return c;
}

/* The latest SA of the pair that a live sender uses; NOBODY. */
static uint32_t latest_proven(const struct capture_judge *j, struct capture_pair pair)
{
	uint32_t found = NOBODY;

	for (uint32_t i = pair.first; i < pair.first + pair.count; i++)
		if (capture_is_proven(j->sorted[i]) && (found == NOBODY || j->sorted[i]->last_ns > j->sorted[found]->last_ns))
			found = i;
	return found;
}

static void guess_one_way(struct capture_judge *j, struct capture_pair pair)
{
	uint32_t latest = latest_proven(j, pair);
	int64_t first;

	if (latest == NOBODY || !(j->marks[pair.first] & MARK_ONE_WAY))
		return;
	first = j->sorted[pair.first]->first_ns;
	if (j->sorted[latest]->last_ns - first < CAPTURE_ONE_WAY_NS)
		return;
	/* The sender's SA lives, and nothing comes back: a delete that got lost looks like that, and much else does. */
	add_guess(j, latest, RULE_CAPTURE_ONE_WAY, CAUSE_DELETE_LOST);
}

/* The sender goes on with an SA after it began with a newer one, beyond the overlap of a rekey. With more than two SAs at
 * once there are several children, and nothing can be told. */
static void guess_kept_spi(struct capture_judge *j, struct capture_pair pair)
{
	int64_t late = j->judge->settings.overlap_ns + CAPTURE_SLACK_NS, before = INT64_MIN;
	uint32_t end = pair.first + pair.count;

	for (uint32_t i = pair.first; i + 1 < end; i++) {
		const struct packet_flow *old = j->sorted[i], *next = j->sorted[i + 1];
		struct capture_case *c;

		if (i > pair.first && j->sorted[i - 1]->has_times && j->sorted[i - 1]->last_ns > before)
			before = j->sorted[i - 1]->last_ns; /* the last of all that began earlier */
		if (!capture_is_proven(old) || !capture_is_proven(next) || !capture_is_newborn(next))
			continue;
		if (next->first_ns - old->first_ns < SECOND_NS || old->last_ns - next->first_ns < late)
			continue;
		if (before >= next->first_ns || (i + 2 < end && j->sorted[i + 2]->has_times && j->sorted[i + 2]->first_ns <= old->last_ns))
			continue; /* a third one at the same time */
		c = add_guess(j, i, RULE_CAPTURE_SPI_KEPT, CAUSE_REKEY_COLLISION);
		if (c)
			c->other = i + 1;
	}
}

void capture_guess_pair(struct capture_judge *j, struct capture_pair pair)
{
	guess_one_way(j, pair);
	guess_kept_spi(j, pair);
}

void capture_guess_notify(struct capture_judge *j, uint32_t notify)
{
	const struct packet_flow *n = j->sorted[notify];
	struct capture_case *c;

	if (j->marks[notify] & MARK_TOLD)
		return;
	c = add_guess(j, notify, RULE_CAPTURE_NOTIFY, CAUSE_RECEIVER_LOST_STATE);
	if (!c)
		return;
	c->is_notify = true;
	c->notify = notify;
	c->src = n->key.dst; /* who is told is who sent the stray */
	c->dst = n->key.src;
	c->protocol = n->bad_protocol ? n->bad_protocol : SPIMEND_PROTOCOL_ESP;
	c->packets = 0;
	for (uint8_t udp = 0; udp < 2; udp++) {
		struct packet_key key = { c->src, c->dst, c->protocol, udp, c->spi };
		const struct packet_flow *f = packet_flows_find(&j->flows, &key);

		c->packets += f ? f->packets : 0;
		c->encap_udp |= f && udp;
	}
}
