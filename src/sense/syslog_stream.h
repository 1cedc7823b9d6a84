/* SPDX-License-Identifier: MIT */
/*
 * Syslog over TCP and TLS: opening a listening socket, by the parent; accepting, and reading messages out of connections,
 * by the role sense. Both framings of RFC 6587; TLS as in RFC 5425, 1.2 and newer, with a client's certificate where one is
 * asked for.
 *
 * A connection has a buffer of one message. It is closed, and counted, when its framing is none, when nothing came within
 * SYSLOG_SILENCE of its beginning, or no rest of a message within that time. Between messages it may be silent for ever:
 * keep-alives find out who is gone.
 */
#ifndef SENSE_SYSLOG_STREAM_H
#define SENSE_SYSLOG_STREAM_H

#include "sense/syslog.h"

#define SYSLOG_CONNECTIONS_MAX 1024    /* of all listeners; further ones are closed at once, counted */
#define SYSLOG_CONNECTIONS_OF_ONE 32   /* of one source that is no relay */
#define SYSLOG_SILENCE (60 * SECOND_NS)
#define SYSLOG_STREAM_TURN (256 << 10) /* bytes of one connection in one turn of the loop */

/* A listening socket. 0 or a negative errno. */
int syslog_stream_open(const struct syslog_listener *listener, int *ret_fd);

struct syslog_tls; /* what a TLS listener shows, and whom it trusts */
/* PEM files by descriptors, which stay the caller's; client_ca -1: nobody is asked for a certificate. 0, or -EINVAL with the
 * reason (static). */
int syslog_tls_new(int certificate, int key, int client_ca, struct syslog_tls **ret, const char **ret_why);
void syslog_tls_free(struct syslog_tls *tls); /* NULL is fine; connections go on with it */

struct syslog_connection;
enum syslog_state {
	SYSLOG_READS,      /* tell again when it can be read */
	SYSLOG_WRITES,     /* when it can be written: a handshake */
	SYSLOG_ENDED,
	SYSLOG_BROKEN,     /* its framing is none */
	SYSLOG_TLS_FAILED,
};

/* Accepts one. 0, -EAGAIN when there is none, or another negative errno. `tls` NULL: TCP. *ret may be NULL: it was not let
 * in (foreign, or too many), which is counted. */
int syslog_accept(int listening, struct syslog_tls *tls, struct syslog *syslog, int64_t now_ns,
		  struct syslog_connection **ret);
/* Closes. NULL is fine. */
void syslog_connection_free(struct syslog_connection *c, struct syslog *syslog);
int syslog_connection_fd(const struct syslog_connection *c);
/* What is there, up to a turn's worth; then settles. *ret_why (static): what broke it. */
enum syslog_state syslog_connection_read(struct syslog_connection *c, struct syslog *syslog, int64_t now_ns,
					 const char **ret_why);
/* It has been silent where something is due. */
bool syslog_connection_is_late(const struct syslog_connection *c, int64_t now_ns);
const struct spimend_address *syslog_connection_from(const struct syslog_connection *c);

#endif
