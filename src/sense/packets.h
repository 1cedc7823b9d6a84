/* SPDX-License-Identifier: MIT */
/*
 * The packet sensor, unprivileged half: reads what the kernel half (sense/packets_kernel.h) lets through, gathers it into
 * sightings, tells the kernel half what is live, dead and a peer, and reads its counts.
 *
 * Called by the sense role, with descriptors that the parent opened. It never opens a socket or file, needs no capability,
 * never judges, and never sees a byte beyond an ESP sequence number: the kernel half copies no more.
 *
 * One descriptor for everything: packets_fd() is readable when packets_read() has something to do.
 */
#ifndef SENSE_PACKETS_H
#define SENSE_PACKETS_H

#include "model/gateway.h"
#include "sense/packets_kernel.h"

#define PACKETS_FLOWS_MAX 4096      /* flows gathered at once; more are counted as flows_dropped */
#define PACKETS_WINDOW_NS 20000000  /* a sighting is told this long after its first packet */
#define PACKETS_GRACE_NS (10 * SECOND_NS)
#define PACKETS_FRAMES_MAX 8192     /* frames handled in one packets_read(): the loop has other things to do as well */

struct packets;

struct packets_events {
	void *context; /* borrows */
	void (*sighting)(void *context, const struct sighting *sighting);
	/* NULL, or: the first packet of a flow that a packet socket heard, from its IP header to its sequence number. */
	void (*head)(void *context, struct text bytes, const struct sighting *one);
	/* The interface cannot be heard any more (it went down or away: error is a negative errno). Its descriptor is closed
	 * already; the parent may open it again and packets_add_socket() take it. */
	void (*interface_lost)(void *context, const char *interface, int error);
};

/* Takes the descriptors in `maps` over (also on failure: they are closed). What the maps hold already stays: a sensor that
 * was restarted goes on counting. 0 or a negative errno. */
int packets_new(int maps[PACKETS_MAPS], const struct packets_events *events, struct packets **ret);
void packets_free(struct packets *p);

/* Hears a packet socket from packets_open_socket() on `interface`; takes `fd` over, also on failure. A socket of the same
 * interface from before is closed. -ENOSPC beyond PACKETS_INTERFACES_MAX. */
int packets_add_socket(struct packets *p, const char *interface, int fd);
/* Names an interface that XDP reports come from; its link stays with the parent. */
int packets_add_xdp(struct packets *p, const char *interface, unsigned ifindex);
/* Forgets an interface, in either way of hearing. */
void packets_remove_interface(struct packets *p, const char *interface);

int packets_fd(const struct packets *p);
/* Reads what is there, at most PACKETS_FRAMES_MAX frames, and tells sightings whose window is over. 0 or a negative errno;
 * an error of one interface is no error of the sensor. */
int packets_read(struct packets *p);

/* -ENOSPC when the map is full: the caller says so, the SPI then counts as unknown. Telling the same again is fine. Counts
 * go on over a change of state and start anew after WATCH_FORGET. */
int packets_watch_spi(struct packets *p, const struct watch_spi *watch);
int packets_watch_peer(struct packets *p, const struct watch_peer *watch);
/* Forgets every SPI and peer, with their counts. */
int packets_forget_all(struct packets *p);
/*
 * For a caller that starts anew and tells all again: what it does not tell within `grace_ns` is forgotten by the walks, so
 * that an SPI which died while nobody listened does not pass for live for ever; until then live ones stay quiet. Counts go
 * on and are all told again. Peers are forgotten at once. packets_new() does this with PACKETS_GRACE_NS.
 */
int packets_begin_anew(struct packets *p, int64_t grace_ns);

/* The counts of one key. -ENOENT when it is not watched. */
int packets_count_of(struct packets *p, const struct sa_key *key, struct spi_count *ret);
/* Tells the counts that changed since they were told last, looking at no more than `max` SPIs; goes on from there in the
 * next call. Returns how many were told. */
unsigned packets_walk_counts(struct packets *p, unsigned max,
	void (*count)(void *context, const struct spi_count *count), void *context);

/* Fills what the packet sensor knows of *state; audit_records and audit_lost are left as they are. `known` and `strays` are
 * as fresh as the walks of packets_walk_counts(). */
void packets_state(struct packets *p, struct sensor_state *state);

#endif
