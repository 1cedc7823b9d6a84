/* SPDX-License-Identifier: MIT */
/*
 * spimend audit --live: asks the daemon's devices, over its control socket and as an operator would, for what the audit
 * compares. Nothing but 'show' is typed, and the daemon types nothing else for it.
 */
#ifndef CMD_AUDIT_LIVE_H
#define CMD_AUDIT_LIVE_H

#include "cmd/audit_run.h"

#define AUDIT_LIVE_READINGS 2    /* R, S, R: a rekey in between is no finding (devices.md 1) */
#define AUDIT_LIVE_SESSIONS 12   /* side by side; of the daemon's 16 some are left to people */
#define AUDIT_LIVE_OVER 1

/* Initialises `run`, reads all devices that somebody can log in to, or those of `names`, and judges; the devices of an error
 * or a warning are read once more, and what is not there any more is marked in run->is_gone. 0; AUDIT_LIVE_OVER: there is
 * nothing to judge, and why is said on stderr; or a negative code. */
int audit_live_read(struct audit_run *run, const char *socket, char *const *names, uint32_t name_count);

#endif
