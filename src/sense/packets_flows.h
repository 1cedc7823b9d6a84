/* SPDX-License-Identifier: MIT */
/*
 * Packets of some milliseconds, gathered by flow into sightings. Memory is bounded; opens nothing, asks no clock.
 *
 * Called by sense/packets.c alone.
 */
#ifndef SENSE_PACKETS_FLOWS_H
#define SENSE_PACKETS_FLOWS_H

#include "base/hash.h"
#include "model/gateway.h"

struct packets_flows;

int packets_flows_new(const struct hash_key *key, struct packets_flows **ret);
void packets_flows_free(struct packets_flows *f);

/* What add() found. PACKETS_FLOW_FULL: the packet is not in any sighting, the caller counts it. */
enum packets_flow { PACKETS_FLOW_JOINED, PACKETS_FLOW_NEW, PACKETS_FLOW_FULL };

/* `one` is a sighting of one packet. The first packet of a flow decides in_ledger. */
enum packets_flow packets_flows_add(struct packets_flows *f, const struct sighting *one);

size_t packets_flows_count(const struct packets_flows *f);

/* Tells all flows in the order of their first packets, and forgets them. */
void packets_flows_tell(struct packets_flows *f, void (*sighting)(void *context, const struct sighting *s), void *context);

#endif
