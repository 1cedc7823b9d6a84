/* SPDX-License-Identifier: MIT */
#include "role/core_role.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "role/roles.h"
#include "spimend/error.h"

#define FLUSH_EVERY (500 * INT64_C(1000000))
#define SUMMARY_EVERY SECOND_NS
#define STORE_RETRY (5 * SECOND_NS)

struct moment mind_now(const struct mind *mind)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct moment){ .mono_ns = loop_now(mind->member->loop),
				.wall.ns = (int64_t)wall.tv_sec * SECOND_NS + wall.tv_nsec };
}

/* --- What core wants done --------------------------------------------------------------------------------------------- */

static void send_watch(struct mind *mind, enum message_type type, const void *watch)
{
	if (channel_send(mind->sense, type, watch) == -ENOBUFS)
		mind->lost_watches = true; /* once it has caught up it gets them all again */
}

static void send_refresh(struct mind *mind, enum message_type type, uint16_t daemon, uint64_t serial)
{
	struct role_refresh refresh = { .daemon = daemon, .serial = serial };

	channel_send(mind->act, type, &refresh);
}

static void carry_out(struct mind *mind, const struct core_output *output)
{
	switch (output->kind) {
	case CORE_ORDER:
		if (mind->order_count < MIND_ORDERS_MAX)
			mind->orders[mind->order_count++] = output->order;
		else /* core asks again for what was never answered */
			log_say(&mind->member->log, LOG_ERR, "more than %d orders at once: one is left out", MIND_ORDERS_MAX);
		break;
	case CORE_REFRESH:
		send_refresh(mind, MESSAGE_REFRESH, output->refresh.daemon, output->refresh.serial);
		break;
	case CORE_REFRESH_KERNEL:
		send_refresh(mind, MESSAGE_REFRESH_KERNEL, 0, 0);
		break;
	case CORE_WATCH_SPI:
		send_watch(mind, MESSAGE_WATCH_SPI, &output->watch_spi);
		break;
	case CORE_WATCH_PEER:
		send_watch(mind, MESSAGE_WATCH_PEER, &output->watch_peer);
		break;
	case CORE_KEEP_LEDGER:
		mind_record_ledger(mind, &output->ledger);
		if (mind->store)
			store_put_ledger(mind->store, &output->ledger);
		break;
	case CORE_DROP_LEDGER:
		if (mind->store)
			store_drop_ledger(mind->store, &output->ledger.key);
		break;
	case CORE_KEEP_INCIDENT:
		mind_keep_incident(mind, output->incident);
		break;
	case CORE_LOG_LINE:
		mind_say_line(mind, output->line.severity, output->line.text);
		break;
	case CORE_NOTICE:
		mind_log(mind, output->line.severity, text_of(output->line.text));
		log_say(&mind->member->log, output->line.severity, "%s", output->line.text);
		break;
	}
}

/* Everything that core wants now. Orders go last, when the incident that they belong to is on disk: a core that dies in
 * between finds there what it ordered, and does not order it a second time. */
static void drain(struct mind *mind)
{
	struct core_output output;

	while (core_next(mind->core, &output))
		carry_out(mind, &output);
	if (mind->order_count == 0)
		return;
	mind_flush(mind);
	for (size_t i = 0; i < mind->order_count; i++) {
		debugger_order(mind->notify.debugger, &mind->orders[i], loop_now(mind->member->loop));
		mind_record_order(mind, &mind->orders[i]);
		channel_send(mind->act, MESSAGE_ORDER, &mind->orders[i]);
	}
	mind->order_count = 0;
}

static void tick(struct mind *mind)
{
	int64_t again = core_tick(mind->core, mind_now(mind));

	drain(mind);
	loop_timer_at(mind->tick_timer, again);
}

void mind_settle(struct mind *mind)
{
	tick(mind);
}

static void on_tick(void *context, int64_t now)
{
	(void)now;
	tick(context);
}

/* --- What it is told -------------------------------------------------------------------------------------------------- */

