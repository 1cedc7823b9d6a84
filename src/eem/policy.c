/* SPDX-License-Identifier: MIT */
#include "eem/policy.h"

#include <errno.h>
#include <inttypes.h>

#include "base/hash.h"
#include "base/memory.h"
#include "spimend/error.h"

const char *const operation_names[OPERATIONS] = { "gt", "ge", "eq", "ne", "lt", "le" };
const char *const severity_names[8] = { "emergencies", "alerts", "critical", "errors", "warnings", "notifications",
					"informational", "debugging" };

const char *detector_name(enum detector detector)
{
	static const char *const names[DETECTORS] = { "syslog", "cli", "track", "timer countdown", "timer watchdog", "timer cron",
						      "timer absolute", "none", "snmp", "neighbor-discovery",
						      "snmp-notification", "counter", "application" };

	return detector < DETECTORS ? names[detector] : "?";
}

const char *policy_event_type(const struct policy *policy)
{
	return policy->event_count > 1 ? "multiple" : policy->event_count ? detector_name(policy->events[0].detector) : "none";
}

bool operation_number(struct text t, int64_t *ret)
{
	bool negative;
	uint64_t value;

	t = text_trim(t);
	negative = text_take_char(&t, '-');
	if (text_decimal(t, INT64_MAX, &value) < 0)
		return false;
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

bool operation_holds(enum operation op, struct text a, struct text b, bool *ret_holds)
{
	int64_t x, y;
	bool numbers = operation_number(a, &x) && operation_number(b, &y);

	switch (op) {
	case OP_EQ:
		*ret_holds = text_equal(a, b) || (numbers && x == y);
		return true;
	case OP_NE:
		*ret_holds = !text_equal(a, b) && !(numbers && x == y);
		return true;
	case OP_GT:
		*ret_holds = numbers && x > y;
		return numbers;
	case OP_GE:
		*ret_holds = numbers && x >= y;
		return numbers;
	case OP_LT:
		*ret_holds = numbers && x < y;
		return numbers;
	default:
		*ret_holds = numbers && x <= y;
		return numbers;
	}
}

int policy_oid(struct text text, char to[POLICY_OID_MAX], bool *ret_prefix)
{
	static const struct text old_root = TEXT("1.3.6.1.4.1.9.10.91."), root = TEXT("1.3.6.1.4.1.9.10.134.");
	size_t len = 0;
	bool wants_number = true;

	text = text_trim(text);
	text_take_char(&text, '.');
	if (text_take(&text, old_root)) {
		memcpy(to, root.at, root.len);
		len = root.len;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (len + 1 >= POLICY_OID_MAX || (c == '.' ? wants_number : !char_is_digit(c)))
			return SPIMEND_E_SYNTAX;
		wants_number = c == '.';
		to[len++] = c;
	}
	if (len == 0)
		return SPIMEND_E_SYNTAX;
	to[len] = '\0';
	*ret_prefix = to[len - 1] == '.';
	return 0;
}

bool policy_oid_matches(struct text want, bool is_prefix, struct text oid)
{
	return is_prefix ? text_starts(oid, want) : text_equal(oid, want);
}

const struct environment *policy_environment(const struct eem_policies *policies, struct text name)
{
	for (uint32_t i = policies->environment_count; i-- > 0;)
		if (text_equal(policies->environment[i].name, name))
			return &policies->environment[i];
	return NULL;
}

/* --- What others see --------------------------------------------------------------------------------------------- */

struct eem_policies *eem_policies_hold(struct eem_policies *policies)
{
	policies->references++;
	return policies;
}

void eem_policies_release(struct eem_policies *policies)
{
	if (!policies || --policies->references > 0)
		return;
	for (uint32_t i = 0; i < policies->all; i++) {
		memory_free(policies->at[i].events);
		memory_free(policies->at[i].actions);
		memory_free(policies->at[i].devices);
	}
	memory_free(policies->at);
	for (uint32_t i = 0; i < policies->pattern_count; i++)
		eem_pattern_free(policies->patterns[i]);
	memory_free(policies->patterns);
	memory_free(policies->environment);
	slots_done(&policies->by_name);
	arena_done(&policies->arena);
	memory_free(policies);
}

uint32_t eem_policy_count(const struct eem_policies *policies)
{
	return policies->count;
}

bool eem_policy_facts(const struct eem_policies *policies, uint32_t index, struct eem_policy_facts *ret)
{
	const struct policy *p;
	bool commands = false;

	if (index >= policies->count)
		return false;
	p = &policies->at[index];
	for (uint32_t i = 0; i < p->action_count; i++)
		commands |= p->actions[i].verb == VERB_CLI;
	*ret = (struct eem_policy_facts){
		.name = p->name.at,
		.event_type = policy_event_type(p),
		.line = p->line,
		.traps = p->traps,
		.bypass = p->bypass,
		.runs_commands = commands,
		.maxrun_ns = p->maxrun_ns,
		.device_count = p->device_count,
	};
	return true;
}

bool eem_policy_device(const struct eem_policies *policies, uint32_t index, uint32_t which, struct text *ret)
{
	if (index >= policies->count || which >= policies->at[index].device_count)
		return false;
	*ret = policies->at[index].devices[which].name;
	return true;
}

uint32_t eem_policy_find(const struct eem_policies *policies, struct text name)
{
	const struct hash_key key = { 0, 0 };
	uint32_t hash = (uint32_t)hash_bytes(&key, name.at, name.len), cursor = hash, number;

	while ((number = slots_look(&policies->by_name, hash, &cursor)))
		if (text_equal(policies->at[number - 1].name, name) && number <= policies->count)
			return number - 1;
	return UINT32_MAX;
}

struct eem_session eem_session(const struct eem_policies *policies)
{
	return (struct eem_session){ policies->session_user, policies->has_session ? policies->session_privilege : 15 };
}

/* --- show running-config ----------------------------------------------------------------------------------------- */

static void print_quoted(struct buffer *out, struct text t)
{
	bool quotes = t.len == 0;

	for (size_t i = 0; i < t.len; i++)
		quotes |= char_is_blank(t.at[i]) || t.at[i] == '"';
	if (!quotes) {
		buffer_add(out, t);
		return;
	}
	buffer_add_char(out, '"');
	for (size_t i = 0; i < t.len; i++)
		buffer_printf(out, t.at[i] == '"' ? "\\%c" : "%c", t.at[i]);
	buffer_add_char(out, '"');
}

static void print_trigger(const struct policy *p, struct buffer *out)
{
	static const char *const joins[] = { "and", "or", "andnot" };
	const struct trigger *t = &p->trigger;

	buffer_printf(out, " trigger%s%.*s\n", t->source.len ? " " : "", TEXT_ARG(t->source));
	for (uint32_t i = 0; i < t->term_count; i++) {
		if (i == 0)
			buffer_add_string(out, "  correlate");
		else
			buffer_printf(out, " %s", joins[t->terms[i].join]);
		if (t->terms[i].track) {
			buffer_printf(out, " track %" PRIu32, t->terms[i].track);
			continue;
		}
		buffer_add_string(out, " event ");
		print_quoted(out, t->terms[i].tag);
	}
	if (t->term_count)
		buffer_add_char(out, '\n');
	for (uint32_t i = 0; i < p->event_count; i++) {
		if (p->events[i].tag_occurs == 1)
			continue;
		buffer_add_string(out, "  attribute tag ");
		print_quoted(out, p->events[i].tag);
		buffer_printf(out, " occurs %" PRIu32 "\n", p->events[i].tag_occurs);
	}
}

static void print_policy(const struct policy *p, struct buffer *out)
{
	buffer_add_string(out, "event manager applet ");
	print_quoted(out, p->name);
	if (p->bypass)
		buffer_add_string(out, " authorization bypass");
	if (p->class.len)
		buffer_printf(out, " class %.*s", TEXT_ARG(p->class));
	buffer_add_string(out, p->traps ? " trap\n" : "\n");
	if (p->description.len)
		buffer_printf(out, " description %.*s\n", TEXT_ARG(p->description));
	for (uint32_t i = 0; i < p->device_count; i++) {
		if (p->devices[i].name.len == 0) {
			buffer_add_string(out, " spimend device local\n");
			continue;
		}
		buffer_printf(out, " spimend device %.*s", TEXT_ARG(p->devices[i].name));
		if (p->devices[i].gap_ns >= 0)
			buffer_printf(out, " ratelimit %" PRId64 ".%03d", p->devices[i].gap_ns / SECOND_NS,
				      (int)(p->devices[i].gap_ns % SECOND_NS / 1000000));
		buffer_add_char(out, '\n');
	}
	for (uint32_t i = 0; i < p->event_count; i++) {
		buffer_add_string(out, " event ");
		if (p->events[i].tag.len) {
			buffer_add_string(out, "tag ");
			print_quoted(out, p->events[i].tag);
			buffer_add_char(out, ' ');
		}
		buffer_printf(out, "%.*s\n", TEXT_ARG(p->events[i].source));
	}
	if (p->trigger.is_there)
		print_trigger(p, out);
	for (uint32_t i = 0; i < p->action_count; i++) {
		buffer_add_string(out, " action ");
		print_quoted(out, p->actions[i].label);
		buffer_printf(out, " %.*s\n", TEXT_ARG(p->actions[i].source));
	}
}

void eem_policies_print(const struct eem_policies *policies, struct buffer *out)
{
	for (uint32_t i = 0; i < policies->environment_count; i++)
		buffer_printf(out, "event manager environment %.*s %.*s\n", TEXT_ARG(policies->environment[i].name),
			      TEXT_ARG(policies->environment[i].value));
	if (policies->has_session)
		buffer_printf(out, "event manager session cli username %.*s privilege %u\n", TEXT_ARG(policies->session_user),
			      policies->session_privilege);
	for (uint32_t i = 0; i < policies->count; i++) {
		print_policy(&policies->at[i], out);
		buffer_add_string(out, "!\n");
	}
}

/* --- Actions by index ------------------------------------------------------------------------------------------------ */

uint32_t eem_action_count(const struct eem_policies *policies, uint32_t policy)
{
	return policy < policies->count ? policies->at[policy].action_count : 0;
}

uint32_t eem_action_line(const struct eem_policies *policies, uint32_t policy, uint32_t action)
{
	return action < eem_action_count(policies, policy) ? policies->at[policy].actions[action].line : 0;
}

uint32_t eem_event_count(const struct eem_policies *policies, uint32_t policy)
{
	return policy < policies->count ? policies->at[policy].event_count : 0;
}

bool eem_event_facts(const struct eem_policies *policies, uint32_t policy, uint32_t event, struct eem_event_facts *ret)
{
	const struct event *e;

	if (event >= eem_event_count(policies, policy))
		return false;
	e = &policies->at[policy].events[event];
	*ret = (struct eem_event_facts){ detector_name(e->detector), e->line, e->oid, e->get_next, e->source };
	return true;
}

bool eem_mail_action(const struct eem_policies *policies, uint32_t policy, uint32_t action, struct eem_mail_action *ret,
		     struct buffer *server)
{
	const struct hash_key key = { 0x6d61696c, 1 };
	const struct action *a;

	if (action >= eem_action_count(policies, policy) || policies->at[policy].actions[action].verb != VERB_MAIL)
		return false;
	a = &policies->at[policy].actions[action];
	*ret = (struct eem_mail_action){ .port = a->port, .unset = TEXT_NONE };
	ret->mark = hash_bytes(&key, a->source.at, a->source.len) +
		    hash_bytes(&key, policies->at[policy].name.at, policies->at[policy].name.len);
	for (uint32_t i = 0; i < a->arg[0].count; i++) {
		const struct part *part = &a->arg[0].parts[i];
		const struct environment *e = part->is_variable ? policy_environment(policies, part->text) : NULL;

		if (part->is_variable && !e && !ret->unset.len)
			ret->unset = part->text;
		buffer_add(server, !part->is_variable ? part->text : e ? e->value : TEXT_NONE);
	}
	ret->mark = ret->mark * 31 + hash_bytes(&key, server->bytes, server->len);
	return true;
}
