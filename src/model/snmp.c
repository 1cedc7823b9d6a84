/* SPDX-License-Identifier: MIT */
#include "model/snmp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

bool snmp_oid_parse(struct text t, struct snmp_oid *ret, bool *ret_is_prefix)
{
	struct snmp_oid oid = { 0 };
	bool is_prefix = false;

	text_take_char(&t, '.');
	while (t.len) {
		uint64_t value;
		size_t digits;

		if (!text_take_digits(&t, 10, &value, &digits) || value > UINT32_MAX || !snmp_oid_add(&oid, (uint32_t)value))
			return false;
		if (!t.len)
			break;
		if (!text_take_char(&t, '.'))
			return false;
		is_prefix = t.len == 0;
	}
	if (oid.len < 2 || oid.id[0] > 2 || (oid.id[0] < 2 && oid.id[1] >= 40))
		return false;
	*ret = oid;
	*ret_is_prefix = is_prefix;
	return true;
}

char *snmp_oid_print(const struct snmp_oid *oid, char to[SNMP_OID_TEXT_MAX])
{
	size_t at = 0;

	to[0] = 0;
	for (uint32_t i = 0; i < oid->len && i < SNMP_OID_MAX; i++)
		at += (size_t)snprintf(to + at, SNMP_OID_TEXT_MAX - at, i ? ".%" PRIu32 : "%" PRIu32, oid->id[i]);
	return to;
}

bool snmp_oid_equal(const struct snmp_oid *a, const struct snmp_oid *b)
{
	return a->len == b->len && memcmp(a->id, b->id, a->len * sizeof(a->id[0])) == 0;
}

bool snmp_oid_is_below(const struct snmp_oid *oid, const struct snmp_oid *prefix)
{
	return oid->len >= prefix->len && memcmp(oid->id, prefix->id, prefix->len * sizeof(oid->id[0])) == 0;
}

bool snmp_oid_add(struct snmp_oid *oid, uint32_t id)
{
	if (oid->len >= SNMP_OID_MAX)
		return false;
	oid->id[oid->len++] = id;
	return true;
}

/* --- Values ------------------------------------------------------------------------------------------------------- */

static size_t print_octets(const struct snmp_value *value, char *to, size_t size)
{
	bool printable = true;
	size_t at = 0;

	for (uint32_t i = 0; i < value->octets.len; i++)
		printable = printable && value->octets.bytes[i] >= 0x20 && value->octets.bytes[i] < 0x7f;
	if (printable)
		return text_copy((struct text){ (const char *)value->octets.bytes, value->octets.len }, to, size);
	at = text_copy(TEXT("0x"), to, size);
	for (uint32_t i = 0; i < value->octets.len && at + 3 <= size; i++)
		at += (size_t)snprintf(to + at, size - at, "%02x", value->octets.bytes[i]);
	return at;
}

static size_t fits(int n, size_t size)
{
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

size_t snmp_value_print(const struct snmp_value *value, char *to, size_t size)
{
	char oid[SNMP_OID_TEXT_MAX];

	if (!size)
		return 0;
	to[0] = 0;
	switch (value->type) {
	case SNMP_INTEGER:
		return fits(snprintf(to, size, "%" PRId64, value->integer), size);
	case SNMP_COUNTER32:
	case SNMP_UNSIGNED:
	case SNMP_TIMETICKS:
	case SNMP_COUNTER64:
		return fits(snprintf(to, size, "%" PRIu64, value->number), size);
	case SNMP_OID:
		return text_copy(text_of(snmp_oid_print(&value->oid, oid)), to, size);
	case SNMP_ADDRESS:
		return fits(snprintf(to, size, "%u.%u.%u.%u", value->octets.bytes[0], value->octets.bytes[1], value->octets.bytes[2],
				     value->octets.bytes[3]), size);
	case SNMP_OCTETS:
	case SNMP_OPAQUE:
		return print_octets(value, to, size);
	default:
		return 0;
	}
}

/* --- What came over a channel ------------------------------------------------------------------------------------- */

static bool valid_oid(const struct snmp_oid *oid)
{
	return oid->len <= SNMP_OID_MAX;
}

static bool valid_address(const struct spimend_address *address)
{
	return address->family == 0 || address->family == 4 || address->family == 6;
}

static bool valid_value(const struct snmp_value *value)
{
	switch (value->type) {
	case SNMP_OID:
		return valid_oid(&value->oid);
	case SNMP_ADDRESS:
		return value->octets.len == 4;
	case SNMP_OCTETS:
	case SNMP_OPAQUE:
		return value->octets.len <= SNMP_STRING_MAX;
	default:
		return (unsigned)value->type < SNMP_TYPES;
	}
}

bool snmp_valid_trap(const struct snmp_trap *trap)
{
	if (!valid_address(&trap->source) || !valid_address(&trap->agent) || trap->version < 1 || trap->version > 3)
		return false;
	if (!is_bool(&trap->inform) || !is_bool(&trap->authenticated) || !is_bool(&trap->has_uptime) ||
	    !is_bool(&trap->has_enterprise))
		return false;
	if (!valid_oid(&trap->trap) || !valid_oid(&trap->enterprise) || trap->varbind_count > SNMP_VARBINDS_MAX)
		return false;
	for (uint32_t i = 0; i < trap->varbind_count; i++)
		if (!valid_oid(&trap->varbinds[i].name) || !valid_value(&trap->varbinds[i].value))
			return false;
	return true;
}
