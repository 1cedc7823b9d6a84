/* SPDX-License-Identifier: MIT */
/* Commands about the gateway as a whole: version, clock, configuration, files, applets, devices. */
#include <errno.h>

#include "base/memory.h"
#include "exec/private.h"
#include "parse/incident_filter.h"
#include "spimend/error.h"

static void print_span(struct buffer *out, int64_t ns)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 604800, "week" }, { 86400, "day" }, { 3600, "hour" }, { 60, "minute" } };
	int64_t rest = ns / SECOND_NS;
	bool any = false;

	for (size_t i = 0; i < EXEC_COUNT(units); i++) {
		long long n = rest / units[i].seconds;

		rest %= units[i].seconds;
		if (n == 0 && !(i == 3 && !any))
			continue;
		buffer_printf(out, "%s%lld %s%s", any ? ", " : "", n, units[i].name, n == 1 ? "" : "s");
		any = true;
	}
}

static void show_version(struct exec_call *call)
{
	const struct exec_view *view = &call->view;
	struct civil since = calendar_from_instant(view->started);
	struct json j;

	if (call->json) {
		exec_json_begin(call, &j, "spimend.version/1");
		json_string(&j, "version", SPIMEND_VERSION);
		json_string(&j, "hostname", view->config->hostname);
		json_string(&j, "mode", mode_name(view->config->mode));
		json_signed(&j, "uptime_s", view->up_ns / SECOND_NS);
		json_unsigned(&j, "ike_daemons", view->figures->daemon_count);
		exec_json_end(call, &j);
		return;
	}
	buffer_add_string(call->out, "spimend Software, Version " SPIMEND_VERSION "\n");
	buffer_printf(call->out, "%s uptime is ", view->config->hostname);
	print_span(call->out, view->up_ns);
	buffer_printf(call->out, "\nRunning since %04d-%02d-%02d %02d:%02d:%02d UTC, mode %s\n", since.year, since.month, since.day,
		      since.hour, since.minute, since.second, mode_name(view->config->mode));
	for (uint32_t i = 0; i < view->figures->daemon_count; i++) {
		const struct daemon_state *d = &view->figures->daemons[i].state;

		buffer_printf(call->out, "IKE daemon %s: %s%s\n",
			      d->daemon < view->config->daemon_count ? view->config->daemons[d->daemon] : "?",
			      d->up ? "version " : "down", d->up ? d->version : "");
	}
}

static void show_clock(struct exec_call *call)
{
	struct instant now = call->view.now.wall;
	struct civil at = calendar_from_instant(now);
	struct json j;

	if (call->json) {
		cleanup(buffer_done) struct buffer text = { 0 };

		calendar_print(&text, now);
		exec_json_begin(call, &j, "spimend.clock/1");
		json_text(&j, "now", buffer_text(&text));
		exec_json_end(call, &j);
		return;
	}
	buffer_printf(call->out, "%02d:%02d:%02d.%03d UTC %s %s %d %d\n", at.hour, at.minute, at.second,
		      (int)(now.ns % SECOND_NS / 1000000), calendar_weekday_name(now.ns / DAY_NS), calendar_month_name(at.month), at.day,
		      at.year);
}

/* --- Pages of other rooms --------------------------------------------------------------------------------------------- */

static void page(struct exec_call *call, enum exec_page which, const char *id)
{
	int r = call->port->page(call->port->context, which, id, call->json, call->out);

	if (r == -ENOENT)
		exec_refuse(call, "there is no such incident: 'show spimend incidents' lists them");
	else if (r < 0)
		exec_refuse(call, "it cannot be shown: %s", spimend_strerror(r));
}

static void show_running(struct exec_call *call)
{
	page(call, EXEC_PAGE_RUNNING, "");
}

static void show_startup(struct exec_call *call)
{
	page(call, EXEC_PAGE_STARTUP, "");
}

static void show_status(struct exec_call *call)
{
	page(call, EXEC_PAGE_STATUS, "");
}

