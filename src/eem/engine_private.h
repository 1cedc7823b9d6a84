/* SPDX-License-Identifier: MIT */
/* The engine's state, shared by its parts: events (events.c, correlate.c, timers.c), runs (run*.c), values, outputs. Private
 * to eem. */
#ifndef EEM_ENGINE_PRIVATE_H
#define EEM_ENGINE_PRIVATE_H

#include "eem/match.h"
#include "eem/policy.h"

#define CHAIN_MAX 8        /* applets that started each other; longer chains are cut */
#define VARIABLES_MAX 512  /* of one run */
#define LOOPS_MAX 32       /* foreach inside each other, as compile_blocks() admits */
#define TIMES_MAX 1024     /* occurrences remembered; more of them in a period are counted from the period's start */
#define HOLDS_MAX 64       /* commands that wait for `sync yes` at once */
#define COUNTERS_MAX 256
#define CONTEXTS_MAX 256
#define CONTEXT_BYTES_MAX 4096
#define TRACKS_MAX 1000
#define OUTPUT_TEXTS_MAX 8
#define SLICE 2000         /* instructions of one run before another one's turn */
#define SYNC_DEFAULT_NS (30 * SECOND_NS)

enum taint {
	TAINT_NONE,    /* from the configuration, or made of numbers that we counted */
	TAINT_CAPTURE, /* from outside, and a candidate: it may stand in a command if it is wholly of a type */
	TAINT_OUTSIDE, /* from outside */
};

struct variable {
	char *bytes;       /* owns: the name, then the value */
	uint32_t name_len, len;
	enum taint taint;
};

enum run_state { RUN_QUEUED, RUN_READY, RUN_SLEEPING, RUN_WAITING };

struct run {
	struct run *next;
	uint64_t id, request, terminal, history, token;
	struct eem_policies *set; /* holds a reference */
	const struct policy *policy;
	uint32_t index;           /* of the policy in `set` */
	char device[64];
	const char *event_type;
	enum run_state state;
	int64_t not_before, started, deadline, wake; /* mono; deadline 0: none */
	uint32_t pc;
	uint64_t instructions;
	struct variable *variables; /* owns */
	uint32_t variable_count, variable_room;
	size_t bytes;
	struct loop {
		uint32_t head;
		size_t at;
	} loops[LOOPS_MAX];
	uint32_t loop_count;
	enum error_mode on_error;
	uint64_t chain[CHAIN_MAX];
	uint32_t chain_len;
	bool at_prompt;   /* the last command waits for an answer: what comes is data */
	bool has_session; /* commands or files were used: EEM_CLOSE when it ends */
	bool holds;       /* a typed command waits for it: `token` */
	bool over;
	int32_t exit_status;
};

struct event_state {
	int64_t *times;    /* owns; ring of the last occurrences */
	uint32_t time_room, time_at, count;
	int64_t first, last_start; /* last_start: INT64_MIN: never */
	/* several events */
	int64_t *tag_times; /* owns; ring of tag_occurs */
	uint32_t tag_room, tag_at, tag_count;
	/* timers and polls */
	int64_t next;       /* mono; INT64_MAX: none */
	bool done, disarmed;
	int64_t rearm;      /* mono; INT64_MAX: by value only */
	uint64_t request;
	bool has_value;
	int64_t value;
};

struct policy_state {
	struct event_state *events; /* owns: a row of event_count for each device */
	uint32_t rows;
	uint32_t trigger_count;
	struct instant registered, last;
	bool has_last;
	uint64_t runs, aborted;
	uint64_t chain[CHAIN_MAX];  /* of its latest run, itself included */
	uint32_t chain_len;
	int64_t minute;             /* mono: starts are counted from here on */
	uint32_t starts;
	bool said_limit;
	int64_t *device_last;       /* owns: by row; INT64_MIN: never */
};

struct output {
	struct output *next;
	struct eem_output out;
	char *texts[OUTPUT_TEXTS_MAX]; /* owns */
	uint32_t text_count;
	struct eem_span spans[EEM_SPANS_MAX];
};

struct hold { /* a typed command that waits */
	uint64_t token, terminal;
	uint32_t waiting; /* runs */
	bool run_it;
	int64_t until;
};

struct named { /* counters and contexts */
	char name[EEM_APPLET_NAME_MAX];
	int64_t number;
	char *bytes; /* owns */
	uint32_t len;
	enum taint taint;
};

struct syslog_event {
	uint32_t policy, event;
};

struct eem {
	struct eem_settings settings;
	struct eem_policies *set;     /* holds a reference */
	struct policy_state *states;  /* owns; by policy */
	struct eem_matcher *matcher;  /* owns */
	struct eem_pattern **patterns; /* owns the array: of syslog events */
	struct syslog_event *syslog;  /* owns; by pattern */
	uint32_t syslog_count;
	struct run *runs, *last_run;  /* owns; in the order of their start */
	uint32_t run_count, active;   /* active: not queued */
	uint64_t next_id, event_id;
	struct output *outputs, *last_output, *given; /* owns */
	struct eem_history *history;  /* owns; ring */
	uint64_t history_count;
	struct hold holds[HOLDS_MAX];
	uint32_t hold_count;
	struct named counters[COUNTERS_MAX], contexts[CONTEXTS_MAX];
	uint32_t counter_count, context_count;
	int8_t tracks[TRACKS_MAX + 1]; /* -1 unknown, 0 down, 1 up */
	int64_t cron_utc, cron_local;  /* minutes that were looked at */
	bool has_cron;
	struct eem_figures figures;
	bool said_drop;
};

