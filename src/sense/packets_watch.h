/* SPDX-License-Identifier: MIT */
/*
 * The maps of the BPF programs, from user space: which SPIs are live or dead, who is a peer, and the counts.
 *
 * Called by sense/packets.c alone, in an unprivileged process: Linux lets whoever holds a map's descriptor use it, also with
 * kernel.unprivileged_bpf_disabled=2 (since 5.19).
 *
 * Counts are read from a shared mapping, without a system call. They lie apart from the states, in slots that this module
 * gives out; a slot is used again as late as possible, for a processor may be about to count in it still.
 */
#ifndef SENSE_PACKETS_WATCH_H
#define SENSE_PACKETS_WATCH_H

#include "model/gateway.h"
#include "sense/packets_kernel.h"

struct packets_watch;

/* Borrows the descriptors. Finds the SPIs again that are in the map already; packets_watch_expect() should follow. */
int packets_watch_new(const int maps[PACKETS_MAPS], struct packets_watch **ret);
void packets_watch_free(struct packets_watch *w);

int packets_watch_set(struct packets_watch *w, const struct watch_spi *spi);
int packets_watch_set_peer(struct packets_watch *w, const struct watch_peer *peer);
int packets_watch_forget_all(struct packets_watch *w);

/* WATCH_FORGET when the key is not in the map. */
enum watch_state packets_watch_state(const struct packets_watch *w, const struct sa_key *key);
int packets_watch_count(const struct packets_watch *w, const struct sa_key *key, struct spi_count *ret);
/* From now on every SPI waits to be set again, and its count to be told again; walks forget those that still wait at
 * `until_ns`. Forgets the peers at once. */
int packets_watch_expect(struct packets_watch *w, int64_t until_ns);
unsigned packets_watch_walk(struct packets_watch *w, unsigned max, int64_t now_ns,
	void (*count)(void *context, const struct spi_count *count), void *context);
/* Sets what the programs counted, and adds nothing else. */
void packets_watch_sum(const struct packets_watch *w, struct sensor_state *state);

#endif
