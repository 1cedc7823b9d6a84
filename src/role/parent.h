/* SPDX-License-Identifier: MIT */
/*
 * The parent: the only process with privilege. Reads the configuration, opens what needs root, executes the roles and hands
 * them their descriptors, executes them anew when they die, reloads, stops. It reads nothing from outside but the
 * configuration file, and of rtnetlink only that something changed.
 *
 * Called by cmd/spimendd.
 */
#ifndef ROLE_PARENT_H
#define ROLE_PARENT_H

#include <stdbool.h>

#define PARENT_CONFIG "/etc/spimend/spimend.conf"

struct parent_options {
	const char *config;  /* path; borrows */
	bool is_check;       /* -n */
	bool in_front;       /* -f */
};

/* Runs the daemon, or checks the configuration. Returns the exit status: 0, or 2 with the reason on stderr. */
int parent_run(const struct parent_options *options);

#endif
