/* SPDX-License-Identifier: MIT */
#include "cmd/report_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/memory.h"
#include "record/tar.h"
#include "record/write_all.h"

#define LEVEL 6
#define PATH_ROOM 4096

struct report_output {
	int folder;   /* of the files; -1: an archive */
	int file;     /* of the archive; -1: a folder */
	bool force;
	char path[PATH_ROOM], part[PATH_ROOM]; /* the archive's, and under which name it grows */
	ZSTD_CCtx *zstd; /* owns */
	char *room;      /* owns: of what is compressed */
	size_t room_size;
};

static void free_output(struct report_output *o)
{
	if (o->folder >= 0)
		close(o->folder);
	if (o->file >= 0)
		close(o->file);
	ZSTD_freeCCtx(o->zstd);
	memory_free(o->room);
	memory_free(o);
}

static int open_archive(struct report_output *o, const char *path)
{
	struct stat there;
	int n = snprintf(o->path, sizeof(o->path), "%s", path), m = snprintf(o->part, sizeof(o->part), "%s.part", path);

	if (n >= (int)sizeof(o->path) || m >= (int)sizeof(o->part))
		return -ENAMETOOLONG;
	if (lstat(path, &there) == 0 && (!o->force || !S_ISREG(there.st_mode)))
		return -EEXIST;
	unlink(o->part); /* of a run that was ended */
	o->file = open(o->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (o->file < 0)
		return -errno;
	o->zstd = ZSTD_createCCtx();
	o->room_size = ZSTD_CStreamOutSize();
	o->room = memory_new(1, o->room_size);
	if (!o->zstd || !o->room || ZSTD_isError(ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1)))
		return -ENOMEM;
	return 0;
}

static int open_folder(struct report_output *o, const char *path)
{
	if (mkdir(path, 0700) < 0 && (errno != EEXIST || !o->force))
		return -errno;
	o->folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return o->folder < 0 ? -errno : 0;
}

int report_output_open(const char *path, bool force, struct report_output **ret)
{
	struct report_output *o = memory_new(1, sizeof(*o));
	int result;

	if (!o)
		return -ENOMEM;
	o->folder = o->file = -1;
	o->force = force;
	result = text_ends(text_of(path), TEXT(".tar.zst")) ? open_archive(o, path) : open_folder(o, path);
	if (result < 0)
		report_output_drop(o);
	else
		*ret = o;
	return result;
}

static int compress(struct report_output *o, struct text bytes, ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { bytes.at, bytes.len, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { o->room, o->room_size, 0 };
		int result;

		left = ZSTD_compressStream2(o->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return -EIO;
		result = record_write_all(o->file, (struct text){ o->room, out.pos });
		if (result < 0)
			return result;
	} while (in.pos < in.size || (end == ZSTD_e_end && left > 0));
	return 0;
}

static int add_to_archive(struct report_output *o, const char *name, struct text bytes, struct instant changed)
{
	struct buffer around = { 0 };
	int result;

	tar_add_head(&around, name, bytes.len, changed);
	result = buffer_error(&around);
	if (result == 0)
		result = compress(o, buffer_text(&around), ZSTD_e_continue);
	if (result == 0)
		result = compress(o, bytes, ZSTD_e_continue);
	buffer_clear(&around);
	tar_add_padding(&around, bytes.len);
	if (result == 0)
		result = compress(o, buffer_text(&around), ZSTD_e_continue);
	buffer_done(&around);
	return result;
}

static int add_to_folder(struct report_output *o, const char *name, struct text bytes)
{
	int fd, result;

	if (o->force)
		unlinkat(o->folder, name, 0); /* never through a link, never into a file that others hold open */
	fd = openat(o->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	result = record_write_all(fd, bytes);
	if (close(fd) < 0 && result == 0)
		result = -errno;
	return result;
}

int report_output_add(struct report_output *o, const char *name, struct text bytes, struct instant changed)
{
	return o->file >= 0 ? add_to_archive(o, name, bytes, changed) : add_to_folder(o, name, bytes);
}

int report_output_close(struct report_output *o)
{
	struct buffer end = { 0 };
	int result = 0;

	if (o->file >= 0) {
		tar_add_end(&end);
		result = buffer_error(&end);
		if (result == 0)
			result = compress(o, buffer_text(&end), ZSTD_e_end);
		if (result == 0 && fsync(o->file) < 0)
			result = -errno;
		if (result == 0 && rename(o->part, o->path) < 0)
			result = -errno;
		if (result < 0)
			unlink(o->part);
		buffer_done(&end);
	}
	free_output(o);
	return result;
}

void report_output_drop(struct report_output *o)
{
	if (!o)
		return;
	if (o->file >= 0)
		unlink(o->part);
	free_output(o);
}
