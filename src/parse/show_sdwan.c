/* SPDX-License-Identifier: MIT */
#include "parse/show_sdwan.h"

#define WORDS_MAX 32 /* an organisation has a name of several */

struct row {
	struct text word[WORDS_MAX];
	size_t count;
};

static struct row split(struct text t)
{
	struct row row = { 0 };
	struct text word;

	while ((word = text_take_word(&t)).len && row.count < WORDS_MAX)
		row.word[row.count++] = word;
	return row;
}

static bool take_address(const struct row *row, size_t *at, struct spimend_address *ret)
{
	if (*at >= row->count || spimend_address_parse(row->word[*at].at, row->word[*at].len, ret) != 0)
		return false;
	(*at)++;
	return true;
}

static bool take_number(const struct row *row, size_t *at, uint32_t max, uint32_t *ret)
{
	if (*at >= row->count || !show_number(row->word[*at], ret) || *ret > max)
		return false;
	(*at)++;
	return true;
}

static bool take_name(const struct row *row, size_t *at, char *to, size_t size)
{
	if (*at >= row->count || row->word[*at].len >= size)
		return false;
	text_copy(row->word[*at], to, size);
	(*at)++;
	return true;
}

static bool is_unset(const struct spimend_address *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, sizeof(zero)) == 0;
}

enum saved_output show_sdwan_starts(struct text t)
{
	struct row row = split(t);

	if (text_starts(t, TEXT("tloc entries for ")))
		return OUTPUT_SDWAN_TLOCS;
	if (text_starts(t, TEXT("TLOC ADDRESS")) && text_has(t, TEXT("SPI")))
		return OUTPUT_SDWAN_LOCAL_SA;
	if (text_has(t, TEXT("TUNNEL MTU")) && text_has(t, TEXT("TLOC ADDRESS")))
		return OUTPUT_SDWAN_OUTBOUND;
	if (text_starts(t, TEXT("SYSTEM IP")) && text_has(t, TEXT("STATE")) && text_has(t, TEXT("UPTIME")))
		return OUTPUT_SDWAN_BFD;
	if (text_starts(t, TEXT("TYPE")) && text_has(t, TEXT("PRIVATE IP")) && text_has(t, TEXT("PROXY")))
		return OUTPUT_SDWAN_CONTROL;
	if (text_starts(t, TEXT("PEER")) && text_has(t, TEXT("TYPE")) && text_has(t, TEXT("R/I/S")))
		return OUTPUT_SDWAN_OMP;
	if (row.count > 4 && text_starts(t, TEXT("SRC IP")) && text_has(t, TEXT("SYSTEM IP")) && text_has(t, TEXT("STATE")))
		return OUTPUT_SDWAN_BFD;
	return OUTPUT_NONE;
}

/* "10.111.0.9  biz-internet  259  10.106.8.2  ::  12346  *****8d95" */
static const char *read_local_sa(const struct row *row, struct saved_local_sa *ret)
{
	struct spimend_address second;
	uint32_t port;
	size_t at = 0;

	if (!take_address(row, &at, &ret->tloc) || !take_name(row, &at, ret->color, sizeof(ret->color)))
		return "a local SA without its TLOC";
	if (!take_number(row, &at, UINT32_MAX, &ret->spi.value))
		return "a local SA without its SPI";
	if (!take_address(row, &at, &ret->source))
		return "a local SA without its source address";
	if (take_address(row, &at, &second) && is_unset(&ret->source))
		ret->source = second;
	if (!take_number(row, &at, UINT16_MAX, &port) || !take_name(row, &at, ret->key, sizeof(ret->key)))
		return "a local SA without its port or key hash";
	ret->port = (uint16_t)port;
	return at == row->count ? NULL : "a local SA with a column that is not known";
}

