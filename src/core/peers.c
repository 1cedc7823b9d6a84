/* SPDX-License-Identifier: MIT */
/* Whom we know: the configured connections of the IKE daemons, and the addresses at their other ends. */
#include "core/core_private.h"

struct peer *mirror_peer(struct core *c, const struct spimend_address *address)
{
	uint32_t at;

	return index_find(&c->peer_by_address, core_hash(c, address, sizeof(*address)), &at) ? &c->peers[at] : NULL;
}

struct mirror_connection *mirror_connection(struct core *c, uint64_t id)
{
	uint32_t at;

	return index_find(&c->connection_by_id, id, &at) ? &c->connections[at] : NULL;
}

static void watch_peer(struct core *c, const struct spimend_address *address, bool forget)
{
	struct core_output *output = core_emit(c, CORE_WATCH_PEER);

	if (output)
		output->watch_peer = (struct watch_peer){ .address = *address, .forget = forget };
}

void mirror_watch_peers(struct core *c)
{
	for (uint32_t i = 0; i < c->peer_table.count; i++) {
		if (c->peers[i].used)
			watch_peer(c, &c->peers[i].address, false);
	}
}

void mirror_count_peer(struct core *c, const struct spimend_address *address, int configured, int ike_sas)
{
	struct peer *peer;
	uint32_t at;

	if (!spimend_address_known(address))
		return;
	peer = mirror_peer(c, address);
	if (!peer && (configured < 0 || ike_sas < 0)) /* there was no room for it when it was counted */
		return;
	if (!peer) {
		at = TABLE_TAKE(c, peer, peers);
		if (at == NONE)
			return;
		if (!index_set(&c->peer_by_address, core_hash(c, address, sizeof(*address)), at)) {
			TABLE_GIVE(c, peer, peers, at);
			return;
		}
		peer = &c->peers[at];
		peer->used = true;
		peer->address = *address;
		watch_peer(c, address, false);
	}
	peer->configured += (uint32_t)configured;
	peer->ike_sas += (uint32_t)ike_sas;
	if (!peer->configured && !peer->ike_sas) {
		watch_peer(c, address, true);
		c->words -= peer->word_ns != 0;
		index_remove(&c->peer_by_address, core_hash(c, address, sizeof(*address)));
		TABLE_GIVE(c, peer, peers, (uint32_t)(peer - c->peers));
	}
}

void core_connections_begin(struct core *c, uint16_t daemon)
{
	for (uint32_t i = 0; i < c->connection_table.count; i++) {
		if (c->connections[i].used && c->connections[i].is.daemon == daemon)
			c->connections[i].listed = false;
	}
}

static void connection_peers(struct core *c, const struct connection *connection, int by)
{
	for (uint32_t i = 0; !connection->dynamic_peer && i < connection->remote_count && i < GATEWAY_REMOTES_MAX; i++)
		mirror_count_peer(c, &connection->remote[i], by, 0);
}

void core_connection(struct core *c, const struct connection *connection)
{
	struct mirror_connection *known = mirror_connection(c, connection->id);
	uint32_t at;

	if (connection->daemon >= GATEWAY_DAEMONS_MAX)
		return;
	if (known) {
		connection_peers(c, connection, 1); /* before the old ones go: a peer that stays is not forgotten */
		connection_peers(c, &known->is, -1);
	} else {
		at = TABLE_TAKE(c, connection, connections);
		if (at == NONE)
			return;
		if (!index_set(&c->connection_by_id, connection->id, at)) {
			TABLE_GIVE(c, connection, connections, at);
			return;
		}
		known = &c->connections[at];
		known->used = true;
		c->daemons[connection->daemon].connection_count++;
		connection_peers(c, connection, 1);
	}
	known->is = *connection;
	known->listed = true;
}

void core_connections_end(struct core *c, uint16_t daemon, struct moment now)
{
	c->now = now;
	for (uint32_t i = 0; i < c->connection_table.count; i++) {
		struct mirror_connection *connection = &c->connections[i];

		if (!connection->used || connection->is.daemon != daemon || connection->listed)
			continue;
		connection_peers(c, &connection->is, -1);
		c->daemons[daemon].connection_count--;
		index_remove(&c->connection_by_id, connection->is.id);
		TABLE_GIVE(c, connection, connections, i);
	}
	strays_tick(c);
}
