/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "core/core_private.h"

/* How old a dead SPI may be that the sensor still watches: strays of older ones are strangers to it. */
#define WATCH_DEAD_FOR_NS DAY_NS

uint64_t core_hash(const struct core *c, const void *bytes, size_t len)
{
	return hash_bytes(&c->key, bytes, len);
}

uint64_t core_hash_id(const struct core *c, uint32_t daemon, uint32_t id)
{
	uint32_t both[2] = { daemon, id };

	return core_hash(c, both, sizeof(both));
}

static uint32_t *table_link(void *items, size_t size, size_t offset, uint32_t at)
{
	return (uint32_t *)(void *)((char *)items + size * at + offset);
}

uint32_t table_take(struct table *table, void **items, size_t size, size_t next_free_offset)
{
	uint32_t at = table->free;

	if (at != NONE) {
		table->free = *table_link(*items, size, next_free_offset, at);
	} else {
		if (table->count >= table->limit)
			return NONE;
		if (table->count == table->room) {
			uint32_t room = table->room ? table->room * 2 : 16;
			void *bigger = memory_resize(*items, room, size);

			if (!bigger)
				return NONE;
			*items = bigger;
			table->room = room;
		}
		at = table->count++;
	}
	memset((char *)*items + size * at, 0, size);
	return at;
}

void table_give(struct table *table, void *items, size_t size, size_t next_free_offset, uint32_t at)
{
	memset((char *)items + size * at, 0, size);
	*table_link(items, size, next_free_offset, at) = table->free;
	table->free = at;
}

struct core_output *core_emit(struct core *c, enum core_output_kind kind)
{
	struct core_output *output;

	if (c->output_count == c->output_room) {
		size_t room = c->output_room ? c->output_room * 2 : 64;
		struct core_output *bigger;

		if (c->output_count >= CORE_OUTPUTS_MAX || !(bigger = memory_new(room, sizeof(*bigger)))) {
			c->outputs_dropped++;
			return NULL;
		}
		for (size_t i = 0; i < c->output_count; i++)
			bigger[i] = c->outputs[(c->output_first + i) % c->output_room];
		memory_free(c->outputs);
		c->outputs = bigger;
		c->output_first = 0;
		c->output_room = room;
	}
	output = &c->outputs[(c->output_first + c->output_count++) % c->output_room];
	memset(output, 0, sizeof(*output));
	output->kind = kind;
	return output;
}

bool core_next(struct core *c, struct core_output *ret)
{
	if (!c->output_count)
		troubles_flush(c);
	if (!c->output_count)
		return false;
	*ret = c->outputs[c->output_first];
	c->output_first = (c->output_first + 1) % c->output_room;
	c->output_count--;
	return true;
}

