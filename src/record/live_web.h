/* SPDX-License-Identifier: MIT */
/* The part of `spimend status` that tells how the page fares. Private to record/live_*.c and the role core. */
#ifndef RECORD_LIVE_WEB_H
#define RECORD_LIVE_WEB_H

#include "base/buffer.h"
#include "base/json.h"
#include "model/config_web.h"
#include "model/web.h"

struct live_web { /* borrows */
	bool is_there;                   /* the role answers */
	const struct web_counts *counts;
	const int *errors;               /* by its place in the configuration: why it cannot listen there; 0: it does */
};

/* Lines for people, troubles, the member "web"; nothing, or null, where no page is configured. `web` NULL: not told. */
void live_web_text(const struct live_web *web, const struct config_web *config, struct buffer *out);
void live_web_troubles(const struct live_web *web, const struct config_web *config, struct buffer *out);
void live_web_json(const struct live_web *web, const struct config_web *config, struct json *j);

#endif
