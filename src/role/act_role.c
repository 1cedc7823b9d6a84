/* SPDX-License-Identifier: MIT */
#include "role/act_role.h"

#include <errno.h>

#include "role/roles.h"
#include "spimend/error.h"

#define ASK_AGAIN (5 * SECOND_NS)

/* --- To core ---------------------------------------------------------------------------------------------------------- */

void act_tell(struct act *act, enum message_type type, const void *item)
{
	if (channel_send(act->core, type, item) == -ENOBUFS)
		act->lost_news = true;
	if (channel_is_full(act->core))
		act->paused = true;
}

void act_tell_list(struct act *act, enum message_type type, uint16_t daemon, uint64_t serial, bool complete)
{
	struct role_daemon list = { .daemon = daemon, .serial = serial, .complete = complete };

	act_tell(act, type, &list);
}

/* --- Core ------------------------------------------------------------------------------------------------------------- */

/* A core that started anew, or one that missed something, is told everything. */
static void tell_all(struct act *act)
{
	int64_t now = loop_now(act->member->loop);

	act->lost_news = false;
	act_tell_journal(act);
	for (uint32_t i = 0; i < act->daemon_count; i++) {
		struct link_daemon *link = &act->daemons[i];

		if (link->has_state)
			act_tell(act, MESSAGE_DAEMON, &link->state);
		act_tell_plugin(act, link);
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
		act_take_order(act, &item->order);
	} else if (type == MESSAGE_REFRESH && item->refresh.daemon < act->daemon_count) {
		struct link_daemon *link = &act->daemons[item->refresh.daemon];

		link->asked = ++link->serial;
		link->asked_core = item->refresh.serial;
		ike_daemon_refresh(link->daemon, link->serial, loop_now(act->member->loop));
	} else if (type == MESSAGE_DEBUG) {
		for (uint32_t i = 0; i < act->daemon_count; i++)
			ike_daemon_tell_lines(act->daemons[i].daemon, item->debug.lines);
	} else if (type == MESSAGE_REFRESH_KERNEL) {
		act->kernel_wanted = true;
	}
}

static void core_turn(void *context, struct channel *channel)
{
	(void)channel;
	act_settle(context);
}

static void core_drained(void *context, struct channel *channel)
{
	struct act *act = context;

	(void)channel;
	act->paused = false;
	if (act->lost_news)
		tell_all(act);
	act_settle(act);
}

static void core_closed(void *context, struct channel *channel, const char *why)
{
	struct act *act = context;

	if (why) /* that a role ended, the parent says */
		log_say(&act->member->log, LOG_ERR, "core sent a message %s", why);
	channel_free(channel);
	act->core = NULL;
	act->paused = false;
	act_settle(act);
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
/* Returns when it wants to be asked again. */
static int64_t ask_again(struct act *act, struct lack *lack, enum resource kind, int64_t now)
{
	if (!lack->wanted && now >= lack->again) {
		lack->wanted = true;
		lack->again = now + ASK_AGAIN;
		member_want(act->member, kind, 0, "");
	}
	return lack->wanted ? LOOP_NEVER : lack->again;
}

/* --- The loop: what anything may have changed ------------------------------------------------------------------------- */

void act_settle(struct act *act)
{
	int64_t now = loop_now(act->member->loop), next = LOOP_NEVER, again;

	if (!act->journal)
		next = ask_again(act, &act->journal_lack, RESOURCE_JOURNAL, now);
	if (!act->mirror && act->member->config->sense_xfrm) {
		again = ask_again(act, &act->mirror_lack, RESOURCE_KERNEL, now);
		next = again < next ? again : next;
	}
	if (act->kernel_wanted && act->mirror) {
		act->kernel_wanted = false;
		act_refresh_kernel(act);
	}
	for (uint32_t i = 0; i < act->daemon_count; i++) {
		struct link_daemon *link = &act->daemons[i];
		int64_t deadline = ike_daemon_deadline(link->daemon);

		again = act_reconnect_daemon(act, link, now);
		act_watch_daemon(act, link);
		next = again < next ? again : next;
		next = deadline < next ? deadline : next;
		again = act_settle_plugin(act, link, now);
		next = again < next ? again : next;
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

	for (uint32_t i = 0; i < act->daemon_count; i++) {
		if (ike_daemon_deadline(act->daemons[i].daemon) <= now)
			ike_daemon_tick(act->daemons[i].daemon, now);
		act_tick_plugin(&act->daemons[i], now);
	}
	if (act->mirror && xfrm_mirror_deadline(act->mirror) <= now)
		xfrm_mirror_tick(act->mirror, now);
	act_settle(act);
}
/* --- Life ------------------------------------------------------------------------------------------------------------- */

static void take_resource(void *context, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct act *act = context;

	if (resource->kind == RESOURCE_JOURNAL)
		act->journal_lack = (struct lack){ .again = loop_now(act->member->loop) + ASK_AGAIN };
	else if (resource->kind == RESOURCE_KERNEL)
		act->mirror_lack = (struct lack){ .again = loop_now(act->member->loop) + ASK_AGAIN };
	if (resource->kind == RESOURCE_DAEMON) {
		act_take_daemon(act, resource, fds, fd_count);
	} else if (resource->kind == RESOURCE_PLUGIN) {
		act_take_plugin(act, resource, fds, fd_count);
	} else if (resource->kind == RESOURCE_CHANNEL && fd_count == 1) {
		take_channel(act, fds[0]);
	} else if (resource->kind == RESOURCE_KERNEL && fd_count == XFRM_MIRROR_FDS) {
		act_take_kernel(act, fds);
	} else if (resource->kind == RESOURCE_JOURNAL && fd_count == 1) {
		act_take_journal(act, fds[0]);
	} else {
		member_close_fds(fds, fd_count);
		if (resource->kind == RESOURCE_JOURNAL) {
			act->journal_error = resource->error;
			act_tell_journal(act);
		}
	}
	act_settle(act);
}

static int begin(void *context, struct member *member)
{
	struct act *act = context;
	struct act_budget_settings settings = act_budget_of(member->config);
	int r;

	act->member = member;
	act->journal_error = -ENOENT;
	act->journal_lack.wanted = act->mirror_lack.wanted = true; /* they come with the start */
	act->budget = act_budget_new(&settings);
	if (!act->budget)
		return -ENOMEM;
	r = loop_add_timer(member->loop, on_timer, act, &act->timer);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < member->config->daemon_count; i++) {
		struct link_daemon *link = &act->daemons[i];
		struct ike_daemon_calls calls = act_daemon_calls(link);
		struct ike_daemon_limits limits = { .initiate_ns = member->config->order_timeout_ns };

		*link = (struct link_daemon){ .act = act, .index = (uint16_t)i, .watched = { -1, -1 } };
		link->daemon = ike_daemon_new((uint16_t)i, &calls, &limits, loop_now(member->loop));
		if (!link->daemon || act_begin_plugin(act, link) < 0)
			return -ENOMEM;
		act->daemon_count++;
	}
	act_settle(act); /* asks for each daemon's connections */
	return 0;
}

static void reload(void *context)
{
	struct act *act = context;
	struct act_budget_settings settings = act_budget_of(act->member->config);

	act_budget_set(act->budget, &settings);
}

static void end(void *context)
{
	struct act *act = context;

	channel_flush(act->core);
	channel_free(act->core);
	for (uint32_t i = 0; i < act->daemon_count; i++) {
		ike_daemon_free(act->daemons[i].daemon);
		ike_plugin_free(act->daemons[i].plugin.is);
	}
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
