/* SPDX-License-Identifier: MIT */
/*
 * What the receiver itself remembers of the SPI, what its data plane counted, and how OMP fares (devices.md 1, 2, 5).
 * Asked once for a pair of ends, behind the readings that prove or do not prove, in a round that found a desync or no
 * answer. Lines of evidence, and a sharper cause; never a precondition: whoever has no such command, does not answer or
 * prints something else costs a note. Absence proves nothing: a trace may be off, and each memory forgets (devices.md 3).
 */
#include <inttypes.h>

#include "fleet/fleet_private.h"

/* Is it worth asking? Not where all is well, nor for strangers, whose hints are free to make. */
bool memory_is_wanted(const struct fleet *f, const struct case_file *c)
{
	struct finding found;

	if (c->memory.is_over || (c->purpose != LOOK_FIRST && c->purpose != LOOK_RECHECK))
		return false;
	if (!c->now.r1.read || !c->now.r2.read)
		return false;
	found = round_prove(f, c, &c->now);
	return found.proof != PROOF_AGREE && found.proof != PROOF_QUIET && found.proof != PROOF_STRANGER &&
	       found.proof != PROOF_MOVING && found.proof != PROOF_OTHER_KEYS;
}

void memory_begin(const struct fleet *f, struct case_file *c)
{
	struct finding found;

	if (c->memory.is_begun)
		return;
	found = round_prove(f, c, &c->now);
	c->memory.is_begun = true;
	c->memory.has_spi = found.stale.value || c->is.spi_count;
	c->memory.spi = found.stale.value ? found.stale : c->is.spis[0];
}

/* A new round, or another pair of ends. */
void memory_close_round(struct case_file *c)
{
	c->memory.is_over |= c->memory.is_begun;
}

void memory_forget(struct case_file *c)
{
	bool is_over = c->is.is_burst && c->memory.is_begun; /* one pair of the sample tells enough */

	c->memory = (struct memory){ .is_over = is_over };
}

void memory_row(struct case_file *c, const struct device_row *row)
{
	struct memory *m = &c->memory;
	bool is_it = m->has_spi && row->spi.value == m->spi.value;

	switch (row->kind) {
	case ROW_TRACE:
		is_it = is_it && spimend_address_equal(&row->local, &c->is.dst);
		m->created |= is_it && row->up;
		m->deleted |= is_it && !row->up;
		break;
	case ROW_SPI:
		is_it = is_it && (!row->local.family || spimend_address_equal(&row->local, &c->is.dst));
		m->active |= is_it && row->up;
		m->transient |= is_it && !row->up;
		break;
	case ROW_DROP_NO_SA:
		m->latest.no_sa += row->count;
		break;
	case ROW_DROP_REPLAY:
		m->latest.replay += row->count;
		break;
	case ROW_OMP_PEER:
		m->latest.omp_all++;
		m->latest.omp_up += row->up;
		break;
	default:
		break;
	}
}

/* Rows of an output that is none. */
void memory_drop_rows(struct case_file *c)
{
	struct memory *m = &c->memory;

	if (c->pending.verb == DEVICE_SHOW_TRACE)
		m->created = m->deleted = false;
	if (c->pending.verb == DEVICE_SHOW_SPI_LOOKUP)
		m->active = m->transient = false;
	m->latest = (struct memory_counts){ 0 };
}

static void say_drops(struct fleet *f, struct case_file *c, uint32_t device)
{
	struct memory *m = &c->memory;
	const struct memory_counts *now = &m->latest, *then = &m->drops;
	int64_t seconds = (f->now.mono_ns - m->drops_ns) / SECOND_NS;

	if (!m->drops_read)
		case_evidence(f, c, FACT_NONE, device, "drop counters: %" PRIu64 " packets because there is no such SA, %" PRIu64 " by the "
			      "replay window, since they were cleared", now->no_sa, now->replay);
	else if (now->no_sa < then->no_sa || now->replay < then->replay)
		case_evidence(f, c, FACT_NONE, device, "drop counters: they were cleared meanwhile");
	else
		case_evidence(f, c, FACT_NONE, device, "drop counters: within %" PRId64 " s %" PRIu64 " more packets because there is no such "
			      "SA, %" PRIu64 " more by the replay window", seconds, now->no_sa - then->no_sa, now->replay - then->replay);
	m->drops_again = m->drops_read;
	m->drops_read = true;
	m->drops = *now;
	m->drops_ns = f->now.mono_ns;
}

void memory_say(struct fleet *f, struct case_file *c)
{
	struct memory *m = &c->memory;
	uint32_t device = c->pending.device;

	switch (c->pending.verb) {
	case DEVICE_SHOW_TRACE:
		case_evidence(f, c, FACT_NONE, device, "show monitor event-trace crypto ipsec: 0x%08x %s", m->spi.value,
			      m->deleted ? "was an inbound SA, and was deleted" :
			      m->created ? "was made as an inbound SA, and no deletion of it is in the trace" :
					   "is not in it, which proves nothing: a trace may be off, and forgets");
		break;
	case DEVICE_SHOW_SPI_LOOKUP:
		case_evidence(f, c, FACT_NONE, device, "show crypto ipsec spi-lookup: 0x%08x %s", m->spi.value,
			      m->active ? "is in the table of active ones, though no SA of it is listed" :
			      m->transient ? "is one that it knows" : "is not in it");
		break;
	case DEVICE_SHOW_DROPS:
		say_drops(f, c, device);
		break;
	default:
		m->omp_down |= m->latest.omp_all && !m->latest.omp_up;
		case_evidence(f, c, FACT_NONE, device, "show sdwan omp peers: %u of %u are up", m->latest.omp_up, m->latest.omp_all);
		break;
	}
	m->latest = (struct memory_counts){ 0 };
}

void memory_sharpen(const struct case_file *c, struct finding *found)
{
	const struct memory *m = &c->memory;
	bool known = m->created || m->deleted || m->active || m->transient;

	if (found->proof != PROOF_DESYNC || !m->is_begun)
		return;
	if (found->keys == KEYS_CONTROLLER) {
		if (m->omp_down && found->cause == CAUSE_CONTROLLER_KEY_LAG) /* no key gets there, or goes out */
			found->confidence = CONFIDENCE_CERTAIN;
		return;
	}
	if (!known || found->stale.value != m->spi.value)
		return;
	/* It knows the SPI in this life, so that it did not lose it in a restart. */
	if (!c->now.r2.in_count) {
		found->cause = CAUSE_CHILD_MISSING;
		found->confidence = m->deleted ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
	} else {
		found->cause = CAUSE_DELETE_LOST; /* a child that gets nothing beside it is a collision's mark (T2) */
		found->confidence = m->deleted && c->now.r2.decaps ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
	}
}
