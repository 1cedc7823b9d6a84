/* SPDX-License-Identifier: MIT */
#include "parse/frame.h"

#define ETHERNET_HEADER 14
#define TYPE_VLAN 0x8100
#define TYPE_QINQ 0x88a8
#define TYPE_QINQ_OLD 0x9100
#define TYPE_BRIDGED 0x6558 /* Ethernet in GRE */
#define COOKED_HEADER 16
#define COOKED2_HEADER 20
enum { PROTOCOL_IPV4 = 4, PROTOCOL_UDP = 17, PROTOCOL_IPV6 = 41, PROTOCOL_GRE = 47 };
enum { GRE_CHECKSUM = 0x8000, GRE_KEY = 0x2000, GRE_SEQUENCE = 0x1000, GRE_VERSION = 7 };
enum { IPV4_MORE = 0x2000, IPV4_OFFSET = 0x1fff, IPV6_MORE = 0x0001, IPV6_OFFSET = 0xfff8 }; /* RFC 791 3.1, RFC 8200 4.5 */
#define PORT_IKE 500
#define PORT_NATT 4500
#define NON_ESP_MARKER 4
enum { NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_DESTINATION = 60 }; /* RFC 8200 4 */

/* What is left to read: the capture, and how many bytes the packet has by its own lengths, whatever was captured. */
struct cursor {
	struct text capture;
	size_t at;   /* offset into the capture */
	size_t left; /* bytes of the packet from `at` */
	int tunnels; /* headers around it so far */
	bool is_part; /* of a capture file: the first fragment, and its UDP length is that of the whole */
};

/* Copies `size` bytes out without moving. Tells a packet that is too short from a capture that is. */
static enum frame_result copy(const struct cursor *c, uint8_t *to, size_t size)
{
	if (c->left < size)
		return FRAME_MALFORMED;
	if (c->at > c->capture.len || c->capture.len - c->at < size)
		return FRAME_TRUNCATED;
	memcpy(to, c->capture.at + c->at, size);
	return FRAME_FOUND;
}

