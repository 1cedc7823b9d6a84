/* SPDX-License-Identifier: MIT */
/*
 * The part of the role core that knows this gateway's neighbours, for the applets that wait for them. Used by role/core_*.c.
 */
#ifndef ROLE_CORE_NEIGHBORS_H
#define ROLE_CORE_NEIGHBORS_H

#include "core/neighbors.h"
#include "model/config.h"
#include "role/loop.h"

struct mind;

struct mind_neighbors {
	struct neighbors *table;      /* owns; NULL: no applet waits for any */
	struct loop_timer *timer;
	struct neighbor_counts counts; /* as sense told them */
	struct neighbor_hearing told[CONFIG_INTERFACES_MAX]; /* what the parent was asked for, by place in the configuration */
};

/* The configuration or the applets are others: the parent learns what is to be heard. `anew`: it forgot what it knew. */
void mind_neighbors_configure(struct mind *mind, bool anew);
void mind_take_neighbor(struct mind *mind, const struct neighbor *said);
void mind_neighbors_done(struct mind *mind);

#endif
