/* SPDX-License-Identifier: MIT */
#include "repair/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "repair/child.h"

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

static int spawn(char *const *arguments, char *const *environment, const char *home, int input, int output,
		 struct program *program)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_addchdir_np(&actions, home);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (r) {
		posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	return child_start(arguments, environment, &actions, &program->pid, &program->pid_fd);
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
	r = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : spawn(list, environment, home, file, ends[1], &made);
	close(ends[1]);
	close(file);
	if (r == 0)
		*ret = made;
	else
		(void)program_end(&made);
	return r;
}

int program_end(struct program *program)
{
	child_close(&program->complaints);
	return child_end(&program->pid, &program->pid_fd, true);
}
