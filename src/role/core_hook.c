/* SPDX-License-Identifier: MIT */
#include "role/core_role.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "record/fleet_incident.h"
#include "record/live_rows.h"

#define EVIDENCE_KEPT 4 /* of an object that would be too large */

/* --- Is it a change? ------------------------------------------------------------------------------------------------ */

static uint64_t mark_of(const struct incident_row *row)
{
	return (uint32_t)row->state << 16 | (uint32_t)row->verdict << 8 | (uint32_t)row->cause;
}

/* True once for each change of what is a fault, or was told as one. */
static bool is_news(struct mind *mind, const struct incident_row *row)
{
	return told_is_news(&mind->hooks.told, row->id, mark_of(row), incident_row_loses_packets(row));
}

void mind_hook_restored(struct mind *mind, const struct incident_row *row)
{
	if (incident_row_loses_packets(row))
		told_put(&mind->hooks.told, row->id, mark_of(row));
}

/* --- The log -------------------------------------------------------------------------------------------------------- */

static bool may_log(struct mind *mind)
{
	int64_t now = mind_now(mind).mono_ns;

	if (!mind->hooks.window_ns || now - mind->hooks.window_ns >= MINUTE_NS) {
		if (mind->hooks.held)
			log_say(&mind->member->log, LOG_NOTICE, "%u more lines about incidents were held back by the limit of %d a minute",
				mind->hooks.held, HOOK_LINES_A_MINUTE);
		mind->hooks.window_ns = now;
		mind->hooks.lines = mind->hooks.held = 0;
	}
	if (mind->hooks.lines == HOOK_LINES_A_MINUTE) {
		mind->hooks.held++;
		return false;
	}
	mind->hooks.lines++;
	return true;
}

/* As a device writes it: to this machine's log, to the syslog servers, to applets. */
static void say(struct mind *mind, const struct incident_row *row, uint32_t spi)
{
	bool is_well = row->state == STATE_HEALED || row->state == STATE_CLOSED || !incident_row_loses_packets(row);
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX], number[16], line[512];
	const struct log_field fields[] = {
		{ "SPIMEND_INCIDENT", row->id }, { "SPIMEND_VERDICT", verdict_name(row->verdict) },
		{ "SPIMEND_STATE", incident_state_name(row->state) }, { "SPIMEND_CAUSE", cause_name(row->cause) },
		{ "SPIMEND_SRC", spimend_address_print(&row->src, src) }, { "SPIMEND_DST", spimend_address_print(&row->dst, dst) },
		{ "SPIMEND_SPI", number },
	};
	int severity = is_well ? LOG_NOTICE : LOG_WARNING;

	if (!may_log(mind))
		return;
	snprintf(number, sizeof(number), "0x%08" PRIx32, spi);
	snprintf(line, sizeof(line), "%%SPIMEND-%d-INCIDENT: %s %s, %s: %s -> %s SPI %s at %s, cause %s", severity, row->id,
		 verdict_name(row->verdict), incident_state_name(row->state), src, dst, number, row->device[0] ? row->device : "?",
		 cause_name(row->cause));
	mind_say_line_with(mind, severity, line, fields, sizeof(fields) / sizeof(fields[0]));
}

/* --- Programs ------------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct mind *mind)
{
	const struct config_hooks *hooks = &mind->member->config->hooks;

	return hooks->web_count > 0 || hooks->program[0];
}

static void hand_on(struct mind *mind, const struct incident_row *row, const struct buffer *body)
{
	const struct config_hooks *hooks = &mind->member->config->hooks;
	struct dial_hook *hook cleanup(memory_free_pointer) = memory_new(1, sizeof(*hook));

	if (!hook || body->failed || body->len > sizeof(hook->body)) {
		mind->notify.not_handed++;
		return;
	}
	snprintf(hook->id, sizeof(hook->id), "%s-%" PRIx64, row->id, (uint64_t)mind_now(mind).wall.ns);
	text_copy(text_of(incident_state_name(row->state)), hook->state, sizeof(hook->state));
	memcpy(hook->body, body->bytes, body->len);
	hook->length = (uint32_t)body->len;
	if (hooks->web_count && channel_send(mind->notify.dial, MESSAGE_HOOK, hook) < 0)
		mind->notify.not_handed++;
	if (hooks->program[0] && channel_send(mind->hooks.program, MESSAGE_HOOK, hook) < 0)
		mind->notify.not_handed++;
}

void mind_hook_incident(struct mind *mind, const struct core_incident *incident)
{
	struct core_incident *cut cleanup(memory_free_pointer) = NULL;
	cleanup(buffer_done) struct buffer body = { 0 };
	struct live_recorder recorder;
	struct live_notify notify;
	struct live_view view = mind_view(mind, &notify, &recorder);
	struct incident_row row;

	live_row_of_own(&view, incident, &row);
	if (!is_news(mind, &row))
		return;
	say(mind, &row, incident->key.spi);
	if (!is_wanted(mind))
		return;
	live_watch_json(&view, incident, &body);
	if (body.len > DIAL_HOOK_BODY_MAX && incident->evidence_count > EVIDENCE_KEPT && (cut = memory_new(1, sizeof(*cut)))) {
		*cut = *incident;
		cut->evidence_cut = true;
		cut->evidence_count = EVIDENCE_KEPT;
		buffer_clear(&body);
		live_watch_json(&view, cut, &body);
	}
	hand_on(mind, &row, &body);
}

void mind_hook_case(struct mind *mind, const struct fleet_incident *incident)
{
	struct fleet_incident *cut cleanup(memory_free_pointer) = NULL;
	cleanup(buffer_done) struct buffer body = { 0 };
	enum mode mode = mind->member->config->mode;
	struct incident_row row;

	live_row_of_case(incident, &row);
	if (!is_news(mind, &row))
		return;
	say(mind, &row, incident->has_stale ? incident->stale.value : incident->spis[0].value);
	if (!is_wanted(mind))
		return;
	record_fleet_json(incident, mode, false, &body);
	if (body.len > DIAL_HOOK_BODY_MAX && incident->evidence_count > EVIDENCE_KEPT && (cut = memory_new(1, sizeof(*cut)))) {
		*cut = *incident;
		cut->evidence_cut += cut->evidence_count - EVIDENCE_KEPT;
		cut->evidence_count = EVIDENCE_KEPT;
		buffer_clear(&body);
		record_fleet_json(cut, mode, false, &body);
	}
	hand_on(mind, &row, &body);
}

/* --- The role hook -------------------------------------------------------------------------------------------------- */

static void from_hook(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		      const int *fds, size_t fd_count)
{
	struct mind *mind = context;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_DIAL_STATE && item->dial_state.kind == DIAL_PROGRAM)
		mind->hooks.program_state = item->dial_state;
}

static void hook_closed(void *context, struct channel *channel, const char *why)
{
	struct mind *mind = context;

	if (why) /* that a role ended, the parent says */
		log_say(&mind->member->log, LOG_ERR, "hook sent a message %s", why);
	channel_free(channel);
	mind->hooks.program = NULL;
}

int mind_take_hook(struct mind *mind, int fd)
{
	struct channel_calls calls = { .context = mind, .take = from_hook, .closed = hook_closed };

	channel_free(mind->hooks.program);
	mind->hooks.program = NULL;
	return channel_new(mind->member->loop, fd, ROLE_CORE, ROLE_HOOK, &calls, &mind->hooks.program);
}

void mind_hooks_done(struct mind *mind)
{
	channel_flush(mind->hooks.program);
	channel_free(mind->hooks.program);
	mind->hooks.program = NULL;
}
