/* SPDX-License-Identifier: MIT */
/* Actions: each verb's grammar. */
#include <inttypes.h>

#include "eem/compile.h"

#define MAIL_PORT 25

const char *const verb_names[VERBS] = {
	"cli", "syslog", "set", "regexp", "if", "elseif", "else", "end", "goto", "puts", "gets", "info", "comment", "mail", "exit",
	"wait", "string", "reload", "track", "file", "snmp-trap", "add", "subtract", "multiply", "divide", "increment",
	"decrement", "append", "while", "foreach", "break", "continue", "context", "counter", "policy", "handle-error",
	"publish-event", "help",
};

/* Refused by name: what they act on cannot exist here. */
static const char *const elsewhere[] = { "force-switchover", "cns-event", "export-to-telemetry", "snmp-object-value",
					 "event-default", "policy-default", "overbudget", "cts", "forceshut" };

static const char *const level_words[] = { "emergencies", "alerts", "critical", "errors", "warnings", "notifications",
					   "informational", "debugging" };

static bool take_template(struct compiler *c, struct eem_words *w, const char *what, struct action *a, unsigned slot)
{
	const struct eem_word *word = eem_word_take(w);

	if (!word)
		return compile_fail(c, "incomplete", "%s is missing behind '%s'", what, verb_names[a->verb]);
	a->has |= (uint8_t)(1u << slot);
	return compile_template(c, word->text, &a->arg[slot]);
}

/* Unquoted text goes to the end of the line, as in NX-OS; IOS takes one word. */
static bool take_text(struct compiler *c, struct eem_words *w, const char *what, struct action *a, unsigned slot)
{
	const struct eem_word *word = eem_word_see(w);
	struct text text;

	if (!word)
		return compile_fail(c, "incomplete", "%s is missing behind '%s'", what, verb_names[a->verb]);
	if (word->is_quoted || w->next + 1 == w->count)
		return take_template(c, w, what, a, slot);
	text = eem_words_rest(w);
	compile_warn(c, "nxos", "text of several words without quotes is NX-OS; IOS wants \"%.*s\"", TEXT_ARG(text));
	a->has |= (uint8_t)(1u << slot);
	return compile_template(c, text, &a->arg[slot]);
}

static bool take_flag(struct eem_words *w, const char *flag, size_t least)
{
	struct eem_word *word = eem_word_see(w);

	if (!word || word->is_quoted || word->text.len < least || !text_starts_nocase(text_of(flag), word->text))
		return false;
	eem_word_take(w)->keyword = flag;
	return true;
}

/* The keyword `which` and a template for it, for options in any order. */
static bool take_options(struct compiler *c, struct eem_words *w, struct action *a, const char *const *options,
			 uint32_t count)
{
	while (eem_word_see(w)) {
		int option = compile_keyword(c, w, "unknown-option", "option", options, count);

		if (option < 0 || !take_template(c, w, options[option], a, (unsigned)option))
			return false;
	}
	return true;
}

/* --- cli, syslog ------------------------------------------------------------------------------------------------- */

static bool verb_cli(struct compiler *c, struct eem_words *w, struct action *a)
{
	const struct eem_word *word;

	if (!take_flag(w, "command", 3)) {
		if (!eem_word_see(w))
			return compile_fail(c, "incomplete", "'cli' needs 'command \"TEXT\"'");
		compile_warn(c, "nxos", "'cli' without 'command' is NX-OS; IOS refuses the line");
		return take_text(c, w, "the command", a, 0);
	}
	word = eem_word_see(w);
	if (word && !word->is_quoted && w->next + 1 < w->count &&
	    !(w->next + 3 == w->count && text_equal_nocase(w->at[w->next + 1].text, TEXT("pattern"))))
		return take_text(c, w, "the command", a, 0);
	if (!take_template(c, w, "the command", a, 0))
		return false;
	if (take_flag(w, "pattern", 3)) {
		word = eem_word_see(w);
		if (!word)
			return compile_fail(c, "incomplete", "'pattern' needs the text to wait for");
		if (!compile_pattern(c, word->text, &a->pattern))
			return false;
		return take_template(c, w, "the text to wait for", a, 1);
	}
	return true;
}

