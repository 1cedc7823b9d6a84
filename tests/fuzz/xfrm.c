/* SPDX-License-Identifier: MIT */
/* libFuzzer: a datagram of XFRM netlink messages, as part of a list and as changes. */
#include <stdlib.h>

#include "parse/xfrm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(void *context, const struct kernel_event *event)
{
	++*(uint32_t *)context;
	must(gateway_valid_kernel_event(event));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text datagram = { (const char *)data, size };

	for (uint32_t sequence = 0; sequence < 2; sequence++) {
		struct xfrm_batch batch;
		uint32_t told = 0;

		xfrm_read(datagram, sequence, check, &told, &batch);
		must(told == batch.events);
		must(batch.failed == (batch.error != 0));
		must((size_t)batch.events + batch.others + batch.malformed <= size);
	}
	return 0;
}