static void from_sense(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		       const int *fds, size_t fd_count)
{
	struct mind *mind = context;
	struct moment now = mind_now(mind);

	(void)channel;
	member_close_fds(fds, fd_count);
	mind_record_see(mind, type, item);
	if (mind_fleet_take(mind, type, item))
		return;
	mind_debug_see(mind, type, item);
	switch (type) {
	case MESSAGE_SIGHTING:
		core_sighting(mind->core, &item->sighting, now);
		break;
	case MESSAGE_SPI_COUNT:
		core_spi_count(mind->core, &item->spi_count, now);
		break;
	case MESSAGE_COUNTERS:
		core_counters(mind->core, &item->counters, now);
		break;
	case MESSAGE_SENSOR:
		core_sensor(mind->core, &item->sensor, now);
		break;
	case MESSAGE_PLUGIN:
		core_plugin_reports(mind->core, &item->plugin, now);
		break;
	case MESSAGE_REPORT:
		core_report(mind->core, &item->report, now);
		break;
	case MESSAGE_TRAP:
		mind_take_trap(mind, &item->trap);
		break;
	case MESSAGE_NEIGHBOR:
		mind_take_neighbor(mind, &item->neighbor);
		break;
	case MESSAGE_NEIGHBOR_COUNTS:
		mind->neighbors.counts = item->neighbor_counts;
		break;
	case MESSAGE_TRAP_COUNTS:
		mind->notify.traps = item->trap_counts;
		break;
	case MESSAGE_EVIDENCE_ASKED:
		mind_evidence_asked(mind, &item->evidence_ask);
		break;
	case MESSAGE_DEVICE_SA:
		mind_cases_sa(mind, &item->device_sa);
		break;
	case MESSAGE_DEVICE_ROW:
		mind_cases_row(mind, &item->device_row);
		break;
	case MESSAGE_DEVICE_TAPE:
		mind_tape(mind, &item->device_tape);
		return; /* nothing follows from it */
	case MESSAGE_DEVICE_OUTPUT:
		mind_device_output(mind, &item->device_output);
		break;
	default:
		return;
	}
	drain(mind);
}

static void take_journal(struct mind *mind, const struct role_journal *said)
{
	mind->journal_note[0] = 0;
	if (said->error)
		snprintf(mind->journal_note, sizeof(mind->journal_note),
			 "act has no journal (%s): nothing will be carried out", spimend_strerror(said->error));
	else if (said->write_failures)
		snprintf(mind->journal_note, sizeof(mind->journal_note), "act's journal could not be written %llu times",
			 (unsigned long long)said->write_failures);
}

/* What arrives of lists; true when it was one. */
static bool take_list(struct mind *mind, enum message_type type, const union message_item *item, struct moment now)
{
	const struct role_daemon *list = &item->list;

	switch (type) {
	case MESSAGE_CONNECTIONS_BEGIN:
		core_connections_begin(mind->core, list->daemon);
		return true;
	case MESSAGE_CONNECTION:
		core_connection(mind->core, &item->connection);
		return true;
	case MESSAGE_CONNECTIONS_END:
		if (list->complete) /* else what is absent may be there still */
			core_connections_end(mind->core, list->daemon, now);
		return true;
	case MESSAGE_SNAPSHOT_BEGIN:
		core_snapshot_begin(mind->core, list->daemon, list->serial, now);
		return true;
	case MESSAGE_IKE:
		core_snapshot_ike(mind->core, &item->ike);
		return true;
	case MESSAGE_CHILD:
		core_snapshot_child(mind->core, &item->child);
		return true;
	case MESSAGE_SNAPSHOT_END:
		core_snapshot_end(mind->core, list->daemon, list->complete, now);
		return true;
	case MESSAGE_KERNEL_BEGIN:
		core_kernel_begin(mind->core, now);
		return true;
	case MESSAGE_KERNEL_END:
		core_kernel_end(mind->core, list->complete, now);
		return true;
	default:
		return false;
	}
}