static bool take_level(struct compiler *c, struct eem_words *w, struct action *a)
{
	const struct eem_word *word = eem_word_see(w);
	uint64_t number;
	int level;

	if (word && text_decimal(word->text, 7, &number) == 0) {
		eem_word_take(w);
		a->severity = (uint8_t)number;
		return true;
	}
	level = compile_keyword(c, w, "bad-value", "level", level_words, EEM_COUNT(level_words));
	a->severity = level < 0 ? 6 : (uint8_t)level;
	return level >= 0;
}

static bool verb_syslog(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const options[] = { "msg", "facility", "priority" };

	a->severity = 6;
	while (eem_word_see(w)) {
		int option = compile_keyword(c, w, "unknown-option", "option of syslog", options, EEM_COUNT(options));

		if (option < 0)
			return false;
		if (option == 0 && w->next + 1 < w->count && !eem_word_see(w)->is_quoted) {
			struct text second = w->at[w->next + 1].text;

			/* one bare word, and then another option: as IOS reads it */
			if (text_equal_nocase(second, TEXT("priority")) || text_equal_nocase(second, TEXT("facility"))) {
				if (!take_template(c, w, "the message", a, 0))
					return false;
				continue;
			}
			if (!take_text(c, w, "the message", a, 0))
				return false;
			continue;
		}
		if (option == 2 ? !take_level(c, w, a) : !take_template(c, w, options[option], a, (unsigned)option))
			return false;
	}
	return (a->has & 1) || compile_fail(c, "incomplete", "'syslog' needs 'msg \"TEXT\"'");
}

/* --- variables, expressions -------------------------------------------------------------------------------------- */

static bool take_name(struct compiler *c, struct eem_words *w, struct action *a)
{
	return compile_name(c, w, "a variable's name", &a->name[a->name_count++]);
}

static bool verb_set(struct compiler *c, struct eem_words *w, struct action *a)
{
	return take_name(c, w, a) && take_text(c, w, "the value", a, 0);
}

static bool is_constant(const struct eem_template *t)
{
	return t->count == 0 || (t->count == 1 && !t->parts[0].is_variable);
}

static bool verb_regexp(struct compiler *c, struct eem_words *w, struct action *a)
{
	if (!take_template(c, w, "the expression", a, 0) || !take_template(c, w, "the text to search in", a, 1))
		return false;
	while (eem_word_see(w) && a->name_count < EEM_NAMES_MAX)
		if (!take_name(c, w, a))
			return false;
	if (!is_constant(&a->arg[0]))
		return true;
	if (!compile_pattern(c, a->arg[0].count ? a->arg[0].parts[0].text : TEXT_NONE, &a->pattern))
		return false;
	if (a->name_count > eem_pattern_groups(a->pattern) + 1)
		compile_warn(c, "missing-group", "%u variables for the match, but the expression has only %" PRIu32 " group%s: the rest is set to nothing",
			     a->name_count - 1, eem_pattern_groups(a->pattern), eem_pattern_groups(a->pattern) == 1 ? "" : "s");
	return true;
}

static bool take_condition(struct compiler *c, struct eem_words *w, struct action *a)
{
	int op;

	if (!take_template(c, w, "the left side", a, 0))
		return false;
	op = compile_keyword(c, w, "unknown-option", "comparison", operation_names, OPERATIONS);
	a->op = op < 0 ? OP_EQ : (enum operation)op;
	return op >= 0 && take_template(c, w, "the right side", a, 1);
}

static bool verb_if(struct compiler *c, struct eem_words *w, struct action *a)
{
	if (!take_condition(c, w, a))
		return false;
	return !take_flag(w, "goto", 1) || compile_word(c, w, "the label to go to", &a->name[a->name_count++]);
}

static bool verb_condition(struct compiler *c, struct eem_words *w, struct action *a)
{
	return take_condition(c, w, a);
}

static bool verb_alone(struct compiler *c, struct eem_words *w, struct action *a)
{
	(void)c;
	(void)w;
	(void)a;
	return true;
}

