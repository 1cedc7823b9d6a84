/* SPDX-License-Identifier: MIT */
/* What time alone brings: countdowns, watchdogs, cron entries, one instant, polls of objects. */
#include <inttypes.h>
#include <stdio.h>

#include "eem/engine_private.h"

#define CATCH_UP 180 /* minutes that are made up for when time jumped; more is another time altogether */

struct civil eem_local(const struct eem *eem, struct instant at)
{
	const struct eem_calendar *c = &eem->settings.calendar;

	return c->local ? c->local(c->context, at) : calendar_from_instant(at);
}

static void happens(struct eem *eem, uint32_t policy, uint32_t event, struct moment now)
{
	const struct policy *p = &eem->set->at[policy];
	const struct event *e = &p->events[event];
	struct occurrence o = { .device = TEXT_NONE };
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%" PRId64, e->time_ns / SECOND_NS);
	occurrence_add(&o, "_timer_type", text_skip(text_of(detector_name(e->detector)), sizeof("timer ") - 1), TAINT_NONE);
	occurrence_add(&o, "_timer_time", text_of(seconds), TAINT_NONE);
	occurrence_add(&o, "_timer_remain", TEXT("0"), TAINT_NONE);
	if (p->device_count == 0)
		event_happens(eem, policy, event, &o, now);
	for (uint32_t i = 0; i < p->device_count; i++) { /* once on each device it stands on */
		o.device = p->devices[i].name;
		event_happens(eem, policy, event, &o, now);
	}
}

void timers_start(struct eem *eem, uint32_t policy, struct moment now)
{
	const struct policy *p = &eem->set->at[policy];

	for (uint32_t k = 0; k < p->event_count; k++) {
		const struct event *e = &p->events[k];
		struct event_state *s = &eem->states[policy].events[k];

		if (p->trigger.has_start || e->detector == DETECTOR_CRON)
			eem->has_cron |= e->detector == DETECTOR_CRON;
		if (s->done || s->next != INT64_MAX)
			continue; /* carried over from before */
		if (e->detector == DETECTOR_COUNTDOWN || e->detector == DETECTOR_WATCHDOG)
			s->next = now.mono_ns + e->time_ns;
		else if (e->detector == DETECTOR_SNMP)
			s->next = now.mono_ns + e->poll_ns;
		else if (e->detector == DETECTOR_ABSOLUTE && e->time_ns <= now.wall.ns)
			s->done = true; /* past: never */
		else if (e->detector == DETECTOR_CRON && e->cron.at_reboot) {
			s->done = true;
			if (eem->settings.after_boot)
				happens(eem, policy, k, now);
		}
	}
	if (eem->has_cron && eem->cron_utc == 0) {
		struct civil local = eem_local(eem, now.wall);

		eem->cron_utc = now.wall.ns / MINUTE_NS;
		eem->cron_local = cron_minute(&local);
	}
}

/* --- cron -------------------------------------------------------------------------------------------------------- */

/*
 * One minute of the clock on the wall. When it leaps (daylight saving time begins), entries with a fixed time that were
 * leapt over run now; when it goes back, they do not run again. Entries with a star for minute or hour follow the clock.
 */
static void cron_minute_passes(struct eem *eem, int64_t local, struct moment now)
{
	int64_t from = eem->cron_local + 1;

	if (local < eem->cron_local - CATCH_UP || local > eem->cron_local + CATCH_UP)
		from = local; /* set anew */
	for (uint32_t i = 0; i < eem->set->count; i++) {
		for (uint32_t k = 0; k < eem->set->at[i].event_count; k++) {
			const struct event *e = &eem->set->at[i].events[k];
			bool matches = false;

			if (e->detector != DETECTOR_CRON || e->cron.at_reboot)
				continue;
			if (e->cron.any_time)
				matches = cron_matches(&e->cron, local);
			for (int64_t m = from; !e->cron.any_time && m <= local && !matches; m++)
				matches = cron_matches(&e->cron, m);
			if (matches)
				happens(eem, i, k, now);
		}
	}
	if (local > eem->cron_local || from == local)
		eem->cron_local = local;
}

static void cron_tick(struct eem *eem, struct moment now)
{
	int64_t minute = now.wall.ns / MINUTE_NS;

	if (minute < eem->cron_utc - CATCH_UP || minute > eem->cron_utc + CATCH_UP)
		eem->cron_utc = minute - 1; /* the clock was set */
	while (eem->cron_utc < minute) {
		struct instant at = { ++eem->cron_utc * MINUTE_NS };
		struct civil local = eem_local(eem, at);

		cron_minute_passes(eem, cron_minute(&local), now);
	}
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

static void poll_object(struct eem *eem, uint32_t policy, const struct event *e, struct event_state *s)
{
	struct output *o = output_new(eem, EEM_POLL, NULL);

	if (!o)
		return;
	s->request = eem->next_id++;
	o->out.request = s->request;
	o->out.policy = policy;
	o->out.poll.oid = output_text(eem, o, e->oid);
	o->out.poll.next = e->get_next;
	output_send(eem, o);
}

static void timer_due(struct eem *eem, uint32_t i, uint32_t k, struct event_state *s, struct moment now)
{
	const struct event *e = &eem->set->at[i].events[k];
	int64_t interval = e->detector == DETECTOR_SNMP ? e->poll_ns : e->time_ns;

	s->next += interval;
	if (s->next <= now.mono_ns)
		s->next = now.mono_ns + interval; /* late: what was missed is not made up for */
	if (e->detector == DETECTOR_COUNTDOWN) {
		s->next = INT64_MAX;
		s->done = true;
	}
	if (e->detector == DETECTOR_SNMP)
		poll_object(eem, i, e, s);
	else
		happens(eem, i, k, now);
}

int64_t timers_tick(struct eem *eem, struct moment now)
{
	int64_t next = INT64_MAX;

	if (eem->has_cron)
		cron_tick(eem, now);
	for (uint32_t i = 0; i < eem->set->count; i++) {
		for (uint32_t k = 0; k < eem->set->at[i].event_count; k++) {
			const struct event *e = &eem->set->at[i].events[k];
			struct event_state *s = &eem->states[i].events[k];

			if (s->next <= now.mono_ns)
				timer_due(eem, i, k, s, now);
			if (e->detector == DETECTOR_ABSOLUTE && !s->done) { /* the clock may be set: look once a minute */
				if (next > now.mono_ns + MINUTE_NS)
					next = now.mono_ns + MINUTE_NS;
				if (now.wall.ns >= e->time_ns) {
					s->done = true;
					happens(eem, i, k, now);
				} else if (now.mono_ns + (e->time_ns - now.wall.ns) < next) {
					next = now.mono_ns + (e->time_ns - now.wall.ns);
				}
			}
			if (s->next < next)
				next = s->next;
		}
	}
	if (eem->has_cron) {
		int64_t minute = now.mono_ns + MINUTE_NS - now.wall.ns % MINUTE_NS;

		if (minute < next)
			next = minute;
	}
	return next;
}
