/* SPDX-License-Identifier: MIT */
/*
 * From the bytes of one log to facts: lines are cut and sieved (scan), framed (framing), joined where they were wrapped,
 * taken apart where they ran together, and read by the dialects. Pure: bytes come in whole lines, facts go to a sink.
 *
 * The way of a line: an ordinary one costs its time stamp and its host (log_tick.c); a candidate is read in full
 * (log_message.c). Nothing that names our message is dropped silently: what cannot be read goes to the sink as trouble.
 */
#ifndef PARSE_LOG_H
#define PARSE_LOG_H

#include "model/fact.h"
#include "model/sa_block.h"
#include "parse/hosts.h"
#include "parse/scan.h"
#include "parse/stamp.h"

struct log_fact {
	struct fact fact;
	struct text host;    /* the writer's name as framed; empty when there is none */
	bool has_at;
	struct instant at;   /* the event's own time: the device's stamp where it is to be trusted */
	bool has_heard_at;
	struct instant heard_at; /* on the log's clock: the first stamp of the line */
	bool is_repeat;      /* "last message repeated": no copy of anything */
	bool is_alone;       /* a record of a table: its neighbours are not its surroundings */
	uint64_t line;       /* first line of the message, from 1 */
	struct text text;    /* the message with its framing, joined; borrowed for the call */
};

enum log_trouble_kind {
	TROUBLE_UNPARSED,   /* names our message and cannot be read */
	TROUBLE_UNMATCHED,  /* %CRYPTO, %IPSEC, %IKE without a rule of ours */
	TROUBLE_TIME,       /* an impossible date or time on a message of ours */
	TROUBLE_CLOCK_BACK, /* a host's stamps went back */
	TROUBLE_NUL,        /* NUL bytes: a binary or damaged part */
	TROUBLE_UTF8,       /* no UTF-8 (read all the same) */
	TROUBLE_LONG,       /* longer than LOG_LINE_MAX */
	TROUBLE_KINDS
};

#define LOG_LINE_MAX 65536 /* a longer line is passed over, unless our message starts within this length */
#define LOG_CLOCK_TOLERANCE (10 * SECOND_NS) /* lines of one host may overtake each other by so much */

struct log_trouble {
	enum log_trouble_kind kind;
	struct text host;
	uint64_t line;
	const char *reason; /* static text */
	size_t offset;      /* into text */
	struct text text;
};

struct log_counts {
	uint64_t lines, bytes;
	uint64_t candidates; /* lines read in full */
	uint64_t strays;     /* unknown-SPI messages read, repeats not counted */
	uint64_t evidence;   /* other facts */
	uint64_t troubles[TROUBLE_KINDS];
};

struct log_sink {
	void *context;
	void (*fact)(void *context, const struct log_fact *fact);
	void (*block)(void *context, const struct sa_block *block, uint64_t line);
	void (*trouble)(void *context, const struct log_trouble *trouble);
};

struct log_rules {
	struct stamp_rules stamps;
	unsigned column; /* 0: plain lines; else the tab-separated column that holds the message, from 1 */
	/*
	 * Ordinary lines are passed over, which is several times as fast: for logs that can be read again. Who was heard
	 * until when is then not known; log_overhear() catches up on it where it matters. Clocks that jump back are only
	 * noticed on lines that are read.
	 */
	bool sparse;
	bool is_live; /* all day long: what only matters beside a sighting of its host is read there alone, from the first on */
	/* Sparse: bytes of this log from `offset`, into `to`; how many, 0 at the end or on error. */
	size_t (*read_again)(void *context, uint64_t offset, char *to, size_t size);
};

struct log;

/* One log stream, whose read_again gets the sink's context. Borrows scan and hosts for its life and copies the rest; hosts
 * may be shared by the streams of one analysis. */
int log_new(const struct log_rules *rules, const struct scan *scan, struct hosts *hosts, const struct log_sink *sink,
	    struct log **ret);
void log_free(struct log *log);

/* For logs that are read as they are written: which year a stamp without one is of follows from `now`. */
void log_set_now(struct log *log, struct instant now);
/* Whole lines. Bytes that end without a line break are the last of the log, or a piece of a line longer than any message:
 * then what follows up to the next line break is passed over. */
void log_feed(struct log *log, struct text bytes);
/* Notes until when whom these lines were heard, and nothing else: whole lines of this log, in any order of windows. True
 * when any had a time; the latest is then in *ret_latest. */
bool log_overhear(struct log *log, struct text bytes, struct instant *ret_latest);
/* No more lines for now (live) or for ever: what waits for a continuation is given up and reported. */
void log_flush(struct log *log);
const struct log_counts *log_counts(const struct log *log);

/*
 * Until when lines without a host were heard, where all of them may be ascribed to one device: no message in this log
 * named a second destination. *ret_device is that destination.
 */
bool log_heard_unnamed(const struct log *log, struct spimend_address *ret_device, struct instant *ret_last);

const char *log_trouble_name(enum log_trouble_kind kind);

#endif
