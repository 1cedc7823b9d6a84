/* SPDX-License-Identifier: MIT */
/* The shell on a terminal: line editing, history, '?' as it is pressed, completion, pages. Nobody else knows
 * libedit. */
#ifndef CMD_TERMINAL_H
#define CMD_TERMINAL_H

#include "cmd/session.h"

/* Until the session is over or the terminal ends. 0, or -1: said on stderr. */
int terminal_run(struct session *session);

#endif
