/* SPDX-License-Identifier: MIT */
#include "parse/sa_table.h"

#include "parse/dialect.h"
#include "parse/show.h"

/* A syslog line weighs 3, another unknown line 1. One line of a log may have come to the terminal in the middle of
 * the output, and releases print lines that we do not know; more of either means that the output is over. */
#define FOREIGN_MAX 5
#define FOREIGN_SYSLOG 3

/* SD-WAN's ports: base 12346, hops of 20 up to 12426, an offset of up to 19 (devices.md 5). */
#define SDWAN_PORT_FIRST 12346
#define SDWAN_PORT_LAST 12445

enum section { /* sa_table.section, low bits */
	SECTION_NONE,
	SECTION_INBOUND,
	SECTION_OUTBOUND,
	SECTION_SKIPPED, /* pcp: compression indexes are no SPIs */
	SECTION_MASK = 3,
};

enum seen { /* sa_table.section, high bits: of the block being read */
	SEEN_VRF = 1 << 2,
	SEEN_LOCAL_IDENT = 1 << 3,
	SEEN_PEER = 1 << 4,
	SEEN_ENCAPS = 1 << 5,
	SEEN_DECAPS = 1 << 6,
	SEEN_NO_EXPIRY = 1 << 7,
};

/* Lines of the output that tell us nothing. */
static const char *const ballast[] = {
	"#", "remote ident", "PERMIT", "DENY", "plaintext mtu", "path mtu", "PFS ", "DH group", "transform", "conn id", "conn_id",
	"slot:", "Kilobyte", "IV size", "replay detection", "Anti replay", "Status", "SA State", "PMTU", "ICMP error",
	"access-list", "dynamic allocated", "IPsecv6 policy", "Load for", "Time source", "<#root>", "sibling_flags",
	"crypto map", "flow_id", "-Traceback", "ip mtu", "ipv6 mtu", "Inactive", "There are no ipsec sas", "Group", "initiator",
	"0x", "DENY", "ACLs", "Local VPN", "Remote VPN", "ipsec overhead", "max rekey", "sa direction", "and ",
};

/* "local  ident (addr", "local ident (addr": blanks vary. */
static bool take_words(struct text *t, const char *first, const char *second)
{
	struct text rest = *t;

	if (!text_take(&rest, text_of(first)) || !text_take_blanks(&rest) || !text_take(&rest, text_of(second)))
		return false;
	*t = rest;
	return true;
}

static bool is_show_command(struct text typed)
{
	struct saved_filter filter;

	return show_command(typed, &filter) == OUTPUT_IPSEC_SA;
}

bool sa_table_may_start(struct text line)
{
	struct text host;

	line = show_clean(line);
	if (line.len < 8)
		return false;
	switch (line.at[0]) {
	case 'i':
		if (text_starts(line, TEXT("interface: ")))
			return true;
		break;
	case 'C':
		if (text_starts(line, TEXT("Crypto map tag: ")))
			return true;
		break;
	case 'l':
		if (take_words(&line, "local", "ident (addr"))
			return true;
		break;
	case 'p':
		if (text_starts(line, TEXT("protected vrf: ")))
			return true;
		break;
	case 'c':
		if (text_starts(line, TEXT("current_peer")))
			return true;
		break;
	default:
		break;
	}
	return show_take_prompt(&line, &host) && is_show_command(line);
}

/* ---- the block being read ---- */

static void open_block(struct sa_table *table)
{
	table->block = (struct sa_block){ .local = table->local };
	memcpy(table->block.interface, table->interface, sizeof(table->interface));
	memcpy(table->block.map_tag, table->map_tag, sizeof(table->map_tag));
	table->block.controller_keyed = text_has(text_of(table->map_tag), TEXT("-vesen-head-"));
	table->block.line = table->number;
	table->section = SECTION_NONE;
	table->block_open = true;
	table->want_remote = false;
}

static void need_block(struct sa_table *table)
{
	if (!table->block_open)
		open_block(table);
}

static bool multicast(const struct spimend_address *a)
{
	return (a->family == 4 && a->bytes[0] >> 4 == 0xe) || (a->family == 6 && a->bytes[0] == 0xff);
}

