/* SPDX-License-Identifier: MIT */
/*
 * What a request of HTTP asks for: address and parameters to a typed question, and whether its Host and Origin are ours. A
 * page of somebody else's that is open in the same browser must get nowhere (DNS rebinding, cross-site requests).
 *
 * Called by the role web. Pure, bounded, fuzzed (tests/fuzz/web_request.c): every byte of it is a stranger's.
 */
#ifndef PARSE_WEB_REQUEST_H
#define PARSE_WEB_REQUEST_H

#include "base/buffer.h"
#include "model/config_web.h"
#include "model/web.h"

/* `Host` of a request: a listening address or "localhost" with its port, or a `web name` with any. */
bool web_host_fits(const struct config_web *web, struct text host);
/* `Origin`: the same behind http://, or a `web name` behind https://. */
bool web_origin_fits(const struct config_web *web, struct text origin);

enum web_route { ROUTE_NONE, ROUTE_FILE, ROUTE_LOGIN, ROUTE_LOGOUT, ROUTE_EVENTS, ROUTE_ASK };
/* The path, without '?' and what follows. ROUTE_ASK: question, id and step are set in *ret; else it is untouched.
 * ROUTE_NONE: nothing is there. ROUTE_FILE: it may be a static file; "/" is /index.html. */
enum web_route web_route_of(struct text path, struct web_ask *ret);

/* The parameters behind '?' for that question, with defaults for what is absent. False with what is wrong in `why`. */
bool web_query_read(struct text query, enum web_question question, struct web_filter *ret, struct buffer *why);

/* The token of "Bearer TOKEN"; the value of that cookie in a Cookie header. Empty: there is none. Borrowed. */
struct text web_bearer(struct text authorization);
struct text web_cookie(struct text header, struct text name);

#endif
