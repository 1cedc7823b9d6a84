/* SPDX-License-Identifier: MIT */
/*
 * From what a round proved to what is done: nothing, wait and look again, ask a person, type one step, or see whether it
 * helped. A step is typed only behind a second proof that names the same SA as the first, by a round that has just ended,
 * with both ends locked; nothing else is typed at either of them before it is known whether it helped.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "fleet/fleet_private.h"

#define AGAIN_NS (15 * SECOND_NS)
#define TRY_AGAIN_NS (MINUTE_NS + 5 * SECOND_NS) /* beyond the first pause of a device that did not answer */
#define ROOM_AGAIN_NS SECOND_NS

/* --- What a proof says ------------------------------------------------------------------------------------------ */

static void note_keys(struct fleet *f, struct case_file *c, const struct finding *found)
{
	if (found->keys == KEYS_UNKNOWN)
		return;
	keys_remember(f, c->r, &c->is.src, found->keys);
	keys_remember(f, c->s, &c->is.dst, found->keys);
	c->is.has_ike = found->keys == KEYS_IKE;
	if (found->keys == KEYS_CONTROLLER)
		c->is.tunnel_kind = TUNNEL_SDWAN;
	else
		c->is.tunnel_kind = found->keys == KEYS_OTHER ? TUNNEL_IKELESS : TUNNEL_UNKNOWN;
}

static void judge(struct fleet *f, struct case_file *c, enum verdict verdict, enum rule rule, const struct finding *found)
{
	c->is.verdict = verdict;
	c->is.rule = rule;
	c->is.cause = verdict == VERDICT_DESYNC ? found->cause : CAUSE_UNKNOWN;
	c->is.confidence = verdict == VERDICT_DESYNC ? found->confidence : CONFIDENCE_NONE;
	c->is.decided = f->now.wall;
}

static bool is_fault(enum proof proof)
{
	return proof == PROOF_DESYNC || proof == PROOF_CLEARED;
}

static bool traffic_flows(const struct case_file *c);
static bool did_a_step(const struct case_file *c);

/* Over without anything to do. */
static void end_harmless(struct fleet *f, struct case_file *c, const struct finding *found)
{
	bool was_fault = c->is.verdict == VERDICT_DESYNC;

	if (found->proof == PROOF_STRANGER) {
		judge(f, c, VERDICT_NOISE, RULE_STRANGER, found);
		case_say(c, "%s has no tunnel with that source, which is no device of the inventory. A device of yours behind NAT that %s lost "
			 "all of would look the same.", c->is.receiver, c->is.receiver);
	} else {
		if (!was_fault)
			judge(f, c, VERDICT_TRANSIENT, RULE_TABLES_AGREE, found);
		if (found->proof == PROOF_AGREE && did_a_step(c)) { /* and whoever had typed it died before he looked */
			case_say(c, "The ends agree, after a step whose end nobody saw.");
			case_end(f, c, traffic_flows(c) ? STATE_HEALED : STATE_UNVERIFIED);
			return;
		}
		case_say(c, found->proof == PROOF_QUIET ? "The sender has no outbound SA with it now: it healed by itself, or it was noise." :
							   "What the sender sends with is an SA that the receiver has: it healed by itself.");
	}
	case_end(f, c, STATE_CLOSED);
}

static const char *person_needed(const struct case_file *c, enum proof proof)
{
	switch (proof) {
	case PROOF_ONE_END:
		return c->s == NONE ? "The sender is no device of the inventory: one end alone proves nothing. The plan is for a person." :
				      "The sender could not be read: one end alone proves nothing. The plan is for a person.";
	case PROOF_NO_FLOW:
		return "The sender lists no tunnel with that address: NAT in between, or another device has it. The plan is for a person.";
	case PROOF_OTHER_KEYS:
		return "The tunnel has manual or group keys: nothing may be cleared, and nothing is repaired here.";
	case PROOF_UNSURE:
		return "The sender uses an SA that the receiver lacks, and whether IKE makes the keys is not sure: it is taken for SD-WAN, where "
		       "a clear breaks the tunnel (B17). A person has to say.";
	case PROOF_BFD_DOWN:
		return "The SAs of both ends agree, and BFD is down: another fault than this one. A person has to look.";
	case PROOF_MOVING:
		return "The SAs change at each reading: a person has to look.";
	default:
		return nat_is_behind(c) && c->now.s.read ?
		       "The sender is behind NAT, and whether the receiver has its SA under another address could not be read: a person has to look." :
		       "No reading of it is evidence.";
	}
}

