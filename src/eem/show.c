/* SPDX-License-Identifier: MIT */
/* What the engine knows, as routers print it and as JSON; and whether a command can be what an action asks for. */
#include <inttypes.h>

#include "base/json.h"
#include "eem/engine_private.h"

static const char *const ends[EEM_ENDS] = { "success", "abort", "maxrun", "under-way" };

/* "Fri Mar 12 18:22:10 2027", "Wed Sep  8 ..." */
static void print_time(const struct eem *eem, struct instant at, struct buffer *out)
{
	struct civil c = eem_local(eem, at);

	buffer_printf(out, "%s %s %2d %02d:%02d:%02d %d", calendar_weekday_name(cron_minute(&c) / (24 * 60)),
		      calendar_month_name(c.month), c.day, c.hour, c.minute, c.second, c.year);
}

static void print_seconds(const char *word, int64_t ns, struct buffer *out)
{
	buffer_printf(out, "%s %" PRId64 ".%03d", word, ns / SECOND_NS, (int)(ns % SECOND_NS / 1000000));
}

static void print_timer(const struct event *e, struct buffer *out)
{
	if (e->name.len)
		buffer_printf(out, "name {%.*s} ", TEXT_ARG(e->name));
	if (e->detector == DETECTOR_CRON)
		buffer_printf(out, "cron entry {%.*s}", TEXT_ARG(e->value));
	else
		print_seconds("time", e->time_ns, out);
}

/* What routers print in braces, as they do; of other detectors the line of the configuration. */
static void print_event(const struct policy *p, const struct event *e, struct buffer *out)
{
	switch (e->detector) {
	case DETECTOR_SYSLOG:
		if (e->occurs > 1)
			buffer_printf(out, "occurs %" PRIu32 " ", e->occurs);
		if (e->period_ns) {
			print_seconds("period", e->period_ns, out);
			buffer_add_char(out, ' ');
		}
		buffer_printf(out, "pattern {%.*s}", TEXT_ARG(eem_pattern_text(e->pattern)));
		if (e->priority >= 0)
			buffer_printf(out, " priority %s", severity_names[e->priority]);
		return;
	case DETECTOR_CLI:
		buffer_printf(out, "pattern {%.*s} sync %s skip %s", TEXT_ARG(eem_pattern_text(e->pattern)), e->sync ? "yes" : "no",
			      e->skip ? "yes" : "no");
		return;
	case DETECTOR_NONE:
		buffer_printf(out, "policyname {%.*s} sync {%s}", TEXT_ARG(p->name), e->has_sync && !e->sync ? "no" : "yes");
		return;
	case DETECTOR_COUNTDOWN:
	case DETECTOR_WATCHDOG:
	case DETECTOR_CRON:
	case DETECTOR_ABSOLUTE:
		print_timer(e, out);
		return;
	default:
		buffer_add(out, e->source);
	}
}

static void print_policy(const struct eem *eem, uint32_t index, struct buffer *out)
{
	const struct policy *p = &eem->set->at[index];

	buffer_printf(out, "%-4" PRIu32 " applet    user    %-19s %-5s ", index + 1, policy_event_type(p), p->traps ? "On" : "Off");
	print_time(eem, eem->states[index].registered, out);
	buffer_printf(out, "  %.*s\n", TEXT_ARG(p->name));
	for (uint32_t i = 0; i < p->event_count; i++) {
		if (p->events[i].tag.len)
			buffer_printf(out, " %" PRIu32 ": tag %.*s: %s ", i + 1, TEXT_ARG(p->events[i].tag),
				      detector_name(p->events[i].detector));
		else
			buffer_add_char(out, ' ');
		print_event(p, &p->events[i], out);
		buffer_add_char(out, '\n');
	}
	if (p->trigger.is_there) {
		static const char *const joins[] = { "and", "or", "andnot" };

		buffer_printf(out, " trigger %.*s\n", TEXT_ARG(p->trigger.source));
		for (uint32_t i = 0; i < p->trigger.term_count; i++) {
			const struct term *term = &p->trigger.terms[i];

			buffer_printf(out, "%s%s ", i == 0 ? "  correlate" : " ", i == 0 ? "" : joins[term->join]);
			if (term->track)
				buffer_printf(out, "track %" PRIu32, term->track);
			else
				buffer_printf(out, "event %.*s", TEXT_ARG(term->tag));
		}
		buffer_add_string(out, p->trigger.term_count ? "\n" : "");
	}
	buffer_printf(out, " maxrun %" PRId64 ".%03d\n", p->maxrun_ns / SECOND_NS, (int)(p->maxrun_ns % SECOND_NS / 1000000));
	for (uint32_t i = 0; i < p->device_count; i++)
		buffer_printf(out, " device %.*s\n", TEXT_ARG(p->devices[i].name.len ? p->devices[i].name : TEXT("local")));
	for (uint32_t i = 0; i < p->action_count; i++)
		buffer_printf(out, " action %.*s %.*s\n", TEXT_ARG(p->actions[i].label), TEXT_ARG(p->actions[i].source));
}

