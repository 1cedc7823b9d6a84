/* SPDX-License-Identifier: MIT */
/* Evidence is put in order: several files, boots and ends, of which each has clocks of its own. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "record/frozen_private.h"

#define CLOCKS_MAX 64 /* boots; further ones are ordered by their wall clock alone */

struct clock { /* of a machine in one boot: how far its wall clock was ahead of its monotonic one, at last */
	uint8_t boot[RECORDED_BOOT_SIZE];
	int64_t ahead_ns, latest_ns;
};
struct ordering {
	struct clock clocks[CLOCKS_MAX];
	size_t count;
	struct text other; /* the end whose offset is known */
	int64_t offset_ns;
};
struct place { /* of an event in time */
	int64_t ns;
	uint32_t index;
};

static bool has_clocks(const struct recorded *e)
{
	const uint32_t all = RECORDED_HAS_WALL | RECORDED_HAS_MONO | RECORDED_HAS_BOOT;

	return (e->has & all) == all;
}

static struct clock *clock_of(struct ordering *o, const struct recorded *e)
{
	for (size_t i = 0; i < o->count; i++)
		if (memcmp(o->clocks[i].boot, e->boot, sizeof(e->boot)) == 0)
			return &o->clocks[i];
	return NULL;
}

static void learn(struct ordering *o, const struct recorded *e)
{
	struct clock *c;

	if (e->kind == RECORDED_CLOCK && e->has & RECORDED_HAS_OFFSET && e->has & RECORDED_HAS_ERROR) {
		o->other = e->end;
		o->offset_ns = e->offset_ns;
	}
	if (!has_clocks(e))
		return;
	c = clock_of(o, e);
	if (!c && o->count < CLOCKS_MAX) {
		c = &o->clocks[o->count++];
		*c = (struct clock){ .latest_ns = INT64_MIN };
		memcpy(c->boot, e->boot, sizeof(c->boot));
	}
	if (c && e->mono_ns >= c->latest_ns) { /* the last word: a clock that was set is right afterwards */
		c->latest_ns = e->mono_ns;
		c->ahead_ns = (int64_t)((uint64_t)e->wall.ns - (uint64_t)e->mono_ns); /* a peer's may be anything */
	}
}

static int64_t when(struct ordering *o, const struct recorded *e)
{
	const struct clock *c = has_clocks(e) ? clock_of(o, e) : NULL;
	int64_t ns = c ? (int64_t)((uint64_t)e->mono_ns + (uint64_t)c->ahead_ns) : e->wall.ns;

	return o->other.len && text_equal(e->end, o->other) ? (int64_t)((uint64_t)ns - (uint64_t)o->offset_ns) : ns;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static bool is_same(const struct recorded *a, const struct recorded *b)
{
	return a->kind == b->kind && a->has == b->has && a->mono_ns == b->mono_ns && a->wall.ns == b->wall.ns &&
	       a->spi.value == b->spi.value && a->direction == b->direction && a->packets == b->packets && a->bytes == b->bytes &&
	       a->sequence == b->sequence && a->length == b->length && spimend_address_equal(&a->src, &b->src) &&
	       spimend_address_equal(&a->dst, &b->dst) && text_equal(a->end, b->end) && text_equal(a->text, b->text) &&
	       text_equal(a->data, b->data) && text_equal(a->reason, b->reason) && text_equal(a->child, b->child) &&
	       text_equal(a->incident, b->incident);
}

/* Two windows of one incident overlap: what is in both is told once. */
static bool is_told(const struct recorded *events, const struct place *places, size_t told, size_t at)
{
	for (size_t i = told; i > 0 && places[i - 1].ns == places[at].ns; i--)
		if (is_same(&events[places[i - 1].index], &events[places[at].index]))
			return true;
	return false;
}

int frozen_order(struct frozen_content *content)
{
	cleanup(memory_free_pointer) struct place *places = memory_new(content->count ? content->count : 1, sizeof(*places));
	cleanup(memory_free_pointer) struct ordering *o = memory_new(1, sizeof(*o));
	struct recorded *sorted = memory_new(content->count ? content->count : 1, sizeof(*sorted));
	size_t told = 0;

	if (!places || !o || !sorted) {
		memory_free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < content->count; i++)
		learn(o, &content->events[i]);
	for (size_t i = 0; i < content->count; i++)
		places[i] = (struct place){ when(o, &content->events[i]), (uint32_t)i };
	qsort(places, content->count, sizeof(*places), compare_places);
	for (size_t i = 0; i < content->count; i++) {
		if (is_told(content->events, places, told, i))
			continue;
		places[told] = places[i];
		sorted[told++] = content->events[places[i].index];
	}
	memory_free(content->events);
	content->events = sorted;
	content->count = told;
	return 0;
}
