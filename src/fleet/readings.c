/* SPDX-License-Identifier: MIT */
/* A round of readings: R, S, R again, and what the kind of the tunnel asks for beyond that. One command at a time on a
 * device, so many rounds at once, so many begun in a minute. */
#include <stdio.h>
#include <string.h>

#include "fleet/fleet_private.h"

#define ANSWER_MORE_NS (15 * SECOND_NS) /* beyond the time that a command has, for the roles in between */
#define AGAIN_NS SECOND_NS
#define LOCK_AGAIN_NS (5 * SECOND_NS)
#define BESIDE_NS (15 * SECOND_NS) /* for a command whose answer is evidence, and not needed */

/* What decides comes before what is only evidence beside it; the second reading of the counters comes before what decides,
 * so that nothing is between that and a step. */
enum stage {
	STAGE_DROPS_AGAIN, STAGE_R1, STAGE_SPIS_BEFORE, STAGE_S, STAGE_SPIS_AFTER, STAGE_R2, STAGE_IKEV2_R,
	STAGE_ISAKMP_R, STAGE_IKEV2_S, STAGE_ISAKMP_S, STAGE_OUTBOUND, STAGE_LOCAL, STAGE_BFD, STAGE_CONTROL, STAGE_TRACE,
	STAGE_SPI_LOOKUP, STAGE_DROPS, STAGE_OMP_R, STAGE_OMP_S, STAGE_SITE, STAGES
};

static const struct {
	enum device_verb verb;
	bool at_sender, of_ike, of_sdwan;
	bool beside; /* it is not needed for a proof: see memory.c */
} stages[STAGES] = {
	[STAGE_DROPS_AGAIN] = { DEVICE_SHOW_DROPS, .beside = true },
	[STAGE_R1] = { .verb = DEVICE_SHOW_IPSEC_SA },
	[STAGE_SPIS_BEFORE] = { DEVICE_SHOW_SPI_LOOKUP, .beside = true },
	[STAGE_S] = { DEVICE_SHOW_IPSEC_SA, .at_sender = true },
	[STAGE_SPIS_AFTER] = { DEVICE_SHOW_SPI_LOOKUP, .beside = true },
	[STAGE_R2] = { .verb = DEVICE_SHOW_IPSEC_SA },
	[STAGE_IKEV2_R] = { DEVICE_SHOW_IKEV2_SA, .of_ike = true },
	[STAGE_ISAKMP_R] = { DEVICE_SHOW_ISAKMP_SA, .of_ike = true },
	[STAGE_IKEV2_S] = { DEVICE_SHOW_IKEV2_SA, .at_sender = true, .of_ike = true },
	[STAGE_ISAKMP_S] = { DEVICE_SHOW_ISAKMP_SA, .at_sender = true, .of_ike = true },
	[STAGE_OUTBOUND] = { DEVICE_SHOW_OUTBOUND, .at_sender = true, .of_sdwan = true },
	[STAGE_LOCAL] = { DEVICE_SHOW_LOCAL_SA, .of_sdwan = true },
	[STAGE_BFD] = { DEVICE_SHOW_BFD, .of_sdwan = true },
	[STAGE_CONTROL] = { DEVICE_SHOW_CONTROL, .of_sdwan = true },
	[STAGE_TRACE] = { DEVICE_SHOW_TRACE, .beside = true },
	[STAGE_SPI_LOOKUP] = { DEVICE_SHOW_SPI_LOOKUP, .beside = true },
	[STAGE_DROPS] = { DEVICE_SHOW_DROPS, .beside = true },
	[STAGE_OMP_R] = { DEVICE_SHOW_OMP_PEERS, .of_sdwan = true, .beside = true },
	[STAGE_OMP_S] = { DEVICE_SHOW_OMP_PEERS, .at_sender = true, .of_sdwan = true, .beside = true },
	[STAGE_SITE] = { DEVICE_SHOW_SITE, .of_sdwan = true, .beside = true },
};