/* Hands out the block when it says anything. */
static bool close_block(struct sa_table *table, struct sa_block *ret)
{
	struct sa_block *b = &table->block;
	unsigned seen = table->section;

	if (!table->block_open)
		return false;
	table->block_open = false;
	table->want_remote = false;
	table->section = SECTION_NONE;
	if (!spimend_address_known(&b->peer) && b->inbound_count == 0 && b->outbound_count == 0)
		return false;
	/* One of the two lines alone would make the other counter a false zero. */
	b->has_counters = (seen & SEEN_ENCAPS) && (seen & SEEN_DECAPS);
	if (!b->has_counters)
		b->encaps = b->decaps = 0;
	if (multicast(&b->peer))
		b->manual_or_group = true;
	/* No negotiation gives both directions the same SPI. */
	for (size_t i = 0; i < b->inbound_count; i++)
		for (size_t k = 0; k < b->outbound_count; k++)
			if (b->inbound[i].value == b->outbound[k].value)
				b->manual_or_group = true;
	if ((b->manual_or_group && b->lifetime_s == 0) || !b->has_lifetime) {
		b->has_lifetime = b->has_lifetime_kb = false;
		b->lifetime_s = b->lifetime_kb = 0;
	}
	*ret = *b;
	return true;
}

static void add_spi(struct spimend_spi spi, bool ah, struct spimend_spi *list, size_t *count, size_t *dropped,
		    uint8_t *ret_ah)
{
	if (spi.value == 0) /* 0x0(0): there is no outbound SA */
		return;
	for (size_t i = 0; i < *count; i++) {
		if (list[i].value == spi.value) {
			*ret_ah |= (uint8_t)(ah << i);
			return;
		}
	}
	if (*count == SA_BLOCK_SPIS_MAX) {
		(*dropped)++;
		return;
	}
	*ret_ah |= (uint8_t)(ah << *count);
	list[(*count)++] = spi;
}

/* 0x397C36EE(964441838), 0x1E8246FC (511854332), DC15BF68; not [Not Available]. The hex is the truth. */
static bool read_spi(struct text t, struct spimend_spi *ret)
{
	struct text word;
	uint32_t value;

	text_take_blanks(&t);
	word = text_take_until(&t, " \t\r\n(,<");
	if (text_hex32(word, &value) != 0)
		return false;
	*ret = (struct spimend_spi){ value };
	return true;
}

/* An SA whose SPI cannot be read is an SA all the same: it counts as dropped, so that nobody takes the list for whole. */
static void add_inbound(struct sa_table *table, struct text t)
{
	struct spimend_spi spi;

	if (!table->block.inbound_line)
		table->block.inbound_line = table->number;
	if (read_spi(t, &spi))
		add_spi(spi, table->ah, table->block.inbound, &table->block.inbound_count, &table->block.inbound_dropped,
			&table->block.inbound_ah);
	else
		table->block.inbound_dropped++;
}

static void add_outbound(struct sa_table *table, struct text t)
{
	struct spimend_spi spi;

	if (!table->block.outbound_line)
		table->block.outbound_line = table->number;
	if (read_spi(t, &spi))
		add_spi(spi, table->ah, table->block.outbound, &table->block.outbound_count, &table->block.outbound_dropped,
			&table->block.outbound_ah);
	else
		table->block.outbound_dropped++;
}

/* The address at the start of t, up to a blank or comma; a /4500 behind it tells of NAT-T (ASA). */
static struct spimend_address read_address(struct text *t, struct sa_block *ret_natt)
{
	struct text word;

	text_take_blanks(t);
	word = text_take_until(t, " \t\r\n,");
	if (ret_natt && text_ends(word, TEXT("/4500")))
		ret_natt->encap_udp = ret_natt->encap_told = true;
	return dialect_address(word, NULL);
}

/* A netmask as IOS prints it, or a prefix length: what it prints for IPv6. */
static bool read_mask(struct text t, uint8_t *ret)
{
	struct spimend_address mask;
	uint64_t length;
	uint32_t bits;

	if (text_decimal(t, 128, &length) == 0) {
		*ret = (uint8_t)length;
		return true;
	}
	if (!t.len || spimend_address_parse(t.at, t.len, &mask) != 0 || mask.family != 4)
		return false;
	bits = (uint32_t)mask.bytes[0] << 24 | (uint32_t)mask.bytes[1] << 16 | (uint32_t)mask.bytes[2] << 8 | mask.bytes[3];
	*ret = (uint8_t)__builtin_popcount(bits);
	return (~bits & (~bits + 1)) == 0; /* no holes */
}

