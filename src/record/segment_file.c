/* SPDX-License-Identifier: MIT */
#include "record/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int segment_file_read(int folder, const char *name, size_t most, struct buffer *out)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), r = 0;
	struct stat found;
	char bytes[32768];
	size_t got = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode))
		r = -EEXIST;
	while (r == 0 && got < most) {
		ssize_t n = read(fd, bytes, most - got < sizeof(bytes) ? most - got : sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		buffer_add(out, (struct text){ bytes, (size_t)n });
		got += (size_t)n;
	}
	close(fd);
	return r < 0 ? r : buffer_error(out);
}
