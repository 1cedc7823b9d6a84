/* SPDX-License-Identifier: MIT */
/* The text as a whole: what is global, where an applet begins and ends, which lines belong together. */
#include "eem/compile.h"

#include <errno.h>
#include <inttypes.h>

#include "base/hash.h"
#include "base/memory.h"
#include "eem/foreign.h"

#define SECONDS_MOST 4294967295.0

struct reading {
	struct compiler c;
	struct eem_words words;
	bool in_foreign;      /* indented lines belong to a foreign block */
	bool in_trigger;
	bool broken_quote;    /* of the line before: what follows belongs to it */
	struct text pending;  /* an event or action that the next line may continue */
	uint32_t pending_line;
	char banner;          /* inside `banner`: what ends it */
	uint32_t action_number;
};

static const char *const applet_words[] = { "action", "attribute", "correlate", "description", "event", "exit", "end", "no",
					    "spimend", "trigger" };
enum applet_word { WORD_ACTION, WORD_ATTRIBUTE, WORD_CORRELATE, WORD_DESCRIPTION, WORD_EVENT, WORD_EXIT, WORD_END, WORD_NO,
		   WORD_SPIMEND, WORD_TRIGGER };

/* What an event line may go on with, when a document broke it. */
static const char *const event_options[] = {
	"oid", "oid-val", "op", "src-ip-address", "dest-ip-address", "maxrun", "occurs", "period", "priority", "pattern",
	"poll-interval", "entry-op", "entry-val", "entry-type", "exit-op", "exit-val", "exit-comb", "exit-time", "get-type",
	"skip", "sync", "ratelimit", "mode", "state", "name", "time", "direction", "msg-op", "cron-entry", "interface", "cdp",
	"lldp", "and", "or", "andnot",
};
static const char *const action_options[] = {
	"priority", "msg", "facility", "pattern", "intdata1", "intdata2", "strdata", "server", "to", "from", "subject", "body",
	"cc", "command",
};

/* --- Applets ----------------------------------------------------------------------------------------------------- */

static uint32_t name_hash(struct text name)
{
	const struct hash_key key = { 0, 0 };

	return (uint32_t)hash_bytes(&key, name.at, name.len);
}

static struct policy *find_policy(struct eem_policies *p, struct text name)
{
	uint32_t hash = name_hash(name), cursor = hash, number;

	while ((number = slots_look(&p->by_name, hash, &cursor)))
		if (text_equal(p->at[number - 1].name, name))
			return &p->at[number - 1];
	return NULL;
}

static struct policy *new_policy(struct compiler *c, struct text name)
{
	struct eem_policies *p = c->policies;
	uint32_t room = p->room ? p->room * 2 : 16;
	struct policy *grown;

	if (p->all == EEM_POLICIES_MAX) {
		compile_fail(c, "limit", "more than %d applets", EEM_POLICIES_MAX);
		return NULL;
	}
	if (p->all == p->room) {
		grown = memory_resize(p->at, room, sizeof(*grown));
		if (!grown) {
			c->no_memory = true;
			return NULL;
		}
		p->at = grown;
		p->room = room;
	}
	p->at[p->all] = (struct policy){ .name = arena_text(&p->arena, name), .line = c->line };
	slots_add(&p->by_name, name_hash(name), p->all + 1);
	c->report->applets++;
	return &p->at[p->all++];
}

