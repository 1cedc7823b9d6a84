/* SPDX-License-Identifier: MIT */
/* What each end of a tunnel says, over all its readings, and which outputs speak of it: for audit_compare.c. */
#include "judge/audit_tunnel.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"

#define MANY_PEERS 5              /* lacking at one receiver: one common cause */

static int compare_seen(const void *left, const void *right)
{
	const struct seen *l = left, *r = right;

	if (l->inbound != r->inbound)
		return l->inbound ? -1 : 1;
	if (l->protocol != r->protocol)
		return l->protocol < r->protocol ? -1 : 1;
	if (l->spi != r->spi)
		return l->spi < r->spi ? -1 : 1;
	return l->last < r->last ? -1 : l->last > r->last;
}

const struct seen *audit_look(const struct side *s, bool inbound, uint32_t spi, uint8_t protocol)
{
	uint32_t low = 0, high = s->sa_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		const struct seen *at = &s->sas[middle];
		struct seen key = { .inbound = inbound, .spi = spi, .protocol = protocol, .last = at->last };
		int order = compare_seen(&key, at);

		if (order == 0)
			return at;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* ---- what one end says ---- */

/* Does this output speak of a peer, so that what it does not list is not there? */
static bool covers(const struct audit_output *o, const struct spimend_address *peer)
{
	bool table = o->kind == OUTPUT_IPSEC_SA || o->kind == OUTPUT_SWANCTL || o->kind == OUTPUT_SWANCTL_RAW ||
		     o->kind == OUTPUT_XFRM;

	if (!table || o->cut)
		return false;
	if (o->filter.narrow)
		return spimend_address_known(&o->filter.peer) && spimend_address_equal(&o->filter.peer, peer);
	/* Without its command, a table of one peer may be all of the table or what was asked for. */
	return o->filter.typed || o->several_peers || o->kind != OUTPUT_IPSEC_SA;
}

/* An IKE daemon and its kernel speak of the same moment: a later output replaces one of its own sort. */
int audit_sort_of(const struct compare *c, uint32_t output)
{
	enum saved_output kind = output_at(c->a, output)->kind;

	return kind == OUTPUT_XFRM ? 2 : kind == OUTPUT_IPSEC_SA ? 1 : 0;
}

/* The device was read again since, and has this SA no more. */
bool audit_is_past(const struct compare *c, const struct side *s, const struct seen *x)
{
	return x->last < s->last_of[audit_sort_of(c, x->last)];
}

static void add_cover(const struct compare *c, struct side *s, uint32_t output)
{
	uint32_t *last = &s->last_of[audit_sort_of(c, output)];

	if (output > *last)
		*last = output;
	if (s->covered && (output == s->first_cover || output == s->last_cover))
		return;
	if (!s->covered || output < s->first_cover)
		s->first_cover = output;
	if (!s->covered || output > s->last_cover)
		s->last_cover = output;
	s->covered++;
}

static void find_coverage(const struct compare *c, struct side *s, const struct spimend_address *peer)
{
	const struct audit_device *device = device_at(c->a, s->device);

	for (uint32_t i = 0; i < s->flow_count; i++)
		add_cover(c, s, flow_at(c->a, c->order[s->flows + i])->output);
	for (uint32_t i = device->first_output; i != NONE && i <= device->last_output; i++) {
		const struct audit_output *o = output_at(c->a, i);

		if (o->device == s->device && covers(o, peer))
			add_cover(c, s, i);
	}
}

static int gather(struct compare *c, struct side *s)
{
	struct sa_audit *a = c->a;
	uint32_t n = 0, kept = 0;

	s->any = s->fresh = NONE;
	for (uint32_t i = 0; i < s->flow_count; i++)
		n += flow_at(a, c->order[s->flows + i])->sa_count;
	s->sas = memory_new((size_t)n + 1, sizeof(*s->sas));
	if (!s->sas)
		return -ENOMEM;
	n = 0;
	for (uint32_t i = 0; i < s->flow_count; i++) {
		uint32_t number = c->order[s->flows + i];
		const struct audit_flow *f = flow_at(a, number);

		s->any = number;
		s->manual |= f->manual;
		s->controller |= f->controller;
		s->settling |= f->settling;
		s->encap |= f->encap_told && f->encap;
		s->encap_told |= f->encap_told;
		s->unproven |= !f->whole || f->in_unread;
		if (s->fresh == NONE || f->output >= flow_at(a, s->fresh)->output)
			s->fresh = number;
		for (uint32_t k = f->sa; k < f->sa + f->sa_count; k++)
			s->sas[n++] = (struct seen){ .spi = sa_at(a, k)->spi, .protocol = sa_at(a, k)->protocol,
						     .inbound = sa_at(a, k)->inbound, .in_use = sa_at(a, k)->in_use,
						     .settling = f->settling, .first = f->output, .last = f->output, .times = 1,
						     .flow = number };
	}
	qsort(s->sas, n, sizeof(*s->sas), compare_seen);
	for (uint32_t i = 0; i < n; i++) {
		struct seen *last = kept ? &s->sas[kept - 1] : NULL;

		if (last && last->inbound == s->sas[i].inbound && last->spi == s->sas[i].spi && last->protocol == s->sas[i].protocol) {
			last->times += s->sas[i].last != last->last;
			last->in_use = s->sas[i].in_use;
			last->settling = s->sas[i].settling;
			last->last = s->sas[i].last;
			last->flow = s->sas[i].flow;
		} else {
			s->sas[kept++] = s->sas[i];
		}
	}
	s->sa_count = kept;
	return 0;
}

static int compare_one(struct compare *c, uint32_t from, uint32_t to)
{
	const struct audit_flow *first = flow_at(c->a, c->order[from]);
	uint32_t low = first->device < first->partner ? first->device : first->partner;
	uint32_t high = first->device < first->partner ? first->partner : first->device;
	const struct spimend_address *low_local = first->device == low ? &first->local : &first->partner_local;
	const struct spimend_address *high_local = first->device == low ? &first->partner_local : &first->local;
	uint32_t split = from;
	int result;

	while (split < to && flow_at(c->a, c->order[split])->device == low)
		split++;
	c->tunnel = first->tunnel;
	c->side[0] = (struct side){ .device = low, .flows = from, .flow_count = split - from };
	c->side[1] = (struct side){ .device = high, .flows = split, .flow_count = to - split };
	result = gather(c, &c->side[0]);
	if (result == 0)
		result = gather(c, &c->side[1]);
	if (result == 0) {
		find_coverage(c, &c->side[0], high_local);
		find_coverage(c, &c->side[1], low_local);
		audit_compare_sides(c);
	}
	memory_free(c->side[0].sas);
	memory_free(c->side[1].sas);
	return result;
}

struct place {
	uint32_t tunnel, device, flow;
};

static int compare_place(const void *left, const void *right)
{
	const struct place *l = left, *r = right;

	if (l->tunnel != r->tunnel)
		return l->tunnel < r->tunnel ? -1 : 1;
	if (l->device != r->device)
		return l->device < r->device ? -1 : 1;
	return l->flow < r->flow ? -1 : 1;
}

/* The flows that have another end, by tunnel and device; counts those that have none. */
static uint32_t sort_flows(struct sa_audit *a, uint32_t *order)
{
	struct place *places = memory_new((size_t)a->flows.count + 1, sizeof(*places));
	uint32_t n = 0;

	if (!places)
		return NONE;
	for (uint32_t i = 0; i < a->flows.count; i++) {
		const struct audit_flow *f = flow_at(a, i);

		if (f->tunnel != NONE)
			places[n++] = (struct place){ f->tunnel, f->device, i };
		else if (f->manual)
			a->counts.left_alone++;
		else if (!device_at(a, f->device)->ignored)
			a->counts.other_end_absent++;
	}
	qsort(places, n, sizeof(*places), compare_place);
	for (uint32_t i = 0; i < n; i++)
		order[i] = places[i].flow;
	memory_free(places);
	return n;
}

static void mark_many(struct compare *c)
{
	for (uint32_t i = 0; i < c->a->findings.count; i++) {
		struct audit_finding *f = (struct audit_finding *)c->a->findings.at + i;

		if ((f->code != AUDIT_SA_MISSING && f->code != AUDIT_SDWAN_SA_MISSING) || !f->ends[1].device)
			continue;
		f->many = c->lacking[sa_audit_device(c->a, f->ends[1].device)] >= MANY_PEERS;
	}
}

int audit_compare_tunnels(struct sa_audit *a)
{
	struct compare c = { .a = a };
	uint32_t n, from = 0;
	int result = -ENOMEM;

	c.order = memory_new((size_t)a->flows.count + 1, sizeof(*c.order));
	c.lacking = memory_new((size_t)a->devices.count + 1, sizeof(*c.lacking));
	a->clean = memory_new((size_t)a->tunnels + 1, 1);
	if (!c.order || !c.lacking || !a->clean || (n = sort_flows(a, c.order)) == NONE)
		goto out;
	result = 0;
	while (from < n && result == 0) {
		uint32_t to = from + 1;

		while (to < n && flow_at(a, c.order[to])->tunnel == flow_at(a, c.order[from])->tunnel)
			to++;
		result = compare_one(&c, from, to);
		from = to;
	}
	mark_many(&c);
out:
	memory_free(c.order);
	memory_free(c.lacking);
	return result;
}
