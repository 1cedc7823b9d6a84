/* SPDX-License-Identifier: MIT */
#include "repair/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"
#include "repair/daemon_private.h"
#include "spimend/error.h"

static int64_t or_default(int64_t given, int64_t normal)
{
	return given > 0 ? given : normal;
}

struct ike_daemon *ike_daemon_new(uint16_t daemon, const struct ike_daemon_calls *calls,
				  const struct ike_daemon_limits *limits, int64_t now)
{
	struct ike_daemon *d = memory_new(1, sizeof(*d));
	struct ike_daemon_limits none = { 0 };

	if (!d)
		return NULL;
	if (!limits)
		limits = &none;
	d->index = daemon;
	d->calls = *calls;
	d->limits.list_ns = or_default(limits->list_ns, 5 * SECOND_NS);
	d->limits.initiate_ns = or_default(limits->initiate_ns, 10 * SECOND_NS);
	d->limits.terminate_ns = or_default(limits->terminate_ns, 5 * SECOND_NS);
	d->limits.rekey_ns = or_default(limits->rekey_ns, 5 * SECOND_NS);
	d->now = d->down_since = now;
	snprintf(d->why, sizeof(d->why), "not connected yet");
	return d;
}

static void drop_clients(struct ike_daemon *d)
{
	for (int i = 0; i < IKE_DAEMON_FDS; i++) {
		vici_client_free(d->clients[i]);
		d->clients[i] = NULL;
	}
}

void ike_daemon_free(struct ike_daemon *d)
{
	if (!d)
		return;
	drop_clients(d);
	known_done(&d->known);
	known_done(&d->fresh);
	memory_free(d);
}

/* Everything that was begun is ended, in this order: lists, orders, and then that it is down. */
static void go_down(struct ike_daemon *d, const char *why)
{
	bool told_up = d->told_up;

	snprintf(d->why, sizeof(d->why), "%s", why);
	drop_clients(d);
	d->down_since = d->now;
	d->told_up = false;
	d->events_ready = d->orders_ready = false;
	d->counts.lost++;
	news_down(d);
	orders_down(d);
	if (told_up) {
		d->state.up = false;
		d->calls.state(d->calls.context, &d->state);
	}
}

/* Goes down where a connection is lost. */
static void look(struct ike_daemon *d)
{
	for (int i = 0; i < IKE_DAEMON_FDS && d->clients[i]; i++) {
		const char *lost = vici_client_lost(d->clients[i]);
		char why[sizeof(d->why)];

		if (!lost)
			continue;
		snprintf(why, sizeof(why), "%s connection: %s", i == IKE_DAEMON_EVENTS ? "events" : "orders", lost);
		go_down(d, why);
		return;
	}
}

/* Every call of daemon.h begins with enter() and ends with leave(). Calls made from within our calls nest: only the
 * outermost one settles, so that no connection is freed under the feet of whoever reads from it. */
static void enter(struct ike_daemon *d, int64_t now)
{
	d->now = now;
	d->depth++;
}

/* After anything that may have lost a connection or freed it for the next question; asking may lose one as well. */
static void leave(struct ike_daemon *d)
{
	if (d->depth == 1) {
		look(d);
		if (d->clients[0]) {
			news_pump(d);
			orders_pump(d);
			look(d);
		}
	}
	d->depth--;
}

static void closing(void *context, int fd)
{
	struct ike_daemon *d = context;

	if (d->calls.closing)
		d->calls.closing(d->calls.context, fd);
}

