/* SPDX-License-Identifier: MIT */
#include "parse/capture_packet.h"

#include "parse/ike.h"

static const struct {
	uint16_t type;
	uint8_t link;
	const char *name;
} links[] = {
	{ 0, LINK_REFUSED, "BSD loopback" },
	{ 1, LINK_ETHERNET, "Ethernet" },
	{ 6, LINK_REFUSED, "token ring" },
	{ 8, LINK_REFUSED, "SLIP" },
	{ 9, LINK_REFUSED, "PPP" },
	{ 10, LINK_REFUSED, "FDDI" },
	{ 12, LINK_RAW, "raw IP" },
	{ 14, LINK_RAW, "raw IP" },
	{ 50, LINK_REFUSED, "PPP in HDLC framing" },
	{ 51, LINK_REFUSED, "PPPoE" },
	{ 101, LINK_RAW, "raw IP" },
	{ 104, LINK_REFUSED, "Cisco HDLC" },
	{ 105, LINK_REFUSED, "IEEE 802.11" },
	{ 107, LINK_REFUSED, "frame relay" },
	{ 108, LINK_REFUSED, "OpenBSD loopback" },
	{ 109, LINK_REFUSED, "OpenBSD enc" },
	{ 113, LINK_COOKED, "Linux cooked v1" },
	{ 117, LINK_REFUSED, "OpenBSD pflog" },
	{ 119, LINK_REFUSED, "IEEE 802.11 with Prism header" },
	{ 127, LINK_REFUSED, "IEEE 802.11 with radiotap" },
	{ 147, LINK_REFUSED, "user 0" },
	{ 187, LINK_REFUSED, "Bluetooth HCI" },
	{ 189, LINK_REFUSED, "USB" },
	{ 192, LINK_REFUSED, "PPI" },
	{ 195, LINK_REFUSED, "IEEE 802.15.4" },
	{ 197, LINK_REFUSED, "ERF" },
	{ 220, LINK_REFUSED, "USB with padded header" },
	{ 227, LINK_REFUSED, "CAN" },
	{ 228, LINK_IPV4, "raw IPv4" },
	{ 229, LINK_IPV6, "raw IPv6" },
	{ 239, LINK_REFUSED, "nflog" },
	{ 240, LINK_REFUSED, "netANALYZER" },
	{ 249, LINK_REFUSED, "USBPcap" },
	{ 253, LINK_REFUSED, "netlink" },
	{ 276, LINK_COOKED2, "Linux cooked v2" },
};

enum capture_link capture_link_of(uint32_t linktype)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].type == linktype)
			return (enum capture_link)links[i].link;
	return LINK_REFUSED;
}

const char *capture_link_name(uint32_t linktype)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].type == linktype)
			return links[i].name;
	return "unknown";
}

static const struct frame_ports ports = { .is_file = true };

static enum frame_result read_link(enum capture_link link, struct text capture, struct frame *ret)
{
	switch (link) {
	case LINK_ETHERNET:
		return frame_read_ethernet(capture, &ports, ret);
	case LINK_RAW:
		return frame_read_network(capture, 0, &ports, ret);
	case LINK_IPV4:
		return frame_read_network(capture, FRAME_TYPE_IPV4, &ports, ret);
	case LINK_IPV6:
		return frame_read_network(capture, FRAME_TYPE_IPV6, &ports, ret);
	case LINK_COOKED:
		return frame_read_cooked(capture, 1, &ports, ret);
	case LINK_COOKED2:
		return frame_read_cooked(capture, 2, &ports, ret);
	case LINK_REFUSED:
	case LINKS:
		break;
	}
	return FRAME_NOT_IP;
}

static enum frame_result read_ike(struct text capture, const struct frame *f, struct packet *ret)
{
	struct ike_message m;
	enum ike_result result = ike_read(text_skip(capture, f->used), f->left, &m);

	if (result != IKE_READ)
		return result == IKE_CUT ? FRAME_TRUNCATED : FRAME_MALFORMED;
	ret->key.src = f->src;
	ret->key.dst = f->dst;
	ret->key.encap_udp = f->encap_udp;
	ret->ike = (uint8_t)m.exchange;
	ret->is_response = m.is_response;
	ret->has_bad_spi = m.has_bad_spi;
	ret->bad_spi = m.bad_spi;
	ret->bad_protocol = m.bad_protocol;
	return FRAME_IKE;
}

