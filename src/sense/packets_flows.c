/* SPDX-License-Identifier: MIT */
#include "sense/packets_flows.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "sense/packets.h"

#define BUCKETS (2 * PACKETS_FLOWS_MAX) /* a power of two */

struct packets_flows {
	struct hash_key key;
	size_t count;
	struct sighting flow[PACKETS_FLOWS_MAX];
	uint16_t bucket[BUCKETS]; /* index of a flow plus one; 0: empty. Linear probing */
};

static_assert((BUCKETS & (BUCKETS - 1)) == 0 && PACKETS_FLOWS_MAX < UINT16_MAX, "the sizes of the table fit");

int packets_flows_new(const struct hash_key *key, struct packets_flows **ret)
{
	struct packets_flows *f = memory_new(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->key = *key;
	*ret = f;
	return 0;
}

void packets_flows_free(struct packets_flows *f)
{
	memory_free(f);
}

static size_t bucket_of(const struct packets_flows *f, const struct sighting *s)
{
	struct {
		uint8_t src[16], dst[16];
		uint32_t spi;
		uint16_t src_port, dst_port;
	} words;

	memcpy(words.src, s->src.bytes, 16);
	memcpy(words.dst, s->dst.bytes, 16);
	words.spi = s->spi;
	words.src_port = s->src_port;
	words.dst_port = s->dst_port;
	return hash_bytes(&f->key, &words, sizeof(words)) & (BUCKETS - 1);
}

static bool same_flow(const struct sighting *a, const struct sighting *b)
{
	return a->spi == b->spi && a->protocol == b->protocol && a->witness == b->witness && a->encap_udp == b->encap_udp &&
		a->src_port == b->src_port && a->dst_port == b->dst_port && spimend_address_equal(&a->src, &b->src) &&
		spimend_address_equal(&a->dst, &b->dst) && !strcmp(a->interface, b->interface);
}

static void join(struct sighting *flow, const struct sighting *one)
{
	flow->packets += one->packets;
	if (one->first_ns < flow->first_ns)
		flow->first_ns = one->first_ns;
	if (one->last_ns > flow->last_ns)
		flow->last_ns = one->last_ns;
	flow->sequence_last = one->sequence_last;
	if (one->sequence_highest > flow->sequence_highest)
		flow->sequence_highest = one->sequence_highest;
}

enum packets_flow packets_flows_add(struct packets_flows *f, const struct sighting *one)
{
	size_t at = bucket_of(f, one);

	for (; f->bucket[at]; at = (at + 1) & (BUCKETS - 1)) {
		struct sighting *flow = &f->flow[f->bucket[at] - 1];

		if (same_flow(flow, one)) {
			join(flow, one);
			return PACKETS_FLOW_JOINED;
		}
	}
	if (f->count == PACKETS_FLOWS_MAX)
		return PACKETS_FLOW_FULL;
	f->flow[f->count] = *one;
	f->bucket[at] = (uint16_t)++f->count;
	return PACKETS_FLOW_NEW;
}

size_t packets_flows_count(const struct packets_flows *f)
{
	return f->count;
}

void packets_flows_tell(struct packets_flows *f, void (*sighting)(void *context, const struct sighting *s), void *context)
{
	for (size_t i = 0; i < f->count; i++)
		sighting(context, &f->flow[i]);
	if (f->count)
		memset(f->bucket, 0, sizeof(f->bucket));
	f->count = 0;
}