int ike_daemon_attach(struct ike_daemon *d, int events_fd, int orders_fd, int64_t now)
{
	struct vici_client_calls news = { d, news_event, news_answer, closing },
				 orders = { d, orders_event, orders_answer, closing };
	int r;

	enter(d, now);
	if (d->clients[0])
		go_down(d, "replaced by a new connection");
	r = vici_client_new(events_fd, &news, &d->clients[IKE_DAEMON_EVENTS]);
	if (r)
		close(orders_fd);
	else
		r = vici_client_new(orders_fd, &orders, &d->clients[IKE_DAEMON_ORDERS]);
	if (r) {
		drop_clients(d);
		leave(d);
		return r;
	}
	d->counts.attached++;
	d->step = d->orders_step = 0;
	d->state = (struct daemon_state){ .daemon = d->index };
	d->hints = (struct daemon_hint_memory){ 0 };
	d->want_connections = d->want_sas = true;
	d->want_serial = 0;
	leave(d);
	return 0;
}

bool ike_daemon_is_down(const struct ike_daemon *d, int64_t *ret_since, const char **ret_why)
{
	if (d->clients[0])
		return false;
	if (ret_since)
		*ret_since = d->down_since;
	if (ret_why)
		*ret_why = d->why;
	return true;
}

int ike_daemon_get_fd(const struct ike_daemon *d, enum ike_daemon_fd which)
{
	return d->clients[which] ? vici_client_get_fd(d->clients[which]) : -1;
}

bool ike_daemon_wants_write(const struct ike_daemon *d, enum ike_daemon_fd which)
{
	return d->clients[which] && vici_client_wants_write(d->clients[which]);
}

void ike_daemon_read(struct ike_daemon *d, enum ike_daemon_fd which, int64_t now)
{
	enter(d, now);
	if (d->clients[which])
		vici_client_read(d->clients[which]);
	leave(d);
}

void ike_daemon_write(struct ike_daemon *d, enum ike_daemon_fd which, int64_t now)
{
	enter(d, now);
	if (d->clients[which])
		vici_client_write(d->clients[which]);
	leave(d);
}

int64_t ike_daemon_deadline(const struct ike_daemon *d)
{
	int64_t deadline = orders_deadline(d);

	for (int i = 0; i < IKE_DAEMON_FDS && d->clients[i]; i++) {
		int64_t own = vici_client_deadline(d->clients[i]);

		if (own < deadline)
			deadline = own;
	}
	return deadline;
}

void ike_daemon_tick(struct ike_daemon *d, int64_t now)
{
	enter(d, now);
	for (int i = 0; i < IKE_DAEMON_FDS && d->clients[i]; i++)
		vici_client_tick(d->clients[i], now);
	orders_tick(d);
	leave(d);
}

int ike_daemon_refresh(struct ike_daemon *d, uint32_t serial, int64_t now)
{
	if (!d->clients[0])
		return -ENOTCONN;
	enter(d, now);
	d->want_sas = true;
	d->want_serial = serial;
	if (now - d->connections_at >= (d->known.count ? CONNECTIONS_AGE_NS : CONNECTIONS_NONE_NS))
		d->want_connections = true;
	leave(d);
	return 0;
}

int ike_daemon_refresh_connections(struct ike_daemon *d, int64_t now)
{
	if (!d->clients[0])
		return -ENOTCONN;
	enter(d, now);
	d->want_connections = true;
	leave(d);
	return 0;
}

int ike_daemon_order(struct ike_daemon *d, const struct order *order, int64_t now)
{
	if (!gateway_valid_order(order) || order->daemon != d->index)
		return -EINVAL;
	if (!d->told_up)
		return -ENOTCONN;
	if (d->queue_count == IKE_DAEMON_ORDERS_MAX)
		return -ENOBUFS;
	enter(d, now);
	d->queue[(d->queue_first + d->queue_count++) % IKE_DAEMON_ORDERS_MAX] = *order;
	leave(d);
	return 0;
}

void ike_daemon_told(struct ike_daemon *d, const struct vici_reading *reading, int status)
{
	d->counts.malformed += status != 0;
	d->counts.malformed += reading->ignored;
}

struct ike_daemon_counts ike_daemon_count(const struct ike_daemon *d)
{
	return d->counts;
}
