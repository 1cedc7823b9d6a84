/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "role/act_role.h"
#include "spimend/error.h"

/* An IKE daemon that starts anew takes about a second, in which its peers send into nothing: no long pauses. */
#define RECONNECT_FIRST (100 * INT64_C(1000000))
#define RECONNECT_MOST (500 * INT64_C(1000000))
/* One that comes up and is lost within LASTING_NS time and again is not starting: it is mad, and each turn costs lists. */
#define LASTING_NS (5 * SECOND_NS)
#define FALLS_FREE 8
#define RECONNECT_FALLING_MOST (10 * SECOND_NS)

/* --- What an IKE daemon says ------------------------------------------------------------------------------------------ */

static void on_daemon(void *context, const struct daemon_state *state)
{
	struct link_daemon *link = context;

	link->state = *state;
	link->has_state = true;
	if (state->up && !link->was_up)
		log_say(&link->act->member->log, LOG_NOTICE, "connected to IKE daemon %s (%s)",
			link->act->member->config->daemons[link->index], state->version);
	act_tell(link->act, MESSAGE_DAEMON, state);
}

static void on_connections_begin(void *context, uint16_t daemon)
{
	act_tell_list(((struct link_daemon *)context)->act, MESSAGE_CONNECTIONS_BEGIN, daemon, 0, true);
}

static void on_connection(void *context, const struct connection *connection)
{
	act_tell(((struct link_daemon *)context)->act, MESSAGE_CONNECTION, connection);
}

static void on_connections_end(void *context, uint16_t daemon, bool complete)
{
	act_tell_list(((struct link_daemon *)context)->act, MESSAGE_CONNECTIONS_END, daemon, 0, complete);
}

/* The lists' numbers are ours: they rise over the lives of core, each of which begins with 1. */
static uint64_t serial_of_core(const struct link_daemon *link, uint32_t serial)
{
	return link->asked && serial >= link->asked ? link->asked_core : 0;
}

static void on_snapshot_begin(void *context, uint16_t daemon, uint32_t serial)
{
	struct link_daemon *link = context;

	act_tell_list(link->act, MESSAGE_SNAPSHOT_BEGIN, daemon, serial_of_core(link, serial), true);
}

static void on_ike(void *context, const struct ike_sa *ike)
{
	act_tell(((struct link_daemon *)context)->act, MESSAGE_IKE, ike);
}

static void on_child(void *context, const struct child_sa *child)
{
	act_tell(((struct link_daemon *)context)->act, MESSAGE_CHILD, child);
}

static void on_snapshot_end(void *context, uint16_t daemon, uint32_t serial, bool complete)
{
	struct link_daemon *link = context;

	act_tell_list(link->act, MESSAGE_SNAPSHOT_END, daemon, serial_of_core(link, serial), complete);
}

static void on_child_event(void *context, const struct child_event *event)
{
	act_tell(((struct link_daemon *)context)->act, MESSAGE_CHILD_EVENT, event);
}

static void on_ike_event(void *context, const struct ike_event *event)
{
	act_tell(((struct link_daemon *)context)->act, MESSAGE_IKE_EVENT, event);
}

static void on_hint(void *context, const struct daemon_hint *hint)
{
	act_tell(((struct link_daemon *)context)->act, MESSAGE_HINT, hint);
}

/* A line that core does not take is no news that must be told again. */
static void on_line(void *context, const struct daemon_line *line)
{
	channel_send(((struct link_daemon *)context)->act->core, MESSAGE_DAEMON_LINE, line);
}

static void on_result(void *context, const struct order_result *result)
{
	act_on_result(((struct link_daemon *)context)->act, result);
}

static void on_checked(void *context, const struct order *order)
{
	act_order_plugin(context, order);
}

static void unwatch(struct link_daemon *link, int which)
{
	loop_remove(link->sources[which]);
	link->sources[which] = NULL;
	link->watched[which] = -1;
}

static void on_closing(void *context, int fd)
{
	struct link_daemon *link = context;

	for (int which = 0; which < IKE_DAEMON_FDS; which++)
		if (link->watched[which] == fd)
			unwatch(link, which);
}

