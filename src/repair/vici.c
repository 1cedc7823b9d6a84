/* SPDX-License-Identifier: MIT */
#include "repair/vici.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/vici.h"
#include "spimend/error.h"

#define READ_BYTES 65536
#define READS_MAX 16               /* a call: then others have their turn */
#define OUT_BYTES_MAX VICI_SEGMENT_MAX
#define REASON_MAX 128

enum waiting { FOR_NOTHING, FOR_RESPONSE, FOR_CONFIRM };

struct vici_client {
	int fd; /* owns; -1 when lost */
	struct vici_client_calls calls;
	enum waiting waiting;
	int64_t deadline;
	unsigned char *in; /* owns: bytes that came and are not used up */
	size_t in_len, in_room;
	struct buffer out; /* owns: what is not sent yet */
	char lost[REASON_MAX];
};

static void close_fd(struct vici_client *c)
{
	if (c->calls.closing)
		c->calls.closing(c->calls.context, c->fd);
	close(c->fd);
	c->fd = -1;
}

static void lose(struct vici_client *c, const char *what, const char *why)
{
	if (c->fd < 0)
		return;
	close_fd(c);
	c->waiting = FOR_NOTHING;
	buffer_done(&c->out);
	snprintf(c->lost, sizeof(c->lost), "%s%s%s", what, why ? ": " : "", why ? why : "");
}

int vici_client_new(int fd, const struct vici_client_calls *calls, struct vici_client **ret)
{
	struct vici_client *c = memory_new(1, sizeof(*c));

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->fd = fd;
	c->calls = *calls;
	*ret = c;
	return 0;
}

void vici_client_free(struct vici_client *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close_fd(c);
	buffer_done(&c->out);
	memory_free(c->in);
	memory_free(c);
}

/* --- Out ------------------------------------------------------------------------------------------------------------- */

void vici_client_write(struct vici_client *c)
{
	while (c->fd >= 0 && c->out.len) {
		ssize_t sent = send(c->fd, c->out.bytes, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (sent < 0) {
			lose(c, "cannot be written to", spimend_strerror(-errno));
			return;
		}
		memmove(c->out.bytes, c->out.bytes + sent, c->out.len - (size_t)sent);
		c->out.len -= (size_t)sent;
	}
}

static int ask(struct vici_client *c, enum vici_packet_type type, struct text name, struct text message, int64_t deadline)
{
	size_t start = c->out.len;
	int r;

	if (c->fd < 0)
		return -ENOTCONN;
	if (c->waiting != FOR_NOTHING)
		return -EBUSY;
	if (message.len > OUT_BYTES_MAX)
		return -EMSGSIZE;
	r = vici_segment_begin(&c->out, type, name);
	if (r)
		return r;
	buffer_add(&c->out, message);
	r = vici_segment_end(&c->out, start);
	if (r) {
		c->out.len = start;
		return r == SPIMEND_E_LIMIT ? -EMSGSIZE : r;
	}
	c->waiting = type == VICI_CMD_REQUEST ? FOR_RESPONSE : FOR_CONFIRM;
	c->deadline = deadline;
	vici_client_write(c); /* most fit into the socket at once */
	return 0;
}

int vici_client_request(struct vici_client *c, struct text command, struct text message, int64_t deadline)
{
	return ask(c, VICI_CMD_REQUEST, command, message, deadline);
}

int vici_client_register(struct vici_client *c, struct text event, int64_t deadline)
{
	return ask(c, VICI_EVENT_REGISTER, event, TEXT_NONE, deadline);
}

/* --- In -------------------------------------------------------------------------------------------------------------- */

static void answer(struct vici_client *c, enum waiting expected, enum vici_answer what, struct text message)
{
	if (c->waiting != expected) {
		lose(c, "answered what was not asked", NULL);
		return;
	}
	c->waiting = FOR_NOTHING;
	c->calls.answer(c->calls.context, what, message);
}

static void take_segment(struct vici_client *c, struct text segment)
{
	struct vici_failure failure;
	struct vici_packet packet;

	if (vici_packet_read(segment, &packet, &failure)) {
		lose(c, "sent what is no VICI packet", failure.reason);
		return;
	}
	switch (packet.type) {
	case VICI_EVENT:
		c->calls.event(c->calls.context, packet.name, packet.message);
		break;
	case VICI_CMD_RESPONSE:
		answer(c, FOR_RESPONSE, VICI_ANSWERED, packet.message);
		break;
	case VICI_CMD_UNKNOWN:
		answer(c, FOR_RESPONSE, VICI_UNKNOWN, TEXT_NONE);
		break;
	case VICI_EVENT_CONFIRM:
		answer(c, FOR_CONFIRM, VICI_ANSWERED, TEXT_NONE);
		break;
	case VICI_EVENT_UNKNOWN:
		answer(c, FOR_CONFIRM, VICI_UNKNOWN, TEXT_NONE);
		break;
	default:
		lose(c, "sent a packet that only clients send", NULL);
		break;
	}
}

/* Hands on every whole segment that is there. */
static void take_segments(struct vici_client *c)
{
	size_t at = 0, length;

	while (c->fd >= 0 && c->in_len - at >= VICI_HEADER_BYTES) {
		if (vici_segment_length(c->in + at, &length)) {
			lose(c, "claims a segment that is empty or too long", NULL);
			break;
		}
		if (c->in_len - at - VICI_HEADER_BYTES < length)
			break;
		take_segment(c, (struct text){ (const char *)c->in + at + VICI_HEADER_BYTES, length });
		at += VICI_HEADER_BYTES + length;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
}

/* Room grows with what came, never with what a header claims. */
static bool make_room(struct vici_client *c)
{
	size_t room = c->in_room ? c->in_room * 2 : READ_BYTES;
	unsigned char *bigger;

	if (c->in_room - c->in_len >= READ_BYTES / 2)
		return true;
	bigger = memory_resize(c->in, room, 1);
	if (!bigger)
		return false;
	c->in = bigger;
	c->in_room = room;
	return true;
}

void vici_client_read(struct vici_client *c)
{
	for (int i = 0; c->fd >= 0 && i < READS_MAX; i++) {
		ssize_t got;

		if (!make_room(c)) {
			lose(c, "no memory", NULL);
			return;
		}
		got = recv(c->fd, c->in + c->in_len, c->in_room - c->in_len, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (got < 0) {
			lose(c, "cannot be read from", spimend_strerror(-errno));
			return;
		}
		if (got == 0) {
			lose(c, c->in_len ? "closed the connection inside a message" : "closed the connection", NULL);
			return;
		}
		c->in_len += (size_t)got;
		take_segments(c);
	}
}

/* --- State ----------------------------------------------------------------------------------------------------------- */

bool vici_client_is_busy(const struct vici_client *c)
{
	return c->waiting != FOR_NOTHING;
}

const char *vici_client_lost(const struct vici_client *c)
{
	return c->fd < 0 ? c->lost : NULL;
}

int vici_client_get_fd(const struct vici_client *c)
{
	return c->fd;
}

bool vici_client_wants_write(const struct vici_client *c)
{
	return c->fd >= 0 && c->out.len != 0;
}

int64_t vici_client_deadline(const struct vici_client *c)
{
	return c->waiting == FOR_NOTHING ? INT64_MAX : c->deadline;
}

void vici_client_tick(struct vici_client *c, int64_t now)
{
	if (c->waiting != FOR_NOTHING && now >= c->deadline)
		lose(c, "did not answer in time", NULL);
}
