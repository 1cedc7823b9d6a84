/* SPDX-License-Identifier: MIT */
/* Neighbours by LLDP and CDP: which applets wait for them, and what they are told. */
#include <inttypes.h>
#include <stdio.h>

#include "eem/engine_private.h"

static bool is_on(const struct event *e, struct text interface)
{
	return e->pattern ? eem_pattern_search(e->pattern, interface, NULL, NULL) == EEM_MATCH
			  : text_equal_nocase(e->name, interface);
}

uint32_t eem_neighbor_protocols(const struct eem_policies *policies, struct text interface)
{
	uint32_t protocols = 0;

	for (uint32_t i = 0; i < policies->count; i++) {
		for (uint32_t k = 0; k < policies->at[i].event_count; k++) {
			const struct event *e = &policies->at[i].events[k];

			if (e->detector == DETECTOR_NEIGHBOR && is_on(e, interface))
				protocols |= (e->lldp ? NEIGHBOR_HEAR_LLDP : 0) | (e->cdp ? NEIGHBOR_HEAR_CDP : 0);
		}
	}
	return protocols;
}

bool eem_event_is_on(const struct eem_policies *policies, uint32_t policy, uint32_t event, struct text interface)
{
	return event < eem_event_count(policies, policy) && policies->at[policy].events[event].detector == DETECTOR_NEIGHBOR &&
	       is_on(&policies->at[policy].events[event], interface);
}

struct news {
	enum neighbor_change change;
	const struct neighbor *neighbor;
};

static bool matches(const struct event *e, const void *what)
{
	const struct news *news = what;

	return (e->changes & (uint32_t)news->change) && (news->neighbor->is_cdp ? e->cdp : e->lldp) &&
	       is_on(e, text_of(news->neighbor->interface));
}

/* What the facts are printed into. */
struct printed {
	char ttl[16], bits[2][16], words[2][NEIGHBOR_LETTERS_MAX], address[SPIMEND_ADDRESS_TEXT_MAX];
	char names[32][40]; /* one variable for each bit */
};

static void add_bits(struct occurrence *o, struct printed *p, const char *family, uint32_t bits)
{
	for (unsigned i = 0; i < 32; i++) {
		snprintf(p->names[i], sizeof(p->names[i]), "%s%u", family, i);
		occurrence_add(o, p->names[i], bits >> i & 1 ? TEXT("1") : TEXT("0"), TAINT_NONE);
	}
}

static void print(const struct neighbor *n, struct printed *p)
{
	snprintf(p->ttl, sizeof(p->ttl), "%u", n->ttl);
	snprintf(p->bits[0], sizeof(p->bits[0]), "0x%" PRIX32, n->capabilities);
	snprintf(p->bits[1], sizeof(p->bits[1]), "0x%" PRIX32, n->enabled);
	neighbor_print_capabilities(n->is_cdp, n->capabilities, p->words[0]);
	neighbor_print_capabilities(n->is_cdp, n->enabled, p->words[1]);
	p->address[0] = 0;
	if (n->has_management)
		spimend_address_print(&n->management, p->address);
}

static void lldp_facts(struct occurrence *o, const struct neighbor *n, struct printed *p)
{
	occurrence_add(o, "_nd_lldp_chassis_id", text_of(n->chassis), TAINT_OUTSIDE);
	occurrence_add(o, "_nd_lldp_system_name", text_of(n->name), TAINT_OUTSIDE);
	occurrence_add(o, "_nd_lldp_system_description", text_of(n->description), TAINT_OUTSIDE);
	occurrence_add(o, "_nd_lldp_ttl", text_of(p->ttl), TAINT_NONE);
	occurrence_add(o, "_nd_lldp_port_description", text_of(n->port_description), TAINT_OUTSIDE);
	occurrence_add(o, "_nd_lldp_system_capabilities_string", text_of(p->words[0]), TAINT_NONE);
	occurrence_add(o, "_nd_lldp_enabled_capabilities_string", text_of(p->words[1]), TAINT_NONE);
	occurrence_add(o, "_nd_lldp_system_capabilities_bits", text_of(p->bits[0]), TAINT_NONE);
	occurrence_add(o, "_nd_lldp_enabled_capabilities_bits", text_of(p->bits[1]), TAINT_NONE);
	occurrence_add(o, "_nd_lldp_capabilities_bits", text_of(p->bits[1]), TAINT_NONE);
	occurrence_add(o, "_nd_lldp_management_address", text_of(p->address), TAINT_CAPTURE); /* ours: IOS has none */
	add_bits(o, p, "_nd_lldp_capabilities_bit_", n->enabled);
}

static void cdp_facts(struct occurrence *o, const struct neighbor *n, struct printed *p)
{
	occurrence_add(o, "_nd_cdp_entry_name", text_of(n->name), TAINT_OUTSIDE);
	occurrence_add(o, "_nd_cdp_hold_time", text_of(p->ttl), TAINT_NONE);
	occurrence_add(o, "_nd_cdp_mgmt_domain", text_of(n->domain), TAINT_OUTSIDE);
	occurrence_add(o, "_nd_cdp_platform", text_of(n->platform), TAINT_OUTSIDE);
	occurrence_add(o, "_nd_cdp_version", text_of(n->description), TAINT_OUTSIDE);
	occurrence_add(o, "_nd_cdp_capabilities_string", text_of(p->words[0]), TAINT_NONE);
	occurrence_add(o, "_nd_cdp_capabilities_bits", text_of(p->bits[0]), TAINT_NONE);
	occurrence_add(o, "_nd_cdp_management_address", text_of(p->address), TAINT_CAPTURE); /* ours: IOS has none */
	add_bits(o, p, "_nd_cdp_capabilities_bits_", n->capabilities);
}

void eem_neighbor(struct eem *eem, enum neighbor_change change, const struct neighbor *n, struct moment now)
{
	const struct news news = { change, n };
	struct occurrence o = { .device = TEXT_NONE };
	struct printed printed;

	print(n, &printed);
	occurrence_add(&o, "_nd_notification", text_of(neighbor_change_name(change)), TAINT_NONE);
	occurrence_add(&o, "_nd_proto_notif", text_of(neighbor_change_name(change)), TAINT_NONE);
	occurrence_add(&o, "_nd_proto_new_entry", change == NEIGHBOR_ADD ? TEXT("1") : TEXT("0"), TAINT_NONE);
	occurrence_add(&o, "_nd_protocol", n->is_cdp ? TEXT("cdp") : TEXT("lldp"), TAINT_NONE);
	occurrence_add(&o, "_nd_local_intf_name", text_of(n->interface), TAINT_CAPTURE); /* ours, but a name all the same */
	occurrence_add(&o, "_nd_short_local_intf_name", text_of(n->interface), TAINT_CAPTURE);
	occurrence_add(&o, "_nd_port_id", text_of(n->port), TAINT_OUTSIDE);
	if (n->is_cdp)
		cdp_facts(&o, n, &printed);
	else
		lldp_facts(&o, n, &printed);
	event_all(eem, DETECTOR_NEIGHBOR, &news, matches, &o, now);
	eem_work(eem, now);
}
