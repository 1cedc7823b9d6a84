/* SPDX-License-Identifier: MIT */
#include "model/picture.h"

#include <stdlib.h>

#include "base/memory.h"

#define BLOCK_SIZE 65536

struct picture_block {
	struct picture_block *older; /* owns */
	size_t used;
	char bytes[BLOCK_SIZE];
};

void picture_done(struct picture *p)
{
	struct picture_block *older;

	for (struct picture_block *b = p->blocks; b; b = older) {
		older = b->older;
		memory_free(b);
	}
	memory_free(p->events);
	memory_free(p->bars);
	*p = (struct picture){ 0 };
}

struct text picture_keep(struct picture *p, struct text t)
{
	struct picture_block *b = p->blocks;
	char *to;

	t = text_first(t, PICTURE_TEXT_MAX);
	if (t.len == 0)
		return TEXT_NONE;
	if (!b || b->used + t.len > BLOCK_SIZE) {
		b = memory_new(1, sizeof(*b));
		if (!b) {
			p->failed = true;
			return TEXT_NONE;
		}
		b->older = p->blocks;
		p->blocks = b;
	}
	to = b->bytes + b->used;
	memcpy(to, t.at, t.len);
	b->used += t.len;
	return (struct text){ to, t.len };
}

/* Room for one more; false where there is none. */
static bool grow(struct picture *p, void **at, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void *grown;

	if (count < *room)
		return true;
	grown = memory_resize(*at, more, size);
	if (!grown) {
		p->failed = true;
		return false;
	}
	*at = grown;
	*room = more;
	return true;
}

void picture_add(struct picture *p, const struct picture_event *event)
{
	struct picture_event e = *event;
	void *events = p->events;

	if (p->event_count == PICTURE_EVENTS_MAX || !grow(p, &events, p->event_count, &p->event_room, sizeof(e))) {
		p->events_left_out++;
		return;
	}
	p->events = events;
	e.what = picture_keep(p, e.what);
	e.text = picture_keep(p, e.text);
	e.order = (uint32_t)p->event_count;
	if (e.count == 0)
		e.count = 1;
	p->events[p->event_count++] = e;
	if (e.kind == PICTURE_FLOWS && !p->has_flow) {
		p->has_flow = true;
		p->flows = e.at;
	}
}

struct picture_bar *picture_bar(struct picture *p, enum picture_end end, bool is_out, struct spimend_spi spi)
{
	void *bars = p->bars;

	for (size_t i = p->bar_count; i-- > 0;)
		if (p->bars[i].end == end && p->bars[i].is_out == is_out && p->bars[i].spi.value == spi.value)
			return &p->bars[i];
	if (p->bar_count == PICTURE_BARS_MAX || !grow(p, &bars, p->bar_count, &p->bar_room, sizeof(*p->bars))) {
		p->bars_left_out++;
		return NULL;
	}
	p->bars = bars;
	p->bars[p->bar_count] = (struct picture_bar){ .end = end, .is_out = is_out, .spi = spi };
	return &p->bars[p->bar_count++];
}

static int compare(const void *a, const void *b)
{
	const struct picture_event *x = a, *y = b;

	if (x->at.ns != y->at.ns)
		return x->at.ns < y->at.ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

void picture_sort(struct picture *p)
{
	if (p->event_count > 1)
		qsort(p->events, p->event_count, sizeof(*p->events), compare);
}

const char *picture_kind_name(enum picture_kind kind)
{
	static const char *const names[PICTURE_KINDS] = {
		[PICTURE_STRAY] = "packets with an unknown SPI",
		[PICTURE_REFUSED] = "packets dropped by an SA that is there",
		[PICTURE_IKE] = "IKE message",
		[PICTURE_HAPPENED] = "happened at that end",
		[PICTURE_COMMAND] = "command typed",
		[PICTURE_STEP] = "step of the repair",
		[PICTURE_DECIDED] = "verdict",
		[PICTURE_FLOWS] = "traffic flows again",
	};

	return kind < PICTURE_KINDS ? names[kind] : "";
}
