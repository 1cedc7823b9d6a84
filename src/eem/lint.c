/* SPDX-License-Identifier: MIT */
#include "eem/lint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "eem/lint_private.h"

#define WAITS_NEAR_PERCENT 80
#define COMMAND_NS (SECOND_NS / 2) /* what a command takes on a router that is not idle; our estimate */

void lint_say(const struct lint *l, const struct policy *p, enum eem_level level, uint32_t line, const char *name,
	      const char *format, ...)
{
	char text[EEM_FINDING_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	eem_report_add(l->report, level, line, name, p ? p->name : TEXT_NONE, "%s", text);
}

bool lint_constant(const struct eem_template *t, struct text *ret)
{
	*ret = t->count ? t->parts[0].text : TEXT_NONE;
	return t->count == 0 || (t->count == 1 && !t->parts[0].is_variable);
}

bool lint_uses(const struct eem_template *t, struct text name)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (t->parts[i].is_variable && text_equal(t->parts[i].text, name))
			return true;
	return false;
}

/* --- Order ------------------------------------------------------------------------------------------------------- */

static void lint_order(const struct lint *l, const struct policy *p)
{
	for (uint32_t i = 0; i + 1 < p->action_count; i++) {
		const struct action *first = &p->actions[i], *second = &p->actions[i + 1];

		if (first->written < second->written)
			continue;
		lint_say(l, p, EEM_WARNING, second->line, "label-order",
			 "action %.*s (line %" PRIu32 ") runs before action %.*s (line %" PRIu32 "): labels are sorted as texts, not as "
			 "numbers; labels of equal length keep the written order", TEXT_ARG(first->label), first->line,
			 TEXT_ARG(second->label), second->line);
		return;
	}
}

/* --- Time -------------------------------------------------------------------------------------------------------- */

static void print_seconds(char to[24], int64_t ns)
{
	if (ns % SECOND_NS)
		snprintf(to, 24, "%" PRId64 ".%03d", ns / SECOND_NS, (int)(ns % SECOND_NS / 1000000));
	else
		snprintf(to, 24, "%" PRId64, ns / SECOND_NS);
}

static bool constant_seconds(const struct action *a, int64_t *ret)
{
	struct text t, rest;
	uint64_t s, ms = 0;
	size_t digits = 0;

	if (!lint_constant(&a->arg[0], &t))
		return false;
	rest = t;
	if (!text_take_digits(&rest, 10, &s, NULL))
		return false;
	if (text_take_char(&rest, '.'))
		text_take_digits(&rest, 3, &ms, &digits);
	for (; digits < 3; digits++)
		ms *= 10;
	*ret = (int64_t)s * SECOND_NS + (int64_t)ms * 1000000;
	return true;
}

static void lint_maxrun(const struct lint *l, const struct policy *p, int64_t waits, uint32_t commands, uint32_t line)
{
	char wait[24], most[24], left[24];
	bool is_default = true;
	int64_t percent;

	for (uint32_t i = 0; i < p->event_count; i++)
		is_default &= !p->events[i].has_maxrun;
	if (p->maxrun_ns == 0)
		return;
	percent = waits / (p->maxrun_ns / 100 + (p->maxrun_ns < 100));
	print_seconds(wait, waits);
	print_seconds(most, p->maxrun_ns);
	print_seconds(left, p->maxrun_ns > waits ? p->maxrun_ns - waits : 0);
	if (percent >= 100)
		lint_say(l, p, EEM_ERROR, line, "wait-over-maxrun",
			 "the waits add up to %s s of %s%s s: the run is ended before it gets behind them", wait,
			 is_default ? "the default maxrun of " : "maxrun ", most);
	else if (percent > WAITS_NEAR_PERCENT)
		lint_say(l, p, EEM_WARNING, line, "wait-near-maxrun",
			 "the waits take %s s of %s%s s (%d %%): %s s are left for %" PRIu32 " command%s; a slow one, and the run is "
			 "ended before what stands behind it; write 'maxrun %" PRId64 "' into the event", wait,
			 is_default ? "the default maxrun of " : "maxrun ", most, (int)percent, left, commands, commands == 1 ? "" : "s",
			 waits / SECOND_NS * 2 + 10);
	else if (waits + commands * COMMAND_NS > p->maxrun_ns)
		lint_say(l, p, EEM_WARNING, line ? line : p->line, "commands-over-maxrun",
			 "%" PRIu32 " commands in %s s beside waits of %s s: at half a second each they do not fit", commands, most, wait);
}

