/* SPDX-License-Identifier: MIT */
/* libFuzzer: a datagram of the plugin's protocol: what is taken is valid and writes itself again, byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "parse/plugin_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char again[PLUGIN_MESSAGE_MAX];
	struct plugin_failure failure;
	struct plugin_message m;
	int status = plugin_message_read(data, size, &m, &failure);

	if (status) {
		must(status < 0 && failure.reason && failure.at <= size);
		return 0;
	}
	must(plugin_valid(&m));
	must(plugin_message_write(&m, again) == (int)size && memcmp(again, data, size) == 0);
	must(strcmp(plugin_kind_name(m.kind), "unknown") != 0);
	must(!(plugin_is_order(m.kind) && plugin_is_report(m.kind)));
	return 0;
}
