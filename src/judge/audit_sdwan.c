/* SPDX-License-Identifier: MIT */
/*
 * SD-WAN: three places must agree on R's SPI for one TLOC: what R accepts, what the controller told S, what S uses
 * (devices.md 5). SPIs are counters that recur everywhere: a TLOC and its colour say whose they are.
 */
#include "judge/audit_private.h"

#include <errno.h>
#include <stdio.h>

struct tloc_key {
	struct spimend_address tloc;
	char color[24];
};

struct sdwan {
	struct sa_audit *a;
	struct slots accepted; /* TLOC: number of a kept_local_sa, plus one */
	struct slots told;     /* findings that were made: hash alone */
	struct slots copies;   /* device and TLOC: number of a kept_tloc, plus one */
	struct slots sessions; /* device and TLOC: number of a kept_bfd, plus one */
};

struct accepted { /* what R's tables say of one TLOC */
	uint32_t device, output; /* NONE: nobody gave them */
	const struct kept_local_sa *match, *older, *first;
	uint32_t newest;
	char list[64];
};

static uint32_t hash_tloc(const struct sa_audit *a, const struct spimend_address *tloc, const char *color)
{
	struct tloc_key key;

	memset(&key, 0, sizeof(key));
	key.tloc = *tloc;
	text_copy(text_of(color), key.color, sizeof(key.color));
	return audit_hash(a, &key, sizeof(key));
}

static uint32_t hash_at(const struct sa_audit *a, uint32_t device, const struct spimend_address *tloc, const char *color)
{
	uint32_t parts[2] = { device, hash_tloc(a, tloc, color) };

	return audit_hash(a, parts, sizeof(parts));
}

static bool is_tloc(const struct kept_local_sa *k, const struct spimend_address *tloc, const char *color)
{
	return spimend_address_equal(&k->is.tloc, tloc) && strcmp(k->is.color, color) == 0;
}

static void look_up(const struct sdwan *s, const struct spimend_address *tloc, const char *color, uint32_t spi,
		    struct accepted *ret)
{
	const struct kept_local_sa *all = s->a->local_sas.at;
	uint32_t hash = hash_tloc(s->a, tloc, color), cursor = hash, at;
	size_t len = 0;

	*ret = (struct accepted){ .device = NONE, .output = NONE };
	while ((at = slots_look(&s->accepted, hash, &cursor))) {
		const struct kept_local_sa *k = &all[at - 1];

		if (is_tloc(k, tloc, color) && (ret->output == NONE || k->output > ret->output)) {
			ret->device = k->device;
			ret->output = k->output;
		}
	}
	cursor = hash;
	while ((at = slots_look(&s->accepted, hash, &cursor))) {
		const struct kept_local_sa *k = &all[at - 1];

		if (!is_tloc(k, tloc, color))
			continue;
		if (k->output != ret->output) {
			if (k->is.spi.value == spi)
				ret->older = k;
			continue;
		}
		if (k->is.spi.value == spi)
			ret->match = k;
		if (!ret->first)
			ret->first = k;
		if (k->is.spi.value > ret->newest)
			ret->newest = k->is.spi.value;
		if (len + 14 < sizeof(ret->list))
			len += (size_t)snprintf(ret->list + len, sizeof(ret->list) - len, "%s%u", len ? ", " : "", k->is.spi.value);
	}
}

/* True when this was told already: the same TLOC through another interface is the same fault. */
static bool is_told(struct sdwan *s, uint32_t device, const struct spimend_address *tloc, const char *color, uint32_t spi)
{
	uint32_t parts[3] = { device, hash_tloc(s->a, tloc, color), spi };
	uint32_t hash = audit_hash(s->a, parts, sizeof(parts)), cursor = hash;

	if (slots_look(&s->told, hash, &cursor))
		return true;
	slots_add(&s->told, hash, 1);
	return false;
}

/* A later reading of the same device speaks instead of an earlier one. */
static bool is_last(const struct sa_audit *a, uint32_t device, uint32_t output)
{
	return device_at(a, device)->last[output_at(a, output)->kind] == output + 1;
}

static struct audit_finding *find(struct sdwan *s, enum audit_code code, enum confidence confidence,
				  const struct kept_outbound *o, const struct accepted *r)
{
	struct audit_finding *f = audit_find(s->a, code, confidence);

	if (!f)
		return NULL;
	audit_set_end(s->a, f, 0, o->device, AUDIT_SENDER, NULL);
	audit_set_end(s->a, f, 1, r->device, AUDIT_RECEIVER, NULL);
	f->ends[0].address = o->is.source;
	f->ends[1].address = o->is.destination;
	f->kind = TUNNEL_SDWAN;
	f->cause = CAUSE_CONTROLLER_KEY_LAG;
	f->has_spi = f->encap_udp = true;
	f->spi = o->is.spi;
	f->protocol = SPIMEND_PROTOCOL_ESP;
	return f;
}

