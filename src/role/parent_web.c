/* SPDX-License-Identifier: MIT */
/*
 * What the role web needs: sockets that listen, which stay open here, so that a web that is killed turns nobody away; and
 * the hash of the page token, whose file root alone reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/web_token.h"
#include "role/member.h"
#include "role/parent_private.h"
#include "sense/syslog_stream.h"
#include "spimend/error.h"

#define TOKEN_FILE "token"

/* --- The page token --------------------------------------------------------------------------------------------------- */

static int write_token(int folder, const char *text)
{
	size_t len = strlen(text);
	int fd, r = 0;

	(void)unlinkat(folder, TOKEN_FILE ".new", 0);
	fd = openat(folder, TOKEN_FILE ".new", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, text, len) != (ssize_t)len || write(fd, "\n", 1) != 1 || fsync(fd) < 0)
		r = errno ? -errno : -EIO;
	close(fd);
	/* Not over one that somebody put there meanwhile. */
	if (r == 0 && linkat(folder, TOKEN_FILE ".new", folder, TOKEN_FILE, 0) < 0)
		r = -errno;
	(void)unlinkat(folder, TOKEN_FILE ".new", 0);
	return r;
}

static int make_token(struct parent *parent, int folder)
{
	uint8_t bytes[WEB_TOKEN_BYTES];
	char text[WEB_TOKEN_TEXT_MAX];
	int r;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	web_token_print(bytes, false, text);
	r = write_token(folder, text);
	explicit_bzero(bytes, sizeof(bytes));
	explicit_bzero(text, sizeof(text));
	if (r == 0)
		log_say(&parent->log, LOG_NOTICE, "a token for the page was made: %s/" MEMBER_WEB_DIRECTORY "/" TOKEN_FILE,
			parent->config->state_directory);
	return r;
}

/* Root's own, of one name, and nobody else's to read: or it is no secret. `why` is static. */
static int read_token(int folder, struct role_token *ret, const char **why)
{
	int fd = openat(folder, TOKEN_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), r = -EPERM;
	char text[128];
	struct stat found;
	struct text token;
	unsigned size = sizeof(ret->hash);
	ssize_t n;

	*why = "";
	if (fd < 0)
		return -errno;
	n = fstat(fd, &found) < 0 ? -1 : read(fd, text, sizeof(text));
	token = text_trim((struct text){ text, n > 0 ? (size_t)n : 0 });
	if (n < 0)
		r = -errno;
	else if (!S_ISREG(found.st_mode) || found.st_uid != 0 || found.st_nlink != 1 || found.st_mode & 077)
		*why = ": it must be root's own plain file that nobody else may read";
	else if (!web_token_is_one(token))
		*why = ": no token is in it; remove it, and the next start or reload makes one";
	else
		r = EVP_Digest(token.at, token.len, ret->hash, &size, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
	explicit_bzero(text, sizeof(text));
	close(fd);
	return r;
}

/* Without a token nobody is let in. */
static void give_token(struct parent *parent)
{
	int folder = openat(parent->state_fd, MEMBER_WEB_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;
	struct role_token token = { .hash = { 0 } };
	const char *why = "";

	r = folder < 0 ? -errno : read_token(folder, &token, &why);
	if (r == -ENOENT && folder >= 0) {
		r = make_token(parent, folder);
		if (r == 0)
			r = read_token(folder, &token, &why);
	}
	if (folder >= 0)
		close(folder);
	if (r == 0)
		r = channel_send(parent->children[ROLE_WEB].channel, MESSAGE_WEB_TOKEN, &token);
	if (r < 0 && r != -ENOTCONN)
		log_say(&parent->log, LOG_ERR, "%s/" MEMBER_WEB_DIRECTORY "/" TOKEN_FILE ": %s%s; only personal tokens are taken",
			parent->config->state_directory, spimend_strerror(r), why);
	explicit_bzero(&token, sizeof(token));
}

/* --- Sockets ---------------------------------------------------------------------------------------------------------- */

static int open_listener(struct parent *parent, const struct web_listener *l, int *ret_fd)
{
	struct syslog_listener tcp = { .address = l->address, .port = l->port, .transport = NOTIFY_TCP };
	cleanup(buffer_done) struct buffer out = { 0 };
	int r;

	if (!l->path[0])
		return syslog_stream_open(&tcp, ret_fd);
	/* Whoever may enter its folder may connect, as with TCP on loopback: a token is asked for. */
	r = parent_listen_unix(l->path, 0, 0, 0666, ret_fd, &out);
	if (r == -EPERM && out.len)
		log_say(&parent->log, LOG_ERR, "%.*s", TEXT_ARG(text_trim(buffer_text(&out))));
	return r;
}

static void name_listener(const struct web_listener *l, char *to, size_t size)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (l->path[0])
		snprintf(to, size, "%s", l->path);
	else
		snprintf(to, size, "%s port %u", spimend_address_print(&l->address, address), l->port);
}

void parent_give_web_listener(struct parent *parent, uint32_t index)
{
	const struct config_web *c = &parent->config->web;
	struct role_resource resource = { .kind = RESOURCE_WEB, .index = index };
	struct parent_listening *l;
	char name[WEB_PATH_MAX + 64];

	if (index >= c->listener_count || !parent->children[ROLE_WEB].channel)
		return;
	l = &parent->web[index];
	if (l->fd < 0)
		resource.error = open_listener(parent, &c->listeners[index], &l->fd);
	if (resource.error < 0 && resource.error != l->state) {
		name_listener(&c->listeners[index], name, sizeof(name));
		log_say(&parent->log, LOG_ERR, "the page cannot be served at %s: %s; trying again", name, spimend_strerror(resource.error));
	}
	if (resource.error != l->state && parent->children[ROLE_CORE].channel)
		parent_hand(parent, ROLE_CORE, resource, NULL, 0);
	l->state = resource.error;
	parent_hand(parent, ROLE_WEB, resource, &l->fd, resource.error < 0 ? 0 : 1);
}

void parent_tell_web(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_WEB };

	for (resource.index = 0; resource.index < parent->config->web.listener_count; resource.index++) {
		resource.error = parent->web[resource.index].state;
		if (resource.error <= 0)
			parent_hand(parent, ROLE_CORE, resource, NULL, 0);
	}
}

void parent_give_web(struct parent *parent)
{
	if (!parent->children[ROLE_WEB].channel)
		return;
	give_token(parent);
	for (uint32_t i = 0; i < parent->config->web.listener_count; i++)
		parent_give_web_listener(parent, i);
}

void parent_close_web(struct parent *parent, const struct config *config)
{
	for (uint32_t i = 0; i < WEB_LISTENERS_MAX; i++) {
		if (config && parent->web[i].fd >= 0) {
			close(parent->web[i].fd);
			if (i < config->web.listener_count && config->web.listeners[i].path[0])
				unlink(config->web.listeners[i].path);
		}
		parent->web[i] = (struct parent_listening){ .fd = -1, .state = STATE_UNKNOWN };
	}
}
