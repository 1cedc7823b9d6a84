/* SPDX-License-Identifier: MIT */
/* What the control socket, the store and the printers read. */
#include <string.h>

#include "fleet/fleet_private.h"

const char *fleet_step_state_name(enum fleet_step_state state)
{
	static const char *const names[FLEET_STEP_STATES] = { "offered", "approved", "denied", "expired", "void", "ordered", "done",
							      "refused", "not-done", "counted" };

	return (unsigned)state < FLEET_STEP_STATES ? names[state] : "?";
}

const struct fleet_incident *fleet_find(const struct fleet *f, const char *id)
{
	for (uint32_t n = f->oldest; n; n = f->cases[n - 1]->newer)
		if (strncmp(f->cases[n - 1]->is.id, id, INCIDENT_ID_MAX) == 0)
			return &f->cases[n - 1]->is;
	return NULL;
}

const struct fleet_incident *fleet_at(const struct fleet *f, size_t index)
{
	for (uint32_t n = f->oldest; n; n = f->cases[n - 1]->newer)
		if (!index--)
			return &f->cases[n - 1]->is;
	return NULL;
}

struct fleet_figures fleet_figures(const struct fleet *f)
{
	struct fleet_figures figures = f->figures;

	figures.under_way = f->under_way;
	figures.strangers = f->strangers;
	for (uint32_t n = f->oldest; n; n = f->cases[n - 1]->newer) {
		figures.open += case_is_open(f->cases[n - 1]);
		figures.awaiting += f->cases[n - 1]->phase == PHASE_AWAITING;
	}
	for (uint32_t i = 0; i < f->config->devices.count; i++) {
		figures.locked_devices += f->devices[i].lock != 0;
		figures.with_site += f->devices[i].has_site;
	}
	return figures;
}

static bool saw_sa_table(const struct fleet_incident *is, bool other_end)
{
	for (uint32_t i = 0; i < is->evidence_count; i++)
		if (is->evidence[i].kind == FACT_SA_TABLE && is->evidence[i].other_end == other_end)
			return true;
	return false;
}

void fleet_view(const struct fleet_incident *is, struct fleet_view_room *room, struct incident *ret)
{
	struct incident view = {
		.observer = text_of(is->receiver), .src = is->src, .dst = is->dst, .has_spi = is->has_stale || is->spi_count,
		.spi = is->has_stale ? is->stale : is->spis[0], .protocol = (enum spimend_protocol)is->protocol,
		/* The name of a tunnel whose kind is known is not asked for it again. */
		.interface = is->has_ike ? TEXT_NONE : text_of(is->interface), .tunnel_kind = is->tunnel_kind,
		.src_owner = is->sender[0] ? OWNERSHIP_OURS : OWNERSHIP_UNKNOWN, .dst_owner = OWNERSHIP_OURS, .has_times = true,
		.first_seen = is->first_seen, .last_seen = is->last_seen, .messages = is->messages,
		.spis = is->spi_count ? is->spi_count : 1, .sources = is->sources ? is->sources : 1, .dialect = DIALECT_IOS,
		.kind = FACT_STRAY, .verdict = is->verdict, .rule = is->rule, .cause = is->cause, .confidence = is->confidence,
		.flags = is->flags, .state = is->state, .evidence = room->evidence, .evidence_count = is->evidence_count,
	};

	memcpy(view.id, is->id, sizeof(view.id));
	view.confirmed_at_sender = is->has_stale && saw_sa_table(is, true);
	view.confirmed_at_receiver = is->has_stale && saw_sa_table(is, false);
	for (uint32_t i = 0; i < is->evidence_count; i++) {
		const struct fleet_evidence *e = &is->evidence[i];

		room->evidence[i] = (struct evidence){ .has_at = true, .at = e->at, .kind = e->kind, .from = text_of(e->from),
						       .text = text_of(e->text), .other_end = e->other_end };
		view.saw[e->kind] = true;
	}
	*ret = view;
}
