/* SPDX-License-Identifier: MIT */
/* Who is known: networks of peers and devices of ours, and which host writes which address as its own. */
#include <errno.h>

#include "base/memory.h"
#include "judge/judge_private.h"
#include "spimend/error.h"

#define PEER_SLOTS (JUDGE_PEERS_MAX * 2) /* a power of two */

/* The address without the bits behind the prefix. */
static struct spimend_address masked(const struct spimend_address *address, unsigned prefix)
{
	struct spimend_address net = { .family = address->family };
	unsigned whole = prefix / 8, bits = prefix % 8;

	memcpy(net.bytes, address->bytes, whole);
	if (bits)
		net.bytes[whole] = (uint8_t)(address->bytes[whole] & 0xff << (8 - bits));
	return net;
}

static unsigned widest(const struct spimend_address *address)
{
	return address->family == 4 ? 32 : 128;
}

/* The place of that network, or the free one where it would go. */
static uint32_t *peer_slot(const struct judge *j, const struct spimend_address *net, unsigned prefix)
{
	struct {
		struct spimend_address net;
		uint8_t prefix;
	} key;
	size_t i;

	memset(&key, 0, sizeof(key));
	key.net = *net;
	key.prefix = (uint8_t)prefix;
	i = hash_bytes(&j->key, &key, sizeof(key)) & (PEER_SLOTS - 1);
	while (j->peer_slots[i]) {
		const struct judge_peer *p = &j->peers[j->peer_slots[i] - 1];

		if (p->prefix == prefix && spimend_address_equal(&p->address, net))
			break;
		i = (i + 1) & (PEER_SLOTS - 1);
	}
	return &j->peer_slots[i];
}

int judge_add_peer(struct judge *j, const struct judge_peer *peer)
{
	struct judge_peer *peers;
	uint32_t *slot;

	if (!spimend_address_known(&peer->address) || peer->prefix > widest(&peer->address))
		return SPIMEND_E_RANGE;
	if (j->peer_count >= JUDGE_PEERS_MAX)
		return SPIMEND_E_LIMIT;
	if (!j->peer_slots)
		j->peer_slots = memory_new(PEER_SLOTS, sizeof(*j->peer_slots));
	peers = memory_resize(j->peers, j->peer_count + 1, sizeof(*peers));
	if (peers)
		j->peers = peers;
	if (!j->peer_slots || !peers)
		return -ENOMEM;
	j->peers[j->peer_count] = *peer;
	j->peers[j->peer_count].address = masked(&peer->address, peer->prefix);
	slot = peer_slot(j, &j->peers[j->peer_count].address, peer->prefix);
	if (!*slot) /* named twice: the first stands */
		*slot = (uint32_t)j->peer_count + 1;
	j->peer_count++;
	j->peer_prefixes[peer->address.family == 6][peer->prefix] = true;
	return 0;
}

/* The narrowest network that holds the address. */
const struct judge_peer *judge_peer_of(const struct judge *j, const struct spimend_address *address)
{
	if (j->peer_count == 0 || !spimend_address_known(address))
		return NULL;
	for (unsigned left = widest(address) + 1; left > 0; left--) {
		unsigned prefix = left - 1;
		struct spimend_address net;
		uint32_t slot;

		if (!j->peer_prefixes[address->family == 6][prefix])
			continue;
		net = masked(address, prefix);
		slot = *peer_slot(j, &net, prefix);
		if (slot)
			return &j->peers[slot - 1];
	}
	return NULL;
}

/* ---- which host owns which address ---- */

static struct owner *find_owner(const struct judge *j, uint32_t host, const struct spimend_address *address)
{
	uint64_t parts[3] = { host };
	size_t i;

	memcpy(parts + 1, address->bytes, sizeof(address->bytes));
	i = hash_bytes(&j->key, parts, sizeof(parts)) & (OWNERS_MAX - 1);
	while (j->owners[i].host &&
	       !(j->owners[i].host == host && spimend_address_equal(&j->owners[i].address, address)))
		i = (i + 1) & (OWNERS_MAX - 1);
	return &j->owners[i];
}

void judge_learn_owner(struct judge *j, uint32_t host, const struct spimend_address *address)
{
	struct owner *o;

	if (!host || !spimend_address_known(address))
		return;
	o = find_owner(j, host, address);
	if (o->host || j->owner_count >= OWNERS_MAX / 2)
		return;
	*o = (struct owner){ host, *address };
	j->owner_count++;
	j->has_address[host] = true;
}

bool judge_owns(const struct judge *j, uint32_t host, const struct spimend_address *address, bool *ret_known)
{
	*ret_known = j->has_address[host];
	return find_owner(j, host, address)->host != 0;
}
