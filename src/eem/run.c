/* SPDX-License-Identifier: MIT */
/* One run: which action comes next, and what its errors and answers do. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "eem/engine_private.h"
#include "spimend/error.h"

enum step run_fail(struct eem *eem, struct run *run, struct moment now, const char *format, ...)
{
	const struct action *a = &run->policy->actions[run->pc];
	char what[256], text[EEM_FINDING_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(text, sizeof(text), "action %.*s %s: %s", (int)(a->label.len < 64 ? a->label.len : 64), a->label.at,
		 verb_names[a->verb], what);
	if (run->on_error == ERROR_EXIT) {
		run_end(eem, run, EEM_END_ABORT, text, now);
		return STEP_OVER;
	}
	if (run->on_error == ERROR_WARN)
		eem_notice(eem, run, 5, "applet %.*s: %s", TEXT_ARG(run->policy->name), text);
	return STEP_NEXT;
}

bool run_expand(struct eem *eem, struct run *run, const struct action *a, unsigned slot, struct moment now,
		struct expansion *ret, enum step *ret_step)
{
	expand(run, &a->arg[slot], ret);
	if (ret->unset.len)
		*ret_step = run_fail(eem, run, now, "variable $%.*s is not set", TEXT_ARG(ret->unset));
	else if (ret->text.failed)
		*ret_step = run_fail(eem, run, now, "no memory");
	else if (ret->text.len > eem->settings.run_bytes_max)
		*ret_step = run_fail(eem, run, now, "a text of %zu bytes is more than a run may have", ret->text.len);
	else
		return true;
	expansion_done(ret);
	return false;
}

enum step run_set_or_fail(struct eem *eem, struct run *run, struct text name, struct text value, enum taint taint,
			  struct moment now)
{
	int result = run_set(eem, run, name, value, taint);

	if (result == 0)
		return STEP_NEXT;
	if (result == SPIMEND_E_LIMIT)
		return run_fail(eem, run, now, "its values take more than %" PRIu32 " bytes, or are more than %d",
				eem->settings.run_bytes_max, VARIABLES_MAX);
	return run_fail(eem, run, now, "%s", spimend_strerror(result));
}

/* --- Where to ---------------------------------------------------------------------------------------------------- */

static bool condition(struct eem *eem, struct run *run, const struct action *a, struct moment now, bool *ret_holds,
		      enum step *ret_step)
{
	struct expansion left, right;
	bool compared;

	if (!run_expand(eem, run, a, 0, now, &left, ret_step))
		return false;
	if (!run_expand(eem, run, a, 1, now, &right, ret_step)) {
		expansion_done(&left);
		return false;
	}
	compared = operation_holds(a->op, buffer_text(&left.text), buffer_text(&right.text), ret_holds);
	if (!compared)
		*ret_step = run_fail(eem, run, now, "'%.*s' and '%.*s' are not both numbers, as '%s' wants",
				     TEXT_ARG(text_first(buffer_text(&left.text), 40)),
				     TEXT_ARG(text_first(buffer_text(&right.text), 40)), operation_names[a->op]);
	expansion_done(&left);
	expansion_done(&right);
	return compared;
}

static enum step jump(struct run *run, uint32_t to)
{
	run->pc = to;
	return STEP_JUMPED;
}

/* if and those behind it: into the first branch whose condition holds. */
static enum step enter_if(struct eem *eem, struct run *run, struct moment now)
{
	for (;;) {
		const struct action *a = &run->policy->actions[run->pc];
		enum step step;
		bool holds;

		if (a->verb == VERB_ELSE || a->verb == VERB_END)
			return STEP_NEXT;
		run->instructions++;
		if (!condition(eem, run, a, now, &holds, &step))
			return step;
		if (a->verb == VERB_IF && a->name_count) /* "if ... goto" */
			return holds ? jump(run, a->jump) : STEP_NEXT;
		if (holds)
			return STEP_NEXT;
		run->pc = a->jump;
	}
}

static void leave_loops(struct run *run, uint32_t head)
{
	while (run->loop_count && run->loops[run->loop_count - 1].head >= head)
		run->loop_count--;
}

