/* SPDX-License-Identifier: MIT */
/* How often something may happen: a bucket of tokens. Called by the roles dial and web. Pure. */
#ifndef ROLE_BUCKET_H
#define ROLE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket { /* tokens, in nanoseconds of credit; zeroed: never asked */
	int64_t credit, at;
};
/* Takes a token. False: too many. `rate` a second, bursts of twice as many. */
bool bucket_may(struct bucket *bucket, int64_t now_ns, int64_t rate);

#endif
