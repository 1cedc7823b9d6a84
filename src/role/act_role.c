/* SPDX-License-Identifier: MIT */
#include "role/roles.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "repair/act_budget.h"
#include "repair/daemon.h"
#include "repair/journal.h"
#include "repair/xfrm.h"
#include "role/member.h"
#include "spimend/error.h"

/* An IKE daemon that starts anew takes about a second, in which its peers send into nothing: no long pauses. */
#define RECONNECT_FIRST (100 * INT64_C(1000000))
#define RECONNECT_MOST (500 * INT64_C(1000000))
#define KERNEL_RETRY SECOND_NS
/* act's budget counts orders, core's counts repairs: a repair may climb this many orders before act puts its foot down. */
#define ORDERS_PER_REPAIR 8
#define UNDER_WAY_MAX (IKE_DAEMON_ORDERS_MAX * GATEWAY_DAEMONS_MAX)

struct act;

struct link_daemon { /* one IKE daemon and how we are connected to it */
	struct act *act; /* borrows */
	uint16_t index;
	struct ike_daemon *daemon; /* owns */
	struct loop_source *sources[IKE_DAEMON_FDS];
	int watched[IKE_DAEMON_FDS]; /* the descriptors that the sources stand for, -1: none */
	struct daemon_state state;
	uint32_t serial, asked; /* of the latest list; of the latest that core asked for, 0: none */
	uint64_t asked_core;    /* its number there */
	bool has_state, was_up, wanted;
	int64_t wait, again;
	int said_error;
};

struct act {
	struct member *member; /* borrows */
	struct channel *core;  /* owns */
	struct link_daemon daemons[GATEWAY_DAEMONS_MAX];
	uint32_t daemon_count;
	struct xfrm_mirror *mirror; /* owns */
	struct loop_source *mirror_sources[XFRM_MIRROR_FDS];
	struct journal *journal;    /* owns */
	int journal_error;
	struct act_budget *budget;  /* owns */
	struct loop_timer *timer;
	uint32_t serial;            /* of the latest list of the kernel's SAs */
	uint64_t under_way[UNDER_WAY_MAX]; /* order ids */
	size_t under_way_count;
	uint64_t journal_failures;  /* as told last */
	bool paused, lost_news;     /* core does not keep up; something was dropped: everything is to be told again */
	bool kernel_wanted;
};

static struct instant wall_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct instant){ (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec };
}


/* --- To core ---------------------------------------------------------------------------------------------------------- */

static void tell(struct act *act, enum message_type type, const void *item)
{
	if (channel_send(act->core, type, item) == -ENOBUFS)
		act->lost_news = true;
	if (channel_is_full(act->core))
		act->paused = true;
}

static void tell_list(struct act *act, enum message_type type, uint16_t daemon, uint64_t serial, bool complete)
{
	struct role_daemon list = { .daemon = daemon, .serial = serial, .complete = complete };

	tell(act, type, &list);
}

static void on_daemon(void *context, const struct daemon_state *state)
{
	struct link_daemon *link = context;

	link->state = *state;
	link->has_state = true;
	if (state->up && !link->was_up)
		log_say(&link->act->member->log, LOG_NOTICE, "connected to IKE daemon %s (%s)",
			link->act->member->config->daemons[link->index], state->version);
	tell(link->act, MESSAGE_DAEMON, state);
}

static void on_connections_begin(void *context, uint16_t daemon)
{
	tell_list(((struct link_daemon *)context)->act, MESSAGE_CONNECTIONS_BEGIN, daemon, 0, true);
}

static void on_connection(void *context, const struct connection *connection)
{
	tell(((struct link_daemon *)context)->act, MESSAGE_CONNECTION, connection);
}

static void on_connections_end(void *context, uint16_t daemon, bool complete)
{
	tell_list(((struct link_daemon *)context)->act, MESSAGE_CONNECTIONS_END, daemon, 0, complete);
}

/* The lists' numbers are ours: they rise over the lives of core, each of which begins with 1. */
static uint64_t serial_of_core(const struct link_daemon *link, uint32_t serial)
{
	return link->asked && serial >= link->asked ? link->asked_core : 0;
}