static void begin_applet(struct reading *r)
{
	static const char *const options[] = { "authorization", "class", "trap", "override" };
	static const char *const bypass[] = { "bypass" };
	struct compiler *c = &r->c;
	const struct eem_word *word = eem_word_take(&r->words);
	struct text ignored;

	c->policy = NULL;
	if (!word || word->text.len == 0) {
		compile_fail(c, "incomplete", "the applet's name is missing");
		return;
	}
	if (word->text.len >= EEM_APPLET_NAME_MAX) {
		compile_fail(c, "bad-value", "the applet's name has more than %d bytes", EEM_APPLET_NAME_MAX - 1);
		return;
	}
	c->policy = find_policy(c->policies, word->text);
	if (c->policy)
		compile_warn(c, "applet-again", "this applet began in line %" PRIu32 " already: what follows is added to it",
			     c->policy->line);
	else
		c->policy = new_policy(c, word->text);
	if (!c->policy)
		return;
	while (eem_word_see(&r->words)) {
		int option = compile_keyword(c, &r->words, "unknown-option", "option of an applet", options, EEM_COUNT(options));

		if (option < 0)
			return;
		if (option == 0) {
			if (compile_keyword(c, &r->words, "unknown-option", "authorization", bypass, 1) < 0)
				return;
			c->policy->bypass = true;
		} else if (option == 1) {
			if (!compile_word(c, &r->words, "a class", &c->policy->class))
				return;
		} else if (option == 2) {
			c->policy->traps = true;
		} else {
			compile_warn(c, "nxos", "'override' is NX-OS");
			if (!compile_word(c, &r->words, "a policy", &ignored))
				return;
		}
	}
}

static void end_applet(struct reading *r)
{
	r->c.policy = NULL;
	r->in_trigger = false;
}

/* --- Lines inside an applet -------------------------------------------------------------------------------------- */

static void take_event(struct reading *r)
{
	struct policy *p = r->c.policy;
	struct event event, *grown;

	if (!compile_event(&r->c, &r->words, &event)) {
		p->event_failed = true;
		return;
	}
	for (uint32_t i = 0; i < p->event_count; i++) {
		if (text_equal(p->events[i].tag, event.tag)) { /* as IOS does: the later one counts */
			compile_warn(&r->c, "duplicate-event", "replaces the event of line %" PRIu32, p->events[i].line);
			p->events[i] = event;
			return;
		}
	}
	if (p->event_count == EEM_EVENTS_MAX) {
		compile_fail(&r->c, "limit", "more than %d events", EEM_EVENTS_MAX);
		return;
	}
	grown = memory_resize(p->events, p->event_count + 1, sizeof(*grown));
	if (!grown) {
		r->c.no_memory = true;
		return;
	}
	p->events = grown;
	p->events[p->event_count++] = event;
}

static struct action *find_action(struct policy *p, struct text label)
{
	for (uint32_t i = 0; i < p->action_count; i++)
		if (text_equal(p->actions[i].label, label))
			return &p->actions[i];
	return NULL;
}

static void add_action(struct reading *r, const struct action *action)
{
	struct policy *p = r->c.policy;
	struct action *there = find_action(p, action->label);

	if (there) {
		compile_warn(&r->c, "duplicate-label", "label %.*s again: the action of line %" PRIu32 " is lost", TEXT_ARG(action->label),
			     there->line);
		*there = *action;
		return;
	}
	if (p->action_count == EEM_ACTIONS_MAX) {
		compile_fail(&r->c, "limit", "more than %d actions", EEM_ACTIONS_MAX);
		return;
	}
	if (p->action_count == p->action_room) {
		uint32_t room = p->action_room ? p->action_room * 2 : 8;
		struct action *grown = memory_resize(p->actions, room, sizeof(*grown));

		if (!grown) {
			r->c.no_memory = true;
			return;
		}
		p->actions = grown;
		p->action_room = room;
	}
	p->actions[p->action_count++] = *action;
}

static void take_action(struct reading *r)
{
	struct eem_word *label = eem_word_take(&r->words);
	struct action action;

	if (!label || label->text.len == 0) {
		compile_fail(&r->c, "incomplete", "the action's label is missing");
		return;
	}
	if (eem_keyword(label->text, verb_names, VERBS) >= 0 && !eem_word_see(&r->words)) {
		compile_fail(&r->c, "incomplete", "an action is 'action LABEL VERB ...'");
		return;
	}
	if (!compile_action(&r->c, &r->words, &action))
		return;
	action.label = label->text;
	action.written = r->action_number++;
	add_action(r, &action);
}

