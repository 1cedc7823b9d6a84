/* SPDX-License-Identifier: MIT */
#include "role/sense_streams.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "spimend/error.h"

#define ACCEPTS_MAX 16 /* of one turn */

struct listening {
	struct sense_streams *all; /* borrows */
	int fd;                    /* owns; -1: none */
	struct syslog_tls *tls;    /* owns; NULL: TCP */
	struct loop_source *source;
};

struct live { /* a connection */
	struct sense_streams *all;    /* borrows */
	struct syslog_connection *is; /* owns; NULL: this place is free */
	struct loop_source *source;
};

struct sense_streams {
	struct member *member; /* borrows */
	struct syslog *syslog; /* borrows */
	struct listening at[SYSLOG_LISTENERS_MAX];
	struct live *live;     /* owns: SYSLOG_CONNECTIONS_MAX */
	int64_t said_ns;       /* a broken one is said at most once in a while */
};

static void let_go(struct live *live)
{
	loop_remove(live->source);
	live->source = NULL;
	syslog_connection_free(live->is, live->all->syslog);
	live->is = NULL;
}

static void say_broken(struct live *live, const char *why)
{
	struct sense_streams *s = live->all;
	int64_t now = loop_now(s->member->loop);
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (s->said_ns && now - s->said_ns < MINUTE_NS) /* they are counted */
		return;
	s->said_ns = now;
	log_say(&s->member->log, LOG_WARNING, "a syslog connection from %s is closed: %s",
		spimend_address_print(syslog_connection_from(live->is), address), why);
}

static void on_bytes(void *context, uint32_t events)
{
	struct live *live = context;
	struct sense_streams *s = live->all;
	struct syslog_counts *counts = syslog_counts(s->syslog);
	const char *why = "";
	struct timespec wall;

	(void)events;
	clock_gettime(CLOCK_REALTIME, &wall);
	syslog_at(s->syslog, (struct moment){ .mono_ns = loop_now(s->member->loop),
					      .wall.ns = (int64_t)wall.tv_sec * SECOND_NS + wall.tv_nsec });
	switch (syslog_connection_read(live->is, s->syslog, loop_now(s->member->loop), &why)) {
	case SYSLOG_READS:
		loop_set_events(live->source, EPOLLIN);
		return;
	case SYSLOG_WRITES:
		loop_set_events(live->source, EPOLLOUT);
		return;
	case SYSLOG_ENDED:
		break;
	case SYSLOG_BROKEN:
		counts->broken++;
		say_broken(live, why);
		break;
	case SYSLOG_TLS_FAILED:
		counts->tls_failed++;
		say_broken(live, "TLS cannot be agreed upon, or its certificate is none of those that are let in");
		break;
	}
	let_go(live);
}

static struct live *find_place(struct sense_streams *s)
{
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++)
		if (!s->live[i].is)
			return &s->live[i];
	return NULL;
}

static void on_listening(void *context, uint32_t events)
{
	struct listening *l = context;
	struct sense_streams *s = l->all;
	int64_t now = loop_now(s->member->loop);

	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct syslog_connection *c;
		struct live *live;
		int r = syslog_accept(l->fd, l->tls, s->syslog, now, &c);

		if (r == -EAGAIN)
			return;
		if (r < 0 || !c)
			continue; /* one that was reset meanwhile; or it is counted */
		live = find_place(s); /* there is one: syslog_accept() has counted */
		if (!live || loop_add(s->member->loop, syslog_connection_fd(c), EPOLLIN, on_bytes, live, &live->source) < 0) {
			syslog_connection_free(c, s->syslog);
			continue;
		}
		live->is = c;
	}
}

static void close_listening(struct listening *l)
{
	loop_remove(l->source);
	l->source = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	syslog_tls_free(l->tls);
	l->tls = NULL;
}

int sense_streams_listen(struct sense_streams *s, uint32_t index, const int *fds, size_t fd_count, const char **ret_why)
{
	struct listening *l = &s->at[index];
	int r = 0;

	*ret_why = NULL;
	close_listening(l);
	l->fd = fds[0];
	if (fd_count > 1)
		r = syslog_tls_new(fds[1], fd_count > 2 ? fds[2] : -1, fd_count > 3 ? fds[3] : -1, &l->tls, ret_why);
	member_close_fds(fds + 1, fd_count - 1);
	if (r == 0)
		r = loop_add(s->member->loop, l->fd, EPOLLIN, on_listening, l, &l->source);
	if (r < 0)
		close_listening(l);
	return r;
}

void sense_streams_reload(struct sense_streams *s)
{
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++)
		if (s->live[i].is && !syslog_may(s->syslog, syslog_connection_from(s->live[i].is)))
			let_go(&s->live[i]);
}

void sense_streams_tick(struct sense_streams *s, int64_t now_ns)
{
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++) {
		if (!s->live[i].is || !syslog_connection_is_late(s->live[i].is, now_ns))
			continue;
		syslog_counts(s->syslog)->silent++;
		let_go(&s->live[i]);
	}
}

int sense_streams_new(struct member *member, struct syslog *syslog, struct sense_streams **ret)
{
	struct sense_streams *s = memory_new(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->member = member;
	s->syslog = syslog;
	for (size_t i = 0; i < SYSLOG_LISTENERS_MAX; i++)
		s->at[i] = (struct listening){ .all = s, .fd = -1 };
	s->live = memory_new(SYSLOG_CONNECTIONS_MAX, sizeof(*s->live));
	if (!s->live) {
		memory_free(s);
		return -ENOMEM;
	}
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++)
		s->live[i].all = s;
	*ret = s;
	return 0;
}

void sense_streams_free(struct sense_streams *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SYSLOG_LISTENERS_MAX; i++)
		close_listening(&s->at[i]);
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++)
		let_go(&s->live[i]);
	memory_free(s->live);
	memory_free(s);
}
