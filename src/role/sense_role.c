/* SPDX-License-Identifier: MIT */
#include "role/roles.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "role/sense_devices.h"
#include "role/sense_evidence.h"
#include "role/sense_heads.h"
#include "role/sense_neighbors.h"
#include "role/sense_reports.h"
#include "role/sense_syslog.h"
#include "role/sense_traps.h"
#include "sense/audit.h"
#include "sense/packets.h"
#include "sense/xfrm_stat.h"
#include "spimend/error.h"

#define COUNTS_EVERY (100 * INT64_C(1000000)) /* a part of the SPIs is told, those that changed */
#define COUNTS_AT_ONCE 1024
#define STATE_EVERY SECOND_NS

struct sense {
	struct member *member;   /* borrows */
	struct channel *core;    /* owns */
	struct packets *packets; /* owns */
	struct loop_source *packets_source;
	struct audit *audit;     /* owns */
	struct loop_source *audit_source;
	int counters_fd;         /* owns; -1: none */
	struct loop_timer *counts_timer, *state_timer;
	struct xfrm_counters counters; /* as told last */
	uint64_t dropped;        /* sightings that core did not take */
	uint32_t up, down;       /* interfaces */
	bool said_full, said_counters;
	struct sense_reports reports; /* of the plugins inside the IKE daemons */
	struct sense_traps traps;
	struct sense_devices devices;
	struct sense_neighbors neighbors;
	struct sense_heads heads;
	struct sense_evidence evidence;
	struct sense_syslog *syslog; /* owns; NULL: none is heard */
};

/* --- To core --------------------------------------------------------------------------------------------------------- */

static void tell_sighting(void *context, const struct sighting *sighting)
{
	struct sense *sense = context;

	if (channel_send(sense->core, MESSAGE_SIGHTING, sighting) < 0)
		sense->dropped++;
}

static void tell_count(void *context, const struct spi_count *count)
{
	struct sense *sense = context;

	channel_send(sense->core, MESSAGE_SPI_COUNT, count);
}

/* What the SA had reached, to the packet: whoever recorded the last ones shall prove nothing with them. */
static void tell_at_death(struct sense *sense, const struct sa_key *key)
{
	struct spi_count count;

	if (packets_count_of(sense->packets, key, &count) < 0)
		return;
	count.at_death = true;
	tell_count(sense, &count);
}

static void on_counts(void *context, int64_t now)
{
	struct sense *sense = context;

	(void)now;
	if (sense->packets && sense->core && !channel_is_full(sense->core))
		packets_walk_counts(sense->packets, COUNTS_AT_ONCE, tell_count, sense);
}

static void tell_counters(struct sense *sense)
{
	struct xfrm_counters counters;
	int r;

	if (sense->counters_fd < 0)
		return;
	memset(&counters, 0, sizeof(counters));
	r = xfrm_stat_read(sense->counters_fd, &counters);
	if (r < 0) {
		if (!sense->said_counters)
			log_say(&sense->member->log, LOG_WARNING, XFRM_STAT_PATH ": %s", spimend_strerror(r));
		sense->said_counters = true;
		return;
	}
	sense->said_counters = false;
	channel_send(sense->core, MESSAGE_COUNTERS, &counters);
}

static void on_state(void *context, int64_t now)
{
	struct sense *sense = context;
	struct sensor_state state;

	(void)now;
	memset(&state, 0, sizeof(state));
	if (sense->packets)
		packets_state(sense->packets, &state);
	if (sense->audit)
		audit_state(sense->audit, &state);
	state.flows_dropped += sense->dropped; /* both: seen, and not told */
	channel_send(sense->core, MESSAGE_SENSOR, &state);
	sense_reports_tell(&sense->reports);
	sense_traps_tell(&sense->traps);
	sense_neighbors_tell(&sense->neighbors);
	sense_heads_tick(&sense->heads);
	sense_evidence_tick(&sense->evidence);
	sense_syslog_tell(sense->syslog);
	tell_counters(sense);
}

static void on_packets(void *context, uint32_t events)
{
	struct sense *sense = context;
	int r;

	(void)events;
	r = packets_read(sense->packets);
	if (r < 0)
		log_say(&sense->member->log, LOG_ERR, "the packet sensor: %s", spimend_strerror(r));
}

static void on_audit(void *context, uint32_t events)
{
	struct sense *sense = context;
	int r;

	(void)events;
	r = audit_read(sense->audit);
	if (r < 0) {
		log_say(&sense->member->log, LOG_ERR, "the audit socket: %s; no further records", spimend_strerror(r));
		loop_remove(sense->audit_source);
		sense->audit_source = NULL;
	}
}

static void on_head(void *context, struct text bytes, const struct sighting *one)
{
	struct sense *sense = context;

	sense_heads_stray(&sense->heads, bytes, one);
}

static void on_interface_lost(void *context, const char *interface, int error)
{
	struct sense *sense = context;

	log_say(&sense->member->log, LOG_WARNING, "interface %s cannot be heard any more: %s", interface,
		spimend_strerror(error));
	member_want(sense->member, RESOURCE_SOCKET, 0, interface);
}

