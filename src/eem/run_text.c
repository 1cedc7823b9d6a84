/* SPDX-License-Identifier: MIT */
/* Actions on values: set, append, regexp, arithmetic. */
#include <inttypes.h>
#include <stdio.h>

#include "eem/engine_private.h"

#define COST_SEARCH 20  /* a search counts as so many actions, and as one more */
#define COST_BYTES 256  /* for so many bytes that it looks through */

/* --- set, append ------------------------------------------------------------------------------------------------- */

static enum step take_set(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion value;
	enum step step;

	if (!run_expand(eem, run, a, 0, now, &value, &step))
		return step;
	step = run_set_or_fail(eem, run, a->name[0], buffer_text(&value.text), value.taint, now);
	expansion_done(&value);
	return step;
}

static enum step take_append(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	const struct variable *v = run_find(run, a->name[0]);
	struct expansion value;
	struct buffer joined = { 0 };
	enum taint taint;
	enum step step;

	if (!run_expand(eem, run, a, 0, now, &value, &step))
		return step;
	if (v)
		buffer_add(&joined, variable_value(v));
	buffer_add(&joined, buffer_text(&value.text));
	taint = (v && v->taint != TAINT_NONE) || value.taint != TAINT_NONE ? TAINT_OUTSIDE : TAINT_NONE;
	step = joined.failed ? run_fail(eem, run, now, "no memory")
			     : run_set_or_fail(eem, run, a->name[0], buffer_text(&joined), taint, now);
	buffer_done(&joined);
	expansion_done(&value);
	return step;
}

/* --- regexp ------------------------------------------------------------------------------------------------------ */

static enum step keep_captures(struct eem *eem, struct run *run, const struct action *a, const struct text *captures,
			       bool matched, enum taint taint, struct moment now)
{
	enum step step = STEP_NEXT;

	run_set_number(eem, run, "_regexp_result", matched);
	for (uint32_t i = 0; matched && i < a->name_count && step == STEP_NEXT; i++)
		step = run_set_or_fail(eem, run, a->name[i], captures[i], taint == TAINT_NONE ? TAINT_NONE : TAINT_CAPTURE, now);
	return step;
}

static enum step search(struct eem *eem, struct run *run, const struct action *a, struct eem_pattern *pattern,
			const struct expansion *input, enum taint taint, struct moment now)
{
	struct text captures[EEM_CAPTURES_MAX] = { { NULL, 0 } };
	uint32_t count = 0;
	enum eem_match found;

	run->instructions += COST_SEARCH + input->text.len / COST_BYTES;
	found = eem_pattern_search(pattern, buffer_text(&input->text), captures, &count);
	if (found == EEM_MATCH_LIMIT) {
		eem->figures.expression_limits++;
		return run_fail(eem, run, now, "the expression took too many steps on a text of %zu bytes", input->text.len);
	}
	for (uint32_t i = count; i < EEM_CAPTURES_MAX; i++)
		captures[i] = TEXT_NONE;
	return keep_captures(eem, run, a, captures, found == EEM_MATCH, taint, now);
}

static enum step take_regexp(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion expression, input;
	struct eem_pattern *pattern = a->pattern, *own = NULL;
	enum taint taint;
	enum step step;
	char why[160] = "";
	size_t offset;

	if (!run_expand(eem, run, a, 0, now, &expression, &step))
		return step;
	if (!run_expand(eem, run, a, 1, now, &input, &step)) {
		expansion_done(&expression);
		return step;
	}
	taint = expression.taint > input.taint ? expression.taint : input.taint; /* the choice is from outside too */
	if (!pattern) {
		if (eem_pattern_new(buffer_text(&expression.text), why, sizeof(why), &offset, &own) == 0)
			pattern = own;
		else
			step = run_fail(eem, run, now, "the expression cannot be used: %s", why[0] ? why : "no memory");
	}
	if (pattern)
		step = search(eem, run, a, pattern, &input, taint, now);
	eem_pattern_free(own);
	expansion_done(&expression);
	expansion_done(&input);
	return step;
}

/* --- Numbers ----------------------------------------------------------------------------------------------------- */

static bool operand(struct eem *eem, struct run *run, const struct action *a, unsigned slot, struct moment now, int64_t *ret,
		    enum step *ret_step)
{
	struct expansion e;
	bool fine;

	if (!run_expand(eem, run, a, slot, now, &e, ret_step))
		return false;
	fine = operation_number(buffer_text(&e.text), ret);
	if (!fine)
		*ret_step = run_fail(eem, run, now, "'%.*s' is no whole number", TEXT_ARG(text_first(buffer_text(&e.text), 40)));
	expansion_done(&e);
	return fine;
}

static enum step take_arithmetic(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	int64_t x, y, result = 0, remainder = 0;
	bool overflow = false;
	enum step step;

	if (!operand(eem, run, a, 0, now, &x, &step) || !operand(eem, run, a, 1, now, &y, &step))
		return step;
	switch (a->verb) {
	case VERB_ADD:
		overflow = __builtin_add_overflow(x, y, &result);
		break;
	case VERB_SUBTRACT:
		overflow = __builtin_sub_overflow(x, y, &result);
		break;
	case VERB_MULTIPLY:
		overflow = __builtin_mul_overflow(x, y, &result);
		break;
	default:
		if (y == 0)
			return run_fail(eem, run, now, "division by zero");
		overflow = x == INT64_MIN && y == -1;
		if (!overflow) {
			result = x / y;
			remainder = x % y;
		}
	}
	if (overflow)
		return run_fail(eem, run, now, "the result has more than 64 bits");
	run_set_number(eem, run, "_result", result);
	if (a->verb == VERB_DIVIDE)
		run_set_number(eem, run, "_remainder", remainder);
	return STEP_NEXT;
}

static enum step take_step(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	const struct variable *v = run_find(run, a->name[0]);
	int64_t value = 0, by = 1;
	char digits[24];
	enum step step;
	int len;

	if (!v)
		return run_fail(eem, run, now, "variable $%.*s is not set", TEXT_ARG(a->name[0]));
	if (!operation_number(variable_value(v), &value))
		return run_fail(eem, run, now, "$%.*s is no whole number", TEXT_ARG(a->name[0]));
	if (a->has && !operand(eem, run, a, 0, now, &by, &step))
		return step;
	if (a->verb == VERB_INCREMENT ? __builtin_add_overflow(value, by, &value) : __builtin_sub_overflow(value, by, &value))
		return run_fail(eem, run, now, "the result has more than 64 bits");
	len = snprintf(digits, sizeof(digits), "%" PRId64, value);
	return run_set_or_fail(eem, run, a->name[0], (struct text){ digits, (size_t)len }, TAINT_NONE, now);
}

enum step run_text_action(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	switch (a->verb) {
	case VERB_SET:
		return take_set(eem, run, a, now);
	case VERB_APPEND:
		return take_append(eem, run, a, now);
	case VERB_REGEXP:
		return take_regexp(eem, run, a, now);
	case VERB_INCREMENT:
	case VERB_DECREMENT:
		return take_step(eem, run, a, now);
	default:
		return take_arithmetic(eem, run, a, now);
	}
}