static bool verb_goto(struct compiler *c, struct eem_words *w, struct action *a)
{
	return compile_word(c, w, "the label to go to", &a->name[a->name_count++]);
}

static bool verb_foreach(struct compiler *c, struct eem_words *w, struct action *a)
{
	return take_name(c, w, a) && take_template(c, w, "the list", a, 0);
}

static bool verb_arithmetic(struct compiler *c, struct eem_words *w, struct action *a)
{
	return take_template(c, w, "the first number", a, 0) && take_template(c, w, "the second number", a, 1);
}

static bool verb_step(struct compiler *c, struct eem_words *w, struct action *a)
{
	return take_name(c, w, a) && (!eem_word_see(w) || take_template(c, w, "the number", a, 0));
}

static bool verb_append(struct compiler *c, struct eem_words *w, struct action *a)
{
	return take_name(c, w, a) && take_text(c, w, "the value", a, 0);
}

static bool verb_string(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const kinds[] = { "compare", "equal", "first", "index", "last", "length", "match", "range", "replace",
					     "tolower", "toupper", "trim", "trimleft", "trimright" };
	static const uint8_t least[] = { 2, 2, 2, 2, 2, 1, 2, 3, 3, 1, 1, 1, 1, 1 };
	static const uint8_t most[] = { 2, 2, 3, 2, 3, 1, 2, 3, 4, 3, 3, 2, 2, 2 };
	int kind = compile_keyword(c, w, "unknown-action", "string operation", kinds, EEM_COUNT(kinds));
	unsigned given = 0;

	if (kind < 0)
		return false;
	a->sub = (uint8_t)kind;
	if (kind == STRING_COMPARE || kind == STRING_EQUAL || kind == STRING_MATCH) {
		a->nocase = take_flag(w, "nocase", 3);
		if (kind != STRING_MATCH && take_flag(w, "length", 3) && !take_template(c, w, "the length", a, 5))
			return false;
	}
	while (eem_word_see(w) && given < most[kind])
		if (!take_template(c, w, "a text", a, given++))
			return false;
	return given >= least[kind] || compile_fail(c, "incomplete", "'string %s' needs %u operands", kinds[kind], least[kind]);
}

/* --- input and output -------------------------------------------------------------------------------------------- */

static bool verb_puts(struct compiler *c, struct eem_words *w, struct action *a)
{
	a->nonewline = take_flag(w, "nonewline", 3);
	return take_text(c, w, "the text", a, 0);
}

static bool verb_gets(struct compiler *c, struct eem_words *w, struct action *a)
{
	return take_name(c, w, a);
}

static bool verb_info(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const types[] = { "routername", "cli", "syslog", "snmp", "interface-names" };
	int type;

	if (!take_flag(w, "type", 1))
		return compile_fail(c, "incomplete", "'info' needs 'type routername'");
	type = compile_keyword(c, w, "unknown-info-type", "info type", types, EEM_COUNT(types));
	if (type > 0)
		return compile_fail(c, "unsupported-info-type",
				    "'info type %s' cannot be answered here ('routername' can): the applet is not registered", types[type]);
	a->sub = 0;
	return type == 0;
}

static bool verb_comment(struct compiler *c, struct eem_words *w, struct action *a)
{
	(void)c;
	(void)a;
	eem_words_rest(w);
	return true;
}

static bool verb_mail(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const options[] = { "server", "to", "from", "cc", "subject", "body", "port", "secure" };
	static const char *const kinds[] = { "none", "tls" };
	uint64_t port;

	a->port = MAIL_PORT;
	while (eem_word_see(w)) {
		int option = compile_keyword(c, w, "unknown-option", "option", options, EEM_COUNT(options));

		if (option < 0 || (option < 6 && !take_template(c, w, options[option], a, (unsigned)option)))
			return false;
		if (option == 6) {
			if (!compile_number(c, w, "port", 1, 65535, &port))
				return false;
			a->port = (uint16_t)port;
		} else if (option == 7) {
			int kind = compile_keyword(c, w, "bad-value", "kind of mail", kinds, EEM_COUNT(kinds));

			if (kind != 0)
				return kind < 0 ? false : compile_fail(c, "unsupported-action",
					"mail over TLS is not sent here: the applet is not registered");
		}
	}
	return (a->has & 7) == 7 || compile_fail(c, "incomplete", "'mail' needs server, to, from, subject and body");
}