int core_new(const struct config *config, const struct hash_key *key, uint64_t next_order, struct moment now,
	     struct core **ret)
{
	struct core *c = memory_new(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->config = *config;
	c->key = *key;
	c->now = now;
	c->next_order = next_order ? next_order : 1;
	c->next_serial = 1;
	c->flow_oldest = c->flow_newest = c->trouble_oldest = c->trouble_newest = c->strangers_trouble = c->first_changed = NONE;
	c->ike_table = (struct table){ .limit = CORE_IKE_SAS_MAX, .free = NONE };
	c->child_table = (struct table){ .limit = CORE_CHILDREN_MAX, .free = NONE };
	c->kernel_table = (struct table){ .limit = CORE_KERNEL_SAS_MAX, .free = NONE };
	c->connection_table = (struct table){ .limit = CORE_CONNECTIONS_MAX, .free = NONE };
	c->peer_table = (struct table){ .limit = CORE_PEERS_MAX, .free = NONE };
	c->flow_table = (struct table){ .limit = config->flows_max, .free = NONE };
	c->trouble_table = (struct table){ .limit = config->incidents_max, .free = NONE };
	r = ledger_new(config->ledger_max, key, &c->ledger);
	if (!r)
		r = budget_new(config, key, &c->budget);
	if (r) {
		core_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void core_free(struct core *c)
{
	if (!c)
		return;
	ledger_free(c->ledger);
	budget_free(c->budget);
	index_done(&c->ike_by_id);
	index_done(&c->child_by_id);
	index_done(&c->child_by_spi);
	index_done(&c->kernel_by_key);
	index_done(&c->kernel_by_spi);
	index_done(&c->connection_by_id);
	index_done(&c->peer_by_address);
	index_done(&c->flow_by_key);
	index_done(&c->trouble_by_id);
	index_done(&c->trouble_by_flow);
	memory_free(c->ikes);
	memory_free(c->children);
	memory_free(c->kernels);
	memory_free(c->connections);
	memory_free(c->peers);
	memory_free(c->flows);
	memory_free(c->troubles);
	memory_free(c->outputs);
	memory_free(c->gre.devices);
	memory_free(c->gre_fresh.devices);
	memory_free(c);
}

int core_reconfigure(struct core *c, const struct config *config, struct moment now)
{
	c->now = now;
	/* Tables do not shrink in flight: a smaller limit holds from the next start. */
	c->flow_table.limit = config->flows_max > c->flow_table.count ? config->flows_max : c->flow_table.count;
	c->trouble_table.limit = config->incidents_max > c->trouble_table.count ? config->incidents_max : c->trouble_table.count;
	c->config = *config;
	budget_reconfigure(c->budget, config);
	for (uint32_t i = 0; i < c->trouble_table.count; i++) {
		struct trouble *t = &c->troubles[i];

		if (t->used && trouble_is_open(t) && (t->phase == PHASE_WATCHING || t->phase == PHASE_WAITING))
			mend_consider(c, t);
	}
	return 0;
}

/* An entry whose death is recent enough to matter. */
static enum watch_state watch_of(const struct core *c, const struct ledger_entry *entry)
{
	if (entry->state != LEDGER_DEAD)
		return WATCH_LIVE;
	if (c->now.wall.ns - entry->died.ns > WATCH_DEAD_FOR_NS)
		return WATCH_FORGET;
	return WATCH_DEAD;
}

void core_restore_ledger(struct core *c, const struct ledger_entry *entry, struct moment now)
{
	struct ledger_entry restored = *entry, evicted;
	struct core_output *output;

	c->now = now;
	if (entry->daemon >= GATEWAY_DAEMONS_MAX) /* of another configuration */
		return;
	restored.died_mono_ns = 0;
	c->restored_ns = now.mono_ns;
	if (ledger_put(c->ledger, &restored, &evicted) && (output = core_emit(c, CORE_DROP_LEDGER)))
		output->ledger = evicted;
	if (watch_of(c, &restored) != WATCH_FORGET)
		mirror_watch(c, &restored, watch_of(c, &restored));
}

static bool resend_entry(void *context, struct ledger_entry *entry)
{
	struct core *c = context;
	enum watch_state state = watch_of(c, entry);

	/* A rekeyed SA is used until it is gone from the lists: see mirror.c. */
	if (state == WATCH_DEAD && sad_has(c, &entry->key))
		state = WATCH_LIVE;
	if (state != WATCH_FORGET)
		mirror_watch(c, entry, state);
	return true;
}

void core_resend_watches(struct core *c)
{
	ledger_each(c->ledger, resend_entry, c);
	mirror_watch_peers(c);
}

void core_resend_orders(struct core *c, struct moment now)
{
	c->now = now;
	for (uint32_t d = 0; d < GATEWAY_DAEMONS_MAX; d++) {
		if (c->daemons[d].asked_ns) {
			c->daemons[d].asked_ns = 0;
			c->daemons[d].in_snapshot = false;
			mirror_want(c, (uint16_t)d);
		}
	}
	c->kernel_asked_ns = 0;
	c->kernel_in_dump = false;
	for (uint32_t i = 0; i < c->trouble_table.count; i++) {
		struct trouble *t = &c->troubles[i];
		struct core_step *step = t->is.step_count ? &t->is.steps[t->is.step_count - 1] : NULL;

		/* Whether it was carried out stands in act's journal: the same id is answered from there. */
		if (t->used && t->phase == PHASE_ORDERED && step && step->order && !step->has_result)
			t->resend = true;
	}
	core_tick(c, now);
}

int64_t core_tick(struct core *c, struct moment now)
{
	int64_t next = NEVER;

	c->now = now;
	next = earlier(next, mirror_tick(c));
	next = earlier(next, kernel_tick(c));
	next = earlier(next, strays_tick(c));
	next = earlier(next, mend_tick(c));
	next = earlier(next, hand_tick(c));
	next = earlier(next, plugin_tick(c));
	/* What the later ones asked for goes out now. */
	next = earlier(next, mirror_tick(c));
	troubles_flush(c);
	return next;
}

void core_sensor(struct core *c, const struct sensor_state *state, struct moment now)
{
	c->now = now;
	c->sensor = *state;
}
