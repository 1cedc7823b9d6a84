/* SPDX-License-Identifier: MIT */
/*
 * The fleet's syslog, live: who is heard, what of it concerns us, and what that says, as claims for core.
 *
 * Called by the role sense with every message that a socket or a stream gave. A message of an allowed source becomes a line
 * of a log, with its sender and the time of its arrival in front, as a syslog server would write it, and goes the way that
 * lines of files go (parse/log). All else is counted and not looked at. Bounded: sources, names, and the rate at which one
 * source is told of. No allocation for a message.
 *
 * Who speaks: a source that is no relay speaks under the name in its lines, unless another source had that name first; then,
 * and where it names nobody, under its address. A relay is taken at its word.
 */
#ifndef SENSE_SYSLOG_H
#define SENSE_SYSLOG_H

#include "base/hash.h"
#include "model/config_device.h"
#include "model/syslog.h"

#define SYSLOG_KNOWN_MAX 16384       /* sources followed at once */
#define SYSLOG_NAMES_MAX 16384       /* names of hosts that claims were made under */
#define SYSLOG_MESSAGE_MAX 8192      /* bytes of a message that are looked at: RFC 5425 4.3.1 */
#define SYSLOG_RATE 200              /* claims a second of one source ... */
#define SYSLOG_BURST 20000           /* ... and so many at once: all tunnels of a hub may fall together */
#define SYSLOG_CLOCK_TOLERANCE (10 * MINUTE_NS)   /* a device's stamp counts when it is that close */
#define SYSLOG_RELAY_TOLERANCE DAY_NS             /* a relay's or a file's, into the past */
#define SYSLOG_OWN_NAME "spimendd"                /* under which our own log stands in the journal */
#define SYSLOG_BATCH (512u << 10)

struct syslog;

struct syslog_events {
	void *context; /* borrows */
	/* False: it could not be told on, which is counted. */
	bool (*claim)(void *context, const struct syslog_claim *claim);
	void (*heard)(void *context, const struct syslog_heard *heard);
};

/* 0 or a negative errno. */
int syslog_new(const struct config_syslog *config, const struct hash_key *key, const struct syslog_events *events,
	       struct syslog **ret);
void syslog_free(struct syslog *syslog); /* NULL is fine */
/* Who is heard beside 'syslog source', where no such line names the address itself: the configured devices, none of them a
 * relay. Before the first message, or before syslog_configure(). 0 or -ENOMEM: then those that there were. */
int syslog_set_devices(struct syslog *syslog, const struct config_devices *devices);
/* Other sources; counts stay. */
void syslog_configure(struct syslog *syslog, const struct config_syslog *config);

/* The time of what comes from now on, wall clock, and CLOCK_MONOTONIC. */
void syslog_at(struct syslog *syslog, struct moment now);
/* Is that address an allowed source? Of whom to listen to: connections are counted by their messages. */
bool syslog_may(const struct syslog *syslog, const struct spimend_address *source);
/* A connection from there: counted among those of its source until syslog_disconnect(). False: it is foreign, or there are
 * too many, of it or of all; counted. */
bool syslog_connect(struct syslog *syslog, const struct spimend_address *source);
void syslog_disconnect(struct syslog *syslog, const struct spimend_address *source);
/* One message. `is_cut`: it was longer. */
void syslog_message(struct syslog *syslog, const struct spimend_address *source, enum syslog_way way, struct text message,
		    bool is_cut);
/* Whole lines of the followed file `file`, with the stamps that they have. */
void syslog_lines(struct syslog *syslog, uint32_t file, struct text lines);
/* One entry of journald's journal. `host` is whose it is where it names nobody: this machine's name. */
struct journald_entry;
void syslog_journald(struct syslog *syslog, const struct journald_entry *entry, struct text host);
/* What is gathered is read and told: after each turn. */
void syslog_settle(struct syslog *syslog);
/* Wrapped messages are given up, hosts told that claims were made under: about once a second. */
void syslog_tick(struct syslog *syslog);
/* The next tick tells all hosts again: there is another core. */
void syslog_tell_again(struct syslog *syslog);

/* To be filled on by who reads sockets. */
struct syslog_counts *syslog_counts(struct syslog *syslog);

#endif
