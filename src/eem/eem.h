/* SPDX-License-Identifier: MIT */
/*
 * Embedded Event Manager: applets in IOS syntax. Compiles their text into policies, matches events against them, and runs
 * their actions, as a pure machine: what happens goes in with the time, what is to be done comes out of eem_next(). It opens
 * nothing, reads no clock, and neither runs a command nor writes a file itself.
 *
 * Called by the role `core`, by `spimend lint`, and by tests under a simulated clock. Bounded whatever is thrown at it: each
 * run has its own memory limit, instruction budget and maxrun, at most so many run and wait at once, and what was dropped is
 * counted.
 *
 * Values are data. Text from outside ($_syslog_msg, what a trap holds, $_cli_result, what a person typed) reaches a command
 * or a file's name only as a capture of `regexp` that is wholly an address, an SPI, an interface's name or a number, and
 * never as the command's first word; otherwise the run stops and says so. Line breaks never.
 *
 * An applet never triggers itself, neither by its own %HA_EM line nor in a ring through others. It matches the messages of
 * this machine; those of another device only where it names the device, by lines of our own inside the applet:
 *
 *     spimend device NAME [ratelimit SECONDS]     it stands on that device: its messages, its commands; again for more
 *     spimend device local                        and on this machine as well
 *
 * For a device the least time between two runs is 60 s unless said otherwise.
 */
#ifndef EEM_EEM_H
#define EEM_EEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/calendar.h"
#include "base/text.h"
#include "eem/report.h"
#include "model/neighbor.h"
#include "spimend/address.h"

/* --- Policies: compiled text ------------------------------------------------------------------------------------- */

struct eem_policies; /* immutable but for the caches of its expressions; counted references */

/* Compiles whatever of the text is about EEM; other lines of a router's configuration are passed over and counted. An applet
 * with an error is not registered; the others are. 0 or -ENOMEM; *ret is set also where `report` has errors. `report` must
 * be zeroed or done before. The text is copied. */
int eem_compile(struct text text, struct eem_policies **ret, struct eem_report *report);
struct eem_policies *eem_policies_hold(struct eem_policies *policies); /* one reference more; returns it */
void eem_policies_release(struct eem_policies *policies);              /* NULL is fine */

/* The registered ones, in the order of the text. */
uint32_t eem_policy_count(const struct eem_policies *policies);

struct eem_policy_facts {
	const char *name;        /* borrowed from the policies */
	const char *event_type;  /* "syslog", "timer watchdog", "multiple" ... as `show event manager` prints it; static */
	uint32_t line;           /* of its first line */
	bool traps;              /* `trap`: cEventMgrServerEvent after each run */
	bool bypass;             /* `authorization bypass` */
	bool runs_commands;      /* it has a cli action */
	int64_t maxrun_ns;       /* 0: no limit */
	uint32_t device_count;   /* lines `spimend device`; without any it stands on this machine */
};
bool eem_policy_facts(const struct eem_policies *policies, uint32_t index, struct eem_policy_facts *ret);
/* The `which`th device it stands on; empty text for this machine. False beyond the last. */
bool eem_policy_device(const struct eem_policies *policies, uint32_t index, uint32_t which, struct text *ret);
/* UINT32_MAX when there is none of that name. */
uint32_t eem_policy_find(const struct eem_policies *policies, struct text name);

/* An action as an index, for those who check what others ask for in its name. */
uint32_t eem_action_count(const struct eem_policies *policies, uint32_t policy);
uint32_t eem_action_line(const struct eem_policies *policies, uint32_t policy, uint32_t action);
uint32_t eem_event_count(const struct eem_policies *policies, uint32_t policy);
/* Which of NEIGHBOR_HEAR_* an applet waits for on that interface. */
uint32_t eem_neighbor_protocols(const struct eem_policies *policies, struct text interface);
struct eem_event_facts {
	const char *detector; /* "snmp"; static */
	uint32_t line;
	struct text oid;      /* of snmp; borrowed from the policies */
	bool next;
	struct text source;   /* what stands behind 'event', keywords in full; borrowed */
};
/* Whether the event, which is neighbor-discovery, is about that interface. */
bool eem_event_is_on(const struct eem_policies *policies, uint32_t policy, uint32_t event, struct text interface);
bool eem_event_facts(const struct eem_policies *policies, uint32_t policy, uint32_t event, struct eem_event_facts *ret);
struct eem_mail_action {
	struct text unset; /* a variable of its server that no environment line sets; empty: `server` is whole */
	uint16_t port;
	uint64_t mark;     /* another one after whatever changed in the action */
};
/* False: there is no such action, or it is no mail. Adds its server to `server`, with environment variables replaced; others
 * are not in it: where mail goes is configured. */
