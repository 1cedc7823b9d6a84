/* SPDX-License-Identifier: MIT */
#include "record/live_burst.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"

struct part { /* a flow that may be of a burst */
	uint32_t index, source; /* source: numbered */
	struct judge_glance is;
};

struct search {
	judge_breath_fn *breath;
	void *context; /* borrows */
	uint32_t steps, needed;
	int64_t within_ns;
};

static void breathe(struct search *search)
{
	if (++search->steps % 1024 == 0 && search->breath)
		search->breath(search->context);
}

static int by_source(const void *a, const void *b, void *search)
{
	const struct part *x = *(struct part *const *)a, *y = *(struct part *const *)b;

	breathe(search);
	return spimend_address_compare(x->is.src, y->is.src);
}

static int by_device(const void *a, const void *b, void *search)
{
	const struct part *x = *(struct part *const *)a, *y = *(struct part *const *)b;
	int by = spimend_address_compare(x->is.dst, y->is.dst);

	breathe(search);
	if (by == 0)
		by = (x->is.verdict > y->is.verdict) - (x->is.verdict < y->is.verdict);
	if (by == 0)
		by = (x->is.first.ns > y->is.first.ns) - (x->is.first.ns < y->is.first.ns);
	return by ? by : (x->index > y->index) - (x->index < y->index);
}

static size_t pick(const struct judge *judge, struct search *search, struct part *parts, struct part **list)
{
	size_t n = 0, all = judge_incidents(judge);

	for (size_t i = 0; i < all; i++) {
		struct judge_glance g = judge_glance(judge, i);

		breathe(search);
		if (!g.has_times || !g.is_one_flow || (g.verdict != VERDICT_DESYNC && g.verdict != VERDICT_UNDECIDED))
			continue;
		parts[n] = (struct part){ .index = (uint32_t)i, .is = g };
		list[n] = &parts[n];
		n++;
	}
	return n;
}

static void number_sources(struct part **list, size_t n, struct search *search)
{
	qsort_r(list, n, sizeof(*list), by_source, search);
	for (size_t i = 1; i < n; i++)
		list[i]->source = list[i - 1]->source + (by_source(&list[i - 1], &list[i], search) != 0);
}

/* parts[from..to) follow each other closely enough; `seen` has each source's latest stretch. */
static void close_stretch(struct live_bursts *bursts, struct part *const *parts, size_t from, size_t to, uint64_t sources,
			  uint32_t needed)
{
	struct live_burst *b = &bursts->list[bursts->count];

	if (sources < needed)
		return;
	*b = (struct live_burst){ .leader = parts[from]->index, .flows = to - from, .sources = sources,
				  .first = parts[from]->is.first, .last = parts[from]->is.last };
	bursts->count++;
	for (size_t i = from; i < to; i++) {
		b->messages += parts[i]->is.messages;
		if (parts[i]->is.last.ns > b->last.ns)
			b->last = parts[i]->is.last;
		bursts->burst_of[parts[i]->index] = (uint32_t)bursts->count;
	}
}

static void find_stretches(struct live_bursts *bursts, struct search *search, struct part *const *parts, size_t n,
			   uint32_t *seen)
{
	uint64_t sources = 0;
	uint32_t stretch = 1;
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		breathe(search);
		if (i > 0 && (!spimend_address_equal(parts[i]->is.dst, parts[i - 1]->is.dst) ||
			      parts[i]->is.verdict != parts[i - 1]->is.verdict ||
			      parts[i]->is.first.ns - parts[i - 1]->is.first.ns > search->within_ns)) {
			close_stretch(bursts, parts, from, i, sources, search->needed);
			from = i;
			sources = 0;
			stretch++;
		}
		sources += seen[parts[i]->source] != stretch;
		seen[parts[i]->source] = stretch;
	}
	close_stretch(bursts, parts, from, n, sources, search->needed);
}

int live_bursts_find(const struct judge *judge, const struct config *config, judge_breath_fn *breath, void *context,
		     struct live_bursts *bursts)
{
	size_t all = judge_incidents(judge), n;
	struct part *parts cleanup(memory_free_pointer) = memory_new(all + 1, sizeof(*parts));
	struct part **list cleanup(memory_free_pointer) = memory_new(all + 1, sizeof(*list));
	uint32_t *seen cleanup(memory_free_pointer) = memory_new(all + 1, sizeof(*seen));
	/* The configuration may be another one behind a breath. */
	struct search search = { breath, context, 0, config->breaker_peers, config->breaker_ns };

	live_bursts_done(bursts);
	bursts->burst_of = memory_new(all + 1, sizeof(*bursts->burst_of));
	bursts->list = memory_new(all + 1, sizeof(*bursts->list)); /* pages that are never touched cost nothing */
	if (!parts || !list || !seen || !bursts->burst_of || !bursts->list) {
		live_bursts_done(bursts);
		return -ENOMEM;
	}
	bursts->incidents = all;
	n = pick(judge, &search, parts, list);
	number_sources(list, n, &search);
	qsort_r(list, n, sizeof(*list), by_device, &search);
	if (n)
		find_stretches(bursts, &search, list, n, seen);
	return 0;
}

void live_bursts_done(struct live_bursts *bursts)
{
	memory_free(bursts->burst_of);
	memory_free(bursts->list);
	*bursts = (struct live_bursts){ 0 };
}

const struct live_burst *live_burst_of(const struct live_bursts *bursts, size_t index)
{
	const struct live_burst *b;

	if (!bursts || index >= bursts->incidents || !bursts->burst_of[index])
		return NULL;
	b = &bursts->list[bursts->burst_of[index] - 1];
	return b->leader == index ? b : NULL;
}

bool live_burst_hides(const struct live_bursts *bursts, size_t index)
{
	return bursts && index < bursts->incidents && bursts->burst_of[index] && !live_burst_of(bursts, index);
}
