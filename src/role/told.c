/* SPDX-License-Identifier: MIT */
#include "role/told.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"

#define NEAR 64 /* places from that of its hash on, in which an id is sought */

/* Its own, else a free one, else that which was asked about longest ago. No place ever gets free, so behind a free one is
 * nothing to be found. */
static struct told *place_of(struct told_table *table, const char *id)
{
	static const struct hash_key key = { 9, 10 };
	uint64_t hash = hash_bytes(&key, id, strlen(id));
	struct told *oldest = &table->at[hash % TOLD_MAX];

	table->turn++; /* ages are distances: it may go round */
	for (uint64_t i = 0; i < NEAR; i++) {
		struct told *one = &table->at[(hash + i) % TOLD_MAX];

		if (!one->is_used || strcmp(one->id, id) == 0)
			return one;
		if (table->turn - one->seen > table->turn - oldest->seen)
			oldest = one;
	}
	return oldest;
}

static void put(struct told_table *table, struct told *at, const char *id, uint64_t mark)
{
	memset(at->id, 0, sizeof(at->id));
	text_copy(text_of(id), at->id, sizeof(at->id));
	at->is_used = true;
	at->mark = mark;
	at->seen = table->turn;
}

void told_put(struct told_table *table, const char *id, uint64_t mark)
{
	put(table, place_of(table, id), id, mark);
}

bool told_is_news(struct told_table *table, const char *id, uint64_t mark, bool is_fault)
{
	struct told *at = place_of(table, id);
	bool was_told = at->is_used && strcmp(at->id, id) == 0;

	if (was_told)
		at->seen = table->turn;
	if ((!is_fault && !was_told) || (was_told && at->mark == mark))
		return false;
	put(table, at, id, mark);
	return true;
}
