/* SPDX-License-Identifier: MIT */
#include "eem/reflow.h"

#include <errno.h>
#include <inttypes.h>

#include "eem/compile.h"
#include "eem/foreign.h"

#define SHOWN 40 /* bytes of a text in a finding */

enum kind { KIND_NONE, KIND_COMMENT, KIND_MANAGER, KIND_EVENT, KIND_ACTION, KIND_TRIGGER, KIND_BELOW, KIND_DESCRIPTION,
	    KIND_FOREIGN };

struct reflow {
	struct buffer *out;
	struct eem_report *report;
	struct buffer command; /* owns: being gathered */
	uint32_t line;         /* being read */
	uint32_t words;        /* of the command */
	bool in_applet;
	bool quote_open;
	bool is_flattened;     /* somewhere commands stand behind each other */
	size_t width;          /* of the lines in which they do: where the document breaks lines */
	size_t last_len;       /* of the line in front */
	bool was_cut;          /* the command began in the middle of a line */
	struct buffer tail;    /* owns: the last words of the line, which may begin a command together with the next */
	uint32_t blank_lines;
};

static const char *const detectors[] = { "syslog", "cli", "track", "timer", "none", "snmp", "snmp-notification",
					 "neighbor-discovery", "counter", "application", "routing", "interface", "oir",
					 "resource", "config", "env", "gold", "identity", "ioswdsysmon", "ipsla", "mat", "nf",
					 "process", "rf", "rpc", "snmp-object" };

/* --- What stands at the start of a text -------------------------------------------------------------------------- */

/* A word that quotes hold together; the text moves behind it. `open` is whether a quote is open before and after. */
static struct text take_word(struct text *t, bool *open)
{
	struct text start;
	size_t n = 0;

	if (!*open)
		text_take_blanks(t);
	start = *t;
	while (n < t->len && (*open || !char_is_blank(t->at[n]))) {
		if (t->at[n] == '\\' && n + 1 < t->len && t->at[n + 1] == '"')
			n++;
		else if (t->at[n] == '"')
			*open = !*open;
		n++;
	}
	*t = text_skip(*t, n);
	return text_first(start, n);
}

static bool is_word(struct text word, const char *keyword, size_t least)
{
	return word.len >= least && text_starts_nocase(text_of(keyword), word);
}

static bool begins_manager(struct text t)
{
	struct text first = text_take_word(&t), second = text_take_word(&t), third = text_take_word(&t);

	if (text_equal_nocase(first, TEXT("no"))) {
		first = second;
		second = third;
		third = text_take_word(&t);
	}
	return is_word(first, "event", 5) && is_word(second, "manager", 3) &&
	       (is_word(third, "applet", 3) || is_word(third, "environment", 3) || is_word(third, "session", 4) ||
		is_word(third, "policy", 6));
}

static bool begins_event(struct text t)
{
	struct text word;

	if (!is_word(text_take_word(&t), "event", 5))
		return false;
	word = text_take_word(&t);
	if (is_word(word, "tag", 3)) {
		text_take_word(&t);
		word = text_take_word(&t);
	}
	for (size_t i = 0; i < EEM_COUNT(detectors); i++)
		if (text_equal_nocase(word, text_of(detectors[i])))
			return true;
	return false;
}

static bool begins_action(struct text t)
{
	struct text label, verb;
	bool has_digit = false;
	int known;

	if (!is_word(text_take_word(&t), "action", 6))
		return false;
	label = text_take_word(&t);
	verb = text_take_word(&t);
	for (size_t i = 0; i < label.len; i++)
		has_digit |= char_is_digit(label.at[i]);
	known = eem_keyword(verb, verb_names, VERBS);
	return has_digit && known >= 0 && (verb.len >= 3 || verb.len == strlen(verb_names[known]));
}

static bool begins_below(struct text t)
{
	struct text first = text_take_word(&t), second = text_take_word(&t);

	if (is_word(first, "correlate", 9))
		return is_word(second, "event", 5);
	if (is_word(first, "attribute", 9))
		return is_word(second, "tag", 3);
	return is_word(first, "trigger", 7) && (second.len == 0 || is_word(second, "occurs", 3) || is_word(second, "period", 3) ||
						is_word(second, "delay", 3) || is_word(second, "correlate", 9));
}

