/* SPDX-License-Identifier: MIT */
/*
 * Who was heard in the logs, and until when: how long an observer logged on after a sighting is what tells a transient
 * from a log that ends too early (DESIGN 4). Bounded: hosts beyond the limit are counted and share no entry. Pure.
 */
#ifndef PARSE_HOSTS_H
#define PARSE_HOSTS_H

#include "base/hash.h"
#include "model/fact.h"

#define HOSTS_MAX 32768
#define HOST_NAME_KEPT 64 /* longer names are told apart by their first 64 bytes and their length */

#define SURROUNDINGS_KEPT 4     /* lines before a sighting */
#define SURROUNDINGS_AFTER 4    /* and after one, within the span of log_message.c */
#define SURROUNDING_TEXT_MAX 240 /* longer ones are not kept */
#define SURROUNDINGS_HOSTS 4096 /* hosts that may keep any */

struct surroundings { /* the latest lines of a host that matter only if a sighting follows */
	struct {
		uint64_t line;
		const void *log; /* which stream it stood in */
		uint16_t len;
		char text[SURROUNDING_TEXT_MAX];
	} kept[SURROUNDINGS_KEPT];
	unsigned next;
};

struct host {
	uint32_t hash;
	uint16_t name_len; /* of the whole name */
	bool heard;
	bool last_was_stray; /* its previous line was an unknown-SPI message: "last message repeated" belongs to it */
	struct instant last;     /* latest stamp of any of its lines */
	struct instant previous; /* stamp of its previous line in `log` */
	const void *log;         /* the stream it was heard in last */
	struct fact *last_stray; /* owns; NULL until there is one */
	const void *stray_log;   /* and the stream it stood in, up to this byte */
	uint64_t stray_end;
	struct surroundings *surroundings; /* owns; NULL until there are any */
	bool in_span;              /* it had a sighting at span_start */
	struct instant span_start;
	unsigned after_left;       /* lines after that sighting that are still read in full */
	char name[HOST_NAME_KEPT];
};

struct hosts {
	struct host *slots; /* owns: a power of two of them */
	size_t room, count;
	size_t with_surroundings;
	uint64_t refused; /* lines of hosts beyond HOSTS_MAX */
	struct hash_key key;
};

int hosts_init(struct hosts *hosts, const struct hash_key *key);
void hosts_done(struct hosts *hosts);

/* Finds or makes the host; NULL when the table is full. Pointers stay valid until the next hosts_get(). */
struct host *hosts_get(struct hosts *hosts, struct text name);
struct text host_name(const struct host *host);

/* Keeps a line that matters only if a sighting follows; the oldest makes room. */
void host_surround(struct hosts *hosts, struct host *host, struct text text, uint64_t line, const void *log);
/* Frees what one host owns, and only that. */
void host_done(struct host *host);

/* Notes a line of stream `log`; true when it lies more than `tolerance_ns` before the host's previous line there: its clock
 * jumped back. */
static inline bool host_hear(struct host *host, struct instant at, int64_t tolerance_ns, const void *log)
{
	bool back = host->heard && host->log == log && at.ns < host->previous.ns - tolerance_ns;

	if (!host->heard || at.ns > host->last.ns)
		host->last = at;
	host->previous = at;
	host->log = log;
	host->heard = true;
	return back;
}

#endif