/* What the controller told S, and what that says about who is late. */
static void say_copy(struct sdwan *s, struct audit_finding *f, const struct kept_outbound *o, const struct accepted *r)
{
	const struct kept_tloc *tlocs = s->a->tlocs.at, *copy = NULL;
	uint32_t hash = hash_at(s->a, o->device, &o->is.tloc, o->is.color), cursor = hash, at;

	while ((at = slots_look(&s->copies, hash, &cursor))) {
		const struct kept_tloc *t = &tlocs[at - 1];

		if (t->device == o->device && !t->is.own && spimend_address_equal(&t->is.tloc, &o->is.tloc) &&
		    strcmp(t->is.color, o->is.color) == 0 && (!copy || t->output >= copy->output))
			copy = t;
	}
	if (copy && copy->is.spi.value != o->is.spi.value)
		audit_say(s->a, f, copy->output, copy->line, "the controller's copy is %u: this end is late", copy->is.spi.value);
	else if (copy && r->newest != copy->is.spi.value)
		audit_say(s->a, f, copy->output, copy->line, "the controller's copy is %u too: the controller or the other end's OMP is late",
			  copy->is.spi.value);
}

static void say_bfd(struct sdwan *s, struct audit_finding *f, const struct kept_outbound *o)
{
	const struct kept_bfd *bfds = s->a->bfds.at;
	uint32_t hash = hash_at(s->a, o->device, &o->is.tloc, o->is.color), cursor = hash, at;

	while ((at = slots_look(&s->sessions, hash, &cursor))) {
		const struct kept_bfd *b = &bfds[at - 1];

		if (b->device == o->device && !b->is.up && spimend_address_equal(&b->is.system, &o->is.tloc) &&
		    spimend_address_equal(&b->is.source, &o->is.source)) {
			audit_say(s->a, f, b->output, b->line, "its BFD session is down");
			return;
		}
	}
}

static void compare_outbound(struct sdwan *s, const struct kept_outbound *o)
{
	struct accepted r;
	struct audit_finding *f;
	bool newer;

	if (!is_last(s->a, o->device, o->output) || device_at(s->a, o->device)->ignored)
		return;
	look_up(s, &o->is.tloc, o->is.color, o->is.spi.value, &r);
	if (r.device == NONE || r.device == o->device) {
		s->a->counts.other_end_absent++;
		return;
	}
	s->a->counts.tunnels++;
	if (r.match && r.match->is.key[0] && o->is.key[0] && strcmp(r.match->is.key, o->is.key) != 0) {
		if (is_told(s, o->device, &o->is.tloc, o->is.color, o->is.spi.value))
			return;
		f = find(s, AUDIT_SDWAN_KEY_DIFFERS, CONFIDENCE_LIKELY, o, &r);
		if (f) {
			audit_say(s->a, f, o->output, o->line, "uses %u with key %s", o->is.spi.value, o->is.key);
			audit_say(s->a, f, r.match->output, r.match->line, "accepts %u with key %s", r.match->is.spi.value, r.match->is.key);
			say_copy(s, f, o, &r);
		}
		return;
	}
	if (r.match) {
		s->a->counts.in_sync++;
		return;
	}
	if (r.older || output_at(s->a, r.output)->cut) { /* R had it when it was read first: a rekey went by */
		s->a->counts.overlaps += r.older != NULL;
		s->a->counts.not_covered += r.older == NULL;
		return;
	}
	if (is_told(s, o->device, &o->is.tloc, o->is.color, o->is.spi.value))
		return;
	/* Counters rise: S may have what R made after it was read. */
	newer = o->is.spi.value > r.newest && r.output < o->output;
	f = find(s, AUDIT_SDWAN_SA_MISSING, newer ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY, o, &r);
	if (!f)
		return;
	audit_say(s->a, f, o->output, o->line, "uses %u towards %s", o->is.spi.value, o->is.color);
	audit_say(s->a, f, r.first->output, r.first->line, "accepts %s", r.list);
	say_copy(s, f, o, &r);
	say_bfd(s, f, o);
	audit_add_memory(s->a, f, r.device, o->is.spi.value);
}