/* What the sender sends with and the receiver has not, and when that would have ended by itself. */
static void take_stale(struct fleet *f, struct case_file *c, const struct finding *found)
{
	c->is.has_stale = found->proof == PROOF_DESYNC || found->proof == PROOF_UNSURE;
	c->is.stale = found->stale;
	if (c->is.has_stale && found->stale_left_s && found->stale_left_s < INT64_MAX / SECOND_NS / 4)
		c->is.stale_ends.ns = f->now.wall.ns + (int64_t)found->stale_left_s * SECOND_NS;
}

static void end_undecided(struct fleet *f, struct case_file *c, const struct finding *found)
{
	if (found->proof == PROOF_UNSURE) {
		take_stale(f, c, found);
		judge(f, c, VERDICT_DESYNC, RULE_SA_TABLE, found);
	} else if (c->is.verdict != VERDICT_DESYNC) {
		judge(f, c, VERDICT_UNDECIDED, RULE_NOT_READ, found);
	}
	if (found->proof == PROOF_ONE_END && c->s == NONE && c->nat.searched)
		nat_say(c);
	else
		case_say(c, "%s%s%s", person_needed(c, found->proof), c->now.why[0] ? " " : "", c->now.why);
	case_end(f, c, STATE_GAVE_UP);
}

/* Not what it takes to decide: once more later, a few times. */
static void try_again(struct fleet *f, struct case_file *c, const struct finding *found)
{
	bool moving = found->proof == PROOF_MOVING;
	bool may_change = found->proof == PROOF_NONE || (found->proof == PROOF_ONE_END && c->s != NONE);

	devices_unlock(f, c);
	if (moving && ++c->changes < FLEET_CHANGES_MAX) {
		case_say(c, "A rekey was going on between the readings.");
		case_wait(c, c->purpose, f->now.mono_ns + AGAIN_NS);
	} else if (!moving && may_change && ++c->tries < FLEET_TRIES_MAX) {
		case_say(c, "No evidence yet: %s.", c->now.why[0] ? c->now.why : "what was read does not fit together");
		case_wait(c, c->purpose, f->now.mono_ns + TRY_AGAIN_NS);
	} else {
		end_undecided(f, c, found);
		return;
	}
	case_keep(f, c);
}

/* --- May it be repaired ----------------------------------------------------------------------------------------- */

bool mend_may_act(const struct fleet *f, const struct case_file *c, enum keys keys, struct buffer *why)
{
	const struct config_device *d = device_config(f, keys == KEYS_CONTROLLER ? c->r : c->s);
	enum peer_mode src = fleet_peer_mode(f, &c->is.src), dst = fleet_peer_mode(f, &c->is.dst);

	if (f->config->mode == MODE_OBSERVE)
		buffer_add_string(why, "Mode observe: it is only judged.");
	else if (f->config->mode != MODE_REPAIR)
		buffer_add_string(why, "Mode advise: the plan is for a person.");
	else if (src == PEER_OBSERVE || dst == PEER_OBSERVE || src == PEER_IGNORE || dst == PEER_IGNORE)
		buffer_add_string(why, "The peer is only to be observed.");
	else if (!d)
		buffer_add_string(why, "The end to act at is no device of the inventory.");
	else if (!d->may_repair)
		buffer_printf(why, "Device %s has no 'rights repair': the plan is for a person.", d->name);
	return !why->len;
}

static void plan_only(struct fleet *f, struct case_file *c, const struct buffer *why)
{
	devices_unlock(f, c);
	c->is.state = STATE_OPEN;
	case_say(c, "%.*s", TEXT_ARG(buffer_text(why)));
	if (++c->rechecks > f->settings.rechecks) {
		case_end(f, c, STATE_GAVE_UP);
		return;
	}
	case_wait(c, LOOK_RECHECK, f->now.mono_ns + f->settings.recheck_ns);
	case_keep(f, c);
}

