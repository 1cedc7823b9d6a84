/* SPDX-License-Identifier: MIT */
/* Several events: trigger, correlate, attribute. */
#include "eem/compile.h"

#define SECONDS_MOST 4294967295.0

bool compile_trigger(struct compiler *c, struct eem_words *w)
{
	static const char *const options[] = { "occurs", "period", "period-start", "delay", "maxrun", "ratelimit", "nice",
					       "queue-priority" };
	struct trigger t = { .is_there = true, .line = c->line, .occurs = 1 };
	struct policy *policy = c->policy;
	uint32_t from = w->next;
	const char *why;
	uint64_t number;
	int64_t maxrun = -1, ignored;
	bool fine = true;

	while (fine && eem_word_see(w)) {
		int option = compile_keyword(c, w, "unknown-option", "option of trigger", options, EEM_COUNT(options));

		switch (option) {
		case 0:
			fine = compile_number(c, w, "occurs", 1, UINT32_MAX, &number);
			t.occurs = fine ? (uint32_t)number : 1;
			break;
		case 1:
			fine = compile_seconds(c, w, "period", SECONDS_MOST, &t.period_ns);
			break;
		case 2:
			fine = compile_word(c, w, "a cron entry", &t.start_text);
			if (fine && cron_read(t.start_text, &t.start, &why) < 0)
				fine = compile_fail(c, "bad-value", "period-start '%.*s': %s", TEXT_ARG(t.start_text), why);
			t.has_start = true;
			break;
		case 3:
			fine = compile_seconds(c, w, "delay", SECONDS_MOST, &t.delay_ns);
			break;
		case 4:
			fine = compile_seconds(c, w, "maxrun", SECONDS_MOST, &maxrun);
			break;
		case 5:
		case 6:
		case 7:
			fine = compile_seconds(c, w, options[option], SECONDS_MOST, &ignored);
			break;
		default:
			fine = false;
		}
	}
	if (!fine)
		return false;
	if (maxrun >= 0 && policy->event_count) {
		policy->events[0].has_maxrun = true;
		policy->events[0].maxrun_ns = maxrun;
	}
	t.source = compile_source(c, w, from);
	policy->trigger = t;
	return true;
}

bool compile_correlate(struct compiler *c, struct eem_words *w)
{
	static const char *const what[] = { "event", "track" };
	static const char *const joins[] = { "and", "or", "andnot" };
	struct trigger *t = &c->policy->trigger;
	uint64_t object = 0;
	int join = 0;

	if (!t->is_there)
		return compile_fail(c, "stray-line", "'correlate' stands below 'trigger'");
	t->term_count = 0;
	t->correlate_line = c->line;
	for (;;) {
		int kind = compile_keyword(c, w, "unknown-option", "operand of correlate", what, EEM_COUNT(what));

		if (kind < 0)
			return false;
		if (t->term_count == EEM_EVENTS_MAX)
			return compile_fail(c, "bad-value", "more than %d events are correlated", EEM_EVENTS_MAX);
		t->terms[t->term_count] = (struct term){ .event = EEM_NOWHERE };
		if (kind == 1 && !compile_number(c, w, "the track object", 1, 1000, &object))
			return false;
		if (kind == 0 && !compile_word(c, w, "an event's tag", &t->terms[t->term_count].tag))
			return false;
		t->terms[t->term_count].track = kind == 1 ? (uint32_t)object : 0;
		t->terms[t->term_count++].join = (enum join)join;
		if (!eem_word_see(w))
			return true;
		join = compile_keyword(c, w, "unknown-option", "join", joins, EEM_COUNT(joins));
		if (join < 0)
			return false;
	}
}

bool compile_attribute(struct compiler *c, struct eem_words *w)
{
	static const char *const options[] = { "tag", "occurs" };
	struct text tag = TEXT_NONE;
	uint64_t occurs = 1;

	if (!c->policy->trigger.is_there)
		return compile_fail(c, "stray-line", "'attribute' stands below 'trigger'");
	while (eem_word_see(w)) {
		int option = compile_keyword(c, w, "unknown-option", "option of attribute", options, EEM_COUNT(options));

		if (option < 0)
			return false;
		if (option == 0 ? !compile_word(c, w, "an event's tag", &tag)
				: !compile_number(c, w, "occurs", 1, UINT32_MAX, &occurs))
			return false;
	}
	for (uint32_t i = 0; i < c->policy->event_count; i++) {
		if (text_equal(c->policy->events[i].tag, tag)) {
			c->policy->events[i].tag_occurs = (uint32_t)occurs;
			return true;
		}
	}
	if (c->policy->event_failed)
		return false;
	return compile_fail(c, "unknown-tag", "no event above has the tag '%.*s'", TEXT_ARG(tag));
}
