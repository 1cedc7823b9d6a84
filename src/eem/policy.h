/* SPDX-License-Identifier: MIT */
/* What an applet's text becomes. Private to eem: others see eem.h. */
#ifndef EEM_POLICY_H
#define EEM_POLICY_H

#include "base/slots.h"
#include "eem/arena.h"
#include "eem/cron.h"
#include "eem/eem.h"
#include "eem/pattern.h"
#include "eem/words.h"

#define EEM_EVENTS_MAX 16    /* of one applet */
#define EEM_ACTIONS_MAX 2000
#define EEM_DEVICES_MAX 256
#define EEM_POLICIES_MAX 65536
#define EEM_ENVIRONMENT_MAX 1024
#define EEM_ARGS_MAX 6
#define EEM_NAMES_MAX 4
#define EEM_MAXRUN_NS (20 * SECOND_NS) /* unless the event says otherwise */
#define EEM_NOWHERE UINT32_MAX         /* no such action */

enum detector {
	DETECTOR_SYSLOG, DETECTOR_CLI, DETECTOR_TRACK, DETECTOR_COUNTDOWN, DETECTOR_WATCHDOG, DETECTOR_CRON, DETECTOR_ABSOLUTE,
	DETECTOR_NONE, DETECTOR_SNMP, DETECTOR_NEIGHBOR, DETECTOR_NOTIFICATION, DETECTOR_COUNTER, DETECTOR_APPLICATION, DETECTORS
};
const char *detector_name(enum detector detector); /* as `show event manager` prints it */

enum operation { OP_GT, OP_GE, OP_EQ, OP_NE, OP_LT, OP_LE, OPERATIONS };
extern const char *const operation_names[OPERATIONS];
/* A whole number with blanks around it, or false. */
bool operation_number(struct text t, int64_t *ret);
/* Numbers compare as numbers where both are, else eq and ne as texts, and the others not at all. */
bool operation_holds(enum operation op, struct text a, struct text b, bool *ret_holds);

struct event {
	enum detector detector;
	uint32_t line;
	struct text tag, source;  /* source: the line behind the tag, keywords in full */
	int64_t maxrun_ns;        /* 0: none */
	bool has_maxrun, has_maxrun_zero;
	uint32_t occurs;          /* at least 1 */
	int64_t period_ns;        /* 0: any time */
	int64_t ratelimit_ns;
	uint32_t tag_occurs;      /* attribute tag T occurs N */
	const char *severity;     /* severity-NAME; static */

	struct eem_pattern *pattern; /* borrows the policies': syslog, cli, neighbour's interface */
	int priority;             /* syslog: this level and more severe ones; -1: any */
	bool skip;                /* syslog: parsed; cli: the command is not run */

	bool key_enter, key_tab, key_question; /* cli */
	bool sync, has_sync;
	int64_t default_ns;
	struct text mode;

	uint32_t track, track_states; /* bit 1 up, bit 0 down */

	int64_t time_ns;          /* timers: interval; absolute: since 1970 */
	struct cron cron;
	struct text name;         /* timer's, counter's, neighbour's interface */

	struct text oid;          /* snmp, snmp-notification: normalised, see policy_oid() */
	bool oid_is_prefix, get_next, has_entry, has_exit, exit_is_or;
	enum operation op, exit_op;
	struct text value, exit_value;
	bool entry_increment, exit_increment;
	int64_t exit_time_ns, poll_ns;
	bool has_source, has_destination, incoming, outgoing, drop;
	struct spimend_address source_address, destination_address;

	bool cdp, lldp;           /* neighbor-discovery */
	uint32_t changes;         /* of enum neighbor_change */

	uint32_t subsystem, type; /* application */
};

enum join { JOIN_AND, JOIN_OR, JOIN_ANDNOT };
struct trigger {
	bool is_there;
	uint32_t line, occurs;
	int64_t period_ns, delay_ns;
	bool has_start;
	struct cron start;
	struct text source, start_text;
	uint32_t term_count;
	struct term {
		struct text tag;
		uint32_t event;
		uint32_t track; /* instead of an event: this object is up; 0: an event */
		enum join join; /* with what stands in front */
	} terms[EEM_EVENTS_MAX];
	uint32_t correlate_line;
};

