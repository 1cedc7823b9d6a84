/* SPDX-License-Identifier: MIT */
#include "eem/eem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/memory.h"
#include "eem/engine_private.h"
#include "spimend/error.h"

void eem_settings_default(struct eem_settings *ret)
{
	*ret = (struct eem_settings){
		.hostname = "Router",
		.runs_max = 32,
		.queue_max = 64,
		.run_bytes_max = 262144,
		.result_bytes_max = 131072,
		.instructions_max = 200000,
		.history_max = 50,
		.device_gap_ns = 60 * SECOND_NS,
		.policy_runs_per_minute = 120,
	};
}

/* --- What comes out ---------------------------------------------------------------------------------------------- */

static void output_free(struct output *o)
{
	if (!o)
		return;
	for (uint32_t i = 0; i < o->text_count; i++)
		memory_free(o->texts[i]);
	memory_free(o);
}

struct output *output_new(struct eem *eem, enum eem_output_kind kind, const struct run *run)
{
	struct output *o = memory_new(1, sizeof(*o));

	if (!o) {
		eem->figures.outputs_dropped++;
		return NULL;
	}
	o->out.kind = kind;
	o->out.policy = o->out.action = UINT32_MAX;
	if (run) {
		o->out.run = run->id;
		o->out.policy = run->index;
		o->out.action = run->pc;
		o->out.device = output_text(eem, o, text_of(run->device));
		o->out.applet = output_text(eem, o, run->policy->name).at; /* the policies may go before it is read */
	}
	return o;
}

struct text output_text(struct eem *eem, struct output *o, struct text text)
{
	char *copy;

	if (o->text_count == OUTPUT_TEXTS_MAX)
		return TEXT_NONE;
	copy = memory_new(text.len + 1, 1);
	if (!copy) {
		eem->figures.outputs_dropped++;
		return TEXT_NONE;
	}
	if (text.len)
		memcpy(copy, text.at, text.len);
	o->texts[o->text_count++] = copy;
	return (struct text){ copy, text.len };
}

void output_send(struct eem *eem, struct output *o)
{
	if (eem->last_output)
		eem->last_output->next = o;
	else
		eem->outputs = o;
	eem->last_output = o;
}

bool eem_next(struct eem *eem, struct eem_output *ret)
{
	struct output *o = eem->outputs;

	output_free(eem->given);
	eem->given = o;
	if (!o)
		return false;
	eem->outputs = o->next;
	if (!eem->outputs)
		eem->last_output = NULL;
	*ret = o->out;
	return true;
}

void eem_notice(struct eem *eem, const struct run *run, uint8_t severity, const char *format, ...)
{
	struct output *o = output_new(eem, EEM_NOTICE, run);
	char text[EEM_FINDING_TEXT_MAX];
	va_list args;

	if (!o)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '.';
	o->out.log.severity = severity;
	o->out.log.line = output_text(eem, o, text_of(text));
	output_send(eem, o);
}

/* --- History ----------------------------------------------------------------------------------------------------- */

struct eem_history *history_of(struct eem *eem, uint64_t number)
{
	struct eem_history *h = &eem->history[number % eem->settings.history_max];

	return h->number == number ? h : NULL;
}

const struct eem_history *eem_history_at(const struct eem *eem, uint32_t index)
{
	uint64_t kept = eem->history_count < eem->settings.history_max ? eem->history_count : eem->settings.history_max;

	if (index >= kept)
		return NULL;
	return &eem->history[(eem->history_count - kept + 1 + index) % eem->settings.history_max];
}

static uint64_t history_add(struct eem *eem, const struct run *run, struct moment now)
{
	uint64_t number = ++eem->history_count;
	struct eem_history *h = &eem->history[number % eem->settings.history_max];

	*h = (struct eem_history){ .number = number, .run = run->id, .at = now.wall, .event_type = run->event_type,
				   .end = EEM_END_UNDER_WAY };
	text_copy(run->policy->name, h->applet, sizeof(h->applet));
	text_copy(text_of(run->device), h->device, sizeof(h->device));
	return number;
}

/* --- Runs -------------------------------------------------------------------------------------------------------- */

static void run_free(struct run *run)
{
	run_forget(run);
	eem_policies_release(run->set);
	memory_free(run);
}

