/* SPDX-License-Identifier: MIT */
/*
 * A program of this machine that is told something on its standard input. Called by the role hook alone.
 *
 * Its arguments are those that the configuration has, split at blanks and handed over as they are, without a shell; what it
 * is told is read from a file in memory, and nothing of it reaches its arguments or its environment. It has a session of its
 * own, so that it ends with what it started.
 */
#ifndef REPAIR_PROGRAM_H
#define REPAIR_PROGRAM_H

#include <sys/types.h>

#include "base/text.h"

#define PROGRAM_ARGUMENTS_MAX 64

struct program {
	pid_t pid;      /* 0: none */
	int pid_fd;     /* owns: readable when it has ended */
	int complaints; /* owns; what it prints, on both outputs; non-blocking */
};
/* `arguments`: behind its path, separated by blanks. `home`: its working directory and HOME. 0 or a negative errno: then
 * *ret is untouched. */
int program_start(const char *path, const char *arguments, const char *home, struct text input, struct program *ret);
/* Kills it and what is in its session's group if it is not over, waits for it, closes all. Its status, as waitpid(2) tells;
 * -1: there was none. */
int program_end(struct program *program);

#endif
