/* SPDX-License-Identifier: MIT */
/*
 * One IKE daemon (strongSwan's charon, over VICI) as the role `act` lives with it: what it says, and the four things it
 * may be told to do. Orders for spimend's plugin inside it (repair/plugin) pass its check, too.
 *
 * Two connections, both connected by the parent: one carries events and lists, the other one orders, so that an order
 * that waits for a peer never hides the news. When either is lost both are closed and the daemon counts as down until
 * the parent hands in new ones. Everything told goes through the calls below, in the order in which it happened; the
 * calls may call ike_daemon_refresh() and ike_daemon_order(), nothing else of this header.
 *
 * An order addresses an SA by the daemon's unique id, or a connection by an id that is looked up in what this daemon
 * itself listed last. Before its verb runs the target is read afresh: gone or busy means refused. No text from outside
 * ever becomes part of a command.
 *
 * Never here: a loop, a clock (time is CLOCK_MONOTONIC, an argument; the wall clock is read only to date the daemon's
 * start), budgets, the journal, a decision.
 */
#ifndef REPAIR_DAEMON_H
#define REPAIR_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "model/daemon_line.h"
#include "model/gateway.h"

#define IKE_DAEMON_CONNECTIONS_MAX 65536 /* configured children that are remembered for ORDER_INITIATE */
#define IKE_DAEMON_ORDERS_MAX 32         /* orders that wait or run */

struct ike_daemon; /* opaque */

struct ike_daemon_calls {
	void *context; /* borrows */
	/* First of all after both fds work, and once more when the daemon is lost (up false). */
	void (*state)(void *context, const struct daemon_state *state);
	/* list-conns: a whole new table each time. Not complete: keep what was known as well. */
	void (*connections_begin)(void *context, uint16_t daemon);
	void (*connection)(void *context, const struct connection *connection);
	void (*connections_end)(void *context, uint16_t daemon, bool complete);
	/* list-sas. `serial` is the one of ike_daemon_refresh(), 0 for the list after connecting; the list was begun after
	 * that request. It answers every earlier serial too. Not complete: what is absent is not gone. Events of SAs may
	 * come in between and are newer than what the list says of the same SA. */
	void (*snapshot_begin)(void *context, uint16_t daemon, uint32_t serial);
	void (*ike)(void *context, const struct ike_sa *ike);
	void (*child)(void *context, const struct child_sa *child); /* after its ike */
	void (*snapshot_end)(void *context, uint16_t daemon, uint32_t serial, bool complete);
	void (*child_event)(void *context, const struct child_event *event);
	void (*ike_event)(void *context, const struct ike_event *event);
	void (*hint)(void *context, const struct daemon_hint *hint);
	/* Each line of its log, of level 1, while ike_daemon_tell_lines() asked for them. NULL: nobody wants them. */
	void (*line)(void *context, const struct daemon_line *line);
	/* Exactly once for each order that ike_daemon_order() took, but those that checked() was called with. */
	void (*result)(void *context, const struct order_result *result);
	/* An order for the plugin (order_takes_plugin()): its target was read afresh and nothing stands against it. It is the
	 * caller's now: whoever has the plugin carries it out. */
	void (*checked)(void *context, const struct order *order);
	/* Right before one of its fds is closed: nobody may watch it any more. NULL: nobody does. */
	void (*closing)(void *context, int fd);
};

struct ike_daemon_limits { /* 0: the default */
	int64_t list_ns;     /* one whole list, 5 s */
	int64_t initiate_ns; /* 10 s */
	int64_t terminate_ns; /* 5 s; an IKE SA whose peer is silent is destroyed after half of it */
	int64_t rekey_ns;    /* from queued to rekeyed, 5 s */
};

enum ike_daemon_fd { IKE_DAEMON_EVENTS, IKE_DAEMON_ORDERS, IKE_DAEMON_FDS };

/* Down, until fds are handed in. `daemon` is its index. Takes a copy of calls and limits (NULL: defaults). NULL: no
 * memory. */
struct ike_daemon *ike_daemon_new(uint16_t daemon, const struct ike_daemon_calls *calls,
				  const struct ike_daemon_limits *limits, int64_t now);
void ike_daemon_free(struct ike_daemon *d); /* closes; no call is made. NULL is fine */

/* Takes two connected stream sockets (closes them, also on failure) and starts to ask. Old ones are closed first. A
 * connection may break as it is written to: after this and any later call it may be down, and that was told. */
int ike_daemon_attach(struct ike_daemon *d, int events_fd, int orders_fd, int64_t now);
/* Whether it is down (never connected or lost), since when, and why: a static or inner string, never NULL. */
bool ike_daemon_is_down(const struct ike_daemon *d, int64_t *ret_since, const char **ret_why);

int ike_daemon_get_fd(const struct ike_daemon *d, enum ike_daemon_fd which); /* -1 while down */
bool ike_daemon_wants_write(const struct ike_daemon *d, enum ike_daemon_fd which);
/* When readable (or hung up), when writable, and at or after the deadline (INT64_MAX: none). Each may make calls, and
 * may find that the daemon is down: ask ike_daemon_get_fd() and _wants_write() again after any of them. */
void ike_daemon_read(struct ike_daemon *d, enum ike_daemon_fd which, int64_t now);
void ike_daemon_write(struct ike_daemon *d, enum ike_daemon_fd which, int64_t now);
int64_t ike_daemon_deadline(const struct ike_daemon *d);
void ike_daemon_tick(struct ike_daemon *d, int64_t now);

/* Asks for a list of all SAs (and of the connections). Serials rise; while one list runs the newest request waits.
 * -ENOTCONN while down. */
int ike_daemon_refresh(struct ike_daemon *d, uint32_t serial, int64_t now);
int ike_daemon_refresh_connections(struct ike_daemon *d, int64_t now);

/* Whether the lines of its log are told: off at first. */
void ike_daemon_tell_lines(struct ike_daemon *d, bool wanted);

/* 0: taken, a result follows. Not taken (no result follows): -ENOTCONN while down, -ENOBUFS when too many wait,
 * -EINVAL when it is not valid or not for this daemon. */
int ike_daemon_order(struct ike_daemon *d, const struct order *order, int64_t now);

struct ike_daemon_counts {
	uint64_t attached, lost, lists, lists_incomplete, events, hints, malformed, connections_dropped;
};
struct ike_daemon_counts ike_daemon_count(const struct ike_daemon *d);

#endif
