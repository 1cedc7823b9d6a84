/* SPDX-License-Identifier: MIT */
/*
 * What the BPF programs and user space share: the maps' keys and values. Plain types of fixed size and layout.
 *
 * Included by bpf/spi_sensor.bpf.c, src/sense/packets*.c and bench/sensor.c. No name of the kernel's vmlinux.h is used.
 */
#ifndef SPI_SHARED_H
#define SPI_SHARED_H

#include <linux/types.h>

#define SPI_CPUS_MAX 4096
#define SPI_PORT_BYTES 8192      /* a bit per UDP port */
#define SPI_BURST_NS 250000000u  /* what the limits let through at once after silence: their rate over this time */
#define SPI_DEAD_FIRST 64        /* packets of a dead SPI told at once, per processor ... */
#define SPI_DEAD_PACE_NS 1000000 /* ... and then one in this time (or in a clock tick, where that is longer) */
#define SPI_DEAD_REST_NS 1000000000 /* silence after which it starts anew */

enum { SPI_LIVE = 1, SPI_DEAD = 2 };

/* As on the wire; an IPv4 address takes the first four bytes, the rest is zero. */
struct spi_key {
	__u8 dst[16];
	__u32 spi;
	__u8 protocol; /* 50, 51 */
	__u8 family;   /* 4, 6 */
	__u16 zero;
};

struct spi_entry {
	__u32 slot; /* its tallies: slot * processors ... + processors - 1 */
	__u32 state;
};

/* Counts of one SPI on one processor: only that one writes, so nothing is lost without any locked instruction. User space
 * adds up the processors. The counts are apart from the state, so that a change of state loses none. */
struct spi_tally {
	__u64 packets;
	__u64 last_ns; /* CLOCK_MONOTONIC, as exact as a clock tick */
	__u64 passed_ns;
	__u32 sequence_highest;
	__u16 passed;
	__u8 encap;
	__u8 zero;
};

struct spi_host {
	__u8 address[16];
	__u32 family;
};

enum {
	SPI_COUNT_PEER,      /* packets with an unknown SPI from peers ... */
	SPI_COUNT_STRANGER,  /* ... from others */
	SPI_COUNT_FOREIGN,   /* ... to addresses that are not ours */
	SPI_COUNT_SAMPLED,   /* of the first two and of dead ones, those not told */
	SPI_COUNT_FRAGMENT,  /* later fragments of ESP or AH: without an SPI */
	SPI_COUNT_MALFORMED, /* ESP or AH too short for its header, lengths that contradict each other */
	SPI_COUNT_CHAIN,     /* more IPv6 extension headers or VLAN tags than are followed */
	SPI_COUNT_RING_FULL, /* XDP reports lost */
	SPI_COUNTS = 16      /* a multiple of the cache line for each processor */
};

struct spi_counters {
	__u64 n[SPI_COUNTS];
};

enum { SPI_PACE_PEER, SPI_PACE_STRANGER, SPI_PACES };

/* Written by user space alone. */
struct spi_config {
	__u64 interval_ns[SPI_PACES]; /* between packets with an unknown SPI; 0: none passes */
	__u32 only_local;             /* the map of our addresses is filled */
	__u32 zero;
	__u8 ports[SPI_PORT_BYTES];   /* UDP destination ports with ESP, host order */
};

/* What the XDP program tells; addresses and numbers as on the wire. */
struct spi_report {
	__u64 at_ns; /* CLOCK_MONOTONIC */
	__u8 src[16];
	struct spi_key key;
	__u32 sequence, ifindex;
	__u16 src_port, dst_port;
	__u8 encap, dead;
	__u16 zero;
};

#endif