/* "show spimend incidents since 2h ...": what stands behind, each keyword written out. */
static void filtered_page(struct exec_call *call, enum exec_page which)
{
	cleanup(buffer_done) struct buffer words = { 0 }, why = { 0 };
	struct incident_filter filter;
	char text[INCIDENT_FILTER_TEXT_MAX];

	for (size_t i = 3; i < call->match->word_count; i++) {
		const struct text *keyword = &call->match->keywords[i];

		buffer_add(&words, keyword->len ? *keyword : call->match->words[i]);
		buffer_add_char(&words, ' ');
	}
	if (incident_filter_read(buffer_text(&words), call->view.now.wall, which == EXEC_PAGE_STATS, &filter, &why) < 0) {
		exec_refuse(call, "%.*s", TEXT_ARG(buffer_text(&why)));
		return;
	}
	text_copy(text_trim(buffer_text(&words)), text, sizeof(text));
	page(call, which, text);
}

static void show_incidents(struct exec_call *call)
{
	filtered_page(call, EXEC_PAGE_INCIDENTS);
}

static void show_stats(struct exec_call *call)
{
	filtered_page(call, EXEC_PAGE_STATS);
}

static bool read_id(struct exec_call *call, char id[INCIDENT_ID_MAX])
{
	struct text given = exec_argument(call, "ID");

	if (given.len >= INCIDENT_ID_MAX) {
		exec_refuse(call, "no id is so long; they look like k3v9q2");
		return false;
	}
	text_copy(given, id, INCIDENT_ID_MAX);
	return true;
}

static void show_incident(struct exec_call *call)
{
	char id[INCIDENT_ID_MAX];

	if (read_id(call, id))
		page(call, EXEC_PAGE_INCIDENT, id);
}

static void write_memory(struct exec_call *call)
{
	cleanup(buffer_done) struct buffer why = { 0 };

	if (!call->session->who.may_write_startup) {
		exec_refuse(call, "access denied: only root writes the startup configuration");
		return;
	}
	if (call->port->write_startup(call->port->context, call->session, &why) < 0) {
		exec_refuse(call, "%.*s", TEXT_ARG(buffer_text(&why)));
		return;
	}
	buffer_add_string(call->out, "Building configuration...\n");
	call->session->waits = true;
	call->result = EXEC_LATER;
}

/* --- Files ------------------------------------------------------------------------------------------------------------ */

static void report(struct exec_call *call, int r, const struct buffer *why)
{
	if (r < 0)
		exec_refuse(call, "%.*s", TEXT_ARG(buffer_text(why)));
}

static void list_files(struct exec_call *call)
{
	cleanup(buffer_done) struct buffer why = { 0 };

	report(call, call->port->list_files(call->port->context, call->json, call->out, &why), &why);
}

static void show_file(struct exec_call *call)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	char name[EXEC_FILE_NAME_MAX];
	int r = exec_file_name(exec_argument(call, "FILE"), name, &why);

	if (r == 0)
		r = call->port->read_file(call->port->context, name, call->out, &why);
	report(call, r, &why);
}

static void delete_file(struct exec_call *call)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	char name[EXEC_FILE_NAME_MAX];
	int r = exec_file_name(exec_argument(call, "FILE"), name, &why);

	if (r == 0)
		r = call->port->delete_file(call->port->context, name, &why);
	report(call, r, &why);
}

/* --- Others ----------------------------------------------------------------------------------------------------------- */

static void clear_log(struct exec_call *call)
{
	call->port->clear_log(call->port->context);
}

static void run_applet(struct exec_call *call)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	struct text given = exec_argument(call, "NAME");
	char name[EXEC_NAME_MAX];
	int r;

	if (given.len >= sizeof(name)) {
		exec_refuse(call, "no applet has so long a name");
		return;
	}
	text_copy(given, name, sizeof(name));
	r = call->port->run_applet(call->port->context, call->session, name, exec_argument(call, "LINE"), &why);
	report(call, r, &why);
	if (r <= 0)
		return;
	call->session->waits = true;
	call->result = EXEC_LATER;
}

/* What it prints comes later; "| include X" and its like are ours and never reach the device. */
static void on_device(struct exec_call *call)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	struct text device = exec_argument(call, "NAME"), line = exec_argument(call, "LINE");

	if (call->port->on_device(call->port->context, call->session, device, line, &why) < 0) {
		exec_refuse(call, "%.*s", TEXT_ARG(buffer_text(&why)));
		return;
	}
	call->session->waits = call->session->is_piped = true;
	call->result = EXEC_LATER;
}

