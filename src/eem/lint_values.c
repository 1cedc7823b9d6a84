/* SPDX-License-Identifier: MIT */
/* Variables: what nothing sets, and what comes from outside and reaches a command. */
#include "eem/lint_private.h"

#define VARIABLES_MAX 256
#define ANY_EVENT 0xffffu

enum origin { ORIGIN_OURS, ORIGIN_CAPTURE, ORIGIN_OUTSIDE };

static const struct {
	struct text name;
	uint32_t detectors; /* bit per detector that sets it; ANY_EVENT */
	enum origin origin;
} events_set[] = {
#define BIT(detector) (1u << DETECTOR_##detector)
	{ TEXT("_event_type_string"), ANY_EVENT, ORIGIN_OURS },
	{ TEXT("_event_pub_time"), ANY_EVENT, ORIGIN_OURS },
	{ TEXT("_event_pub_sec"), ANY_EVENT, ORIGIN_OURS },
	{ TEXT("_event_pub_msec"), ANY_EVENT, ORIGIN_OURS },
	{ TEXT("_event_id"), ANY_EVENT, ORIGIN_OURS },
	{ TEXT("_event_type"), ANY_EVENT, ORIGIN_OURS },
	{ TEXT("_event_severity"), ANY_EVENT, ORIGIN_OURS },
	{ TEXT("_syslog_msg"), BIT(SYSLOG), ORIGIN_OUTSIDE },
	{ TEXT("_cli_msg"), BIT(CLI), ORIGIN_OUTSIDE },
	{ TEXT("_cli_username"), BIT(CLI), ORIGIN_OUTSIDE },
	{ TEXT("_cli_host"), BIT(CLI), ORIGIN_OUTSIDE },
	{ TEXT("_cli_mode"), BIT(CLI), ORIGIN_OUTSIDE },
	{ TEXT("_snmp_oid"), BIT(SNMP), ORIGIN_OURS },
	{ TEXT("_snmp_oid_val"), BIT(SNMP), ORIGIN_OUTSIDE },
	{ TEXT("_snmp_notif_oid"), BIT(NOTIFICATION), ORIGIN_OURS },
	{ TEXT("_snmp_notif_oid_val"), BIT(NOTIFICATION), ORIGIN_OUTSIDE },
	{ TEXT("_snmp_notif_src_ip_addr"), BIT(NOTIFICATION), ORIGIN_CAPTURE },
	{ TEXT("_snmp_notif_dest_ip_addr"), BIT(NOTIFICATION), ORIGIN_CAPTURE },
	{ TEXT("_snmp_notif_trap_oid"), BIT(NOTIFICATION), ORIGIN_OURS },
	{ TEXT("_snmp_notif_enterprise_oid"), BIT(NOTIFICATION), ORIGIN_OURS },
	{ TEXT("_snmp_notif_generic_trap"), BIT(NOTIFICATION), ORIGIN_OURS },
	{ TEXT("_snmp_notif_specific_trap"), BIT(NOTIFICATION), ORIGIN_OURS },
	{ TEXT("_nd_notification"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_proto_notif"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_proto_new_entry"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_protocol"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_lldp_ttl"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_lldp_system_capabilities_string"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_lldp_enabled_capabilities_string"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_lldp_system_capabilities_bits"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_lldp_enabled_capabilities_bits"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_lldp_capabilities_bits"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_cdp_hold_time"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_cdp_capabilities_string"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_cdp_capabilities_bits"), BIT(NEIGHBOR), ORIGIN_OURS },
	{ TEXT("_nd_local_intf_name"), BIT(NEIGHBOR), ORIGIN_CAPTURE },
	{ TEXT("_nd_short_local_intf_name"), BIT(NEIGHBOR), ORIGIN_CAPTURE },
	{ TEXT("_nd_lldp_management_address"), BIT(NEIGHBOR), ORIGIN_CAPTURE },
	{ TEXT("_nd_cdp_management_address"), BIT(NEIGHBOR), ORIGIN_CAPTURE },
	{ TEXT("_nd_port_id"), BIT(NEIGHBOR), ORIGIN_OUTSIDE },
	{ TEXT("_nd_lldp_chassis_id"), BIT(NEIGHBOR), ORIGIN_OUTSIDE },
	{ TEXT("_nd_lldp_system_name"), BIT(NEIGHBOR), ORIGIN_OUTSIDE },
	{ TEXT("_nd_lldp_system_description"), BIT(NEIGHBOR), ORIGIN_OUTSIDE },
	{ TEXT("_nd_lldp_port_description"), BIT(NEIGHBOR), ORIGIN_OUTSIDE },
	{ TEXT("_nd_cdp_entry_name"), BIT(NEIGHBOR), ORIGIN_OUTSIDE },
	{ TEXT("_nd_cdp_mgmt_domain"), BIT(NEIGHBOR), ORIGIN_OUTSIDE },
	{ TEXT("_nd_cdp_platform"), BIT(NEIGHBOR), ORIGIN_OUTSIDE },
	{ TEXT("_nd_cdp_version"), BIT(NEIGHBOR), ORIGIN_OUTSIDE },
	{ TEXT("_track_number"), BIT(TRACK), ORIGIN_OURS },
	{ TEXT("_track_state"), BIT(TRACK), ORIGIN_OURS },
	{ TEXT("_timer_type"), BIT(COUNTDOWN) | BIT(WATCHDOG) | BIT(CRON) | BIT(ABSOLUTE), ORIGIN_OURS },
	{ TEXT("_timer_time"), BIT(COUNTDOWN) | BIT(WATCHDOG) | BIT(CRON) | BIT(ABSOLUTE), ORIGIN_OURS },
	{ TEXT("_timer_remain"), BIT(COUNTDOWN) | BIT(WATCHDOG) | BIT(CRON) | BIT(ABSOLUTE), ORIGIN_OURS },
	{ TEXT("_counter_name"), BIT(COUNTER), ORIGIN_OURS },
	{ TEXT("_counter_value"), BIT(COUNTER), ORIGIN_OURS },
	{ TEXT("_application_component_id"), BIT(APPLICATION), ORIGIN_OURS },
	{ TEXT("_application_sub_system"), BIT(APPLICATION), ORIGIN_OURS },
	{ TEXT("_application_type"), BIT(APPLICATION), ORIGIN_OURS },
	{ TEXT("_application_data1"), BIT(APPLICATION), ORIGIN_CAPTURE },
	{ TEXT("_application_data2"), BIT(APPLICATION), ORIGIN_CAPTURE },
	{ TEXT("_application_data3"), BIT(APPLICATION), ORIGIN_CAPTURE },
	{ TEXT("_application_data4"), BIT(APPLICATION), ORIGIN_CAPTURE },
#undef BIT
};

