/* SPDX-License-Identifier: MIT */
#include "sense/syslog_files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define ROOM (256u << 10) /* a line is at most this long, and then cut */

struct followed {
	int fd, next; /* own; -1: none */
	size_t len;
	char *room;   /* owns; made when it is wanted */
};

struct syslog_files {
	struct followed at[SYSLOG_FILES_MAX];
};

int syslog_files_new(struct syslog_files **ret)
{
	struct syslog_files *files = memory_new(1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	for (uint32_t i = 0; i < SYSLOG_FILES_MAX; i++)
		files->at[i].fd = files->at[i].next = -1;
	*ret = files;
	return 0;
}

void syslog_files_free(struct syslog_files *files)
{
	for (uint32_t i = 0; files && i < SYSLOG_FILES_MAX; i++) {
		if (files->at[i].fd >= 0)
			close(files->at[i].fd);
		if (files->at[i].next >= 0)
			close(files->at[i].next);
		memory_free(files->at[i].room);
	}
	memory_free(files);
}

int syslog_files_take(struct syslog_files *files, uint32_t index, int fd)
{
	struct followed *f = index < SYSLOG_FILES_MAX ? &files->at[index] : NULL;

	if (f && !f->room)
		f->room = memory_new(ROOM, 1);
	if (!f || !f->room) {
		close(fd);
		return -EINVAL;
	}
	if (f->fd < 0) {
		f->fd = fd;
		return 0;
	}
	if (f->next >= 0) /* it was replaced twice in between: what that one had is in the first or gone */
		close(f->next);
	f->next = fd;
	return 0;
}

/* Copied and truncated, as logrotate's copytruncate does it. */
static void notice_truncation(struct followed *f)
{
	off_t at = lseek(f->fd, 0, SEEK_CUR);
	struct stat st;

	if (at > 0 && fstat(f->fd, &st) == 0 && st.st_size < at && lseek(f->fd, 0, SEEK_SET) == 0)
		f->len = 0;
}

/* Whole lines are given, the rest waits for its end. */
static void give_lines(struct followed *f, uint32_t index, struct syslog *syslog, bool at_end)
{
	const char *last = f->len ? memrchr(f->room, '\n', f->len) : NULL;
	size_t whole = last ? (size_t)(last - f->room) + 1 : 0;

	if (f->len == ROOM || at_end) /* no line break for ever, or none to come: parse/log passes over what follows up to one */
		whole = whole ? whole : f->len;
	if (whole == 0)
		return;
	syslog_lines(syslog, index, (struct text){ f->room, whole });
	memmove(f->room, f->room + whole, f->len - whole);
	f->len -= whole;
}

static void read_one(struct followed *f, uint32_t index, struct syslog *syslog)
{
	ssize_t n = 1;

	notice_truncation(f);
	for (size_t done = 0; done < SYSLOG_FILES_TURN && n > 0; done += (size_t)n) {
		n = read(f->fd, f->room + f->len, ROOM - f->len);
		if (n <= 0)
			break;
		f->len += (size_t)n;
		give_lines(f, index, syslog, false);
	}
	if (n > 0 || f->next < 0)
		return;
	give_lines(f, index, syslog, true);
	close(f->fd);
	f->fd = f->next;
	f->next = -1;
	f->len = 0;
}

void syslog_files_read(struct syslog_files *files, struct syslog *syslog)
{
	for (uint32_t i = 0; i < SYSLOG_FILES_MAX; i++)
		if (files->at[i].fd >= 0)
			read_one(&files->at[i], i, syslog);
}
