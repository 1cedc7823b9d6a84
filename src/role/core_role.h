/* SPDX-License-Identifier: MIT */
/*
 * The role core in its parts: role/core_role.c wires, role/core_keep.c keeps and shows, role/core_notify.c tells others and
 * hears them. Private to the three.
 */
#ifndef ROLE_CORE_ROLE_H
#define ROLE_CORE_ROLE_H

#include "core/core.h"
#include "eem/eem.h"
#include "exec/exec.h"
#include "fleet/fleet.h"
#include "record/device_journal.h"
#include "record/live.h"
#include "record/store.h"
#include "role/core_cases.h"
#include "role/core_eem.h"
#include "role/core_neighbors.h"
#include "role/core_fleet.h"
#include "role/core_hook.h"
#include "role/core_notify.h"
#include "role/core_evidence.h"
#include "role/core_record.h"
#include "role/core_web.h"
#include "role/member.h"
#include "role/told.h"
#include "serve/control.h"

#define MIND_NOTE_MAX 160
#define MIND_ORDERED_MAX 1024 /* the fleet's latest orders: more than are under way */
#define MIND_ORDERS_MAX 64 /* of one turn; core has far fewer under way at once */

struct mind_applets {
	struct eem_policies *policies;    /* owns; NULL: none */
	struct buffer text;               /* the same, printed: lines of `event manager` */
};

/* The command line's: what it shows beside core, and what it changes. */
struct mind_exec {
	struct exec_port port;
	struct core_figures figures;      /* of the latest view */
	struct config *running;           /* owns; with what was typed and is on its way to the parent */
	struct buffer text;               /* the same as text, with the applets */
	struct mind_applets applets;
	uint64_t serial;                  /* of what was sent last */
	struct exec_session *writer;      /* borrows; whoever waits for the startup file */
	struct exec_cleared *cleared;     /* owns */
	struct logbook *logbook;          /* owns; NULL: `no logging buffered` */
	struct debug_state debug;
	struct link_list links;
	struct neighbour_list neighbours; /* of GRE devices */
	struct loop_timer *send_timer;    /* hands the text to the parent */
	bool send_due;
	int links_error, route_fd;        /* owns; -1: none */
	int64_t links_at;
};

struct mind_tracks {
	struct track_state at[TRACKS_CONFIGURED_MAX];
	uint32_t count;
	struct loop_timer *timer;
};

#define MIND_LOADS 61 /* five minutes of samples each 5 s */
struct mind_poll {
	struct mind_load {
		uint64_t busy, all;
	} loads[MIND_LOADS]; /* ring */
	uint64_t sampled;
	struct loop_timer *timer;
	int stat_fd; /* owns; -1: none */
};

/* What was asked of devices, and what came of it. */
#define MIND_ASKED_MAX 32
#define MIND_ASKED_FIRST (UINT64_C(1) << 63)  /* requests of persons and applets are numbered from here, ... */
#define MIND_SURVEY_FIRST (UINT64_C(1) << 62) /* ... of the survey from here, by device and question; the fleet's below */
struct mind_devices {
	struct channel *ssh;        /* owns; NULL: none */
	uint64_t request;           /* the last one's number, less MIND_ASKED_FIRST */
	struct mind_asked {
		uint64_t request;       /* 0: free */
		uint32_t device;
		int64_t deadline;       /* mono: something went wrong that nobody tells */
		struct exec_session *session; /* borrows; NULL: who asked is gone */
		uint64_t command;       /* of an applet's: the engine's request; 0: a person's */
		struct buffer output;
		bool is_whole, is_over; /* sense told it all; ssh told the result */
		struct device_printed end; /* its flags; bytes unused */
		struct device_result result;
	} asked[MIND_ASKED_MAX];
};

