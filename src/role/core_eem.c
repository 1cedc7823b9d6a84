/* SPDX-License-Identifier: MIT */
#include "role/core_eem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "role/applets_check.h"
#include "role/core_role.h"
#include "spimend/error.h"

#define TURNS_MAX 4096 /* outputs of one turn: an applet that never ends has its budget, and this is behind it */

static void settle(struct mind *mind);

/* --- Life --------------------------------------------------------------------------------------------------------- */

/* cron entries count by the machine's time. */
static struct civil local_time(void *context, struct instant at)
{
	time_t seconds = (time_t)(at.ns / SECOND_NS);
	struct civil c = calendar_from_instant(at);
	struct tm tm;

	(void)context;
	if (!localtime_r(&seconds, &tm))
		return c;
	c.year = tm.tm_year + 1900;
	c.month = tm.tm_mon + 1;
	c.day = tm.tm_mday;
	c.hour = tm.tm_hour;
	c.minute = tm.tm_min;
	c.second = tm.tm_sec;
	c.offset_minutes = (int)(tm.tm_gmtoff / 60);
	return c;
}

static void on_timer(void *context, int64_t now)
{
	(void)now;
	settle(context);
}

static int begin(struct mind *mind, struct moment now)
{
	struct mind_eem *e = &mind->eem;
	struct eem_settings settings;
	int r = e->timer ? 0 : loop_add_timer(mind->member->loop, on_timer, mind, &e->timer);

	if (r < 0)
		return r;
	eem_settings_default(&settings);
	text_copy(text_of(mind->member->config->hostname), settings.hostname, sizeof(settings.hostname));
	settings.calendar.local = local_time;
	settings.runs_max = MIND_RUNS_MAX;
	/* Ids of runs are never given twice: the clock's microseconds are beyond any number that an earlier core came to. */
	return eem_new(mind->exec.applets.policies, &settings, (uint64_t)now.wall.ns / 1000, now, &e->engine);
}

int mind_eem_configure(struct mind *mind)
{
	struct moment now = mind_now(mind);
	struct eem_event_facts facts;
	bool polls = false;
	int r;

	if (!mind->exec.applets.policies)
		return 0;
	for (uint32_t i = 0; i < eem_policy_count(mind->exec.applets.policies) && !polls; i++)
		for (uint32_t k = 0; k < eem_event_count(mind->exec.applets.policies, i); k++)
			polls = polls || (eem_event_facts(mind->exec.applets.policies, i, k, &facts) && strcmp(facts.detector, "snmp") == 0);
	r = mind_poll_configure(mind, polls);
	if (r < 0)
		return r;
	if (mind->eem.engine)
		r = eem_reconfigure(mind->eem.engine, mind->exec.applets.policies, now);
	else
		r = begin(mind, now);
	if (r < 0)
		log_say(&mind->member->log, LOG_ERR, "the applets are not run: %s", spimend_strerror(r));
	else
		settle(mind);
	mind_neighbors_configure(mind, false);
	return r;
}

void mind_eem_done(struct mind *mind)
{
	struct mind_eem *e = &mind->eem;

	for (uint32_t i = 0; i < MIND_RUNS_MAX; i++) {
		exec_session_free(e->runs[i].session);
		mind_close_files(&e->runs[i]);
	}
	memset(e->holds, 0, sizeof(e->holds));
	eem_free(e->engine);
	memset(e, 0, sizeof(*e));
}

/* --- Commands: each run has a terminal line of its own ------------------------------------------------------------ */

static struct mind_run *run_of(struct mind *mind, uint64_t run, bool make)
{
	struct mind_run *free_place = NULL;

	for (uint32_t i = 0; i < MIND_RUNS_MAX; i++) {
		if (mind->eem.runs[i].run == run)
			return &mind->eem.runs[i];
		if (!mind->eem.runs[i].run && !free_place)
			free_place = &mind->eem.runs[i];
	}
	return make ? free_place : NULL;
}

static struct exec_session *session_of(struct mind *mind, const struct eem_output *output)
{
	struct mind_run *place = run_of(mind, output->run, true);
	struct exec_who who = { .source = EXEC_FROM_APPLET, .may_enable = output->command.privilege >= 15, .run = output->run };

	if (!place || place->session)
		return place ? place->session : NULL;
	snprintf(who.name, sizeof(who.name), "applet %.48s", output->applet ? output->applet : "?");
	place->session = exec_session_new(mind_exec_port(mind), &who);
	place->run = place->session ? output->run : 0;
	return place->session;
}

