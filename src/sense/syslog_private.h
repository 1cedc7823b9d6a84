/* SPDX-License-Identifier: MIT */
/* Shared by sense/syslog.c and sense/syslog_names.c. */
#ifndef SENSE_SYSLOG_PRIVATE_H
#define SENSE_SYSLOG_PRIVATE_H

#include "parse/journald.h"
#include "parse/log.h"
#include "parse/syslog.h"
#include "sense/syslog.h"

#define SOURCE_FOREIGN UINT32_MAX
#define SOURCE_NO_ROOM (UINT32_MAX - 1)
#define HOST_LEN 8    /* "src0002a": how a source is called in its lines */
#define BATCH_LINES 8192

struct known { /* a source that was heard, a file or the journal */
	struct spimend_address address; /* family 0: a file, or the journal */
	bool relay;
	uint8_t way;
	uint32_t file;
	uint32_t connections;
	uint64_t lines;
	int64_t tokens_ns;  /* mono: its bucket is full at this instant and later */
	struct instant last;
};

struct name { /* of a host that claims were made under */
	char text[SYSLOG_HOST_MAX];
	uint32_t owner;      /* in `known` */
	struct instant told;
};

struct syslog {
	struct config_syslog config;
	struct syslog_events events;
	struct hash_key key;
	struct scan scan;
	struct hosts hosts;
	struct log *log;                     /* owns: of messages */
	struct log *files[SYSLOG_FILES_MAX]; /* owns */
	struct file_sink {
		struct syslog *syslog; /* borrows */
		uint32_t file;
	} sinks[SYSLOG_FILES_MAX];
	struct log *journald;                /* owns */
	char *journald_line;                 /* owns: room for one */
	uint32_t journald_source;            /* its place in `known` */
	uint32_t local_count;                /* files and the journal: they stand in front in `known` */
	bool prefixes[2][129];               /* lengths in use */
	struct spimend_address *devices;     /* owns: sorted */
	uint32_t device_count;
	struct known *known;                 /* owns: SYSLOG_KNOWN_MAX; files first */
	uint32_t known_count, *slots;        /* owns: a hash table of index + 1 */
	struct name *names;                  /* owns: a hash table of SYSLOG_NAMES_MAX * 2, filled to the half */
	uint32_t name_count, walked;
	struct moment now;
	int64_t second;                      /* of the stamp */
	char stamp[SYSLOG_STAMP_LEN];
	char *batch;                         /* owns */
	size_t batch_len;
	uint32_t *batch_sources;             /* owns: of each line */
	uint32_t batch_lines;
	uint64_t lines_before;               /* the log's, as this batch began */
	uint64_t told_unread;
	struct syslog_claim claim;           /* room for the one at hand */
	struct syslog_counts counts;
};

/* Who wrote it, into claim.host. */
void syslog_name_claim(struct syslog *s, uint32_t source, struct text host);
/* The names of which something new was heard are told, a part of them. */
void syslog_tell_names(struct syslog *s);
void syslog_forget_names(struct syslog *s);

#endif