static void keep_ident(const struct text parts[4], struct sa_ident *ret)
{
	struct sa_ident ident = { .known = true };
	uint64_t protocol, port;

	if (!parts[0].len || spimend_address_parse(parts[0].at, parts[0].len, &ident.address) != 0 ||
	    !read_mask(parts[1], &ident.prefix) || text_decimal(parts[2], UINT8_MAX, &protocol) != 0 ||
	    text_decimal(parts[3], UINT16_MAX, &port) != 0)
		return;
	ident.protocol = (uint8_t)protocol;
	ident.port = (uint16_t)port;
	*ret = ident;
}

/* (10.10.10.1/255.255.255.255/0/12346) */
static void read_ident(struct sa_table *table, struct text t, bool local)
{
	size_t open = text_find(t, TEXT(": ("));
	struct text parts[4], ident;
	uint64_t port;
	size_t n = 0;

	if (open == TEXT_NOT_FOUND)
		return;
	ident = text_skip(t, open + 3);
	ident = text_take_until(&ident, ")");
	while (n < 4) {
		parts[n++] = text_take_until(&ident, "/");
		if (!text_take_char(&ident, '/'))
			break;
	}
	if (n < 4)
		return;
	keep_ident(parts, local ? &table->block.local_ident : &table->block.remote_ident);
	if (text_equal(parts[2], TEXT("89"))) /* OSPFv3: keys by hand */
		table->block.manual_or_group = true;
	if (local && text_decimal(parts[3], 65535, &port) == 0 && port >= SDWAN_PORT_FIRST && port <= SDWAN_PORT_LAST &&
		(text_equal(parts[1], TEXT("255.255.255.255")) || text_equal(parts[1], TEXT("128"))))
		table->block.controller_keyed = true;
}

static void read_counter(struct text t, uint64_t *ret, struct sa_table *table, unsigned seen)
{
	text_take_blanks(&t);
	if (text_take_digits(&t, 19, ret, NULL))
		table->section |= seen;
}

/* "current_peer 192.0.2.1 port 4500", ASA "current_peer: 192.0.2.1, username: u" */
static void read_peer(struct sa_table *table, struct text t)
{
	uint64_t number;

	text_take_blanks(&t);
	text_take_char(&t, ':');
	table->block.peer = read_address(&t, NULL);
	text_take_blanks(&t);
	if (text_take(&t, TEXT("port "))) {
		struct text port = text_take_word(&t);

		if (text_equal(port, TEXT("4500")))
			table->block.encap_udp = table->block.encap_told = true;
		if (text_decimal(port, UINT16_MAX, &number) == 0)
			table->block.peer_port = (uint16_t)number;
		if (text_equal(port, TEXT("848"))) /* GDOI, RFC 6407: one key for a group */
			table->block.manual_or_group = true;
	}
	table->section |= SEEN_PEER;
}

static void read_remote_endpoint(struct sa_table *table, struct text t)
{
	struct spimend_address a;

	text_take_blanks(&t);
	if (t.len == 0) {
		table->want_remote = true;
		return;
	}
	a = read_address(&t, &table->block);
	if (!spimend_address_known(&table->block.peer))
		table->block.peer = a;
}

/* "local crypto endpt.: A, remote crypto endpt.: B", or each on its line */
static void read_endpoints(struct sa_table *table, struct text t)
{
	struct spimend_address a = read_address(&t, &table->block);
	size_t remote = text_find(t, TEXT("remote crypto endpt.:"));

	if (!spimend_address_known(&table->block.local))
		table->block.local = a;
	if (remote != TEXT_NOT_FOUND)
		read_remote_endpoint(table, text_skip(t, remote + 21));
}

/* "1 hours, 10 mins"; false when no number with a unit stands there */
static bool read_duration(struct text t, uint64_t *ret_s)
{
	static const struct {
		const char *unit;
		uint64_t seconds;
	} units[] = { { "day", 86400 }, { "hour", 3600 }, { "hr", 3600 }, { "min", 60 }, { "sec", 1 } };
	uint64_t sum = 0, n;
	bool any = false;

	for (;;) {
		bool known = false;

		text_take_blanks(&t);
		if (!text_take_digits(&t, 9, &n, NULL))
			break;
		text_take_blanks(&t);
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && !known; i++)
			if (text_starts_nocase(t, text_of(units[i].unit))) {
				sum += n * units[i].seconds;
				known = true;
			}
		if (!known)
			break;
		any = true;
		text_take_until(&t, ",");
		text_take_char(&t, ',');
	}
	*ret_s = sum;
	return any;
}

