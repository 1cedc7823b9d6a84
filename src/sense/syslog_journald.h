/* SPDX-License-Identifier: MIT */
/*
 * journald's journal, as a pipe on which somebody else's journalctl prints it: see parse/journald. Called by the role sense,
 * which can open neither; the parent starts journalctl, and starts it again from the position that is told here.
 */
#ifndef SENSE_SYSLOG_JOURNALD_H
#define SENSE_SYSLOG_JOURNALD_H

#include "sense/syslog.h"

#define SYSLOG_JOURNALD_TURN (1 << 20) /* bytes of one turn of the loop */

struct syslog_pipe;
int syslog_pipe_new(struct syslog_pipe **ret); /* 0 or -ENOMEM */
void syslog_pipe_free(struct syslog_pipe *pipe); /* NULL is fine */
/* A pipe; what is in the one before is read first. Takes `fd` over. */
void syslog_pipe_take(struct syslog_pipe *pipe, int fd);
/* What is to be waited for; -1: none. */
int syslog_pipe_fd(const struct syslog_pipe *pipe);
/* What is there, up to a turn's worth. `host`: as of syslog_journald(). True: that pipe goes on. False: it ended, or what
 * came is no such format (*ret_why, static; NULL where it just ended): then syslog_pipe_next(), once nobody waits for it. */
bool syslog_pipe_read(struct syslog_pipe *pipe, struct syslog *syslog, struct text host, const char **ret_why);
/* Closes it, and goes on with the one that was taken meanwhile, if there is one. */
void syslog_pipe_next(struct syslog_pipe *pipe);
/* When journald took the latest entry that was read, in microseconds of UNIX time; 0: none was. */
uint64_t syslog_pipe_position(const struct syslog_pipe *pipe);

#endif
