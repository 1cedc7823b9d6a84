/* SPDX-License-Identifier: MIT */
/*
 * One end of a SOCK_SEQPACKET pair between two processes of the daemon: typed items in, typed items out, never blocking.
 *
 * Items of one type that follow each other travel in one datagram. What the other end does not take yet waits in a bounded
 * queue. Above its high mark channel_is_full() asks its owner to stop producing (back pressure); types that may be dropped
 * are dropped there, counted. A datagram that breaks the rules of role/message.h, and the end of the other process, close
 * the channel; its owner is told why and frees it.
 *
 * Called by every role. Never here: what a message means.
 */
#ifndef ROLE_CHANNEL_H
#define ROLE_CHANNEL_H

#include "role/loop.h"
#include "role/message.h"

#define CHANNEL_HIGH (1u << 20)  /* bytes that wait: stop producing, drop what may be dropped */
#define CHANNEL_LOW (256u << 10) /* go on */
#define CHANNEL_MOST (8u << 20)  /* nothing more is taken: -ENOBUFS */
#define CHANNEL_FDS_MOST 128     /* descriptors that wait: a role that asks and does not read must not eat up its parent's */
#define CHANNEL_READS_MAX 16     /* datagrams handled in one turn of the loop */

struct channel;

struct channel_calls {
	void *context; /* borrows */
	/* One item that came. The descriptors are the callee's from now on. */
	void (*take)(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		     const int *fds, size_t fd_count);
	/* It ended. `why` is a static string: a rule that was broken; NULL: the other process ended. May free the channel. */
	void (*closed)(void *context, struct channel *channel, const char *why);
	/* After channel_is_full() was true, it is below the low mark. NULL: nobody cares. */
	void (*drained)(void *context, struct channel *channel);
	/* All datagrams of this turn were told. NULL: nobody cares. */
	void (*turn)(void *context, struct channel *channel);
};

/* Takes the descriptor, also on failure. */
int channel_new(struct loop *loop, int fd, enum role self, enum role peer, const struct channel_calls *calls,
		struct channel **ret);
void channel_free(struct channel *channel); /* closes; what waits is lost; no call is made. NULL is fine */

/* 0; -ENOBUFS: dropped and counted; -ENOTCONN: closed (or `channel` is NULL); -EINVAL: not for that receiver. */
int channel_send(struct channel *channel, enum message_type type, const void *item);
/* With descriptors, which stay the caller's: they are duplicated. */
int channel_send_fds(struct channel *channel, enum message_type type, const void *item, const int *fds, size_t fd_count);
bool channel_is_full(const struct channel *channel);
/* Writes what the socket takes now: for a last word before an end. */
void channel_flush(struct channel *channel);

/* Tells what came already, without waiting for the loop: of a process that has ended. May close. */
void channel_receive(struct channel *channel);

struct channel_counts {
	uint64_t sent, taken;       /* items */
	uint64_t dropped, overflow; /* items: of types that may be dropped; of others, at CHANNEL_MOST */
};
struct channel_counts channel_count(const struct channel *channel);

#endif
