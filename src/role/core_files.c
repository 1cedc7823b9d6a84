/* SPDX-License-Identifier: MIT */
/*
 * disk0: and flash: of the command line: plain files of one directory of our own. Names come checked by exec_file_name();
 * what stands there and is no plain file is not touched. Bounded in size and number.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "exec/exec.h"
#include "record/write_all.h"
#include "role/core_role.h"
#include "spimend/error.h"

#define FILES_MAX 256
#define FILE_BYTES_MAX (64u << 20)
#define ALL_BYTES_MAX (256u << 20)

struct listing {
	struct {
		char name[64];
		off_t bytes;
		struct timespec changed;
	} files[FILES_MAX];
	size_t count;
	uint64_t bytes;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int open_directory(const struct mind *mind)
{
	char path[CONFIG_PATH_MAX + sizeof("/" MEMBER_FLASH_DIRECTORY)];
	int fd;

	snprintf(path, sizeof(path), "%s/" MEMBER_FLASH_DIRECTORY, mind->member->config->state_directory);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int say(struct buffer *why, const char *name, int error)
{
	buffer_printf(why, "%s%s%s", name, name[0] ? ": " : "", spimend_strerror(error));
	return error;
}

/* readdir() gives no order: names are sorted. */
static int compare(const void *a, const void *b)
{
	return strcmp(a, b); /* the name is the first member */
}

static int list(int directory, struct listing *ret)
{
	int copy = fcntl(directory, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	struct stat found;

	memset(ret, 0, sizeof(*ret));
	if (!dir) {
		close_fd(&copy);
		return -errno;
	}
	rewinddir(dir);
	while ((entry = readdir(dir)) && ret->count < FILES_MAX) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof(ret->files[0].name) ||
		    fstatat(directory, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(found.st_mode))
			continue;
		text_copy(text_of(entry->d_name), ret->files[ret->count].name, sizeof(ret->files[0].name));
		ret->files[ret->count].bytes = found.st_size;
		ret->files[ret->count++].changed = found.st_mtim;
		ret->bytes += (uint64_t)found.st_size;
	}
	closedir(dir);
	qsort(ret->files, ret->count, sizeof(ret->files[0]), compare);
	return 0;
}

/* Is there room for it? */
static int check_room(int directory, const char *name, bool append, size_t len, struct buffer *why)
{
	cleanup(memory_free_pointer) struct listing *known = memory_new(1, sizeof(*known));
	uint64_t has = 0;
	bool is_new = true;
	int r = known ? list(directory, known) : -ENOMEM;

	if (r < 0)
		return say(why, "flash", r);
	for (size_t i = 0; i < known->count; i++) {
		if (strcmp(known->files[i].name, name) != 0)
			continue;
		is_new = false;
		has = (uint64_t)known->files[i].bytes;
	}
	if (is_new && known->count >= FILES_MAX) {
		buffer_printf(why, "there are %d files already: delete one", FILES_MAX);
		return -ENOSPC;
	}
	if ((append ? has : 0) + len > FILE_BYTES_MAX || known->bytes - (append ? 0 : has) + len > ALL_BYTES_MAX) {
		buffer_printf(why, "%s: a file holds at most %u MiB, all together %u", name, FILE_BYTES_MAX >> 20, ALL_BYTES_MAX >> 20);
		return -EFBIG;
	}
	return 0;
}

int mind_write_file(void *context, const char *name, bool append, struct text bytes, struct buffer *why)
{
	cleanup(close_fd) int directory = open_directory(context), fd = -1;
	struct stat found;
	int r = directory < 0 ? say(why, "flash", directory) : check_room(directory, name, append, bytes.len, why);

	if (r < 0)
		return r;
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (append ? O_APPEND : 0), 0640);
	if (fd < 0 || fstat(fd, &found) < 0)
		return say(why, name, -errno);
	if (!S_ISREG(found.st_mode))
		return say(why, name, -EINVAL);
	if (!append && ftruncate(fd, 0) < 0)
		return say(why, name, -errno);
	r = record_write_all(fd, bytes);
	return r < 0 ? say(why, name, r) : 0;
}

static void print_file(const struct listing *known, size_t i, bool json, struct buffer *out)
{
	struct instant at = { (int64_t)known->files[i].changed.tv_sec * SECOND_NS + known->files[i].changed.tv_nsec };
	cleanup(buffer_done) struct buffer when = { 0 };
	struct json j;

	if (!json) {
		buffer_printf(out, "%5zu  -rw- %11lld  ", i + 1, (long long)known->files[i].bytes);
		calendar_print_short(out, at);
		buffer_printf(out, "  %s\n", known->files[i].name);
		return;
	}
	calendar_print(&when, at);
	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.file/1");
	json_string(&j, "name", known->files[i].name);
	json_signed(&j, "bytes", known->files[i].bytes);
	json_text(&j, "changed", buffer_text(&when));
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

int mind_list_files(void *context, bool json, struct buffer *out, struct buffer *why)
{
	cleanup(close_fd) int directory = open_directory(context);
	cleanup(memory_free_pointer) struct listing *known = memory_new(1, sizeof(*known));
	int r = directory < 0 ? directory : known ? list(directory, known) : -ENOMEM;

	if (r < 0)
		return say(why, "flash", r);
	if (!json)
		buffer_add_string(out, "Directory of flash:/\n\n");
	for (size_t i = 0; i < known->count; i++)
		print_file(known, i, json, out);
	if (!json)
		buffer_printf(out, "\n%u bytes total (%llu bytes free)\n", ALL_BYTES_MAX,
			      (unsigned long long)(known->bytes < ALL_BYTES_MAX ? ALL_BYTES_MAX - known->bytes : 0));
	return 0;
}

int mind_read_file(void *context, const char *name, struct buffer *out, struct buffer *why)
{
	cleanup(close_fd) int directory = open_directory(context), fd = -1;
	struct stat found;
	char part[16384];
	ssize_t n;

	if (directory < 0)
		return say(why, "flash", directory);
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &found) < 0)
		return say(why, name, -errno);
	if (!S_ISREG(found.st_mode))
		return say(why, name, -EINVAL);
	while (out->len <= EXEC_OUTPUT_MAX && (n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return say(why, name, -errno);
		buffer_add(out, (struct text){ part, (size_t)n });
	}
	return 0;
}

int mind_delete_file(void *context, const char *name, struct buffer *why)
{
	cleanup(close_fd) int directory = open_directory(context);

	if (directory < 0)
		return say(why, "flash", directory);
	return unlinkat(directory, name, 0) < 0 ? say(why, name, -errno) : 0;
}
