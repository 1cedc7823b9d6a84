/* SPDX-License-Identifier: MIT */
#include "parse/neighbor.h"

#include <stdio.h>

#include "base/hash.h"

#define ID_MAX 255 /* 802.1AB 8.5.2.3: a subtype and up to 255 octets */

enum tlv { TLV_END, TLV_CHASSIS, TLV_PORT, TLV_TTL, TLV_PORT_DESCRIPTION, TLV_NAME, TLV_DESCRIPTION, TLV_CAPABILITIES,
	   TLV_MANAGEMENT, TLV_KNOWN };

static uint8_t byte_of(struct text t, size_t at)
{
	return (uint8_t)t.at[at];
}

static uint16_t word_of(struct text t, size_t at)
{
	return (uint16_t)(byte_of(t, at) << 8 | byte_of(t, at + 1));
}

void neighbor_copy_text(struct text from, char to[NEIGHBOR_TEXT_MAX])
{
	while (from.len && from.at[from.len - 1] == 0) /* some send the NUL along */
		from.len--;
	from = text_first(from, NEIGHBOR_TEXT_MAX - 1);
	for (size_t i = 0; i < from.len; i++)
		to[i] = from.at[i] < 0x20 || from.at[i] > 0x7e ? '.' : from.at[i];
	to[from.len] = 0;
}

uint64_t neighbor_mix(uint64_t hash, uint32_t type, struct text bytes)
{
	const struct hash_key key = { hash, type };

	return hash_bytes(&key, bytes.at ? bytes.at : "", bytes.len);
}

/* "0011.2233.4455", as routers write it */
static void print_mac(struct text t, char to[NEIGHBOR_TEXT_MAX])
{
	snprintf(to, NEIGHBOR_TEXT_MAX, "%02x%02x.%02x%02x.%02x%02x", byte_of(t, 0), byte_of(t, 1), byte_of(t, 2), byte_of(t, 3),
		 byte_of(t, 4), byte_of(t, 5));
}

/* An address behind its IANA family. False: of another family, or of a wrong length. */
static bool read_address(struct text t, struct spimend_address *ret)
{
	static const struct spimend_address none;

	if (t.len != 5 && t.len != 17)
		return false;
	if (byte_of(t, 0) != (t.len == 5 ? 1 : 2))
		return false;
	*ret = none;
	ret->family = t.len == 5 ? 4 : 6;
	memcpy(ret->bytes, t.at + 1, t.len - 1);
	return true;
}

/* Chassis and port id: their first byte says what the rest is. The two number their kinds differently. */
static void print_id(struct text id, uint8_t mac, uint8_t network, char to[NEIGHBOR_TEXT_MAX])
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	struct text value = text_skip(id, 1);
	struct spimend_address parsed;

	if (byte_of(id, 0) == mac && value.len == 6)
		print_mac(value, to);
	else if (byte_of(id, 0) == network && read_address(value, &parsed))
		text_copy(text_of(spimend_address_print(&parsed, address)), to, NEIGHBOR_TEXT_MAX);
	else
		neighbor_copy_text(value, to);
}

/* 802.1AB 8.5.1: the next TLV. False at the end of the frame, or where it runs over it: then *ret_broken. */
static bool take_tlv(struct text *rest, uint8_t *ret_type, struct text *ret_value, bool *ret_broken)
{
	uint16_t head, len;

	*ret_broken = rest->len == 1;
	if (rest->len < 2)
		return false;
	head = word_of(*rest, 0);
	len = head & 0x1ff;
	*ret_broken = len > rest->len - 2;
	if (*ret_broken)
		return false;
	*ret_type = (uint8_t)(head >> 9);
	*ret_value = (struct text){ rest->at + 2, len };
	*rest = text_skip(*rest, 2u + len);
	return true;
}

/* 802.1AB 8.4: every frame begins with these, in this order, each once. */
static enum neighbor_fate read_begin(struct text *rest, struct neighbor *ret)
{
	for (uint8_t want = TLV_CHASSIS; want <= TLV_TTL; want++) {
		struct text value;
		uint8_t type;
		bool broken;

		if (!take_tlv(rest, &type, &value, &broken))
			return NEIGHBOR_TRUNCATED;
		if (type != want)
			return NEIGHBOR_ORDER;
		if (want == TLV_TTL) {
			if (value.len < 2)
				return NEIGHBOR_LIFETIME;
			ret->ttl = word_of(value, 0);
			continue;
		}
		if (value.len < 2 || value.len > ID_MAX + 1)
			return NEIGHBOR_IDENTITY;
		ret->identity = neighbor_mix(ret->identity, want, value);
		if (want == TLV_CHASSIS)
			print_id(value, 4, 5, ret->chassis);
		else
			print_id(value, 3, 4, ret->port);
	}
	return NEIGHBOR_TAKEN;
}

/* 802.1AB 8.5.9: length, family and address, interface number, OID. The first one counts. */
static bool read_management(struct text value, struct neighbor *ret)
{
	struct spimend_address address;
	size_t len;

	if (value.len < 9 || byte_of(value, 0) < 2 || byte_of(value, 0) > 32)
		return false;
	len = byte_of(value, 0);
	if (value.len < 1 + len + 6 || value.len != 1 + len + 6 + byte_of(value, 1 + len + 5))
		return false;
	if (!ret->has_management && read_address((struct text){ value.at + 1, len }, &address)) {
		ret->has_management = true;
		ret->management = address;
	}
	return true;
}

/* What may follow. One that is malformed is left out, the others count (802.1AB 9.2.8.7.2). */
static bool read_optional(uint8_t type, struct text value, struct neighbor *ret)
{
	switch (type) {
	case TLV_PORT_DESCRIPTION:
	case TLV_NAME:
	case TLV_DESCRIPTION:
		if (value.len > NEIGHBOR_TEXT_MAX - 1)
			return false;
		neighbor_copy_text(value, type == TLV_NAME ? ret->name : type == TLV_DESCRIPTION ? ret->description
													 : ret->port_description);
		return true;
	case TLV_CAPABILITIES:
		if (value.len != 4)
			return false;
		ret->capabilities = word_of(value, 0);
		ret->enabled = word_of(value, 2);
		return true;
	case TLV_MANAGEMENT:
		return read_management(value, ret);
	default: /* of organisations, and reserved ones: part of what it says, and not shown */
		return type != 127 || value.len >= 4;
	}
}

static enum neighbor_fate read_rest(struct text rest, struct neighbor *ret)
{
	struct text value;
	uint8_t type;
	bool broken;

	for (int i = 0; i < NEIGHBOR_TLVS_MAX; i++) {
		if (!take_tlv(&rest, &type, &value, &broken))
			return broken ? NEIGHBOR_TRUNCATED : NEIGHBOR_TAKEN; /* an end without its TLV is one, too (802.1AB-2016) */
		if (type == TLV_END)
			return NEIGHBOR_TAKEN; /* behind it is what fills the frame up */
		if (type <= TLV_TTL)
			return NEIGHBOR_ORDER;
		ret->content = neighbor_mix(ret->content, type, value);
		if (!read_optional(type, value, ret))
			ret->dropped++;
	}
	return NEIGHBOR_TOO_MANY;
}

enum neighbor_fate lldp_read(struct text unit, struct neighbor *ret)
{
	enum neighbor_fate fate;

	memset(ret, 0, sizeof(*ret));
	fate = read_begin(&unit, ret);
	if (fate == NEIGHBOR_TAKEN && ret->ttl)
		fate = read_rest(unit, ret);
	return fate;
}
