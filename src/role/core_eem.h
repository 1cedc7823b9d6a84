/* SPDX-License-Identifier: MIT */
/*
 * The applets in the role core: what happens on this gateway is told to the engine of src/eem, and what an applet wants done
 * takes the ways that everything else takes: commands go through the command line, lines to the log, traps to the role dial.
 * Used by role/core_*.c.
 */
#ifndef ROLE_CORE_EEM_H
#define ROLE_CORE_EEM_H

#include "base/buffer.h"
#include "eem/eem.h"
#include "exec/exec.h"
#include "model/dial.h"
#include "model/snmp.h"

#define MIND_RUNS_MAX 32 /* that have a terminal line of their own at once; the engine's runs_max */

#define MIND_FILES_MAX 4  /* that one run has open */
#define MIND_FILE_BYTES_MAX (1u << 20) /* that it reads */
#define MIND_MAILS_MAX 8 /* on their way to the role dial at once */
#define MIND_HOLDS_MAX 64 /* sessions that wait for an applet */

struct mind;
struct mind_file;

struct mind_hold {
	struct exec_session *session; /* borrows; NULL: this place is free */
	uint64_t terminal;
	uint64_t token;   /* its line waits for the EEM_VERDICT with this; 0: it waits for the end of `run` */
	uint64_t run;
	uint64_t request; /* of an applet whose command waits */
	uint64_t reads;   /* an applet's `gets`: the next line is the answer to this */
	bool late;        /* the applet ended before that line came */
	bool run_it;
};

struct mind_eem {
	struct eem *engine;            /* owns; NULL: no memory */
	struct loop_timer *timer;
	bool busy;                     /* its outputs are being carried out */
	struct mind_run {
		uint64_t run;                 /* 0: this place is free */
		struct exec_session *session; /* owns */
		struct mind_file *files[MIND_FILES_MAX]; /* own; NULL: that place is free */
	} runs[MIND_RUNS_MAX];
	struct mind_hold holds[MIND_HOLDS_MAX];
	uint64_t tokens, terminals; /* numbers given last */
	uint64_t mails[MIND_MAILS_MAX]; /* requests that dial has; 0: free */
	uint64_t refused; /* what applets wanted and this version has not */
};

/* mind->exec.applets are others now. 0 or negative errno, which was said. */
int mind_eem_configure(struct mind *mind);
void mind_eem_done(struct mind *mind);

/* A line of this gateway's own log. */
void mind_eem_line(struct mind *mind, int severity, struct text line);
/* A line of another device's: for the applets that name it. */
void mind_eem_device_line(struct mind *mind, const char *device, struct text line);
void mind_eem_trap(struct mind *mind, const struct snmp_trap *trap);
void mind_eem_neighbor(struct mind *mind, enum neighbor_change change, const struct neighbor *neighbor);
/* What became of a mail; and that dial, which had some, is gone. */
void mind_eem_mailed(struct mind *mind, const struct dial_mailed *mailed);
void mind_eem_no_dial(struct mind *mind);
void mind_eem_track(struct mind *mind, uint32_t object, bool is_up);
void mind_eem_no_track(struct mind *mind, uint32_t object);
/* The answer to an EEM_COMMAND: what it printed, with the prompt of its session behind it. */
void mind_answer_command(struct mind *mind, uint64_t request, struct exec_session *session, enum exec_result result,
			 struct buffer *out);

/* --- core_eem_files.c: action file --- */

void mind_use_file(struct mind *mind, struct mind_run *run, const struct eem_output *output);
void mind_close_files(struct mind_run *run);

/* --- core_typed.c: who waits for an applet --- */

/* As exec_port.typed and exec_port.run_applet. */
enum exec_typed mind_typed(void *context, struct exec_session *session, enum exec_key key, struct text line);
int mind_run_applet(void *context, struct exec_session *session, const char *name, struct text arguments,
		    struct buffer *why);
bool mind_waits_for_applet(struct mind *mind, const struct exec_session *session);
void mind_take_verdict(struct mind *mind, uint64_t token, bool run_it);
void mind_applet_ended(struct mind *mind, uint64_t run);
/* The command of an applet's session waits for another applet: this request is answered then. */
void mind_hold_command(struct mind *mind, const struct exec_session *session, uint64_t request);
/* The session is gone, or its line was given up. */
void mind_drop_hold(struct mind *mind, const struct exec_session *session);
/* puts and gets. False: nobody waits there. */
bool mind_put(struct mind *mind, uint64_t terminal, struct text text, bool newline);
bool mind_gets(struct mind *mind, uint64_t terminal, uint64_t request);
/* A line that an applet reads is no command: true when it was one, and *ret says what became of it. */
bool mind_take_line(struct mind *mind, struct exec_session *session, struct text line, struct buffer *out,
		    enum exec_result *ret);

#endif
