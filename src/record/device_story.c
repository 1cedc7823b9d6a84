/* SPDX-License-Identifier: MIT */
#include "record/device_story.h"

#include "base/json.h"
#include "model/device_tape.h"
#include "record/values.h"

#define TIME_LEN 24 /* 2026-11-29T02:11:07.250Z */

struct line {
	struct text all, at, incident, text;
	const char *kind; /* NULL: there is no line */
};

/* "incident k3v9q2" and what `end` is. */
static struct text take_incident(struct text *rest, char end)
{
	struct text from = *rest, id = TEXT_NONE;

	if (!text_take(&from, TEXT("incident ")))
		return TEXT_NONE;
	while (id.len < from.len && (char_is_digit(from.at[id.len]) || char_is_alpha(from.at[id.len])))
		id = text_first(from, id.len + 1);
	from = text_skip(from, id.len);
	if (!id.len || !text_take_char(&from, end))
		return TEXT_NONE;
	*rest = from;
	return id;
}

static void read_tape_line(struct line *l)
{
	struct text rest = l->text;

	l->incident = take_incident(&rest, ' ');
	for (int way = 0; rest.len >= 2 && way < TAPE_WAYS; way++) {
		if (rest.at[0] != tape_way_sign((enum tape_way)way) || rest.at[1] != ' ')
			continue;
		l->kind = tape_way_name((enum tape_way)way);
		l->text = text_skip(rest, 2);
	}
}

/* The next line of either. */
static struct line next_line(struct text *lines, bool is_tape)
{
	struct line l = { .kind = NULL };
	struct text rest;

	if (!text_take_line(lines, &l.all))
		return l;
	l.at = text_first(l.all, TIME_LEN);
	l.text = text_skip(l.all, TIME_LEN + 1);
	l.kind = is_tape ? tape_way_name(TAPE_NOTE) : "done";
	rest = l.text;
	if (is_tape)
		read_tape_line(&l);
	else
		l.incident = take_incident(&rest, ':'); /* the text keeps it: it is a sentence */
	return l;
}

static bool is_later(const struct line *a, const struct line *b)
{
	size_t len = a->at.len < b->at.len ? a->at.len : b->at.len;

	return len && memcmp(a->at.at, b->at.at, len) > 0;
}

typedef void put_line(const struct device_story *story, const struct line *line, struct buffer *out);

static size_t put_all(const struct device_story *story, put_line *put, struct buffer *out)
{
	struct text deeds = story->deeds, tape = story->tape;
	struct line deed = next_line(&deeds, false), taped = next_line(&tape, true);
	size_t count = 0;

	while (deed.kind || taped.kind) {
		bool takes_tape = !deed.kind || (taped.kind && is_later(&deed, &taped));
		const struct line *line = takes_tape ? &taped : &deed;

		if (!story->incident.len || text_starts(line->incident, story->incident)) {
			put(story, line, out);
			count++;
		}
		if (takes_tape)
			taped = next_line(&tape, true);
		else
			deed = next_line(&deeds, false);
	}
	return count;
}

static void put_text(const struct device_story *story, const struct line *line, struct buffer *out)
{
	(void)story;
	record_add_printable(out, line->all);
	buffer_add_char(out, '\n');
}

size_t device_story_text(const struct device_story *story, struct buffer *out)
{
	return put_all(story, put_text, out);
}

static void put_json(const struct device_story *story, const struct line *line, struct buffer *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.device-tape/1");
	json_string(&j, "device", story->device);
	json_text(&j, "at", line->at);
	record_put_text(&j, "incident", line->incident);
	json_string(&j, "kind", line->kind);
	json_text(&j, "text", line->text);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

size_t device_story_json(const struct device_story *story, struct buffer *out)
{
	return put_all(story, put_json, out);
}
