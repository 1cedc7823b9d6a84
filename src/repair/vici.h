/* SPDX-License-Identifier: MIT */
/*
 * One VICI connection over a socket that is already connected: frames, one request at a time, events at any time.
 *
 * repair/daemon uses two of these. The peer is trusted with nothing: it may die, send half a message, lie about lengths or
 * stay silent; then the connection is lost, with a reason, and its owner frees it. parse/vici reads what is inside.
 *
 * Never here: a loop, a clock, reconnecting.
 */
#ifndef REPAIR_VICI_H
#define REPAIR_VICI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct vici_client; /* opaque */

enum vici_answer {
	VICI_ANSWERED, /* CMD_RESPONSE with its message, or EVENT_CONFIRM with none */
	VICI_UNKNOWN,  /* the daemon knows no such command or event */
};

struct vici_client_calls {
	void *context; /* borrows */
	/* Messages are borrowed until the call returns. A call may start the next request; it never frees the client. */
	void (*event)(void *context, struct text name, struct text message);
	void (*answer)(void *context, enum vici_answer answer, struct text message);
	/* Right before the fd is closed: nobody may watch it any more. NULL: nobody does. */
	void (*closing)(void *context, int fd);
};

/* Takes the fd (closes it, also on failure). */
int vici_client_new(int fd, const struct vici_client_calls *calls, struct vici_client **ret);
void vici_client_free(struct vici_client *c); /* closes; no call but closing() is made */

/* 0; -EBUSY while another request is out, -EMSGSIZE, -EINVAL (name), -ENOTCONN when lost. `deadline` is absolute. */
int vici_client_request(struct vici_client *c, struct text command, struct text message, int64_t deadline);
int vici_client_register(struct vici_client *c, struct text event, int64_t deadline);

bool vici_client_is_busy(const struct vici_client *c);
/* NULL while the connection stands, then why it is lost. */
const char *vici_client_lost(const struct vici_client *c);

int vici_client_get_fd(const struct vici_client *c); /* -1 when lost */
bool vici_client_wants_write(const struct vici_client *c);
void vici_client_read(struct vici_client *c);
void vici_client_write(struct vici_client *c);
/* Of the request that is out; INT64_MAX: none. Passing it loses the connection: an answer that comes late would be taken
 * for that of the next request, since VICI numbers nothing. */
int64_t vici_client_deadline(const struct vici_client *c);
void vici_client_tick(struct vici_client *c, int64_t now);

#endif