static void found_fault(struct fleet *f, struct case_file *c, const struct finding *found)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];
	struct buffer why cleanup(buffer_done) = { 0 };
	bool is_new = c->is.verdict != VERDICT_DESYNC;

	c->first = *found;
	take_stale(f, c, found);
	judge(f, c, VERDICT_DESYNC, found->proof == PROOF_CLEARED ? RULE_SDWAN_CLEARED : RULE_SA_TABLE, found);
	if (is_new)
		budget_fell(f->budget, &c->is.src, f->now.mono_ns);
	spimend_address_print(&c->is.src, src);
	spimend_address_print(&c->is.dst, dst);
	if (is_new && found->proof == PROOF_CLEARED)
		fleet_notice(f, 4, "incident %s: the SD-WAN SA of %s with %s was cleared by hand: it does not come back by itself", c->is.id,
			     c->is.receiver, src);
	else if (is_new)
		fleet_notice(f, 4, "incident %s: %s sends to %s with SPI 0x%08x, which %s had neither before nor after: a desync", c->is.id, src,
			     dst, found->stale.value, c->is.receiver);
	if (!mend_may_act(f, c, found->keys, &why)) {
		plan_only(f, c, &why);
		return;
	}
	case_say(c, "It is given time to end by itself, and then looked at once more.");
	case_wait(c, LOOK_CONFIRM, f->now.mono_ns + f->settings.wait_ns);
	case_keep(f, c);
}

/* --- One step --------------------------------------------------------------------------------------------------- */

static struct budget_request request_of(const struct fleet *f, struct case_file *c, uint32_t device)
{
	return (struct budget_request){ &device_config(f, device)->address, !c->took_budget, true, f->jitter };
}

static void roll_jitter(struct fleet *f)
{
	f->jitter = f->jitter * 1664525u + 1013904223u;
}

/* The step that a person agreed to, or a new one, is ordered: kept first, then journalled, then sent. */
static void type_step(struct fleet *f, struct case_file *c, const struct fleet_step *step, uint32_t device)
{
	struct device_order order = { .device = device, .verb = step->verb, .peer = step->peer, .protocol = step->protocol,
				      .spi = step->spi, .color = step->color };
	struct budget_request request = request_of(f, c, device);
	bool announced = c->step != NONE && step_is_agreed(&c->is.steps[c->step]);
	bool approved = announced && c->is.steps[c->step].state == FLEET_STEP_APPROVED;
	struct fleet_step *to;

	if (!announced) {
		c->step = c->is.step_count++;
		c->is.steps[c->step] = *step;
	}
	to = &c->is.steps[c->step];
	to->state = FLEET_STEP_ORDERED;
	to->ordered = f->now.wall;
	to->request = f->next_request;
	c->is.state = STATE_ACTING;
	c->before = c->now.r2;
	c->ordered_ns = f->now.mono_ns;
	budget_spend(f->budget, &request, f->now.mono_ns);
	roll_jitter(f);
	c->took_budget = true;
	case_say(c, "Typed on %s: %s", to->on, to->command);
	case_keep(f, c);
	fleet_journal(f, device, "incident %s: %s, by %s%s", c->is.id, to->command,
		      approved ? "the word of " : announced ? "the configuration, which asks for nobody" : "the rule", approved ? to->who : "");
	order_give(f, c, &order);
	c->phase = PHASE_ORDERED;
	fleet_notice(f, 5, "incident %s: on %s: %s%s%s", c->is.id, to->on, to->command,
		     approved ? ", approved by " : announced ? ", unattended" : "", approved ? to->who : "");
}

