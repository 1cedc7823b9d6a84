/* SPDX-License-Identifier: MIT */
/*
 * What the fleet's syslog says, from sense to core: a claim (one fact of one line, and who sent it), until when a host was
 * heard, and what became of all that came. Plain data of fixed size.
 */
#ifndef MODEL_SYSLOG_H
#define MODEL_SYSLOG_H

#include "model/config_syslog.h"
#include "model/fact.h"

#define SYSLOG_TEXT_MAX 352 /* of a line, as the judge keeps it */
#define SYSLOG_HOST_MAX 64

enum syslog_way { SYSLOG_UDP, SYSLOG_TCP, SYSLOG_TLS, SYSLOG_FILE, SYSLOG_JOURNALD, SYSLOG_WAYS };

struct syslog_claim {
	struct fact fact;
	struct spimend_address source; /* family 0: from a file, or out of journald's journal */
	uint8_t way;                   /* enum syslog_way */
	uint32_t file;                 /* SYSLOG_FILE: its place in the configuration */
	uint64_t line;                 /* so many of that source before it, and this one */
	char host[SYSLOG_HOST_MAX];    /* who wrote it; empty: nobody is named */
	bool has_at, has_heard, is_repeat, is_alone;
	struct instant at, heard;
	char text[SYSLOG_TEXT_MAX + 1]; /* the message with its framing; its own NUL bytes are blanks */
};
bool syslog_valid_claim(const struct syslog_claim *claim);

struct syslog_heard { /* that host wrote until then, whatever it was */
	char host[SYSLOG_HOST_MAX];
	struct instant last;
};
bool syslog_valid_heard(const struct syslog_heard *heard);

/* Whence something comes that nobody asked for. */
enum syslog_class { SYSLOG_LOOPBACK, SYSLOG_LINK_LOCAL, SYSLOG_PRIVATE, SYSLOG_PUBLIC, SYSLOG_CLASSES };
enum syslog_class syslog_class_of(const struct spimend_address *address);
const char *syslog_class_name(enum syslog_class class); /* "loopback", "link-local", "private", "public" */

/* Each message that a listener or a file gave counts once. */
enum syslog_fate {
	SYSLOG_TAKEN,       /* its lines were looked at */
	SYSLOG_FOREIGN,     /* no 'syslog source' has that address: not looked at */
	SYSLOG_NO_ROOM,     /* of one more source than are followed */
	SYSLOG_EMPTY,
	SYSLOG_OWN,         /* of journald's journal: what spimendd itself logged, which quotes what others wrote */
	SYSLOG_FATES
};
const char *syslog_fate_name(enum syslog_fate fate);

struct syslog_counts {
	uint64_t received;                /* messages; the sum of the fates */
	uint64_t lost;                    /* by the sockets' buffers, before anybody read them */
	uint64_t fates[SYSLOG_FATES];
	uint64_t foreign[SYSLOG_CLASSES]; /* of SYSLOG_FOREIGN */
	uint64_t dropped;                 /* as journald says: it threw them away for a program's rate */
	uint64_t cut;                     /* taken, and longer than is read of one */
	uint64_t odd;                     /* taken, with a priority that cannot be, or NUL bytes, or no UTF-8 */
	uint64_t lines, claims;           /* looked at; facts found */
	uint64_t unread;                  /* lines that name our message and cannot be read */
	uint64_t over_rate;               /* facts of a source beyond its rate */
	uint64_t not_told;                /* facts that core did not take in time */
	uint64_t clock_off;               /* facts whose stamp is far from when they came: that counts */
	uint64_t borrowed;                /* facts under the name of another source: told under the sender's address */
	uint64_t connections, refused, silent, broken; /* accepted; too many; closed for silence; for bad framing */
	uint64_t tls_failed;
	uint32_t open;                    /* connections now */
	uint32_t sources;                 /* addresses heard */
	struct spimend_address foreign_last; /* family 0: none yet */
};
bool syslog_valid_counts(const struct syslog_counts *counts);

#endif