/* "(k/sec): (4607999/83191)", "(sec): 548", "(KB/Sec): (Kilobyte Volume Rekey has been disabled/3000)",
 * "1 hours, 10 mins", "0", "is not applicable" */
static void read_lifetime(struct sa_table *table, struct text t)
{
	size_t at = text_find(t, TEXT("lifetime"));
	struct text value;
	uint64_t seconds, volume;

	if (at == TEXT_NOT_FOUND || (table->section & SECTION_MASK) != SECTION_OUTBOUND)
		return;
	t = text_trim(text_skip(t, at + 8));
	if (!read_duration(t, &seconds)) {
		at = text_find(t, TEXT("):"));
		value = at == TEXT_NOT_FOUND ? t : text_trim(text_skip(t, at + 2));
		if (text_take_char(&value, '(')) {
			if (text_decimal(text_take_until(&value, "/)"), UINT32_MAX, &volume) == 0) {
				if (!table->block.has_lifetime_kb || volume < table->block.lifetime_kb)
					table->block.lifetime_kb = volume;
				table->block.has_lifetime_kb = true;
			}
			if (!text_take_char(&value, '/'))
				return;
		}
		if (!text_take_digits(&value, 10, &seconds, NULL))
			return;
	}
	if (!table->block.has_lifetime || seconds < table->block.lifetime_s)
		table->block.lifetime_s = seconds;
	table->block.has_lifetime = true;
}

/* "inbound esp sas:" */
static bool take_section(struct sa_table *table, struct text t)
{
	bool inbound = text_take(&t, TEXT("inbound "));
	struct text kind;

	if (!inbound && !text_take(&t, TEXT("outbound ")))
		return false;
	kind = text_take_word(&t);
	text_take_blanks(&t);
	if (!text_starts(t, TEXT("sas")))
		return false;
	need_block(table);
	table->block.whole |= !inbound;
	table->ah = text_equal(kind, TEXT("ah"));
	table->section &= ~(unsigned)SECTION_MASK;
	if (text_equal(kind, TEXT("esp")) || text_equal(kind, TEXT("ah")))
		table->section |= inbound ? SECTION_INBOUND : SECTION_OUTBOUND;
	else
		table->section |= SECTION_SKIPPED;
	return true;
}

/* ---- lines that open something: each may close the block before ---- */

static void read_interface(struct sa_table *table, struct text t)
{
	memset(table->map_tag, 0, sizeof(table->map_tag));
	table->local = (struct spimend_address){ 0 };
	text_copy(text_take_word(&t), table->interface, sizeof(table->interface));
}

/* "Crypto map tag: TAG, local addr A"; ASA "Crypto map tag: TAG, seq num: 2, local addr: A" */
static void read_map_tag(struct sa_table *table, struct text t)
{
	struct text tag = text_trim(text_take_until(&t, ","));
	size_t local = text_find(t, TEXT("local addr"));

	text_copy(tag, table->map_tag, sizeof(table->map_tag));
	table->local = (struct spimend_address){ 0 };
	if (local == TEXT_NOT_FOUND)
		return;
	t = text_skip(t, local + 10);
	text_take_char(&t, ':');
	table->local = read_address(&t, NULL);
}

/* What a line does besides being taken. */
enum effect {
	EFFECT_FOREIGN,
	EFFECT_TAKEN,
	EFFECT_CLOSED, /* taken, and a block is in *ret */
};

static enum effect read_opening(struct sa_table *table, struct text t, struct sa_block *ret)
{
	struct text rest = t;
	bool closed = false;

	if (text_take(&rest, TEXT("interface: "))) {
		closed = close_block(table, ret);
		read_interface(table, rest);
	} else if (text_take(&rest, TEXT("Crypto map tag: "))) {
		closed = close_block(table, ret);
		read_map_tag(table, rest);
	} else if (text_starts(t, TEXT("protected vrf:"))) {
		closed = close_block(table, ret);
		open_block(table);
		table->section |= SEEN_VRF;
	} else if (take_words(&rest, "local", "ident (")) {
		if (table->section & (SEEN_LOCAL_IDENT | SEEN_PEER))
			closed = close_block(table, ret);
		need_block(table);
		table->section |= SEEN_LOCAL_IDENT;
		read_ident(table, rest, true);
	} else if (text_take(&rest, TEXT("current_peer"))) {
		if (table->section & SEEN_PEER)
			closed = close_block(table, ret);
		need_block(table);
		read_peer(table, rest);
	} else {
		return EFFECT_FOREIGN;
	}
	return closed ? EFFECT_CLOSED : EFFECT_TAKEN;
}

