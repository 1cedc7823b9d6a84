/* SPDX-License-Identifier: MIT */
#include "eem/grams.h"

#include <errno.h>

#include "base/memory.h"

#define WINDOW 8
#define SURE_LEAST 3 /* certain bytes of a window: fewer would be found everywhere */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

struct window {
	uint64_t value, mask;
};

static uint64_t load(const char *at, size_t len)
{
	uint64_t value = 0;

	memcpy(&value, at, len < WINDOW ? len : WINDOW);
	return value;
}

static uint64_t hash_window(uint64_t value, uint64_t mask)
{
	uint64_t h = (value ^ (mask >> 7)) * MULTIPLIER;

	return (h ^ h >> 29) * MULTIPLIER;
}

/* The window at that place of the literal; false when too little of it is certain. */
static bool window_at(struct text literal, size_t at, struct window *ret)
{
	struct window w = { 0, 0 };
	unsigned sure = 0;

	for (size_t i = 0; i < WINDOW && at + i < literal.len; i++) {
		if (literal.at[at + i] == EEM_ANY_BYTE)
			continue;
		memset((char *)&w.mask + i, 0xff, 1);
		memcpy((char *)&w.value + i, literal.at + at + i, 1);
		sure++;
	}
	*ret = w;
	return sure >= SURE_LEAST && literal.at[at] != EEM_ANY_BYTE;
}

/* How often each window occurs over all entries: an estimate, hashed. */
struct counts {
	uint16_t *at; /* owns */
	uint64_t mask;
};

static int count_windows(struct counts *counts, const struct gram_entry *entries, uint32_t count)
{
	size_t room = 1024;
	struct window w;

	while (room < (size_t)count * 64 && room < (size_t)1 << 22)
		room *= 2;
	counts->at = memory_new(room, sizeof(*counts->at));
	counts->mask = room - 1;
	if (!counts->at)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < entries[i].count; k++) {
			for (size_t at = 0; at < entries[i].literals[k].text.len; at++) {
				uint16_t *n;

				if (!window_at(entries[i].literals[k].text, at, &w))
					continue;
				n = &counts->at[hash_window(w.value, w.mask) >> 20 & counts->mask];
				*n += *n < UINT16_MAX;
			}
		}
	}
	return 0;
}

static int mask_number(struct grams *g, uint64_t mask, bool add)
{
	for (uint32_t i = 0; i < g->mask_count; i++)
		if (g->masks[i] == mask)
			return (int)i;
	if (!add || g->mask_count == GRAM_MASKS_MAX)
		return -1;
	g->masks[g->mask_count] = mask;
	return (int)g->mask_count++;
}

/* The entry's rarest window; of equals the one with more certain bytes. A new shape has to pay: each costs a look at every
 * byte of every message. */
static bool choose(struct grams *g, const struct counts *counts, const struct gram_entry *entry, struct window *ret)
{
	unsigned long best = UINT32_MAX;
	struct window w;

	for (uint32_t k = 0; k < entry->count; k++) {
		for (size_t at = 0; at < entry->literals[k].text.len; at++) {
			unsigned long score;

			if (!window_at(entry->literals[k].text, at, &w))
				continue;
			score = (unsigned long)counts->at[hash_window(w.value, w.mask) >> 20 & counts->mask] * 16;
			score += 8 - (unsigned long)__builtin_popcountll(w.mask) / 8;
			if (mask_number(g, w.mask, false) < 0)
				score = g->mask_count == GRAM_MASKS_MAX ? UINT32_MAX : score * 2 + 32;
			if (score < best) {
				best = score;
				*ret = w;
			}
		}
	}
	return best != UINT32_MAX && mask_number(g, ret->mask, true) >= 0;
}

static void put(struct grams *g, const struct window *w, uint32_t entry)
{
	uint64_t h = hash_window(w->value, w->mask), bit = h >> g->bit_shift;
	uint32_t slot = (uint32_t)h & g->slot_mask;

	g->bits[bit / 64] |= UINT64_C(1) << bit % 64;
	while (g->slots[slot].entry)
		slot = (slot + 1) & g->slot_mask;
	g->slots[slot] = (struct gram){ w->value, (uint32_t)mask_number(g, w->mask, false), entry + 1 };
}

int grams_init(struct grams *g, const struct gram_entry *entries, uint32_t count)
{
	struct counts counts = { 0 };
	uint32_t room = 16, bits_log = 10;

	*g = (struct grams){ 0 };
	while (room < count * 2)
		room *= 2;
	while (bits_log < 20 && (UINT64_C(1) << bits_log) < (uint64_t)count * 32)
		bits_log++;
	g->slots = memory_new(room, sizeof(*g->slots));
	g->bits = memory_new((size_t)1 << (bits_log - 6), sizeof(*g->bits));
	g->always = memory_new(count, sizeof(*g->always));
	g->slot_mask = room - 1;
	g->bit_shift = 64 - bits_log;
	if (!g->slots || !g->bits || !g->always || count_windows(&counts, entries, count) < 0) {
		memory_free(counts.at);
		grams_done(g);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct window w;

		if (choose(g, &counts, &entries[i], &w))
			put(g, &w, i);
		else
			g->always[g->always_count++] = i;
	}
	memory_free(counts.at);
	return 0;
}

void grams_done(struct grams *g)
{
	memory_free(g->slots);
	memory_free(g->bits);
	memory_free(g->always);
	*g = (struct grams){ 0 };
}

static void look(const struct grams *g, uint64_t h, uint64_t value, uint32_t mask, void (*found)(void *, uint32_t),
		 void *context)
{
	for (uint32_t slot = (uint32_t)h & g->slot_mask; g->slots[slot].entry; slot = (slot + 1) & g->slot_mask)
		if (g->slots[slot].value == value && g->slots[slot].mask == mask)
			found(context, g->slots[slot].entry - 1);
}

void grams_find(const struct grams *g, struct text text, void (*found)(void *, uint32_t), void *context)
{
	for (uint32_t i = 0; i < g->always_count; i++)
		found(context, g->always[i]);
	for (size_t at = 0; at + SURE_LEAST <= text.len; at++) {
		uint64_t bytes = at + WINDOW <= text.len ? load(text.at + at, WINDOW) : load(text.at + at, text.len - at);

		for (uint32_t m = 0; m < g->mask_count; m++) {
			uint64_t value = bytes & g->masks[m], h = hash_window(value, g->masks[m]), bit = h >> g->bit_shift;

			if (g->bits[bit / 64] >> bit % 64 & 1)
				look(g, h, value, m, found, context);
		}
	}
}
