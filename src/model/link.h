/* SPDX-License-Identifier: MIT */
/* The gateway's interfaces and their addresses, as the kernel lists them (rtnetlink). Plain data. */
#ifndef MODEL_LINK_H
#define MODEL_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/gateway.h"

#define LINK_ADDRESSES_MAX 16 /* of an interface; further ones are counted */
#define LINKS_MAX 1024

struct link_address {
	struct spimend_address address;
	uint8_t prefix;
};

struct link_counts {
	uint64_t packets, bytes, errors, drops;
};

struct link {
	char name[GATEWAY_INTERFACE_MAX];
	uint32_t index;
	bool admin_up;   /* IFF_UP */
	bool running;    /* the line protocol: IFF_LOWER_UP, or operstate up or unknown */
	uint32_t mtu;
	struct link_counts in, out; /* since it is there */
	struct link_address addresses[LINK_ADDRESSES_MAX]; /* as listed: IPv4 primary first */
	uint32_t address_count, addresses_left_out;
};

struct link_list {
	struct link *at; /* owns; in the order of their index */
	size_t count, left_out;
};

/* Who is behind which address on a tunnel device: what a static entry, or NHRP (RFC 2332), told the kernel. */
#define NEIGHBOURS_MAX 4096
struct neighbour {
	uint32_t link;                        /* of its interface */
	struct spimend_address address, nbma; /* inside and outside the tunnel */
	bool permanent;                       /* somebody configured it */
	bool resolved;                        /* else it is asked for, or nobody answered */
};
struct neighbour_list {
	struct neighbour *at; /* owns */
	size_t count, left_out;
};

#endif