/* "10.106.8.2 12346 10.106.2.2 12366 271 1438 10.111.0.6 biz-internet AH_SHA1_HMAC *****b384 AES-GCM-256 8" */
static const char *read_outbound(const struct row *row, struct saved_outbound *ret)
{
	uint32_t source_port, port, mtu;
	char authentication[32];
	size_t at = 0;

	if (!take_address(row, &at, &ret->source) || !take_number(row, &at, UINT16_MAX, &source_port) ||
	    !take_address(row, &at, &ret->destination) || !take_number(row, &at, UINT16_MAX, &port))
		return "an outbound connection without its addresses and ports";
	if (!take_number(row, &at, UINT32_MAX, &ret->spi.value))
		return "an outbound connection without its SPI";
	if (!take_number(row, &at, UINT16_MAX, &mtu) || !take_address(row, &at, &ret->tloc) ||
	    !take_name(row, &at, ret->color, sizeof(ret->color)))
		return "an outbound connection without its remote TLOC";
	if (!take_name(row, &at, authentication, sizeof(authentication)) || at >= row->count || row->word[at].at[0] != '*' ||
	    !take_name(row, &at, ret->key, sizeof(ret->key)))
		return "an outbound connection without its key hash";
	ret->source_port = (uint16_t)source_port;
	ret->port = (uint16_t)port;
	return NULL;
}

static bool read_state(struct text word, bool *ret_up)
{
	*ret_up = text_equal(word, TEXT("up"));
	return *ret_up || text_equal(word, TEXT("down")) || text_equal(word, TEXT("init")) || text_equal(word, TEXT("admin-down"));
}

/* "172.16.241.1 30001001 up mpls mpls 172.16.189.2 172.16.171.2 12346 ipsec 20 1000 0:01:46:50 0", or the form
 * "10.11.22.4 44.117.23.0 ipsec 12346 12346 10.9.255.1 65222 gold gold up 7 1000 17:00:15:23 4" */
static const char *read_bfd(const struct row *row, bool by_source, struct saved_bfd *ret)
{
	uint32_t site, port, source_port;
	char encap[16];
	size_t at = 0;

	if (by_source) {
		if (!take_address(row, &at, &ret->source) || !take_address(row, &at, &ret->destination) ||
		    !take_name(row, &at, encap, sizeof(encap)) || !take_number(row, &at, UINT16_MAX, &source_port) ||
		    !take_number(row, &at, UINT16_MAX, &port) || !take_address(row, &at, &ret->system) ||
		    !take_number(row, &at, UINT32_MAX, &site) || !take_name(row, &at, ret->local_color, sizeof(ret->local_color)) ||
		    !take_name(row, &at, ret->color, sizeof(ret->color)))
			return "a BFD session without its addresses, ports or colours";
		ret->port = (uint16_t)port;
		return at < row->count && read_state(row->word[at], &ret->up) ? NULL : "a BFD session without its state";
	}
	if (!take_address(row, &at, &ret->system) || !take_number(row, &at, UINT32_MAX, &site))
		return "a BFD session without its system address";
	if (at >= row->count || !read_state(row->word[at++], &ret->up))
		return "a BFD session without its state";
	if (!take_name(row, &at, ret->local_color, sizeof(ret->local_color)) ||
	    !take_name(row, &at, ret->color, sizeof(ret->color)) ||
	    !take_address(row, &at, &ret->source) || !take_address(row, &at, &ret->destination) ||
	    !take_number(row, &at, UINT16_MAX, &port))
		return "a BFD session without its colours and addresses";
	ret->port = (uint16_t)port;
	return NULL;
}

static bool is_controller(struct text word)
{
	return text_equal(word, TEXT("vsmart")) || text_equal(word, TEXT("vmanage")) || text_equal(word, TEXT("vbond")) ||
	       text_equal(word, TEXT("vhub"));
}

/* "vsmart dtls 10.14.2.250 102 1 10.14.2.71 12346 21.254.56.204 12346 Some Name gold No up 110:18:17:060": what stands
 * behind the state runs together. */