static void say_word(struct exec_call *call, bool approves)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	const struct exec_who *who = &call->session->who;
	uint64_t step = exec_number(call, "NUMBER", 0);
	char id[INCIDENT_ID_MAX];

	if (who->source != EXEC_FROM_PERSON) {
		exec_refuse(call, "that is for a person to say, not for an applet");
		return;
	}
	if (read_id(call, id))
		report(call, call->port->say_word(call->port->context, who, id, step > UINT32_MAX ? 0 : (uint32_t)step, approves,
						  call->out, &why), &why);
}

static void approve(struct exec_call *call)
{
	say_word(call, true);
}

static void deny(struct exec_call *call)
{
	say_word(call, false);
}

static void reload(struct exec_call *call)
{
	exec_refuse(call, "spimend does not restart a gateway; 'systemctl restart spimendd' restarts spimend");
}

const struct exec_command exec_system_rows[] = {
	{ "show version", "version, uptime, IKE daemons", EXEC_ANYBODY, EXEC_JSON, show_version },
	{ "show clock", "the time", EXEC_ANYBODY, EXEC_JSON, show_clock },
	{ "show running-config", "the configuration as it runs", EXEC_PRIVILEGED, EXEC_JSON, show_running },
	{ "show startup-config", "the configuration of the next start", EXEC_PRIVILEGED, EXEC_JSON, show_startup },
	{ "write [memory]", "make the running configuration that of the next start", EXEC_PRIVILEGED, EXEC_CHANGES, write_memory },
	{ "write terminal", "the configuration as it runs", EXEC_PRIVILEGED, EXEC_JSON, show_running },
	{ "copy running-config startup-config", "make the running configuration that of the next start", EXEC_PRIVILEGED,
	  EXEC_CHANGES, write_memory },
	{ "show spimend status", "what spimend watches, and its troubles", EXEC_ANYBODY, EXEC_JSON, show_status },
	{ "show spimend incidents [since TIME] [until TIME] [peer ADDRESS] [verdict VERDICT] [cause CAUSE] [state STATE] [device NAME] "
	  "[limit COUNT]", "what it has found", EXEC_ANYBODY, EXEC_JSON, show_incidents },
	{ "show spimend stats [since TIME] [until TIME] [peer ADDRESS] [verdict VERDICT] [cause CAUSE] [device NAME] "
	  "[by {peer|cause|month|verdict}]", "how often, how long, what was spared, what recurs", EXEC_ANYBODY, EXEC_JSON, show_stats },
	{ "show spimend incident ID", "one incident in full", EXEC_ANYBODY, EXEC_JSON, show_incident },
	{ "show flash:|disk0:", "the files of spimend's own directory", EXEC_PRIVILEGED, EXEC_JSON, list_files },
	{ "dir [flash:|disk0:]", "the files of spimend's own directory", EXEC_PRIVILEGED, EXEC_JSON, list_files },
	{ "more FILE", "show a file", EXEC_PRIVILEGED, 0, show_file },
	{ "delete FILE", "delete a file", EXEC_PRIVILEGED, EXEC_CHANGES, delete_file },
	{ "clear logging", "empty the logging buffer", EXEC_PRIVILEGED, EXEC_CHANGES, clear_log },
	{ "event manager run NAME [LINE]", "start an applet that has 'event none'", EXEC_PRIVILEGED, EXEC_CHANGES, run_applet },
	{ "approve ID NUMBER", "agree to a step that waits for a person", EXEC_PRIVILEGED, EXEC_CHANGES, approve },
	{ "deny ID NUMBER", "say no to a step that waits for a person", EXEC_PRIVILEGED, EXEC_CHANGES, deny },
	{ "on NAME LINE", "a command on a configured device", EXEC_PRIVILEGED, 0, on_device },
	{ "reload [LINE]", "restart the gateway: refused", EXEC_PRIVILEGED, 0, reload },
};
const size_t exec_system_row_count = EXEC_COUNT(exec_system_rows);