static void on_snapshot_begin(void *context, uint16_t daemon, uint32_t serial)
{
	struct link_daemon *link = context;

	tell_list(link->act, MESSAGE_SNAPSHOT_BEGIN, daemon, serial_of_core(link, serial), true);
}

static void on_ike(void *context, const struct ike_sa *ike)
{
	tell(((struct link_daemon *)context)->act, MESSAGE_IKE, ike);
}

static void on_child(void *context, const struct child_sa *child)
{
	tell(((struct link_daemon *)context)->act, MESSAGE_CHILD, child);
}

static void on_snapshot_end(void *context, uint16_t daemon, uint32_t serial, bool complete)
{
	struct link_daemon *link = context;

	tell_list(link->act, MESSAGE_SNAPSHOT_END, daemon, serial_of_core(link, serial), complete);
}

static void on_child_event(void *context, const struct child_event *event)
{
	tell(((struct link_daemon *)context)->act, MESSAGE_CHILD_EVENT, event);
}

static void on_ike_event(void *context, const struct ike_event *event)
{
	tell(((struct link_daemon *)context)->act, MESSAGE_IKE_EVENT, event);
}

static void on_hint(void *context, const struct daemon_hint *hint)
{
	tell(((struct link_daemon *)context)->act, MESSAGE_HINT, hint);
}

/* --- Orders ----------------------------------------------------------------------------------------------------------- */

static bool is_under_way(const struct act *act, uint64_t id)
{
	for (size_t i = 0; i < act->under_way_count; i++)
		if (act->under_way[i] == id)
			return true;
	return false;
}

static void tell_journal(struct act *act)
{
	struct role_journal said = { .error = act->journal_error };

	if (act->journal) {
		struct journal_counts counts = journal_count(act->journal);

		said.kept = counts.kept;
		said.damaged = counts.damaged;
		said.write_failures = act->journal_failures = counts.write_failures;
	}
	tell(act, MESSAGE_JOURNAL, &said);
}

static void tell_result(struct act *act, const struct order_result *result)
{
	int r = act->journal ? journal_result(act->journal, result, wall_now()) : 0;

	if (r < 0)
		log_say(&act->member->log, LOG_ERR, "the journal cannot be written: %s", spimend_strerror(r));
	if (act->journal && journal_count(act->journal).write_failures != act->journal_failures)
		tell_journal(act);
	log_say(&act->member->log, LOG_NOTICE, "order %llu: %s%s%s", (unsigned long long)result->id,
		order_outcome_name(result->outcome), result->text[0] ? ": " : "", result->text);
	tell(act, MESSAGE_RESULT, result);
}

static void on_result(void *context, const struct order_result *result)
{
	struct act *act = ((struct link_daemon *)context)->act;

	for (size_t i = 0; i < act->under_way_count; i++)
		if (act->under_way[i] == result->id)
			act->under_way[i] = act->under_way[--act->under_way_count];
	tell_result(act, result);
}

static void answer(struct act *act, const struct order *order, enum order_outcome outcome, const char *text)
{
	struct order_result result = { .id = order->id, .outcome = outcome };

	text_copy(text_of(text), result.text, sizeof(result.text));
	tell_result(act, &result);
}

/* The order of these steps is that of repair/journal.h: known, allowed, written down, done. */
static void take_order(struct act *act, const struct order *order)
{
	int64_t now = loop_now(act->member->loop);
	struct order_result known;
	int r;

	if (is_under_way(act, order->id))
		return; /* its result is on the way */
	if (!act->journal) {
		answer(act, order, OUTCOME_FAILED, "there is no journal");
		return;
	}
	memset(&known, 0, sizeof(known));
	if (journal_find(act->journal, order->id, &known) != JOURNAL_NEVER) {
		tell(act, MESSAGE_RESULT, &known);
		return;
	}
	if (order->daemon >= act->daemon_count) {
		answer(act, order, OUTCOME_REFUSED, "no such IKE daemon");
		return;
	}
	if (act->under_way_count >= UNDER_WAY_MAX) {
		answer(act, order, OUTCOME_REFUSED, "too many orders are under way");
		return;
	}
	if (!act_budget_allows(act->budget, &order->peer, now)) {
		answer(act, order, OUTCOME_OVER_BUDGET, "act's own budget");
		return;
	}
	r = journal_intent(act->journal, order, wall_now());
	if (r < 0) {
		log_say(&act->member->log, LOG_ERR, "the journal cannot be written, order %llu is not carried out: %s",
			(unsigned long long)order->id, spimend_strerror(r));
		tell_journal(act);
		answer(act, order, OUTCOME_FAILED, "the journal cannot be written");
		return;
	}
	act_budget_note(act->budget, &order->peer, now);
	log_say(&act->member->log, LOG_NOTICE, "order %llu: %s", (unsigned long long)order->id, order_verb_name(order->verb));
	act->under_way[act->under_way_count++] = order->id;
	r = ike_daemon_order(act->daemons[order->daemon].daemon, order, now);
	if (r < 0 && is_under_way(act, order->id)) {
		act->under_way_count--;
		answer(act, order, OUTCOME_REFUSED, spimend_strerror(r));
	}
}