static void close_run(struct mind *mind, uint64_t run)
{
	struct mind_run *place = run_of(mind, run, false);

	if (!place)
		return;
	mind_drop_hold(mind, place->session);
	mind_forget_asked(mind, place->session);
	exec_session_free(place->session);
	mind_close_files(place);
	*place = (struct mind_run){ 0 };
}

/* IOS gives the output with the prompt behind it. */
static void run_command(struct mind *mind, const struct eem_output *output)
{
	cleanup(buffer_done) struct buffer out = { 0 }, line = { 0 };
	struct exec_session *session = session_of(mind, output);
	enum exec_result result;

	if (!session) {
		mind->eem.refused++;
		eem_result(mind->eem.engine, output->request, EEM_REFUSED, TEXT("no terminal line is free"), mind_now(mind));
		return;
	}
	mind_record_command(mind, exec_session_who(session)->name, output->command.text);
	if (output->device.len && !text_starts_nocase(TEXT("enable"), text_trim(output->command.text))) {
		buffer_printf(&line, "on %.*s ", TEXT_ARG(output->device)); /* an applet that stands on a device types there */
		buffer_add(&line, output->command.text);
		result = exec_run(session, buffer_text(&line), &out);
	} else {
		result = exec_run(session, output->command.text, &out);
	}
	if (result == EXEC_LATER && mind_device_command(mind, session, output->request))
		return;
	if (result == EXEC_LATER && mind_waits_for_applet(mind, session))
		mind_hold_command(mind, session, output->request);
	else
		mind_answer_command(mind, output->request, session, result, &out);
}

void mind_answer_command(struct mind *mind, uint64_t request, struct exec_session *session, enum exec_result result,
			 struct buffer *out)
{
	uint64_t run = exec_session_who(session)->run;

	mind_record_output(mind, buffer_text(out));
	if (result == EXEC_LATER)
		buffer_add_string(out, "% an applet does not wait for that\n");
	if (result == EXEC_GONE)
		close_run(mind, run);
	else
		buffer_add_string(out, exec_prompt(session));
	eem_result(mind->eem.engine, request, result == EXEC_LATER ? EEM_FAILED : EEM_DONE, buffer_text(out), mind_now(mind));
}

/* --- The others --------------------------------------------------------------------------------------------------- */

static void send_trap(struct mind *mind, const struct eem_output *output)
{
	struct dial_trap trap;

	memset(&trap, 0, sizeof(trap));
	trap.is_server = output->trap.is_server;
	trap.has_int1 = output->trap.has_int1;
	trap.has_int2 = output->trap.has_int2;
	trap.has_text = output->trap.has_text;
	trap.int1 = output->trap.int1;
	trap.int2 = output->trap.int2;
	trap.status = output->trap.exit_status;
	text_copy(text_of(output->applet), trap.name, sizeof(trap.name));
	text_copy(output->trap.text, trap.text, sizeof(trap.text));
	for (char *c = trap.text; *c; c++)
		*c = *c < 0x20 || *c > 0x7e ? '.' : *c;
	mind_send_trap(mind, &trap, NULL);
}

static void say_line(struct mind *mind, int severity, struct text line)
{
	char text[DIAL_LINE_MAX];

	text_copy(line, text, sizeof(text));
	mind_say_line(mind, severity, text);
}

static void set_track(struct mind *mind, const struct eem_output *output)
{
	if (mind_set_track(mind, output->track.object, output->track.is_up))
		return;
	mind->eem.refused++;
	log_say(&mind->member->log, LOG_WARNING, "applet %s: track object %" PRIu32 " is no stub-object: it is not set",
		output->applet ? output->applet : "?", output->track.object);
}

static void refuse(struct mind *mind, const struct eem_output *output, struct text why)
{
	mind->eem.refused++;
	if (output->request)
		eem_result(mind->eem.engine, output->request, EEM_REFUSED, why, mind_now(mind));
}

static void use_file(struct mind *mind, const struct eem_output *output)
{
	struct mind_run *place = run_of(mind, output->run, true);

	if (!place) {
		refuse(mind, output, TEXT("too many runs have files open"));
		return;
	}
	place->run = output->run;
	mind_use_file(mind, place, output);
}

