/* SPDX-License-Identifier: MIT */
#include "repair/ssh_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "repair/ssh.h"
#include "spimend/error.h"

#define PASSWORD_MAX 256

int ssh_ask_allow(const char *slip, const char *password_file)
{
	size_t len = strlen(password_file);
	int fd, r = 0;

	if (unlink(slip) < 0 && errno != ENOENT)
		return -errno;
	fd = open(slip, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, password_file, len) != (ssize_t)len)
		r = -EIO;
	close(fd);
	if (r < 0)
		unlink(slip);
	return r;
}

bool ssh_ask_forbid(const char *slip)
{
	return unlink(slip) < 0 && errno == ENOENT;
}

/* The path that is on it. */
static int read_slip(const char *slip, char *ret, size_t size)
{
	int fd = open(slip, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, ret, size - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	ret[n] = '\0';
	return 0;
}

static int refuse(const char *why)
{
	pid_t ssh = getppid();

	fprintf(stderr, "%s\n", why);
	fflush(stderr);
	if (ssh > 1)
		kill(ssh, SIGTERM);
	return 1;
}

int ssh_ask_answer(const char *slip)
{
	char path[DEVICE_PATH_MAX], password[PASSWORD_MAX], why[DEVICE_PATH_MAX + 80];
	int r = read_slip(slip, path, sizeof(path));
	bool done;

	if (r == -ENOENT)
		return refuse("it asks a second time, and is told nothing");
	if (r < 0)
		return refuse("nobody knows which password it may have");
	r = ssh_read_secret(path, password, sizeof(password) - 1);
	if (r < 0) {
		snprintf(why, sizeof(why), "%s: %s", path, ssh_secret_trouble(r));
		return refuse(why);
	}
	strcat(password, "\n");
	if (unlink(slip) < 0) /* of two who want it one gets it */
		done = refuse("it asks a second time, and is told nothing") == 0;
	else
		done = write(STDOUT_FILENO, password, strlen(password)) == (ssize_t)strlen(password);
	explicit_bzero(password, sizeof(password));
	return done ? 0 : 1;
}