struct mind {
	struct member *member;      /* borrows */
	struct mind_exec exec;
	struct core *core;          /* owns */
	struct store *store;        /* owns; NULL: none */
	struct control *control;    /* owns; NULL: none yet */
	struct channel *sense, *act; /* owns */
	struct loop_source *control_source;
	struct loop_timer *tick_timer, *flush_timer, *control_timer, *summary_timer;
	struct store_figures figures; /* of the store, as latest asked */
	int store_trouble;            /* as said in the log last */
	int64_t store_again;          /* when one that is not there is tried again */
	char store_note[MIND_NOTE_MAX], sense_note[MIND_NOTE_MAX], act_note[MIND_NOTE_MAX], journal_note[MIND_NOTE_MAX],
		lost_note[MIND_NOTE_MAX], device_note[MIND_NOTE_MAX];
	struct device_journal journal, tape;
	struct mind_order {         /* which incident wanted it, by request % MIND_ORDERED_MAX */
		uint64_t request;
		char incident[INCIDENT_ID_MAX];
	} ordered[MIND_ORDERED_MAX];
	uint64_t strange_tapes;     /* pieces of devices that are not, or not so, in the configuration */
	struct loop_timer *age_timer;
	struct live_sensors sensors;        /* what the parent could open for sense and act */
	uint64_t limits[LIVE_LIMITS];       /* counts as seen last ... */
	int64_t limit_hit_ns[LIVE_LIMITS];  /* ... and when one grew */
	struct order orders[MIND_ORDERS_MAX]; /* to be sent when the incident is on disk */
	size_t order_count;
	struct mind_notify notify;
	struct mind_hooks hooks;
	struct mind_eem eem;
	struct mind_fleet fleet;
	struct mind_tracks tracks;
	struct mind_poll poll;
	struct mind_neighbors neighbors;
	struct mind_devices devices;
	struct mind_cases cases;
	struct mind_recorder recorder;
	struct mind_evidence evidence;
	struct mind_web web;
	bool lost_watches;            /* sense did not keep up: all are to be sent again */
	struct role_summary summary;  /* as told last */
	struct told_table watched;    /* what watchers were told */
};

struct moment mind_now(const struct mind *mind);

/* --- core_keep.c --- */

/* Opens the store, makes core from what it holds. 0 or negative errno; a store that cannot be had is no error. */
int mind_restore(struct mind *mind);
/* All that a page needs; borrows from the other two. */
struct live_view mind_view(struct mind *mind, struct live_notify *ret_notify, struct live_recorder *ret_recorder);
/* After a reload: what is kept on disk. */
void mind_keep_so_much(struct mind *mind);
/* Writes what is remembered; says in the log when that fails, and when it works again. */
void mind_flush(struct mind *mind);
/* Where there was no store at the start. */
void mind_retry_store(struct mind *mind);
void mind_keep_incident(struct mind *mind, const char *id);
void mind_keep_case(struct mind *mind, const char *id); /* of the fleet's mind; to watchers too */
/* Somebody hears of changes: `spimend watch`, or the page. */
bool mind_is_watched(const struct mind *mind);
int mind_take_control(struct mind *mind, int listening);
/* What record/live.h prints of. It borrows from the other two. */
struct live_view mind_view(struct mind *mind, struct live_notify *ret_notify, struct live_recorder *ret_recorder);
/* One of the control socket's questions, as control_answer_fn. */
int mind_answer(struct mind *mind, const struct control_request *request, struct buffer *out);
void mind_allow(struct mind *mind);

/* --- core_role.c --- */

/* After anything that core was told outside of a message: what it wants now is carried out. */
void mind_settle(struct mind *mind);

/* --- core_exec.c: the port of the command line --- */

const struct exec_port *mind_exec_port(struct mind *mind);
void mind_serve_exec(struct mind *mind);
void mind_exec_done(struct mind *mind);
/* Before a session is freed: nothing is told to it any more. */
void mind_forget_session(struct mind *mind, const struct exec_session *session);
void mind_note_state(struct exec_session *session, bool over, struct control_state *ret);
int mind_write_startup(void *context, struct exec_session *session, struct buffer *why);
void mind_take_saved(struct mind *mind, const struct role_saved *saved);

/* --- core_config.c: the running configuration --- */

int mind_configure(void *context, const struct exec_who *who, const struct exec_change *change, struct buffer *out,
		   struct buffer *why);
/* What was typed and not handed on yet: now. 0 or -EIO. */
int mind_send_config(struct mind *mind);
/* After member->config is new, and at the start. 0 or -ENOMEM. */
int mind_take_config(struct mind *mind);
/* A line of the log, for `show logging`. */
void mind_log(struct mind *mind, int severity, struct text line);

/* --- core_applets.c --- */

