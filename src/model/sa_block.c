/* SPDX-License-Identifier: MIT */
#include "model/sa_block.h"

#include <string.h>

static bool are_bools(const bool *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t byte;

		memcpy(&byte, list[i], 1);
		if (byte > 1)
			return false;
	}
	return true;
}

bool sa_block_valid(const struct sa_block *b)
{
	const bool *const bools[] = { &b->controller_keyed, &b->encap_udp, &b->encap_told, &b->whole, &b->local_ident.known,
				      &b->remote_ident.known, &b->settling, &b->manual_or_group, &b->has_counters, &b->has_lifetime,
				      &b->has_lifetime_kb };

	return (unsigned)b->source <= SA_BLOCK_SWAN && are_bools(bools, sizeof(bools) / sizeof(bools[0])) &&
	       spimend_address_valid(&b->local) && spimend_address_valid(&b->peer) &&
	       spimend_address_valid(&b->local_ident.address) && spimend_address_valid(&b->remote_ident.address) &&
	       memchr(b->interface, 0, sizeof(b->interface)) && memchr(b->map_tag, 0, sizeof(b->map_tag)) &&
	       memchr(b->child, 0, sizeof(b->child)) && b->inbound_count <= SA_BLOCK_SPIS_MAX &&
	       b->outbound_count <= SA_BLOCK_SPIS_MAX;
}
