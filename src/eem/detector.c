/* SPDX-License-Identifier: MIT */
/* Events: each detector's grammar. Those that cannot exist here are refused by their name. */
#include <inttypes.h>
#include <string.h>

#include "eem/compile.h"

#define SECONDS_MOST 4294967295.0
#define MAXRUN_MOST 31536000.0

static const char *const op_words[] = { "gt", "ge", "eq", "ne", "lt", "le" };
static const char *const level_words[] = { "emergencies", "alerts", "critical", "errors", "warnings", "notifications",
					   "informational", "debugging", "all" };
/* Options that every detector may have. */
enum common { COMMON_MAXRUN, COMMON_RATELIMIT, COMMON_NICE, COMMON_QUEUE, COMMONS };
static const char *const common_words[] = { "maxrun", "ratelimit", "nice", "queue-priority" };

struct grammar {
	const char *name;
	const char *const *options;
	uint32_t count;
	/* The option `index` of them was taken. */
	bool (*option)(struct compiler *c, struct eem_words *w, int index, struct event *e);
	bool (*complete)(struct compiler *c, struct event *e);
};

static bool take_priority(struct compiler *c, struct eem_words *w, int *ret)
{
	const struct eem_word *word = eem_word_see(w);
	uint64_t number;
	int level;

	if (word && text_decimal(word->text, 7, &number) == 0) {
		eem_word_take(w);
		*ret = (int)number;
		return true;
	}
	level = compile_keyword(c, w, "bad-value", "level", level_words, EEM_COUNT(level_words));
	*ret = level == 8 ? -1 : level;
	return level >= 0;
}

static bool take_occurs(struct compiler *c, struct eem_words *w, struct event *e)
{
	uint64_t number;

	if (!compile_number(c, w, "occurs", 1, UINT32_MAX, &number))
		return false;
	e->occurs = (uint32_t)number;
	return true;
}

static bool take_pattern(struct compiler *c, struct eem_words *w, struct event *e)
{
	struct text text;

	return compile_word(c, w, "the pattern", &text) && compile_pattern(c, text, &e->pattern);
}

static bool take_op(struct compiler *c, struct eem_words *w, enum operation *ret)
{
	int op = compile_keyword(c, w, "unknown-option", "comparison", op_words, EEM_COUNT(op_words));

	*ret = op < 0 ? OP_EQ : (enum operation)op;
	return op >= 0;
}

static bool take_oid(struct compiler *c, struct eem_words *w, struct event *e)
{
	char oid[POLICY_OID_MAX];
	struct text text;

	if (!compile_word(c, w, "an OID", &text))
		return false;
	if (policy_oid(text, oid, &e->oid_is_prefix) < 0)
		return compile_fail(c, "bad-value", "'%.*s' is no OID: numbers and dots are expected, 1.3.6.1...", TEXT_ARG(text));
	e->oid = arena_text(&c->policies->arena, text_of(oid));
	return true;
}

static bool take_address(struct compiler *c, struct eem_words *w, struct spimend_address *ret)
{
	struct text text;

	if (!compile_word(c, w, "an address", &text))
		return false;
	if (spimend_address_parse(text.at, text.len, ret) < 0)
		return compile_fail(c, "bad-value", "'%.*s' is no IP address", TEXT_ARG(text));
	return true;
}

/* --- syslog ------------------------------------------------------------------------------------------------------ */

static const char *const syslog_options[] = { "pattern", "occurs", "period", "priority", "skip", "severity-critical",
					      "severity-debugging", "severity-fatal", "severity-informative",
					      "severity-informational", "severity-major", "severity-minor",
					      "severity-normal", "severity-notification", "severity-warning" };

static bool option_syslog(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	switch (index) {
	case 0:
		return take_pattern(c, w, e);
	case 1:
		return take_occurs(c, w, e);
	case 2:
		return compile_seconds(c, w, "period", SECONDS_MOST, &e->period_ns);
	case 3:
		return take_priority(c, w, &e->priority);
	case 4:
		return compile_yes_no(c, w, "skip", &e->skip);
	default:
		e->severity = syslog_options[index] + strlen("severity-");
		return true;
	}
}

static bool complete_syslog(struct compiler *c, struct event *e)
{
	return e->pattern || compile_fail(c, "incomplete", "'event syslog' needs 'pattern REGEX'");
}

/* --- cli --------------------------------------------------------------------------------------------------------- */

static const char *const cli_options[] = { "pattern", "default", "enter", "questionmark", "tab", "sync", "skip", "mode", "occurs",
					   "period", "match" };

