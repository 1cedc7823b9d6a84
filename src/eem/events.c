/* SPDX-License-Identifier: MIT */
/* What happens, told apart: which applets wait for it, whether it counts, whether they may start. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/memory.h"
#include "eem/engine_private.h"
#include "spimend/error.h"

uint64_t chain_id(struct text name)
{
	const struct hash_key key = { 0x65656d, 1 };

	return hash_bytes(&key, name.at, name.len);
}

void occurrence_add(struct occurrence *o, const char *name, struct text value, enum taint taint)
{
	if (o->fact_count < FACTS_MAX)
		o->facts[o->fact_count++] = (struct fact){ name, value, taint };
}

int policy_row(const struct policy *policy, struct text device)
{
	if (policy->device_count == 0)
		return device.len == 0 ? 0 : -1;
	for (uint32_t i = 0; i < policy->device_count; i++)
		if (text_equal(policy->devices[i].name, device))
			return (int)i;
	return -1;
}

/* --- From an event to a run -------------------------------------------------------------------------------------- */

/* The N-th within the period: then counting starts again. */
static bool occurs_enough(const struct event *e, struct event_state *s, struct moment now)
{
	if (e->occurs <= 1)
		return true;
	if (e->period_ns && s->time_room == 0) { /* more than are remembered: counted from the first one on */
		if (s->count == 0 || now.mono_ns - s->first > e->period_ns) {
			s->first = now.mono_ns;
			s->count = 0;
		}
	} else if (e->period_ns) {
		int64_t oldest;

		s->times[s->time_at] = now.mono_ns;
		s->time_at = (s->time_at + 1) % s->time_room;
		s->count += s->count < s->time_room;
		oldest = s->times[s->time_at];
		if (s->count < s->time_room || now.mono_ns - oldest > e->period_ns)
			return false;
		s->count = 0;
		return true;
	}
	if (++s->count < e->occurs)
		return false;
	s->count = 0;
	return true;
}

static bool is_own(const struct policy *p, const struct occurrence *o)
{
	uint64_t id = chain_id(p->name);

	if (o->chain_len >= CHAIN_MAX - 1)
		return true; /* applets that start each other in a row: not further */
	for (uint32_t i = 0; i < o->chain_len; i++)
		if (o->chain[i] == id)
			return true;
	return false;
}

/* The least time between two runs: the event's, the device's, and a bound for all. */
static bool is_too_soon(struct eem *eem, const struct policy *p, struct policy_state *s, uint32_t row, const struct event *e,
			struct event_state *es, struct moment now)
{
	bool is_device = row < p->device_count && p->devices[row].name.len > 0;
	int64_t gap = is_device ? p->devices[row].gap_ns : 0;

	if (gap < 0)
		gap = eem->settings.device_gap_ns;
	if (e->ratelimit_ns && es->last_start != INT64_MIN && now.mono_ns - es->last_start < e->ratelimit_ns)
		return true;
	if (gap && s->device_last[row] != INT64_MIN && now.mono_ns - s->device_last[row] < gap)
		return true;
	if (now.mono_ns - s->minute >= MINUTE_NS) {
		s->minute = now.mono_ns;
		s->starts = 0;
	}
	if (s->starts < eem->settings.policy_runs_per_minute)
		return false;
	if (!s->said_limit)
		eem_notice(eem, NULL, 4, "applet %.*s was started %" PRIu32 " times within a minute: does it start itself by what it does? "
			   "Further starts are counted", TEXT_ARG(p->name), s->starts);
	s->said_limit = true;
	return true;
}

struct run *event_happens(struct eem *eem, uint32_t policy, uint32_t event, const struct occurrence *o, struct moment now)
{
	const struct policy *p = &eem->set->at[policy];
	const struct event *e = &p->events[event];
	struct policy_state *s = &eem->states[policy];
	int row = policy_row(p, o->device);
	struct event_state *es;
	struct run *run;

