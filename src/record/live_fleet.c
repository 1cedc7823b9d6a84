/* SPDX-License-Identifier: MIT */
/* Incidents of the fleet: rows, objects, pages. */
#include "record/live_fleet.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "record/incident_json.h"
#include "record/incident_text.h"
#include "record/live_private.h"
#include "record/values.h"

#define PAGE_WIDTH 110

static bool is_old(const struct config *config, struct instant now, bool has_times, struct instant last)
{
	return has_times && now.ns - last.ns >= config->close_ns;
}

bool live_fleet_is_listed(const struct live_fleet *fleet, size_t index)
{
	return !live_burst_hides(fleet->bursts, index);
}

size_t live_fleet_count(const struct live_fleet *fleet)
{
	size_t n = judge_incidents(fleet->judge);

	for (size_t i = 0; fleet->bursts && i < fleet->bursts->count; i++)
		n -= fleet->bursts->list[i].flows - 1;
	return n;
}

struct judge_glance live_fleet_glance(const struct live_fleet *fleet, size_t index)
{
	const struct live_burst *burst = live_burst_of(fleet->bursts, index);
	struct judge_glance glance = judge_glance(fleet->judge, index);

	if (burst) {
		glance.first = burst->first;
		glance.last = burst->last;
	}
	return glance;
}

/* What the first flow is made to stand for. */
static void make_burst(const struct live_burst *burst, struct incident *i)
{
	static const struct spimend_address many;

	i->src = burst->sources > 1 ? many : i->src;
	i->has_spi = false;
	i->spi.value = 0;
	i->interface = TEXT_NONE;
	i->messages = burst->messages;
	i->spis = burst->flows;
	i->sources = burst->sources;
	i->first_seen = burst->first;
	i->last_seen = burst->last;
	i->flags |= FLAG_MANY_PEERS;
	if (i->verdict == VERDICT_DESYNC && i->cause == CAUSE_UNKNOWN) {
		i->cause = CAUSE_RECEIVER_LOST_STATE;
		i->confidence = CONFIDENCE_POSSIBLE;
	}
}

void live_fleet_incident(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
			 struct incident *ret)
{
	const struct live_burst *burst = live_burst_of(fleet->bursts, index);

	judge_incident(fleet->judge, index, ret);
	if (burst)
		make_burst(burst, ret);
	/* Nobody tells that a router is well again: it is said no more. */
	if (ret->state == STATE_OPEN && is_old(config, now, ret->has_times, ret->last_seen))
		ret->state = STATE_CLOSED;
}

void live_fleet_plan(const struct live_fleet *fleet, size_t index, const struct incident *incident,
		     const struct config *config, struct plan *ret)
{
	struct incident one;

	memset(ret, 0, sizeof(*ret));
	if (config->mode == MODE_OBSERVE || incident->state == STATE_CLOSED)
		return;
	if (!live_burst_of(fleet->bursts, index)) {
		plan_build(incident, ret);
		return;
	}
	judge_incident(fleet->judge, index, &one); /* the same words again: what was borrowed stays as it is */
	one.flags |= FLAG_MANY_PEERS;
	one.cause = incident->cause;
	one.confidence = incident->confidence;
	plan_build(&one, ret);
}

bool live_fleet_is_fault(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index)
{
	struct judge_glance glance = live_fleet_glance(fleet, index);

	return live_fleet_is_listed(fleet, index) &&
	       (glance.verdict == VERDICT_DESYNC || glance.verdict == VERDICT_OTHER_FAULT) &&
	       !is_old(config, now, glance.has_times, glance.last);
}

const struct live_pair *live_fleet_case_of(const struct live_fleet *fleet, const struct live_pairs *pairs, size_t index)
{
	struct judge_glance glance;

	if (!pairs->count)
		return NULL;
	glance = live_fleet_glance(fleet, index);
	return live_pairs_cover(pairs, &glance, live_burst_of(fleet->bursts, index));
}

bool live_fleet_is_shown(const struct live_fleet *fleet, const struct live_pairs *pairs, size_t index)
{
	return live_fleet_is_listed(fleet, index) && !live_fleet_case_of(fleet, pairs, index);
}

int live_fleet_find(const struct live_fleet *fleet, const char *id, size_t *ret)
{
	size_t found = SIZE_MAX, len = strlen(id), at;
	char one[INCIDENT_ID_MAX];

	for (size_t i = 0; len && i < judge_incidents(fleet->judge); i++) {
		judge_incident_id(fleet->judge, i, one);
		if (strncmp(one, id, len) != 0)
			continue;
		at = fleet->bursts && i < fleet->bursts->incidents && fleet->bursts->burst_of[i]
			     ? fleet->bursts->list[fleet->bursts->burst_of[i] - 1].leader
			     : i;
		if (found != SIZE_MAX && found != at)
			return -ENOTUNIQ;
		found = at;
	}
	if (found == SIZE_MAX)
		return -ENOENT;
	*ret = found;
	return 0;
}

