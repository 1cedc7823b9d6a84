/* SPDX-License-Identifier: MIT */
/* What the flight recorder says of itself in `spimend status`, and what is frozen of an incident. */
#ifndef RECORD_LIVE_RECORDER_H
#define RECORD_LIVE_RECORDER_H

#include "base/json.h"
#include "record/frozen.h"

#define LIVE_EVIDENCE_MAX (48u << 20) /* bytes of one answer: what comes behind is left out, which is said */

struct live_recorder {
	bool is_on;             /* configured */
	const struct frozen *frozen; /* borrows; NULL: none */
	bool has_ring;
	struct ring_figures ring;
	struct frozen_figures kept;
	uint64_t held;          /* events beyond the share of the ring that packets and log lines have */
	const char *note;       /* what is wrong with it; NULL: nothing */
};

void live_recorder_text(const struct live_recorder *recorder, struct instant now, struct buffer *out);
/* The object "recorder". */
void live_recorder_json(const struct live_recorder *recorder, struct json *j);

/* Lines of spimend.recorded/1, or a line an event for people. */
void live_evidence(const struct frozen_content *content, const char *id, bool json, struct buffer *out);
/* Events from `from` on, at most `count` of them and about `most` bytes, as elements of a JSON array. Returns the place of
 * the next one. */
size_t live_evidence_page(const struct frozen_content *content, size_t from, size_t count, size_t most, struct buffer *out);

#endif
