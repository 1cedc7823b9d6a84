/* SPDX-License-Identifier: MIT */
#include "judge/capture_table.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

int capture_table_init(struct capture_table *t, const struct hash_key *key)
{
	int result;

	*t = (struct capture_table){ .key = *key };
	result = slots_init(&t->by_sa, CAPTURE_SAS_MAX);
	if (result == 0)
		result = slots_init(&t->by_host, CAPTURE_HOSTS_MAX);
	if (result < 0)
		capture_table_done(t);
	return result;
}

void capture_table_done(struct capture_table *t)
{
	memory_free(t->sas);
	memory_free(t->hosts);
	memory_free(t->states);
	slots_done(&t->by_sa);
	slots_done(&t->by_host);
	*t = (struct capture_table){ 0 };
}

/* Room for one more of `count` things of `size` bytes; NULL when there is no memory. */
static void *room_for_one(void *old, uint32_t count, uint32_t *room, size_t size)
{
	uint32_t more = *room ? *room * 2 : 64;
	void *grown;

	if (count < *room)
		return old;
	grown = memory_resize(old, more, size);
	if (grown)
		*room = more;
	return grown;
}

static uint32_t sa_hash(const struct capture_table *t, const struct spimend_address *dst, uint8_t protocol, uint32_t spi)
{
	struct {
		struct spimend_address dst;
		uint8_t protocol, zero[2];
		uint32_t spi;
	} key = { *dst, protocol, { 0 }, spi };

	return (uint32_t)hash_bytes(&t->key, &key, sizeof(key));
}

static uint32_t host_hash(const struct capture_table *t, const struct spimend_address *address)
{
	return (uint32_t)hash_bytes(&t->key, address, sizeof(*address));
}

const struct capture_sa *capture_table_find(const struct capture_table *t, const struct spimend_address *dst,
					    uint8_t protocol, uint32_t spi)
{
	uint32_t hash = sa_hash(t, dst, protocol, spi), cursor = hash, number;

	while ((number = slots_look(&t->by_sa, hash, &cursor))) {
		const struct capture_sa *sa = &t->sas[number - 1];

		if (sa->spi == spi && sa->protocol == protocol && spimend_address_equal(&sa->dst, dst))
			return sa;
	}
	return NULL;
}

static struct capture_host *find_host(const struct capture_table *t, const struct spimend_address *address)
{
	uint32_t hash = host_hash(t, address), cursor = hash, number;

	while ((number = slots_look(&t->by_host, hash, &cursor)))
		if (spimend_address_equal(&t->hosts[number - 1].address, address))
			return &t->hosts[number - 1];
	return NULL;
}

static struct capture_host *host_of(struct capture_table *t, const struct spimend_address *address)
{
	struct capture_host *host = find_host(t, address), *hosts;

	if (host)
		return host;
	if (t->host_count == CAPTURE_HOSTS_MAX) {
		t->refused++;
		return NULL;
	}
	hosts = room_for_one(t->hosts, t->host_count, &t->host_room, sizeof(*hosts));
	if (!hosts)
		return NULL;
	t->hosts = hosts;
	host = &hosts[t->host_count++];
	*host = (struct capture_host){ .address = *address };
	slots_add(&t->by_host, host_hash(t, address), t->host_count);
	return host;
}

/* What a caller returns that got none: beyond the limit it goes on, and proves no absence any more. */
static int no_host(struct capture_table *t)
{
	t->is_cut = true;
	return t->host_count == CAPTURE_HOSTS_MAX ? 0 : -ENOMEM;
}

static int add_sa(struct capture_table *t, const struct capture_sa *sa)
{
	struct capture_sa *sas;

	if (capture_table_find(t, &sa->dst, sa->protocol, sa->spi))
		return 0;
	if (t->sa_count == CAPTURE_SAS_MAX) {
		t->refused++;
		t->is_cut = true; /* what is missing proves nothing any more */
		return 0;
	}
	sas = room_for_one(t->sas, t->sa_count, &t->sa_room, sizeof(*sas));
	if (!sas)
		return -ENOMEM;
	t->sas = sas;
	sas[t->sa_count++] = *sa;
	slots_add(&t->by_sa, sa_hash(t, &sa->dst, sa->protocol, sa->spi), t->sa_count);
	return 0;
}

