/* SPDX-License-Identifier: MIT */
/*
 * The part of the role sense that hears traps: the socket from the parent, asked for again while it cannot be had, and what
 * comes of it to core. Used by role/sense_role.c alone.
 */
#ifndef ROLE_SENSE_TRAPS_H
#define ROLE_SENSE_TRAPS_H

#include "role/member.h"
#include "sense/traps.h"

struct sense_traps {
	struct member *member;      /* borrows */
	struct channel *core;       /* borrows; NULL: none */
	struct traps *is;           /* owns; NULL: none are heard */
	struct loop_source *source;
	struct loop_timer *timer;   /* asks for the socket again */
	struct trap_counts told;
	bool wanted;                /* asked for, and not answered yet */
};

int sense_traps_begin(struct sense_traps *t, struct member *member);
void sense_traps_done(struct sense_traps *t);
void sense_traps_reload(struct sense_traps *t);
/* Another core, or none (NULL). */
void sense_traps_core(struct sense_traps *t, struct channel *core);
void sense_traps_take(struct sense_traps *t, const struct role_resource *resource, const int *fds, size_t fd_count);
/* Counts go to core where they changed: to be called now and then. */
void sense_traps_tell(struct sense_traps *t);

#endif
