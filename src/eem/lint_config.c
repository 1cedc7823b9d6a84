/* SPDX-License-Identifier: MIT */
/* The lines around the applets: what they say about traps and track objects, and what is missing there. */
#include <inttypes.h>

#include "eem/lines.h"
#include "eem/lint_private.h"

static bool is_weak_community(struct text word)
{
	return text_equal_nocase(word, TEXT("public")) || text_equal_nocase(word, TEXT("private"));
}

static void say_weak(const struct lint *l, uint32_t line, struct text community)
{
	lint_say(l, NULL, EEM_WARNING, line, "community-public",
		 "community '%.*s': everybody knows it; whoever sends it can start what waits for this trap. Use one of your own and an "
		 "access list, or SNMPv3 with authentication", TEXT_ARG(community));
}

/* "host A [traps|informs] [version {1|2c|3 auth|...}] COMMUNITY [type...]" */
static void read_host(struct lint *l, struct text rest, uint32_t line)
{
	struct text word = text_take_word(&rest);
	bool any = true, events = false;

	l->has_trap_host = true;
	word = text_take_word(&rest);
	if (text_equal_nocase(word, TEXT("traps")) || text_equal_nocase(word, TEXT("informs")))
		word = text_take_word(&rest);
	if (text_equal_nocase(word, TEXT("version"))) {
		bool is_v3 = text_equal(text_take_word(&rest), TEXT("3"));

		word = text_take_word(&rest);
		if (is_v3)
			word = text_take_word(&rest);
	}
	if (is_weak_community(word))
		say_weak(l, line, word);
	while ((word = text_take_word(&rest)).len) {
		any = false;
		events |= text_equal_nocase(word, TEXT("event-manager"));
	}
	if (!any && !events)
		l->has_trap_host = false; /* this host hears other traps only */
}

static void read_snmp_server(struct lint *l, struct text rest, uint32_t line)
{
	struct text word = text_take_word(&rest), second = text_take_word(&rest);

	l->has_snmp = true;
	if (text_equal_nocase(word, TEXT("manager")) && second.len == 0) {
		l->has_manager = true;
	} else if (text_equal_nocase(word, TEXT("enable")) && text_equal_nocase(second, TEXT("traps"))) {
		struct text kind = text_take_word(&rest);

		l->has_event_traps |= kind.len == 0 || text_equal_nocase(kind, TEXT("event-manager"));
	} else if (text_equal_nocase(word, TEXT("community"))) {
		if (is_weak_community(second))
			say_weak(l, line, second);
	} else if (text_equal_nocase(word, TEXT("host")) && second.len) {
		bool had = l->has_trap_host;
		struct text all = text_between(second.at, rest.at + rest.len);

		read_host(l, all, line);
		l->has_trap_host |= had;
	}
}

void lint_config(struct lint *l)
{
	struct eem_lines lines;
	struct eem_line line;

	eem_lines_start(&lines, l->text, &l->policies->arena, NULL);
	while (eem_lines_next(&lines, &line)) {
		struct text rest = line.text, word = text_take_word(&rest);

		if (!line.is_comment && text_equal_nocase(word, TEXT("snmp-server")))
			read_snmp_server(l, rest, line.number);
	}
}

/* --- Traps between the texts ------------------------------------------------------------------------------------- */

/* Which column of the EEM MIB's history table the event reads: 9 intData1, 10 intData2, 11 strData; 0: another object. */
static unsigned history_column(const struct event *e)
{
	struct text oid = e->oid;
	uint64_t column;

	if (!text_take(&oid, TEXT("1.3.6.1.4.1.9.10.134.1.2.3.1.")) || !text_take_digits(&oid, 3, &column, NULL))
		return 0;
	return (unsigned)column;
}

static bool sends(const struct policy *p, unsigned column, const struct event *e)
{
	for (uint32_t i = 0; i < p->action_count; i++) {
		const struct action *a = &p->actions[i];
		const struct eem_template *arg = &a->arg[column - 9];
		struct text value;
		bool holds;

		if (a->verb != VERB_SNMP_TRAP || !(a->has >> (column - 9) & 1))
			continue;
		if (!lint_constant(arg, &value))
			return true; /* only the run knows */
		if (!e->has_entry || (operation_holds(e->op, value, e->value, &holds) && holds))
			return true;
	}
	return false;
}

static void lint_sender(const struct lint *l, const struct policy *p, const struct event *e)
{
	unsigned column = history_column(e);

	if (column < 9 || column > 11)
		return;
	for (uint32_t i = 0; i < l->all_count; i++)
		for (uint32_t k = 0; l->all[i].policies && k < l->all[i].policies->all; k++)
			if (sends(&l->all[i].policies->at[k], column, e))
				return;
	lint_say(l, p, l->all_count > 1 ? EEM_WARNING : EEM_NOTE, e->line, "trap-unsent",
		 "no applet %s sends this trap (%s %.*s)", l->all_count > 1 ? "of these files" : "of this file",
		 column == 9 ? "intdata1" : column == 10 ? "intdata2" : "strdata", TEXT_ARG(e->value));
}

static bool has_line(const struct lint *l, const char *first, uint32_t number)
{
	struct eem_lines lines;
	struct eem_line line;
	uint64_t value;

	eem_lines_start(&lines, l->text, &l->policies->arena, NULL);
	while (eem_lines_next(&lines, &line)) {
		struct text rest = line.text, word = text_take_word(&rest);

		if (text_equal_nocase(word, text_of(first)) && text_decimal(text_take_word(&rest), UINT32_MAX, &value) == 0 &&
		    value == number)
			return true;
	}
	return false;
}

void lint_needs(const struct lint *l, const struct policy *p)
{
	enum eem_level level = l->has_snmp ? EEM_WARNING : EEM_NOTE; /* a bare listing has its SNMP lines elsewhere */
	bool said_trap = false;

	for (uint32_t i = 0; i < p->event_count; i++) {
		const struct event *e = &p->events[i];

		if (e->detector == DETECTOR_NOTIFICATION) {
			if (!l->has_manager)
				lint_say(l, p, level, e->line, "snmp-manager",
					 "without 'snmp-server manager' a router hears no trap; this text does not say it");
			lint_sender(l, p, e);
		}
		if (e->detector == DETECTOR_TRACK && !has_line(l, "track", e->track))
			lint_say(l, p, EEM_NOTE, e->line, "track-object", "this text has no 'track %" PRIu32 "' object", e->track);
	}
	for (uint32_t i = 0; i < p->action_count && !said_trap; i++) {
		const struct action *a = &p->actions[i];

		if (a->verb != VERB_SNMP_TRAP)
			continue;
		said_trap = true;
		if (!l->has_event_traps)
			lint_say(l, p, level, a->line, "trap-not-enabled",
				 "without 'snmp-server enable traps event-manager' a router sends no such trap; this text does not say it");
		if (!l->has_trap_host)
			lint_say(l, p, level, a->line, "trap-without-host",
				 "without 'snmp-server host ADDRESS COMMUNITY event-manager' nobody gets the trap; this text does not say it");
	}
}
