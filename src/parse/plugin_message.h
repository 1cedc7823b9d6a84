/* SPDX-License-Identifier: MIT */
/*
 * The bytes of doc/plugin-protocol.md: struct plugin_message to a datagram and back.
 *
 * Called by repair/plugin and, compiled a second time, by the plugin inside charon: hence nothing here allocates, and it
 * needs model/plugin alone. Reading checks every length, tag, range and what the kind needs; what it takes writes itself
 * again, byte for byte, so that one meaning has one form. Never here: a socket, a decision.
 */
#ifndef PARSE_PLUGIN_MESSAGE_H
#define PARSE_PLUGIN_MESSAGE_H

#include <stddef.h>

#include "model/plugin.h"

#define PLUGIN_VERSION 1
#define PLUGIN_MESSAGE_MAX 512   /* bytes, header and all; the longest that can be made is shorter */
#define PLUGIN_HEADER_BYTES 8

struct plugin_failure {
	const char *reason; /* static */
	size_t at;          /* offset of the byte that was wrong */
};

/* 0; SPIMEND_E_LIMIT: a version that is not ours; SPIMEND_E_SYNTAX. */
int plugin_message_read(const unsigned char *bytes, size_t len, struct plugin_message *ret,
			struct plugin_failure *ret_failure);
/* The number of bytes written, or -EINVAL when the message is not valid. */
int plugin_message_write(const struct plugin_message *m, unsigned char to[PLUGIN_MESSAGE_MAX]);

#endif
