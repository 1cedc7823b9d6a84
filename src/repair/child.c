/* SPDX-License-Identifier: MIT */
#include "repair/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int spawn(char *const *arguments, char *const *environment, posix_spawn_file_actions_t *actions, pid_t *ret)
{
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int r = posix_spawnattr_init(&attributes);

	if (r)
		return -r;
	sigemptyset(&none);
	sigfillset(&all); /* whoever started the daemon may ignore SIGHUP, and then ssh would not hang up (nohup(1)) */
	r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = r ? r : posix_spawnattr_setsigmask(&attributes, &none);
	r = r ? r : posix_spawnattr_setsigdefault(&attributes, &all);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	r = r ? r : posix_spawn(ret, arguments[0], actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	return -r;
}

int child_start(char *const *arguments, char *const *environment, posix_spawn_file_actions_t *actions, pid_t *ret_pid,
		int *ret_pid_fd)
{
	int r = spawn(arguments, environment, actions, ret_pid);

	posix_spawn_file_actions_destroy(actions);
	if (r < 0)
		return r;
	*ret_pid_fd = (int)syscall(SYS_pidfd_open, *ret_pid, 0);
	return *ret_pid_fd < 0 ? -errno : 0;
}

int child_end(pid_t *pid, int *pid_fd, bool group)
{
	int status = -1;

	if (*pid > 0) {
		if (group)
			kill(-*pid, SIGKILL);
		kill(*pid, SIGKILL); /* before it has made its session, too */
		while (waitpid(*pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	*pid = 0;
	child_close(pid_fd);
	return status;
}

void child_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
