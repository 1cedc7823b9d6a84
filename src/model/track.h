/* SPDX-License-Identifier: MIT */
/* Tracked objects: what is watched, and how it is. Plain data. */
#ifndef MODEL_TRACK_H
#define MODEL_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "model/gateway.h"

#define TRACK_NUMBER_MAX 1000
#define TRACKS_CONFIGURED_MAX 64
#define TRACK_DELAY_MAX 180 /* seconds, as on IOS */

enum track_kind {
	TRACK_LINE_PROTOCOL, /* an interface carries */
	TRACK_IP_ROUTING,    /* and has an IPv4 address */
	TRACK_ROUTE,         /* this very prefix is in the table, and leads somewhere */
	TRACK_STUB,          /* set by applets */
	TRACK_PEER,          /* an IPsec SA with that peer is installed */
	TRACK_KINDS
};

struct config_track {
	uint16_t number;
	enum track_kind kind;
	char interface[GATEWAY_INTERFACE_MAX];
	struct spimend_address address; /* of the peer; of the route */
	uint8_t prefix;
	bool default_up;                /* of a stub object */
	uint32_t delay_up, delay_down;  /* seconds that a change has to last */
};

struct track_state {
	struct config_track track;
	bool known, is_up;
	bool stub_up;          /* as an applet set it */
	bool turning;          /* it is the other way round, and the delay runs */
	int64_t turning_ns;    /* mono: since then */
	uint32_t changes;
	int64_t changed_ns;    /* mono: the latest change; before one, the first look */
};

/* As it is configured, without "track NUMBER". */
void track_describe(const struct config_track *track, struct buffer *out);

#endif