static bool begins_strongly(struct text t)
{
	return begins_manager(t) || begins_event(t) || begins_action(t) || begins_below(t);
}

static bool is_bang(struct text word)
{
	return text_equal(word, TEXT("!")) || text_starts(word, TEXT("!-")) || text_starts(word, TEXT("!/"));
}

static bool begins_end(struct text t)
{
	struct text word = text_take_word(&t), rest = text_trim(t);

	if (!text_equal_nocase(word, TEXT("end")) && !text_equal_nocase(word, TEXT("exit")))
		return false;
	return rest.len == 0 || is_bang(text_take_word(&t)) || begins_strongly(rest) || foreign_in_listing(rest);
}

/* --- The command being gathered ---------------------------------------------------------------------------------- */

static enum kind kind_of(const struct reflow *r)
{
	static const char *const words[] = { "action", "attribute", "correlate", "description", "event", "trigger" };
	static const enum kind kinds[] = { KIND_ACTION, KIND_BELOW, KIND_BELOW, KIND_DESCRIPTION, KIND_EVENT, KIND_TRIGGER };
	struct text t = buffer_text(&r->command), word;
	int known;

	if (t.len == 0)
		return KIND_NONE;
	if (t.at[0] == '!')
		return KIND_COMMENT;
	if (begins_manager(t))
		return KIND_MANAGER;
	word = text_take_word(&t);
	known = r->in_applet && word.len >= 2 ? eem_keyword(word, words, EEM_COUNT(words)) : -1;
	return known >= 0 ? kinds[known] : KIND_FOREIGN;
}

static bool opens_applet(struct text t)
{
	return begins_manager(t) && text_find_nocase(t, TEXT(" app")) != TEXT_NOT_FOUND && !text_starts_nocase(t, TEXT("no "));
}

/* What comes next stands in an applet. */
static bool is_inside(const struct reflow *r)
{
	return r->in_applet || opens_applet(buffer_text(&r->command));
}

static void finish(struct reflow *r)
{
	struct text t = buffer_text(&r->command), first = t, word = text_take_word(&first);
	enum kind kind = kind_of(r);

	if (t.len == 0)
		return;
	if (kind == KIND_EVENT || kind == KIND_ACTION || kind == KIND_TRIGGER || kind == KIND_DESCRIPTION ||
	    (r->in_applet && text_equal_nocase(word, TEXT("spimend")) && text_trim(first).len))
		buffer_add_char(r->out, ' ');
	else if (kind == KIND_BELOW)
		buffer_add_string(r->out, "  ");
	buffer_printf(r->out, "%.*s\n", TEXT_ARG(t));
	if (kind == KIND_MANAGER)
		r->in_applet = opens_applet(t);
	else if (kind == KIND_FOREIGN && (foreign_command(word) || text_equal_nocase(word, TEXT("end"))) &&
		 !text_equal_nocase(word, TEXT("spimend")))
		r->in_applet = false;
	buffer_clear(&r->command);
	r->words = 0;
	r->was_cut = false;
}

/* Behind `| include` and its kind stands an expression, up to the end of the line. */
static bool begins_filter(struct text t)
{
	static const char *const filters[] = { "include", "exclude", "begin", "section", "count" };
	struct text word = text_take_word(&t);

	for (size_t i = 0; i < EEM_COUNT(filters) && text_equal(word, TEXT("|")); i++) {
		struct text name = t, first = text_take_word(&name);

		if (is_word(first, filters[i], 1))
			return true;
	}
	return false;
}

static bool has_filter(struct text t)
{
	bool found = false;

	while (t.len && !found) {
		found = begins_filter(t);
		text_take_word(&t);
	}
	return found;
}

