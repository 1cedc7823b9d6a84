/* SPDX-License-Identifier: MIT */
/*
 * From a judged incident to what to type, where, what else it disturbs, and why. Pure: reads an incident, allocates
 * only what it returns, decides nothing about whether to act.
 *
 * Called by cmd (analyze) and later by core. It never builds a command from message text: addresses and SPIs are printed
 * from their types, and a step for an unknown address says so instead of naming one.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/buffer.h"
#include "model/incident.h"

enum plan_role {
	PLAN_SENDER,     /* S, which encrypts with the stale SA */
	PLAN_RECEIVER,   /* R, which drops */
	PLAN_CLIENT,     /* the EzVPN client */
	PLAN_CONTROLLER, /* what keys an ikeless tunnel */
};

#define PLAN_STEPS_MAX 10   /* an open tunnel: the show that decides, five IKE steps, four SD-WAN steps */
#define PLAN_COMMAND_MAX 128
#define PLAN_TEXT_MAX 1024 /* no step comes near it: a cut sentence would be a wrong one */

struct plan_step {
	bool has_on;                /* false: the address of the device is not known */
	struct spimend_address on;  /* where to type it */
	enum plan_role role;
	bool needs_approval;        /* wider than the tunnel: a person has to agree (DESIGN 4) */
	bool disturbs_nothing;      /* a show or a wait */
	char command[PLAN_COMMAND_MAX];   /* as typed: exec mode on a router (`why` says where it is configuration mode), shell on
					   * Linux; words in capitals are for the person to fill in; empty when the step
					   * is no command (waiting, asking, reporting) */
	char blast_radius[PLAN_TEXT_MAX]; /* what else it disturbs */
	char why[PLAN_TEXT_MAX];          /* why this, why here, what must hold first */
	size_t when_len;                  /* of `why`: its first words, which say when to type it and what to check before */
};

struct plan {
	struct plan_step steps[PLAN_STEPS_MAX];
	size_t count;
};

const char *plan_role_name(enum plan_role role);
/* The first words of `why`, without the mark at their end: for who reads in a hurry. */
struct text plan_step_when(const struct plan_step *step);

/* Fills the ladder for this incident, narrowest rung first; zero steps where nothing may or need be done (transient,
 * noise). For undecided incidents these are the steps to take if it comes again, and each `why` says so. */
void plan_build(const struct incident *incident, struct plan *ret);

#endif