/* --- IKE daemons ------------------------------------------------------------------------------------------------------ */

static void settle(struct act *act);

static void on_daemon_fd(struct link_daemon *link, enum ike_daemon_fd which, uint32_t events)
{
	int64_t now = loop_now(link->act->member->loop);

	if (events & EPOLLOUT)
		ike_daemon_write(link->daemon, which, now);
	if (events & ~(uint32_t)EPOLLOUT && ike_daemon_get_fd(link->daemon, which) >= 0)
		ike_daemon_read(link->daemon, which, now);
	settle(link->act);
}

static void on_events_fd(void *context, uint32_t events)
{
	on_daemon_fd(context, IKE_DAEMON_EVENTS, events);
}

static void on_orders_fd(void *context, uint32_t events)
{
	on_daemon_fd(context, IKE_DAEMON_ORDERS, events);
}

/* The loop watches what the daemon has now: descriptors come and go within any of its calls. */
static void watch_daemon(struct act *act, struct link_daemon *link)
{
	for (int which = 0; which < IKE_DAEMON_FDS; which++) {
		int fd = ike_daemon_get_fd(link->daemon, which);
		uint32_t events = ike_daemon_wants_write(link->daemon, which) ? EPOLLOUT : 0;

		if (!act->paused)
			events |= EPOLLIN;
		if (fd != link->watched[which]) {
			loop_remove(link->sources[which]);
			link->sources[which] = NULL;
			link->watched[which] = -1;
			if (fd >= 0 && loop_add(act->member->loop, fd, events, which == IKE_DAEMON_EVENTS ? on_events_fd :
						on_orders_fd, link, &link->sources[which]) == 0)
				link->watched[which] = fd;
		} else if (link->sources[which]) {
			loop_set_events(link->sources[which], events);
		}
	}
}

/* A daemon that is down is asked for again, at growing distance. */
static int64_t reconnect_daemon(struct act *act, struct link_daemon *link, int64_t now)
{
	const char *why;
	int64_t since;

	if (!ike_daemon_is_down(link->daemon, &since, &why)) {
		if (link->has_state && link->state.up) { /* one that dies while it is asked its name does not count */
			link->wait = 0;
			link->said_error = 0;
			link->was_up = true;
		}
		return LOOP_NEVER;
	}
	if (link->was_up) {
		log_say(&act->member->log, LOG_WARNING, "IKE daemon %s is lost: %s",
			act->member->config->daemons[link->index], why);
		link->was_up = false;
		link->again = now + RECONNECT_FIRST;
	}
	if (now >= link->again && !link->wanted) {
		link->wanted = true; /* one request at a time: the parent answers each */
		member_want(act->member, RESOURCE_DAEMON, link->index, "");
	}
	return link->wanted ? LOOP_NEVER : link->again;
}

static void take_daemon(struct act *act, const struct role_resource *resource, const int *fds, size_t fd_count)
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

static void refresh_kernel(struct act *act)
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
	tell_list(context, MESSAGE_KERNEL_BEGIN, 0, serial, true);
}

static void on_list_end(void *context, uint32_t serial, bool complete)
{
	tell_list(context, MESSAGE_KERNEL_END, 0, serial, complete);
}