static void skip(struct cursor *c, size_t size)
{
	c->at += size;
	c->left -= size;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static bool is_port(uint16_t port, const struct frame_ports *ports)
{
	if (port == PORT_NATT || (ports && ports->any))
		return true;
	for (size_t i = 0; ports && i < ports->count && i < FRAME_PORTS_MAX; i++)
		if (ports->port[i] == port)
			return true;
	return false;
}

/* Of a capture file: the other direction, from 4500 to wherever a NAT put the peer. */
static bool is_from_port(uint16_t port, const struct frame_ports *ports)
{
	return ports && ports->is_file && port == PORT_NATT;
}

static bool is_tunnel(uint8_t protocol, const struct frame_ports *ports)
{
	return ports && ports->is_file && (protocol == PROTOCOL_IPV4 || protocol == PROTOCOL_IPV6 || protocol == PROTOCOL_GRE);
}

static bool is_ipsec(uint8_t protocol)
{
	return protocol == SPIMEND_PROTOCOL_ESP || protocol == SPIMEND_PROTOCOL_AH;
}

static enum frame_result read_ipsec(struct cursor *c, struct frame *f)
{
	uint8_t header[12];
	size_t size = f->protocol == SPIMEND_PROTOCOL_AH ? 12 : 8; /* RFC 4302 2, RFC 4303 2 */
	enum frame_result result = copy(c, header, size);

	if (result != FRAME_FOUND)
		return result;
	f->spi = get32(header + size - 8);
	f->sequence = get32(header + size - 4);
	f->used = (uint32_t)(c->at + size);
	f->left = (uint32_t)(c->left - size);
	return FRAME_FOUND;
}

static enum frame_result find_ike(const struct cursor *c, size_t marker, struct frame *f)
{
	f->used = (uint32_t)(c->at + marker);
	f->left = (uint32_t)(c->left - marker);
	return FRAME_IKE;
}

static enum frame_result read_udp(struct cursor *c, const struct frame_ports *ports, struct frame *f)
{
	uint8_t header[8], first;
	enum frame_result result = copy(c, header, sizeof(header));
	uint16_t length;
	bool is_ike;

	if (result != FRAME_FOUND)
		return result;
	f->src_port = get16(header);
	f->dst_port = get16(header + 2);
	length = get16(header + 4);
	is_ike = ports && ports->is_file && (f->dst_port == PORT_IKE || f->src_port == PORT_IKE);
	if (!is_ike && !is_port(f->dst_port, ports) && !is_from_port(f->src_port, ports))
		return FRAME_NOT_IPSEC;
	if (length < sizeof(header) || (length > c->left && !c->is_part))
		return FRAME_MALFORMED;
	c->left = length; /* what follows may be Ethernet's padding: no part of a keepalive (B9) */
	skip(c, sizeof(header));
	if (is_ike)
		return find_ike(c, 0, f);
	if (c->left == 1) {
		result = copy(c, &first, 1);
		return result != FRAME_FOUND ? result : first == 0xff ? FRAME_KEEPALIVE : FRAME_NOT_IPSEC;
	}
	f->encap_udp = true;
	f->protocol = SPIMEND_PROTOCOL_ESP;
	result = read_ipsec(c, f);
	if (result == FRAME_MALFORMED)
		return FRAME_NOT_IPSEC; /* any few bytes at this port */
	return result == FRAME_FOUND && f->spi == 0 ? find_ike(c, NON_ESP_MARKER, f) : result;
}

static enum frame_result read_from(struct cursor *c, uint16_t type, const struct frame_ports *ports, struct frame *f);

static enum frame_result read_gre(struct cursor *c, const struct frame_ports *ports, struct frame *f)
{
	uint8_t header[4], type[2];
	enum frame_result result = copy(c, header, sizeof(header));
	uint16_t flags = get16(header);
	size_t size = sizeof(header);

	if (result != FRAME_FOUND)
		return result;
	if (flags & GRE_VERSION) /* PPTP's: PPP inside */
		return FRAME_NOT_IPSEC;
	size += (flags & GRE_CHECKSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0) + (flags & GRE_SEQUENCE ? 4 : 0);
	if (size > c->left)
		return FRAME_MALFORMED;
	skip(c, size);
	if (get16(header + 2) != TYPE_BRIDGED)
		return read_from(c, get16(header + 2), ports, f);
	if (c->left < ETHERNET_HEADER)
		return FRAME_MALFORMED;
	skip(c, ETHERNET_HEADER - sizeof(type));
	result = copy(c, type, sizeof(type));
	if (result != FRAME_FOUND)
		return result;
	skip(c, sizeof(type));
	return read_from(c, get16(type), ports, f);
}

/* What is not IP in there is no IPsec. */
static enum frame_result read_tunnel(struct cursor *c, const struct frame_ports *ports, struct frame *f)
{
	uint8_t protocol = f->protocol;
	enum frame_result result;

	if (c->tunnels++ == FRAME_TUNNELS_MAX)
		return FRAME_CHAIN;
	if (protocol == PROTOCOL_GRE)
		result = read_gre(c, ports, f);
	else
		result = read_from(c, protocol == PROTOCOL_IPV4 ? FRAME_TYPE_IPV4 : FRAME_TYPE_IPV6, ports, f);
	return result == FRAME_NOT_IP ? FRAME_NOT_IPSEC : result;
}

static enum frame_result read_transport(struct cursor *c, const struct frame_ports *ports, struct frame *f)
{
	if (is_tunnel(f->protocol, ports))
		return read_tunnel(c, ports, f);
	return f->protocol == PROTOCOL_UDP ? read_udp(c, ports, f) : read_ipsec(c, f);
}

static enum frame_result read_ipv4(struct cursor *c, const struct frame_ports *ports, struct frame *f)
{
	uint8_t header[20];
	enum frame_result result = copy(c, header, sizeof(header));
	size_t size, total;

	if (result != FRAME_FOUND)
		return result;
	size = (header[0] & 15) * 4;
	total = get16(header + 2);
	if (header[0] >> 4 != 4 || size < sizeof(header))
		return FRAME_MALFORMED;
	f->protocol = header[9];
	if (!is_ipsec(f->protocol) && f->protocol != PROTOCOL_UDP && !is_tunnel(f->protocol, ports))
		return FRAME_NOT_IPSEC;
	if (total < size || (c->tunnels && total > c->left))
		return FRAME_MALFORMED;
	if (get16(header + 6) & IPV4_OFFSET)
		return is_ipsec(f->protocol) ? FRAME_LATER_FRAGMENT : FRAME_NOT_IPSEC;
	f->src.family = f->dst.family = 4;
	memset(f->src.bytes + 4, 0, sizeof(f->src.bytes) - 4); /* of a header around this one */
	memset(f->dst.bytes + 4, 0, sizeof(f->dst.bytes) - 4);
	memcpy(f->src.bytes, header + 12, 4);
	memcpy(f->dst.bytes, header + 16, 4);
	c->left = total;
	c->is_part = ports && ports->is_file && get16(header + 6) & IPV4_MORE;
	skip(c, size);
	return read_transport(c, ports, f);
}

static enum frame_result read_extensions(struct cursor *c, uint8_t next, const struct frame_ports *ports, struct frame *f)
{
	for (int i = 0; i <= FRAME_EXTENSIONS_MAX; i++) {
		uint8_t head[8];
		enum frame_result result;
		size_t size = sizeof(head);

		if (is_ipsec(next) || next == PROTOCOL_UDP || is_tunnel(next, ports)) {
			f->protocol = next;
			return read_transport(c, ports, f);
		}
		if (next != NEXT_HOP_BY_HOP && next != NEXT_ROUTING && next != NEXT_DESTINATION && next != NEXT_FRAGMENT)
			return FRAME_NOT_IPSEC;
		result = copy(c, head, sizeof(head));
		if (result != FRAME_FOUND)
			return result;
		if (next != NEXT_FRAGMENT)
			size += (size_t)head[1] * 8;
		else if (get16(head + 2) & IPV6_OFFSET)
			return is_ipsec(head[0]) ? FRAME_LATER_FRAGMENT : FRAME_NOT_IPSEC;
		else
			c->is_part = ports && ports->is_file && get16(head + 2) & IPV6_MORE;
		if (size > c->left)
			return FRAME_MALFORMED;
		next = head[0];
		skip(c, size);
	}
	return FRAME_CHAIN;
}

static enum frame_result read_ipv6(struct cursor *c, const struct frame_ports *ports, struct frame *f)
{
	uint8_t header[40];
	enum frame_result result = copy(c, header, sizeof(header));

	if (result != FRAME_FOUND)
		return result;
	if (header[0] >> 4 != 6)
		return FRAME_MALFORMED;
	f->src.family = f->dst.family = 6;
	memcpy(f->src.bytes, header + 8, 16);
	memcpy(f->dst.bytes, header + 24, 16);
	skip(c, sizeof(header));
	if (c->tunnels && get16(header + 4) > c->left)
		return FRAME_MALFORMED;
	c->left = get16(header + 4);
	return read_extensions(c, header[6], ports, f);
}

static enum frame_result read_from(struct cursor *c, uint16_t type, const struct frame_ports *ports, struct frame *f)
{
	for (int i = 0; i <= FRAME_TAGS_MAX; i++) {
		uint8_t tag[4];
		enum frame_result result;

		if (type == FRAME_TYPE_IPV4)
			return read_ipv4(c, ports, f);
		if (type == FRAME_TYPE_IPV6)
			return read_ipv6(c, ports, f);
		if (type != TYPE_VLAN && type != TYPE_QINQ && type != TYPE_QINQ_OLD)
			return FRAME_NOT_IP;
		result = copy(c, tag, sizeof(tag));
		if (result != FRAME_FOUND)
			return result;
		type = get16(tag + 2);
		skip(c, sizeof(tag));
	}
	return FRAME_CHAIN;
}

/* Is there something in *ret? */
static bool is_told(enum frame_result result, const struct frame_ports *ports)
{
	return result == FRAME_FOUND || (result == FRAME_IKE && ports && ports->is_file);
}

/* Behind a link header of `size` bytes that says the type at `type_at`. */
static enum frame_result read_behind(struct text capture, size_t size, size_t type_at, const struct frame_ports *ports,
				     struct frame *ret)
{
	enum frame_result result;
	uint8_t type[2];

	if (capture.len < size)
		return FRAME_TRUNCATED;
	memcpy(type, capture.at + type_at, sizeof(type));
	if (get16(type) == 0) /* to frame_read_network() this would mean: look yourself */
		return FRAME_NOT_IP;
	result = frame_read_network(text_skip(capture, size), get16(type), ports, ret);
	if (is_told(result, ports))
		ret->used += (uint32_t)size;
	return result;
}

enum frame_result frame_read_network(struct text capture, uint16_t type, const struct frame_ports *ports, struct frame *ret)
{
	/* How long a packet is only IP says: until then it has no end. */
	struct cursor c = { capture, 0, SIZE_MAX, 0, false };
	struct frame f = { 0 };
	enum frame_result result;

	if (!type && capture.len)
		type = (uint8_t)capture.at[0] >> 4 == 4 ? FRAME_TYPE_IPV4 : (uint8_t)capture.at[0] >> 4 == 6 ? FRAME_TYPE_IPV6 : 0;
	result = read_from(&c, type, ports, &f);
	if (is_told(result, ports))
		*ret = f;
	return result;
}

enum frame_result frame_read_ethernet(struct text capture, const struct frame_ports *ports, struct frame *ret)
{
	return read_behind(capture, ETHERNET_HEADER, ETHERNET_HEADER - 2, ports, ret);
}

enum frame_result frame_read_cooked(struct text capture, int version, const struct frame_ports *ports, struct frame *ret)
{
	if (version == 1)
		return read_behind(capture, COOKED_HEADER, COOKED_HEADER - 2, ports, ret);
	return read_behind(capture, COOKED2_HEADER, 0, ports, ret);
}

const char *frame_result_name(enum frame_result result)
{
	static const char *const names[FRAME_RESULTS] = {
		[FRAME_FOUND] = "found",
		[FRAME_NOT_IP] = "not IP",
		[FRAME_NOT_IPSEC] = "not IPsec",
		[FRAME_IKE] = "IKE",
		[FRAME_KEEPALIVE] = "NAT keepalive",
		[FRAME_LATER_FRAGMENT] = "later fragment",
		[FRAME_TRUNCATED] = "truncated capture",
		[FRAME_MALFORMED] = "malformed",
		[FRAME_CHAIN] = "too many headers",
	};

	return (unsigned)result < FRAME_RESULTS ? names[result] : "?";
}