void eem_show_registered(const struct eem *eem, struct buffer *out)
{
	buffer_add_string(out, "No.  Class     Type    Event Type          Trap  Time Registered           Name\n");
	for (uint32_t i = 0; i < eem->set->count; i++) {
		buffer_add_string(out, i ? "\n" : "");
		print_policy(eem, i, out);
	}
}

void eem_show_history(const struct eem *eem, struct buffer *out)
{
	const struct eem_history *h;

	buffer_add_string(out, "No.  Job Id Proc Status     Time of Event            Event Type          Name\n");
	for (uint32_t i = 0; (h = eem_history_at(eem, i)); i++) {
		buffer_printf(out, "%-4" PRIu64 " %-6" PRIu64 " Actv %-10s ", h->number, h->number, ends[h->end]);
		print_time(eem, h->at, out);
		buffer_printf(out, " %-19s applet: %s", h->event_type, h->applet);
		if (h->device[0])
			buffer_printf(out, " on %s", h->device);
		buffer_add_char(out, '\n');
	}
}

static const struct {
	const char *name, *json;
	size_t at;
} counted[] = {
#define FIGURE(text, name) { text, #name, offsetof(struct eem_figures, name) }
	FIGURE("messages looked at", messages), FIGURE("traps looked at", traps), FIGURE("commands looked at", commands_typed),
	FIGURE("events that applets wait for", matched), FIGURE("runs started", runs), FIGURE("runs finished", finished),
	FIGURE("runs aborted", aborted), FIGURE("runs ended by maxrun", expired), FIGURE("not started: queue full", dropped),
	FIGURE("not started: own trigger", own), FIGURE("not started: too soon", limited),
	FIGURE("not started: another device", foreign), FIGURE("expressions over their limit", expression_limits),
	FIGURE("runs stopped by a value from outside", stopped_values), FIGURE("outputs dropped", outputs_dropped),
#undef FIGURE
};

static uint64_t figure(const struct eem_figures *f, size_t at)
{
	uint64_t value;

	memcpy(&value, (const char *)f + at, sizeof(value));
	return value;
}

void eem_show_statistics(const struct eem *eem, struct buffer *out)
{
	struct eem_figures f = eem_figures(eem);

	buffer_printf(out, "%" PRIu32 " policies registered, %" PRIu32 " running, %" PRIu32 " waiting\n", f.policies, f.running, f.waiting);
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		buffer_printf(out, "  %-38s %" PRIu64 "\n", counted[i].name, figure(&f, counted[i].at));
}

/* --- JSON -------------------------------------------------------------------------------------------------------- */

static void json_time(struct json *j, const char *key, bool known, struct instant at)
{
	struct buffer b = { 0 };

	if (!known) {
		json_null(j, key);
		return;
	}
	calendar_print(&b, at);
	json_text(j, key, buffer_text(&b));
	buffer_done(&b);
}

