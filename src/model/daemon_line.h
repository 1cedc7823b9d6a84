/* SPDX-License-Identifier: MIT */
/*
 * A line of an IKE daemon's log, as debugs show it: text from outside, bounded and printable. Plain data, from act to core,
 * and only while a debug is on. What is told is level 1 of the daemon's log: no dump of a packet, no key.
 */
#ifndef MODEL_DAEMON_LINE_H
#define MODEL_DAEMON_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define DAEMON_LINE_GROUP_MAX 8
#define DAEMON_LINE_TEXT_MAX 256

struct daemon_line {
	uint16_t daemon;
	bool has_ike, is_cut;
	uint32_t ike_id, thread;
	char group[DAEMON_LINE_GROUP_MAX]; /* "IKE", "ENC", "NET", "CHD", "KNL" ... */
	char text[DAEMON_LINE_TEXT_MAX];
};

bool daemon_line_valid(const struct daemon_line *line);

#endif
