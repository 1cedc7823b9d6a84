/* SPDX-License-Identifier: MIT */
/*
 * `show crypto sockets` and `show dmvpn [detail]`: what IPsec protects tunnel devices, in the layout of IOS. NHRP is not
 * asked (what only it knows, who is the hub or which entry is registered, is said to be unknown), but what it resolved is in
 * the kernel: neighbours of the GRE device, each a tunnel address with the address outside that it is behind.
 */
#include <inttypes.h>

#include "base/memory.h"
#include "exec/show.h"

/* The children of tunnel devices: GRE, and VTI or XFRM interfaces (a mark or an interface id). */
static bool is_of_device(const struct child_sa *c)
{
	return c->gre || c->mark_in || c->if_id_in;
}

static const char *device_of(const struct show_row *row)
{
	return row->device ? row->device->name : "unknown";
}

static bool is_open(const struct show_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (show_child_is_active(&rows[i].tunnel.child))
			return true;
	return false;
}

static bool rows_of(struct exec_call *call, struct show_rows *ret)
{
	if (show_rows_new(&call->view, NULL, ret) == 0)
		return true;
	exec_refuse(call, "no memory for the list");
	return false;
}

static void put_device(struct json *j, const char *device)
{
	json_string(j, "interface", strcmp(device, "unknown") != 0 ? device : NULL);
}

/* --- Sockets ---------------------------------------------------------------------------------------------------------- */

static void put_socket(struct exec_call *call, const struct show_row *row, bool open)
{
	const struct child_sa *c = &row->tunnel.child;
	struct json j;

	exec_json_begin(call, &j, "spimend.crypto-socket/1");
	put_device(&j, device_of(row));
	show_put_address(&j, "local", &c->local);
	show_put_address(&j, "peer", &c->remote);
	json_string(&j, "ike", c->ike);
	json_string(&j, "child", c->child);
	json_string(&j, "state", open ? "open" : "closed");
	exec_json_end(call, &j);
}

static void add_socket(struct exec_call *call, const struct show_row *row, bool open)
{
	const struct child_sa *c = &row->tunnel.child;
	char local[SPIMEND_ADDRESS_TEXT_MAX], remote[SPIMEND_ADDRESS_TEXT_MAX];

	show_address(&c->local, local);
	show_address(&c->remote, remote);
	buffer_printf(call->out, "   %s Peers (local/remote): %s/%s\n", device_of(row), local, remote);
	if (c->local_ts.count && c->remote_ts.count) {
		buffer_add_string(call->out, "       Local Ident  (addr/mask/port/prot): ");
		show_add_ident(call->out, &c->local_ts.at[0], true);
		buffer_add_string(call->out, "\n       Remote Ident (addr/mask/port/prot): ");
		show_add_ident(call->out, &c->remote_ts.at[0], true);
		buffer_add_char(call->out, '\n');
	}
	buffer_printf(call->out, "       IPSec Profile: \"%s\"\n       Socket State: %s\n       Client: \"TUNNEL SEC\" (Client State: %s)\n",
		      c->ike, open ? "Open" : "Closed", open ? "Active" : "Inactive");
}

static void add_listening(struct exec_call *call)
{
	const struct gre_device *d;

	buffer_add_string(call->out, "\nCrypto Sockets in Listen state:\n");
	for (size_t i = 0; (d = core_gre_at(call->view.core, i)); i++)
		if (!spimend_address_known(&d->remote))
			buffer_printf(call->out, "Client: \"TUNNEL SEC\" Profile: \"unknown\" Map-name: \"%s\"\n", d->name);
}

static void show_sockets(struct exec_call *call)
{
	cleanup(show_rows_done) struct show_rows rows;
	size_t n, sockets = 0;

	if (!rows_of(call, &rows))
		return;
	for (size_t i = 0; (n = show_rows_flow(&rows, i)); i += n)
		sockets += is_of_device(&rows.at[i].tunnel.child);
	if (!call->json)
		buffer_printf(call->out, "Number of Crypto Socket connections %zu\n\n", sockets);
	for (size_t i = 0; (n = show_rows_flow(&rows, i)); i += n) {
		if (!is_of_device(&rows.at[i].tunnel.child))
			continue;
		if (call->json)
			put_socket(call, &rows.at[i], is_open(&rows.at[i], n));
		else
			add_socket(call, &rows.at[i], is_open(&rows.at[i], n));
	}
	if (call->json)
		return;
	add_listening(call);
	show_add_stale(&call->view, call->out);
}

/* --- DMVPN ------------------------------------------------------------------------------------------------------------ */

static const char legend[] =
	"Legend: Attrb --> S - Static, D - Dynamic, I - Incomplete\n"
	"        UpDn Time --> Up or Down Time for a Tunnel\n"
	"==========================================================================\n";