static void compare_copy(struct sdwan *s, const struct kept_tloc *t)
{
	struct accepted r;
	struct audit_finding *f;

	if (t->is.own || !is_last(s->a, t->device, t->output) || device_at(s->a, t->device)->ignored)
		return;
	look_up(s, &t->is.tloc, t->is.color, t->is.spi.value, &r);
	if (r.device == NONE || r.device == t->device || r.match || output_at(s->a, r.output)->cut)
		return;
	if (r.older || (t->is.spi.value > r.newest && r.output < t->output)) {
		s->a->counts.overlaps++;
		return;
	}
	if (is_told(s, NONE, &t->is.tloc, t->is.color, t->is.spi.value))
		return;
	f = audit_find(s->a, AUDIT_SDWAN_COPY_STALE, CONFIDENCE_POSSIBLE);
	if (!f)
		return;
	audit_set_end(s->a, f, 0, t->device, AUDIT_BOTH, NULL);
	audit_set_end(s->a, f, 1, r.device, AUDIT_BOTH, NULL);
	f->ends[1].address = t->is.public;
	f->kind = TUNNEL_SDWAN;
	f->cause = CAUSE_CONTROLLER_KEY_LAG;
	f->has_spi = f->encap_udp = true;
	f->spi = t->is.spi;
	f->protocol = SPIMEND_PROTOCOL_ESP;
	audit_say(s->a, f, t->output, t->line, "the controller told %u for %s", t->is.spi.value, t->is.color);
	audit_say(s->a, f, r.first->output, r.first->line, "accepts %s", r.list);
}

static void look_at_bfd(struct sdwan *s, const struct kept_bfd *b)
{
	const struct kept_local_sa *all = s->a->local_sas.at;
	uint32_t hash, cursor, at, other = NONE;
	struct audit_finding *f;

	if (b->is.up || !is_last(s->a, b->device, b->output) || device_at(s->a, b->device)->ignored)
		return;
	hash = cursor = hash_tloc(s->a, &b->is.system, b->is.color);
	while ((at = slots_look(&s->accepted, hash, &cursor)))
		if (is_tloc(&all[at - 1], &b->is.system, b->is.color) && all[at - 1].device != b->device)
			other = all[at - 1].device;
	if (other == NONE || is_told(s, b->device, &b->is.system, b->is.local_color, 0))
		return;
	f = audit_find(s->a, AUDIT_SDWAN_BFD_DOWN, CONFIDENCE_POSSIBLE);
	if (!f)
		return;
	audit_set_end(s->a, f, 0, b->device, AUDIT_BOTH, NULL);
	audit_set_end(s->a, f, 1, other, AUDIT_BOTH, NULL);
	f->ends[0].address = b->is.source;
	f->ends[1].address = b->is.destination;
	f->kind = TUNNEL_SDWAN;
	audit_say(s->a, f, b->output, b->line, "BFD is down from %s to %s", b->is.local_color, b->is.color);
}

int audit_compare_sdwan(struct sa_audit *a)
{
	const struct kept_local_sa *local = a->local_sas.at;
	const struct kept_tloc *tlocs = a->tlocs.at;
	const struct kept_bfd *bfds = a->bfds.at;
	struct sdwan s = { .a = a };
	uint32_t may_tell = a->outbounds.count + a->tlocs.count + a->bfds.count + 1;
	int result = -ENOMEM;

	if (slots_init(&s.accepted, a->local_sas.count + 1) < 0 || slots_init(&s.told, may_tell) < 0 ||
	    slots_init(&s.copies, a->tlocs.count + 1) < 0 || slots_init(&s.sessions, a->bfds.count + 1) < 0)
		goto out;
	for (uint32_t i = 0; i < a->local_sas.count; i++)
		if (!device_at(a, local[i].device)->ignored)
			audit_index_add(&s.accepted, hash_tloc(a, &local[i].is.tloc, local[i].is.color), i + 1);
	for (uint32_t i = 0; i < a->tlocs.count; i++)
		audit_index_add(&s.copies, hash_at(a, tlocs[i].device, &tlocs[i].is.tloc, tlocs[i].is.color), i + 1);
	for (uint32_t i = 0; i < a->bfds.count; i++)
		audit_index_add(&s.sessions, hash_at(a, bfds[i].device, &bfds[i].is.system, bfds[i].is.color), i + 1);
	for (uint32_t i = 0; i < a->outbounds.count; i++)
		compare_outbound(&s, (struct kept_outbound *)a->outbounds.at + i);
	for (uint32_t i = 0; i < a->tlocs.count; i++)
		compare_copy(&s, (struct kept_tloc *)a->tlocs.at + i);
	for (uint32_t i = 0; i < a->bfds.count; i++)
		look_at_bfd(&s, (struct kept_bfd *)a->bfds.at + i);
	result = 0;
out:
	slots_done(&s.accepted);
	slots_done(&s.told);
	slots_done(&s.copies);
	slots_done(&s.sessions);
	return result;
}
