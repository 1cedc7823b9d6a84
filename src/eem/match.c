/* SPDX-License-Identifier: MIT */
#include "eem/match.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/slots.h"
#include "eem/grams.h"

#define FEW 4         /* so many members are tried without asking for another text */

/* What of a mnemonic its group is found by: how many bytes in front of "-4-", and behind it. The first that the literal has. */
enum key { KEY_BOTH, KEY_NAME, KEY_FACILITY, KEYS };
static const struct {
	uint8_t front, behind;
} key_bytes[KEYS] = { { 3, 5 }, { 0, 4 }, { 4, 0 } };

struct entry { /* one alternative of a pattern */
	uint32_t pattern;
	struct gram_entry literals;
};

#define GROUP_TEXT_MAX 40

struct group { /* those that share a mnemonic: one cache line */
	char text[GROUP_TEXT_MAX]; /* the literal that holds it, or as much of it as there is room for: the search is exact */
	uint8_t len, severity_at;  /* severity_at: of "-4-" in it */
	uint8_t key;               /* enum key */
	bool is_sure;              /* no dots in it */
	uint32_t first, count;     /* entries */
	uint32_t grams;            /* index + 1; 0: few enough to try each */
	uint32_t stamp;            /* the message in which it was found last */
};

struct eem_matcher {
	struct eem_pattern *const *patterns; /* borrows */
	uint32_t count;
	struct entry *entries;   /* owns; sorted by group, those without behind */
	uint32_t entry_count, grouped;
	struct group *groups;    /* owns */
	uint32_t group_count;
	struct grams *grams;     /* owns: of groups with many members */
	uint32_t grams_count;
	bool has_key[KEYS], has_texts;
	struct slots by_key;     /* groups */
	uint64_t *key_bits;      /* owns: a bloom filter of them, since most mnemonics nobody waits for */
	uint32_t key_bit_mask;
	struct grams texts;      /* entries without a mnemonic, numbered from `grouped` */
	uint32_t *always;        /* owns: patterns that require nothing */
	uint32_t always_count;
	uint32_t *stamps;        /* owns: by pattern, the message it was tried on last */
	uint32_t stamp;
	uint32_t *hits;          /* owns */
	uint32_t hit_count;
	uint64_t searches, limits;
	struct text message;     /* being looked at */
	const struct group *in_group;
};

/* --- Building ---------------------------------------------------------------------------------------------------- */

static bool is_severity(const char *at)
{
	return at[0] == '-' && at[1] >= '0' && at[1] <= '7' && at[2] == '-';
}

static bool all_sure(const char *at, size_t len)
{
	return memchr(at, EEM_ANY_BYTE, len) == NULL;
}

/* Where "-4-" stands in the literal with enough certain bytes beside it. */
static bool find_severity(struct text t, uint32_t *ret_at, enum key *ret_key)
{
	for (size_t i = 0; i + 3 <= t.len; i++) {
		if (!is_severity(t.at + i))
			continue;
		for (unsigned k = 0; k < KEYS; k++) {
			size_t front = key_bytes[k].front, behind = key_bytes[k].behind;

			if (i < front || i + 3 + behind > t.len || !all_sure(t.at + i - front, front) || !all_sure(t.at + i + 3, behind))
				continue;
			*ret_at = (uint32_t)i;
			*ret_key = (enum key)k;
			return true;
		}
	}
	return false;
}

static const struct eem_literal *mnemonic_of(const struct entry *e, uint32_t *ret_at, enum key *ret_key)
{
	for (uint32_t i = 0; i < e->literals.count; i++)
		if (find_severity(e->literals.literals[i].text, ret_at, ret_key))
			return &e->literals.literals[i];
	return NULL;
}

static uint32_t key_hash(const char *severity, enum key key)
{
	uint64_t front = 0, behind = 0, h;

	memcpy(&front, severity - key_bytes[key].front, key_bytes[key].front);
	memcpy(&behind, severity + 3, key_bytes[key].behind);
	h = (front << 24 ^ behind ^ (uint64_t)severity[1] << 48 ^ (uint64_t)key << 56) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

/* Entries with their mnemonics first, equal ones together. */
static int compare_entries(const void *a, const void *b)
{
	uint32_t at;
	enum key key;
	const struct eem_literal *x = mnemonic_of(a, &at, &key), *y = mnemonic_of(b, &at, &key);
	const struct entry *p = a, *q = b;
	size_t n;
	int result;

	if (!x || !y)
		return x ? -1 : y ? 1 : (p->pattern > q->pattern) - (p->pattern < q->pattern);
	n = x->text.len < y->text.len ? x->text.len : y->text.len;
	result = memcmp(x->text.at, y->text.at, n);
	if (result)
		return result;
	if (x->text.len != y->text.len)
		return x->text.len < y->text.len ? -1 : 1;
	return (p->pattern > q->pattern) - (p->pattern < q->pattern);
}

static int gather_entries(struct eem_matcher *m)
{
	uint32_t room = 0, alternatives;
	const struct eem_literal *literals;

	for (uint32_t i = 0; i < m->count; i++) {
		eem_pattern_literals(m->patterns[i], &literals, &alternatives);
		room += alternatives;
	}
	m->entries = memory_new(room, sizeof(*m->entries));
	m->always = memory_new(m->count, sizeof(*m->always));
	if (!m->entries || !m->always)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->count; i++) {
		uint32_t count = eem_pattern_literals(m->patterns[i], &literals, &alternatives), at = 0;

		if (alternatives == 0)
			m->always[m->always_count++] = i;
		for (uint32_t a = 0; a < alternatives; a++) {
			struct entry *e = &m->entries[m->entry_count++];

			*e = (struct entry){ .pattern = i, .literals = { literals + at, 0 } };
			while (at < count && literals[at].alternative == a) {
				e->literals.count++;
				at++;
			}
		}
	}
	qsort(m->entries, m->entry_count, sizeof(*m->entries), compare_entries);
	return 0;
}

