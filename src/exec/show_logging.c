/* SPDX-License-Identifier: MIT */
/* `show logging`: the latest lines in memory, with what is kept and where else it goes, in the layout of IOS. */
#include <inttypes.h>

#include "base/memory.h"
#include "exec/show.h"

static void add_stamp(struct buffer *out, struct instant at)
{
	struct civil c = calendar_from_instant(at);

	buffer_printf(out, "%s %2d %02d:%02d:%02d.%03d UTC", calendar_month_name(c.month), c.day, c.hour, c.minute, c.second,
		      (int)(at.ns % SECOND_NS / 1000000));
}

/* An applet may write what came from outside. */
static void add_printable(struct buffer *out, struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		buffer_add_char(out, (unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f ? '.' : text.at[i]);
	buffer_add_char(out, '\n');
}

static void put_line(struct exec_call *call, const struct logbook_line *line)
{
	cleanup(buffer_done) struct buffer when = { 0 };
	struct json j;

	calendar_print(&when, line->at);
	exec_json_begin(call, &j, "spimend.log-line/1");
	json_text(&j, "at", buffer_text(&when));
	json_unsigned(&j, "severity", (uint64_t)line->severity);
	json_bool(&j, "debug", line->is_debug);
	json_text(&j, "text", line->text);
	exec_json_end(call, &j);
}

static void add_head(struct exec_call *call)
{
	const struct config_notify *c = &call->view.config->notify;
	struct logbook_counts counts = { 0 };
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	struct buffer *out = call->out;

	buffer_printf(out, "Syslog logging: enabled\n\n    Console logging: disabled\n    Monitor logging: disabled\n");
	if (call->view.logbook) {
		counts = logbook_count(call->view.logbook);
		buffer_printf(out, "    Buffer logging:  level %s, %" PRIu64 " messages logged, %" PRIu64 " made room\n",
			      notify_level_name(c->buffer_level), counts.lines, counts.dropped);
	} else {
		buffer_add_string(out, "    Buffer logging:  disabled\n");
	}
	buffer_printf(out, "    Trap logging: level %s\n", notify_level_name(c->log_level));
	for (uint32_t i = 0; i < c->log_host_count; i++)
		buffer_printf(out, "        Logging to %s (%s port %u)\n", show_address(&c->log_hosts[i].address, address),
			      notify_transport_name(c->log_hosts[i].transport), c->log_hosts[i].port);
	if (call->view.logbook)
		buffer_printf(out, "\nLog Buffer (%zu bytes):\n\n", counts.room);
}

static void show_logging(struct exec_call *call)
{
	char room[LOGBOOK_LINE_MAX];
	struct logbook_line line;
	size_t cursor = 0;

	if (!call->json)
		add_head(call);
	while (call->view.logbook && logbook_next(call->view.logbook, &cursor, room, &line)) {
		if (call->json) {
			put_line(call, &line);
			continue;
		}
		add_stamp(call->out, line.at);
		buffer_add_string(call->out, ": ");
		add_printable(call->out, line.text);
	}
}

const struct exec_command exec_show_logging_rows[] = {
	{ "show logging", "the latest lines of the log, in memory", EXEC_PRIVILEGED, EXEC_JSON, show_logging },
};
const size_t exec_show_logging_row_count = EXEC_COUNT(exec_show_logging_rows);
