/* SPDX-License-Identifier: MIT */
/*
 * B5's two counters of dropped packets, under the names that routers give them and with what a Linux gateway knows
 * (DESIGN.md 8). Strays are what the sensors saw since spimendd runs, the rest is the kernel's count since it booted. What
 * has no counterpart here is 0, in JSON null.
 */
#include <inttypes.h>

#include "exec/show.h"

enum drop { DROP_UNKNOWN, DROP_STRAYS, DROP_STRAYS_IPV4, DROP_STRAYS_IPV6, DROP_INVALID, DROP_REPLAY };

static bool kernel_has(const struct core_figures *f, enum xfrm_counter which)
{
	return f->has_counters && f->counters.present >> which & 1;
}

/* False: there is no such count here. */
static bool read_drop(const struct core_figures *f, enum drop drop, uint64_t *ret)
{
	*ret = 0;
	switch (drop) {
	case DROP_STRAYS:
		*ret = f->strays;
		return true;
	case DROP_STRAYS_IPV4:
		*ret = f->strays - f->strays_ipv6;
		return true;
	case DROP_STRAYS_IPV6:
		*ret = f->strays_ipv6;
		return true;
	case DROP_INVALID:
		if (!kernel_has(f, XFRM_IN_STATE_INVALID) || !kernel_has(f, XFRM_IN_STATE_EXPIRED))
			return false;
		*ret = f->counters.value[XFRM_IN_STATE_INVALID] + f->counters.value[XFRM_IN_STATE_EXPIRED];
		return true;
	case DROP_REPLAY:
		*ret = kernel_has(f, XFRM_IN_STATE_SEQ_ERROR) ? f->counters.value[XFRM_IN_STATE_SEQ_ERROR] : 0;
		return kernel_has(f, XFRM_IN_STATE_SEQ_ERROR);
	default:
		return false;
	}
}

static void put_number(struct json *j, const char *key, bool known, uint64_t value)
{
	if (known)
		json_unsigned(j, key, value);
	else
		json_null(j, key);
}

static void show_global(struct exec_call *call)
{
	static const struct {
		const char *name;
		enum drop drop;
	} drops[] = {
		{ "IpsecDenyDrop", DROP_UNKNOWN },  { "IpsecIkeIndicate", DROP_UNKNOWN }, { "IpsecInput", DROP_STRAYS },
		{ "IpsecInvalidSa", DROP_UNKNOWN }, { "IpsecOutput", DROP_UNKNOWN },      { "IpsecTailDrop", DROP_UNKNOWN },
		{ "IpsecTedIndicate", DROP_UNKNOWN },
	};
	static const char rule[] = "-------------------------------------------------------------------------\n";
	struct json j;

	if (!call->json)
		buffer_printf(call->out, "%s%-30s %18s %23s\n%s", rule, "Global Drop Stats", "Packets", "Octets", rule);
	for (size_t i = 0; i < EXEC_COUNT(drops); i++) {
		uint64_t packets;
		bool known = read_drop(call->view.figures, drops[i].drop, &packets);

		if (!call->json) {
			buffer_printf(call->out, "%-30s %18" PRIu64 " %23u\n", drops[i].name, packets, 0u);
			continue;
		}
		exec_json_begin(call, &j, "spimend.qfp-drop/1");
		json_string(&j, "name", drops[i].name);
		put_number(&j, "packets", known, packets);
		json_null(&j, "octets"); /* nobody counts them */
		exec_json_end(call, &j);
	}
}

static void show_ipsec(struct exec_call *call)
{
	static const struct {
		unsigned type;
		const char *name;
		enum drop drop;
	} drops[] = {
		{ 1, "IN_V4_PKT_HIT_INVALID_SA", DROP_INVALID }, /* of both families: the kernel does not tell them apart */
		{ 4, "IN_US_V4_PKT_SA_NOT_FOUND_SPI", DROP_STRAYS_IPV4 },
		{ 7, "IN_TRANS_V4_IPSEC_PKT_NOT_FOUND_SPI", DROP_UNKNOWN }, /* to be forwarded: not ours to judge */
		{ 9, "IN_V6_PKT_HIT_INVALID_SA", DROP_UNKNOWN },
		{ 12, "IN_US_V6_PKT_SA_NOT_FOUND_SPI", DROP_STRAYS_IPV6 },
		{ 17, "IN_CPP_FAIL_NOTIF_SA_SOFT_EXPIRY", DROP_UNKNOWN },
		{ 18, "IN_CD_SW_IPSEC_HARD_EXPIRY", DROP_UNKNOWN },
		{ 19, "IN_OCT_ANTI_REPLAY_FAIL", DROP_REPLAY },
		{ 111, "OUT_IPV4_SA_NOT_FOUND", DROP_UNKNOWN },
		{ 112, "OUT_IPV6_SA_NOT_FOUND", DROP_UNKNOWN },
	};
	static const char rule[] = "------------------------------------------------------------------------\n";
	struct json j;

	if (!call->json)
		buffer_printf(call->out, "%sDrop Type  %-40s Packets\n%s", rule, "Name", rule);
	for (size_t i = 0; i < EXEC_COUNT(drops); i++) {
		uint64_t packets;
		bool known = read_drop(call->view.figures, drops[i].drop, &packets);

		if (packets == 0 && !exec_has(call, "all")) /* as on routers: only what dropped something */
			continue;
		if (!call->json) {
			buffer_printf(call->out, "%9u  %-45s %15" PRIu64 "\n", drops[i].type, drops[i].name, packets);
			continue;
		}
		exec_json_begin(call, &j, "spimend.ipsec-drop/1");
		json_unsigned(&j, "type", drops[i].type);
		json_string(&j, "name", drops[i].name);
		put_number(&j, "packets", known, packets);
		exec_json_end(call, &j);
	}
}

const struct exec_command exec_show_qfp_rows[] = {
	{ "show platform hardware qfp active statistics drop", "packets dropped, by cause", EXEC_ANYBODY, EXEC_JSON, show_global },
	{ "show platform hardware qfp active feature ipsec datapath drops [all]", "IPsec packets dropped, by cause", EXEC_ANYBODY,
	  EXEC_JSON, show_ipsec },
};
const size_t exec_show_qfp_row_count = EXEC_COUNT(exec_show_qfp_rows);