static int init_grams(const struct eem_matcher *m, uint32_t first, uint32_t count, struct grams *grams)
{
	struct gram_entry *literals = memory_new(count, sizeof(*literals));
	int result = -ENOMEM;

	if (literals) {
		for (uint32_t i = 0; i < count; i++)
			literals[i] = m->entries[first + i].literals;
		result = grams_init(grams, literals, count);
	}
	memory_free(literals);
	return result;
}

/* A literal with much in front of its severity is kept from so far on that key and name are in it. */
static void group_begin(struct group *g, struct text literal, uint32_t severity, enum key key, uint32_t first)
{
	uint32_t from = severity > GROUP_TEXT_MAX / 2 ? severity - GROUP_TEXT_MAX / 2 : 0;
	struct text kept = text_first(text_skip(literal, from), GROUP_TEXT_MAX);

	*g = (struct group){ .len = (uint8_t)kept.len, .severity_at = (uint8_t)(severity - from), .key = (uint8_t)key,
			     .first = first };
	memcpy(g->text, kept.at, kept.len);
	g->is_sure = all_sure(kept.at, kept.len);
}

static int make_groups(struct eem_matcher *m)
{
	const struct eem_literal *before = NULL;
	uint32_t many = 0, bits = 1024;

	m->groups = memory_new(m->entry_count, sizeof(*m->groups));
	if (!m->groups)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->entry_count; i++) {
		uint32_t at;
		enum key key;
		const struct eem_literal *literal = mnemonic_of(&m->entries[i], &at, &key);

		if (!literal)
			break;
		if (!before || !text_equal(before->text, literal->text))
			group_begin(&m->groups[m->group_count++], literal->text, at, key, i);
		m->groups[m->group_count - 1].count++;
		before = literal;
		m->grouped = i + 1;
	}
	while (bits < m->group_count * UINT32_C(32) && bits < UINT32_C(1) << 24)
		bits *= 2;
	m->key_bits = memory_new(bits / 64, sizeof(*m->key_bits));
	m->key_bit_mask = bits - 1;
	if (!m->key_bits || slots_init(&m->by_key, m->group_count + 1) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->group_count; i++) {
		struct group *g = &m->groups[i];

		uint32_t hash = key_hash(g->text + g->severity_at, (enum key)g->key), bit = hash & m->key_bit_mask;

		slots_add(&m->by_key, hash, i + 1);
		m->key_bits[bit / 64] |= UINT64_C(1) << bit % 64;
		m->has_key[g->key] = true;
		many += g->count > FEW;
	}
	m->grams = memory_new(many, sizeof(*m->grams));
	if (!m->grams)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->group_count; i++) {
		struct group *g = &m->groups[i];

		if (g->count <= FEW)
			continue;
		if (init_grams(m, g->first, g->count, &m->grams[m->grams_count]) < 0)
			return -ENOMEM;
		g->grams = ++m->grams_count;
	}
	return 0;
}

int eem_matcher_new(struct eem_pattern *const *patterns, uint32_t count, struct eem_matcher **ret)
{
	struct eem_matcher *m = memory_new(1, sizeof(*m));
	int result = -ENOMEM;

	if (!m)
		return -ENOMEM;
	m->patterns = patterns;
	m->count = count;
	m->stamps = memory_new(count, sizeof(*m->stamps));
	m->hits = memory_new(count, sizeof(*m->hits));
	if (m->stamps && m->hits)
		result = gather_entries(m);
	if (result == 0)
		result = make_groups(m);
	if (result == 0 && m->grouped < m->entry_count) {
		result = init_grams(m, m->grouped, m->entry_count - m->grouped, &m->texts);
		m->has_texts = result == 0;
	}
	if (result < 0)
		eem_matcher_free(m);
	else
		*ret = m;
	return result;
}