void live_fleet_json(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
		     bool explain, struct buffer *out)
{
	struct plan *plan cleanup(memory_free_pointer) = memory_new(1, sizeof(*plan));
	struct incident incident;

	if (!plan) {
		out->failed = true;
		return;
	}
	live_fleet_incident(fleet, config, now, index, &incident);
	live_fleet_plan(fleet, index, &incident, config, plan);
	record_incident_json(&incident, plan, explain, out);
}

void live_fleet_explain(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
			struct buffer *out)
{
	static const struct text_style style = { .verbose = true, .explain = true, .width = PAGE_WIDTH };
	struct plan *plan cleanup(memory_free_pointer) = memory_new(1, sizeof(*plan));
	struct incident incident;

	if (!plan) {
		out->failed = true;
		return;
	}
	live_fleet_incident(fleet, config, now, index, &incident);
	live_fleet_plan(fleet, index, &incident, config, plan);
	record_incident_text(&incident, plan, &style, out);
	buffer_printf(out, "Told by syslog, which anybody on its way can forge. State: %s.", incident_state_name(incident.state));
	if (incident.state == STATE_CLOSED && incident.verdict == VERDICT_DESYNC)
		buffer_add_string(out, " It was not told of for so long that it counts as over.");
	buffer_add_string(out, config->mode == MODE_OBSERVE ? " No steps: the mode is observe.\n"
							    : " The steps are for a person at those devices; spimend does none of them.\n");
}

/* --- One line ------------------------------------------------------------------------------------------------------ */

static void add_flow(const struct incident *i, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (spimend_address_known(&i->src))
		buffer_add_string(out, spimend_address_print(&i->src, address));
	else if (i->sources > 1)
		buffer_printf(out, "%" PRIu64 " sources", i->sources);
	else
		buffer_add_char(out, '?');
	buffer_printf(out, " -> %s", spimend_address_print(&i->dst, address));
	if (i->protocol != SPIMEND_PROTOCOL_UNKNOWN)
		buffer_add_string(out, i->protocol == SPIMEND_PROTOCOL_AH ? " AH" : " ESP");
	if (i->encap_udp)
		buffer_add_string(out, " in UDP");
	if (i->has_spi)
		buffer_printf(out, " 0x%08" PRIx32, i->spi.value);
	else if (i->spis > 1)
		buffer_printf(out, " %" PRIu64 " SPIs", i->spis);
}

void live_fleet_row(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
		    struct buffer *out)
{
	cleanup(buffer_done) struct buffer cell = { 0 };
	struct incident i;

	live_fleet_incident(fleet, config, now, index, &i);
	buffer_printf(out, "%-6s %-10s %-11s ", i.id, incident_state_name(i.state), verdict_name(i.verdict));
	buffer_add_string(&cell, cause_name(i.cause));
	live_add_cell(out, &cell, 22);
	if (i.has_times)
		calendar_print_short(&cell, i.first_seen);
	else
		buffer_add_char(&cell, '-');
	live_add_cell(out, &cell, 19);
	if (i.has_times && (i.verdict == VERDICT_DESYNC || i.verdict == VERDICT_OTHER_FAULT))
		calendar_print_duration(&cell, (i.state == STATE_OPEN ? now.ns : i.last_seen.ns) - i.first_seen.ns);
	else
		buffer_add_char(&cell, '-');
	live_add_cell(out, &cell, 11);
	record_add_printable(&cell, i.observer);
	live_add_cell(out, &cell, 16);
	add_flow(&i, out);
	buffer_add_char(out, '\n');
}

void live_fleet_watch(const struct live_fleet *fleet, const struct config *config, struct instant now, size_t index,
		      struct buffer *out)
{
	struct incident i;

	live_fleet_incident(fleet, config, now, index, &i);
	live_add_time(out, now);
	buffer_printf(out, " %s %s %s: ", i.id, verdict_name(i.verdict), incident_state_name(i.state));
	record_add_printable(out, i.observer);
	buffer_add_string(out, ": ");
	add_flow(&i, out);
	if (i.cause != CAUSE_UNKNOWN)
		buffer_printf(out, ", %s", cause_name(i.cause));
	if (i.confidence != CONFIDENCE_NONE)
		buffer_printf(out, " (%s)", confidence_name(i.confidence));
	buffer_printf(out, "; %" PRIu64 " message%s by syslog\n", i.messages, i.messages == 1 ? "" : "s");
}
