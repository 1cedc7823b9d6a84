/* SPDX-License-Identifier: MIT */
/* Actions that somebody else carries out: commands, messages, traps, mail, the terminal. */
#include <inttypes.h>
#include <stdio.h>

#include "eem/engine_private.h"

#define COMMAND_MAX 2048

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* One line: what would break it becomes a blank. */
static void make_line(struct buffer *b, bool keep_breaks)
{
	for (size_t i = 0; i < b->len; i++)
		if (is_control(b->bytes[i]) && !(keep_breaks && b->bytes[i] == '\n'))
			b->bytes[i] = ' ';
}

static void wait_for(struct eem *eem, struct run *run, struct output *o)
{
	run->request = o->out.request = eem->next_id++;
	run->state = RUN_WAITING;
	output_send(eem, o);
}

/* Values are data: the run stops, whatever handle-error says. */
static enum step stop(struct eem *eem, struct run *run, struct moment now, const char *why, struct text name)
{
	run->on_error = ERROR_EXIT;
	eem->figures.stopped_values++;
	if (name.len)
		return run_fail(eem, run, now, "stopped: $%.*s %s", TEXT_ARG(name), why);
	return run_fail(eem, run, now, "stopped: %s", why);
}

/* --- cli --------------------------------------------------------------------------------------------------------- */

static bool spans_are_arguments(const struct run *run, const struct expansion *e)
{
	for (uint32_t i = 0; i < e->span_count && !run->at_prompt; i++) {
		bool word = false, behind = false;

		for (uint32_t k = 0; k < e->spans[i].at && !behind; k++) {
			bool blank = char_is_blank(e->text.bytes[k]);

			behind = word && blank;
			word |= !blank;
		}
		if (!behind)
			return false;
	}
	return true;
}

static enum step send_command(struct eem *eem, struct run *run, const struct action *a, const struct expansion *command,
			      struct moment now)
{
	struct output *o = output_new(eem, EEM_COMMAND, run);
	struct eem_session session = eem_session(run->set);

	if (!o)
		return run_fail(eem, run, now, "no memory");
	memcpy(o->spans, command->spans, sizeof(o->spans));
	o->out.command.text = output_text(eem, o, buffer_text(&command->text));
	if (a->pattern)
		o->out.command.expect = output_text(eem, o, eem_pattern_text(a->pattern));
	o->out.command.username = output_text(eem, o, session.username);
	o->out.command.privilege = session.privilege;
	o->out.command.bypass = run->policy->bypass;
	o->out.command.spans = o->spans;
	o->out.command.span_count = command->span_count;
	o->out.command.terminal = run->terminal;
	run->has_session = true;
	wait_for(eem, run, o);
	return STEP_BLOCKED;
}

static enum step take_cli(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion command;
	enum step step;

	if (!run_expand(eem, run, a, 0, now, &command, &step))
		return step;
	if (command.has_untyped) {
		step = stop(eem, run, now, "comes from outside and is not wholly an address, an SPI, an interface's name or a number: it must "
			    "not stand in a command", command.untyped);
	} else if (!spans_are_arguments(run, &command)) {
		step = stop(eem, run, now, "what comes from outside must not be a command's first word", TEXT_NONE);
	} else if (command.text.len > COMMAND_MAX) {
		step = run_fail(eem, run, now, "the command has %zu bytes; at most %d are sent", command.text.len, COMMAND_MAX);
	} else {
		step = STEP_BLOCKED;
		for (size_t i = 0; i < command.text.len && step == STEP_BLOCKED; i++)
			if (is_control(command.text.bytes[i]))
				step = stop(eem, run, now, "a command is one line without control characters", TEXT_NONE);
		if (step == STEP_BLOCKED)
			step = send_command(eem, run, a, &command, now);
	}
	expansion_done(&command);
	return step;
}

/* --- syslog, puts, gets ------------------------------------------------------------------------------------------ */

static void send_line(struct eem *eem, const struct run *run, uint8_t severity, struct text facility, struct text text)
{
	struct output *o = output_new(eem, EEM_LOG, run);
	struct buffer line = { 0 };

	if (!o)
		return;
	if (facility.len == 0)
		facility = TEXT("HA_EM");
	buffer_printf(&line, "%%%.*s-%u-LOG: %.*s: ", TEXT_ARG(facility), severity, TEXT_ARG(run->policy->name));
	buffer_add(&line, text);
	make_line(&line, false);
	o->out.log.severity = severity;
	o->out.log.line = output_text(eem, o, buffer_text(&line));
	buffer_done(&line);
	output_send(eem, o);
}

static enum step take_syslog(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion text, facility = { .taint = TAINT_NONE };
	enum step step;

	if (!run_expand(eem, run, a, 0, now, &text, &step))
		return step;
	if ((a->has & 2) && !run_expand(eem, run, a, 1, now, &facility, &step)) {
		expansion_done(&text);
		return step;
	}
	send_line(eem, run, a->severity, facility.taint == TAINT_NONE ? buffer_text(&facility.text) : TEXT_NONE,
		  buffer_text(&text.text));
	expansion_done(&text);
	expansion_done(&facility);
	return STEP_NEXT;
}

static enum step take_puts(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion text;
	struct output *o;
	enum step step;

	if (!run_expand(eem, run, a, 0, now, &text, &step))
		return step;
	if (!run->terminal) { /* as IOS: without a terminal it goes to the log */
		send_line(eem, run, 6, TEXT_NONE, buffer_text(&text.text));
	} else if ((o = output_new(eem, EEM_PUTS, run))) {
		make_line(&text.text, true); /* what is shown controls no terminal */
		o->out.puts.terminal = run->terminal;
		o->out.puts.text = output_text(eem, o, buffer_text(&text.text));
		o->out.puts.newline = !a->nonewline;
		output_send(eem, o);
	}
	expansion_done(&text);
	return STEP_NEXT;
}

