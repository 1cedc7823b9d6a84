/* SPDX-License-Identifier: MIT */
/*
 * The tapes of device sessions on their way from sense to core: what was typed and what came, masked by
 * parse/device_tape.h, with the time. Where core does not keep up, pieces wait in a bounded queue, and what does not fit
 * there is lost: counted, and said on the tape it belongs to. Nothing else waits for a tape. Used by role/sense_devices.c
 * alone.
 */
#ifndef ROLE_SENSE_TAPE_H
#define ROLE_SENSE_TAPE_H

#include "model/device_order.h"
#include "model/device_tape.h"
#include "role/member.h"

#define SENSE_TAPES_BEHIND_MAX 1024 /* pieces that wait for core */

struct sense_tapes {
	struct channel *core;   /* borrows; NULL: none */
	struct tape_piece *behind; /* owns; a ring of SENSE_TAPES_BEHIND_MAX, from `first` on; NULL: none waits */
	uint32_t first, count;
};
void sense_tapes_done(struct sense_tapes *tapes);
/* What waits is sent, as far as core takes it. */
void sense_tapes_drain(struct sense_tapes *tapes);

struct sense_tape; /* opaque: of one session */

struct sense_tape *sense_tape_new(struct sense_tapes *tapes, const struct device_open *open); /* NULL: no memory */
/* The session ends; `why` empty: nothing to add. Frees; NULL is fine for this and all that follow. */
void sense_tape_end(struct sense_tape *tape, const char *why);
void sense_tape_typed(struct sense_tape *tape, const struct device_typed *typed);
void sense_tape_part(struct sense_tape *tape, const struct device_part *part);

#endif
