/* SPDX-License-Identifier: MIT */
/* Traffic selectors as charon prints them: "10.1.0.0/16", "10.1.0.3..10.1.0.9", "192.0.2.1/32[gre]", "dynamic[tcp/443]",
 * "10.1.0.0/16[udp/1024-2047]", "10.1.0.0/16[0/80]". */
#include "parse/vici_field.h"

/* charon asks the machine's /etc/protocols for a name; a number stands where that has none. */
static const struct {
	struct text name;
	uint8_t number;
} protocols[] = {
	{ TEXT("icmp"), 1 },  { TEXT("igmp"), 2 },   { TEXT("ipencap"), 4 }, { TEXT("tcp"), 6 },        { TEXT("egp"), 8 },
	{ TEXT("udp"), 17 },  { TEXT("dccp"), 33 },  { TEXT("ipv6"), 41 },   { TEXT("rsvp"), 46 },      { TEXT("gre"), 47 },
	{ TEXT("esp"), 50 },  { TEXT("ah"), 51 },    { TEXT("skip"), 57 },   { TEXT("ipv6-icmp"), 58 }, { TEXT("eigrp"), 88 },
	{ TEXT("ospf"), 89 }, { TEXT("ipip"), 94 },  { TEXT("etherip"), 97 }, { TEXT("encap"), 98 },    { TEXT("pim"), 103 },
	{ TEXT("vrrp"), 112 }, { TEXT("l2tp"), 115 }, { TEXT("sctp"), 132 }, { TEXT("udplite"), 136 },  { TEXT("mpls-in-ip"), 137 },
};

static bool read_protocol(struct text t, uint8_t *ret)
{
	uint64_t number;

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (text_equal(t, protocols[i].name)) {
			*ret = protocols[i].number;
			return true;
		}
	if (text_decimal(t, UINT8_MAX, &number))
		return false;
	*ret = (uint8_t)number;
	return true;
}

static bool read_address(struct text t, struct spimend_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	return spimend_address_parse(t.at, t.len, ret) == 0;
}

static bool read_range(struct text t, const struct spimend_address *host, struct selector *ret)
{
	size_t dots = text_find(t, TEXT(".."));
	struct text address = text_take_until(&t, "/");
	uint64_t prefix;

	if (text_equal(address, TEXT("dynamic"))) {
		ret->from = ret->to = *host;
		return t.len == 0 && spimend_address_known(host);
	}
	if (dots != TEXT_NOT_FOUND)
		return t.len == 0 && read_address(text_first(address, dots), &ret->from) &&
		       read_address(text_skip(address, dots + 2), &ret->to) && ret->from.family == ret->to.family;
	if (!read_address(address, &ret->from) || !text_take_char(&t, '/') ||
	    text_decimal(t, ret->from.family == 4 ? 32 : 128, &prefix))
		return false;
	ret->to = ret->from;
	spimend_address_set_bits(&ret->from, (unsigned)prefix, false);
	spimend_address_set_bits(&ret->to, (unsigned)prefix, true);
	return true;
}

bool vici_read_selector(struct text t, const struct spimend_address *host, struct selector *ret)
{
	struct selector s;
	struct text range = text_take_until(&t, "["), protocol;

	memset(&s, 0, sizeof(s));
	s.port[0] = '0';
	if (!read_range(range, host, &s))
		return false;
	if (text_take_char(&t, '[')) {
		struct text inside = text_take_until(&t, "]");

		protocol = text_take_until(&inside, "/");
		if (!text_equal(t, TEXT("]")) || !read_protocol(protocol, &s.protocol) || inside.len >= sizeof(s.port))
			return false;
		if (text_take_char(&inside, '/'))
			vici_copy_ascii(inside, s.port, sizeof(s.port));
	}
	*ret = s;
	return t.len == 0 || text_equal(t, TEXT("]"));
}

/* --- Lists ------------------------------------------------------------------------------------------------------------ */

static bool is_gre(struct text selector)
{
	struct text rest = text_skip(selector, text_find_char(selector, '['));

	return text_equal(rest, TEXT("[gre]")) || text_equal(rest, TEXT("[47]"));
}

bool vici_starts_selectors(const struct vici_element *e)
{
	return e->kind == VICI_LIST_START && (text_equal(e->name, TEXT("local-ts")) || text_equal(e->name, TEXT("remote-ts")));
}

void vici_read_selectors(struct vici_reader *r, const struct spimend_address *host, struct vici_selectors *s,
			 struct selector_list *list)
{
	struct vici_element e;

	while (vici_read(r, &e) && e.kind == VICI_LIST_ITEM) {
		s->all++;
		s->gre += is_gre(e.value);
		if (!list)
			continue;
		if (list->count < GATEWAY_SELECTORS_MAX && vici_read_selector(e.value, host, &list->at[list->count]))
			list->count++;
		else if (list->more < UINT16_MAX)
			list->more++;
	}
}

void vici_count_selectors(struct vici_reader *r, struct vici_selectors *s)
{
	vici_read_selectors(r, NULL, s, NULL);
}

bool vici_selects_gre(const struct vici_selectors *s)
{
	return s->all > 0 && s->gre == s->all;
}
