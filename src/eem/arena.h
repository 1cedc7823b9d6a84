/* SPDX-License-Identifier: MIT */
/* Memory that is given piecewise and taken back at once: what one compiled text is made of. Private to eem. */
#ifndef EEM_ARENA_H
#define EEM_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct arena {
	struct arena_block *blocks; /* owns; the newest first */
	bool failed;                /* some request found no memory */
};

void arena_done(struct arena *arena);
/* Zeroed and aligned for anything; NULL when there is no memory. */
void *arena_new(struct arena *arena, size_t count, size_t size);
/* A copy with a NUL behind it; empty when there is no memory. */
struct text arena_text(struct arena *arena, struct text t);

#endif
