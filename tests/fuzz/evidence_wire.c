/* SPDX-License-Identifier: MIT */
/* libFuzzer: the lines that two gateways say to each other about evidence. What is read is valid and bounded. */
#include <stdlib.h>

#include "parse/evidence_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text line = { (const char *)data, size };
	struct evidence_ask ask = { .number = 1 };
	int64_t t1, t2, t3, offset, error;
	char why[EVIDENCE_WHY_MAX];
	size_t length;
	int r;

	if (evidence_read_ask(line, &ask, &t1) == 0)
		must(evidence_valid_ask(&ask) && t1 >= 0);
	if (evidence_read_stamps(line, 1000, &t2, &t3) == 0 && evidence_clock(1000, t2, t3, INT64_MAX / 8, &offset, &error))
		must(error > 0);
	r = evidence_read_answer(line, &length, why);
	must(r != 0 || length <= EVIDENCE_ANSWER_MAX);
	must(r != 1 || text_is_string(why, sizeof(why)));
	return 0;
}
