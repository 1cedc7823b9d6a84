/* SPDX-License-Identifier: MIT */
/*
 * The roles as the program starts them. Each is wiring: it hands what one room says to the next one, and decides
 * nothing. Called by cmd/spimendd alone. Each returns its exit status.
 */
#ifndef ROLE_ROLES_H
#define ROLE_ROLES_H

/* Reads packets, audit records and counters; tells core what it saw; watches what core names. */
int sense_role_run(void);
/* Judges and decides with core/core; keeps the store; answers the control socket; writes the device log. */
int core_role_run(void);
/* Talks to the IKE daemons and the kernel; carries orders out, each once. */
int act_role_run(void);
/* Sends traps and log lines to the receivers of the configuration. */
int dial_role_run(void);
/* Logs in to the configuration's devices and types what core orders; sense reads what comes back. */
int ssh_role_run(void);
/* Serves the page, its API and the metrics; asks core. */
int web_role_run(void);
/* Runs the configuration's program at each change of an incident. */
int hook_role_run(void);

#endif
