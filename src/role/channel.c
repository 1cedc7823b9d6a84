/* SPDX-License-Identifier: MIT */
#include "role/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"

struct parcel { /* a datagram that waits */
	struct parcel *next;
	size_t len;
	int fds[MESSAGE_FDS_MAX]; /* owns */
	size_t fd_count;
	struct message_header header;
	char *items; /* owns */
	size_t room;
};

struct channel {
	struct loop *loop; /* borrows */
	struct loop_source *source;
	int fd;
	enum role self, peer;
	uint64_t build;
	struct channel_calls calls;
	struct parcel *first, *last; /* owns */
	size_t waiting;              /* bytes */
	size_t waiting_fds;
	bool was_full, closed, busy, gone, reset;
	struct channel_counts counts;
	char *room; /* owns; MESSAGE_MAX + 1: one more, to see what is too long */
};

static void parcel_free(struct parcel *parcel)
{
	for (size_t i = 0; i < parcel->fd_count; i++)
		close(parcel->fds[i]);
	memory_free(parcel->items);
	memory_free(parcel);
}

static void end(struct channel *channel)
{
	loop_remove(channel->source);
	channel->source = NULL;
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
	channel->closed = true;
	while (channel->first) {
		struct parcel *parcel = channel->first;

		channel->first = parcel->next;
		parcel_free(parcel);
	}
	channel->last = NULL;
	channel->waiting = channel->waiting_fds = 0;
}

void channel_free(struct channel *channel)
{
	if (!channel)
		return;
	end(channel);
	channel->gone = true;
	if (channel->busy) /* it is one of our own calls that frees: whoever made the call does the rest */
		return;
	memory_free(channel->room);
	memory_free(channel);
}

static void close_with(struct channel *channel, const char *why)
{
	if (channel->closed)
		return;
	end(channel);
	channel->calls.closed(channel->calls.context, channel, why);
}

/* --- Out ------------------------------------------------------------------------------------------------------------- */

/* 1: sent, 0: not now, negative errno: the other end is gone. */
static int send_parcel(struct channel *channel, struct parcel *parcel)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS_MAX)];
	} control;
	struct iovec parts[2] = {
		{ &parcel->header, sizeof(parcel->header) },
		{ parcel->items, parcel->header.length },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (parcel->fd_count > 0) {
		struct cmsghdr *head;

		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * parcel->fd_count);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int) * parcel->fd_count);
		memcpy(CMSG_DATA(head), parcel->fds, sizeof(int) * parcel->fd_count);
	}
	/* Roles send no descriptors, and one of them may not call sendmsg(): role/confine_calls.c. The pairs do not block,
	 * and SIGPIPE is heard by the loop. */
	if ((parcel->fd_count ? sendmsg(channel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) : writev(channel->fd, parts, 2)) >= 0)
		return 1;
	if (errno == EINTR || errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS)
		return 0;
	return -errno;
}

/* Sends what the socket takes. Does not close: whoever called is in the middle of something. */
static int flush(struct channel *channel)
{
	while (channel->first) {
		struct parcel *parcel = channel->first;
		int r = send_parcel(channel, parcel);

		if (r <= 0)
			return r;
		channel->counts.sent += parcel->header.count;
		channel->waiting -= parcel->len;
		channel->waiting_fds -= parcel->fd_count;
		channel->first = parcel->next;
		if (!channel->first)
			channel->last = NULL;
		parcel_free(parcel);
	}
	return 0;
}

static void want_write(struct channel *channel, bool wanted)
{
	if (channel->source)
		loop_set_events(channel->source, EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0));
}

void channel_flush(struct channel *channel)
{
	if (channel && !channel->closed)
		(void)flush(channel); /* an end of the other process is told by the loop */
}

bool channel_is_full(const struct channel *channel)
{
	return channel && channel->waiting > CHANNEL_HIGH;
}

/* The last datagram with room for one more item of that type: the one that is there, or a new one. */
static struct parcel *parcel_for(struct channel *channel, enum message_type type)
{
	size_t size = message_item_size(type);
	struct parcel *parcel = channel->last;

	if (!parcel || parcel->header.type != type || parcel->header.count >= message_items_max(type)) {
		parcel = memory_new(1, sizeof(*parcel));
		if (!parcel)
			return NULL;
		parcel->header = (struct message_header){ .build = channel->build, .type = (uint16_t)type };
		parcel->len = sizeof(parcel->header);
	}
	if (parcel->header.length + size > parcel->room) {
		size_t room = parcel->room ? 2 * parcel->room : size;
		char *items = memory_resize(parcel->items, room, 1);

		if (!items) {
			if (parcel != channel->last)
				memory_free(parcel);
			return NULL;
		}
		parcel->items = items;
		parcel->room = room;
	}
	if (parcel == channel->last)
		return parcel;
	if (channel->last)
		channel->last->next = parcel;
	else
		channel->first = parcel;
	channel->last = parcel;
	channel->waiting += parcel->len;
	return parcel;
}

