/* SPDX-License-Identifier: MIT */
/* The two ends of one tunnel, held against each other: what S sends with, R must have. */
#include "judge/audit_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

#define LIFETIME_DIFFERENCE_S 900 /* readings of one collection are minutes apart */
#define SPIS_TOLD 8               /* findings of one kind per tunnel and direction */
#define MANY_PEERS 5              /* lacking at one receiver: one common cause */

struct seen { /* one SA of one end, over all readings */
	uint32_t spi;
	uint8_t protocol;
	bool inbound, in_use;      /* in use: in the last reading that has it */
	bool settling;
	uint32_t first, last, times; /* outputs */
	uint32_t flow;             /* of the last one */
};

struct side {
	uint32_t device;
	uint32_t flows, flow_count; /* in order[] */
	struct seen *sas;           /* owns */
	uint32_t sa_count;
	uint32_t covered, first_cover, last_cover; /* outputs that speak of this tunnel */
	uint32_t last_of[3];        /* the last one of each sort */
	bool unproven;              /* something could not be read: absence proves nothing */
	bool manual, controller, encap, encap_told, settling;
	uint32_t any;               /* one of its flows; NONE: it has none */
	uint32_t fresh;             /* one of its last reading */
};

struct compare {
	struct sa_audit *a;
	uint32_t *order;    /* owns: numbers of flows by tunnel, then by device */
	uint32_t *lacking;  /* owns: by device: how many tunnels' SAs it lacks */
	struct side side[2];
	uint32_t tunnel;
	bool found;
};

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

static const struct seen *look(const struct side *s, bool inbound, uint32_t spi, uint8_t protocol)
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
static int sort_of(const struct compare *c, uint32_t output)
{
	enum saved_output kind = output_at(c->a, output)->kind;

	return kind == OUTPUT_XFRM ? 2 : kind == OUTPUT_IPSEC_SA ? 1 : 0;
}

/* The device was read again since, and has this SA no more. */
static bool is_past(const struct compare *c, const struct side *s, const struct seen *x)
{
	return x->last < s->last_of[sort_of(c, x->last)];
}

