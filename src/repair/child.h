/* SPDX-License-Identifier: MIT */
/*
 * A program in a session of its own, told by a descriptor when it has ended. Called by repair/ssh and repair/program, which
 * say what it has for its first three descriptors; it inherits no other, and no signal is blocked or ignored in it.
 */
#ifndef REPAIR_CHILD_H
#define REPAIR_CHILD_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

/* `actions`: what is done in it first; destroyed here. 0 or negative errno; *ret_pid is set as soon as there is a process,
 * also where it then fails: child_end() is to be called in any case. */
int child_start(char *const *arguments, char *const *environment, posix_spawn_file_actions_t *actions, pid_t *ret_pid,
		int *ret_pid_fd);
/* Kills it, or with `group` whatever is in its session's group, if it is not over, and waits for it. Its status as
 * waitpid(2) tells; -1: there was none. */
int child_end(pid_t *pid, int *pid_fd, bool group);
void child_close(int *fd); /* where it is open */

#endif
