/* SPDX-License-Identifier: MIT */
/* libFuzzer: the head of an IKE message. What is kept is in bounds, bounded, and reads the same when that is all. */
#include <stdlib.h>

#include "parse/ike_head.h"

#define KEEP_MAX (60 + 8 + 4 + 28 + 12 + 16 + IKE_NOTIFY_DATA_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_head head, again;
	struct buffer out = { 0 };

	if (!ike_head_read((struct text){ (const char *)data, size }, &head))
		return 0;
	must(head.keep <= size && head.keep <= KEEP_MAX);
	must(ike_head_read((struct text){ (const char *)data, head.keep }, &again) && again.keep == head.keep);
	must(again.has_spi == head.has_spi && again.spi == head.spi && again.notify == head.notify);
	ike_head_describe(&head, &out);
	must(!out.failed && out.len < 256);
	buffer_done(&out);
	return 0;
}
