/* SPDX-License-Identifier: MIT */
/*
 * The part of the role sense that hears the fleet's syslog: sockets and files from the parent, asked for again while they
 * cannot be had, and what comes of it to core, through a queue of its own, so that a burst neither is lost nor pushes out
 * what the packet sensor tells. Used by role/sense_role.c alone.
 */
#ifndef ROLE_SENSE_SYSLOG_H
#define ROLE_SENSE_SYSLOG_H

#include "role/member.h"
#include "sense/syslog.h"

#define SENSE_CLAIMS_MAX 32768 /* that wait for core; beyond that they are counted */

struct sense_syslog;

/* Only where something is to be heard; *ret is NULL else. 0 or a negative errno. */
int sense_syslog_new(struct member *member, struct sense_syslog **ret);
void sense_syslog_free(struct sense_syslog *h); /* NULL is fine */
/* All of these take NULL. */
void sense_syslog_reload(struct sense_syslog *h);
/* Another core, or none (NULL). */
void sense_syslog_core(struct sense_syslog *h, struct channel *core);
/* core takes more again. */
void sense_syslog_drained(struct sense_syslog *h);
/* True: it was one of its resources. */
bool sense_syslog_take(struct sense_syslog *h, const struct role_resource *resource, const int *fds, size_t fd_count);
/* Counts go to core: once a second. */
void sense_syslog_tell(struct sense_syslog *h);

#endif
