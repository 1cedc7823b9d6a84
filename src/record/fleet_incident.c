/* SPDX-License-Identifier: MIT */
#include "record/fleet_incident.h"

#include "base/memory.h"
#include "plan/explain.h"
#include "plan/plan.h"
#include "record/incident_json.h"
#include "record/values.h"

static struct text text_in(const char *at, size_t size)
{
	return (struct text){ at, strnlen(at, size) };
}
#define TEXT_IN(array) text_in((array), sizeof(array))

static void make_plan(const struct incident *view, enum mode mode, struct plan *ret)
{
	ret->count = 0;
	if (mode != MODE_OBSERVE)
		plan_build(view, ret);
}

/* Of the steps, what reached a device, or was on its way. */
static bool was_ordered(const struct fleet_step *step)
{
	return step->ordered.ns != 0;
}

static void put_step(struct json *j, const struct fleet_step *s, uint32_t number)
{
	json_object(j, NULL);
	json_unsigned(j, "step", number);
	json_string(j, "state", fleet_step_state_name(s->state));
	record_put_text(j, "on", TEXT_IN(s->on));
	record_put_text(j, "command", TEXT_IN(s->command));
	json_bool(j, "needs_approval", s->needs_person);
	json_object(j, "blast_radius");
	json_bool(j, "counted", s->blast.told);
	json_unsigned(j, "bfd_up", s->blast.bfd_up);
	json_unsigned(j, "control_up", s->blast.control_up);
	json_unsigned(j, "flows", s->blast.flows);
	json_object_end(j);
	record_put_text(j, "who", TEXT_IN(s->who));
	record_put_time(j, "offered", s->offered.ns != 0, s->offered);
	record_put_time(j, "decided", s->decided.ns != 0, s->decided);
	record_put_time(j, "ordered", s->ordered.ns != 0, s->ordered);
	record_put_time(j, "ended", s->ended.ns != 0, s->ended);
	record_put_text(j, "outcome", TEXT_IN(s->outcome));
	json_bool(j, "helped", s->helped);
	json_object_end(j);
}

static void put_rest(void *context, struct json *j)
{
	const struct fleet_incident *is = context;

	record_put_text(j, "receiver_device", TEXT_IN(is->receiver));
	record_put_text(j, "sender_device", TEXT_IN(is->sender));
	record_put_text(j, "waits_for", TEXT_IN(is->why));
	json_unsigned(j, "looks", is->looks);
	json_bool(j, "is_burst", is->is_burst);
	json_array(j, "steps");
	for (uint32_t i = 0; i < is->step_count && i < FLEET_STEPS_MAX; i++)
		put_step(j, &is->steps[i], i + 1);
	json_array_end(j);
}

void record_fleet_json(const struct fleet_incident *is, enum mode mode, bool explain, struct buffer *out)
{
	struct plan *plan cleanup(memory_free_pointer) = memory_new(1, sizeof(*plan));
	struct record_action actions[FLEET_STEPS_MAX];
	struct record_live live = { .is_read = true, .actions = actions, .write_rest = put_rest, .context = (void *)(uintptr_t)is };
	struct fleet_view_room room;
	struct incident view;

	if (!plan) {
		out->failed = true;
		return;
	}
	fleet_view(is, &room, &view);
	make_plan(&view, mode, plan);
	for (uint32_t i = 0; i < is->step_count && i < FLEET_STEPS_MAX; i++) {
		const struct fleet_step *s = &is->steps[i];

		if (!was_ordered(s))
			continue;
		actions[live.action_count++] = (struct record_action){
			.at = s->ordered, .verb = device_verb_name(s->verb), .rung = device_verb_name(s->verb), .order = s->request,
			.outcome = s->state == FLEET_STEP_ORDERED ? NULL : fleet_step_state_name(s->state),
			.took_ns = s->ended.ns ? s->ended.ns - s->ordered.ns : 0, .text = TEXT_IN(s->command),
		};
	}
	record_incident_json_live(&view, plan, explain, &live, out);
}

/* --- For people ------------------------------------------------------------------------------------------------- */

#define WIDTH 100

static void add_time(struct buffer *out, struct instant at)
{
	calendar_print_short(out, at);
}

