/* SPDX-License-Identifier: MIT */
#include "sense/syslog_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/syslog.h"
#include "sense/syslog_socket.h"
#include "sense/syslog_tls.h"
#include "sense/syslog_udp.h"

#define ROOM (SYSLOG_FRAME_MAX + 8) /* as syslog_take() wants it */
#define BACKLOG 128

struct syslog_connection {
	int fd;                /* owns */
	struct ssl_st *tls;    /* owns; NULL: TCP */
	struct spimend_address from;
	struct syslog_stream stream;
	bool shaken, spoke;    /* TLS stands; something came */
	int64_t since_ns;      /* mono: of what is due */
	size_t len;
	char room[ROOM];
};

int syslog_stream_open(const struct syslog_listener *listener, int *ret_fd)
{
	/* Inherited by what is accepted: who vanishes is found out within three minutes. */
	const int on = 1, idle = 60, every = 30, most = 4;
	int fd, r = syslog_socket_open(listener, SOCK_STREAM, &fd);

	if (r < 0)
		return r;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &most, sizeof(most));
	if (listen(fd, BACKLOG) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int syslog_accept(int listening, struct syslog_tls *tls, struct syslog *syslog, int64_t now_ns,
		  struct syslog_connection **ret)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct spimend_address address;
	struct syslog_connection *c;
	int fd;

	memset(&from, 0, sizeof(from));
	fd = accept4(listening, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	address = syslog_address_of(&from);
	*ret = NULL;
	if (!syslog_connect(syslog, &address)) {
		close(fd);
		return 0;
	}
	c = memory_new(1, sizeof(*c));
	if (!c) {
		syslog_disconnect(syslog, &address);
		close(fd);
		return -ENOMEM;
	}
	c->fd = fd;
	c->from = address;
	c->since_ns = now_ns;
	c->tls = tls ? syslog_tls_accept(tls, fd) : NULL;
	c->shaken = !tls;
	if (tls && !c->tls) {
		syslog_connection_free(c, syslog);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void syslog_connection_free(struct syslog_connection *c, struct syslog *syslog)
{
	if (!c)
		return;
	syslog_disconnect(syslog, &c->from);
	SSL_free(c->tls);
	close(c->fd);
	memory_free(c);
}

int syslog_connection_fd(const struct syslog_connection *c)
{
	return c->fd;
}

const struct spimend_address *syslog_connection_from(const struct syslog_connection *c)
{
	return &c->from;
}

bool syslog_connection_is_late(const struct syslog_connection *c, int64_t now_ns)
{
	bool due = !c->shaken || !c->spoke || c->len > 0;

	return due && now_ns - c->since_ns > SYSLOG_SILENCE;
}

/* Bytes, or 0 at the end, or -EAGAIN with *ret_state saying for what, or -EPROTO. */
static ssize_t read_tls(struct syslog_connection *c, enum syslog_state *ret_state)
{
	int n, error;

	ERR_clear_error();
	n = SSL_read(c->tls, c->room + c->len, (int)(ROOM - c->len));
	if (SSL_is_init_finished(c->tls) && !c->shaken)
		c->shaken = true;
	if (n > 0)
		return n;
	error = SSL_get_error(c->tls, n);
	*ret_state = error == SSL_ERROR_WANT_WRITE ? SYSLOG_WRITES : SYSLOG_READS;
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return -EAGAIN;
	ERR_clear_error();
	/* Without a proper end, too, what came was authentic: RFC 5425 4.4 leaves it at that. */
	return c->shaken && (error == SSL_ERROR_ZERO_RETURN || error == SSL_ERROR_SYSCALL || error == SSL_ERROR_SSL) ? 0 : -EPROTO;
}

static ssize_t read_some(struct syslog_connection *c, enum syslog_state *ret_state)
{
	ssize_t n;

	if (c->tls)
		return read_tls(c, ret_state);
	*ret_state = SYSLOG_READS;
	n = read(c->fd, c->room + c->len, ROOM - c->len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -EAGAIN : 0; /* whatever ended it, it ended */
	return n;
}

static void give(struct syslog_connection *c, struct syslog *syslog, struct text message, bool is_cut)
{
	if (message.len || is_cut)
		syslog_message(syslog, &c->from, c->tls ? SYSLOG_TLS : SYSLOG_TCP, message, is_cut);
}

/* All that is whole; false: it is no syslog. */
static bool take_messages(struct syslog_connection *c, struct syslog *syslog, int64_t now_ns, const char **ret_why)
{
	struct text left = { c->room, c->len }, message;
	enum syslog_step step = SYSLOG_STEP_MORE;

	do {
		step = syslog_take(&c->stream, &left, &message, ret_why);
		if (step == SYSLOG_STEP_MESSAGE || step == SYSLOG_STEP_CUT) {
			give(c, syslog, message, step == SYSLOG_STEP_CUT);
			c->since_ns = now_ns;
		}
	} while (step == SYSLOG_STEP_MESSAGE || step == SYSLOG_STEP_CUT);
	if (left.len < c->len)
		memmove(c->room, left.at, left.len);
	c->len = left.len;
	return step != SYSLOG_STEP_BROKEN;
}

static enum syslog_state at_end(struct syslog_connection *c, struct syslog *syslog)
{
	struct text last;

	if (syslog_take_last(&c->stream, (struct text){ c->room, c->len }, &last))
		give(c, syslog, last, false);
	else if (c->len)
		syslog_counts(syslog)->broken++; /* half a message: its sender fell, or does not know its own length */
	c->len = 0;
	return SYSLOG_ENDED;
}

enum syslog_state syslog_connection_read(struct syslog_connection *c, struct syslog *syslog, int64_t now_ns,
					 const char **ret_why)
{
	enum syslog_state state = SYSLOG_READS;
	ssize_t n = 0;

	for (size_t done = 0; done < SYSLOG_STREAM_TURN || (c->tls && SSL_pending(c->tls) > 0); done += (size_t)n) {
		n = read_some(c, &state);
		if (n <= 0)
			break;
		if (c->len == 0 || !c->spoke)
			c->since_ns = now_ns;
		c->spoke = true;
		c->len += (size_t)n;
		if (!take_messages(c, syslog, now_ns, ret_why)) {
			state = SYSLOG_BROKEN;
			break;
		}
	}
	if (n == -EPROTO)
		state = SYSLOG_TLS_FAILED;
	else if (n == 0 && state != SYSLOG_BROKEN)
		state = at_end(c, syslog);
	syslog_settle(syslog);
	return state;
}
