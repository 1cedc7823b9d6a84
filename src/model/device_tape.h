/* SPDX-License-Identifier: MIT */
/*
 * A piece of a device's tape on its way from sense, which reads the bytes, to core, which keeps them: lines of printable
 * ASCII, masked and escaped already (parse/device_tape.h), all of one way and one instant. Whose lines they are, core knows
 * by the device's place and mark; no line carries a time or a name of its own that core would believe.
 */
#ifndef MODEL_DEVICE_TAPE_H
#define MODEL_DEVICE_TAPE_H

#include "base/calendar.h"
#include "model/config_device.h"

#define TAPE_PIECE_MAX 4096
#define TAPE_LINE_MAX 1024 /* bytes of one line, without its line feed */

enum tape_way {
	TAPE_SENT,     /* typed */
	TAPE_RECEIVED, /* printed by the device */
	TAPE_SSH,      /* said by ssh itself */
	TAPE_NOTE,     /* about the tape: a session begins or ends, something was left out */
	TAPE_WAYS
};
char tape_way_sign(enum tape_way way);        /* '>', '<', '!', '=' */
const char *tape_way_name(enum tape_way way); /* "sent", "received", "ssh", "note" */

struct tape_piece {
	uint32_t device;
	uint64_t mark;      /* device_mark() */
	uint64_t request;   /* whose session or command it belongs to; 0: nobody's */
	struct instant at;  /* wall */
	enum tape_way way;
	uint32_t len;
	char bytes[TAPE_PIECE_MAX]; /* lines, each with its line feed */
};
bool tape_valid_piece(const struct tape_piece *piece);

#endif
