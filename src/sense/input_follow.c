/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "sense/input_private.h"

/* Never waits: a FIFO without a writer opens at once, and a terminal does not become ours. */
#define FOLLOW_FLAGS (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

#define POLL_NEVER (-1) /* a descriptor that poll() passes over */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Takes `fd` as the file to read. */
static void follow_adopt(struct input *in, int fd, const struct stat *st)
{
	if (in->fd >= 0)
		close(in->fd);
	in->fd = fd;
	in->is_regular = S_ISREG(st->st_mode);
	in->offset = 0;
	in->hung_up = false;
	in->format = INPUT_UNKNOWN;
}

int follow_open(struct input *in)
{
	unsigned char magic[4];
	enum input_format format;
	struct stat st;
	ssize_t n;
	int fd;

	if (!*in->name)
		return -ENOENT; /* no file will ever have this name */
	fd = open(in->name, FOLLOW_FLAGS);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	follow_adopt(in, fd, &st); /* from here on input_close() closes it */
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	n = in->is_regular ? pread(fd, magic, sizeof(magic), 0) : 0;
	format = n > 0 ? input_format_of(magic, (size_t)n) : INPUT_UNKNOWN;
	return format == INPUT_GZIP || format == INPUT_ZSTD ? -EINVAL : 0;
}

/* The file is now shorter than what we read of it. */
static bool is_truncated(const struct input *in)
{
	struct stat st;
	char last;

	if (fstat(in->fd, &st) < 0 || st.st_size >= in->offset)
		return false;
	/* Files in /proc have no size but bytes: the last byte that we read must be gone too. */
	return pread(in->fd, &last, 1, in->offset - 1) == 0;
}

static bool has_grown(const struct input *in)
{
	struct stat st;
	char next;

	if (fstat(in->fd, &st) < 0 || st.st_size <= in->offset)
		return false;
	/* Files in /sys have a size but fewer bytes. An error counts: input_next() is to tell it. */
	return pread(in->fd, &next, 1, in->offset) != 0;
}

/*
 * Whether `st`, found under our name, is to be read after what we have. An empty file can wait: as long as its writer has
 * not come to it, it may still write to the old one (logrotate creates first and signals later).
 */
static bool is_next(const struct input *in, const struct stat *st)
{
	struct stat now;

	if (S_ISDIR(st->st_mode))
		return false;
	if (in->fd < 0)
		return true;
	if (S_ISREG(st->st_mode) && st->st_size == 0)
		return false;
	return fstat(in->fd, &now) == 0 && !same_file(&now, st);
}

/* Opens the file that took over our name, if there is one. What cannot be opened is tried again later. */
static void follow_seek_next(struct input *in)
{
	struct stat st;
	int fd;

	if (in->next_fd >= 0 || stat(in->name, &st) < 0 || !is_next(in, &st))
		return;
	fd = open(in->name, FOLLOW_FLAGS);
	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || !is_next(in, &st)) {
		close(fd);
		return;
	}
	in->next_fd = fd;
}

enum follow_step follow_at_end(struct input *in)
{
	if (in->is_stdin)
		return FOLLOW_END;
	if (in->fd >= 0 && !in->is_regular)
		return FOLLOW_WAIT;
	if (in->fd >= 0 && is_truncated(in))
		return FOLLOW_REWIND;
	/* The end that was found is the old file's last word only if the new one was there before. */
	if (in->next_fd >= 0)
		return FOLLOW_REPLACE;
	follow_seek_next(in);
	return in->next_fd >= 0 ? FOLLOW_AGAIN : FOLLOW_WAIT;
}

int follow_switch(struct input *in, enum follow_step step)
{
	struct stat st;
	int fd = in->next_fd;

	if (step == FOLLOW_REWIND) {
		if (lseek(in->fd, 0, SEEK_SET) < 0)
			return -errno;
		in->offset = 0;
		in->format = INPUT_UNKNOWN;
		in->rotated = true;
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	in->next_fd = -1;
	in->rotated = in->fd >= 0; /* a file that was missing from the start is the first, not a new one */
	follow_adopt(in, fd, &st);
	return 0;
}

/* Whether a look at the file system (or, at a FIFO that lost its writers, at it) shows news. */
static bool has_news(struct input *in)
{
	if (!in->follow)
		return true;
	if (in->is_stdin)
		return in->is_regular;
	if (in->fd >= 0 && !in->is_regular) {
		struct pollfd p = { .fd = in->fd, .events = POLLIN };

		return in->hung_up && poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
	}
	follow_seek_next(in);
	if (in->next_fd >= 0)
		return true;
	return in->fd >= 0 && (has_grown(in) || is_truncated(in));
}

/* The descriptor to sleep on; POLL_NEVER for what can only be looked at now and then. */
static int wait_descriptor(const struct input *in)
{
	bool is_stream = in->fd >= 0 && !in->is_regular && !in->hung_up;

	return is_stream ? in->fd : POLL_NEVER;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int input_wait(struct input *const *inputs, size_t count, int timeout_ms)
{
	cleanup(memory_free_pointer) struct pollfd *polls = memory_new(count, sizeof(*polls));
	int64_t deadline = now_ms() + timeout_ms;

	if (!polls)
		return -ENOMEM;
	for (;;) {
		int64_t left = timeout_ms < 0 ? INT32_MAX : deadline - now_ms();
		size_t live = 0;
		int r;

		for (size_t i = 0; i < count; i++) {
			polls[i] = (struct pollfd){ .fd = POLL_NEVER, .events = POLLIN };
			if (!inputs[i] || input_ended(inputs[i]))
				continue;
			if (has_news(inputs[i]))
				return 0;
			live++;
			polls[i].fd = wait_descriptor(inputs[i]);
			if (polls[i].fd == POLL_NEVER && left > INPUT_POLL_MS)
				left = INPUT_POLL_MS;
		}
		if (live == 0 || left <= 0)
			return 0;
		r = poll(polls, count, (int)left);
		if (r < 0)
			return errno == EINTR ? 0 : -errno;
		if (r > 0)
			return 0;
	}
}
