/* SPDX-License-Identifier: MIT */
#include "record/device_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/values.h"

#define CUT_MARK " [cut]"
#define TIME_LEN 24 /* of calendar_print() */

struct paths { /* names below the folder; no device's name has a '/' */
	char now[DEVICE_NAME_MAX + 16], old[DEVICE_NAME_MAX + 16];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int device_journal_init(struct device_journal *j, enum device_journal_kind kind, const char *directory)
{
	int n;

	memset(j, 0, sizeof(*j));
	j->kind = kind;
	j->suffix = kind == DEVICE_JOURNAL_TAPE ? "tape" : "journal";
	j->most = kind == DEVICE_JOURNAL_TAPE ? DEVICE_TAPE_BYTES_MAX : DEVICE_JOURNAL_BYTES_MAX;
	n = snprintf(j->folder, sizeof(j->folder), "%s/" DEVICE_JOURNAL_FOLDER, directory);
	return n < 0 || (size_t)n >= sizeof(j->folder) ? -ENAMETOOLONG : 0;
}

static void set_paths(const struct device_journal *j, const char *device, struct paths *ret)
{
	snprintf(ret->now, sizeof(ret->now), "%s.%s", device, j->suffix);
	snprintf(ret->old, sizeof(ret->old), "%s.%s.1", device, j->suffix);
}

static int open_folder(const struct device_journal *j, const char *device, struct paths *ret)
{
	int fd;

	if (strnlen(device, DEVICE_NAME_MAX) >= DEVICE_NAME_MAX || !device_is_name(text_of(device)))
		return -EINVAL;
	set_paths(j, device, ret);
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

/* The file becomes the old one. Returns the bytes of the one that went for it, or a negative errno. */
static off_t make_old(int folder, const struct paths *paths)
{
	struct stat old;
	off_t gone = fstatat(folder, paths->old, &old, AT_SYMLINK_NOFOLLOW) == 0 ? old.st_size : 0;

	return renameat(folder, paths->now, folder, paths->old) < 0 ? -errno : gone;
}

/* What is missing before the first line of a tape is its first line. */
static int note_gone(int fd, off_t *size, struct instant wall, off_t gone)
{
	cleanup(buffer_done) struct buffer note = { 0 };
	int r;

	calendar_print(&note, wall);
	buffer_printf(&note, " = %lld bytes of this tape went to make room\n", (long long)gone);
	r = note.failed ? -ENOMEM : write_line(fd, *size, buffer_text(&note));
	*size += r == 0 ? (off_t)note.len : 0;
	return r;
}

static int add(struct device_journal *j, const char *device, struct instant wall, struct text line)
{
	struct paths paths;
	cleanup(close_fd) int folder = open_folder(j, device, &paths), fd = -1;
	off_t size = 0;

	if (folder < 0)
		return folder;
	fd = open_file(folder, paths.now, O_WRONLY | O_CREAT | O_APPEND, &size);
	if (fd < 0)
		return fd;
	if (size > 0 && size + (off_t)line.len > j->most) {
		off_t gone = make_old(folder, &paths);
		int r = 0;

		if (gone < 0)
			return (int)gone;
		close(fd);
		fd = open_file(folder, paths.now, O_WRONLY | O_CREAT | O_APPEND, &size);
		if (fd < 0)
			return fd;
		j->gone += (uint64_t)gone;
		if (gone && j->kind == DEVICE_JOURNAL_TAPE)
			r = note_gone(fd, &size, wall, gone);
		if (r < 0)
			return r;
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
	r = out.failed ? -ENOMEM : add(j, device, wall, buffer_text(&out));
	j->trouble = r;
	j->lines += r == 0;
	j->cut += r == 0 && is_cut;
	j->lost += r < 0;
	return r;
}

int device_journal_add_lines(struct device_journal *j, const char *device, struct instant wall, struct text head,
			     struct text lines)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	uint64_t count = 0;
	struct text line;
	int r;

	for (; text_take_line(&lines, &line); count++) {
		calendar_print(&out, wall);
		buffer_add_char(&out, ' ');
		buffer_add(&out, head);
		record_add_printable(&out, line);
		buffer_add_char(&out, '\n');
	}
	r = out.failed ? -ENOMEM : add(j, device, wall, buffer_text(&out));
	j->trouble = r;
	*(r < 0 ? &j->lost : &j->lines) += count;
	return r;
}

/* --- Growing old --------------------------------------------------------------------------------------------------- */

/* The file's first line is older than that time, which is as calendar_print() writes it. */
static bool is_older(int folder, const char *name, const char *time)
{
	off_t size;
	cleanup(close_fd) int fd = open_file(folder, name, O_RDONLY, &size);
	char first[TIME_LEN];

	return fd >= 0 && pread(fd, first, sizeof(first), 0) == sizeof(first) && memcmp(first, time, sizeof(first)) < 0;
}

/* The device's name in that of a file; `ret_old`: it is the old one. False: it is no file of these. */
static bool name_of(const struct device_journal *j, struct text file, char *ret, bool *ret_old)
{
	size_t len = strlen(j->suffix) + 1;

	*ret_old = text_ends(file, TEXT(".1"));
	file.len -= *ret_old ? 2 : 0;
	if (file.len <= len || !text_ends(file, text_of(j->suffix)) || file.at[file.len - len] != '.' ||
	    file.len - len >= DEVICE_NAME_MAX)
		return false;
	text_copy(text_first(file, file.len - len), ret, DEVICE_NAME_MAX);
	return device_is_name(text_of(ret));
}

static void expire_file(struct device_journal *j, int folder, const char *file, const char *too_old, const char *half)
{
	char device[DEVICE_NAME_MAX];
	struct paths paths;
	bool is_old;

	if (!name_of(j, text_of(file), device, &is_old))
		return;
	if (is_old && is_older(folder, file, too_old)) {
		j->aged += unlinkat(folder, file, 0) == 0;
	} else if (!is_old && is_older(folder, file, half)) {
		set_paths(j, device, &paths);
		j->aged += make_old(folder, &paths) > 0;
	}
}

int device_journal_expire(struct device_journal *j, struct instant now, unsigned days)
{
	cleanup(buffer_done) struct buffer too_old = { 0 }, half = { 0 };
	int fd = open(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct dirent *entry;
	DIR *folder;

	if (fd < 0)
		return -errno;
	folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		return -ENOMEM;
	}
	calendar_print(&too_old, (struct instant){ now.ns - (int64_t)days * DAY_NS });
	calendar_print(&half, (struct instant){ now.ns - (int64_t)days * DAY_NS / 2 });
	while (!too_old.failed && !half.failed && (entry = readdir(folder)))
		expire_file(j, fd, entry->d_name, too_old.bytes, half.bytes);
	closedir(folder);
	return too_old.failed || half.failed ? -ENOMEM : 0;
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
	if (most > 2 * (size_t)j->most)
		most = 2 * (size_t)j->most;
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