static void take_no(struct reading *r)
{
	static const char *const words[] = { "action", "description", "event", "trigger" };
	struct policy *p = r->c.policy;
	int which = compile_keyword(&r->c, &r->words, "stray-line", "command to take back", words, EEM_COUNT(words));
	const struct eem_word *label;
	struct action *there;

	if (which == 1)
		p->description = TEXT_NONE;
	else if (which == 2)
		p->event_count = 0;
	else if (which == 3)
		p->trigger = (struct trigger){ 0 };
	if (which != 0)
		return;
	label = eem_word_take(&r->words);
	there = label ? find_action(p, label->text) : NULL;
	if (!there) {
		compile_warn(&r->c, "unknown-label", "there is no such action to take back");
		return;
	}
	*there = p->actions[--p->action_count];
}

/* "spimend device NAME [ratelimit SECONDS]": ours, and the only line of ours that an applet may have. */
static void take_spimend(struct reading *r)
{
	static const char *const words[] = { "device" };
	static const char *const options[] = { "ratelimit" };
	struct policy *p = r->c.policy;
	struct text name;
	int64_t gap = -1;
	void *grown;

	if (compile_keyword(&r->c, &r->words, "unknown-option", "word behind 'spimend'", words, 1) < 0 ||
	    !compile_word(&r->c, &r->words, "a device's name, or 'local'", &name))
		return;
	if (eem_word_see(&r->words) &&
	    (compile_keyword(&r->c, &r->words, "unknown-option", "option", options, 1) < 0 ||
	     !compile_seconds(&r->c, &r->words, "ratelimit", SECONDS_MOST, &gap)))
		return;
	if (p->device_count == EEM_DEVICES_MAX || name.len >= 64) {
		compile_fail(&r->c, "limit", "at most %d devices, with names of at most 63 bytes", EEM_DEVICES_MAX);
		return;
	}
	if (text_equal_nocase(name, TEXT("local")))
		name = TEXT_NONE;
	grown = memory_resize(p->devices, p->device_count + 1, sizeof(*p->devices));
	if (!grown) {
		r->c.no_memory = true;
		return;
	}
	p->devices = grown;
	p->devices[p->device_count].name = name;
	p->devices[p->device_count++].gap_ns = gap;
}

/* Cuts the line; false with the trouble said. */
static bool cut(struct reading *r, struct text line)
{
	if (eem_words_cut(line, &r->c.policies->arena, &r->words))
		return true;
	r->broken_quote = r->words.is_unclosed;
	compile_fail(&r->c, r->words.is_unclosed ? "unclosed-quote" : "bad-quote", "%s, from character %" PRIu32 " on%s",
		     r->words.trouble, r->words.trouble_at + 1,
		     r->words.is_unclosed ? "; if a document broke the line, 'spimend lint --reflow' joins it" : "");
	return false;
}

static void read_applet_line(struct reading *r, struct text line)
{
	int word;

	if (!cut(r, line)) {
		r->c.policy->event_failed |= char_lower(line.at[0]) == 'e';
		return;
	}
	word = eem_keyword(r->words.at[0].text, applet_words, EEM_COUNT(applet_words));
	if (word == -2) {
		compile_unknown(&r->c, "stray-line", "line", r->words.at[0].text, applet_words, EEM_COUNT(applet_words));
		return;
	}
	r->words.at[0].keyword = applet_words[word];
	r->words.next = 1;
	r->in_trigger = word == WORD_TRIGGER || (r->in_trigger && (word == WORD_CORRELATE || word == WORD_ATTRIBUTE));
	switch ((enum applet_word)word) {
	case WORD_ACTION:
		take_action(r);
		break;
	case WORD_EVENT:
		take_event(r);
		break;
	case WORD_TRIGGER:
		compile_trigger(&r->c, &r->words);
		break;
	case WORD_CORRELATE:
		compile_correlate(&r->c, &r->words);
		break;
	case WORD_ATTRIBUTE:
		compile_attribute(&r->c, &r->words);
		break;
	case WORD_DESCRIPTION:
		r->c.policy->description = arena_text(&r->c.policies->arena, eem_words_rest(&r->words));
		break;
	case WORD_NO:
		take_no(r);
		break;
	case WORD_SPIMEND:
		take_spimend(r);
		break;
	default:
		break;
	}
}