static void add_cover(const struct compare *c, struct side *s, uint32_t output)
{
	uint32_t *last = &s->last_of[sort_of(c, output)];

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

/* ---- findings ---- */

static const struct audit_flow *fresh_of(const struct compare *c, const struct side *s)
{
	return s->fresh == NONE ? NULL : flow_at(c->a, s->fresh);
}

static struct audit_finding *find(struct compare *c, enum audit_code code, enum confidence confidence, const struct side *s,
				  const struct side *r, bool directed)
{
	struct audit_finding *f = audit_find(c->a, code, confidence);

	c->found = true;
	if (!f)
		return NULL;
	audit_set_end(c->a, f, 0, s->device, directed ? AUDIT_SENDER : AUDIT_BOTH, fresh_of(c, s));
	audit_set_end(c->a, f, 1, r->device, directed ? AUDIT_RECEIVER : AUDIT_BOTH, fresh_of(c, r));
	if (!spimend_address_known(&f->ends[1].address) && s->any != NONE)
		f->ends[1].address = flow_at(c->a, s->any)->peer;
	if (!spimend_address_known(&f->ends[0].address) && r->any != NONE)
		f->ends[0].address = flow_at(c->a, r->any)->peer;
	/* Behind NAT the address that the other end has to name is the one that it sees. */
	if (directed && r->any != NONE && flow_at(c->a, r->any)->encap && !s->controller)
		f->ends[0].address = flow_at(c->a, r->any)->peer;
	if (directed && s->any != NONE && flow_at(c->a, s->any)->encap && !s->controller)
		f->ends[1].address = flow_at(c->a, s->any)->peer;
	f->encap_udp = s->encap || r->encap;
	f->tunnel = c->tunnel;
	if (s->controller || r->controller)
		f->kind = TUNNEL_SDWAN;
	return f;
}

static void set_spi(struct audit_finding *f, const struct seen *x)
{
	f->has_spi = true;
	f->spi.value = x->spi;
	f->protocol = x->protocol == 51 ? SPIMEND_PROTOCOL_AH : SPIMEND_PROTOCOL_ESP;
}

/* "inbound 0x1, 0x2 and 3 more", of the last reading. */
static void say_inbound(struct compare *c, struct audit_finding *f, const struct side *r)
{
	char list[96] = "";
	uint32_t told = 0, more = 0, line = 0, output = r->last_cover;
	size_t len = 0;

	for (uint32_t i = 0; i < r->sa_count; i++) {
		const struct seen *x = &r->sas[i];

		if (!x->inbound || is_past(c, r, x))
			continue;
		if (told == 4) {
			more++;
			continue;
		}
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s0x%x", told ? ", " : "", x->spi);
		if (!told)
			line = flow_at(c->a, x->flow)->inbound_line ? flow_at(c->a, x->flow)->inbound_line : flow_at(c->a, x->flow)->line;
		told++;
	}
	if (!told && r->fresh != NONE && flow_at(c->a, r->fresh)->output == output)
		line = flow_at(c->a, r->fresh)->line;
	if (!told)
		audit_say(c->a, f, output, line, "no inbound SA of this tunnel");
	else if (more)
		audit_say(c->a, f, output, line, "inbound here: %s and %u more", list, more);
	else
		audit_say(c->a, f, output, line, "inbound here: %s", list);
}

static void say_outbound(struct compare *c, struct audit_finding *f, const struct seen *x, const char *what)
{
	const struct audit_flow *flow = flow_at(c->a, x->flow);

	if (flow->has_counters)
		audit_say(c->a, f, x->last, flow->outbound_line ? flow->outbound_line : flow->line,
			  "%s 0x%x; %llu packets out, %llu in", what, x->spi, (unsigned long long)flow->encaps,
			  (unsigned long long)flow->decaps);
	else
		audit_say(c->a, f, x->last, flow->outbound_line ? flow->outbound_line : flow->line, "%s 0x%x", what, x->spi);
}

/* Does either end list an SA of the other's? Then both tables are of the same time. */
static bool has_common(const struct side *x, const struct side *y)
{
	for (uint32_t i = 0; i < x->sa_count; i++)
		if (look(y, !x->sas[i].inbound, x->sas[i].spi, x->sas[i].protocol))
			return true;
	return false;
}

/* R, S, R: R was read before and after S, or S twice with R in between (devices.md 1). */
static bool is_between(const struct side *s, const struct side *r, const struct seen *x)
{
	if (r->covered > 1 && r->first_cover < x->last && r->last_cover > x->last)
		return true;
	return x->times > 1 && x->first < r->last_cover && r->last_cover < x->last && s->covered > 1;
}

/* R has the SA, but with another device's or address' tunnel. */
static const struct audit_flow *elsewhere(const struct compare *c, uint32_t device, const struct seen *x)
{
	uint32_t hash = audit_hash_spi(c->a, x->spi, x->protocol), cursor = hash, at;

	while ((at = slots_look(&c->a->inbound, hash, &cursor))) {
		const struct audit_sa *sa = sa_at(c->a, at - 1);

		if (sa->spi == x->spi && sa->protocol == x->protocol && flow_at(c->a, sa->flow)->device == device)
			return flow_at(c->a, sa->flow);
	}
	return NULL;
}

/* R has SAs for other networks of this tunnel, none for these (T11). */
static bool is_child_absent(const struct compare *c, const struct side *r, const struct audit_flow *f)
{
	if (!f->local_ident.known || !f->remote_ident.known)
		return false;
	for (uint32_t i = 0; i < r->flow_count; i++) {
		const struct audit_flow *g = flow_at(c->a, c->order[r->flows + i]);

		if (!g->local_ident.known || !g->remote_ident.known)
			return false;
		if (g->sa_count && memcmp(&g->local_ident, &f->remote_ident, sizeof(f->remote_ident)) == 0 &&
		    memcmp(&g->remote_ident, &f->local_ident, sizeof(f->local_ident)) == 0)
			return false;
	}
	return true;
}

static void find_missing(struct compare *c, const struct side *s, const struct side *r, const struct seen *x, bool common)
{
	bool between = is_between(s, r, x), deleted;
	struct audit_finding *f;
	enum audit_code code = s->controller || r->controller ? AUDIT_SDWAN_SA_MISSING : AUDIT_SA_MISSING;

	f = find(c, code, between && code == AUDIT_SA_MISSING ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY, s, r, true);
	c->lacking[r->device]++;
	if (!f)
		return;
	set_spi(f, x);
	f->ends[0].child_id = flow_at(c->a, x->flow)->child_id;
	f->ends[0].ike_id = flow_at(c->a, x->flow)->ike_id;
	f->cause = code == AUDIT_SDWAN_SA_MISSING ? CAUSE_CONTROLLER_KEY_LAG :
		   !common || is_child_absent(c, r, flow_at(c->a, x->flow)) ? CAUSE_CHILD_MISSING : CAUSE_UNKNOWN;
	say_outbound(c, f, x, "sends with");
	say_inbound(c, f, r);
	deleted = audit_add_memory(c->a, f, r->device, x->spi);
	if (deleted && code == AUDIT_SA_MISSING)
		f->cause = CAUSE_DELETE_LOST;
	if (between)
		audit_say(c->a, f, r->last_cover, 0, "one end was read before and after the other: no rekey in between explains it");
}

static void find_disagreement(struct compare *c, const struct side *s, const struct side *r)
{
	struct audit_finding *f = find(c, AUDIT_TABLES_DISAGREE, CONFIDENCE_POSSIBLE, s, r, false);

	if (!f)
		return;
	for (uint32_t i = 0; i < s->sa_count; i++)
		if (!s->sas[i].inbound && s->sas[i].in_use) {
			say_outbound(c, f, &s->sas[i], "sends with");
			break;
		}
	say_inbound(c, f, r);
	for (uint32_t i = 0; i < r->sa_count; i++)
		if (!r->sas[i].inbound && r->sas[i].in_use) {
			say_outbound(c, f, &r->sas[i], "sends with");
			break;
		}
	say_inbound(c, f, s);
}

/* Each outbound SA of S, held against R's inbound ones. */
static void compare_direction(struct compare *c, const struct side *s, const struct side *r, bool common, uint32_t *told)
{
	struct sa_audit *a = c->a;

	for (uint32_t i = 0; i < s->sa_count; i++) {
		const struct seen *x = &s->sas[i], *there;
		const struct audit_flow *g;
		struct audit_finding *f;

		if (x->inbound)
			continue;
		there = look(r, true, x->spi, x->protocol);
		if (there || is_past(c, s, x)) {
			/* R had it before, or S has moved on: a rekey went by. */
			a->counts.overlaps += is_past(c, s, x) || is_past(c, r, there);
			continue;
		}
		if (s->controller || r->controller ? r->unproven || !r->covered || !r->sa_count : !r->covered || r->unproven) {
			a->counts.not_covered++;
			continue;
		}
		g = s->controller ? NULL : elsewhere(c, r->device, x);
		if (g) {
			if (s->encap || g->encap) /* NAT: addresses differ by nature */
				continue;
			f = find(c, AUDIT_ADDRESSES_DIFFER, CONFIDENCE_LIKELY, s, r, true);
			if (f) {
				char peer[SPIMEND_ADDRESS_TEXT_MAX];

				set_spi(f, x);
				f->cause = CAUSE_NAT_REBINDING;
				say_outbound(c, f, x, "sends with");
				audit_say(a, f, g->output, g->line, "inbound here from %s", spimend_address_print(&g->peer, peer));
			}
			continue;
		}
		if (s->settling || r->settling || (!x->in_use && x->times < 2)) {
			a->counts.overlaps++;
			continue;
		}
		if (!x->in_use) {
			f = find(c, AUDIT_SA_UNUSED, CONFIDENCE_LIKELY, s, r, true);
			if (f) {
				set_spi(f, x);
				say_outbound(c, f, x, "outbound, not in use:");
				say_inbound(c, f, r);
			}
			continue;
		}
		if (!common && r->sa_count && !is_between(s, r, x) && !s->controller)
			continue; /* told once, by find_disagreement() */
		if ((*told)++ < SPIS_TOLD)
			find_missing(c, s, r, x, common);
		else
			a->counts.limit++;
	}
}

/* Inbound at R, and S does not send with it: nothing is lost by it. */
static void compare_leftovers(struct compare *c, const struct side *r, const struct side *s, bool common)
{
	uint32_t extra = 0;

	if (!s->covered || !s->sa_count || s->unproven || r->settling || s->settling)
		return;
	for (uint32_t i = 0; i < s->flow_count; i++)
		if (flow_at(c->a, c->order[s->flows + i])->out_unread)
			return;
	for (uint32_t i = 0; i < r->sa_count; i++)
		extra += r->sas[i].inbound && !is_past(c, r, &r->sas[i]) && !look(s, false, r->sas[i].spi, r->sas[i].protocol);
	for (uint32_t i = 0; i < r->sa_count && extra; i++) {
		const struct seen *x = &r->sas[i];
		struct audit_finding *f;

		if (!x->inbound || is_past(c, r, x) || look(s, false, x->spi, x->protocol))
			continue;
		/* One old SA beside a good one is a rekey's overlap, unless it stays. */
		if (common && x->times < 2 && extra == 1) {
			c->a->counts.overlaps++;
			return;
		}
		f = find(c, AUDIT_SA_LEFTOVER, x->times > 1 ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY, s, r, true);
		if (f) {
			set_spi(f, x);
			say_inbound(c, f, r);
			audit_say(c->a, f, s->last_cover, s->fresh == NONE ? 0 : flow_at(c->a, s->fresh)->line, "does not send with 0x%x",
				  x->spi);
		}
	}
}

static void compare_encap(struct compare *c)
{
	struct side *x = &c->side[0], *y = &c->side[1];
	const struct audit_flow *f, *g;
	struct audit_finding *finding;

	if (x->fresh == NONE || y->fresh == NONE || x->controller || y->controller)
		return;
	f = flow_at(c->a, x->fresh);
	g = flow_at(c->a, y->fresh);
	if (!f->encap_told || !g->encap_told || f->encap == g->encap || x->settling || y->settling)
		return;
	/* The end that encapsulates names its peer's port; without an SA in common it may be another negotiation's. */
	finding = find(c, AUDIT_ENCAP_DIFFERS, has_common(x, y) ? CONFIDENCE_CERTAIN : CONFIDENCE_POSSIBLE, x, y, false);
	if (!finding)
		return;
	finding->cause = CAUSE_ENCAP_MISMATCH;
	audit_say(c->a, finding, f->output, f->line, f->encap ? "ESP in UDP" : "ESP without UDP");
	audit_say(c->a, finding, g->output, g->line, g->encap ? "ESP in UDP" : "ESP without UDP");
}

/* The block of S and that of R for the same SA. */
static void compare_lifetimes(struct compare *c)
{
	struct side *x = &c->side[0], *y = &c->side[1];

	for (uint32_t i = 0; i < x->sa_count; i++) {
		const struct seen *s = &x->sas[i], *r = s->inbound ? NULL : look(y, true, s->spi, s->protocol);
		const struct audit_flow *f, *g;
		uint64_t difference, longer;
		struct audit_finding *finding;

		if (!r || is_past(c, y, r) || is_past(c, x, s))
			continue;
		f = flow_at(c->a, s->flow);
		g = flow_at(c->a, r->flow);
		if (!f->has_lifetime || !g->has_lifetime || f->sa_count != 2 || g->sa_count != 2)
			continue;
		difference = f->lifetime_s > g->lifetime_s ? f->lifetime_s - g->lifetime_s : g->lifetime_s - f->lifetime_s;
		longer = f->lifetime_s > g->lifetime_s ? f->lifetime_s : g->lifetime_s;
		if (difference < LIFETIME_DIFFERENCE_S || difference * 4 < longer)
			continue;
		finding = find(c, AUDIT_LIFETIME_DIFFERS, CONFIDENCE_POSSIBLE, x, y, false);
		if (finding) {
			set_spi(finding, s);
			finding->cause = CAUSE_LIFETIME_MISMATCH_TIME;
			audit_say(c->a, finding, f->output, f->line, "0x%x has %llu s left", s->spi, (unsigned long long)f->lifetime_s);
			audit_say(c->a, finding, g->output, g->line, "0x%x has %llu s left", s->spi, (unsigned long long)g->lifetime_s);
		}
		return; /* one a tunnel: the configuration is the same for all its flows */
	}
}

static void look_at_flow(struct compare *c, struct side *s, struct side *r, const struct audit_flow *f, bool told)
{
	struct audit_finding *finding;

	if (f->output != s->last_of[sort_of(c, f->output)])
		return;
	if (f->has_lifetime_kb && f->lifetime_kb == 0 && f->has_lifetime && f->lifetime_s > 0 && f->sa_count) {
		finding = find(c, AUDIT_VOLUME_EXHAUSTED, CONFIDENCE_LIKELY, s, r, false);
		if (finding) {
			finding->cause = CAUSE_LIFETIME_MISMATCH_VOLUME;
			audit_say(c->a, finding, f->output, f->line, "0 kB left, %llu s left", (unsigned long long)f->lifetime_s);
		}
	}
	if (f->sa_count || f->in_unread || f->out_unread || !f->whole)
		return;
	if (f->controller) {
		finding = find(c, AUDIT_SDWAN_SA_CLEARED, CONFIDENCE_LIKELY, r, s, true);
		if (finding)
			finding->cause = CAUSE_CONTROLLER_SA_CLEARED;
	} else if (told) { /* by what the other end still sends with */
		return;
	} else {
		finding = find(c, AUDIT_FLOW_WITHOUT_SAS, CONFIDENCE_POSSIBLE, s, r, false);
		if (finding)
			finding->cause = CAUSE_UNKNOWN;
	}
	if (finding)
		audit_say(c->a, finding, f->output, f->line, "the flow is configured and has no SA");
}

/* Several children for what is one child at the other end (T12, C1). */
static void compare_children(struct compare *c, struct side *s, struct side *r)
{
	uint32_t here = 0, there = 0, extra = NONE;

	for (int end = 0; end < 2; end++) {
		const struct side *x = end ? r : s;

		for (uint32_t i = 0; i < x->flow_count; i++) {
			const struct audit_flow *f = flow_at(c->a, c->order[x->flows + i]);
			const struct audit_flow *first = flow_at(c->a, x->fresh);

			if (f->source == SOURCE_SWAN && f->output == x->last_of[sort_of(c, f->output)] && !f->settling && f->sa_count &&
			    f->local_ident.known && memcmp(&f->local_ident, &first->local_ident, sizeof(f->local_ident)) == 0 &&
			    memcmp(&f->remote_ident, &first->remote_ident, sizeof(f->remote_ident)) == 0) {
				*(end ? &there : &here) += 1;
				if (!end) /* the one whose inbound SA the other end does not use, else the older one */
					extra = extra == NONE || f->child_id < flow_at(c->a, extra)->child_id ? c->order[x->flows + i] : extra;
			}
		}
	}
	if (r->fresh != NONE && flow_at(c->a, r->fresh)->source != SOURCE_SWAN)
		for (uint32_t i = 0; i < r->sa_count; i++)
			there += r->sas[i].inbound && !is_past(c, r, &r->sas[i]);
	if (here < 2 || here < there || (here == there && s != &c->side[0]))
		return;
	for (uint32_t i = 0; i < s->flow_count && r->sa_count; i++) {
		const struct audit_flow *f = flow_at(c->a, c->order[s->flows + i]);

		for (uint32_t k = f->sa; k < f->sa + f->sa_count; k++)
			if (f->source == SOURCE_SWAN && f->output == s->last_of[sort_of(c, f->output)] && !sa_at(c->a, k)->inbound &&
			    !r->unproven &&
			    !look(r, true, sa_at(c->a, k)->spi, sa_at(c->a, k)->protocol))
				extra = c->order[s->flows + i];
	}
	struct audit_finding *finding =
		find(c, AUDIT_DUPLICATE_CHILD, there < here ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE, s, r, false);

	if (finding) {
		const struct audit_flow *f = flow_at(c->a, extra);

		finding->cause = CAUSE_DUPLICATE_IKE_SA;
		finding->ends[0].child_id = f->child_id;
		finding->ends[0].ike_id = f->ike_id;
		audit_say(c->a, finding, f->output, f->line, "%u children for the same networks; the extra one is #%u", here, f->child_id);
		audit_say(c->a, finding, r->last_cover, r->fresh == NONE ? 0 : flow_at(c->a, r->fresh)->line, "%u here", there);
	}
}

static void compare_sides(struct compare *c)
{
	struct side *x = &c->side[0], *y = &c->side[1];
	bool common = has_common(x, y);
	uint64_t before = c->a->counts.not_covered;
	uint32_t told[2] = { 0, 0 };

	if (x->manual || y->manual) {
		c->a->counts.left_alone += x->flow_count + y->flow_count;
		return;
	}
	for (int end = 0; end < 2; end++) {
		const struct side *s = &c->side[end], *r = &c->side[!end];

		/* One of the flows that R has with unknown addresses behind NAT may be the other end. */
		if (r->flow_count == 0 && s->encap && device_at(c->a, r->device)->behind_nat) {
			c->a->counts.ambiguous += s->flow_count;
			return;
		}
	}
	c->a->counts.tunnels++;
	c->found = false;
	compare_direction(c, x, y, common, &told[0]);
	compare_direction(c, y, x, common, &told[1]);
	if (!common && !told[0] && !told[1] && x->sa_count && y->sa_count && !x->unproven && !y->unproven && !c->found &&
	    !x->controller && !y->controller && !x->settling && !y->settling)
		find_disagreement(c, x, y);
	if (!told[0] && !told[1] && common && !x->controller && !y->controller) {
		compare_leftovers(c, x, y, common);
		compare_leftovers(c, y, x, common);
	}
	compare_encap(c);
	compare_lifetimes(c);
	for (int end = 0; end < 2; end++) {
		struct side *s = &c->side[end], *r = &c->side[!end];

		for (uint32_t i = 0; i < s->flow_count; i++)
			look_at_flow(c, s, r, flow_at(c->a, c->order[s->flows + i]), told[0] || told[1]);
		if (s->fresh != NONE)
			compare_children(c, s, r);
	}
	c->a->clean[c->tunnel] = !c->found && c->a->counts.not_covered == before;
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
		compare_sides(c);
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
