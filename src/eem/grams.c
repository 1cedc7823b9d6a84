/* SPDX-License-Identifier: MIT */
#include "eem/grams.h"

#include <errno.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/memory.h"

#define WINDOW 8
#define SHORT_WINDOW 4
#define SURE_LEAST 3 /* certain bytes of a detail: fewer would be found everywhere */
#define RARE 3       /* so many entries may share what finds them directly */
#define NEW_SHAPE 24 /* what another look behind an anchor has to save, in sixteenths of an entry tried */
#define ANCHOR UINT32_C(0x80000000)
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

struct window {
	uint64_t value, mask;
};

static const uint64_t masks[GRAM_MASKS] = { UINT64_MAX, UINT32_MAX }; /* little-endian: set_byte() builds the others */

/* `len` bytes of it, at most eight; a copy of a length that is not known costs more than all the rest of a look. */
static uint64_t load(const char *at, size_t len)
{
	uint64_t value = 0;

	if (len >= WINDOW)
		memcpy(&value, at, WINDOW);
	else
		memcpy(&value, at, len);
	return value;
}

static uint64_t hash_window(uint64_t value, uint64_t seed)
{
	uint64_t h = (value ^ (seed >> 7)) * MULTIPLIER;

	return (h ^ h >> 29) * MULTIPLIER;
}

/* The window at that place of the literal with every byte certain; false where there is none of that length. */
static bool sure_window(struct text literal, size_t at, unsigned mask, struct window *ret)
{
	size_t len = mask == 0 ? WINDOW : SHORT_WINDOW;

	if (at + len > literal.len || memchr(literal.at + at, EEM_ANY_BYTE, len))
		return false;
	*ret = (struct window){ load(literal.at + at, len), masks[mask] };
	ret->value &= ret->mask;
	return true;
}

/* The window at that place with dots in it; false when too little of it is certain. */
static bool loose_window(struct text literal, size_t at, struct window *ret)
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

/* --- How often windows occur over all entries: an estimate, hashed -------------------------------------------------- */

struct counts {
	uint16_t *at; /* owns */
	uint64_t mask;
};

static uint16_t *count_at(const struct counts *c, const struct window *w)
{
	return &c->at[hash_window(w->value, w->mask) >> 20 & c->mask];
}

static void count_one(const struct counts *c, const struct window *w)
{
	uint16_t *n = count_at(c, w);

	*n += *n < UINT16_MAX;
}

static int count_windows(struct counts *c, const struct gram_entry *entries, uint32_t count)
{
	size_t room = 1024;
	struct window w;

	while (room < (size_t)count * 64 && room < (size_t)1 << 22)
		room *= 2;
	c->at = memory_new(room, sizeof(*c->at));
	c->mask = room - 1;
	if (!c->at)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < entries[i].count; k++) {
			struct text t = entries[i].literals[k].text;

			for (size_t at = 0; at < t.len; at++) {
				bool loose = loose_window(t, at, &w);

				if (loose)
					count_one(c, &w);
				if (sure_window(t, at, 1, &w) && (!loose || at + WINDOW <= t.len))
					count_one(c, &w); /* else the loose one was the same */
			}
		}
	}
	return 0;
}

/* --- Building -------------------------------------------------------------------------------------------------------- */

struct choice { /* for one entry */
	struct window window; /* that finds it, or its anchor */
	unsigned mask;
	uint32_t literal, at; /* of the anchor */
	bool is_anchor;
};

/* The rarest certain window; of one length. */
static bool choose_direct(const struct counts *c, const struct gram_entry *entry, unsigned mask, struct choice *ret,
			  uint32_t *ret_count)
{
	uint32_t best = UINT32_MAX;
	struct window w;

	for (uint32_t k = 0; k < entry->count; k++) {
		for (size_t at = 0; at < entry->literals[k].text.len; at++) {
			if (!sure_window(entry->literals[k].text, at, mask, &w) || *count_at(c, &w) >= best)
				continue;
			best = *count_at(c, &w);
			*ret = (struct choice){ .window = w, .mask = mask };
		}
	}
	*ret_count = best;
	return best != UINT32_MAX;
}

/* The rarest detail of a literal. */
static uint32_t rarest_detail(const struct counts *c, struct text literal)
{
	uint32_t best = UINT32_MAX;
	struct window w;

	for (size_t at = 0; at < literal.len; at++)
		if (loose_window(literal, at, &w) && *count_at(c, &w) < best)
			best = *count_at(c, &w);
	return best;
}

