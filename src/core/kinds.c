/* SPDX-License-Identifier: MIT */
/* What kind of tunnel a child is (B12): from the IKE daemon's configuration, its SA, and the kernel's GRE devices. */
#include "base/memory.h"
#include "core/core_private.h"
#include "model/kind.h"

#define GRE_DEVICES_MAX 65536

/* --- GRE devices --------------------------------------------------------------------------------------------------- */

void core_gre_begin(struct core *c)
{
	c->gre_fresh.count = 0;
}

/* One that finds no room is one that is not known: its tunnels are of an unknown kind. */
void core_gre_device(struct core *c, const struct gre_device *device)
{
	struct gre_list *list = &c->gre_fresh;

	if (list->count == list->room) {
		uint32_t room = list->room ? list->room * 2 : 16;
		struct gre_device *bigger = room > GRE_DEVICES_MAX ? NULL : memory_resize(list->devices, room, sizeof(*bigger));

		if (!bigger)
			return;
		list->devices = bigger;
		list->room = room;
	}
	list->devices[list->count++] = *device;
}

void core_gre_end(struct core *c, struct moment now)
{
	struct gre_list old = c->gre;

	c->now = now;
	c->gre = c->gre_fresh;
	c->gre_fresh = old;
}

/* The device that packets to that peer take: its own, else one for everybody. */
static enum kind_gre device_between(const struct core *c, const struct spimend_address *ours,
				    const struct spimend_address *peer)
{
	enum kind_gre found = GRE_DEVICE_UNKNOWN;

	for (uint32_t i = 0; i < c->gre.count; i++) {
		const struct gre_device *d = &c->gre.devices[i];

		if (spimend_address_known(&d->local) && !spimend_address_equal(&d->local, ours))
			continue;
		if (spimend_address_equal(&d->remote, peer))
			return GRE_DEVICE_POINT_TO_POINT;
		if (!spimend_address_known(&d->remote))
			found = GRE_DEVICE_MULTIPOINT;
	}
	return found;
}

/* --- The kind ------------------------------------------------------------------------------------------------------ */

enum tunnel_kind kind_of_child(const struct core *c, const struct mirror_connection *connection, const struct child_sa *sa,
			       const struct ledger_entry *entry, const struct spimend_address *ours,
			       const struct spimend_address *peer)
{
	struct kind_facts facts = { .configured = connection != NULL };

	if (connection) {
		facts.dynamic_peer = connection->is.dynamic_peer;
		facts.gre = connection->is.gre;
	}
	if (sa) {
		facts.gre |= sa->gre;
		facts.virtual_address = sa->virtual_address;
		facts.route_based = sa->mark_in || sa->if_id_in;
	} else if (entry) {
		/* What only a living SA tells, and no configuration. */
		facts.virtual_address = entry->kind == TUNNEL_EZVPN_CLIENT;
		facts.route_based = entry->kind == TUNNEL_SVTI;
	}
	if (facts.gre)
		facts.device = device_between(c, ours, peer);
	return kind_of_facts(&facts);
}