struct table *round_table(struct case_file *c)
{
	if (c->phase != PHASE_READING || c->pending.verb != DEVICE_SHOW_IPSEC_SA)
		return NULL;
	return c->stage == STAGE_R1 ? &c->now.r1 : c->stage == STAGE_S ? &c->now.s : c->stage == STAGE_R2 ? &c->now.r2 : NULL;
}

bool round_lists_spis(const struct case_file *c, bool *ret_is_after)
{
	*ret_is_after = c->stage == STAGE_SPIS_AFTER;
	return c->phase == PHASE_READING && (c->stage == STAGE_SPIS_BEFORE || c->stage == STAGE_SPIS_AFTER);
}

/* --- Orders ----------------------------------------------------------------------------------------------------- */

bool order_is_answered(const struct pending *p)
{
	bool printed = p->result.outcome == DEVICE_DONE || p->result.outcome == DEVICE_REFUSED;

	return p->request && p->has_result && (p->has_end || !printed);
}

void order_give(struct fleet *f, struct case_file *c, struct device_order *order)
{
	const struct config_device *d = device_config(f, order->device);
	struct buffer command = { 0 };
	struct fleet_output *output;

	memset(&c->pending, 0, sizeof(c->pending));
	if (!fleet_may_order(f) || !device_command(order, d->platform, &command) || command.failed) {
		buffer_done(&command);
		return;
	}
	order->request = f->next_request++;
	order->mark = f->devices[order->device].mark;
	if (!order->within_ns)
		order->within_ns = f->settings.within_ns;
	fleet_journal(f, order->device, "incident %s: to be typed, request %llu: %.*s", c->is.id, (unsigned long long)order->request,
		      TEXT_ARG(buffer_text(&command)));
	buffer_done(&command);
	output = fleet_emit(f, FLEET_ORDER);
	output->order = *order;
	snprintf(output->of, sizeof(output->of), "%s", c->is.id);
	c->pending.request = order->request;
	c->pending.device = order->device;
	c->pending.verb = order->verb;
	c->pending.deadline_ns = f->now.mono_ns + order->within_ns + ANSWER_MORE_NS;
	f->devices[order->device].request = order->request;
	f->figures.orders++;
	f->figures.changes += device_verb_changes(order->verb);
}

/* --- A round ---------------------------------------------------------------------------------------------------- */

static bool may_begin(struct fleet *f, const struct case_file *c)
{
	if (f->now.mono_ns - f->minute_ns >= MINUTE_NS) {
		f->minute_ns = f->now.mono_ns;
		f->in_minute = 0;
	}
	if (f->under_way >= f->settings.looks_at_once)
		return false;
	/* What follows a proof, or a step of ours, does not wait behind hints: it is few, by the budget. Nor do senders of ours
	 * wait behind names that anybody can invent. */
	return c->purpose == LOOK_CONFIRM || c->purpose == LOOK_VERIFY ||
	       f->in_minute < (c->stranger ? f->settings.looks_a_minute / 2 : f->settings.looks_a_minute);
}

/* While another case changes one of its ends, what is read of it proves nothing. */
static bool is_changed_by_another(const struct fleet *f, const struct case_file *c)
{
	uint32_t r = f->devices[c->r].lock, s = c->s == NONE ? 0 : f->devices[c->s].lock;

	return (r && r != c->number) || (s && s != c->number);
}

void round_begin(struct fleet *f, struct case_file *c)
{
	if (!may_begin(f, c)) {
		f->figures.looks_held++;
		c->due_ns = f->now.mono_ns + AGAIN_NS;
		return;
	}
	case_find_sender(f, c);
	if (is_changed_by_another(f, c) || (c->purpose == LOOK_CONFIRM && !devices_lock(f, c, c->is.tunnel_kind == TUNNEL_SDWAN))) {
		c->due_ns = f->now.mono_ns + LOCK_AGAIN_NS;
		return;
	}
	f->under_way++;
	f->in_minute++;
	f->figures.looks++;
	c->counted_look = true;
	c->is.looks++;
	c->last = c->now;
	memset(&c->now, 0, sizeof(c->now));
	memory_close_round(c);
	c->now.begun_ns = f->now.mono_ns;
	c->phase = PHASE_READING;
	c->stage = 0;
	round_go_on(f, c);
}