	eem->figures.matched++;
	if (row < 0) {
		eem->figures.foreign++;
		return NULL;
	}
	if (is_own(p, o)) {
		eem->figures.own++;
		return NULL;
	}
	es = &s->events[(uint32_t)row * p->event_count + event];
	if (!occurs_enough(e, es, now))
		return NULL;
	if (p->event_count > 1 || p->trigger.is_there) {
		if (!trigger_holds(eem, p, s, (uint32_t)row, event, now))
			return NULL;
	}
	if (is_too_soon(eem, p, s, (uint32_t)row, e, es, now)) {
		eem->figures.limited++;
		return NULL;
	}
	run = run_start(eem, policy, (uint32_t)row, e, o, p->trigger.delay_ns, now);
	if (run) {
		es->last_start = s->device_last[row] = now.mono_ns;
		s->starts++;
	}
	return run;
}

/* --- syslog ------------------------------------------------------------------------------------------------------ */

/* "%HA_EM-6-LOG: NAME: ..." is an applet's own line: who wrote it, and who had started that. */
static void own_chain(const struct eem *eem, struct text text, struct occurrence *o, uint64_t only[1])
{
	size_t at = text_find(text, TEXT("%HA_EM-"));
	struct text rest = text_skip(text, at == TEXT_NOT_FOUND ? text.len : at + 8), name;
	uint32_t policy;

	if (!text_take(&rest, TEXT("-LOG: ")))
		return;
	at = text_find(rest, TEXT(": "));
	name = text_first(rest, at);
	if (at == TEXT_NOT_FOUND || name.len >= EEM_APPLET_NAME_MAX)
		return;
	policy = eem_policy_find(eem->set, name);
	only[0] = chain_id(name);
	o->chain = only;
	o->chain_len = 1;
	if (policy != UINT32_MAX && eem->states[policy].chain_len) {
		o->chain = eem->states[policy].chain;
		o->chain_len = eem->states[policy].chain_len;
	}
}

/* The severity in "%FAC-4-NAME:"; -1 where there is none. */
static int severity_of(const struct eem_message *m)
{
	size_t at = 0;

	if (m->has_severity)
		return m->severity;
	while (at < m->text.len) {
		size_t percent = text_find_char(text_skip(m->text, at), '%');
		struct text rest;

		if (percent == TEXT_NOT_FOUND)
			return -1;
		at += percent + 1;
		rest = text_skip(m->text, at);
		for (size_t i = 0; i + 2 < rest.len && i < 64 && rest.at[i] != ' '; i++)
			if (rest.at[i] == '-' && rest.at[i + 2] == '-' && rest.at[i + 1] >= '0' && rest.at[i + 1] <= '7')
				return rest.at[i + 1] - '0';
	}
	return -1;
}

void eem_syslog(struct eem *eem, const struct eem_message *message, struct moment now)
{
	struct occurrence o = { .device = message->device };
	const uint32_t *hits;
	uint64_t only[1];
	uint32_t count;
	int severity;

	eem->figures.messages++;
	count = eem_matcher_find(eem->matcher, message->text, &hits, &eem->figures.expression_limits);
	if (count == 0)
		return;
	severity = severity_of(message);
	own_chain(eem, message->text, &o, only);
	occurrence_add(&o, "_syslog_msg", message->text, TAINT_OUTSIDE);
	for (uint32_t i = 0; i < count; i++) {
		const struct syslog_event *s = &eem->syslog[hits[i]];
		int least = eem->set->at[s->policy].events[s->event].priority;

		if (least < 0 || (severity >= 0 && severity <= least))
			event_happens(eem, s->policy, s->event, &o, now);
	}
	eem_work(eem, now);
}

/* --- snmp-notification ------------------------------------------------------------------------------------------- */

static bool varbind_matches(const struct event *e, const struct eem_varbind *v)
{
	char oid[POLICY_OID_MAX];
	bool is_prefix, holds;

	if (!v->has_value || policy_oid(v->oid, oid, &is_prefix) < 0 || !policy_oid_matches(e->oid, e->oid_is_prefix, text_of(oid)))
		return false;
	return !e->has_entry || (operation_holds(e->op, v->value, e->value, &holds) && holds);
}

