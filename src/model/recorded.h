/* SPDX-License-Identifier: MIT */
/*
 * One recorded event: what the flight recorder keeps, what is frozen for an incident, and what two ends put together.
 *
 * Made by whoever saw it, written by record/ring and record/recorded_json, read by parse/segment and parse/recorded. A view:
 * its texts belong to whoever made it. Never keys, never payload: of a packet no more than headers, of a command's output
 * what is left when secrets were taken out.
 *
 * Order in time is that of `mono` within a boot; `wall` may step, and says so with an event of kind `clock`.
 */
#ifndef MODEL_RECORDED_H
#define MODEL_RECORDED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h"
#include "base/text.h"
#include "spimend/address.h"

#define RECORDED_TEXT_MAX 4096   /* of one event; the rest is cut by whoever makes it */
#define RECORDED_DATA_MAX 256    /* of a packet */
#define RECORDED_NAME_MAX 255    /* end, connection, child, reason */
#define RECORDED_INCIDENT_MAX 16 /* with its NUL */
#define RECORDED_BOOT_SIZE 16
#define RECORDED_BOOT_TEXT_MAX 37 /* with its NUL */

enum recorded_kind { /* the word is part of the JSON contract; the number of the segments: only add at the end */
	RECORDED_SA_BORN,
	RECORDED_SA_DIED,  /* `reason` says why */
	RECORDED_IKE,      /* the IKE daemon's word: an IKE SA up, down, rekeyed; a hint of its log */
	RECORDED_DEBUG,    /* a line of a conditional debug */
	RECORDED_COUNTER,  /* of an SA: packets, highest sequence number; of the kernel: `text` is NAME=VALUE ... */
	RECORDED_SIGHTING, /* packets with an SPI that their receiver has no SA for */
	RECORDED_PACKET,   /* the first bytes of one: headers */
	RECORDED_COMMAND,  /* typed, by whom or what: in `text` */
	RECORDED_OUTPUT,   /* what a command printed; a long one in several, in order */
	RECORDED_STEP,     /* of a repair: ordered, or how it ended */
	RECORDED_INCIDENT, /* opened, or its verdict or state changed */
	RECORDED_CLOCK,    /* wall and mono disagree since the event before; or another end's offset */
	RECORDED_NOTE,     /* of the recorder itself: started, stopped, how much is missing */
	RECORDED_KINDS
};

enum recorded_direction { RECORDED_NO_DIRECTION, RECORDED_IN, RECORDED_OUT, RECORDED_DIRECTIONS };

enum recorded_has {
	RECORDED_HAS_WALL = 1 << 0,
	RECORDED_HAS_MONO = 1 << 1,
	RECORDED_HAS_BOOT = 1 << 2,
	RECORDED_HAS_SPI = 1 << 3,
	RECORDED_HAS_PACKETS = 1 << 4,
	RECORDED_HAS_BYTES = 1 << 5,
	RECORDED_HAS_SEQUENCE = 1 << 6,
	RECORDED_HAS_LENGTH = 1 << 7,
	RECORDED_HAS_LINKTYPE = 1 << 8,
	RECORDED_HAS_OFFSET = 1 << 9,
	RECORDED_HAS_ERROR = 1 << 10,
	RECORDED_HAS_ALL = (1 << 11) - 1,
};

#define RECORDED_LINKTYPE_RAW 101 /* LINKTYPE_RAW: IPv4 or IPv6, its version says which */

struct recorded {
	enum recorded_kind kind;
	uint32_t has;                    /* enum recorded_has */
	struct text end;                 /* host name of whose record it is; empty: unknown */
	struct instant wall;             /* UNIX time */
	int64_t mono_ns;                 /* CLOCK_MONOTONIC of `boot` */
	uint8_t boot[RECORDED_BOOT_SIZE];
	struct spimend_address src, dst; /* who sends to whom, or two ends of an IKE SA: ours is dst; family 0: unknown */
	enum spimend_protocol protocol;
	struct spimend_spi spi;
	enum recorded_direction direction; /* of an SA, as seen from `end` */
	struct text connection, child, reason;
	uint64_t packets, bytes, sequence;
	struct text text;                /* for people; secrets masked */
	uint32_t length;                 /* of the packet on the wire, from its IP header on */
	uint16_t linktype;
	struct text data;                /* its first bytes */
	struct text incident;            /* whose: the id of the incident that it belongs to; empty: not known */
	/* Of a clock. Of `end` itself: so far did its wall clock step. Of another end, with an error: so far is that one's wall
	 * clock ahead of the clock of who put both parts together, and at most so wrong is that. */
	int64_t offset_ns, error_ns;
};

const char *recorded_kind_name(enum recorded_kind kind); /* "sa-born" ... */
bool recorded_kind_from_name(struct text name, enum recorded_kind *ret);
const char *recorded_direction_name(enum recorded_direction direction); /* "in", "out"; NULL: none */
/* As /proc/sys/kernel/random/boot_id has it: 8-4-4-4-12 hex digits. Returns `to`. */
char *recorded_boot_print(const uint8_t boot[RECORDED_BOOT_SIZE], char to[RECORDED_BOOT_TEXT_MAX]);
bool recorded_boot_parse(struct text text, uint8_t ret[RECORDED_BOOT_SIZE]);

/* <0, 0, >0, for events of one end, by what can be compared: mono within one boot, else wall. */
int recorded_compare(const struct recorded *a, const struct recorded *b);

#endif
