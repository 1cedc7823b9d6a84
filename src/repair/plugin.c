/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/plugin_message.h"
#include "repair/plugin.h"

#define READ_AT_ONCE 64     /* datagrams a call, so that a flood cannot hold the loop */
#define MALFORMED_MAX 16    /* from the plugin, then it is no plugin of ours */
#define HELLO_SERIAL 1
#define DROP_WAIT_MS 8000   /* it waits for the IKE SA to be free, for no peer */
#define LATE_MAX IKE_PLUGIN_ORDERS_MAX

enum slot_state { SLOT_FREE, SLOT_WAITS, SLOT_LATE };

struct slot {
	enum slot_state state;
	uint32_t serial;
	uint64_t id;
	int64_t sent, deadline;
};

struct outgoing {
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	size_t len;
};

struct ike_plugin {
	uint16_t daemon;
	struct ike_plugin_calls calls;
	int fd; /* owns; -1 */
	bool welcomed, detects_crashes;
	int64_t welcome_by;
	const char *why; /* static */
	uint32_t serial, malformed;
	struct slot slots[IKE_PLUGIN_ORDERS_MAX + LATE_MAX];
	struct outgoing queue[IKE_PLUGIN_ORDERS_MAX]; /* what the socket did not take yet, oldest first */
	size_t queued;
	struct ike_plugin_counts counts;
};
#define SLOTS (IKE_PLUGIN_ORDERS_MAX + LATE_MAX)

struct ike_plugin *ike_plugin_new(uint16_t daemon, const struct ike_plugin_calls *calls)
{
	struct ike_plugin *p = memory_new(1, sizeof(*p));

	if (!p)
		return NULL;
	p->daemon = daemon;
	p->calls = *calls;
	p->fd = -1;
	p->why = "never connected";
	return p;
}

static void drop_connection(struct ike_plugin *p, const char *why)
{
	if (p->fd >= 0) {
		if (p->calls.closing)
			p->calls.closing(p->calls.context);
		close(p->fd);
	}
	p->fd = -1;
	p->welcomed = false;
	p->queued = 0;
	p->why = why;
}

void ike_plugin_free(struct ike_plugin *p)
{
	if (!p)
		return;
	drop_connection(p, "freed");
	memory_free(p);
}

/* The slots are emptied before anybody is told: a call may give new orders. */
static void lose(struct ike_plugin *p, const char *why)
{
	struct slot lost[SLOTS];
	bool was_up = p->welcomed;

	if (p->fd < 0)
		return;
	memcpy(lost, p->slots, sizeof(lost));
	memset(p->slots, 0, sizeof(p->slots));
	drop_connection(p, why);
	p->counts.lost++;
	if (was_up)
		p->calls.state(p->calls.context, p->daemon, false, "");
	for (size_t i = 0; i < SLOTS; i++) {
		struct plugin_message m = { .kind = PLUGIN_RESULT, .serial = lost[i].serial,
					    .present = UINT32_C(1) << PLUGIN_HAS_OUTCOME, .outcome = PLUGIN_DISCONNECTED };

		if (lost[i].state == SLOT_WAITS)
			p->calls.result(p->calls.context, p->daemon, lost[i].id, &m, 0);
		else if (lost[i].state == SLOT_LATE) {
			m.kind = PLUGIN_LATE;
			p->calls.late(p->calls.context, p->daemon, lost[i].id, &m);
		}
	}
}

static bool is_lasting(int error)
{
	return error != EAGAIN && error != EWOULDBLOCK && error != EINTR && error != ENOBUFS;
}