static bool cuts_here(const struct reflow *r, struct text rest)
{
	enum kind kind = kind_of(r);
	struct text t = rest, word = text_take_word(&t);

	if (begins_manager(rest))
		return true;
	if (is_inside(r) && (begins_event(rest) || begins_action(rest) || begins_below(rest)))
		return !(kind == KIND_BELOW && begins_event(rest));
	if (is_bang(word))
		return kind != KIND_COMMENT || r->is_flattened;
	if (kind == KIND_ACTION && r->words == 2)
		return false; /* "action 30 end" */
	if (begins_end(rest))
		return kind != KIND_COMMENT || r->words == 1;
	if (kind == KIND_FOREIGN && has_filter(buffer_text(&r->command)))
		return false;
	if (kind == KIND_COMMENT || kind == KIND_FOREIGN)
		return r->is_flattened && foreign_in_listing(rest);
	return false;
}

/* A word that a line's end broke behind its hyphen; "!---" is none. */
static bool ends_in_hyphen(struct text t)
{
	char before = t.len > 1 ? t.at[t.len - 2] : ' ';

	return t.len > 1 && t.at[t.len - 1] == '-' && (char_is_alpha(before) || char_is_digit(before));
}

/* "action 5" at the end of a line: only the next line tells what it is. */
static bool is_cut_off(struct text t)
{
	static const char *const words[] = { "action", "event", "trigger", "correlate", "attribute", "configure", "conf", "show",
					     "sh", "debug", "undebug", "do", "snmp-server", "snmp-", "logging", "terminal", "write",
					     "copy" };
	struct text rest = t, word = text_take_word(&rest);
	unsigned more = 0;

	for (size_t i = 0; i < EEM_COUNT(words); i++) {
		if (!text_equal_nocase(word, text_of(words[i])))
			continue;
		while (text_take_word(&rest).len)
			more++;
		return more < (ends_in_hyphen(text_trim(t)) ? 3 : 2) && text_find_char(t, '"') == TEXT_NOT_FOUND;
	}
	return false;
}

/* Adds the text to the command, cutting where another begins. */
static void feed(struct reflow *r, struct text text, bool glue)
{
	while (text.len) {
		bool was_open = r->quote_open;
		struct text word;

		if (!was_open) {
			text_take_blanks(&text);
			if (text.len == 0)
				return;
			if (r->is_flattened && r->command.len && !glue && is_cut_off(text)) {
				buffer_add(&r->tail, text_trim(text));
				return;
			}
			if (r->command.len && !glue && cuts_here(r, text)) {
				eem_report_add(r->report, EEM_NOTE, r->line, "cut", TEXT_NONE, "a line of its own begins at '%.*s'",
					       TEXT_ARG(text_first(text, SHOWN)));
				finish(r);
				r->was_cut = true;
			}
		}
		word = take_word(&text, &r->quote_open);
		if (r->command.len && !was_open && !glue)
			buffer_add_char(&r->command, ' ');
		buffer_add(&r->command, word);
		r->words += !was_open;
		glue = false;
	}
}

/* --- Lines ------------------------------------------------------------------------------------------------------- */

/* Inside a string: a hyphen at the end of the line is taken for one of the text, with nothing behind it. */
static void join_string(struct reflow *r, struct text text)
{
	struct text before = buffer_text(&r->command);
	bool hyphen = before.len && before.at[before.len - 1] == '-' && text.len &&
		      (char_is_alpha(text.at[0]) || char_is_digit(text.at[0]) || text.at[0] == '_');
	size_t tail = before.len > SHOWN / 2 ? before.len - SHOWN / 2 : 0;

	eem_report_add(r->report, EEM_NOTE, r->line, "joined", TEXT_NONE,
		       hyphen ? "a string is joined without a blank, since its line ends in a hyphen: '...%.*s%.*s...'"
			      : "a string is joined with a blank: '...%.*s %.*s...'",
		       TEXT_ARG(text_skip(before, tail)), TEXT_ARG(text_first(text, SHOWN / 2)));
	if (!hyphen)
		buffer_add_char(&r->command, ' ');
	feed(r, text, true);
}

/* Commands outside of applets behind each other: "debug crypto isakmp debug crypto ipsec". */
static unsigned count_foreign(struct text text)
{
	bool open = false;
	unsigned count = 0;

	if (!foreign_in_listing(text))
		return 0;
	while (text.len) {
		text_take_blanks(&text);
		if (!open && begins_filter(text))
			break;
		if (!open && foreign_in_listing(text)) {
			count++;
			take_word(&text, &open); /* "do show ..." is one */
		}
		take_word(&text, &open);
	}
	return count;
}

