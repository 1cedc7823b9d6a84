/* SPDX-License-Identifier: MIT */
#include "parse/snmp_meaning.h"

#include <string.h>

/* CISCO-IPSEC-FLOW-MONITOR-MIB, CISCO-ENHANCED-IPSEC-FLOW-MIB, CISCO-SYSLOG-MIB, and both places of the EEM MIB (B20). */
static const struct snmp_oid flow_traps = { 11, { 1, 3, 6, 1, 4, 1, 9, 9, 171, 2, 0 } };
static const struct snmp_oid enhanced_traps = { 10, { 1, 3, 6, 1, 4, 1, 9, 9, 432, 0 } };
static const struct snmp_oid syslog_trap = { 12, { 1, 3, 6, 1, 4, 1, 9, 9, 41, 2, 0, 1 } };
static const struct snmp_oid eem_roots[] = {
	{ 9, { 1, 3, 6, 1, 4, 1, 9, 10, 134 } }, { 9, { 1, 3, 6, 1, 4, 1, 9, 10, 91 } },
};

static const struct snmp_oid bad_sa_spi = { 14, { 1, 3, 6, 1, 4, 1, 9, 9, 432, 1, 3, 2, 1, 5 } };
static const struct snmp_oid bad_sa_src = { 14, { 1, 3, 6, 1, 4, 1, 9, 9, 432, 1, 3, 2, 1, 7 } };
static const struct snmp_oid bad_sa_dst = { 14, { 1, 3, 6, 1, 4, 1, 9, 9, 432, 1, 3, 2, 1, 9 } };
static const struct snmp_oid history = { 13, { 1, 3, 6, 1, 4, 1, 9, 9, 41, 1, 2, 3, 1 } }; /* clogHistoryEntry */

/* What the traps below a root mean, by their last number. */
static const uint8_t flow_kinds[] = {
	[1] = REPORT_IKE_UP, [2] = REPORT_IKE_DOWN, [6] = REPORT_NO_IKE_SA, [7] = REPORT_TUNNEL_UP, [8] = REPORT_TUNNEL_DOWN,
	[10] = REPORT_SETUP_FAILED, [11] = REPORT_TUNNEL_DOWN, [13] = REPORT_NO_SA,
};
static const uint8_t enhanced_kinds[] = {
	[1] = REPORT_TUNNEL_UP, [2] = REPORT_TUNNEL_DOWN, [4] = REPORT_SETUP_FAILED, [5] = REPORT_BAD_SPI,
};

/* The number behind `root` where the trap is its child; 0: it is not. */
static uint32_t number_below(const struct snmp_oid *oid, const struct snmp_oid *root)
{
	return oid->len == root->len + 1 && snmp_oid_is_below(oid, root) ? oid->id[root->len] : 0;
}

static void take_text(const struct snmp_value *value, char *to, size_t size)
{
	size_t len = 0;

	if (value->type != SNMP_OCTETS)
		return;
	for (uint32_t i = 0; i < value->octets.len && len + 1 < size; i++) {
		uint8_t c = value->octets.bytes[i];

		to[len++] = c >= 0x20 && c < 0x7f ? (char)c : ' ';
	}
	to[len] = 0;
}

/* An IpAddress, or the octets of an InetAddress. */
static bool take_address(const struct snmp_value *value, struct spimend_address *ret)
{
	bool is_six = value->type == SNMP_OCTETS && value->octets.len == 16;

	if (!is_six && !((value->type == SNMP_ADDRESS || value->type == SNMP_OCTETS) && value->octets.len == 4))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->family = is_six ? 6 : 4;
	memcpy(ret->bytes, value->octets.bytes, is_six ? 16 : 4);
	return true;
}

static bool take_int(const struct snmp_value *value, int32_t *ret)
{
	if (value->type != SNMP_INTEGER)
		return false;
	*ret = (int32_t)value->integer;
	return true;
}

/* --- Trap by trap ------------------------------------------------------------------------------------------------- */

static void read_bad_sa(const struct snmp_varbind *v, struct device_report *ret)
{
	if (snmp_oid_is_below(&v->name, &bad_sa_spi) && v->value.type == SNMP_UNSIGNED) {
		ret->has_spi = true;
		ret->spi = (uint32_t)v->value.number;
	} else if (snmp_oid_is_below(&v->name, &bad_sa_spi) && v->value.type == SNMP_INTEGER) {
		/* Declared unsigned; an image that sends it signed means the same 32 bits. */
		ret->has_spi = true;
		ret->spi = (uint32_t)v->value.integer;
	} else if (snmp_oid_is_below(&v->name, &bad_sa_src)) {
		take_address(&v->value, &ret->src);
	} else if (snmp_oid_is_below(&v->name, &bad_sa_dst)) {
		take_address(&v->value, &ret->dst);
	}
}

