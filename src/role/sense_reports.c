/* SPDX-License-Identifier: MIT */
#include "role/sense_reports.h"

#include <errno.h>
#include <string.h>

#include "spimend/error.h"

#define RECONNECT_FIRST (100 * INT64_C(1000000))
#define RECONNECT_MOST (2 * SECOND_NS)

/* --- To core --------------------------------------------------------------------------------------------------------- */

static void tell_state(struct sense_report_link *link)
{
	struct plugin_state state;

	if (!link->path[0])
		return;
	memset(&state, 0, sizeof(state));
	state.daemon = (uint16_t)(link - link->of->links);
	state.error = link->state.error;
	state.reports = link->reports;
	state.lost = link->lost;
	state.malformed = link->malformed;
	if (link->is)
		plugin_reports_state(link->is, &state);
	if (memcmp(&state, &link->state, sizeof(state)) == 0)
		return;
	link->state = state;
	channel_send(link->of->core, MESSAGE_PLUGIN, &state);
}

void sense_reports_tell(struct sense_reports *r)
{
	for (size_t i = 0; i < GATEWAY_DAEMONS_MAX; i++)
		tell_state(&r->links[i]);
}

void sense_reports_core(struct sense_reports *r, struct channel *core)
{
	r->core = core;
	for (size_t i = 0; i < GATEWAY_DAEMONS_MAX && core; i++)
		if (r->links[i].path[0])
			channel_send(core, MESSAGE_PLUGIN, &r->links[i].state);
}

static void on_report(void *context, const struct plugin_report *report)
{
	struct sense_report_link *link = context;

	if (channel_send(link->of->core, MESSAGE_REPORT, report) < 0)
		link->lost++;
}

/* --- Connections ----------------------------------------------------------------------------------------------------- */

static void drop(struct sense_report_link *link)
{
	struct plugin_state was;

	if (!link->is)
		return;
	memset(&was, 0, sizeof(was));
	plugin_reports_state(link->is, &was);
	link->reports += was.reports;
	link->lost += was.lost;
	link->malformed += was.malformed;
	loop_remove(link->source);
	link->source = NULL;
	plugin_reports_free(link->is);
	link->is = NULL;
}

static void settle(struct sense_reports *r)
{
	int64_t now = loop_now(r->member->loop), next = LOOP_NEVER;

	for (uint32_t i = 0; i < GATEWAY_DAEMONS_MAX; i++) {
		struct sense_report_link *link = &r->links[i];

		if (!link->path[0] || link->is || link->wanted)
			continue;
		if (now < link->again) {
			next = link->again < next ? link->again : next;
			continue;
		}
		link->wanted = true; /* one request at a time: the parent answers each */
		member_want(r->member, RESOURCE_PLUGIN, i, "");
	}
	loop_timer_at(r->timer, next);
}

static void on_timer(void *context, int64_t now)
{
	(void)now;
	settle(context);
}

static void on_plugin(void *context, uint32_t events)
{
	struct sense_report_link *link = context;
	bool was_up = link->state.up;
	int r = plugin_reports_read(link->is);

	(void)events;
	if (r < 0) { /* that it went is said by act, which has the same news */
		if (r != -EPIPE)
			log_say(&link->of->member->log, LOG_WARNING, "the plugin's reports: %s", spimend_strerror(r));
		drop(link);
		link->again = loop_now(link->of->member->loop) + (link->wait ? link->wait : RECONNECT_FIRST);
	}
	tell_state(link);
	if (link->state.up && !was_up)
		link->wait = 0;
	settle(link->of);
}

void sense_reports_take(struct sense_reports *r, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct plugin_reports_calls calls = { .report = on_report };
	struct sense_report_link *link;
	int error = resource->error;

	if (resource->index >= GATEWAY_DAEMONS_MAX || !r->links[resource->index].path[0] || (error == 0 && fd_count != 1)) {
		member_close_fds(fds, fd_count);
		return;
	}
	link = &r->links[resource->index];
	link->wanted = false;
	drop(link);
	calls.context = link;
	if (error == 0) {
		error = plugin_reports_new((uint16_t)resource->index, fds[0], &calls, &link->is);
		if (error == 0)
			error = loop_add(r->member->loop, fds[0], EPOLLIN, on_plugin, link, &link->source);
		if (error < 0)
			drop(link);
	} else {
		member_close_fds(fds, fd_count);
	}
	link->wait = link->wait ? link->wait * 2 : RECONNECT_FIRST;
	if (link->wait > RECONNECT_MOST)
		link->wait = RECONNECT_MOST;
	link->again = loop_now(r->member->loop) + link->wait;
	if (link->state.error != error) {
		link->state.error = error;
		channel_send(r->core, MESSAGE_PLUGIN, &link->state);
	}
	settle(r);
}

/* --- Life ------------------------------------------------------------------------------------------------------------ */

void sense_reports_reload(struct sense_reports *r)
{
	const struct config *config = r->member->config;

	for (uint32_t i = 0; i < GATEWAY_DAEMONS_MAX; i++) {
		struct sense_report_link *link = &r->links[i];
		const char *path = i < config->daemon_count ? config->plugins[i] : "";

		if (strcmp(link->path, path) == 0)
			continue;
		drop(link);
		*link = (struct sense_report_link){ .of = r, .wanted = link->wanted, .state.daemon = (uint16_t)i };
		memcpy(link->path, path, strlen(path) + 1);
	}
	settle(r);
}

int sense_reports_begin(struct sense_reports *r, struct member *member)
{
	int error = loop_add_timer(member->loop, on_timer, r, &r->timer);

	if (error < 0)
		return error;
	r->member = member;
	for (uint32_t i = 0; i < GATEWAY_DAEMONS_MAX; i++)
		r->links[i] = (struct sense_report_link){ .of = r, .state.daemon = (uint16_t)i };
	sense_reports_reload(r);
	return 0;
}

void sense_reports_done(struct sense_reports *r)
{
	for (size_t i = 0; i < GATEWAY_DAEMONS_MAX; i++)
		drop(&r->links[i]);
}