static enum step enter_while(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	enum step step;
	bool holds;

	if (!condition(eem, run, a, now, &holds, &step))
		return step;
	return holds ? STEP_NEXT : jump(run, a->jump + 1);
}

/* The foreach that is under way here; a goto may have left others inside it. */
static struct loop *loop_of(struct run *run)
{
	for (uint32_t i = run->loop_count; i-- > 0;) {
		if (run->loops[i].head != run->pc)
			continue;
		run->loop_count = i + 1;
		return &run->loops[i];
	}
	return NULL;
}

static enum step enter_foreach(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct loop *loop = loop_of(run);
	struct expansion list;
	struct text rest, word;
	enum step step;
	enum taint taint;

	if (!loop) {
		if (run->loop_count == LOOPS_MAX)
			return run_fail(eem, run, now, "more than %d loops inside each other", LOOPS_MAX);
		loop = &run->loops[run->loop_count++];
		*loop = (struct loop){ run->pc, 0 };
	}
	if (!run_expand(eem, run, a, 0, now, &list, &step))
		return step;
	rest = text_skip(buffer_text(&list.text), loop->at);
	word = text_take_word(&rest);
	taint = list.taint == TAINT_NONE ? TAINT_NONE : TAINT_OUTSIDE; /* a piece of a text is no capture */
	if (word.len == 0) {
		run->loop_count--;
		step = jump(run, a->jump + 1);
	} else {
		loop->at = (size_t)(rest.at - buffer_text(&list.text).at);
		step = run_set_or_fail(eem, run, a->name[0], word, taint, now);
	}
	expansion_done(&list);
	return step;
}

static enum step leave(struct run *run, const struct action *a, bool again)
{
	uint32_t head = a->chain, end = run->policy->actions[head].jump;

	if (again)
		return jump(run, head);
	leave_loops(run, head);
	return jump(run, end + 1);
}

/* --- One action -------------------------------------------------------------------------------------------------- */

static enum step take_exit(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion status;
	enum step step;
	uint64_t number = 0;

	if (a->has) {
		if (!run_expand(eem, run, a, 0, now, &status, &step))
			return step;
		if (text_decimal(text_trim(buffer_text(&status.text)), INT32_MAX, &number) == 0)
			run_set_number(eem, run, "_exit_status", (int64_t)number);
		expansion_done(&status);
	}
	run_end(eem, run, EEM_END_SUCCESS, "", now);
	return STEP_OVER;
}

static enum step take_wait(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion seconds;
	struct text t, whole;
	uint64_t s, ms = 0;
	size_t digits = 0;
	enum step step;
	bool fine;

	if (!run_expand(eem, run, a, 0, now, &seconds, &step))
		return step;
	whole = t = text_trim(buffer_text(&seconds.text));
	fine = text_take_digits(&t, 10, &s, NULL) && s <= UINT32_MAX;
	if (fine && text_take_char(&t, '.'))
		fine = text_take_digits(&t, 3, &ms, &digits);
	for (; digits < 3; digits++)
		ms *= 10;
	if (!fine || t.len) {
		step = run_fail(eem, run, now, "'%.*s' is no number of seconds", TEXT_ARG(text_first(whole, 40)));
		expansion_done(&seconds);
		return step;
	}
	expansion_done(&seconds);
	run->wake = now.mono_ns + (int64_t)s * SECOND_NS + (int64_t)ms * (SECOND_NS / 1000);
	run->state = RUN_SLEEPING;
	run->pc++;
	return STEP_BLOCKED;
}