static void act(struct fleet *f, struct case_file *c, const struct finding *found)
{
	struct buffer why cleanup(buffer_done) = { 0 };
	struct budget_request request;
	struct fleet_step step;
	uint32_t device = NONE;
	int64_t again;
	bool has, holds;

	if (!mend_may_act(f, c, found->keys, &why)) {
		plan_only(f, c, &why);
		return;
	}
	has = ladder_next(f, c, found, &step, &device);
	holds = mend_approval_holds(f, c, &step, has);
	if (!case_is_open(c))
		return;
	if (!has || c->is.step_count == FLEET_STEPS_MAX) {
		case_say(c, "Every step that may be taken was taken: a person is needed.");
		case_end(f, c, STATE_GAVE_UP);
		return;
	}
	if (step.needs_person && !holds) {
		mend_offer(f, c, &step);
		return;
	}
	if (!window_lets(f, c, device))
		return;
	request = request_of(f, c, device);
	if (budget_ask(f->budget, &request, f->now.mono_ns, &again)) {
		f->figures.over_budget++;
		devices_unlock(f, c);
		case_say(c, "The budget of repairs does not allow the next step yet.");
		case_wait(c, LOOK_CONFIRM, again > f->now.mono_ns ? again : f->now.mono_ns + ROOM_AGAIN_NS);
	} else if (!fleet_may_order(f) || f->devices[device].request) {
		devices_unlock(f, c);
		case_wait(c, LOOK_CONFIRM, f->now.mono_ns + ROOM_AGAIN_NS);
	} else if (!holds && !device_verb_clears_sa(step.verb)) {
		mend_announce(f, c, &step);
	} else {
		type_step(f, c, &step, device);
	}
}

void mend_step_over(struct fleet *f, struct case_file *c)
{
	struct fleet_step *step = &c->is.steps[c->step];
	const struct device_result *result = &c->pending.result;
	uint32_t device = c->pending.device;
	struct budget_request request = request_of(f, c, device);
	bool refused = result->outcome == DEVICE_REFUSED, undone = refused || !result->typed;

	f->devices[device].request = 0;
	c->pending.request = 0;
	step->ended = f->now.wall;
	snprintf(step->outcome, sizeof(step->outcome), "%s", result->why[0] ? result->why : device_outcome_name(result->outcome));
	step->state = refused ? FLEET_STEP_REFUSED : undone ? FLEET_STEP_NOT_DONE : FLEET_STEP_DONE;
	fleet_journal(f, device, "incident %s: request %llu: %s: %s", c->is.id, (unsigned long long)result->request,
		      fleet_step_state_name(step->state), step->outcome);
	if (!undone) {
		case_say(c, "Waiting for the proof that it helped.");
		case_wait(c, LOOK_VERIFY, f->now.mono_ns + f->settings.verify_first_ns);
		case_keep(f, c);
		return;
	}
	request.is_first = true; /* as it was spent, where it was the first; for the others the window has no such instant */
	budget_return(f->budget, &request, c->ordered_ns);
	c->took_budget = false;
	devices_unlock(f, c);
	c->is.state = STATE_OPEN;
	if (!refused) {
		device_answered(f, device, false);
		if (++c->tries >= FLEET_TRIES_MAX) {
			case_say(c, "%s cannot be reached to repair it: %s.", step->on, step->outcome);
			case_end(f, c, STATE_GAVE_UP);
			return;
		}
	}
	case_say(c, "%s: %s.", step->command, step->outcome);
	case_wait(c, LOOK_CONFIRM, f->now.mono_ns + (refused ? ROOM_AGAIN_NS : TRY_AGAIN_NS));
	case_keep(f, c);
}

/* --- Did it help ------------------------------------------------------------------------------------------------ */

static bool counts_up(const struct table *from, const struct table *to, struct spimend_spi spi)
{
	for (uint32_t i = 0; i < from->in_count; i++)
		for (uint32_t k = 0; k < to->in_count; k++)
			if (from->in[i].value == spi.value && to->in[k].value == spi.value)
				return to->decaps_in[k] > from->decaps_in[i];
	return false;
}

/* Packets are accepted on an SA that S sends with now and, over IKE, that was made since. */
static bool traffic_flows(const struct case_file *c)
{
	const struct round *r = &c->now;
	bool sdwan = round_is_sdwan(r);

	for (uint32_t i = 0; i < r->r2.in_count; i++) {
		struct spimend_spi spi = r->r2.in[i];

		if (!sdwan && (!table_has(r->s.out, r->s.out_count, spi) || table_has(c->before.in, c->before.in_count, spi)))
			continue;
		if (counts_up(&r->r1, &r->r2, spi) ||
		    (c->last.r2.read && c->last.begun_ns > c->ordered_ns && counts_up(&c->last.r2, &r->r2, spi)))
			return true;
	}
	return false;
}