/* Duplicates them all, or none. */
static int duplicate(const int *fds, size_t fd_count, int *ret)
{
	for (size_t i = 0; i < fd_count; i++) {
		ret[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (ret[i] < 0) {
			int r = -errno;

			while (i > 0)
				close(ret[--i]);
			return r;
		}
	}
	return 0;
}

int channel_send_fds(struct channel *channel, enum message_type type, const void *item, const int *fds, size_t fd_count)
{
	size_t size = message_item_size(type);
	int copies[MESSAGE_FDS_MAX];
	struct parcel *parcel;
	int r;

	if (!channel || channel->closed)
		return -ENOTCONN;
	if (!message_may(type, channel->self, channel->peer) || fd_count > MESSAGE_FDS_MAX)
		return -EINVAL;
	if (fd_count > 0 && (channel->self != ROLE_PARENT || message_items_max(type) != 1))
		return -EINVAL;
	if (message_may_drop(type) && channel->waiting > CHANNEL_HIGH) {
		channel->counts.dropped++;
		return -ENOBUFS;
	}
	if (fd_count > 0 && channel->waiting_fds + fd_count > CHANNEL_FDS_MOST) {
		channel->counts.overflow++;
		return -ENOBUFS;
	}
	r = duplicate(fds, fd_count, copies);
	if (r < 0)
		return r;
	parcel = channel->waiting > CHANNEL_MOST ? NULL : parcel_for(channel, type);
	if (!parcel) {
		for (size_t i = 0; i < fd_count; i++)
			close(copies[i]);
		channel->counts.overflow++;
		return -ENOBUFS;
	}
	for (size_t i = 0; i < fd_count; i++)
		parcel->fds[parcel->fd_count++] = copies[i];
	channel->waiting_fds += fd_count;
	memcpy(parcel->items + parcel->header.length, item, size);
	parcel->header.count++;
	parcel->header.length += (uint32_t)size;
	parcel->len += size;
	channel->waiting += size;
	if (channel->waiting > CHANNEL_HIGH)
		channel->was_full = true;
	want_write(channel, true);
	return 0;
}

int channel_send(struct channel *channel, enum message_type type, const void *item)
{
	return channel_send_fds(channel, type, item, NULL, 0);
}

/* --- In -------------------------------------------------------------------------------------------------------------- */

static size_t take_fds(struct msghdr *message, int *fds, size_t most)
{
	size_t count = 0;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
		size_t n;

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
			if (count < most)
				fds[count++] = fd;
			else
				close(fd);
		}
	}
	return count;
}

/* NULL: told. Else why the channel must be closed. */
static const char *tell(struct channel *channel, size_t len, const int *fds, size_t fd_count)
{
	struct message_header header;
	union message_item item;
	const char *why = message_check(channel->room, len, fd_count, channel->peer, channel->self, channel->build, &header);
	bool given = false;

	for (size_t i = 0; !why && i < header.count && !channel->closed; i++) {
		if (!message_take(&header, channel->room, i, &item)) {
			why = "with an item that cannot be";
			break;
		}
		channel->counts.taken++;
		channel->calls.take(channel->calls.context, channel, header.type, &item, given ? NULL : fds,
				    given ? 0 : fd_count);
		given = true;
	}
	for (size_t i = 0; !given && i < fd_count; i++)
		close(fds[i]);
	return why;
}

/* 1: there may be more, 0: nothing now. */
static int read_one(struct channel *channel)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS_MAX)];
	} control;
	struct iovec part = { channel->room, MESSAGE_MAX + 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	int fds[MESSAGE_FDS_MAX];
	size_t fd_count;
	const char *why;
	ssize_t len = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM))
		return 0;
	/* The other process died before it read what we had sent: that is told once, before what it sent itself. */
	if (len < 0 && errno == ECONNRESET && !channel->reset) {
		channel->reset = true;
		return 1;
	}
	if (len <= 0) {
		close_with(channel, NULL);
		return 0;
	}
	fd_count = take_fds(&message, fds, MESSAGE_FDS_MAX);
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		for (size_t i = 0; i < fd_count; i++)
			close(fds[i]);
		close_with(channel, "a message was too long or had too many descriptors");
		return 0;
	}
	why = tell(channel, (size_t)len, fds, fd_count);
	if (why && !channel->closed)
		close_with(channel, why);
	return !channel->closed;
}

static void leave(struct channel *channel)
{
	channel->busy = false;
	if (channel->gone) {
		memory_free(channel->room);
		memory_free(channel);
	}
}

static void receive(struct channel *channel)
{
	for (int i = 0; i < CHANNEL_READS_MAX && !channel->closed; i++)
		if (!read_one(channel))
			break;
	if (!channel->closed && channel->calls.turn)
		channel->calls.turn(channel->calls.context, channel);
}

void channel_receive(struct channel *channel)
{
	if (!channel || channel->closed || channel->busy)
		return;
	channel->busy = true;
	receive(channel);
	leave(channel);
}

static void on_events(void *context, uint32_t events)
{
	struct channel *channel = context;

	channel->busy = true;
	if (events & EPOLLOUT && !channel->closed) {
		int r = flush(channel);

		/* What was sent before the other end died is read still: the end of file closes. */
		want_write(channel, r == 0 && channel->first);
		if (channel->was_full && channel->waiting < CHANNEL_LOW) {
			channel->was_full = false;
			if (channel->calls.drained)
				channel->calls.drained(channel->calls.context, channel);
		}
	}
	if (events & ~(uint32_t)EPOLLOUT && !channel->closed)
		receive(channel);
	leave(channel);
}

/* --- Life ------------------------------------------------------------------------------------------------------------ */

int channel_new(struct loop *loop, int fd, enum role self, enum role peer, const struct channel_calls *calls,
		struct channel **ret)
{
	struct channel *channel = memory_new(1, sizeof(*channel));
	int r = -ENOMEM;

	if (channel)
		channel->room = memory_new(1, MESSAGE_MAX + 1);
	if (!channel || !channel->room) {
		memory_free(channel);
		close(fd);
		return r;
	}
	channel->loop = loop;
	channel->fd = fd;
	channel->self = self;
	channel->peer = peer;
	channel->build = message_build();
	channel->calls = *calls;
	r = loop_add(loop, fd, EPOLLIN, on_events, channel, &channel->source);
	if (r < 0) {
		channel_free(channel);
		return r;
	}
	*ret = channel;
	return 0;
}

struct channel_counts channel_count(const struct channel *channel)
{
	return channel ? channel->counts : (struct channel_counts){ 0 };
}
