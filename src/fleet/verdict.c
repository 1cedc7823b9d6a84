/* SPDX-License-Identifier: MIT */
/*
 * What a round of readings proves. R was read, then S, then R again (devices.md 1): what S sends with must be one of R's
 * inbound SPIs after the second reading. What R had before it and has no more is a rekey under way and proves nothing; what
 * it had neither before nor after is a desync. Of a sender behind NAT R may list its SAs under any address: there only what
 * R complained of counts, and that R's whole table of SPIs did not have it, before and after.
 */
#include "fleet/fleet_private.h"

bool table_has(const struct spimend_spi *spis, uint32_t count, struct spimend_spi spi)
{
	for (uint32_t i = 0; i < count; i++)
		if (spis[i].value == spi.value)
			return true;
	return false;
}

bool round_is_sdwan(const struct round *round)
{
	return round->r1.controller || round->s.controller || round->r2.controller;
}

static enum platform platform_of(const struct fleet *f, uint32_t device)
{
	const struct config_device *d = device_config(f, device);

	return d ? d->platform : PLATFORM_UNKNOWN;
}

/* devices.md 5: when unsure, it is SD-WAN. A tunnel on a router that also has SD-WAN tunnels, one whose interface is named
 * like those, and one of which R shows no flow, is IKE's only if an IKE SA is there (B16). */
bool round_needs_ike(const struct fleet *f, const struct case_file *c, const struct round *round)
{
	if (round_is_sdwan(round) || round->r1.other_keys || round->r2.other_keys || round->s.other_keys)
		return false;
	if (c->s == NONE && !round->r2.flows)
		return false; /* a stranger, of whatever kind */
	return platform_of(f, c->r) == PLATFORM_SDWAN || platform_of(f, c->s) == PLATFORM_SDWAN ||
	       platform_of(f, c->r) == PLATFORM_UNKNOWN || round->r1.sdwan_interface || round->s.sdwan_interface ||
	       kind_from_interface(text_of(c->is.interface)) == TUNNEL_SDWAN || (!round->r2.flows && !round->s.flows);
}

static enum keys keys_of_round(const struct fleet *f, const struct case_file *c, const struct round *round)
{
	if (round_is_sdwan(round)) /* before the other: a clear is the worse mistake, and both forbid it */
		return KEYS_CONTROLLER;
	if (round->r1.other_keys || round->r2.other_keys || round->s.other_keys)
		return KEYS_OTHER;
	if (!round->r2.flows && !round->s.flows)
		return KEYS_UNKNOWN;
	if (round_needs_ike(f, c, round) && !round->ike_up)
		return KEYS_UNKNOWN;
	return KEYS_IKE;
}

/* T23, B17: the flow is there without an SA, nothing was counted on it, before and after, and BFD is down. */
static bool is_bare(const struct table *t)
{
	return t->flows && t->flows_without == t->flows && t->has_counters && !t->encaps && !t->decaps;
}

static bool r_accepts(const struct round *round, struct spimend_spi spi)
{
	return table_has(round->r2.in, round->r2.in_count, spi) ||
	       (round->local_read && table_has(round->local, round->local_count, spi));
}

static bool is_blind(const struct table *t)
{
	return !t->read || t->overfull;
}

/* S's outbound SPIs, one by one. */
static enum proof compare(const struct round *round, struct finding *ret)
{
	const struct spimend_spi *out = round->s.out;
	uint32_t count = round->s.out_count;
	bool moving = false;

	if (round_is_sdwan(round) && round->outbound_read && round->outbound_found && !round->outbound_many) {
		out = &round->outbound;
		count = 1;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (r_accepts(round, out[i]))
			continue;
		if (table_has(round->r1.in, round->r1.in_count, out[i])) {
			moving = true;
			continue;
		}
		ret->stale = out[i];
		ret->stale_left_s = out == round->s.out ? round->s.left_s[i] : 0;
		return PROOF_DESYNC;
	}
	return moving ? PROOF_MOVING : count ? PROOF_AGREE : PROOF_QUIET;
}

/* The same for a sender behind NAT. */
static enum proof compare_behind_nat(const struct case_file *c, const struct round *round, struct finding *ret)
{
	bool moving = false, unclear = false;

	for (uint32_t i = 0; i < round->s.out_count; i++) {
		struct spimend_spi out = round->s.out[i];
		uint32_t told = 0;

		if (r_accepts(round, out) || (round->after_read && round->active_after >> i & 1))
			continue;
		while (told < c->is.spi_count && c->is.spis[told].value != out.value)
			told++;
		if (told == c->is.spi_count || !round->before_read || !round->after_read) {
			unclear = true;
		} else if (table_has(round->r1.in, round->r1.in_count, out) || round->active_before >> told & 1) {
			moving = true;
		} else {
			ret->stale = out;
			ret->stale_left_s = round->s.left_s[i];
			return PROOF_DESYNC;
		}
	}
	return moving ? PROOF_MOVING : unclear ? PROOF_NONE : round->s.out_count ? PROOF_AGREE : PROOF_QUIET;
}

static enum proof without_sender(const struct case_file *c, const struct round *round)
{
	if (!round->r1.flows && !round->r2.flows && c->s == NONE)
		return PROOF_STRANGER;
	return PROOF_ONE_END;
}

static enum proof prove_controller(const struct case_file *c, const struct round *round, struct finding *ret)
{
	enum proof proof;

	if (is_bare(&round->r1) && is_bare(&round->r2))
		return round->bfd_found && !round->bfd_up ? PROOF_CLEARED : PROOF_NONE;
	if (c->s == NONE || is_blind(&round->s))
		return PROOF_ONE_END;
	if (!round->s.flows && !round->outbound_found)
		return PROOF_NO_FLOW;
	proof = compare(round, ret);
	if (proof == PROOF_DESYNC && (!round->local_read || round->local_overfull))
		return PROOF_NONE; /* the SD-WAN side was not read: it may have it */
	if (proof == PROOF_AGREE && round->bfd_found && !round->bfd_up)
		return PROOF_BFD_DOWN;
	return proof;
}

struct finding round_prove(const struct fleet *f, const struct case_file *c, const struct round *round)
{
	struct finding found = { .proof = PROOF_NONE };

	if (is_blind(&round->r1) || is_blind(&round->r2))
		return found;
	found.keys = keys_of_round(f, c, round);
	if (found.keys == KEYS_CONTROLLER) {
		found.proof = prove_controller(c, round, &found);
		found.cause = found.proof == PROOF_CLEARED ? CAUSE_CONTROLLER_SA_CLEARED : CAUSE_CONTROLLER_KEY_LAG;
		found.confidence = found.proof == PROOF_CLEARED ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
		return found;
	}
	if (found.keys == KEYS_OTHER) {
		found.proof = PROOF_OTHER_KEYS;
		return found;
	}
	if (c->s == NONE || is_blind(&round->s)) {
		found.proof = without_sender(c, round);
		return found;
	}
	if (!round->s.flows) {
		found.proof = PROOF_NO_FLOW;
		return found;
	}
	found.proof = nat_is_behind(c) ? compare_behind_nat(c, round, &found) : compare(round, &found);
	if (found.proof == PROOF_DESYNC && !round->r2.in_count) {
		found.cause = CAUSE_RECEIVER_LOST_STATE;
		found.confidence = CONFIDENCE_POSSIBLE;
	}
	if (found.proof == PROOF_DESYNC && found.keys != KEYS_IKE)
		found.proof = PROOF_UNSURE;
	return found;
}