/* To the role dial, which works out again where it goes. */
static void send_mail(struct mind *mind, const struct eem_output *output)
{
	struct dial_mail *mail cleanup(memory_free_pointer) = memory_new(1, sizeof(*mail));
	cleanup(buffer_done) struct buffer why = { 0 };
	struct mail_target target;
	uint64_t *place = NULL;

	for (uint32_t i = 0; i < MIND_MAILS_MAX && !place; i++)
		place = mind->eem.mails[i] ? NULL : &mind->eem.mails[i];
	if (!mail || !place || !mind->notify.dial) {
		refuse(mind, output, mind->notify.dial ? TEXT("too many mails at once") : TEXT("mail: the role dial is away"));
		return;
	}
	/* An applet that was changed since sends nothing: its server is that of another text. */
	if (mail_target_of(mind->member->config, mind->exec.applets.policies, output->policy, output->action, &target, &why) < 0 ||
	    target.mark != output->mail.mark) {
		refuse(mind, output, why.len ? buffer_text(&why) : TEXT("mail: the applet was changed meanwhile"));
		return;
	}
	mail->request = *place = output->request;
	mail->policy = output->policy;
	mail->action = output->action;
	mail->mark = target.mark;
	mail->at = mind_now(mind).wall;
	text_copy(output->mail.from, mail->from, sizeof(mail->from));
	text_copy(output->mail.to, mail->to, sizeof(mail->to));
	text_copy(output->mail.cc, mail->cc, sizeof(mail->cc));
	text_copy(output->mail.subject, mail->subject, sizeof(mail->subject));
	text_copy(output->mail.body, mail->body, sizeof(mail->body));
	if (channel_send(mind->notify.dial, MESSAGE_SEND_MAIL, mail) == 0)
		return;
	*place = 0;
	mind->notify.not_handed++;
	refuse(mind, output, TEXT("mail: the role dial does not keep up"));
}

static void carry_out(struct mind *mind, const struct eem_output *output)
{
	switch (output->kind) {
	case EEM_COMMAND:
		run_command(mind, output);
		break;
	case EEM_CLOSE:
		close_run(mind, output->run);
		mind_applet_ended(mind, output->run);
		break;
	case EEM_VERDICT:
		mind_take_verdict(mind, output->verdict.token, output->verdict.run_it);
		break;
	case EEM_LOG:
		say_line(mind, output->log.severity, output->log.line);
		break;
	case EEM_NOTICE:
		log_say(&mind->member->log, output->log.severity, "%.*s", TEXT_ARG(output->log.line));
		break;
	case EEM_SNMP_TRAP:
		send_trap(mind, output);
		break;
	case EEM_PUTS:
		if (!mind_put(mind, output->puts.terminal, output->puts.text, output->puts.newline))
			log_say(&mind->member->log, LOG_INFO, "applet %s: %.*s", output->applet ? output->applet : "?",
				TEXT_ARG(output->puts.text));
		break;
	case EEM_MAIL:
		send_mail(mind, output);
		break;
	case EEM_GETS:
		if (!mind_gets(mind, output->puts.terminal, output->request))
			refuse(mind, output, TEXT("there is no terminal to read from"));
		break;
	case EEM_FILE:
		use_file(mind, output);
		break;
	case EEM_POLL:
		mind_poll(mind, output);
		break;
	case EEM_TRACK_SET:
		set_track(mind, output);
		break;
	default:
		break;
	}
}

static void settle(struct mind *mind)
{
	struct mind_eem *e = &mind->eem;
	struct eem_output output;
	int64_t again;

	if (!e->engine || e->busy)
		return; /* what an output brings about is told within the loop below */
	if (!mind->core) { /* a command would look at it: in the next turn of the loop it is there */
		loop_timer_at(e->timer, 0);
		return;
	}
	e->busy = true;
	again = eem_tick(e->engine, mind_now(mind));
	for (int i = 0; i < TURNS_MAX && eem_next(e->engine, &output); i++)
		carry_out(mind, &output);
	again = eem_tick(e->engine, mind_now(mind));
	e->busy = false;
	loop_timer_at(e->timer, again);
}

/* --- What happens ------------------------------------------------------------------------------------------------- */

void mind_eem_line(struct mind *mind, int severity, struct text line)
{
	struct eem_message message = { .text = line, .has_severity = true, .severity = (uint8_t)severity };

	if (!mind->eem.engine)
		return;
	eem_syslog(mind->eem.engine, &message, mind_now(mind));
	settle(mind);
}

void mind_eem_device_line(struct mind *mind, const char *device, struct text line)
{
	struct eem_message message = { .text = line, .device = text_of(device) };

	if (!mind->eem.engine)
		return;
	eem_syslog(mind->eem.engine, &message, mind_now(mind));
	settle(mind);
}

