/* SPDX-License-Identifier: MIT */
/* What the control socket, the store and the printers read. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "core/core_private.h"

const struct core_incident *core_find(const struct core *c, const char *id)
{
	char padded[INCIDENT_ID_MAX] = { 0 };
	uint32_t at;

	snprintf(padded, sizeof(padded), "%s", id);
	if (!index_find(&c->trouble_by_id, core_hash(c, padded, sizeof(padded)), &at))
		return NULL;
	return &c->troubles[at].is;
}

const struct core_incident *core_incident_at(const struct core *c, size_t index)
{
	for (uint32_t at = c->trouble_oldest; at != NONE; at = c->troubles[at].newer) {
		if (!index--)
			return &c->troubles[at].is;
	}
	return NULL;
}

static bool keep_entry(void *context, struct ledger_entry *entry)
{
	const struct core_keeper *keeper = context;

	keeper->ledger(keeper->context, entry);
	return true;
}

void core_keep_all(const struct core *c, const struct core_keeper *keeper)
{
	struct core_keeper copy = *keeper;

	ledger_each(c->ledger, keep_entry, &copy);
	for (uint32_t at = c->trouble_oldest; at != NONE; at = c->troubles[at].newer)
		copy.incident(copy.context, &c->troubles[at].is);
}

struct core_figures core_figures(const struct core *c, struct moment now)
{
	struct core_figures f = {
		.ledger = ledger_figures(c->ledger), .sensor = c->sensor, .counters = c->counters, .has_counters = c->has_counters,
		.sightings = c->sightings, .strays = c->strays, .strays_ipv6 = c->strays_ipv6,
		.strangers = c->strangers, .flows_refused = c->flows_refused,
		.incidents_dropped = c->incidents_dropped, .outputs_dropped = c->outputs_dropped, .orders = c->orders,
		.orders_failed = c->orders_failed, .over_budget = c->over_budget, .hints = c->hint_figures,
		.breaker_open = budget_breaker_open(c->budget, now.mono_ns),
	};

	for (uint32_t i = 0; i < c->trouble_table.count; i++) {
		f.incidents += c->troubles[i].used;
		f.open += trouble_is_open(&c->troubles[i]);
	}
	for (uint32_t i = 0; i < c->kernel_table.count; i++)
		f.kernel_sas += c->kernels[i].used;
	for (uint32_t i = 0; i < GATEWAY_DAEMONS_MAX; i++) {
		const struct mirror_daemon *d = &c->daemons[i];
		struct core_daemon_figures *to = &f.daemons[f.daemon_count];

		if (!d->known)
			continue;
		*to = (struct core_daemon_figures){ .state = d->state, .ike_sas = d->ike_count, .children = d->child_count,
						    .connections = d->connection_count, .snapshot_age_ns = -1,
						    .plugin = d->plugin, .reports = d->reports };
		if (d->snapshot_ns)
			to->snapshot_age_ns = now.mono_ns - d->snapshot_ns;
		if (!d->state.up)
			to->down = d->down.wall;
		f.daemon_count++;
	}
	return f;
}

/* --- Tunnels ---------------------------------------------------------------------------------------------------------- */

static uint64_t tunnel_hash(const struct core *c, uint64_t connection, const struct spimend_address *peer)
{
	struct {
		uint64_t connection;
		struct spimend_address peer;
	} key;

	memset(&key, 0, sizeof(key));
	key.connection = connection;
	key.peer = *peer;
	return core_hash(c, &key, sizeof(key));
}

static bool is_of_tunnel(const struct trouble *t)
{
	return trouble_is_open(t) && t->is.has_connection;
}

/* The newest open incident of the tunnel's connection and peer. */
static const struct trouble *search(const struct core *c, const struct child_sa *child)
{
	for (uint32_t at = c->trouble_newest; at != NONE; at = c->troubles[at].older) {
		const struct trouble *t = &c->troubles[at];

		if (is_of_tunnel(t) && t->is.connection == child->connection && spimend_address_equal(&t->is.src, &child->remote))
			return t;
	}
	return NULL;
}

void core_walk_begin(const struct core *c, struct core_walk *ret)
{
	*ret = (struct core_walk){ .core = c, .open = memory_new(1, sizeof(*ret->open)) };
	/* From the oldest, so that a newer one takes the place of an older one. */
	for (uint32_t at = c->trouble_oldest; ret->open && at != NONE; at = c->troubles[at].newer) {
		const struct trouble *t = &c->troubles[at];

		if (!is_of_tunnel(t) || index_set(ret->open, tunnel_hash(c, t->is.connection, &t->is.src), at))
			continue;
		index_done(ret->open);
		memory_free(ret->open);
		ret->open = NULL;
	}
}

void core_walk_done(struct core_walk *walk)
{
	if (walk->open)
		index_done(walk->open);
	memory_free(walk->open);
	walk->open = NULL;
}