/* --- events.c: an event that an applet waits for ----------------------------------------------------------------- */

struct fact { /* a variable that the event sets */
	const char *name;
	struct text value;
	enum taint taint;
};
#define FACTS_MAX 64

struct occurrence {
	struct text device;
	const uint64_t *chain; /* the applets that caused it */
	uint32_t chain_len;
	struct fact facts[FACTS_MAX];
	uint32_t fact_count;
	uint64_t terminal, token;
	bool holds;
};

void occurrence_add(struct occurrence *o, const char *name, struct text value, enum taint taint);
/* The event happened: counts, correlates, and starts the applet. The run that it started, or NULL. */
struct run *event_happens(struct eem *eem, uint32_t policy, uint32_t event, const struct occurrence *o, struct moment now);
/* For each event of a detector that `matches`. */
void event_all(struct eem *eem, enum detector detector, const void *what,
	       bool (*matches)(const struct event *e, const void *what), const struct occurrence *o, struct moment now);
/* Row of the device in the policy's states, or -1. */
int policy_row(const struct policy *policy, struct text device);
uint64_t chain_id(struct text name);
bool event_condition(const struct event *e, struct event_state *s, int64_t value, struct moment now);
void counter_changed(struct eem *eem, struct text name, int64_t value, const struct run *cause, struct moment now);
void application_event(struct eem *eem, uint32_t subsystem, uint32_t type, const struct fact *data, uint32_t count,
		       const struct run *cause, struct moment now);
int64_t *counter_of(struct eem *eem, struct text name);

/* correlate.c: true when the events of the policy together are there now. */
bool trigger_holds(struct eem *eem, const struct policy *p, struct policy_state *s, uint32_t row, uint32_t event,
		   struct moment now);

/* --- timers.c ---------------------------------------------------------------------------------------------------- */

void timers_start(struct eem *eem, uint32_t policy, struct moment now);
int64_t timers_tick(struct eem *eem, struct moment now);
struct civil eem_local(const struct eem *eem, struct instant at);

/* --- engine.c: runs and outputs ---------------------------------------------------------------------------------- */

struct run *run_start(struct eem *eem, uint32_t policy, uint32_t row, const struct event *event, const struct occurrence *o,
		      int64_t delay_ns, struct moment now);
void run_end(struct eem *eem, struct run *run, enum eem_end end, const char *why, struct moment now);
void eem_work(struct eem *eem, struct moment now); /* lets runs go on and takes away what is over */
struct output *output_new(struct eem *eem, enum eem_output_kind kind, const struct run *run);
struct text output_text(struct eem *eem, struct output *output, struct text text); /* a copy that the output owns */
void output_send(struct eem *eem, struct output *output);
void eem_notice(struct eem *eem, const struct run *run, uint8_t severity, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
struct eem_history *history_of(struct eem *eem, uint64_t number);

/* --- values.c ---------------------------------------------------------------------------------------------------- */

/* 0, -ENOMEM or SPIMEND_E_LIMIT (the run's memory). */
int run_set(struct eem *eem, struct run *run, struct text name, struct text value, enum taint taint);
int run_set_number(struct eem *eem, struct run *run, const char *name, int64_t value);
const struct variable *run_find(const struct run *run, struct text name);
struct text variable_value(const struct variable *v);
void run_forget(struct run *run); /* frees the variables */

struct expansion {
	struct buffer text;  /* owns */
	enum taint taint;    /* of the whole, as a value of its own */
	struct eem_span spans[EEM_SPANS_MAX]; /* parts from outside that are wholly of a type */
	uint32_t span_count;
	bool has_untyped;    /* some part from outside is of no type, or there were too many */
	struct text untyped; /* its variable's name */
	struct text unset;   /* a variable that is not set; empty: all are */
};
void expand(const struct run *run, const struct eem_template *template, struct expansion *ret);
void expansion_done(struct expansion *e);

/* --- run.c ------------------------------------------------------------------------------------------------------- */

enum step { STEP_NEXT, STEP_JUMPED, STEP_BLOCKED, STEP_OVER };

/* Goes on until it waits, is over, or its slice is used up. */
void run_slice(struct eem *eem, struct run *run, struct moment now);
void run_answer(struct eem *eem, struct run *run, enum eem_outcome outcome, struct text text, struct moment now);
/* The action failed: what handle-error says. */
enum step run_fail(struct eem *eem, struct run *run, struct moment now, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Expands an argument; false when a variable is not set: `ret_step` is what follows then. */
bool run_expand(struct eem *eem, struct run *run, const struct action *a, unsigned slot, struct moment now,
		struct expansion *ret, enum step *ret_step);
enum step run_set_or_fail(struct eem *eem, struct run *run, struct text name, struct text value, enum taint taint,
			  struct moment now);

enum step run_text_action(struct eem *eem, struct run *run, const struct action *a, struct moment now);
enum step run_string_action(struct eem *eem, struct run *run, const struct action *a, struct moment now);
enum step run_port_action(struct eem *eem, struct run *run, const struct action *a, struct moment now);
enum step run_file_action(struct eem *eem, struct run *run, const struct action *a, struct moment now);
enum step run_shared_action(struct eem *eem, struct run *run, const struct action *a, struct moment now);

#endif