static bool option_cli(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	const struct eem_word *next = eem_word_see(w);

	switch (index) {
	case 0:
		return take_pattern(c, w, e);
	case 1: /* two things of one name: the parser's default, and the seconds after which the command is run all the same */
		if (next && next->text.len && (char_is_digit(next->text.at[0]) || next->text.at[0] == '$'))
			return compile_seconds(c, w, "default", SECONDS_MOST, &e->default_ns);
		return true;
	case 2:
		e->key_enter = true;
		return true;
	case 3:
		e->key_question = true;
		return true;
	case 4:
		e->key_tab = true;
		return true;
	case 5:
		e->has_sync = true;
		return compile_yes_no(c, w, "sync", &e->sync);
	case 6:
		return compile_yes_no(c, w, "skip", &e->skip);
	case 7:
		return compile_word(c, w, "a mode", &e->mode);
	case 8:
		return take_occurs(c, w, e);
	case 9:
		return compile_seconds(c, w, "period", SECONDS_MOST, &e->period_ns);
	default:
		compile_warn(c, "nxos", "'match' is NX-OS; IOS says 'pattern' and matches an expression");
		return take_pattern(c, w, e);
	}
}

static bool complete_cli(struct compiler *c, struct event *e)
{
	if (!e->pattern)
		return compile_fail(c, "incomplete", "'event cli' needs 'pattern REGEX'");
	if (!e->key_enter && !e->key_tab && !e->key_question)
		e->key_enter = true;
	if (!e->has_sync)
		compile_warn(c, "incomplete", "IOS wants 'sync yes', or 'sync no skip yes' or 'sync no skip no'; "
			     "taken as 'sync no skip no'");
	return true;
}

/* --- track, timer, none ------------------------------------------------------------------------------------------ */

static const char *const track_options[] = { "state" };

static bool option_track(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	static const char *const states[] = { "down", "up", "any" };
	int state = compile_keyword(c, w, "bad-value", "state", states, EEM_COUNT(states));

	(void)index;
	e->track_states = state < 0 ? 0 : state == 2 ? 3 : 1u << state;
	return state >= 0;
}

static const char *const timer_options[] = { "time", "name", "cron-entry" };

static bool option_timer(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	struct text text;
	const char *why;

	if (index == 1)
		return compile_word(c, w, "a name", &e->name);
	if (index == 0) {
		if (e->detector == DETECTOR_CRON)
			return compile_fail(c, "unknown-option", "'timer cron' has no 'time'; 'cron-entry \"M H DOM MON DOW\"' is expected");
		return compile_seconds(c, w, e->detector == DETECTOR_ABSOLUTE ? "time (seconds since 1970)" : "time",
				       SECONDS_MOST, &e->time_ns);
	}
	if (e->detector != DETECTOR_CRON)
		return compile_fail(c, "unknown-option", "'cron-entry' belongs to 'timer cron'");
	if (!compile_word(c, w, "a cron entry", &text))
		return false;
	if (cron_read(text, &e->cron, &why) < 0)
		return compile_fail(c, "bad-value", "cron entry '%.*s': %s", TEXT_ARG(text), why);
	e->value = text;
	return true;
}

static bool complete_timer(struct compiler *c, struct event *e)
{
	if (e->detector == DETECTOR_CRON)
		return e->value.len || compile_fail(c, "incomplete", "'timer cron' needs 'cron-entry \"M H DOM MON DOW\"'");
	if (e->time_ns <= 0)
		return compile_fail(c, "incomplete", "'%s' needs 'time SECONDS'", detector_name(e->detector));
	return true;
}

static const char *const none_options[] = { "sync", "default" };

static bool option_none(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	if (index == 0) {
		e->has_sync = true;
		return compile_yes_no(c, w, "sync", &e->sync);
	}
	return compile_seconds(c, w, "default", SECONDS_MOST, &e->default_ns);
}

/* --- snmp, snmp-notification ------------------------------------------------------------------------------------- */

static const char *const snmp_options[] = { "oid", "get-type", "entry-op", "entry-val", "entry-type", "exit-comb", "exit-op",
					    "exit-val", "exit-type", "exit-time", "poll-interval", "average-factor" };

static bool take_kind(struct compiler *c, struct eem_words *w, bool *ret_increment)
{
	static const char *const kinds[] = { "value", "increment", "rate" };
	int kind = compile_keyword(c, w, "bad-value", "type", kinds, EEM_COUNT(kinds));

	if (kind == 2)
		return compile_fail(c, "bad-value", "type 'rate' is not known here; 'value' and 'increment' are");
	*ret_increment = kind == 1;
	return kind >= 0;
}

