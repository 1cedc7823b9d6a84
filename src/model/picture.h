/* SPDX-License-Identifier: MIT */
/*
 * What is drawn of an incident: its two ends, the SAs of each from birth to death, and what happened when. Filled by
 * plan/picture, from an incident alone or from what was recorded around it; drawn by record/picture_svg, listed by
 * record/report_page. Nothing here knows a pixel or a colour.
 *
 * Owns its texts: whatever is put in is copied, cut at PICTURE_TEXT_MAX, and may be anything. Bounded; what finds no room
 * is counted.
 */
#ifndef MODEL_PICTURE_H
#define MODEL_PICTURE_H

#include "base/calendar.h"
#include "spimend/address.h"

enum picture_end { PICTURE_SENDER, PICTURE_RECEIVER, PICTURE_ENDS };

enum picture_kind {
	PICTURE_STRAY,    /* packets with an SPI that the receiver has no SA for */
	PICTURE_REFUSED,  /* packets that it dropped although the SA is there */
	PICTURE_IKE,      /* a message of IKE, from `end` to the other one */
	PICTURE_HAPPENED, /* at that end: a restart, a line down, a clear */
	PICTURE_COMMAND,  /* typed there */
	PICTURE_STEP,     /* of the repair */
	PICTURE_DECIDED,  /* the verdict */
	PICTURE_FLOWS,    /* from here on packets are accepted again */
	PICTURE_KINDS
};

struct picture_event {
	struct instant at;
	enum picture_kind kind;
	enum picture_end end;
	bool is_heard;    /* PICTURE_IKE: `end` has received it, it came from the other one */
	uint64_t count;   /* packets or messages that it stands for; at least 1 */
	struct text what; /* a few words */
	struct text text; /* the line itself; may be empty */
	uint32_t order;   /* set by picture_add(): of arrival */
};

struct picture_bar { /* one SA at one end */
	enum picture_end end;
	bool is_out;      /* it sends with it; else it receives */
	struct spimend_spi spi;
	bool has_born, has_died, has_seen; /* not known: it begins, or ends, outside the picture */
	struct instant born, died;
	struct instant first, last; /* when it was seen alive, where neither birth nor death is known */
	struct text why;  /* it died */
};

#define PICTURE_EVENTS_MAX 400000
#define PICTURE_BARS_MAX 4096
#define PICTURE_TEXT_MAX 400

struct picture {
	struct text names[PICTURE_ENDS]; /* an address, and the host's name where known */
	bool counts_packets;             /* PICTURE_STRAY and _REFUSED do; else they count lines of a log */
	struct picture_event *events;    /* owns; by time once picture_sort() was called */
	struct picture_bar *bars;        /* owns */
	size_t event_count, event_room, bar_count, bar_room;
	bool has_spi;
	struct spimend_spi spi;          /* the one that the receiver did not know */
	bool is_missing;                 /* it is known, or claimed, that the receiver does not have it */
	bool has_window;                 /* what is drawn; else all that there is */
	struct instant from, until;
	uint64_t events_left_out, bars_left_out; /* happened and not among them: no room here, or not kept as evidence */
	uint64_t untimed;                /* of what was told, without a time */
	bool has_flow;                   /* PICTURE_FLOWS is among the events, at: */
	struct instant flows;
	struct picture_block *blocks;    /* owns: the texts */
	bool failed;                     /* no memory for some of it */
};

void picture_done(struct picture *p);
/* A copy that lives as long as the picture, cut. */
struct text picture_keep(struct picture *p, struct text t);
void picture_add(struct picture *p, const struct picture_event *event);
/* The SA of that end, direction and SPI; made where there is none. NULL where there is no room. */
struct picture_bar *picture_bar(struct picture *p, enum picture_end end, bool is_out, struct spimend_spi spi);
/* By time, and the order of arrival where that is the same. */
void picture_sort(struct picture *p);

const char *picture_kind_name(enum picture_kind kind); /* "packets with an unknown SPI" ... for a legend */

#endif