static void on_kernel(void *context, const struct kernel_event *event)
{
	tell(context, MESSAGE_KERNEL, event);
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
		act->mirror = NULL;
		member_want(act->member, RESOURCE_KERNEL, 0, "");
	}
	settle(act);
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

static void take_kernel(struct act *act, const int *given)
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

/* --- Core ------------------------------------------------------------------------------------------------------------- */

/* A core that started anew, or one that missed something, is told everything. */
static void tell_all(struct act *act)
{
	int64_t now = loop_now(act->member->loop);

	act->lost_news = false;
	tell_journal(act);
	for (uint32_t i = 0; i < act->daemon_count; i++) {
		struct link_daemon *link = &act->daemons[i];

		if (link->has_state)
			tell(act, MESSAGE_DAEMON, &link->state);
		if (link->has_state && link->state.up) {
			ike_daemon_refresh_connections(link->daemon, now);
			ike_daemon_refresh(link->daemon, ++link->serial, now);
		}
	}
	act->kernel_wanted = true;
}

static void from_core(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		      const int *fds, size_t fd_count)
{
	struct act *act = context;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_ORDER) {
		take_order(act, &item->order);
	} else if (type == MESSAGE_REFRESH && item->refresh.daemon < act->daemon_count) {
		struct link_daemon *link = &act->daemons[item->refresh.daemon];

		link->asked = ++link->serial;
		link->asked_core = item->refresh.serial;
		ike_daemon_refresh(link->daemon, link->serial, loop_now(act->member->loop));
	} else if (type == MESSAGE_REFRESH_KERNEL) {
		act->kernel_wanted = true;
	}
}

static void core_turn(void *context, struct channel *channel)
{
	(void)channel;
	settle(context);
}

static void core_drained(void *context, struct channel *channel)
{
	struct act *act = context;

	(void)channel;
	act->paused = false;
	if (act->lost_news)
		tell_all(act);
	settle(act);
}

static void core_closed(void *context, struct channel *channel, const char *why)
{
	struct act *act = context;

	if (why) /* that a role ended, the parent says */
		log_say(&act->member->log, LOG_ERR, "core sent a message %s", why);
	channel_free(channel);
	act->core = NULL;
	act->paused = false;
	settle(act);
}

static void take_channel(struct act *act, int fd)
{
	struct channel_calls calls = { .context = act, .take = from_core, .closed = core_closed, .drained = core_drained,
				       .turn = core_turn };
	int r;

	channel_free(act->core);
	act->core = NULL;
	act->paused = false;
	for (uint32_t i = 0; i < act->daemon_count; i++)
		act->daemons[i].asked = 0;
	r = channel_new(act->member->loop, fd, ROLE_ACT, ROLE_CORE, &calls, &act->core);
	if (r < 0)
		log_say(&act->member->log, LOG_ERR, "no channel to core: %s", spimend_strerror(r));
	else
		tell_all(act);
}

/* --- The loop: what anything may have changed -------------------------------------------------------------------------- */

static void settle(struct act *act)
{
	int64_t now = loop_now(act->member->loop), next = LOOP_NEVER;

	if (act->kernel_wanted && act->mirror) {
		act->kernel_wanted = false;
		refresh_kernel(act);
	}
	for (uint32_t i = 0; i < act->daemon_count; i++) {
		struct link_daemon *link = &act->daemons[i];
		int64_t again = reconnect_daemon(act, link, now), deadline = ike_daemon_deadline(link->daemon);

		watch_daemon(act, link);
		next = again < next ? again : next;
		next = deadline < next ? deadline : next;
	}
	for (int i = 0; i < XFRM_MIRROR_FDS; i++)
		if (act->mirror_sources[i])
			loop_set_events(act->mirror_sources[i], act->paused ? 0 : EPOLLIN);
	if (act->mirror && xfrm_mirror_deadline(act->mirror) < next)
		next = xfrm_mirror_deadline(act->mirror);
	loop_timer_at(act->timer, next);
}

static void on_timer(void *context, int64_t now)
{
	struct act *act = context;

	for (uint32_t i = 0; i < act->daemon_count; i++)
		if (ike_daemon_deadline(act->daemons[i].daemon) <= now)
			ike_daemon_tick(act->daemons[i].daemon, now);
	if (act->mirror && xfrm_mirror_deadline(act->mirror) <= now)
		xfrm_mirror_tick(act->mirror, now);
	settle(act);
}