struct ike_daemon_calls act_daemon_calls(struct link_daemon *link)
{
	return (struct ike_daemon_calls){
		.context = link, .state = on_daemon, .connections_begin = on_connections_begin, .connection = on_connection,
		.connections_end = on_connections_end, .snapshot_begin = on_snapshot_begin, .ike = on_ike, .child = on_child,
		.snapshot_end = on_snapshot_end, .child_event = on_child_event, .ike_event = on_ike_event,
		.hint = on_hint, .line = on_line,
		.result = on_result, .checked = on_checked, .closing = on_closing,
	};
}

static void on_daemon_fd(struct link_daemon *link, enum ike_daemon_fd which, uint32_t events)
{
	int64_t now = loop_now(link->act->member->loop);

	if (events & EPOLLOUT)
		ike_daemon_write(link->daemon, which, now);
	if (events & ~(uint32_t)EPOLLOUT && ike_daemon_get_fd(link->daemon, which) >= 0)
		ike_daemon_read(link->daemon, which, now);
	act_settle(link->act);
}

static void on_events_fd(void *context, uint32_t events)
{
	on_daemon_fd(context, IKE_DAEMON_EVENTS, events);
}

static void on_orders_fd(void *context, uint32_t events)
{
	on_daemon_fd(context, IKE_DAEMON_ORDERS, events);
}

void act_watch_daemon(struct act *act, struct link_daemon *link)
{
	for (int which = 0; which < IKE_DAEMON_FDS; which++) {
		int fd = ike_daemon_get_fd(link->daemon, which);
		uint32_t events = ike_daemon_wants_write(link->daemon, which) ? EPOLLOUT : 0;

		if (!act->paused)
			events |= EPOLLIN;
		if (fd != link->watched[which]) {
			unwatch(link, which);
			if (fd >= 0 && loop_add(act->member->loop, fd, events, which == IKE_DAEMON_EVENTS ? on_events_fd :
						on_orders_fd, link, &link->sources[which]) == 0)
				link->watched[which] = fd;
		} else if (link->sources[which]) {
			loop_set_events(link->sources[which], events);
		}
	}
}

static int64_t pause_of(const struct link_daemon *link)
{
	int64_t pause = RECONNECT_FIRST;

	for (uint32_t i = FALLS_FREE; i < link->falls && pause < RECONNECT_FALLING_MOST; i++)
		pause *= 2;
	return pause < RECONNECT_FALLING_MOST ? pause : RECONNECT_FALLING_MOST;
}

/* A daemon that is down is asked for again, at growing distance. */
int64_t act_reconnect_daemon(struct act *act, struct link_daemon *link, int64_t now)
{
	const char *why;
	int64_t since;

	if (!ike_daemon_is_down(link->daemon, &since, &why)) {
		if (link->has_state && link->state.up && !link->was_up) { /* one that dies while it is asked its name does not count */
			link->wait = 0;
			link->said_error = 0;
			link->was_up = true;
			link->up_since = now;
		}
		return LOOP_NEVER;
	}
	if (link->was_up) {
		log_say(&act->member->log, LOG_WARNING, "IKE daemon %s is lost: %s",
			act->member->config->daemons[link->index], why);
		link->was_up = false;
		link->plugin.wait = 0; /* it comes back with its daemon */
		link->falls = now - link->up_since < LASTING_NS ? link->falls + 1 : 0;
		link->again = now + pause_of(link);
	}
	if (now >= link->again && !link->wanted) {
		link->wanted = true; /* one request at a time: the parent answers each */
		member_want(act->member, RESOURCE_DAEMON, link->index, "");
	}
	return link->wanted ? LOOP_NEVER : link->again;
}

