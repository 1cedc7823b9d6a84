/* SPDX-License-Identifier: MIT */
#include "core/neighbors.h"

#include "base/memory.h"

struct entry {
	struct neighbor is;
	int64_t until; /* mono */
};

struct neighbors {
	struct entry at[NEIGHBORS_MAX];
	uint32_t count;
	uint64_t refused;
	struct neighbor gone; /* the one told last */
};

struct neighbors *neighbors_new(void)
{
	return memory_new(1, sizeof(struct neighbors));
}

void neighbors_free(struct neighbors *neighbors)
{
	memory_free(neighbors);
}

static bool is_heard_at(const struct neighbor *n, const struct neighbor *as)
{
	return n->is_cdp == as->is_cdp && text_equal(text_of(n->interface), text_of(as->interface));
}

static void remove_at(struct neighbors *neighbors, uint32_t index)
{
	neighbors->gone = neighbors->at[index].is;
	neighbors->at[index] = neighbors->at[--neighbors->count];
}

/* What the departing one says is little (802.1AB 9.2.7.5): what is told is what was known. */
static enum neighbor_change take_away(struct neighbors *neighbors, uint32_t index, const struct neighbor **ret)
{
	remove_at(neighbors, index);
	neighbors->gone.ttl = 0;
	*ret = &neighbors->gone;
	return NEIGHBOR_DELETE;
}

static enum neighbor_change add(struct neighbors *neighbors, const struct neighbor *said, uint32_t on_line, int64_t until,
				const struct neighbor **ret)
{
	struct entry *entry = &neighbors->at[neighbors->count];

	if (neighbors->count == NEIGHBORS_MAX || on_line == NEIGHBORS_OF_INTERFACE_MAX) {
		neighbors->refused++;
		return 0;
	}
	neighbors->count++;
	*entry = (struct entry){ *said, until };
	*ret = &entry->is;
	return NEIGHBOR_ADD;
}

enum neighbor_change neighbors_take(struct neighbors *neighbors, const struct neighbor *said, int64_t now_ns,
				    const struct neighbor **ret)
{
	int64_t until = now_ns + said->ttl * SECOND_NS;
	uint32_t on_line = 0;

	for (uint32_t i = 0; i < neighbors->count; i++) {
		struct entry *entry = &neighbors->at[i];
		bool is_news = entry->is.content != said->content;

		if (!is_heard_at(&entry->is, said))
			continue;
		on_line++;
		if (entry->is.identity != said->identity)
			continue;
		if (said->ttl == 0)
			return take_away(neighbors, i, ret);
		*entry = (struct entry){ *said, until };
		*ret = &entry->is;
		return is_news ? NEIGHBOR_UPDATE : 0;
	}
	return said->ttl ? add(neighbors, said, on_line, until, ret) : 0;
}

enum neighbor_change neighbors_expire(struct neighbors *neighbors, int64_t now_ns, const struct neighbor **ret)
{
	for (uint32_t i = 0; i < neighbors->count; i++)
		if (now_ns >= neighbors->at[i].until)
			return take_away(neighbors, i, ret);
	return 0;
}

int64_t neighbors_next(const struct neighbors *neighbors)
{
	int64_t next = INT64_MAX;

	for (uint32_t i = 0; i < neighbors->count; i++)
		if (neighbors->at[i].until < next)
			next = neighbors->at[i].until;
	return next;
}

void neighbors_forget(struct neighbors *neighbors, struct text interface, bool is_cdp)
{
	for (uint32_t i = 0; i < neighbors->count;)
		if (neighbors->at[i].is.is_cdp == is_cdp && text_equal(text_of(neighbors->at[i].is.interface), interface))
			remove_at(neighbors, i);
		else
			i++;
}

const struct neighbor *neighbors_at(const struct neighbors *neighbors, uint32_t index)
{
	return index < neighbors->count ? &neighbors->at[index].is : NULL;
}

uint64_t neighbors_refused(const struct neighbors *neighbors)
{
	return neighbors->refused;
}
