/* SPDX-License-Identifier: MIT */
#include "parse/snmp_write.h"

#include <string.h>

#define USM 3

/* --- The EEM history table, below root.1.2.3.1.COLUMN.INDEX ------------------------------------------------------- */

enum column { EVENT_TYPE_1 = 2, EVENT_TYPE_4 = 5, POLICY_PATH = 6, POLICY_NAME = 7, EXIT_STATUS = 8, INT_1 = 9, INT_2 = 10,
	      STRING = 11 };

static struct snmp_varbind *add(struct snmp_trap *trap, const struct snmp_applet_event *event, enum column column)
{
	const uint32_t below[] = { 1, 2, 3, 1, column, event->index };
	struct snmp_varbind *v = &trap->varbinds[trap->varbind_count++];

	v->name = event->root;
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		(void)snmp_oid_add(&v->name, below[i]);
	v->value.type = SNMP_NO_SUCH_INSTANCE;
	return v;
}

static void set_int(struct snmp_varbind *v, bool has, int32_t value)
{
	if (!has)
		return;
	v->value.type = SNMP_INTEGER;
	v->value.integer = value;
}

static void set_text(struct snmp_varbind *v, bool has, struct text value)
{
	struct text kept = text_first(value, SNMP_STRING_MAX);

	if (!has)
		return;
	v->value.type = SNMP_OCTETS;
	v->value.octets.len = (uint32_t)kept.len;
	if (kept.len)
		memcpy(v->value.octets.bytes, kept.at, kept.len);
}

void snmp_make_applet_event(const struct snmp_applet_event *event, uint32_t uptime, int32_t request, struct snmp_trap *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->version = 2;
	ret->has_uptime = true;
	ret->uptime = uptime;
	ret->request = request;
	ret->trap = event->root;
	(void)snmp_oid_add(&ret->trap, 0);
	(void)snmp_oid_add(&ret->trap, event->is_server ? 1 : 2);
	for (int column = EVENT_TYPE_1; column <= EVENT_TYPE_4; column++)
		(void)add(ret, event, (enum column)column); /* their numbers name IOS's detectors, which ours are not */
	set_text(add(ret, event, POLICY_PATH), event->path.len > 0, event->path);
	set_text(add(ret, event, POLICY_NAME), true, event->name);
	if (event->is_server) {
		set_int(add(ret, event, EXIT_STATUS), event->has_status, event->status);
		return;
	}
	set_int(add(ret, event, INT_1), event->has_int1, event->int1);
	set_int(add(ret, event, INT_2), event->has_int2, event->int2);
	set_text(add(ret, event, STRING), event->has_text, event->text);
}

/* --- The PDU and its frames --------------------------------------------------------------------------------------- */

static void put_varbind(struct ber_writer *w, const struct snmp_oid *name, const struct snmp_value *value)
{
	size_t end = w->at;

	ber_put_value(w, value);
	ber_put_oid(w, name);
	ber_put_head(w, BER_SEQUENCE, end);
}

void snmp_put_trap(struct ber_writer *w, const struct snmp_trap *trap)
{
	static const struct snmp_oid sys_uptime = { 9, { 1, 3, 6, 1, 2, 1, 1, 3, 0 } };
	static const struct snmp_oid trap_oid = { 11, { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 } };
	struct snmp_value value;
	size_t end = w->at;

	for (uint32_t i = trap->varbind_count; i > 0; i--)
		put_varbind(w, &trap->varbinds[i - 1].name, &trap->varbinds[i - 1].value);
	value = (struct snmp_value){ .type = SNMP_OID, .oid = trap->trap };
	put_varbind(w, &trap_oid, &value); /* RFC 3416 4.2.6: the first two are these */
	value = (struct snmp_value){ .type = SNMP_TIMETICKS, .number = trap->uptime };
	put_varbind(w, &sys_uptime, &value);
	ber_put_head(w, BER_SEQUENCE, end);
	ber_put_integer(w, BER_INTEGER, 0);
	ber_put_integer(w, BER_INTEGER, 0);
	ber_put_integer(w, BER_INTEGER, trap->request);
	ber_put_head(w, trap->inform ? BER_INFORM : BER_TRAP_V2, end);
}

