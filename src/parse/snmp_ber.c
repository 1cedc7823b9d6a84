/* SPDX-License-Identifier: MIT */
#include "parse/snmp_ber.h"

#include <string.h>

/* --- Reading ------------------------------------------------------------------------------------------------------ */

struct ber ber_of(const void *bytes, size_t len)
{
	return (struct ber){ .bytes = bytes, .end = len };
}

bool ber_fail(struct ber *b, size_t at, const char *reason)
{
	if (!b->reason) {
		b->reason = reason;
		b->at = at;
	}
	return false;
}

int ber_peek(const struct ber *b)
{
	return b->reason || b->at >= b->end ? -1 : b->bytes[b->at];
}

/* X.690 8.1.3; SNMP forbids the indefinite form (RFC 3417 8). More bytes than a short number needs are allowed there. */
static bool take_length(struct ber *b, size_t *ret)
{
	size_t at = b->at, count, length;
	uint8_t first;

	if (at >= b->end)
		return ber_fail(b, at, "the message ends within a length");
	first = b->bytes[at++];
	if (first < 0x80) {
		length = first;
	} else {
		count = first & 0x7f;
		if (count == 0)
			return ber_fail(b, b->at, "a length of the indefinite form, which SNMP forbids");
		if (count > 4)
			return ber_fail(b, b->at, "a length of more than four bytes");
		if (count > b->end - at)
			return ber_fail(b, at, "the message ends within a length");
		for (length = 0; count > 0; count--)
			length = length << 8 | b->bytes[at++];
	}
	if (length > b->end - at)
		return ber_fail(b, b->at, "a length beyond the end of what it is in");
	b->at = at;
	*ret = length;
	return true;
}

bool ber_take(struct ber *b, struct ber *ret_inside, uint8_t *ret_tag)
{
	size_t length = 0;
	uint8_t tag;

	if (b->reason)
		return false;
	if (b->at >= b->end)
		return ber_fail(b, b->at, "the message ends before a value");
	tag = b->bytes[b->at];
	if ((tag & 0x1f) == 0x1f)
		return ber_fail(b, b->at, "a tag of several bytes, which SNMP has not");
	b->at++;
	if (!take_length(b, &length))
		return false;
	*ret_inside = (struct ber){ .bytes = b->bytes, .at = b->at, .end = b->at + length };
	*ret_tag = tag;
	b->at += length;
	return true;
}

bool ber_enter(struct ber *b, uint8_t tag, const char *what, struct ber *ret_inside)
{
	size_t at = b->at;
	uint8_t found;

	if (!ber_take(b, ret_inside, &found))
		return false;
	return found == tag || ber_fail(b, at, what);
}

