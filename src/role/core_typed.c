/* SPDX-License-Identifier: MIT */
/*
 * Applets and the lines that are typed: who waits for an applet (`event cli ... sync yes`, `event manager run`), what it
 * puts on that terminal meanwhile, and what it reads from there. A session waits for one thing at a time; its line of the
 * control socket is answered when that is over.
 */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "role/core_role.h"
#include "spimend/error.h"

/* --- Who waits ---------------------------------------------------------------------------------------------------- */

static struct mind_hold *hold_new(struct mind *mind, struct exec_session *session)
{
	for (uint32_t i = 0; i < MIND_HOLDS_MAX; i++) {
		struct mind_hold *hold = &mind->eem.holds[i];

		if (hold->session)
			continue;
		*hold = (struct mind_hold){ .session = session, .terminal = exec_session_who(session)->terminal };
		return hold;
	}
	return NULL;
}

static void hold_end(struct mind_hold *hold)
{
	*hold = (struct mind_hold){ .session = NULL };
}

static struct mind_hold *hold_of(struct mind *mind, const struct exec_session *session)
{
	for (uint32_t i = 0; i < MIND_HOLDS_MAX; i++)
		if (session && mind->eem.holds[i].session == session)
			return &mind->eem.holds[i];
	return NULL;
}

static struct mind_hold *hold_at(struct mind *mind, uint64_t terminal)
{
	for (uint32_t i = 0; i < MIND_HOLDS_MAX; i++)
		if (terminal && mind->eem.holds[i].terminal == terminal)
			return &mind->eem.holds[i];
	return NULL;
}

bool mind_waits_for_applet(struct mind *mind, const struct exec_session *session)
{
	return hold_of(mind, session) != NULL;
}

/* --- A line is typed ---------------------------------------------------------------------------------------------- */

enum exec_typed mind_typed(void *context, struct exec_session *session, enum exec_key key, struct text line)
{
	static const enum eem_key keys[] = { [EXEC_KEY_ENTER] = EEM_KEY_ENTER, [EXEC_KEY_TAB] = EEM_KEY_TAB,
					     [EXEC_KEY_QUESTION] = EEM_KEY_QUESTION };
	static const char *const modes[EXEC_MODES] = { "exec", "exec", "configure", "configure", "configure" };
	const struct exec_who *who = exec_session_who(session);
	struct mind *mind = context;
	struct mind_eem *e = &mind->eem;
	struct eem_typed typed = {
		.command = line, .username = text_of(who->name), .host = text_of(mind->member->config->hostname),
		.mode = text_of(modes[exec_session_mode(session)]), .key = keys[key], .token = ++e->tokens,
		.terminal = who->terminal, .run = who->run,
	};
	struct mind_hold *hold;

	if (!e->engine)
		return EXEC_TYPED_RUN;
	/* What the applets want is carried out in the next turn: this line's answer is not made yet. */
	loop_timer_at(e->timer, 0);
	switch (eem_cli(e->engine, &typed, mind_now(mind))) {
	case EEM_CLI_SKIP:
		return EXEC_TYPED_SKIP;
	case EEM_CLI_HOLD:
		hold = key == EXEC_KEY_ENTER ? hold_new(mind, session) : NULL;
		if (!hold)
			return EXEC_TYPED_RUN;
		hold->token = typed.token;
		return EXEC_TYPED_HOLD;
	default:
		return EXEC_TYPED_RUN;
	}
}

int mind_run_applet(void *context, struct exec_session *session, const char *name, struct text arguments,
		    struct buffer *why)
{
	struct mind *mind = context;
	struct text words[EEM_ARGUMENTS_MAX + 1];
	struct mind_hold *hold;
	uint32_t count = 0;
	uint64_t run;
	int r;

	if (!mind->eem.engine) {
		buffer_add_string(why, "no applets are loaded");
		return -ENOENT;
	}
	while (count <= EEM_ARGUMENTS_MAX && (words[count] = text_take_word(&arguments)).len)
		count++;
	loop_timer_at(mind->eem.timer, 0);
	hold = hold_new(mind, session);
	r = eem_run(mind->eem.engine, text_of(name), words, count, hold ? hold->terminal : 0, mind_now(mind), &run);
	if (r == 1)
		hold->run = run;
	else if (hold)
		hold_end(hold);
	if (r == -ENOENT)
		buffer_printf(why, "no applet %s is registered", name);
	else if (r == -EINVAL)
		buffer_printf(why, "applet %s has no 'event none'", name);
	else if (r < 0)
		buffer_printf(why, "applet %s cannot be run: %s", name, r == -EAGAIN ? "too many wait already" : spimend_strerror(r));
	return r;
}

