/* SPDX-License-Identifier: MIT */
/* What the sockets of syslog have in common. Private to sense/syslog_*.c. */
#ifndef SENSE_SYSLOG_SOCKET_H
#define SENSE_SYSLOG_SOCKET_H

#include "model/config_syslog.h"

struct sockaddr_storage;

/* A bound socket of that type, of IPv4 and IPv6 where no address is configured and there is IPv6. 0 or a negative errno. */
int syslog_socket_open(const struct syslog_listener *listener, int type, int *ret_fd);

#endif
