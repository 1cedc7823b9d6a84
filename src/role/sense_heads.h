/* SPDX-License-Identifier: MIT */
/* Heads of packets in the role sense, on their way to core's flight recorder: of IKE messages, and of the first stray of a
 * flow. Used by role/sense_role.c alone. */
#ifndef ROLE_SENSE_HEADS_H
#define ROLE_SENSE_HEADS_H

#include "role/member.h"
#include "sense/heads.h"

#define SENSE_STRAY_HEADS_A_SECOND 200

struct sense_heads {
	struct member *member; /* borrows */
	struct channel *core;  /* borrows; NULL: none */
	struct sense_heads_ear {
		struct sense_heads *of;     /* borrows */
		struct heads_ear is;
		struct loop_source *source; /* owns; NULL: this place is free */
		bool pauses;                /* it had its share of this second */
	} ears[CONFIG_INTERFACES_MAX];
	int64_t second;
	uint32_t strays;
};

void sense_heads_begin(struct sense_heads *h, struct member *member);
void sense_heads_done(struct sense_heads *h);
void sense_heads_core(struct sense_heads *h, struct channel *core);
/* An error, or a socket more: closes the one of that interface from before. */
void sense_heads_take(struct sense_heads *h, const struct role_resource *resource, const int *fds, size_t fd_count);
/* Once a second: those that had their share hear again. */
void sense_heads_tick(struct sense_heads *h);
/* The first bytes of a stray, from its IP header to its sequence number. */
void sense_heads_stray(struct sense_heads *h, struct text bytes, const struct sighting *one);

#endif