static bool option_snmp(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	static const char *const types[] = { "exact", "next" };
	static const char *const joins[] = { "and", "or" };
	struct text ignored;
	int word;

	switch (index) {
	case 0:
		return take_oid(c, w, e);
	case 1:
		word = compile_keyword(c, w, "bad-value", "get-type", types, EEM_COUNT(types));
		e->get_next = word == 1;
		return word >= 0;
	case 2:
		e->has_entry = true;
		return take_op(c, w, &e->op);
	case 3:
		return compile_word(c, w, "a value", &e->value);
	case 4:
		return take_kind(c, w, &e->entry_increment);
	case 5:
		word = compile_keyword(c, w, "bad-value", "exit-comb", joins, EEM_COUNT(joins));
		e->exit_is_or = word == 1;
		return word >= 0;
	case 6:
		e->has_exit = true;
		return take_op(c, w, &e->exit_op);
	case 7:
		return compile_word(c, w, "a value", &e->exit_value);
	case 8:
		return take_kind(c, w, &e->exit_increment);
	case 9:
		return compile_seconds(c, w, "exit-time", SECONDS_MOST, &e->exit_time_ns);
	case 10:
		return compile_seconds(c, w, "poll-interval", SECONDS_MOST, &e->poll_ns);
	default:
		return compile_word(c, w, "a number", &ignored);
	}
}

static bool complete_snmp(struct compiler *c, struct event *e)
{
	if (!e->oid.len || !e->has_entry || !e->value.len || !e->poll_ns)
		return compile_fail(c, "incomplete",
				    "'event snmp' needs oid, get-type, entry-op, entry-val and a poll-interval of at least 1 s");
	if (e->has_exit && !e->exit_value.len)
		return compile_fail(c, "incomplete", "'exit-op' needs 'exit-val'");
	if (e->poll_ns < SECOND_NS)
		return compile_fail(c, "bad-value", "poll-interval: at least 1 s");
	return true;
}

static const char *const notification_options[] = { "oid", "oid-val", "op", "src-ip-address", "dest-ip-address", "default",
						    "direction", "msg-op", "period", "occurs" };

static bool option_notification(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	static const char *const directions[] = { "incoming", "outgoing" };
	static const char *const operations[] = { "drop", "send" };
	int word;

	switch (index) {
	case 0:
		return take_oid(c, w, e);
	case 1:
		return compile_word(c, w, "a value", &e->value);
	case 2:
		e->has_entry = true;
		return take_op(c, w, &e->op);
	case 3:
		e->has_source = true;
		return take_address(c, w, &e->source_address);
	case 4:
		e->has_destination = true;
		return take_address(c, w, &e->destination_address);
	case 5:
		return compile_seconds(c, w, "default", SECONDS_MOST, &e->default_ns);
	case 6:
		word = compile_keyword(c, w, "bad-value", "direction", directions, EEM_COUNT(directions));
		e->incoming = word == 0;
		e->outgoing = word == 1;
		return word >= 0;
	case 7:
		word = compile_keyword(c, w, "bad-value", "msg-op", operations, EEM_COUNT(operations));
		e->drop = word == 0;
		return word >= 0;
	case 8:
		return compile_seconds(c, w, "period", SECONDS_MOST, &e->period_ns);
	default:
		return take_occurs(c, w, e);
	}
}

static bool complete_notification(struct compiler *c, struct event *e)
{
	if (!e->oid.len)
		return compile_fail(c, "incomplete", "'event snmp-notification' needs 'oid OID'");
	if (e->has_entry && !e->value.len)
		return compile_fail(c, "incomplete", "'op' needs 'oid-val VALUE'");
	if (!e->has_entry && e->value.len)
		e->op = OP_EQ;
	e->has_entry |= e->value.len > 0;
	if (!e->incoming && !e->outgoing)
		e->incoming = true;
	return true;
}

/* --- neighbor-discovery, counter, application -------------------------------------------------------------------- */

#define NEIGHBOR_ANY (NEIGHBOR_ADD | NEIGHBOR_UPDATE | NEIGHBOR_DELETE)
static const char *const neighbor_options[] = { "interface", "cdp", "lldp", "line-event", "all" };

static bool take_interface(struct compiler *c, struct eem_words *w, struct event *e)
{
	const struct eem_word *next = eem_word_see(w);
	struct text more;

	if (next && next->text.len >= 3 && text_starts_nocase(TEXT("regexp"), next->text)) {
		eem_word_take(w)->keyword = "regexp";
		return take_pattern(c, w, e);
	}
	if (!compile_word(c, w, "an interface", &e->name))
		return false;
	next = eem_word_see(w); /* "GigabitEthernet 0/1" */
	if (next && next->text.len && char_is_digit(next->text.at[0]) && compile_word(c, w, "a number", &more)) {
		char *name = arena_new(&c->policies->arena, e->name.len + more.len + 1, 1);

		if (!name)
			return false;
		memcpy(name, e->name.at, e->name.len);
		memcpy(name + e->name.len, more.at, more.len);
		e->name = (struct text){ name, e->name.len + more.len };
	}
	return true;
}