/* The literal with the rarest detail, and in it the certain window that most others share: those meet at one anchor. */
static bool choose_anchor(const struct counts *c, const struct gram_entry *entry, unsigned mask, struct choice *ret)
{
	uint32_t best = UINT32_MAX, most;
	bool found = false;
	struct window w;

	for (uint32_t k = 0; k < entry->count; k++) {
		struct text t = entry->literals[k].text;
		uint32_t detail = rarest_detail(c, t);

		if (detail >= best)
			continue;
		most = 0;
		for (size_t at = 0; at < t.len; at++) {
			if (!sure_window(t, at, mask, &w) || *count_at(c, &w) <= most)
				continue;
			most = *count_at(c, &w);
			*ret = (struct choice){ .window = w, .mask = mask, .literal = k, .at = (uint32_t)at, .is_anchor = true };
			best = detail;
			found = true;
		}
	}
	return found;
}

static bool choose(const struct counts *c, const struct gram_entry *entry, struct choice *ret)
{
	struct choice anchor;
	uint32_t count;
	unsigned mask = 0;

	if (!choose_direct(c, entry, mask, ret, &count)) {
		mask = 1;
		if (!choose_direct(c, entry, mask, ret, &count))
			return false;
	}
	if (count > RARE && choose_anchor(c, entry, mask, &anchor))
		*ret = anchor;
	return true;
}

static void sieve_add(struct gram_sieve *sieve, const unsigned char *window)
{
	uint8_t bucket = (uint8_t)(1 << window[0] % 8);

	for (unsigned place = 0; place < GRAM_PLACES; place++) {
		unsigned char byte = window[place];

		sieve->bytes[place][byte] |= bucket;
		sieve->low[place][byte & 15] |= bucket;
		sieve->high[place][byte >> 4] |= bucket;
	}
}

static void put(struct grams *g, const struct choice *choice, uint32_t target)
{
	uint64_t h = hash_window(choice->window.value, choice->window.mask), bit = h >> g->bit_shift;
	uint32_t slot = (uint32_t)h & g->slot_mask;

	g->bits[bit / 64] |= UINT64_C(1) << bit % 64;
	sieve_add(&g->sieve, (const unsigned char *)&choice->window.value);
	g->has_mask[choice->mask] = true;
	while (g->slots[slot].target)
		slot = (slot + 1) & g->slot_mask;
	g->slots[slot] = (struct gram){ choice->window.value, target, choice->mask };
}

/* The anchor with that window; made where there is none yet. */
static struct anchor *anchor_of(struct grams *g, const struct choice *choice)
{
	uint64_t h = hash_window(choice->window.value, choice->window.mask);

	for (uint32_t slot = (uint32_t)h & g->slot_mask; g->slots[slot].target; slot = (slot + 1) & g->slot_mask)
		if (g->slots[slot].value == choice->window.value && g->slots[slot].mask == choice->mask &&
		    (g->slots[slot].target & ANCHOR))
			return &g->anchors[g->slots[slot].target & ~ANCHOR];
	put(g, choice, ANCHOR | g->anchor_count);
	return &g->anchors[g->anchor_count++];
}

static int shape_of(struct anchor *a, int32_t offset, uint64_t mask, bool add)
{
	for (uint32_t i = 0; i < a->shape_count; i++)
		if (a->shapes[i].offset == offset && a->shapes[i].mask == mask)
			return (int)i;
	if (!add || a->shape_count == GRAM_SHAPES_MAX)
		return -1;
	a->shapes[a->shape_count] = (struct shape){ offset, mask };
	return (int)a->shape_count++;
}

static uint64_t detail_hash(uint64_t value, uint32_t anchor, uint32_t shape)
{
	return hash_window(value, ((uint64_t)anchor << 40) + ((uint64_t)shape << 20));
}

static void put_detail(struct grams *g, uint64_t value, uint32_t anchor, uint32_t shape, uint32_t entry)
{
	uint64_t h = detail_hash(value, anchor, shape), bit = h >> g->bit_shift;
	uint32_t slot = (uint32_t)(h >> 24) & g->detail_mask;

	g->detail_bits[bit / 64] |= UINT64_C(1) << bit % 64;
	while (g->details[slot].entry)
		slot = (slot + 1) & g->detail_mask;
	g->details[slot] = (struct detail){ value, entry + 1, anchor, shape };
}

