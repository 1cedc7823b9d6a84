/* SPDX-License-Identifier: MIT */
/* What is known of the devices: whose an address is, who is being changed, who answers, how a tunnel's keys are made. */
#include <string.h>

#include "fleet/fleet_private.h"

/* --- Addresses -------------------------------------------------------------------------------------------------- */

static struct fleet_host *find_host(const struct fleet *f, const struct spimend_address *address, uint32_t *ret_hash)
{
	uint32_t hash = (uint32_t)hash_bytes(&f->key, address, sizeof(*address)), cursor = hash, number;

	*ret_hash = hash;
	while ((number = slots_look(&f->by_address, hash, &cursor)))
		if (spimend_address_equal(&f->hosts[number - 1].address, address))
			return &f->hosts[number - 1];
	return NULL;
}

uint32_t device_of(const struct fleet *f, const struct spimend_address *address)
{
	uint32_t hash;
	const struct fleet_host *host = address->family && f->by_address.at ? find_host(f, address, &hash) : NULL;

	return host ? host->device : NONE;
}

bool address_is_shared(const struct fleet *f, const struct spimend_address *address)
{
	uint32_t hash;
	const struct fleet_host *host = find_host(f, address, &hash);

	return host && host->device == NONE;
}

void device_learn_address(struct fleet *f, uint32_t device, const struct spimend_address *address)
{
	struct fleet_host *host;
	uint32_t hash;

	if (!address->family || !f->by_address.at)
		return;
	host = find_host(f, address, &hash);
	if (host && host->device != device && host->device != NONE) {
		host->device = NONE; /* HSRP, anycast, or a mistake: nobody is logged in to for it */
		f->figures.addresses_shared++;
	}
	if (host)
		return;
	if (f->host_count == FLEET_ADDRESSES_MAX) {
		f->figures.addresses_refused++;
		return;
	}
	f->hosts[f->host_count++] = (struct fleet_host){ *address, device };
	slots_add(&f->by_address, hash, f->host_count);
}

void device_share_address(struct fleet *f, const struct spimend_address *address)
{
	struct fleet_host *host;
	uint32_t hash;

	device_learn_address(f, NONE, address);
	host = find_host(f, address, &hash);
	if (host)
		host->device = NONE;
}

void fleet_address(struct fleet *f, uint32_t device, const struct spimend_address *address)
{
	if (device < f->config->devices.count)
		device_learn_address(f, device, address);
}

void fleet_site(struct fleet *f, uint32_t device, uint32_t site)
{
	if (device >= f->config->devices.count)
		return;
	f->devices[device].has_site = true;
	f->devices[device].site = site;
}

enum peer_mode fleet_peer_mode(const struct fleet *f, const struct spimend_address *address)
{
	uint32_t from = 0, to = f->config->peer_count;