/* With `lines` behind those that there are. 0 and *ret, or why not, a line each, in `why`; warnings go to `out`. */
int mind_change_applets(struct mind *mind, struct text lines, struct mind_applets *ret, struct buffer *out,
			struct buffer *why);
/* Those of the text that the configuration was read from. 0 or negative errno. */
int mind_load_applets(struct mind *mind, struct text file);
void mind_applets_done(struct mind_applets *applets);

/* --- core_files.c: disk0: and flash: --- */

int mind_write_file(void *context, const char *name, bool append, struct text bytes, struct buffer *why);
int mind_list_files(void *context, bool json, struct buffer *out, struct buffer *why);
int mind_read_file(void *context, const char *name, struct buffer *out, struct buffer *why);
int mind_delete_file(void *context, const char *name, struct buffer *why);

/* --- core_links.c: interfaces --- */

void mind_take_route(struct mind *mind, int fd);
/* Fills mind->exec.links, at most once a second. 0 or negative errno. */
int mind_read_links(struct mind *mind);
/* Who is behind which address of GRE devices. */
void mind_read_neighbours(struct mind *mind);

/* --- core_track.c: tracked objects --- */

/* After mind->exec.running is another one; what is tracked already keeps its state. 0 or -ENOMEM. */
int mind_tracks_configure(struct mind *mind);
/* False: there is no such stub object. */
bool mind_set_track(struct mind *mind, uint32_t object, bool is_up);

/* --- core_devices.c: commands on other devices --- */

int mind_on_device(void *context, struct exec_session *session, struct text device, struct text line, struct buffer *why);
/* True: that session waits for a device, and `request` of the engine gets what comes of it. */
bool mind_device_command(struct mind *mind, const struct exec_session *session, uint64_t request);
int mind_take_ssh(struct mind *mind, int fd);
/* Whose request it is; false: nobody's any more. */
bool mind_asked_device(struct mind *mind, uint64_t request, uint32_t *ret);
void mind_device_output(struct mind *mind, const struct device_printed *output);
/* sense is another one: what it was reading is lost. */
void mind_device_lost(struct mind *mind);
/* Ends what nobody answers. To be called now and then. */
void mind_devices_tick(struct mind *mind, int64_t now);
void mind_forget_asked(struct mind *mind, const struct exec_session *session);
void mind_devices_done(struct mind *mind);

/* --- core_journal.c: devices' journals and tapes --- */

/* 0 or negative errno. */
int mind_journal_init(struct mind *mind);
/* A line in the journal of the device of that name, in which secrets are masked already. That it cannot be written is said,
 * in the log once, and stops nobody. */
void mind_journal(struct mind *mind, const char *device, struct instant wall, struct text line);
int mind_read_journal(void *context, struct text device, bool json, struct buffer *out, struct buffer *why);
/* An order goes out that this incident wants. */
void mind_note_order(struct mind *mind, uint64_t request, const char *incident);
/* To that device's tape. */
void mind_tape(struct mind *mind, const struct tape_piece *piece);
/* `spimend journal`, as control_answer_fn: journal and tape in one. */
int mind_tell_story(struct mind *mind, const struct control_request *request, struct buffer *out);

/* --- core_word.c: a person's word on a step --- */

struct mind_word {
	char id[INCIDENT_ID_MAX];
	uint32_t step;
	bool approves, json;
};
/* "alice (uid 1000)", as the record names a person. */
void mind_name_who(const struct mind *mind, uint32_t uid, char to[FLEET_WHO_MAX]);
/* 0: what follows from it is in `out`. Negative: `why`. */
int mind_say_word(struct mind *mind, const char *who, const struct mind_word *word, struct buffer *out, struct buffer *why);
int mind_take_word(struct mind *mind, const struct control_request *request, struct buffer *out);
int mind_word_typed(void *context, const struct exec_who *who, const char *id, uint32_t step, bool approves,
		    struct buffer *out, struct buffer *why);

/* --- core_poll.c: event snmp --- */

void mind_take_stat(struct mind *mind, int fd); /* -1: none any more */
/* Whether an applet polls. 0 or -ENOMEM. */
int mind_poll_configure(struct mind *mind, bool polls);
/* Answers an EEM_POLL. */
void mind_poll(struct mind *mind, const struct eem_output *output);

#endif
