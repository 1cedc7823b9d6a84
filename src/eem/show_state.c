/* SPDX-License-Identifier: MIT */
/* What runs now, the environment, the detectors: as routers print them and as JSON. */
#include <inttypes.h>

#include "base/json.h"
#include "eem/engine_private.h"

static const char *const states[] = { [RUN_QUEUED] = "pend", [RUN_READY] = "active", [RUN_SLEEPING] = "wait",
				      [RUN_WAITING] = "active" };

static const struct action *action_of(const struct run *run)
{
	return run->state != RUN_QUEUED && run->pc < run->policy->action_count ? &run->policy->actions[run->pc] : NULL;
}

void eem_show_running(const struct eem *eem, struct buffer *out)
{
	uint32_t number = 0;

	buffer_add_string(out, "No.  Job Id Status  Event Type          Name\n");
	for (const struct run *run = eem->runs; run; run = run->next) {
		const struct action *a = action_of(run);

		buffer_printf(out, "%-4" PRIu32 " %-6" PRIu64 " %-7s %-19s %.*s", ++number, run->history, states[run->state], run->event_type,
			      TEXT_ARG(run->policy->name));
		if (run->device[0])
			buffer_printf(out, " on %s", run->device);
		if (a)
			buffer_printf(out, ", at action %.*s %s", TEXT_ARG(a->label), verb_names[a->verb]);
		buffer_add_char(out, '\n');
	}
}

void eem_json_running(const struct eem *eem, struct buffer *out)
{
	for (const struct run *run = eem->runs; run; run = run->next) {
		const struct action *a = action_of(run);
		struct json j;

		json_init(&j, out);
		json_object(&j, NULL);
		json_string(&j, "schema", "spimend.eem-run/1");
		json_unsigned(&j, "run", run->id);
		json_string(&j, "status", states[run->state]);
		json_string(&j, "event_type", run->event_type);
		json_text(&j, "applet", run->policy->name);
		json_string(&j, "device", run->device[0] ? run->device : NULL);
		if (a)
			json_text(&j, "action", a->label);
		else
			json_null(&j, "action");
		json_object_end(&j);
		buffer_add_char(out, '\n');
	}
}

static bool is_tracking(const struct policy *p, uint32_t object)
{
	for (uint32_t i = 0; i < p->event_count; i++)
		if (p->events[i].detector == DETECTOR_TRACK && p->events[i].track == object)
			return true;
	for (uint32_t i = 0; i < p->trigger.term_count; i++)
		if (p->trigger.terms[i].track == object)
			return true;
	return false;
}

bool eem_tracked_by(const struct eem *eem, uint32_t object, uint32_t nth, struct text *ret_applet)
{
	for (uint32_t i = 0; i < eem->set->count; i++) {
		if (!is_tracking(&eem->set->at[i], object) || nth--)
			continue;
		*ret_applet = eem->set->at[i].name;
		return true;
	}
	return false;
}

void eem_show_environment(const struct eem *eem, struct buffer *out)
{
	buffer_add_string(out, "No.  Name                          Value\n");
	for (uint32_t i = 0; i < eem->set->environment_count; i++) {
		const struct environment *e = &eem->set->environment[i];

		buffer_printf(out, "%-4" PRIu32 " %-29.*s %.*s\n", i + 1, TEXT_ARG(e->name), TEXT_ARG(e->value));
	}
}

void eem_json_environment(const struct eem *eem, struct buffer *out)
{
	for (uint32_t i = 0; i < eem->set->environment_count; i++) {
		struct json j;

		json_init(&j, out);
		json_object(&j, NULL);
		json_string(&j, "schema", "spimend.eem-variable/1");
		json_text(&j, "name", eem->set->environment[i].name);
		json_text(&j, "value", eem->set->environment[i].value);
		json_object_end(&j);
		buffer_add_char(out, '\n');
	}
}

/* IOS counts all timers as one detector. */
static const char *detector_at(uint32_t index)
{
	static const char *const names[] = { "application", "cli", "counter", "none", "snmp", "snmp-notification", "syslog", "timer",
					     "track" };

	return index < sizeof(names) / sizeof(names[0]) ? names[index] : NULL;
}

void eem_show_detectors(struct buffer *out)
{
	const char *name;

	buffer_add_string(out, "No.  Name                Version   Node        Type\n");
	for (uint32_t i = 0; (name = detector_at(i)); i++)
		buffer_printf(out, "%-4" PRIu32 " %-19s 01.00     node0/0     RP\n", i + 1, name);
}

void eem_json_detectors(struct buffer *out)
{
	const char *name;

	for (uint32_t i = 0; (name = detector_at(i)); i++) {
		struct json j;

		json_init(&j, out);
		json_object(&j, NULL);
		json_string(&j, "schema", "spimend.eem-detector/1");
		json_string(&j, "name", name);
		json_object_end(&j);
		buffer_add_char(out, '\n');
	}
}
