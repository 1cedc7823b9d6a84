/* SPDX-License-Identifier: MIT */
/* For tests of the applet engine: a clock, an engine, and a trace of what came out of it, a line each. */
#ifndef EEM_CASE_H
#define EEM_CASE_H

#include <inttypes.h>
#include <stdio.h>

#include "eem/eem.h"

static struct eem *eem;
static struct eem_policies *policies;
static struct eem_settings settings;
static struct moment now;
static struct buffer trace;
static uint64_t asked; /* the latest request */
static char shown[65536];

#define T0 (INT64_C(1773339730706) * 1000000) /* 2026-03-12 18:22:10.706 UTC */

static void trace_command(const struct eem_output *o)
{
	buffer_printf(&trace, "command: %.*s", TEXT_ARG(o->command.text));
	if (o->command.expect.len)
		buffer_printf(&trace, " until /%.*s/", TEXT_ARG(o->command.expect));
	for (uint32_t i = 0; i < o->command.span_count; i++)
		buffer_printf(&trace, " [%s %.*s]", eem_type_name(o->command.spans[i].type), (int)o->command.spans[i].len,
			      o->command.text.at + o->command.spans[i].at);
	if (!eem_command_fits(policies, o->policy, o->action, o->command.text, o->command.spans, o->command.span_count))
		buffer_add_string(&trace, " DOES NOT FIT");
}

static void trace_output(const struct eem_output *o)
{
	if (o->device.len)
		buffer_printf(&trace, "%.*s: ", TEXT_ARG(o->device));
	switch (o->kind) {
	case EEM_COMMAND:
		trace_command(o);
		break;
	case EEM_CLOSE:
		buffer_add_string(&trace, "close");
		break;
	case EEM_LOG:
		buffer_printf(&trace, "%.*s", TEXT_ARG(o->log.line));
		break;
	case EEM_NOTICE:
		buffer_printf(&trace, "notice: %.*s", TEXT_ARG(o->log.line));
		break;
	case EEM_SNMP_TRAP:
		buffer_printf(&trace, "%s", o->trap.is_server ? "server trap" : "trap");
		if (o->trap.has_int1)
			buffer_printf(&trace, " int1 %" PRId32, o->trap.int1);
		if (o->trap.has_int2)
			buffer_printf(&trace, " int2 %" PRId32, o->trap.int2);
		if (o->trap.has_text)
			buffer_printf(&trace, " text '%.*s'", TEXT_ARG(o->trap.text));
		break;
	case EEM_MAIL:
		buffer_printf(&trace, "mail to %.*s: %.*s / %.*s", TEXT_ARG(o->mail.to), TEXT_ARG(o->mail.subject), TEXT_ARG(o->mail.body));
		break;
	case EEM_PUTS:
		buffer_printf(&trace, "puts: %.*s", TEXT_ARG(o->puts.text));
		break;
	case EEM_GETS:
		buffer_add_string(&trace, "gets");
		break;
	case EEM_FILE:
		buffer_printf(&trace, "file %d %.*s %.*s %.*s %.*s", o->file.verb, TEXT_ARG(o->file.handle), TEXT_ARG(o->file.path),
			      TEXT_ARG(o->file.mode), TEXT_ARG(o->file.text));
		break;
	case EEM_POLL:
		buffer_printf(&trace, "poll %.*s", TEXT_ARG(o->poll.oid));
		break;
	case EEM_TRACK_SET:
		buffer_printf(&trace, "track %" PRIu32 " %s", o->track.object, o->track.is_up ? "up" : "down");
		break;
	case EEM_VERDICT:
		buffer_printf(&trace, "verdict %" PRIu64 " %s", o->verdict.token, o->verdict.run_it ? "run" : "skip");
		break;
	default:
		buffer_add_string(&trace, "?");
	}
	buffer_add_char(&trace, '\n');
	if (o->request)
		asked = o->request;
}

static void drain(void)
{
	struct eem_output o;

	while (eem_next(eem, &o))
		trace_output(&o);
}

/* What came out since the last look. */
static const char *said(void)
{
	drain();
	text_copy(buffer_text(&trace), shown, sizeof(shown));
	buffer_clear(&trace);
	return shown;
}

static int stop(void **state)
{
	(void)state;
	eem_free(eem);
	eem_policies_release(policies);
	eem = NULL;
	policies = NULL;
	buffer_done(&trace);
	return 0;
}

static void start(const char *text)
{
	struct eem_report report = { 0 };
	struct buffer out = { 0 };

	stop(NULL);
	if (settings.runs_max == 0)
		eem_settings_default(&settings);
	now = (struct moment){ .mono_ns = 1000 * SECOND_NS, .wall = { T0 } };
	assert_int_equal(eem_compile(text_of(text), &policies, &report), 0);
	if (report.count[EEM_ERROR]) {
		eem_report_print(&report, TEXT("f"), &out);
		fail_msg("%.*s", TEXT_ARG(buffer_text(&out)));
	}
	eem_report_done(&report);
	assert_int_equal(eem_new(policies, &settings, 1, now, &eem), 0);
}

/* Time passes, tick by tick as the engine wants them. */
static void pass(double seconds)
{
	int64_t until = now.mono_ns + (int64_t)(seconds * 1e9);

	for (;;) {
		int64_t next = eem_tick(eem, now);

		drain();
		if (next <= now.mono_ns)
			continue;
		if (next > until)
			break;
		now.wall.ns += next - now.mono_ns;
		now.mono_ns = next;
	}
	now.wall.ns += until - now.mono_ns;
	now.mono_ns = until;
	eem_tick(eem, now);
	drain();
}

__attribute__((unused)) static void message(const char *text)
{
	struct eem_message m = { .text = text_of(text) };

	eem_syslog(eem, &m, now);
}

__attribute__((unused)) static void message_of(const char *device, const char *text)
{
	struct eem_message m = { .text = text_of(text), .device = text_of(device) };

	eem_syslog(eem, &m, now);
}

__attribute__((unused)) static void answer(const char *text)
{
	drain();
	eem_result(eem, asked, EEM_DONE, text_of(text), now);
}

__attribute__((unused)) static uint64_t run_applet(const char *name, const char *argument)
{
	struct text arguments[1] = { text_of(argument) };
	uint64_t run = 0;

	assert_int_equal(eem_run(eem, text_of(name), arguments, argument ? 1 : 0, 0, now, &run), 0);
	return run;
}

#define assert_said(text)                                                           \
	do {                                                                        \
		const char *is_ = said();                                           \
		if (strcmp(is_, text) != 0)                                         \
			fail_msg("expected:\n%s\ngot:\n%s", text, is_);             \
	} while (0)
#define assert_says(part)                                                           \
	do {                                                                        \
		const char *is_ = said();                                           \
		if (!strstr(is_, part))                                             \
			fail_msg("'%s' is not in:\n%s", part, is_);                 \
	} while (0)

#endif
