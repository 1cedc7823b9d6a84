/* SPDX-License-Identifier: MIT */
/* Labels sorted as IOS sorts them, and what if, while and foreach open joined to its end: after sorting. */
#include <stdlib.h>

#include "eem/compile.h"

#define DEPTH_MAX 32

static int compare_labels(const void *a, const void *b)
{
	const struct action *x = a, *y = b;
	size_t n = x->label.len < y->label.len ? x->label.len : y->label.len;
	int result = n ? memcmp(x->label.at, y->label.at, n) : 0;

	if (result)
		return result;
	return x->label.len < y->label.len ? -1 : x->label.len > y->label.len;
}

struct block {
	uint32_t head;   /* the if, while or foreach */
	uint32_t latest; /* the if, elseif or else that a false condition leaves last */
	bool has_else;
};

struct linker {
	struct compiler *c;
	struct policy *policy;
	struct block stack[DEPTH_MAX];
	uint32_t depth;
	bool fine;
};

static void complain(struct linker *l, const struct action *a, const char *what)
{
	l->c->line = a->line;
	l->fine = compile_fail(l->c, "unbalanced-blocks", "action %.*s: '%s' %s, once the labels are sorted as texts",
			       TEXT_ARG(a->label), verb_names[a->verb], what);
}

static bool opens(const struct action *a)
{
	return (a->verb == VERB_IF && a->name_count == 0) || a->verb == VERB_WHILE || a->verb == VERB_FOREACH;
}

static void open_block(struct linker *l, uint32_t at)
{
	if (l->depth == DEPTH_MAX) {
		complain(l, &l->policy->actions[at], "stands inside more than 32 blocks");
		return;
	}
	l->stack[l->depth++] = (struct block){ .head = at, .latest = at };
}

/* elseif and else: where the branch in front goes when its condition fails, and where it goes when it is done. */
static void branch(struct linker *l, uint32_t at)
{
	struct action *actions = l->policy->actions;
	struct block *b = l->depth ? &l->stack[l->depth - 1] : NULL;

	if (!b || actions[b->head].verb != VERB_IF) {
		complain(l, &actions[at], "has no 'if' in front of it");
		return;
	}
	if (b->has_else) {
		complain(l, &actions[at], "stands behind the block's 'else'");
		return;
	}
	actions[b->latest].jump = at;
	b->latest = at;
	b->has_else = actions[at].verb == VERB_ELSE;
}

static void close_block(struct linker *l, uint32_t at)
{
	struct action *actions = l->policy->actions;
	const struct block *b;

	if (l->depth == 0) {
		complain(l, &actions[at], "has nothing to end");
		return;
	}
	b = &l->stack[--l->depth];
	if (actions[b->head].verb != VERB_IF) { /* a loop */
		actions[b->head].jump = at;
		actions[at].jump = b->head;
		return;
	}
	if (actions[b->latest].verb != VERB_ELSE)
		actions[b->latest].jump = at;
	for (uint32_t i = b->head + 1; i < at; i++) /* branches of this block only: others have their chain already */
		if ((actions[i].verb == VERB_ELSEIF || actions[i].verb == VERB_ELSE) && actions[i].chain == EEM_NOWHERE)
			actions[i].chain = at;
}

static void leave_loop(struct linker *l, uint32_t at)
{
	struct action *a = &l->policy->actions[at];

	for (uint32_t d = l->depth; d-- > 0;) {
		if (l->policy->actions[l->stack[d].head].verb == VERB_IF)
			continue;
		a->chain = l->stack[d].head; /* its end is known only later: the run looks there */
		return;
	}
	complain(l, a, "stands in no loop");
}

static void find_label(struct linker *l, uint32_t at)
{
	struct action *a = &l->policy->actions[at];

	for (uint32_t i = 0; i < l->policy->action_count; i++) {
		if (text_equal(l->policy->actions[i].label, a->name[0])) {
			a->jump = i;
			return;
		}
	}
	l->c->line = a->line;
	l->fine = compile_fail(l->c, "unknown-label", "action %.*s goes to '%.*s', and there is no such label", TEXT_ARG(a->label),
			       TEXT_ARG(a->name[0]));
}

bool compile_blocks(struct compiler *c, struct policy *policy)
{
	struct linker l = { .c = c, .policy = policy, .fine = true };

	c->policy = policy;
	if (policy->action_count)
		qsort(policy->actions, policy->action_count, sizeof(*policy->actions), compare_labels);
	for (uint32_t i = 0; i < policy->action_count; i++) {
		const struct action *a = &policy->actions[i];

		if (opens(a))
			open_block(&l, i);
		else if (a->verb == VERB_ELSEIF || a->verb == VERB_ELSE)
			branch(&l, i);
		else if (a->verb == VERB_END)
			close_block(&l, i);
		else if (a->verb == VERB_BREAK || a->verb == VERB_CONTINUE)
			leave_loop(&l, i);
		else if (a->verb == VERB_GOTO || (a->verb == VERB_IF && a->name_count))
			find_label(&l, i);
	}
	while (l.depth > 0)
		complain(&l, &policy->actions[l.stack[--l.depth].head], "has no 'end'");
	return l.fine;
}

static bool check_events(struct compiler *c, struct policy *policy)
{
	struct trigger *t = &policy->trigger;
	bool fine = true, has_event = false;

	c->line = policy->line;
	if (policy->event_failed)
		return false;
	if (policy->event_count == 0)
		return compile_fail(c, "no-event", "the applet has no event: nothing ever starts it");
	for (uint32_t i = 0; i < policy->event_count && policy->event_count > 1; i++) {
		c->line = policy->events[i].line;
		if (policy->events[i].tag.len == 0)
			fine = compile_fail(c, "unknown-tag", "with several events each needs a tag: 'event tag T ...'");
	}
	for (uint32_t i = 0; i < t->term_count; i++) {
		struct term *term = &t->terms[i];

		if (term->track)
			continue;
		has_event = true;
		term->event = EEM_NOWHERE;
		for (uint32_t k = 0; k < policy->event_count; k++)
			if (text_equal(policy->events[k].tag, term->tag))
				term->event = k;
		c->line = t->correlate_line;
		if (term->event == EEM_NOWHERE)
			fine = compile_fail(c, "unknown-tag", "no event has the tag '%.*s'", TEXT_ARG(term->tag));
	}
	if (t->term_count && !has_event)
		fine = compile_fail(c, "unknown-tag", "'correlate' names no event: nothing would ask how the track objects are");
	c->line = t->is_there ? t->line : policy->line;
	if (policy->event_count > 1 && t->term_count == 0)
		compile_warn(c, "no-correlate", "several events without 'trigger' and 'correlate': any of them starts the applet");
	return fine;
}

bool compile_finish(struct compiler *c, struct policy *policy)
{
	bool events, blocks;

	c->policy = policy;
	events = check_events(c, policy);
	blocks = compile_blocks(c, policy);
	policy->maxrun_ns = EEM_MAXRUN_NS;
	for (uint32_t i = 0; i < policy->event_count; i++)
		if (policy->events[i].has_maxrun)
			policy->maxrun_ns = policy->events[i].maxrun_ns;
	if (!events || !blocks)
		policy->failed = true;
	return !policy->failed;
}