/* Sends what it can. False: the connection is gone (and has been lost). */
static bool flush_queue(struct ike_plugin *p)
{
	size_t sent = 0;

	while (sent < p->queued &&
	       send(p->fd, p->queue[sent].bytes, p->queue[sent].len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		sent++;
	if (sent < p->queued && is_lasting(errno)) {
		lose(p, "the connection broke");
		return false;
	}
	p->queued -= sent;
	memmove(p->queue, p->queue + sent, p->queued * sizeof(p->queue[0]));
	return true;
}

static int enqueue(struct ike_plugin *p, const struct plugin_message *m)
{
	struct outgoing *o;
	int len;

	if (p->queued == sizeof(p->queue) / sizeof(p->queue[0]))
		return -ENOBUFS;
	o = &p->queue[p->queued];
	len = plugin_message_write(m, o->bytes);
	if (len < 0)
		return len;
	o->len = (size_t)len;
	p->queued++;
	return 0;
}

static int greet(int fd, uint8_t flags)
{
	struct plugin_message hello = { .kind = PLUGIN_HELLO, .serial = HELLO_SERIAL,
					.present = UINT32_C(1) << PLUGIN_HAS_FLAGS, .flags = flags };
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	int len = plugin_message_write(&hello, bytes);

	if (len < 0)
		return len;
	return send(fd, bytes, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) == len ? 0 : -errno;
}

int ike_plugin_connect(const char *path, uint8_t flags, int *ret_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd, r;

	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : greet(fd, flags);
	if (r < 0)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}

int ike_plugin_attach(struct ike_plugin *p, int fd, int64_t now)
{
	if (p->fd >= 0)
		lose(p, "replaced");
	if (fd < 0)
		return -EBADF;
	p->fd = fd;
	p->why = "not greeted yet";
	p->welcome_by = now + IKE_PLUGIN_WELCOME_NS;
	p->malformed = 0;
	if (p->serial < HELLO_SERIAL)
		p->serial = HELLO_SERIAL;
	p->counts.attached++;
	return 0;
}

bool ike_plugin_is_down(const struct ike_plugin *p, const char **ret_why)
{
	*ret_why = p->welcomed ? "up" : p->why;
	return !p->welcomed;
}

bool ike_plugin_detects_crashes(const struct ike_plugin *p)
{
	return p->welcomed && p->detects_crashes;
}

int ike_plugin_get_fd(const struct ike_plugin *p)
{
	return p->fd;
}

bool ike_plugin_wants_write(const struct ike_plugin *p)
{
	return p->fd >= 0 && p->queued > 0;
}

static struct slot *find_slot(struct ike_plugin *p, uint32_t serial, enum slot_state state)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (p->slots[i].state == state && p->slots[i].serial == serial)
			return &p->slots[i];
	return NULL;
}

static size_t count_slots(const struct ike_plugin *p, enum slot_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < SLOTS; i++)
		count += p->slots[i].state == state;
	return count;
}

static void take_result(struct ike_plugin *p, const struct plugin_message *m, int64_t now)
{
	struct slot *slot = find_slot(p, m->serial, SLOT_WAITS), was;

	if (!slot) {
		p->counts.malformed++;
		return;
	}
	was = *slot;
	slot->state = SLOT_FREE;
	/* What is late is a courtesy: with too many of them none is kept. */
	if (m->outcome == PLUGIN_NO_REPLY && count_slots(p, SLOT_LATE) < LATE_MAX)
		slot->state = SLOT_LATE;
	p->calls.result(p->calls.context, p->daemon, was.id, m, now - was.sent);
}

static void take_late(struct ike_plugin *p, const struct plugin_message *m)
{
	struct slot *slot = find_slot(p, m->serial, SLOT_LATE);
	uint64_t id;

	if (!slot)
		return;
	id = slot->id;
	slot->state = SLOT_FREE;
	p->calls.late(p->calls.context, p->daemon, id, m);
}

static void take_message(struct ike_plugin *p, const struct plugin_message *m, int64_t now)
{
	if (m->kind == PLUGIN_WELCOME && m->serial == HELLO_SERIAL && !p->welcomed) {
		p->welcomed = true;
		p->detects_crashes = plugin_has(m, PLUGIN_HAS_FLAGS) && (m->flags & PLUGIN_CRASH_ON);
		p->calls.state(p->calls.context, p->daemon, true, m->text);
	} else if (m->kind == PLUGIN_RESULT && m->serial) {
		take_result(p, m, now);
	} else if (m->kind == PLUGIN_LATE) {
		take_late(p, m);
	} else { /* nobody asked for reports here */
		p->counts.malformed++;
	}
}

