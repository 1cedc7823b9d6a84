/* SPDX-License-Identifier: MIT */
#include "role/sense_syslog.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/sense_streams.h"
#include "sense/syslog_files.h"
#include "sense/syslog_journald.h"
#include "sense/syslog_udp.h"
#include "spimend/error.h"

#define ASK_AGAIN (5 * SECOND_NS)
#define FILES_EVERY (SECOND_NS / 4)
#define MANY 64                 /* messages of one turn: the next ones are read together ... */
#define PACE (SECOND_NS / 1000) /* ... after this, instead of being woken by the kernel for each few of them */

struct ear { /* one listener */
	struct sense_syslog *all; /* borrows */
	struct syslog_udp *udp;   /* owns; NULL: none */
	struct loop_source *source;
	struct loop_timer *timer; /* reads on, while many come */
	bool is_paced;
};

struct sense_syslog {
	struct member *member; /* borrows */
	struct channel *core;  /* borrows; NULL: none */
	struct syslog *is;     /* owns */
	struct ear ears[SYSLOG_LISTENERS_MAX];
	struct sense_streams *streams; /* owns */
	struct syslog_files *files; /* owns */
	struct syslog_pipe *journald; /* owns */
	struct loop_source *journald_source;
	uint64_t journald_told;
	struct loop_timer *ask_timer, *files_timer;
	bool lacks[SYSLOG_LISTENERS_MAX], said[SYSLOG_LISTENERS_MAX];
	struct syslog_claim *queue; /* owns: a ring of SENSE_CLAIMS_MAX */
	uint32_t first, count;
	struct syslog_counts told;
};

static struct moment now_of(const struct sense_syslog *h)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct moment){ .mono_ns = loop_now(h->member->loop),
				.wall.ns = (int64_t)wall.tv_sec * SECOND_NS + wall.tv_nsec };
}

/* --- To core ------------------------------------------------------------------------------------------------------- */

void sense_syslog_drained(struct sense_syslog *h)
{
	while (h && h->count && h->core && !channel_is_full(h->core)) {
		if (channel_send(h->core, MESSAGE_CLAIM, &h->queue[h->first]) < 0)
			return;
		h->first = (h->first + 1) % SENSE_CLAIMS_MAX;
		h->count--;
	}
}

static bool on_claim(void *context, const struct syslog_claim *claim)
{
	struct sense_syslog *h = context;

	if (h->count == SENSE_CLAIMS_MAX)
		return false;
	h->queue[(h->first + h->count) % SENSE_CLAIMS_MAX] = *claim;
	h->count++;
	sense_syslog_drained(h);
	return true;
}

static void on_heard(void *context, const struct syslog_heard *heard)
{
	struct sense_syslog *h = context;

	channel_send(h->core, MESSAGE_HEARD, heard); /* what is lost is told again, later */
}

void sense_syslog_core(struct sense_syslog *h, struct channel *core)
{
	if (!h)
		return;
	h->core = core;
	memset(&h->told, 0xff, sizeof(h->told)); /* a new one is told all */
	if (!core)
		return;
	syslog_tell_again(h->is);
	sense_syslog_drained(h);
}

/* The parent starts journalctl again behind it. */
static void tell_position(struct sense_syslog *h)
{
	struct role_ping at = { .number = syslog_pipe_position(h->journald) };

	if (at.number != h->journald_told && channel_send(h->member->parent, MESSAGE_JOURNALD_AT, &at) == 0)
		h->journald_told = at.number;
}

void sense_syslog_tell(struct sense_syslog *h)
{
	const struct syslog_counts *counts;

	if (!h)
		return;
	syslog_at(h->is, now_of(h));
	syslog_tick(h->is);
	sense_streams_tick(h->streams, loop_now(h->member->loop));
	sense_syslog_drained(h);
	tell_position(h);
	counts = syslog_counts(h->is);
	if (memcmp(counts, &h->told, sizeof(*counts)) != 0 && channel_send(h->core, MESSAGE_SYSLOG_COUNTS, counts) == 0)
		h->told = *counts;
}

/* --- Sockets and files --------------------------------------------------------------------------------------------- */

static void let_go(struct ear *ear)
{
	loop_remove(ear->source);
	ear->source = NULL;
	if (ear->timer)
		loop_timer_at(ear->timer, LOOP_NEVER);
	ear->is_paced = false;
	syslog_udp_free(ear->udp);
	ear->udp = NULL;
}