static bool is_ballast(struct text t)
{
	return show_starts_any(t, ballast, sizeof(ballast) / sizeof(ballast[0]));
}

static bool read_detail(struct sa_table *table, struct text t)
{
	struct text rest = t;
	unsigned section = table->section & SECTION_MASK;

	if (take_section(table, t))
		return true;
	if (text_starts(t, TEXT("slot:")))
		table->block.source = SA_BLOCK_ASA;
	if (take_words(&rest, "remote", "ident (")) {
		read_ident(table, rest, false);
	} else if (text_take(&rest, TEXT("#pkts encaps:"))) {
		read_counter(rest, &table->block.encaps, table, SEEN_ENCAPS);
	} else if (text_take(&rest, TEXT("#pkts decaps:"))) {
		read_counter(rest, &table->block.decaps, table, SEEN_DECAPS);
	} else if (text_take(&rest, TEXT("local crypto endpt.:"))) {
		read_endpoints(table, rest);
	} else if (text_take(&rest, TEXT("remote crypto endpt.:"))) {
		read_remote_endpoint(table, rest);
	} else if (text_take(&rest, TEXT("current outbound spi"))) {
		table->ah = false;
		text_take_blanks(&rest);
		text_take_char(&rest, ':');
		add_outbound(table, rest);
	} else if (text_take(&rest, TEXT("current inbound spi"))) {
		text_take_blanks(&rest);
		text_take_char(&rest, ':');
		add_inbound(table, rest);
	} else if (text_take(&rest, TEXT("spi:"))) {
		if (section == SECTION_INBOUND)
			add_inbound(table, rest);
		else if (section == SECTION_OUTBOUND)
			add_outbound(table, rest);
	} else if (text_take(&rest, TEXT("in use settings"))) {
		table->block.encap_told = true;
		if (text_has(rest, TEXT("UDP-Encaps")) || text_has(rest, TEXT("NAT-T")))
			table->block.encap_udp = true;
	} else if (text_take(&rest, TEXT("sa timing"))) {
		read_lifetime(table, rest);
	} else if (table->want_remote) {
		struct spimend_address a = read_address(&rest, &table->block);

		table->want_remote = false;
		if (!spimend_address_known(&a))
			return is_ballast(t);
		if (!spimend_address_known(&table->block.peer))
			table->block.peer = a;
	} else {
		return is_ballast(t);
	}
	return true;
}

/* The output is over: what was stated once per interface holds no longer. */
static enum sa_table_result leave(struct sa_table *table, struct sa_block *ret)
{
	bool closed = close_block(table, ret);

	memset(table, 0, sizeof(*table));
	return closed ? SA_TABLE_BLOCK : SA_TABLE_NOTHING;
}

enum sa_table_result sa_table_line(struct sa_table *table, struct text line, struct sa_block *ret)
{
	struct text t = show_clean(line), rest = t, host;
	enum effect effect;

	if (!table->inside && !sa_table_may_start(line))
		return SA_TABLE_NOTHING;
	if (t.len == 0)
		return SA_TABLE_TAKEN;
	if (show_take_prompt(&rest, &host)) {
		enum sa_table_result result = leave(table, ret);

		table->inside = is_show_command(rest);
		if (result == SA_TABLE_BLOCK)
			return result;
		return table->inside ? SA_TABLE_TAKEN : SA_TABLE_NOTHING;
	}
	effect = read_opening(table, t, ret);
	if (effect == EFFECT_FOREIGN) {
		/* Idents and peer may be missing; a block that stays empty is dropped when it closes. */
		need_block(table);
		if (read_detail(table, t))
			effect = EFFECT_TAKEN;
	}
	if (effect == EFFECT_FOREIGN) {
		table->foreign += show_is_syslog(t) ? FOREIGN_SYSLOG : 1;
		return table->foreign >= FOREIGN_MAX ? leave(table, ret) : SA_TABLE_NOTHING;
	}
	table->inside = true;
	table->foreign = 0;
	return effect == EFFECT_CLOSED ? SA_TABLE_BLOCK : SA_TABLE_TAKEN;
}

bool sa_table_end(struct sa_table *table, struct sa_block *ret)
{
	bool closed = close_block(table, ret);

	memset(table, 0, sizeof(*table));
	return closed;
}