void lint_time(const struct lint *l, const struct policy *p)
{
	int64_t waits = 0, longest = -1, ns;
	uint32_t commands = 0, line = 0;

	for (uint32_t i = 0; i < p->action_count; i++) {
		commands += p->actions[i].verb == VERB_CLI;
		if (p->actions[i].verb != VERB_WAIT || !constant_seconds(&p->actions[i], &ns))
			continue;
		waits += ns;
		if (ns > longest) {
			longest = ns;
			line = p->actions[i].line;
		}
	}
	lint_maxrun(l, p, waits, commands, line);
	for (uint32_t i = 0; i < p->event_count; i++) {
		const struct event *e = &p->events[i];

		if (e->detector != DETECTOR_WATCHDOG)
			continue;
		if (p->maxrun_ns == 0)
			lint_say(l, p, EEM_WARNING, e->line, "watchdog-without-maxrun",
				 "a run without limit (maxrun 0), started again and again by a watchdog: hanging runs pile up");
		if (waits + commands * COMMAND_NS > e->time_ns)
			lint_say(l, p, EEM_WARNING, e->line, "watchdog-shorter-than-run",
				 "the watchdog comes again before the run can be over: waits and %" PRIu32 " commands take about %" PRId64 " s",
				 commands, (waits + commands * COMMAND_NS) / SECOND_NS);
	}
}

/* --- The small ones ---------------------------------------------------------------------------------------------- */

static bool needs_enable(struct text command)
{
	static const char *const words[] = { "configure", "clear", "debug", "undebug", "write", "copy", "reload", "delete",
					     "interface", "router", "ip", "snmp-server", "erase", "archive", "no" };
	struct text first = text_take_word(&command), second = text_take_word(&command);
	int word = first.len >= 2 ? eem_keyword(first, words, EEM_COUNT(words)) : -1;

	if (word >= 0 || text_equal_nocase(first, TEXT("wr")))
		return true;
	return first.len >= 2 && text_starts_nocase(TEXT("show"), first) && second.len >= 3 &&
	       (text_starts_nocase(TEXT("running-config"), second) || text_starts_nocase(TEXT("startup-config"), second) ||
		text_starts_nocase(TEXT("tech-support"), second));
}

static void lint_enable(const struct lint *l, const struct policy *p)
{
	for (uint32_t i = 0; i < p->action_count; i++) {
		const struct action *a = &p->actions[i];
		struct text command;

		if (a->verb != VERB_CLI || !lint_constant(&a->arg[0], &command))
			continue;
		command = text_trim(command);
		if (command.len >= 2 && text_starts_nocase(TEXT("enable"), command))
			return;
		if (needs_enable(command)) {
			lint_say(l, p, EEM_WARNING, a->line, "no-enable",
				 "'%.*s' needs privileged mode, and no action in front says 'enable'", TEXT_ARG(text_first(command, 60)));
			return;
		}
	}
}

static void lint_sync(const struct lint *l, const struct policy *p)
{
	bool sets = false;

	for (uint32_t i = 0; i < p->action_count; i++) {
		const struct action *a = &p->actions[i];

		for (uint32_t k = 0; k < a->name_count; k++)
			sets |= text_equal(a->name[k], TEXT("_exit_status"));
		sets |= a->verb == VERB_EXIT && a->has;
	}
	for (uint32_t i = 0; i < p->event_count && !sets; i++)
		if (p->events[i].detector == DETECTOR_CLI && p->events[i].sync)
			lint_say(l, p, EEM_WARNING, p->events[i].line, "sync-without-exit-status",
				 "'sync yes' and nothing sets _exit_status: the command that was typed is not run; 'set _exit_status \"1\"' "
				 "lets it run");
}

static void lint_policy(const struct lint *l, const struct policy *p)
{
	if (p->removed)
		return;
	lint_order(l, p);
	lint_time(l, p);
	lint_pattern(l, p);
	lint_values(l, p);
	lint_enable(l, p);
	lint_sync(l, p);
	lint_needs(l, p);
	if (p->action_count == 0 && !p->failed)
		lint_say(l, p, EEM_NOTE, p->line, "no-action", "the applet does nothing when its event comes");
}

int eem_lint(struct eem_lint_text *texts, uint32_t count)
{
	struct lint *lints = memory_new(count, sizeof(*lints));
	int result = lints ? 0 : -ENOMEM;

	for (uint32_t i = 0; result == 0 && i < count; i++) {
		lints[i] = (struct lint){ .report = &texts[i].report, .text = texts[i].text, .all = lints, .all_count = count };
		result = eem_compile(texts[i].text, &lints[i].policies, &texts[i].report);
	}
	for (uint32_t i = 0; result == 0 && i < count; i++) {
		lint_config(&lints[i]);
		for (uint32_t k = 0; k < lints[i].policies->all; k++)
			lint_policy(&lints[i], &lints[i].policies->at[k]);
		eem_report_sort(&texts[i].report);
		if (texts[i].report.failed)
			result = -ENOMEM;
	}
	for (uint32_t i = 0; lints && i < count; i++)
		eem_policies_release(lints[i].policies);
	memory_free(lints);
	return result;
}
