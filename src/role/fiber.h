/* SPDX-License-Identifier: MIT */
/*
 * A call that rests in its middle and goes on later: long work in small pieces, written as one piece. It has a stack of its
 * own and no thread: it runs when fiber_run() is called, and nothing else does meanwhile. Called by the role core.
 */
#ifndef ROLE_FIBER_H
#define ROLE_FIBER_H

#include <stdbool.h>

#define FIBER_STACK (512u << 10) /* bytes; what is never touched costs nothing. Who needs more is killed */

struct fiber;
typedef void fiber_fn(void *context);

/* Nothing runs yet. 0 or a negative errno. */
int fiber_new(fiber_fn *call, void *context, struct fiber **ret);
/* Until the call rests (true) or returns (false: it is not to be run again). */
bool fiber_run(struct fiber *fiber);
/* From within the call alone. */
void fiber_rest(struct fiber *fiber);
/* Only when it returned, or never ran: what a call that rests holds would be lost. NULL is fine. */
void fiber_free(struct fiber *fiber);

#endif
