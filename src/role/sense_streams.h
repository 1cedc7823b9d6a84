/* SPDX-License-Identifier: MIT */
/*
 * Connections of syslog over TCP and TLS in the loop of the role sense: accepting, reading, closing those that are late.
 * Used by role/sense_syslog.c alone.
 */
#ifndef ROLE_SENSE_STREAMS_H
#define ROLE_SENSE_STREAMS_H

#include "role/member.h"
#include "sense/syslog_stream.h"

struct sense_streams;
int sense_streams_new(struct member *member, struct syslog *syslog, struct sense_streams **ret); /* 0 or negative errno */
void sense_streams_free(struct sense_streams *s); /* NULL is fine */
/* A listening socket for that place of the configuration, with the PEM files where it is TLS: certificate, key, and where
 * one is asked of clients what they are checked by. Takes the descriptors over. 0, or negative with the reason (static). */
int sense_streams_listen(struct sense_streams *s, uint32_t index, const int *fds, size_t fd_count, const char **ret_why);
/* After a reload: who is no source any more is let go. */
void sense_streams_reload(struct sense_streams *s);
/* About once a second: who is late is let go. */
void sense_streams_tick(struct sense_streams *s, int64_t now_ns);

#endif
