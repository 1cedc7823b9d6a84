/* SPDX-License-Identifier: MIT */
/*
 * Log files that are followed: descriptors from the parent, which sees when the file under a name is another one. Called by
 * the role sense, which can open none. Where a file is read up to is in the descriptor that the parent keeps too: a sense
 * that ends and starts anew reads on there.
 */
#ifndef SENSE_SYSLOG_FILES_H
#define SENSE_SYSLOG_FILES_H

#include "sense/syslog.h"

#define SYSLOG_FILES_TURN (4 << 20) /* bytes of one file in one turn */

struct syslog_files;
int syslog_files_new(struct syslog_files **ret); /* 0 or -ENOMEM */
void syslog_files_free(struct syslog_files *files); /* NULL is fine */
/* Another file under the name of `index`; what the one before still has is read first. Takes `fd` over. 0 or -EINVAL. */
int syslog_files_take(struct syslog_files *files, uint32_t index, int fd);
/* What was added to them. */
void syslog_files_read(struct syslog_files *files, struct syslog *syslog);

#endif