/* --- The applet is done ------------------------------------------------------------------------------------------- */

/* What was typed is answered. */
static void answer(struct mind *mind, struct exec_session *session, enum exec_result result, struct text text)
{
	struct control_state state;

	if (result == EXEC_LATER) { /* the command itself takes a while; what there is goes in front */
		control_say(mind->control, session, text);
		return;
	}
	mind_note_state(session, result == EXEC_GONE, &state);
	control_finish(mind->control, session, result == EXEC_REFUSED, &state, text, mind_now(mind).mono_ns);
}

static void resume(struct mind *mind, struct mind_hold *hold, bool run_it)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	struct exec_session *session = hold->session;
	uint64_t request = hold->request;
	enum exec_result result;

	hold_end(hold);
	result = exec_resume(session, run_it, &out);
	if (request)
		mind_answer_command(mind, request, session, result, &out);
	else
		answer(mind, session, result, buffer_text(&out));
}

void mind_take_verdict(struct mind *mind, uint64_t token, bool run_it)
{
	for (uint32_t i = 0; i < MIND_HOLDS_MAX; i++) {
		struct mind_hold *hold = &mind->eem.holds[i];

		if (!hold->session || hold->token != token)
			continue;
		if (hold->reads) { /* the next line typed is meant for the applet, which is gone: it must not be run */
			hold->late = true;
			hold->run_it = run_it;
			return;
		}
		resume(mind, hold, run_it);
		return;
	}
}

void mind_applet_ended(struct mind *mind, uint64_t run)
{
	for (uint32_t i = 0; i < MIND_HOLDS_MAX; i++) {
		struct mind_hold *hold = &mind->eem.holds[i];
		struct exec_session *session = hold->session;

		if (!session || !run || hold->run != run)
			continue;
		if (hold->reads) {
			hold->late = true;
			return;
		}
		hold_end(hold);
		exec_applet_ended(session);
		answer(mind, session, EXEC_FINE, TEXT_NONE);
		return;
	}
}

void mind_hold_command(struct mind *mind, const struct exec_session *session, uint64_t request)
{
	struct mind_hold *hold = hold_of(mind, session);

	if (hold)
		hold->request = request;
}

void mind_drop_hold(struct mind *mind, const struct exec_session *session)
{
	struct mind_hold *hold = hold_of(mind, session);
	uint64_t terminal = session ? exec_session_who(session)->terminal : 0;

	if (hold)
		hold_end(hold);
	if (terminal && mind->eem.engine) {
		eem_hangup(mind->eem.engine, terminal, mind_now(mind));
		loop_timer_at(mind->eem.timer, 0);
	}
}

/* --- Its terminal ------------------------------------------------------------------------------------------------- */

bool mind_put(struct mind *mind, uint64_t terminal, struct text text, bool newline)
{
	struct mind_hold *hold = hold_at(mind, terminal);

	return hold && !hold->reads && control_say(mind->control, hold->session, text) &&
	       (!newline || control_say(mind->control, hold->session, TEXT("\n")));
}

/* Whoever waits gets what there is, and is asked for a line: the next one is not a command. */
bool mind_gets(struct mind *mind, uint64_t terminal, uint64_t request)
{
	struct mind_hold *hold = hold_at(mind, terminal);
	struct control_state state;

	if (!hold || hold->reads)
		return false;
	mind_note_state(hold->session, false, &state);
	state.prompt[0] = 0;
	hold->reads = request;
	control_finish(mind->control, hold->session, 0, &state, TEXT_NONE, mind_now(mind).mono_ns);
	return true;
}

bool mind_take_line(struct mind *mind, struct exec_session *session, struct text line, struct buffer *out,
		    enum exec_result *ret)
{
	struct mind_hold *hold = hold_of(mind, session);
	uint64_t request;

	if (!hold || !hold->reads)
		return false;
	if (hold->late) {
		bool run_it = hold->run_it, is_command = hold->token != 0;

		hold_end(hold);
		buffer_add_string(out, "% the applet is over: nobody reads this line\n");
		if (is_command)
			*ret = exec_resume(session, run_it, out);
		else
			exec_applet_ended(session);
		return true;
	}
	request = hold->reads;
	hold->reads = 0;
	*ret = EXEC_LATER;
	eem_result(mind->eem.engine, request, EEM_DONE, line, mind_now(mind));
	/* What it does with it, in the next turn: the control socket has to know first that this answer comes later. */
	loop_timer_at(mind->eem.timer, 0);
	return true;
}