static uint32_t place_of(const struct ear *ear)
{
	return (uint32_t)(ear - ear->all->ears);
}

static void ask_later(struct sense_syslog *h, uint32_t index)
{
	h->lacks[index] = true;
	loop_timer_at(h->ask_timer, loop_now(h->member->loop) + ASK_AGAIN);
}

static void set_pace(struct ear *ear, bool is_paced)
{
	if (is_paced != ear->is_paced)
		loop_set_events(ear->source, is_paced ? 0 : EPOLLIN);
	ear->is_paced = is_paced;
	loop_timer_at(ear->timer, is_paced ? loop_now(ear->all->member->loop) + PACE : LOOP_NEVER);
}

static void read_udp(struct ear *ear)
{
	struct sense_syslog *h = ear->all;
	int r;

	syslog_at(h->is, now_of(h));
	r = syslog_udp_read(ear->udp, h->is);
	if (r >= 0) {
		set_pace(ear, r > MANY);
		return;
	}
	log_say(&h->member->log, LOG_ERR, "a syslog socket: %s; asking for another", spimend_strerror(r));
	let_go(ear);
	ask_later(h, place_of(ear));
}

static void on_udp(void *context, uint32_t events)
{
	(void)events;
	read_udp(context);
}

static void on_pace(void *context, int64_t now)
{
	struct ear *ear = context;

	(void)now;
	if (ear->udp)
		read_udp(ear);
}

static void on_ask(void *context, int64_t now)
{
	struct sense_syslog *h = context;

	(void)now;
	for (uint32_t i = 0; i < h->member->config->syslog.listener_count; i++)
		if (h->lacks[i])
			member_want(h->member, RESOURCE_SYSLOG, i, "");
	memset(h->lacks, 0, sizeof(h->lacks));
}

static void on_files(void *context, int64_t now)
{
	struct sense_syslog *h = context;

	(void)now;
	syslog_at(h->is, now_of(h));
	syslog_files_read(h->files, h->is);
}

static void wait_for_journald(struct sense_syslog *h);

static void on_journald(void *context, uint32_t events)
{
	struct sense_syslog *h = context;
	const char *why;

	(void)events;
	syslog_at(h->is, now_of(h));
	if (syslog_pipe_read(h->journald, h->is, text_of(h->member->config->hostname), &why))
		return;
	if (why)
		log_say(&h->member->log, LOG_ERR, "journalctl prints no journal: %s", why);
	tell_position(h); /* where the next one begins: the parent hears of its end by itself */
	loop_remove(h->journald_source);
	h->journald_source = NULL;
	syslog_pipe_next(h->journald);
	wait_for_journald(h);
}

static void wait_for_journald(struct sense_syslog *h)
{
	int fd = syslog_pipe_fd(h->journald), r;

	if (fd < 0 || h->journald_source)
		return;
	r = loop_add(h->member->loop, fd, EPOLLIN, on_journald, h, &h->journald_source);
	if (r == 0)
		return;
	log_say(&h->member->log, LOG_ERR, "the journal's pipe: %s", spimend_strerror(r));
	syslog_pipe_next(h->journald); /* closed: then journalctl ends, and is started again */
}

static int listen_udp(struct ear *ear, int fd)
{
	int r = syslog_udp_new(fd, &ear->udp);

	if (r == 0 && !ear->timer)
		r = loop_add_timer(ear->all->member->loop, on_pace, ear, &ear->timer);
	if (r == 0)
		r = loop_add(ear->all->member->loop, fd, EPOLLIN, on_udp, ear, &ear->source);
	return r;
}

static void take_listener(struct sense_syslog *h, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	const struct config_syslog *c = &h->member->config->syslog;
	uint32_t index = resource->index;
	const struct syslog_listener *l = index < c->listener_count ? &c->listeners[index] : NULL;
	const char *why = NULL;
	int r = resource->error;

	if (!l || r < 0 || fd_count == 0) {
		member_close_fds(fds, fd_count);
	} else if (l->transport != NOTIFY_UDP) {
		r = sense_streams_listen(h->streams, index, fds, fd_count, &why);
	} else {
		let_go(&h->ears[index]);
		member_close_fds(fds + 1, fd_count - 1);
		r = listen_udp(&h->ears[index], fds[0]);
	}
	if (why && !h->said[index])
		log_say(&h->member->log, LOG_ERR, "syslog listen %s port %u: %s; trying again", notify_transport_name(l->transport),
			l->port, why);
	h->said[index] = why;
	if (r < 0 && l) {
		let_go(&h->ears[index]);
		ask_later(h, index);
	} else if (l) {
		log_say(&h->member->log, LOG_INFO, "hears syslog on %s port %u", notify_transport_name(l->transport), l->port);
	}
}

