/* SPDX-License-Identifier: MIT */
/*
 * What sense needs to hear the fleet's syslog. Sockets and files stay open here too: what waits in a socket's buffer, and
 * where a file is read up to, outlives a sense that ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role/parent_private.h"
#include "sense/syslog_stream.h"
#include "sense/syslog_udp.h"
#include "spimend/error.h"

static void note(struct parent *parent, enum resource kind, uint32_t index, int *state, int error)
{
	struct role_resource resource = { .kind = kind, .index = index, .error = error };

	if (*state == error)
		return;
	*state = error;
	if (parent->children[ROLE_CORE].channel)
		parent_hand(parent, ROLE_CORE, resource, NULL, 0);
}

void parent_tell_syslog(struct parent *parent)
{
	const struct config_syslog *c = &parent->config->syslog;
	struct role_resource resource = { .kind = RESOURCE_SYSLOG };

	for (resource.index = 0; resource.index < c->listener_count; resource.index++) {
		resource.error = parent->listening[resource.index].state;
		if (resource.error <= 0)
			parent_hand(parent, ROLE_CORE, resource, NULL, 0);
	}
	resource.kind = RESOURCE_SYSLOG_FILE;
	for (resource.index = 0; resource.index < c->file_count; resource.index++) {
		resource.error = parent->following[resource.index].state;
		if (resource.error <= 0)
			parent_hand(parent, ROLE_CORE, resource, NULL, 0);
	}
	parent_tell_journald(parent);
}

/* --- Sockets ------------------------------------------------------------------------------------------------------- */

/* A PEM file, read as root so that a key may be root's. Whom others can read is no secret. */
static int open_pem(const char *path, bool is_secret, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		r = -EINVAL;
	else if (is_secret && st.st_mode & 07)
		r = -EPERM;
	if (r < 0)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}

/* The socket, and for TLS its files behind it. How many, or a negative errno. */
static int open_listener(struct parent *parent, const struct syslog_listener *listener, struct parent_listening *l,
			 int fds[4])
{
	const char *const paths[] = { listener->certificate, listener->key, listener->client_ca };
	int r = 0, n = 1;

	if (l->fd < 0)
		r = (listener->transport == NOTIFY_UDP ? syslog_udp_open : syslog_stream_open)(listener, &l->fd);
	fds[0] = l->fd;
	for (int i = 0; i < 3 && r == 0 && paths[i][0]; i++) {
		r = open_pem(paths[i], i == 1, &fds[n]);
		n += r == 0;
		if (r < 0 && r != l->state)
			log_say(&parent->log, LOG_ERR, "%s: %s", paths[i], r == -EPERM ? "others may read that key" : spimend_strerror(r));
	}
	for (; r < 0 && n > 1; n--)
		close(fds[n - 1]);
	return r < 0 ? r : n;
}

void parent_give_listener(struct parent *parent, uint32_t index)
{
	const struct config_syslog *c = &parent->config->syslog;
	struct role_resource resource = { .kind = RESOURCE_SYSLOG, .index = index };
	struct parent_listening *l;
	int fds[4], n, r;

	if (index >= c->listener_count)
		return;
	l = &parent->listening[index];
	n = open_listener(parent, &c->listeners[index], l, fds);
	r = n < 0 ? n : 0;
	if (r < 0 && r != l->state)
		log_say(&parent->log, LOG_ERR, "syslog cannot be heard on %s port %u: %s; trying again",
			notify_transport_name(c->listeners[index].transport), c->listeners[index].port, spimend_strerror(r));
	note(parent, RESOURCE_SYSLOG, index, &l->state, r);
	resource.error = r;
	parent_hand(parent, ROLE_SENSE, resource, fds, r < 0 ? 0 : (size_t)n);
	for (int i = 1; i < n; i++)
		close(fds[i]);
}

/* --- Files --------------------------------------------------------------------------------------------------------- */

/* 0: it is open, and another one than before; 1: the same; or a negative errno. */
static int open_file(const char *path, struct parent_following *f)
{
	struct stat named, st;
	int fd;

	if (stat(path, &named) < 0)
		return -errno;
	if (f->fd >= 0 && named.st_dev == f->dev && named.st_ino == f->ino)
		return 1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	if (!f->looked) /* what was there before us was judged, or is for `spimend analyze` */
		lseek(fd, 0, SEEK_END);
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct parent_following){ .fd = fd, .dev = st.st_dev, .ino = st.st_ino, .state = f->state, .looked = true };
	return 0;
}

static void look(struct parent *parent, uint32_t index, bool give_anyway)
{
	struct role_resource resource = { .kind = RESOURCE_SYSLOG_FILE, .index = index };
	struct parent_following *f = &parent->following[index];
	int r = open_file(parent->config->syslog.files[index], f);

	if (r < 0 && r != f->state)
		log_say(&parent->log, LOG_WARNING, "%s: %s; it is followed as soon as it can be",
			parent->config->syslog.files[index], spimend_strerror(r));
	note(parent, RESOURCE_SYSLOG_FILE, index, &f->state, r < 0 ? r : 0);
	f->looked = true;
	if (f->fd >= 0 && (r == 0 || give_anyway) && parent->children[ROLE_SENSE].channel)
		parent_hand(parent, ROLE_SENSE, resource, &f->fd, 1);
}

void parent_on_syslog_timer(void *context, int64_t now)
{
	struct parent *parent = context;

	(void)now;
	for (uint32_t i = 0; i < parent->config->syslog.file_count; i++)
		look(parent, i, false);
}

/* --- All of it ----------------------------------------------------------------------------------------------------- */

void parent_give_syslog(struct parent *parent)
{
	for (uint32_t i = 0; i < parent->config->syslog.listener_count; i++)
		parent_give_listener(parent, i);
	for (uint32_t i = 0; i < parent->config->syslog.file_count; i++)
		look(parent, i, true);
	if (parent->config->syslog.file_count)
		loop_timer_every(parent->syslog_timer, SECOND_NS);
	else
		loop_timer_at(parent->syslog_timer, LOOP_NEVER);
	parent_give_journald(parent);
}

void parent_renew_certificates(struct parent *parent)
{
	for (uint32_t i = 0; i < parent->config->syslog.listener_count; i++)
		if (parent->config->syslog.listeners[i].transport == NOTIFY_TLS && parent->children[ROLE_SENSE].channel)
			parent_give_listener(parent, i);
}

void parent_close_syslog(struct parent *parent, bool is_first)
{
	parent_close_journald(parent);
	for (uint32_t i = 0; i < SYSLOG_LISTENERS_MAX; i++) {
		if (!is_first && parent->listening[i].fd >= 0)
			close(parent->listening[i].fd);
		parent->listening[i] = (struct parent_listening){ .fd = -1, .state = STATE_UNKNOWN };
	}
	for (uint32_t i = 0; i < SYSLOG_FILES_MAX; i++) {
		if (!is_first && parent->following[i].fd >= 0)
			close(parent->following[i].fd);
		parent->following[i] = (struct parent_following){ .fd = -1, .state = STATE_UNKNOWN };
	}
}

bool parent_same_syslog(const struct config *a, const struct config *b)
{
	return memcmp(a->syslog.listeners, b->syslog.listeners, sizeof(a->syslog.listeners)) == 0 &&
	       memcmp(a->syslog.files, b->syslog.files, sizeof(a->syslog.files)) == 0 &&
	       a->syslog.has_journald == b->syslog.has_journald &&
	       strcmp(a->syslog.journald_directory, b->syslog.journald_directory) == 0;
}
