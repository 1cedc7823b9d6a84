/* SPDX-License-Identifier: MIT */
/* The way to the daemon's control socket, for all commands that ask it. */
#ifndef CMD_CONNECTION_H
#define CMD_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

/* Connects; says on stderr, in the name of `command`, why not. The descriptor, or -1. `seconds`: for an answer; 0: no
 * limit. */
int connection_open(const char *command, const char *path, int seconds);
/* Of what a daemon says only line feeds may be control characters: whoever has taken its core over must not get at the
 * terminal of root, who asks. */
void connection_clean(char *bytes, size_t len);

#endif