static const struct eem_varbind *trap_matches(const struct event *e, const struct eem_trap *t)
{
	if (t->is_outgoing ? !e->outgoing : !e->incoming)
		return NULL;
	if (e->has_source && !spimend_address_equal(&e->source_address, &t->source))
		return NULL;
	if (e->has_destination && !spimend_address_equal(&e->destination_address, &t->destination))
		return NULL;
	for (uint32_t i = 0; i < t->varbind_count; i++)
		if (varbind_matches(e, &t->varbinds[i]))
			return &t->varbinds[i];
	return NULL;
}

static void trap_facts(struct occurrence *o, const struct eem_trap *t, const struct eem_varbind *v, char numbers[2][16],
		       char addresses[2][SPIMEND_ADDRESS_TEXT_MAX])
{
	spimend_address_print(&t->source, addresses[0]);
	spimend_address_print(&t->destination, addresses[1]);
	snprintf(numbers[0], 16, "%" PRId32, t->generic);
	snprintf(numbers[1], 16, "%" PRId32, t->specific);
	occurrence_add(o, "_snmp_notif_oid", v->oid, TAINT_NONE);
	occurrence_add(o, "_snmp_notif_oid_val", v->value, TAINT_OUTSIDE);
	occurrence_add(o, "_snmp_notif_src_ip_addr", text_of(addresses[0]), TAINT_CAPTURE);
	occurrence_add(o, "_snmp_notif_dest_ip_addr", text_of(addresses[1]), TAINT_CAPTURE);
	occurrence_add(o, "_snmp_notif_trap_oid", t->trap_oid, TAINT_OUTSIDE);
	occurrence_add(o, "_snmp_notif_enterprise_oid", t->enterprise_oid, TAINT_OUTSIDE);
	occurrence_add(o, "_snmp_notif_generic_trap", text_of(numbers[0]), TAINT_NONE);
	occurrence_add(o, "_snmp_notif_specific_trap", text_of(numbers[1]), TAINT_NONE);
}

bool eem_trap(struct eem *eem, const struct eem_trap *trap, struct moment now)
{
	bool drop = false;

	eem->figures.traps++;
	for (uint32_t i = 0; i < eem->set->count; i++) {
		for (uint32_t k = 0; k < eem->set->at[i].event_count; k++) {
			const struct event *e = &eem->set->at[i].events[k];
			const struct eem_varbind *v = e->detector == DETECTOR_NOTIFICATION ? trap_matches(e, trap) : NULL;
			struct occurrence o = { .device = trap->device };
			char addresses[2][SPIMEND_ADDRESS_TEXT_MAX], numbers[2][16];

			if (!v)
				continue;
			/* a peer's trap is for an applet on this machine, wherever it came from */
			if (policy_row(&eem->set->at[i], o.device) < 0)
				o.device = TEXT_NONE;
			trap_facts(&o, trap, v, numbers, addresses);
			drop |= e->drop;
			event_happens(eem, i, k, &o, now);
		}
	}
	eem_work(eem, now);
	return drop;
}

/* --- cli --------------------------------------------------------------------------------------------------------- */

static bool typed_matches(struct eem *eem, const struct event *e, const struct eem_typed *t)
{
	enum eem_match found;

	if (e->detector != DETECTOR_CLI)
		return false;
	if (t->key == EEM_KEY_ENTER ? !e->key_enter : t->key == EEM_KEY_TAB ? !e->key_tab : !e->key_question)
		return false;
	if (e->mode.len && !text_equal_nocase(e->mode, t->mode))
		return false;
	found = eem_pattern_search(e->pattern, t->command, NULL, NULL);
	eem->figures.expression_limits += found == EEM_MATCH_LIMIT;
	return found == EEM_MATCH;
}