static bool verb_exit(struct compiler *c, struct eem_words *w, struct action *a)
{
	return !eem_word_see(w) || take_template(c, w, "the status", a, 0);
}

static bool verb_wait(struct compiler *c, struct eem_words *w, struct action *a)
{
	int64_t ns;

	if (!take_template(c, w, "the seconds", a, 0))
		return false;
	if (is_constant(&a->arg[0]) && (!a->arg[0].count || !compile_seconds_of(a->arg[0].parts[0].text, &ns)))
		return compile_fail(c, "bad-value", "'wait' takes seconds, SSSS[.mmm]");
	return true;
}

static bool verb_reload(struct compiler *c, struct eem_words *w, struct action *a)
{
	(void)w;
	(void)a;
	compile_warn(c, "reload", "spimend never restarts the machine: 'reload' ends the run with an error");
	return true;
}

static bool verb_track(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const kinds[] = { "read", "set" };
	static const char *const states[] = { "down", "up" };
	int kind = compile_keyword(c, w, "unknown-option", "track operation", kinds, EEM_COUNT(kinds)), state;

	if (kind < 0 || !take_template(c, w, "the track object", a, 0))
		return false;
	a->sub = (uint8_t)kind;
	if (kind == 0)
		return true;
	take_flag(w, "state", 2);
	state = compile_keyword(c, w, "bad-value", "state", states, EEM_COUNT(states));
	a->is_up = state == 1;
	return state >= 0;
}

static bool verb_file(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const kinds[] = { "open", "close", "delete", "gets", "puts", "read", "write" };
	static const char *const modes[] = { "r", "r+", "w", "w+", "a", "a+" };
	int mode;
	int kind = compile_keyword(c, w, "unknown-option", "file operation", kinds, EEM_COUNT(kinds));

	if (kind < 0)
		return false;
	a->sub = (uint8_t)kind;
	if (kind == EEM_FILE_PUTS)
		a->nonewline = take_flag(w, "nonewline", 3);
	if (!take_template(c, w, kind == EEM_FILE_DELETE ? "the file" : "the file's handle", a, 0))
		return false;
	switch ((enum eem_file_verb)kind) {
	case EEM_FILE_OPEN:
		if (!take_template(c, w, "the file", a, 1) ||
		    (mode = compile_keyword(c, w, "bad-value", "access", modes, EEM_COUNT(modes))) < 0)
			return false;
		if (mode % 2)
			return compile_fail(c, "unsupported-action", "files are read (r) or written (w, a) here, and not both at once: "
					    "'%s' is not known, the applet is not registered", modes[mode]);
		a->name[a->name_count++] = text_of(w->at[w->next - 1].keyword);
		return true;
	case EEM_FILE_GETS:
		return take_name(c, w, a);
	case EEM_FILE_READ:
		return take_name(c, w, a) && (!eem_word_see(w) || take_template(c, w, "the number of characters", a, 2));
	case EEM_FILE_PUTS:
		return take_text(c, w, "the text", a, 1);
	case EEM_FILE_WRITE:
		return take_template(c, w, "the text", a, 1) &&
		       (!eem_word_see(w) || take_template(c, w, "the number of characters", a, 2));
	default:
		return true;
	}
}

static bool verb_snmp_trap(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const options[] = { "intdata1", "intdata2", "strdata" };

	return take_options(c, w, a, options, EEM_COUNT(options));
}

/* --- what reaches beyond the run --------------------------------------------------------------------------------- */

static bool verb_context(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const kinds[] = { "retrieve", "save" };
	static const char *const options[] = { "key", "variable" };
	int kind = compile_keyword(c, w, "unknown-option", "context operation", kinds, EEM_COUNT(kinds));

	if (kind < 0)
		return false;
	a->sub = (uint8_t)kind;
	while (eem_word_see(w)) {
		int option = compile_keyword(c, w, "unknown-option", "option of context", options, EEM_COUNT(options));

		if (option < 0)
			return false;
		if (option == 1 && a->name_count)
			return compile_fail(c, "unknown-option", "'variable' is said twice");
		if (option == 0 ? !take_template(c, w, "the key", a, 0) : !take_name(c, w, a))
			return false;
	}
	return ((a->has & 1) && a->name_count) || compile_fail(c, "incomplete", "'context' needs 'key K variable V'");
}