static const char *read_control(const struct row *row, struct saved_control *ret)
{
	struct spimend_address private;
	uint32_t number;
	char protocol[8];
	size_t at = 0;

	if (!take_name(row, &at, ret->type, sizeof(ret->type)) || !take_name(row, &at, protocol, sizeof(protocol)) ||
	    !take_address(row, &at, &ret->system) || !take_number(row, &at, UINT32_MAX, &number) ||
	    !take_number(row, &at, UINT32_MAX, &number) || !take_address(row, &at, &private) ||
	    !take_number(row, &at, UINT16_MAX, &number) || !take_address(row, &at, &ret->public) ||
	    !take_number(row, &at, UINT16_MAX, &number))
		return "a control connection without its addresses and ports";
	for (at++; at + 1 < row->count; at++) {
		struct text proxy = row->word[at], color = row->word[at - 1];

		if (!text_equal(proxy, TEXT("No")) && !text_equal(proxy, TEXT("Yes")) && !text_equal(proxy, TEXT("-")))
			continue;
		if (row->word[at + 1].at[0] < 'a' || row->word[at + 1].at[0] > 'z')
			continue; /* a '-' of the organisation's name: a state is a small word */
		if (color.len >= sizeof(ret->color))
			break;
		text_copy(color, ret->color, sizeof(ret->color));
		ret->up = text_equal(row->word[at + 1], TEXT("up"));
		return NULL;
	}
	return "a control connection without its colour and state";
}

/* "10.4.1.4 vsmart 1 1 4 up 6:13:57:28 4/0/4" */
static const char *read_omp_peer(const struct row *row, struct saved_omp_peer *ret)
{
	uint32_t number;
	size_t at = 0;

	if (!take_address(row, &at, &ret->peer) || !take_name(row, &at, ret->type, sizeof(ret->type)))
		return "an OMP peer without its address and type";
	while (take_number(row, &at, UINT32_MAX, &number))
		;
	if (at >= row->count)
		return "an OMP peer without its state";
	ret->up = text_equal(row->word[at], TEXT("up"));
	return NULL;
}

/* ---- TLOCs: blocks of lines "name   value" ---- */

bool show_sdwan_end(struct show_sdwan *s, struct saved_record *ret)
{
	bool any = s->line && s->expect == 0 && s->tloc.has_spi;

	if (any)
		*ret = (struct saved_record){ .kind = SAVED_TLOC, .line = s->line, .tloc = s->tloc };
	s->line = 0;
	return any;
}

static bool take_field(struct text t, const char *name, struct text *ret_value)
{
	struct text word = text_take_word(&t);

	if (!text_equal(word, text_of(name)))
		return false;
	*ret_value = text_trim(t);
	return true;
}

static void read_tloc_address(struct text value, struct spimend_address *ret)
{
	struct spimend_address a;

	if (!spimend_address_known(ret) && value.len && spimend_address_parse(value.at, value.len, &a) == 0 && !is_unset(&a))
		*ret = a;
}

/* One entry may have come from several controllers: each "RECEIVED FROM:" is a record of its own. */
static enum show_result tloc_line(struct show_sdwan *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct text rest = t, value;

	if (text_take(&rest, TEXT("tloc entries for "))) {
		bool closed = show_sdwan_end(s, ret);

		s->tloc = (struct saved_tloc){ 0 };
		rest = text_trim(rest);
		s->line = rest.len && spimend_address_parse(rest.at, rest.len, &s->tloc.tloc) == 0 ? number : 0;
		s->expect = 1;
		if (!s->line && !closed) {
			*ret = (struct saved_record){ .line = number, .reason = "a TLOC without its address" };
			return SHOW_BAD;
		}
		return closed ? SHOW_RECORD : SHOW_TAKEN;
	}
	if (s->line && s->expect == 1 && t.at[0] != '-') {
		text_copy(t, s->tloc.color, sizeof(s->tloc.color));
		s->expect = 2;
		return SHOW_TAKEN;
	}
	if (s->line && s->expect == 2) { /* the encapsulation */
		s->expect = 0;
		return SHOW_TAKEN;
	}
	if (text_starts(t, TEXT("RECEIVED FROM"))) {
		struct saved_tloc next = { .tloc = s->tloc.tloc };
		bool closed;

		memcpy(next.color, s->tloc.color, sizeof(next.color));
		closed = show_sdwan_end(s, ret);
		s->tloc = next;
		s->line = number;
		return closed ? SHOW_RECORD : SHOW_TAKEN;
	}
	if (take_field(t, "peer", &value)) {
		if (value.len && spimend_address_parse(value.at, value.len, &s->tloc.from) == 0)
			s->tloc.own = is_unset(&s->tloc.from);
	} else if (take_field(t, "encap-spi", &value)) {
		s->tloc.has_spi = show_number(value, &s->tloc.spi.value);
	} else if (take_field(t, "public-ip", &value)) {
		read_tloc_address(value, &s->tloc.public);
	} else if (take_field(t, "private-ip", &value)) {
		read_tloc_address(value, &s->tloc.private);
	} else if (take_field(t, "version", &value)) {
		show_number(value, &s->tloc.version);
	}
	return SHOW_TAKEN; /* attributes come and go with releases: devices.md 3, unknown lines are normal */
}