static void from_act(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		     const int *fds, size_t fd_count)
{
	struct mind *mind = context;
	struct moment now = mind_now(mind);

	(void)channel;
	member_close_fds(fds, fd_count);
	mind_record_see(mind, type, item);
	mind_debug_see(mind, type, item);
	if (!take_list(mind, type, item, now)) {
		switch (type) {
		case MESSAGE_DAEMON:
			core_daemon(mind->core, &item->daemon, now);
			break;
		case MESSAGE_CHILD_EVENT:
			core_child_event(mind->core, &item->child_event, now);
			break;
		case MESSAGE_IKE_EVENT:
			core_ike_event(mind->core, &item->ike_event, now);
			break;
		case MESSAGE_HINT:
			core_hint(mind->core, &item->hint, now);
			break;
		case MESSAGE_KERNEL:
			core_kernel(mind->core, &item->kernel, now);
			break;
		case MESSAGE_PLUGIN:
			core_plugin(mind->core, &item->plugin, now);
			break;
		case MESSAGE_RESULT:
			core_result(mind->core, &item->result, now);
			break;
		case MESSAGE_JOURNAL:
			take_journal(mind, &item->journal);
			break;
		default:
			return;
		}
	}
	drain(mind);
}

static void on_turn(void *context, struct channel *channel)
{
	(void)channel;
	tick(context);
}

static void sense_drained(void *context, struct channel *channel)
{
	struct mind *mind = context;

	(void)channel;
	if (!mind->lost_watches)
		return;
	mind->lost_watches = false;
	core_resend_watches(mind->core);
	drain(mind);
}

static void note_away(struct mind *mind, char *note, const char *role)
{
	struct moment now = mind_now(mind);
	struct civil at = calendar_from_instant(now.wall);

	snprintf(note, MIND_NOTE_MAX, "the role %s is away since %02d:%02d:%02d UTC", role, at.hour, at.minute, at.second);
}

static void on_closed(void *context, struct channel *channel, const char *why)
{
	struct mind *mind = context;
	bool is_sense = channel == mind->sense;

	if (why) /* that a role ended, the parent says */
		log_say(&mind->member->log, LOG_ERR, "%s sent a message %s", is_sense ? "sense" : "act", why);
	channel_free(channel);
	if (is_sense)
		mind->sense = NULL;
	else
		mind->act = NULL;
	note_away(mind, is_sense ? mind->sense_note : mind->act_note, is_sense ? "sense" : "act");
}

/* --- What the parent hands in ----------------------------------------------------------------------------------------- */

static int take_channel(struct mind *mind, enum role peer, int fd)
{
	struct channel_calls calls = { .context = mind, .take = peer == ROLE_SENSE ? from_sense : from_act,
				       .closed = on_closed, .turn = on_turn,
				       .drained = peer == ROLE_SENSE ? sense_drained : NULL };
	struct channel **channel = peer == ROLE_SENSE ? &mind->sense : &mind->act;
	int r;

	channel_free(*channel);
	*channel = NULL;
	r = channel_new(mind->member->loop, fd, ROLE_CORE, peer, &calls, channel);
	if (r < 0)
		return r;
	if (peer == ROLE_SENSE) {
		mind_device_lost(mind);
		mind->sense_note[0] = 0;
		mind->lost_watches = false;
		core_resend_watches(mind->core);
	} else {
		mind->act_note[0] = 0;
		core_resend_orders(mind->core, mind_now(mind));
		mind_debug_tell(mind);
	}
	tick(mind);
	return 0;
}

static bool is_configured(const struct mind *mind, const char *interface)
{
	const struct config *config = mind->member->config;

	for (uint32_t i = 0; i < config->interface_count; i++)
		if (strcmp(config->interfaces[i].name, interface) == 0)
			return true;
	return false;
}

/* Of what others were given: that it is there, or why not. */
static void note_sensor(struct mind *mind, const struct role_resource *resource)
{
	struct live_sensors *sensors = &mind->sensors;
	uint32_t i, place = CONFIG_INTERFACES_MAX;

	switch (resource->kind) {
	case RESOURCE_MAPS:
		sensors->lacks[LIVE_PACKETS] = resource->error;
		return;
	case RESOURCE_AUDIT:
		sensors->lacks[LIVE_AUDIT] = resource->error;
		return;
	case RESOURCE_COUNTERS:
		sensors->lacks[LIVE_COUNTERS] = resource->error;
		return;
	case RESOURCE_KERNEL:
		sensors->lacks[LIVE_KERNEL] = resource->error;
		return;
	case RESOURCE_TRAPS:
		mind->notify.traps_error = resource->error == -ENOENT ? 0 : resource->error;
		return;
	case RESOURCE_SOCKET:
		break;
	default:
		return;
	}
	for (i = 0; i < sensors->interface_count; i++)
		if (strcmp(sensors->interfaces[i].name, resource->name) == 0)
			place = i;
	if (place == CONFIG_INTERFACES_MAX && sensors->interface_count < CONFIG_INTERFACES_MAX)
		place = sensors->interface_count++;
	for (i = 0; i < sensors->interface_count && place == CONFIG_INTERFACES_MAX; i++)
		if (!is_configured(mind, sensors->interfaces[i].name))
			place = i;
	if (place == CONFIG_INTERFACES_MAX)
		return;
	memcpy(sensors->interfaces[place].name, resource->name, sizeof(resource->name));
	sensors->interfaces[place].error = resource->error;
}