/* The next neighbour on that device behind `nbma` (NULL: any), from `*at` on. */
static const struct neighbour *next_neighbour(const struct exec_view *view, const char *device,
					      const struct spimend_address *nbma, size_t *at)
{
	const struct neighbour_list *list = view->neighbours;
	uint32_t index = 0;

	for (size_t i = 0; view->links && i < view->links->count; i++)
		if (strcmp(view->links->at[i].name, device) == 0)
			index = view->links->at[i].index;
	for (; index && list && *at < list->count; ++*at) {
		const struct neighbour *n = &list->at[*at];

		if (n->link == index && (!nbma || spimend_address_equal(&n->nbma, nbma))) {
			++*at;
			return n;
		}
	}
	return NULL;
}

static size_t count_neighbours(const struct exec_view *view, const char *device, const struct spimend_address *nbma)
{
	size_t n = 0, at = 0;

	while (next_neighbour(view, device, nbma, &at))
		n++;
	return n;
}

/* IPsec's word first; then whether the address inside is resolved. */
static const char *state_of(const struct show_row *rows, size_t count, const struct neighbour *neighbour)
{
	const struct core_tunnel *t = &rows[count - 1].tunnel;

	if (is_open(rows, count))
		return neighbour && !neighbour->resolved ? "NHRP" : "UP";
	return t->has_ike && t->ike.state == IKE_ESTABLISHED ? "IPSEC" : "IKE";
}

/* A peer without a fixed address is a dynamic one (kind.h); a configured one is static, as is a configured neighbour. */
static const char *attribute_of(const struct exec_view *view, const struct child_sa *c, const struct neighbour *neighbour)
{
	const struct connection *of = core_connection_of(view->core, c->connection);

	if (neighbour)
		return !neighbour->resolved ? "I" : neighbour->permanent ? "S" : "D";
	return !of || of->dynamic_peer ? "D" : "S";
}

static bool leads_through(const struct show_row *row, const struct gre_device *device)
{
	return row->tunnel.child.gre && row->device == device;
}

static uint32_t age_of(const struct show_row *rows)
{
	const struct core_tunnel *t = &rows->tunnel;

	return t->has_ike && t->ike.state == IKE_ESTABLISHED ? t->ike.established_s : t->child.install_s;
}

/* One object a tunnel address; one without where none is known. `rows` NULL: the peer has no SA. */
static void put_peer(struct exec_call *call, const struct show_row *rows, size_t n, const char *device,
		     const struct neighbour *neighbour)
{
	const struct child_sa *c = rows ? &rows[n - 1].tunnel.child : NULL;
	struct json j;

	exec_json_begin(call, &j, "spimend.dmvpn/1");
	put_device(&j, device);
	show_put_address(&j, "nbma", c ? &c->remote : &neighbour->nbma);
	if (neighbour)
		show_put_address(&j, "tunnel_address", &neighbour->address);
	else
		json_null(&j, "tunnel_address");
	json_string(&j, "state", c ? state_of(rows, n, neighbour) : "IKE");
	if (c)
		json_unsigned(&j, "up_s", age_of(&rows[n - 1]));
	else
		json_null(&j, "up_s");
	json_string(&j, "attributes", c ? attribute_of(&call->view, c, neighbour) : neighbour->permanent ? "S" : "D");
	show_put_spi(&j, "spi_in", c && c->has_spi_in, c ? c->spi_in : 0);
	show_put_spi(&j, "spi_out", c && c->has_spi_out, c ? c->spi_out : 0);
	exec_json_end(call, &j);
}

/* The first line of a peer has its address outside; further ones are further addresses inside. */
static void add_peer(struct exec_call *call, const struct show_row *rows, size_t n, const struct neighbour *neighbour,
		     size_t entries)
{
	const struct child_sa *c = &rows[n - 1].tunnel.child;
	cleanup(buffer_done) struct buffer up = { 0 };
	char nbma[SPIMEND_ADDRESS_TEXT_MAX], inside[SPIMEND_ADDRESS_TEXT_MAX] = "UNKNOWN";

	show_add_uptime(&up, age_of(&rows[n - 1]));
	if (neighbour)
		show_address(&neighbour->address, inside);
	if (entries)
		buffer_printf(call->out, " %5zu %-15s", entries, show_address(&c->remote, nbma));
	else
		buffer_add_repeat(call->out, ' ', 22);
	buffer_printf(call->out, " %15s %5s %8.*s %5s\n", inside, state_of(rows, n, neighbour), TEXT_ARG(buffer_text(&up)),
		      attribute_of(&call->view, c, neighbour));
}

static void each_address(struct exec_call *call, const struct show_row *rows, size_t n, const char *device)
{
	const struct spimend_address *nbma = &rows[n - 1].tunnel.child.remote;
	size_t entries = count_neighbours(&call->view, device, nbma), at = 0;
	const struct neighbour *neighbour = next_neighbour(&call->view, device, nbma, &at);
	bool first = true;

	do {
		if (call->json)
			put_peer(call, rows, n, device, neighbour);
		else
			add_peer(call, rows, n, neighbour, !first ? 0 : entries ? entries : 1);
		first = false;
	} while (neighbour && (neighbour = next_neighbour(&call->view, device, nbma, &at)));
}

