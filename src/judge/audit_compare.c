/* SPDX-License-Identifier: MIT */
/* The two ends of one tunnel, held against each other: what S sends with, R must have. */
#include "judge/audit_tunnel.h"

#include <stdio.h>

#define LIFETIME_DIFFERENCE_S 900 /* readings of one collection are minutes apart */
#define FINDINGS_TOLD 64          /* of a tunnel */
#define WORK_MAX 20000000         /* a tunnel of so many flows for the same networks is no table of a router */
#define SPIS_TOLD 8               /* findings of one kind per tunnel and direction */

/* ---- findings ---- */

static const struct audit_flow *fresh_of(const struct compare *c, const struct side *s)
{
	return s->fresh == NONE ? NULL : flow_at(c->a, s->fresh);
}

static struct audit_finding *find(struct compare *c, enum audit_code code, enum confidence confidence, const struct side *s,
				  const struct side *r, bool directed)
{
	struct audit_finding *f;

	c->found = true;
	if (c->findings++ >= FINDINGS_TOLD) {
		c->a->counts.limit++;
		return NULL;
	}
	f = audit_find(c->a, code, confidence);
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

		if (!x->inbound || audit_is_past(c, r, x))
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
		if (audit_look(y, !x->sas[i].inbound, x->sas[i].spi, x->sas[i].protocol))
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

enum child_match { /* what R has for the networks that one flow of S protects */
	CHILD_ABSENT, /* no SA (T11) */
	CHILD_SHARED, /* an SA that S has too: both were read at the same time */
	CHILD_APART,  /* other SAs alone: out of step, or a rekey came between the readings */
};

static bool protects(const struct audit_flow *f, const struct sa_ident *local, const struct sa_ident *remote)
{
	return memcmp(&f->local_ident, local, sizeof(*local)) == 0 && memcmp(&f->remote_ident, remote, sizeof(*remote)) == 0;
}

/* Does a flow of R have one of the SAs of any of S's flows for the same networks? */
static bool shares(struct compare *c, const struct side *s, const struct audit_flow *f, const struct audit_flow *g)
{
	c->work += s->flow_count;
	for (uint32_t i = 0; i < s->flow_count; i++) {
		const struct audit_flow *own = flow_at(c->a, c->order[s->flows + i]);

		if (!protects(own, &f->local_ident, &f->remote_ident))
			continue;
		for (uint32_t k = own->sa; k < own->sa + own->sa_count; k++)
			for (uint32_t n = g->sa; n < g->sa + g->sa_count; n++)
				if (sa_at(c->a, k)->spi == sa_at(c->a, n)->spi && sa_at(c->a, k)->inbound != sa_at(c->a, n)->inbound &&
				    sa_at(c->a, k)->protocol == sa_at(c->a, n)->protocol)
					return true;
	}
	return false;
}

/* Where the networks are not told, the tunnel as a whole has to answer. */
static enum child_match match_child(struct compare *c, const struct side *s, const struct side *r,
				    const struct audit_flow *f, bool common)
{
	enum child_match match = CHILD_ABSENT;

	c->work += r->flow_count;
	for (uint32_t i = 0; i < r->flow_count; i++) {
		if (c->work > WORK_MAX)
			return CHILD_APART; /* which is never more than possible */
		const struct audit_flow *g = flow_at(c->a, c->order[r->flows + i]);

		if (!f->local_ident.known || !f->remote_ident.known || !g->local_ident.known || !g->remote_ident.known)
			return r->sa_count == 0 ? CHILD_ABSENT : common ? CHILD_SHARED : CHILD_APART;
		if (g->sa_count == 0 || !protects(g, &f->remote_ident, &f->local_ident))
			continue;
		if (shares(c, s, f, g))
			return CHILD_SHARED;
		match = CHILD_APART;
	}
	return match;
}

static void find_missing(struct compare *c, const struct side *s, const struct side *r, const struct seen *x,
			 enum child_match match)
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
		   match == CHILD_ABSENT ? CAUSE_CHILD_MISSING : CAUSE_UNKNOWN;
	say_outbound(c, f, x, "sends with");
	say_inbound(c, f, r);
	deleted = audit_add_memory(c->a, f, r->device, x->spi);
	if (deleted && code == AUDIT_SA_MISSING)
		f->cause = CAUSE_DELETE_LOST;
	if (between)
		audit_say(c->a, f, r->last_cover, 0, "one end was read before and after the other: no rekey in between explains it");
}

/* Each of the two sends, or one of them, with an SA of a child for which the other has others alone. */
static void find_disagreement(struct compare *c)
{
	struct side *x = &c->side[0], *y = &c->side[1];
	struct audit_finding *f = find(c, AUDIT_TABLES_DISAGREE, CONFIDENCE_POSSIBLE, x, y, false);

	if (!f)
		return;
	for (int end = 0; end < 2; end++) {
		if (!c->apart[end])
			continue;
		say_outbound(c, f, c->apart[end], "sends with");
		say_inbound(c, f, &c->side[!end]);
	}
}