static enum step take_gets(struct eem *eem, struct run *run, struct moment now)
{
	struct output *o;

	if (!run->terminal)
		return run_fail(eem, run, now, "there is no terminal to read from");
	o = output_new(eem, EEM_GETS, run);
	if (!o)
		return run_fail(eem, run, now, "no memory");
	o->out.puts.terminal = run->terminal;
	wait_for(eem, run, o);
	return STEP_BLOCKED;
}

/* --- mail, snmp-trap --------------------------------------------------------------------------------------------- */

/* What a mail's header, and a body without an encoding of its own, can hold. */
static void make_ascii(struct buffer *b, bool keep_breaks)
{
	make_line(b, keep_breaks);
	for (size_t i = 0; i < b->len; i++)
		if ((unsigned char)b->bytes[i] > 0x7e)
			b->bytes[i] = '?';
}

static enum step take_mail(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion e[6] = { { .taint = TAINT_NONE } };
	enum step step = STEP_BLOCKED;
	struct output *o = NULL;

	/* The server is not expanded here: it is what the configuration says, whatever a variable holds. */
	for (unsigned i = 1; i < 6 && step == STEP_BLOCKED; i++) {
		if (!(a->has >> i & 1) || !run_expand(eem, run, a, i, now, &e[i], &step))
			continue;
		make_ascii(&e[i].text, i == 5); /* header lines are one line each */
		if (i < 4 && (e[i].taint != TAINT_NONE || e[i].span_count || e[i].has_untyped))
			step = stop(eem, run, now, "what comes from outside must not say where mail goes, or from whom", TEXT_NONE);
	}
	if (step == STEP_BLOCKED) {
		o = output_new(eem, EEM_MAIL, run);
		if (!o)
			step = run_fail(eem, run, now, "no memory");
	}
	if (o) {
		struct eem_mail_action mail = { .mark = 0 };
		struct buffer server = { 0 };

		eem_mail_action(run->set, run->index, run->pc, &mail, &server);
		buffer_done(&server);
		o->out.mail.mark = mail.mark;
		o->out.mail.to = output_text(eem, o, buffer_text(&e[1].text));
		o->out.mail.from = output_text(eem, o, buffer_text(&e[2].text));
		o->out.mail.cc = output_text(eem, o, buffer_text(&e[3].text));
		o->out.mail.subject = output_text(eem, o, buffer_text(&e[4].text));
		o->out.mail.body = output_text(eem, o, buffer_text(&e[5].text));
		wait_for(eem, run, o);
	}
	for (unsigned i = 0; i < 6; i++)
		expansion_done(&e[i]);
	return step;
}

/* A signed 32-bit number of an argument; false where it is none, with what follows. */
static bool trap_number(struct eem *eem, struct run *run, const struct action *a, unsigned slot, struct moment now,
			int32_t *ret, enum step *ret_step)
{
	struct expansion e;
	struct text t;
	bool negative, fine;
	uint64_t value;

	if (!run_expand(eem, run, a, slot, now, &e, ret_step))
		return false;
	t = text_trim(buffer_text(&e.text));
	negative = text_take_char(&t, '-');
	fine = text_decimal(t, INT32_MAX, &value) == 0;
	if (fine)
		*ret = negative ? -(int32_t)value : (int32_t)value;
	else
		*ret_step = run_fail(eem, run, now, "'%.*s' is no number of 32 bits", TEXT_ARG(text_first(buffer_text(&e.text), 40)));
	expansion_done(&e);
	return fine;
}

static enum step take_trap(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion text = { .taint = TAINT_NONE };
	int32_t numbers[2] = { 0, 0 };
	struct output *o;
	enum step step;

	for (unsigned i = 0; i < 2; i++)
		if ((a->has >> i & 1) && !trap_number(eem, run, a, i, now, &numbers[i], &step))
			return step;
	if ((a->has & 4) && !run_expand(eem, run, a, 2, now, &text, &step))
		return step;
	o = output_new(eem, EEM_SNMP_TRAP, run);
	if (o) {
		make_line(&text.text, false);
		o->out.trap.has_int1 = a->has & 1;
		o->out.trap.has_int2 = a->has >> 1 & 1;
		o->out.trap.has_text = a->has >> 2 & 1;
		o->out.trap.int1 = numbers[0];
		o->out.trap.int2 = numbers[1];
		o->out.trap.text = output_text(eem, o, buffer_text(&text.text));
		o->out.trap.event_type = run->event_type;
		output_send(eem, o);
	}
	expansion_done(&text);
	return STEP_NEXT;
}

enum step run_port_action(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	switch (a->verb) {
	case VERB_CLI:
		return take_cli(eem, run, a, now);
	case VERB_SYSLOG:
		return take_syslog(eem, run, a, now);
	case VERB_PUTS:
		return take_puts(eem, run, a, now);
	case VERB_GETS:
		return take_gets(eem, run, now);
	case VERB_MAIL:
		return take_mail(eem, run, a, now);
	case VERB_SNMP_TRAP:
		return take_trap(eem, run, a, now);
	case VERB_RELOAD:
		run->on_error = ERROR_EXIT;
		return run_fail(eem, run, now, "refused: spimend never restarts the machine");
	default:
		return run_fail(eem, run, now, "cannot be carried out here");
	}
}
