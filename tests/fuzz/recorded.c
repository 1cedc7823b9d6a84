/* SPDX-License-Identifier: MIT */
/* libFuzzer: a recorded line, and the IKE header in its packet. What was read keeps within the noun's limits. */
#include <stdlib.h>

#include "parse/ike_header.h"
#include "parse/recorded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text line = { (const char *)data, size };
	struct recorded_reader reader = { 0 };
	struct recorded event;
	struct ike_header header;
	const char *why = NULL;

	if (recorded_read(&reader, line, &event, &why) < 0) {
		must(why && why[0]);
	} else {
		must(event.kind < RECORDED_KINDS && event.direction < RECORDED_DIRECTIONS && !(event.has & ~(uint32_t)RECORDED_HAS_ALL));
		must(event.data.len <= RECORDED_DATA_MAX && event.end.len <= RECORDED_NAME_MAX);
		must(event.incident.len < RECORDED_INCIDENT_MAX);
		must(spimend_address_valid(&event.src) && spimend_address_valid(&event.dst));
		if (ike_header_read(event.data, &header))
			must(header.version == 1 || header.version == 2);
	}
	if (ike_header_read(line, &header))
		must(spimend_address_valid(&header.src) && spimend_address_valid(&header.dst));
	recorded_reader_done(&reader);
	return 0;
}
