/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket, its few connections, and what waits to be sent on them. Nothing here waits. */
#include "spimend.h"

#include <processing/jobs/callback_job.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS 50 /* a connection whose socket is full is tried again after this */

struct queued_message_t {
	queued_message_t *next; /* owns */
	bool report;
	int len;
	unsigned char bytes[];
};

typedef struct {
	spimend_t *this; /* borrows */
	client_id_t client;
} retry_t;

static void schedule_retry(spimend_t *this, client_t *c);

static void set_last(client_t *c)
{
	if (!c->first)
		c->last = &c->first;
}

static void free_queue(client_t *c)
{
	while (c->first) {
		queued_message_t *q = c->first;

		c->first = q->next;
		free(q);
	}
	c->reports = c->results = 0;
	set_last(c);
}

/* Under the lock. False: no room, or no memory. */
static bool append(client_t *c, const struct plugin_message *m)
{
	bool report = plugin_is_report(m->kind);
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	int len = plugin_message_write(m, bytes);
	queued_message_t *q;

	if (len < 0 || (report ? c->reports >= REPORTS_MAX : c->results >= RESULTS_MAX))
		return FALSE;
	q = malloc(sizeof(*q) + len);
	if (!q)
		return FALSE;
	q->next = NULL;
	q->report = report;
	q->len = len;
	memcpy(q->bytes, bytes, len);
	*c->last = q;
	c->last = &q->next;
	if (report)
		c->reports++;
	else
		c->results++;
	return TRUE;
}

/* Under the lock: what was lost is told as soon as there is room to tell it. */
static void append_lost(client_t *c)
{
	struct plugin_message m = { .kind = PLUGIN_LOST, .present = HAS(COUNT), .count = c->lost };

	if (c->lost && c->reports < REPORTS_MAX && append(c, &m))
		c->lost = 0;
}

/* Under the lock. */
static void flush_client(spimend_t *this, client_t *c)
{
	append_lost(c);
	while (c->first && !c->closing) {
		queued_message_t *q = c->first;

		if (send(c->fd, q->bytes, q->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR)
				schedule_retry(this, c);
			else
				shutdown(c->fd, SHUT_RDWR); /* its reader finds out and closes */
			return;
		}
		c->first = q->next;
		if (q->report)
			c->reports--;
		else
			c->results--;
		free(q);
		set_last(c);
		append_lost(c);
	}
}

static client_t *client_of(spimend_t *this, client_id_t id)
{
	client_t *c = &this->clients[id.slot % CLIENTS_MAX];

	return c->used && !c->closing && c->id.generation == id.generation ? c : NULL;
}

static job_requeue_t retry(retry_t *r)
{
	client_t *c;

	pthread_mutex_lock(&r->this->lock);
	c = client_of(r->this, r->client);
	if (c) {
		c->retry = FALSE;
		flush_client(r->this, c);
	}
	pthread_mutex_unlock(&r->this->lock);
	return JOB_REQUEUE_NONE;
}

static void schedule_retry(spimend_t *this, client_t *c)
{
	retry_t *r;

	if (c->retry)
		return;
	INIT(r, .this = this, .client = c->id);
	c->retry = TRUE;
	lib->scheduler->schedule_job_ms(lib->scheduler,
					(job_t *)callback_job_create((callback_job_cb_t)retry, r, free, NULL), RETRY_MS);
}

void channel_answer(spimend_t *this, client_id_t client, const struct plugin_message *m)
{
	client_t *c;

	pthread_mutex_lock(&this->lock);
	c = client_of(this, client);
	if (c) {
		if (append(c, m))
			flush_client(this, c);
		else
			shutdown(c->fd, SHUT_RDWR); /* it asks and asks, and reads nothing */
	}
	pthread_mutex_unlock(&this->lock);
}

