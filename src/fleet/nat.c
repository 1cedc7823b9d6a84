/* SPDX-License-Identifier: MIT */
/*
 * A sender behind NAT: the address that it is seen with is no device's. Its own table tells it apart from all others: the
 * receiver chose the SPI, so whichever device sends to the receiver with the SPI that the receiver complained of is the one,
 * whatever its packets are called on the way. What must be sure then is that the receiver has that SPI nowhere, under no
 * other address either: its whole table of SPIs is read, before and after the sender's (verdict.c).
 *
 * Few devices are asked, and by readings alone: those with an address inside what the receiver protects towards that peer,
 * or, where that tells nothing, all others if they are as few. Only for a peer that the receiver itself knows and speaks ESP
 * in UDP with, so that a forged hint has to name one of those. Not for SD-WAN, whose tables have the TLOCs' own addresses.
 */
#include <string.h>

#include "fleet/fleet_private.h"

bool nat_is_behind(const struct case_file *c)
{
	return c->nat.trying || (c->is.flags & FLAG_NAT_T && c->s != NONE);
}

static void add_candidate(struct fleet *f, struct case_file *c, uint32_t device)
{
	struct nat *n = &c->nat;

	if (device == NONE || device == c->r || !device_login(&f->config->devices, &f->config->devices.at[device]))
		return;
	for (uint32_t i = 0; i < n->count; i++)
		if (n->at[i] == device)
			return;
	if (n->count < FLEET_NAT_MOST)
		n->at[n->count++] = device;
	else
		n->many = true;
}

static bool is_inside(const struct sa_ident *ident, const struct spimend_address *address)
{
	uint8_t whole = ident->prefix / 8, rest = ident->prefix % 8;

	if (address->family != ident->address.family || ident->prefix > (address->family == 4 ? 32 : 128))
		return false;
	for (uint8_t i = 0; i < whole; i++)
		if (address->bytes[i] != ident->address.bytes[i])
			return false;
	return !rest || (address->bytes[whole] ^ ident->address.bytes[whole]) >> (8 - rest) == 0;
}

/* A flow of the receiver's with that peer. */
void nat_block(struct fleet *f, struct case_file *c, const struct sa_block *block)
{
	if (c->s != NONE || c->nat.searched || !block->encap_udp || block->controller_keyed || block->manual_or_group)
		return;
	c->nat.is_natted = true;
	if (!block->remote_ident.known || !block->remote_ident.prefix)
		return;
	for (uint32_t i = 0; i < f->host_count; i++)
		if (is_inside(&block->remote_ident, &f->hosts[i].address))
			add_candidate(f, c, f->hosts[i].device);
}

/* A row of the receiver's table of active SPIs. */
void nat_row(struct case_file *c, const struct device_row *row, bool is_after)
{
	struct round *r = &c->now;

	for (uint32_t i = 0; row->up && !is_after && i < c->is.spi_count; i++)
		r->active_before |= (uint64_t)(c->is.spis[i].value == row->spi.value) << i;
	for (uint32_t i = 0; row->up && is_after && i < r->s.out_count; i++)
		r->active_after |= (uint64_t)(r->s.out[i].value == row->spi.value) << i;
}
_Static_assert(FLEET_TABLE_SPIS_MAX <= 64, "a bit an SPI");

/* Those that may be it, where nothing tells which. */
static void search(struct fleet *f, struct case_file *c)
{
	c->nat.searched = true;
	for (uint32_t i = 0; !c->nat.count && i < f->config->devices.count; i++)
		c->nat.others += i != c->r && device_login(&f->config->devices, &f->config->devices.at[i]);
	if (!c->nat.count && c->nat.others <= FLEET_NAT_MOST)
		for (uint32_t i = 0; i < f->config->devices.count; i++)
			add_candidate(f, c, i);
}

static bool try_next(struct fleet *f, struct case_file *c)
{
	struct nat *n = &c->nat;

	c->s = NONE;
	n->trying = false;
	if (n->next == n->count)
		return false;
	c->s = n->at[n->next++];
	n->trying = true;
	case_say(c, "The sender is behind NAT: its address is no device's. The table of %s is read: it may be that one.",
		 device_config(f, c->s)->name);
	case_wait(c, LOOK_FIRST, f->now.mono_ns + SECOND_NS);
	case_keep(f, c);
	return true;
}

static const struct spimend_spi *sighted_out(const struct case_file *c)
{
	const struct table *s = &c->now.s;

	for (uint32_t i = 0; s->read && !s->overfull && i < s->out_count; i++)
		if (table_has(c->is.spis, c->is.spi_count, s->out[i]))
			return &s->out[i];
	return NULL;
}

static void is_the_one(struct fleet *f, struct case_file *c, struct spimend_spi spi)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX];

	c->nat.trying = false;
	c->is.flags |= FLAG_NAT_T;
	memcpy(c->is.sender, device_config(f, c->s)->name, sizeof(c->is.sender));
	f->strangers -= c->stranger;
	c->stranger = false;
	case_evidence(f, c, FACT_NONE, c->s, "behind NAT as %s: it sends to %s with 0x%08x, which is what %s complains of",
		      spimend_address_print(&c->is.src, src), c->is.receiver, spi.value, c->is.receiver);
}

bool nat_settle(struct fleet *f, struct case_file *c, struct finding *found)
{
	const struct spimend_spi *spi;

	if (c->is.is_burst || (c->purpose != LOOK_FIRST && c->purpose != LOOK_RECHECK) || round_is_sdwan(&c->now))
		return false;
	if (!c->nat.trying) {
		if (c->s != NONE || found->proof != PROOF_ONE_END || !c->nat.is_natted || c->nat.searched)
			return false;
		search(f, c);
		return try_next(f, c);
	}
	spi = sighted_out(c);
	if (spi) {
		is_the_one(f, c, *spi);
		return false;
	}
	if (try_next(f, c))
		return true;
	*found = (struct finding){ .proof = PROOF_ONE_END, .keys = found->keys };
	return false;
}

void nat_say(struct case_file *c)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];

	case_say(c, "The sender is behind NAT: %s is no device's address, and %s. At the device behind it, `show crypto ipsec sa peer "
		 "%s` proves it where the outbound SPI is 0x%08x.", spimend_address_print(&c->is.src, src),
		 c->nat.next ? c->nat.many ? "none of those that were read sends with that SPI" : "no device that may be it sends with that SPI" :
			       "too many may be it",
		 spimend_address_print(&c->is.dst, dst), c->is.spis[0].value);
}
