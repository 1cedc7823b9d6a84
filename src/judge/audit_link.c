/* SPDX-License-Identifier: MIT */
/*
 * Which flows of which devices are the two ends of one tunnel: by SPI, since R chose it and S uses it; by the mirrored
 * pair of addresses; behind NAT, where the addresses do not mirror, by what the flow protects.
 */
#include "judge/audit_private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"

#define NEIGHBOURS 4 /* how far apart the two states of a pair may be listed */

/* ---- the kernel's states: which end are we? ---- */

struct tally { /* how often an address stands in a device's states */
	uint32_t device;
	struct spimend_address address;
	uint32_t times;
};

static int compare_tally(const void *left, const void *right)
{
	const struct tally *l = left, *r = right;

	if (l->device != r->device)
		return l->device < r->device ? -1 : 1;
	return spimend_address_compare(&l->address, &r->address);
}

/* The addresses of each device's states, sorted, each once with how often it occurs. */
static struct tally *count_addresses(const struct sa_audit *a, uint32_t *ret_count)
{
	const struct kept_state *states = a->states.at;
	struct tally *all = memory_new((size_t)a->states.count * 2 + 1, sizeof(*all));
	uint32_t n = 0;

	if (!all)
		return NULL;
	for (uint32_t i = 0; i < a->states.count; i++) {
		all[2 * i] = (struct tally){ states[i].device, states[i].is.src, 1 };
		all[2 * i + 1] = (struct tally){ states[i].device, states[i].is.dst, 1 };
	}
	qsort(all, (size_t)a->states.count * 2, sizeof(*all), compare_tally);
	for (uint32_t i = 0; i < a->states.count * 2; i++) {
		if (n && compare_tally(&all[n - 1], &all[i]) == 0)
			all[n - 1].times++;
		else
			all[n++] = all[i];
	}
	*ret_count = n;
	return all;
}

static uint32_t times_of(const struct tally *all, uint32_t n, uint32_t device, const struct spimend_address *address)
{
	struct tally key = { device, *address, 0 };
	const struct tally *found = n ? bsearch(&key, all, n, sizeof(*all), compare_tally) : NULL;

	return found ? found->times : 0;
}

struct known { /* an address that a device calls its own in another output */
	uint32_t device;
	struct spimend_address address;
};

static int compare_known(const void *left, const void *right)
{
	const struct known *l = left, *r = right;

	if (l->device != r->device)
		return l->device < r->device ? -1 : 1;
	return spimend_address_compare(&l->address, &r->address);
}

static struct known *list_known(const struct sa_audit *a, uint32_t *ret_count)
{
	const struct audit_ike *ikes = a->ikes.at;
	struct known *all = memory_new((size_t)a->flows.count + a->ikes.count + 1, sizeof(*all));
	uint32_t n = 0;

	if (!all)
		return NULL;
	for (uint32_t i = 0; i < a->flows.count; i++)
		all[n++] = (struct known){ flow_at(a, i)->device, flow_at(a, i)->local };
	for (uint32_t i = 0; i < a->ikes.count; i++)
		if (!ikes[i].is.undirected)
			all[n++] = (struct known){ ikes[i].device, ikes[i].is.local };
	qsort(all, n, sizeof(*all), compare_known);
	*ret_count = n;
	return all;
}

static bool is_known(const struct known *all, uint32_t n, uint32_t device, const struct spimend_address *address)
{
	struct known key = { device, *address };

	return n && bsearch(&key, all, n, sizeof(*all), compare_known);
}

/* 1: dst is ours, an inbound SA; -1: src is; 0: cannot be told. */
static int direction(const struct kept_state *k, const struct known *known, uint32_t known_count,
		     const struct tally *tallies, uint32_t tally_count)
{
	bool src = is_known(known, known_count, k->device, &k->is.src), dst = is_known(known, known_count, k->device, &k->is.dst);
	uint32_t src_times, dst_times;

	if (src != dst)
		return dst ? 1 : -1;
	if (k->is.in_hint != k->is.out_hint)
		return k->is.in_hint ? 1 : -1;
	/* A gateway's own address stands in each of its states, a peer's only in that peer's. */
	src_times = times_of(tallies, tally_count, k->device, &k->is.src);
	dst_times = times_of(tallies, tally_count, k->device, &k->is.dst);
	return src_times == dst_times ? 0 : dst_times > src_times ? 1 : -1;
}