/* --- From core ------------------------------------------------------------------------------------------------------- */

static void watch_failed(struct sense *sense, int error)
{
	if (sense->said_full)
		return;
	sense->said_full = true;
	log_say(&sense->member->log, LOG_WARNING, "an SPI or peer cannot be watched (%s): its packets count as unknown",
		spimend_strerror(error));
}

static void from_core(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		      const int *fds, size_t fd_count)
{
	struct sense *sense = context;
	int r = 0;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_EVIDENCE_ANSWER)
		sense_evidence_answer(&sense->evidence, &item->evidence_part);
	if (!sense->packets)
		return;
	if (type == MESSAGE_WATCH_SPI && item->watch_spi.state == WATCH_DEAD)
		tell_at_death(sense, &item->watch_spi.key);
	if (type == MESSAGE_WATCH_SPI)
		r = packets_watch_spi(sense->packets, &item->watch_spi);
	else if (type == MESSAGE_WATCH_PEER)
		r = packets_watch_peer(sense->packets, &item->watch_peer);
	if (r < 0 && r != -ENOENT)
		watch_failed(sense, r);
}

static void core_closed(void *context, struct channel *channel, const char *why)
{
	struct sense *sense = context;

	if (why) /* that a role ended, the parent says */
		log_say(&sense->member->log, LOG_ERR, "core sent a message %s", why);
	channel_free(channel);
	sense->core = NULL;
	sense_reports_core(&sense->reports, NULL);
	sense_traps_core(&sense->traps, NULL);
	sense_devices_core(&sense->devices, NULL);
	sense_neighbors_core(&sense->neighbors, NULL);
	sense_heads_core(&sense->heads, NULL);
	sense_evidence_core(&sense->evidence, NULL);
	sense_syslog_core(sense->syslog, NULL);
}

static void core_drained(void *context, struct channel *channel)
{
	struct sense *sense = context;

	(void)channel;
	sense_syslog_drained(sense->syslog);
	sense_devices_drained(&sense->devices);
}

/* --- What the parent hands in ----------------------------------------------------------------------------------------- */

static int take_channel(struct sense *sense, int fd)
{
	struct channel_calls calls = { .context = sense, .take = from_core, .closed = core_closed,
				       .drained = core_drained };
	int r;

	sense_reports_core(&sense->reports, NULL);
	sense_traps_core(&sense->traps, NULL);
	sense_devices_core(&sense->devices, NULL);
	sense_neighbors_core(&sense->neighbors, NULL);
	sense_heads_core(&sense->heads, NULL);
	sense_evidence_core(&sense->evidence, NULL);
	sense_syslog_core(sense->syslog, NULL);
	channel_free(sense->core);
	sense->core = NULL;
	/* A core that is new tells what it knows. What it does not tell died while nobody could say so. */
	if (sense->packets)
		packets_begin_anew(sense->packets, PACKETS_GRACE_NS);
	r = channel_new(sense->member->loop, fd, ROLE_SENSE, ROLE_CORE, &calls, &sense->core);
	if (r == 0) {
		sense_reports_core(&sense->reports, sense->core);
		sense_traps_core(&sense->traps, sense->core);
		sense_devices_core(&sense->devices, sense->core);
		sense_neighbors_core(&sense->neighbors, sense->core);
		sense_heads_core(&sense->heads, sense->core);
		sense_evidence_core(&sense->evidence, sense->core);
		sense_syslog_core(sense->syslog, sense->core);
	}
	return r;
}

static int take_maps(struct sense *sense, const int *fds, size_t fd_count)
{
	struct packets_events events = { .context = sense, .sighting = tell_sighting, .interface_lost = on_interface_lost,
					 .head = on_head };
	int maps[PACKETS_MAPS], r;

	if (fd_count != PACKETS_MAPS) {
		member_close_fds(fds, fd_count);
		return -EPROTO;
	}
	loop_remove(sense->packets_source);
	sense->packets_source = NULL;
	packets_free(sense->packets);
	sense->packets = NULL;
	memcpy(maps, fds, sizeof(maps));
	r = packets_new(maps, &events, &sense->packets);
	if (r == 0)
		r = loop_add(sense->member->loop, packets_fd(sense->packets), EPOLLIN, on_packets, sense,
			     &sense->packets_source);
	return r;
}

static int take_audit(struct sense *sense, int fd)
{
	struct audit_events events = { .context = sense, .sighting = tell_sighting };
	int r;

	loop_remove(sense->audit_source);
	sense->audit_source = NULL;
	audit_free(sense->audit);
	sense->audit = NULL;
	r = audit_new(fd, &events, &sense->audit);
	if (r == 0)
		r = loop_add(sense->member->loop, audit_fd(sense->audit), EPOLLIN, on_audit, sense, &sense->audit_source);
	return r;
}

