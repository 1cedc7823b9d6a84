/* SPDX-License-Identifier: MIT */
/*
 * Syslog over UDP: opening a socket, by the parent (port 514 is privileged, and so is a large buffer), and emptying it, by
 * the role sense.
 */
#ifndef SENSE_SYSLOG_UDP_H
#define SENSE_SYSLOG_UDP_H

#include "sense/syslog.h"

#define SYSLOG_UDP_BUFFER (64 << 20)  /* bytes of the socket's buffer */
#define SYSLOG_UDP_AT_ONCE 128        /* datagrams of one system call */
#define SYSLOG_UDP_TURN 16            /* system calls of one turn of the loop */

/* 0 or a negative errno. Where the process may not go beyond the system's limit the buffer is as large as that lets. */
int syslog_udp_open(const struct syslog_listener *listener, int *ret_fd);

struct syslog_udp;
/* Takes `fd` over, also on failure. 0 or a negative errno. */
int syslog_udp_new(int fd, struct syslog_udp **ret);
void syslog_udp_free(struct syslog_udp *udp); /* NULL is fine */
/* What is there, up to a turn's worth; then settles. How many, or a negative errno. */
int syslog_udp_read(struct syslog_udp *udp, struct syslog *syslog);

/* An address as sockets give it; IPv4 in IPv6 is IPv4. For TCP too. */
struct sockaddr_storage;
struct spimend_address syslog_address_of(const struct sockaddr_storage *from);

#endif
