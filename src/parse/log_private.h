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
#define SURROUNDINGS_READ_MAX 4096 /* of a log that is not sparse; then only those beside a sighting of their host */

/* A message that was cut at the end of its line. */
struct pending {
	bool used;
	bool complete;       /* nothing more is needed, something more may come */
	size_t host_at, host_len; /* of the writer's name, in joined */
	size_t name_at; /* of the message's mnemonic, in joined: a wrapper's may stand before it */
	struct buffer joined; /* the line so far, framing and all */
	uint64_t line;
	unsigned lines, blanks;
};

#define TICK_PREFIX 16    /* "Nov  2 04:00:48 " */
#define TICK_HOSTS 1024   /* short host names found lately, by a cheap hash; a power of two */

/* What the last ordinary lines told, so that the next ones need little parsing. */
struct tick_memo {
	bool has_prefix, has_midnight;
	uint64_t prefix[TICK_PREFIX / 8];
	struct instant at; /* of that prefix */
	int month, day;    /* midnight_ns belongs to this day */
	int64_t midnight_ns;
	size_t room; /* of the host table when the places below were noted */
	struct {
		uint64_t name[2]; /* zero-padded */
		size_t slot;
		bool known;
	} hosts[TICK_HOSTS];
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
	uint64_t line;         /* number of the line at hand */
	uint64_t lines_before; /* of this feed */
	uint64_t line_offset;  /* of the line at hand, in bytes of the log */
	struct text window;    /* the bytes being fed */
	uint64_t window_offset;
	uint64_t line_end;      /* where the next line starts */
	int64_t tolerance;      /* for clocks that jump back */
	bool overheard; /* latest is set */
	struct instant latest;
	struct instant years_from, years_to; /* --year: a latest stamp outside of these is damaged */
	uint64_t surroundings_read;
	bool inside_surroundings; /* kept lines are being read: what they emit is not the line at hand */
	bool inside_line; /* the last bytes ended without a line break */
	struct pending pending[PENDING_MAX];
	unsigned pending_count;
	struct fact esp_header; /* of charon's last "parsed ESP header" */
	uint64_t esp_header_line; /* 0: none */
	struct buffer unescaped; /* column mode: the record with real line breaks */
	struct buffer pasted; /* a line without its no-break spaces */
	struct buffer try; /* a message joined with what may be its continuation */
	struct sa_table table;
	uint64_t table_line;
	struct tick_memo memo;
};

/* What a message's framing tells, its stamps resolved. */
struct heading {
	struct text host; /* the innermost; empty when there is none */
	bool has_heard;   /* the first stamp */
	struct instant heard;
	bool has_device;  /* the last one where there are two: the device's own */
	struct instant device;
	bool heard_unset, device_unset; /* '*': that clock was not authoritative */
	bool impossible;  /* a stamp that cannot be */
	size_t used;      /* bytes; the message starts there */
};
/* log_tick.c: what framing_read() says, by a short cut where the form is one of the commonest. */
void log_heading(struct log *log, struct text text, bool closed, struct heading *ret);
/* log_tick.c: only the short cut. False, and *ret void, for all other forms. */
bool log_quick_heading(struct log *log, struct text text, bool closed, struct heading *ret);
/* log_tick.c: only the long way. */
void log_framed_heading(struct log *log, struct text text, bool closed, struct heading *ret);
/* log_tick.c: once, when the rules are known. */
void log_tick_init(struct log *log);
/* log_tick.c: an ordinary line. Returns whose it was, or NULL where that or its time is not told. */
struct host *log_tick(struct log *log, struct text line);
/* log_message.c: a line that may concern us; and giving up on what waits. */
void log_message(struct log *log, struct text line);
void log_message_flush(struct log *log);
/* log_message.c: a line that matters only beside a sighting: read if one was just before, else kept in case one follows. */
void log_surrounding(struct log *log, struct text line);
/* log_again.c: did the host of that name write a line in these bytes of the log? Where that cannot be told: true. */
bool log_spoke_between(struct log *log, struct text host, uint64_t from, uint64_t to);
/* log.c */
void log_trouble(struct log *log, enum log_trouble_kind kind, struct text host, const char *reason, size_t offset,
		 struct text text);
struct host *log_host(struct log *log, struct text name);
void log_hear(struct log *log, struct host *host, struct instant at, struct text line);

#endif