/* What tells the entry from the others at its anchor. */
static void add_behind(struct grams *g, const struct counts *c, const struct gram_entry *entry, const struct choice *choice,
		       uint32_t number)
{
	struct anchor *a = anchor_of(g, choice);
	struct text t = entry->literals[choice->literal].text;
	uint32_t best = UINT32_MAX;
	struct window w, chosen = { 0, 0 };
	int32_t offset = 0;

	for (size_t at = 0; at < t.len; at++) {
		int32_t away = (int32_t)at - (int32_t)choice->at;
		uint32_t score;

		if (away == 0 || !loose_window(t, at, &w))
			continue;
		score = (uint32_t)*count_at(c, &w) * 16;
		if (shape_of(a, away, w.mask, false) < 0) {
			if (a->shape_count == GRAM_SHAPES_MAX)
				continue;
			score += NEW_SHAPE;
		}
		if (score < best) {
			best = score;
			chosen = w;
			offset = away;
		}
	}
	if (best == UINT32_MAX) {
		g->rest[number] = a->first_rest;
		a->first_rest = number + 1;
		return;
	}
	put_detail(g, chosen.value, (uint32_t)(a - g->anchors), (uint32_t)shape_of(a, offset, chosen.mask, true), number);
}

static bool get_memory(struct grams *g, uint32_t count)
{
	uint32_t room = 16, bits_log = 10;

	while (room < count * 2)
		room *= 2;
	while (bits_log < 20 && (UINT64_C(1) << bits_log) < (uint64_t)count * 32)
		bits_log++;
	g->slots = memory_new(room, sizeof(*g->slots));
	g->details = memory_new(room, sizeof(*g->details));
	g->bits = memory_new((size_t)1 << (bits_log - 6), sizeof(*g->bits));
	g->detail_bits = memory_new((size_t)1 << (bits_log - 6), sizeof(*g->detail_bits));
	g->always = memory_new(count, sizeof(*g->always));
	g->rest = memory_new(count, sizeof(*g->rest));
	g->slot_mask = g->detail_mask = room - 1;
	g->bit_shift = 64 - bits_log;
	return g->slots && g->details && g->bits && g->detail_bits && g->always && g->rest;
}

int grams_init(struct grams *g, const struct gram_entry *entries, uint32_t count)
{
	struct choice *choices = memory_new(count, sizeof(*choices));
	struct counts counts = { 0 };
	uint32_t anchored = 0;
	bool fine;

	*g = (struct grams){ 0 };
#if defined(__x86_64__)
	g->sieve.is_wide = __builtin_cpu_supports("avx2");
#endif
	fine = choices && get_memory(g, count) && count_windows(&counts, entries, count) == 0;
	for (uint32_t i = 0; fine && i < count; i++) {
		if (!choose(&counts, &entries[i], &choices[i]))
			g->always[g->always_count++] = i;
		anchored += choices[i].is_anchor;
	}
	if (fine)
		g->anchors = memory_new(anchored, sizeof(*g->anchors));
	fine = fine && g->anchors;
	for (uint32_t i = 0; fine && i < count; i++) {
		if (choices[i].is_anchor)
			add_behind(g, &counts, &entries[i], &choices[i], i);
		else if (choices[i].window.mask)
			put(g, &choices[i], i + 1);
	}
	memory_free(counts.at);
	memory_free(choices);
	if (!fine)
		grams_done(g);
	return fine ? 0 : -ENOMEM;
}

void grams_done(struct grams *g)
{
	memory_free(g->slots);
	memory_free(g->details);
	memory_free(g->bits);
	memory_free(g->detail_bits);
	memory_free(g->anchors);
	memory_free(g->rest);
	memory_free(g->always);
	*g = (struct grams){ 0 };
}

/* --- Looking ---------------------------------------------------------------------------------------------------------- */

struct look {
	const struct grams *g;
	struct text text;
	void (*found)(void *context, uint32_t entry);
	void *context;
};