/* "site-id                           21", between attributes that come and go with releases and the table of interfaces. 0 is
 * no site: the router has none yet. Nothing else in it is of use here; what authenticates the router stays where it is. */
static enum show_result edge_line(struct text t, uint32_t number, struct saved_record *ret)
{
	struct saved_record record = { .kind = SAVED_EDGE, .line = number };
	struct text value;

	if (!take_field(t, "site-id", &value))
		return SHOW_TAKEN;
	if (!show_number(value, &record.edge.site))
		record.reason = "a site that is no number";
	else if (record.edge.site == 0)
		return SHOW_TAKEN;
	*ret = record;
	return record.reason ? SHOW_BAD : SHOW_RECORD;
}

static bool is_header(struct text t)
{
	static const char *const words[] = { "SOURCE", "SRC ", "TLOC ADDRESS", "IP ", "SYSTEM IP", "DETECT", "---", "REMOTE", "DST ",
					     "PEER", "TYPE", "DOMAIN", "R ->", "I ->", "S ->", "TENANT" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_starts(t, text_of(words[i])))
			return true;
	return false;
}

enum show_result show_sdwan_line(struct show_sdwan *s, enum saved_output table, struct text t, uint32_t number,
				 struct saved_record *ret)
{
	struct saved_record record = { .line = number };
	struct row row;

	if (t.len == 0)
		return SHOW_TAKEN;
	if (table == OUTPUT_SDWAN_TLOCS)
		return tloc_line(s, t, number, ret);
	if (table == OUTPUT_SDWAN_EDGE)
		return edge_line(t, number, ret);
	if (is_header(t)) {
		if (text_starts(t, TEXT("SRC IP")))
			s->by_source = true;
		if (text_starts(t, TEXT("SYSTEM IP")))
			s->by_source = false;
		s->headed |= text_starts(t, TEXT("---"));
		return SHOW_TAKEN;
	}
	row = split(t);
	if (table == OUTPUT_SDWAN_LOCAL_SA) {
		record.kind = SAVED_LOCAL_SA;
		record.reason = read_local_sa(&row, &record.local_sa);
	} else if (table == OUTPUT_SDWAN_OUTBOUND) {
		record.kind = SAVED_OUTBOUND;
		record.reason = read_outbound(&row, &record.outbound);
	} else if (table == OUTPUT_SDWAN_CONTROL) {
		record.kind = SAVED_CONTROL;
		record.reason = read_control(&row, &record.control);
		if (record.reason && is_controller(row.word[0])) {
			*ret = record;
			return SHOW_BAD;
		}
	} else if (table == OUTPUT_SDWAN_OMP) {
		record.kind = SAVED_OMP_PEER;
		record.reason = read_omp_peer(&row, &record.omp_peer);
	} else {
		record.kind = SAVED_BFD;
		record.reason = read_bfd(&row, s->by_source, &record.bfd);
	}
	if (record.reason && !char_is_digit(row.word[0].at[0]) && text_find_char(row.word[0], ':') == TEXT_NOT_FOUND)
		return SHOW_NOTHING; /* no address in front: not a row at all */
	*ret = record;
	return record.reason ? SHOW_BAD : SHOW_RECORD;
}
