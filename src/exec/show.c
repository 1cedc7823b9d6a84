/* SPDX-License-Identifier: MIT */
#include "exec/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

/* --- Rows ------------------------------------------------------------------------------------------------------------- */

static int compare_flow(const struct show_row *a, const struct show_row *b)
{
	const struct child_sa *x = &a->tunnel.child, *y = &b->tunnel.child;
	int r = strcmp(a->interface, b->interface);

	if (!r)
		r = spimend_address_compare(&x->local, &y->local);
	if (!r)
		r = strcmp(x->ike, y->ike);
	if (!r)
		r = spimend_address_compare(&x->remote, &y->remote);
	if (!r)
		r = strcmp(x->child, y->child);
	return r ? r : x->connection < y->connection ? -1 : x->connection > y->connection;
}

static int compare(const void *a, const void *b)
{
	const struct show_row *x = a, *y = b;
	int r = compare_flow(x, y);

	/* VICI's ids count up. */
	return r ? r : x->tunnel.child.id < y->tunnel.child.id ? -1 : x->tunnel.child.id > y->tunnel.child.id;
}

static const struct gre_device *device_of(const struct exec_view *view, const struct child_sa *child)
{
	const struct gre_device *d, *multipoint = NULL;

	for (size_t i = 0; child->gre && (d = core_gre_at(view->core, i)); i++) {
		if (spimend_address_known(&d->local) && !spimend_address_equal(&d->local, &child->local))
			continue;
		if (spimend_address_equal(&d->remote, &child->remote))
			return d;
		if (!spimend_address_known(&d->remote) && !multipoint)
			multipoint = d;
	}
	return multipoint;
}

int show_rows_new(const struct exec_view *view, const struct spimend_address *peer, struct show_rows *ret)
{
	cleanup(core_walk_done) struct core_walk walk;
	size_t room = 0;

	core_walk_begin(view->core, &walk);
	*ret = (struct show_rows){ .at = NULL };
	for (uint32_t i = 0; i < view->figures->daemon_count; i++)
		room += view->figures->daemons[i].children;
	if (room == 0)
		return 0;
	ret->at = memory_new(room, sizeof(*ret->at));
	if (!ret->at)
		return -ENOMEM;
	while (ret->count < room && exec_tunnel_next(view, &walk, &ret->at[ret->count].tunnel)) {
		struct show_row *row = &ret->at[ret->count];
		const struct link *link = show_link_of(view, &row->tunnel.child.local);

		if (peer && !spimend_address_equal(peer, &row->tunnel.child.remote))
			continue;
		row->interface = link ? link->name : "unknown";
		row->mtu = link ? link->mtu : 0;
		row->device = device_of(view, &row->tunnel.child);
		ret->count++;
	}
	qsort(ret->at, ret->count, sizeof(*ret->at), compare);
	return 0;
}

void show_rows_done(struct show_rows *rows)
{
	memory_free(rows->at);
	*rows = (struct show_rows){ .at = NULL };
}

size_t show_rows_flow(const struct show_rows *rows, size_t first)
{
	size_t n = first;

	while (n < rows->count && compare_flow(&rows->at[first], &rows->at[n]) == 0)
		n++;
	return n - first;
}

/* --- Values ----------------------------------------------------------------------------------------------------------- */

const char *show_address(const struct spimend_address *address, char to[SPIMEND_ADDRESS_TEXT_MAX])
{
	spimend_address_print(address, to);
	for (char *c = to; address->family == 6 && *c; c++)
		*c = *c >= 'a' && *c <= 'f' ? (char)(*c - 'a' + 'A') : *c;
	return to;
}

const struct link *show_link_of(const struct exec_view *view, const struct spimend_address *address)
{
	for (size_t i = 0; view->links && i < view->links->count; i++)
		for (uint32_t k = 0; k < view->links->at[i].address_count; k++)
			if (spimend_address_equal(&view->links->at[i].addresses[k].address, address))
				return &view->links->at[i];
	return NULL;
}

/* "4w2d", "3d05h", "01:10:00", as routers write how long something is up. */
void show_add_uptime(struct buffer *out, uint32_t seconds)
{
	uint32_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (days >= 7)
		buffer_printf(out, "%" PRIu32 "w%" PRIu32 "d", days / 7, days % 7);
	else if (days)
		buffer_printf(out, "%" PRIu32 "d%02" PRIu32 "h", days, hours % 24);
	else
		buffer_printf(out, "%02" PRIu32 ":%02" PRIu32 ":%02" PRIu32, hours, minutes % 60, seconds % 60);
}

void show_add_stale(const struct exec_view *view, struct buffer *out)
{
	for (uint32_t i = 0; i < view->figures->daemon_count; i++) {
		const struct core_daemon_figures *d = &view->figures->daemons[i];

		if (!d->state.up && (d->children || d->ike_sas))
			buffer_printf(out, "%% IKE daemon %s is down: its SAs are shown as listed last, they may be gone\n",
				      d->state.daemon < view->config->daemon_count ? view->config->daemons[d->state.daemon] : "?");
	}
}

void show_put_address(struct json *j, const char *key, const struct spimend_address *address)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX];

	json_string(j, key, spimend_address_known(address) ? spimend_address_print(address, text) : NULL);
}

void show_put_spi(struct json *j, const char *key, bool has, uint32_t spi)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08" PRIx32, spi);
	json_string(j, key, has ? text : NULL);
}