void ike_plugin_read(struct ike_plugin *p, int64_t now)
{
	for (int i = 0; i < READ_AT_ONCE && p->fd >= 0; i++) {
		unsigned char bytes[PLUGIN_MESSAGE_MAX + 1]; /* one more: a longer one shows */
		ssize_t len = recv(p->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		struct plugin_failure failure;
		struct plugin_message m;

		if (len < 0 && !is_lasting(errno))
			return;
		if (len <= 0) {
			lose(p, len < 0 ? "the connection broke" : "charon closed the connection");
			return;
		}
		if (plugin_message_read(bytes, (size_t)len, &m, &failure)) {
			p->counts.malformed++;
			if (++p->malformed >= MALFORMED_MAX)
				lose(p, "what it says is not this protocol");
			continue;
		}
		take_message(p, &m, now);
	}
}

void ike_plugin_write(struct ike_plugin *p, int64_t now)
{
	(void)now;
	if (p->fd >= 0)
		flush_queue(p);
}

int64_t ike_plugin_deadline(const struct ike_plugin *p)
{
	int64_t deadline = INT64_MAX;

	if (p->fd < 0)
		return deadline;
	if (!p->welcomed)
		deadline = p->welcome_by;
	for (size_t i = 0; i < SLOTS; i++)
		if (p->slots[i].state == SLOT_WAITS && p->slots[i].deadline < deadline)
			deadline = p->slots[i].deadline;
	return deadline;
}

void ike_plugin_tick(struct ike_plugin *p, int64_t now)
{
	if (now >= ike_plugin_deadline(p))
		lose(p, p->welcomed ? "it does not answer" : "it does not greet");
}

static struct plugin_message message_outside(const struct ike_plugin_order *order, struct plugin_message m)
{
	m.present = UINT32_C(1) << PLUGIN_HAS_PROTOCOL | UINT32_C(1) << PLUGIN_HAS_SPI | UINT32_C(1) << PLUGIN_HAS_LOCAL |
		    UINT32_C(1) << PLUGIN_HAS_REMOTE;
	m.local = order->local;
	m.remote = order->remote;
	m.remote_port = order->remote_port;
	if (order->remote_port)
		m.present |= UINT32_C(1) << PLUGIN_HAS_REMOTE_PORT;
	return m;
}

/* The order as it goes out; plugin_message_write() refuses what is out of range. */
static struct plugin_message message_of(const struct ike_plugin_order *order, uint32_t serial)
{
	struct plugin_message m = { .kind = order->verb, .serial = serial, .ike_id = order->ike_id,
				    .child_id = order->child_id, .protocol = order->protocol, .spi = order->spi,
				    .wait_ms = order->wait_ms };

	if (order->verb == PLUGIN_NOTIFY_OUTSIDE)
		return message_outside(order, m);
	m.present = UINT32_C(1) << PLUGIN_HAS_IKE_ID;
	if (order->verb != PLUGIN_LIVENESS)
		m.present |= UINT32_C(1) << PLUGIN_HAS_SPI;
	if (order->verb == PLUGIN_DROP_CHILD)
		m.present |= UINT32_C(1) << PLUGIN_HAS_CHILD_ID;
	else
		m.present |= UINT32_C(1) << PLUGIN_HAS_WAIT_MS;
	if (order->verb == PLUGIN_DELETE || order->verb == PLUGIN_INVALID_SPI)
		m.present |= UINT32_C(1) << PLUGIN_HAS_PROTOCOL;
	return m;
}

int ike_plugin_order(struct ike_plugin *p, const struct ike_plugin_order *order, int64_t now)
{
	uint32_t serial = p->serial + 1 > HELLO_SERIAL ? p->serial + 1 : HELLO_SERIAL + 1;
	struct plugin_message m = message_of(order, serial);
	uint32_t wait_ms = plugin_has(&m, PLUGIN_HAS_WAIT_MS) ? order->wait_ms : DROP_WAIT_MS;
	struct slot *slot = NULL;
	int status;

	if (!p->welcomed)
		return -ENOTCONN;
	if (!plugin_is_order(order->verb) || !plugin_valid(&m))
		return -EINVAL;
	if (count_slots(p, SLOT_WAITS) == IKE_PLUGIN_ORDERS_MAX)
		return -ENOBUFS;
	status = enqueue(p, &m);
	if (status)
		return status;
	for (size_t i = 0; i < SLOTS && !slot; i++)
		if (p->slots[i].state == SLOT_FREE)
			slot = &p->slots[i];
	*slot = (struct slot){ SLOT_WAITS, serial, order->id, now,
			       now + INT64_C(1000000) * (int64_t)wait_ms + IKE_PLUGIN_GRACE_NS };
	p->serial = serial;
	p->counts.orders++;
	/* A broken connection shows when it is read next: a result must not come before this returns. */
	while (p->queued && send(p->fd, p->queue[0].bytes, p->queue[0].len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		p->queued--;
		memmove(p->queue, p->queue + 1, p->queued * sizeof(p->queue[0]));
	}
	return 0;
}

struct ike_plugin_counts ike_plugin_count(const struct ike_plugin *p)
{
	return p->counts;
}
