/* SPDX-License-Identifier: MIT */
#include "sense/syslog_journald.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/journald.h"

#define ROOM (64u << 10)

struct syslog_pipe {
	int fd, next; /* own; -1: none */
	struct journald reader;
	uint64_t position;
	bool catches_up; /* it may begin with what the pipe before it had */
	char room[ROOM];
};

int syslog_pipe_new(struct syslog_pipe **ret)
{
	struct syslog_pipe *pipe = memory_new(1, sizeof(*pipe));

	if (!pipe)
		return -ENOMEM;
	pipe->fd = pipe->next = -1;
	*ret = pipe;
	return 0;
}

void syslog_pipe_free(struct syslog_pipe *pipe)
{
	if (!pipe)
		return;
	if (pipe->fd >= 0)
		close(pipe->fd);
	if (pipe->next >= 0)
		close(pipe->next);
	memory_free(pipe);
}

static void begin(struct syslog_pipe *pipe, int fd)
{
	pipe->fd = fd;
	memset(&pipe->reader, 0, sizeof(pipe->reader));
	pipe->catches_up = true;
}

void syslog_pipe_take(struct syslog_pipe *pipe, int fd)
{
	if (pipe->fd < 0) {
		begin(pipe, fd);
		return;
	}
	if (pipe->next >= 0) /* it ended before it was ever read: the newer one begins where that one did */
		close(pipe->next);
	pipe->next = fd;
}

int syslog_pipe_fd(const struct syslog_pipe *pipe)
{
	return pipe->fd;
}

static void give(struct syslog_pipe *pipe, struct syslog *syslog, struct text host, const struct journald_entry *entry)
{
	if (pipe->catches_up && entry->taken_us && entry->taken_us <= pipe->position)
		return;
	pipe->catches_up = false;
	if (entry->taken_us)
		pipe->position = entry->taken_us;
	syslog_journald(syslog, entry, host);
}

bool syslog_pipe_read(struct syslog_pipe *pipe, struct syslog *syslog, struct text host, const char **ret_why)
{
	ssize_t n = 1;

	*ret_why = NULL;
	for (size_t done = 0; done < SYSLOG_JOURNALD_TURN; done += (size_t)n) {
		enum journald_step step;
		struct journald_entry entry;
		struct text bytes;

		n = read(pipe->fd, pipe->room, ROOM);
		if (n <= 0)
			break;
		bytes = (struct text){ pipe->room, (size_t)n };
		while ((step = journald_take(&pipe->reader, &bytes, &entry, ret_why)) == JOURNALD_ENTRY)
			give(pipe, syslog, host, &entry);
		if (step == JOURNALD_BROKEN) {
			syslog_counts(syslog)->broken++;
			return false;
		}
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

void syslog_pipe_next(struct syslog_pipe *pipe)
{
	int fd = pipe->next;

	if (pipe->fd >= 0)
		close(pipe->fd);
	pipe->fd = pipe->next = -1;
	if (fd >= 0)
		begin(pipe, fd);
}

uint64_t syslog_pipe_position(const struct syslog_pipe *pipe)
{
	return pipe->position;
}