static bool verb_counter(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const options[] = { "name", "value", "op" };
	static const char *const kinds[] = { "dec", "inc", "nop", "set" };

	a->sub = COUNTER_NOP;
	while (eem_word_see(w)) {
		int option = compile_keyword(c, w, "unknown-option", "option of counter", options, EEM_COUNT(options));
		int kind;

		if (option < 0)
			return false;
		if (option < 2) {
			if (!take_template(c, w, options[option], a, (unsigned)option))
				return false;
			continue;
		}
		kind = compile_keyword(c, w, "bad-value", "counter operation", kinds, EEM_COUNT(kinds));
		if (kind < 0)
			return false;
		a->sub = (uint8_t)kind;
	}
	return (a->has & 1) || compile_fail(c, "incomplete", "'counter' needs 'name NAME'");
}

static bool verb_policy(struct compiler *c, struct eem_words *w, struct action *a)
{
	return take_template(c, w, "the applet's name", a, 0);
}

static bool verb_handle_error(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const kinds[] = { "exit", "ignore", "warn" };
	int kind;

	take_flag(w, "type", 1);
	kind = compile_keyword(c, w, "bad-value", "type of handle-error", kinds, EEM_COUNT(kinds));
	a->sub = (uint8_t)(kind < 0 ? 0 : kind);
	return kind >= 0;
}

static bool verb_publish(struct compiler *c, struct eem_words *w, struct action *a)
{
	static const char *const options[] = { "sub-system", "type", "arg1", "arg2", "arg3", "arg4" };

	if (!take_options(c, w, a, options, EEM_COUNT(options)))
		return false;
	return (a->has & 3) == 3 || compile_fail(c, "incomplete", "'publish-event' needs 'sub-system N type N'");
}

static bool (*const readers[VERBS])(struct compiler *c, struct eem_words *w, struct action *a) = {
	verb_cli, verb_syslog, verb_set, verb_regexp, verb_if, verb_condition, verb_alone, verb_alone, verb_goto, verb_puts,
	verb_gets, verb_info, verb_comment, verb_mail, verb_exit, verb_wait, verb_string, verb_reload, verb_track, verb_file,
	verb_snmp_trap, verb_arithmetic, verb_arithmetic, verb_arithmetic, verb_arithmetic, verb_step, verb_step, verb_append,
	verb_condition, verb_foreach, verb_alone, verb_alone, verb_context, verb_counter, verb_policy, verb_handle_error,
	verb_publish, verb_comment,
};

bool compile_action(struct compiler *c, struct eem_words *w, struct action *ret)
{
	struct action a = { .line = c->line, .jump = EEM_NOWHERE, .chain = EEM_NOWHERE };
	struct eem_word *word = eem_word_see(w);
	uint32_t from = w->next;
	int verb;

	if (!word)
		return compile_fail(c, "incomplete", "the action's verb is missing");
	verb = eem_keyword(word->text, verb_names, VERBS);
	if (verb < 0) {
		int there = eem_keyword(word->text, elsewhere, EEM_COUNT(elsewhere));

		if (there >= 0)
			return compile_fail(c, "unsupported-action", "action '%s' cannot exist off the router: the applet is not registered",
					    elsewhere[there]);
		return compile_unknown(c, "unknown-action", "action", word->text, verb_names, VERBS);
	}
	eem_word_take(w)->keyword = verb_names[verb];
	a.verb = (enum verb)verb;
	if (!readers[verb](c, w, &a))
		return false;
	word = eem_word_see(w);
	if (word)
		return compile_fail(c, "unknown-option", "'%.*s' is too much behind '%s'", TEXT_ARG(word->raw), verb_names[verb]);
	a.source = compile_source(c, w, from);
	*ret = a;
	return true;
}
