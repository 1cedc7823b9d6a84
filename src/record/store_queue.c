/* SPDX-License-Identifier: MIT */
#include "record/store_queue.h"

#include <errno.h>

#include "base/memory.h"
#include "spimend/error.h"

#define ROOM_FIRST 256
#define INCIDENTS_KEPT 16
#define ROOM_KEPT 4096 /* what a burst needed more than this is given back */

static uint32_t slot_of(const struct store_queue *q, const struct sa_key *key, bool *ret_there)
{
	uint32_t mask = q->op_room * 2 - 1, slot = (uint32_t)hash_bytes(&q->key, key, sizeof(*key)) & mask;

	while (q->slots[slot] && !sa_key_equal(&q->ops[q->slots[slot] - 1].entry.key, key))
		slot = (slot + 1) & mask;
	*ret_there = q->slots[slot] != 0;
	return slot;
}

static int grow_ops(struct store_queue *q)
{
	uint32_t room = q->op_room ? q->op_room * 2 : ROOM_FIRST;
	uint32_t *slots = memory_new((size_t)room * 2, sizeof(*slots));
	struct queue_op *ops = slots ? memory_resize(q->ops, room, sizeof(*ops)) : NULL;
	bool there;

	if (!ops) {
		memory_free(slots);
		return -ENOMEM;
	}
	memory_free(q->slots);
	q->slots = slots;
	q->ops = ops;
	q->op_room = room;
	for (uint32_t i = 0; i < q->op_count; i++)
		q->slots[slot_of(q, &ops[i].entry.key, &there)] = i + 1;
	return 0;
}

int queue_ledger(struct store_queue *q, const struct sa_key *key, const struct ledger_entry *entry)
{
	struct queue_op *op;
	uint32_t slot;
	bool there;

	if (q->op_room == 0 && grow_ops(q) < 0)
		return -ENOMEM;
	slot = slot_of(q, key, &there);
	if (!there) {
		if (q->op_count == STORE_PENDING_LEDGER_MAX)
			return SPIMEND_E_LIMIT;
		if (q->op_count == q->op_room) {
			if (grow_ops(q) < 0)
				return -ENOMEM;
			slot = slot_of(q, key, &there);
		}
		q->slots[slot] = ++q->op_count;
	}
	op = &q->ops[q->slots[slot] - 1];
	memset(op, 0, sizeof(*op));
	op->is_drop = !entry;
	if (entry)
		op->entry = *entry;
	op->entry.key = *key;
	return 0;
}

static uint32_t find_incident(const struct store_queue *q, const char *id)
{
	uint32_t i = 0;

	while (i < q->incident_count && strncmp(q->incidents[i]->id, id, INCIDENT_ID_MAX) != 0)
		i++;
	return i;
}

int queue_incident(struct store_queue *q, const struct core_incident *incident)
{
	uint32_t i = find_incident(q, incident->id);

	if (i == q->incident_count) {
		if (i == STORE_PENDING_INCIDENTS_MAX)
			return SPIMEND_E_LIMIT;
		if (i == q->incident_room) {
			struct core_incident **more = memory_resize(q->incidents, (size_t)i + 1, sizeof(*more));

			if (!more)
				return -ENOMEM;
			q->incidents = more;
			q->incidents[i] = memory_new(1, sizeof(**more));
			if (!q->incidents[i])
				return -ENOMEM;
			q->incident_room++;
		}
		q->incident_count++;
	}
	*q->incidents[i] = *incident;
	return 0;
}

const struct core_incident *queue_find_incident(const struct store_queue *q, const char *id)
{
	uint32_t i = find_incident(q, id);

	return i < q->incident_count ? q->incidents[i] : NULL;
}

static void index_ops(struct store_queue *q)
{
	bool there;

	memset(q->slots, 0, (size_t)q->op_room * 2 * sizeof(q->slots[0]));
	for (uint32_t i = 0; i < q->op_count; i++)
		q->slots[slot_of(q, &q->ops[i].entry.key, &there)] = i + 1;
}

void queue_written(struct store_queue *q, uint32_t ops)
{
	while (q->incident_room > INCIDENTS_KEPT) /* one is some KiB */
		memory_free(q->incidents[--q->incident_room]);
	q->incident_count = 0;
	q->op_count -= ops;
	if (q->op_count == 0 && q->op_room > ROOM_KEPT) {
		memory_free(q->ops);
		memory_free(q->slots);
		q->ops = NULL;
		q->slots = NULL;
		q->op_room = 0;
	} else if (q->op_room) {
		memmove(q->ops, q->ops + ops, q->op_count * sizeof(q->ops[0]));
		index_ops(q);
	}
}

void queue_done(struct store_queue *q)
{
	for (uint32_t i = 0; i < q->incident_room; i++)
		memory_free(q->incidents[i]);
	memory_free(q->incidents);
	memory_free(q->ops);
	memory_free(q->slots);
	memset(q, 0, sizeof(*q));
}