static void flush(struct reading *r)
{
	struct text line = r->pending;

	r->pending = TEXT_NONE;
	if (line.len == 0)
		return;
	r->c.line = r->pending_line;
	read_applet_line(r, line);
}

/* --- Global lines ------------------------------------------------------------------------------------------------ */

static void take_environment(struct reading *r, bool is_no)
{
	const struct eem_word *name = eem_word_take(&r->words);

	/* collected before anything else was read; here it is only checked */
	if (!name || (!is_no && !eem_word_see(&r->words)))
		compile_fail(&r->c, "incomplete", "'event manager environment' needs %s", is_no ? "a name" : "a name and a value");
}

static void take_session(struct reading *r, bool is_no)
{
	static const char *const words[] = { "cli" }, *const user[] = { "username" }, *const privilege[] = { "privilege" };
	struct text name;
	uint64_t level = 15;

	if (compile_keyword(&r->c, &r->words, "unknown-option", "session", words, 1) < 0 ||
	    compile_keyword(&r->c, &r->words, "unknown-option", "option of session", user, 1) < 0)
		return;
	if (is_no) {
		r->c.policies->has_session = false;
		return;
	}
	if (!compile_word(&r->c, &r->words, "a user's name", &name))
		return;
	if (eem_word_see(&r->words) &&
	    (compile_keyword(&r->c, &r->words, "unknown-option", "option of session", privilege, 1) < 0 ||
	     !compile_number(&r->c, &r->words, "privilege", 0, 15, &level)))
		return;
	r->c.policies->session_user = arena_text(&r->c.policies->arena, name);
	r->c.policies->session_privilege = (unsigned)level;
	r->c.policies->has_session = true;
}

static void take_no_applet(struct reading *r)
{
	const struct eem_word *word = eem_word_take(&r->words);
	struct policy *there = word ? find_policy(r->c.policies, word->text) : NULL;

	if (!there) /* scripts that set an applet up begin so */
		return;
	there->failed = there->removed = true;
	slots_remove(&r->c.policies->by_name, name_hash(there->name), (uint32_t)(there - r->c.policies->at) + 1);
}

static void read_manager_line(struct reading *r, bool is_no)
{
	static const char *const words[] = { "applet", "environment", "session", "policy", "detector", "directory", "history",
					     "scheduler", "update", "run", "process" };
	int word = compile_keyword(&r->c, &r->words, "stray-line", "command of 'event manager'", words, EEM_COUNT(words));

	switch (word) {
	case 0:
		if (is_no)
			take_no_applet(r);
		else
			begin_applet(r);
		break;
	case 1:
		take_environment(r, is_no);
		break;
	case 2:
		take_session(r, is_no);
		break;
	case 3:
		if (!is_no)
			compile_fail(&r->c, "tcl-policy", "Tcl policies cannot run here: this one is not registered");
		break;
	default:
		if (word > 0)
			r->c.report->foreign_lines++;
	}
}

/* "[no] event manager ...": its first words may be abbreviated. */
static bool is_manager_line(struct text line, bool *ret_no)
{
	struct text first = text_take_word(&line), second = text_take_word(&line), third = text_take_word(&line);

	*ret_no = text_equal_nocase(first, TEXT("no"));
	if (*ret_no) {
		first = second;
		second = third;
	}
	return first.len >= 2 && second.len >= 1 && text_starts_nocase(TEXT("event"), first) &&
	       text_starts_nocase(TEXT("manager"), second);
}

static void start_banner(struct reading *r, struct text line)
{
	text_take_word(&line);
	line = text_trim(line);
	if (line.len && !text_starts(line, TEXT("^C")))
		text_take_word(&line); /* motd, login, exec ... */
	line = text_trim(line);
	if (text_take(&line, TEXT("^C")) || line.len) {
		r->banner = line.len && line.at[0] != ' ' ? line.at[0] : '\x03';
		if (text_has(text_skip(line, 1), TEXT("^C")) ||
		    text_find_char(text_skip(line, 1), r->banner) != TEXT_NOT_FOUND)
			r->banner = '\0';
	}
}