static const struct {
	struct text name;
	enum verb verb;
	uint8_t sub; /* UINT8_MAX: any */
} actions_set[] = {
	{ TEXT("_cli_result"), VERB_CLI, UINT8_MAX },
	{ TEXT("_regexp_result"), VERB_REGEXP, UINT8_MAX },
	{ TEXT("_string_result"), VERB_STRING, UINT8_MAX },
	{ TEXT("_result"), VERB_ADD, UINT8_MAX },
	{ TEXT("_result"), VERB_SUBTRACT, UINT8_MAX },
	{ TEXT("_result"), VERB_MULTIPLY, UINT8_MAX },
	{ TEXT("_result"), VERB_DIVIDE, UINT8_MAX },
	{ TEXT("_remainder"), VERB_DIVIDE, UINT8_MAX },
	{ TEXT("_info_routername"), VERB_INFO, UINT8_MAX },
	{ TEXT("_track_state"), VERB_TRACK, 0 },
	{ TEXT("_file_result"), VERB_FILE, UINT8_MAX },
	{ TEXT("_counter_value_remain"), VERB_COUNTER, UINT8_MAX },
};

struct table {
	struct {
		struct text name;
		enum origin origin;
	} at[VARIABLES_MAX];
	uint32_t count;
};

static enum origin *find(struct table *t, struct text name)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (text_equal(t->at[i].name, name))
			return &t->at[i].origin;
	return NULL;
}

/* Raises what is known of the variable; true when that is news. */
static bool learn(struct table *t, struct text name, enum origin origin)
{
	enum origin *known = find(t, name);

	if (known && *known >= origin)
		return false;
	if (known) {
		*known = origin;
		return true;
	}
	if (t->count == VARIABLES_MAX)
		return false;
	t->at[t->count].name = name;
	t->at[t->count++].origin = origin;
	return true;
}

static enum origin origin_of(struct table *t, const struct eem_template *text)
{
	enum origin worst = ORIGIN_OURS;

	for (uint32_t i = 0; i < text->count; i++) {
		const enum origin *known = text->parts[i].is_variable ? find(t, text->parts[i].text) : NULL;

		if (known && *known > worst)
			worst = *known;
	}
	return worst;
}

static bool learn_from(struct table *t, const struct action *a)
{
	enum origin origin;
	bool news = false;

	switch (a->verb) {
	case VERB_SET:
	case VERB_APPEND:
		return learn(t, a->name[0], origin_of(t, &a->arg[0]));
	case VERB_REGEXP:
		origin = origin_of(t, &a->arg[1]) == ORIGIN_OURS ? ORIGIN_OURS : ORIGIN_CAPTURE;
		for (uint32_t i = 0; i < a->name_count; i++)
			news |= learn(t, a->name[i], origin);
		return news;
	case VERB_FOREACH:
		return learn(t, a->name[0], origin_of(t, &a->arg[0]) == ORIGIN_OURS ? ORIGIN_OURS : ORIGIN_OUTSIDE);
	case VERB_GETS:
		return learn(t, a->name[0], ORIGIN_OUTSIDE);
	case VERB_FILE:
		return (a->sub == EEM_FILE_GETS || a->sub == EEM_FILE_READ) && learn(t, a->name[0], ORIGIN_OUTSIDE);
	case VERB_CONTEXT:
		return a->sub == 0 && learn(t, a->name[0], ORIGIN_CAPTURE);
	case VERB_INCREMENT:
	case VERB_DECREMENT:
		return learn(t, a->name[0], ORIGIN_OURS);
	case VERB_CLI:
		return learn(t, TEXT("_cli_result"), ORIGIN_OUTSIDE);
	case VERB_STRING:
		for (unsigned i = 0; i < 4; i++) {
			origin = origin_of(t, &a->arg[i]);
			if (a->sub >= STRING_RANGE || a->sub == STRING_INDEX)
				news |= learn(t, TEXT("_string_result"), origin);
		}
		return news;
	default:
		return false;
	}
}