bool eem_mail_action(const struct eem_policies *policies, uint32_t policy, uint32_t action, struct eem_mail_action *ret,
		     struct buffer *server);

/* `event manager session cli username NAME [privilege N]`: whose rights the commands have. Privilege 15 unless said. */
struct eem_session {
	struct text username; /* borrowed; empty: not said */
	unsigned privilege;
};
struct eem_session eem_session(const struct eem_policies *policies);

/* The configuration as `show running-config` prints it: environment, session, applets; it compiles to the same. */
void eem_policies_print(const struct eem_policies *policies, struct buffer *out);

/* --- The engine -------------------------------------------------------------------------------------------------- */

struct eem;

/* Which local time it is: cron entries count by it. Pure: the same answer for the same instant. NULL is UTC. */
struct eem_calendar {
	void *context; /* borrows */
	struct civil (*local)(void *context, struct instant at);
};

struct eem_settings {
	char hostname[64];             /* `info type routername` */
	struct eem_calendar calendar;
	bool after_boot;               /* first start since the machine booted: @reboot fires */
	uint32_t runs_max;             /* at once: 32 */
	uint32_t queue_max;            /* that wait for a place: 64 */
	uint32_t run_bytes_max;        /* all values of one run: 262144 */
	uint32_t result_bytes_max;     /* of $_cli_result; the rest is cut: 131072 */
	uint32_t instructions_max;     /* of one run: 200000 */
	uint32_t history_max;          /* 50 */
	int64_t device_gap_ns;         /* between two runs for another device: 60 s */
	uint32_t policy_runs_per_minute; /* of one applet, whatever starts it: 120 */
};
void eem_settings_default(struct eem_settings *ret);

/* Takes a reference to `policies`. `first_id` is the first id of a run and of a request: ids are never given twice, also
 * across restarts, when the caller sees to it. 0 or -ENOMEM. */
int eem_new(struct eem_policies *policies, const struct eem_settings *settings, uint64_t first_id, struct moment now,
	    struct eem **ret);
void eem_free(struct eem *eem);
/* Another configuration. Runs under way end as they began; what is unchanged keeps its counts and timers. 0 or -ENOMEM: then
 * everything stays as it was. */
int eem_reconfigure(struct eem *eem, struct eem_policies *policies, struct moment now);

/* --- What happens ------------------------------------------------------------------------------------------------ */

/* One syslog message: the text as a router shows it, "%FAC-SEV-MNEM: ..." and whatever stands before. */
struct eem_message {
	struct text text;
	struct text device;   /* empty: of this machine */
	bool has_severity;    /* else it is read from the mnemonic */
	uint8_t severity;
};
void eem_syslog(struct eem *eem, const struct eem_message *message, struct moment now);

struct eem_varbind {
	struct text oid;   /* "1.3.6.1.4.1.9.10.91.1.2.3.1.9.1" */
	bool has_value;    /* false: noSuchInstance and its sisters */
	struct text value; /* as text: numbers in decimal, strings as they are */
};
/* A trap or inform; source and community were checked by whoever received it. */
struct eem_trap {
	struct spimend_address source, destination;
	bool is_outgoing;
	struct text device; /* which configured device sent it; empty: none of them */
	struct text trap_oid, enterprise_oid;
	int32_t generic, specific; /* -1: not a v1 trap */
	const struct eem_varbind *varbinds; /* borrows */
	uint32_t varbind_count;
};
/* True: an applet says `msg-op drop`: it goes no further. */
bool eem_trap(struct eem *eem, const struct eem_trap *trap, struct moment now);

enum eem_key { EEM_KEY_ENTER, EEM_KEY_TAB, EEM_KEY_QUESTION };
enum eem_cli_answer {
	EEM_CLI_RUN,  /* run the command */
	EEM_CLI_SKIP, /* do not: an applet with `sync no skip yes` took it */
	EEM_CLI_HOLD, /* applets with `sync yes` run first: wait for the EEM_VERDICT with this token */
};
struct eem_typed {
	struct text command; /* expanded to its full keywords where the shell can */
	struct text username, host, mode; /* mode: "exec", "configure" ... */
	enum eem_key key;
	uint64_t token;      /* the caller's; comes back in EEM_VERDICT */
	uint64_t terminal;   /* where puts and gets go; 0: none */
	uint64_t run;        /* the run whose command this is; 0: a person typed it */
};
enum eem_cli_answer eem_cli(struct eem *eem, const struct eem_typed *typed, struct moment now);