static void end_round(struct fleet *f, struct case_file *c)
{
	f->under_way--;
	c->counted_look = false;
	mend_round_over(f, c);
}

static bool has_command(const struct fleet *f, uint32_t device, enum device_verb verb)
{
	struct device_order order = { .verb = verb };
	struct buffer out = { 0 };
	bool has = device_command(&order, device_config(f, device)->platform, &out);

	buffer_done(&out);
	return has;
}

/* Of what is only evidence. */
static bool is_asked_beside(const struct fleet *f, const struct case_file *c, unsigned stage, uint32_t device)
{
	if (f->devices[device].lacks & 1u << stages[stage].verb || !device_can_log_in(f, device))
		return false;
	if (stage == STAGE_SPIS_BEFORE || stage == STAGE_SPIS_AFTER)
		return nat_is_behind(c);
	if (stage == STAGE_DROPS_AGAIN)
		return c->purpose == LOOK_CONFIRM && c->memory.drops_read && !c->memory.drops_again;
	if (stage == STAGE_SITE)
		return c->purpose != LOOK_CONFIRM && c->purpose != LOOK_VERIFY && !f->devices[device].has_site;
	return memory_is_wanted(f, c);
}

/* Not needed for this tunnel, or S's and S is none of ours. */
static bool skips(const struct fleet *f, const struct case_file *c, unsigned stage)
{
	uint32_t device = stages[stage].at_sender ? c->s : c->r;

	if (device == NONE)
		return true;
	if (stages[stage].beside && !is_asked_beside(f, c, stage, device))
		return true;
	if (stages[stage].at_sender && stage != STAGE_S && c->now.s_failed)
		return true;
	if (stages[stage].of_ike && (!round_needs_ike(f, c, &c->now) || c->now.ike_up))
		return true;
	if (stages[stage].of_ike && !stages[stage].at_sender && nat_is_behind(c))
		return true; /* it would prove nothing: see take_ike() */
	if (stages[stage].of_sdwan && !round_is_sdwan(&c->now))
		return true;
	return (stages[stage].of_ike || stages[stage].of_sdwan || stages[stage].beside) &&
	       !has_command(f, device, stages[stage].verb);
}

/* It costs a note; and where the device has no such command, it is not asked for again. */
static void note_beside(struct fleet *f, struct case_file *c, uint32_t device, const char *why)
{
	bool is_after;

	if (!round_lists_spis(c, &is_after))
		memory_drop_rows(c);
	if (c->pending.result.outcome == DEVICE_REFUSED)
		f->devices[device].lacks |= 1u << c->pending.verb;
	case_evidence(f, c, FACT_NONE, device, "%s: not told: %s", device_verb_name(c->pending.verb), why);
}
_Static_assert(DEVICE_VERBS <= 32, "a bit a verb");

static void fail_reading(struct fleet *f, struct case_file *c, uint32_t device, const char *why)
{
	f->figures.no_evidence++;
	snprintf(c->now.why, sizeof(c->now.why), "%s: %s", device_config(f, device)->name, why);
	case_evidence(f, c, FACT_NONE, device, "%s: no evidence: %s", device_verb_name(stages[c->stage].verb), why);
	if (c->stage == STAGE_S)
		c->now.s_failed = true;
	if (c->stage == STAGE_R1 || c->stage == STAGE_R2)
		c->stage = STAGES; /* without R nothing is proved */
	else
		c->stage++;
}

