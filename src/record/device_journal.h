/* SPDX-License-Identifier: MIT */
/*
 * What was done on each device and by whose word: a text file a device, a line an event, for people who ask afterwards.
 *
 *     2026-11-29T02:11:07.250Z incident k3v9q2: clear crypto sa peer 192.0.2.7, by the rule
 *
 * Called by the role core, with text in which secrets were masked already: nothing is masked here. A file that reached
 * DEVICE_JOURNAL_BYTES_MAX becomes the one old file of its device, whose older one goes: so each device has a bounded share.
 * A line is there as a whole or not at all; one that could not be written is counted, and the caller goes on. Written to the
 * kernel, not forced onto the disk: what must outlast a power failure stands in the store.
 */
#ifndef RECORD_DEVICE_JOURNAL_H
#define RECORD_DEVICE_JOURNAL_H

#include "base/buffer.h"
#include "base/calendar.h"
#include "model/config_device.h"

#define DEVICE_JOURNAL_FOLDER "devices"
#define DEVICE_JOURNAL_BYTES_MAX (256u << 10)
#define DEVICE_JOURNAL_LINE_MAX 1024 /* bytes of its text; longer ones are cut, which is marked */
#define DEVICE_JOURNAL_TAIL_MAX (64u << 10) /* what device_journal_read() gives at most */
#define DEVICE_JOURNAL_PATH_MAX 256

struct device_journal {
	char folder[DEVICE_JOURNAL_PATH_MAX];
	uint64_t lines, lost, cut; /* written; not written; written without their end */
	int trouble;               /* negative errno of the latest line, 0 when it went well */
};

/* The folder DIRECTORY/devices, which has to be there when lines come. 0 or -ENAMETOOLONG. */
int device_journal_init(struct device_journal *j, const char *directory);
/* `wall` stands in front. Line breaks and whatever is not printable become '?'. -EINVAL: no name of a device. Else 0 or
 * negative errno: counted. */
int device_journal_add(struct device_journal *j, const char *device, struct instant wall, struct text line);
/* The latest whole lines, oldest first, `most` bytes of them. -ENOENT: nothing was ever written for that device. */
int device_journal_read(const struct device_journal *j, const char *device, size_t most, struct buffer *out);

#endif