static void mailed(struct mind *mind, uint64_t *place, bool sent, const char *why)
{
	uint64_t request = *place;

	*place = 0;
	if (mind->eem.engine)
		eem_result(mind->eem.engine, request, sent ? EEM_DONE : EEM_FAILED, text_of(why), mind_now(mind));
}

void mind_eem_mailed(struct mind *mind, const struct dial_mailed *said)
{
	for (uint32_t i = 0; i < MIND_MAILS_MAX; i++)
		if (mind->eem.mails[i] == said->request)
			mailed(mind, &mind->eem.mails[i], said->sent, said->why);
	settle(mind);
}

void mind_eem_no_dial(struct mind *mind)
{
	for (uint32_t i = 0; i < MIND_MAILS_MAX; i++)
		if (mind->eem.mails[i])
			mailed(mind, &mind->eem.mails[i], false, "the role dial ended: whether the mail was sent is not known");
	settle(mind);
}

void mind_eem_track(struct mind *mind, uint32_t object, bool is_up)
{
	if (!mind->eem.engine)
		return;
	eem_track(mind->eem.engine, object, is_up, mind_now(mind));
	settle(mind);
}

void mind_eem_neighbor(struct mind *mind, enum neighbor_change change, const struct neighbor *neighbor)
{
	if (!mind->eem.engine)
		return;
	eem_neighbor(mind->eem.engine, change, neighbor, mind_now(mind));
	settle(mind);
}

void mind_eem_no_track(struct mind *mind, uint32_t object)
{
	if (mind->eem.engine)
		eem_no_track(mind->eem.engine, object);
}

#define VARBINDS_MAX (2 * SNMP_VARBINDS_MAX)

struct shown { /* a trap as text */
	struct eem_varbind varbinds[VARBINDS_MAX];
	char oids[VARBINDS_MAX][SNMP_OID_TEXT_MAX];
	char values[VARBINDS_MAX][2 * SNMP_STRING_MAX + 8];
	uint32_t count;
};

static void show(struct shown *shown, const struct snmp_oid *name, const struct snmp_value *value)
{
	uint32_t i = shown->count++;

	snmp_oid_print(name, shown->oids[i]);
	snmp_value_print(value, shown->values[i], sizeof(shown->values[i]));
	shown->varbinds[i] = (struct eem_varbind){
		.oid = text_of(shown->oids[i]), .value = text_of(shown->values[i]),
		.has_value = value->type != SNMP_NULL && value->type < SNMP_NO_SUCH_OBJECT,
	};
}

/* B20: applets wait for one place of the EEM MIB, and senders use the other: what stands below one is shown below both. */
static void show_both(struct shown *shown, const struct snmp_varbind *v)
{
	static const struct snmp_oid roots[] = { { 9, { 1, 3, 6, 1, 4, 1, 9, 10, 91 } }, { 9, { 1, 3, 6, 1, 4, 1, 9, 10, 134 } } };
	struct snmp_oid other = v->name;

	show(shown, &v->name, &v->value);
	for (int i = 0; i < 2; i++) {
		if (!snmp_oid_is_below(&v->name, &roots[i]))
			continue;
		other.id[8] = roots[!i].id[8];
		show(shown, &other, &v->value);
	}
}

void mind_eem_trap(struct mind *mind, const struct snmp_trap *trap)
{
	char oid[SNMP_OID_TEXT_MAX], enterprise[SNMP_OID_TEXT_MAX] = "";
	struct shown *shown = NULL;
	struct eem_trap told;

	if (!mind->eem.engine)
		return;
	shown = memory_new(1, sizeof(*shown));
	if (!shown)
		return;
	for (uint32_t i = 0; i < trap->varbind_count; i++)
		show_both(shown, &trap->varbinds[i]);
	if (trap->has_enterprise)
		snmp_oid_print(&trap->enterprise, enterprise);
	told = (struct eem_trap){
		.source = trap->source, .trap_oid = text_of(snmp_oid_print(&trap->trap, oid)), .enterprise_oid = text_of(enterprise),
		.generic = trap->version == 1 ? trap->generic : -1, .specific = trap->version == 1 ? trap->specific : -1,
		.varbinds = shown->varbinds, .varbind_count = shown->count,
	};
	(void)eem_trap(mind->eem.engine, &told, mind_now(mind));
	settle(mind);
	memory_free(shown);
}
