/* SPDX-License-Identifier: MIT */
/*
 * What is kept of each device as text, in two files a device, for people who ask afterwards.
 *
 * The journal: what was done there and by whose word, a line an event.
 *
 *     2026-11-29T02:11:07.250Z incident k3v9q2: clear crypto sa peer 192.0.2.7, by the rule
 *
 * The tape: every byte that was typed there and that came back, as parse/device_tape.h writes it. Apart from the journal, so
 * that a device that prints much pushes nothing out of it.
 *
 *     2026-11-29T02:11:07.253Z incident k3v9q2 > clear crypto sa peer 192.0.2.7
 *     2026-11-29T02:11:07.301Z incident k3v9q2 < hub#clear crypto sa peer 192.0.2.7
 *
 * Called by the role core, with text in which secrets were masked already: nothing is masked here. A file that would grow
 * beyond `most` becomes the one old file of its device, whose older one goes: so each device has a bounded share. Of tapes
 * that is written into the new file. What is written at once is there as a whole or not at all; what could not be written is
 * counted, and the caller goes on. Written to the kernel, not forced onto the disk: what must outlast a power failure stands
 * in the store.
 */
#ifndef RECORD_DEVICE_JOURNAL_H
#define RECORD_DEVICE_JOURNAL_H

#include "base/buffer.h"
#include "base/calendar.h"
#include "model/config_device.h"

#define DEVICE_JOURNAL_FOLDER "devices"
#define DEVICE_JOURNAL_BYTES_MAX (256u << 10)
#define DEVICE_TAPE_BYTES_MAX (1u << 20)
#define DEVICE_TAPE_DAYS 30 /* what is older goes, within an hour */
#define DEVICE_JOURNAL_LINE_MAX 1024 /* bytes of its text; longer ones are cut, which is marked */
#define DEVICE_JOURNAL_TAIL_MAX (64u << 10) /* what the command line shows at most */
#define DEVICE_JOURNAL_PATH_MAX 256

enum device_journal_kind { DEVICE_JOURNAL_DEEDS, DEVICE_JOURNAL_TAPE };

struct device_journal {
	enum device_journal_kind kind;
	char folder[DEVICE_JOURNAL_PATH_MAX];
	const char *suffix;        /* of its files; static */
	int64_t most;              /* bytes of a file */
	uint64_t lines, lost, cut; /* written; not written; written without their end */
	uint64_t gone, aged;       /* bytes that went to make room; files that went for their age */
	int trouble;               /* negative errno of the latest line, 0 when it went well */
};

/* The folder DIRECTORY/devices, which has to be there when lines come. 0 or -ENAMETOOLONG. */
int device_journal_init(struct device_journal *j, enum device_journal_kind kind, const char *directory);
/* `wall` stands in front. Line breaks and whatever is not printable become '.'. -EINVAL: no name of a device. Else 0 or
 * negative errno: counted. */
int device_journal_add(struct device_journal *j, const char *device, struct instant wall, struct text line);
/* Whole lines, each with `wall` and what is in `head` in front, all or none of them. The same. */
int device_journal_add_lines(struct device_journal *j, const char *device, struct instant wall, struct text head,
			     struct text lines);
/* The latest whole lines, oldest first, `most` bytes of them. -ENOENT: nothing was ever written for that device. */
int device_journal_read(const struct device_journal *j, const char *device, size_t most, struct buffer *out);
/* Removes old files with lines that are `days` old, and begins a new file where one has lines of half that age: so nothing
 * is kept longer. To be called now and then. 0 or a negative errno of the folder. */
int device_journal_expire(struct device_journal *j, struct instant now, unsigned days);

#endif
