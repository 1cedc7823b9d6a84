/* SPDX-License-Identifier: MIT */
/*
 * A ustar archive (POSIX.1-1988) in a buffer, piece by piece: regular files with short names that we chose ourselves, mode
 * 0600, no owner. Pure; whoever compresses it does so behind.
 */
#ifndef RECORD_TAR_H
#define RECORD_TAR_H

#include "base/buffer.h"
#include "base/calendar.h"

#define TAR_NAME_MAX 99

/* What goes before a file's bytes, and behind them. `name` is at most TAR_NAME_MAX long. */
void tar_add_head(struct buffer *out, const char *name, uint64_t size, struct instant changed);
void tar_add_padding(struct buffer *out, uint64_t size);
void tar_add_end(struct buffer *out);

#endif
