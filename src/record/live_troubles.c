/* SPDX-License-Identifier: MIT */
/* Why the daemon cannot see, remember or repair what it was configured for: a sentence a line. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "record/live_private.h"
#include "record/values.h"
#include "spimend/error.h"

#define GRACE_NS (5 * SECOND_NS)          /* after the start: who did not answer yet may be about to */
#define LIMIT_SHOWN_NS (600 * SECOND_NS)  /* a limit that was hit is a trouble for so long */

static bool is_starting(const struct live_view *view)
{
	return view->up_ns < GRACE_NS;
}

const struct core_daemon_figures *live_daemon_figures(const struct core_figures *f, uint32_t daemon)
{
	for (uint32_t i = 0; i < f->daemon_count; i++)
		if (f->daemons[i].state.daemon == daemon)
			return &f->daemons[i];
	return NULL;
}

static void add_printable(struct buffer *out, const char *name, size_t size)
{
	record_add_printable(out, (struct text){ name, strnlen(name, size) });
}

static void add_daemons(const struct live_view *view, const struct core_figures *f, struct buffer *out)
{
	for (uint32_t i = 0; i < view->config->daemon_count; i++) {
		const struct core_daemon_figures *d = live_daemon_figures(f, i);

		if (d ? d->state.up : is_starting(view))
			continue;
		buffer_add_string(out, "the IKE daemon at ");
		add_printable(out, view->config->daemons[i], sizeof(view->config->daemons[i]));
		if (d) {
			buffer_add_string(out, " does not answer since ");
			calendar_print_short(out, d->down);
			buffer_add_string(out, " UTC");
		} else {
			buffer_add_string(out, " never answered");
		}
		buffer_add_string(out, ": nothing can be repaired through it\n");
	}
}

/* While its daemon is down, that is trouble enough. */
static void add_plugins(const struct live_view *view, const struct core_figures *f, struct buffer *out)
{
	for (uint32_t i = 0; i < view->config->daemon_count; i++) {
		const struct core_daemon_figures *d = live_daemon_figures(f, i);
		bool orders = d && d->plugin.up, reports = d && d->reports.up;

		bool detects = orders && (d->plugin.crash_detection || !view->config->crash_detection);

		if (!view->config->plugins[i][0] || (orders && reports && detects) || !d || !d->state.up || is_starting(view))
			continue;
		buffer_add_string(out, "the plugin at ");
		add_printable(out, view->config->plugins[i], sizeof(view->config->plugins[i]));
		if (!orders)
			buffer_printf(out, " is not there%s%s: repairs go on without it, less precisely\n", d->plugin.error ? ", " : "",
				      d->plugin.error ? spimend_strerror(d->plugin.error) : "");
		else if (!detects)
			buffer_add_string(out, " could not switch crash detection on: the IKE daemon's log says why\n");
		else
			buffer_add_string(out, " sends no reports: why an SA died is read from the log alone\n");
	}
}

static const int *state_of(const struct live_sensors *sensors, const char *interface)
{
	for (uint32_t i = 0; i < sensors->interface_count; i++)
		if (strncmp(sensors->interfaces[i].name, interface, GATEWAY_INTERFACE_MAX) == 0)
			return &sensors->interfaces[i].error;
	return NULL;
}

static void add_interfaces(const struct live_view *view, struct buffer *out)
{
	for (uint32_t i = 0; i < view->config->interface_count; i++) {
		const char *name = view->config->interfaces[i].name;
		const int *state = state_of(view->sensors, name);

		if (state ? *state == 0 : is_starting(view))
			continue;
		buffer_add_string(out, "interface ");
		add_printable(out, name, GATEWAY_INTERFACE_MAX);
		if (!state)
			buffer_add_string(out, " is not heard yet");
		else if (*state == -ENODEV)
			buffer_add_string(out, " is not there: what arrives on it is not seen");
		else if (*state == -ENETDOWN)
			buffer_add_string(out, " is down: what arrives on it is not seen");
		else
			buffer_printf(out, " cannot be heard: %s", spimend_strerror(*state));
		buffer_add_char(out, '\n');
	}
}