static unsigned count_beginnings(struct text text)
{
	bool open = false;
	unsigned count = 0;

	while (text.len) {
		text_take_blanks(&text);
		count += !open && begins_strongly(text);
		take_word(&text, &open);
	}
	return count;
}

/* Somewhere a command begins behind another one; and how long such lines are. */
static bool is_flattened(struct text text, struct arena *arena, size_t *width)
{
	struct eem_lines lines;
	struct eem_line line;
	bool found = false;

	eem_lines_start(&lines, text, arena, NULL);
	while (eem_lines_next(&lines, &line)) {
		unsigned count = line.text.len ? count_beginnings(line.text) : 0;

		if (count <= 1 && (count == 0 || begins_strongly(line.text) || line.text.at[0] == '!') && count_foreign(line.text) < 2)
			continue;
		found = true;
		if (line.text.len > *width)
			*width = line.text.len;
	}
	return found;
}

/* The line in front ended only because this one's first word did not fit. A tenth less also counts: letters of different
 * width are common. */
static bool was_broken(const struct reflow *r, struct text text)
{
	return r->is_flattened && r->command.len && r->last_len + 1 + text_take_word(&text).len > r->width - r->width / 10;
}

static bool is_rule(struct text t)
{
	size_t n = 0;

	while (n < t.len && (t.at[n] == '=' || t.at[n] == '-' || t.at[n] == '_' || t.at[n] == '*'))
		n++;
	return t.len >= 3 && n == t.len;
}

/* A line whose start tells that it is a command of its own. */
static bool begins_line(const struct reflow *r, const struct eem_line *line)
{
	static const char *const applet_words[] = { "action", "attribute", "correlate", "description", "event", "exit", "end",
						    "no", "spimend", "trigger" };
	struct text rest = line->text, word = text_take_word(&rest);

	if (line->text.at[0] == '!' || begins_manager(line->text))
		return true;
	if (is_inside(r) && word.len >= 2 && eem_keyword(word, applet_words, EEM_COUNT(applet_words)) >= 0)
		return true;
	if (text_equal_nocase(word, TEXT("end")) || text_equal_nocase(word, TEXT("exit")))
		return true;
	return foreign_command(word) && (!line->is_indented || !is_inside(r));
}

static bool begins_foreign(const struct reflow *r, const struct eem_line *line)
{
	struct text rest = line->text;

	return !is_inside(r) && line->text.at[0] != '!' && !begins_manager(line->text) && foreign_command(text_take_word(&rest));
}

static void pass_foreign(struct reflow *r, const struct eem_line *line)
{
	bool is_comment = line->text.at[0] == '!', is_whole = text_equal(text_trim(line->raw), line->text);
	size_t indent = 0;

	finish(r);
	if (!is_comment && (is_rule(line->text) || line->text.at[line->text.len - 1] == ':')) {
		eem_report_add(r->report, EEM_NOTE, line->number, "comment", TEXT_NONE, "made a comment: '%.*s'",
			       TEXT_ARG(text_first(line->text, SHOWN)));
		buffer_printf(r->out, "! %.*s\n", TEXT_ARG(line->text));
		return;
	}
	while (is_whole && line->raw.at + indent < line->text.at && char_is_blank(line->raw.at[indent]))
		indent++;
	buffer_add(r->out, text_first(line->raw, indent));
	buffer_printf(r->out, "%.*s\n", TEXT_ARG(line->text));
}

static struct text with_tail(struct reflow *r, struct text text, struct arena *arena)
{
	struct buffer b = { 0 };
	struct text joined;

	buffer_printf(&b, "%.*s%s%.*s", TEXT_ARG(buffer_text(&r->tail)), ends_in_hyphen(buffer_text(&r->tail)) ? "" : " ",
		      TEXT_ARG(text));
	joined = arena_text(arena, buffer_text(&b));
	buffer_done(&b);
	buffer_clear(&r->tail);
	return joined;
}

