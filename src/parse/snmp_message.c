/* SPDX-License-Identifier: MIT */
#include "parse/snmp_message.h"

#include <string.h>

#include "spimend/error.h"

#define USM 3 /* RFC 3411 3.1: the User-based Security Model */
#define ENTERPRISE_SPECIFIC 6

/* RFC 3584 3.1, RFC 3418: what every v2 trap begins with, and what a relay adds. */
static const struct snmp_oid sys_uptime = { 9, { 1, 3, 6, 1, 2, 1, 1, 3, 0 } };
static const struct snmp_oid trap_oid = { 11, { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 } };
static const struct snmp_oid trap_enterprise = { 11, { 1, 3, 6, 1, 6, 3, 1, 1, 4, 3, 0 } };
static const struct snmp_oid trap_address = { 10, { 1, 3, 6, 1, 6, 3, 18, 1, 3, 0 } };
static const struct snmp_oid standard_traps = { 9, { 1, 3, 6, 1, 6, 3, 1, 1, 5 } };

static int fail(struct snmp_failure *ret, enum snmp_trouble trouble, size_t at, const char *reason)
{
	*ret = (struct snmp_failure){ trouble, reason, at };
	return SPIMEND_E_SYNTAX;
}

static int fail_as(struct snmp_failure *ret, const struct ber *b)
{
	return fail(ret, SNMP_TROUBLE_MALFORMED, b->at, b->reason);
}

/* Trouble inside is trouble of the message. */
static bool joined(struct ber *b, const struct ber *inside)
{
	return !inside->reason || ber_fail(b, inside->at, inside->reason);
}

/* --- The frame of v3 ---------------------------------------------------------------------------------------------- */

/* HeaderData, RFC 3412 6. */
static bool read_header(struct ber *b, struct snmp_message *m, int64_t *ret_model, size_t *ret_flags_at)
{
	int64_t id = 0, max_size = 0;
	struct text flags = TEXT_NONE;
	struct ber header;

	if (!ber_enter(b, BER_SEQUENCE, "no header where v3 has one", &header))
		return false;
	if (!ber_take_integer(&header, "no message number", &id) || !ber_take_integer(&header, "no largest size", &max_size))
		return joined(b, &header);
	*ret_flags_at = header.at;
	if (!ber_take_octets(&header, "no flags", &flags) || !ber_take_integer(&header, "no security model", ret_model))
		return joined(b, &header);
	if (flags.len != 1)
		return ber_fail(b, *ret_flags_at, "flags that are not one byte");
	m->id = (int32_t)id;
	m->max_size = (int32_t)max_size;
	m->flags = (uint8_t)flags.at[0] & (SNMP_FLAG_AUTH | SNMP_FLAG_PRIV | SNMP_FLAG_REPORT);
	return true;
}

/* UsmSecurityParameters, RFC 3414 2.4: BER inside of an octet string. */
static bool read_usm(struct ber *b, struct snmp_message *m)
{
	int64_t boots = 0, time = 0;
	struct ber string, usm;
	size_t at;

	if (!ber_enter(b, BER_OCTETS, "no security parameters", &string))
		return false;
	if (!ber_enter(&string, BER_SEQUENCE, "security parameters of no known form", &usm))
		return joined(b, &string);
	at = usm.at;
	if (!ber_take_octets(&usm, "no engine", &m->engine) || !ber_take_integer(&usm, "no count of boots", &boots) ||
	    !ber_take_integer(&usm, "no time of the engine", &time) || !ber_take_octets(&usm, "no user", &m->user) ||
	    !ber_take_octets(&usm, "no hash", &m->auth) || !ber_take_octets(&usm, "no salt", &m->salt))
		return joined(b, &usm);
	if (boots < 0 || time < 0)
		return ber_fail(b, at, "a negative clock of the engine");
	if (m->engine.len > SNMP_ENGINE_MAX)
		return ber_fail(b, at, "an engine's name of more than 32 bytes");
	if (m->user.len > SNMP_USER_MAX)
		return ber_fail(b, at, "a user's name of more than 32 bytes");
	m->boots = (int32_t)boots;
	m->time = (int32_t)time;
	return true;
}

static int read_v3(struct ber *b, struct snmp_message *m, struct snmp_failure *failure)
{
	int64_t model = 0;
	size_t flags_at = 0, at;
	uint8_t tag;

	if (!read_header(b, m, &model, &flags_at))
		return fail_as(failure, b);
	if (model != USM)
		return fail(failure, SNMP_TROUBLE_SECURITY, flags_at, "a security model that is not USM");
	if (m->flags & SNMP_FLAG_PRIV && !(m->flags & SNMP_FLAG_AUTH)) /* RFC 3412 7.2, 5d */
		return fail(failure, SNMP_TROUBLE_SECURITY, flags_at, "encrypted without a hash");
	if (!read_usm(b, m))
		return fail_as(failure, b);
	if (m->flags & SNMP_FLAG_PRIV) {
		if (!ber_take_octets(b, "nothing encrypted where there should be", &m->encrypted))
			return fail_as(failure, b);
		return 0;
	}
	at = m->scoped_at = b->at;
	if (!ber_take(b, &m->scoped, &tag))
		return fail_as(failure, b);
	if (tag != BER_SEQUENCE)
		return fail(failure, SNMP_TROUBLE_MALFORMED, at, "no scoped PDU");
	return 0;
}