/* Neighbours that no SA leads to: what goes there is lost, or waits for IKE. */
static size_t each_bare(struct exec_call *call, const struct show_rows *rows, const struct gre_device *device, bool show)
{
	char nbma[SPIMEND_ADDRESS_TEXT_MAX], inside[SPIMEND_ADDRESS_TEXT_MAX];
	const struct neighbour *n;
	size_t at = 0, count = 0;

	while ((n = next_neighbour(&call->view, device->name, NULL, &at))) {
		size_t i = 0;

		while (i < rows->count && !(leads_through(&rows->at[i], device) &&
					    spimend_address_equal(&rows->at[i].tunnel.child.remote, &n->nbma)))
			i++;
		if (i < rows->count)
			continue;
		count++;
		if (show && call->json)
			put_peer(call, NULL, 0, device->name, n);
		else if (show)
			buffer_printf(call->out, " %5u %-15s %15s %5s %8s %5s\n", 1u, show_address(&n->nbma, nbma),
				      show_address(&n->address, inside), "IKE", "never", n->permanent ? "S" : "D");
	}
	return count;
}

static void add_crypto(struct exec_call *call, const struct show_row *rows, size_t n, const char *device)
{
	const struct core_tunnel *t = &rows[n - 1].tunnel;
	cleanup(buffer_done) struct buffer transform = { 0 };

	buffer_printf(call->out, "\nInterface: %s\n", device);
	if (t->has_ike)
		show_add_ike_of_session(&t->ike, true, call->out);
	show_add_ipsec_flow(rows, n, true, call->out);
	show_add_transform(&transform, &t->child);
	if (t->child.has_spi_out)
		buffer_printf(call->out, "   Outbound SPI : 0x%08" PRIX32 ", transform : %.*s\n", t->child.spi_out,
			      TEXT_ARG(buffer_text(&transform)));
	if (t->child.has_spi_in)
		buffer_printf(call->out, "   Inbound SPI  : 0x%08" PRIX32 ", transform : %.*s\n", t->child.spi_in,
			      TEXT_ARG(buffer_text(&transform)));
}

static void each_peer(struct exec_call *call, const struct show_rows *rows, const struct gre_device *device, bool crypto)
{
	const char *name = device ? device->name : "unknown";
	size_t n;

	for (size_t i = 0; (n = show_rows_flow(rows, i)); i += n) {
		if (!leads_through(&rows->at[i], device))
			continue;
		if (crypto)
			add_crypto(call, &rows->at[i], n, name);
		else
			each_address(call, &rows->at[i], n, name);
	}
	if (device && !crypto)
		each_bare(call, rows, device, true);
}

static void add_device(struct exec_call *call, const struct show_rows *rows, const struct gre_device *device)
{
	size_t n, peers = 0;

	for (size_t i = 0; (n = show_rows_flow(rows, i)); i += n)
		peers += leads_through(&rows->at[i], device);
	if (!device && peers == 0)
		return;
	if (device)
		peers += each_bare(call, rows, device, false);
	buffer_printf(call->out, "\nInterface: %s, IPv4 NHRP Details\nType:Unknown, NHRP Peers:%zu,\n\n", device ? device->name : "unknown",
		      peers);
	buffer_add_string(call->out, " # Ent  Peer NBMA Addr Peer Tunnel Add State  UpDn Tm Attrb\n"
				     " ----- --------------- --------------- ----- -------- -----\n");
	each_peer(call, rows, device, false);
}

static void show_dmvpn(struct exec_call *call)
{
	cleanup(show_rows_done) struct show_rows rows;
	bool crypto = exec_has(call, "detail") && !call->json;
	const struct gre_device *d = NULL;
	size_t i = 0;

	if (!rows_of(call, &rows))
		return;
	if (!call->json)
		buffer_add_string(call->out, legend);
	do { /* NULL last: those whose device is not known */
		d = core_gre_at(call->view.core, i++);
		if (call->json)
			each_peer(call, &rows, d, false);
		else
			add_device(call, &rows, d);
	} while (d);
	if (crypto)
		buffer_add_string(call->out, "\nCrypto Session Details:\n"
					     "--------------------------------------------------------------------------------\n");
	i = 0;
	do {
		d = core_gre_at(call->view.core, i++);
		if (crypto)
			each_peer(call, &rows, d, true);
	} while (d);
	if (!call->json) {
		buffer_add_string(call->out, "% NHRP is not asked: what it resolved is what the kernel has, types are unknown, the state is that of IPsec\n");
		show_add_stale(&call->view, call->out);
	}
}

const struct exec_command exec_show_tunnel_rows[] = {
	{ "show crypto sockets", "what IPsec protects tunnel devices", EXEC_ANYBODY, EXEC_JSON, show_sockets },
	{ "show dmvpn [detail]", "GRE devices and their peers, as far as IPsec knows", EXEC_ANYBODY, EXEC_JSON, show_dmvpn },
};
const size_t exec_show_tunnel_row_count = EXEC_COUNT(exec_show_tunnel_rows);