static void add_head(const struct fleet_incident *is, struct buffer *out)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];
	cleanup(buffer_done) struct buffer t = { 0 };

	buffer_printf(out, "%s  %s, %s\n  ", is->id, verdict_name(is->verdict), incident_state_name(is->state));
	buffer_printf(out, "%s (%s) -> %s (%s)", spimend_address_print(&is->src, src), is->sender[0] ? is->sender : "no device of ours",
		      spimend_address_print(&is->dst, dst), is->receiver);
	if (is->is_burst)
		buffer_printf(out, ", of at least %u senders", is->sources);
	buffer_printf(out, "; tunnel kind %s\n", tunnel_kind_name(is->tunnel_kind));
	record_add_printable(&t, TEXT_IN(is->why));
	if (t.len)
		record_add_paragraph(out, WIDTH, &t);
}

/* --- What was seen, and why ------------------------------------------------------------------------------------------ */

static void add_seen(const struct fleet_incident *is, struct buffer *out)
{
	cleanup(buffer_done) struct buffer t = { 0 };

	record_add_heading(out, "What was seen");
	buffer_printf(&t, "%s told of packets without an SA in %llu message%s, from ", is->receiver, (unsigned long long)is->messages,
		      is->messages == 1 ? "" : "s");
	add_time(&t, is->first_seen);
	buffer_add_string(&t, " to ");
	add_time(&t, is->last_seen);
	for (uint32_t i = 0; i < is->spi_count && i < FLEET_SPIS_MAX; i++)
		buffer_printf(&t, "%s0x%08x", i ? ", " : "; SPI ", is->spis[i].value);
	buffer_printf(&t, ". That is a hint that anybody can forge: the devices were looked at %u time%s. Times are UTC.", is->looks,
		      is->looks == 1 ? "" : "s");
	record_add_paragraph(out, WIDTH, &t);
	for (uint32_t i = 0; i < is->evidence_count && i < FLEET_EVIDENCE_MAX; i++) {
		const struct fleet_evidence *e = &is->evidence[i];

		add_time(&t, e->at);
		buffer_printf(&t, "  %s (%s): ", e->from, e->other_end ? "sender" : "receiver");
		record_add_printable(&t, TEXT_IN(e->text));
		buffer_add_string(out, "  ");
		record_add_wrapped(out, WIDTH, buffer_text(&t), 23, 2);
		buffer_clear(&t);
	}
	if (is->evidence_cut)
		buffer_printf(out, "  %u more in between are not kept\n", is->evidence_cut);
}

static void add_verdict(const struct fleet_incident *is, const struct incident *view, struct buffer *out)
{
	cleanup(buffer_done) struct buffer t = { 0 };

	record_add_heading(out, "Why this verdict");
	buffer_printf(&t, "Rule %s. ", rule_name(is->rule));
	if (is->has_stale)
		buffer_printf(&t, "The sender uses 0x%08x, which the receiver had neither before nor after it was seen.", is->stale.value);
	record_add_paragraph(out, WIDTH, &t);
	explain_cause(view, &t);
	if (t.len)
		record_add_paragraph(out, WIDTH, &t);
}

/* --- What was done --------------------------------------------------------------------------------------------------- */

static void add_when(struct buffer *out, const char *what, struct instant at)
{
	if (!at.ns)
		return;
	buffer_printf(out, "; %s ", what);
	add_time(out, at);
}

static void add_blast(const struct fleet_step *s, struct buffer *out)
{
	const struct fleet_blast *b = &s->blast;

	if (!b->told)
		return;
	if (device_verb_clears_sa(s->verb)) {
		buffer_printf(out, "%u flow%s with that peer", b->flows, text_plural(b->flows));
		return;
	}
	buffer_printf(out, "%u BFD session%s and %u control connection%s that are up", b->bfd_up, text_plural(b->bfd_up), b->control_up,
		      text_plural(b->control_up));
	if (s->verb == DEVICE_PORT_HOP)
		buffer_printf(out, ", of the colour %s", device_color_name(s->color));
}

static void add_step(const struct fleet_step *s, uint32_t number, struct buffer *out)
{
	cleanup(buffer_done) struct buffer t = { 0 };

	buffer_printf(out, "  %u. on %s: %s\n     ", number, s->on, s->command);
	buffer_add_string(&t, fleet_step_state_name(s->state));
	if (s->who[0])
		buffer_printf(&t, ", by the word of %s", s->who);
	else if (!s->needs_person && !device_verb_clears_sa(s->verb))
		buffer_add_string(&t, ", without a person, by 'repair sdwan approval'");
	if (s->outcome[0] && strcmp(s->outcome, fleet_step_state_name(s->state)) != 0) {
		buffer_add_string(&t, ": ");
		record_add_printable(&t, TEXT_IN(s->outcome));
	}
	if (s->blast.told)
		buffer_add_string(&t, "; counted just before: ");
	add_blast(s, &t);
	add_when(&t, s->needs_person ? "offered" : "first counted", s->offered);
	add_when(&t, "decided", s->decided);
	add_when(&t, "typed", s->ordered);
	if (s->helped)
		buffer_add_string(&t, "; it helped");
	record_add_wrapped(out, WIDTH, buffer_text(&t), 5, 5);
	out->failed |= t.failed;
}

