/* SPDX-License-Identifier: MIT */
#include "repair/act_budget.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

struct act {
	struct spimend_address peer;
	int64_t at;
};

/* The latest acts, as many as count at all: with `total` of them inside the window nothing more is allowed anyway. */
struct act_budget {
	struct act_budget_settings settings;
	struct act acts[ACT_BUDGET_TOTAL_MAX]; /* a ring */
	size_t next, count;
};

static struct act_budget_settings cut(const struct act_budget_settings *settings)
{
	struct act_budget_settings s = *settings;

	if (s.total > ACT_BUDGET_TOTAL_MAX)
		s.total = ACT_BUDGET_TOTAL_MAX;
	return s;
}

struct act_budget *act_budget_new(const struct act_budget_settings *settings)
{
	struct act_budget *b = memory_new(1, sizeof(*b));

	if (b)
		b->settings = cut(settings);
	return b;
}

void act_budget_free(struct act_budget *b)
{
	memory_free(b);
}

void act_budget_set(struct act_budget *b, const struct act_budget_settings *settings)
{
	b->settings = cut(settings);
}

bool act_budget_allows(const struct act_budget *b, const struct spimend_address *peer, int64_t now)
{
	uint32_t all = 0, own = 0;

	for (size_t i = 0; i < b->count; i++) {
		const struct act *a = &b->acts[i];

		if (now - a->at >= b->settings.window_ns)
			continue;
		all++;
		own += spimend_address_equal(&a->peer, peer);
	}
	return all < b->settings.total && own < b->settings.per_peer;
}

static void add(struct act_budget *b, const struct spimend_address *peer, int64_t at)
{
	b->acts[b->next] = (struct act){ *peer, at };
	b->next = (b->next + 1) % ACT_BUDGET_TOTAL_MAX;
	if (b->count < ACT_BUDGET_TOTAL_MAX)
		b->count++;
}

void act_budget_note(struct act_budget *b, const struct spimend_address *peer, int64_t now)
{
	add(b, peer, now);
}

void act_budget_replay(struct act_budget *b, const struct spimend_address *peer, struct instant wall,
		       struct instant now_wall, int64_t now)
{
	int64_t age;

	if (__builtin_sub_overflow(now_wall.ns, wall.ns, &age) || age < 0)
		age = 0; /* from the future: the clock was set back. Counted as just done */
	if (age < b->settings.window_ns)
		add(b, peer, now - age);
}
