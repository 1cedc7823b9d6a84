/* SPDX-License-Identifier: MIT */
#include "parse/frame.h"

#define ETHERNET_HEADER 14
#define TYPE_VLAN 0x8100
#define TYPE_QINQ 0x88a8
#define TYPE_QINQ_OLD 0x9100
#define PROTOCOL_UDP 17
#define PORT_NATT 4500
enum { NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_DESTINATION = 60 }; /* RFC 8200 4 */

/* What is left to read: the capture, and how many bytes the packet has by its own lengths, whatever was captured. */
struct cursor {
	struct text capture;
	size_t at;   /* offset into the capture */
	size_t left; /* bytes of the packet from `at` */
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
	return FRAME_FOUND;
}

static enum frame_result read_udp(struct cursor *c, const struct frame_ports *ports, struct frame *f)
{
	uint8_t header[8], first;
	enum frame_result result = copy(c, header, sizeof(header));
	uint16_t length;

	if (result != FRAME_FOUND)
		return result;
	f->src_port = get16(header);
	f->dst_port = get16(header + 2);
	length = get16(header + 4);
	if (!is_port(f->dst_port, ports))
		return FRAME_NOT_IPSEC;
	if (length < sizeof(header) || length > c->left)
		return FRAME_MALFORMED;
	c->left = length; /* what follows may be Ethernet's padding: no part of a keepalive (B9) */
	skip(c, sizeof(header));
	if (c->left == 1) {
		result = copy(c, &first, 1);
		return result != FRAME_FOUND ? result : first == 0xff ? FRAME_KEEPALIVE : FRAME_NOT_IPSEC;
	}
	f->encap_udp = true;
	f->protocol = SPIMEND_PROTOCOL_ESP;
	result = read_ipsec(c, f);
	if (result == FRAME_MALFORMED)
		return FRAME_NOT_IPSEC; /* any few bytes at this port */
	return result == FRAME_FOUND && f->spi == 0 ? FRAME_IKE : result;
}

static enum frame_result read_transport(struct cursor *c, const struct frame_ports *ports, struct frame *f)
{
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
	if (!is_ipsec(f->protocol) && f->protocol != PROTOCOL_UDP)
		return FRAME_NOT_IPSEC;
	if (total < size)
		return FRAME_MALFORMED;
	if (get16(header + 6) & 0x1fff)
		return is_ipsec(f->protocol) ? FRAME_LATER_FRAGMENT : FRAME_NOT_IPSEC;
	f->src.family = f->dst.family = 4;
	memcpy(f->src.bytes, header + 12, 4);
	memcpy(f->dst.bytes, header + 16, 4);
	c->left = total;
	skip(c, size);
	return read_transport(c, ports, f);
}

static enum frame_result read_extensions(struct cursor *c, uint8_t next, const struct frame_ports *ports, struct frame *f)
{
	for (int i = 0; i <= FRAME_EXTENSIONS_MAX; i++) {
		uint8_t head[8];
		enum frame_result result;
		size_t size = sizeof(head);

		if (is_ipsec(next) || next == PROTOCOL_UDP) {
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
		else if (get16(head + 2) & 0xfff8)
			return is_ipsec(head[0]) ? FRAME_LATER_FRAGMENT : FRAME_NOT_IPSEC;
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

enum frame_result frame_read_network(struct text capture, uint16_t type, const struct frame_ports *ports, struct frame *ret)
{
	/* How long a packet is only IP says: until then it has no end. */
	struct cursor c = { capture, 0, SIZE_MAX };
	struct frame f = { 0 };
	enum frame_result result;

	if (!type && capture.len)
		type = (uint8_t)capture.at[0] >> 4 == 4 ? FRAME_TYPE_IPV4 : (uint8_t)capture.at[0] >> 4 == 6 ? FRAME_TYPE_IPV6 : 0;
	result = read_from(&c, type, ports, &f);
	if (result == FRAME_FOUND)
		*ret = f;
	return result;
}

enum frame_result frame_read_ethernet(struct text capture, const struct frame_ports *ports, struct frame *ret)
{
	enum frame_result result;
	uint8_t type[2];

	if (capture.len < ETHERNET_HEADER)
		return FRAME_TRUNCATED;
	memcpy(type, capture.at + 12, sizeof(type));
	if (get16(type) == 0) /* to frame_read_network() this would mean: look yourself */
		return FRAME_NOT_IP;
	result = frame_read_network(text_skip(capture, ETHERNET_HEADER), get16(type), ports, ret);
	if (result == FRAME_FOUND)
		ret->used += ETHERNET_HEADER;
	return result;
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
