/* SPDX-License-Identifier: MIT */
#include "record/history.h"

#include <errno.h>

#include "base/json.h"
#include "base/memory.h"
#include "record/values.h"

struct point {
	int64_t second;              /* since 1970 */
	struct history_sample is;
};

struct ring {
	struct point *at;            /* owns */
	uint32_t room, first, count; /* one point more than is shown: the first has none to be compared with */
	int64_t step;
};

struct history {
	struct ring seconds, minutes;
};

const char *history_series_name(enum history_series series)
{
	static const char *const names[HISTORY_SERIES] = {
		"strays", "strangers", "sightings", "kernel_drops", "esp_packets", "open_incidents", "tunnels",
	};

	return (unsigned)series < HISTORY_SERIES ? names[series] : "?";
}

static int ring_init(struct ring *ring, uint32_t room, int64_t step)
{
	*ring = (struct ring){ .room = room, .step = step, .at = memory_new(room, sizeof(*ring->at)) };
	return ring->at ? 0 : -ENOMEM;
}

int history_new(struct history **ret)
{
	struct history *h = memory_new(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	if (ring_init(&h->seconds, HISTORY_SECONDS + 1, 1) < 0 || ring_init(&h->minutes, HISTORY_MINUTES + 1, 60) < 0) {
		history_free(h);
		return -ENOMEM;
	}
	*ret = h;
	return 0;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	memory_free(h->seconds.at);
	memory_free(h->minutes.at);
	memory_free(h);
}

static const struct point *point_at(const struct ring *ring, uint32_t i)
{
	return &ring->at[(ring->first + i) % ring->room];
}

static void add(struct ring *ring, int64_t second, const struct history_sample *sample)
{
	struct point *to;

	if (ring->count) {
		const struct point *last = point_at(ring, ring->count - 1);

		if (second < last->second) /* the clock was set back: what was, was by another one */
			ring->first = ring->count = 0;
		else if (second / ring->step == last->second / ring->step)
			return;
	}
	if (ring->count == ring->room)
		ring->first = (ring->first + 1) % ring->room;
	else
		ring->count++;
	to = &ring->at[(ring->first + ring->count - 1) % ring->room];
	to->second = second / ring->step * ring->step;
	to->is = *sample;
}

void history_add(struct history *h, struct instant now, const struct history_sample *sample)
{
	int64_t second = now.ns / SECOND_NS;

	add(&h->seconds, second, sample);
	add(&h->minutes, second, sample);
}

/* What was added since the point before: not known over a gap, or where a counter began anew. */
static bool value_of(const struct ring *ring, uint32_t i, enum history_series s, uint64_t *ret)
{
	const struct point *is = point_at(ring, i), *was = i ? point_at(ring, i - 1) : NULL;

	if (!(is->is.known >> s & 1))
		return false;
	*ret = is->is.values[s];
	if (s >= HISTORY_RATES)
		return true;
	if (!was || !(was->is.known >> s & 1) || is->second - was->second != ring->step || was->is.values[s] > *ret)
		return false;
	*ret -= was->is.values[s];
	return true;
}

void history_json(const struct history *h, struct instant now, bool by_minute, struct buffer *out)
{
	const struct ring *ring = by_minute ? &h->minutes : &h->seconds;
	int64_t oldest = now.ns / SECOND_NS - (int64_t)(ring->room - 1) * ring->step;
	uint32_t from = 0;
	struct json j;

	while (from < ring->count && point_at(ring, from)->second <= oldest)
		from++;
	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.history/1");
	record_put_time(&j, "now", true, now);
	json_signed(&j, "step_s", ring->step);
	json_array(&j, "t");
	for (uint32_t i = from; i < ring->count; i++)
		json_signed(&j, NULL, point_at(ring, i)->second);
	json_array_end(&j);
	json_object(&j, "series");
	for (int s = 0; s < HISTORY_SERIES; s++) {
		json_array(&j, history_series_name((enum history_series)s));
		for (uint32_t i = from; i < ring->count; i++) {
			uint64_t value;

			if (value_of(ring, i, (enum history_series)s, &value))
				json_unsigned(&j, NULL, value);
			else
				json_null(&j, NULL);
		}
		json_array_end(&j);
	}
	json_object_end(&j);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}
