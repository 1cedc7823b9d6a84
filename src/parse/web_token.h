/* SPDX-License-Identifier: MIT */
/*
 * Tokens of the page and its API as text: "spw_" (the page's, read only) or "spp_" (a person's, who may approve) and 32 random
 * bytes in base64url (RFC 4648 5) without padding. Pure; who makes the bytes random, and who compares, is somebody else.
 */
#ifndef PARSE_WEB_TOKEN_H
#define PARSE_WEB_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "model/web.h"

#define WEB_TOKEN_BYTES 32

/* With its terminating NUL. */
void web_token_print(const uint8_t bytes[WEB_TOKEN_BYTES], bool is_personal, char to[WEB_TOKEN_TEXT_MAX]);
/* Looks like one, of either kind. */
bool web_token_is_one(struct text t);
bool web_token_is_personal(struct text t);

#endif
