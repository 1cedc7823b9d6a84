/* SPDX-License-Identifier: MIT */
/*
 * The service manager's notification socket, sd_notify(3), without its library: a datagram of NAME=value lines.
 *
 * Called by the parent. Nothing here fails in a way that would concern the daemon.
 */
#ifndef ROLE_NOTIFY_H
#define ROLE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;              /* owns; -1: nobody listens */
	int64_t watchdog_ns; /* how often it wants to hear of us; 0: never */
};

/* Reads NOTIFY_SOCKET and WATCHDOG_USEC, and removes them from the environment. */
void notify_init(struct notify *notify);
void notify_done(struct notify *notify);
void notify_say(struct notify *notify, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