static void take_resource(void *context, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct mind *mind = context;
	int r = 0;

	if (resource->kind == RESOURCE_CHANNEL && fd_count == 1 &&
	    (resource->index == ROLE_SENSE || resource->index == ROLE_ACT))
		r = take_channel(mind, resource->index, fds[0]);
	else if (resource->kind == RESOURCE_ROUTE && fd_count == 1)
		mind_take_route(mind, fds[0]);
	else if (resource->kind == RESOURCE_STAT && fd_count == 1)
		mind_take_stat(mind, fds[0]);
	else if (resource->kind == RESOURCE_CHANNEL && fd_count == 1 && resource->index == ROLE_DIAL)
		r = mind_take_dial(mind, fds[0]);
	else if (resource->kind == RESOURCE_CHANNEL && fd_count == 1 && resource->index == ROLE_SSH)
		r = mind_take_ssh(mind, fds[0]);
	else if (resource->kind == RESOURCE_CHANNEL && fd_count == 1 && resource->index == ROLE_WEB)
		r = mind_take_web(mind, fds[0]);
	else if (resource->kind == RESOURCE_CHANNEL && fd_count == 1 && resource->index == ROLE_HOOK)
		r = mind_take_hook(mind, fds[0]);
	else if (resource->kind == RESOURCE_CONTROL && fd_count == 1)
		r = mind_take_control(mind, fds[0]);
	else if (fd_count == 0 && (mind_web_resource(mind, resource) || mind_fleet_resource(mind, resource)))
		return;
	else if (fd_count == 0)
		note_sensor(mind, resource);
	else
		member_close_fds(fds, fd_count);
	if (r < 0)
		log_say(&mind->member->log, LOG_ERR, "%s: %s", resource_name(resource->kind), spimend_strerror(r));
}

static void take_told(void *context, enum message_type type, const union message_item *item)
{
	struct mind *mind = context;

	if (type == MESSAGE_GRE_BEGIN)
		core_gre_begin(mind->core);
	else if (type == MESSAGE_GRE_DEVICE)
		core_gre_device(mind->core, &item->gre_device);
	else if (type == MESSAGE_GRE_END)
		core_gre_end(mind->core, mind_now(mind));
}

/* --- Timers ----------------------------------------------------------------------------------------------------------- */

static void on_flush(void *context, int64_t now)
{
	struct mind *mind = context;

	if (mind->store && store_has_pending(mind->store)) {
		mind_flush(mind);
	} else if (!mind->store && now >= mind->store_again) {
		mind->store_again = now + STORE_RETRY;
		mind_retry_store(mind);
	}
}

static void note_limits(struct mind *mind, const struct core_figures *f, int64_t now)
{
	const uint64_t counts[LIVE_LIMITS] = {
		[LIVE_LIMIT_FLOWS] = f->flows_refused, [LIVE_LIMIT_INCIDENTS] = f->incidents_dropped,
		[LIVE_LIMIT_OUTPUTS] = f->outputs_dropped, [LIVE_LIMIT_LEDGER] = f->ledger.refused,
	};

	for (int i = 0; i < LIVE_LIMITS; i++) {
		if (counts[i] > mind->limits[i])
			mind->limit_hit_ns[i] = now;
		mind->limits[i] = counts[i];
	}
}