void eem_track(struct eem *eem, uint32_t object, bool is_up, struct moment now);
void eem_no_track(struct eem *eem, uint32_t object); /* it is not watched any more */
/* A named counter of applets has this value (event counter; the action counter does it by itself). */
void eem_counter(struct eem *eem, struct text name, int64_t value, struct moment now);
/* The answer to an EEM_POLL. */
void eem_snmp_value(struct eem *eem, uint64_t request, bool present, struct text oid, struct text value, struct moment now);

/* A neighbour advertised itself for the first time, otherwise than before, or not any more. */
void eem_neighbor(struct eem *eem, enum neighbor_change change, const struct neighbor *neighbor, struct moment now);

#define EEM_ARGUMENTS_MAX 15
/* `event manager run NAME [ARGUMENT...]`. 0 or 1 with the run's id, 1: its terminal waits for it, as IOS does unless the
 * event says `sync no`, until EEM_CLOSE; -ENOENT: no such applet; -EINVAL: it has no `event none`;
 * -EAGAIN: too many wait already; SPIMEND_E_LIMIT: too many arguments. */
int eem_run(struct eem *eem, struct text name, const struct text *arguments, uint32_t count, uint64_t terminal,
	    struct moment now, uint64_t *ret_run);

enum eem_outcome { EEM_DONE, EEM_FAILED, EEM_REFUSED, EEM_TIMEOUT };
/* What became of the request that an output asked for. `text`: what a command printed, with the prompt behind it as IOS has
 * it; what gets or a file's read gave; why it failed. Requests of runs that are over are ignored. */
void eem_result(struct eem *eem, uint64_t request, enum eem_outcome outcome, struct text text, struct moment now);
/* The terminal is gone: runs that read from it fail. */
void eem_hangup(struct eem *eem, uint64_t terminal, struct moment now);

/* Time has passed. Returns the mono instant at which it wants to be called again at the latest. */
int64_t eem_tick(struct eem *eem, struct moment now);

/* --- What comes out ---------------------------------------------------------------------------------------------- */

enum eem_output_kind {
	EEM_COMMAND, /* run this command; answer with eem_result() */
	EEM_CLOSE,   /* the run is over: its terminal line, its files can be closed, who waits for it goes on; unanswered
		      * requests are void */
	EEM_LOG,     /* to syslog, as it is: "%HA_EM-6-LOG: NAME: text" */
	EEM_SNMP_TRAP, /* send cEventMgrPolicyEvent, or cEventMgrServerEvent */
	EEM_MAIL,    /* hand to the mail hook; answer with eem_result() */
	EEM_PUTS,    /* to the run's terminal */
	EEM_GETS,    /* read a line from the run's terminal; answer with eem_result() */
	EEM_FILE,    /* one operation on a file; answer with eem_result() */
	EEM_POLL,    /* read this object; answer with eem_snmp_value() */
	EEM_TRACK_SET, /* a track object of our own is up or down */
	EEM_VERDICT, /* of an EEM_CLI_HOLD */
	EEM_NOTICE,  /* to the daemon's log: a sentence for people; severity as in syslog */
	EEM_OUTPUTS
};

/* What a text from outside wholly is, where it may stand in a command. */
enum eem_type { EEM_TYPE_NONE, EEM_TYPE_ADDRESS, EEM_TYPE_SPI, EEM_TYPE_INTERFACE, EEM_TYPE_NUMBER, EEM_TYPES };
const char *eem_type_name(enum eem_type type); /* "address" ... */
/* The type that the whole text is; EEM_TYPE_NONE: none of them. */
enum eem_type eem_type_of(struct text text);

#define EEM_SPANS_MAX 16
struct eem_span { /* a part of a command that came from outside and was found to be of a type */
	uint32_t at, len;
	enum eem_type type;
};

enum eem_file_verb { EEM_FILE_OPEN, EEM_FILE_CLOSE, EEM_FILE_DELETE, EEM_FILE_GETS, EEM_FILE_PUTS, EEM_FILE_READ,
		     EEM_FILE_WRITE };