static void look_behind(const struct look *l, uint32_t number, size_t at)
{
	const struct grams *g = l->g;
	const struct anchor *a = &g->anchors[number];

	for (uint32_t next = a->first_rest; next; next = g->rest[next - 1])
		l->found(l->context, next - 1);
	for (uint32_t s = 0; s < a->shape_count; s++) {
		int64_t to = (int64_t)at + a->shapes[s].offset;
		uint64_t value, h, bit;
		uint32_t slot;

		if (to < 0 || (size_t)to >= l->text.len)
			continue;
		value = load(l->text.at + to, l->text.len - (size_t)to) & a->shapes[s].mask;
		h = detail_hash(value, number, s);
		bit = h >> g->bit_shift;
		if (__builtin_expect(!(g->detail_bits[bit / 64] >> bit % 64 & 1), 1))
			continue;
		slot = (uint32_t)(h >> 24) & g->detail_mask;
		for (; g->details[slot].entry; slot = (slot + 1) & g->detail_mask)
			if (g->details[slot].value == value && g->details[slot].anchor == number && g->details[slot].shape == s)
				l->found(l->context, g->details[slot].entry - 1);
	}
}

static void look_at(const struct look *l, uint64_t h, uint64_t value, uint32_t mask, size_t at)
{
	const struct grams *g = l->g;

	for (uint32_t slot = (uint32_t)h & g->slot_mask; g->slots[slot].target; slot = (slot + 1) & g->slot_mask) {
		const struct gram *gram = &g->slots[slot];

		if (gram->value != value || gram->mask != mask)
			continue;
		if (gram->target & ANCHOR)
			look_behind(l, gram->target & ~ANCHOR, at);
		else
			l->found(l->context, gram->target - 1);
	}
}

static void look_for(const struct look *l, uint32_t mask, size_t at)
{
	const struct grams *g = l->g;
	size_t width = mask == 0 ? WINDOW : SHORT_WINDOW;
	uint64_t value, h, bit;

	if (at + width > l->text.len)
		return;
	value = mask == 0 ? load(l->text.at + at, WINDOW) : load(l->text.at + at, SHORT_WINDOW);
	h = hash_window(value, masks[mask]);
	bit = h >> g->bit_shift;
	if (g->bits[bit / 64] >> bit % 64 & 1)
		look_at(l, h, value, mask, at);
}

static void look_for_all(const struct look *l, size_t at)
{
	for (uint32_t m = 0; m < GRAM_MASKS; m++)
		if (l->g->has_mask[m])
			look_for(l, m, at);
}

static bool may_begin(const struct gram_sieve *sieve, const unsigned char *at)
{
	return sieve->bytes[0][at[0]] & sieve->bytes[1][at[1]] & sieve->bytes[2][at[2]] & sieve->bytes[3][at[3]];
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) static inline __m256i place_mask(const struct gram_sieve *sieve, unsigned place, const char *at)
{
	const __m256i nibble = _mm256_set1_epi8(15);
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(at + place));
	__m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)sieve->low[place]));
	__m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)sieve->high[place]));

	return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble)),
				_mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)));
}

/* Thirty-two places at a time, as far as they have all their bytes. Returns where it ended. */
__attribute__((target("avx2"))) static size_t look_wide(const struct look *l)
{
	const struct gram_sieve *sieve = &l->g->sieve;
	size_t at = 0;

	for (; at + 32 + GRAM_PLACES - 1 <= l->text.len; at += 32) {
		const char *from = l->text.at + at;
		__m256i all = _mm256_and_si256(_mm256_and_si256(place_mask(sieve, 0, from), place_mask(sieve, 1, from)),
					       _mm256_and_si256(place_mask(sieve, 2, from), place_mask(sieve, 3, from)));
		uint32_t may = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(all, _mm256_setzero_si256()));

		for (; may; may &= may - 1)
			look_for_all(l, at + (unsigned)__builtin_ctz(may));
	}
	return at;
}

#endif

void grams_find(const struct grams *g, struct text text, void (*found)(void *, uint32_t), void *context)
{
	struct look l = { g, text, found, context };
	size_t at = 0;

	for (uint32_t i = 0; i < g->always_count; i++)
		found(context, g->always[i]);
#if defined(__x86_64__)
	if (g->sieve.is_wide)
		at = look_wide(&l);
#endif
	for (; at + GRAM_PLACES <= text.len; at++)
		if (may_begin(&g->sieve, (const unsigned char *)text.at + at))
			look_for_all(&l, at);
}