static void on_summary(void *context, int64_t now)
{
	struct mind *mind = context;
	struct core_figures figures = core_figures(mind->core, mind_now(mind));
	struct role_summary summary;

	note_limits(mind, &figures, now);
	mind_fleet_tick(mind, now);
	mind_devices_tick(mind, now);
	mind_record_tick(mind);
	mind_evidence_tick(mind);
	mind_web_tick(mind);
	debugger_tick(mind->notify.debugger, now);
	memset(&summary, 0, sizeof(summary));
	summary.open = figures.open;
	summary.daemons = figures.daemon_count;
	for (uint32_t i = 0; i < figures.daemon_count && i < GATEWAY_DAEMONS_MAX; i++) {
		summary.tunnels += figures.daemons[i].children;
		summary.daemons_up += figures.daemons[i].state.up;
	}
	summary.disk_trouble = mind->store_trouble != 0;
	if (memcmp(&summary, &mind->summary, sizeof(summary)) == 0)
		return;
	if (channel_send(mind->member->parent, MESSAGE_SUMMARY, &summary) == 0)
		mind->summary = summary;
}

/* --- Life ------------------------------------------------------------------------------------------------------------- */

static int begin(void *context, struct member *member)
{
	struct mind *mind = context;
	int r;

	mind->member = member;
	snprintf(mind->sense_note, sizeof(mind->sense_note), "the role sense is not here yet");
	snprintf(mind->act_note, sizeof(mind->act_note), "the role act is not here yet");
	mind->exec.route_fd = mind->poll.stat_fd = -1;
	r = mind_web_begin(mind);
	if (r == 0)
		r = mind_take_config(mind);
	if (r == 0)
		r = mind_debug_begin(mind);
	if (r == 0)
		r = mind_restore(mind);
	if (r == 0)
		mind_record_configure(mind); /* it says so, is tried again, and nothing waits for it */
	if (r == 0)
		r = mind_fleet_configure(mind);
	if (r == 0)
		r = mind_cases_configure(mind);
	if (r == 0)
		r = loop_add_timer(member->loop, on_tick, mind, &mind->tick_timer);
	if (r == 0)
		r = loop_add_timer(member->loop, on_flush, mind, &mind->flush_timer);
	if (r == 0)
		r = loop_add_timer(member->loop, on_summary, mind, &mind->summary_timer);
	if (r < 0)
		return r;
	loop_timer_every(mind->flush_timer, FLUSH_EVERY);
	loop_timer_every(mind->summary_timer, SUMMARY_EVERY);
	tick(mind);
	return 0;
}

static void reload(void *context)
{
	struct mind *mind = context;
	int r = core_reconfigure(mind->core, mind->member->config, mind_now(mind));

	if (r < 0)
		log_say(&mind->member->log, LOG_ERR, "the new configuration was not taken: %s", spimend_strerror(r));
	mind_keep_so_much(mind);
	r = mind_take_config(mind);
	if (r < 0)
		log_say(&mind->member->log, LOG_ERR, "the running configuration cannot be shown: %s", spimend_strerror(r));
	r = mind_fleet_configure(mind);
	if (r < 0)
		log_say(&mind->member->log, LOG_ERR, "what syslog tells cannot be judged: %s", spimend_strerror(r));
	r = mind_cases_configure(mind);
	if (r < 0)
		log_say(&mind->member->log, LOG_ERR, "the devices of the configuration are not looked after: %s", spimend_strerror(r));
	mind_record_configure(mind);
	mind_allow(mind);
	mind_neighbors_configure(mind, true);
	tick(mind);
}

static void saved(void *context, const struct role_saved *said)
{
	mind_take_saved(context, said);
}

static void end(void *context)
{
	struct mind *mind = context;

	mind_web_done(mind);
	mind_devices_done(mind);
	mind_cases_done(mind);
	mind_notify_done(mind);
	mind_hooks_done(mind);
	mind_neighbors_done(mind);
	mind_take_stat(mind, -1);
	channel_flush(mind->act);
	channel_flush(mind->sense);
	channel_free(mind->act);
	channel_free(mind->sense);
	control_free(mind->control);
	mind_exec_done(mind);
	mind_fleet_done(mind);
	mind_evidence_done(mind);
	mind_record_done(mind);
	store_close(mind->store);
	core_free(mind->core);
}

int core_role_run(void)
{
	static const struct member_calls calls = { .begin = begin, .resource = take_resource, .told = take_told, .reload = reload,
						   .end = end, .saved = saved };
	struct mind mind = { 0 };

	return member_run(ROLE_CORE, &calls, &mind);
}
