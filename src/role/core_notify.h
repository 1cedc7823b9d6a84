/* SPDX-License-Identifier: MIT */
/*
 * The part of the role core that tells others and hears what they tell: this gateway's own lines to the log and to the
 * syslog servers, traps in both directions, debugs. Used by role/core_*.c.
 */
#ifndef ROLE_CORE_NOTIFY_H
#define ROLE_CORE_NOTIFY_H

#include "core/debugger.h"
#include "model/dial.h"
#include "model/trap_counts.h"
#include "record/live_notify.h"
#include "role/channel.h"
#include "role/log.h"

struct mind;

struct mind_notify {
	struct channel *dial;   /* owns; NULL: not there */
	uint64_t lines;         /* numbers them */
	uint32_t trap_rows;     /* the history's index of what we send */
	uint64_t not_handed;    /* what dial did not take */
	int traps_error;
	struct debugger *debugger; /* owns */
	struct trap_counts traps;
	struct dial_state logs[NOTIFY_LOG_HOSTS_MAX], snmps[NOTIFY_HOSTS_MAX];
};

int mind_take_dial(struct mind *mind, int fd);
void mind_notify_done(struct mind *mind);
struct live_notify mind_notify_view(const struct mind *mind);

/* A line as an IOS device writes it ("%CRYPTO-4-..."), severity as in syslog: to this machine's log, and to the syslog
 * servers whose level it has. */
void mind_say_line(struct mind *mind, int severity, const char *line);
/* The same with fields for the journal, where that is this machine's log. */
void mind_say_line_with(struct mind *mind, int severity, const char *line, const struct log_field *fields, size_t count);
/* The same, to the syslog servers only. */
void mind_send_line(struct mind *mind, int severity, const char *line);

/* --- core_debug.c --- */

/* 0 or -ENOMEM. */
int mind_debug_begin(struct mind *mind);
void mind_debug_done(struct mind *mind);
void mind_set_debug(struct mind *mind, const struct debug_state *state);
/* act is new: it is told whether lines are wanted. */
void mind_debug_tell(struct mind *mind);
/* Every message of sense and act, before core takes it. */
void mind_debug_see(struct mind *mind, enum message_type type, const union message_item *item);

/* What sense heard. */
void mind_take_trap(struct mind *mind, const struct role_trap *trap);

/* To all SNMP hosts, when 'snmp-server enable traps event-manager' stands. host and mark of *trap are filled here. */
/* `ends`: to those hosts alone that are one of the two; NULL: to all. */
void mind_send_trap(struct mind *mind, struct dial_trap *trap, const struct spimend_address *ends);

#endif