static struct hold *hold_add(struct eem *eem, const struct eem_typed *t, const struct event *e, struct moment now)
{
	int64_t until = now.mono_ns + (e->default_ns ? e->default_ns : SYNC_DEFAULT_NS);

	for (uint32_t i = 0; i < eem->hold_count; i++)
		if (eem->holds[i].token == t->token)
			return &eem->holds[i];
	if (eem->hold_count == HOLDS_MAX)
		return NULL;
	eem->holds[eem->hold_count] = (struct hold){ .token = t->token, .terminal = t->terminal, .run_it = true, .until = until };
	return &eem->holds[eem->hold_count++];
}

static void cause_of(const struct eem *eem, uint64_t id, struct occurrence *o)
{
	for (const struct run *run = eem->runs; id && run; run = run->next) {
		if (run->id == id) {
			o->chain = run->chain;
			o->chain_len = run->chain_len;
			return;
		}
	}
}

enum eem_cli_answer eem_cli(struct eem *eem, const struct eem_typed *typed, struct moment now)
{
	bool skip = false, held = false;

	eem->figures.commands_typed++;
	for (uint32_t i = 0; i < eem->set->count; i++) {
		for (uint32_t k = 0; k < eem->set->at[i].event_count; k++) {
			const struct event *e = &eem->set->at[i].events[k];
			/* as IOS: what an applet beside the command puts goes to the log */
			struct occurrence o = { .terminal = e->sync ? typed->terminal : 0, .token = typed->token };
			struct hold *hold = NULL;

			if (!typed_matches(eem, e, typed))
				continue;
			cause_of(eem, typed->run, &o);
			occurrence_add(&o, "_cli_msg", typed->command, TAINT_OUTSIDE);
			occurrence_add(&o, "_cli_username", typed->username, TAINT_OUTSIDE);
			occurrence_add(&o, "_cli_host", typed->host, TAINT_OUTSIDE);
			occurrence_add(&o, "_cli_mode", typed->mode, TAINT_OUTSIDE);
			if (e->sync)
				hold = hold_add(eem, typed, e, now);
			o.holds = hold != NULL;
			if (event_happens(eem, i, k, &o, now)) {
				held |= hold != NULL;
				if (hold)
					hold->waiting++;
			} else if (hold && hold->waiting == 0) {
				*hold = eem->holds[--eem->hold_count]; /* it was the last one added */
			}
			skip |= !e->sync && e->skip;
		}
	}
	eem_work(eem, now);
	return held ? EEM_CLI_HOLD : skip ? EEM_CLI_SKIP : EEM_CLI_RUN;
}

/* --- track, counter, snmp, application ----------------------------------------------------------------- */

void event_all(struct eem *eem, enum detector detector, const void *what,
	       bool (*matches)(const struct event *e, const void *what), const struct occurrence *o, struct moment now)
{
	for (uint32_t i = 0; i < eem->set->count; i++)
		for (uint32_t k = 0; k < eem->set->at[i].event_count; k++)
			if (eem->set->at[i].events[k].detector == detector && matches(&eem->set->at[i].events[k], what))
				event_happens(eem, i, k, o, now);
}

struct track_change {
	uint32_t object;
	bool is_up;
};

static bool track_matches(const struct event *e, const void *what)
{
	const struct track_change *t = what;

	return e->track == t->object && (e->track_states >> t->is_up & 1);
}

void eem_track(struct eem *eem, uint32_t object, bool is_up, struct moment now)
{
	struct track_change change = { object, is_up };
	struct occurrence o = { .device = TEXT_NONE };
	char number[16];
	int8_t before;

	if (object == 0 || object > TRACKS_MAX)
		return;
	before = eem->tracks[object];
	eem->tracks[object] = is_up;
	if (before == -1 || before == (int8_t)is_up) /* the first word about it is no change */
		return;
	snprintf(number, sizeof(number), "%" PRIu32, object);
	occurrence_add(&o, "_track_number", text_of(number), TAINT_NONE);
	occurrence_add(&o, "_track_state", is_up ? TEXT("up") : TEXT("down"), TAINT_NONE);
	event_all(eem, DETECTOR_TRACK, &change, track_matches, &o, now);
	eem_work(eem, now);
}