static const struct trouble *trouble_of(const struct core_walk *walk, const struct child_sa *child)
{
	const struct core *c = walk->core;
	uint32_t at;

	if (!walk->open)
		return search(c, child);
	return index_find(walk->open, tunnel_hash(c, child->connection, &child->remote), &at) ? &c->troubles[at] : NULL;
}

bool core_walk_next(struct core_walk *walk, struct core_tunnel *ret)
{
	const struct core *c = walk->core;
	const struct kernel_sa *kernel;
	const struct child_sa *child;
	const struct trouble *t;
	struct sa_key key;
	uint32_t at;

	while (walk->at < c->child_table.count && !c->children[walk->at].used)
		walk->at++;
	if (walk->at >= c->child_table.count)
		return false;
	child = &c->children[walk->at++].sa;
	memset(ret, 0, sizeof(*ret));
	ret->child = *child;
	if (index_find(&c->ike_by_id, core_hash_id(c, child->daemon, child->ike_id), &at)) {
		ret->has_ike = true;
		ret->ike = c->ikes[at].sa;
	}
	key = sa_key_of(&child->local, child->protocol, child->spi_in);
	kernel = child->has_spi_in ? kernel_has(c, &key) : NULL;
	if (kernel) {
		ret->has_kernel = true;
		ret->bytes_limit = kernel->bytes_limit;
	}
	t = trouble_of(walk, child);
	if (t) {
		ret->has_incident = true;
		memcpy(ret->incident, t->is.id, sizeof(ret->incident));
	}
	return true;
}

bool core_has_child(const struct core *c, const struct spimend_address *peer)
{
	for (uint32_t i = 0; i < c->child_table.count; i++) {
		const struct child_sa *sa = &c->children[i].sa;

		if (c->children[i].used && spimend_address_equal(&sa->remote, peer) &&
		    (sa->state == CHILD_INSTALLED || sa->state == CHILD_REKEYING || sa->state == CHILD_REKEYED))
			return true;
	}
	return false;
}

const struct ike_sa *core_ike_next(const struct core *c, uint32_t *at)
{
	while (*at < c->ike_table.count && !c->ikes[*at].used)
		++*at;
	return *at < c->ike_table.count ? &c->ikes[(*at)++].sa : NULL;
}

const struct connection *core_connection_next(const struct core *c, uint32_t *at)
{
	while (*at < c->connection_table.count && !c->connections[*at].used)
		++*at;
	return *at < c->connection_table.count ? &c->connections[(*at)++].is : NULL;
}

const struct connection *core_connection_of(const struct core *c, uint64_t id)
{
	uint32_t at;

	return index_find(&c->connection_by_id, id, &at) ? &c->connections[at].is : NULL;
}

const struct gre_device *core_gre_at(const struct core *c, size_t index)
{
	return index < c->gre.count ? &c->gre.devices[index] : NULL;
}

void core_view(const struct core_incident *is, const struct config *config, struct core_view_room *room,
	       struct incident *ret)
{
	struct incident i = {
		.src = is->src, .dst = is->key.dst, .has_spi = true, .spi = { is->key.spi },
		.protocol = (enum spimend_protocol)is->key.protocol, .encap_udp = is->encap_udp,
		.tunnel_kind = is->tunnel_kind, .dst_owner = OWNERSHIP_OURS, .has_times = true, .first_seen = is->first_seen,
		.last_seen = is->last_seen, .messages = is->packets, .spis = is->spis, .sources = is->sources,
		.dialect = DIALECT_STRONGSWAN, .daemon = DIALECT_STRONGSWAN, .kind = FACT_STRAY, .verdict = is->verdict,
		.rule = is->rule, .cause = is->cause, .confidence = is->confidence, .flags = is->flags, .state = is->state,
		.evidence = room->evidence, .evidence_count = is->evidence_count,
	};
	size_t len = strnlen(config->hostname, sizeof(room->observer) - 1);

	memcpy(room->observer, config->hostname, len);
	room->observer[len] = '\0';
	memcpy(i.id, is->id, sizeof(i.id));
	i.observer = text_of(room->observer);
	i.interface = (struct text){ is->interface, strnlen(is->interface, sizeof(is->interface)) };
	if (is->encap_udp)
		i.flags |= FLAG_NAT_T;
	if (is->evidence_cut)
		i.flags |= FLAG_EVIDENCE_CUT;
	for (uint32_t e = 0; e < is->evidence_count; e++) {
		const struct core_evidence *from = &is->evidence[e];

		room->evidence[e] = (struct evidence){ .has_at = true, .at = from->at, .kind = from->kind, .from = TEXT("spimendd"),
						       .text = { from->text, strnlen(from->text, sizeof(from->text)) } };
		if (from->kind < FACT_KINDS)
			i.saw[from->kind] = true;
	}
	*ret = i;
}

const struct ike_sa *core_ike_of(struct core *c, uint16_t daemon, uint32_t id)
{
	const struct mirror_ike *ike = mirror_ike(c, daemon, id);

	return ike ? &ike->sa : NULL;
}
