/* SPDX-License-Identifier: MIT */
#include "role/ssh_role.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/roles.h"
#include "spimend/error.h"

void reach_tell(struct reach *reach, uint64_t request, enum device_outcome outcome, bool typed, const char *why)
{
	struct device_result result;

	memset(&result, 0, sizeof(result));
	result.request = request;
	result.outcome = outcome;
	result.typed = typed;
	if (why)
		text_copy(text_of(why), result.why, sizeof(result.why));
	text_make_printable(result.why);
	if (channel_send(reach->core, MESSAGE_DEVICE_RESULT, &result) < 0 && reach->core)
		log_say(&reach->member->log, LOG_ERR, "core does not hear what became of an order");
}

/* --- Orders that wait ---------------------------------------------------------------------------------------------- */

static void forget_all(struct reach *reach)
{
	for (uint32_t i = 0; i < REACH_ORDERS_MAX; i++)
		reach->waiting[i].next = i + 1;
	reach->unused = 0;
	reach->first = reach->last = REACH_ORDERS_MAX;
}

static bool wait_for_it(struct reach *reach, const struct device_order *order, int64_t deadline)
{
	uint32_t at = reach->unused;

	if (at == REACH_ORDERS_MAX)
		return false;
	reach->unused = reach->waiting[at].next;
	reach->waiting[at] = (struct waiting){ *order, deadline, REACH_ORDERS_MAX };
	if (reach->last == REACH_ORDERS_MAX)
		reach->first = at;
	else
		reach->waiting[reach->last].next = at;
	reach->last = at;
	return true;
}

/* Takes `at`, which is behind `before` (REACH_ORDERS_MAX: the first), out of the list. */
static void take_out(struct reach *reach, uint32_t before, uint32_t at)
{
	uint32_t next = reach->waiting[at].next;

	if (before == REACH_ORDERS_MAX)
		reach->first = next;
	else
		reach->waiting[before].next = next;
	if (reach->last == at)
		reach->last = before;
	reach->waiting[at].next = reach->unused;
	reach->unused = at;
}

/* Key exchanges under way. What comes behind them, until a session is ready for orders, is mostly waiting: for the silence
 * behind a prompt, which costs nobody anything. */
static uint32_t count_starting(const struct reach *reach)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++)
		count += reach->sessions[i].phase == SESSION_STARTS && !reach->sessions[i].printed;
	return count;
}

/* One that is free, else the one that is idle for longest, which ends. NULL: all are at work. */
static struct session *find_place(struct reach *reach)
{
	struct session *idle = NULL;

	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++) {
		struct session *s = &reach->sessions[i];

		if (s->phase == SESSION_NONE)
			return s;
		if (s->phase == SESSION_IDLE && (!idle || s->deadline < idle->deadline))
			idle = s;
	}
	if (idle)
		session_end(idle, DEVICE_LOST, NULL);
	return idle;
}

/* What can be begun now is begun. An order is out of the list before anything else happens to it. */
static void dispatch(struct reach *reach)
{
	int64_t now = loop_now(reach->member->loop);
	uint32_t starting = count_starting(reach), before = REACH_ORDERS_MAX, next;

	for (uint32_t at = reach->first; at != REACH_ORDERS_MAX; at = next) {
		struct waiting w = reach->waiting[at];
		int place = reach->session_of[w.order.device];
		struct session *s = place < 0 ? NULL : &reach->sessions[place];
		char why[DEVICE_REASON_MAX];

		next = w.next;
		if (w.deadline <= now) {
			take_out(reach, before, at);
			reach_tell(reach, w.order.request, DEVICE_LATE, false, "others came first");
		} else if (s && s->phase == SESSION_IDLE) {
			take_out(reach, before, at);
			session_take(s, &w.order, w.deadline);
		} else if (!s && hold_is_held(reach, w.order.device, now, why, sizeof(why))) {
			take_out(reach, before, at);
			reach_tell(reach, w.order.request, DEVICE_NO_LOGIN, false, why);
		} else if (!s && starting < REACH_STARTS_MAX && !hold_must_wait(reach, w.order.device) && (s = find_place(reach))) {
			take_out(reach, before, at);
			starting += session_begin(reach, s, w.order.device, &w.order, w.deadline);
		} else {
			before = at;
		}
	}
}

static void settle(struct reach *reach)
{
	int64_t next = LOOP_NEVER;

	dispatch(reach);
	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++)
		if (session_due(&reach->sessions[i]) < next)
			next = session_due(&reach->sessions[i]);
	for (uint32_t at = reach->first; at != REACH_ORDERS_MAX; at = reach->waiting[at].next)
		if (reach->waiting[at].deadline < next)
			next = reach->waiting[at].deadline;
	loop_timer_at(reach->timer, next);
}

static void on_timer(void *context, int64_t now)
{
	struct reach *reach = context;

	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++)
		if (session_due(&reach->sessions[i]) <= now)
			session_late(&reach->sessions[i]);
	settle(reach);
}

/* --- From core and sense ------------------------------------------------------------------------------------------- */