/* Two's complement of any length; those beyond eight bytes are no number of ours. */
static bool read_number(struct ber *b, struct ber inside, bool is_signed, const char *what, uint64_t *ret)
{
	size_t len = inside.end - inside.at;
	const uint8_t *bytes = inside.bytes + inside.at;
	uint64_t value;

	if (len == 0)
		return ber_fail(b, inside.at, "a number without bytes");
	if (len == 9 && !is_signed && bytes[0] == 0) { /* RFC 3417: a Counter64 beyond 2^63 */
		bytes++;
		len--;
	}
	if (len > 8)
		return ber_fail(b, inside.at, what);
	value = is_signed && bytes[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	*ret = value;
	return true;
}

static bool read_integer(struct ber *b, struct ber inside, const char *what, int64_t *ret)
{
	uint64_t value;
	int64_t integer;

	if (!read_number(b, inside, true, what, &value))
		return false;
	integer = (int64_t)value;
	if (integer < INT32_MIN || integer > INT32_MAX)
		return ber_fail(b, inside.at, what);
	*ret = integer;
	return true;
}

bool ber_take_integer(struct ber *b, const char *what, int64_t *ret)
{
	struct ber inside;

	return ber_enter(b, BER_INTEGER, what, &inside) && read_integer(b, inside, what, ret);
}

bool ber_take_octets(struct ber *b, const char *what, struct text *ret)
{
	struct ber inside;

	if (!ber_enter(b, BER_OCTETS, what, &inside))
		return false;
	*ret = (struct text){ (const char *)inside.bytes + inside.at, inside.end - inside.at };
	return true;
}

/* X.690 8.19: the first two in one number, then seven bits a byte. */
static bool read_oid(struct ber *b, struct ber inside, struct snmp_oid *ret)
{
	struct snmp_oid oid = { 0 };
	size_t at = inside.at;

	while (at < inside.end) {
		size_t began = at;
		uint64_t id = 0;

		do {
			if (at >= inside.end)
				return ber_fail(b, at, "an identifier that ends within a number");
			id = id << 7 | (inside.bytes[at] & 0x7f);
			if (id > UINT32_MAX + (oid.len ? 0 : UINT64_C(80)))
				return ber_fail(b, began, "an identifier with a number beyond 32 bits");
		} while (inside.bytes[at++] & 0x80);
		if (oid.len == 0) {
			uint32_t first = id >= 80 ? 2 : (uint32_t)id / 40;

			oid.id[oid.len++] = first;
			id -= first * UINT64_C(40);
		}
		if (!snmp_oid_add(&oid, (uint32_t)id))
			return ber_fail(b, began, "an identifier of more than 64 numbers");
	}
	if (oid.len == 0)
		oid.len = 2; /* some agents write 0.0, which stands for none, without a byte */
	*ret = oid;
	return true;
}

bool ber_take_oid(struct ber *b, const char *what, struct snmp_oid *ret)
{
	struct ber inside;

	return ber_enter(b, BER_OID, what, &inside) && read_oid(b, inside, ret);
}

static const struct {
	uint8_t tag;
	enum snmp_type type;
} types[] = {
	{ BER_INTEGER, SNMP_INTEGER }, { BER_OCTETS, SNMP_OCTETS }, { BER_NULL, SNMP_NULL }, { BER_OID, SNMP_OID },
	{ BER_ADDRESS, SNMP_ADDRESS }, { BER_COUNTER32, SNMP_COUNTER32 }, { BER_UNSIGNED, SNMP_UNSIGNED },
	{ BER_TIMETICKS, SNMP_TIMETICKS }, { BER_OPAQUE, SNMP_OPAQUE }, { BER_COUNTER64, SNMP_COUNTER64 },
	{ BER_NO_SUCH_OBJECT, SNMP_NO_SUCH_OBJECT }, { BER_NO_SUCH_INSTANCE, SNMP_NO_SUCH_INSTANCE },
	{ BER_END_OF_VIEW, SNMP_END_OF_VIEW },
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static bool read_content(struct ber *b, struct ber inside, struct snmp_value *ret)
{
	size_t len = inside.end - inside.at;

	switch (ret->type) {
	case SNMP_INTEGER:
		return read_integer(b, inside, "an Integer32 beyond 32 bits", &ret->integer);
	case SNMP_COUNTER32:
	case SNMP_UNSIGNED:
	case SNMP_TIMETICKS:
		return read_number(b, inside, false, "an unsigned number beyond 32 bits", &ret->number) &&
		       (ret->number <= UINT32_MAX || ber_fail(b, inside.at, "an unsigned number beyond 32 bits"));
	case SNMP_COUNTER64:
		return read_number(b, inside, false, "a Counter64 beyond 64 bits", &ret->number);
	case SNMP_OID:
		return read_oid(b, inside, &ret->oid);
	case SNMP_ADDRESS:
		if (len != 4)
			return ber_fail(b, inside.at, "an IpAddress that is not four bytes long");
		__attribute__((fallthrough));
	case SNMP_OCTETS:
	case SNMP_OPAQUE:
		ret->octets.len = (uint32_t)(len < SNMP_STRING_MAX ? len : SNMP_STRING_MAX);
		ret->octets.cut = (uint32_t)(len - ret->octets.len);
		memcpy(ret->octets.bytes, inside.bytes + inside.at, ret->octets.len);
		return true;
	default: /* NULL and the exceptions: what they hold has no meaning, and must be nothing */
		return len == 0 || ber_fail(b, inside.at, "a value where there is none");
	}
}

bool ber_take_value(struct ber *b, struct snmp_value *ret)
{
	size_t at = b->at, i = 0;
	struct ber inside;
	uint8_t tag;

	if (!ber_take(b, &inside, &tag))
		return false;
	while (i < TYPES && types[i].tag != tag)
		i++;
	if (i == TYPES)
		return ber_fail(b, at, "a value of a type that no variable has");
	memset(ret, 0, sizeof(*ret));
	ret->type = types[i].type;
	return read_content(b, inside, ret);
}

/* --- Writing ------------------------------------------------------------------------------------------------------ */

struct ber_writer ber_writer_of(void *bytes, size_t room)
{
	return (struct ber_writer){ .bytes = bytes, .room = room, .at = room };
}

void ber_put_bytes(struct ber_writer *w, const void *bytes, size_t len)
{
	if (w->overflow || len > w->at) {
		w->overflow = true;
		return;
	}
	w->at -= len;
	if (len)
		memcpy(w->bytes + w->at, bytes, len);
}

static void put_byte(struct ber_writer *w, uint8_t byte)
{
	ber_put_bytes(w, &byte, 1);
}

void ber_put_head(struct ber_writer *w, uint8_t tag, size_t end)
{
	size_t len = end - w->at, left = len;
	uint8_t count = 0;

	if (w->overflow)
		return;
	if (len < 0x80) {
		put_byte(w, (uint8_t)len);
	} else {
		for (; left; left >>= 8, count++)
			put_byte(w, (uint8_t)left);
		put_byte(w, 0x80 | count);
	}
	put_byte(w, tag);
}

/* In as few bytes as hold its sign: unsigned ones beyond the half get a zero in front. */
void ber_put_integer(struct ber_writer *w, uint8_t tag, int64_t value)
{
	size_t end = w->at;
	int64_t left = value;

	do {
		put_byte(w, (uint8_t)left);
		left >>= 8;
	} while (!w->overflow && !((left == 0 && !(w->bytes[w->at] & 0x80)) || (left == -1 && w->bytes[w->at] & 0x80)));
	ber_put_head(w, tag, end);
}

void ber_put_octets(struct ber_writer *w, uint8_t tag, const void *bytes, size_t len)
{
	size_t end = w->at;

	ber_put_bytes(w, bytes, len);
	ber_put_head(w, tag, end);
}

static void put_sub_identifier(struct ber_writer *w, uint64_t id)
{
	put_byte(w, (uint8_t)(id & 0x7f));
	for (id >>= 7; id; id >>= 7)
		put_byte(w, (uint8_t)(0x80 | (id & 0x7f)));
}

void ber_put_oid(struct ber_writer *w, const struct snmp_oid *oid)
{
	size_t end = w->at;

	for (uint32_t i = oid->len; i > 2; i--)
		put_sub_identifier(w, oid->id[i - 1]);
	if (oid->len >= 2)
		put_sub_identifier(w, oid->id[0] * UINT64_C(40) + oid->id[1]);
	else
		put_byte(w, 0); /* 0.0, as RFC 3416 has it for none */
	ber_put_head(w, BER_OID, end);
}

void ber_put_value(struct ber_writer *w, const struct snmp_value *value)
{
	uint8_t tag = BER_NULL;

	for (size_t i = 0; i < TYPES; i++)
		if (types[i].type == value->type)
			tag = types[i].tag;
	switch (value->type) {
	case SNMP_INTEGER:
		ber_put_integer(w, tag, value->integer);
		break;
	case SNMP_COUNTER64:
		if (value->number >> 63) {
			size_t end = w->at;

			for (int shift = 0; shift < 64; shift += 8)
				put_byte(w, (uint8_t)(value->number >> shift));
			put_byte(w, 0);
			ber_put_head(w, tag, end);
			break;
		}
		__attribute__((fallthrough));
	case SNMP_COUNTER32:
	case SNMP_UNSIGNED:
	case SNMP_TIMETICKS:
		ber_put_integer(w, tag, (int64_t)value->number);
		break;
	case SNMP_OID:
		ber_put_oid(w, &value->oid);
		break;
	case SNMP_OCTETS:
	case SNMP_OPAQUE:
	case SNMP_ADDRESS:
		ber_put_octets(w, tag, value->octets.bytes, value->octets.len);
		break;
	default:
		ber_put_octets(w, tag, NULL, 0);
	}
}