void eem_no_track(struct eem *eem, uint32_t object)
{
	if (object && object <= TRACKS_MAX)
		eem->tracks[object] = -1;
}

/* Whether the value starts the event: once, until the exit condition lets it start again; without one each time. */
bool event_condition(const struct event *e, struct event_state *s, int64_t value, struct moment now)
{
	char digits[24];
	bool holds = false;
	int len;

	if (s->disarmed) {
		bool by_value = false, by_time = e->exit_time_ns && now.mono_ns >= s->rearm;

		len = snprintf(digits, sizeof(digits), "%" PRId64, value);
		if (e->has_exit)
			operation_holds(e->exit_op, (struct text){ digits, (size_t)len }, e->exit_value, &by_value);
		if (e->has_exit && e->exit_time_ns)
			s->disarmed = !(e->exit_is_or ? by_value || by_time : by_value && by_time);
		else
			s->disarmed = !(by_value || by_time);
		return false;
	}
	len = snprintf(digits, sizeof(digits), "%" PRId64, value);
	if (!operation_holds(e->op, (struct text){ digits, (size_t)len }, e->value, &holds) || !holds)
		return false;
	s->disarmed = e->has_exit || e->exit_time_ns;
	s->rearm = now.mono_ns + e->exit_time_ns;
	return true;
}

int64_t *counter_of(struct eem *eem, struct text name)
{
	for (uint32_t i = 0; i < eem->counter_count; i++)
		if (text_equal(text_of(eem->counters[i].name), name))
			return &eem->counters[i].number;
	if (eem->counter_count == COUNTERS_MAX || name.len == 0 || name.len >= EEM_APPLET_NAME_MAX)
		return NULL;
	text_copy(name, eem->counters[eem->counter_count].name, EEM_APPLET_NAME_MAX);
	eem->counters[eem->counter_count].number = 0;
	return &eem->counters[eem->counter_count++].number;
}

void counter_changed(struct eem *eem, struct text name, int64_t value, const struct run *cause, struct moment now)
{
	struct occurrence o = { .chain = cause ? cause->chain : NULL, .chain_len = cause ? cause->chain_len : 0 };
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, value);

	occurrence_add(&o, "_counter_name", name, TAINT_NONE);
	occurrence_add(&o, "_counter_value", (struct text){ digits, (size_t)len }, TAINT_NONE);
	for (uint32_t i = 0; i < eem->set->count; i++) {
		for (uint32_t k = 0; k < eem->set->at[i].event_count; k++) {
			const struct event *e = &eem->set->at[i].events[k];

			if (e->detector == DETECTOR_COUNTER && text_equal(e->name, name) &&
			    event_condition(e, &eem->states[i].events[k], value, now))
				event_happens(eem, i, k, &o, now);
		}
	}
}

void eem_counter(struct eem *eem, struct text name, int64_t value, struct moment now)
{
	int64_t *counter = counter_of(eem, name);

	if (!counter)
		return;
	*counter = value;
	counter_changed(eem, name, value, NULL, now);
	eem_work(eem, now);
}

