/* SPDX-License-Identifier: MIT */
/*
 * The part of the role sense that hears spimend's plugins inside the IKE daemons: one connection each, for reports only,
 * asked of the parent again when it is lost. Used by role/sense_role.c alone.
 */
#ifndef ROLE_SENSE_REPORTS_H
#define ROLE_SENSE_REPORTS_H

#include "role/member.h"
#include "sense/plugin_reports.h"

struct sense_reports;

struct sense_report_link { /* of one IKE daemon */
	struct sense_reports *of;   /* borrows */
	char path[CONFIG_PATH_MAX]; /* as configured; empty: none */
	struct plugin_reports *is;  /* owns; NULL: not connected */
	struct loop_source *source;
	struct plugin_state state;  /* as told core last */
	uint64_t reports, lost, malformed; /* over the connections before this one, and what core did not take */
	bool wanted;
	int64_t wait, again;
};

struct sense_reports {
	struct member *member; /* borrows */
	struct channel *core;  /* borrows; NULL: none */
	struct loop_timer *timer;
	struct sense_report_link links[GATEWAY_DAEMONS_MAX];
};

int sense_reports_begin(struct sense_reports *r, struct member *member);
void sense_reports_done(struct sense_reports *r);
/* The configuration may name other plugins now. */
void sense_reports_reload(struct sense_reports *r);
/* Another core, or none (NULL). */
void sense_reports_core(struct sense_reports *r, struct channel *core);
void sense_reports_take(struct sense_reports *r, const struct role_resource *resource, const int *fds, size_t fd_count);
/* Counts go to core where they changed: to be called now and then. */
void sense_reports_tell(struct sense_reports *r);

#endif