/* --- Life ------------------------------------------------------------------------------------------------------------- */

static struct act_budget_settings budget_of(const struct config *config)
{
	uint32_t factor = ORDERS_PER_REPAIR * (config->step_attempts ? config->step_attempts : 1);

	return (struct act_budget_settings){
		.per_peer = config->per_peer_count * factor,
		.total = config->global_count * factor,
		.window_ns = config->per_peer_ns > config->global_ns ? config->per_peer_ns : config->global_ns,
	};
}

static void replay(void *context, const struct order *order, struct instant wall)
{
	struct act *act = context;

	act_budget_replay(act->budget, &order->peer, wall, wall_now(), loop_now(act->member->loop));
}

static void take_journal(struct act *act, int fd)
{
	int r;

	journal_free(act->journal);
	act->journal = NULL;
	r = journal_new(fd, &act->journal);
	act->journal_error = r;
	if (r < 0)
		log_say(&act->member->log, LOG_ERR, "the journal cannot be used, so nothing will be carried out: %s",
			spimend_strerror(r));
	else
		journal_each_intent(act->journal, replay, act);
	tell_journal(act);
}

static void take_resource(void *context, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct act *act = context;

	if (resource->kind == RESOURCE_DAEMON) {
		take_daemon(act, resource, fds, fd_count);
	} else if (resource->kind == RESOURCE_CHANNEL && fd_count == 1) {
		take_channel(act, fds[0]);
	} else if (resource->kind == RESOURCE_KERNEL && fd_count == XFRM_MIRROR_FDS) {
		take_kernel(act, fds);
	} else if (resource->kind == RESOURCE_JOURNAL && fd_count == 1) {
		take_journal(act, fds[0]);
	} else {
		member_close_fds(fds, fd_count);
		if (resource->kind == RESOURCE_JOURNAL)
			act->journal_error = resource->error;
	}
	settle(act);
}

static int begin(void *context, struct member *member)
{
	static const struct ike_daemon_calls template = {
		.state = on_daemon, .connections_begin = on_connections_begin, .connection = on_connection,
		.connections_end = on_connections_end, .snapshot_begin = on_snapshot_begin, .ike = on_ike, .child = on_child,
		.snapshot_end = on_snapshot_end, .child_event = on_child_event, .ike_event = on_ike_event, .hint = on_hint,
		.result = on_result,
	};
	struct act *act = context;
	struct act_budget_settings settings = budget_of(member->config);
	int r;

	act->member = member;
	act->journal_error = -ENOENT;
	act->budget = act_budget_new(&settings);
	if (!act->budget)
		return -ENOMEM;
	r = loop_add_timer(member->loop, on_timer, act, &act->timer);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < member->config->daemon_count; i++) {
		struct link_daemon *link = &act->daemons[i];
		struct ike_daemon_calls calls = template;
		struct ike_daemon_limits limits = { .initiate_ns = member->config->order_timeout_ns };

		*link = (struct link_daemon){ .act = act, .index = (uint16_t)i, .watched = { -1, -1 } };
		calls.context = link;
		link->daemon = ike_daemon_new((uint16_t)i, &calls, &limits, loop_now(member->loop));
		if (!link->daemon)
			return -ENOMEM;
		act->daemon_count++;
	}
	settle(act); /* asks for each daemon's connections */
	return 0;
}

static void reload(void *context)
{
	struct act *act = context;
	struct act_budget_settings settings = budget_of(act->member->config);

	act_budget_set(act->budget, &settings);
}

static void end(void *context)
{
	struct act *act = context;

	channel_flush(act->core);
	channel_free(act->core);
	for (uint32_t i = 0; i < act->daemon_count; i++)
		ike_daemon_free(act->daemons[i].daemon);
	xfrm_mirror_free(act->mirror);
	journal_free(act->journal);
	act_budget_free(act->budget);
}

int act_role_run(void)
{
	static const struct member_calls calls = { .begin = begin, .resource = take_resource, .reload = reload, .end = end };
	struct act act = { 0 };

	return member_run(ROLE_ACT, &calls, &act);
}
