/* SPDX-License-Identifier: MIT */
/*
 * The role act in its parts: role/act_role.c lives with core and the loop, role/act_links.c with the IKE daemons and the
 * kernel, role/act_plugin.c with spimend's plugin inside the daemons, role/act_orders.c carries orders out. Private to them.
 */
#ifndef ROLE_ACT_ROLE_H
#define ROLE_ACT_ROLE_H

#include "repair/act_budget.h"
#include "repair/daemon.h"
#include "repair/journal.h"
#include "repair/plugin.h"
#include "repair/xfrm.h"
#include "role/member.h"

#define UNDER_WAY_MAX (IKE_DAEMON_ORDERS_MAX * GATEWAY_DAEMONS_MAX)

struct act;

struct link_daemon { /* one IKE daemon and how we are connected to it */
	struct act *act; /* borrows */
	uint16_t index;
	struct ike_daemon *daemon; /* owns */
	struct loop_source *sources[IKE_DAEMON_FDS];
	int watched[IKE_DAEMON_FDS]; /* the descriptors that the sources stand for, -1: none */
	struct daemon_state state;
	uint32_t serial, asked; /* of the latest list; of the latest that core asked for, 0: none */
	uint64_t asked_core;    /* its number there */
	bool has_state, was_up, wanted;
	int64_t wait, again;
	int64_t up_since;       /* of was_up */
	uint32_t falls;         /* how often in a row it was lost soon after it had come up */
	int said_error;
	struct link_plugin { /* for orders; nothing of it where the configuration names none */
		struct ike_plugin *is; /* owns; NULL */
		struct loop_source *source;
		int watched;           /* the descriptor that it stands for, -1: none */
		struct plugin_state state; /* as told core */
		bool wanted;
		int64_t wait, again;
	} plugin;
};

struct act {
	struct member *member; /* borrows */
	struct channel *core;  /* owns */
	struct link_daemon daemons[GATEWAY_DAEMONS_MAX];
	uint32_t daemon_count;
	struct xfrm_mirror *mirror; /* owns */
	struct loop_source *mirror_sources[XFRM_MIRROR_FDS];
	struct journal *journal;    /* owns */
	int journal_error;
	struct act_budget *budget;  /* owns */
	struct loop_timer *timer;
	uint32_t serial;            /* of the latest list of the kernel's SAs */
	uint64_t under_way[UNDER_WAY_MAX]; /* order ids */
	size_t under_way_count;
	uint64_t journal_failures;  /* as told last */
	uint64_t refused;           /* orders, with nothing done */
	int64_t refused_said;
	struct lack {               /* what the parent is asked for again while it cannot be had */
		bool wanted;
		int64_t again;
	} journal_lack, mirror_lack;
	bool paused, lost_news;     /* core does not keep up; something was dropped: everything is to be told again */
	bool kernel_wanted;
};

/* --- act_role.c --- */

/* To core; what it does not take is remembered, and then everything is told again. */
void act_tell(struct act *act, enum message_type type, const void *item);
void act_tell_list(struct act *act, enum message_type type, uint16_t daemon, uint64_t serial, bool complete);
/* After anything: the loop waits for what is to be waited for now. */
void act_settle(struct act *act);

/* --- act_links.c --- */

struct ike_daemon_calls act_daemon_calls(struct link_daemon *link);
/* Asks the parent for connections to a daemon that is down. Returns when it wants to be asked again. */
int64_t act_reconnect_daemon(struct act *act, struct link_daemon *link, int64_t now);
/* The loop watches what the daemon has now: descriptors come and go within any of its calls. */
void act_watch_daemon(struct act *act, struct link_daemon *link);
void act_take_daemon(struct act *act, const struct role_resource *resource, const int *fds, size_t fd_count);
void act_refresh_kernel(struct act *act);
void act_take_kernel(struct act *act, const int *given);

/* --- act_plugin.c --- */

/* For a daemon whose configuration names a plugin. 0 or -ENOMEM. */
int act_begin_plugin(struct act *act, struct link_daemon *link);
/* Asks the parent for a connection to a plugin that is down; watches what there is. Returns when it wants to be asked again,
 * or to be ticked. */
int64_t act_settle_plugin(struct act *act, struct link_daemon *link, int64_t now);
void act_tick_plugin(struct link_daemon *link, int64_t now);
void act_take_plugin(struct act *act, const struct role_resource *resource, const int *fds, size_t fd_count);
void act_tell_plugin(struct act *act, const struct link_daemon *link);
bool act_has_plugin(const struct link_daemon *link);
/* Its target was checked: it goes out, or its result says why not. */
void act_order_plugin(struct link_daemon *link, const struct order *order);

/* --- act_orders.c --- */

void act_take_order(struct act *act, const struct order *order);
void act_on_result(struct act *act, const struct order_result *result);
void act_take_journal(struct act *act, int fd);
void act_tell_journal(struct act *act);
/* A new budget from the configuration. */
struct act_budget_settings act_budget_of(const struct config *config);

#endif