static bool looks_like_manager(struct text line)
{
	static const char *const first[] = { "event" }, *const second[] = { "manager" };
	struct text a = text_take_word(&line), b = text_take_word(&line);

	return (eem_nearest(a, first, 1) || eem_keyword(a, first, 1) == 0) &&
	       (eem_nearest(b, second, 1) || eem_keyword(b, second, 1) == 0);
}

static void read_global_line(struct reading *r, const struct eem_line *line)
{
	struct text rest = line->text, word = text_take_word(&rest);
	bool is_no, is_indented = line->is_indented && r->in_foreign;

	r->c.policy = NULL;
	r->in_trigger = false;
	if (is_manager_line(line->text, &is_no)) {
		r->in_foreign = false;
		if (!cut(r, line->text))
			return;
		r->words.next = is_no ? 3 : 2;
		read_manager_line(r, is_no);
		return;
	}
	if (text_equal_nocase(word, TEXT("event-handler"))) {
		compile_fail(&r->c, "nxos", "'event-handler' is of another system; IOS says 'event manager applet NAME'");
		return;
	}
	if (text_equal_nocase(word, TEXT("end")) || text_equal_nocase(word, TEXT("exit"))) {
		r->in_foreign = false;
		return;
	}
	if (!is_indented && (eem_keyword(word, applet_words, 5) >= 0) && word.len >= 3 && !foreign_command(word)) {
		compile_fail(&r->c, "stray-line", "'%.*s' stands outside of any applet", TEXT_ARG(text_first(line->text, 80)));
		return;
	}
	r->c.report->foreign_lines++;
	if (is_indented)
		return;
	r->in_foreign = true;
	if (text_equal_nocase(word, TEXT("banner")))
		start_banner(r, line->text);
	if (foreign_command(word))
		return;
	if (text_find_nocase(line->text, TEXT("event manager applet")) != TEXT_NOT_FOUND)
		compile_fail(&r->c, "flattened", "an applet begins in the middle of this line: 'spimend lint --reflow' restores the lines");
	else if (looks_like_manager(line->text))
		compile_fail(&r->c, "stray-line", "unknown command '%.*s'; did you mean 'event manager'?",
			     TEXT_ARG(text_first(line->text, 60)));
	else
		compile_warn(&r->c, "unknown-line", "'%.*s' is neither EEM nor a command that is known here; passed over",
			     TEXT_ARG(text_first(line->text, 80)));
}

/* --- Which line is what ------------------------------------------------------------------------------------------ */

static bool continues(const struct reading *r, const struct eem_line *line, struct text word)
{
	struct text pending = r->pending;
	bool is_event;

	if (pending.len == 0 || r->broken_quote || (!line->is_indented && foreign_command(word)))
		return false;
	is_event = char_lower(pending.at[0]) != 'a';
	if (is_event)
		return eem_keyword(word, event_options, EEM_COUNT(event_options)) >= 0 && word.len >= 2;
	return word.at[0] == '"' || (word.len >= 2 && eem_keyword(word, action_options, EEM_COUNT(action_options)) >= 0);
}

static void join_pending(struct reading *r, struct text line)
{
	struct text a = r->pending;
	char *to = arena_new(&r->c.policies->arena, a.len + line.len + 2, 1);

	if (!to)
		return;
	memcpy(to, a.at, a.len);
	to[a.len] = ' ';
	memcpy(to + a.len + 1, line.at, line.len);
	r->pending = (struct text){ to, a.len + 1 + line.len };
	eem_report_add(r->c.report, EEM_NOTE, r->c.line, "wrapped-line", r->c.policy->name,
		       "taken as the rest of line %" PRIu32 "; a router wants it in one line", r->pending_line);
}

