/* SPDX-License-Identifier: MIT */
/*
 * Interfaces and addresses out of rtnetlink's answers to RTM_GETLINK and RTM_GETADDR dumps. Pure: one datagram in, the list
 * grows. Called by the role core.
 */
#ifndef PARSE_RTNETLINK_H
#define PARSE_RTNETLINK_H

#include "base/text.h"
#include "model/link.h"

enum rtnetlink_result { RTNETLINK_MORE, RTNETLINK_DONE, RTNETLINK_FAILED };

/* Reads one datagram into `list`, whose `at` has room for LINKS_MAX. RTNETLINK_DONE: the dump is over. */
enum rtnetlink_result rtnetlink_read(struct text datagram, struct link_list *list);
/* The request for a dump: 0 links, 1 addresses. Returns its length in `to`. */
size_t rtnetlink_request(bool addresses, unsigned char to[64]);

#endif
