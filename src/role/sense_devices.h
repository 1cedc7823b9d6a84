/* SPDX-License-Identifier: MIT */
/*
 * The part of the role sense that reads what devices print: bytes from ssh in, what they mean back to ssh, and the output
 * of what was asked, secrets taken out, to core, and row by row where it is an output that is known. What was typed and what
 * came goes on the device's tape as well. Nothing here knows what will be typed. Used by role/sense_role.c alone.
 */
#ifndef ROLE_SENSE_DEVICES_H
#define ROLE_SENSE_DEVICES_H

#include "model/device_order.h"
#include "parse/device_text.h"
#include "role/member.h"
#include "role/sense_tape.h"

#define SENSE_OUTPUT_MAX (4u << 20) /* bytes of one output that core is told; half of what a channel holds */

struct sense_devices {
	struct member *member;   /* borrows */
	struct channel *core;    /* borrows; NULL: none */
	struct channel *ssh;     /* owns; NULL: none */
	struct loop_timer *timer;
	struct sense_tapes tapes;
	struct sense_device {
		struct device_text *text; /* owns; NULL: free */
		struct sense_tape *tape;  /* owns; NULL: no memory for it */
		uint32_t session;
		uint64_t request;         /* whose command was typed last; 0: of the log-in */
		char command[DEVICE_COMMAND_MAX];
	} at[DEVICE_SESSIONS_MAX];
};

int sense_devices_begin(struct sense_devices *d, struct member *member);
void sense_devices_done(struct sense_devices *d);
/* Another core, or none (NULL). */
void sense_devices_core(struct sense_devices *d, struct channel *core);
/* core keeps up again. */
void sense_devices_drained(struct sense_devices *d);
/* The channel to ssh; takes the descriptor. 0 or a negative errno. */
int sense_devices_take(struct sense_devices *d, int fd);

#endif
