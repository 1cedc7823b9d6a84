/* SPDX-License-Identifier: MIT */
/*
 * `show crypto ipsec sa`, in the layout of IOS (devices.md 3). What the IKE daemon did not tell is said to be unknown or
 * left out; parse/sa_table.c reads all of it back.
 */
#include <inttypes.h>

#include "base/memory.h"
#include "exec/show.h"

#define AH 51

/* NULL: nothing tells. */
static const char *mode_of(const struct exec_view *view, const struct child_sa *child)
{
	static const char *const modes[] = { [CHILD_MODE_TUNNEL] = "Tunnel", [CHILD_MODE_TRANSPORT] = "Transport",
					     [CHILD_MODE_BEET] = "BEET" };
	const struct connection *c = core_connection_of(view->core, child->connection);

	if (child->mode != CHILD_MODE_UNKNOWN)
		return modes[child->mode];
	return c ? c->transport_mode ? "Transport" : "Tunnel" : NULL;
}

/* The port that ESP goes to: that of the IKE SA, which keep-alives hold open in a NAT; 500 or 4500 when that is gone. */
static uint16_t port_of(const struct core_tunnel *t)
{
	return t->has_ike ? t->ike.remote_port : t->child.encap_udp ? 4500 : 500;
}

static const char *status_of(enum child_state state)
{
	switch (state) {
	case CHILD_INSTALLED:
	case CHILD_REKEYING:
		return "ACTIVE(ACTIVE)";
	case CHILD_REKEYED: /* receives until the peer has sent its last packet with it */
		return "ACTIVE(REKEYED)";
	case CHILD_DELETING:
		return "INACTIVE(DELETING)";
	default:
		return "INACTIVE(CREATED)";
	}
}

/* --- Text ------------------------------------------------------------------------------------------------------------- */

static void add_lifetime(const struct core_tunnel *t, bool inbound, struct buffer *out)
{
	uint64_t left;

	if (t->child.has_life && show_kilobytes_left(t, inbound, &left))
		buffer_printf(out, "        sa timing: remaining key lifetime (k/sec): (%" PRIu64 "/%" PRIu32 ")\n", left, t->child.life_s);
	else if (t->child.has_life)
		buffer_printf(out, "        sa timing: remaining key lifetime (sec): %" PRIu32 "\n", t->child.life_s);
	if (t->has_kernel && !t->bytes_limit)
		buffer_add_string(out, "        Kilobyte Volume Rekey has been disabled\n");
}

static void add_sa(struct exec_call *call, const struct show_row *row, bool inbound)
{
	const struct child_sa *c = &row->tunnel.child;
	uint32_t spi = inbound ? c->spi_in : c->spi_out;
	struct buffer *out = call->out;
	const char *mode = mode_of(&call->view, c);

	buffer_printf(out, "      spi: 0x%" PRIX32 "(%" PRIu32 ")\n        transform: ", spi, spi);
	show_add_transform(out, c);
	buffer_add_string(out, " ,\n");
	buffer_printf(out, "        in use settings ={%s%s, }\n", mode ? mode : "unknown", c->encap_udp ? " UDP-Encaps" : "");
	buffer_printf(out, "        conn id: %" PRIu32 ", flow_id: XFRM:%" PRIu32 ", sibling_flags 00000000, crypto map: %s/%s\n", c->id,
		      c->id, c->ike, c->child);
	add_lifetime(&row->tunnel, inbound, out);
	if (exec_has(call, "detail") && c->has_counters)
		buffer_printf(out, "        #pkts: %" PRIu64 ", #bytes: %" PRIu64 "\n", inbound ? c->packets_in : c->packets_out,
			      inbound ? c->bytes_in : c->bytes_out);
	if (exec_has(call, "detail") && c->has_install)
		buffer_printf(out, "        #seconds since installed: %" PRIu32 "\n", c->install_s);
	if (exec_has(call, "detail") && inbound && c->has_use_in)
		buffer_printf(out, "        #seconds since last packet: %" PRIu32 "\n", c->use_in_s);
	buffer_printf(out, "        Status: %s\n", status_of(c->state));
}

static void add_direction(struct exec_call *call, const struct show_row *rows, size_t count, bool inbound)
{
	static const char *const kinds[] = { "esp", "ah", "pcp" };

	for (size_t kind = 0; kind < EXEC_COUNT(kinds); kind++) {
		buffer_printf(call->out, "     %s %s sas:\n", inbound ? "inbound" : "outbound", kinds[kind]);
		for (size_t i = count; kind < 2 && i-- > 0;) { /* the newest first, as IOS does */
			const struct child_sa *c = &rows[i].tunnel.child;

			if ((c->protocol == AH) == (kind == 1) && (inbound ? c->has_spi_in : c->has_spi_out))
				add_sa(call, &rows[i], inbound);
		}
		buffer_add_char(call->out, '\n');
	}
}