/* Of the IKE traps: the first address is the device's, the second the peer's. */
static void read_ends(const struct snmp_varbind *v, struct device_report *ret)
{
	if (!spimend_address_known(&ret->local))
		take_address(&v->value, &ret->local);
	else if (!spimend_address_known(&ret->remote))
		take_address(&v->value, &ret->remote);
}

/* clogHistTable: 2 facility, 3 severity (syslog's plus 1), 4 name, 5 text. */
static void read_log(const struct snmp_varbind *v, struct device_report *ret)
{
	int32_t severity;

	if (!snmp_oid_is_below(&v->name, &history) || v->name.len <= history.len)
		return;
	switch (v->name.id[history.len]) {
	case 2:
		take_text(&v->value, ret->facility, sizeof(ret->facility));
		break;
	case 3:
		if (take_int(&v->value, &severity) && severity >= 1 && severity <= 8) {
			ret->has_severity = true;
			ret->severity = (uint8_t)(severity - 1);
		}
		break;
	case 4:
		take_text(&v->value, ret->name, sizeof(ret->name));
		break;
	case 5:
		take_text(&v->value, ret->text, sizeof(ret->text));
		break;
	default:
		break;
	}
}

/* The history table below root.1.2.3.1: 7 policy name, 9 and 10 intData, 11 strData. */
static void read_eem(const struct snmp_varbind *v, const struct snmp_oid *root, struct device_report *ret)
{
	struct snmp_oid table = *root;

	(void)(snmp_oid_add(&table, 1) && snmp_oid_add(&table, 2) && snmp_oid_add(&table, 3) && snmp_oid_add(&table, 1));
	if (!snmp_oid_is_below(&v->name, &table) || v->name.len <= table.len)
		return;
	switch (v->name.id[table.len]) {
	case 7:
		take_text(&v->value, ret->name, sizeof(ret->name));
		break;
	case 8:
		if (v->value.type == SNMP_INTEGER) {
			ret->has_reason = true;
			ret->reason = (uint32_t)v->value.integer;
		}
		break;
	case 9:
		ret->has_int1 = take_int(&v->value, &ret->int1);
		break;
	case 10:
		ret->has_int2 = take_int(&v->value, &ret->int2);
		break;
	case 11:
		take_text(&v->value, ret->text, sizeof(ret->text));
		break;
	default:
		break;
	}
}

/* --- All of them -------------------------------------------------------------------------------------------------- */

static enum report_kind kind_of(const struct snmp_oid *trap, const struct snmp_oid **ret_eem_root)
{
	uint32_t flow = number_below(trap, &flow_traps), enhanced = number_below(trap, &enhanced_traps);

	if (flow && flow < sizeof(flow_kinds))
		return (enum report_kind)flow_kinds[flow];
	if (enhanced && enhanced < sizeof(enhanced_kinds))
		return (enum report_kind)enhanced_kinds[enhanced];
	if (snmp_oid_equal(trap, &syslog_trap))
		return REPORT_LOG;
	for (size_t i = 0; i < sizeof(eem_roots) / sizeof(eem_roots[0]); i++) {
		struct snmp_oid root = eem_roots[i];

		(void)snmp_oid_add(&root, 0);
		if (number_below(trap, &root) == 1 || number_below(trap, &root) == 2) {
			*ret_eem_root = &eem_roots[i];
			return REPORT_APPLET;
		}
	}
	return REPORT_OTHER;
}

void snmp_read_meaning(const struct snmp_trap *trap, struct device_report *ret)
{
	const struct snmp_oid *root = NULL;

	memset(ret, 0, sizeof(*ret));
	ret->kind = kind_of(&trap->trap, &root);
	ret->authenticated = trap->authenticated;
	ret->device = trap->source;
	for (uint32_t i = 0; i < trap->varbind_count; i++) {
		const struct snmp_varbind *v = &trap->varbinds[i];

		if (ret->kind == REPORT_BAD_SPI)
			read_bad_sa(v, ret);
		else if (ret->kind == REPORT_LOG)
			read_log(v, ret);
		else if (ret->kind == REPORT_APPLET)
			read_eem(v, root, ret);
		else if (ret->kind == REPORT_NO_IKE_SA || ret->kind == REPORT_IKE_UP || ret->kind == REPORT_IKE_DOWN ||
			 ret->kind == REPORT_SETUP_FAILED)
			read_ends(v, ret);
	}
}