static void not_helped(struct fleet *f, struct case_file *c, const struct finding *found)
{
	int32_t device = device_find(&f->config->devices, text_of(c->is.steps[c->step].on));

	devices_unlock(f, c);
	if (device >= 0)
		budget_release(f->budget, &f->config->devices.at[device].address, false, f->now.mono_ns);
	c->first = *found;
	c->is.state = STATE_OPEN;
	take_stale(f, c, found);
	case_say(c, "%s did not help.", c->is.steps[c->step].command);
	fleet_notice(f, 4, "incident %s: %s did not help", c->is.id, c->is.steps[c->step].command);
	case_wait(c, LOOK_CONFIRM, f->now.mono_ns + f->settings.verify_first_ns);
	case_keep(f, c);
}

static void verify(struct fleet *f, struct case_file *c, const struct finding *found)
{
	bool sdwan = c->is.tunnel_kind == TUNNEL_SDWAN;
	bool agree = found->proof == PROOF_AGREE || (sdwan && found->proof == PROOF_ONE_END);
	struct fleet_step *step = &c->is.steps[c->step];

	if (agree && traffic_flows(c) && (!sdwan || (c->now.bfd_found && c->now.bfd_up))) {
		step->helped = true;
		case_say(c, "%s: the sender uses an SA that %s has, and packets are accepted on it%s.", step->command, c->is.receiver,
			 sdwan ? ", and BFD is up" : "");
		case_end(f, c, STATE_HEALED);
	} else if (f->now.mono_ns - c->ordered_ns < f->settings.verify_ns) {
		case_wait(c, LOOK_VERIFY, f->now.mono_ns + f->settings.verify_gap_ns);
	} else if (is_fault(found->proof) || found->proof == PROOF_BFD_DOWN) {
		not_helped(f, c, found);
	} else {
		case_say(c, agree ? "The ends agree after it, and no packet came to prove that it works." :
			    found->proof == PROOF_QUIET ? "The sender has no SA with it after the step, and makes one when there is traffic." :
							  "Whether it helped cannot be read: a person has to look.");
		case_end(f, c, STATE_UNVERIFIED);
	}
}

/* --- A round is over -------------------------------------------------------------------------------------------- */

/* For this pair of ends. */
static bool did_a_step(const struct case_file *c)
{
	for (uint32_t i = c->steps_before; i < c->is.step_count; i++)
		if (c->is.steps[i].state == FLEET_STEP_DONE)
			return true;
	return false;
}

static void confirm(struct fleet *f, struct case_file *c, struct finding *found)
{
	if (found->proof == PROOF_BFD_DOWN && did_a_step(c)) {
		act(f, c, found);
	} else if (found->proof == c->first.proof && found->stale.value == c->first.stale.value && is_fault(found->proof)) {
		act(f, c, found);
	} else if (is_fault(found->proof)) { /* a fault, but not the one that was seen: it has to be seen twice */
		mend_approval_holds(f, c, NULL, false);
		devices_unlock(f, c);
		if (!case_is_open(c))
			return;
		if (++c->changes >= FLEET_CHANGES_MAX) {
			found->proof = PROOF_MOVING;
			end_undecided(f, c, found);
		} else {
			found_fault(f, c, found);
		}
	} else if (found->proof == PROOF_AGREE || found->proof == PROOF_QUIET) {
		mend_approval_holds(f, c, NULL, false);
		if (case_is_open(c))
			end_harmless(f, c, found);
	} else {
		try_again(f, c, found);
	}
}

void mend_round_over(struct fleet *f, struct case_file *c)
{
	struct finding found = round_prove(f, c, &c->now);

	if (nat_settle(f, c, &found))
		return;
	memory_sharpen(c, &found);
	note_keys(f, c, &found);
	if (c->purpose == LOOK_VERIFY)
		verify(f, c, &found);
	else if (c->purpose == LOOK_CONFIRM)
		confirm(f, c, &found);
	else if (is_fault(found.proof))
		found_fault(f, c, &found);
	else if (found.proof == PROOF_AGREE || found.proof == PROOF_QUIET || found.proof == PROOF_STRANGER)
		end_harmless(f, c, &found);
	else
		try_again(f, c, &found);
}