static void add_counters(const struct show_row *rows, size_t count, struct buffer *out)
{
	uint64_t in = 0, sent = 0;

	for (size_t i = 0; i < count; i++) {
		if (!rows[i].tunnel.child.has_counters)
			return; /* part of a sum is none */
		in += rows[i].tunnel.child.packets_in;
		sent += rows[i].tunnel.child.packets_out;
	}
	buffer_printf(out, "    #pkts encaps: %" PRIu64 ", #pkts encrypt: %" PRIu64 ", #pkts digest: %" PRIu64 "\n", sent, sent, sent);
	buffer_printf(out, "    #pkts decaps: %" PRIu64 ", #pkts decrypt: %" PRIu64 ", #pkts verify: %" PRIu64 "\n", in, in, in);
}

/* Routers have one pair an SA; of several the first stands in its place, and the others behind it. */
static void add_idents(const struct selector_list *list, const char *side, struct buffer *out)
{
	buffer_printf(out, "   %s ident (addr/mask/prot/port): ", side);
	if (list->count == 0)
		buffer_add_string(out, "(unknown)");
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			buffer_add_string(out, "\n     and ");
		show_add_ident(out, &list->at[i], false);
	}
	if (list->more && list->count)
		buffer_printf(out, "\n     and %u more", list->more);
	buffer_add_char(out, '\n');
}

static void add_pfs(const struct child_sa *c, struct buffer *out)
{
	unsigned group = show_group(&c->algorithms);

	if (group)
		buffer_printf(out, "     PFS (Y/N): Y, DH group: group%u\n", group);
	else if (c->algorithms.group[0])
		buffer_printf(out, "     PFS (Y/N): Y, DH group: %s\n", c->algorithms.group);
	else if (c->algorithms.encryption[0] || c->algorithms.integrity[0])
		buffer_add_string(out, "     PFS (Y/N): N, DH group: none\n");
}

static void add_endpoints(const struct show_row *row, struct buffer *out)
{
	const struct child_sa *c = &row->tunnel.child;
	const char *six = c->local.family == 6 ? "ipv6" : "ip";
	char local[SPIMEND_ADDRESS_TEXT_MAX], remote[SPIMEND_ADDRESS_TEXT_MAX];

	buffer_printf(out, "     local crypto endpt.: %s,%sremote crypto endpt.: %s\n", show_address(&c->local, local),
		      c->local.family == 6 ? "\n     " : " ", show_address(&c->remote, remote));
	if (row->mtu)
		buffer_printf(out, "     %s mtu %" PRIu32 ", %s mtu idb %s\n", six, row->mtu, six, row->interface);
}

static void add_flow(struct exec_call *call, const struct show_row *rows, size_t count)
{
	const struct core_tunnel *newest = &rows[count - 1].tunnel;
	struct buffer *out = call->out;
	char peer[SPIMEND_ADDRESS_TEXT_MAX];
	uint32_t spi = newest->child.has_spi_out ? newest->child.spi_out : 0;

	buffer_add_string(out, "   protected vrf: (none)\n");
	add_idents(&newest->child.local_ts, "local ", out);
	add_idents(&newest->child.remote_ts, "remote", out);
	buffer_printf(out, "   current_peer %s port %u\n     PERMIT, flags={}\n", show_address(&newest->child.remote, peer),
		      port_of(newest));
	add_counters(rows, count, out);
	if (newest->has_incident)
		buffer_printf(out, "    #incident %s is open\n", newest->incident);
	buffer_add_char(out, '\n');
	add_endpoints(&rows[count - 1], out);
	buffer_printf(out, "     current outbound spi: 0x%" PRIX32 "(%" PRIu32 ")\n", spi, spi);
	add_pfs(&newest->child, out);
	buffer_add_char(out, '\n');
	add_direction(call, rows, count, true);
	add_direction(call, rows, count, false);
}

static bool same_head(const struct show_row *a, const struct show_row *b)
{
	return strcmp(a->interface, b->interface) == 0 && strcmp(a->tunnel.child.ike, b->tunnel.child.ike) == 0 &&
	       spimend_address_equal(&a->tunnel.child.local, &b->tunnel.child.local);
}