static void set_clock(struct eem *eem, struct run *run, struct moment now)
{
	struct civil c = eem_local(eem, now.wall);
	char text[64];
	int len = snprintf(text, sizeof(text), "%s %s %d %02d:%02d:%02d %d", calendar_weekday_name(cron_minute(&c) / (24 * 60)),
			   calendar_month_name(c.month), c.day, c.hour, c.minute, c.second, c.year);

	run_set(eem, run, TEXT("_event_pub_time"), (struct text){ text, (size_t)len }, TAINT_NONE);
	run_set_number(eem, run, "_event_pub_sec", now.wall.ns / SECOND_NS);
	run_set_number(eem, run, "_event_pub_msec", now.wall.ns % SECOND_NS / 1000000);
	run_set_number(eem, run, "_event_id", (int64_t)++eem->event_id);
}

static void set_facts(struct eem *eem, struct run *run, const struct event *event, const struct occurrence *o,
		      struct moment now)
{
	set_clock(eem, run, now);
	run_set(eem, run, TEXT("_event_type_string"), text_of(detector_name(event->detector)), TAINT_NONE);
	run_set(eem, run, TEXT("_event_severity"), text_of(event->severity ? event->severity : "normal"), TAINT_NONE);
	for (uint32_t i = 0; i < o->fact_count; i++)
		run_set(eem, run, text_of(o->facts[i].name), o->facts[i].value, o->facts[i].taint);
}

static void set_chain(struct run *run, const struct occurrence *o, struct policy_state *s)
{
	for (uint32_t i = 0; i < o->chain_len && run->chain_len + 1 < CHAIN_MAX; i++)
		run->chain[run->chain_len++] = o->chain[i];
	run->chain[run->chain_len++] = chain_id(run->policy->name);
	memcpy(s->chain, run->chain, sizeof(s->chain));
	s->chain_len = run->chain_len;
}

static void run_begin(struct eem *eem, struct run *run, struct moment now)
{
	run->state = RUN_READY;
	run->started = now.mono_ns;
	run->deadline = run->policy->maxrun_ns ? now.mono_ns + run->policy->maxrun_ns : 0;
	eem->active++;
}

static void say_dropped(struct eem *eem, const struct policy *p)
{
	eem->figures.dropped++;
	if (eem->said_drop)
		return;
	eem->said_drop = true;
	eem_notice(eem, NULL, 4, "applet %.*s is not started: %" PRIu32 " run and %" PRIu32 " wait already; further ones are counted",
		   TEXT_ARG(p->name), eem->settings.runs_max, eem->settings.queue_max);
}

struct run *run_start(struct eem *eem, uint32_t policy, uint32_t row, const struct event *event, const struct occurrence *o,
		      int64_t delay_ns, struct moment now)
{
	const struct policy *p = &eem->set->at[policy];
	struct policy_state *s = &eem->states[policy];
	struct run *run;

	if (eem->run_count >= eem->settings.runs_max + eem->settings.queue_max) {
		say_dropped(eem, p);
		return NULL;
	}
	run = memory_new(1, sizeof(*run));
	if (!run) {
		eem->figures.dropped++;
		return NULL;
	}
	*run = (struct run){
		.id = eem->next_id++, .set = eem_policies_hold(eem->set), .policy = p, .index = policy, .terminal = o->terminal,
		.token = o->token, .holds = o->holds, .event_type = p->event_count > 1 ? "multiple" : detector_name(event->detector),
		.state = RUN_QUEUED, .not_before = delay_ns ? now.mono_ns + delay_ns : 0, .has_session = o->terminal != 0,
	};
	if (row < p->device_count)
		text_copy(p->devices[row].name, run->device, sizeof(run->device));
	set_chain(run, o, s);
	set_facts(eem, run, event, o, now);
	run->history = history_add(eem, run, now);
	if (eem->last_run)
		eem->last_run->next = run;
	else
		eem->runs = run;
	eem->last_run = run;
	eem->run_count++;
	eem->figures.runs++;
	s->runs++;
	s->has_last = true;
	s->last = now.wall;
	return run;
}

static void close_session(struct eem *eem, const struct run *run)
{
	struct output *o = run->has_session ? output_new(eem, EEM_CLOSE, run) : NULL;

	if (o)
		output_send(eem, o);
}

static void send_server_event(struct eem *eem, const struct run *run)
{
	struct output *o = run->policy->traps ? output_new(eem, EEM_SNMP_TRAP, run) : NULL;

	if (!o)
		return;
	o->out.device = TEXT_NONE; /* traps of ours leave this machine */
	o->out.trap.is_server = true;
	o->out.trap.exit_status = run->exit_status;
	o->out.trap.event_type = run->event_type;
	output_send(eem, o);
}

