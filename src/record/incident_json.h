/* SPDX-License-Identifier: MIT */
/*
 * Incidents and the summary as JSON, one object a line: the contract of DESIGN.md 6 (spimend.incident/1, spimend.summary/1).
 * Writes to a buffer; who owns the file descriptor is the caller's affair.
 */
#ifndef RECORD_INCIDENT_JSON_H
#define RECORD_INCIDENT_JSON_H

#include "base/buffer.h"
#include "base/json.h"
#include "plan/plan.h"
#include "record/summary.h"

/* One line with its '\n'. `explain` adds the object "explain" with the sections of plan/explain.h. */
void record_incident_json(const struct incident *incident, const struct plan *plan, bool explain, struct buffer *out);
/* What only a gateway knows of its own incidents. */
struct record_action {
	struct instant at;
	const char *verb, *rung; /* borrow */
	uint64_t order;
	const char *outcome;     /* borrows; NULL: none yet */
	int64_t took_ns;
	struct text text;
	const char *answer;      /* borrows; of the plugin; NULL: it was not asked */
	bool has_peer_spi;
	uint32_t peer_spi;
};
struct record_live {
	bool is_read;       /* of other devices: their evidence is what they print */
	uint64_t packets;
	const struct record_action *actions; /* borrows */
	size_t action_count;
	void (*write_rest)(void *context, struct json *j); /* adds keys behind the contract's */
	void *context;
};
/* `live` NULL: as above. */
void record_incident_json_live(const struct incident *incident, const struct plan *plan, bool explain,
			       const struct record_live *live, struct buffer *out);
void record_summary_json(const struct summary *summary, struct buffer *out);

#endif