bool sense_syslog_take(struct sense_syslog *h, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	if (resource->kind != RESOURCE_SYSLOG && resource->kind != RESOURCE_SYSLOG_FILE &&
	    resource->kind != RESOURCE_SYSLOG_JOURNALD)
		return false;
	if (h && resource->kind == RESOURCE_SYSLOG_JOURNALD && fd_count == 1) {
		syslog_pipe_take(h->journald, fds[0]);
		wait_for_journald(h);
		log_say(&h->member->log, LOG_INFO, "reads the journal");
		return true;
	}
	if (h && resource->kind == RESOURCE_SYSLOG) {
		take_listener(h, resource, fds, fd_count);
	} else if (h && fd_count == 1 && syslog_files_take(h->files, resource->index, fds[0]) == 0) {
		log_say(&h->member->log, LOG_INFO, "follows log file %u", resource->index + 1);
	} else if (!h || fd_count != 1) {
		member_close_fds(fds, fd_count);
	}
	return true;
}

/* --- Life ---------------------------------------------------------------------------------------------------------- */

void sense_syslog_reload(struct sense_syslog *h)
{
	if (!h) /* listeners and files are other ones only with another sense */
		return;
	if (syslog_set_devices(h->is, &h->member->config->devices) < 0)
		log_say(&h->member->log, LOG_ERR, "no memory for the devices' addresses: syslog is heard of those that there were");
	syslog_configure(h->is, &h->member->config->syslog);
	sense_streams_reload(h->streams);
}

int sense_syslog_new(struct member *member, struct sense_syslog **ret)
{
	struct syslog_events events = { .claim = on_claim, .heard = on_heard };
	struct sense_syslog *h;
	struct hash_key key;
	int r = 0;

	*ret = NULL;
	if (!syslog_is_wanted(&member->config->syslog))
		return 0;
	h = memory_new(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->member = member;
	for (uint32_t i = 0; i < SYSLOG_LISTENERS_MAX; i++)
		h->ears[i].all = h;
	events.context = h;
	h->queue = memory_new(SENSE_CLAIMS_MAX, sizeof(*h->queue));
	if (!h->queue)
		r = -ENOMEM;
	else if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		r = -EIO;
	if (r == 0)
		r = syslog_new(&member->config->syslog, &key, &events, &h->is);
	if (r == 0)
		r = syslog_set_devices(h->is, &member->config->devices);
	if (r == 0)
		r = sense_streams_new(member, h->is, &h->streams);
	if (r == 0)
		r = syslog_files_new(&h->files);
	if (r == 0)
		r = syslog_pipe_new(&h->journald);
	if (r == 0)
		r = loop_add_timer(member->loop, on_ask, h, &h->ask_timer);
	if (r == 0)
		r = loop_add_timer(member->loop, on_files, h, &h->files_timer);
	if (r < 0) {
		sense_syslog_free(h);
		return r;
	}
	syslog_at(h->is, now_of(h));
	if (member->config->syslog.file_count)
		loop_timer_every(h->files_timer, FILES_EVERY);
	*ret = h;
	return 0;
}

void sense_syslog_free(struct sense_syslog *h)
{
	if (!h)
		return;
	for (uint32_t i = 0; i < SYSLOG_LISTENERS_MAX; i++)
		let_go(&h->ears[i]);
	for (uint32_t i = 0; i < SYSLOG_LISTENERS_MAX; i++)
		loop_remove_timer(h->ears[i].timer);
	loop_remove_timer(h->ask_timer);
	loop_remove_timer(h->files_timer);
	sense_streams_free(h->streams);
	syslog_files_free(h->files);
	loop_remove(h->journald_source);
	if (h->journald)
		tell_position(h);
	syslog_pipe_free(h->journald);
	syslog_free(h->is);
	memory_free(h->queue);
	memory_free(h);
}