static int take_interface(struct sense *sense, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	int r;

	if (!sense->packets) {
		member_close_fds(fds, fd_count);
		return -ENODEV;
	}
	if (resource->kind == RESOURCE_XDP) {
		member_close_fds(fds, fd_count);
		r = packets_add_xdp(sense->packets, resource->name, resource->number);
	} else {
		r = fd_count == 1 ? packets_add_socket(sense->packets, resource->name, fds[0]) : -EPROTO;
	}
	if (r == 0)
		log_say(&sense->member->log, LOG_INFO, "hears interface %s", resource->name);
	return r;
}

static void take_resource(void *context, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct sense *sense = context;
	int r = 0;

	if (resource->kind == RESOURCE_PLUGIN) {
		sense_reports_take(&sense->reports, resource, fds, fd_count);
	} else if (resource->kind == RESOURCE_TRAPS) {
		sense_traps_take(&sense->traps, resource, fds, fd_count);
	} else if (resource->kind == RESOURCE_EVIDENCE_SOCKET || resource->kind == RESOURCE_EVIDENCE_KEY) {
		sense_evidence_take(&sense->evidence, resource, fds, fd_count);
	} else if (resource->kind == RESOURCE_HEADS) {
		sense_heads_take(&sense->heads, resource, fds, fd_count);
	} else if (resource->kind == RESOURCE_NEIGHBORS) {
		sense_neighbors_take(&sense->neighbors, resource, fds, fd_count);
	} else if (sense_syslog_take(sense->syslog, resource, fds, fd_count)) {
		return;
	} else if (resource->error || fd_count == 0) {
		if (resource->kind == RESOURCE_XDP && !resource->error)
			r = take_interface(sense, resource, fds, fd_count);
		else if (sense->packets && (resource->kind == RESOURCE_SOCKET || resource->kind == RESOURCE_XDP))
			packets_remove_interface(sense->packets, resource->name);
		member_close_fds(fds, fd_count);
	} else if (resource->kind == RESOURCE_CHANNEL && resource->index == ROLE_SSH) {
		r = sense_devices_take(&sense->devices, fds[0]);
	} else if (resource->kind == RESOURCE_CHANNEL) {
		r = take_channel(sense, fds[0]);
	} else if (resource->kind == RESOURCE_MAPS) {
		r = take_maps(sense, fds, fd_count);
	} else if (resource->kind == RESOURCE_SOCKET) {
		r = take_interface(sense, resource, fds, fd_count);
	} else if (resource->kind == RESOURCE_AUDIT) {
		r = take_audit(sense, fds[0]);
	} else if (resource->kind == RESOURCE_COUNTERS) {
		if (sense->counters_fd >= 0)
			close(sense->counters_fd);
		sense->counters_fd = fds[0];
	} else {
		member_close_fds(fds, fd_count);
	}
	if (r < 0)
		log_say(&sense->member->log, LOG_ERR, "%s%s%s: %s", resource_name(resource->kind), resource->name[0] ? " " : "",
			resource->name, spimend_strerror(r));
}

/* --- Life ------------------------------------------------------------------------------------------------------------- */

static int begin(void *context, struct member *member)
{
	struct sense *sense = context;
	int r;

	sense->member = member;
	r = loop_add_timer(member->loop, on_counts, sense, &sense->counts_timer);
	if (r == 0)
		r = loop_add_timer(member->loop, on_state, sense, &sense->state_timer);
	if (r < 0)
		return r;
	loop_timer_every(sense->counts_timer, COUNTS_EVERY);
	loop_timer_every(sense->state_timer, STATE_EVERY);
	sense_neighbors_begin(&sense->neighbors, member);
	sense_heads_begin(&sense->heads, member);
	sense_evidence_begin(&sense->evidence, member);
	r = sense_syslog_new(member, &sense->syslog);
	if (r < 0)
		return r;
	r = sense_devices_begin(&sense->devices, member);
	if (r == 0)
		r = sense_traps_begin(&sense->traps, member);
	return r < 0 ? r : sense_reports_begin(&sense->reports, member);
}

static void reload(void *context)
{
	struct sense *sense = context;

	/* What else sense hears, and on which ports, the parent opened: it starts sense anew when that changes. */
	sense_reports_reload(&sense->reports);
	sense_traps_reload(&sense->traps);
	sense_syslog_reload(sense->syslog);
}

static void end(void *context)
{
	struct sense *sense = context;

	sense_devices_done(&sense->devices); /* the ends of tapes */
	channel_flush(sense->core);
	sense_reports_done(&sense->reports);
	sense_traps_done(&sense->traps);
	sense_neighbors_done(&sense->neighbors);
	sense_heads_done(&sense->heads);
	sense_evidence_done(&sense->evidence);
	sense_syslog_free(sense->syslog);
	channel_free(sense->core);
	packets_free(sense->packets);
	audit_free(sense->audit);
	if (sense->counters_fd >= 0)
		close(sense->counters_fd);
}

int sense_role_run(void)
{
	static const struct member_calls calls = { .begin = begin, .resource = take_resource, .reload = reload, .end = end };
	struct sense sense = { .counters_fd = -1 };

	return member_run(ROLE_SENSE, &calls, &sense);
}