static enum step step_action(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	switch (a->verb) {
	case VERB_IF:
		return enter_if(eem, run, now);
	case VERB_ELSEIF:
	case VERB_ELSE: /* reached from above: the branch in front is done */
		return jump(run, a->chain + 1);
	case VERB_END:
		return a->jump == EEM_NOWHERE ? STEP_NEXT : jump(run, a->jump);
	case VERB_WHILE:
		return enter_while(eem, run, a, now);
	case VERB_FOREACH:
		return enter_foreach(eem, run, a, now);
	case VERB_BREAK:
		return leave(run, a, false);
	case VERB_CONTINUE:
		return leave(run, a, true);
	case VERB_GOTO:
		return jump(run, a->jump);
	case VERB_EXIT:
		return take_exit(eem, run, a, now);
	case VERB_WAIT:
		return take_wait(eem, run, a, now);
	case VERB_COMMENT:
	case VERB_HELP:
		return STEP_NEXT;
	case VERB_HANDLE_ERROR:
		run->on_error = (enum error_mode)a->sub;
		return STEP_NEXT;
	case VERB_SET:
	case VERB_APPEND:
	case VERB_REGEXP:
	case VERB_ADD:
	case VERB_SUBTRACT:
	case VERB_MULTIPLY:
	case VERB_DIVIDE:
	case VERB_INCREMENT:
	case VERB_DECREMENT:
		return run_text_action(eem, run, a, now);
	case VERB_STRING:
		return run_string_action(eem, run, a, now);
	case VERB_FILE:
		return run_file_action(eem, run, a, now);
	case VERB_CONTEXT:
	case VERB_COUNTER:
	case VERB_POLICY:
	case VERB_PUBLISH_EVENT:
	case VERB_TRACK:
	case VERB_INFO:
		return run_shared_action(eem, run, a, now);
	default:
		return run_port_action(eem, run, a, now);
	}
}

void run_slice(struct eem *eem, struct run *run, struct moment now)
{
	uint64_t until = run->instructions + SLICE;

	while (run->state == RUN_READY && !run->over && run->instructions < until) {
		if (run->pc >= run->policy->action_count) {
			run_end(eem, run, EEM_END_SUCCESS, "", now);
			return;
		}
		if (++run->instructions > eem->settings.instructions_max) {
			run->on_error = ERROR_EXIT;
			run_fail(eem, run, now, "more than %" PRIu32 " actions in one run: a loop without an end?",
				 eem->settings.instructions_max);
			return;
		}
		if (step_action(eem, run, &run->policy->actions[run->pc], now) == STEP_NEXT)
			run->pc++;
	}
}

/* --- Answers ----------------------------------------------------------------------------------------------------- */

static enum step answer_command(struct eem *eem, struct run *run, const struct action *a, enum eem_outcome outcome,
				struct text text, struct moment now)
{
	bool cut = text.len > eem->settings.result_bytes_max;
	enum step step;

	run->at_prompt = a->pattern != NULL;
	if (outcome == EEM_REFUSED || outcome == EEM_FAILED || outcome == EEM_TIMEOUT)
		return run_fail(eem, run, now, "the command %s: %.*s",
				outcome == EEM_REFUSED ? "was refused" : outcome == EEM_TIMEOUT ? "took too long" : "could not be run",
				TEXT_ARG(text_first(text, 120)));
	step = run_set_or_fail(eem, run, TEXT("_cli_result"), text_first(text, eem->settings.result_bytes_max), TAINT_OUTSIDE, now);
	if (cut)
		eem_notice(eem, run, 5, "applet %.*s: the command's output of %zu bytes was cut to %" PRIu32,
			   TEXT_ARG(run->policy->name), text.len, eem->settings.result_bytes_max);
	return step;
}

void run_answer(struct eem *eem, struct run *run, enum eem_outcome outcome, struct text text, struct moment now)
{
	const struct action *a = &run->policy->actions[run->pc];
	enum step step = STEP_NEXT;

	run->request = 0;
	run->state = RUN_READY;
	if (a->verb == VERB_CLI)
		step = answer_command(eem, run, a, outcome, text, now);
	else if (outcome != EEM_DONE)
		step = run_fail(eem, run, now, "%.*s", TEXT_ARG(text_first(text.len ? text : TEXT("it could not be done"), 160)));
	else if (a->verb == VERB_GETS || (a->verb == VERB_FILE && a->name_count && a->sub != EEM_FILE_OPEN))
		step = run_set_or_fail(eem, run, a->name[0], text_first(text, eem->settings.result_bytes_max), TAINT_OUTSIDE, now);
	if (step == STEP_NEXT)
		run->pc++;
}