/* --- The frame ---------------------------------------------------------------------------------------------------- */

int snmp_read_message(const void *bytes, size_t len, struct snmp_message *ret, struct snmp_failure *failure)
{
	struct snmp_message m;
	struct ber outer = ber_of(bytes, len), b;
	int64_t version;
	size_t at;
	int r = 0;

	memset(&m, 0, sizeof(m));
	*failure = (struct snmp_failure){ SNMP_TROUBLE_NONE, NULL, 0 };
	if (!ber_enter(&outer, BER_SEQUENCE, "it does not begin as an SNMP message", &b))
		return fail_as(failure, &outer);
	m.whole = outer.at;
	at = b.at;
	if (!ber_take_integer(&b, "no version", &version))
		return fail_as(failure, &b);
	if (version == 3) {
		m.version = 3;
		r = read_v3(&b, &m, failure);
	} else if (version == 0 || version == 1) {
		m.version = version ? 2 : 1;
		if (!ber_take_octets(&b, "no community", &m.community))
			return fail_as(failure, &b);
		m.pdu = b;
	} else {
		return fail(failure, SNMP_TROUBLE_VERSION, at, "a version that is neither 1, 2c nor 3");
	}
	if (r == 0)
		*ret = m;
	return r;
}

int snmp_read_scoped(struct ber scoped, struct ber *ret_pdu, struct snmp_failure *failure)
{
	struct text engine, name;

	*failure = (struct snmp_failure){ SNMP_TROUBLE_NONE, NULL, 0 };
	if (!ber_take_octets(&scoped, "no context engine", &engine) || !ber_take_octets(&scoped, "no context name", &name))
		return fail_as(failure, &scoped);
	*ret_pdu = scoped;
	return 0;
}

int32_t snmp_read_request(struct ber pdu)
{
	struct ber inside;
	int64_t request = 0;
	uint8_t tag;

	return ber_take(&pdu, &inside, &tag) && ber_take_integer(&inside, "no request number", &request) ? (int32_t)request : 0;
}

bool snmp_read_answer(struct ber pdu, struct snmp_answer *ret)
{
	static const struct snmp_oid stats = { 9, { 1, 3, 6, 1, 6, 3, 15, 1, 1 } };
	struct ber inside, list, one;
	int64_t request = 0, error = 0, unused = 0;
	struct snmp_oid name = { .len = 0 };
	uint8_t tag;

	if (!ber_take(&pdu, &inside, &tag) || (tag != BER_RESPONSE && tag != BER_REPORT) ||
	    !ber_take_integer(&inside, "no request number", &request) || !ber_take_integer(&inside, "no error status", &error) ||
	    !ber_take_integer(&inside, "no error index", &unused) ||
	    !ber_enter(&inside, BER_SEQUENCE, "no list of variables", &list))
		return false;
	*ret = (struct snmp_answer){ .is_report = tag == BER_REPORT, .request = (int32_t)request, .error = (int32_t)error };
	if (ret->is_report && ber_enter(&list, BER_SEQUENCE, "no variable", &one) && ber_take_oid(&one, "no name", &name) &&
	    snmp_oid_is_below(&name, &stats) && name.len == 11)
		ret->counter = name.id[9];
	return true;
}

/* --- Traps -------------------------------------------------------------------------------------------------------- */

static void take_address(const struct snmp_value *value, struct spimend_address *ret)
{
	if (value->type != SNMP_ADDRESS)
		return;
	memset(ret, 0, sizeof(*ret));
	ret->family = 4;
	memcpy(ret->bytes, value->octets.bytes, 4);
}

/* What the frame of a v2 trap tells goes to its own place. True when it was such. */
static bool take_known(struct snmp_trap *trap, const struct snmp_varbind *v, bool *ret_has_trap)
{
	if (snmp_oid_equal(&v->name, &sys_uptime) && v->value.type == SNMP_TIMETICKS) {
		trap->has_uptime = true;
		trap->uptime = (uint32_t)v->value.number;
	} else if (snmp_oid_equal(&v->name, &trap_oid) && v->value.type == SNMP_OID && trap->version != 1) {
		*ret_has_trap = true;
		trap->trap = v->value.oid;
	} else if (snmp_oid_equal(&v->name, &trap_enterprise) && v->value.type == SNMP_OID) {
		trap->has_enterprise = true;
		trap->enterprise = v->value.oid;
	} else if (snmp_oid_equal(&v->name, &trap_address)) {
		take_address(&v->value, &trap->agent);
	} else {
		return false;
	}
	return true;
}

