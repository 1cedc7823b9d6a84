/* SPDX-License-Identifier: MIT */
#include "repair/xfrm.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/xfrm.h"

#define BUFFER_BYTES 65536          /* the kernel sends a list in parts of at most 32 KiB */
#define DATAGRAMS_MAX 64            /* a call: then others have their turn */
#define RECEIVE_BYTES (4 * 1024 * 1024)
#define LIST_TRIES_MAX 5
#define LIST_NS (5 * SECOND_NS)

struct xfrm_mirror {
	int fds[XFRM_MIRROR_FDS]; /* own */
	struct xfrm_mirror_calls calls;
	struct xfrm_mirror_counts counts;
	unsigned char *buffer; /* owns; wiped after each datagram: the kernel's messages carry keys */
	uint32_t sequence;     /* of the list that runs; each try has its own */
	bool listing, interrupted, want;
	unsigned tries;
	uint32_t serial, want_serial;
	int64_t deadline;
};

static int open_one(uint32_t groups, int *ret)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
	const int bytes = RECEIVE_BYTES;
	int r, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_XFRM);

	if (fd < 0)
		return -errno;
	/* Without CAP_NET_ADMIN the plain one is cut to the system's limit: then overruns come sooner, and are counted. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret = fd;
	return 0;
}

int xfrm_mirror_open(int ret_fds[XFRM_MIRROR_FDS])
{
	const uint32_t groups = 1u << (XFRMNLGRP_SA - 1) | 1u << (XFRMNLGRP_EXPIRE - 1);
	int list, changes, r = open_one(0, &list);

	if (r)
		return r;
	r = open_one(groups, &changes);
	if (r) {
		close(list);
		return r;
	}
	ret_fds[XFRM_MIRROR_LIST] = list;
	ret_fds[XFRM_MIRROR_CHANGES] = changes;
	return 0;
}

int xfrm_mirror_new(const int fds[XFRM_MIRROR_FDS], const struct xfrm_mirror_calls *calls, struct xfrm_mirror **ret)
{
	struct xfrm_mirror *x = memory_new(1, sizeof(*x));
	unsigned char *buffer = memory_new(BUFFER_BYTES, 1);

	if (!x || !buffer) {
		memory_free(x);
		memory_free(buffer);
		close(fds[XFRM_MIRROR_LIST]);
		close(fds[XFRM_MIRROR_CHANGES]);
		return -ENOMEM;
	}
	memcpy(x->fds, fds, sizeof(x->fds));
	x->calls = *calls;
	x->buffer = buffer;
	*ret = x;
	return 0;
}

void xfrm_mirror_free(struct xfrm_mirror *x)
{
	if (!x)
		return;
	for (int i = 0; i < XFRM_MIRROR_FDS; i++)
		close(x->fds[i]);
	memory_free(x->buffer);
	memory_free(x);
}

/* --- Lists ----------------------------------------------------------------------------------------------------------- */

static int ask(struct xfrm_mirror *x)
{
	unsigned char request[XFRM_REQUEST_BYTES];
	ssize_t sent;

	x->interrupted = false;
	if (++x->sequence == 0)
		x->sequence = 1;
	x->tries++;
	xfrm_write_list_request(request, x->sequence);
	do
		sent = send(x->fds[XFRM_MIRROR_LIST], request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL); /* to the kernel */
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static int begin(struct xfrm_mirror *x, int64_t now)
{
	int r;

	x->tries = 0;
	r = ask(x);
	if (r)
		return r;
	x->want = false;
	x->listing = true;
	x->serial = x->want_serial;
	x->deadline = now + LIST_NS;
	x->counts.lists++;
	x->calls.list_begin(x->calls.context, x->serial);
	return 0;
}

static void end(struct xfrm_mirror *x, bool complete)
{
	x->listing = false;
	x->counts.lists_incomplete += !complete;
	x->calls.list_end(x->calls.context, x->serial, complete);
}

static void again(struct xfrm_mirror *x)
{
	if (x->tries >= LIST_TRIES_MAX || ask(x))
		end(x, false);
	else
		x->counts.lists_again++;
}

int xfrm_mirror_refresh(struct xfrm_mirror *x, uint32_t serial, int64_t now)
{
	x->want_serial = serial;
	x->want = true;
	return x->listing ? 0 : begin(x, now);
}

int64_t xfrm_mirror_deadline(const struct xfrm_mirror *x)
{
	return x->listing ? x->deadline : INT64_MAX;
}

void xfrm_mirror_tick(struct xfrm_mirror *x, int64_t now)
{
	if (x->listing && now >= x->deadline)
		end(x, false);
	if (x->want && !x->listing && begin(x, now)) {
		x->want = false; /* told, so that nobody waits for ever */
		x->calls.list_begin(x->calls.context, x->want_serial);
		x->serial = x->want_serial;
		end(x, false);
	}
}

/* --- What comes ------------------------------------------------------------------------------------------------------- */

static void give(void *context, const struct kernel_event *event)
{
	struct xfrm_mirror *x = context;

	x->calls.event(x->calls.context, event);
}

static void take_list_part(struct xfrm_mirror *x, const struct xfrm_batch *batch)
{
	if (!x->listing)
		return;
	x->interrupted = x->interrupted || batch->interrupted || batch->malformed;
	if (batch->failed)
		end(x, false);
	else if (batch->done && x->interrupted)
		again(x);
	else if (batch->done)
		end(x, true);
}

static void take_datagram(struct xfrm_mirror *x, enum xfrm_mirror_fd which, size_t len)
{
	struct text datagram = { (const char *)x->buffer, len };
	struct xfrm_batch batch = { .events = 0 };

	/* The answers to a list that was given up come as well: another sequence number, passed over. */
	if (which == XFRM_MIRROR_CHANGES || x->listing)
		xfrm_read(datagram, which == XFRM_MIRROR_LIST ? x->sequence : 0, give, x, &batch);
	explicit_bzero(x->buffer, len);
	x->counts.malformed += batch.malformed;
	x->counts.others += batch.others;
	if (which == XFRM_MIRROR_LIST)
		take_list_part(x, &batch);
	else
		x->counts.changes += batch.events;
}

static void take_overrun(struct xfrm_mirror *x, enum xfrm_mirror_fd which)
{
	x->counts.overruns++;
	if (which == XFRM_MIRROR_CHANGES)
		x->calls.overrun(x->calls.context);
	else if (x->listing)
		again(x);
}

int xfrm_mirror_read(struct xfrm_mirror *x, enum xfrm_mirror_fd which, int64_t now)
{
	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		struct sockaddr_nl from = { .nl_family = AF_NETLINK };
		struct iovec iov = { x->buffer, BUFFER_BYTES };
		struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t got = recvmsg(x->fds[which], &message, MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (got < 0 && errno == ENOBUFS) {
			take_overrun(x, which);
			continue;
		}
		if (got < 0)
			return -errno;
		if (message.msg_namelen == sizeof(from) && from.nl_family == AF_NETLINK && from.nl_pid != 0) {
			explicit_bzero(x->buffer, (size_t)got);
			x->counts.others++; /* from a process, not from the kernel */
			continue;
		}
		if (message.msg_flags & MSG_TRUNC) {
			explicit_bzero(x->buffer, BUFFER_BYTES);
			take_overrun(x, which);
			continue;
		}
		take_datagram(x, which, (size_t)got);
	}
	xfrm_mirror_tick(x, now);
	return 0;
}

struct xfrm_mirror_counts xfrm_mirror_count(const struct xfrm_mirror *x)
{
	return x->counts;
}