static bool option_neighbor(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	static const char *const changes[] = { "add", "update", "delete", "all" };
	/* as on IOS, what is new is an update, too */
	static const uint32_t bits[] = { NEIGHBOR_ADD, NEIGHBOR_ADD | NEIGHBOR_UPDATE, NEIGHBOR_DELETE, NEIGHBOR_ANY };
	int change;

	if (index == 0)
		return take_interface(c, w, e);
	if (index == 3)
		return compile_fail(c, "unsupported-detector", "'neighbor-discovery ... line-event' is not here: 'event track N' with "
				    "'track N interface NAME line-protocol' tells of an interface that goes up or down");
	if (index == 4) {
		compile_warn(c, "line-event", "'all' is 'cdp all lldp all' here: line events are those of 'event track'");
		e->changes = NEIGHBOR_ANY;
		e->cdp = e->lldp = true;
		return true;
	}
	change = compile_keyword(c, w, "unknown-option", "change", changes, EEM_COUNT(changes));
	if (change < 0)
		return false;
	e->changes |= bits[change];
	e->cdp |= index == 1;
	e->lldp |= index == 2;
	return true;
}

static bool complete_neighbor(struct compiler *c, struct event *e)
{
	if ((!e->name.len && !e->pattern) || !e->changes)
		return compile_fail(c, "incomplete", "'event neighbor-discovery' needs 'interface {NAME | regexp REGEX} {cdp | lldp} "
				    "{add | update | delete | all}'");
	return true;
}

static const char *const counter_options[] = { "name", "entry-op", "entry-val", "exit-op", "exit-val" };

static bool option_counter(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	switch (index) {
	case 0:
		return compile_word(c, w, "a name", &e->name);
	case 1:
		e->has_entry = true;
		return take_op(c, w, &e->op);
	case 2:
		return compile_word(c, w, "a value", &e->value);
	case 3:
		e->has_exit = true;
		return take_op(c, w, &e->exit_op);
	default:
		return compile_word(c, w, "a value", &e->exit_value);
	}
}

static bool complete_counter(struct compiler *c, struct event *e)
{
	return (e->name.len && e->has_entry && e->value.len) ||
	       compile_fail(c, "incomplete", "'event counter' needs name, entry-op and entry-val");
}

static const char *const application_options[] = { "sub-system", "subsystem", "type" };

static bool option_application(struct compiler *c, struct eem_words *w, int index, struct event *e)
{
	uint64_t number;

	if (!compile_number(c, w, application_options[index], 1, UINT32_MAX, &number))
		return false;
	if (index == 2)
		e->type = (uint32_t)number;
	else
		e->subsystem = (uint32_t)number;
	return true;
}

static bool complete_application(struct compiler *c, struct event *e)
{
	return (e->subsystem && e->type) || compile_fail(c, "incomplete", "'event application' needs 'sub-system N type N'");
}

/* --- All of them ------------------------------------------------------------------------------------------------- */

static const char *const detector_words[] = {
	"syslog", "cli", "track", "timer", "none", "snmp", "neighbor-discovery", "snmp-notification", "counter", "application",
	/* cannot exist off the router */
	"routing", "interface", "oir", "resource", "config", "env", "gold", "identity", "ioswdsysmon", "ipsla", "mat", "nf",
	"process", "rf", "rpc", "snmp-object", "wdsysmon", "power", "fanabsent", "fanbad", "memory", "module", "temperature",
	"overrun", "storm-control", "sysmgr",
};
#define DETECTORS_HERE 10
#define DETECTORS_IOS 26 /* what follows is NX-OS */

static const struct grammar grammars[DETECTORS_HERE] = {
#define OPTIONS(list) list, EEM_COUNT(list)
	{ "syslog", OPTIONS(syslog_options), option_syslog, complete_syslog },
	{ "cli", OPTIONS(cli_options), option_cli, complete_cli },
	{ "track", OPTIONS(track_options), option_track, NULL },
	{ "timer", OPTIONS(timer_options), option_timer, complete_timer },
	{ "none", OPTIONS(none_options), option_none, NULL },
	{ "snmp", OPTIONS(snmp_options), option_snmp, complete_snmp },
	{ "neighbor-discovery", OPTIONS(neighbor_options), option_neighbor, complete_neighbor },
	{ "snmp-notification", OPTIONS(notification_options), option_notification, complete_notification },
	{ "counter", OPTIONS(counter_options), option_counter, complete_counter },
	{ "application", OPTIONS(application_options), option_application, complete_application },
#undef OPTIONS
};