void act_take_daemon(struct act *act, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct link_daemon *link;
	int64_t now = loop_now(act->member->loop);
	int r = resource->error;

	if (resource->index >= act->daemon_count || (r == 0 && fd_count != 2)) {
		member_close_fds(fds, fd_count);
		return;
	}
	link = &act->daemons[resource->index];
	link->wanted = false;
	if (r == 0)
		r = ike_daemon_attach(link->daemon, fds[0], fds[1], now);
	else
		member_close_fds(fds, fd_count);
	if (r < 0) {
		if (r != link->said_error)
			log_say(&act->member->log, LOG_WARNING, "IKE daemon %s: %s; trying again",
				act->member->config->daemons[link->index], spimend_strerror(r));
		link->said_error = r;
	}
	link->wait = link->wait ? link->wait * 2 : RECONNECT_FIRST;
	if (link->wait > RECONNECT_MOST)
		link->wait = RECONNECT_MOST;
	link->again = now + link->wait;
}
/* --- The kernel's SAs ------------------------------------------------------------------------------------------------- */

void act_refresh_kernel(struct act *act)
{
	int r;

	if (!act->mirror)
		return;
	r = xfrm_mirror_refresh(act->mirror, ++act->serial, loop_now(act->member->loop));
	if (r < 0)
		log_say(&act->member->log, LOG_WARNING, "the kernel's SAs cannot be listed: %s", spimend_strerror(r));
}

static void on_list_begin(void *context, uint32_t serial)
{
	act_tell_list(context, MESSAGE_KERNEL_BEGIN, 0, serial, true);
}

static void on_list_end(void *context, uint32_t serial, bool complete)
{
	act_tell_list(context, MESSAGE_KERNEL_END, 0, serial, complete);
}

static void on_kernel(void *context, const struct kernel_event *event)
{
	act_tell(context, MESSAGE_KERNEL, event);
}

static void on_overrun(void *context)
{
	struct act *act = context;

	log_say(&act->member->log, LOG_NOTICE, "changes of the kernel's SAs were lost: reading them all again");
	act->kernel_wanted = true;
}

static void on_mirror_fd(struct act *act, enum xfrm_mirror_fd which)
{
	int r = xfrm_mirror_read(act->mirror, which, loop_now(act->member->loop));

	if (r < 0) { /* both are opened anew */
		log_say(&act->member->log, LOG_WARNING, "XFRM netlink: %s", spimend_strerror(r));
		for (int i = 0; i < XFRM_MIRROR_FDS; i++) {
			loop_remove(act->mirror_sources[i]);
			act->mirror_sources[i] = NULL;
		}
		xfrm_mirror_free(act->mirror);
		act->mirror = NULL; /* act_settle() asks */
	}
	act_settle(act);
}

static void on_list_fd(void *context, uint32_t events)
{
	(void)events;
	on_mirror_fd(context, XFRM_MIRROR_LIST);
}

static void on_changes_fd(void *context, uint32_t events)
{
	(void)events;
	on_mirror_fd(context, XFRM_MIRROR_CHANGES);
}

void act_take_kernel(struct act *act, const int *given)
{
	struct xfrm_mirror_calls calls = { .context = act, .list_begin = on_list_begin, .list_end = on_list_end,
					   .event = on_kernel, .overrun = on_overrun };
	int fds[XFRM_MIRROR_FDS] = { given[0], given[1] }, r;

	for (int i = 0; i < XFRM_MIRROR_FDS; i++) {
		loop_remove(act->mirror_sources[i]);
		act->mirror_sources[i] = NULL;
	}
	xfrm_mirror_free(act->mirror);
	act->mirror = NULL;
	r = xfrm_mirror_new(fds, &calls, &act->mirror);
	if (r == 0)
		r = loop_add(act->member->loop, fds[XFRM_MIRROR_LIST], EPOLLIN, on_list_fd, act,
			     &act->mirror_sources[XFRM_MIRROR_LIST]);
	if (r == 0)
		r = loop_add(act->member->loop, fds[XFRM_MIRROR_CHANGES], EPOLLIN, on_changes_fd, act,
			     &act->mirror_sources[XFRM_MIRROR_CHANGES]);
	if (r < 0)
		log_say(&act->member->log, LOG_ERR, "XFRM netlink: %s", spimend_strerror(r));
	act->kernel_wanted = true;
}
