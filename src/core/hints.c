/* SPDX-License-Identifier: MIT */
/* What the log of an IKE daemon tells beyond its events: why an SA went, and what became of its peer. */
#include "core/core_private.h"

#define HINT_NEAR_NS (3 * SECOND_NS)      /* a log line explains an end that follows within this */

bool mirror_hinted(const struct core *c, uint16_t daemon, enum daemon_hint_kind kind, uint32_t spi, int64_t within_ns)
{
	for (uint32_t i = 0; i < CORE_RECENT_MAX; i++) {
		const struct recent_hint *recent = &c->hints[i];

		if (recent->hint.kind == kind && recent->hint.daemon == daemon && recent->hint.has_spi && recent->hint.spi == spi
		    && c->now.mono_ns - recent->at_ns <= within_ns)
			return true;
	}
	return false;
}

/* Why an SA went: the daemon's event does not tell, its log does (strongswan.md 3). */
static const struct {
	enum daemon_hint_kind hint;
	enum ledger_death death;
} reasons[] = {
	{ HINT_EXPIRED_VOLUME, DEATH_EXPIRED_VOLUME },
	{ HINT_EXPIRED, DEATH_EXPIRED_TIME },
	{ HINT_DELETE_RECEIVED, DEATH_DELETED_BY_PEER },
};
#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

enum ledger_death mirror_death_of(const struct core *c, const struct child_sa *sa)
{
	for (size_t i = 0; i < REASONS; i++) {
		if (mirror_hinted(c, sa->daemon, reasons[i].hint, sa->spi_in, HINT_NEAR_NS)
		    || (sa->has_spi_out && mirror_hinted(c, sa->daemon, reasons[i].hint, sa->spi_out, HINT_NEAR_NS)))
			return reasons[i].death;
	}
	return DEATH_DELETED_BY_US;
}

/* The daemon's log comes some milliseconds after the event that it explains. */
static void explain_end(struct core *c, const struct daemon_hint *hint)
{
	enum ledger_death death = DEATH_NONE;

	for (size_t i = 0; i < REASONS; i++)
		death = reasons[i].hint == hint->kind ? reasons[i].death : death;
	if (death == DEATH_NONE || !hint->has_spi)
		return;
	for (uint32_t i = 0; i < CORE_RECENT_MAX; i++) {
		const struct recent_end *end = &c->ends[i];
		struct ledger_entry *entry;

		if (!end->at_ns || end->daemon != hint->daemon || c->now.mono_ns - end->at_ns > SECOND_NS
		    || (end->key.spi != hint->spi && end->spi_out != hint->spi))
			continue;
		entry = ledger_find(c->ledger, &end->key);
		if (entry && entry->state == LEDGER_DEAD && entry->death == DEATH_DELETED_BY_US) {
			entry->death = death;
			mirror_keep(c, entry);
		}
	}
}

void core_hint(struct core *c, const struct daemon_hint *hint, struct moment now)
{
	const struct mirror_ike *ike;
	struct peer *peer;

	c->now = now;
	if (hint->daemon >= GATEWAY_DAEMONS_MAX)
		return;
	/* A list is what makes the daemon say that its kernel has an SA no more: once, or each list would ask for the next. */
	if (hint->kind == HINT_KERNEL_LOST && (!hint->has_spi || mirror_hinted(c, hint->daemon, hint->kind, hint->spi, MINUTE_NS)))
		return;
	c->hints[c->hint_at++ % CORE_RECENT_MAX] = (struct recent_hint){ .hint = *hint, .at_ns = now.mono_ns };
	explain_end(c, hint);
	/* Of that peer alone: on a gateway with many there is always one that died. */
	ike = hint->has_ike ? mirror_ike(c, hint->daemon, hint->ike_id) : NULL;
	peer = ike ? mirror_peer(c, &ike->sa.remote) : NULL;
	if (peer && hint->kind == HINT_COLLISION)
		peer->collision_ns = now.mono_ns;
	if (peer && hint->kind == HINT_PEER_DEAD)
		peer->dead_ns = now.mono_ns;
	if (hint->kind == HINT_KERNEL_LOST)
		mirror_want(c, hint->daemon);
}