/* Of a pair without traffic: strongSwan gives the outbound state no replay window. Where one alone has a window it is the
 * inbound one. The two stand beside each other. */
static int direction_of_pair(const struct kept_state *states, uint32_t count, uint32_t at)
{
	const struct kept_state *k = &states[at];
	uint32_t from = at < NEIGHBOURS ? 0 : at - NEIGHBOURS, to = count - at <= NEIGHBOURS ? count : at + NEIGHBOURS + 1;

	for (uint32_t i = from; i < to; i++)
		if (states[i].device == k->device && states[i].is.reqid == k->is.reqid &&
		    spimend_address_equal(&states[i].is.src, &k->is.dst) && spimend_address_equal(&states[i].is.dst, &k->is.src) &&
		    (states[i].is.replay_window > 0) != (k->is.replay_window > 0))
			return k->is.replay_window > 0 ? 1 : -1;
	return 0;
}

static int add_state(struct sa_audit *a, const struct kept_state *k, bool inbound)
{
	struct audit_flow *f = array_add(&a->flows, sizeof(*f));
	struct audit_sa *sa = array_add(&a->sas, sizeof(*sa));

	if (!f || !sa)
		return -ENOMEM;
	*f = (struct audit_flow){
		.device = k->device, .output = k->output, .line = k->line, .sa = a->sas.count - 1, .sa_count = 1,
		.local = inbound ? k->is.dst : k->is.src, .peer = inbound ? k->is.src : k->is.dst, .partner = NONE, .tunnel = NONE,
		.outbound_line = k->line, .inbound_line = k->line, .source = SOURCE_XFRM, .encap = k->is.encap_udp, .encap_told = true,
		.whole = true,
	};
	*sa = (struct audit_sa){ .spi = k->is.spi.value, .flow = a->flows.count - 1, .protocol = k->is.protocol, .inbound = inbound,
				 .in_use = true };
	a->counts.flows++;
	a->counts.sas++;
	return 0;
}

int audit_direct_states(struct sa_audit *a)
{
	const struct kept_state *states = a->states.at;
	uint32_t tally_count = 0, known_count = 0;
	struct tally *tallies = NULL;
	struct known *known = NULL;
	int result = 0, way;

	if (a->states.count == 0)
		return 0;
	tallies = count_addresses(a, &tally_count);
	known = list_known(a, &known_count);
	if (!tallies || !known)
		result = -ENOMEM;
	for (uint32_t i = 0; i < a->states.count && result == 0; i++) {
		way = direction(&states[i], known, known_count, tallies, tally_count);
		if (way == 0)
			way = direction_of_pair(states, a->states.count, i);
		/* An address that only this device has in common with another one's tables would be a guess: it is counted. */
		if (way == 0)
			a->counts.undirected++;
		else
			result = add_state(a, &states[i], way > 0);
	}
	memory_free(tallies);
	memory_free(known);
	return result;
}

/* ---- indexes ---- */

/* Counters of a controller, and keys that a person typed, recur everywhere: no SPI links them. */
static bool has_own_spis(const struct audit_flow *f)
{
	return !f->manual && !f->controller;
}

uint32_t audit_hash_spi(const struct sa_audit *a, uint32_t spi, uint8_t protocol)
{
	uint32_t parts[2] = { spi, protocol };

	return audit_hash(a, parts, sizeof(parts));
}

uint32_t audit_hash_address(const struct sa_audit *a, const struct spimend_address *address)
{
	return audit_hash(a, address, sizeof(*address));
}

