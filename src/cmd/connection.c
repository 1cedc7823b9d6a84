/* SPDX-License-Identifier: MIT */
#include "cmd/connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "spimend/error.h"

static int refuse(const char *command, const char *what)
{
	fprintf(stderr, "spimend %s: %s\n", command, what);
	return -1;
}

int connection_open(const char *command, const char *path, int seconds)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = seconds };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return refuse(command, "--socket: the path is longer than a socket's may be");
	text_copy(text_of(path), address.sun_path, sizeof(address.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return refuse(command, spimend_strerror(-errno));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (seconds)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
		fprintf(stderr, "spimend %s: no daemon listens at %s: is spimendd running?\n", command, path);
	else if (errno == EACCES || errno == EPERM)
		fprintf(stderr, "spimend %s: %s: permission denied; root may ask, the configured user, and the members of control-group\n",
			command, path);
	else
		fprintf(stderr, "spimend %s: %s: %s\n", command, path, spimend_strerror(-errno));
	close(fd);
	return -1;
}

void connection_clean(char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)bytes[i] < 0x20 && bytes[i] != '\n') || bytes[i] == 0x7f)
			bytes[i] = '.';
}