static void add_steps(const struct fleet_incident *is, struct buffer *out)
{
	record_add_heading(out, "What was done, and by whose word");
	if (!is->step_count)
		buffer_add_string(out, "  Nothing.\n");
	for (uint32_t i = 0; i < is->step_count && i < FLEET_STEPS_MAX; i++)
		add_step(&is->steps[i], i + 1, out);
}

uint32_t record_fleet_asks(const struct fleet_incident *is)
{
	for (uint32_t i = 0; is->state == STATE_AWAITING && i < is->step_count && i < FLEET_STEPS_MAX; i++)
		if (is->steps[i].state == FLEET_STEP_OFFERED)
			return i + 1;
	return 0;
}

void record_fleet_ask(const struct fleet_incident *is, const char *indent, struct buffer *out)
{
	uint32_t number = record_fleet_asks(is);
	const struct fleet_step *s = &is->steps[number ? number - 1 : 0];

	if (!number)
		return;
	buffer_printf(out, "%sstep %u, typed on %s: %s\n%sdisturbs, counted there just before: ", indent, number, s->on, s->command, indent);
	add_blast(s, out);
	buffer_printf(out, "\n%s    spimend approve %s %u\n%s    spimend deny %s %u\n", indent, is->id, number, indent, is->id, number);
}

static void add_asking(const struct fleet_incident *is, struct buffer *out)
{
	if (!record_fleet_asks(is))
		return;
	record_add_heading(out, "What it waits for");
	record_fleet_ask(is, "  ", out);
	buffer_add_string(out, "  The devices are read once more before anything is typed: if they show something else by then, nothing is.\n");
}

/* --- And now ---------------------------------------------------------------------------------------------------------- */

static void add_proof(const struct fleet_incident *is, struct buffer *out)
{
	cleanup(buffer_done) struct buffer t = { 0 };

	if (is->verdict != VERDICT_DESYNC && is->verdict != VERDICT_OTHER_FAULT)
		return;
	record_add_heading(out, "Does traffic flow again?");
	switch (is->state) {
	case STATE_HEALED:
		buffer_add_string(&t, "Yes, since ");
		add_time(&t, is->ended);
		buffer_add_string(&t, ": the last look proved it.");
		break;
	case STATE_UNVERIFIED:
		buffer_add_string(&t, "Nobody can tell: what the devices showed does not prove it.");
		break;
	case STATE_CLOSED:
		buffer_add_string(&t, "Nothing more was seen of it.");
		break;
	case STATE_GAVE_UP:
		buffer_add_string(&t, "Not as far as is known: a person is needed.");
		break;
	default:
		buffer_add_string(&t, "Not yet.");
		break;
	}
	record_add_paragraph(out, WIDTH, &t);
}

static void add_plan(const struct incident *view, enum mode mode, struct plan *plan, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	make_plan(view, mode, plan);
	if (!plan->count)
		return;
	record_add_heading(out, "What a person can do, narrowest first");
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *s = &plan->steps[i];

		buffer_printf(out, "  %zu. ", i + 1);
		if (s->has_on)
			buffer_printf(out, "at %s: ", spimend_address_print(&s->on, address));
		buffer_printf(out, "%s\n     ", s->command[0] ? s->command : "(nothing to type)");
		record_add_wrapped(out, WIDTH, text_of(s->why), 5, 5);
	}
}

void record_fleet_explain(const struct fleet_incident *is, enum mode mode, struct buffer *out)
{
	struct plan *plan cleanup(memory_free_pointer) = memory_new(1, sizeof(*plan));
	struct fleet_view_room room;
	struct incident view;

	if (!plan) {
		out->failed = true;
		return;
	}
	fleet_view(is, &room, &view);
	add_head(is, out);
	add_seen(is, out);
	add_verdict(is, &view, out);
	add_steps(is, out);
	add_asking(is, out);
	add_proof(is, out);
	if (is->state == STATE_OPEN || is->state == STATE_GAVE_UP)
		add_plan(&view, mode, plan, out);
}
