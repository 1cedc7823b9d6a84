/* SPDX-License-Identifier: MIT */
/*
 * Where a report goes: a new folder, or one archive, FILE.tar.zst. For its owner alone: evidence says more about a network
 * than others need to know. Never follows a link, and writes over an older report only when told so.
 */
#ifndef CMD_REPORT_FILES_H
#define CMD_REPORT_FILES_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/calendar.h"

struct report_output; /* opaque */

/* 0, or a negative error: -EEXIST where something is there and `force` is not set, or where it is no file. An archive
 * comes under its name only when it is whole; of a folder that is there only our own files are written anew. */
int report_output_open(const char *path, bool force, struct report_output **ret);
/* `name` is a plain file name of ours. */
int report_output_add(struct report_output *output, const char *name, struct text bytes, struct instant changed);
/* Finishes; 0 or a negative error. Frees in any case. */
int report_output_close(struct report_output *output);
/* Gives up: what was begun of an archive is removed. NULL is fine. */
void report_output_drop(struct report_output *output);

#endif