void channel_report(spimend_t *this, const struct plugin_message *m)
{
	pthread_mutex_lock(&this->lock);
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		client_t *c = &this->clients[i];

		if (!c->used || c->closing || !c->wants_reports)
			continue;
		if (!append(c, m))
			c->lost++;
		flush_client(this, c);
	}
	pthread_mutex_unlock(&this->lock);
}

void channel_count_lost(spimend_t *this)
{
	pthread_mutex_lock(&this->lock);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (this->clients[i].used && !this->clients[i].closing && this->clients[i].wants_reports) {
			this->clients[i].lost++;
			schedule_retry(this, &this->clients[i]); /* told soon, and many at once */
		}
	pthread_mutex_unlock(&this->lock);
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

static void say_invalid(spimend_t *this, client_id_t client, uint32_t serial, const char *why)
{
	struct plugin_message m = { .kind = PLUGIN_RESULT, .serial = serial, .present = HAS(OUTCOME) | HAS(TEXT),
				    .outcome = PLUGIN_INVALID };

	snprintf(m.text, sizeof(m.text), "%s", why);
	channel_answer(this, client, &m);
}

/* Once, so that whoever is given a connection that was greeted cannot get more out of it. False: it has said enough. */
static bool greet(spimend_t *this, client_t *c, const struct plugin_message *hello)
{
	struct plugin_message m = { .kind = PLUGIN_WELCOME, .serial = hello->serial, .present = HAS(TEXT) | HAS(FLAGS),
				    .text = SPIMEND_STRONGSWAN_VERSION };
	bool on = crash_is_on(this);

	if (c->greeted) {
		say_invalid(this, c->id, hello->serial, "greeted already");
		return ++c->malformed < MALFORMED_MAX;
	}
	if (hello->flags & (PLUGIN_CRASH_ON | PLUGIN_CRASH_OFF))
		on = crash_switch(this, (hello->flags & PLUGIN_CRASH_ON) != 0);
	m.flags = on ? PLUGIN_CRASH_ON : 0;
	pthread_mutex_lock(&this->lock);
	c->greeted = TRUE;
	c->wants_reports = (hello->flags & PLUGIN_WANT_REPORTS) != 0;
	c->reports_only = (hello->flags & PLUGIN_REPORTS_ONLY) != 0;
	pthread_mutex_unlock(&this->lock);
	channel_answer(this, c->id, &m);
	return TRUE;
}

static bool take_message(spimend_t *this, client_t *c, const unsigned char *bytes, size_t len)
{
	struct plugin_failure failure;
	struct plugin_message m;

	if (plugin_message_read(bytes, len, &m, &failure)) {
		say_invalid(this, c->id, 0, failure.reason);
		return ++c->malformed < MALFORMED_MAX;
	}
	if (m.kind == PLUGIN_HELLO)
		return greet(this, c, &m);
	if (!plugin_is_order(m.kind) || !c->greeted || c->reports_only) {
		say_invalid(this, c->id, m.serial,
			    !c->greeted ? "greet first" : c->reports_only ? "reports only" : "not an order");
		return ++c->malformed < MALFORMED_MAX;
	}
	orders_take(this, c->id, &m);
	return TRUE;
}

typedef struct {
	spimend_t *this; /* borrows */
	unsigned slot;
} ending_t;

/* A job of its own: the watcher forgets a descriptor only when its callback has returned, and only then its number may
 * become another one's. */
static job_requeue_t end_client(ending_t *e)
{
	client_t *c = &e->this->clients[e->slot];

	lib->watcher->remove(lib->watcher, c->fd);
	orders_forget_client(e->this, c->id);
	pthread_mutex_lock(&e->this->lock);
	close(c->fd);
	free_queue(c);
	memset(c, 0, sizeof(*c));
	pthread_mutex_unlock(&e->this->lock);
	return JOB_REQUEUE_NONE;
}

static void begin_end(spimend_t *this, client_t *c)
{
	ending_t *e;

	pthread_mutex_lock(&this->lock);
	c->closing = TRUE;
	pthread_mutex_unlock(&this->lock);
	INIT(e, .this = this, .slot = c->id.slot);
	lib->processor->queue_job(lib->processor,
				  (job_t *)callback_job_create((callback_job_cb_t)end_client, e, free, NULL));
}

/* The watcher calls it from one thread at a time for each descriptor. */
static bool on_client(spimend_t *this, int fd, watcher_event_t event)
{
	client_t *c = NULL;

	pthread_mutex_lock(&this->lock);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (this->clients[i].used && !this->clients[i].closing && this->clients[i].fd == fd)
			c = &this->clients[i];
	pthread_mutex_unlock(&this->lock);
	if (!c)
		return FALSE;
	for (int i = 0; i < READ_AT_ONCE; i++) {
		unsigned char bytes[PLUGIN_MESSAGE_MAX + 1]; /* one more: a longer one shows */
		ssize_t len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return TRUE;
		if (len <= 0 || !take_message(this, c, bytes, len)) {
			begin_end(this, c);
			return FALSE;
		}
	}
	return TRUE;
}

static bool is_our_user(spimend_t *this, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) && len == sizeof(who) && who.uid == this->user;
}