int capture_table_begin(struct capture_table *t, enum saved_output output, const struct saved_filter *filter)
{
	bool lists_sas = output == OUTPUT_IPSEC_SA || output == OUTPUT_SWANCTL || output == OUTPUT_SWANCTL_RAW ||
			 output == OUTPUT_XFRM;
	bool lists_ike = output == OUTPUT_IKEV2_SA || output == OUTPUT_ISAKMP_SA || output == OUTPUT_SWANCTL ||
			 output == OUTPUT_SWANCTL_RAW;

	t->has_tables |= lists_sas;
	t->has_ike |= lists_ike && !(filter && filter->narrow);
	if (output == OUTPUT_SWANCTL || output == OUTPUT_SWANCTL_RAW)
		t->dialect = DIALECT_STRONGSWAN;
	else if (output == OUTPUT_XFRM && t->dialect == DIALECT_UNKNOWN)
		t->dialect = DIALECT_LINUX_AUDIT;
	t->has_all |= lists_sas && !(filter && filter->narrow);
	if (lists_sas && filter && filter->narrow && spimend_address_known(&filter->peer)) {
		struct capture_host *host = host_of(t, &filter->peer);

		if (!host)
			return no_host(t);
		host->asked = true;
	}
	return 0;
}

bool capture_table_covers(const struct capture_table *t, const struct spimend_address *peer)
{
	const struct capture_host *host = find_host(t, peer);

	return t->has_all || (host && host->asked);
}

static int own(struct capture_table *t, const struct spimend_address *address)
{
	struct capture_host *host;

	if (!spimend_address_known(address))
		return 0;
	host = host_of(t, address);
	if (!host)
		return no_host(t);
	host->is_local = true;
	t->has_locals = true;
	return 0;
}

int capture_table_own(struct capture_table *t, const struct spimend_address *address)
{
	return own(t, address);
}

static int add_flow(struct capture_table *t, const struct sa_block *b, uint32_t line)
{
	int result = own(t, &b->local);

	if (t->dialect == DIALECT_UNKNOWN)
		t->dialect = b->source == SA_BLOCK_ASA ? DIALECT_ASA : b->source == SA_BLOCK_SWAN ? DIALECT_STRONGSWAN : DIALECT_IOS;
	if (result == 0 && spimend_address_known(&b->peer)) {
		struct capture_host *peer = host_of(t, &b->peer);

		if (!peer)
			return no_host(t);
		peer->is_peer = true;
		peer->controller_keyed |= b->controller_keyed;
		peer->manual_or_group |= b->manual_or_group;
		peer->settling |= b->settling;
		peer->is_cut |= b->inbound_dropped > 0 || !b->whole;
		peer->inbound += (uint32_t)b->inbound_count;
		peer->line = peer->line ? peer->line : line;
	}
	for (size_t i = 0; i < b->inbound_count && result == 0 && spimend_address_known(&b->local); i++) {
		struct capture_sa sa = {
			.dst = b->local, .spi = b->inbound[i].value, .encap_told = b->encap_told, .encap_udp = b->encap_udp,
			.protocol = b->inbound_ah >> i & 1 ? SPIMEND_PROTOCOL_AH : SPIMEND_PROTOCOL_ESP,
			.line = b->inbound_line ? b->inbound_line : line,
		};

		result = add_sa(t, &sa);
	}
	for (size_t i = 0; i < b->outbound_count && result == 0 && spimend_address_known(&b->peer); i++) {
		struct capture_sa sa = {
			.dst = b->peer, .spi = b->outbound[i].value,
			.protocol = b->outbound_ah >> i & 1 ? SPIMEND_PROTOCOL_AH : SPIMEND_PROTOCOL_ESP,
		};

		result = add_sa(t, &sa);
	}
	return result;
}