static void release_hold(struct eem *eem, uint64_t token, bool run_it)
{
	for (uint32_t i = 0; i < eem->hold_count; i++) {
		struct hold *h = &eem->holds[i];
		struct output *o;

		if (h->token != token)
			continue;
		h->run_it &= run_it;
		if (h->waiting > 0 && --h->waiting > 0)
			return;
		o = output_new(eem, EEM_VERDICT, NULL);
		if (o) {
			o->out.verdict.token = h->token;
			o->out.verdict.terminal = h->terminal;
			o->out.verdict.run_it = h->run_it;
			output_send(eem, o);
		}
		*h = eem->holds[--eem->hold_count];
		return;
	}
}

void run_end(struct eem *eem, struct run *run, enum eem_end end, const char *why, struct moment now)
{
	struct eem_history *h = history_of(eem, run->history);
	const struct variable *status = run_find(run, TEXT("_exit_status"));
	uint64_t number;

	if (run->over)
		return;
	if (status && text_decimal(variable_value(status), INT32_MAX, &number) == 0)
		run->exit_status = (int32_t)number;
	run->over = true;
	eem->active -= run->state != RUN_QUEUED;
	if (h) {
		h->end = end;
		h->took_ns = run->state == RUN_QUEUED ? 0 : now.mono_ns - run->started;
		h->exit_status = run->exit_status;
		text_copy(text_of(why), h->why, sizeof(h->why));
	}
	eem->figures.finished += end == EEM_END_SUCCESS;
	eem->figures.aborted += end == EEM_END_ABORT;
	eem->figures.expired += end == EEM_END_MAXRUN;
	if (end != EEM_END_SUCCESS) {
		if (run->set == eem->set)
			eem->states[run->index].aborted++;
		eem_notice(eem, run, 4, "applet %.*s: %s", TEXT_ARG(run->policy->name), why);
	}
	if (run->holds)
		release_hold(eem, run->token, end != EEM_END_SUCCESS || run->exit_status == 1);
	close_session(eem, run);
	send_server_event(eem, run);
}

static void take_away(struct eem *eem)
{
	struct run **at = &eem->runs, *last = NULL;

	while (*at) {
		struct run *run = *at;

		if (!run->over) {
			last = run;
			at = &run->next;
			continue;
		}
		*at = run->next;
		eem->run_count--;
		run_free(run);
	}
	eem->last_run = last;
}

static void expire(struct eem *eem, struct run *run, struct moment now)
{
	char why[160];
	const struct action *a = run->pc < run->policy->action_count ? &run->policy->actions[run->pc] : NULL;

	snprintf(why, sizeof(why), "ended after maxrun %" PRId64 ".%03d s at action %.*s %s", run->policy->maxrun_ns / SECOND_NS,
		 (int)(run->policy->maxrun_ns % SECOND_NS / 1000000), a ? (int)a->label.len : 1, a ? a->label.at : "?",
		 a ? verb_names[a->verb] : "");
	run_end(eem, run, EEM_END_MAXRUN, why, now);
}

void eem_work(struct eem *eem, struct moment now)
{
	for (struct run *run = eem->runs; run; run = run->next) {
		if (run->state == RUN_QUEUED && !run->over && now.mono_ns >= run->not_before && eem->active < eem->settings.runs_max)
			run_begin(eem, run, now);
		if (run->over || run->state == RUN_QUEUED)
			continue;
		if (run->deadline && now.mono_ns >= run->deadline) {
			expire(eem, run, now);
			continue;
		}
		if (run->state == RUN_SLEEPING && now.mono_ns >= run->wake)
			run->state = RUN_READY;
		if (run->state == RUN_READY)
			run_slice(eem, run, now);
	}
	take_away(eem);
}

static struct run *find_request(struct eem *eem, uint64_t request)
{
	for (struct run *run = eem->runs; request && run; run = run->next)
		if (run->request == request && run->state == RUN_WAITING && !run->over)
			return run;
	return NULL;
}

void eem_result(struct eem *eem, uint64_t request, enum eem_outcome outcome, struct text text, struct moment now)
{
	struct run *run = find_request(eem, request);

	if (run && !(run->deadline && now.mono_ns >= run->deadline))
		run_answer(eem, run, outcome, text, now);
	eem_work(eem, now);
}

bool eem_expect(struct eem *eem, uint64_t request, struct text printed)
{
	struct run *run = find_request(eem, request);
	const struct action *a = run ? &run->policy->actions[run->pc] : NULL;

	return a && a->pattern && eem_pattern_search(a->pattern, printed, NULL, NULL) == EEM_MATCH;
}

