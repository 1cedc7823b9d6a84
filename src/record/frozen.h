/* SPDX-License-Identifier: MIT */
/*
 * The window before and after an incident, taken out of the flight recorder before the ring runs over it: one file an
 * incident, evidence/ID, in the form of parse/segment; further ones, ID.1 and so on, when the daemon was started again
 * meanwhile; ID.peer is what the other end had.
 *
 * Called by the role `core`. Kept is what belongs to the incident's two ends: events that name one of them or the incident,
 * and what names nobody (clocks, the daemon's own state). The part before is copied out of the ring a segment at a time, for
 * all incidents that wait in one pass; the part after is taken as it comes. Bounded in number, bytes and age: what
 * another gateway asked for goes first, then the oldest that is over. Never logs, never decides which incident is worth it,
 * and a full disk stops nothing else.
 */
#ifndef RECORD_FROZEN_H
#define RECORD_FROZEN_H

#include "model/incident.h"
#include "record/ring.h"

#define FROZEN_UNDER_WAY_MAX 64      /* incidents whose window is not over */
#define FROZEN_PARTS_MAX 10          /* files of one incident, but for its peer's */
#define FROZEN_INCIDENTS_MAX 1000
#define FROZEN_BYTES_EACH (8u << 20) /* of one incident: what comes later is not taken, which is said in it */
#define FROZEN_BYTES_PEER (4u << 20) /* and of its peer's part */
#define FROZEN_LONGEST_NS HOUR_NS    /* of the part after, however often the incident changes */
#define FROZEN_NAME_MAX (INCIDENT_ID_MAX + 8)

struct frozen_limits {
	uint32_t count;     /* incidents */
	uint64_t bytes;     /* of all of them */
	int64_t age_ns;     /* since they were written last, by the wall clock */
	int64_t before_ns, after_ns;
	uint64_t reserve;   /* so much of the disk is left to others */
};

struct frozen_want { /* whose window */
	char id[INCIDENT_ID_MAX];
	struct spimend_address ends[2]; /* unknown: not asked for by address */
	char hosts[2][SEGMENT_END_MAX]; /* other devices that it is about; empty: this gateway's own */
	bool is_foreign; /* another gateway's incident, which asked: it makes room first, and has half of the windows at most */
};

struct frozen; /* opaque */

/* The folder has to be there. 0 or a negative errno. */
int frozen_open(const char *folder, const struct frozen_limits *limits, const struct ring_self *self, struct moment now,
		  struct frozen **ret);
void frozen_close(struct frozen *frozen); /* NULL is fine */
void frozen_change(struct frozen *frozen, const struct frozen_limits *limits);

/* Begins the window of an incident, or makes one that is under way last longer. `is_over` says of an id whether nothing will
 * be added to its incident any more: those go first. 0; -EBUSY: too many are under way; -EINVAL: no id; or a negative errno:
 * counted. */
typedef bool frozen_over_fn(void *context, const char *id);
int frozen_begin(struct frozen *frozen, struct ring *ring, const struct frozen_want *want,
		    frozen_over_fn *is_over, void *context, struct moment now);
/* What the ring was just given, by the same name: into the windows that are open. */
void frozen_add(struct frozen *frozen, const struct recorded *event, struct moment now);
/* One step of what is to be done. Returns the mono instant at which it wants to be called again. */
int64_t frozen_tick(struct frozen *frozen, struct ring *ring, struct moment now);

/* The other end's part, in place of an older one. 0 or a negative errno. */
int frozen_put_peer(struct frozen *frozen, const char *id, const struct recorded *events, size_t count,
		      struct moment now);

bool frozen_has(const struct frozen *frozen, const char *id);
/* Its window is not over; of that, the part before is still being copied. */
bool frozen_is_under_way(const struct frozen *frozen, const char *id);
bool frozen_copies_past(const struct frozen *frozen, const char *id);

/* What is kept of one incident, in order of time, each event once; between two ends by the clocks' offset where it was
 * estimated. -ENOENT: nothing was frozen. `torn`: places that could not be read. The content is not to be moved. */
struct frozen_content {
	struct recorded *events; /* owns; they borrow from the rest */
	size_t count;
	uint64_t torn;
	struct buffer bytes[FROZEN_PARTS_MAX + 1]; /* owns */
	struct segment_reader readers[FROZEN_PARTS_MAX + 1];
};
int frozen_read(struct frozen *frozen, const char *id, struct frozen_content *ret);
void frozen_content_done(struct frozen_content *content); /* for cleanup() */

struct frozen_figures {
	uint32_t incidents, under_way;
	uint64_t bytes;
	uint64_t refused; /* windows that were not taken */
	uint64_t let_go;  /* incidents whose files made room */
	int trouble;      /* negative errno of the latest write; 0: it went well */
};
struct frozen_figures frozen_figures(const struct frozen *frozen);

#endif
