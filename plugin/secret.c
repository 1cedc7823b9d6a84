/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The secret that our tokens are made of (RFC 6290 5.1): random, made once, kept in a file that only its owner reads. That
 * the file is there is also what says, after a restart of charon, that crash detection is on; switched off it gets another
 * name, so that tokens which peers still hold are good again when it is switched on. Nothing here ever shows a byte of it.
 */
#include "spimend.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define OFF ".off"
#define NEW ".new"

/* What is wrong with the open file, or NULL. Root may be who made it before charon became another user, or the reverse. */
static const char *suspicion(int fd)
{
	struct stat s;

	if (fstat(fd, &s))
		return "it cannot be looked at";
	if (!S_ISREG(s.st_mode))
		return "it is not a file";
	if (s.st_uid && s.st_uid != geteuid() && s.st_uid != lib->caps->get_uid(lib->caps))
		return "it belongs to somebody else";
	if (s.st_mode & 077)
		return "others than its owner may read or write it (chmod 600)";
	return s.st_size == SECRET_BYTES ? NULL : "it does not hold 32 bytes";
}

static bool read_secret(const char *path, unsigned char to[SECRET_BYTES])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const char *why;

	if (fd < 0) {
		DBG1(DBG_CFG, "spimend: the secret %s: %s", path, strerror(errno));
		return FALSE;
	}
	why = suspicion(fd);
	if (!why && read(fd, to, SECRET_BYTES) != SECRET_BYTES)
		why = "it cannot be read";
	close(fd);
	if (why)
		DBG1(DBG_CFG, "spimend: the secret %s is not used: %s", path, why);
	return !why;
}

static bool write_all(int fd, const unsigned char *bytes)
{
	uid_t user = lib->caps->get_uid(lib->caps);

	/* while plugins load we are root still, and charon's user must be able to read it later */
	if (user != geteuid() && fchown(fd, user, -1))
		return FALSE;
	return write(fd, bytes, SECRET_BYTES) == SECRET_BYTES && !fsync(fd);
}

/* Complete under its name or not there at all, whatever happens meanwhile. */
static bool make_secret(const char *path)
{
	unsigned char bytes[SECRET_BYTES];
	char fresh[SECRET_PATH_MAX + sizeof(NEW)], folder[SECRET_PATH_MAX];
	bool made = FALSE;
	int fd;

	snprintf(fresh, sizeof(fresh), "%s%s", path, NEW);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (*folder && !mkdir(folder, 0700) && lib->caps->get_uid(lib->caps) != geteuid())
		made = !chown(folder, lib->caps->get_uid(lib->caps), -1); /* if not, the next step tells */
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	made = fd >= 0 && getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes) && write_all(fd, bytes) && !rename(fresh, path);
	if (!made)
		DBG1(DBG_CFG, "spimend: the secret %s cannot be made: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!made)
		unlink(fresh);
	memwipe(bytes, sizeof(bytes));
	return made;
}

bool secret_is_there(const char *path)
{
	return !access(path, F_OK);
}

bool secret_load(const char *path, unsigned char to[SECRET_BYTES])
{
	char off[SECRET_PATH_MAX + sizeof(OFF)];

	snprintf(off, sizeof(off), "%s%s", path, OFF);
	if (!secret_is_there(path) && rename(off, path) && !make_secret(path))
		return FALSE;
	return read_secret(path, to);
}

void secret_put_away(const char *path)
{
	char off[SECRET_PATH_MAX + sizeof(OFF)];

	snprintf(off, sizeof(off), "%s%s", path, OFF);
	if (rename(path, off) && errno != ENOENT)
		DBG1(DBG_CFG, "spimend: the secret %s cannot be put away: %s", path, strerror(errno));
}
