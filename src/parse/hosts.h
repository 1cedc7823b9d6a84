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

struct host {
	uint32_t hash;
	uint16_t name_len; /* of the whole name */
	bool heard;
	bool last_was_stray; /* its previous line was an unknown-SPI message: "last message repeated" belongs to it */
	struct instant last; /* latest stamp of any of its lines */
	struct fact *last_stray; /* owns; NULL until there is one */
	char name[HOST_NAME_KEPT];
};

struct hosts {
	struct host *slots; /* owns: a power of two of them */
	size_t room, count;
	uint64_t refused; /* lines of hosts beyond HOSTS_MAX */
	struct hash_key key;
};

int hosts_init(struct hosts *hosts, const struct hash_key *key);
void hosts_done(struct hosts *hosts);

/* Finds or makes the host; NULL when the table is full. Pointers stay valid until the next hosts_get(). */
struct host *hosts_get(struct hosts *hosts, struct text name);
struct text host_name(const struct host *host);

/* Notes a line at `at`; true when it lies more than `tolerance_ns` before an earlier one: the clock jumped back. */
static inline bool host_hear(struct host *host, struct instant at, int64_t tolerance_ns)
{
	bool back = host->heard && at.ns < host->last.ns - tolerance_ns;

	if (!host->heard || at.ns > host->last.ns)
		host->last = at;
	host->heard = true;
	return back;
}

#endif