static int add_ike(struct capture_table *t, const struct saved_ike *ike)
{
	struct capture_host *peer;
	int result = ike->undirected ? 0 : own(t, &ike->local);

	if (result < 0 || !spimend_address_known(&ike->remote) || ike->undirected)
		return result;
	peer = host_of(t, &ike->remote);
	if (!peer)
		return no_host(t);
	peer->is_peer = true;
	peer->ike_up += ike->state == SAVED_IKE_UP;
	return 0;
}

static int add_state(struct capture_table *t, const struct saved_state *state)
{
	struct saved_state *states;

	if (t->state_count == CAPTURE_SAS_MAX) {
		t->refused++;
		t->is_cut = true;
		return 0;
	}
	states = room_for_one(t->states, t->state_count, &t->state_room, sizeof(*states));
	if (!states)
		return -ENOMEM;
	t->states = states;
	states[t->state_count++] = *state;
	return 0;
}

int capture_table_add(struct capture_table *t, const struct saved_record *record)
{
	if (record->reason) { /* a row that could not be read: what it says may be the SA that is looked for */
		t->is_cut |= record->kind == SAVED_FLOW || record->kind == SAVED_STATE || record->kind == SAVED_NONE;
		return 0;
	}
	switch (record->kind) {
	case SAVED_FLOW:
		return add_flow(t, &record->flow, record->line);
	case SAVED_IKE:
		return add_ike(t, &record->ike);
	case SAVED_STATE:
		return add_state(t, &record->state);
	default:
		return 0;
	}
}

void capture_table_end(struct capture_table *t, bool cut)
{
	t->is_cut |= cut;
}

/* ---- which addresses are the receiver's, from `ip xfrm state` ---- */

/* By what the kernel says of a state's direction; else whoever is at one end of all, where there are several peers. */
static int find_locals(struct capture_table *t)
{
	bool can_be[2] = { true, true };
	struct spimend_address first[2];
	uint32_t different = 0;
	int result = 0;

	for (uint32_t i = 0; i < t->state_count && result == 0; i++) {
		const struct saved_state *s = &t->states[i];

		if (s->in_hint != s->out_hint)
			result = own(t, s->in_hint ? &s->dst : &s->src);
	}
	if (result < 0 || t->has_locals || t->state_count == 0)
		return result;
	first[0] = t->states[0].src;
	first[1] = t->states[0].dst;
	for (uint32_t i = 0; i < t->state_count; i++)
		for (int end = 0; end < 2; end++)
			can_be[end] &= spimend_address_equal(&t->states[i].src, &first[end]) ||
				       spimend_address_equal(&t->states[i].dst, &first[end]);
	for (uint32_t i = 1; i < t->state_count; i++)
		different += can_be[0] != can_be[1];
	if (!different)
		return 0;
	return own(t, &first[can_be[0] ? 0 : 1]);
}

static int take_states(struct capture_table *t)
{
	int result = 0;

	for (uint32_t i = 0; i < t->state_count && result == 0; i++) {
		const struct saved_state *s = &t->states[i];
		bool is_in = capture_table_is_local(t, &s->dst);
		struct capture_host *peer = host_of(t, is_in ? &s->src : &s->dst);
		struct capture_sa sa = {
			.dst = s->dst, .protocol = s->protocol, .spi = s->spi.value, .encap_told = true, .encap_udp = s->encap_udp,
		};

		if (!peer)
			return no_host(t);
		peer->is_peer |= !peer->is_local;
		peer->inbound += is_in;
		result = add_sa(t, &sa);
	}
	return result;
}

int capture_table_finish(struct capture_table *t)
{
	int result = find_locals(t);

	if (result == 0)
		result = take_states(t);
	if (result < 0)
		return result;
	return t->has_locals ? 0 : -ENODATA;
}

bool capture_table_is_local(const struct capture_table *t, const struct spimend_address *address)
{
	const struct capture_host *host = t->host_count ? find_host(t, address) : NULL;

	return host && host->is_local;
}

const struct capture_host *capture_table_peer(const struct capture_table *t, const struct spimend_address *address)
{
	const struct capture_host *host = t->host_count ? find_host(t, address) : NULL;

	return host && host->is_peer ? host : NULL;
}
