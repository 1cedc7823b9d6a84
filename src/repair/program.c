/* SPDX-License-Identifier: MIT */
#include "repair/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* To be read from its beginning; the descriptor or negative errno. */
static int file_of(struct text input)
{
	int fd = memfd_create("incident", MFD_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, input.at, input.len) != (ssize_t)input.len || lseek(fd, 0, SEEK_SET) < 0)
		r = errno ? -errno : -EIO;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int spawn(char *const *arguments, char *const *environment, const char *home, int input, int output, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r) {
		posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = r ? r : posix_spawnattr_setsigmask(&attributes, &none);
	r = r ? r : posix_spawnattr_setsigdefault(&attributes, &all);
	r = r ? r : posix_spawn_file_actions_addchdir_np(&actions, home);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	r = r ? r : posix_spawn(ret, arguments[0], &actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int program_start(const char *path, const char *arguments, const char *home, struct text input, struct program *ret)
{
	struct program made = { .pid_fd = -1, .complaints = -1 };
	char words[1024], first[256], home_variable[320];
	char *list[PROGRAM_ARGUMENTS_MAX + 2] = { first }, *rest = NULL, *word;
	char *environment[] = { (char[]){ "PATH=/usr/bin:/bin" }, (char[]){ "LC_ALL=C" }, home_variable, NULL };
	int ends[2], file, r;
	size_t count = 1;

	if (strlen(path) >= sizeof(first) || strlen(arguments) >= sizeof(words))
		return -ENAMETOOLONG;
	snprintf(first, sizeof(first), "%s", path);
	snprintf(words, sizeof(words), "%s", arguments);
	snprintf(home_variable, sizeof(home_variable), "HOME=%s", home);
	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (count == PROGRAM_ARGUMENTS_MAX + 1)
			return -E2BIG;
		list[count++] = word;
	}
	file = file_of(input);
	if (file < 0)
		return file;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		r = -errno;
		close(file);
		return r;
	}
	made.complaints = ends[0];
	/* Our end alone: a program that writes faster than we read is to wait, not to fail. */
	r = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : spawn(list, environment, home, file, ends[1], &made.pid);
	close(ends[1]);
	close(file);
	if (r == 0) {
		made.pid_fd = (int)syscall(SYS_pidfd_open, made.pid, 0);
		if (made.pid_fd < 0)
			r = -errno;
	}
	if (r == 0)
		*ret = made;
	else
		(void)program_end(&made);
	return r;
}

int program_end(struct program *program)
{
	int status = -1;

	close_fd(&program->complaints);
	if (program->pid > 0) {
		kill(-program->pid, SIGKILL);
		kill(program->pid, SIGKILL); /* before it has made its session */
		while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close_fd(&program->pid_fd);
	program->pid = 0;
	return status;
}
