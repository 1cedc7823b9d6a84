/* SPDX-License-Identifier: MIT */
/* Cisco Discovery Protocol, versions 1 and 2: 802.3 with a SNAP header, a checksum, and TLVs. */
#include "parse/neighbor.h"

#define SNAP 8
#define FIXED 4   /* version, holdtime, checksum */

enum tlv { TLV_DEVICE = 1, TLV_ADDRESSES = 2, TLV_PORT = 3, TLV_CAPABILITIES = 4, TLV_VERSION = 5, TLV_PLATFORM = 6,
	   TLV_DOMAIN = 9 };

static uint16_t word_of(struct text t, size_t at)
{
	return (uint16_t)((uint8_t)t.at[at] << 8 | (uint8_t)t.at[at + 1]);
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The Internet's checksum. Of an odd length Cisco takes the last byte for the low half of a word, and one with its high bit
 * set for a negative number less one; others do as RFC 1071 says. */
static bool is_sum_right(struct text t)
{
	uint32_t sum = 0, last, cisco;

	for (size_t i = 0; i + 1 < t.len; i += 2)
		sum += word_of(t, i);
	if (t.len % 2 == 0)
		return fold(sum) == 0xffff;
	last = (uint8_t)t.at[t.len - 1];
	cisco = last & 0x80 ? 0xff00 | (last - 1) : last;
	return fold(sum + cisco) == 0xffff || fold(sum + (last << 8)) == 0xffff;
}

/* The first address that is IPv4 or IPv6: each has the type and length of its protocol, the protocol, and its own length. */
static bool read_addresses(struct text t, struct neighbor *ret)
{
	uint32_t count;

	if (t.len < 4)
		return false;
	count = (uint32_t)word_of(t, 0) << 16 | word_of(t, 2);
	t = text_skip(t, 4);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t protocol_len;
		uint16_t len;
		bool four, six;

		if (t.len < 2 || t.len < (size_t)2 + (protocol_len = (uint8_t)t.at[1]) + 2)
			return false;
		len = word_of(t, 2u + protocol_len);
		if (t.len < (size_t)4 + protocol_len + len)
			return false;
		four = len == 4 && protocol_len == 1 && (uint8_t)t.at[2] == 0xcc;
		six = len == 16 && protocol_len == 8 && word_of(t, 8) == 0x86dd;
		if ((four || six) && !ret->has_management) {
			ret->has_management = true;
			ret->management.family = four ? 4 : 6;
			memcpy(ret->management.bytes, t.at + 4 + protocol_len, len);
		}
		t = text_skip(t, (size_t)4 + protocol_len + len);
	}
	return true;
}

static bool read_one(uint16_t type, struct text value, struct neighbor *ret)
{
	switch (type) {
	case TLV_DEVICE:
		neighbor_copy_text(value, ret->name);
		memcpy(ret->chassis, ret->name, sizeof(ret->chassis));
		return true;
	case TLV_ADDRESSES:
		return read_addresses(value, ret);
	case TLV_PORT:
		neighbor_copy_text(value, ret->port);
		return true;
	case TLV_CAPABILITIES:
		if (value.len != 4)
			return false;
		ret->capabilities = ret->enabled = (uint32_t)word_of(value, 0) << 16 | word_of(value, 2);
		return true;
	case TLV_VERSION:
		neighbor_copy_text(value, ret->description);
		return true;
	case TLV_PLATFORM:
		neighbor_copy_text(value, ret->platform);
		return true;
	case TLV_DOMAIN:
		neighbor_copy_text(value, ret->domain);
		return true;
	default:
		return true;
	}
}

/* Only zeros are left: they fill up a short frame, whose own length nobody told. */
static bool is_filling(struct text t)
{
	size_t i = 0;

	while (i < t.len && t.at[i] == 0)
		i++;
	return i == t.len;
}

/* *ret_len: of what the checksum is over. */
static enum neighbor_fate read_tlvs(struct text packet, struct neighbor *ret, size_t *ret_len)
{
	struct text rest = text_skip(packet, FIXED);

	for (int i = 0; i < NEIGHBOR_TLVS_MAX; i++) {
		struct text value;
		uint16_t type, len;

		*ret_len = packet.len - rest.len;
		if (is_filling(rest))
			return NEIGHBOR_TAKEN;
		if (rest.len < 4 || (len = word_of(rest, 2)) < 4 || len > rest.len)
			return NEIGHBOR_TRUNCATED;
		type = word_of(rest, 0);
		value = (struct text){ rest.at + 4, (size_t)len - 4 };
		rest = text_skip(rest, len);
		if (type == TLV_DEVICE || type == TLV_PORT)
			ret->identity = neighbor_mix(ret->identity, type, value);
		ret->content = neighbor_mix(ret->content, type, value);
		if (!read_one(type, value, ret))
			ret->dropped++;
	}
	return NEIGHBOR_TOO_MANY;
}

enum neighbor_fate cdp_read(struct text unit, struct neighbor *ret)
{
	static const char snap[] = "\xaa\xaa\x03\x00\x00\x0c\x20\x00";
	struct text packet = text_skip(unit, SNAP);
	enum neighbor_fate fate;
	size_t len;

	memset(ret, 0, sizeof(*ret));
	if (unit.len < SNAP || memcmp(unit.at, snap, SNAP) != 0)
		return NEIGHBOR_NOT_OURS;
	if (packet.len < FIXED)
		return NEIGHBOR_TRUNCATED;
	if (packet.at[0] != 1 && packet.at[0] != 2)
		return NEIGHBOR_VERSION;
	ret->ttl = (uint8_t)packet.at[1];
	fate = read_tlvs(packet, ret, &len);
	if (fate != NEIGHBOR_TAKEN)
		return fate;
	if (!is_sum_right(text_first(packet, len)))
		return NEIGHBOR_CHECKSUM;
	return ret->name[0] && ret->port[0] ? NEIGHBOR_TAKEN : NEIGHBOR_IDENTITY;
}
