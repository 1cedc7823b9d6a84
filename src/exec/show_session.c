/* SPDX-License-Identifier: MIT */
/* `show crypto session [detail]`: per connection and peer the IKE SAs and what is under them, in the layout of IOS. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "exec/show.h"

/* An IKE SA, a row of rows, or a configured child to whose peer there is neither: sorted together, those of one session
 * stand side by side, its IKE SAs first. */
struct item {
	const char *interface, *name;
	const struct spimend_address *local, *remote;
	const struct ike_sa *ike;                /* NULL: `configured` or `row` it is */
	const struct connection *configured;
	size_t row;
};
static const struct spimend_address nowhere; /* where a session that is down begins is not known */

struct session {
	const struct item *items;
	size_t count;
	const struct ike_sa *ike; /* the newest that is up, else the newest; NULL: none */
	const char *status;
	size_t ikes, active; /* active: SAs, each direction one */
};

static int compare_session(const struct item *x, const struct item *y)
{
	int r = strcmp(x->interface, y->interface);

	if (!r)
		r = spimend_address_compare(x->local, y->local);
	if (!r)
		r = strcmp(x->name, y->name);
	return r ? r : spimend_address_compare(x->remote, y->remote);
}

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int r = compare_session(x, y);

	if (r)
		return r;
	if (!x->ike != !y->ike)
		return x->ike ? -1 : 1;
	if (x->ike)
		return x->ike->id < y->ike->id ? -1 : x->ike->id > y->ike->id;
	if (x->configured && y->configured)
		return strcmp(x->configured->child, y->configured->child);
	return x->row < y->row ? -1 : x->row > y->row;
}

static bool is_up(const struct ike_sa *ike)
{
	return ike->state == IKE_ESTABLISHED || ike->state == IKE_REKEYING;
}

bool show_child_is_active(const struct child_sa *c)
{
	return c->state == CHILD_INSTALLED || c->state == CHILD_REKEYING || c->state == CHILD_REKEYED;
}

/* --- What sessions are made of ---------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The peers of configured connections that have nothing up: routers list them too. A peer that may be anybody cannot be
 * missing, and of several addresses one that is up is enough. */
static size_t add_down(const struct exec_view *view, struct item *items, size_t n, size_t room)
{
	const char **up = memory_new(n ? n : 1, sizeof(*up));
	const struct connection *c;
	size_t ups = n;
	uint32_t at = 0;

	for (size_t i = 0; up && i < n; i++)
		up[i] = items[i].name;
	if (up && ups)
		qsort(up, ups, sizeof(*up), compare_names);
	while (up && (c = core_connection_next(view->core, &at))) {
		const char *name = c->ike;

		if (c->dynamic_peer || (ups && bsearch(&name, up, ups, sizeof(*up), compare_names)))
			continue;
		for (size_t i = 0; i < c->remote_count && n < room; i++)
			items[n++] = (struct item){ "unknown", c->ike, &nowhere, &c->remote[i], NULL, c, 0 };
	}
	memory_free(up);
	return n;
}

static struct item *items_of(const struct exec_view *view, const struct show_rows *rows, size_t *ret_count)
{
	const struct connection *c;
	const struct ike_sa *ike;
	struct item *items;
	size_t room = rows->count, n = 0;
	uint32_t at = 0;

	while (core_ike_next(view->core, &at))
		room++;
	for (at = 0; (c = core_connection_next(view->core, &at));)
		room += c->remote_count;
	items = memory_new(room ? room : 1, sizeof(*items));
	for (size_t i = 0; items && i < rows->count; i++) {
		const struct child_sa *child = &rows->at[i].tunnel.child;

		items[n++] = (struct item){ rows->at[i].interface, child->ike, &child->local, &child->remote, NULL, NULL, i };
	}
	for (at = 0; items && n < room && (ike = core_ike_next(view->core, &at));) {
		const struct link *link = show_link_of(view, &ike->local);

		items[n++] = (struct item){ link ? link->name : "unknown", ike->name, &ike->local, &ike->remote, ike, NULL, 0 };
	}
	if (items) {
		n = add_down(view, items, n, room);
		qsort(items, n, sizeof(*items), compare);
	}
	*ret_count = n;
	return items;
}

