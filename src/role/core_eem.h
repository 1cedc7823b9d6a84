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
#include "model/snmp.h"

#define MIND_RUNS_MAX 32 /* that have a terminal line of their own at once; the engine's runs_max */

struct mind;

struct mind_eem {
	struct eem *engine;            /* owns; NULL: no memory */
	struct loop_timer *timer;
	bool busy;                     /* its outputs are being carried out */
	struct mind_run {
		uint64_t run;                 /* 0: this place is free */
		struct exec_session *session; /* owns */
	} runs[MIND_RUNS_MAX];
	uint64_t refused; /* what applets wanted and this version has not */
};

/* mind->exec.applets are others now. 0 or negative errno, which was said. */
int mind_eem_configure(struct mind *mind);
void mind_eem_done(struct mind *mind);

/* A line of this gateway's own log. */
void mind_eem_line(struct mind *mind, int severity, struct text line);
void mind_eem_trap(struct mind *mind, const struct snmp_trap *trap);
/* `event manager run`: 0, or negative with a sentence in `why`. */
int mind_eem_run(struct mind *mind, const char *name, struct text arguments, struct buffer *why);

#endif
