/* SPDX-License-Identifier: MIT */
/* Shared by log.c, log_tick.c and log_message.c, and by nobody else. */
#ifndef PARSE_LOG_PRIVATE_H
#define PARSE_LOG_PRIVATE_H

#include "base/buffer.h"
#include "parse/framing.h"
#include "parse/log.h"
#include "parse/sa_table.h"

#define PENDING_MAX 8        /* wrapped messages of different hosts that wait at once */
#define PENDING_LINES_MAX 6  /* lines that a message may be wrapped over */
#define PENDING_BLANKS_MAX 8 /* empty lines between them */
#define PENDING_BYTES_MAX 4096

/* A message that was cut at the end of its line. */
struct pending {
	bool used;
	bool complete;       /* nothing more is needed, something more may come */
	size_t host_at, host_len; /* of the writer's name, in joined */
	struct buffer joined; /* the line so far, framing and all */
	size_t last_length;  /* of its last physical line */
	uint64_t line;
	unsigned lines, blanks;
};

/* What the last ordinary line told, so that the next one needs no parsing. */
struct tick_memo {
	char prefix[40]; /* the line up to and with the blank in front of the host */
	size_t prefix_len;
	struct instant at;
	struct text host_text;
	char host_copy[HOST_NAME_KEPT];
	size_t host_slot; /* index into hosts->slots, while hosts->room is host_room */
	size_t host_room;
	int month, day; /* midnight below belongs to this day */
	int64_t midnight_ns;
	bool has_midnight;
};

struct log {
	const struct scan *scan;
	struct log_sink sink;
	struct log_rules rules;
	struct hosts *hosts;
	struct host unnamed; /* lines without a host */
	bool has_device, many_devices;
	struct spimend_address device; /* the only destination named by lines without a host */
	struct log_counts counts;
	uint64_t line; /* number of the line at hand */
	bool inside_line; /* the last bytes ended without a line break */
	struct pending pending[PENDING_MAX];
	unsigned pending_count;
	struct buffer unescaped; /* column mode: the record with real line breaks */
	struct buffer pasted; /* a line without its no-break spaces */
	struct buffer try; /* a message joined with what may be its continuation */
	struct sa_table table;
	uint64_t table_line;
	struct tick_memo memo;
};

/* log_tick.c: an ordinary line. */
void log_tick(struct log *log, struct text line);
/* log_message.c: a line that may concern us; and giving up on what waits. */
void log_message(struct log *log, struct text line);
void log_message_flush(struct log *log);
/* log.c */
void log_trouble(struct log *log, enum log_trouble_kind kind, struct text host, const char *reason, size_t offset,
		 struct text text);
struct host *log_host(struct log *log, struct text name);
void log_hear(struct log *log, struct host *host, struct instant at, struct text line);

#endif
