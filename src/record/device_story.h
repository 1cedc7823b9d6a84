/* SPDX-License-Identifier: MIT */
/*
 * A device's journal and its tape, as record/device_journal.h keeps them, in one: in the order of time, of one incident or
 * of all. Pure: texts in, text or JSON out. Called by the role core for `spimend journal`.
 */
#ifndef RECORD_DEVICE_STORY_H
#define RECORD_DEVICE_STORY_H

#include "base/buffer.h"

struct device_story {
	const char *device;
	struct text deeds, tape; /* lines, each oldest first */
	struct text incident;    /* how its id begins; empty: all lines */
};
/* The lines as they are; or an object a line (spimend.device-tape/1): device, at, incident or null, kind ("done", "sent",
 * "received", "ssh", "note"), text. Returns how many. */
size_t device_story_text(const struct device_story *story, struct buffer *out);
size_t device_story_json(const struct device_story *story, struct buffer *out);

#endif
