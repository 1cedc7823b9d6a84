/* SPDX-License-Identifier: MIT */
/*
 * The part of the role core that tells programs and logs of each change of an incident: webhooks, which dial posts; a
 * program, which the role hook runs; a line to the log, the syslog servers and applets, with fields in the journal. Used by
 * role/core_*.c.
 */
#ifndef ROLE_CORE_HOOK_H
#define ROLE_CORE_HOOK_H

#include "model/dial.h"
#include "model/incident_row.h"
#include "role/channel.h"
#include "role/told.h"

#define HOOK_LINES_A_MINUTE 60   /* of the log; further ones are counted, and told with the next */

struct mind;
struct core_incident;
struct fleet_incident;

struct mind_hooks {
	struct told_table told;
	struct channel *program;      /* owns; to the role hook; NULL: not there */
	struct dial_state states[HOOK_WEBS_MAX], program_state;
	int64_t window_ns;            /* mono */
	uint32_t lines, held;
};

int mind_take_hook(struct mind *mind, int fd);
void mind_hooks_done(struct mind *mind);
/* New or changed; nothing is told of what never was a fault, nor where state, verdict and cause are as told before. */
void mind_hook_incident(struct mind *mind, const struct core_incident *incident);
void mind_hook_case(struct mind *mind, const struct fleet_incident *incident);
/* What came from the store was told in another life. */
void mind_hook_restored(struct mind *mind, const struct incident_row *row);

#endif