static void end_tail(struct reflow *r)
{
	if (r->tail.len == 0)
		return;
	if (cuts_here(r, buffer_text(&r->tail))) { /* it was whole: "snmp-server manager" */
		finish(r);
		r->was_cut = true;
	}
	buffer_printf(&r->command, "%s%.*s", r->command.len ? " " : "", TEXT_ARG(buffer_text(&r->tail)));
	buffer_clear(&r->tail);
}

static void read_line(struct reflow *r, const struct eem_line *line, struct arena *arena)
{
	struct text text = line->text;

	r->line = line->number;
	if (text.len == 0) {
		r->blank_lines++;
		return;
	}
	if (r->quote_open && !begins_strongly(text)) {
		join_string(r, text);
		return;
	}
	if (r->quote_open) {
		eem_report_add(r->report, EEM_ERROR, r->line, "unclosed-quote", TEXT_NONE,
			       "a string is still open where a line begins with '%.*s': it has to be closed by hand",
			       TEXT_ARG(text_first(text, SHOWN)));
		r->quote_open = false;
		finish(r);
	}
	if (was_broken(r, text) && !(begins_line(r, line) && has_filter(buffer_text(&r->command)))) {
		eem_report_add(r->report, EEM_NOTE, r->line, "joined", TEXT_NONE, "taken as the rest of the line in front: '%.*s'",
			       TEXT_ARG(text_first(text, SHOWN)));
		if (r->tail.len)
			feed(r, with_tail(r, text, arena), false);
		else
			feed(r, text, ends_in_hyphen(buffer_text(&r->command)));
		return;
	}
	if (begins_line(r, line)) {
		end_tail(r);
		finish(r);
		if (text.at[0] == '!' && !is_bang(text_first(text, 2)) && !is_bang(text_take_word(&(struct text){ text.at, text.len })) &&
		    count_beginnings(text) < 2) {
			pass_foreign(r, line);
			return;
		}
		if (text.at[0] == '!' && count_beginnings(text) < 2 && !r->is_flattened) {
			pass_foreign(r, line); /* an action behind '!' was meant to be off */
			return;
		}
		if (!r->is_flattened && begins_foreign(r, line)) {
			r->in_applet &= line->is_indented;
			pass_foreign(r, line);
			return;
		}
		feed(r, text, false);
		return;
	}
	if (r->command.len && (kind_of(r) != KIND_FOREIGN || r->was_cut) && kind_of(r) != KIND_COMMENT) {
		eem_report_add(r->report, EEM_NOTE, r->line, "joined", TEXT_NONE, "taken as the rest of the line in front: '%.*s'",
			       TEXT_ARG(text_first(text, SHOWN)));
		feed(r, r->tail.len ? with_tail(r, text, arena) : text, false);
		return;
	}
	end_tail(r);
	if (r->in_applet || count_beginnings(text)) {
		finish(r);
		feed(r, text, false);
		return;
	}
	pass_foreign(r, line);
}

int eem_reflow(struct text text, struct buffer *out, struct eem_report *report)
{
	struct reflow r = { .out = out, .report = report };
	struct arena arena = { 0 };
	struct eem_lines lines;
	struct eem_line line;
	int result;

	r.is_flattened = is_flattened(text, &arena, &r.width);
	eem_lines_start(&lines, text, &arena, report);
	while (eem_lines_next(&lines, &line)) {
		read_line(&r, &line, &arena);
		r.last_len = line.text.len ? line.text.len : r.last_len;
	}
	end_tail(&r);
	report->lines = lines.number;
	if (r.quote_open)
		eem_report_add(report, EEM_ERROR, r.line, "unclosed-quote", TEXT_NONE, "a quote is open at the end of the text");
	finish(&r);
	if (r.blank_lines)
		eem_report_add(report, EEM_NOTE, 0, "blank-lines", TEXT_NONE, "%" PRIu32 " blank lines left out", r.blank_lines);
	result = r.command.failed || r.tail.failed || out->failed || arena.failed || report->failed ? -ENOMEM : 0;
	buffer_done(&r.command);
	buffer_done(&r.tail);
	arena_done(&arena);
	return result;
}
