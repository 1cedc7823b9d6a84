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
	int64_t late = j->judge->settings.overlap_ns + CAPTURE_SLACK_NS;

	for (uint32_t i = pair.first; i + 1 < pair.first + pair.count; i++) {
		const struct packet_flow *old = j->sorted[i], *next = j->sorted[i + 1];
		struct capture_case *c;
		uint32_t together = 0;

		if (!capture_is_proven(old) || !capture_is_proven(next) || !capture_is_newborn(next))
			continue;
		if (next->first_ns - old->first_ns < SECOND_NS || old->last_ns - next->first_ns < late)
			continue;
		for (uint32_t k = pair.first; k < pair.first + pair.count; k++)
			together += j->sorted[k]->has_times && j->sorted[k]->first_ns <= old->last_ns &&
				    j->sorted[k]->last_ns >= next->first_ns;
		if (together != 2)
			continue;
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

	for (uint32_t i = 0; i < j->case_count; i++)
		if (j->cases[i].notify == notify)
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