void round_go_on(struct fleet *f, struct case_file *c)
{
	while (c->stage < STAGES) {
		uint32_t device = stages[c->stage].at_sender ? c->s : c->r;
		struct device_order order = { .device = device, .verb = stages[c->stage].verb };

		if (skips(f, c, c->stage)) {
			c->stage++;
			continue;
		}
		if (!device_can_log_in(f, device)) {
			fail_reading(f, c, device, f->devices[device].again_ns > f->now.mono_ns ? "it did not answer a moment ago" :
												  "nobody can log in to it");
			continue;
		}
		if (!has_command(f, device, order.verb)) {
			fail_reading(f, c, device, "its platform has no such command, or is not configured");
			continue;
		}
		if (f->devices[device].request)
			return; /* busy: at the next tick */
		if (stages[c->stage].beside) {
			order.within_ns = f->settings.within_ns < BESIDE_NS ? f->settings.within_ns : BESIDE_NS;
			if (c->stage > STAGE_R2 && c->stage != STAGE_SITE)
				memory_begin(f, c);
		}
		if (order.verb == DEVICE_SHOW_IPSEC_SA)
			order.peer = stages[c->stage].at_sender ? c->is.dst : c->is.src;
		order_give(f, c, &order);
		return;
	}
	end_round(f, c);
}

/* --- Answers ---------------------------------------------------------------------------------------------------- */

static bool is_devices_fault(enum device_outcome outcome)
{
	return outcome == DEVICE_NO_LOGIN || outcome == DEVICE_NO_ENABLE || outcome == DEVICE_LATE || outcome == DEVICE_LOST ||
	       outcome == DEVICE_UNCLEAR;
}

/* NULL: it is evidence. devices.md 3. */
static const char *why_no_evidence(const struct pending *p)
{
	if (p->result.outcome != DEVICE_DONE)
		return p->result.why[0] ? p->result.why : device_outcome_name(p->result.outcome);
	if (p->end.paged)
		return "a page prompt stood in what it printed";
	if (p->end.cut)
		return "what it printed is cut";
	if (!p->end.known)
		return "what it printed has a layout that is not known";
	return p->end.bad_rows ? "rows of what it printed could not be read" : NULL;
}

static void list_spis(const struct spimend_spi *spis, uint32_t count, struct buffer *out)
{
	if (!count)
		buffer_add_string(out, "nothing");
	for (uint32_t i = 0; i < count && i < 4; i++)
		buffer_printf(out, "%s0x%08x", i ? ", " : "", spis[i].value);
	if (count > 4)
		buffer_printf(out, " and %u more", count - 4);
}

static void say_table(struct fleet *f, struct case_file *c, const struct table *t, const char *command)
{
	struct buffer text = { 0 };

	buffer_printf(&text, "%s: %u flow%s%s%s; sends with ", command, t->flows, t->flows == 1 ? "" : "s",
		      t->controller ? ", keys from the controllers" : "", t->other_keys ? ", manual or group keys" : "");
	list_spis(t->out, t->out_count, &text);
	buffer_add_string(&text, "; accepts ");
	list_spis(t->in, t->in_count, &text);
	if (t->has_counters)
		buffer_printf(&text, "; encaps %llu, decaps %llu", (unsigned long long)t->encaps, (unsigned long long)t->decaps);
	case_evidence(f, c, FACT_SA_TABLE, c->pending.device, "%.*s", TEXT_ARG(buffer_text(&text)));
	fleet_journal(f, c->pending.device, "incident %s: %.*s", c->is.id, TEXT_ARG(buffer_text(&text)));
	buffer_done(&text);
}

