/* SPDX-License-Identifier: MIT */
/* Evidence in its parts: record/frozen.c keeps it, record/frozen_files.c finds and lets go its files,
 * record/frozen_read.c puts it in order. Private to the three. */
#ifndef RECORD_FROZEN_PRIVATE_H
#define RECORD_FROZEN_PRIVATE_H

#include <errno.h>

#include "record/frozen.h"

#define FROZEN_PEER FROZEN_PARTS_MAX /* the number of the peer's part */

struct frozen_kept { /* an incident that has files */
	char id[INCIDENT_ID_MAX];
	uint64_t bytes, peer_bytes;
	uint32_t parts;         /* a bit a part */
	struct instant written; /* wall: latest */
	bool is_under_way, is_foreign;
};

struct frozen_folder {
	int fd; /* owns */
	struct frozen_kept *kept; /* owns: FROZEN_INCIDENTS_MAX */
	uint32_t count;
	uint64_t let_go;
};

/* The name of a file; false where `id` is none. */
bool frozen_name(const char *id, uint32_t part, char to[FROZEN_NAME_MAX]);
int frozen_folder_open(const char *path, struct frozen_folder *ret);
void frozen_folder_close(struct frozen_folder *folder);
struct frozen_kept *frozen_find(const struct frozen_folder *folder, const char *id);
/* The same, or a new one. NULL: there is no room. */
struct frozen_kept *frozen_find_or_add(struct frozen_folder *folder, const char *id);
void frozen_drop(struct frozen_folder *folder, struct frozen_kept *kept);
uint64_t frozen_folder_bytes(const struct frozen_folder *folder);
/* Lets go what is beyond the limits, when `room` bytes and `more` incidents are to come. What is too old only where the wall
 * clock may be believed. */
void frozen_let_go(struct frozen_folder *folder, const struct frozen_limits *limits, uint64_t room, uint32_t more,
		     bool believes_clock, frozen_over_fn *is_over, void *context, struct instant now);
int frozen_read_file(const struct frozen_folder *folder, const char *id, uint32_t part, struct buffer *out);

/* Sorts the events and takes out what is there twice. 0 or -ENOMEM. */
int frozen_order(struct frozen_content *content);

#endif