static void gather(const struct policy *p, struct table *t)
{
	uint32_t detectors = 0;
	bool news = true;

	for (uint32_t i = 0; i < p->event_count; i++)
		detectors |= 1u << p->events[i].detector;
	for (size_t i = 0; i < sizeof(events_set) / sizeof(events_set[0]); i++)
		if (events_set[i].detectors & detectors || p->event_failed)
			learn(t, events_set[i].name, events_set[i].origin);
	for (size_t i = 0; i < sizeof(actions_set) / sizeof(actions_set[0]); i++)
		for (uint32_t k = 0; k < p->action_count; k++)
			if (p->actions[k].verb == actions_set[i].verb &&
			    (actions_set[i].sub == UINT8_MAX || actions_set[i].sub == p->actions[k].sub))
				learn(t, actions_set[i].name, ORIGIN_OURS);
	while (news) {
		news = false;
		for (uint32_t k = 0; k < p->action_count; k++)
			news |= learn_from(t, &p->actions[k]);
	}
}

static void say_unset(const struct lint *l, const struct policy *p, const struct action *a, struct text name)
{
	const char *from = NULL;

	if (text_equal(name, TEXT("_cli_user"))) {
		lint_say(l, p, EEM_WARNING, a->line, "unset-variable", "there is no $_cli_user; the variable is $_cli_username");
		return;
	}
	for (size_t i = 0; i < sizeof(events_set) / sizeof(events_set[0]) && !from; i++)
		for (unsigned d = 0; d < DETECTORS && text_equal(events_set[i].name, name) && !from; d++)
			if (events_set[i].detectors >> d & 1)
				from = detector_name((enum detector)d);
	if (from)
		lint_say(l, p, EEM_WARNING, a->line, "unset-variable", "$%.*s is set by 'event %s' only, and this applet has none",
			 TEXT_ARG(name), from);
	else
		lint_say(l, p, EEM_WARNING, a->line, "unset-variable",
			 "nothing in this text sets $%.*s: without it in the environment the run ends here", TEXT_ARG(name));
}

/* Families of which the last part counts up or depends on the neighbour's protocol. */
static bool is_known_family(const struct policy *p, struct text name)
{
	for (uint32_t i = 0; i < p->event_count; i++) {
		if (p->events[i].detector == DETECTOR_NONE && text_starts(name, TEXT("_none_arg")))
			return true;
		if (p->events[i].detector == DETECTOR_NEIGHBOR && (text_starts(name, TEXT("_nd_lldp_capabilities_bit_")) ||
								   text_starts(name, TEXT("_nd_cdp_capabilities_bits_"))))
			return true;
	}
	return false;
}

static void check_command_part(const struct lint *l, const struct policy *p, const struct action *a, struct table *t,
			       struct text name)
{
	const enum origin *origin = find(t, name);
	bool is_family = is_known_family(p, name);

	if (origin && *origin == ORIGIN_OUTSIDE)
		lint_say(l, p, EEM_ERROR, a->line, "outside-in-command",
			 "$%.*s comes from outside and stands in a command: spimend stops the run here; take the address, SPI, interface or "
			 "number out of it with 'regexp' first", TEXT_ARG(name));
	else if (is_family || (origin && *origin == ORIGIN_CAPTURE))
		lint_say(l, p, EEM_WARNING, a->line, "variable-in-command",
			 "$%.*s comes from outside: unless it is wholly an address, an SPI, an interface's name or a number, spimend stops the "
			 "run here", TEXT_ARG(name));
}

void lint_values(const struct lint *l, const struct policy *p)
{
	struct table t = { .count = 0 };
	struct text said[32];
	uint32_t said_count = 0;

	gather(p, &t);
	for (uint32_t i = 0; i < p->action_count; i++) {
		const struct action *a = &p->actions[i];

		for (unsigned k = 0; k < EEM_ARGS_MAX; k++) {
			for (uint32_t n = 0; n < a->arg[k].count; n++) {
				struct text name = a->arg[k].parts[n].text;
				bool again = false;

				if (!a->arg[k].parts[n].is_variable)
					continue;
				if (a->verb == VERB_CLI && k == 0)
					check_command_part(l, p, a, &t, name);
				if (find(&t, name) || policy_environment(l->policies, name) || is_known_family(p, name))
					continue;
				for (uint32_t s = 0; s < said_count; s++)
					again |= text_equal(said[s], name);
				if (again || said_count == 32)
					continue;
				said[said_count++] = name;
				say_unset(l, p, a, name);
			}
		}
	}
}
