/* SPDX-License-Identifier: MIT */
#include "role/hooked.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"

#define NEAR 64 /* places from that of its hash on, in which an id is sought */

/* Its own, else a free one, else that which was asked about longest ago. No place ever gets free, so behind a free one is
 * nothing to be found. */
static struct hooked *place_of(struct hooked_table *table, const char *id)
{
	static const struct hash_key key = { 9, 10 };
	uint64_t hash = hash_bytes(&key, id, strlen(id));
	struct hooked *oldest = &table->at[hash % HOOKED_MAX];

	table->turn++; /* ages are distances: it may go round */
	for (uint64_t i = 0; i < NEAR; i++) {
		struct hooked *one = &table->at[(hash + i) % HOOKED_MAX];

		if (!one->mark || strcmp(one->id, id) == 0)
			return one;
		if (table->turn - one->seen > table->turn - oldest->seen)
			oldest = one;
	}
	return oldest;
}

static void put(struct hooked_table *table, struct hooked *at, const char *id, uint32_t mark)
{
	memset(at->id, 0, sizeof(at->id));
	text_copy(text_of(id), at->id, sizeof(at->id));
	at->mark = mark;
	at->seen = table->turn;
}

void hooked_put(struct hooked_table *table, const char *id, uint32_t mark)
{
	put(table, place_of(table, id), id, mark);
}

bool hooked_is_news(struct hooked_table *table, const char *id, uint32_t mark, bool is_fault)
{
	struct hooked *at = place_of(table, id);
	bool was_told = at->mark && strcmp(at->id, id) == 0;

	if (was_told)
		at->seen = table->turn;
	if ((!is_fault && !was_told) || (was_told && at->mark == mark))
		return false;
	put(table, at, id, mark);
	return true;
}