void snmp_put_v2c(struct ber_writer *w, const struct snmp_trap *trap, struct text community)
{
	size_t end = w->at;

	snmp_put_trap(w, trap);
	ber_put_octets(w, BER_OCTETS, community.at, community.len);
	ber_put_integer(w, BER_INTEGER, 1);
	ber_put_head(w, BER_SEQUENCE, end);
}

void snmp_put_scoped(struct ber_writer *w, const struct snmp_trap *trap, struct text engine)
{
	size_t end = w->at;

	snmp_put_trap(w, trap);
	ber_put_octets(w, BER_OCTETS, NULL, 0);
	ber_put_octets(w, BER_OCTETS, engine.at, engine.len);
	ber_put_head(w, BER_SEQUENCE, end);
}

void snmp_put_report(struct ber_writer *w, struct text engine, const struct snmp_oid *counter, uint32_t value,
		     int32_t request)
{
	const struct snmp_value count = { .type = SNMP_COUNTER32, .number = value };
	size_t end = w->at;

	put_varbind(w, counter, &count);
	ber_put_head(w, BER_SEQUENCE, end);
	ber_put_integer(w, BER_INTEGER, 0);
	ber_put_integer(w, BER_INTEGER, 0);
	ber_put_integer(w, BER_INTEGER, request);
	ber_put_head(w, BER_REPORT, end);
	ber_put_octets(w, BER_OCTETS, NULL, 0);
	ber_put_octets(w, BER_OCTETS, engine.at, engine.len);
	ber_put_head(w, BER_SEQUENCE, end);
}

void snmp_put_question(struct ber_writer *w, int32_t request)
{
	size_t end = w->at;

	ber_put_head(w, BER_SEQUENCE, end);
	ber_put_integer(w, BER_INTEGER, 0);
	ber_put_integer(w, BER_INTEGER, 0);
	ber_put_integer(w, BER_INTEGER, request);
	ber_put_head(w, BER_GET, end);
	ber_put_octets(w, BER_OCTETS, NULL, 0);
	ber_put_octets(w, BER_OCTETS, NULL, 0);
	ber_put_head(w, BER_SEQUENCE, end);
}

void snmp_put_v3(struct ber_writer *w, const struct snmp_v3_frame *frame, size_t *ret_auth)
{
	static const uint8_t zeros[64];
	size_t end = w->room, security = w->at, header;

	ber_put_octets(w, BER_OCTETS, frame->salt.at, frame->salt.len);
	ber_put_bytes(w, zeros, frame->auth_len <= sizeof(zeros) ? frame->auth_len : 0);
	*ret_auth = w->room - w->at;
	ber_put_head(w, BER_OCTETS, w->at + frame->auth_len);
	ber_put_octets(w, BER_OCTETS, frame->user.at, frame->user.len);
	ber_put_integer(w, BER_INTEGER, frame->time);
	ber_put_integer(w, BER_INTEGER, frame->boots);
	ber_put_octets(w, BER_OCTETS, frame->engine.at, frame->engine.len);
	ber_put_head(w, BER_SEQUENCE, security);
	ber_put_head(w, BER_OCTETS, security);
	header = w->at;
	ber_put_integer(w, BER_INTEGER, USM);
	ber_put_octets(w, BER_OCTETS, &frame->flags, 1);
	ber_put_integer(w, BER_INTEGER, SNMP_SEND_MAX);
	ber_put_integer(w, BER_INTEGER, frame->id);
	ber_put_head(w, BER_SEQUENCE, header);
	ber_put_integer(w, BER_INTEGER, 3);
	ber_put_head(w, BER_SEQUENCE, end);
}
