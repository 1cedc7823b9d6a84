/* SPDX-License-Identifier: MIT */
#include "base/slots.h"

#include <errno.h>

#include "base/memory.h"

int slots_init(struct slots *slots, uint32_t limit)
{
	uint32_t room = 16;

	while (room / 2 < limit && room < UINT32_C(1) << 31)
		room *= 2;
	*slots = (struct slots){ memory_new(room, sizeof(*slots->at)), room - 1 };
	return slots->at ? 0 : -ENOMEM;
}

void slots_done(struct slots *slots)
{
	memory_free(slots->at);
	*slots = (struct slots){ 0 };
}

void slots_add(struct slots *slots, uint32_t hash, uint32_t number)
{
	uint32_t i = hash & slots->mask;

	while (slots->at[i].number)
		i = (i + 1) & slots->mask;
	slots->at[i] = (struct slot){ hash, number };
}

static struct slot *find(struct slots *slots, uint32_t hash, uint32_t number)
{
	uint32_t i = hash & slots->mask;

	while (slots->at[i].number && slots->at[i].number != number)
		i = (i + 1) & slots->mask;
	return slots->at[i].number ? &slots->at[i] : NULL;
}

void slots_replace(struct slots *slots, uint32_t hash, uint32_t number, uint32_t by)
{
	struct slot *slot = find(slots, hash, number);

	if (slot)
		slot->number = by;
}

bool slots_remove(struct slots *slots, uint32_t hash, uint32_t number)
{
	struct slot *slot = find(slots, hash, number);
	uint32_t hole, i;

	if (!slot)
		return false;
	hole = (uint32_t)(slot - slots->at);
	for (i = (hole + 1) & slots->mask; slots->at[i].number; i = (i + 1) & slots->mask) {
		/* It may move back only if its own place is not between the hole and where it is. */
		if (((i - slots->at[i].hash) & slots->mask) < ((i - hole) & slots->mask))
			continue;
		slots->at[hole] = slots->at[i];
		hole = i;
	}
	slots->at[hole] = (struct slot){ 0 };
	return true;
}