enum verb {
	VERB_CLI, VERB_SYSLOG, VERB_SET, VERB_REGEXP, VERB_IF, VERB_ELSEIF, VERB_ELSE, VERB_END, VERB_GOTO, VERB_PUTS, VERB_GETS,
	VERB_INFO, VERB_COMMENT, VERB_MAIL, VERB_EXIT, VERB_WAIT, VERB_STRING, VERB_RELOAD, VERB_TRACK, VERB_FILE, VERB_SNMP_TRAP,
	VERB_ADD, VERB_SUBTRACT, VERB_MULTIPLY, VERB_DIVIDE, VERB_INCREMENT, VERB_DECREMENT, VERB_APPEND, VERB_WHILE,
	VERB_FOREACH, VERB_BREAK, VERB_CONTINUE, VERB_CONTEXT, VERB_COUNTER, VERB_POLICY, VERB_HANDLE_ERROR, VERB_PUBLISH_EVENT,
	VERB_HELP, VERBS
};
extern const char *const verb_names[VERBS];

enum string_verb { STRING_COMPARE, STRING_EQUAL, STRING_FIRST, STRING_INDEX, STRING_LAST, STRING_LENGTH, STRING_MATCH,
		   STRING_RANGE, STRING_REPLACE, STRING_TOLOWER, STRING_TOUPPER, STRING_TRIM, STRING_TRIMLEFT,
		   STRING_TRIMRIGHT, STRING_VERBS };
enum counter_verb { COUNTER_DEC, COUNTER_INC, COUNTER_NOP, COUNTER_SET };
enum error_mode { ERROR_EXIT, ERROR_IGNORE, ERROR_WARN };

struct eem_template { /* a text with variables in it */
	struct part {
		struct text text; /* the variable's name without $ */
		bool is_variable;
	} *parts;
	uint32_t count;
};

struct action {
	struct text label, source; /* source: the line behind the label */
	uint32_t line, written;    /* written: its place in the text */
	enum verb verb;
	uint8_t sub;               /* string, file, counter, handle-error; track: 1 is set */
	enum operation op;
	uint8_t severity;
	uint16_t port;             /* mail */
	uint8_t has;               /* bit per argument that was given */
	uint8_t name_count;
	bool nocase, nonewline, is_up;
	struct eem_template arg[EEM_ARGS_MAX];
	struct text name[EEM_NAMES_MAX]; /* variables that it sets; the label of goto */
	struct eem_pattern *pattern; /* regexp without variables, cli's `pattern`; borrows the policies' */
	uint32_t jump;  /* if, elseif, while, foreach: where to when it does not hold; else, break, continue, goto: where to;
			 * end: back to the loop's head, or EEM_NOWHERE */
	uint32_t chain; /* an elseif and an else that are reached from above: to the block's end */
};

struct policy {
	struct text name, description, class;
	uint32_t line;
	bool traps, bypass, failed;
	bool event_failed; /* some event was refused: what follows from that is not said */
	bool removed; /* `no event manager applet` */
	struct event *events;     /* owns */
	uint32_t event_count;
	struct action *actions;   /* owns; in the order in which they run once finished */
	uint32_t action_count, action_room;
	struct trigger trigger;
	struct {
		struct text name; /* empty: this machine */
		int64_t gap_ns;   /* -1: as the settings say */
	} *devices;               /* owns */
	uint32_t device_count;
	int64_t maxrun_ns;
	uint64_t hash;            /* of all that it is */
};

struct environment {
	struct text name, value;
	uint32_t line;
};

struct eem_policies {
	uint32_t references;
	struct arena arena;
	struct policy *at;         /* owns; the registered ones come first and in the order of the text after compiling */
	uint32_t count, all, room; /* all: with those that failed, for the lint */
	struct slots by_name;
	struct environment *environment; /* owns */
	uint32_t environment_count;
	struct eem_pattern **patterns;   /* owns */
	uint32_t pattern_count, pattern_room;
	struct text session_user;
	unsigned session_privilege;
	bool has_session;
};

/* The value of an environment variable, or NULL. */
const struct environment *policy_environment(const struct eem_policies *policies, struct text name);
/* An OID as it is compared: without a leading dot, the EEM MIB's older root written as today's (reference: 9.10.91 of
 * published text is 9.10.134 of the MIB). Into `to`; 0 or SPIMEND_E_SYNTAX. `ret_prefix`: it ended in a dot. */
#define POLICY_OID_MAX 256
int policy_oid(struct text text, char to[POLICY_OID_MAX], bool *ret_prefix);
/* True when the dotted `oid` is `want`, or lies below it where that is a prefix. Both normalised. */
bool policy_oid_matches(struct text want, bool is_prefix, struct text oid);
/* The event's type for people: the detector's name, or "multiple". */
const char *policy_event_type(const struct policy *policy);
/* Names of severities, 0 to 7, in the plural that IOS prints. */
extern const char *const severity_names[8];

#endif
