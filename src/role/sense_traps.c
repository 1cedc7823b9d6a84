/* SPDX-License-Identifier: MIT */
#include "role/sense_traps.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sense/usm.h"
#include "spimend/error.h"

#define ASK_AGAIN (5 * SECOND_NS)

static bool on_trap(void *context, const struct snmp_trap *trap, const struct device_report *report)
{
	struct sense_traps *t = context;
	struct role_trap told;

	memset(&told, 0, sizeof(told));
	told.trap = *trap;
	told.report = *report;
	return channel_send(t->core, MESSAGE_TRAP, &told) == 0;
}

static struct usm_engine own_engine(const struct sense_traps *t)
{
	const struct member *m = t->member;
	struct usm_engine own;

	usm_engine_of(&m->config->notify, m->config->hostname, m->start.up, m->start.up_ns, &own);
	return own;
}

static void let_go(struct sense_traps *t)
{
	loop_remove(t->source);
	t->source = NULL;
	traps_free(t->is);
	t->is = NULL;
}

static void on_socket(void *context, uint32_t events)
{
	struct sense_traps *t = context;
	int r;

	(void)events;
	r = traps_read(t->is, loop_now(t->member->loop));
	if (r == 0)
		return;
	log_say(&t->member->log, LOG_ERR, "the trap socket: %s; asking for another", spimend_strerror(r));
	let_go(t);
	loop_timer_at(t->timer, loop_now(t->member->loop) + ASK_AGAIN);
}

static void on_timer(void *context, int64_t now)
{
	struct sense_traps *t = context;

	(void)now;
	if (t->is || t->wanted || !t->member->config->notify.manager)
		return;
	t->wanted = true;
	member_want(t->member, RESOURCE_TRAPS, 0, "");
}

int sense_traps_begin(struct sense_traps *t, struct member *member)
{
	int r = usm_begin();

	t->member = member;
	if (r == 0)
		r = loop_add_timer(member->loop, on_timer, t, &t->timer);
	return r;
}

void sense_traps_done(struct sense_traps *t)
{
	let_go(t);
}

void sense_traps_reload(struct sense_traps *t)
{
	const struct usm_engine own = own_engine(t);
	int r = t->is ? traps_configure(t->is, &t->member->config->notify, &own) : 0;

	if (r < 0)
		log_say(&t->member->log, LOG_ERR, "the SNMP hosts and users stay as they were: %s", spimend_strerror(r));
}

void sense_traps_core(struct sense_traps *t, struct channel *core)
{
	t->core = core;
	memset(&t->told, 0, sizeof(t->told)); /* a new one is told all */
	t->told.refused_fate = TRAP_FATES;
}

void sense_traps_take(struct sense_traps *t, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct traps_events events = { .context = t, .trap = on_trap };
	const struct usm_engine own = own_engine(t);
	int r = resource->error;

	t->wanted = false;
	let_go(t);
	if (r == 0 && fd_count == 1)
		r = traps_new(fds[0], &t->member->config->notify, &own, &events, &t->is);
	else
		member_close_fds(fds, fd_count);
	if (r == 0 && t->is)
		r = loop_add(t->member->loop, traps_fd(t->is), EPOLLIN, on_socket, t, &t->source);
	if (r == 0 && t->is)
		log_say(&t->member->log, LOG_INFO, "hears traps on UDP port %u", t->member->config->notify.trap_port);
	if (r < 0)
		let_go(t);
	loop_timer_at(t->timer, r < 0 && r != -ENOENT ? loop_now(t->member->loop) + ASK_AGAIN : LOOP_NEVER);
}

void sense_traps_tell(struct sense_traps *t)
{
	struct trap_counts counts;

	memset(&counts, 0, sizeof(counts));
	if (t->is)
		traps_count(t->is, &counts);
	if (memcmp(&counts, &t->told, sizeof(counts)) != 0 && channel_send(t->core, MESSAGE_TRAP_COUNTS, &counts) == 0)
		t->told = counts;
}