void eem_hangup(struct eem *eem, uint64_t terminal, struct moment now)
{
	for (struct run *run = eem->runs; run; run = run->next) {
		if (run->terminal != terminal || terminal == 0)
			continue;
		run->terminal = 0;
		if (run->state == RUN_WAITING && run->policy->actions[run->pc].verb == VERB_GETS)
			run_end(eem, run, EEM_END_ABORT, "the terminal it read from is gone", now);
	}
	for (uint32_t i = 0; i < eem->hold_count;)
		if (eem->holds[i].terminal == terminal && terminal)
			eem->holds[i] = eem->holds[--eem->hold_count];
		else
			i++;
	eem_work(eem, now);
}

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t eem_tick(struct eem *eem, struct moment now)
{
	int64_t next = timers_tick(eem, now);

	for (uint32_t i = 0; i < eem->hold_count;) {
		struct hold *h = &eem->holds[i];

		if (now.mono_ns < h->until) {
			next = earliest(next, h->until);
			i++;
			continue;
		}
		h->waiting = 1;
		h->run_it = true;
		release_hold(eem, h->token, true); /* what is typed is not held up for ever */
	}
	eem_work(eem, now);
	for (const struct run *run = eem->runs; run; run = run->next) {
		if (run->state == RUN_READY)
			return now.mono_ns; /* its slice was used up */
		if (run->state == RUN_QUEUED && run->not_before > now.mono_ns)
			next = earliest(next, run->not_before);
		if (run->state == RUN_SLEEPING)
			next = earliest(next, run->wake);
		if (run->state != RUN_QUEUED && run->deadline)
			next = earliest(next, run->deadline);
	}
	return next;
}

/* --- Coming and going -------------------------------------------------------------------------------------------- */

static void states_free(struct policy_state *states, const struct eem_policies *set)
{
	for (uint32_t i = 0; states && i < set->count; i++) {
		for (uint32_t k = 0; states[i].events && k < states[i].rows * set->at[i].event_count; k++) {
			memory_free(states[i].events[k].times);
			memory_free(states[i].events[k].tag_times);
		}
		memory_free(states[i].events);
		memory_free(states[i].device_last);
	}
	memory_free(states);
}

static int state_init(struct policy_state *s, const struct policy *p, struct moment now)
{
	s->rows = p->device_count ? p->device_count : 1;
	s->registered = now.wall;
	s->minute = now.mono_ns;
	s->events = memory_new((size_t)s->rows * p->event_count, sizeof(*s->events));
	s->device_last = memory_new(s->rows, sizeof(*s->device_last));
	if (!s->events || !s->device_last)
		return -ENOMEM;
	for (uint32_t row = 0; row < s->rows; row++) {
		s->device_last[row] = INT64_MIN;
		for (uint32_t i = 0; i < p->event_count; i++) {
			struct event_state *e = &s->events[row * p->event_count + i];

			e->last_start = INT64_MIN;
			e->next = e->rearm = INT64_MAX;
			e->time_room = p->events[i].occurs > 1 && p->events[i].period_ns && p->events[i].occurs <= TIMES_MAX ?
					       p->events[i].occurs : 0;
			e->tag_room = p->events[i].tag_occurs < TIMES_MAX ? p->events[i].tag_occurs : TIMES_MAX;
			e->times = e->time_room ? memory_new(e->time_room, sizeof(*e->times)) : NULL;
			e->tag_times = memory_new(e->tag_room, sizeof(*e->tag_times));
			if ((e->time_room && !e->times) || !e->tag_times)
				return -ENOMEM;
		}
	}
	return 0;
}

/* The syslog events' expressions, to be matched at once. */
static int gather_patterns(const struct eem_policies *set, struct eem_pattern ***ret_patterns,
			   struct syslog_event **ret_events, uint32_t *ret_count)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < set->count; i++)
		count += set->at[i].event_count;
	*ret_patterns = memory_new(count, sizeof(**ret_patterns));
	*ret_events = memory_new(count, sizeof(**ret_events));
	if (!*ret_patterns || !*ret_events)
		return -ENOMEM;
	count = 0;
	for (uint32_t i = 0; i < set->count; i++) {
		for (uint32_t k = 0; k < set->at[i].event_count; k++) {
			if (set->at[i].events[k].detector != DETECTOR_SYSLOG)
				continue;
			(*ret_patterns)[count] = set->at[i].events[k].pattern;
			(*ret_events)[count++] = (struct syslog_event){ i, k };
		}
	}
	*ret_count = count;
	return 0;
}

