/* SPDX-License-Identifier: MIT */
#include "record/report_clocks.h"

#include "base/memory.h"
#include "parse/ike_header.h"

void report_clocks_done(struct report_clocks *c)
{
	memory_free(c->messages);
	*c = (struct report_clocks){ 0 };
}

/* An IKE message between the two ends, with a time. */
static bool is_message(const struct report_clocks *c, const struct recorded *event, struct ike_header *ret, bool *ret_down)
{
	if (event->kind != RECORDED_PACKET || !(event->has & RECORDED_HAS_WALL) || event->linktype != RECORDED_LINKTYPE_RAW ||
	    !ike_header_read(event->data, ret))
		return false;
	*ret_down = spimend_address_equal(&ret->src, &c->src) && spimend_address_equal(&ret->dst, &c->dst);
	return *ret_down || (spimend_address_equal(&ret->src, &c->dst) && spimend_address_equal(&ret->dst, &c->src));
}

static const struct report_message *find(const struct report_clocks *c, const struct ike_header *h)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (memcmp(c->messages[i].header, h->header.at, IKE_HEADER_SIZE) == 0)
			return &c->messages[i];
	return NULL;
}

void report_clocks_first(struct report_clocks *c, const struct recorded *event)
{
	struct ike_header h;
	bool down;

	if (c->count == REPORT_MESSAGES_MAX || !is_message(c, event, &h, &down) || find(c, &h))
		return;
	if (!c->messages)
		c->messages = memory_new(REPORT_MESSAGES_MAX, sizeof(*c->messages));
	if (!c->messages)
		return; /* then nothing is known of the clocks */
	memcpy(c->messages[c->count].header, h.header.at, IKE_HEADER_SIZE);
	c->messages[c->count++].at = event->wall;
}

static void bound(bool *has, int64_t *least, int64_t *most, int64_t later)
{
	if (!*has || later < *least)
		*least = later;
	if (!*has || later > *most)
		*most = later;
	*has = true;
}

void report_clocks_other(struct report_clocks *c, const struct recorded *event)
{
	const struct report_message *same;
	struct ike_header h;
	int64_t later;
	bool down;

	if (c->looked == REPORT_MESSAGES_MAX || !is_message(c, event, &h, &down))
		return;
	c->looked++;
	same = find(c, &h);
	if (!same || __builtin_sub_overflow(event->wall.ns, same->at.ns, &later))
		return;
	c->pairs++;
	if (down)
		bound(&c->has_down, &c->least_down, &c->most_down, later);
	else
		bound(&c->has_up, &c->least_up, &c->most_up, later);
}

bool report_clocks_offset(const struct report_clocks *c, int64_t *ret_offset, int64_t *ret_error)
{
	int64_t above, below;

	if (!c->has_up || !c->has_down)
		return false;
	/* Those that the first recorder's end sent had the other one later, by their way: whose they were shows in that. */
	above = c->least_up;
	below = c->most_down;
	if (above < below) {
		above = c->least_down;
		below = c->most_up;
	}
	if (above < below) /* a clock stepped, or they are not those messages */
		return false;
	*ret_offset = below + (above - below) / 2;
	*ret_error = (above - below) / 2;
	return true;
}
