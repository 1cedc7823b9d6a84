/* SPDX-License-Identifier: MIT */
/*
 * Interfaces, addresses and neighbours out of rtnetlink's answers to RTM_GETLINK, RTM_GETADDR and RTM_GETNEIGH dumps, and
 * single routes. Pure: one datagram in, the list grows. Called by the role core.
 */
#ifndef PARSE_RTNETLINK_H
#define PARSE_RTNETLINK_H

#include "base/text.h"
#include "model/link.h"

enum rtnetlink_result { RTNETLINK_MORE, RTNETLINK_DONE, RTNETLINK_FAILED };

/* Reads one datagram into `list`, whose `at` has room for LINKS_MAX. RTNETLINK_DONE: the dump is over. */
enum rtnetlink_result rtnetlink_read(struct text datagram, struct link_list *list);
/* The same of an answer to rtnetlink_neighbour_request(), `at` with room for NEIGHBOURS_MAX. Only those whose lower address
 * is an IP address are kept: they are on GRE devices. */
enum rtnetlink_result rtnetlink_read_neighbours(struct text datagram, struct neighbour_list *list);
size_t rtnetlink_neighbour_request(unsigned char to[64]);
/* The answer to one rtnetlink_route_request(). False: it is none. *ret_found: the table has this very prefix, and it leads
 * somewhere; *ret_link is its interface then, 0 where there are several. */
bool rtnetlink_read_route(struct text datagram, uint8_t prefix, bool *ret_found, uint32_t *ret_link);
/* Asks which entry of the table `address` falls under. Returns its length in `to`. */
size_t rtnetlink_route_request(const struct spimend_address *address, unsigned char to[64]);
/* The request for a dump: 0 links, 1 addresses. Returns its length in `to`. */
size_t rtnetlink_request(bool addresses, unsigned char to[64]);

#endif