static bool read_varbinds(struct ber *b, struct snmp_trap *trap, bool *ret_has_trap)
{
	struct ber list, one;

	if (!ber_enter(b, BER_SEQUENCE, "no list of variables", &list))
		return false;
	while (list.at < list.end) {
		struct snmp_varbind v;

		memset(&v, 0, sizeof(v));
		if (!ber_enter(&list, BER_SEQUENCE, "no variable where one should be", &one))
			return joined(b, &list);
		if (!ber_take_oid(&one, "a variable without a name", &v.name) || !ber_take_value(&one, &v.value))
			return joined(b, &one);
		if (take_known(trap, &v, ret_has_trap))
			continue;
		if (trap->varbind_count < SNMP_VARBINDS_MAX)
			trap->varbinds[trap->varbind_count++] = v;
		else
			trap->varbinds_dropped++;
	}
	return true;
}

/* RFC 3584 3.1: the standard ones have identifiers of their own, the others are `enterprise.0.specific`. */
static bool name_v1(struct ber *b, struct snmp_trap *trap, size_t at)
{
	bool fits;

	if (trap->generic < 0 || trap->generic > ENTERPRISE_SPECIFIC || trap->specific < 0)
		return ber_fail(b, at, "a generic or specific number that no trap has");
	trap->trap = trap->generic == ENTERPRISE_SPECIFIC ? trap->enterprise : standard_traps;
	if (trap->generic == ENTERPRISE_SPECIFIC)
		fits = snmp_oid_add(&trap->trap, 0) && snmp_oid_add(&trap->trap, (uint32_t)trap->specific);
	else
		fits = snmp_oid_add(&trap->trap, (uint32_t)trap->generic + 1);
	return fits || ber_fail(b, at, "an enterprise of more than 62 numbers");
}

static bool read_v1(struct ber *b, struct snmp_trap *trap)
{
	int64_t generic = 0, specific = 0;
	struct snmp_value value;
	bool unused = false;
	size_t at;

	if (!ber_take_oid(b, "no enterprise", &trap->enterprise))
		return false;
	trap->has_enterprise = true;
	at = b->at;
	if (!ber_take_value(b, &value))
		return false;
	if (value.type != SNMP_ADDRESS)
		return ber_fail(b, at, "no address of the agent");
	take_address(&value, &trap->agent);
	at = b->at;
	if (!ber_take_integer(b, "no generic number", &generic) || !ber_take_integer(b, "no specific number", &specific))
		return false;
	trap->generic = (int32_t)generic;
	trap->specific = (int32_t)specific;
	if (!name_v1(b, trap, at))
		return false;
	at = b->at;
	if (!ber_take_value(b, &value))
		return false;
	if (value.type != SNMP_TIMETICKS)
		return ber_fail(b, at, "no time of the agent");
	trap->has_uptime = true;
	trap->uptime = (uint32_t)value.number;
	return read_varbinds(b, trap, &unused);
}

static bool read_v2(struct ber *b, struct snmp_trap *trap)
{
	int64_t request = 0, unused = 0;
	bool has_trap = false;
	size_t at = b->at;

	if (!ber_take_integer(b, "no request number", &request) || !ber_take_integer(b, "no error status", &unused) ||
	    !ber_take_integer(b, "no error index", &unused))
		return false;
	trap->request = (int32_t)request;
	if (!read_varbinds(b, trap, &has_trap))
		return false;
	if (!has_trap)
		return ber_fail(b, at, "a trap without snmpTrapOID");
	trap->generic = ENTERPRISE_SPECIFIC;
	trap->specific = trap->trap.len ? (int32_t)trap->trap.id[trap->trap.len - 1] : 0;
	return true;
}

int snmp_read_trap(struct ber pdu, uint8_t version, struct snmp_trap *ret, struct snmp_failure *failure)
{
	size_t at = pdu.at;
	struct ber inside;
	uint8_t tag;

	*failure = (struct snmp_failure){ SNMP_TROUBLE_NONE, NULL, 0 };
	memset(ret, 0, sizeof(*ret));
	ret->version = version;
	if (!ber_take(&pdu, &inside, &tag))
		return fail_as(failure, &pdu);
	if (tag != (version == 1 ? BER_TRAP_V1 : BER_TRAP_V2) && (tag != BER_INFORM || version == 1))
		return fail(failure, SNMP_TROUBLE_NO_TRAP, at, "neither a trap nor an inform");
	ret->inform = tag == BER_INFORM;
	if (version == 1 ? !read_v1(&inside, ret) : !read_v2(&inside, ret))
		return fail_as(failure, &inside);
	return 0;
}