void eem_json_registered(const struct eem *eem, struct buffer *out)
{
	for (uint32_t i = 0; i < eem->set->count; i++) {
		const struct policy *p = &eem->set->at[i];
		const struct policy_state *s = &eem->states[i];
		struct json j;

		json_init(&j, out);
		json_object(&j, NULL);
		json_string(&j, "schema", "spimend.eem-policy/1");
		json_text(&j, "name", p->name);
		json_string(&j, "event_type", policy_event_type(p));
		json_bool(&j, "trap", p->traps);
		json_time(&j, "registered", true, s->registered);
		json_signed(&j, "maxrun_ms", p->maxrun_ns / 1000000);
		json_array(&j, "events");
		for (uint32_t k = 0; k < p->event_count; k++)
			json_text(&j, NULL, p->events[k].source);
		json_array_end(&j);
		json_array(&j, "devices");
		for (uint32_t k = 0; k < p->device_count; k++)
			json_text(&j, NULL, p->devices[k].name.len ? p->devices[k].name : TEXT("local"));
		json_array_end(&j);
		json_array(&j, "actions");
		for (uint32_t k = 0; k < p->action_count; k++) {
			json_object(&j, NULL);
			json_text(&j, "label", p->actions[k].label);
			json_text(&j, "action", p->actions[k].source);
			json_object_end(&j);
		}
		json_array_end(&j);
		json_unsigned(&j, "runs", s->runs);
		json_unsigned(&j, "aborted", s->aborted);
		json_time(&j, "last", s->has_last, s->last);
		json_object_end(&j);
		buffer_add_char(out, '\n');
	}
}

void eem_json_history(const struct eem *eem, struct buffer *out)
{
	const struct eem_history *h;

	for (uint32_t i = 0; (h = eem_history_at(eem, i)); i++) {
		struct json j;

		json_init(&j, out);
		json_object(&j, NULL);
		json_string(&j, "schema", "spimend.eem-event/1");
		json_unsigned(&j, "number", h->number);
		json_unsigned(&j, "run", h->run);
		json_time(&j, "at", true, h->at);
		json_string(&j, "event_type", h->event_type);
		json_string(&j, "applet", h->applet);
		json_string(&j, "device", h->device[0] ? h->device : NULL);
		json_string(&j, "status", ends[h->end]);
		if (h->end == EEM_END_UNDER_WAY)
			json_null(&j, "took_ms");
		else
			json_signed(&j, "took_ms", h->took_ns / 1000000);
		json_signed(&j, "exit_status", h->exit_status);
		json_string(&j, "why", h->why[0] ? h->why : NULL);
		json_object_end(&j);
		buffer_add_char(out, '\n');
	}
}

void eem_json_statistics(const struct eem *eem, struct buffer *out)
{
	struct eem_figures f = eem_figures(eem);
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.eem-statistics/1");
	json_unsigned(&j, "policies", f.policies);
	json_unsigned(&j, "running", f.running);
	json_unsigned(&j, "waiting", f.waiting);
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		json_unsigned(&j, counted[i].json, figure(&f, counted[i].at));
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

/* --- For the role that carries commands out ---------------------------------------------------------------------- */

static bool spans_are_sound(struct text command, const struct eem_span *spans, uint32_t count)
{
	uint32_t behind = 0;

	if (count > EEM_SPANS_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (spans[i].at < behind || spans[i].at > command.len || spans[i].len > command.len - spans[i].at)
			return false;
		if (spans[i].type == EEM_TYPE_NONE ||
		    eem_type_of((struct text){ command.at + spans[i].at, spans[i].len }) != spans[i].type)
			return false;
		behind = spans[i].at + spans[i].len;
	}
	return true;
}

bool eem_command_fits(const struct eem_policies *policies, uint32_t policy, uint32_t action, struct text command,
		      const struct eem_span *spans, uint32_t span_count)
{
	const struct eem_template *t;
	struct text rest = command;

	if (policy >= policies->count || action >= policies->at[policy].action_count ||
	    policies->at[policy].actions[action].verb != VERB_CLI || !spans_are_sound(command, spans, span_count))
		return false;
	for (size_t i = 0; i < command.len; i++)
		if ((unsigned char)command.at[i] < 0x20 || command.at[i] == 0x7f)
			return false;
	t = &policies->at[policy].actions[action].arg[0];
	for (uint32_t i = 0; i < t->count; i++) {
		const struct part *part = &t->parts[i];
		size_t at;

		if (part->is_variable)
			continue;
		if (i + 1 == t->count) /* nothing is behind it */
			return text_ends(rest, part->text) && (i > 0 || rest.len == part->text.len);
		at = text_find(rest, part->text);
		if (at == TEXT_NOT_FOUND || (i == 0 && at != 0))
			return false;
		rest = text_skip(rest, at + part->text.len);
	}
	return t->count > 0 || command.len == 0;
}
