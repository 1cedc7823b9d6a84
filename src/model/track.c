/* SPDX-License-Identifier: MIT */
#include "model/track.h"

void track_describe(const struct config_track *track, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	switch (track->kind) {
	case TRACK_ROUTE:
		buffer_printf(out, "%s route %s/%u reachability", track->address.family == 6 ? "ipv6" : "ip",
			      spimend_address_print(&track->address, address), track->prefix);
		break;
	case TRACK_STUB:
		buffer_add_string(out, "stub-object");
		break;
	case TRACK_PEER:
		buffer_printf(out, "ipsec peer %s", spimend_address_print(&track->address, address));
		break;
	default:
		buffer_printf(out, "interface %s %s", track->interface, track->kind == TRACK_IP_ROUTING ? "ip routing" : "line-protocol");
	}
}
