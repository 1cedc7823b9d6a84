/* SPDX-License-Identifier: MIT */
#include "record/write_all.h"

#include <errno.h>
#include <unistd.h>

int record_write_all(int fd, struct text bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.at, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = text_skip(bytes, (size_t)n);
	}
	return 0;
}