static void take_reading(struct fleet *f, struct case_file *c)
{
	struct round *r = &c->now;
	struct table *t = round_table(c);
	uint32_t device = c->pending.device;

	switch (c->pending.verb) {
	case DEVICE_SHOW_IPSEC_SA:
		t->read = true;
		say_table(f, c, t, "show crypto ipsec sa peer");
		break;
	case DEVICE_SHOW_IKEV2_SA:
	case DEVICE_SHOW_ISAKMP_SA:
		r->ike_read = true;
		case_evidence(f, c, FACT_NONE, device, "%s: %s IKE SA of the two is up", device_verb_name(c->pending.verb),
			      r->ike_up ? "an" : "no");
		break;
	case DEVICE_SHOW_OUTBOUND:
		r->outbound_read = true;
		if (r->outbound_found)
			case_evidence(f, c, FACT_SA_TABLE, device, "show sdwan ipsec outbound-connections: 0x%08x", r->outbound.value);
		break;
	case DEVICE_SHOW_LOCAL_SA:
		r->local_read = true;
		case_evidence(f, c, FACT_SA_TABLE, device, "show sdwan ipsec local-sa: %u SAs of this address", r->local_count);
		break;
	case DEVICE_SHOW_BFD:
		r->bfd_read = true;
		case_evidence(f, c, r->bfd_found && !r->bfd_up ? FACT_BFD_DOWN : FACT_NONE, device,
			      "show sdwan bfd sessions: this one is %s, colour %s; %u are up",
			      !r->bfd_found ? "not listed" : r->bfd_up ? "up" : "down", device_color_name(r->color), r->bfd_all);
		break;
	case DEVICE_SHOW_CONTROL:
		r->control_read = true;
		case_evidence(f, c, FACT_NONE, device, "show sdwan control connections: %u are up", r->control_all);
		break;
	default:
		r->before_read |= c->stage == STAGE_SPIS_BEFORE;
		r->after_read |= c->stage == STAGE_SPIS_AFTER;
		if (c->stage == STAGE_DROPS_AGAIN || (c->stage > STAGE_R2 && c->stage != STAGE_SITE))
			memory_say(f, c);
		break;
	}
}

/* Rows of an output that is no evidence are none. */
static void forget_rows(struct case_file *c)
{
	struct round *r = &c->now;
	struct table *t = round_table(c);

	if (t)
		memset(t, 0, sizeof(*t));
	if (c->pending.verb == DEVICE_SHOW_IKEV2_SA || c->pending.verb == DEVICE_SHOW_ISAKMP_SA)
		r->ike_up = false;
	if (c->pending.verb == DEVICE_SHOW_OUTBOUND)
		r->outbound_found = r->outbound_many = false;
	if (c->pending.verb == DEVICE_SHOW_LOCAL_SA)
		r->local_count = 0;
	if (c->pending.verb == DEVICE_SHOW_BFD)
		r->bfd_found = r->bfd_up = false;
}

void round_answered(struct fleet *f, struct case_file *c)
{
	uint32_t device = c->pending.device;
	const char *why = why_no_evidence(&c->pending);
	char copy[DEVICE_REASON_MAX];

	f->devices[device].request = 0;
	if (c->pending.result.outcome == DEVICE_DONE || (is_devices_fault(c->pending.result.outcome) && !stages[c->stage].beside))
		device_answered(f, device, c->pending.result.outcome == DEVICE_DONE);
	if (why && stages[c->stage].beside) {
		fleet_journal(f, device, "incident %s: request %llu: %s", c->is.id, (unsigned long long)c->pending.request, why);
		text_copy(text_of(why), copy, sizeof(copy));
		note_beside(f, c, device, copy);
		c->pending.request = 0;
		c->stage++;
	} else if (why) {
		fleet_journal(f, device, "incident %s: request %llu: %s", c->is.id, (unsigned long long)c->pending.request, why);
		text_copy(text_of(why), copy, sizeof(copy));
		forget_rows(c);
		c->pending.request = 0;
		fail_reading(f, c, device, copy);
	} else {
		take_reading(f, c);
		c->pending.request = 0;
		c->stage++;
	}
	round_go_on(f, c);
}
