/* SPDX-License-Identifier: MIT */
/*
 * What a show command gets to see, and what a command may ask for. Called by the commands of this room (show_*.c and their
 * sisters); filled by the role core. Everything in a view is borrowed and valid for one command.
 */
#ifndef EXEC_VIEW_H
#define EXEC_VIEW_H

#include "base/buffer.h"
#include "core/core.h"
#include "exec/cleared.h"
#include "exec/logbook.h"
#include "model/config.h"
#include "model/debug.h"
#include "model/link.h"

struct exec_session;
struct exec_who;
struct eem;

struct exec_view {
	const struct core *core;            /* core_walk_next(), core_figures(), core_incident_at() */
	const struct config *config;        /* as it runs */
	const struct core_figures *figures; /* of `now` */
	struct moment now;
	struct instant started;             /* wall: when this daemon came up */
	int64_t up_ns;                      /* since then */
	const struct exec_cleared *cleared; /* `clear crypto sa counters`; NULL: never. exec_tunnel_next() applies it */
	const struct link_list *links;      /* interfaces with their addresses; NULL: cannot be read, see links_error */
	int links_error;                    /* negative errno */
	const struct neighbour_list *neighbours; /* of GRE devices; NULL: as links */
	const struct logbook *logbook;      /* `logging buffered` */
	const struct debug_state *debug;
	const struct track_state *tracks;   /* `track` objects, by number */
	uint32_t track_count;
	const struct eem *eem;              /* the applets; NULL: none are loaded */
};

/* The next tunnel as core has it, its counters less what was cleared. False at the end. */
bool exec_tunnel_next(const struct exec_view *view, struct core_walk *walk, struct core_tunnel *ret);

/* Pages that other rooms print; of incidents and statistics `id` is which of them, as parse/incident_filter.h has it. */
enum exec_page { EXEC_PAGE_STATUS, EXEC_PAGE_INCIDENTS, EXEC_PAGE_INCIDENT /* `id` */, EXEC_PAGE_RUNNING,
		 EXEC_PAGE_STARTUP, EXEC_PAGE_STATS };

enum exec_key { EXEC_KEY_ENTER, EXEC_KEY_TAB, EXEC_KEY_QUESTION };
enum exec_typed { EXEC_TYPED_RUN, EXEC_TYPED_SKIP, EXEC_TYPED_HOLD };

/* What a line of configuration stands in. */
enum exec_block { EXEC_BLOCK_NONE, EXEC_BLOCK_SPIMEND, EXEC_BLOCK_DEVICE, EXEC_BLOCK_APPLET };
struct exec_change {
	enum exec_block block;
	struct text lines;   /* one line; of a device two, first "device NAME"; of an applet all, first "event manager applet NAME" */
};

/* The world, as the commands may touch it. Every member is set. Functions return 0 or a negative code and then say why in
 * `why` (a sentence without "% "). */
struct exec_port {
	void *context; /* borrows */
	void (*view)(void *context, struct exec_view *ret);
	/* 0, or -ENOENT (no such incident), -ENOTUNIQ, others. */
	int (*page)(void *context, enum exec_page page, const char *id, bool json, struct buffer *out);
	/* Renews all SAs with a peer: judged, budgeted and journalled as a repair. What was ordered goes to `out`. */
	int (*clear_peer)(void *context, const struct exec_who *who, const struct spimend_address *peer, struct buffer *out,
			  struct buffer *why);
	void (*clear_counters)(void *context);
	void (*clear_log)(void *context);
	void (*set_debug)(void *context, const struct debug_state *state);
	/* In spimend's own directory. `name` was checked by exec_file_name(). */
	int (*write_file)(void *context, const char *name, bool append, struct text bytes, struct buffer *why);
	int (*list_files)(void *context, bool json, struct buffer *out, struct buffer *why);
	int (*read_file)(void *context, const char *name, struct buffer *out, struct buffer *why);
	int (*delete_file)(void *context, const char *name, struct buffer *why);
	/* Makes a change of the running configuration, all of it or nothing. Warnings go to `out` as lines. */
	int (*configure)(void *context, const struct exec_who *who, const struct exec_change *change, struct buffer *out,
			 struct buffer *why);
	/* Running to startup configuration. 0: it is on its way, and exec_finish() will be called. */
	int (*write_startup)(void *context, struct exec_session *session, struct buffer *why);
	/* `event manager run`. 0: it is on its way; 1: it is waited for, and exec_applet_ended() will be called. */
	int (*run_applet)(void *context, struct exec_session *session, const char *name, struct text arguments,
			  struct buffer *why);
	/* `on DEVICE COMMAND`. 0: it is on its way, and exec_finish_output() will be called. */
	int (*on_device)(void *context, struct exec_session *session, struct text device, struct text line, struct buffer *why);
	/* `approve ID STEP`, `deny ID STEP`: a person's word. What follows from it goes to `out`. */
	int (*say_word)(void *context, const struct exec_who *who, const char *id, uint32_t step, bool approves, struct buffer *out,
			struct buffer *why);
	/* `show spimend journal DEVICE`: what was done on it, the latest lines. */
	int (*journal)(void *context, struct text device, bool json, struct buffer *out, struct buffer *why);
	/* `event cli` of applets: a line is about to be run, or a key asked for help. `line` has its keywords written out where it
	 * is a command that there is. EXEC_TYPED_HOLD: exec_resume() will be called; never for another key than enter. */
	enum exec_typed (*typed)(void *context, struct exec_session *session, enum exec_key key, struct text line);
	/* One line in the log for what changes something: "uid 0: clear crypto sa peer 192.0.2.7". */
	void (*account)(void *context, const struct exec_who *who, struct text line);
};

#endif
