/* SPDX-License-Identifier: MIT */
/* Reading a file of ours whole: a segment of the recorder, a part of evidence. Called by record/ring and record/evidence. */
#ifndef RECORD_SEGMENT_FILE_H
#define RECORD_SEGMENT_FILE_H

#include "base/buffer.h"

/* Adds up to `most` bytes of the plain file `name` in the open folder; whatever else has that name is not touched. 0 or a
 * negative errno. */
int segment_file_read(int folder, const char *name, size_t most, struct buffer *out);

#endif