/* With ESP in user space the kernel has nothing to tell. */
static bool needs_kernel(const struct live_view *view, const struct core_figures *f)
{
	for (uint32_t i = 0; i < f->daemon_count; i++)
		if (f->daemons[i].state.up && f->daemons[i].state.user_space_esp)
			return false;
	return view->config->sense_xfrm;
}

static void add_sources(const struct live_view *view, const struct core_figures *f, struct buffer *out)
{
	const int *lacks = view->sensors->lacks;

	if (lacks[LIVE_PACKETS] && view->config->interface_count)
		buffer_printf(out, "the packet sensor cannot be loaded: %s; no interface is heard\n",
			      spimend_strerror(lacks[LIVE_PACKETS]));
	else
		add_interfaces(view, out);
	if (lacks[LIVE_AUDIT] && view->config->sense_audit)
		buffer_printf(out, "'sense audit' is configured and there are no audit records: %s\n",
			      spimend_strerror(lacks[LIVE_AUDIT]));
	if (lacks[LIVE_KERNEL] && needs_kernel(view, f))
		buffer_printf(out, "'sense xfrm' is configured and the kernel's SAs cannot be read: %s\n",
			      spimend_strerror(lacks[LIVE_KERNEL]));
	if (lacks[LIVE_COUNTERS] && needs_kernel(view, f))
		buffer_printf(out, "'sense xfrm' is configured and the kernel has no XFRM counters: %s\n",
			      spimend_strerror(lacks[LIVE_COUNTERS]));
}

static void add_store(const struct live_view *view, struct buffer *out)
{
	if (!view->store)
		buffer_add_string(out, "there is no store: ledger and incidents do not survive a restart\n");
	else if (view->store->trouble)
		buffer_printf(out, "the store cannot be written: %s\n", spimend_strerror(view->store->trouble));
}

static void add_limits(const struct live_view *view, const struct core_figures *f, struct buffer *out)
{
	static const char *const what[LIVE_LIMITS] = {
		[LIVE_LIMIT_FLOWS] = "more flows of strays came than 'limit flows' lets in: further ones are not judged",
		[LIVE_LIMIT_INCIDENTS] = "more incidents are open than 'limit incidents' lets in: further ones are not followed",
		[LIVE_LIMIT_OUTPUTS] = "more was to be told than waits for the other roles: some of it was dropped",
		[LIVE_LIMIT_LEDGER] = "the ledger took an SA no more: it has too many addresses of our own",
	};

	if (f->ledger.limit && f->ledger.live >= f->ledger.limit)
		buffer_printf(out, "the ledger is full of live SAs (%" PRIu32 "): what died is forgotten\n", f->ledger.live);
	for (int i = 0; i < LIVE_LIMITS; i++)
		if (view->limit_hit_ns[i] && view->now.mono_ns - view->limit_hit_ns[i] < LIMIT_SHOWN_NS)
			buffer_printf(out, "%s\n", what[i]);
}

void live_troubles(const struct live_view *view, struct buffer *out)
{
	struct core_figures f = core_figures(view->core, view->now);

	for (size_t i = 0; i < view->note_count && i < LIVE_NOTES_MAX; i++)
		buffer_printf(out, "%s\n", view->notes[i]);
	add_daemons(view, &f, out);
	add_plugins(view, &f, out);
	if (view->sensors)
		add_sources(view, &f, out);
	if (view->fleet)
		live_fleet_troubles(view->fleet, view->config, view->now.mono_ns, out);
	live_web_troubles(view->web, &view->config->web, out);
	add_store(view, out);
	add_limits(view, &f, out);
}

int live_exit_status_of_all(const struct live_view *view)
{
	cleanup(buffer_done) struct buffer troubles = { 0 };

	live_troubles(view, &troubles);
	return troubles.len || buffer_error(&troubles) ? 1 : live_exit_status(view);
}
