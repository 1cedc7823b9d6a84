/* SPDX-License-Identifier: MIT */
/*
 * Which debugs are on: the switches of `debug crypto ...` and their condition (B18). Plain data, kept by the role core for
 * the whole daemon, not for a session; read by whoever writes debug lines. Empty conditions: every peer.
 */
#ifndef MODEL_DEBUG_H
#define MODEL_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "spimend/address.h"

#define DEBUG_CONDITIONS_MAX 16

enum debug_topic { DEBUG_ISAKMP, DEBUG_IKEV2, DEBUG_IPSEC, DEBUG_ENGINE, DEBUG_TOPICS };

struct debug_state {
	bool on[DEBUG_TOPICS];
	struct spimend_address peers[DEBUG_CONDITIONS_MAX]; /* `debug crypto condition peer ipv4|ipv6 A` */
	uint32_t peer_count;
};

/* "isakmp" ... as `debug crypto` takes it, and as `show debug` prints it: "Crypto ISAKMP debugging is on". */
const char *debug_topic_name(enum debug_topic topic);
const char *debug_topic_title(enum debug_topic topic);
bool debug_is_any(const struct debug_state *state);
/* True when the topic is on and the peer meets the condition. An unknown address meets only the empty condition. */
bool debug_wants(const struct debug_state *state, enum debug_topic topic, const struct spimend_address *peer);

#endif
