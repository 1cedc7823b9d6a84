/* SPDX-License-Identifier: MIT */
/* Commands about the session itself: modes, terminal, history. */
#include "exec/private.h"

#define LENGTH_MAX 512

static void enable(struct exec_call *call)
{
	if (call->session->who.source == EXEC_FROM_PERSON && !call->session->who.may_enable)
		exec_refuse(call, "access denied: root may enable, and members of the group that 'operators' names");
	else if (!call->session->who.may_enable)
		exec_refuse(call, "access denied: this applet has not privilege 15 (event manager session cli)");
	else
		call->session->mode = EXEC_MODE_ENABLE;
}

static void disable(struct exec_call *call)
{
	call->session->mode = EXEC_MODE_USER;
}

static void leave(struct exec_call *call)
{
	call->result = EXEC_GONE;
}

static void stay(struct exec_call *call)
{
	(void)call; /* `end` in privileged mode, at the end of pasted text: there is nothing to end */
}

static void configure(struct exec_call *call)
{
	call->session->mode = EXEC_MODE_CONFIG;
	if (call->session->who.shows_prompt)
		buffer_add_string(call->out, "Enter configuration commands, one per line.  End with 'end'.\n");
}

static void show_privilege(struct exec_call *call)
{
	unsigned level = call->session->mode == EXEC_MODE_USER ? 1 : 15;
	struct json j;

	if (call->json) {
		exec_json_begin(call, &j, "spimend.privilege/1");
		json_unsigned(&j, "level", level);
		exec_json_end(call, &j);
	} else {
		buffer_printf(call->out, "Current privilege level is %u\n", level);
	}
}

static void show_history(struct exec_call *call)
{
	const struct exec_session *s = call->session;
	size_t first = s->history_count < EXEC_HISTORY_MAX ? 0 : s->history_next;
	struct json j;

	for (size_t i = 0; i < s->history_count; i++) {
		const char *line = s->history[(first + i) % EXEC_HISTORY_MAX].text;

		if (call->json) {
			exec_json_begin(call, &j, "spimend.history/1");
			json_string(&j, "line", line);
			exec_json_end(call, &j);
		} else {
			buffer_printf(call->out, "  %s\n", line);
		}
	}
}

static void terminal_length(struct exec_call *call)
{
	uint64_t length = exec_number(call, "NUMBER", 0);

	if (length > LENGTH_MAX)
		exec_refuse(call, "a page has at most %d lines; 0: no pages", LENGTH_MAX);
	else
		call->session->length = (unsigned)length;
}

const struct exec_command exec_session_rows[] = {
	{ "enable [NUMBER]", "turn on privileged commands", EXEC_ANYBODY, 0, enable },
	{ "disable", "turn off privileged commands", EXEC_ANYBODY, 0, disable },
	{ "exit", "leave the shell", EXEC_ANYBODY, 0, leave },
	{ "logout", "leave the shell", EXEC_ANYBODY, 0, leave },
	{ "quit", "leave the shell", EXEC_ANYBODY, EXEC_HIDDEN, leave },
	{ "end", "back to privileged mode", EXEC_PRIVILEGED, EXEC_HIDDEN, stay },
	{ "configure terminal", "type the configuration, each line counts at once", EXEC_PRIVILEGED, 0, configure },
	{ "show privilege", "the level of this session", EXEC_ANYBODY, EXEC_JSON, show_privilege },
	{ "show history", "what was typed in this session", EXEC_ANYBODY, EXEC_JSON, show_history },
	{ "terminal length NUMBER", "lines of a page, 0 for no pages", EXEC_ANYBODY, 0, terminal_length },
	{ "terminal width NUMBER", "taken and not needed: lines are never broken here", EXEC_ANYBODY, 0, stay },
};
const size_t exec_session_row_count = EXEC_COUNT(exec_session_rows);