void eem_matcher_free(struct eem_matcher *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; i < m->grams_count; i++)
		grams_done(&m->grams[i]);
	memory_free(m->grams);
	grams_done(&m->texts);
	slots_done(&m->by_key);
	memory_free(m->key_bits);
	memory_free(m->groups);
	memory_free(m->entries);
	memory_free(m->always);
	memory_free(m->stamps);
	memory_free(m->hits);
	memory_free(m);
}

/* --- Looking ----------------------------------------------------------------------------------------------------- */

static void try_pattern(struct eem_matcher *m, uint32_t pattern)
{
	enum eem_match found;

	if (m->stamps[pattern] == m->stamp)
		return;
	m->stamps[pattern] = m->stamp;
	m->searches++;
	found = eem_pattern_search(m->patterns[pattern], m->message, NULL, NULL);
	m->limits += found == EEM_MATCH_LIMIT;
	if (found == EEM_MATCH)
		m->hits[m->hit_count++] = pattern;
}

static void found_in_group(void *context, uint32_t entry)
{
	struct eem_matcher *m = context;

	try_pattern(m, m->entries[m->in_group->first + entry].pattern);
}

static void found_text(void *context, uint32_t entry)
{
	struct eem_matcher *m = context;

	try_pattern(m, m->entries[m->grouped + entry].pattern);
}

static bool stands_at(const struct group *g, struct text message, size_t at)
{
	if (at + g->len > message.len)
		return false;
	if (g->is_sure)
		return memcmp(g->text, message.at + at, g->len) == 0;
	for (size_t i = 0; i < g->len; i++)
		if (g->text[i] != message.at[at + i] && g->text[i] != EEM_ANY_BYTE)
			return false;
	return true;
}

/* Of ten thousand patterns few lie near the processor: they are fetched at once. */
static void try_few(struct eem_matcher *m, const struct group *g)
{
	const struct entry *entries = &m->entries[g->first];

	for (uint32_t i = 0; i < g->count; i++)
		__builtin_prefetch(m->patterns[entries[i].pattern]);
	for (uint32_t i = 0; i < g->count; i++)
		try_pattern(m, entries[i].pattern);
}

static void look_at_key(struct eem_matcher *m, size_t severity, enum key key)
{
	uint32_t hash = key_hash(m->message.at + severity, key), cursor = hash, number;
	uint32_t bit = hash & m->key_bit_mask;

	if (!(m->key_bits[bit / 64] >> bit % 64 & 1))
		return;
	while ((number = slots_look(&m->by_key, hash, &cursor))) {
		struct group *g = &m->groups[number - 1];

		if (g->stamp == m->stamp || g->key != key || severity < g->severity_at ||
		    !stands_at(g, m->message, severity - g->severity_at))
			continue;
		g->stamp = m->stamp;
		m->in_group = g;
		if (g->grams)
			grams_find(&m->grams[g->grams - 1], m->message, found_in_group, m);
		else
			try_few(m, g);
	}
}

static void look_at_severities(struct eem_matcher *m)
{
	const char *begin = m->message.at, *end = begin + m->message.len, *at = begin;

	while (end - at > 2 && (at = memchr(at, '-', (size_t)(end - at - 2)))) {
		size_t offset = (size_t)(at - begin);

		if (is_severity(at)) {
			for (unsigned k = 0; k < KEYS; k++)
				if (m->has_key[k] && offset >= key_bytes[k].front && (size_t)(end - at) >= 3u + key_bytes[k].behind)
					look_at_key(m, offset, (enum key)k);
		}
		at++;
	}
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

uint32_t eem_matcher_find(struct eem_matcher *m, struct text message, const uint32_t **ret, uint64_t *limits)
{
	uint64_t before = m->limits;

	m->message = message;
	m->hit_count = 0;
	if (++m->stamp == 0) { /* once in four thousand million messages */
		memset(m->stamps, 0, m->count * sizeof(*m->stamps));
		for (uint32_t i = 0; i < m->group_count; i++)
			m->groups[i].stamp = 0;
		m->stamp = 1;
	}
	if (m->group_count && message.len)
		look_at_severities(m);
	if (m->has_texts && message.len)
		grams_find(&m->texts, message, found_text, m);
	for (uint32_t i = 0; i < m->always_count; i++)
		try_pattern(m, m->always[i]);
	if (m->hit_count > 1)
		qsort(m->hits, m->hit_count, sizeof(*m->hits), compare_numbers);
	if (limits)
		*limits += m->limits - before;
	*ret = m->hits;
	return m->hit_count;
}

struct eem_matcher_figures eem_matcher_figures(const struct eem_matcher *m)
{
	return (struct eem_matcher_figures){
		.patterns = m->count,
		.mnemonics = m->group_count,
		.by_text = m->entry_count - m->grouped,
		.always = m->always_count,
		.searches = m->searches,
	};
}