static void take_order(struct reach *reach, const struct device_order *order)
{
	const struct config_devices *devices = &reach->devices;

	if (order->device >= devices->count || device_mark(devices, &devices->at[order->device]) != order->mark)
		reach_tell(reach, order->request, DEVICE_STALE, false, NULL);
	else if (device_verb_changes(order->verb) && !devices->at[order->device].may_repair)
		reach_tell(reach, order->request, DEVICE_STALE, false, "the device has no 'rights repair'"); /* core asked before */
	else if (!reach->sense)
		reach_tell(reach, order->request, DEVICE_LOST, false, "the role sense is not here");
	else if (!wait_for_it(reach, order, loop_now(reach->member->loop) + order->within_ns))
		reach_tell(reach, order->request, DEVICE_FULL, false, NULL);
}

static void take(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		 const int *fds, size_t fd_count)
{
	struct reach *reach = context;
	struct session *s;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_DEVICE_ORDER)
		take_order(reach, &item->device_order);
	if (type != MESSAGE_DEVICE_SEEN)
		return;
	s = &reach->sessions[DEVICE_SLOT(item->device_seen.session)];
	if (s->phase != SESSION_NONE && s->number == item->device_seen.session)
		session_seen(s, &item->device_seen);
}

static void turn(void *context, struct channel *channel)
{
	(void)channel;
	settle(context);
}

static void end_sessions(struct reach *reach, enum device_outcome outcome, const char *why)
{
	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++)
		session_end(&reach->sessions[i], outcome, why);
	for (uint32_t at = reach->first; at != REACH_ORDERS_MAX; at = reach->waiting[at].next)
		reach_tell(reach, reach->waiting[at].order.request, outcome, false, why);
	forget_all(reach);
}

static void drained(void *context, struct channel *channel)
{
	struct reach *reach = context;

	for (uint32_t i = 0; channel == reach->sense && i < DEVICE_SESSIONS_MAX; i++)
		session_resume(&reach->sessions[i]);
}

static void closed(void *context, struct channel *channel, const char *why)
{
	struct reach *reach = context;
	bool is_core = channel == reach->core;

	if (why) /* that a role ended, the parent says */
		log_say(&reach->member->log, LOG_ERR, "%s sent a message %s", is_core ? "core" : "sense", why);
	channel_free(channel);
	if (is_core)
		reach->core = NULL;
	else
		reach->sense = NULL;
	/* Who asked is gone, or nobody reads what comes back. */
	end_sessions(reach, DEVICE_LOST, is_core ? NULL : "the role sense ended");
	settle(reach);
}

static void take_resource(void *context, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct reach *reach = context;
	struct channel_calls calls = { .context = reach, .take = take, .closed = closed, .turn = turn, .drained = drained };
	struct channel **place = resource->index == ROLE_CORE ? &reach->core : &reach->sense;
	int r;

	if (resource->kind != RESOURCE_CHANNEL || fd_count != 1) {
		member_close_fds(fds, fd_count);
		return;
	}
	channel_free(*place);
	*place = NULL;
	end_sessions(reach, DEVICE_LOST, NULL);
	r = channel_new(reach->member->loop, fds[0], ROLE_SSH, resource->index == ROLE_CORE ? ROLE_CORE : ROLE_SENSE, &calls,
			place);
	if (r < 0)
		log_say(&reach->member->log, LOG_ERR, "no channel: %s", spimend_strerror(r));
	settle(reach);
}

/* --- Life ---------------------------------------------------------------------------------------------------------- */

static bool jumps(const struct config_devices *devices)
{
	for (uint32_t i = 0; i < devices->login_count; i++)
		if (devices->logins[i].jump[0])
			return true;
	return false;
}

static void configure(struct reach *reach)
{
	const struct config *config = reach->member->config;

	snprintf(reach->sockets, sizeof(reach->sockets), "%s/" MEMBER_SSH_DIRECTORY, config->state_directory);
	if (!ssh_shares_jumps(reach->sockets) && jumps(&config->devices))
		log_say(&reach->member->log, LOG_NOTICE, "the path of the state directory is too long for sockets in it: each device behind "
			"an ssh jump has a connection of its own");
	memcpy(&reach->devices, &config->devices, sizeof(reach->devices));
	memset(reach->session_of, 0xff, sizeof(reach->session_of));
	hold_begin(reach);
	if (readlink("/proc/self/exe", reach->program, sizeof(reach->program) - 1) < 0) /* the rest is 0 */
		reach->program[0] = '\0';
}

static int begin(void *context, struct member *member)
{
	struct reach *reach = context;

	reach->member = member;
	forget_all(reach);
	configure(reach);
	return loop_add_timer(member->loop, on_timer, reach, &reach->timer);
}

/* The parent starts it anew when there are other devices, or other ways to them. */
static void reload(void *context)
{
	(void)context;
}

static void end(void *context)
{
	struct reach *reach = context;

	end_sessions(reach, DEVICE_LOST, "spimendd ends");
	channel_flush(reach->core);
	channel_free(reach->core);
	channel_free(reach->sense);
}

int ssh_role_run(void)
{
	static const struct member_calls calls = { .begin = begin, .resource = take_resource, .reload = reload, .end = end };
	struct reach *reach cleanup(memory_free_pointer) = memory_new(1, sizeof(*reach));

	if (!reach)
		return 1;
	forget_all(reach); /* a role whose start fails is still told what it would have needed */
	return member_run(ROLE_SSH, &calls, reach);
}
