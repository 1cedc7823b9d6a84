/* SPDX-License-Identifier: MIT */
/* A datagram between two roles, with any bytes: the first two choose the roles and the descriptors, the header's build
 * number is put right, so that the fuzzer gets past it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "role/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char bytes[MESSAGE_MAX];
	struct message_header header;
	union message_item item;
	uint64_t build = message_build();
	enum role from, to;
	size_t fds;

	if (size < 2)
		return 0;
	from = data[0] % ROLES;
	to = data[0] / ROLES % ROLES;
	fds = data[1] % (MESSAGE_FDS_MAX + 2);
	data += 2;
	size -= 2;
	if (size > sizeof(bytes))
		size = sizeof(bytes);
	memcpy(bytes, data, size);
	if (size >= sizeof(header) && bytes[0] != 0)
		memcpy(bytes, &build, sizeof(build));
	if (message_check(bytes, size, fds, from, to, build, &header))
		return 0;
	if (!message_may(header.type, from, to) || header.count > message_items_max(header.type) ||
	    sizeof(header) + header.length != size)
		abort();
	for (size_t i = 0; i < header.count; i++)
		(void)message_take(&header, bytes, i, &item);
	if (message_take(&header, bytes, header.count, &item))
		abort();
	return 0;
}
