/* SPDX-License-Identifier: MIT */
/*
 * A plan under construction: what the ladders of the different devices share. Private to the plan room.
 */
#ifndef PLAN_LADDER_H
#define PLAN_LADDER_H

#include "plan/names.h"
#include "plan/plan.h"

struct ladder {
	const struct incident *incident; /* borrows */
	struct plan *plan;               /* borrows */
	struct names names;
	const char *branch;      /* "If it is an IKE tunnel: ", or NULL */
	struct plan_step beyond; /* takes what is more than PLAN_STEPS_MAX: never printed */
};

/* A new step at `on`; `where` is the case it is for ("Where $S is yours: "), or NULL. Never NULL. */
struct plan_step *ladder_step(struct ladder *l, enum plan_role role, const struct spimend_address *on, const char *where);
/* A step that is typed nowhere: waiting, asking, reporting. */
struct plan_step *ladder_word(struct ladder *l, enum plan_role role, const char *where);
void ladder_command(struct ladder *l, struct plan_step *step, const char *template);
void ladder_blast(struct ladder *l, struct plan_step *step, const char *template);
void ladder_why(struct ladder *l, struct plan_step *step, const char *template);
/* The same, for the first words: when to type it, what must hold. */
void ladder_when(struct ladder *l, struct plan_step *step, const char *template);
/* A show at R, else at S where R is not ours, else in words: whoever can type it. */
struct plan_step *ladder_look(struct ladder *l, const char *at_receiver, const char *at_sender);
/* For steps that only look. */
void ladder_harmless(struct ladder *l, struct plan_step *step);

/* True where typing at that end is possible as far as we know. */
bool ladder_at_sender(const struct ladder *l);
bool ladder_at_receiver(const struct ladder *l);
/* B12: may R start IKE towards S? True also where the kind is not known; the step then says so. */
bool ladder_receiver_may_initiate(const struct ladder *l);

/* faults.md g, one function a ladder. */
void ladder_cisco(struct ladder *l);
void ladder_cisco_sender(struct ladder *l);  /* the sender's SA and peer steps alone, for observers that are not Cisco */
void ladder_ezvpn(struct ladder *l);
void ladder_sdwan(struct ladder *l, bool with_wait);
void ladder_ikeless(struct ladder *l);
void ladder_open_tunnel(struct ladder *l);
void ladder_strongswan(struct ladder *l);
void ladder_libreswan(struct ladder *l);
void ladder_other_vendor(struct ladder *l);
/* Looks alike, is another fault: mostly nothing to type. */
void ladder_other_fault(struct ladder *l);

#endif
