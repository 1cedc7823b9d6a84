/* SPDX-License-Identifier: MIT */
/*
 * `clear crypto sa counters`: what each SA had counted by then. The kernel's and the IKE daemon's own counters go on, and
 * nothing but what is shown knows of it. Private to exec, kept by the role core.
 */
#ifndef EXEC_CLEARED_H
#define EXEC_CLEARED_H

#include "core/core.h"

struct exec_cleared; /* opaque; NULL is an empty one */

/* All children as they are now. 0 or -ENOMEM: *ret is untouched. */
int exec_cleared_new(const struct core *core, struct exec_cleared **ret);
void exec_cleared_free(struct exec_cleared *cleared);
/* Takes off what was cleared. An SA that counts less than that was made anew: nothing is taken off. */
void exec_cleared_apply(const struct exec_cleared *cleared, struct child_sa *child);

#endif