static void read_in_applet(struct reading *r, const struct eem_line *line)
{
	struct text rest = line->text, word = text_take_word(&rest);
	int known = eem_keyword(word, applet_words, EEM_COUNT(applet_words));
	bool is_no;

	if (is_manager_line(line->text, &is_no)) {
		flush(r);
		read_global_line(r, line);
		return;
	}
	if (known == WORD_SPIMEND && text_trim(rest).len == 0) { /* the daemon's own block begins */
		flush(r);
		read_global_line(r, line);
		return;
	}
	if (known >= 0 || known == -2) {
		flush(r);
		r->broken_quote = false;
		r->c.line = line->number;
		if (known == WORD_EXIT && r->in_trigger && text_trim(rest).len == 0) {
			r->in_trigger = false;
			return;
		}
		if ((known == WORD_EXIT || known == WORD_END) && text_trim(rest).len == 0) {
			end_applet(r);
			return;
		}
		if (known == WORD_NO && !text_starts_nocase(TEXT("action"), text_take_word(&(struct text){ rest.at, rest.len })) &&
		    foreign_command(text_take_word(&(struct text){ rest.at, rest.len }))) {
			read_global_line(r, line);
			return;
		}
		r->pending = line->text;
		r->pending_line = line->number;
		return;
	}
	if (continues(r, line, word)) {
		join_pending(r, line->text);
		return;
	}
	flush(r);
	r->c.line = line->number;
	if (foreign_command(word) || looks_like_manager(line->text)) {
		read_global_line(r, line);
		return;
	}
	if (r->broken_quote) /* the rest of a string that was said to be broken */
		return;
	if (eem_keyword(word, verb_names, VERBS) >= 0) {
		compile_fail(&r->c, "stray-line", "'%.*s': an action's line begins with 'action LABEL'", TEXT_ARG(text_first(line->text, 80)));
		return;
	}
	compile_unknown(&r->c, "stray-line", "line: neither event, action nor a command that is known here:", word, applet_words,
			EEM_COUNT(applet_words));
}

static void read_line(struct reading *r, const struct eem_line *line)
{
	r->c.line = line->number;
	if (r->banner) {
		r->c.report->foreign_lines++;
		if (text_has(line->text, TEXT("^C")) || text_find_char(line->text, r->banner) != TEXT_NOT_FOUND)
			r->banner = '\0';
		return;
	}
	if (line->is_comment)
		return;
	if (memchr(line->text.at, '\0', line->text.len)) {
		flush(r);
		r->c.line = line->number;
		compile_fail(&r->c, "bad-value", "a NUL byte: is this a text file?");
		return;
	}
	if (line->text.len > EEM_LINE_MAX) {
		flush(r);
		r->c.line = line->number;
		compile_fail(&r->c, "limit", "the line has %zu bytes; at most %d are read", line->text.len, EEM_LINE_MAX);
		return;
	}
	if (r->c.policy)
		read_in_applet(r, line);
	else
		read_global_line(r, line);
}

/* --- Environment first, since events are fixed by it ------------------------------------------------------------- */

