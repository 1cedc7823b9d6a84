/* SPDX-License-Identifier: MIT */
/* OpenSSL's side of syslog over TLS. Private to sense/syslog_*.c. */
#ifndef SENSE_SYSLOG_TLS_H
#define SENSE_SYSLOG_TLS_H

#include <openssl/ssl.h>

#include "sense/syslog_stream.h"

/* The server's end of a connection on that socket, which stays the caller's. NULL: no memory. */
SSL *syslog_tls_accept(struct syslog_tls *tls, int fd);

#endif
