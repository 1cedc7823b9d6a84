/* SPDX-License-Identifier: MIT */
/*
 * spimend's plugin inside charon as the role `act` lives with it: orders that VICI cannot give. Its reports go to the role
 * `sense` (sense/plugin_reports). The bytes are in doc/plugin-protocol.md; everything works without the plugin, only less
 * precisely.
 *
 * One connection (SOCK_SEQPACKET), connected and greeted by the parent, since the plugin takes one user alone, and since
 * the greeting settles what the connection may do. Everything goes through the calls below, in the order in which it came;
 * they may call ike_plugin_order(), nothing else of this header.
 *
 * Never here: a loop, a clock (time is CLOCK_MONOTONIC, an argument), budgets, the journal, a decision.
 */
#ifndef REPAIR_PLUGIN_H
#define REPAIR_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "model/plugin.h"

#define IKE_PLUGIN_ORDERS_MAX 16                  /* that were sent and have no result yet */
#define IKE_PLUGIN_GRACE_NS INT64_C(2000000000)   /* past an order's own wait until the plugin itself counts as lost */
#define IKE_PLUGIN_WELCOME_NS INT64_C(5000000000) /* from attaching to the plugin's greeting */

struct ike_plugin; /* opaque */

struct ike_plugin_order {
	uint64_t id;      /* the caller's, told again with the result */
	enum plugin_kind verb; /* PLUGIN_DELETE, _DROP_CHILD, _LIVENESS, _INVALID_SPI or _NOTIFY_OUTSIDE */
	uint32_t ike_id;
	uint32_t child_id; /* DROP_CHILD */
	uint8_t protocol;  /* 50 or 51: DELETE, INVALID_SPI and NOTIFY_OUTSIDE */
	uint32_t spi;      /* all but LIVENESS */
	uint32_t wait_ms;  /* 1 to PLUGIN_WAIT_MS_MAX: for its turn and its answer; not for DROP_CHILD and NOTIFY_OUTSIDE */
	/* NOTIFY_OUTSIDE, which has no ike_id: from whom and to whom; the stray's source port in UDP, or 0 */
	struct spimend_address local, remote;
	uint16_t remote_port;
};

struct ike_plugin_calls {
	void *context; /* borrows */
	/* Once after the plugin greeted, and once more when it is lost. `version`: charon's; empty when lost. */
	void (*state)(void *context, uint16_t daemon, bool up, const char *version);
	/* Exactly once for each order that ike_plugin_order() took: `result` is a PLUGIN_RESULT. `took_ns`: as seen here. */
	void (*result)(void *context, uint16_t daemon, uint64_t id, const struct plugin_message *result, int64_t took_ns);
	/* After a result PLUGIN_NO_REPLY, at most once: a PLUGIN_LATE. */
	void (*late)(void *context, uint16_t daemon, uint64_t id, const struct plugin_message *late);
	/* Right before the fd is closed: nobody may watch it any more. NULL: nobody does. */
	void (*closing)(void *context);
};

/* The parent's part: connects to the socket and greets with `flags` (PLUGIN_WANT_REPORTS, _REPORTS_ONLY; for orders 0 or
 * PLUGIN_CRASH_ON, _OFF). Never waits. 0 or negative errno. */
int ike_plugin_connect(const char *path, uint8_t flags, int *ret_fd);

/* Down, until an fd is handed in. `daemon` is the IKE daemon's index. Takes a copy of calls. NULL: no memory. */
struct ike_plugin *ike_plugin_new(uint16_t daemon, const struct ike_plugin_calls *calls);
void ike_plugin_free(struct ike_plugin *p); /* closes; no call is made. NULL is fine */

/* Takes a socket of ike_plugin_connect(), for orders (closes it, also on failure). An old one is closed first. */
int ike_plugin_attach(struct ike_plugin *p, int fd, int64_t now);
/* Whether orders are taken; if not, why: a static string, never NULL. */
bool ike_plugin_is_down(const struct ike_plugin *p, const char **ret_why);

/* Whether it greeted with crash detection on: PLUGIN_CRASH_ON of its WELCOME. */
bool ike_plugin_detects_crashes(const struct ike_plugin *p);

int ike_plugin_get_fd(const struct ike_plugin *p); /* -1 while there is none */
bool ike_plugin_wants_write(const struct ike_plugin *p);
/* When readable (or hung up), when writable, and at or after the deadline (INT64_MAX: none). Each may make calls, and may
 * find that the plugin is gone: ask ike_plugin_get_fd() and _wants_write() again after any of them. */
void ike_plugin_read(struct ike_plugin *p, int64_t now);
void ike_plugin_write(struct ike_plugin *p, int64_t now);
int64_t ike_plugin_deadline(const struct ike_plugin *p);
void ike_plugin_tick(struct ike_plugin *p, int64_t now);

/* 0: taken, a result follows. Not taken (no result follows): -ENOTCONN while down, -ENOBUFS when too many wait, -EINVAL. */
int ike_plugin_order(struct ike_plugin *p, const struct ike_plugin_order *order, int64_t now);

struct ike_plugin_counts {
	uint64_t attached, lost, orders, malformed;
};
struct ike_plugin_counts ike_plugin_count(const struct ike_plugin *p);

#endif
