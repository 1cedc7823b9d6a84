/* SPDX-License-Identifier: MIT */
/*
 * Saved SA tables: what they show about an incident, and what they show without one. A pair of addresses may have several
 * blocks (one per flow of the table), and a table may have been saved again later.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "judge/judge_private.h"

struct pair_index {
	uint64_t key;
	uint32_t order; /* of arrival */
	uint32_t block;
};

static uint64_t pair_key(const struct judge *j, const struct spimend_address *local, const struct spimend_address *peer)
{
	const struct spimend_address two[2] = { *local, *peer };

	return hash_bytes(&j->key, two, sizeof(two));
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair_index *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

int evidence_index_blocks(struct judge *j)
{
	struct pair_index *all = memory_resize(j->by_pair, (size_t)j->block_count + 1, sizeof(*all));
	uint32_t oldest = j->block_count < j->settings.blocks_max ? 0 : j->block_next;

	if (!all)
		return -ENOMEM;
	j->by_pair = all;
	for (uint32_t i = 0; i < j->block_count; i++) {
		uint32_t block = (oldest + i) % j->settings.blocks_max;
		struct stored_block *b = &j->blocks[block];

		b->told = false;
		all[i] = (struct pair_index){ pair_key(j, &b->block.local, &b->block.peer), i, block };
	}
	judge_sort(j, all, j->block_count, sizeof(*all), compare_pairs);
	j->by_pair_count = j->block_count;
	return 0;
}

void blocks_of(const struct judge *j, const struct spimend_address *local, const struct spimend_address *peer,
	       blocks_each_fn *each, void *context)
{
	size_t low = 0, high = j->by_pair_count;
	uint64_t key;

	if (high == 0 || !spimend_address_known(local) || !spimend_address_known(peer))
		return;
	key = pair_key(j, local, peer);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (j->by_pair[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < j->by_pair_count && j->by_pair[low].key == key; low++) {
		const struct sa_block *b = &j->blocks[j->by_pair[low].block].block;

		if (spimend_address_equal(&b->local, local) && spimend_address_equal(&b->peer, peer) &&
		    !each(context, j->by_pair[low].block))
			return;
	}
}

static bool lists(const struct spimend_spi *list, size_t count, uint32_t spi)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].value == spi)
			return true;
	return false;
}

/* ---- what they say about one incident ---- */

struct weighing {
	struct judge *judge;
	struct case_file *c;
	bool has_inbound, has_spi, cut; /* at the receiver */
	bool cleared;                   /* its latest block */
};

static void weigh(struct case_file *c, const struct sa_block *b)
{
	c->has_blocks = true;
	c->saw |= UINT64_C(1) << FACT_SA_TABLE;
	if (b->controller_keyed)
		c->kind = TUNNEL_SDWAN;
	else if (b->manual_or_group && c->kind == TUNNEL_UNKNOWN)
		c->kind = TUNNEL_IKELESS;
	if (b->encap_udp && !b->controller_keyed)
		c->flags |= FLAG_NAT_T;
}

static bool weigh_receiver(void *context, uint32_t block)
{
	struct weighing *w = context;
	const struct sa_block *b = &w->judge->blocks[block].block;

	weigh(w->c, b);
	w->has_inbound |= b->inbound_count > 0;
	w->has_spi |= lists(b->inbound, b->inbound_count, w->c->spi);
	w->cut |= b->inbound_dropped > 0;
	return true;
}

static bool weigh_sender(void *context, uint32_t block)
{
	struct weighing *w = context;
	const struct sa_block *b = &w->judge->blocks[block].block;

	weigh(w->c, b);
	w->c->flags |= FLAG_BOTH_ENDS;
	if (w->c->has_spi && lists(b->outbound, b->outbound_count, w->c->spi)) {
		w->c->confirmed_sender = true;
		w->c->has_lifetime = b->has_lifetime;
		w->c->lifetime_s = b->lifetime_s;
	}
	return true;
}

void blocks_weigh(struct judge *j, struct case_file *c)
{
	struct weighing w = { .judge = j, .c = c };

	blocks_of(j, &c->dst, &c->src, weigh_receiver, &w);
	blocks_of(j, &c->src, &c->dst, weigh_sender, &w);
	/* Each protected flow of the pair has its own SPIs: only if none of them lists this one it is missing. */
	c->confirmed_receiver = c->has_spi && w.has_inbound && !w.has_spi && !w.cut;
}

/* ---- cleared by hand (B17) ---- */

/* Listed, controller-keyed, without a single SA and with nothing ever counted. */
static bool is_cleared(const struct sa_block *b)
{
	return b->controller_keyed && b->inbound_count + b->inbound_dropped == 0 &&
	       b->outbound_count + b->outbound_dropped == 0 && b->has_counters && b->encaps == 0 && b->decaps == 0;
}

static bool look_cleared(void *context, uint32_t block)
{
	struct weighing *w = context;

	w->cleared = is_cleared(&w->judge->blocks[block].block);
	return true;
}

static bool set_told(void *context, uint32_t block)
{
	struct weighing *w = context;

	w->judge->blocks[block].told = true;
	return true;
}

bool blocks_were_cleared(struct judge *j, const struct case_file *c)
{
	struct weighing w = { .judge = j };

	blocks_of(j, &c->dst, &c->src, look_cleared, &w);
	if (w.cleared)
		blocks_of(j, &c->dst, &c->src, set_told, &w);
	return w.cleared;
}

void blocks_add_cleared(struct judge *j)
{
	for (uint32_t i = 0; i < j->block_count; i++) {
		const struct stored_block *b = &j->blocks[i];
		struct case_file c = {
			.flow = FLOW_NONE, .block = i + 1, .src = b->block.peer, .dst = b->block.local, .has_src = true, .has_dst = true,
			.sources = 1, .verdict = VERDICT_DESYNC, .rule = RULE_SDWAN_CLEARED, .kind = TUNNEL_SDWAN,
		};

		if (b->told || !blocks_were_cleared(j, &c))
			continue;
		evidence_weigh(j, &c);
		j->cases[j->case_count++] = c;
	}
}