struct eem_output { /* texts are borrowed until the next eem_next() */
	enum eem_output_kind kind;
	uint64_t run;     /* whose; 0: of none */
	uint64_t request; /* to be answered; 0: nothing is awaited */
	uint32_t policy, action; /* into the policies it was compiled from: what travels instead of text. `action` counts in
				  * the order in which they run. UINT32_MAX where there is none */
	const char *applet; /* its name, or NULL */
	struct text device; /* where a command runs; empty: here */
	union {
		struct {
			struct text text;   /* one line, printable */
			struct text expect; /* wait for this expression instead of the prompt; empty: the prompt */
			struct text username;
			unsigned privilege;
			bool bypass;        /* `authorization bypass` */
			const struct eem_span *spans; /* what of it came from outside */
			uint32_t span_count;
			uint64_t terminal;
		} command;
		struct {
			uint8_t severity;
			struct text line;
		} log; /* and EEM_NOTICE */
		struct {
			bool is_server; /* cEventMgrServerEvent */
			bool has_int1, has_int2, has_text;
			int32_t int1, int2, exit_status;
			struct text text;
			const char *event_type;
		} trap;
		struct {
			struct text to, from, cc, subject, body; /* printable; the server: eem_mail_action() */
			uint64_t mark; /* of the action as it was compiled: what eem_mail_action() says later may be of another one */
		} mail;
		struct {
			uint64_t terminal;
			struct text text;
			bool newline;
		} puts; /* and EEM_GETS */
		struct {
			enum eem_file_verb verb;
			struct text handle, path, mode, text;
			uint32_t count; /* bytes to read or write; 0: all */
			bool newline;
		} file;
		struct {
			struct text oid;
			bool next; /* get-next */
		} poll;
		struct {
			uint32_t object;
			bool is_up;
		} track;
		struct {
			uint64_t token, terminal;
			bool run_it;
		} verdict;
	};
};

/* Takes the next output; false when there is none. To be drained after every call above. */
bool eem_next(struct eem *eem, struct eem_output *ret);

/* True when what a device printed ends the wait for `expect`. For whoever carries out an EEM_COMMAND. */
bool eem_expect(struct eem *eem, uint64_t request, struct text printed);

/* For the role that carries commands out: true when `command` can be what this action of this policy asks for: its fixed
 * texts stand where they stand, and each of its spans is wholly of the type that it claims. */
bool eem_command_fits(const struct eem_policies *policies, uint32_t policy, uint32_t action, struct text command,
		      const struct eem_span *spans, uint32_t span_count);

/* --- What it knows ----------------------------------------------------------------------------------------------- */

enum eem_end { EEM_END_SUCCESS, EEM_END_ABORT, EEM_END_MAXRUN, EEM_END_UNDER_WAY, EEM_ENDS };
struct eem_history { /* one event that an applet was started for */
	uint64_t number, run;
	struct instant at; /* wall */
	const char *event_type;
	char applet[EEM_APPLET_NAME_MAX];
	char device[64];
	enum eem_end end;
	int64_t took_ns;
	int32_t exit_status;
	char why[EEM_FINDING_TEXT_MAX]; /* of an abort */
};
/* By index, oldest first; NULL beyond the end. Borrowed until the next call. */
const struct eem_history *eem_history_at(const struct eem *eem, uint32_t index);

/* The `nth` applet that waits for this track object; false beyond the last. */
bool eem_tracked_by(const struct eem *eem, uint32_t object, uint32_t nth, struct text *ret_applet);

struct eem_figures {
	uint32_t policies, running, waiting;
	uint64_t messages, traps, commands_typed; /* looked at */
	uint64_t matched;        /* events that an applet waits for */
	uint64_t runs, finished, aborted, expired;
	uint64_t dropped;        /* the queue was full */
	uint64_t own;            /* not started: it would have triggered itself */
	uint64_t limited;        /* not started: ratelimit, or a device's minute */
	uint64_t foreign;        /* matches in messages of devices that the applet does not name */
	uint64_t expression_limits; /* an expression took too many steps */
	uint64_t stopped_values; /* runs stopped since a text from outside was about to reach a command */
	uint64_t outputs_dropped; /* no memory */
};
struct eem_figures eem_figures(const struct eem *eem);

struct eem_policy_state {
	struct instant registered; /* wall */
	uint64_t runs, aborted;
	bool has_last;
	struct instant last;
};
bool eem_policy_state(const struct eem *eem, uint32_t index, struct eem_policy_state *ret);

/* `show event manager ...`: policy registered, policy active, history events, environment, detector, statistics. As routers
 * print them, times in the calendar of the settings; and one JSON object a line. */
void eem_show_registered(const struct eem *eem, struct buffer *out);
void eem_show_running(const struct eem *eem, struct buffer *out);
void eem_show_history(const struct eem *eem, struct buffer *out);
void eem_show_environment(const struct eem *eem, struct buffer *out);
void eem_show_detectors(struct buffer *out);
void eem_show_statistics(const struct eem *eem, struct buffer *out);
void eem_json_registered(const struct eem *eem, struct buffer *out);
void eem_json_running(const struct eem *eem, struct buffer *out);
void eem_json_history(const struct eem *eem, struct buffer *out);
void eem_json_environment(const struct eem *eem, struct buffer *out);
void eem_json_detectors(struct buffer *out);
void eem_json_statistics(const struct eem *eem, struct buffer *out);

#endif