/* What the new configuration left as it was goes on counting. */
static void carry_over(struct eem *eem, const struct eem_policies *set, struct policy_state *states)
{
	for (uint32_t i = 0; i < set->count; i++) {
		uint32_t old = eem->set ? eem_policy_find(eem->set, set->at[i].name) : UINT32_MAX;
		struct policy_state swap;

		if (old == UINT32_MAX || eem->set->at[old].hash != set->at[i].hash)
			continue;
		swap = states[i];
		states[i] = eem->states[old];
		eem->states[old] = swap;
	}
}

static int install(struct eem *eem, struct eem_policies *set, struct moment now)
{
	struct policy_state *states = memory_new(set->count, sizeof(*states));
	struct eem_pattern **patterns = NULL;
	struct syslog_event *events = NULL;
	struct eem_matcher *matcher = NULL;
	uint32_t count = 0;
	int result = states ? gather_patterns(set, &patterns, &events, &count) : -ENOMEM;

	for (uint32_t i = 0; result == 0 && i < set->count; i++)
		result = state_init(&states[i], &set->at[i], now);
	if (result == 0)
		result = eem_matcher_new(patterns, count, &matcher);
	if (result < 0) {
		states_free(states, set);
		memory_free(patterns);
		memory_free(events);
		return result;
	}
	for (uint32_t i = 0; i < set->count; i++)
		states[i].has_last = false;
	carry_over(eem, set, states);
	if (eem->set)
		states_free(eem->states, eem->set);
	eem_matcher_free(eem->matcher);
	memory_free(eem->patterns);
	memory_free(eem->syslog);
	eem_policies_release(eem->set);
	eem->set = eem_policies_hold(set);
	eem->states = states;
	eem->matcher = matcher;
	eem->patterns = patterns;
	eem->syslog = events;
	eem->syslog_count = count;
	eem->has_cron = false;
	for (uint32_t i = 0; i < set->count; i++)
		timers_start(eem, i, now);
	return 0;
}

int eem_new(struct eem_policies *policies, const struct eem_settings *settings, uint64_t first_id, struct moment now,
	    struct eem **ret)
{
	struct eem *eem = memory_new(1, sizeof(*eem));
	int result = -ENOMEM;

	if (!eem)
		return -ENOMEM;
	eem->settings = *settings;
	eem->settings.history_max += eem->settings.history_max == 0;
	eem->next_id = first_id ? first_id : 1;
	memset(eem->tracks, -1, sizeof(eem->tracks));
	eem->history = memory_new(eem->settings.history_max, sizeof(*eem->history));
	if (eem->history)
		result = install(eem, policies, now);
	if (result < 0) {
		eem_free(eem);
		return result;
	}
	eem_work(eem, now);
	*ret = eem;
	return 0;
}

int eem_reconfigure(struct eem *eem, struct eem_policies *policies, struct moment now)
{
	int result;

	eem->settings.after_boot = false;
	result = install(eem, policies, now);
	eem_work(eem, now);
	return result;
}

void eem_free(struct eem *eem)
{
	if (!eem)
		return;
	while (eem->runs) {
		struct run *next = eem->runs->next;

		run_free(eem->runs);
		eem->runs = next;
	}
	while (eem->outputs) {
		struct output *next = eem->outputs->next;

		output_free(eem->outputs);
		eem->outputs = next;
	}
	output_free(eem->given);
	for (uint32_t i = 0; i < eem->context_count; i++)
		memory_free(eem->contexts[i].bytes);
	if (eem->set)
		states_free(eem->states, eem->set);
	eem_matcher_free(eem->matcher);
	memory_free(eem->patterns);
	memory_free(eem->syslog);
	memory_free(eem->history);
	eem_policies_release(eem->set);
	memory_free(eem);
}

struct eem_figures eem_figures(const struct eem *eem)
{
	struct eem_figures f = eem->figures;

	f.policies = eem->set->count;
	f.running = eem->active;
	f.waiting = eem->run_count - eem->active;
	return f;
}

bool eem_policy_state(const struct eem *eem, uint32_t index, struct eem_policy_state *ret)
{
	const struct policy_state *s;

	if (index >= eem->set->count)
		return false;
	s = &eem->states[index];
	*ret = (struct eem_policy_state){ s->registered, s->runs, s->aborted, s->has_last, s->last };
	return true;
}