	while (from < to) { /* they are sorted */
		uint32_t middle = from + (to - from) / 2;
		int order = spimend_address_compare(&f->config->peers[middle].address, address);

		if (!order)
			return f->config->peers[middle].mode;
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return PEER_DEFAULT;
}

/* --- Logging in ------------------------------------------------------------------------------------------------- */

const struct config_device *device_config(const struct fleet *f, uint32_t device)
{
	return device < f->config->devices.count ? &f->config->devices.at[device] : NULL;
}

bool device_can_log_in(const struct fleet *f, uint32_t device)
{
	const struct config_device *d = device_config(f, device);

	return d && device_login(&f->config->devices, d) && f->now.mono_ns >= f->devices[device].again_ns;
}

void device_answered(struct fleet *f, uint32_t device, bool well)
{
	struct fleet_device *d = &f->devices[device];

	if (well) {
		d->wait_ns = d->again_ns = 0;
		return;
	}
	d->wait_ns = d->wait_ns ? 2 * d->wait_ns : FLEET_AGAIN_FIRST_NS;
	if (d->wait_ns > FLEET_AGAIN_MOST_NS)
		d->wait_ns = FLEET_AGAIN_MOST_NS;
	d->again_ns = f->now.mono_ns + d->wait_ns;
}

/* --- Locks ------------------------------------------------------------------------------------------------------ */

/* devices.md 5, rule 3. Sites that nobody told are taken for one and the same. */
static bool is_same_site(const struct fleet *f, uint32_t a, uint32_t b)
{
	return !f->devices[a].has_site || !f->devices[b].has_site || f->devices[a].site == f->devices[b].site;
}

static bool is_sdwan_step(const struct case_file *c)
{
	return c->is.tunnel_kind == TUNNEL_SDWAN;
}

bool devices_lock(struct fleet *f, struct case_file *c, bool sdwan)
{
	if (c->locked)
		return true;
	if (f->devices[c->r].lock || (c->s != NONE && f->devices[c->s].lock))
		return false;
	for (uint32_t n = f->oldest; n && sdwan; n = f->cases[n - 1]->newer) {
		const struct case_file *other = f->cases[n - 1];

		if (other->locked && is_sdwan_step(other) && is_same_site(f, other->r, c->r))
			return false;
	}
	f->devices[c->r].lock = c->number;
	if (c->s != NONE)
		f->devices[c->s].lock = c->number;
	c->locked = true;
	return true;
}

void devices_unlock(struct fleet *f, struct case_file *c)
{
	if (!c->locked)
		return;
	f->devices[c->r].lock = 0;
	if (c->s != NONE)
		f->devices[c->s].lock = 0;
	c->locked = false;
}

/* --- Keys ------------------------------------------------------------------------------------------------------- */

static struct known *known_place(const struct fleet *f, uint32_t device, const struct spimend_address *peer,
				 uint64_t *ret_hash)
{
	static const struct spimend_address none;

	*ret_hash = fleet_hash_pair(f, device, peer, &none);
	return &f->known[*ret_hash % FLEET_KNOWN_MAX];
}

void keys_remember(struct fleet *f, uint32_t device, const struct spimend_address *peer, enum keys keys)
{
	struct known *k;
	uint64_t hash;

	if (device == NONE || !peer->family)
		return;
	k = known_place(f, device, peer, &hash);
	*k = (struct known){ hash, device, *peer, keys, f->now.mono_ns };
}

enum keys keys_of(const struct fleet *f, uint32_t device, const struct spimend_address *peer)
{
	uint64_t hash;
	const struct known *k = known_place(f, device, peer, &hash);

	if (k->hash != hash || k->device != device || !spimend_address_equal(&k->peer, peer) ||
	    f->now.mono_ns - k->at_ns > FLEET_KNOWN_NS)
		return KEYS_UNKNOWN;
	return k->keys;
}

void fleet_learn(struct fleet *f, uint32_t device, const struct sa_block *block, struct moment now)
{
	const struct config_device *d = device_config(f, device);

	f->now = now;
	if (!d)
		return;
	device_learn_address(f, device, &block->local);
	if (block->controller_keyed)
		keys_remember(f, device, &block->peer, KEYS_CONTROLLER);
	else if (block->manual_or_group)
		keys_remember(f, device, &block->peer, KEYS_OTHER);
	else if (d->platform != PLATFORM_SDWAN && d->platform != PLATFORM_UNKNOWN && block->inbound_count &&
		 kind_from_interface(text_of(block->interface)) != TUNNEL_SDWAN)
		keys_remember(f, device, &block->peer, KEYS_IKE);
}

bool fleet_may_clear(struct fleet *f, uint32_t device, const struct spimend_address *peer, struct moment now,
		     struct buffer *why)
{
	const struct config_device *d = device_config(f, device);
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	enum keys keys;

	f->now = now;
	spimend_address_print(peer, address);
	keys = d && peer->family ? keys_of(f, device, peer) : KEYS_UNKNOWN;
	if (!d)
		buffer_add_string(why, "there is no such device");
	else if (!peer->family)
		buffer_add_string(why, "a clear without a peer hits all peers of the device");
	else if (keys == KEYS_CONTROLLER)
		buffer_printf(why, "the keys of the tunnel of %s with %s come from the SD-WAN controllers: an SA that is cleared there does "
				   "not come back by itself (B17); what helps is `request platform software sdwan security ipsec-rekey`",
			      d->name, address);
	else if (keys == KEYS_OTHER)
		buffer_printf(why, "the tunnel of %s with %s has manual or group keys: nothing negotiates new SAs", d->name, address);
	else if (keys == KEYS_UNKNOWN)
		buffer_printf(why, "whether IKE makes the keys of the tunnel of %s with %s is not known from a reading of the last ten "
				   "minutes, and an SD-WAN tunnel is broken by a clear (B17): look first, with `show crypto ipsec sa peer %s`",
			      d->name, address, address);
	f->figures.clears_refused += keys != KEYS_IKE;
	return keys == KEYS_IKE;
}