static int add_environment(struct eem_policies *p, struct text name, struct text value, uint32_t line)
{
	struct environment *grown;

	for (uint32_t i = 0; i < p->environment_count; i++) {
		if (text_equal(p->environment[i].name, name)) {
			p->environment[i].value = value;
			return 0;
		}
	}
	if (p->environment_count == EEM_ENVIRONMENT_MAX)
		return 0;
	grown = memory_resize(p->environment, p->environment_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->environment = grown;
	p->environment[p->environment_count++] = (struct environment){ name, value, line };
	return 0;
}

static struct text unquoted(struct text t)
{
	t = text_trim(t);
	if (t.len >= 2 && t.at[0] == '"' && t.at[t.len - 1] == '"')
		t = (struct text){ t.at + 1, t.len - 2 };
	return t;
}

static int read_environment(struct eem_policies *p, struct text text)
{
	struct eem_lines lines;
	struct eem_line line;
	int result = 0;

	eem_lines_start(&lines, text, &p->arena, NULL);
	while (result == 0 && eem_lines_next(&lines, &line)) {
		struct text rest = line.text, word, name;
		bool is_no;

		if (line.is_comment || line.text.len > EEM_LINE_MAX || !is_manager_line(line.text, &is_no))
			continue;
		for (int i = 0; i < (is_no ? 3 : 2); i++)
			text_take_word(&rest);
		word = text_take_word(&rest);
		name = text_take_word(&rest);
		if (word.len < 2 || !text_starts_nocase(TEXT("environment"), word) || name.len == 0)
			continue;
		if (!is_no) {
			result = add_environment(p, arena_text(&p->arena, name), arena_text(&p->arena, unquoted(rest)), line.number);
			continue;
		}
		for (uint32_t i = 0; i < p->environment_count; i++)
			if (text_equal(p->environment[i].name, name))
				p->environment[i--] = p->environment[--p->environment_count];
	}
	return result;
}

/* --- All of it --------------------------------------------------------------------------------------------------- */

static void hash_policy(struct policy *p)
{
	const struct hash_key key = { 0, 0 };
	uint64_t hash = hash_bytes(&key, p->name.at, p->name.len);

	for (uint32_t i = 0; i < p->event_count; i++)
		hash = hash * 31 + hash_bytes(&key, p->events[i].source.at, p->events[i].source.len);
	hash = hash * 31 + hash_bytes(&key, p->trigger.source.at, p->trigger.source.len) + p->trigger.term_count;
	for (uint32_t i = 0; i < p->action_count; i++) {
		hash = hash * 31 + hash_bytes(&key, p->actions[i].label.at, p->actions[i].label.len);
		hash = hash * 31 + hash_bytes(&key, p->actions[i].source.at, p->actions[i].source.len);
	}
	for (uint32_t i = 0; i < p->device_count; i++)
		hash = hash * 31 + hash_bytes(&key, p->devices[i].name.at, p->devices[i].name.len);
	p->hash = hash;
}

/* Those that can run first, in their order, and the names found again. */
static int register_policies(struct eem_policies *p)
{
	struct policy *sorted = memory_new(p->all, sizeof(*sorted));
	uint32_t n = 0;

	if (!sorted)
		return -ENOMEM;
	for (int failed = 0; failed < 2; failed++) {
		for (uint32_t i = 0; i < p->all; i++)
			if (p->at[i].failed == failed)
				sorted[n++] = p->at[i];
		if (!failed)
			p->count = n;
	}
	memory_free(p->at);
	p->at = sorted;
	p->room = p->all;
	slots_done(&p->by_name);
	if (slots_init(&p->by_name, p->all) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->count; i++)
		slots_add(&p->by_name, name_hash(p->at[i].name), i + 1);
	return 0;
}

/* An upper bound for the table of names. */
static uint32_t count_applets(struct text text)
{
	uint32_t count = 1;
	size_t at;

	while (count < EEM_POLICIES_MAX && (at = text_find(text, TEXT("app"))) != TEXT_NOT_FOUND) {
		count++;
		text = text_skip(text, at + 3);
	}
	return count;
}

int eem_compile(struct text text, struct eem_policies **ret, struct eem_report *report)
{
	struct eem_policies *p = memory_new(1, sizeof(*p));
	struct reading *r = memory_new(1, sizeof(*r));
	struct eem_lines lines;
	struct eem_line line;
	int result = -ENOMEM;

	if (!p || !r)
		goto out;
	p->references = 1;
	if (slots_init(&p->by_name, count_applets(text)) < 0)
		goto out;
	text = arena_text(&p->arena, text);
	r->c = (struct compiler){ .policies = p, .report = report };
	if (read_environment(p, text) < 0)
		goto out;
	eem_lines_start(&lines, text, &p->arena, report);
	while (eem_lines_next(&lines, &line))
		read_line(r, &line);
	report->lines = lines.number;
	flush(r);
	for (uint32_t i = 0; i < p->all; i++) {
		if (p->at[i].removed)
			continue;
		compile_finish(&r->c, &p->at[i]);
		hash_policy(&p->at[i]);
	}
	if (!r->c.no_memory && !p->arena.failed)
		result = register_policies(p);
out:
	memory_free(r);
	if (result < 0)
		eem_policies_release(p);
	else
		*ret = p;
	return result;
}