static void judge(const struct show_rows *rows, struct session *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct ike_sa *ike = s->items[i].ike;

		if (ike) {
			if (!s->ike || is_up(ike) || !is_up(s->ike))
				s->ike = ike;
			s->ikes++;
		} else if (!s->items[i].configured) {
			const struct child_sa *c = &rows->at[s->items[i].row].tunnel.child;

			s->active += show_child_is_active(c) ? (size_t)c->has_spi_in + c->has_spi_out : 0;
		}
	}
	if (s->active)
		s->status = s->ike && is_up(s->ike) ? "UP-ACTIVE" : "UP-NO-IKE";
	else if (s->ike && is_up(s->ike))
		s->status = "UP-IDLE";
	else
		s->status = s->ike && s->ike->state == IKE_CONNECTING ? "DOWN-NEGOTIATING" : "DOWN";
}

/* --- Text ------------------------------------------------------------------------------------------------------------- */

void show_add_ike_of_session(const struct ike_sa *ike, bool detail, struct buffer *out)
{
	char local[SPIMEND_ADDRESS_TEXT_MAX], remote[SPIMEND_ADDRESS_TEXT_MAX];

	buffer_printf(out, "  IKEv%u SA: local %s/%u%sremote %s/%u %s\n", ike->version, show_address(&ike->local, local), ike->local_port,
		      ike->local.family == 6 ? "\n          " : " ", show_address(&ike->remote, remote), ike->remote_port,
		      is_up(ike) ? "Active" : "Inactive");
	if (!detail)
		return;
	buffer_printf(out, "          Capabilities:%s connid:%" PRIu32 " lifetime:", ike->nat ? "N" : "(none)", ike->id);
	if (ike->has_rekey)
		buffer_printf(out, "%02" PRIu32 ":%02" PRIu32 ":%02" PRIu32 "\n", ike->rekey_s / 3600, ike->rekey_s / 60 % 60,
			      ike->rekey_s % 60);
	else
		buffer_add_string(out, "unknown\n");
}

static void add_direction(const struct show_row *rows, size_t count, bool inbound, struct buffer *out)
{
	const struct child_sa *newest = &rows[count - 1].tunnel.child;
	uint64_t packets = 0, left;

	for (size_t i = 0; i < count; i++) {
		const struct child_sa *c = &rows[i].tunnel.child;

		if (!c->has_counters)
			return;
		packets += inbound ? c->packets_in : c->packets_out;
	}
	buffer_printf(out, "        %s #pkts %s'ed %" PRIu64 " life (KB/Sec) ", inbound ? "Inbound: " : "Outbound:",
		      inbound ? "dec" : "enc", packets);
	if (show_kilobytes_left(&rows[count - 1].tunnel, inbound, &left))
		buffer_printf(out, "%" PRIu64 "/", left);
	else
		buffer_add_string(out, rows[count - 1].tunnel.has_kernel ? "KB Vol Rekey Disabled/" : "unknown/");
	buffer_printf(out, newest->has_life ? "%" PRIu32 "\n" : "unknown\n", newest->life_s);
}

/* "permit ip 10.1.0.0/255.255.0.0 10.2.0.0/255.255.0.0", one a pair of selectors. */
static void add_permits(const struct child_sa *c, struct buffer *out)
{
	for (size_t i = 0; i < c->local_ts.count; i++)
		for (size_t k = 0; k < c->remote_ts.count; k++) {
			const struct selector *ours = &c->local_ts.at[i], *theirs = &c->remote_ts.at[k];

			if (ours->from.family != theirs->from.family)
				continue;
			buffer_add_string(out, "  IPSEC FLOW: permit ");
			if (ours->protocol || theirs->protocol)
				buffer_printf(out, "%u ", ours->protocol ? ours->protocol : theirs->protocol);
			else
				buffer_add_string(out, ours->from.family == 4 ? "ip " : "ipv6 ");
			show_add_permit(out, ours);
			buffer_add_char(out, ' ');
			show_add_permit(out, theirs);
			buffer_add_char(out, '\n');
		}
	if (c->local_ts.more || c->remote_ts.more || !c->local_ts.count || !c->remote_ts.count)
		buffer_printf(out, "  IPSEC FLOW: %s, child %s\n", c->local_ts.count && c->remote_ts.count ? "and more" : "unknown", c->child);
}