uint32_t audit_hash_pair(const struct sa_audit *a, const struct spimend_address *local, const struct spimend_address *peer)
{
	struct spimend_address parts[2] = { *local, *peer };

	return audit_hash(a, parts, sizeof(parts));
}

static int add_owner(struct sa_audit *a, uint32_t device, const struct spimend_address *address)
{
	uint32_t hash, cursor, at;
	struct owner *owner;

	if (!spimend_address_known(address))
		return 0;
	hash = cursor = audit_hash_address(a, address);
	while ((at = slots_look(&a->locals, hash, &cursor))) {
		owner = (struct owner *)a->owners.at + (at - 1);
		if (owner->device == device && spimend_address_equal(&owner->address, address))
			return 0;
	}
	owner = array_add(&a->owners, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	*owner = (struct owner){ *address, device };
	slots_add(&a->locals, hash, a->owners.count);
	return 0;
}

uint32_t audit_owner(const struct sa_audit *a, const struct spimend_address *address, uint32_t but)
{
	uint32_t hash = audit_hash_address(a, address), cursor = hash, at, found = NONE;

	while ((at = slots_look(&a->locals, hash, &cursor))) {
		const struct owner *owner = (const struct owner *)a->owners.at + (at - 1);

		if (owner->device == but || device_at(a, owner->device)->ignored || !spimend_address_equal(&owner->address, address))
			continue;
		if (found != NONE)
			return NONE; /* private addresses are used again behind other NATs */
		found = owner->device;
	}
	return found;
}

/* Two devices that list the same inbound SA at the same address are one, or a pair in failover. */
static int note_same(struct sa_audit *a, uint32_t first, uint32_t second)
{
	struct same_pair *pair;

	if (device_at(a, second)->ignored || device_at(a, first)->ignored)
		return 0;
	pair = array_add(&a->same, sizeof(*pair));
	if (!pair)
		return -ENOMEM;
	*pair = (struct same_pair){ first, second };
	device_at(a, second)->ignored = true;
	return 0;
}

static int index_sa(struct sa_audit *a, uint32_t number)
{
	const struct audit_sa *sa = sa_at(a, number);
	const struct audit_flow *f = flow_at(a, sa->flow);
	struct slots *slots = sa->inbound ? &a->inbound : &a->outbound;
	uint32_t hash = audit_hash_spi(a, sa->spi, sa->protocol), cursor = hash, at;

	if (!has_own_spis(f))
		return 0;
	if (sa->inbound)
		while ((at = slots_look(slots, hash, &cursor))) {
			const struct audit_sa *other = sa_at(a, at - 1);
			const struct audit_flow *g = flow_at(a, other->flow);

			if (other->spi == sa->spi && other->protocol == sa->protocol && g->device != f->device &&
			    spimend_address_known(&f->local) && spimend_address_equal(&g->local, &f->local) &&
			    spimend_address_equal(&g->peer, &f->peer) && note_same(a, g->device, f->device) < 0)
				return -ENOMEM;
		}
	audit_index_add(slots, hash, number + 1);
	return 0;
}

struct ident_key {
	uint32_t device;
	struct spimend_address first, second;
	uint8_t first_prefix, second_prefix, zero;
};

static uint32_t hash_idents(const struct sa_audit *a, uint32_t device, const struct sa_ident *first,
			    const struct sa_ident *second)
{
	struct ident_key key;

	memset(&key, 0, sizeof(key));
	key.device = device;
	key.first = first->address;
	key.second = second->address;
	key.first_prefix = first->prefix;
	key.second_prefix = second->prefix;
	return audit_hash(a, &key, sizeof(key));
}

static bool same_ident(const struct sa_ident *a, const struct sa_ident *b)
{
	return a->known && b->known && a->prefix == b->prefix && spimend_address_equal(&a->address, &b->address);
}

int audit_index(struct sa_audit *a)
{
	const struct audit_ike *ikes = a->ikes.at;
	uint32_t flows = a->flows.count, sas = a->sas.count;

	if (slots_init(&a->inbound, sas + 1) < 0 || slots_init(&a->outbound, sas + 1) < 0 ||
	    slots_init(&a->locals, flows + a->ikes.count + a->devices.count + 1) < 0 || slots_init(&a->pairs, flows + 1) < 0 ||
	    slots_init(&a->idents, flows + 1) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < flows; i++) {
		const struct audit_flow *f = flow_at(a, i);

		if (add_owner(a, f->device, &f->local) < 0)
			return -ENOMEM;
		audit_index_add(&a->pairs, audit_hash_pair(a, &f->local, &f->peer), i + 1);
		if (f->encap && f->local_ident.known && f->remote_ident.known)
			audit_index_add(&a->idents, hash_idents(a, f->device, &f->local_ident, &f->remote_ident), i + 1);
	}
	/* A device that lost all it had lists no address of its own any more: its name may be one. */
	for (uint32_t i = 0; i < a->devices.count; i++) {
		const char *name = device_at(a, i)->name;
		struct spimend_address own;

		if (spimend_address_parse(name, strlen(name), &own) == 0 && add_owner(a, i, &own) < 0)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < a->ikes.count; i++)
		if (!ikes[i].is.undirected && add_owner(a, ikes[i].device, &ikes[i].is.local) < 0)
			return -ENOMEM;
	for (uint32_t i = 0; i < sas; i++)
		if (index_sa(a, i) < 0)
			return -ENOMEM;
	return 0;
}

/* ---- links ---- */

static void link_to(struct audit_flow *f, const struct audit_flow *g)
{
	f->partner = g->device;
	f->partner_local = g->local;
}

/* A number of 32 bits meets by chance in a large fleet: one of the addresses must fit, or both ends be in UDP and
 * protect the same. */
static bool is_plausible(const struct audit_flow *f, const struct audit_flow *g)
{
	if (spimend_address_equal(&g->local, &f->peer) || spimend_address_equal(&g->peer, &f->local))
		return true;
	return f->encap && g->encap && same_ident(&f->local_ident, &g->remote_ident) &&
	       same_ident(&f->remote_ident, &g->local_ident);
}

static bool link_by_spi(struct sa_audit *a, uint32_t number)
{
	struct audit_flow *f = flow_at(a, number);

	if (!has_own_spis(f))
		return false;
	for (uint32_t i = f->sa; i < f->sa + f->sa_count; i++) {
		const struct audit_sa *sa = sa_at(a, i);
		const struct slots *slots = sa->inbound ? &a->outbound : &a->inbound;
		uint32_t hash = audit_hash_spi(a, sa->spi, sa->protocol), cursor = hash, at;

		while ((at = slots_look(slots, hash, &cursor))) {
			const struct audit_sa *other = sa_at(a, at - 1);
			const struct audit_flow *g = flow_at(a, other->flow);

			if (other->spi != sa->spi || other->protocol != sa->protocol || g->device == f->device ||
			    device_at(a, g->device)->ignored || !is_plausible(f, g))
				continue;
			link_to(f, g);
			f->linked_by_spi = true;
			return true;
		}
	}
	return false;
}

static bool link_by_pair(struct sa_audit *a, struct audit_flow *f)
{
	uint32_t hash = audit_hash_pair(a, &f->peer, &f->local), cursor = hash, at, found = NONE;

	if (!spimend_address_known(&f->local) || !spimend_address_known(&f->peer))
		return false;
	while ((at = slots_look(&a->pairs, hash, &cursor))) {
		const struct audit_flow *g = flow_at(a, at - 1);

		if (g->device == f->device || device_at(a, g->device)->ignored || !spimend_address_equal(&g->local, &f->peer) ||
		    !spimend_address_equal(&g->peer, &f->local))
			continue;
		if (found != NONE && flow_at(a, found)->device != g->device)
			return false;
		found = at - 1;
	}
	if (found == NONE)
		return false;
	link_to(f, flow_at(a, found));
	return true;
}

/* Behind NAT the other end sees another address; what the flow protects is the same, mirrored. */
static bool link_by_idents(struct sa_audit *a, struct audit_flow *f, uint32_t owner)
{
	uint32_t hash = hash_idents(a, owner, &f->remote_ident, &f->local_ident), cursor = hash, at, found = NONE;

	if (!f->local_ident.known || !f->remote_ident.known)
		return false;
	while ((at = slots_look(&a->idents, hash, &cursor))) {
		const struct audit_flow *g = flow_at(a, at - 1);

		if (g->device != owner || g->linked_by_spi || !same_ident(&g->local_ident, &f->remote_ident) ||
		    !same_ident(&g->remote_ident, &f->local_ident))
			continue;
		if (found != NONE && !spimend_address_equal(&flow_at(a, found)->peer, &g->peer))
			return false; /* several clients have the same networks */
		found = at - 1;
	}
	if (found == NONE)
		return false;
	link_to(f, flow_at(a, found));
	/* The other way round too: there, nothing tells whose private address that is. */
	link_to(flow_at(a, found), f);
	return true;
}

static void link_flow(struct sa_audit *a, uint32_t number)
{
	struct audit_flow *f = flow_at(a, number);
	uint32_t owner;

	if (f->partner != NONE || link_by_pair(a, f))
		return;
	owner = audit_owner(a, &f->peer, f->device);
	if (owner == NONE)
		return;
	if (f->encap && link_by_idents(a, f, owner))
		return;
	f->partner = owner;
	f->partner_local = f->peer;
}

/* ---- tunnels ---- */

struct ordered {
	uint32_t first, second, flow;
	struct spimend_address first_local, second_local;
};

static int compare_tunnel(const struct ordered *l, const struct ordered *r)
{
	int order;

	if (l->first != r->first)
		return l->first < r->first ? -1 : 1;
	if (l->second != r->second)
		return l->second < r->second ? -1 : 1;
	order = spimend_address_compare(&l->first_local, &r->first_local);
	return order ? order : spimend_address_compare(&l->second_local, &r->second_local);
}

static int compare_ordered(const void *left, const void *right)
{
	const struct ordered *l = left, *r = right;
	int order = compare_tunnel(l, r);

	return order ? order : l->flow < r->flow ? -1 : 1;
}

static struct ordered order_of(const struct audit_flow *f, uint32_t number)
{
	if (f->device < f->partner)
		return (struct ordered){ f->device, f->partner, number, f->local, f->partner_local };
	return (struct ordered){ f->partner, f->device, number, f->partner_local, f->local };
}

static int number_tunnels(struct sa_audit *a)
{
	struct ordered *all = memory_new((size_t)a->flows.count + 1, sizeof(*all));
	uint32_t n = 0;

	if (!all)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->flows.count; i++)
		if (flow_at(a, i)->partner != NONE)
			all[n++] = order_of(flow_at(a, i), i);
	qsort(all, n, sizeof(*all), compare_ordered);
	for (uint32_t i = 0; i < n; i++) {
		if (i && compare_tunnel(&all[i - 1], &all[i]) != 0)
			a->tunnels++;
		flow_at(a, all[i].flow)->tunnel = a->tunnels;
	}
	a->tunnels += n > 0;
	memory_free(all);
	return 0;
}

int audit_link(struct sa_audit *a)
{
	for (uint32_t i = 0; i < a->flows.count; i++)
		if (!device_at(a, flow_at(a, i)->device)->ignored)
			link_by_spi(a, i);
	for (uint32_t i = 0; i < a->flows.count; i++)
		if (!device_at(a, flow_at(a, i)->device)->ignored)
			link_flow(a, i);
	for (uint32_t i = 0; i < a->flows.count; i++)
		if (flow_at(a, i)->partner == NONE && flow_at(a, i)->encap)
			device_at(a, flow_at(a, i)->device)->behind_nat++;
	return number_tunnels(a);
}