static bool take_common(struct compiler *c, struct eem_words *w, enum common option, struct event *e)
{
	struct text ignored;

	switch (option) {
	case COMMON_MAXRUN:
		e->has_maxrun = true;
		return compile_seconds(c, w, "maxrun", MAXRUN_MOST, &e->maxrun_ns);
	case COMMON_RATELIMIT:
		return compile_seconds(c, w, "ratelimit", SECONDS_MOST, &e->ratelimit_ns);
	default:
		return compile_word(c, w, "a value", &ignored);
	}
}

static bool read_options(struct compiler *c, struct eem_words *w, const struct grammar *g, struct event *e)
{
	const char *words[32];
	uint32_t count = 0;
	struct eem_word *word;

	for (uint32_t i = 0; i < g->count; i++)
		words[count++] = g->options[i];
	for (uint32_t i = 0; i < COMMONS; i++)
		words[count++] = common_words[i];
	while ((word = eem_word_see(w))) {
		int index = word->is_quoted ? -1 : compile_keyword(c, w, "unknown-option", "option", words, count);

		if (word->is_quoted)
			return compile_fail(c, "unknown-option", "'%.*s': an option of 'event %s' is expected here", TEXT_ARG(word->raw),
					    g->name);
		if (index < 0)
			return false;
		if ((uint32_t)index < g->count ? !g->option(c, w, index, e)
					       : !take_common(c, w, (enum common)((uint32_t)index - g->count), e))
			return false;
	}
	return !g->complete || g->complete(c, e);
}

static bool read_timer_kind(struct compiler *c, struct eem_words *w, struct event *e)
{
	static const char *const kinds[] = { "countdown", "watchdog", "cron", "absolute" };
	int kind = compile_keyword(c, w, "unknown-option", "timer", kinds, EEM_COUNT(kinds));

	e->detector = (enum detector)(DETECTOR_COUNTDOWN + (kind < 0 ? 0 : kind));
	return kind >= 0;
}

static bool read_track_number(struct compiler *c, struct eem_words *w, struct event *e)
{
	uint64_t number;

	e->track_states = 3;
	if (!compile_number(c, w, "the track object", 1, 1000, &number))
		return false;
	e->track = (uint32_t)number;
	return true;
}

static bool read_tag(struct compiler *c, struct eem_words *w, struct event *e)
{
	struct eem_word *word = eem_word_see(w);

	if (!word || word->text.len < 2 || !text_starts_nocase(TEXT("tag"), word->text))
		return true;
	eem_word_take(w)->keyword = "tag";
	return compile_word(c, w, "the tag", &e->tag);
}

bool compile_event(struct compiler *c, struct eem_words *w, struct event *ret)
{
	static const enum detector detectors[DETECTORS_HERE] = {
		DETECTOR_SYSLOG, DETECTOR_CLI, DETECTOR_TRACK, DETECTOR_COUNTDOWN, DETECTOR_NONE, DETECTOR_SNMP, DETECTOR_NEIGHBOR,
		DETECTOR_NOTIFICATION, DETECTOR_COUNTER, DETECTOR_APPLICATION,
	};
	struct event e = { .line = c->line, .occurs = 1, .tag_occurs = 1, .priority = -1, .maxrun_ns = EEM_MAXRUN_NS };
	uint32_t from = w->next;
	int detector;

	if (!read_tag(c, w, &e))
		return false;
	if (e.tag.len)
		from = w->next;
	detector = compile_keyword(c, w, "unknown-detector", "event detector", detector_words, DETECTORS_HERE + 16);
	if (detector < 0)
		return false;
	if (detector >= DETECTORS_HERE)
		return compile_fail(c, "unsupported-detector",
				    "event detector '%s' cannot exist off the router: the applet is not registered", detector_words[detector]);
	e.detector = detectors[detector];
	if (e.detector == DETECTOR_COUNTDOWN && !read_timer_kind(c, w, &e))
		return false;
	if (e.detector == DETECTOR_TRACK && !read_track_number(c, w, &e))
		return false;
	if (!read_options(c, w, &grammars[detector], &e))
		return false;
	e.source = compile_source(c, w, from);
	*ret = e;
	return true;
}

_Static_assert(DETECTORS_IOS == DETECTORS_HERE + 16, "the detectors of IOS stand together");