enum frame_result capture_packet_read_slowly(enum capture_link link, struct text capture, struct packet *ret)
{
	struct frame f;
	enum frame_result result = read_link(link, capture, &f);

	if (result == FRAME_IKE)
		return read_ike(capture, &f, ret);
	if (result != FRAME_FOUND)
		return result;
	ret->key = (struct packet_key){ f.src, f.dst, f.protocol, f.encap_udp, f.spi };
	ret->sequence = f.sequence;
	return FRAME_FOUND;
}

/* ---- the short cut ---- */

static inline uint16_t load16(const char *at)
{
	return (uint16_t)((uint8_t)at[0] << 8 | (uint8_t)at[1]);
}

static inline uint32_t load32(const char *at)
{
	return (uint32_t)load16(at) << 16 | load16(at + 2);
}

/* Behind an IP header: ESP, or in UDP port 4500. False: the slow way has to look. `left` by IP's length. */
static inline bool read_quickly(const char *at, uint8_t protocol, size_t captured, size_t left, struct packet *p)
{
	if (protocol == 17) {
		uint16_t length;

		if (captured < 16 || left < 16)
			return false;
		length = load16(at + 4);
		if ((load16(at) != 4500 && load16(at + 2) != 4500) || load16(at) == 500 || load16(at + 2) == 500)
			return false;
		if (length < 16 || length > left)
			return false;
		at += 8;
		if (load32(at) == 0)
			return false;
		p->key.encap_udp = 1;
	} else if (protocol != SPIMEND_PROTOCOL_ESP || captured < 8 || left < 8) {
		return false;
	}
	p->key.protocol = SPIMEND_PROTOCOL_ESP;
	p->key.spi = load32(at);
	p->sequence = load32(at + 4);
	return true;
}

static inline bool read_ipv4(const char *ip, size_t captured, struct packet *p)
{
	size_t total;

	if (captured < 20 || ip[0] != 0x45 || load16(ip + 6) & 0x3fff) /* options or fragments */
		return false;
	total = load16(ip + 2);
	if (total < 20 || !read_quickly(ip + 20, (uint8_t)ip[9], captured - 20, total - 20, p))
		return false;
	p->key.src.family = p->key.dst.family = 4;
	memcpy(p->key.src.bytes, ip + 12, 4);
	memcpy(p->key.dst.bytes, ip + 16, 4);
	return true;
}

static inline bool read_ipv6(const char *ip, size_t captured, struct packet *p)
{
	if (captured < 40 || (uint8_t)ip[0] >> 4 != 6)
		return false;
	if (!read_quickly(ip + 40, (uint8_t)ip[6], captured - 40, load16(ip + 4), p))
		return false;
	p->key.src.family = p->key.dst.family = 6;
	memcpy(p->key.src.bytes, ip + 8, 16);
	memcpy(p->key.dst.bytes, ip + 24, 16);
	return true;
}

enum frame_result capture_packet_read(enum capture_link link, struct text capture, struct packet *ret)
{
	static const uint8_t headers[LINKS] = { [LINK_ETHERNET] = 14, [LINK_COOKED] = 16, [LINK_COOKED2] = 20 };
	static const uint8_t type_at[LINKS] = { [LINK_ETHERNET] = 12, [LINK_COOKED] = 14, [LINK_COOKED2] = 0 };
	size_t header = headers[link];
	bool is_read = false;

	if (header && capture.len >= header) {
		uint16_t type = load16(capture.at + type_at[link]);

		if (type == FRAME_TYPE_IPV4)
			is_read = read_ipv4(capture.at + header, capture.len - header, ret);
		else if (type == FRAME_TYPE_IPV6)
			is_read = read_ipv6(capture.at + header, capture.len - header, ret);
	} else if (!header && link != LINK_REFUSED) {
		is_read = link != LINK_IPV6 && read_ipv4(capture.at, capture.len, ret);
		is_read = is_read || (link != LINK_IPV4 && read_ipv6(capture.at, capture.len, ret));
	}
	if (is_read)
		return FRAME_FOUND;
	return capture_packet_read_slowly(link, capture, ret);
}
