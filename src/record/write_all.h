/* SPDX-License-Identifier: MIT */
/* Called by whoever writes a file of a few parts: reports, files of applets, the startup configuration. */
#ifndef RECORD_WRITE_ALL_H
#define RECORD_WRITE_ALL_H

#include "base/text.h"

/* All of it, however many calls it takes; 0 or negative errno, and then some of it may be written. */
int record_write_all(int fd, struct text bytes);

#endif