void eem_snmp_value(struct eem *eem, uint64_t request, bool present, struct text oid, struct text value, struct moment now)
{
	struct occurrence o = { .device = TEXT_NONE };
	uint64_t magnitude;
	struct text digits = value;
	bool negative = text_take_char(&digits, '-');

	occurrence_add(&o, "_snmp_oid", oid, TAINT_NONE);
	occurrence_add(&o, "_snmp_oid_val", value, TAINT_OUTSIDE);
	for (uint32_t i = 0; request && i < eem->set->count; i++) {
		const struct policy *p = &eem->set->at[i];

		for (uint32_t k = 0; k < p->event_count; k++) {
			struct event_state *s = &eem->states[i].events[k];
			bool holds = false;
			int64_t number;

			if (p->events[k].detector != DETECTOR_SNMP || s->request != request)
				continue;
			s->request = 0;
			if (!present)
				continue;
			if (text_decimal(digits, INT64_MAX, &magnitude) == 0) {
				number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
				holds = event_condition(&p->events[k], s, p->events[k].entry_increment && s->has_value ?
							number - s->value : number, now) &&
					(!p->events[k].entry_increment || s->has_value);
				s->value = number;
				s->has_value = true;
			} else { /* texts compare by eq and ne alone */
				operation_holds(p->events[k].op, value, p->events[k].value, &holds);
			}
			if (holds) {
				if (p->device_count) /* the object was read here, whatever the applet stands on */
					o.device = p->devices[0].name;
				event_happens(eem, i, k, &o, now);
			}
		}
	}
	eem_work(eem, now);
}

static bool application_matches(const struct event *e, const void *what)
{
	const uint32_t *numbers = what;

	return e->subsystem == numbers[0] && e->type == numbers[1];
}

void application_event(struct eem *eem, uint32_t subsystem, uint32_t type, const struct fact *data, uint32_t count,
		       const struct run *cause, struct moment now)
{
	uint32_t numbers[2] = { subsystem, type };
	struct occurrence o = { .chain = cause->chain, .chain_len = cause->chain_len };
	char texts[2][16];

	snprintf(texts[0], sizeof(texts[0]), "%" PRIu32, subsystem);
	snprintf(texts[1], sizeof(texts[1]), "%" PRIu32, type);
	occurrence_add(&o, "_application_sub_system", text_of(texts[0]), TAINT_NONE);
	occurrence_add(&o, "_application_type", text_of(texts[1]), TAINT_NONE);
	for (uint32_t i = 0; i < count; i++)
		occurrence_add(&o, data[i].name, data[i].value, data[i].taint);
	event_all(eem, DETECTOR_APPLICATION, numbers, application_matches, &o, now);
}

/* --- event manager run ------------------------------------------------------------------------------------------- */

int eem_run(struct eem *eem, struct text name, const struct text *arguments, uint32_t count, uint64_t terminal,
	    struct moment now, uint64_t *ret_run)
{
	static const char *const names[EEM_ARGUMENTS_MAX] = {
		"_none_arg1", "_none_arg2", "_none_arg3", "_none_arg4", "_none_arg5", "_none_arg6", "_none_arg7", "_none_arg8",
		"_none_arg9", "_none_arg10", "_none_arg11", "_none_arg12", "_none_arg13", "_none_arg14", "_none_arg15",
	};
	uint32_t policy = eem_policy_find(eem->set, name);
	struct occurrence o = { .terminal = terminal };
	const struct policy *p;
	struct run *run;
	char digits[16];
	bool waits;

	if (policy == UINT32_MAX)
		return -ENOENT;
	if (count > EEM_ARGUMENTS_MAX)
		return SPIMEND_E_LIMIT;
	p = &eem->set->at[policy];
	for (uint32_t k = 0; k < p->event_count; k++) {
		if (p->events[k].detector != DETECTOR_NONE)
			continue;
		snprintf(digits, sizeof(digits), "%" PRIu32, count);
		occurrence_add(&o, "_none_argc", text_of(digits), TAINT_NONE);
		for (uint32_t i = 0; i < count; i++)
			occurrence_add(&o, names[i], arguments[i], TAINT_CAPTURE);
		if (p->events[k].has_sync && !p->events[k].sync)
			o.terminal = 0;
		run = run_start(eem, policy, 0, &p->events[k], &o, 0, now);
		if (!run)
			return -EAGAIN;
		if (ret_run)
			*ret_run = run->id;
		waits = run->terminal != 0;
		eem_work(eem, now);
		return waits;
	}
	return -EINVAL;
}
