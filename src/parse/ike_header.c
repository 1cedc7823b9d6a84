/* SPDX-License-Identifier: MIT */
#include "parse/ike_header.h"

#define UDP 17
#define IKE_PORT 500
#define NAT_PORT 4500
#define HEADER_SIZE 28

static unsigned byte_at(struct text t, size_t at)
{
	return (unsigned char)t.at[at];
}

static unsigned short_at(struct text t, size_t at)
{
	return byte_at(t, at) << 8 | byte_at(t, at + 1);
}

static uint32_t long_at(struct text t, size_t at)
{
	return (uint32_t)short_at(t, at) << 16 | short_at(t, at + 2);
}

/* Behind the IP header, if that is one of a whole UDP packet. IPv6 with extension headers is passed over. */
static bool take_ip(struct text *t, struct ike_header *ret)
{
	size_t size;

	if (t->len < 20)
		return false;
	if (byte_at(*t, 0) >> 4 == 4) {
		size = (byte_at(*t, 0) & 15) * 4;
		if (size < 20 || t->len < size || byte_at(*t, 9) != UDP || short_at(*t, 6) & 0x3fff)
			return false;
		ret->src.family = ret->dst.family = 4;
		memcpy(ret->src.bytes, t->at + 12, 4);
		memcpy(ret->dst.bytes, t->at + 16, 4);
	} else {
		size = 40;
		if (byte_at(*t, 0) >> 4 != 6 || t->len < size || byte_at(*t, 6) != UDP)
			return false;
		ret->src.family = ret->dst.family = 6;
		memcpy(ret->src.bytes, t->at + 8, 16);
		memcpy(ret->dst.bytes, t->at + 24, 16);
	}
	*t = text_skip(*t, size);
	return true;
}

bool ike_header_read(struct text packet, struct ike_header *ret)
{
	struct ike_header h = { 0 };
	unsigned from, to;

	if (!take_ip(&packet, &h) || packet.len < 8)
		return false;
	from = short_at(packet, 0);
	to = short_at(packet, 2);
	packet = text_skip(packet, 8);
	if (from == NAT_PORT || to == NAT_PORT) { /* RFC 3948 2.2 */
		if (packet.len < 4 || long_at(packet, 0) != 0)
			return false;
		packet = text_skip(packet, 4);
	} else if (from != IKE_PORT && to != IKE_PORT) {
		return false;
	}
	if (packet.len < HEADER_SIZE)
		return false;
	h.header = text_first(packet, HEADER_SIZE);
	h.version = (uint8_t)(byte_at(packet, 17) >> 4);
	h.exchange = (uint8_t)byte_at(packet, 18);
	h.is_response = h.version == 2 && byte_at(packet, 19) & 0x20;
	h.message_id = long_at(packet, 20);
	if (h.version != 1 && h.version != 2)
		return false;
	*ret = h;
	return true;
}

const char *ike_exchange_name(const struct ike_header *header)
{
	static const char *const second[] = { "IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA", "INFORMATIONAL" }; /* from 34 on */

	if (header->version == 2)
		return header->exchange >= 34 && header->exchange <= 37 ? second[header->exchange - 34] : NULL;
	switch (header->exchange) {
	case 2:
		return "Main Mode";
	case 4:
		return "Aggressive Mode";
	case 5:
		return "Informational";
	case 6:
		return "Transaction";
	case 32:
		return "Quick Mode";
	default:
		return NULL;
	}
}
