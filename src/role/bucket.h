/* SPDX-License-Identifier: MIT */
/* How often something may happen, and how long it may take of the time that goes by. Called by the roles dial, web and core.
 * Pure. */
#ifndef ROLE_BUCKET_H
#define ROLE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket { /* tokens, in nanoseconds of credit; zeroed: never asked */
	int64_t credit, at;
};
/* Takes a token. False: too many. `rate` a second, bursts of twice as many. */
bool bucket_may(struct bucket *bucket, int64_t now_ns, int64_t rate);

struct share { /* nanoseconds of work that may be done; zeroed: none was done yet */
	int64_t credit, at;
};
/* May there be more of it now, where it is to take at most `percent` of the time, with up to two seconds saved up? */
bool share_may(struct share *share, int64_t now_ns, int64_t percent);
/* So long it took. */
void share_pay(struct share *share, int64_t took_ns);

#endif