static void add_rows(struct exec_call *call, const struct show_rows *rows)
{
	char local[SPIMEND_ADDRESS_TEXT_MAX];
	size_t n;

	for (size_t i = 0; (n = show_rows_flow(rows, i)); i += n) {
		const struct show_row *row = &rows->at[i];

		if (i == 0 || !same_head(row - 1, row))
			buffer_printf(call->out, "interface: %s\n    Crypto map tag: %s, local addr %s\n\n", row->interface,
				      row->tunnel.child.ike, show_address(&row->tunnel.child.local, local));
		add_flow(call, row, n);
	}
	if (rows->count == 0)
		buffer_add_string(call->out, "No SAs found\n");
	show_add_stale(&call->view, call->out);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------- */

static void put_number(struct json *j, const char *key, bool has, uint64_t value)
{
	if (has)
		json_unsigned(j, key, value);
	else
		json_null(j, key);
}

static void put_row(struct exec_call *call, const struct show_row *row)
{
	static const char *const states[] = { [CHILD_OTHER] = "other", [CHILD_CREATED] = "created", [CHILD_INSTALLED] = "installed",
					      [CHILD_REKEYING] = "rekeying", [CHILD_REKEYED] = "rekeyed",
					      [CHILD_DELETING] = "deleting" };
	const struct child_sa *c = &row->tunnel.child;
	const char *mode = mode_of(&call->view, c);
	uint64_t left = 0;
	struct json j;

	exec_json_begin(call, &j, "spimend.ipsec-sa/1");
	json_string(&j, "interface", row->mtu ? row->interface : NULL);
	json_string(&j, "ike", c->ike);
	json_string(&j, "child", c->child);
	json_unsigned(&j, "id", c->id);
	json_unsigned(&j, "ike_id", c->ike_id);
	json_string(&j, "state", states[c->state]);
	show_put_address(&j, "local", &c->local);
	show_put_address(&j, "peer", &c->remote);
	json_unsigned(&j, "peer_port", port_of(&row->tunnel));
	json_string(&j, "proto", c->protocol == AH ? "ah" : "esp");
	json_string(&j, "mode", !mode ? NULL : mode[0] == 'B' ? "beet" : mode[1] == 'r' ? "transport" : "tunnel");
	json_bool(&j, "udp_encaps", c->encap_udp);
	show_put_spi(&j, "spi_in", c->has_spi_in, c->spi_in);
	show_put_spi(&j, "spi_out", c->has_spi_out, c->spi_out);
	put_number(&j, "packets_in", c->has_counters, c->packets_in);
	put_number(&j, "bytes_in", c->has_counters, c->bytes_in);
	put_number(&j, "packets_out", c->has_counters, c->packets_out);
	put_number(&j, "bytes_out", c->has_counters, c->bytes_out);
	put_number(&j, "idle_in_s", c->has_use_in, c->use_in_s);
	put_number(&j, "installed_s", c->has_install, c->install_s);
	put_number(&j, "remaining_s", c->has_life, c->life_s);
	put_number(&j, "remaining_in_kb", show_kilobytes_left(&row->tunnel, true, &left), left);
	put_number(&j, "remaining_out_kb", show_kilobytes_left(&row->tunnel, false, &left), left);
	show_put_algorithms(&j, &c->algorithms);
	json_bool(&j, "esn", c->algorithms.esn);
	show_put_selectors(&j, "local_ts", &c->local_ts);
	show_put_selectors(&j, "remote_ts", &c->remote_ts);
	json_unsigned(&j, "ts_left_out", (uint64_t)c->local_ts.more + c->remote_ts.more);
	json_string(&j, "incident", row->tunnel.has_incident ? row->tunnel.incident : NULL);
	exec_json_end(call, &j);
}

static void show_ipsec_sa(struct exec_call *call)
{
	cleanup(show_rows_done) struct show_rows rows;
	struct spimend_address peer;
	bool of_peer = exec_address(call, &peer);

	if (show_rows_new(&call->view, of_peer ? &peer : NULL, &rows) < 0) {
		exec_refuse(call, "no memory for the list");
		return;
	}
	if (!call->json)
		add_rows(call, &rows);
	for (size_t i = 0; call->json && i < rows.count; i++)
		put_row(call, &rows.at[i]);
}

const struct exec_command exec_show_ipsec_rows[] = {
	{ "show crypto ipsec sa [peer ADDRESS] [detail]", "IPsec SAs with their SPIs and counters", EXEC_ANYBODY, EXEC_JSON,
	  show_ipsec_sa },
};
const size_t exec_show_ipsec_row_count = EXEC_COUNT(exec_show_ipsec_rows);
