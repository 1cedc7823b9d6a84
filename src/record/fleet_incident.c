/* SPDX-License-Identifier: MIT */
#include "record/fleet_incident.h"

#include "base/memory.h"
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
	struct record_live live = { .actions = actions, .write_rest = put_rest, .context = (void *)(uintptr_t)is };
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

static void add_step(const struct fleet_step *s, uint32_t number, struct buffer *out)
{
	buffer_printf(out, "  %u. on %s: %s\n     %s", number, s->on, s->command, fleet_step_state_name(s->state));
	if (s->who[0])
		buffer_printf(out, ", by the word of %s", s->who);
	if (s->outcome[0]) {
		buffer_add_string(out, ": ");
		record_add_printable(out, TEXT_IN(s->outcome));
	}
	if (s->blast.told && s->needs_person)
		buffer_printf(out, "; counted: %u BFD sessions, %u control connections, %u flows", s->blast.bfd_up, s->blast.control_up,
			      s->blast.flows);
	buffer_add_string(out, s->helped ? "; it helped\n" : "\n");
}

static void add_evidence(const struct fleet_incident *is, struct buffer *out)
{
	buffer_add_string(out, "What the devices showed:\n");
	for (uint32_t i = 0; i < is->evidence_count && i < FLEET_EVIDENCE_MAX; i++) {
		const struct fleet_evidence *e = &is->evidence[i];

		buffer_add_string(out, "  ");
		calendar_print_short(out, e->at);
		buffer_printf(out, "  %s: ", e->from);
		record_add_printable(out, TEXT_IN(e->text));
		buffer_add_char(out, '\n');
	}
	if (is->evidence_cut)
		buffer_printf(out, "  %u more in between are not kept\n", is->evidence_cut);
}

static void add_plan(const struct incident *view, enum mode mode, struct plan *plan, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	make_plan(view, mode, plan);
	if (!plan->count)
		return;
	buffer_add_string(out, "For a person, narrowest first:\n");
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *s = &plan->steps[i];

		buffer_printf(out, "  %zu. ", i + 1);
		if (s->has_on)
			buffer_printf(out, "at %s: ", spimend_address_print(&s->on, address));
		buffer_printf(out, "%s\n     %s\n", s->command[0] ? s->command : "(nothing to type)", s->why);
	}
}

void record_fleet_explain(const struct fleet_incident *is, enum mode mode, struct buffer *out)
{
	struct plan *plan cleanup(memory_free_pointer) = memory_new(1, sizeof(*plan));
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];
	struct fleet_view_room room;
	struct incident view;

	if (!plan) {
		out->failed = true;
		return;
	}
	fleet_view(is, &room, &view);
	buffer_printf(out, "%s  %s, %s\n", is->id, verdict_name(is->verdict), incident_state_name(is->state));
	buffer_printf(out, "%s (%s) -> %s (%s)", spimend_address_print(&is->src, src), is->sender[0] ? is->sender : "no device of ours",
		      spimend_address_print(&is->dst, dst), is->receiver);
	if (is->is_burst)
		buffer_printf(out, ", of at least %u senders", is->sources);
	buffer_add_char(out, '\n');
	record_add_printable(out, TEXT_IN(is->why));
	buffer_add_char(out, '\n');
	if (is->has_stale)
		buffer_printf(out, "The sender uses 0x%08x, which the receiver had neither before nor after it was seen.\n", is->stale.value);
	if (is->evidence_count)
		add_evidence(is, out);
	if (is->step_count)
		buffer_add_string(out, "What was done, and by whose word:\n");
	for (uint32_t i = 0; i < is->step_count && i < FLEET_STEPS_MAX; i++)
		add_step(&is->steps[i], i + 1, out);
	if (is->state == STATE_OPEN || is->state == STATE_GAVE_UP)
		add_plan(&view, mode, plan, out);
}
