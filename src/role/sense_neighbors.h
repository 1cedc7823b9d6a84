/* SPDX-License-Identifier: MIT */
/*
 * The part of the role sense that hears what neighbours advertise: sockets from the parent, frames to core. Used by
 * role/sense_role.c alone.
 */
#ifndef ROLE_SENSE_NEIGHBORS_H
#define ROLE_SENSE_NEIGHBORS_H

#include "role/member.h"
#include "sense/neighbors.h"

#define SENSE_EARS_MAX (2 * CONFIG_INTERFACES_MAX) /* two protocols */

struct sense_neighbors {
	struct member *member; /* borrows */
	struct channel *core;  /* borrows; NULL: none */
	struct sense_ear {
		struct sense_neighbors *of;   /* borrows */
		struct neighbor_ear is;
		struct loop_source *source;   /* owns; NULL: this place is free */
	} ears[SENSE_EARS_MAX];
	struct neighbor_counts counts, told;
};

void sense_neighbors_begin(struct sense_neighbors *n, struct member *member);
void sense_neighbors_done(struct sense_neighbors *n);
/* Another core, or none (NULL). */
void sense_neighbors_core(struct sense_neighbors *n, struct channel *core);
void sense_neighbors_take(struct sense_neighbors *n, const struct role_resource *resource, const int *fds, size_t fd_count);
/* Counts go to core where they changed: to be called now and then. */
void sense_neighbors_tell(struct sense_neighbors *n);

#endif