/* Each outbound SA of S, held against R's inbound ones. */
static void compare_direction(struct compare *c, const struct side *s, const struct side *r, bool common, uint32_t *told)
{
	struct sa_audit *a = c->a;

	for (uint32_t i = 0; i < s->sa_count; i++) {
		const struct seen *x = &s->sas[i], *there;
		const struct audit_flow *g;
		struct audit_finding *f;
		enum child_match match;

		if (x->inbound)
			continue;
		there = audit_look(r, true, x->spi, x->protocol);
		if (there || audit_is_past(c, s, x)) {
			/* R had it before, or S has moved on: a rekey went by. */
			a->counts.overlaps += audit_is_past(c, s, x) || audit_is_past(c, r, there);
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
		match = match_child(c, s, r, flow_at(c->a, x->flow), common);
		if (match == CHILD_APART && !is_between(s, r, x) && !s->controller) {
			c->apart[s != &c->side[0]] = x; /* told once, by find_disagreement() */
			continue;
		}
		if ((*told)++ < SPIS_TOLD)
			find_missing(c, s, r, x, match);
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
		extra += r->sas[i].inbound && !audit_is_past(c, r, &r->sas[i]) && !audit_look(s, false, r->sas[i].spi, r->sas[i].protocol);
	for (uint32_t i = 0; i < r->sa_count && extra; i++) {
		const struct seen *x = &r->sas[i];
		struct audit_finding *f;

		if (!x->inbound || audit_is_past(c, r, x) || audit_look(s, false, x->spi, x->protocol))
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

/* An SA that both ends have, without UDP between them: then each names the other as that one names itself (T8). */
static void compare_addresses(struct compare *c)
{
	struct side *x = &c->side[0], *y = &c->side[1];

	for (uint32_t i = 0; i < x->sa_count; i++) {
		const struct seen *s = &x->sas[i], *r = audit_look(y, !s->inbound, s->spi, s->protocol);
		const struct audit_flow *f, *g;
		struct audit_finding *finding;
		char first[SPIMEND_ADDRESS_TEXT_MAX], second[SPIMEND_ADDRESS_TEXT_MAX];

		if (!r || audit_is_past(c, x, s) || audit_is_past(c, y, r))
			continue;
		f = flow_at(c->a, s->flow);
		g = flow_at(c->a, r->flow);
		if (!f->encap_told || !g->encap_told || f->encap || g->encap || !spimend_address_known(&f->local) ||
		    !spimend_address_known(&g->local) || (spimend_address_equal(&f->local, &g->peer) &&
							  spimend_address_equal(&g->local, &f->peer)))
			continue;
		finding = find(c, AUDIT_ADDRESSES_DIFFER, CONFIDENCE_LIKELY, x, y, false);
		if (!finding)
			return;
		set_spi(finding, s);
		finding->cause = CAUSE_NAT_REBINDING;
		audit_say(c->a, finding, f->output, f->line, "0x%x between %s and %s", s->spi, spimend_address_print(&f->local, first),
			  spimend_address_print(&f->peer, second));
		audit_say(c->a, finding, g->output, g->line, "0x%x between %s and %s", s->spi, spimend_address_print(&g->local, first),
			  spimend_address_print(&g->peer, second));
		return;
	}
}

/* The block of S and that of R for the same SA. */
static void compare_lifetimes(struct compare *c)
{
	struct side *x = &c->side[0], *y = &c->side[1];

	for (uint32_t i = 0; i < x->sa_count; i++) {
		const struct seen *s = &x->sas[i], *r = s->inbound ? NULL : audit_look(y, true, s->spi, s->protocol);
		const struct audit_flow *f, *g;
		uint64_t difference, longer;
		struct audit_finding *finding;

		if (!r || audit_is_past(c, y, r) || audit_is_past(c, x, s))
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

	if (f->output != s->last_of[audit_sort_of(c, f->output)])
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

			if (f->source == SOURCE_SWAN && f->output == x->last_of[audit_sort_of(c, f->output)] && !f->settling && f->sa_count &&
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
			there += r->sas[i].inbound && !audit_is_past(c, r, &r->sas[i]);
	if (here < 2 || here < there || (here == there && s != &c->side[0]))
		return;
	for (uint32_t i = 0; i < s->flow_count && r->sa_count; i++) {
		const struct audit_flow *f = flow_at(c->a, c->order[s->flows + i]);

		for (uint32_t k = f->sa; k < f->sa + f->sa_count; k++)
			if (f->source == SOURCE_SWAN && f->output == s->last_of[audit_sort_of(c, f->output)] && !sa_at(c->a, k)->inbound &&
			    !r->unproven &&
			    !audit_look(r, true, sa_at(c->a, k)->spi, sa_at(c->a, k)->protocol))
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

void audit_compare_sides(struct compare *c)
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
	c->findings = 0;
	c->work = 0;
	c->apart[0] = c->apart[1] = NULL;
	compare_direction(c, x, y, common, &told[0]);
	compare_direction(c, y, x, common, &told[1]);
	if (c->apart[0] || c->apart[1])
		find_disagreement(c);
	if (!told[0] && !told[1] && common && !c->apart[0] && !c->apart[1] && !x->controller && !y->controller) {
		compare_leftovers(c, x, y, common);
		compare_leftovers(c, y, x, common);
	}
	compare_encap(c);
	compare_addresses(c);
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
