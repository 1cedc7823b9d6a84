/* SPDX-License-Identifier: MIT */
/* Several events of one applet: whether they are there together. */
#include "eem/engine_private.h"

#define WINDOW_NS (3 * MINUTE_NS) /* of correlate without a period */

static void remember(struct event_state *s, struct moment now)
{
	s->tag_times[s->tag_at] = now.mono_ns;
	s->tag_at = (s->tag_at + 1) % s->tag_room;
	s->tag_count += s->tag_count < s->tag_room;
}

/* The event came as often as its attribute asks for, within the window. */
static bool is_there(const struct event_state *s, int64_t since)
{
	return s->tag_count == s->tag_room && s->tag_times[s->tag_at] >= since;
}

static void forget(struct event_state *row, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		row[i].tag_count = row[i].tag_at = 0;
}

/* From left to right, without precedence: as it is written. */
static bool correlates(const struct eem *eem, const struct trigger *t, const struct event_state *row, int64_t since)
{
	bool holds = false;

	for (uint32_t i = 0; i < t->term_count; i++) {
		uint32_t track = t->terms[i].track;
		bool there = track ? eem->tracks[track] == 1 : is_there(&row[t->terms[i].event], since);

		if (i == 0)
			holds = there;
		else if (t->terms[i].join == JOIN_AND)
			holds = holds && there;
		else if (t->terms[i].join == JOIN_OR)
			holds = holds || there;
		else
			holds = holds && !there;
	}
	return holds;
}

/* With period-start: the latest minute in which a period began, as mono time; INT64_MIN: none within it. */
static int64_t period_began(const struct eem *eem, const struct trigger *t, struct moment now)
{
	int64_t length = t->period_ns ? t->period_ns : WINDOW_NS;
	int64_t minutes = length / MINUTE_NS + 1;
	struct instant at = now.wall;

	if (minutes > 7 * 24 * 60)
		minutes = 7 * 24 * 60;
	at.ns -= at.ns % MINUTE_NS;
	for (int64_t i = 0; i < minutes; i++, at.ns -= MINUTE_NS) {
		struct civil local = eem_local(eem, at);

		if (now.wall.ns - at.ns <= length && cron_matches(&t->start, cron_minute(&local)))
			return now.mono_ns - (now.wall.ns - at.ns);
	}
	return INT64_MIN;
}

bool trigger_holds(struct eem *eem, const struct policy *p, struct policy_state *s, uint32_t row, uint32_t event,
		   struct moment now)
{
	const struct trigger *t = &p->trigger;
	struct event_state *states = &s->events[row * p->event_count];
	int64_t since = now.mono_ns - (t->period_ns ? t->period_ns : WINDOW_NS);

	if (t->has_start) {
		int64_t began = period_began(eem, t, now);

		if (began == INT64_MIN)
			return false;
		since = began;
	}
	remember(&states[event], now);
	if (t->term_count ? !correlates(eem, t, states, since) : !is_there(&states[event], since))
		return false;
	forget(states, p->event_count);
	if (t->occurs <= 1)
		return true;
	if (++s->trigger_count < t->occurs)
		return false;
	s->trigger_count = 0;
	return true;
}