static bool on_connect(spimend_t *this, int fd, watcher_event_t event)
{
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	client_t *c = NULL;

	if (client < 0)
		return TRUE;
	if (!is_our_user(this, client)) {
		DBG1(DBG_CFG, "spimend: turned another user away");
		close(client);
		return TRUE;
	}
	pthread_mutex_lock(&this->lock);
	for (unsigned i = 0; i < CLIENTS_MAX && !c; i++) {
		if (!this->clients[i].used) {
			c = &this->clients[i];
			*c = (client_t){ .used = TRUE, .id = { i, ++this->generations }, .fd = client };
			set_last(c);
		}
	}
	pthread_mutex_unlock(&this->lock);
	if (c)
		lib->watcher->add(lib->watcher, client, WATCHER_READ, (watcher_cb_t)on_client, this);
	else
		close(client);
	return TRUE;
}

/* --- life ------------------------------------------------------------------------------------------------------------- */

static bool fail_to_open(spimend_t *this)
{
	DBG1(DBG_CFG, "spimend: socket %s: %s", this->path, strerror(errno));
	if (this->fd >= 0) {
		close(this->fd);
		unlink(this->path);
	}
	this->fd = -1;
	return FALSE;
}

/* While plugins load: charon gives up its privilege to change owners before any job runs. Nobody can connect before
 * channel_open() listens, and by then mode and owner are right. */
bool channel_bind(spimend_t *this)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat old;

	memcpy(address.sun_path, this->path, strlen(this->path)); /* shorter: plugin.c looked */
	if (!lstat(this->path, &old) && S_ISSOCK(old.st_mode))
		unlink(this->path);
	this->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (this->fd < 0)
		return fail_to_open(this);
	if (bind(this->fd, (struct sockaddr *)&address, sizeof(address))) {
		int error = errno;

		close(this->fd); /* what is there is not ours to remove */
		this->fd = -1;
		errno = error;
		return fail_to_open(this);
	}
	if (chmod(this->path, 0600) || (this->user != geteuid() && chown(this->path, this->user, -1)))
		return fail_to_open(this);
	return TRUE;
}

bool channel_open(spimend_t *this)
{
	if (this->fd < 0 || listen(this->fd, CLIENTS_MAX))
		return fail_to_open(this);
	lib->watcher->add(lib->watcher, this->fd, WATCHER_READ, (watcher_cb_t)on_connect, this);
	return TRUE;
}

/* charon's threads have ended. */
void channel_close(spimend_t *this)
{
	if (this->fd >= 0) {
		lib->watcher->remove(lib->watcher, this->fd);
		close(this->fd);
		unlink(this->path);
		this->fd = -1;
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		client_t *c = &this->clients[i];

		if (!c->used)
			continue;
		lib->watcher->remove(lib->watcher, c->fd);
		close(c->fd);
		free_queue(c);
		memset(c, 0, sizeof(*c));
	}
}
