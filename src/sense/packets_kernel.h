/* SPDX-License-Identifier: MIT */
/*
 * The packet sensor, privileged half: loads the BPF programs of bpf/, opens packet sockets, attaches XDP.
 *
 * Called by the parent role (root: CAP_BPF or CAP_SYS_ADMIN, CAP_NET_RAW, CAP_NET_ADMIN). It reads no packet. Its
 * descriptors travel by SCM_RIGHTS to the sense role, which hands them to sense/packets.h. A sensor that was killed gets the
 * same ones again and loses no count.
 *
 * What a packet socket cannot hear: with esp4_offload or esp6_offload loaded, GRO hands packets of installed SAs to the
 * kernel's ESP before any socket sees them. Live SPIs then count nothing here (the kernel's own replay_highest tells how far
 * they are); dead and unknown ones come through as ever. XDP sits in front of that and hears all.
 */
#ifndef SENSE_PACKETS_KERNEL_H
#define SENSE_PACKETS_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#define PACKETS_MAPS 5            /* descriptors that the sense role needs */
#define PACKETS_PORTS_MAX 8       /* UDP ports with ESP */
#define PACKETS_INTERFACES_MAX 64
#define PACKETS_WATCH_DEFAULT 65536
#define PACKETS_WATCH_MAX (4u << 20)

struct packets_settings {
	uint32_t watch_max;     /* SPIs, live and dead; peers: a quarter. Each SPI takes 32 bytes of kernel memory a processor
				 * and about 120 more, from the start. 0: the default */
	uint32_t peer_rate;     /* packets a second with an SPI that nobody knows, from peers; 0: none */
	uint32_t stranger_rate; /* the same from others */
	uint8_t port_count;
	uint16_t ports[PACKETS_PORTS_MAX]; /* UDP destination ports besides 4500 */
	bool xdp;               /* packets_attach_xdp() will be called */
};
#define PACKETS_PEER_RATE_DEFAULT 2000
#define PACKETS_STRANGER_RATE_DEFAULT 100

struct packets_kernel;

/* Loads. 0, or a negative errno: -EPERM without the privilege, -EINVAL when this kernel refuses the program. */
int packets_kernel_new(const struct packets_settings *settings, struct packets_kernel **ret);
/* Links and sockets given out live on; maps live as long as anybody has their descriptors. */
void packets_kernel_free(struct packets_kernel *k);

/* The descriptors for packets_new() in the sense role, borrowed: they stay the kernel half's own. */
void packets_kernel_maps(const struct packets_kernel *k, int ret_maps[PACKETS_MAPS]);

/* New rates and ports while all runs; watch_max and xdp stay as they were loaded. */
void packets_kernel_adjust(struct packets_kernel *k, const struct packets_settings *settings);

/*
 * Reads this machine's addresses anew: packets with an SPI that nobody knows, to any other address, are only counted (they
 * are forwarded, their receiver is another). Until the first call all addresses are taken for ours. To be called in the
 * network namespace of the interfaces at start, and when an address may have changed. 0 or a negative errno.
 */
int packets_kernel_read_addresses(struct packets_kernel *k);

/* A packet socket, bound to the interface, filter and ring in place, whatever its link layer. Owned by the caller. -ENODEV,
 * -ENETDOWN, ... A packet counts once for each interface that is heard: not a VLAN's and its parent's, a bridge's and its
 * port's, nor a socket and XDP on the same one. */
int packets_open_socket(const struct packets_kernel *k, const char *interface, int *ret_fd);

/* Generic (skb) or native XDP. The link lasts until *ret_link_fd is closed. Attaching may make a native interface's link go
 * down and up again. -EOPNOTSUPP where the driver has no native XDP and where frames have no Ethernet header, -EBUSY where
 * another program is attached. */
int packets_attach_xdp(const struct packets_kernel *k, const char *interface, bool native, int *ret_link_fd,
	unsigned *ret_ifindex);

#endif
