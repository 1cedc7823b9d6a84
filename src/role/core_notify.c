/* SPDX-License-Identifier: MIT */
#include "role/core_role.h"

#include <errno.h>
#include <string.h>

#include "spimend/error.h"

/* --- The role dial ------------------------------------------------------------------------------------------------ */

static void from_dial(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		      const int *fds, size_t fd_count)
{
	struct mind *mind = context;
	const struct dial_state *state = &item->dial_state;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_EVIDENCE_FETCHED)
		mind_evidence_fetched(mind, &item->evidence_part);
	if (type == MESSAGE_MAILED)
		mind_eem_mailed(mind, &item->mailed);
	if (type != MESSAGE_DIAL_STATE)
		return;
	if (state->kind == DIAL_SYSLOG)
		mind->notify.logs[state->host] = *state;
	else if (state->kind == DIAL_SNMP)
		mind->notify.snmps[state->host] = *state;
	else if (state->kind == DIAL_WEBHOOK)
		mind->hooks.states[state->host] = *state;
}

static void dial_closed(void *context, struct channel *channel, const char *why)
{
	struct mind *mind = context;

	if (why) /* that a role ended, the parent says */
		log_say(&mind->member->log, LOG_ERR, "dial sent a message %s", why);
	channel_free(channel);
	mind->notify.dial = NULL;
	mind_eem_no_dial(mind);
}

int mind_take_dial(struct mind *mind, int fd)
{
	struct channel_calls calls = { .context = mind, .take = from_dial, .closed = dial_closed };

	channel_free(mind->notify.dial);
	mind->notify.dial = NULL;
	return channel_new(mind->member->loop, fd, ROLE_CORE, ROLE_DIAL, &calls, &mind->notify.dial);
}

void mind_notify_done(struct mind *mind)
{
	channel_flush(mind->notify.dial);
	channel_free(mind->notify.dial);
	mind->notify.dial = NULL;
	mind_debug_done(mind);
	mind_eem_done(mind);
}

struct live_notify mind_notify_view(const struct mind *mind)
{
	const struct mind_notify *n = &mind->notify;

	const struct neighbors *table = mind->neighbors.table;
	struct live_notify view = { .traps = &n->traps, .traps_error = n->traps_error, .logs = n->logs, .snmps = n->snmps,
				    .webs = mind->hooks.states, .program = &mind->hooks.program_state,
				    .not_handed = n->not_handed, .neighbors = &mind->neighbors.counts };

	while (table && neighbors_at(table, view.neighbors_known))
		view.neighbors_known++;
	view.neighbors_refused = table ? neighbors_refused(table) : 0;
	return view;
}

/* --- Lines -------------------------------------------------------------------------------------------------------- */

void mind_send_line(struct mind *mind, int severity, const char *text)
{
	const struct config_notify *c = &mind->member->config->notify;
	struct dial_line line;

	if (severity > c->log_level || c->log_host_count == 0)
		return;
	memset(&line, 0, sizeof(line));
	line.at = mind_now(mind).wall;
	line.number = ++mind->notify.lines;
	line.severity = (uint8_t)severity;
	text_copy(text_of(text), line.text, sizeof(line.text));
	for (char *at = line.text; *at; at++)
		*at = *at < 0x20 || *at > 0x7e ? ' ' : *at;
	for (uint32_t i = 0; i < c->log_host_count; i++) {
		line.host = i;
		line.mark = notify_log_host_mark(&c->log_hosts[i]);
		if (channel_send(mind->notify.dial, MESSAGE_SEND_LINE, &line) < 0)
			mind->notify.not_handed++;
	}
}

void mind_say_line(struct mind *mind, int severity, const char *line)
{
	mind_say_line_with(mind, severity, line, NULL, 0);
}

void mind_say_line_with(struct mind *mind, int severity, const char *line, const struct log_field *fields, size_t count)
{
	log_device_line(&mind->member->log, severity, line, fields, count);
	mind_log(mind, severity, text_of(line));
	mind_send_line(mind, severity, line);
	mind_eem_line(mind, severity, text_of(line));
}

/* --- Traps -------------------------------------------------------------------------------------------------------- */

void mind_take_trap(struct mind *mind, const struct role_trap *trap)
{
	core_device_report(mind->core, &trap->report, mind_now(mind));
	mind_cases_report(mind, &trap->report);
	mind_eem_trap(mind, &trap->trap);
}

static bool is_one_of(const struct spimend_address *ends, const struct spimend_address *address)
{
	return !ends || spimend_address_equal(&ends[0], address) || spimend_address_equal(&ends[1], address);
}

void mind_send_trap(struct mind *mind, struct dial_trap *trap, const struct spimend_address *ends)
{
	const struct config_notify *c = &mind->member->config->notify;
	int64_t up = loop_now(mind->member->loop) - mind->member->start.up_ns;

	if (!c->enable_event_manager)
		return;
	trap->index = ++mind->notify.trap_rows;
	trap->uptime = (uint32_t)(up / (SECOND_NS / 100));
	for (uint32_t i = 0; i < c->host_count; i++) {
		if (!c->hosts[i].event_manager || !is_one_of(ends, &c->hosts[i].address))
			continue;
		trap->host = i;
		trap->mark = notify_host_mark(&c->hosts[i]);
		if (channel_send(mind->notify.dial, MESSAGE_SEND_TRAP, trap) < 0)
			mind->notify.not_handed++;
	}
}
