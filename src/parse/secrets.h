/* SPDX-License-Identifier: MIT */
/*
 * Passwords, keys and communities in lines of a router's configuration: where they stand, and the line without them. What a
 * device prints passes through here before anybody may keep or show it. Pure. It takes out rather too much than too little.
 */
#ifndef PARSE_SECRETS_H
#define PARSE_SECRETS_H

#include "base/buffer.h"

/* What follows this word in a configuration is a secret, maybe behind its type ("password 7 ..."). */
bool secret_follows(struct text word);
/* Adds the line, each secret replaced by "<removed>", as `show tech-support` of IOS does. */
void secrets_remove(struct text line, struct buffer *out);

#endif