void show_add_ipsec_flow(const struct show_row *rows, size_t count, bool detail, struct buffer *out)
{
	size_t active = 0;

	for (size_t i = 0; i < count; i++) {
		const struct child_sa *c = &rows[i].tunnel.child;

		active += show_child_is_active(c) ? (size_t)c->has_spi_in + c->has_spi_out : 0;
	}
	add_permits(&rows[count - 1].tunnel.child, out);
	buffer_printf(out, "        Active SAs: %zu, origin: crypto map\n", active);
	if (detail) {
		add_direction(rows, count, true, out);
		add_direction(rows, count, false, out);
	}
}

static void add_session(struct exec_call *call, const struct show_rows *rows, const struct session *s)
{
	const struct item *first = s->items;
	bool detail = exec_has(call, "detail");
	struct buffer *out = call->out;
	char peer[SPIMEND_ADDRESS_TEXT_MAX];
	size_t n;

	buffer_printf(out, "\nInterface: %s\nProfile: %s\n", first->interface, first->name);
	if (detail && s->ike && is_up(s->ike)) {
		buffer_add_string(out, "Uptime: ");
		show_add_uptime(out, s->ike->established_s);
		buffer_add_char(out, '\n');
	}
	buffer_printf(out, "Session status: %s\nPeer: %s port %u%s\n", s->status, show_address(first->remote, peer),
		      s->ike ? s->ike->remote_port : 500, detail ? " fvrf: (none) ivrf: (none)" : "");
	for (size_t i = 0; i < s->ikes; i++) {
		buffer_printf(out, "  Session ID: %" PRIu32 "\n", s->items[i].ike->id);
		show_add_ike_of_session(s->items[i].ike, detail, out);
	}
	for (size_t i = s->ikes; i < s->count; i += n) {
		if (s->items[i].configured) {
			n = 1;
			buffer_printf(out, "  IPSEC FLOW: unknown, child %s\n        Active SAs: 0, origin: crypto map\n",
				      s->items[i].configured->child);
			continue;
		}
		n = show_rows_flow(rows, s->items[i].row);
		show_add_ipsec_flow(&rows->at[s->items[i].row], n, detail, out);
	}
}

static void put_session(struct exec_call *call, const struct session *s)
{
	struct json j;

	exec_json_begin(call, &j, "spimend.crypto-session/1");
	json_string(&j, "interface", strcmp(s->items->interface, "unknown") != 0 ? s->items->interface : NULL);
	json_string(&j, "ike", s->items->name);
	json_string(&j, "status", s->status);
	show_put_address(&j, "local", s->items->local);
	show_put_address(&j, "peer", s->items->remote);
	if (s->ike) {
		json_unsigned(&j, "peer_port", s->ike->remote_port);
		json_unsigned(&j, "ike_version", s->ike->version);
		json_unsigned(&j, "ike_id", s->ike->id);
	} else {
		json_null(&j, "peer_port");
		json_null(&j, "ike_version");
		json_null(&j, "ike_id");
	}
	json_unsigned(&j, "ike_sas", s->ikes);
	json_unsigned(&j, "active_sas", s->active);
	exec_json_end(call, &j);
}

static void show_session(struct exec_call *call)
{
	cleanup(show_rows_done) struct show_rows rows;
	cleanup(memory_free_pointer) struct item *items = NULL;
	size_t count = 0;

	if (show_rows_new(&call->view, NULL, &rows) == 0)
		items = items_of(&call->view, &rows, &count);
	if (!items) {
		exec_refuse(call, "no memory for the list");
		return;
	}
	if (!call->json)
		buffer_add_string(call->out, "Crypto session current status\n");
	for (size_t i = 0; i < count;) {
		struct session s = { .items = &items[i] };

		while (i < count && compare_session(s.items, &items[i]) == 0) {
			i++;
			s.count++;
		}
		judge(&rows, &s);
		if (call->json)
			put_session(call, &s);
		else
			add_session(call, &rows, &s);
	}
	if (!call->json)
		show_add_stale(&call->view, call->out);
}

const struct exec_command exec_show_session_rows[] = {
	{ "show crypto session [detail]", "per peer: IKE SAs and IPsec flows", EXEC_ANYBODY, EXEC_JSON, show_session },
};
const size_t exec_show_session_row_count = EXEC_COUNT(exec_show_session_rows);
