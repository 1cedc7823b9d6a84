/* SPDX-License-Identifier: MIT */
#include "record/device_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/values.h"

#define CUT_MARK " [cut]"

struct paths { /* names below the folder; no device's name has a '/' */
	char now[DEVICE_NAME_MAX + 16], old[DEVICE_NAME_MAX + 16];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int device_journal_init(struct device_journal *j, const char *directory)
{
	int n;

	memset(j, 0, sizeof(*j));
	n = snprintf(j->folder, sizeof(j->folder), "%s/" DEVICE_JOURNAL_FOLDER, directory);
	return n < 0 || (size_t)n >= sizeof(j->folder) ? -ENAMETOOLONG : 0;
}

static int open_folder(const struct device_journal *j, const char *device, struct paths *ret)
{
	int fd;

	if (strnlen(device, DEVICE_NAME_MAX) >= DEVICE_NAME_MAX || !device_is_name(text_of(device)))
		return -EINVAL;
	snprintf(ret->now, sizeof(ret->now), "%s.journal", device);
	snprintf(ret->old, sizeof(ret->old), "%s.journal.1", device);
	fd = open(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* A plain file of ours; whatever else stands there is not touched. */
static int open_file(int folder, const char *name, int flags, off_t *ret_size)
{
	int fd = openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat found;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode)) {
		close(fd);
		return -EEXIST;
	}
	*ret_size = found.st_size;
	return fd;
}

/* --- Writing ------------------------------------------------------------------------------------------------------- */

static int write_line(int fd, off_t size, struct text line)
{
	ssize_t n;

	do
		n = write(fd, line.at, line.len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)line.len)
		return 0;
	if (n < 0)
		return -errno;
	if (ftruncate(fd, size) < 0) /* the half of it that fitted */
		return -errno;
	return -ENOSPC;
}

static int add(const struct device_journal *j, const char *device, struct text line)
{
	struct paths paths;
	cleanup(close_fd) int folder = open_folder(j, device, &paths), fd = -1;
	off_t size = 0;

	if (folder < 0)
		return folder;
	fd = open_file(folder, paths.now, O_WRONLY | O_CREAT | O_APPEND, &size);
	if (fd < 0)
		return fd;
	if (size + (off_t)line.len > DEVICE_JOURNAL_BYTES_MAX) {
		if (renameat(folder, paths.now, folder, paths.old) < 0)
			return -errno;
		close(fd);
		fd = open_file(folder, paths.now, O_WRONLY | O_CREAT | O_APPEND, &size);
		if (fd < 0)
			return fd;
	}
	return write_line(fd, size, line);
}

int device_journal_add(struct device_journal *j, const char *device, struct instant wall, struct text line)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	bool is_cut = line.len > DEVICE_JOURNAL_LINE_MAX;
	int r;

	calendar_print(&out, wall);
	buffer_add_char(&out, ' ');
	record_add_printable(&out, text_first(line, DEVICE_JOURNAL_LINE_MAX));
	buffer_add_string(&out, is_cut ? CUT_MARK "\n" : "\n");
	r = out.failed ? -ENOMEM : add(j, device, buffer_text(&out));
	j->trouble = r;
	j->lines += r == 0;
	j->cut += r == 0 && is_cut;
	j->lost += r < 0;
	return r;
}

/* --- Reading ------------------------------------------------------------------------------------------------------- */

/* Up to `most` bytes of its end, from the beginning of a line on. */
static int read_tail(int folder, const char *name, size_t most, struct buffer *out)
{
	off_t size = 0;
	cleanup(close_fd) int fd = open_file(folder, name, O_RDONLY, &size);
	size_t len = (uint64_t)(size > 0 ? size : 0) < most ? (size_t)size : most, got = 0, skip = 0;
	cleanup(memory_free_pointer) char *bytes = memory_new(len + 1, 1);
	bool is_cut = (off_t)len < size;

	if (fd < 0)
		return fd;
	if (!bytes)
		return -ENOMEM;
	while (got < len) {
		ssize_t n = pread(fd, bytes + got, len - got, size - (off_t)len + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (is_cut) {
		skip = text_find_char((struct text){ bytes, got }, '\n');
		skip = skip == TEXT_NOT_FOUND ? got : skip + 1;
	}
	buffer_add(out, (struct text){ bytes + skip, got - skip });
	return is_cut; /* 1: there is more before it */
}

int device_journal_read(const struct device_journal *j, const char *device, size_t most, struct buffer *out)
{
	cleanup(buffer_done) struct buffer now = { 0 };
	struct paths paths;
	cleanup(close_fd) int folder = open_folder(j, device, &paths);
	int r, older = 0;

	if (folder < 0)
		return folder;
	if (most > DEVICE_JOURNAL_TAIL_MAX)
		most = DEVICE_JOURNAL_TAIL_MAX;
	r = read_tail(folder, paths.now, most, &now);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r <= 0 && now.len < most)
		older = read_tail(folder, paths.old, most - now.len, out);
	if (older < 0 && older != -ENOENT)
		return older;
	if (r == -ENOENT && older == -ENOENT)
		return -ENOENT;
	buffer_add(out, buffer_text(&now));
	return now.failed || out->failed ? -ENOMEM : 0;
}
